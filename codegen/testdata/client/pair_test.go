package pair

import (
	"slices"
	"testing"
)

// Weights.Predict is call 0 of a Predictor; the calls after it draw anew, and
// the same seed gives the same draws.
func TestDraws(t *testing.T) {
	m := NewGen(GenDims{B: 3})
	m.Init(5)
	in := GenInput{NRows: []float32{1, 2, 3}}
	w := m.Snapshot()
	once, err := w.Predict(in)
	if err != nil {
		t.Fatal(err)
	}
	p := NewGenPredictor(w, GenDims{B: 3})
	var first, second GenOutput
	if err := p.Predict(&first, in); err != nil {
		t.Fatal(err)
	}
	if err := p.Predict(&second, in); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(once.H, first.H) || slices.Equal(first.H, second.H) {
		t.Errorf("once %v, then %v and %v", once.H, first.H, second.H)
	}
}

// A failed or an evaluated batch does not move the generator on.
func TestCalls(t *testing.T) {
	m, n := NewGen(GenDims{B: 3}), NewGen(GenDims{B: 3})
	b := GenBatch{NRows: []float32{1, 2, 3}}
	var totals GenTotals
	if err := n.Evaluate(&totals, b); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Step(GenBatch{NRows: make([]float32, 4)}); err == nil {
		t.Fatal("a batch above the capacity is taken")
	}
	for range 3 {
		x, errX := m.Step(b)
		y, errY := n.Step(b)
		if errX != nil || errY != nil || x != y {
			t.Fatalf("%v, %v and %v, %v", x, errX, y, errY)
		}
	}
}
