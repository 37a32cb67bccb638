package passes

import (
	"slices"
	"testing"

	"gradgen.dev/ir"
)

// TestHits takes a row's element for its product with a one-hot only where the
// index is known to lie within the row: what is none adds up to 0.
func TestHits(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("N"), ir.D(5)}})
	ids := g.Leaf("input", "ids", ir.Type{Elem: ir.Int32, Shape: ir.Shape{ir.DimVar("N")}})
	for _, c := range []struct {
		hot   *ir.Node
		picks bool
	}{
		{g.OneHot(ids, ir.D(5), ir.Float64), true},
		{g.Hits(ids, ir.D(5), ir.Float64), false},
	} {
		out := Simplify(g, g.Sum(g.Map("mul", x, c.hot), []int{1}))
		if got := slices.ContainsFunc(ir.Topological(out...), func(n *ir.Node) bool { return n.Is("pick") }); got != c.picks {
			t.Errorf("a pick is %v, want %v: %v", got, c.picks, out[0])
		}
	}

	// The derivative of the scatter of such indices picks nothing either.
	added := g.Sum(g.Map("mul", g.Spread(g.Leaf("input", "z", ids.Type.Of(ir.Float64)), x.Type.Shape, []int{1}), g.Hits(ids, ir.D(5), ir.Float64)), []int{0})
	y := g.Sum(g.Map("mul", added, added), []int{0})
	slope := Simplify(g, Gradient(g, g.Must("grad", ir.Attr{}, y, g.Leaf("input", "z", ids.Type.Of(ir.Float64))))...)
	ev := &ir.Evaluator{Dims: map[string]int{"N": 3}, Values: map[string]*ir.Tensor{
		"input z": {Shape: []int{3}, Data: []float64{1, 2, 3}}, "input ids": {Shape: []int{3}, Data: []float64{-1, 4, 5}}}}
	got, err := ev.Eval(slope[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{0, 4, 0}; !slices.Equal(got.Data, want) {
		t.Errorf("%v, want %v", got.Data, want)
	}
}
