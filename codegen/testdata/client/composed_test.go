package composed

import (
	"errors"
	"math"
	"testing"

	"gradgen.dev/runtime/fault"
)

// Forward, a loss by hand, Backward and Update make the step of a model that has
// the loss.
func TestByHand(t *testing.T) {
	half, batch := halfSample(HalfDims{B: 4})
	whole := NewWhole(WholeDims{B: 4})
	copy(whole.params.flat, half.params.flat)
	target := []float32{0, 1, 0.5, 0.25, 1, 0, 0.75, 1}
	for range 3 {
		out, err := half.Forward(HalfBatch{X: batch.X, K: batch.K})
		if err != nil {
			t.Fatal(err)
		}
		dout, loss := HalfOutput{Y: make([]float32, 8)}, 0.0
		for i, v := range out.Y {
			d := v - target[i]
			dout.Y[i] = 2 * d
			loss += float64(d * d)
		}
		din, err := half.Backward(dout)
		if err != nil || len(din.X) != len(batch.X) {
			t.Fatalf("%d derivatives by x, error %v", len(din.X), err)
		}
		half.Update(half.Gradient())
		r, err := whole.Step(WholeBatch{X: batch.X, T: target})
		if err != nil || math.Abs(r.Loss-loss) > 1e-5 {
			t.Fatalf("the loss is %v, want %v, error %v", loss, r.Loss, err)
		}
	}
	for i, v := range half.params.flat {
		if w := whole.params.flat[i]; math.Abs(float64(v-w)) > 1e-5 {
			t.Errorf("parameter %d is %v, want %v", i, v, w)
		}
	}
	if half.Steps() != 3 {
		t.Errorf("%d steps", half.Steps())
	}
}

// The derivative by the inputs is the slope, and a Backward has its own Forward.
func TestInputGradient(t *testing.T) {
	m, batch := halfSample(HalfDims{B: 2})
	batch.X, batch.K = batch.X[:6], batch.K[:2]
	batch.HalfDims = HalfDims{}
	dout := HalfOutput{Y: []float32{1, -1, 0.5, 2}}
	var in *fault.InputError
	if _, err := m.Backward(dout); !errors.As(err, &in) {
		t.Errorf("Backward before Forward: error %v", err)
	}
	value := func() float64 {
		out, err := m.Forward(batch)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, v := range out.Y {
			sum += float64(v) * float64(dout.Y[i])
		}
		return sum
	}
	value()
	din, err := m.Backward(dout)
	if err != nil {
		t.Fatal(err)
	}
	got := append([]float32(nil), din.X...)
	for i := range batch.X {
		const h = 1e-2
		x := batch.X[i]
		batch.X[i] = x + h
		up := value()
		batch.X[i] = x - h
		want := (up - value()) / (2 * h)
		batch.X[i] = x
		if math.Abs(float64(got[i])-want) > 1e-3 {
			t.Errorf("derivative %d is %v, want %v", i, got[i], want)
		}
	}
	if _, err := m.Forward(batch); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Backward(HalfOutput{Y: dout.Y[:3]}); !errors.As(err, &in) || in.Input != "dY" {
		t.Errorf("a short cotangent: error %v", err)
	}
	if _, err := m.Backward(dout); err != nil {
		t.Errorf("after it: %v", err)
	}
}
