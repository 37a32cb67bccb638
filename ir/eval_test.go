package ir_test

import (
	"math"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// TestInterpreter evaluates texts by hand: x is [[1, 2, 3], [4, 5, 6]], v is
// [1, 2, 3] and i is [2, 0].
func TestInterpreter(t *testing.T) {
	for _, c := range []struct {
		formula string
		want    []float64
	}{
		{"sum(x, axes: [])", []float64{1, 2, 3, 4, 5, 6}},
		{"sum(x, axes: [0])", []float64{5, 7, 9}},
		{"sum(x, axes: [1])", []float64{6, 15}},
		{"sum(x, axes: [0, 1])", []float64{21}},
		{"prod(x, axes: [1])", []float64{6, 120}},
		{"reduce_max(x, axes: [0])", []float64{4, 5, 6}},
		{"reduce_min(x, axes: [1])", []float64{1, 4}},
		{"any(x > 5, axes: [0])", []float64{0, 0, 1}},
		{"all(x > 2, axes: [1])", []float64{0, 1}},
		{"argmax(x, axes: [1])", []float64{2, 2}},
		{"argmin(x, axes: [0])", []float64{0, 0, 0}},
		{"logsumexp(x, axes: [1])", []float64{math.Log(math.Exp(1) + math.Exp(2) + math.Exp(3)), math.Log(math.Exp(4) + math.Exp(5) + math.Exp(6))}},
		{"sum(e, axes: [0])", []float64{0, 0}},
		{"prod(e, axes: [0, 1])", []float64{1}},
		{"reduce_max(e, axes: [0])", []float64{-inf, -inf}},
		{"logsumexp(e, axes: [0])", []float64{-inf, -inf}},
		{`einsum(x, v, spec: "ij,j->i")`, []float64{14, 32}},
		{`einsum(x, x, spec: "ij,kj->ik")`, []float64{14, 32, 32, 77}},
		{`einsum(v, v, spec: "i,j->ij")`, []float64{1, 2, 3, 2, 4, 6, 3, 6, 9}},
		{`einsum(x, x, spec: "ij,ij->j")`, []float64{17, 29, 45}},
		{`einsum(x, x, spec: "ij,ij->")`, []float64{91}},
		{`einsum(e, e, spec: "ij,ik->jk")`, []float64{0, 0, 0, 0}},
		{"spread(v, shape: [2, 3], axes: [0])", []float64{1, 2, 3, 1, 2, 3}},
		{"spread(v, shape: [3, 2], axes: [1])", []float64{1, 1, 2, 2, 3, 3}},
		{"reshape(x, shape: [3, 2])", []float64{1, 2, 3, 4, 5, 6}},
		{"transpose(x, axes: [1, 0])", []float64{1, 4, 2, 5, 3, 6}},
		{"flip(x, axes: [0])", []float64{4, 5, 6, 1, 2, 3}},
		{"flip(x, axes: [0, 1])", []float64{6, 5, 4, 3, 2, 1}},
		{"slice(x, starts: [1, 0], limits: [2, 3], steps: [1, 2])", []float64{4, 6}},
		{"slice(v, starts: [1], limits: [1], steps: [1])", []float64{}},
		{"place(v, shape: [7], starts: [1], steps: [2])", []float64{0, 1, 0, 2, 0, 3, 0}},
		{"concat(x, x, axis: 1)", []float64{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}},
		{"concat(v, v, v, axis: 0)", []float64{1, 2, 3, 1, 2, 3, 1, 2, 3}},
		{"gather(x, i, axis: 1)", []float64{3, 1, 6, 4}},
		{"gather(v, i, axis: 0)", []float64{3, 1}},
		{"scatter_add(x, i, axis: 0, dim: 3)", []float64{4, 5, 6, 0, 0, 0, 1, 2, 3}},
		{"scatter_add(x, i - i, axis: 0, dim: 2)", []float64{5, 7, 9, 0, 0, 0}},
		{"pick(x, i)", []float64{3, 4}},
		{"where(x > 3, x, -x)", []float64{-1, -2, -3, 4, 5, 6}},
		{"cast(x - 2.5, elem: int32)", []float64{-1, 0, 0, 1, 2, 3}},
		{"cast(x - 3, elem: bool)", []float64{1, 1, 0, 1, 1, 1}},
		{"size(dim: 2*B - 1, elem: float64)", []float64{3}},
		{"iota(axis: 1, type: [B, 3]int32)", []float64{0, 1, 2, 0, 1, 2}},
		{"tensor(data: [1, -0, inf], type: [3]float64)", []float64{1, 0, inf}},
		{`pin(v, name: "p")`, []float64{1, 2, 3}},
		{"stop_gradient(v)", []float64{1, 2, 3}},
		{"bounded(i, dim: 3, value: -100)", []float64{2, 0}},
	} {
		t.Run(c.formula, func(t *testing.T) {
			g := ir.NewGraph()
			env, ev := examples(g)
			n, err := g.Formula(c.formula, env, ir.Type{Elem: ir.Float64})
			if err != nil {
				t.Fatal(err)
			}
			got := values(t, ev, n)
			for i := range got {
				if len(got) != len(c.want) || !near(got[i], c.want[i], 1e-14) && got[i] != c.want[i] {
					t.Fatalf("it is %v, want %v", got, c.want)
				}
			}
			if len(got) != len(c.want) {
				t.Fatalf("it is %v, want %v", got, c.want)
			}
		})
	}
}

// examples is the tensors that TestInterpreter names; e has no elements.
func examples(g *ir.Graph) (map[string]*ir.Node, *ir.Evaluator) {
	ev := &ir.Evaluator{Dims: map[string]int{"B": 2, "Z": 0}, Values: map[string]*ir.Tensor{
		"input x": {Shape: []int{2, 3}, Data: []float64{1, 2, 3, 4, 5, 6}},
		"input v": {Shape: []int{3}, Data: []float64{1, 2, 3}},
		"input i": {Shape: []int{2}, Data: []float64{2, 0}},
		"input e": {Shape: []int{0, 2}},
	}}
	return map[string]*ir.Node{
		"x": g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2, 3)}),
		"v": g.Leaf("input", "v", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(3)}),
		"i": g.Leaf("input", "i", ir.Type{Elem: ir.Int32, Shape: ir.ShapeOf(2)}),
		"e": g.Leaf("input", "e", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(0, 2)}),
	}, ev
}

