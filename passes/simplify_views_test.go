package passes

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"gradgen.dev/ir"
)

// A viewer puts views, sums and products on top of one another.
type viewer struct {
	*rand.Rand
	g *ir.Graph
	n int // leaves made
}

// TestSimplifyViews simplifies random towers of views and what is linear.
func TestSimplifyViews(t *testing.T) {
	dims := map[string]int{"B": 4, "N": 3}
	for seed := range uint64(1500) {
		g := ir.NewGraph()
		v := &viewer{rand.New(rand.NewPCG(seed, 2)), g, 0}
		x := v.leaf(ir.Shape{ir.DimVar("B"), ir.D(5), ir.DimVar("N")}[v.IntN(3):])
		for range 2 + v.IntN(6) {
			x = v.next(x)
		}
		simple := Simplify(g, x)
		if err := ir.Check(simple...); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, ir.Print(g, x))
		}
		compareValues(t, randomEvaluator(seed, dims, x), x, simple[0])
		checkIdempotent(t, seed, g, []*ir.Node{x}, simple)
		if t.Failed() {
			t.Fatalf("seed %d\n%s\n%s", seed, ir.Print(g, x), ir.Print(g, simple...))
		}
	}
}

func (v *viewer) leaf(s ir.Shape) *ir.Node {
	v.n++
	return v.g.Leaf("input", fmt.Sprint("x", v.n), ir.Type{Elem: ir.Float64, Shape: s})
}

// next is something that is linear in x.
func (v *viewer) next(x *ir.Node) *ir.Node {
	shape, rank := x.Type.Shape, x.Type.Rank()
	if rank == 0 || rank < 3 && v.IntN(4) == 0 {
		return v.spread(x)
	}
	axis := v.IntN(rank)
	switch v.IntN(14) {
	case 0, 1:
		return v.g.Transpose(x, v.Perm(rank))
	case 2, 3, 4:
		return v.slice(x)
	case 5:
		return v.g.Must("flip", ir.Attr{Axes: []int{axis}}, x)
	case 6:
		return v.place(x, axis)
	case 7:
		return v.g.Sum(x, v.subset(rank))
	case 8:
		return v.pick(x)
	case 9:
		return v.g.Map("mul", x, v.g.OneHot(v.indices(shape[:rank-1], shape[rank-1]), shape[rank-1], ir.Float64))
	case 10:
		return v.product(x, axis)
	case 11:
		return v.g.Reshape(x, ir.Shape{shape.Size()})
	case 12:
		k := v.g.Map("div", v.leaf(nil), v.g.Size(shape[axis], ir.Float64))
		return v.g.Map("mul", x, v.g.Broadcast(k, shape))
	}
	return v.g.Map("sub", v.g.Spread(v.leaf(shape.Drop([]int{axis})), shape, []int{axis}), x)
}

func (v *viewer) subset(n int) []int {
	var out []int
	for i := range n {
		if v.IntN(2) == 0 {
			out = append(out, i)
		}
	}
	return out
}

func (v *viewer) spread(x *ir.Node) *ir.Node {
	at := v.IntN(x.Type.Rank() + 1)
	extent := []ir.Dim{ir.D(1), ir.D(2), ir.D(5), ir.DimVar("B")}[v.IntN(4)]
	return v.g.Spread(x, slices.Insert(slices.Clone(x.Type.Shape), at, extent), []int{at})
}

// slice cuts each axis at one end, or takes every second or third element.
func (v *viewer) slice(x *ir.Node) *ir.Node {
	rank := x.Type.Rank()
	starts, limits, steps := make([]ir.Dim, rank), slices.Clone([]ir.Dim(x.Type.Shape)), make([]int, rank)
	for i, d := range x.Type.Shape {
		steps[i] = 1
		n, constant := d.Const()
		if constant && n < 2 || !d.Covers(ir.D(0)) || !constant && len(d.String()) > 1 {
			continue
		}
		switch v.IntN(5) {
		case 0:
			starts[i] = ir.D(1)
		case 1:
			limits[i] = d.Sub(ir.D(1))
		case 2:
			steps[i] = 2 + v.IntN(2)
		case 3:
			starts[i], steps[i] = ir.D(1), 2
		}
	}
	return v.g.Slice(x, starts, limits, steps)
}

func (v *viewer) place(x *ir.Node, axis int) *ir.Node {
	rank := x.Type.Rank()
	shape, starts, steps := slices.Clone(x.Type.Shape), make([]ir.Dim, rank), make([]int, rank)
	for i := range steps {
		steps[i] = 1
	}
	starts[axis], steps[axis] = ir.D(v.IntN(2)), 1+v.IntN(2)
	shape[axis] = starts[axis].Add(shape[axis].Mul(ir.D(steps[axis])))
	return v.g.Must("place", ir.Attr{Dims: shape, Limits: starts, Steps: steps}, x)
}

// indices is integers of a shape below the extent: those of an input reduced
// to a range that every extent used here has.
func (v *viewer) indices(shape ir.Shape, below ir.Dim) *ir.Node {
	v.n++
	x := v.g.Leaf("input", fmt.Sprint("i", v.n), ir.Type{Elem: ir.Int32, Shape: shape})
	return v.g.Map("mod", x, v.g.Broadcast(v.g.Size(below, ir.Int32), shape))
}

func (v *viewer) pick(x *ir.Node) *ir.Node {
	last := x.Type.Rank() - 1
	return v.g.Must("pick", ir.Attr{}, x, v.indices(x.Type.Shape[:last], x.Type.Shape[last]))
}

// product multiplies x by a matrix, the identity, something repeated or a
// vector.
func (v *viewer) product(x *ir.Node, axis int) *ir.Node {
	letters := "pqrst"[:x.Type.Rank()]
	l, d := letters[axis:axis+1], x.Type.Shape[axis]
	rest := letters[:axis] + letters[axis+1:]
	matrix := ir.Type{Elem: ir.Float64, Shape: ir.Shape{d, d}}
	var y *ir.Node
	switch v.IntN(4) {
	case 0:
		y = v.leaf(matrix.Shape)
	case 1:
		y = identity(v.g, matrix.With(ir.Shape{d}))
	case 2:
		k := v.IntN(2)
		y = v.g.Spread(v.leaf(ir.Shape{d}), matrix.Shape, []int{k})
	case 3:
		spec := []string{letters + "," + l + "->" + rest, letters + "," + l + "->" + letters, l + "," + letters + "->" + rest}[v.IntN(3)]
		if spec[0] == letters[axis] && spec[1] == ',' {
			return v.g.Einsum(spec, v.leaf(ir.Shape{d}), x)
		}
		return v.g.Einsum(spec, x, v.leaf(ir.Shape{d}))
	}
	mine := []string{l + "z", "z" + l}[v.IntN(2)]
	out := []string{rest + "z", "z" + rest}[v.IntN(2)]
	if v.IntN(2) == 0 {
		return v.g.Einsum(letters+","+mine+"->"+out, x, y)
	}
	return v.g.Einsum(mine+","+letters+"->"+out, y, x)
}
