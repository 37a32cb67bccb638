package dsl

import (
	"slices"

	"gradgen.dev/ir"
)

// makingTable is what makes tensors out of numbers.
var makingTable = []primitive{
	{"full(shape, v)", "v everywhere.", full},
	{"iota(n)", "0, 1, …, n-1, of type int32.", iota_},
}

// full is a number everywhere.
func full(e *elaborator, c *callSite) value {
	shape, ok := c.shape("shape")
	if !ok {
		return poison{}
	}
	n, ok := c.node("v")
	if !ok {
		return poison{}
	}
	if n.Type.Rank() > 0 {
		return c.failAt(c.place("v"), "shapes", "full repeats a scalar, and %s is not one", shownIn(c.place("v"), n, "this"))
	}
	return tensor{e.broadcast(n, shape)}
}

// iota_ is 0, 1, …, n-1.
func iota_(e *elaborator, c *callSite) value {
	n, ok := c.dim("n")
	if !ok {
		return poison{}
	}
	return tensor{e.g.Iota(ir.Shape{n}, 0, ir.Int32)}
}

// randomTable is the random draws. Their sites follow from the text.
var randomTable = []primitive{
	{"uniform(shape, lo = 0, hi = 1)", "Independent draws from [lo, hi).", uniform},
	{"normal(shape, mean = 0, std = 1)", "Independent normal draws.", normal},
}

// draw is independent numbers of a distribution.
func (c *callSite) draw(op string) (*ir.Node, bool) {
	shape, ok := c.shape("shape")
	if !ok {
		return nil, false
	}
	if c.e.model == nil && !c.e.inInit {
		c.fail("random", "%s draws random numbers, and an exported fn has no seed: a model has one", c.name)
		return nil, false
	}
	if c.sc.drew != nil {
		*c.sc.drew = true
	}
	site := c.e.siteOf(c.sc, c.at)
	return c.e.g.Must(op, ir.Attr{Name: site, Dims: shape, Elem: c.e.elem}), true
}

// uniform is lo + (hi - lo)·u.
func uniform(e *elaborator, c *callSite) value {
	lo, okLo := c.number("lo", 0)
	hi, okHi := c.number("hi", 1)
	if !okLo || !okHi {
		return poison{}
	}
	u, ok := c.draw("uniform")
	if !ok {
		return poison{}
	}
	width := arithmetic(e.g, "-", hi, lo, nil)
	return tensor{e.affine(u, width, lo)}
}

// normal is mean + std·z.
func normal(e *elaborator, c *callSite) value {
	mean, okMean := c.number("mean", 0)
	std, okStd := c.number("std", 1)
	if !okMean || !okStd {
		return poison{}
	}
	z, ok := c.draw("normal")
	if !ok {
		return poison{}
	}
	return tensor{e.affine(z, std, mean)}
}

// affine is scale·x + shift, without what is 1 or 0.
func (e *elaborator) affine(x *ir.Node, scale, shift number) *ir.Node {
	if v, ok := scale.known(); !ok || v != 1 || scale.node != nil {
		x = e.g.Map("mul", x, e.broadcast(scale.as(e.g, x.Type.Elem), x.Type.Shape))
	}
	if v, ok := shift.known(); !ok || v != 0 || shift.node != nil {
		x = e.g.Map("add", x, e.broadcast(shift.as(e.g, x.Type.Elem), x.Type.Shape))
	}
	return x
}

// staticTable is the functions that are known at compile time.
var staticTable = []primitive{
	{"isint(x)", "Whether x holds integers.", isInt},
	{"rank(x)", "The number of axes, or of extents in a shape.", rankOf},
	{"extent(x, k)", "The extent of axis k, or the product of those of several.", extentOf},
}

// libraryTable is what the text of the library needs beside.
var libraryTable = []primitive{
	{"axes(x)", "All axes of x, as a list.", axesOf},
	{"given(x)", "Whether the caller passed the parameter x of this fn, layer or optimizer.", isGiven},
	{"known(x)", "Whether the number x is known at compile time.", isKnown},
	{"pick(x, i, checked: false)", "Of each row along the last axis, the element at the index that i has for the row.", pick},
	{"bounded(i, n, except: none)", "i, every element of which must be from 0 to n-1, or equal except; a call that passes another fails.", boundedBy},
	{"unreduce(y, x, axis:)", "y, a reduction of x along axes, repeated to the shape of x.", unreduce},
}

