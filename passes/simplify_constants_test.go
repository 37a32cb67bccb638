package passes

import (
	"math"
	"testing"

	"gradgen.dev/ir"
)

// exact is formulas of x, v (of rank 2 and 1), s (a scalar), i and c (integers
// and a condition like x), and what they must become, node for node.
var exact = []struct {
	elem       ir.DType
	before, to string
}{
	// Numbers that are not finite stay what they are.
	{ir.Float64, "fill(0) * fill(inf)", "fill(nan)"},
	{ir.Float64, "fill(inf) - fill(inf)", "fill(nan)"},
	{ir.Float64, "fill(inf) / fill(inf)", "fill(nan)"},
	{ir.Float64, "fill(0) / fill(0)", "fill(nan)"},
	{ir.Float64, "x + fill(inf) - fill(inf)", "x + fill(nan)"},
	{ir.Float64, "fill(inf) * x * fill(0)", "fill(nan) * x"},
	{ir.Float64, "fill(1) / fill(0)", "fill(inf)"},
	{ir.Float64, "where(c, x, fill(-inf))", "where(c, x, fill(-inf))"},
	{ir.Float64, "x / fill(inf)", "fill(0)"},
	{ir.Float64, "x + fill(nan)", "x + fill(nan)"},

	// Coefficients are exact where numbers are.
	{ir.Float64, "x * fill(0.1) * fill(10)", "x"},
	{ir.Float64, "x / fill(49) * fill(49)", "x"},
	{ir.Float64, "fill(0.1) * x + fill(0.2) * x - fill(0.3) * x", "fill(0)"},
	{ir.Float64, "fill(0.9999999999999999) * x", "fill(0.9999999999999999) * x"},
	{ir.Float64, "x - fill(1e-300)", "x - fill(1e-300)"},
	{ir.Float64, "fill(1e200) * (fill(1e200) * x)", "fill(1e200) * (fill(1e200) * x)"},
	{ir.Float32, "fill(1e30) * (fill(1e30) * x)", "fill(1e30) * (fill(1e30) * x)"},
	{ir.Float32, "fill(1e-30) * (fill(1e-30) * x)", "fill(1e-30) * (fill(1e-30) * x)"},

	// What cancels over the reals cancels.
	{ir.Float64, "x - x", "fill(0)"},
	{ir.Float64, "x / x", "fill(1)"},
	{ir.Float64, "x * fill(2) / x - fill(1)", "fill(1)"},
	{ir.Float64, "sqrt(x) * sqrt(x)", "x"},
	{ir.Float64, "rsqrt(x) * x", "sqrt(x)"},
	{ir.Float64, "rsqrt(x) * sqrt(x)", "fill(1)"},
	{ir.Float64, "pow(x, fill(2)) / x", "x"},
	{ir.Float64, "pow(x, fill(1.5)) / sqrt(x)", "x"},
	{ir.Float64, "pow(x, fill(0))", "fill(1)"},
	{ir.Float64, "pow(x, fill(17))", "pow(x, fill(17))"},
	{ir.Float64, "pow(x, fill(0.3))", "pow(x, fill(0.3))"},
	{ir.Float64, "where(c, x / x, fill(0))", "where(c, fill(1), fill(0))"},

	// A choice guards what it does not choose.
	{ir.Float64, "where(c, x * log(x), fill(0))", "where(c, x * log(x), fill(0))"},
	{ir.Float64, "where(c, fill(3) * x, fill(0))", "fill(3) * where(c, x, fill(0))"},
	{ir.Float64, "where(c, fill(3), fill(0))", "where(c, fill(3), fill(0))"},
	{ir.Float64, "where(c, -x, fill(0))", "-where(c, x, fill(0))"},

	// Integers have sums and products, and no quotients.
	{ir.Int32, "fill(49) * i + fill(49) * j", "fill(49) * (i + j)"},
	{ir.Int32, "i - i", "fill(0)"},
	{ir.Int32, "floordiv(fill(2) * i, fill(2))", "floordiv(fill(2) * i, fill(2))"},
	{ir.Int32, "mod(i + j - j, fill(3))", "mod(i, fill(3))"},
	{ir.Int32, "floordiv(fill(-7), fill(2))", "fill(-4)"},
	{ir.Int32, "i * fill(0)", "fill(0)"},

	// Conditions.
	{ir.Float64, "where(and(c, gt(fill(1), fill(0))), x, fill(1))", "where(c, x, fill(1))"},
	{ir.Float64, "where(or(c, gt(fill(0), fill(1))), x, fill(1))", "where(c, x, fill(1))"},
	{ir.Float64, "where(or(c, gt(fill(1), fill(0))), x, fill(1))", "x"},
	{ir.Float64, "where(x == x, x, fill(0))", "where(x == x, x, fill(0))"},
	{ir.Int32, "where(i == i, i, fill(0))", "i"},
}

