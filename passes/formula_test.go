package passes

import (
	"slices"
	"strings"
	"testing"
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