// isInt reports whether x holds integers.
func isInt(e *elaborator, c *callSite) value {
	switch v := c.value("x").(type) {
	case tensor:
		return truth(v.node.Type.Elem.IsInt())
	case number:
		return truth(v.integral())
	case list:
		return truth(wholeList(v))
	}
	return truth(false)
}

// rankOf is the number of axes of a tensor, or the length of a shape.
func rankOf(e *elaborator, c *callSite) value {
	switch v := c.value("x").(type) {
	case list:
		if shape, ok := tableShape(v); ok {
			return integer(len(shape))
		}
		return integer(len(v))
	case tensor:
		return integer(v.node.Type.Rank())
	case number, truth:
		return integer(0)
	}
	return c.failAt(c.place("x"), "argument", "rank is of a tensor, not of %s", c.value("x").what())
}

// tableShape is the shape of a list that is a tensor and no shape: one of rows,
// or with tensors in it, all of one shape.
func tableShape(l list) (ir.Shape, bool) {
	if !hasTensor(l) && (len(l) == 0 || slices.ContainsFunc(l, isNoList)) {
		return nil, false
	}
	return literalShape(l)
}

func isNoList(v value) bool {
	_, ok := v.(list)
	return !ok
}

// literalShape is the shape of a value as a tensor; ok is false where the
// elements of a list have different ones.
func literalShape(v value) (shape ir.Shape, ok bool) {
	switch v := v.(type) {
	case number, truth:
		return ir.Shape{}, true
	case tensor:
		return v.node.Type.Shape, true
	case list:
		for i, x := range v {
			s, ok := literalShape(x)
			if !ok || i > 0 && !s.Equal(shape) {
				return nil, false
			}
			shape = s
		}
		return append(ir.ShapeOf(len(v)), shape...), true
	}
	return nil, false
}

// extentOf is the extent of an axis, or the product of those of several.
func extentOf(e *elaborator, c *callSite) value {
	shape := ir.Shape{}
	switch v := c.value("x").(type) {
	case tensor:
		shape = v.node.Type.Shape
	case list:
		s, ok := tableShape(v)
		if !ok {
			s, ok = shapeOfList(v)
		}
		if !ok {
			return c.failAt(c.place("x"), "argument", "extent is of a tensor or of a shape")
		}
		shape = s
	case number, truth:
	default:
		return c.failAt(c.place("x"), "argument", "extent is of a tensor, not of %s", v.what())
	}
	if l, ok := c.value("k").(list); ok {
		product := ir.D(1)
		for _, k := range l {
			a, ok := e.constInt(c.sc, c.place("k"), k, "an axis")
			if !ok {
				return poison{}
			}
			if a < -len(shape) || a >= len(shape) {
				return c.failAt(c.place("k"), "axis", "axis %d, where there %s", a, areAxes(len(shape)))
			}
			product = product.Mul(shape[(a+len(shape))%len(shape)])
		}
		return whole(product)
	}
	a, ok := c.axis("k", 0, len(shape))
	if !ok {
		return poison{}
	}
	return whole(shape[a])
}

// axesOf is the list of all axes.
func axesOf(e *elaborator, c *callSite) value {
	r, ok := rankOf(e, c).(number)
	if !ok {
		return poison{}
	}
	n, _ := r.dim.Const()
	out := make(list, n)
	for i := range out {
		out[i] = integer(i)
	}
	return out
}

// isGiven reports whether the caller passed a parameter.
func isGiven(e *elaborator, c *callSite) value {
	name, ok := c.args["x"].node.(*Name)
	if ok {
		if given, isParam := c.sc.given[name.Name]; isParam {
			return truth(given)
		}
	}
	return c.failAt(c.place("x"), "argument", "given is of a parameter of this body")
}

// isKnown reports whether a number is known at compile time.
func isKnown(e *elaborator, c *callSite) value {
	switch v := c.value("x").(type) {
	case number:
		return truth(v.node == nil)
	case tensor:
		return truth(false)
	}
	return truth(true)
}