// TestInterpreterErrors: what has no value gives an error, never a bad read.
func TestInterpreterErrors(t *testing.T) {
	for _, c := range []struct{ formula, reason string }{
		{"gather(v, i + 1, axis: 0)", "index 3 of an extent of 3"},
		{"gather(v, i - 1, axis: 0)", "index -1 of an extent of 3"},
		{"gather(e, i, axis: 0)", "index 2 of an extent of 0"},
		{"scatter_add(x, i, axis: 0, dim: 2)", "index 2 of an extent of 2"},
		{"pick(x, i + 1)", "index 3 of an extent of 3"},
		{"argmax(e, axes: [0])", "over no element"},
		{"slice(v, starts: [0], limits: [2*B], steps: [1])", "index 3 of an extent of 3"},
		{"slice(v, starts: [B - 3], limits: [1], steps: [1])", "index -1 of an extent of 3"},
		{"place(v, shape: [B], starts: [0], steps: [1])", "index 2 of an extent of 2"},
		{"slice(v, starts: [B], limits: [0], steps: [1])", "extent -2"},
		{"iota(axis: 0, type: [B - 3]int32)", "extent -1"},
		{`uniform(name: "u", type: [B - 3]float64)`, "extent -1"},
		{"size(dim: K, elem: int32)", "K has no value"},
		{"size(dim: 1/Z, elem: int32)", "divides by 0"},
		{`input(name: "w", type: [2]float64)`, `input "w" has no value`},
		{`input(name: "v", type: [2]float64)`, "has shape [3], want [2]"},
		{`grad(sum(v, axes: [0]), v)`, "must be expanded"},
	} {
		g := ir.NewGraph()
		env, ev := examples(g)
		n, err := g.Formula(c.formula, env, ir.Type{Elem: ir.Float64})
		if err != nil {
			t.Errorf("%s: %v", c.formula, err)
			continue
		}
		if _, err := ev.Eval(n); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s gives %v, want an error with %q", c.formula, err, c.reason)
		}
	}
}

// TestRound: with Round, every float32 value is one; without, none is rounded.
func TestRound(t *testing.T) {
	g := ir.NewGraph()
	third := g.Map("div", g.Const(1, ir.Float32), g.Const(3, ir.Float32))
	wide := g.Cast(third, ir.Float64)
	for _, c := range []struct {
		round bool
		want  float64
	}{{false, 1.0 / 3}, {true, float64(float32(1.0 / 3))}} {
		if got := eval(t, &ir.Evaluator{Round: c.round}, wide); got != c.want {
			t.Errorf("1/3 with Round %v is %v, want %v", c.round, got, c.want)
		}
	}
}

