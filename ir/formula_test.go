package ir_test

import (
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// TestPrecedence: each formula is the node that the one beside it spells out.
func TestPrecedence(t *testing.T) {
	g := ir.NewGraph()
	env := map[string]*ir.Node{}
	for _, name := range []string{"a", "b", "c"} {
		env[name] = g.Leaf("input", name, vector)
	}
	for formula, want := range map[string]string{
		"a - b - c":          "sub(sub(a, b), c)",
		"a - (b - c)":        "sub(a, sub(b, c))",
		"a + b * c":          "add(a, mul(b, c))",
		"(a + b) * c":        "mul(add(a, b), c)",
		"a / b * c % a":      "mod(mul(div(a, b), c), a)",
		"-a * b":             "mul(neg(a), b)",
		"-(a * b)":           "neg(mul(a, b))",
		"a - -b":             "sub(a, neg(b))",
		"a + b < c * a":      "lt(add(a, b), mul(c, a))",
		"a >= b":             "ge(a, b)",
		"where(a != b, a,b)": "where(ne(a, b), a, b)",
		"-0.5 * a":           "mul(-0.5, a)",
		"1e-3 * a":           "mul(0.001, a)",
		"a # a comment":      "a",
	} {
		got, err := g.Formula(formula, env, vector)
		if err != nil {
			t.Errorf("%s: %v", formula, err)
			continue
		}
		if n, err := g.Formula(want, env, vector); err != nil || n != got {
			t.Errorf("%s is\n%swant %s (%v)", formula, ir.Print(g, got), want, err)
		}
	}
}

// TestNumbersTakeTypes: a number has the type of what stands beside it, or the
// one that is wanted.
func TestNumbersTakeTypes(t *testing.T) {
	g := ir.NewGraph()
	x, s := g.Leaf("input", "x", vector.Of(ir.Float32)), g.Leaf("input", "s", ir.Type{Elem: ir.Int64})
	env := map[string]*ir.Node{"x": x, "s": s}
	for formula, want := range map[string]ir.Type{
		"1":                         vector,
		"x + 1":                     x.Type,
		"2 * (x + 1)":               x.Type,
		"s * 2":                     s.Type,
		"where(s == 0, s, 1)":       s.Type,
		"where(1 < x, 0, x)":        x.Type,
		"where(x < 1, 0, 2)":        vector.Of(ir.Float32),
		"sum(x * 2, axes: [0]) + 1": {Elem: ir.Float32},
	} {
		wanted := vector
		if strings.HasPrefix(formula, "where(x < 1") {
			wanted = x.Type
		}
		n, err := g.Formula(formula, env, wanted)
		if err != nil || !n.Type.Equal(want) {
			t.Errorf("%s has type %v (%v), want %v", formula, n, err, want)
		}
	}
	if _, err := g.Formula("x + y", env, vector); err == nil || !strings.Contains(err.Error(), "called y") {
		t.Errorf("an unknown name gives %v", err)
	}
}

// TestMatch matches laws against formulas: names stand for values, twice for
// the same one; commuting operands are tried in both orders; attributes are
// bound too.
func TestMatch(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", vector)
	m := g.Leaf("input", "m", ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B"), ir.D(3)}})
	env := map[string]*ir.Node{"x": x, "m": m}
	for _, c := range []struct{ rule, formula, want string }{
		{"a * 1 = a", "x * 1", "x"},
		{"a * 1 = a", "1 * x", "x"},
		{"a - a = 0 * a", "x - x", "0 * x"},
		{"a - a = 0 * a", "x - exp(x)", ""},
		{"log(exp(a)) = a", "log(exp(x))", "x"},
		{"a * b + a * c = a * (b + c)", "sin(x) * x + cos(x) * x", "x * (sin(x) + cos(x))"},
		{"sum(a * 2, axes: A) = 2 * sum(a, axes: A)", "sum(m * 2, axes: [1])", "2 * sum(m, axes: [1])"},
		{"sum(a + b, axes: A) = sum(a, axes: A) + sum(b, axes: A)", "sum(m + m * m, axes: [0])", "sum(m, axes: [0]) + sum(m * m, axes: [0])"},
	} {
		rule, err := ir.ParseRule(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		n, err := g.Formula(c.formula, env, vector)
		if err != nil {
			t.Fatal(err)
		}
		match := ir.NewMatch()
		if got := match.Node(rule.Left, n); got != (c.want != "") {
			t.Errorf("%s matches %s: %v", c.rule, c.formula, got)
		}
		if c.want == "" {
			if len(match.Nodes) > 0 {
				t.Errorf("%s, which does not match, binds names", c.rule)
			}
			continue
		}
		got, err := match.Build(g, rule.Right, n.Type)
		want, err2 := g.Formula(c.want, env, n.Type)
		if err != nil || err2 != nil || got != want {
			t.Errorf("%s makes of %s: %v (%v, %v), want %s", c.rule, c.formula, got, err, err2, c.want)
		}
	}
	if _, err := ir.ParseRule("a * 1"); err == nil {
		t.Error("a rule without right side is read")
	}
}
