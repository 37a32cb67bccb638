package irtest_test

import (
	"math"
	"testing"

	"gradgen.dev/ir"
	"gradgen.dev/ir/irtest"
)

// every is the kinds of random graphs that the tests below look at.
var every = []struct {
	name    string
	options irtest.Options
}{
	{"plain", irtest.Options{}},
	{"float32", irtest.Options{Float32: true}},
	{"odd", irtest.Options{Odd: true}},
	{"derivatives", irtest.Options{Derivatives: true, Odd: true, Size: 8}},
}

// checkWellTyped: what Random makes passes Check.
func checkWellTyped(t *testing.T, g *ir.Graph, roots []*ir.Node) {
	t.Helper()
	if err := ir.Check(roots...); err != nil {
		t.Fatalf("%v\n%s", err, ir.Print(g, roots...))
	}
}

// checkTame: without Odd every root has finite values.
func checkTame(t *testing.T, roots []*ir.Node, env *irtest.Env) {
	t.Helper()
	values, err := env.Evaluator().EvalAll(roots...)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		for _, x := range v.Data {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Fatalf("a root has the value %v", v.Data)
			}
		}
	}
}

// TestRandom makes graphs of every kind and checks what Random promises.
func TestRandom(t *testing.T) {
	for _, kind := range every {
		t.Run(kind.name, func(t *testing.T) {
			for seed := range uint64(60) {
				g, roots, env := irtest.Random(seed, kind.options)
				checkWellTyped(t, g, roots)
				if !kind.options.Odd {
					checkTame(t, roots, env)
				}
				h, again, _ := irtest.Random(seed, kind.options)
				if a, b := ir.Print(g, roots...), ir.Print(h, again...); a != b {
					t.Fatalf("seed %d gives\n%s\nand\n%s", seed, a, b)
				}
			}
		})
	}
}

// TestRandomCoversTable sees every op of the table in some random graph, so
// that what is tested over these graphs is tested over the table.
func TestRandomCoversTable(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(400) {
		_, roots, _ := irtest.Random(seed, irtest.Options{Size: 40, Derivatives: seed%10 == 0})
		count(seen, roots)
	}
	for _, name := range ir.OpNames {
		if !seen[name] {
			t.Errorf("no random graph has %s", name)
		}
	}
}

// count notes the ops below roots, those in regions included.
func count(seen map[string]bool, roots []*ir.Node) {
	for _, n := range ir.Topological(roots...) {
		seen[n.Op.Name] = true
		for _, r := range n.Body {
			count(seen, r.Results)
		}
	}
}
