package passes

import (
	"math/rand/v2"
	"testing"

	"gradgen.dev/ir"
)

// at is the position of a view's element, where what is read from memory is
// looked up in values.
func (v view) at(t *testing.T, e *ir.Evaluator, index []int) int {
	t.Helper()
	pos, err := v.offset.Eval(e.Dims)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range v.strides {
		n, err := s.Eval(e.Dims)
		if err != nil {
			t.Fatal(err)
		}
		pos += index[i] * n
	}
	for _, i := range v.index {
		found, err := e.Eval(i.at.base)
		if err != nil {
			t.Fatal(err)
		}
		n, err := i.stride.Eval(e.Dims)
		if err != nil {
			t.Fatal(err)
		}
		pos += int(found.Data[i.at.at(t, e, index)]) * n
	}
	return pos
}

// TestViewOf looks through random chains of views at a tensor whose elements
// are their own positions.
func TestViewOf(t *testing.T) {
	seen := 0
	for seed := range uint64(3000) {
		w := &weaver{Rand: rand.New(rand.NewPCG(seed, 11)), g: ir.NewGraph()}
		x := w.g.Leaf("input", "x", w.float(w.shape(w.IntN(5))))
		n := x
		w.pool = []*ir.Node{x}
		for range 1 + w.IntN(5) {
			n = w.look(n)
		}
		for _, dims := range sizes[:3] {
			e := &ir.Evaluator{Dims: dims, Values: map[string]*ir.Tensor{}}
			fill(t, e, x, func(i int) float64 { return float64(i) })
			for _, m := range ir.Topological(n) {
				if m.Is("input") && m != x {
					fill(t, e, m, func(i int) float64 { return 0 })
				}
			}
			want, err := e.Eval(n)
			if err != nil {
				continue // the chain has no value at this size
			}
			v, ok := viewOf(n, func(m *ir.Node) bool { return m.Op.Class == ir.Leaf })
			if !ok {
				continue
			}
			seen++
			k := 0
			for index := range indices(want.Shape) {
				if got := v.at(t, e, index); float64(got) != want.Data[k] {
					t.Fatalf("seed %d at %v: element %v lies at %d, want %v\n%s", seed, dims, index, got, want.Data[k], ir.Print(w.g, n))
				}
				k++
			}
		}
	}
	if seen < 5000 {
		t.Errorf("%d views were looked through, want more", seen)
	}
}

// look is a random view of x.
func (w *weaver) look(x *ir.Node) *ir.Node {
	rank := x.Type.Rank()
	switch w.IntN(6) {
	case 0:
		return w.g.Transpose(x, w.Perm(rank))
	case 1:
		return w.part(x)
	case 2:
		return w.g.Must("flip", ir.Attr{Axes: w.axesOf(x)}, x)
	case 3:
		return w.reshape(x)
	case 4:
		if rank < 4 {
			return w.g.Spread(x, append(append(ir.Shape{}, x.Type.Shape...), ir.DimVar("B")), []int{rank})
		}
	default:
		if rank > 0 {
			return w.indexed(x)
		}
	}
	return x
}

func fill(t *testing.T, e *ir.Evaluator, n *ir.Node, value func(i int) float64) {
	t.Helper()
	shape, err := n.Type.Shape.Eval(e.Dims)
	if err != nil {
		t.Fatal(err)
	}
	v := ir.NewTensor(shape...)
	for i := range v.Data {
		v.Data[i] = value(i)
	}
	e.Values[leafKey(n)] = v
}

// TestReshaped compares strides after a reshape with the order of the elements:
// of a gapless tensor every reshape can be read, of others what is claimed.
func TestReshaped(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		from, to := sameSize(rng)
		strides, gapless := rowMajor(from), true
		for i := range strides {
			if rng.IntN(4) == 0 {
				strides[i], gapless = strides[i].Mul(ir.D(rng.IntN(3))), false
			}
		}
		out, ok := reshaped(from, strides, to)
		if !ok {
			if gapless {
				t.Fatalf("%v cannot be read as %v", from, to)
			}
			continue
		}
		a, b := positionsOf(from, strides), positionsOf(to, out)
		for k := range a {
			if a[k] != b[k] {
				t.Fatalf("%v by %v as %v by %v: element %d lies at %d, want %d", from, ir.Shape(strides), to, ir.Shape(out), k, b[k], a[k])
			}
		}
	}
}

// sameSize is two shapes of as many elements.
func sameSize(rng *rand.Rand) (from, to ir.Shape) {
	cut := func() ir.Shape {
		factors := []int{2, 2, 3}
		rng.Shuffle(3, func(i, j int) { factors[i], factors[j] = factors[j], factors[i] })
		out := ir.Shape{}
		extent := 1
		for i, f := range factors {
			extent *= f
			if i == 2 || rng.IntN(2) == 0 {
				out, extent = append(out, ir.D(extent)), 1
			}
			if rng.IntN(4) == 0 {
				out = append(out, ir.D(1))
			}
		}
		if extent > 1 {
			out = append(out, ir.D(extent))
		}
		return out
	}
	return cut(), cut()
}

// positionsOf is where the elements of a shape lie, in order.
func positionsOf(shape ir.Shape, strides []ir.Dim) []int {
	var out []int
	extents, _ := shape.Eval(nil)
	steps, _ := ir.Shape(strides).Eval(nil)
	for index := range indices(extents) {
		at := 0
		for i, k := range index {
			at += k * steps[i]
		}
		out = append(out, at)
	}
	return out
}

// TestReshapedSymbolic reads run-time dimensions in other shapes.
func TestReshapedSymbolic(t *testing.T) {
	b, n, one := ir.DimVar("B"), ir.DimVar("N"), ir.D(1)
	for _, c := range []struct {
		from    ir.Shape
		strides []ir.Dim
		to      ir.Shape
		want    []ir.Dim // nil where it cannot be read
	}{
		{ir.Shape{b, n}, []ir.Dim{n, one}, ir.Shape{b.Mul(n)}, []ir.Dim{one}},
		{ir.Shape{b, n}, []ir.Dim{one, b}, ir.Shape{b.Mul(n)}, nil},
		{ir.Shape{b, ir.D(6)}, []ir.Dim{ir.D(6), one}, ir.Shape{b, ir.D(2), ir.D(3)}, []ir.Dim{ir.D(6), ir.D(3), one}},
		{ir.Shape{b, ir.D(6)}, []ir.Dim{one, b}, ir.Shape{b, ir.D(2), ir.D(3)}, []ir.Dim{one, b.Mul(ir.D(3)), b}},
		{ir.Shape{b, one, n}, []ir.Dim{n, ir.D(7), one}, ir.Shape{b, n}, []ir.Dim{n, one}},
		{ir.Shape{b, n}, []ir.Dim{n.Mul(ir.D(2)), ir.D(2)}, ir.Shape{b.Mul(n)}, []ir.Dim{ir.D(2)}},
		{ir.Shape{b}, []ir.Dim{{}}, ir.Shape{b, one}, []ir.Dim{{}, {}}},
	} {
		out, ok := reshaped(c.from, c.strides, c.to)
		if ok != (c.want != nil) || ok && !ir.Shape(out[:len(c.want)]).Equal(c.want) {
			t.Errorf("%v by %v as %v is by %v, %v; want %v", c.from, ir.Shape(c.strides), c.to, ir.Shape(out), ok, ir.Shape(c.want))
		}
	}
}