// TestSimplifyExactly checks the table above.
func TestSimplifyExactly(t *testing.T) {
	for _, c := range exact {
		g := ir.NewGraph()
		typ := ir.Type{Elem: c.elem, Shape: ir.ShapeOf(2, 3)}
		env := map[string]*ir.Node{
			"x": g.Leaf("input", "x", typ), "i": g.Leaf("input", "i", typ), "j": g.Leaf("input", "j", typ),
			"c": g.Leaf("input", "c", typ.Of(ir.Bool)),
		}
		parse := func(text string) *ir.Node {
			e, err := ir.ParseExpr(text)
			if err != nil {
				t.Fatal(err)
			}
			n, err := g.BuildExpr(filled(e), env, typ)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			return n
		}
		got, want := Simplify(g, parse(c.before))[0], parse(c.to)
		if want.Is("neg") && want.Args[0].IsConstant() {
			want = Simplify(g, want)[0]
		}
		if got != want {
			t.Errorf("%v: %s becomes\n%s", c.elem, c.before, ir.Print(g, got))
		}
	}
}

// filled is e with fill(v) as the number v, which takes its type from beside.
func filled(e *ir.Expr) *ir.Expr {
	if e.Op == "fill" {
		return e.Args[0]
	}
	out := *e
	out.Args = make([]*ir.Expr, len(e.Args))
	for i, a := range e.Args {
		out.Args[i] = filled(a)
	}
	return &out
}

// TestScalarsAreWide: what comes from float64 scalars is multiplied in float64
// and converted once.
func TestScalarsAreWide(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float32, Shape: ir.Shape{ir.DimVar("B")}})
	rate := g.Leaf("hyper", "lr", ir.Type{Elem: ir.Float64})
	size := g.Size(ir.DimVar("B"), ir.Float32)
	spread := func(n *ir.Node) *ir.Node { return g.Broadcast(n, x.Type.Shape) }

	wide := g.Map("mul", g.Map("div", x, spread(size)), spread(g.Cast(rate, ir.Float32)))
	got := Simplify(g, wide)[0]
	if got.Is("mul") {
		got = viewed(got.Args[0])
	}
	if !got.Is("cast") || got.Args[0].Type.Elem != ir.Float64 || !got.Args[0].Is("div") {
		t.Errorf("lr/B in front of x is\n%s", ir.Print(g, got))
	}

	// An extent over itself is 1, in whichever type the two are written.
	cancels := g.Map("mul", g.Map("div", x, spread(size)), spread(g.Cast(g.Size(ir.DimVar("B"), ir.Float64), ir.Float32)))
	if got := Simplify(g, cancels)[0]; got != x {
		t.Errorf("x/B·B is\n%s", ir.Print(g, got))
	}
	ratio := g.Map("div", size, g.Cast(g.Size(ir.DimVar("B"), ir.Float64), ir.Float32))
	if v, ok := Simplify(g, ratio)[0].Literal(); !ok || v != 1 {
		t.Error("B/B is not 1")
	}
}

// TestFoldRounds: a constant is folded to a number of its type.
func TestFoldRounds(t *testing.T) {
	g := ir.NewGraph()
	for _, elem := range []ir.DType{ir.Float32, ir.Float64} {
		third := g.Map("exp", g.Const(0.1, elem))
		v, ok := Simplify(g, third)[0].Literal()
		want := math.Exp(0.1)
		if elem == ir.Float32 {
			want = float64(float32(math.Exp(float64(float32(0.1)))))
		}
		if !ok || v != want {
			t.Errorf("exp(0.1) of %v is %v, want %v", elem, v, want)
		}
	}
}

// TestSimplifyEmpty simplifies what is summed over no element.
func TestSimplifyEmpty(t *testing.T) {
	for _, d := range derivations {
		for i := range d.forward {
			g, env := d.parse(t, i)
			simple := Simplify(g, env["y"])
			dims := map[string]int{"B": 0, "K": 4, "M": 0, "N": 0, "T": 0}
			e := randomEvaluator(1, dims, env["y"])
			want, err := e.Eval(env["y"])
			if err != nil {
				continue // an index into nothing
			}
			got, err := e.Eval(simple[0])
			if err != nil {
				t.Errorf("%s: %v", d.forward[i], err)
				continue
			}
			for k, w := range want.Data {
				if !math.IsNaN(w) && !math.IsInf(w, 0) && !near(w, got.Data[k], 1e-12) {
					t.Errorf("%s: %v, want %v", d.forward[i], got.Data[k], w)
				}
			}
		}
	}
}
