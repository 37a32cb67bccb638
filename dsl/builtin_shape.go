package dsl

import (
	"slices"

	"gradgen.dev/ir"
)

// shapeTable is what moves elements or gives them another shape.
var shapeTable = []primitive{
	{"reshape(x, shape)", "The elements in order in another shape, one extent of which may be -1.", reshape},
	{"permute(x, order = reversed)", "Axis order[i] as axis i; without an order, the axes reversed.", permute},
	{"transpose(x, order = reversed)", "Another name of permute.", permute},
	{"expand(x, shape)", "x broadcast to a shape.", expand},
	{"squeeze(x, axis:)", "x without axes of extent 1: those named, or all.", squeeze},
	{"flatten(x)", "x with all axes but the first made one.", flatten},
	{"concat(tensors…, axis: 0)", "The tensors behind one another along an axis.", concat},
	{"stack(tensors…, axis: 0)", "The tensors, all of one shape, along a new axis.", stack},
	{"unstack(x, axis: 0)", "The parts at each index along an axis, as several values.", unstack},
	{"split(x, n, axis: 0)", "n equal parts along an axis, or parts of the sizes in a list, as several values.", split},
	{"flip(x, axis:)", "x in reverse along the axes named, or along all.", flip},
	{"pad(x, widths, value: 0)", "x with widths [[before, after], …] of a value added along each axis.", pad},
	{"tile(x, times)", "x repeated as often as times says along each axis.", tile},
	{"one_hot(i, n)", "1 at the index i of a new last axis of extent n, else 0; of the default type.", oneHot},
	{"set(x, i, v, axis: 0)", "x with the slice at index i along an axis replaced by v.", set},
	{"gather(x, i, axis: 0)", "At each index of i, the element of x that lies as far along the axis as i says there.", gather},
	{"einsum(spec, operands…)", "The product of the operands, summed over the letters that the result lacks: einsum(\"ij,jk->ik\", a, b).", (*elaborator).einsum},
}

// reshape gives the elements another shape; one extent may be -1.
func reshape(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	l, ok := c.value("shape").(list)
	if !ok {
		return c.failAt(c.place("shape"), "argument", "shape of reshape is a list such as [2, 3], not %s", c.value("shape").what())
	}
	shape, ok := c.reshaped(n, l)
	if !ok {
		return poison{}
	}
	have, want := normalDim(e.facts, n.Type.Shape.Size()), normalDim(e.facts, shape.Size())
	if !have.Equal(want) {
		return c.fail("shapes", "cannot reshape %s to %v: it has %v elements, and %v would have %v", shownIn(c.place("x"), n, "this"), shape, have, shape, want)
	}
	return c.make("reshape", ir.Attr{Dims: shape}, n)
}

// make is a node whose operands may not fit for a reason not seen before.
func (c *callSite) make(op string, attr ir.Attr, args ...*ir.Node) value {
	if op == "reshape" && args[0].Type.Shape.Equal(attr.Dims) {
		return tensor{args[0]}
	}
	n, err := c.e.g.Make(ir.Ops[op], attr, args...)
	if err != nil {
		return c.fail("shapes", "%s does not fit: %v", c.name, err)
	}
	return tensor{n}
}

// reshaped is the shape that a list gives, its -1 solved.
func (c *callSite) reshaped(n *ir.Node, l list) (ir.Shape, bool) {
	at := -1
	flat := flattenList(l)
	for i, v := range flat {
		if d, ok := v.(number); ok && d.whole && d.dim.IsConst(-1) {
			if at >= 0 {
				c.failAt(c.place("shape"), "shape", "one extent of reshape may be -1, not two")
				return nil, false
			}
			at = i
			flat[i] = integer(1)
		}
	}
	shape, ok := c.dims(c.place("shape"), flat)
	if !ok || at < 0 {
		return shape, ok
	}
	total, rest := n.Type.Shape.Size(), shape.Size()
	if rest.IsConst(0) || !divides(rest, total, c.e.facts) {
		c.fail("shapes", "cannot reshape %s: %v elements do not come out even for -1 beside %v", shownIn(c.place("x"), n, "this"), total, rest)
		return nil, false
	}
	shape[at] = normalDim(c.e.facts, total.Div(rest))
	return shape, true
}

// flattenList is a list with the lists in it spliced in.
func flattenList(l list) list {
	var out list
	for _, v := range l {
		if inner, ok := v.(list); ok {
			out = append(out, flattenList(inner)...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// permute puts the axes in another order: the given one, or the reverse.
func permute(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	rank := n.Type.Rank()
	order := axesFrom(0, rank)
	if !c.has("order") {
		slices.Reverse(order)
		return tensor{e.g.Transpose(n, order)}
	}
	l, ok := c.value("order").(list)
	if !ok || len(l) != rank {
		return c.failAt(c.place("order"), "axis", "%s wants the %s of %s in an order, such as [1, 0]", c.name, count(rank, "axis"), shownIn(c.place("x"), n, "this"))
	}
	seen := make([]bool, rank)
	for i, v := range l {
		a, ok := e.constInt(c.sc, c.place("order"), v, "an axis of "+c.name)
		if !ok {
			return poison{}
		}
		if a < -rank || a >= rank || seen[(a+rank)%rank] {
			return c.failAt(c.place("order"), "axis", "%d is no further axis of %s, which has %s", a, shownIn(c.place("x"), n, "this"), count(rank, "axis"))
		}
		order[i] = (a + rank) % rank
		seen[order[i]] = true
	}
	return tensor{e.g.Transpose(n, order)}
}

// expand broadcasts to a shape.
func expand(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	shape, okShape := c.shape("shape")
	if !ok || !okShape {
		return poison{}
	}
	s, why, ok := broadcastShapes(n.Type.Shape, shape, e.facts)
	if ok && !sameShape(s, shape, e.facts) {
		why, ok = "it would become "+s.String(), false
	}
	if !ok {
		return c.fail("shapes", "cannot expand %s to %v: %s", shownIn(c.place("x"), n, "this"), shape, why)
	}
	return tensor{e.broadcast(n, shape)}
}

// squeeze takes out axes of extent 1.
func squeeze(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	axes, ok := c.axes(n)
	if !ok {
		return poison{}
	}
	if !c.has("axis") {
		axes = nil
		for i, d := range n.Type.Shape {
			if d.IsConst(1) {
				axes = append(axes, i)
			}
		}
	}
	for _, a := range axes {
		if d := n.Type.Shape[a]; !d.IsConst(1) {
			return c.fail("shapes", "cannot squeeze axis %d of %s: its extent is %v, not 1", a, shownIn(c.place("x"), n, "this"), d)
		}
	}
	return tensor{e.reshape(n, n.Type.Shape.Drop(axes))}
}

// flatten keeps axis 0 and makes one of the others.
func flatten(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	if n.Type.Rank() == 0 {
		return c.fail("rank", "flatten keeps axis 0, and %s has none", shownIn(c.place("x"), n, "this"))
	}
	return tensor{e.reshape(n, ir.Shape{n.Type.Shape[0], n.Type.Shape[1:].Size()})}
}
