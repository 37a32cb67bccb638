package dsl

import (
	"slices"

	"gradgen.dev/ir"
)

// concat puts tensors behind one another along an axis.
func concat(e *elaborator, c *callSite) value {
	parts, ok := c.operands()
	if !ok {
		return poison{}
	}
	axis, ok := c.axis("axis", 0, parts[0].Type.Rank())
	if !ok {
		return poison{}
	}
	for i, p := range parts[1:] {
		first := parts[0].Type.Shape
		if p.Type.Rank() != len(first) || !sameShape(p.Type.Shape.Drop([]int{axis}), first.Drop([]int{axis}), e.facts) {
			return c.failAt(c.more[min(i+1, len(c.more)-1)].node, "shapes", "cannot concat %v and %v along axis %d: the other extents differ", first, p.Type.Shape, axis)
		}
	}
	if len(parts) == 1 {
		return tensor{parts[0]}
	}
	return c.make("concat", ir.Attr{Axis: axis}, parts...)
}

// operands is the tensors of a variadic call, or of the one list it is given.
func (c *callSite) operands() ([]*ir.Node, bool) {
	args := c.more
	if len(args) == 1 {
		var parts []value
		switch v := c.e.argValue(args[0]).(type) {
		case tuple:
			parts = v
		case list:
			if hasTensor(v) {
				parts = v
			}
		}
		if parts != nil {
			node := args[0].node
			args = nil
			for _, v := range parts {
				args = append(args, &argument{node: node, val: v, sc: c.sc})
			}
		}
	}
	if len(args) == 0 {
		c.fail("arguments", "%s lacks its tensors", c.name)
		return nil, false
	}
	if last := args[len(args)-1]; c.isAxis(last) {
		c.failAt(last.node, "arguments", "the axis of %s is always named: axis: %s", c.name, excerptOf(last.node, "…"))
		return nil, false
	}
	return c.nodes(args)
}

// isAxis reports whether an argument can only be an axis without its name: an
// integer behind what is no scalar.
func (c *callSite) isAxis(a *argument) bool {
	n, ok := a.val.(number)
	if !ok || !n.whole || len(c.more) < 2 {
		return false
	}
	switch v := c.e.argValue(c.more[0]).(type) {
	case tensor:
		return v.node.Type.Rank() > 0
	case list, tuple:
		return true
	}
	return false
}

// stack puts tensors of one shape along a new axis; scalars may be numbers.
func stack(e *elaborator, c *callSite) value {
	parts, ok := c.operands()
	if !ok {
		return poison{}
	}
	axis, ok := c.axis("axis", 0, parts[0].Type.Rank()+1)
	if !ok {
		return poison{}
	}
	for i, p := range parts[1:] {
		if !sameShape(p.Type.Shape, parts[0].Type.Shape, e.facts) {
			return c.failAt(c.more[min(i+1, len(c.more)-1)].node, "shapes", "cannot stack %v and %v: the shapes differ", parts[0].Type.Shape, p.Type.Shape)
		}
	}
	return tensor{e.stack(parts, axis)}
}

// unstack is the parts along an axis, which vanishes.
func unstack(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	axis, ok := c.axis("axis", 0, n.Type.Rank())
	if !ok {
		return poison{}
	}
	k, isConst := n.Type.Shape[axis].Const()
	if !isConst {
		return c.fail("not-static", "cannot unstack axis %d of %s: how many parts there are is known at run time only", axis, shownIn(c.place("x"), n, "this"))
	}
	if e.spent.iterations += k; e.spent.iterations > maxIterations {
		return e.stop(c.sc, c.at, "this unstack and the loops before it have more than the limit of %d parts in all", maxIterations)
	}
	out := make(tuple, k)
	for i := range out {
		part := e.sliceAxis(n, axis, ir.D(i), ir.D(i+1))
		out[i] = tensor{e.reshape(part, n.Type.Shape.Drop([]int{axis}))}
	}
	return out
}

// sliceAxis is n from lo to hi along one axis.
func (e *elaborator) sliceAxis(n *ir.Node, axis int, lo, hi ir.Dim) *ir.Node {
	starts, limits, steps := make([]ir.Dim, n.Type.Rank()), slices.Clone([]ir.Dim(n.Type.Shape)), make([]int, n.Type.Rank())
	for i := range steps {
		steps[i] = 1
	}
	starts[axis], limits[axis] = lo, hi
	return e.g.Slice(n, starts, limits, steps)
}

// split is n equal parts along an axis, or parts of the sizes of a list.
func split(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	axis, ok := c.axis("axis", 0, n.Type.Rank())
	if !ok {
		return poison{}
	}
	sizes, ok := c.splitSizes(n, n.Type.Shape[axis])
	if !ok {
		return poison{}
	}
	if e.spent.iterations += len(sizes); e.spent.iterations > maxIterations {
		return e.stop(c.sc, c.at, "this split and the loops before it have more than the limit of %d parts in all", maxIterations)
	}
	out, at := make(tuple, len(sizes)), ir.Dim{}
	for i, size := range sizes {
		out[i] = tensor{e.sliceAxis(n, axis, at, at.Add(size))}
		at = normalDim(e.facts, at.Add(size))
	}
	return out
}

// splitSizes is the extents of the parts.
func (c *callSite) splitSizes(n *ir.Node, extent ir.Dim) ([]ir.Dim, bool) {
	if l, ok := c.value("n").(list); ok {
		sizes, ok := c.dims(c.place("n"), l)
		if !ok {
			return nil, false
		}
		sum := ir.Dim{}
		for _, s := range sizes {
			sum = sum.Add(s)
		}
		if !agree(sum, extent, c.e.facts) {
			c.failAt(c.place("n"), "shapes", "the parts have %v elements in all, and the axis of %s has %v", sum, shownIn(c.place("x"), n, "this"), extent)
			return nil, false
		}
		return sizes, true
	}
	k, ok := c.integer("n", 1)
	if !ok {
		return nil, false
	}
	if k < 1 || k > maxIterations || !divides(ir.D(k), extent, c.e.facts) {
		c.failAt(c.place("n"), "shapes", "an axis of %v does not split into %d equal parts", extent, k)
		return nil, false
	}
	sizes := make([]ir.Dim, k)
	for i := range sizes {
		sizes[i] = normalDim(c.e.facts, extent.Div(ir.D(k)))
	}
	return sizes, true
}
