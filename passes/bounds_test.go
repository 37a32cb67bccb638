package passes

import (
	"testing"

	"gradgen.dev/ir"
)

// TestCover: slices of one axis that leave nothing out, and some that do.
func TestCover(t *testing.T) {
	g := ir.NewGraph()
	b, n := ir.DimVar("B"), ir.DimVar("T")
	type span struct{ start, limit ir.Dim }
	for _, c := range []struct {
		extent ir.Dim
		spans  []span
		want   bool
	}{
		{ir.D(3), []span{{ir.D(0), ir.D(1)}, {ir.D(2), ir.D(3)}, {ir.D(1), ir.D(2)}}, true},
		{ir.D(3), []span{{ir.D(0), ir.D(1)}, {ir.D(2), ir.D(3)}}, false},
		{ir.D(4), []span{{ir.D(0), ir.D(3)}, {ir.D(1), ir.D(4)}}, true},
		{ir.D(4), []span{{ir.D(0), ir.D(3)}}, false},
		{n, []span{{ir.D(0), n.Sub(ir.D(1))}, {ir.D(1), n}}, true},
		{n, []span{{ir.D(0), n.Sub(ir.D(1))}}, false},
		{n, []span{{ir.D(1), n}}, false},
		{n, []span{{ir.D(0), ir.D(2)}, {n.Sub(ir.D(1)), n}}, false},
		{n, nil, false},
	} {
		x := g.Leaf("input", "x", ir.Type{Elem: ir.Int32, Shape: ir.Shape{b, c.extent}})
		var cuts []*ir.Node
		for _, s := range c.spans {
			cuts = append(cuts, g.Slice(x, []ir.Dim{ir.D(0), s.start}, []ir.Dim{b, s.limit}, []int{1, 1}))
		}
		if have := cover(x.Type.Shape, cuts); have != c.want {
			t.Errorf("%v of %v: %v", c.spans, c.extent, have)
		}
	}
}

// TestCoverSteps: a slice by steps, or of two axes, covers nothing.
func TestCoverSteps(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Int32, Shape: ir.ShapeOf(2, 4)})
	d := func(n ...int) []ir.Dim { return ir.ShapeOf(n...) }
	for _, cut := range []*ir.Node{
		g.Slice(x, d(0, 0), d(2, 4), []int{1, 2}),
		g.Slice(x, d(0, 0), d(1, 3), []int{1, 1}),
		nil,
	} {
		if cover(x.Type.Shape, []*ir.Node{cut}) {
			t.Errorf("%v covers %v", cut, x.Type.Shape)
		}
	}
}
