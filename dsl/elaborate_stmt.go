package dsl

import (
	"slices"

	"gradgen.dev/ir"
)

// block elaborates statements in order, up to a return.
func (e *elaborator) block(sc *scope, b *Block) {
	for _, s := range b.Stmts {
		if sc.done || e.stopped {
			return
		}
		e.stmt(sc, s)
	}
}

func (e *elaborator) stmt(sc *scope, s Stmt) {
	if text := misplaced(sc.kind, s); text != "" {
		e.fail(sc, s, "place", "%s", text)
		for _, n := range stmtNames(s) {
			if out, ok := s.(*OutputStmt); !ok || out.Value != nil {
				e.bind(sc, n, poison{}, "bound")
			}
		}
		return
	}
	switch s := s.(type) {
	case *VarStmt:
		e.varStmt(sc, s)
	case *AssignStmt:
		e.assign(sc, s)
	case *UpdateStmt:
		e.update(sc, s)
	case *ForStmt:
		e.forStmt(sc, s)
	case *IfStmt:
		e.ifStmt(sc, s)
	case *AssertStmt:
		e.assert(sc, s)
	case *ReturnStmt:
		e.returnStmt(sc, s)
	case *OutputStmt:
		e.output(sc, s)
	case *LossStmt:
		e.loss(sc, s)
	case *MetricStmt:
		e.metric(sc, s)
	case *TrainStmt:
		e.trainStmt(sc, s)
	case *SharedStmt:
		e.shared(sc, s)
	case *FnDecl:
		e.entry(sc, s)
	case *BadStmt:
		e.broken = true
		for _, n := range s.Names {
			e.bind(sc, n, poison{}, "bound")
		}
		if sc.kind == modelScope {
			for _, n := range s.Dims {
				e.model.out.Dims = e.declareDim(sc, n, e.model.out.Dims)
			}
		}
	default:
		e.fail(sc, s, "place", "this statement stands in the block of train")
	}
}

// bind gives a name its value. A name that a derivative is taken by gets a pin
// of its own.
func (e *elaborator) bind(sc *scope, name *Name, v value, verb string) {
	switch x := v.(type) {
	case number:
		v = x.settled()
	case tensor:
		if sc.targets[name.Name] && x.node.Type.Elem.IsFloat() {
			v = tensor{e.pin(sc, name.Name, x.node)}
		}
		e.name(sc, x.node, name)
	}
	sc.vals[name.Name] = &binding{val: v, place: name.Span, verb: verb}
}

// assign is `a, b = value`.
func (e *elaborator) assign(sc *scope, s *AssignStmt) {
	v := e.eval(sc, s.Value)
	if len(s.Names) == 1 {
		e.bindAssigned(sc, s.Names[0], s.Value, v)
		return
	}
	parts := make([]value, len(s.Names))
	results, ok := v.(tuple)
	if ok && len(results) == len(s.Names) {
		copy(parts, results)
	} else {
		if !isPoison(v) {
			found := "one value"
			if ok {
				found = count(len(results), "value")
			}
			e.fail(sc, s, "assign", "%s on the left, and the right side is %s", count(len(s.Names), "name"), found)
		}
		for i := range parts {
			parts[i] = poison{}
		}
	}
	for i, name := range s.Names {
		e.bind(sc, name, parts[i], "bound")
	}
}

// bindAssigned binds one name. A plain alias of a name shares its pin.
func (e *elaborator) bindAssigned(sc *scope, name *Name, x Expr, v value) {
	if v == nil {
		v = poison{}
	}
	if _, ok := v.(*function); ok {
		v = poison{}
	}
	if b := sc.vals[name.Name]; b != nil && b.state != nil {
		e.fail(sc, name, "update", "%s is a %s; %s <- sets it", name.Name, b.state.decl.Kind, name.Name)
		return
	}
	if _, alias := x.(*Name); alias {
		if t, ok := v.(tensor); ok && t.node.Is("pin") {
			sc.vals[name.Name] = &binding{val: v, place: name.Span, verb: "bound"}
			return
		}
	}
	e.bind(sc, name, v, "bound")
}

// forStmt unrolls a loop.
func (e *elaborator) forStmt(sc *scope, s *ForStmt) {
	lo, okLo := e.constInt(sc, s.Lo, e.eval(sc, s.Lo), "the start of a for range")
	hi, okHi := e.constInt(sc, s.Hi, e.eval(sc, s.Hi), "the end of a for range")
	if !okLo || !okHi {
		e.poisonNames(sc, s.Body)
		return
	}
	for i := lo; i < hi; i++ {
		if e.spent.iterations++; e.spent.iterations > maxIterations {
			e.stop(sc, s, "the loops of this program have more than the limit of %d iterations in all", maxIterations)
			return
		}
		sc.vals[s.Var.Name] = &binding{val: integer(i), place: s.Var.Span, verb: "bound"}
		sc.loops = append(sc.loops, i)
		e.block(sc, s.Body)
		sc.loops = sc.loops[:len(sc.loops)-1]
		if sc.done || e.stopped {
			return
		}
	}
}

