package passes

import (
	"math"
	"testing"

	"gradgen.dev/ir"
	"gradgen.dev/ir/irtest"
)

// TestLowerRandom lowers random graphs, simplified or not, and checks that
// values stay, and that nothing is left that has no loop, product or place.
func TestLowerRandom(t *testing.T) {
	for _, kind := range planned {
		t.Run(kind.name, func(t *testing.T) {
			for seed := range uint64(100) {
				g, raw, env := irtest.Random(seed, kind.options)
				raw = Strip(g, raw...)
				if kind.simple {
					raw = Simplify(g, raw...)
				}
				low := Lower(g, raw...)
				checkSameValues(t, seed, g, env, raw, low)
				for _, n := range ir.Topological(low...) {
					if why := unlowered(n); why != "" {
						t.Fatalf("seed %d: %s: %s\n%s", seed, n.Op.Name, why, ir.Print(g, low...))
					}
				}
			}
		})
	}
}

// unlowered says what Lower should have done to n, "" where it is done.
func unlowered(n *ir.Node) string {
	switch n.Op.Name {
	case "logsumexp":
		return "it has a stable formula"
	case "argmax", "argmin":
		if last := n.Args[0].Type.Rank() - 1; last == 0 || n.Attr.Axes[0] != last {
			return "only the last axis of several is scanned"
		}
	case "uniform", "normal":
		if n.Type.Rank() == 0 {
			return "loops draw, scalars do not"
		}
	case "einsum":
		a, b, out := ir.SplitSpec(n.Attr.Spec)
		if !contracts(a, b, out) {
			return "it is elementwise"
		}
	}
	if unmoved(n) {
		return "it is its operand"
	}
	return ""
}

// TestLowerInfinite lowers logsumexp, alone, beside its softmax, and where it is
// seen by an exponential alone, and evaluates it for infinite elements.
func TestLowerInfinite(t *testing.T) {
	inf := math.Inf(1)
	g := ir.NewGraph()
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(5, 2)})
	y := g.Reduce("logsumexp", x, []int{1})
	p := g.Map("exp", g.Map("sub", x, g.Spread(y, x.Type.Shape, []int{1})))
	env := map[string]*ir.Tensor{"input x": {Shape: []int{5, 2}, Data: []float64{-inf, -inf, inf, 1, 1, -inf, 2, 2, math.NaN(), 1}}}
	for _, roots := range [][]*ir.Node{{y}, {y, p}, {g.Map("exp", y)}, {g.Sum(g.Map("exp", g.Map("neg", y)), []int{0})}} {
		low := Lower(g, roots...)
		want, err := (&ir.Evaluator{Values: env}).Eval(roots[0])
		if err != nil {
			t.Fatal(err)
		}
		have, err := (&ir.Evaluator{Values: env}).Eval(low[0])
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want.Data {
			if h := have.Data[i]; h != w && !(math.IsNaN(h) && math.IsNaN(w)) && !(math.Abs(h-w) < 1e-14) {
				t.Errorf("element %d of\n%s\nis %v, want %v", i, ir.Print(g, low[0]), h, w)
			}
		}
	}
}

// TestLowerCrossEntropy: a logsumexp that is only added up is not guarded.
func TestLowerCrossEntropy(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(5, 2)})
	y := g.Reduce("logsumexp", x, []int{1})
	p := g.Map("exp", g.Map("sub", x, g.Spread(y, x.Type.Shape, []int{1})))
	loss := g.Sum(g.Map("sub", y, g.Reshape(g.Slice(x, []ir.Dim{ir.D(0), ir.D(0)}, []ir.Dim{ir.D(5), ir.D(1)}, []int{1, 1}), ir.ShapeOf(5))), []int{0})
	for _, n := range ir.Topological(Lower(g, loss, p)...) {
		if n.Is("where") {
			t.Errorf("cross entropy has\n%s", ir.Print(g, n))
		}
	}
}
