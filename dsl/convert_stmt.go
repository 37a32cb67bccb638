package dsl

// stmt makes the tree of a statement of a body.
func (p *parser) stmt(n *stmtG) Stmt {
	p.failed = false
	span := p.span(n.Tokens)
	s := p.stmtTree(n, span, p.file.doc(span.Start))
	if p.failed {
		return &BadStmt{Span: span, Names: stmtNames(s)}
	}
	return s
}

// stmtTree is stmt without regard to errors.
func (p *parser) stmtTree(n *stmtG, span Span, doc string) Stmt {
	switch {
	case n.Input != nil:
		return &VarStmt{span, doc, Input, p.nameOf(n.Input.Name), p.typeOf(n.Input.Type), nil}
	case n.Var != nil:
		v := n.Var
		return &VarStmt{span, doc, VarKind(v.Kind.Value), p.nameOf(v.Name), p.typeOf(v.Type), p.optional(v.Init)}
	case n.Shared != nil:
		return &SharedStmt{span, doc, p.nameOf(n.Shared.Name), p.expr(n.Shared.Value)}
	case n.For != nil:
		return p.forStmt(n.For, span, body)
	case n.If != nil:
		return p.ifStmt(n.If, span, body)
	case n.Assert != nil:
		a := &AssertStmt{Span: span, Cond: p.expr(n.Assert.Cond)}
		if n.Assert.Message != nil {
			a.Message = p.stringOf(*n.Assert.Message)
		}
		return a
	case n.Return != nil:
		return &ReturnStmt{span, p.exprs(n.Return)}
	case n.Emit != nil:
		return p.emit(n.Emit, span)
	case n.Output != nil:
		return &OutputStmt{span, doc, p.nameOf(n.Output.Name), p.optional(n.Output.Value)}
	case n.Loss != nil:
		return &LossStmt{span, doc, p.nameOf(n.Loss.Name), p.expr(n.Loss.Value)}
	case n.Metric != nil:
		return &MetricStmt{span, doc, p.nameOf(n.Metric.Name), p.expr(n.Metric.Value)}
	case n.Train != nil:
		t := n.Train
		return &TrainStmt{span, doc, p.nameOf(t.Loss), p.rule(t.Rule), p.patterns(t.For), p.block(t.Block, clauses)}
	case n.Fn != nil:
		return p.fn(n.Fn, span, doc)
	}
	return p.assign(n.Assign, span, doc)
}

// assign makes the tree of an assignment or an update.
func (p *parser) assign(n *assignG, span Span, doc string) Stmt {
	var names []*Name
	for _, t := range n.Targets {
		names = append(names, p.name(t.Token))
	}
	value := p.expr(n.Value)
	if n.Op.Value == "<-" {
		if len(names) > 1 {
			p.fail(errorAt(names[1], "an update <- has one target").code("update"))
		}
		return &UpdateStmt{span, names[0], value}
	}
	for _, name := range names {
		if name.Name == "param" {
			p.fail(errorAt(name, "param is updated with <-, not assigned with =").code("update"))
		}
	}
	return &AssignStmt{span, doc, names, value}
}

// forStmt makes the tree of a for, whose block is a body or a train block.
func (p *parser) forStmt(n *forG, span Span, what production) *ForStmt {
	return &ForStmt{span, p.nameOf(n.Name), p.expr(n.Lo), p.expr(n.Hi), p.block(n.Block, what)}
}

// ifStmt makes the tree of an if and its chain of else if.
func (p *parser) ifStmt(n *ifG, span Span, what production) *IfStmt {
	if len(n.Elifs) > maxNesting {
		over := p.span(n.Elifs[maxNesting].Tokens)
		p.fail(errorAt(over, "nesting is deeper than the limit of %d", maxNesting).code("text-limit"))
		n.Elifs = n.Elifs[:maxNesting]
	}
	first := &IfStmt{Span: span, Cond: p.expr(n.Cond), Then: p.block(n.Then, what)}

	// Each else if is the only statement of the block before it.
	last := first
	for _, e := range n.Elifs {
		start := p.tokenSpan(e.Tokens[1]).Start
		next := &IfStmt{Span{p.file, start, span.End}, p.expr(e.Cond), p.block(e.Then, what), nil}
		last.Else = &Block{next.Span, []Stmt{next}}
		last = next
	}
	last.Else = p.block(n.Else, what)
	return first
}

