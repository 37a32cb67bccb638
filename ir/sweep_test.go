package ir_test

import (
	"slices"
	"testing"

	"gradgen.dev/ir"
)

// sweep is the cotangents of wrt where dy is that of y: one reverse sweep over
// the graph that applies each row's VJP and adds up. It is nil where y does not
// depend on a leaf through rows with a derivative. Every cotangent must have the
// type of its value.
func sweep(t *testing.T, g *ir.Graph, y, dy *ir.Node, wrt ...*ir.Node) []*ir.Node {
	t.Helper()
	order := ir.Topological(y)
	cotangent := map[*ir.Node]*ir.Node{y: dy}
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		if cotangent[n] == nil || n.Op.VJP == nil {
			continue
		}
		for k, a := range n.Args {
			if !a.Type.Elem.IsFloat() {
				continue
			}
			da := n.Op.VJP(g, n, cotangent[n], k)
			if da != nil && !da.Type.Equal(a.Type) {
				t.Fatalf("the cotangent of operand %d of %s is %v, want %v", k, n.Op.Name, da.Type, a.Type)
			}
			cotangent[a] = g.Add(cotangent[a], da)
		}
	}
	out := make([]*ir.Node, len(wrt))
	for i, x := range wrt {
		out[i] = cotangent[x]
	}
	return out
}

// inner is the sum over all elements of a·b.
func inner(g *ir.Graph, a, b *ir.Node) *ir.Node {
	axes := make([]int, a.Type.Rank())
	for i := range axes {
		axes[i] = i
	}
	return g.Sum(g.Map("mul", a, b), axes)
}

// eval is the value of a scalar.
func eval(t *testing.T, ev *ir.Evaluator, n *ir.Node) float64 {
	t.Helper()
	v, err := ev.Eval(n)
	if err != nil {
		t.Fatal(err)
	}
	return v.Data[0]
}

// values is the elements of n.
func values(t *testing.T, ev *ir.Evaluator, n *ir.Node) []float64 {
	t.Helper()
	v, err := ev.Eval(n)
	if err != nil {
		t.Fatal(err)
	}
	return v.Data
}

// identical reports whether a and b are the same numbers, NaN equal to NaN and
// -0 to 0.
func identical(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || x != x && y != y })
}
