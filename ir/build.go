package ir

// This file has the constructors that passes and the elaborator share. They
// panic where operands do not fit: a user's mistake is found before.

// Const is the scalar v of type t.
func (g *Graph) Const(v float64, t DType) *Node {
	return g.Must("const", Attr{Value: v, Elem: t})
}

// Fill is v everywhere in a tensor of type t.
func (g *Graph) Fill(v float64, t Type) *Node {
	return g.Broadcast(g.Const(v, t.Elem), t.Shape)
}

// Broadcast spreads the scalar s over shape.
func (g *Graph) Broadcast(s *Node, shape Shape) *Node {
	if len(shape) == 0 {
		return s
	}
	return g.Spread(s, shape, sequence(0, len(shape)))
}

// Spread repeats x along new axes: shape is the result's, axes are the new
// ones in it, and x has the other axes in order.
func (g *Graph) Spread(x *Node, shape Shape, axes []int) *Node {
	if len(axes) == 0 {
		return x
	}
	return g.Must("spread", Attr{Dims: shape, Axes: axes}, x)
}

// Sum adds up over axes, which vanish.
func (g *Graph) Sum(x *Node, axes []int) *Node { return g.Reduce("sum", x, axes) }

// Reduce is the reduction op over axes, which vanish.
func (g *Graph) Reduce(op string, x *Node, axes []int) *Node {
	if len(axes) == 0 && op != "logsumexp" {
		return x
	}
	return g.Must(op, Attr{Axes: axes}, x)
}

// Reshape reads the elements of x in order as shape.
func (g *Graph) Reshape(x *Node, shape Shape) *Node {
	if x.Type.Shape.Equal(shape) {
		return x
	}
	return g.Must("reshape", Attr{Dims: shape}, x)
}

// Transpose makes axis order[i] of x axis i of the result.
func (g *Graph) Transpose(x *Node, order []int) *Node {
	for i, a := range order {
		if i != a {
			return g.Must("transpose", Attr{Axes: order}, x)
		}
	}
	return x
}

// Cast converts the elements of x.
func (g *Graph) Cast(x *Node, t DType) *Node {
	if x.Type.Elem == t {
		return x
	}
	return g.Must("cast", Attr{Elem: t}, x)
}

// Size is the extent d as a scalar of type t.
func (g *Graph) Size(d Dim, t DType) *Node {
	if n, ok := d.Const(); ok {
		return g.Const(float64(n), t)
	}
	return g.Must("size", Attr{Dims: []Dim{d}, Elem: t})
}

// Varying is the extent d as a scalar of type t. Where it is a constant in place
// of a run-time dimension it is no number yet, see [Dim.Varies].
func (g *Graph) Varying(d Dim, t DType) *Node {
	if d.Varies() {
		return g.Must("size", Attr{Dims: []Dim{d}, Elem: t})
	}
	return g.Size(d, t)
}

// Iota is the index along axis of a tensor of the given shape.
func (g *Graph) Iota(shape Shape, axis int, t DType) *Node {
	return g.Must("iota", Attr{Dims: shape, Axis: axis, Elem: t})
}

// OneHot is 1 of type t where the new last axis of extent n equals index, all
// of which is from 0 to n-1.
func (g *Graph) OneHot(index *Node, n Dim, t DType) *Node { return g.hot(index, n, t, true) }

// Hits is OneHot of any index: 0 where it is not from 0 to n-1.
func (g *Graph) Hits(index *Node, n Dim, t DType) *Node { return g.hot(index, n, t, false) }

func (g *Graph) hot(index *Node, n Dim, t DType, within bool) *Node {
	shape := append(append(Shape{}, index.Type.Shape...), n)
	last := len(shape) - 1
	hit := g.Must("eq", Attr{Within: within}, g.Spread(index, shape, []int{last}), g.Iota(shape, last, index.Type.Elem))
	return g.Cast(hit, t)
}

// Slice is x from starts to limits (left out) by steps, axis by axis.
func (g *Graph) Slice(x *Node, starts, limits []Dim, steps []int) *Node {
	whole := true
	for i, d := range x.Type.Shape {
		whole = whole && starts[i].IsConst(0) && limits[i].Equal(d) && steps[i] == 1
	}
	if whole {
		return x
	}
	return g.Must("slice", Attr{Dims: starts, Limits: limits, Steps: steps}, x)
}

// Einsum multiplies a and b and sums over the letters that the result lacks.
func (g *Graph) Einsum(spec string, a, b *Node) *Node {
	return g.Must("einsum", Attr{Spec: spec}, a, b)
}

// Pin marks a binding that derivatives are taken by. Pins of different names
// are different values even where their operands are equal.
func (g *Graph) Pin(x *Node, name string) *Node { return g.Must("pin", Attr{Name: name}, x) }

// Leaf is an input, param, state, hyper, step, steps or other named leaf.
func (g *Graph) Leaf(op, name string, t Type) *Node {
	return g.Must(op, Attr{Name: name, Dims: t.Shape, Elem: t.Elem})
}

// Map is an elementwise op on operands of one shape.
func (g *Graph) Map(op string, args ...*Node) *Node { return g.Must(op, Attr{}, args...) }

// Add is a + b; an absent (nil) operand is zero.
func (g *Graph) Add(a, b *Node) *Node {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return g.Map("add", a, b)
}

func sequence(from, to int) []int {
	out := make([]int, 0, max(to-from, 0))
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}
