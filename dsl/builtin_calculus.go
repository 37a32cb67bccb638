package dsl

import (
	"slices"

	"gradgen.dev/ir"
)

// calculusTable is the derivatives as expressions.
var calculusTable = []primitive{
	{"grad(y, x)", "The derivative of the scalar y by the named value x, in the shape of x.", func(e *elaborator, c *callSite) value { return derivative(e, c, "grad") }},
	{"jacobian(y, x)", "The derivatives of each element of y by each of x.", func(e *elaborator, c *callSite) value { return derivative(e, c, "jacobian") }},
	{"hessian(y, x)", "The second derivatives of the scalar y by x.", func(e *elaborator, c *callSite) value { return derivative(e, c, "hessian") }},
	{"jvp(y, x, v)", "The derivative of y where x moves along v.", func(e *elaborator, c *callSite) value { return derivative(e, c, "jvp") }},
	{"stop_gradient(x)", "x, constant to derivatives.", stopGradient},
}

// derivative is a derivative of y by the named value x, or by the parameters of
// an instance as one vector.
func derivative(e *elaborator, c *callSite, op string) value {
	y, ok := c.floating("y")
	if !ok {
		return poison{}
	}
	xs, vector, ok := c.targets()
	if !ok {
		return poison{}
	}
	if (op == "grad" || op == "hessian") && y.Type.Rank() > 0 {
		return c.failAt(c.place("y"), "grad-scalar", "%s is of a scalar, and %s is not one; %s(sum(…), …) is the derivative of a batch", op, shownIn(c.place("y"), y, "this"), op)
	}
	var v *ir.Node
	if op == "jvp" {
		if v, ok = c.direction(xs, vector); !ok {
			return poison{}
		}
	}
	if vector {
		return tensor{e.vectorDerivative(op, y, xs, v)}
	}
	args := []*ir.Node{y, xs[0]}
	if v != nil {
		args = append(args, v)
	}
	return c.make(op, ir.Attr{}, args...)
}

// direction is the argument v of jvp, in the shape of what moves.
func (c *callSite) direction(xs []*ir.Node, vector bool) (*ir.Node, bool) {
	e, shape := c.e, xs[0].Type.Shape
	if vector {
		shape = e.vector(xs).Type.Shape
	}
	v, ok := e.nodeOf(c.sc, c.place("v"), c.value("v"), e.vectorElem(xs))
	if !ok {
		c.bad = true
		return nil, false
	}
	if !sameShape(v.Type.Shape, shape, e.facts) {
		c.failAt(c.place("v"), "shapes", "the direction %s is not of the shape of %s", shownIn(c.place("v"), v, "this"), excerptOf(c.place("x"), "the value")+" "+shape.String())
		return nil, false
	}
	return v, true
}

// vectorDerivative is a derivative of y by xs, flattened and behind one another.
func (e *elaborator) vectorDerivative(op string, y *ir.Node, xs []*ir.Node, v *ir.Node) *ir.Node {
	if op == "hessian" {
		return e.vectorDerivative("jacobian", e.vectorDerivative("grad", y, xs, nil), xs, nil)
	}
	parts, at := make([]*ir.Node, len(xs)), ir.Dim{}
	for i, x := range xs {
		size := x.Type.Shape.Size()
		switch op {
		case "grad":
			parts[i] = e.g.Must(op, ir.Attr{}, y, x)
		case "jacobian":
			parts[i] = e.reshape(e.g.Must(op, ir.Attr{}, y, x), append(slices.Clone(y.Type.Shape), size))
		case "jvp":
			along := e.reshape(e.sliceAxis(v, 0, at, at.Add(size)), x.Type.Shape)
			parts[i] = e.g.Must(op, ir.Attr{}, y, x, e.g.Cast(along, x.Type.Elem))
			at = at.Add(size)
		}
	}
	switch {
	case op == "grad":
		return e.vector(parts)
	case len(parts) == 1:
		return parts[0]
	case op == "jvp":
		sum := parts[0]
		for _, p := range parts[1:] {
			sum = e.g.Map("add", sum, p)
		}
		return sum
	}
	return e.g.Must("concat", ir.Attr{Axis: y.Type.Rank()}, parts...)
}

// targets is what a derivative is taken by: the pin of a named value, a tensor
// of an instance, or the parameters of one as a vector.
func (c *callSite) targets() (xs []*ir.Node, vector, ok bool) {
	e := c.e
	if a := c.args["x"]; a.expr != nil && a.sc != nil {
		inst := e.instanceOf(a.sc, a.expr)
		if inst != nil && e.mapped == "" {
			xs, ok = e.parametersOf(a.sc, a.expr, inst)
			c.bad = c.bad || !ok
			return xs, true, ok && c.leaves(a.expr, xs)
		}
		if _, path := a.expr.(*Field); path || inst != nil {
			n, ok := c.floating("x")
			return []*ir.Node{n}, false, ok && c.leaves(a.expr, []*ir.Node{n})
		}
	}
	x, ok := c.target()
	return []*ir.Node{x}, false, ok
}

// leaves reports a tensor of an instance that has been written in this pass: it
// is no value of its own any more.
func (c *callSite) leaves(at Node, xs []*ir.Node) bool {
	for _, x := range xs {
		if x.Op.Class != ir.Leaf {
			c.failAt(at, "grad-name", "%s has been written before, and a derivative is by what it was: take it before the <-", excerptOf(at, "this"))
			return false
		}
	}
	return true
}

// target is the pin of the named value that a derivative is taken by.
func (c *callSite) target() (*ir.Node, bool) {
	at := c.place("x")
	name, ok := at.(*Name)
	if !ok {
		c.failAt(at, "grad-name", "%s is by a named value; bind %s to a name first", c.name, excerptOf(at, "this"))
		return nil, false
	}
	t, ok := c.value("x").(tensor)
	switch {
	case !ok:
		c.failAt(at, "grad-name", "%s is %s, and %s is by a tensor", name.Name, c.value("x").what(), c.name)
	case !t.node.Type.Elem.IsFloat():
		c.failAt(at, "element-type", "%s is of type %v, and a derivative is by floating values", name.Name, t.node.Type.Elem)
	case !t.node.Is("pin"):
		c.failAt(at, "grad-name", "%s is not a value that this body binds", name.Name)
	default:
		return t.node, true
	}
	return nil, false
}

// stopGradient is x, constant to derivatives.
func stopGradient(e *elaborator, c *callSite) value {
	if n, ok := c.value("x").(number); ok {
		return n
	}
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	return tensor{e.g.Must("stop_gradient", ir.Attr{}, n)}
}
