package dsl

import "gradgen.dev/ir"

// reductionTable is the reductions. max and min of two arguments work element
// by element.
var reductionTable = []primitive{
	{"sum(x, axis:, keep: false)", "The sum.", reduceBy("sum")},
	{"prod(x, axis:, keep: false)", "The product.", reduceBy("prod")},
	{"max(x, y = none, axis:, keep: false)", "The largest element, NaN where one is; of two values, the larger at each place.", extremeBy("max")},
	{"min(x, y = none, axis:, keep: false)", "The smallest element, NaN where one is; of two values, the smaller at each place.", extremeBy("min")},
	{"logsumexp(x, axis:, keep: false)", "log(sum(exp(x))), without overflow.", reduceBy("logsumexp")},
	{"any(x, axis:, keep: false)", "Whether one of the bools holds.", reduceBy("any")},
	{"all(x, axis:, keep: false)", "Whether all bools hold.", reduceBy("all")},
	{"argmax(x, axis:, keep: false)", "The index of the first largest element, along one axis or over all in order.", argBy("argmax")},
	{"argmin(x, axis:, keep: false)", "The index of the first smallest element, along one axis or over all in order.", argBy("argmin")},
}

// reduceBy is a reduction by an op of the table.
func reduceBy(op string) func(e *elaborator, c *callSite) value {
	return func(e *elaborator, c *callSite) value {
		n, ok := c.node("x")
		if !ok || !c.reducible(op, n) {
			return poison{}
		}
		axes, ok := c.axes(n)
		if !ok {
			return poison{}
		}
		return c.reduced(n, e.g.Reduce(op, n, axes), axes)
	}
}

// reducible checks the element type of what is reduced.
func (c *callSite) reducible(op string, n *ir.Node) bool {
	elem, isBool := n.Type.Elem, n.Type.Elem == ir.Bool
	switch {
	case op == "any" || op == "all":
		if !isBool {
			c.failAt(c.place("x"), "element-type", "%s wants bools, and %s is %v", c.name, shownIn(c.place("x"), n, "this"), elem)
		}
	case isBool:
		c.failAt(c.place("x"), "element-type", "%s wants numbers, and %s is bool; float(x) and int32(x) convert", c.name, shownIn(c.place("x"), n, "this"))
	case op == "logsumexp" && !elem.IsFloat():
		c.failAt(c.place("x"), "element-type", "%s wants floating numbers, and %s is %v; float(x) converts", c.name, shownIn(c.place("x"), n, "this"), elem)
	}
	return !c.bad
}

// reduced is the result of a reduction, with its axes back where keep says so.
func (c *callSite) reduced(n, out *ir.Node, axes []int) value {
	if c.flag("keep", false) {
		out = c.e.keepDims(out, n, axes)
	}
	return tensor{out}
}

// extremeBy is max or min: of a tensor, or of two values.
func extremeBy(op string) func(e *elaborator, c *callSite) value {
	return func(e *elaborator, c *callSite) value {
		if !c.has("y") {
			return reduceBy("reduce_"+op)(e, c)
		}
		if c.has("axis") || c.has("keep") {
			return c.fail("arguments", "%s of two arguments works element by element and has no axis", op)
		}
		return elementwise(e, c, op, "x", "y")
	}
}

// argBy is argmax or argmin: along one axis, or over everything in order.
func argBy(op string) func(e *elaborator, c *callSite) value {
	return func(e *elaborator, c *callSite) value {
		n, ok := c.node("x")
		if !ok || !c.reducible(op, n) {
			return poison{}
		}
		axes, ok := c.axes(n)
		if !ok {
			return poison{}
		}
		flat := n
		switch {
		case len(axes) == 1:
		case len(axes) == n.Type.Rank():
			flat = e.reshape(n, ir.Shape{n.Type.Shape.Size()})
		default:
			return c.failAt(c.place("axis"), "axis", "%s is along one axis or over everything, not along %d", op, len(axes))
		}
		along := axes
		if flat != n || n.Type.Rank() != 1 && len(axes) != 1 {
			along = []int{0}
		}
		return c.reduced(n, e.g.Must(op, ir.Attr{Axes: along}, flat), axes)
	}
}
