package dsl

import (
	"math"
	"slices"

	"gradgen.dev/ir"
)

// flip reverses axes.
func flip(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	axes, ok := c.axes(n)
	if !ok || len(axes) == 0 {
		return tensor{n}
	}
	return tensor{e.g.Must("flip", ir.Attr{Axes: axes}, n)}
}

// pad puts a value before and after x along each axis.
func pad(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	rank := n.Type.Rank()
	widths, isList := c.value("widths").(list)
	if !isList || len(widths) != rank {
		return c.failAt(c.place("widths"), "shape", "pad wants [before, after] for each of the %s of %s", count(rank, "axis"), shownIn(c.place("x"), n, "this"))
	}
	shape, starts, steps := make([]ir.Dim, rank), make([]ir.Dim, rank), make([]int, rank)
	for i, w := range widths {
		pair, isList := w.(list)
		if !isList || len(pair) != 2 {
			return c.failAt(c.place("widths"), "shape", "pad wants [before, after] for each axis")
		}
		d, ok := c.dims(c.place("widths"), pair)
		if !ok {
			return poison{}
		}
		starts[i], steps[i] = d[0], 1
		shape[i] = normalDim(e.facts, n.Type.Shape[i].Add(d[0]).Add(d[1]))
	}
	placed := e.g.Must("place", ir.Attr{Dims: shape, Limits: starts, Steps: steps}, n)
	if !c.has("value") {
		return tensor{placed}
	}
	if v, ok := c.value("value").(number); ok && v.node == nil && v.fixed && v.val == 0 || v.whole && v.dim.IsConst(0) {
		return tensor{placed}
	}
	fill, ok := e.nodeOf(c.sc, c.place("value"), c.value("value"), n.Type.Elem)
	if !ok {
		return poison{}
	}
	inside := e.g.Must("place", ir.Attr{Dims: shape, Limits: starts, Steps: steps}, e.g.Fill(1, n.Type.Of(ir.Bool)))
	return tensor{e.g.Map("where", inside, placed, e.broadcast(fill, shape))}
}

// tile repeats x along each axis.
func tile(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	times, okTimes := c.shape("times")
	if !ok || !okTimes {
		return poison{}
	}
	rank := n.Type.Rank()
	if len(times) != rank {
		return c.failAt(c.place("times"), "shape", "tile wants a number for each of the %s of %s", count(rank, "axis"), shownIn(c.place("x"), n, "this"))
	}
	wide, axes, shape := ir.Shape{}, []int{}, make(ir.Shape, rank)
	for i, t := range times {
		if !t.IsConst(1) {
			axes = append(axes, len(wide))
			wide = append(wide, t)
		}
		wide = append(wide, n.Type.Shape[i])
		shape[i] = normalDim(e.facts, t.Mul(n.Type.Shape[i]))
	}
	return tensor{e.reshape(e.spread(n, wide, axes), shape)}
}

// oneHot is 1 where the last, new axis equals the index.
func oneHot(e *elaborator, c *callSite) value {
	v := c.value("i")
	elem := besideInts(v, ir.Int32)
	if t, ok := elemOf(v); ok {
		elem = t
	}
	if !elem.IsInt() {
		return c.failAt(c.place("i"), "element-type", "one_hot wants integers, and %s is %v", excerptOf(c.place("i"), "this"), elem)
	}
	ids, ok := e.nodeOf(c.sc, c.place("i"), v, elem)
	n, okDim := c.dim("n")
	if !ok || !okDim {
		return poison{}
	}
	return tensor{e.g.OneHot(e.bounded(ids, n, noException), n, e.elem)}
}

// set is x with the slice at an index along an axis replaced.
func set(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	if !ok {
		return poison{}
	}
	axis, ok := c.axis("axis", 0, n.Type.Rank())
	if !ok {
		return poison{}
	}
	at, ok := c.position(n, axis)
	if !ok {
		return poison{}
	}
	v, ok := e.nodeOf(c.sc, c.place("v"), c.value("v"), n.Type.Elem)
	if !ok {
		return poison{}
	}
	slot := n.Type.Shape.Drop([]int{axis})
	if s, _, ok := broadcastShapes(v.Type.Shape, slot, e.facts); !ok || !sameShape(s, slot, e.facts) {
		return c.failAt(c.place("v"), "shapes", "a slice of %s is %v, and the new one is %v", shownIn(c.place("x"), n, "this"), slot, v.Type.Shape)
	}
	hit := e.g.Map("eq", e.g.Iota(n.Type.Shape, axis, at.Type.Elem), e.broadcast(at, n.Type.Shape))
	return tensor{e.g.Map("where", hit, e.spread(e.broadcast(v, slot), n.Type.Shape, []int{axis}), n)}
}

