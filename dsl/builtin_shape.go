package dsl

import (
	"slices"

	"gradgen.dev/ir"
)

// shapeTable is what moves elements or gives them another shape.
var shapeTable = map[string]func(e *elaborator, c *callSite) value{
	"reshape(x, shape)":              reshape,
	"permute(x, order = reversed)":   permute,
	"transpose(x, order = reversed)": permute,
	"expand(x, shape)":               expand,
	"squeeze(x, axis:)":              squeeze,
	"flatten(x)":                     flatten,
	"concat(tensors…, axis: 0)":      concat,
	"stack(tensors…, axis: 0)":       stack,
	"unstack(x, axis: 0)":            unstack,
	"split(x, n, axis: 0)":           split,
	"flip(x, axis:)":                 flip,
	"pad(x, widths, value: 0)":       pad,
	"tile(x, times)":                 tile,
	"one_hot(i, n)":                  oneHot,
	"set(x, i, v, axis: 0)":          set,
	"pick(x, i, checked: false)":     pick,
	"bounded(i, n, except: none)":    boundedBy,
	"unreduce(y, x, axis:)":          unreduce,
	"einsum(spec, operands…)":        (*elaborator).einsum,
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
	return c.nodes(args)
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
	if e.iterations += k; e.iterations > maxIterations {
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
	if e.iterations += len(sizes); e.iterations > maxIterations {
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
	elem := ir.Int32
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
	return tensor{e.g.OneHot(e.bounded(ids, n, -1), n, e.elem)}
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
	at, ok := c.value("i").(number)
	extent := n.Type.Shape[axis]
	d, okDim := e.fromExtent(at, extent)
	if !ok || !okDim {
		return c.failAt(c.place("i"), "index", "%s is no integer known at compile time, which the index of set must be", excerptOf(c.place("i"), "this"))
	}
	if outside(d, extent, 1) {
		return c.failAt(c.place("i"), "index", "index %v is outside axis %d of %s", d, axis, shownIn(c.place("x"), n, "this"))
	}
	v, ok := e.nodeOf(c.sc, c.place("v"), c.value("v"), n.Type.Elem)
	if !ok {
		return poison{}
	}
	slot := n.Type.Shape.Drop([]int{axis})
	if s, _, ok := broadcastShapes(v.Type.Shape, slot, e.facts); !ok || !sameShape(s, slot, e.facts) {
		return c.failAt(c.place("v"), "shapes", "a slice of %s is %v, and the new one is %v", shownIn(c.place("x"), n, "this"), slot, v.Type.Shape)
	}
	hit := e.g.Map("eq", e.g.Iota(n.Type.Shape, axis, ir.Int32), e.broadcast(e.g.Size(d, ir.Int32), n.Type.Shape))
	return tensor{e.g.Map("where", hit, e.spread(e.broadcast(v, slot), n.Type.Shape, []int{axis}), n)}
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
		ids = e.bounded(ids, n.Type.Shape[rank-1], -1)
	}
	return c.make("pick", ir.Attr{}, n, ids)
}

// bounded marks indices that must be from 0 to n, or the exception.
func boundedBy(e *elaborator, c *callSite) value {
	ids, ok := c.node("i")
	n, okDim := c.dim("n")
	except, okExcept := c.integer("except", -1)
	if !ok || !okDim || !okExcept {
		return poison{}
	}
	if !ids.Type.Elem.IsInt() {
		return c.failAt(c.place("i"), "element-type", "an index is an integer, and %s is %v", excerptOf(c.place("i"), "this"), ids.Type.Elem)
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