// ifStmt takes the branch that a compile-time condition chooses.
func (e *elaborator) ifStmt(sc *scope, s *IfStmt) {
	holds, ok := e.condition(sc, s.Cond)
	switch {
	case !ok:
		e.poisonNames(sc, s.Then)
		e.poisonNames(sc, s.Else)
	case holds:
		e.block(sc, s.Then)
	case s.Else != nil:
		e.block(sc, s.Else)
	}
}

// poisonNames binds what a block would have bound, where it is unknown whether
// it is elaborated.
func (e *elaborator) poisonNames(sc *scope, b *Block) {
	if b == nil {
		return
	}
	walkStmts(b, func(s Stmt) {
		switch s := s.(type) {
		case *VarStmt:
			sc.vals[s.Name.Name] = &binding{val: poison{}}
		case *SharedStmt:
			sc.vals[s.Name.Name] = &binding{val: poison{}}
		case *OutputStmt:
			sc.vals[s.Name.Name] = &binding{val: poison{}}
		case *AssignStmt:
			for _, n := range s.Names {
				sc.vals[n.Name] = &binding{val: poison{}}
			}
		case *BadStmt:
			for _, n := range s.Names {
				sc.vals[n.Name] = &binding{val: poison{}}
			}
		case *ReturnStmt:
			sc.done, sc.result = true, poison{}
		}
	})
}

// assert checks a condition at compile time; a divisibility of run-time
// dimensions becomes a fact.
func (e *elaborator) assert(sc *scope, s *AssertStmt) {
	if e.assertDivides(sc, s) {
		return
	}
	holds, ok := e.condition(sc, s.Cond)
	if !ok || holds {
		return
	}
	message := ""
	if s.Message != nil {
		message = s.Message.Value
	}
	if sc.library && message != "" {
		e.fail(sc, s, "assert", "%s", message)
		return
	}
	if message != "" {
		message = ": " + message
	}
	text := excerptOf(s.Cond, "this condition")
	e.fail(sc, s, "assert", "assertion fails: %s does not hold%s%s", text, e.valuesIn(sc, s.Cond), message)
}

// assertDivides takes `a % b == 0` of run-time dimensions as a fact.
func (e *elaborator) assertDivides(sc *scope, s *AssertStmt) bool {
	eq, ok := s.Cond.(*Binary)
	if !ok || eq.Op != "==" {
		return false
	}
	mod, ok := eq.X.(*Binary)
	zero, isNumber := eq.Y.(*Number)
	if !ok || mod.Op != "%" || !isNumber || zero.Value != 0 {
		return false
	}
	a, okA := e.eval(sc, mod.X).(number)
	b, okB := e.eval(sc, mod.Y).(number)
	if !okA || !okB || !a.whole || !b.whole {
		return false
	}
	rest, ok := dimArithmetic("%", a.dim, b.dim)
	if _, known := rest.Const(); !ok || known {
		return false
	}
	e.needStatic(unionHyper(a, b))
	fact := ir.Divides{Num: a.dim, Den: b.dim}
	known := slices.ContainsFunc(e.facts, func(f ir.Divides) bool { return f.Num.Equal(fact.Num) && f.Den.Equal(fact.Den) })
	if !known {
		e.facts = append(e.facts, fact)
	}
	return true
}

// valuesIn is the values of the names in a condition.
func (e *elaborator) valuesIn(sc *scope, x Expr) string {
	text, seen := "", map[string]bool{}
	walkExpr(x, func(x Expr) {
		name, ok := x.(*Name)
		if !ok || seen[name.Name] || sc.vals[name.Name] == nil {
			return
		}
		seen[name.Name] = true
		if n, ok := sc.vals[name.Name].val.(number); ok {
			if d, isDim := n.extent(); isDim {
				text += ", " + name.Name + " is " + d.String()
			}
		}
	})
	return text
}

func (e *elaborator) returnStmt(sc *scope, s *ReturnStmt) {
	values := make(tuple, len(s.Values))
	for i, x := range s.Values {
		values[i] = e.eval(sc, x)
	}
	sc.done = true
	switch {
	case isPoison(values...):
		sc.result = poison{}
	case len(values) == 1:
		sc.result = values[0]
	default:
		sc.result = values
	}
}
