package passes

import (
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
