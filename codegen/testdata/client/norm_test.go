package norm

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

// The running means move in a step, and are saved; evaluation leaves them.
func TestStates(t *testing.T) {
	m, batch := normSample(Dims{B: 9})
	before := slices.Clone(m.states.float64s)
	var totals Totals
	if err := m.Evaluate(&totals, batch); err != nil || !slices.Equal(before, m.states.float64s) {
		t.Errorf("Evaluate moves the states, error %v", err)
	}
	if _, err := m.Step(batch); err != nil || slices.Equal(before, m.states.float64s) {
		t.Errorf("Step leaves the states, error %v", err)
	}
	var file bytes.Buffer
	if err := m.Save(&file); err != nil {
		t.Fatal(err)
	}
	n := New(Dims{B: 9})
	if err := n.Load(&file); err != nil || !slices.Equal(n.states.float64s, m.states.float64s) {
		t.Errorf("Load leaves the states, error %v", err)
	}
}

// Metrics over a data set are those of the whole, not means of means.
func TestMetrics(t *testing.T) {
	m, batch := normSample(Dims{B: 9})
	var whole, parts Totals
	if err := m.Evaluate(&whole, batch); err != nil {
		t.Fatal(err)
	}
	for _, cut := range [][2]int{{0, 2}, {2, 9}} {
		from, to := cut[0], cut[1]
		if err := m.Evaluate(&parts, Batch{X: batch.X[6*from : 6*to], T: batch.T[3*from : 3*to]}); err != nil {
			t.Fatal(err)
		}
	}
	var want []float64
	whole.Report().Each(func(_ string, v float64) { want = append(want, v) })
	parts.Report().Each(func(name string, v float64) {
		if math.Abs(v-want[0]) > 1e-12*(1+math.Abs(want[0])) {
			t.Errorf("%s in parts %v, of the whole %v", name, v, want[0])
		}
		want = want[1:]
	})
}
