package dsl

import (
	"gradgen.dev/ir"
)

// bindArgs gives the parameters of an application their values, left to right;
// defaults are evaluated inside, so that they may refer to the ones before.
func (e *elaborator) bindArgs(sc *scope, f *function, params []*Param, args map[string]*argument) bool {
	for _, p := range params {
		if sc.kind == layerScope {
			sc.namer.fallback(f, p)
		}
		a := args[p.Name.Name]
		sc.given[p.Name.Name] = a != nil
		if a == nil {
			a = &argument{node: p.Default, expr: p.Default, sc: sc}
		}
		if e.wantsFunction(f, p) {
			g := e.argFunction(a)
			if g == nil {
				return false
			}
			sc.funcs[p.Name.Name] = g
			continue
		}
		if e.isFunctionName(a) {
			e.failArg(sc, f, p, a, "%s is a value and not a function; %s fn in its declaration makes it one", p.Name.Name, p.Name.Name)
			return false
		}
		v := e.argValue(a)
		if isPoison(v) {
			return false
		}
		v = e.fit(sc, f, p, a, v)
		if isPoison(v) {
			return false
		}
		sc.vals[p.Name.Name] = &binding{val: v, place: p.Name.Span, verb: "declared", arg: a}
	}
	return true
}

// isFunctionName reports whether an argument is the name of a function and of no
// value.
func (e *elaborator) isFunctionName(a *argument) bool {
	name, ok := a.expr.(*Name)
	if !ok || a.val != nil || a.sc == nil || a.sc.vals[name.Name] != nil || a.sc.files.hasConst(name.Name) || e.special(a.sc, name.Name) != nil {
		return false
	}
	f := e.lookupFunction(a.sc, name.Name)
	return f != nil && f.inst == nil // an instance is its parameters, too
}

// argFunction is an argument where a function is expected.
func (e *elaborator) argFunction(a *argument) *function {
	if f, ok := a.val.(*function); ok {
		return f
	}
	if a.expr == nil {
		return nil
	}
	return e.functionValue(a.sc, a.expr)
}

// fit checks a value against the type of a parameter and binds the dimensions
// that the type names.
func (e *elaborator) fit(sc *scope, f *function, p *Param, a *argument, v value) value {
	if n, ok := v.(number); ok && !isTypeWord(p.Type, "int") {
		v = n.settled()
	}
	switch {
	case p.Type == nil:
		return v
	case isTypeWord(p.Type, "int"):
		return e.fitInt(sc, f, p, a, v)
	case isTypeWord(p.Type, "bool") && p.Type.Shape == nil:
		return e.fitBool(sc, f, p, a, v)
	case isTypeWord(p.Type, "string"):
		if _, ok := v.(text); ok {
			return v
		}
		return e.failArg(sc, f, p, a, "%s is a string, not %s", p.Name.Name, v.what())
	}
	return e.fitTensor(sc, f, p, a, v)
}

// failArg reports an argument that does not fit its parameter.
func (e *elaborator) failArg(sc *scope, f *function, p *Param, a *argument, format string, args ...any) value {
	at := a.sc
	if at == nil {
		at = sc
	}
	d := errorAt(a.node, format, args...).code("argument")
	if !at.library {
		d.Message = "the argument of " + f.name + " does not fit: " + d.Message
	}
	if !e.isLibrary(p) {
		d.related(p, "%s is declared here", p.Name.Name)
	}
	if x, ok := a.node.(Expr); ok {
		e.explain(at, d, x)
	}
	e.failWith(at, a.node, d)
	return poison{}
}

func (e *elaborator) fitInt(sc *scope, f *function, p *Param, a *argument, v value) value {
	n, ok := v.(number)
	if ok && !n.logical {
		if d, ok := n.extent(); ok {
			e.needStatic(n.hyper)
			return whole(d)
		}
		if n.runs() {
			return running(e.g, n.count)
		}
	}
	return e.failArg(sc, f, p, a, "%s is an int, not %s", p.Name.Name, describeNumber(v))
}

func (e *elaborator) fitBool(sc *scope, f *function, p *Param, a *argument, v value) value {
	switch v := v.(type) {
	case truth:
		return v
	case number:
		if v.logical && v.fixed {
			e.needStatic(v.hyper)
			return truth(v.val != 0)
		}
		if v.logical && isGivenAtRunTime(v.node) {
			return v
		}
	}
	return e.failArg(sc, f, p, a, "%s is a bool known at compile time, not %s", p.Name.Name, v.what())
}

