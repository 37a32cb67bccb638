package gan

import (
	"math"
	"slices"
	"testing"
)

// A step of one loss needs its inputs alone, trains its parameters alone and
// reports its numbers alone.
func TestStepOfOneLoss(t *testing.T) {
	m, batch := ganSample(Dims{B: 5, M: 6})
	before := slices.Clone(m.params.flat)
	first := len(m.params.GenDenseW) + len(m.params.GenDenseB) + len(m.params.GenDense2W) + len(m.params.GenDense2B)
	for i := range 2 {
		r, err := m.StepG(Batch{Z: batch.Z})
		if err != nil || r.G == 0 || r.D != 0 || r.Score != 0 || r.GradNorm != 0 {
			t.Fatalf("StepG reports %+v, error %v", r, err)
		}
		if same := slices.Equal(m.params.flat, before); same != (i == 0) {
			t.Errorf("after %d micro-batches of 2 the parameters are the same: %v", i+1, same)
		}
	}
	if !slices.Equal(m.params.flat[first:], before[first:]) || slices.Equal(m.params.flat[:first], before[:first]) {
		t.Error("StepG trains other parameters than the generator's")
	}
	before = slices.Clone(m.params.flat)
	r, err := m.StepD(batch)
	if err != nil || r.D == 0 || r.G != 0 || r.Score == 0 || r.GradNorm == 0 {
		t.Fatalf("StepD reports %+v, error %v", r, err)
	}
	if slices.Equal(m.params.flat[first:], before[first:]) || !slices.Equal(m.params.flat[:first], before[:first]) {
		t.Error("StepD trains other parameters than the critic's")
	}
	if _, err := m.StepD(Batch{Z: batch.Z, Dims: Dims{B: 5}}); err == nil {
		t.Error("StepD without Real: no error")
	}
	if m.StepsD() != 1 || m.StepsG() != 1 || m.Steps() != 2 {
		t.Errorf("%d, %d, %d steps", m.StepsD(), m.StepsG(), m.Steps())
	}
}

// Evaluate reports all of the losses, with the averages of the parameters that
// have one.
func TestEvaluateReadsAverages(t *testing.T) {
	m, batch := ganSample(Dims{B: 5, M: 6})
	old := slices.Clone(m.params.GenDense2B)
	for range 2 {
		if _, err := m.StepG(batch); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range m.averages.genDense2BGAverage {
		if want := 0.5*old[i] + 0.5*m.params.GenDense2B[i]; math.Abs(float64(v-want)) > 1e-6 {
			t.Errorf("average %d is %v, want %v", i, v, want)
		}
	}
	var totals Totals
	if err := m.Evaluate(&totals, batch); err != nil {
		t.Fatal(err)
	}
	r, w := totals.Report(), m.Snapshot()
	if !slices.Equal(w.params.GenDense2B, m.averages.genDense2BGAverage) || !slices.Equal(w.params.CriticDenseW, m.params.CriticDenseW) {
		t.Error("Snapshot has neither the averages nor the parameters")
	}
	copy(m.params.flat, w.params.flat)
	g, err := m.GradG(NewParams(), batch)
	if err != nil || math.Abs(g.G-r.G) > 1e-5 || r.D == 0 || r.Score == 0 {
		t.Errorf("Evaluate reports %+v, with the averages as parameters %+v, error %v", r, g, err)
	}
}
