package passes

import (
	"slices"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// A reduction before a sign of multiplication or division is in parentheses:
// without them the factor behind it would read as part of its operand.
func TestReductionAsLeftFactor(t *testing.T) {
	cases := []struct{ name, program, want string }{
		{
			"sum", "export fn f(a [N, M], b [N]) [] = sum(exp(sum(a, axis: 1)*b))\n    derive grad(b)",
			"grad = (Σⱼ a) ⊙ exp(b ⊙ Σⱼ a)",
		},
		{
			"sum of a product", "export fn f(a [N, M], b [N, M]) [] = sum(sum(a*b, axis: 1)^3)\n    derive grad(a)",
			"grad = 3·(Σⱼ a ⊙ b)²·b",
		},
		{
			"largest", "export fn f(a [N, M], b [N, M]) [] = sum(max(a, axis: 1, keep: true)*b)",
			"f = Σ (max a)·b",
		},
		{
			"largest of a product", "export fn f(a [N, M], b [N, M]) [] = sum(max(a*b, axis: 1))",
			"f = Σ max (a ⊙ b)",
		},
		{
			"numerator", "export fn f(a [N, M], b [N]) [] = sum(exp(sum(a, axis: 1)/b))",
			"f = Σ exp((Σⱼ a)/b)",
		},
	}
	for _, c := range cases {
		plan, err := compileText(t, c.program)
		if err != nil {
			t.Fatal(c.name, err)
		}
		var got []string
		for _, e := range plan.Funcs[0].Entries {
			for _, s := range e.Proc.Steps {
				got = append(got, s.Formulas...)
			}
		}
		if !slices.Contains(got, c.want) {
			t.Errorf("%s: want %s among\n%s", c.name, c.want, strings.Join(got, "\n"))
		}
	}
}

// Factors before names, extents and ranges are as one writes them.
func TestSpellingOfFactors(t *testing.T) {
	b, n, k := ir.DimVar("B"), ir.DimVar("N"), ir.DimVar("K")
	one := ir.D(1)
	names := newNaming(ir.NewGraph())
	for _, c := range []struct {
		f    scale
		want string
	}{
		{scale{1, one, one}, ""},
		{scale{-1, b, one}, "−B·"},
		{scale{2, b, one}, "2·B·"},
		{scale{0.5, b.Mul(ir.D(2)), one}, "B·"},
		{scale{1 / float64(float32(1/0.9)), b, one}, "0.9·B·"},
		{scale{1, n.Sub(one), b}, "((N − 1)/B)·"},
		{scale{1, b.Mul(n), b.Mul(n)}, ""},
		{scale{-3, one, k}, "−(3/K)·"},
	} {
		if got := names.scaleText(c.f); got != c.want {
			t.Errorf("%v: %s, want %s", c.f, got, c.want)
		}
	}
	for _, c := range []struct {
		start, limit, of ir.Dim
		step             int
		want             string
	}{
		{ir.D(0), n.Sub(k).Add(one), n, 1, ":N−K+1"},
		{one, n, n, 1, "1:"},
		{ir.D(0), n.Sub(ir.D(3)), n, 1, ":−3"},
		{ir.D(0), n, n, 2, "::2"},
		{k, k.Add(one), n, 1, "K"},
	} {
		if got := rangeText(c.start, c.limit, c.of, c.step); got != c.want {
			t.Errorf("[%v:%v] of %v: %s, want %s", c.start, c.limit, c.of, got, c.want)
		}
	}
}

// Numbers before a name are multiplied; a minus stands once, and first without
// parentheses.
func TestFoldedNumbers(t *testing.T) {
	g := ir.NewGraph()
	typ := ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.D(3)}}
	x, y := g.NewArg(typ), g.NewArg(typ)
	n := newNaming(g)
	n.show(y, "y")
	n.show(x, "2·B·x")
	n.scaled[x] = scaled{scale{2, ir.DimVar("B"), ir.D(1)}, "x"}
	half := g.Fill(0.5, typ)
	for _, c := range []struct {
		node *ir.Node
		want string
	}{
		{g.Map("mul", half, x), "B·x"},
		{g.Map("mul", g.Fill(-0.5, typ), x), "−B·x"},
		{g.Map("mul", g.Fill(-0.5, typ), y), "−0.5·y"},
		{g.Map("sub", y, g.Map("mul", g.Fill(-0.5, typ), y)), "y + 0.5·y"},
		{g.Map("add", y, g.Map("neg", y)), "y − y"},
		{g.Sum(g.Map("neg", y), []int{0}), "Σ (−y)"},
	} {
		if got := n.body(c.node, 0); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