// drawn is n values of a random op.
func drawn(t *testing.T, op, site string, n int, elem ir.DType, seed, call uint64) []float64 {
	t.Helper()
	g := ir.NewGraph()
	ev := &ir.Evaluator{Seed: seed, Call: call}
	return values(t, ev, g.Leaf(op, site, ir.Type{Elem: elem, Shape: ir.ShapeOf(n)}))
}

// TestDraws holds the generator against numbers computed apart from it, by its
// definition in ops_leaf.go: seed 42, site drop.1, call 3.
func TestDraws(t *testing.T) {
	for _, c := range []struct {
		op   string
		elem ir.DType
		want []float64
	}{
		{"uniform", ir.Float64, []float64{0.3173319901629653, 0.6163375556764675, 0.08582260796348906, 0.5145050521482324}},
		{"uniform", ir.Float32, []float64{0.3173319697380066, 0.6163375377655029, 0.08582258224487305, 0.5145050287246704}},
		{"normal", ir.Float64, []float64{-0.6505534624316682, -0.42187057431572494, -1.1092185574210003, 0.10464731467638506}},
	} {
		got := drawn(t, c.op, "drop.1", 4, c.elem, 42, 3)
		for i := range got {
			if !near(got[i], c.want[i], 1e-15) {
				t.Errorf("%s of %v is %v, want %v", c.op, c.elem, got, c.want)
				break
			}
		}
	}
}

// TestDrawsDepend: a draw depends on seed, site, call and index, and on nothing
// else.
func TestDrawsDepend(t *testing.T) {
	for _, op := range []string{"uniform", "normal"} {
		base := drawn(t, op, "a", 100, ir.Float64, 1, 1)
		if !identical(base, drawn(t, op, "a", 100, ir.Float64, 1, 1)) || !identical(base[:7], drawn(t, op, "a", 7, ir.Float64, 1, 1)) {
			t.Errorf("%s: the same draw is another", op)
		}
		for what, other := range map[string][]float64{
			"seed": drawn(t, op, "a", 100, ir.Float64, 2, 1),
			"site": drawn(t, op, "b", 100, ir.Float64, 1, 1),
			"call": drawn(t, op, "a", 100, ir.Float64, 1, 2),
		} {
			if r := correlation(base, other); math.Abs(r) > 0.4 {
				t.Errorf("%s: another %s correlates by %v", op, what, r)
			}
		}
	}
}

// TestDrawMoments: the first four moments and the correlation of neighbours are
// those of the distribution, to five standard errors.
func TestDrawMoments(t *testing.T) {
	const n = 1 << 17
	for _, c := range []struct {
		op      string
		moments [4]float64 // mean, then central moments
		errors  [4]float64 // standard deviations of one draw's powers
	}{
		{"uniform", [4]float64{0.5, 1.0 / 12, 0, 1.0 / 80}, [4]float64{0.289, 0.0745, 0.047, 0.0167}},
		{"normal", [4]float64{0, 1, 0, 3}, [4]float64{1, 1.42, 3.88, 9.8}},
	} {
		v := drawn(t, c.op, "moments", n, ir.Float64, 7, 0)
		for k, want := range c.moments {
			sum := 0.0
			for _, x := range v {
				if k > 0 {
					x = math.Pow(x-c.moments[0], float64(k+1))
				}
				sum += x
			}
			if got := sum / n; math.Abs(got-want) > 5*c.errors[k]/math.Sqrt(n) {
				t.Errorf("%s: moment %d is %v, want %v", c.op, k+1, got, want)
			}
		}
		if r := correlation(v[:n-1], v[1:]); math.Abs(r) > 5/math.Sqrt(n) {
			t.Errorf("%s: neighbours correlate by %v", c.op, r)
		}
		if c.op == "uniform" {
			for _, x := range v {
				if x < 0 || x >= 1 {
					t.Fatalf("a uniform draw is %v", x)
				}
			}
		}
	}
}

// correlation is Pearson's.
func correlation(a, b []float64) float64 {
	var ma, mb, aa, bb, ab float64
	for i := range a {
		ma, mb = ma+a[i]/float64(len(a)), mb+b[i]/float64(len(a))
	}
	for i := range a {
		x, y := a[i]-ma, b[i]-mb
		aa, bb, ab = aa+x*x, bb+y*y, ab+x*y
	}
	return ab / math.Sqrt(aa*bb)
}
