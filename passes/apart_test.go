package passes

import (
	"math/rand/v2"
	"testing"

	"gradgen.dev/ir"
)

// TestApart compares the division of boxes along their axes with the test of
// all pairs, for boxes that often touch and sometimes overlap.
func TestApart(t *testing.T) {
	divided := 0
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		g := ir.NewGraph()
		rank := 1 + rng.IntN(3)
		whole := ir.Shape{ir.D(24), ir.D(6), ir.D(6)}[:rank]
		var places []*ir.Node
		for range 1 + rng.IntN(4) {
			steps, starts, shape := make([]int, rank), make([]ir.Dim, rank), make(ir.Shape, rank)
			for i := range rank {
				most, _ := whole[i].Const()
				size := 1 + rng.IntN(most/2)
				starts[i], shape[i], steps[i] = ir.D(rng.IntN(most-size+1)), ir.D(size), 1
				if size == 2 && rng.IntN(4) == 0 {
					steps[i], starts[i] = 2, ir.Dim{}
				}
			}
			x := g.NewArg(ir.Type{Elem: ir.Float64, Shape: shape})
			places = append(places, g.Must("place", ir.Attr{Dims: whole, Limits: starts, Steps: steps}, x))
		}
		got, want := apart(places), pairsApart(places)
		if got != want {
			t.Fatalf("seed %d: apart is %v, of all pairs %v: %s", seed, got, want, regionsOf(places))
		}
		if got && len(places) > 1 {
			divided++
		}
	}
	if divided < 100 {
		t.Errorf("only %d of the lists had several boxes that were apart", divided)
	}
}

// regionsOf is where places lie.
func regionsOf(places []*ir.Node) string {
	text := ""
	for _, p := range places {
		text += region(p) + " "
	}
	return text
}
