package softmax

import (
	"errors"
	"math"
	"testing"

	"gradgen.dev/runtime/fault"
	"gradgen.dev/runtime/rng"
)

// Ten noisy prototypes are learned.
func TestLearns(t *testing.T) {
	const n = 200
	b := Batch{X: make([]float32, n*784), Y: make([]int32, n)}
	for i := range n {
		b.Y[i] = int32(i % 10)
		for k := range 784 {
			b.X[784*i+k] = float32(rng.At(uint64(i%10), uint64(k))>>63)*0.3 + rng.Uniform32(77, uint64(784*i+k))
		}
	}
	m := New(Dims{B: n})
	m.Hyper.LR = 0.05
	first, _ := m.Step(b)
	if math.Abs(first.Loss-math.Log(10)) > 1e-5 {
		t.Errorf("loss at zero weights %v, want log 10", first.Loss)
	}
	for range 60 {
		if _, err := m.Step(b); err != nil {
			t.Fatal(err)
		}
	}

	// Totals over two halves are the report of the whole.
	var whole, halves Totals
	err := errors.Join(m.Evaluate(&whole, b),
		m.Evaluate(&halves, Batch{X: b.X[:50*784], Y: b.Y[:50]}), m.Evaluate(&halves, Batch{X: b.X[50*784:], Y: b.Y[50:]}))
	if err != nil {
		t.Fatal(err)
	}
	w, h := whole.Report(), halves.Report()
	if w.Accuracy < 0.99 || w.Accuracy != h.Accuracy || math.Abs(w.Loss-h.Loss) > 1e-9 {
		t.Errorf("%+v, in halves %+v", w, h)
	}
	if (&Totals{}).Report() != (Report{}) {
		t.Error("empty totals report something")
	}
}

// Each call that does not fit is an InputError that names what is wrong, and
// changes nothing.
func TestErrors(t *testing.T) {
	m := New(Dims{B: 2})
	x := make([]float32, 784)
	var zero Softmax
	for _, c := range []struct {
		input string
		call  func() error
	}{
		{"X", func() error { _, err := m.Step(Batch{X: x[:5], Y: []int32{1}}); return err }},
		{"Y", func() error { _, err := m.Step(Batch{X: x}); return err }},
		{"Y", func() error { _, err := m.Step(Batch{X: x, Y: []int32{10}}); return err }},
		{"X", func() error { _, err := m.Step(Batch{X: make([]float32, 3*784), Y: make([]int32, 3)}); return err }},
		{"X", func() error { _, err := m.Step(Batch{Dims: Dims{B: 2}, X: x, Y: []int32{1}}); return err }},
		{"B", func() error { _, err := m.Step(Batch{Dims: Dims{B: -1}, X: x, Y: []int32{1}}); return err }},
		{"grad", func() error { _, err := m.Grad(&Params{}, Batch{X: x, Y: []int32{1}}); return err }},
		{"trainer", func() error { _, err := zero.Step(Batch{X: x, Y: []int32{1}}); return err }},
		{"X", func() error { return NewPredictor(m.Snapshot(), Dims{}).Predict(&Output{}, Input{X: x}) }},
		{"weights", func() error { return new(Predictor).Predict(&Output{}, Input{X: x}) }},
		{"weights", func() error { _, err := new(Weights).Predict(Input{X: x}); return err }},
	} {
		var in *fault.InputError
		if err := c.call(); !errors.As(err, &in) || in.Input != c.input {
			t.Errorf("error %v, want one of %s", err, c.input)
		}
	}
	x[3] = float32(math.NaN())
	if _, err := m.Step(Batch{X: x, Y: []int32{1}}); !errors.Is(err, fault.ErrNotFinite) || m.Steps() != 0 {
		t.Errorf("error %v after %d steps", err, m.Steps())
	}
	if r, err := m.Step(Batch{}); r != (Report{}) || err != nil || m.Steps() != 0 {
		t.Errorf("an empty batch reports %v, %v", r, err)
	}
}
