package dsl

import "bytes"

// markRoles notes what the tree knows about the pieces: which start a statement, which
// are braces of a block, and which stand close to the one before.
func (f *formatter) markRoles() {
	for _, d := range f.file.Decls {
		f.pieces[f.tokens[d.Where().Start]].head = d
		Visit(d, func(n Node) bool {
			f.markNode(n)
			return true
		})
	}
}

// markNode notes what a node knows about its pieces.
func (f *formatter) markNode(n Node) {
	switch n := n.(type) {
	case *Block:
		f.markBlock(n)
	case *FnDecl:
		f.glueBracket(n.Name.End, "(")
	case *LayerDecl:
		f.glueBracket(n.Name.End, "(")
	case *ModelDecl:
		f.glueBracket(n.Name.End, "(")
	case *OptimizerDecl:
		f.glueBracket(n.Name.End, "(")
	case *GradClause:
		f.glue(f.tokens[n.Start] + 1)
	case *Derive:
		f.glueBracket(n.Form.End, "(")
	case *UseStmt:
		if n.Rule != nil {
			f.glueBracket(n.Rule.End, "(")
		}
	case *Type:
		if n.Shape != nil && n.Elem != nil {
			f.glue(f.tokens[n.Elem.Start])
		}
	case *Dim:
		if n.Spread && n.Expr != nil {
			f.glue(f.tokens[n.End-len("...")])
		}
	case *Segment:
		if n.Kind == SegmentIndex || n.Kind == SegmentRange {
			f.glue(f.tokens[n.Start] + 1)
			f.glue(f.tokens[n.End-len("}")])
		}
	default:
		f.markExpr(n)
	}
}

// markExpr is markNode for expressions.
func (f *formatter) markExpr(n Node) {
	switch n := n.(type) {
	case *Unary:
		if i, ok := f.tokens[n.Start]; ok {
			f.glue(i + 1)
		}
	case *Binary:
		if f.isTight(n) {
			i := f.tokens[n.OpSpan.Start]
			f.glue(i)
			f.glue(i + 1)
		}
		f.splitArrow(n)
	case *Call:
		if n.Func.Where().End < n.End {
			f.glueBracket(n.Func.Where().End, "(")
		}
	case *Index:
		f.glueBracket(n.X.Where().End, "[")
	case *Arg:
		if n.Name != nil {
			f.glue(f.tokenFrom(n.Name.End))
		}
	case *IndexItem:
		if n.Kind == IndexSlice {
			f.markSlice(n)
		}
	}
}

// markBlock notes the braces and statements of a block. A block stays on one line
// where it is on one line in the source and has at most one statement.
func (f *formatter) markBlock(n *Block) {
	if f.file.Src[n.Start] != '{' {
		return // the block of an else if is that if
	}
	b := &braces{open: f.tokens[n.Start], close: f.tokens[n.End-1]}
	oneLine := !bytes.ContainsRune(f.file.Src[n.Start:n.End], '\n')
	b.inline = oneLine && len(n.Stmts) <= 1 || b.open+1 == b.close
	f.pieces[b.open].block, f.pieces[b.close].block = b, b
	f.pieces[b.close].glued = b.open+1 == b.close
	for _, s := range n.Stmts {
		f.pieces[f.tokens[s.Where().Start]].head = s
	}
}

// glue puts the i-th piece directly after the one before it.
func (f *formatter) glue(i int) {
	if i < len(f.pieces) {
		f.pieces[i].glued = true
	}
}

// tokenFrom is the index of the first token at or after an offset.
func (f *formatter) tokenFrom(offset int) int {
	low, high := 0, len(f.pieces)
	for low < high {
		if mid := (low + high) / 2; f.pieces[mid].start < offset {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for low < len(f.pieces) && f.pieces[low].comment {
		low++
	}
	return low
}

// glueBracket puts the bracket that follows an operand directly after it; closing
// parentheses around the operand stand between them.
func (f *formatter) glueBracket(end int, bracket string) {
	i := f.tokenFrom(end)
	for i < len(f.pieces) && (f.pieces[i].text == ")" || f.pieces[i].comment) {
		i++
	}
	if i < len(f.pieces) && f.pieces[i].text == bracket {
		f.glue(i)
	}
}

// markSlice closes the colon of a slice up.
func (f *formatter) markSlice(n *IndexItem) {
	i := f.tokens[n.Start]
	if n.Lo != nil {
		i = f.tokenFrom(n.Lo.Where().End)
		for f.pieces[i].text != ":" {
			i++
		}
		f.glue(i)
	}
	if n.Hi != nil {
		f.glue(i + 1)
	}
}

// splitArrow writes <- inside an expression as what it is there, < and -.
func (f *formatter) splitArrow(n *Binary) {
	i := f.tokens[n.OpSpan.Start]
	if f.pieces[i].text == "<-" {
		f.pieces[i].text = "< -"
		f.glue(i + 1)
	}
}

// isTight reports whether an operator stands directly between its operands: ^ always,
// + - * / % @ where the author wrote them so and no operator inside an operand is
// spaced. The operators of a run of equal precedence are all tight or all spaced.
func (f *formatter) isTight(n *Binary) bool {
	if n.Op == "^" {
		return true
	}
	if tight, ok := f.tight[n]; ok {
		return tight
	}

	// The run goes down on the left.
	run := []*Binary{n}
	for {
		last := run[len(run)-1]
		left, ok := last.X.(*Binary)
		if !ok || f.parenthesisedLeft(last) || precedence[left.Op] != precedence[n.Op] {
			break
		}
		run = append(run, left)
	}

	tight := precedence[n.Op] > comparison
	for _, b := range run {
		tight = tight && f.writtenTight(b) && f.operandsTight(b, precedence[n.Op])
	}
	for _, b := range run {
		f.tight[b] = tight
	}
	return tight
}

// writtenTight reports whether the author put no space around an operator, and the
// operand after it has no sign that would run into it.
func (f *formatter) writtenTight(n *Binary) bool {
	i := f.tokens[n.OpSpan.Start]
	op, before, after := f.pieces[i], f.pieces[i-1], f.pieces[i+1]
	signed := after.text == "-" || after.text == "!"
	return before.end == op.start && op.end == after.start && !signed && !before.comment && !after.comment
}

// operandsTight reports whether the operators inside the operands of n, outside
// parentheses, are tight where they bind tighter than a precedence.
func (f *formatter) operandsTight(n *Binary, level int) bool {
	if x, ok := n.X.(*Binary); ok && !f.parenthesisedLeft(n) && precedence[x.Op] > level && !f.isTight(x) {
		return false
	}
	y, ok := n.Y.(*Binary)
	return !ok || f.parenthesisedRight(n) || f.isTight(y)
}

// parenthesisedLeft reports whether the left operand is in parentheses.
func (f *formatter) parenthesisedLeft(n *Binary) bool {
	i := f.tokens[n.OpSpan.Start] - 1
	for i > 0 && f.pieces[i].comment {
		i--
	}
	return f.pieces[i].text == ")" && f.pieces[i].start >= n.X.Where().End
}

// parenthesisedRight reports whether the right operand is in parentheses.
func (f *formatter) parenthesisedRight(n *Binary) bool {
	i := f.tokenFrom(n.OpSpan.End)
	return f.pieces[i].text == "(" && f.pieces[i].end <= n.Y.Where().Start
}