// fitTensor checks the element type and the shape of an argument.
func (e *elaborator) fitTensor(sc *scope, f *function, p *Param, a *argument, v value) value {
	elem, written := ir.DType(0), false
	if p.Type.Elem != nil {
		t, ok := parseElem(p.Type.Elem.Name)
		if !ok {
			return e.fail(sc, p.Type.Elem, "unknown-type", "%s is no type of a parameter%s", p.Type.Elem.Name, proposal(p.Type.Elem.Name, typeNames))
		}
		elem, written = t, true
	}
	if p.Type.Shape == nil {
		return e.fitScalar(sc, f, p, a, v, elem)
	}
	if _, ok := v.(tensor); !ok {
		return e.fitLiteral(sc, f, p, a, v, elem, written)
	}
	n := v.(tensor).node
	if written && n.Type.Elem != elem {
		return e.failArg(sc, f, p, a, "%s is of type %v, not %v", p.Name.Name, elem, n.Type.Elem)
	}
	if !e.matchShape(sc, f, p, a, n.Type.Shape) {
		return poison{}
	}
	return v
}

// typeNames is the words that stand for types of parameters.
var typeNames = []string{"int", "bool", "string", "fn", "float32", "float64", "int32", "int64"}

// fitScalar is a parameter declared by an element type alone.
func (e *elaborator) fitScalar(sc *scope, f *function, p *Param, a *argument, v value, elem ir.DType) value {
	if n, ok := v.(number); ok && !n.logical && (elem.IsFloat() || n.whole) {
		return v
	}
	if t, ok := v.(tensor); ok && t.node.Type.Rank() == 0 && t.node.Type.Elem == elem {
		return v
	}
	return e.failArg(sc, f, p, a, "%s is a number of type %v, not %s", p.Name.Name, elem, typeText(v))
}

// fitLiteral is a number or a literal where a tensor is declared.
func (e *elaborator) fitLiteral(sc *scope, f *function, p *Param, a *argument, v value, elem ir.DType, written bool) value {
	if !written {
		elem = e.elem
	}
	switch v.(type) {
	case number, truth, list:
		n, ok := e.nodeOf(a.scope(sc), a.node, v, elem)
		if !ok || !e.matchShape(sc, f, p, a, n.Type.Shape) {
			return poison{}
		}
		if _, isNumber := v.(number); isNumber {
			return v
		}
		return tensor{n}
	}
	return e.failArg(sc, f, p, a, "%s is a tensor, not %s", p.Name.Name, v.what())
}

// scope is where the argument was evaluated, otherwise where that is unknown.
func (a *argument) scope(otherwise *scope) *scope {
	if a.sc != nil {
		return a.sc
	}
	return otherwise
}

// matchShape binds the names in a parameter's shape to the extents of its
// argument, left to right, and checks the rest.
func (e *elaborator) matchShape(sc *scope, f *function, p *Param, a *argument, have ir.Shape) bool {
	dims := p.Type.Shape.Dims
	spread := -1
	for i, d := range dims {
		if d.Spread {
			if spread >= 0 {
				e.fail(sc, d, "shape", "a shape has one ... and this is the second")
				return false
			}
			spread = i
		}
	}
	declared := p.Type.Shape.Text()
	if spread < 0 && len(have) != len(dims) || len(have) < len(dims)-1 {
		e.failArg(sc, f, p, a, "%s is %s, not %v", p.Name.Name, declared, have)
		return false
	}

	// The dimensions before the spread, the spread, and those after it.
	for i, d := range dims {
		k := i
		if spread >= 0 && i > spread {
			k = len(have) - len(dims) + i
		}
		if d.Spread {
			if !e.matchSpread(sc, f, p, a, d, have, have[i:len(have)-len(dims)+i+1]) {
				return false
			}
			continue
		}
		if !e.matchDim(sc, f, p, a, d, have, have[k]) {
			return false
		}
	}
	return true
}

// matchSpread binds N... to the extents it stands for.
func (e *elaborator) matchSpread(sc *scope, f *function, p *Param, a *argument, d *Dim, have, part ir.Shape) bool {
	name, ok := d.Expr.(*Name)
	if !ok {
		return true
	}
	if b, bound := sc.vals[name.Name]; bound {
		old, ok := b.val.(list)
		shape, isShape := shapeOfList(old)
		if !ok || !isShape || !sameShape(shape, part, e.facts) {
			e.failArg(sc, f, p, a, "%s is %s, not %v: %s... is %v already", p.Name.Name, p.Type.Shape.Text(), have, name.Name, shape)
			return false
		}
		return true
	}
	sc.vals[name.Name] = &binding{val: listOfShape(part), place: name.Span, verb: "bound"}
	return true
}

