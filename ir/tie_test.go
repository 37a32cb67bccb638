package ir_test

import (
	"math"
	"slices"
	"testing"

	"gradgen.dev/ir"
)

var (
	inf = math.Inf(1)
	nan = math.NaN()
)

// vectors gives a float64 vector of each name its elements.
func vectors(g *ir.Graph, of map[string][]float64) (env map[string]*ir.Node, ev *ir.Evaluator) {
	env, ev = map[string]*ir.Node{}, &ir.Evaluator{Values: map[string]*ir.Tensor{}}
	for name, v := range of {
		env[name] = g.Leaf("input", name, ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(len(v))})
		ev.Values["input "+name] = &ir.Tensor{Shape: []int{len(v)}, Data: v}
	}
	return env, ev
}

// TestTies holds the derivatives at ties and at the edges of domains against
// the list in the package comment. The cotangent is 10 everywhere.
func TestTies(t *testing.T) {
	for _, c := range []struct {
		formula string
		a, b    []float64
		da, db  []float64 // nil: no derivative
	}{
		{"max(a, b)", []float64{1, 2, 3}, []float64{2, 2, 2}, []float64{0, 5, 10}, []float64{10, 5, 0}},
		{"min(a, b)", []float64{1, 2, 3}, []float64{2, 2, 2}, []float64{10, 5, 0}, []float64{0, 5, 10}},
		{"max(a, 0)", []float64{-1, 0, 2}, nil, []float64{0, 0, 10}, nil},
		{"max(0, a)", []float64{-1, 0, 2}, nil, []float64{0, 0, 10}, nil},
		{"min(a, 6)", []float64{5, 6, 7}, nil, []float64{10, 0, 0}, nil},
		{"min(6, a)", []float64{5, 6, 7}, nil, []float64{10, 0, 0}, nil},
		{"abs(a)", []float64{-3, 0, 2}, nil, []float64{-10, 0, 10}, nil},
		{"sign(a)", []float64{-3, 0, 2}, nil, nil, nil},
		{"sqrt(a)", []float64{0, 4}, nil, []float64{inf, 2.5}, nil},
		{"rsqrt(a)", []float64{0, 4}, nil, []float64{-inf, -10.0 / 16}, nil},
		{"log(a)", []float64{0, 4}, nil, []float64{inf, 2.5}, nil},
		{"pow(a, b)", []float64{0, 0, 0, 2, -2}, []float64{0, 1, 2, 0, 0}, []float64{0, 10, 0, 0, 0}, []float64{0, 0, 0, 10 * math.Ln2, nan}},
		{"pow(a, 0)", []float64{0, 2, -1}, nil, []float64{0, 0, 0}, nil},
		{"pow(0, a)", []float64{0, 2, 0.5}, nil, []float64{0, 0, 0}, nil},
		{"reduce_max(a, axes: [0])", []float64{3, 1, 3, 2}, nil, []float64{5, 0, 5, 0}, nil},
		{"reduce_max(a, axes: [0])", []float64{7, 7, 7, 7}, nil, []float64{2.5, 2.5, 2.5, 2.5}, nil},
		{"reduce_min(a, axes: [0])", []float64{3, 1, 3, 1}, nil, []float64{0, 5, 0, 5}, nil},
		{"prod(a, axes: [0])", []float64{2, 0, 4}, nil, []float64{0, 80, 0}, nil},
		{"prod(a, axes: [0])", []float64{2, 0, 0}, nil, []float64{0, 0, 0}, nil},
		{"where(a < b, a, b)", []float64{1, 2}, []float64{2, 1}, []float64{10, 0}, []float64{0, 10}},
	} {
		t.Run(c.formula, func(t *testing.T) {
			g := ir.NewGraph()
			env, ev := vectors(g, map[string][]float64{"a": c.a, "b": c.b})
			y, err := g.Formula(c.formula, env, env["a"].Type)
			if err != nil {
				t.Fatal(err)
			}
			grads := sweep(t, g, y, g.Fill(10, y.Type), env["a"], env["b"])
			for i, want := range [][]float64{c.da, c.db} {
				switch {
				case want == nil && grads[i] != nil:
					t.Errorf("operand %d has the derivative %v, want none", i, values(t, ev, grads[i]))
				case want != nil && !identical(values(t, ev, grads[i]), want):
					t.Errorf("derivative by operand %d is %v, want %v", i, values(t, ev, grads[i]), want)
				}
			}
		})
	}
}

