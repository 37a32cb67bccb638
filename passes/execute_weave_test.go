package passes

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gradgen.dev/ir"
)

// A weaver makes graphs that are dense in what the planner decides about: rows
// and what is repeated along them, products in any layout, views of views,
// values put together from parts, of rank 0 to 4.
type weaver struct {
	*rand.Rand
	g    *ir.Graph
	pool []*ir.Node
}

// extents are few, so that shapes meet.
var extents = []ir.Dim{ir.DimVar("B"), ir.DimVar("N"), ir.D(2), ir.D(2), ir.D(1)}

// weave returns a graph of about size nodes and values in it to plan.
func weave(seed uint64, size int) (*ir.Graph, []*ir.Node) {
	w := &weaver{Rand: rand.New(rand.NewPCG(seed, 3)), g: ir.NewGraph()}
	for i := range 3 {
		op := []string{"input", "param"}[w.IntN(2)]
		w.pool = append(w.pool, w.g.Leaf(op, fmt.Sprint("x", i), w.float(w.shape(w.IntN(5)))))
	}
	for len(w.pool) < size {
		n := w.step()
		if w.IntN(4) == 0 {
			w.g.SetOrigin(n, ir.Origin{Name: fmt.Sprint("v", len(w.pool))})
		}
		w.pool = append(w.pool, n)
	}
	roots := []*ir.Node{w.pool[len(w.pool)-1], w.total(w.any())}
	for range 1 + w.IntN(3) {
		roots = append(roots, w.any())
	}
	return w.g, roots
}

func (w *weaver) float(s ir.Shape) ir.Type { return ir.Type{Elem: ir.Float64, Shape: s} }

func (w *weaver) shape(rank int) ir.Shape {
	out := ir.Shape{}
	for range rank {
		out = append(out, extents[w.IntN(len(extents))])
	}
	return out
}

// any is a value so far, rather a new one.
func (w *weaver) any() *ir.Node {
	n := len(w.pool)
	if w.IntN(2) == 0 {
		return w.pool[n-1-w.IntN(min(n, 4))]
	}
	return w.pool[w.IntN(n)]
}

// like is a value of x's shape, made if need be.
func (w *weaver) like(x *ir.Node) *ir.Node {
	var fit []*ir.Node
	for _, n := range w.pool {
		if n.Type.Equal(x.Type) {
			fit = append(fit, n)
		}
	}
	if w.IntN(3) > 0 {
		return fit[w.IntN(len(fit))]
	}
	return w.fitted(w.any(), x.Type.Shape)
}

// fitted is y summed over the axes that shape lacks and repeated along those
// that y lacks.
func (w *weaver) fitted(y *ir.Node, shape ir.Shape) *ir.Node {
	used := make([]bool, y.Type.Rank())
	next := 0
	var fresh []int
	for i, d := range shape {
		at := slices.IndexFunc(y.Type.Shape[next:], d.Equal)
		if at < 0 {
			fresh = append(fresh, i)
			continue
		}
		used[next+at], next = true, next+at+1
	}
	var gone []int
	for i, u := range used {
		if !u {
			gone = append(gone, i)
		}
	}
	return w.g.Spread(w.g.Reduce(w.reduction(), y, gone), shape, fresh)
}

func (w *weaver) reduction() string {
	return []string{"sum", "sum", "reduce_max", "reduce_min"}[w.IntN(4)]
}

func (w *weaver) total(x *ir.Node) *ir.Node { return w.g.Sum(x, axes(0, x.Type.Rank())) }

// axesOf is some of the axes of x; by chance the last ones.
func (w *weaver) axesOf(x *ir.Node) []int {
	rank := x.Type.Rank()
	if w.IntN(2) == 0 {
		return axes(w.IntN(rank+1), rank)
	}
	var out []int
	for i := range rank {
		if w.IntN(2) == 0 {
			out = append(out, i)
		}
	}
	return out
}

// index is integers below 1 in a tensor of a shape: the only ones that every
// size has. Some are computed.
func (w *weaver) index(shape ir.Shape) *ir.Node {
	t := ir.Type{Elem: ir.Int32, Shape: shape}
	n := w.g.Leaf("input", fmt.Sprint("i", len(w.pool)), t)
	switch w.IntN(4) {
	case 0:
		return w.g.Map("sub", n, n)
	case 1:
		return w.g.Cast(w.g.Map("lt", n, w.g.Fill(0, t)), ir.Int32)
	}
	return n
}