// matchDim binds a name to an extent, or checks the extent.
func (e *elaborator) matchDim(sc *scope, f *function, p *Param, a *argument, d *Dim, have ir.Shape, extent ir.Dim) bool {
	if name, ok := d.Expr.(*Name); ok && sc.vals[name.Name] == nil && !sc.files.hasConst(name.Name) {
		sc.vals[name.Name] = &binding{val: whole(extent), place: name.Span, verb: "bound"}
		return true
	}
	if unknown := e.unknownIn(sc, d.Expr); unknown != nil {
		return e.solveDim(sc, f, p, a, d, unknown, have, extent)
	}
	v := e.eval(sc, d.Expr)
	if isPoison(v) {
		return false
	}
	n, isNumber := v.(number)
	want, ok := n.extent()
	if n.runs() {
		e.fail(sc, d, "not-static", "%s", runningText("a dimension", d))
		return false
	}
	if !isNumber || !ok {
		e.fail(sc, d, "not-an-integer", "%s", wantsInteger("a dimension", d, v))
		return false
	}
	e.needStatic(n.hyper)
	if !agree(want, extent, e.facts) {
		is := ""
		if text := excerptOf(d, ""); text != "" && text != want.String() {
			is = ", where " + text + " is " + want.String()
		}
		e.failArg(sc, f, p, a, "%s is %s, not %v%s", p.Name.Name, p.Type.Shape.Text(), have, is)
		return false
	}
	return true
}

// unknownIn is the one name in a dimension that nothing binds, nil where there is
// none.
func (e *elaborator) unknownIn(sc *scope, x Expr) *Name {
	var unknown *Name
	walkExpr(x, func(x Expr) {
		if name, ok := x.(*Name); ok && unknown == nil && sc.vals[name.Name] == nil && !sc.files.hasConst(name.Name) {
			unknown = name
		}
	})
	return unknown
}

// solveDim binds a name that a dimension is linear in, such as N in 2*N + 1.
func (e *elaborator) solveDim(sc *scope, f *function, p *Param, a *argument, d *Dim, unknown *Name, have ir.Shape, extent ir.Dim) bool {
	sc.vals[unknown.Name] = &binding{val: whole(ir.DimVar(" ")), place: unknown.Span, verb: "bound"}
	n, ok := e.eval(sc, d.Expr).(number)
	delete(sc.vals, unknown.Name)
	if !ok {
		return false
	}
	put := func(dim, v ir.Dim) ir.Dim {
		return dim.Subst(func(name string) (ir.Dim, bool) { return v, name == " " })
	}
	form, isDim := n.extent()
	rest := put(form, ir.D(0))
	slope := put(form, ir.D(1)).Sub(rest)
	if !isDim || slope.IsConst(0) || !form.Equal(slope.Mul(ir.DimVar(" ")).Add(rest)) {
		e.fail(sc, d, "dimension", "%s does not say what %s is", excerptOf(d, "this dimension"), unknown.Name)
		return false
	}
	if !divides(slope, extent.Sub(rest), e.facts) {
		e.failArg(sc, f, p, a, "%s is %s, not %v: no %s makes %s of %v", p.Name.Name, p.Type.Shape.Text(), have, unknown.Name, excerptOf(d, "it"), extent)
		return false
	}
	sc.vals[unknown.Name] = &binding{val: whole(extent.Sub(rest).Div(slope)), place: unknown.Span, verb: "bound"}
	return true
}

// listOfShape is a shape as a value.
func listOfShape(s ir.Shape) list {
	out := make(list, len(s))
	for i, d := range s {
		out[i] = whole(d)
	}
	return out
}

// shapeOfList is a list of dimensions as a shape; a list in it is spliced in.
func shapeOfList(l list) (ir.Shape, bool) {
	out := ir.Shape{}
	for _, v := range l {
		switch v := v.(type) {
		case number:
			d, ok := v.extent()
			if !ok {
				return nil, false
			}
			out = append(out, d)
		case list:
			part, ok := shapeOfList(v)
			if !ok {
				return nil, false
			}
			out = append(out, part...)
		default:
			return nil, false
		}
	}
	return out, true
}

// sameShape reports whether two shapes agree.
func sameShape(a, b ir.Shape, facts ir.Facts) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !agree(a[i], b[i], facts) {
			return false
		}
	}
	return true
}
