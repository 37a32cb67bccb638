package dsl

import (
	"gradgen.dev/ir"
)

// inOperators are the elementwise ops that the language writes as operators or
// under another name; the others are functions of the same name.
var inOperators = map[string]bool{
	"neg": true, "add": true, "sub": true, "mul": true, "div": true, "mod": true,
	"max": true, "min": true, "lt": true, "le": true, "gt": true, "ge": true, "eq": true, "ne": true,
	"and": true, "or": true, "not": true, "where": true, "cast": true,
}

// elementwiseTable is a function for each elementwise op of the table, and
// where.
func elementwiseTable() []primitive {
	var out []primitive
	for _, name := range ir.OpNames {
		op := ir.Ops[name]
		switch {
		case op.Class != ir.Map || inOperators[name]:
		case op.Arity == 1:
			out = append(out, primitive{name + "(a)", op.Doc, func(e *elaborator, c *callSite) value { return unary(e, c, name) }})
		case op.Arity == 2:
			out = append(out, primitive{name + "(a, b)", op.Doc, func(e *elaborator, c *callSite) value { return elementwise(e, c, name, "a", "b") }})
		}
	}
	return append(out, primitive{"where(c, a, b)", "a where c holds, else b", where})
}

// unary is an op of one operand.
func unary(e *elaborator, c *callSite, op string) value {
	v := c.value("a")
	if n, ok := v.(number); ok && !n.logical {
		return e.numberFunction(op, n)
	}
	n, ok := c.node("a")
	if !ok {
		return poison{}
	}
	elem := n.Type.Elem
	switch {
	case elem == ir.Bool:
		return c.failAt(c.place("a"), "element-type", "%s wants numbers, and %s is bool; float(x) and int32(x) convert", op, shownIn(c.place("a"), n, "this"))
	case elem.IsInt() && op != "abs" && op != "sign":
		return c.failAt(c.place("a"), "element-type", "%s wants floating numbers, and %s is %v; float(x) converts", op, shownIn(c.place("a"), n, "this"), elem)
	}
	return tensor{e.g.Map(op, n)}
}

// elementwise is an op of two operands, broadcast.
func elementwise(e *elaborator, c *callSite, op, x, y string) value {
	return e.binary(operation{sc: c.sc, at: c.at, op: op, x: c.expr(x), y: c.expr(y), a: c.value(x), b: c.value(y)})
}

// expr is an argument as an expression for messages.
func (c *callSite) expr(name string) Expr {
	if x, ok := c.place(name).(Expr); ok {
		return x
	}
	return &Name{Span: c.place(name).Where()}
}

// where chooses element by element.
func where(e *elaborator, c *callSite) value {
	a, b := c.value("a"), c.value("b")
	if v := whereNumbers(e, c.value("c"), a, b); v != nil {
		return v
	}
	cond, ok := e.nodeOf(c.sc, c.place("c"), c.value("c"), ir.Bool)
	if !ok {
		return poison{}
	}
	parts, ok := c.nodes([]*argument{c.args["a"], c.args["b"]})
	if !ok {
		return poison{}
	}
	parts = append([]*ir.Node{cond}, parts...)
	shape := ir.Shape{}
	for i, name := range []string{"c", "a", "b"} {
		s, why, ok := broadcastShapes(shape, parts[i].Type.Shape, e.facts)
		if !ok {
			return c.failAt(c.place(name), "shapes", "where cannot align %s with %v: %s", shownIn(c.place(name), parts[i], "this"), shape, why)
		}
		shape = s
	}
	for i, p := range parts {
		parts[i] = e.broadcast(p, shape)
	}
	return tensor{e.g.Map("where", parts...)}
}

// whereNumbers is where of three numbers, which is one; nil of anything else.
func whereNumbers(e *elaborator, c, a, b value) value {
	cond, okC := asNumber(c)
	x, okA := a.(number)
	y, okB := b.(number)
	if !okC || !okA || !okB || !cond.logical || cond.node == nil || x.logical != y.logical {
		if t, ok := c.(truth); ok && okA && okB {
			if t {
				return x.settled()
			}
			return y.settled()
		}
		return nil
	}
	x, y = x.settled(), y.settled()
	chosen := combine(e.g, "where", func() (number, bool) {
		if !cond.fixed {
			return number{}, false
		}
		if cond.val != 0 {
			return x, true
		}
		return y, true
	}, cond, x, y)
	return chosenCount(e.g, cond, chosen, x, y)
}

// convert is float32(x) and its kin.
func (e *elaborator) convert(sc *scope, x *Call, args []*argument, elem ir.DType) value {
	if len(args) != 1 || args[0].name != nil {
		e.evalAll(args)
		return e.fail(sc, x, "arguments", "%s takes one argument", x.Func.Where().Text())
	}
	a := args[0]
	v := e.argValue(a)
	switch v := v.(type) {
	case poison:
		return v
	case number:
		if n, ok := e.convertNumber(v, elem); ok {
			return n
		}
	}
	from, ok := elemOf(v)
	if !ok {
		from = ir.Float64
		if l, isList := v.(list); isList && elem.IsInt() && wholeList(l) {
			from = elem
		}
	}
	n, ok := e.nodeOf(sc, a.node, v, from)
	if !ok {
		return poison{}
	}
	return tensor{e.g.Cast(n, elem)}
}

// convertNumber keeps a number a number where the conversion leaves its value.
func (e *elaborator) convertNumber(n number, elem ir.DType) (value, bool) {
	n = n.settled()
	if elem.IsFloat() && elem == e.elem && !n.logical {
		return n, true
	}
	if elem.IsInt() && n.node == nil && !n.logical {
		if n.whole {
			return n, true
		}
		if d, ok := foldFunction("floor", []number{n}); ok && n.val >= 0 {
			return d, true
		}
		if d, ok := foldFunction("ceil", []number{n}); ok {
			return d, true
		}
	}
	return nil, false
}

// wholeList reports whether a list holds integers only.
func wholeList(l list) bool {
	for _, v := range l {
		switch v := v.(type) {
		case number:
			if !v.whole {
				return false
			}
		case list:
			if !wholeList(v) {
				return false
			}
		default:
			return false
		}
	}
	return true
}
