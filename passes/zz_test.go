package passes

import (
	"fmt"
	"testing"
	"time"

	"gradgen.dev/ir"
)

func TestZZ(t *testing.T) {
	for depth := 8; depth < 50; depth+=8 {
		g := ir.NewGraph()
		typ := ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2)}
		x, y := g.Leaf("input", "x", typ), g.Leaf("input", "y", typ)
		x0 := x
		for i := range depth {
			w := g.Leaf("param", fmt.Sprint("w", i), x.Type)
			x = g.Map("add", x, g.Map("tanh", g.Map("mul", w, g.Map("sub", x, y))))
		}
		d := reverse(g, x, g.Leaf("input", "d", typ), x0, y)
		t0 := time.Now()
		id0 := g.Leaf("input", "q", typ).ID
		a := Simplify(g, append(nonNil(d), x)...)
		t.Log(depth, time.Since(t0), g.Leaf("input", "q2", typ).ID-id0)
		b := Simplify(g, a...)
		c := Simplify(g, b...)
		for i := range a {
			if a[i] != b[i] {
				t.Fatal(depth, i, "\n", ir.Print(g, a[i]), ir.Print(g, b[i]), ir.Print(g, c[i]))
			}
		}
	}
}