// position is the argument i as one index along an axis of n: an integer known
// at compile time, or an integer scalar.
func (c *callSite) position(n *ir.Node, axis int) (*ir.Node, bool) {
	e, extent := c.e, n.Type.Shape[axis]
	if t, ok := c.value("i").(tensor); ok && t.node.Type.Elem.IsInt() && t.node.Type.Rank() == 0 {
		return e.bounded(t.node, extent, noException), true
	}
	at, isNumber := c.value("i").(number)
	if at.runs() {
		return e.bounded(at.count, extent, noException), true
	}
	d, ok := e.fromExtent(at, extent)
	switch {
	case !isNumber || !ok:
		c.failAt(c.place("i"), "index", "%s", wantsInteger("the index of set", c.place("i"), c.value("i")))
	case outside(d, extent, 1):
		c.failAt(c.place("i"), "index", "index %v is outside axis %d of %s", d, axis, shownIn(c.place("x"), n, "this"))
	}
	return e.g.Varying(d, ir.Int32), !c.bad
}

// gather is, at each index of i, the element of x that lies as far along the
// axis as i says.
func gather(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	ids, okIDs := c.node("i")
	if !ok || !okIDs {
		return poison{}
	}
	axis, ok := c.axis("axis", 0, n.Type.Rank())
	if !ok {
		return poison{}
	}
	others, along := []int{axis}, n.Type.Shape
	if !ids.Type.Elem.IsInt() || ids.Type.Rank() != len(along) || !sameShape(ids.Type.Shape.Drop(others), along.Drop(others), e.facts) {
		return c.failAt(c.place("i"), "shapes", "gather along axis %d of %s wants integers in its shape but for that axis, and %s is %v",
			axis, shownIn(c.place("x"), n, "this"), excerptOf(c.place("i"), "this"), ids.Type)
	}
	end, id, ok := e.reach(ids, along[axis])
	if !ok {
		return c.failAt(c.place("i"), "index", "index %v is outside axis %d of %s", id, axis, shownIn(c.place("x"), n, "this"))
	}
	ids = e.bounded(ids, along[axis], noException)
	n = e.sliceAxis(n, axis, ir.D(0), end)
	along = n.Type.Shape

	// The axis goes last; each index then picks from a row of its own.
	order := append(keptAxes(len(along), others), axis)
	rows, ids := e.g.Transpose(n, order), e.g.Transpose(ids, order)
	last := len(along) - 1
	wide := append(slices.Clone(ids.Type.Shape), along[axis])
	rows = e.spread(rows, wide, []int{last})
	back := make([]int, len(order))
	for i, a := range order {
		back[a] = i
	}
	return tensor{e.g.Transpose(e.g.Must("pick", ir.Attr{}, rows, ids), back)}
}

// pick is the element of each row at an index, along the last axis.
func pick(e *elaborator, c *callSite) value {
	n, ok := c.node("x")
	ids, okIDs := c.node("i")
	if !ok || !okIDs {
		return poison{}
	}
	rank := n.Type.Rank()
	if rank == 0 || !ids.Type.Elem.IsInt() || !sameShape(ids.Type.Shape, n.Type.Shape[:rank-1], e.facts) {
		return c.failAt(c.place("i"), "shapes", "pick wants an integer for each row of %s, and %s is %v", shownIn(c.place("x"), n, "this"), excerptOf(c.place("i"), "this"), ids.Type)
	}
	if !c.flag("checked", false) {
		ids = e.bounded(ids, n.Type.Shape[rank-1], noException)
	}
	return c.make("pick", ir.Attr{}, n, ids)
}

// bounded marks indices that must be from 0 to n, or the exception.
func boundedBy(e *elaborator, c *callSite) value {
	ids, ok := c.node("i")
	n, okDim := c.dim("n")
	except, okExcept := c.integer("except", math.MinInt64)
	if !ok || !okDim || !okExcept {
		return poison{}
	}
	if !ids.Type.Elem.IsInt() {
		return c.failAt(c.place("i"), "element-type", "an index is an integer, and %s is %v", excerptOf(c.place("i"), "this"), ids.Type.Elem)
	}
	if except == math.MinInt64 {
		return tensor{e.bounded(ids, n, noException)}
	}
	return tensor{e.bounded(ids, n, float64(except))}
}

// unreduce repeats a reduction of x along axes, kept or not, to the shape of x.
func unreduce(e *elaborator, c *callSite) value {
	y, ok := c.node("y")
	x, okX := c.node("x")
	if !ok || !okX {
		return poison{}
	}
	axes, ok := c.axes(x)
	if !ok {
		return poison{}
	}
	short := x.Type.Shape.Drop(axes)
	if !y.Type.Shape.Size().Equal(short.Size()) {
		return c.fail("shapes", "%v is no reduction of %v", y.Type.Shape, x.Type.Shape)
	}
	return tensor{e.spread(e.reshape(y, short), x.Type.Shape, axes)}
}
