package passes

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gradgen.dev/ir"
)

// TestMatrices lays random products out and runs them on random views of their
// operands.
func TestMatrices(t *testing.T) {
	laid, all := 0, 0
	for seed := range uint64(4000) {
		w := &weaver{Rand: rand.New(rand.NewPCG(seed, 13)), g: ir.NewGraph()}
		x := w.g.Leaf("input", "x", w.float(w.shape(1+w.IntN(4))))
		y := w.g.Leaf("input", "y", w.float(w.shape(1+w.IntN(4))))
		plain := w.IntN(2) == 0
		a, b := x, y
		if !plain {
			a, b = w.g.Transpose(w.part(x), w.Perm(x.Type.Rank())), w.g.Transpose(y, w.Perm(y.Type.Rank()))
		}
		n := w.product(a, b)
		if !n.Is("einsum") {
			continue
		}
		n = Lower(w.g, n)[0]
		for n.Is("transpose") {
			n = n.Args[0]
		}
		if !n.Is("einsum") {
			continue
		}
		all++
		leaf := func(m *ir.Node) bool { return m.Op.Class == ir.Leaf }
		va, _ := viewOf(n.Args[0], leaf)
		vb, _ := viewOf(n.Args[1], leaf)
		step, ok := matrices(n, va, vb, view{base: n, strides: rowMajor(n.Type.Shape)})
		if !ok {
			continue
		}
		laid++
		step.Alpha, step.Beta = w.g.Const(1, ir.Float64), w.g.Const(0, ir.Float64)
		for _, dims := range sizes[:3] {
			checkProduct(t, seed, w, n, step, dims)
		}
	}
	if laid*2 < all || all < 300 {
		t.Errorf("%d of %d products were laid out, want more", laid, all)
	}
}

func checkProduct(t *testing.T, seed uint64, w *weaver, n *ir.Node, step *ir.ProductStep, dims map[string]int) {
	t.Helper()
	e := &ir.Evaluator{Dims: dims, Values: map[string]*ir.Tensor{}}
	m := newMachine(e, ir.Arena{})
	for k, at := range []*ir.Matrix{&step.A, &step.B} {
		leaf := ir.Topological(n.Args[k])[0]
		fill(t, e, leaf, func(i int) float64 { return float64(i*i%7 - 3) })
		at.Buffer = &ir.Buffer{Name: leaf.Attr.Name, Type: leaf.Type, Storage: ir.InInput}
		m.set(at.Buffer, e.Values[leafKey(leaf)].Data)
	}
	step.C.Buffer = &ir.Buffer{Name: "c", Type: n.Type, Storage: ir.InOutput}
	want, err := e.Eval(n)
	if err != nil {
		t.Fatal(err)
	}
	if err := guarded(func() { m.product(step) }); err != nil {
		t.Fatalf("seed %d at %v: %v\n%s", seed, dims, err, ir.Print(w.g, n))
	}
	if got := m.memory(step.C.Buffer).data; !slices.Equal(got, want.Data) {
		t.Fatalf("seed %d at %v: %v, want %v\n%s", seed, dims, got, want.Data, ir.Print(w.g, n))
	}
}

// TestPlain names the matrices that the BLAS takes.
func TestPlain(t *testing.T) {
	b, n, zero, one := ir.DimVar("B"), ir.DimVar("N"), ir.Dim{}, ir.D(1)
	for _, c := range []struct {
		name                             string
		rows, cols, rowStride, colStride ir.Dim
		want                             bool
	}{
		{"gapless", b, n, n, one, true},
		{"transposed", n, b, one, n, true},
		{"rows of a batch", b, n, n.Mul(b), one, true},
		{"part of wider rows", b, n, n.Add(ir.D(3)), one, true},
		{"every second column", b, n, n.Mul(ir.D(2)), ir.D(2), false},
		{"repeated rows", b, n, zero, one, false},
		{"rows from the last one on", b, n, n.Neg(), one, false},
		{"columns from the last one on", b, n, n, ir.D(-1), false},
		{"overlapping rows", b, n, n.Sub(one), one, false},
		{"one row", one, n, zero, one, true},
		{"one column", b, one, one, zero, true},
	} {
		if got := plain(ir.Matrix{Rows: c.rows, Cols: c.cols, RowStride: c.rowStride, ColStride: c.colStride}); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