// emit makes the tree of an emit.
func (p *parser) emit(list []*emitG, span Span) *EmitStmt {
	e := &EmitStmt{Span: span}
	for _, n := range list {
		e.Values = append(e.Values, &Emitted{p.span(n.Tokens), p.expr(n.Value), p.optional(n.Along)})
	}
	return e
}

// rule makes the call of an optimizer or an average.
func (p *parser) rule(n *ruleG) *Call {
	return &Call{Span: p.span(n.Tokens), Func: p.nameOf(n.Name), Args: p.args(n.Args)}
}

// clause makes the tree of a statement of a train block.
func (p *parser) clause(n *clauseG) Stmt {
	p.failed = false
	span := p.span(n.Tokens)
	s := p.clauseTree(n, span)
	if p.failed {
		return &BadStmt{Span: span}
	}
	return s
}

// clauseTree is clause without regard to errors.
func (p *parser) clauseTree(n *clauseG, span Span) Stmt {
	switch {
	case n.Clip != nil:
		p.oneOf(n.Clip.Form, "clip", "norm", "value")
		return &ClipStmt{span, p.nameOf(n.Clip.Form), p.expr(n.Clip.Limit)}
	case n.Decay != nil:
		return &DecayStmt{span, p.expr(n.Decay.Value), p.patterns(n.Decay.For)}
	case n.Freeze != nil:
		return &FreezeStmt{span, p.patterns(n.Freeze)}
	case n.Use != nil:
		u := n.Use
		return &UseStmt{span, p.nameOf(u.Rule), p.args(u.Args), p.patterns(u.For)}
	case n.Average != nil:
		return &AverageStmt{span, p.rule(n.Average)}
	case n.Accumulate != nil:
		return &AccumulateStmt{span, p.expr(n.Accumulate)}
	case n.Check != nil:
		p.oneOf(n.Check, "check", "gradients")
		return &CheckStmt{span, p.nameOf(n.Check)}
	case n.For != nil:
		return p.forStmt(n.For, span, clauses)
	}
	return p.ifStmt(n.If, span, clauses)
}

// oneOf reports a word that a clause does not know.
func (p *parser) oneOf(n *nameG, clause string, words ...string) {
	for _, w := range words {
		if n.Token.Value == w {
			return
		}
	}
	name := p.nameOf(n)
	p.fail(errorAt(name, "expected %s %s, found %s%s", clause, orList(words), name.Name, didYouMean(name.Name, words)).code("train-clause"))
}

// patterns makes the trees of patterns.
func (p *parser) patterns(list []*patternG) []*Pattern {
	var patterns []*Pattern
	for _, n := range list {
		q := &Pattern{Span: p.span(n.Tokens)}
		for _, s := range n.Segments {
			q.Segments = append(q.Segments, p.segment(s))
		}
		if first := n.Segments[0].Word; first != nil && first.Type == tokenNumber {
			p.fail(errorAt(q, "a pattern starts with a name, * or **").code("train-clause"))
		}
		patterns = append(patterns, q)
	}
	return patterns
}

// segment makes the tree of a segment of a pattern.
func (p *parser) segment(n *segmentG) *Segment {
	s := &Segment{Span: p.span(n.Tokens)}
	switch {
	case n.Word == nil && n.Hi == nil:
		s.Kind, s.Lo = SegmentIndex, p.expr(n.Lo)
	case n.Word == nil:
		s.Kind, s.Lo, s.Hi = SegmentRange, p.expr(n.Lo), p.expr(n.Hi)
	case n.Word.Value == "*":
		s.Kind = SegmentAny
	case n.Word.Value == "**":
		s.Kind = SegmentDeep
	default:
		s.Kind, s.Text = SegmentName, n.Word.Value
	}
	return s
}
