package clip

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"gradgen.dev/runtime/fault"
)

// norm64 is the norm of a slice.
func norm64(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// The update is the rule for the mean of three gradients, of norm 0.5 at most;
// what is frozen stays.
func TestUpdate(t *testing.T) {
	m, batch := clipSample(Dims{B: 4})
	batches := []Batch{batch, batch, batch}
	for k := range batches {
		batches[k].T = slices.Clone(batch.T)
		for i := range batches[k].T {
			batches[k].T[i] += float32(3 * k)
		}
	}

	// The mean, by Grad.
	mean, g := make([]float64, len(m.params.flat)), NewParams()
	for _, b := range batches {
		if _, err := m.Grad(g, b); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(g.BodyB, func(v float32) bool { return v != 0 }) {
			t.Errorf("the gradient of what is frozen is %v", g.BodyB)
		}
		for i, v := range g.flat {
			mean[i] += float64(v) / 3
		}
	}
	sum := 0.0
	for _, v := range mean {
		sum += v * v
	}
	norm := math.Sqrt(sum)
	if norm < 1 {
		t.Fatalf("a norm of %v tests nothing", norm)
	}

	// The same by Step.
	before := slices.Clone(m.params.flat)
	body, frozen := len(m.params.BodyW), len(m.params.BodyW)+len(m.params.BodyB)
	for k, b := range batches {
		r, err := m.Step(b)
		if err != nil || (r.GradNorm != 0) != (k == 2) || m.Steps() != uint64(k/2) {
			t.Fatalf("micro-batch %d: %+v, %d steps, error %v", k, r, m.Steps(), err)
		}
		if k == 2 && math.Abs(r.GradNorm-norm) > 1e-5*norm {
			t.Errorf("the norm is %v, want %v", r.GradNorm, norm)
		}
	}
	for i, v := range m.params.flat {
		rate := 1.0
		switch {
		case i >= frozen:
			rate = 0.1
		case i >= body:
			rate = 0
		}
		want := float64(before[i]) - rate*0.5/norm*mean[i]
		if math.Abs(float64(v)-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("parameter %d is %v, want %v", i, v, want)
		}
	}
}

// A gradient that is not finite is an error before anything is written.
func TestNotFinite(t *testing.T) {
	m, batch := clipSample(Dims{B: 4})
	if _, err := m.Step(batch); err != nil {
		t.Fatal(err)
	}

	// Inputs and weights whose products are moderate: the loss is finite, the
	// gradient, which is the inputs times something, is not.
	for i := range m.params.BodyW {
		m.params.BodyW[i] = 1e-38
	}
	huge := Batch{X: slices.Clone(batch.X), T: slices.Clone(batch.T)}
	for i := range huge.X {
		huge.X[i] = 1e37
	}
	for i := range huge.T {
		huge.T[i] = 1000
	}
	var before, after bytes.Buffer
	if err := m.Checkpoint(&before); err != nil {
		t.Fatal(err)
	}
	_, err := m.Step(huge)
	if !errors.Is(err, fault.ErrNotFinite) {
		t.Errorf("Step: error %v", err)
	}
	if _, err := m.Grad(NewParams(), huge); !errors.Is(err, fault.ErrNotFinite) {
		t.Errorf("Grad: error %v", err)
	}
	if err := m.Checkpoint(&after); err != nil || !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Errorf("something has changed, error %v", err)
	}
	g := NewParams()
	g.HeadB[0] = float32(math.NaN())
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, fault.ErrNotFinite) || m.Steps() != 0 {
			t.Errorf("Update of NaN: %v", err)
		}
	}()
	m.Update(g)
}

// Save has the averages, Load sets both, a checkpoint keeps both.
func TestAverages(t *testing.T) {
	m, batch := clipSample(Dims{B: 4})
	for range 3 {
		if _, err := m.Step(batch); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Equal(m.averages.headWAverage, m.params.HeadW) {
		t.Fatal("the averages are the parameters")
	}
	var file bytes.Buffer
	if err := m.Save(&file); err != nil {
		t.Fatal(err)
	}
	n := New(Dims{B: 4})
	if err := n.Load(&file); err != nil || !slices.Equal(n.params.HeadW, m.averages.headWAverage) || !slices.Equal(n.averages.headWAverage, m.averages.headWAverage) {
		t.Errorf("Load does not set parameters and averages to the averages, error %v", err)
	}
	if !slices.Equal(n.params.BodyB, m.params.BodyB) {
		t.Error("what is frozen has no average and is not loaded")
	}
	if err := m.Checkpoint(&file); err != nil {
		t.Fatal(err)
	}
	if err := n.Restore(&file); err != nil || !slices.Equal(n.params.flat, m.params.flat) || !slices.Equal(n.averages.headWAverage, m.averages.headWAverage) {
		t.Errorf("Restore does not set both, error %v", err)
	}
}

// A norm below the limit leaves the gradient as it is, to the bit.
func TestClipFactor(t *testing.T) {
	m, _ := clipSample(Dims{B: 4})
	for _, c := range []struct{ norm, want float64 }{{0, 1}, {0.25, 1}, {0.5, 1}, {1, 0.5}, {5, 0.1}} {
		if got := m.clip(c.norm); got != c.want {
			t.Errorf("a norm of %v counts by %v, want %v", c.norm, got, c.want)
		}
	}
	g := NewParams()
	for i := range g.flat {
		g.flat[i] = 1
	}
	if got, want := m.norm(g), math.Sqrt(float64(len(g.flat)-len(g.BodyB))); math.Abs(got-want) > 1e-12 {
		t.Errorf("the norm is %v, want %v, without what is frozen", got, want)
	}
}

func TestClipValue(t *testing.T) {
	m := NewValue(ValueDims{B: 1})
	r, err := m.Step(ValueBatch{X: []float32{3, -0.125, -4}})
	want := []float32{1 - 0.25, 1 + 0.125, 1 + 0.25}
	if err != nil || !slices.Equal(m.params.W, want) || math.Abs(r.GradNorm-norm64([]float32{3, -0.125, -4})) > 1e-6 {
		t.Errorf("parameters %v, want %v, report %+v, error %v", m.params.W, want, r, err)
	}
}
