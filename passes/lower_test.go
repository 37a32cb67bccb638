package passes

import (
	"math"
	"slices"
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

// TestLowerCrossEntropy: a logsumexp beside the logit of a label is not guarded;
// one that is added up alone is, as its sum is -Inf or Inf then, not NaN.
func TestLowerCrossEntropy(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(5, 2)})
	label := g.Leaf("input", "label", ir.Type{Elem: ir.Int32, Shape: ir.ShapeOf(5)})
	y := g.Reduce("logsumexp", x, []int{1})
	p := g.Map("exp", g.Map("sub", x, g.Spread(y, x.Type.Shape, []int{1})))
	loss := g.Sum(g.Map("sub", y, g.Must("pick", ir.Attr{}, x, label)), []int{0})
	for _, c := range []struct {
		root   *ir.Node
		guards bool
	}{{loss, false}, {g.Sum(y, []int{0}), true}} {
		has := slices.ContainsFunc(ir.Topological(Lower(g, c.root, p)...), func(n *ir.Node) bool { return n.Is("where") })
		if has != c.guards {
			t.Errorf("guarded is %v:\n%s", has, ir.Print(g, Lower(g, c.root)...))
		}
	}
}

// infinite is formulas of x [1, 2] with infinite elements: their values and the
// derivatives of their sums, as PyTorch 1.13 has them.
var infiniteLogits = []struct {
	formula string
	x       [2]float64
	value   []float64
	dx      [2]float64
}{
	{"[1]: logsumexp(x, axis: 1)", [2]float64{-inf, -inf}, []float64{-inf}, [2]float64{nan, nan}},
	{"[]: sum(logsumexp(x, axis: 1))", [2]float64{-inf, -inf}, []float64{-inf}, [2]float64{nan, nan}},
	{"[]: mean(logsumexp(x, axis: 1))", [2]float64{1, -inf}, []float64{1}, [2]float64{1, 0}},
	{"[]: sum(logsumexp(x, axis: 1))", [2]float64{inf, inf}, []float64{inf}, [2]float64{nan, nan}},
	{"[1]: logsumexp(x, axis: 1)", [2]float64{nan, 1}, []float64{nan}, [2]float64{nan, nan}},
	{"[1, 2]: softmax(x)", [2]float64{-inf, -inf}, []float64{nan, nan}, [2]float64{nan, nan}},
	{"[1, 2]: softmax(x)^2", [2]float64{0, -inf}, []float64{1, 0}, [2]float64{0, 0}},
	{"[1, 2]: softmax(x)", [2]float64{inf, 1}, []float64{nan, nan}, [2]float64{nan, nan}},
	{"[]: sum(log_softmax(x)[0, 0])", [2]float64{1, -inf}, []float64{0}, [2]float64{0, 0}},
	{"[]: sum(log_softmax(x)[0, 0])", [2]float64{-inf, -inf}, []float64{nan}, [2]float64{nan, nan}},
	{"[]: cross_entropy(x, int32(zeros([1])))", [2]float64{1, -inf}, []float64{0}, [2]float64{0, 0}},
	{"[]: cross_entropy(x, int32(ones([1])))", [2]float64{1, -inf}, []float64{inf}, [2]float64{1, -1}},
	{"[]: cross_entropy(x, int32(ones([1])))", [2]float64{inf, 1}, []float64{nan}, [2]float64{nan, nan}},
	{"[]: cross_entropy(x, int32(zeros([1])))", [2]float64{-inf, -inf}, []float64{nan}, [2]float64{nan, nan}},
	{"[1, 2]: softmax(where(x > 0, x, -inf))", [2]float64{3, -1}, []float64{1, 0}, [2]float64{0, 0}},
	{"[1, 2]: softmax(where(x > 0, x, -inf))", [2]float64{-1, -1}, []float64{nan, nan}, [2]float64{0, 0}},
}

var inf, nan = math.Inf(1), math.NaN()

// TestInfiniteLogits checks the table above.
func TestInfiniteLogits(t *testing.T) {
	for _, c := range infiniteLogits {
		g, f := formulaOf(t, "x [1, 2]", c.formula)
		env := map[string]*ir.Tensor{"input x": {Shape: []int{1, 2}, Data: c.x[:]}}
		got, err := (&ir.Evaluator{Values: env}).EvalAll(emittedDerivatives(g, f)...)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range [][]float64{c.value, c.dx[:]} {
			for i, w := range want {
				if v := got[k].Data[i]; v != w && !(math.IsNaN(v) && math.IsNaN(w)) && !(math.Abs(v-w) < 1e-12) {
					t.Errorf("%s at %v is %v with the derivative %v, want %v, %v", c.formula, c.x, got[0].Data, got[1].Data, c.value, c.dx)
				}
			}
		}
	}
}
