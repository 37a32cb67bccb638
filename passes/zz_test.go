package passes

import (
	"fmt"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

func TestZZ(t *testing.T) {
	for depth := 16; depth < 17; depth+=8 {
		g := ir.NewGraph()
		typ := ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2)}
		x, y := g.Leaf("input", "x", typ), g.Leaf("input", "y", typ)
		x0 := x
		for i := range depth {
			w := g.Leaf("param", fmt.Sprint("w", i), x.Type)
			x = g.Map("add", x, g.Map("tanh", g.Map("mul", w, g.Map("sub", x, y))))
		}
		d := reverse(g, x, g.Leaf("input", "d", typ), x0, y)
		step := func(r []*ir.Node) []*ir.Node {
			s := newSimplifier(g, r)
			out := make([]*ir.Node, len(r))
			for i, n := range r {
				out[i] = s.node(n)
			}
			return out
		}
		a := append(nonNil(d), x)
		for range 6 {
			a = step(a)
		}
		b := step(a)
		s := newSimplifier(g, a)
		for i, n := range a {
			_ = i
			s.node(n)
		}
		for _, n := range ir.Topological(a...) {
			if m := s.done[n]; m != nil && m != n {
				same := true
				for _, x := range n.Args {
					if s.done[x] != x {
						same = false
					}
				}
				tt := s.product(n)
				ids := []int{}
				for _, f := range tt.factors {
					ids = append(ids, f.atom.ID, f.power)
				}
				pids := []int{}
				for _, f := range tt.parts {
					pids = append(pids, f.ID)
				}
				t.Log(n.ID, n.Op.Name, n.Args[0].ID, n.Args[1].ID, s.shared[n], "->", m.ID, m.Op.Name, m.Args[0].ID, m.Args[1].ID, same, ids, pids)
			}
		}
		for i := range a {
			if a[i] != b[i] {
				x, y := strings.Split(ir.Print(g, a[i]), "\n"), strings.Split(ir.Print(g, b[i]), "\n")
				t.Log(i, "\n", strings.Join(x[len(x)-45:], "\n"), "\n -------------\n", strings.Join(y[len(y)-45:], "\n"))
			}
		}
		for i := range a {
			if a[i] != b[i] {
				t.Fatal(depth, i)
			}
		}
	}
}