func (w *weaver) step() *ir.Node {
	g, x := w.g, w.any()
	shape, rank := x.Type.Shape, x.Type.Rank()
	switch w.IntN(25) {
	case 0, 1:
		return g.Map([]string{"tanh", "sigmoid", "neg", "sin"}[w.IntN(4)], x)
	case 2, 3, 4:
		return g.Map([]string{"add", "sub", "max", "mul"}[w.IntN(4)], x, w.like(x))
	case 5:
		return g.Map("where", g.Map("lt", x, w.like(x)), w.like(x), w.like(x))
	case 6:
		hit := g.Cast(g.Map("gt", w.like(x), g.Fill(0.1, x.Type)), ir.Float64)
		return g.Map("mul", x, hit)
	case 23:
		return g.Cast(g.Map("gt", x, g.Fill(0.1, x.Type)), ir.Float64)
	case 7, 8:
		return g.Reduce(w.reduction(), x, w.axesOf(x))
	case 9:
		if rank < 4 {
			at := w.IntN(rank + 1)
			return g.Spread(x, slices.Insert(slices.Clone(shape), at, extents[w.IntN(len(extents))]), []int{at})
		}
	case 10:
		if rank < 4 {
			wide := append(slices.Clone(shape), extents[w.IntN(len(extents))])
			return g.Map("mul", g.Spread(x, wide, []int{rank}), w.fitted(w.any(), wide))
		}
	case 11, 12:
		axes := w.axesOf(x)
		return g.Map("sub", x, g.Spread(g.Reduce(w.reduction(), x, axes), shape, axes))
	case 13:
		return g.Transpose(x, w.Perm(rank))
	case 14:
		return w.part(x)
	case 15:
		if axes := w.axesOf(x); len(axes) > 0 {
			return g.Must("flip", ir.Attr{Axes: axes}, x)
		}
	case 16:
		return w.reshape(x)
	case 17, 18:
		return w.product(x, w.any())
	case 19:
		if rank > 0 {
			return g.Must("concat", ir.Attr{Axis: w.IntN(rank)}, x, w.like(x))
		}
	case 20:
		return w.placed(x)
	case 21:
		return w.indexed(x)
	case 22:
		if rank > 0 {
			return g.Cast(g.Must("argmax", ir.Attr{Axes: []int{w.IntN(rank)}}, x), ir.Float64)
		}
	}
	return g.Map("add", w.scaled(x), w.like(x))
}

// scaled is x times a scalar that is computed.
func (w *weaver) scaled(x *ir.Node) *ir.Node {
	return w.g.Map("mul", w.g.Broadcast(w.total(w.g.Map("tanh", w.any())), x.Type.Shape), x)
}

// part takes some of each axis of an extent above one, or every second.
func (w *weaver) part(x *ir.Node) *ir.Node {
	var starts, limits []ir.Dim
	var steps []int
	for _, d := range x.Type.Shape {
		start, limit, step := ir.Dim{}, d, 1
		if d.IsConst(2) && w.IntN(2) == 0 {
			start, limit = ir.D(w.IntN(2)), ir.D(2)
		} else if w.IntN(3) == 0 {
			step = 2
		}
		starts, limits, steps = append(starts, start), append(limits, limit), append(steps, step)
	}
	return w.g.Slice(x, starts, limits, steps)
}

// reshape merges two axes, or cuts one of extent 1 off or in.
func (w *weaver) reshape(x *ir.Node) *ir.Node {
	s, rank := slices.Clone(x.Type.Shape), x.Type.Rank()
	if rank >= 2 && w.IntN(2) == 0 {
		k := w.IntN(rank - 1)
		s[k] = s[k].Mul(s[k+1])
		return w.g.Reshape(x, slices.Delete(s, k+1, k+2))
	}
	if k := slices.IndexFunc(s, func(d ir.Dim) bool { return d.IsConst(1) }); k >= 0 {
		return w.g.Reshape(x, slices.Delete(s, k, k+1))
	}
	if rank < 4 {
		return w.g.Reshape(x, slices.Insert(s, w.IntN(rank+1), ir.D(1)))
	}
	return x
}

// product contracts x and y over some axes of equal extents; others of equal
// extents become a batch.
func (w *weaver) product(x, y *ir.Node) *ir.Node {
	const names = "abcdefgh"
	a := names[:x.Type.Rank()]
	b, out := []byte(names[4:4+y.Type.Rank()]), []byte{}
	summed := ""
	for i := range b {
		for k := range a {
			if slices.Contains(b, a[k]) || !x.Type.Shape[k].Equal(y.Type.Shape[i]) || w.IntN(2) == 0 {
				continue
			}
			b[i] = a[k]
			if w.IntN(3) > 0 {
				summed += a[k : k+1]
			}
			break
		}
	}
	for _, l := range []byte(a + string(b)) {
		if !slices.Contains(out, l) && !slices.Contains([]byte(summed), l) {
			out = append(out, l)
		}
	}
	if len(out) > 4 {
		return w.g.Map("tanh", x)
	}
	w.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return w.g.Einsum(a+","+string(b)+"->"+string(out), x, y)
}

// placed is x among zeros, alone or in a sum.
func (w *weaver) placed(x *ir.Node) *ir.Node {
	at := func() *ir.Node {
		shape, starts, steps := ir.Shape{}, []ir.Dim{}, []int{}
		for _, d := range x.Type.Shape {
			shape, starts, steps = append(shape, d.Add(ir.D(2))), append(starts, ir.D(w.IntN(3))), append(steps, 1)
		}
		return w.g.Must("place", ir.Attr{Dims: shape, Limits: starts, Steps: steps}, w.like(x))
	}
	out := at()
	for range w.IntN(3) {
		out = w.g.Map([]string{"add", "sub"}[w.IntN(2)], out, at())
	}
	return out
}

// indexed gathers, picks or scatters.
func (w *weaver) indexed(x *ir.Node) *ir.Node {
	shape, rank := x.Type.Shape, x.Type.Rank()
	if rank == 0 {
		return x
	}
	axis := w.IntN(rank)
	switch w.IntN(3) {
	case 0:
		return w.g.Must("pick", ir.Attr{}, x, w.index(shape[:rank-1]))
	case 1:
		ids := w.shape(w.IntN(2))
		if rank == 4 {
			ids = ir.Shape{}
		}
		return w.g.Must("gather", ir.Attr{Axis: axis}, x, w.index(ids))
	}
	return w.g.Must("scatter_add", ir.Attr{Axis: axis, Dims: []ir.Dim{ir.D(2)}}, x, w.index(shape[axis:axis+1]))
}