// TestPowSecondOrder holds the second derivatives of a^b at the edges, where a
// branch that is not taken must not spoil the one that is.
func TestPowSecondOrder(t *testing.T) {
	for _, c := range []struct{ a, b, aa, ab, bb float64 }{
		{0, 0, 0, 0, 0},
		{0, 1, 0, 0, 0}, // by a and b it is log a, whose pow(0, b) part counts as 0
		{0, 2, 2, 0, 0},
		{0, 3, 0, 0, 0},
		{2, 0, 0, 0.5, math.Ln2 * math.Ln2},
		{2, 1, 0, 1 + math.Ln2, 2 * math.Ln2 * math.Ln2},
	} {
		g := ir.NewGraph()
		env, ev := vectors(g, map[string][]float64{"a": {c.a}, "b": {c.b}})
		a, b := env["a"], env["b"]
		y := g.Map("pow", a, b)
		one := g.Fill(1, y.Type)
		first := sweep(t, g, y, one, a, b)
		byA, byB := sweep(t, g, first[0], one, a, b), sweep(t, g, first[1], one, a, b)
		got := []float64{values(t, ev, byA[0])[0], values(t, ev, byB[0])[0], values(t, ev, byB[1])[0]}
		for i, want := range []float64{c.aa, c.ab, c.bb} {
			if !near(got[i], want, 1e-14) || math.IsNaN(got[i]) {
				t.Errorf("pow(%v, %v): second derivatives %v, want %v", c.a, c.b, got, []float64{c.aa, c.ab, c.bb})
				break
			}
		}
	}
}

// TestNaN holds the values of extremes at NaN and at ties against the list in
// the package comment.
func TestNaN(t *testing.T) {
	for _, c := range []struct {
		formula string
		a       []float64
		want    []float64
	}{
		{"max(a, 1)", []float64{nan, 0, 2}, []float64{nan, 1, 2}},
		{"max(1, a)", []float64{nan, 0, 2}, []float64{nan, 1, 2}},
		{"min(a, 1)", []float64{nan, 0, 2}, []float64{nan, 0, 1}},
		{"min(1, a)", []float64{nan, 0, 2}, []float64{nan, 0, 1}},
		{"reduce_max(a, axes: [0])", []float64{nan, 1, 2}, []float64{nan}},
		{"reduce_max(a, axes: [0])", []float64{1, 2, nan}, []float64{nan}},
		{"reduce_min(a, axes: [0])", []float64{1, nan, 2}, []float64{nan}},
		{"argmax(a, axes: [0])", []float64{3, nan, inf, nan}, []float64{1}},
		{"argmin(a, axes: [0])", []float64{3, nan, -inf, nan}, []float64{1}},
		{"argmax(a, axes: [0])", []float64{3, 5, 5}, []float64{1}},
		{"argmin(a, axes: [0])", []float64{3, 1, 1}, []float64{1}},
		{"isnan(a)", []float64{nan, inf, 0}, []float64{1, 0, 0}},
		{"a == a", []float64{nan, inf, 0}, []float64{0, 1, 1}},
		{"a != a", []float64{nan, inf, 0}, []float64{1, 0, 0}},
		{"logsumexp(a, axes: [0])", []float64{1000, 1000}, []float64{1000 + math.Ln2}},
		{"logsumexp(a, axes: [0])", []float64{-inf, -inf}, []float64{-inf}},
		{"logsumexp(a, axes: [0])", []float64{inf, 1}, []float64{inf}},
		{"logsumexp(a, axes: [0])", []float64{nan, 1}, []float64{nan}},
		{"logsumexp(a, axes: [])", []float64{-inf, 1}, []float64{-inf, 1}},
		{"sigmoid(a)", []float64{-1000, 1000, nan}, []float64{0, 1, nan}},
		{"softplus(a)", []float64{-1000, 1000, -inf, inf}, []float64{0, 1000, 0, inf}},
		{"round(a)", []float64{0.5, 1.5, -2.5}, []float64{0, 2, -2}},
		{"a % 3", []float64{-1, 4, 3}, []float64{2, 1, 0}},
		{"floordiv(a, 2)", []float64{-1, 3, 4}, []float64{-1, 1, 2}},
	} {
		t.Run(c.formula, func(t *testing.T) {
			g := ir.NewGraph()
			before := slices.Clone(c.a)
			env, ev := vectors(g, map[string][]float64{"a": c.a})
			y, err := g.Formula(c.formula, env, env["a"].Type)
			if err != nil {
				t.Fatal(err)
			}
			if got := values(t, ev, y); !identical(got, c.want) {
				t.Errorf("of %v it is %v, want %v", c.a, got, c.want)
			}
			if !identical(c.a, before) {
				t.Errorf("the operand was %v and is %v", before, c.a)
			}
		})
	}
}
