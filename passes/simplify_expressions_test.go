package passes

import (
	"math"
	"math/rand/v2"
	"testing"

	"gradgen.dev/ir"
)

// TestSimplifyExpressions simplifies random formulas of two variables and a
// scalar, in which much cancels and many identities fit.
func TestSimplifyExpressions(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 4))
		g := ir.NewGraph()
		typ := ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(4)}
		pool := []*ir.Node{g.Leaf("input", "x", typ), g.Leaf("input", "y", typ), g.Broadcast(g.Leaf("input", "s", ir.Type{Elem: ir.Float64}), typ.Shape)}
		for range 4 + rng.IntN(8) {
			pool = append(pool, randomFormula(g, rng, pool))
		}
		raw := pool[len(pool)-2:]
		simple := Simplify(g, raw...)
		if err := ir.Check(simple...); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		checkIdempotent(t, seed, g, raw, simple)
		for i := range raw {
			checkFormula(t, seed, g, raw[i], simple[i])
		}
	}
}

// randomFormula is an op on nodes of the pool, the last ones most of all.
func randomFormula(g *ir.Graph, rng *rand.Rand, pool []*ir.Node) *ir.Node {
	pick := func() *ir.Node {
		if rng.IntN(6) == 0 {
			v := []float64{0, 1, -1, 2, 0.5, 0.1, -3}[rng.IntN(7)]
			return g.Fill(v, pool[0].Type)
		}
		return pool[len(pool)-1-rng.IntN(min(len(pool), 5))]
	}
	a, b := pick(), pick()
	switch k := rng.IntN(20); {
	case k < 3:
		return g.Map("add", a, b)
	case k < 6:
		return g.Map("sub", a, b)
	case k < 10:
		return g.Map("mul", a, b)
	case k < 13:
		return g.Map("div", a, b)
	case k == 13:
		return g.Map("where", g.Map([]string{"gt", "le", "lt", "ge"}[rng.IntN(4)], a, g.Fill(0, a.Type)), b, pick())
	case k == 14:
		return g.Map("pow", a, g.Fill([]float64{2, 3, 0.5, -1, -0.5, 0, 5, 1.5}[rng.IntN(8)], a.Type))
	case k == 15:
		return g.Map([]string{"max", "min"}[rng.IntN(2)], a, b)
	}
	return g.Map([]string{"exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "tanh", "sigmoid", "softplus", "neg", "abs"}[rng.IntN(11)], a)
}

// checkFormula compares the values before and after at random points, where
// the formula is finite and not ill-conditioned.
func checkFormula(t *testing.T, seed uint64, g *ir.Graph, raw, simple *ir.Node) {
	t.Helper()
	for point := range uint64(3) {
		e := randomEvaluator(seed+point, nil, raw)
		near1 := randomEvaluator(seed+point, nil, raw)
		for _, v := range near1.Values {
			for i := range v.Data {
				v.Data[i] *= 1 + 1e-11
			}
		}
		want, _ := e.Eval(raw)
		shaken, _ := near1.Eval(raw)
		got, err := e.Eval(simple)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want.Data {
			finite := defined(e, raw, i) && !math.IsNaN(w) && math.Abs(w) < 1e12 && near(w, shaken.Data[i], 1e-9)
			if finite && !near(w, got.Data[i], 1e-7) {
				t.Fatalf("seed %d: %v, want %v\n%s\n%s", seed, got.Data[i], w, ir.Print(g, raw), ir.Print(g, simple))
			}
		}
	}
}

// defined reports whether every value below n is a number at element i: a
// comparison may hide one that is not, where(a > 0, a, 0) is max(a, 0) only of
// numbers, and 1/0 has the sign of a zero that another form need not have.
func defined(e *ir.Evaluator, n *ir.Node, i int) bool {
	for _, m := range ir.Topological(n) {
		v, err := e.Eval(m)
		if err != nil || math.IsNaN(v.Data[i%len(v.Data)]-v.Data[i%len(v.Data)]) {
			return false
		}
	}
	return true
}
