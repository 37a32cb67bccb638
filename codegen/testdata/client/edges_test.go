package edges

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gradgen.dev/runtime/fault"
)

// A capacity of nothing is no panic, and its calls are errors.
func TestNothing(t *testing.T) {
	m := NewDiff(DiffDims{})
	var in *fault.InputError
	if _, err := m.Step(DiffBatch{X: make([]float32, 3), T: make([]float32, 1)}); !errors.As(err, &in) {
		t.Errorf("Step: error %v", err)
	}
	var out DiffOutput
	if err := NewDiffPredictor(m.Snapshot(), DiffDims{}).Predict(&out, DiffInput{}); !errors.As(err, &in) {
		t.Errorf("Predict: error %v", err)
	}
}

// Where rows are empty, another input tells how many there are.
func TestEmptyRows(t *testing.T) {
	m := NewWide(WideDims{B: 4, K: 3})
	p := NewWidePredictor(m.Snapshot(), WideDims{B: 4, K: 3})
	var out WideOutput
	if err := p.Predict(&out, WideInput{S: []float32{1, 2}, Unread: []float32{3, 4}}); err != nil || len(out.Y) != 2 || out.Y[1] != 2 {
		t.Errorf("rows of nothing: %v, error %v", out.Y, err)
	}
	if err := p.Predict(&out, WideInput{S: []float32{1, 2}, Unread: []float32{3, 4}, X: make([]float32, 6)}); err != nil || out.Y[1] != 2 {
		t.Errorf("rows of three: %v, error %v", out.Y, err)
	}

	// A step does not read what only an output does.
	if _, err := m.Step(WideBatch{X: make([]float32, 4), S: []float32{1, 2}}); err != nil {
		t.Error(err)
	}
}

// Rows that are too short are an error even where they are empty; rows that are
// none are not.
func TestShortRows(t *testing.T) {
	m := NewWindow(WindowDims{B: 4, T: 4})
	for _, c := range []struct {
		batch WindowBatch
		short bool
	}{
		{WindowBatch{WindowDims: WindowDims{B: 2, T: 2}, X: make([]float32, 4), Y: make([]float32, 2)}, true},
		{WindowBatch{X: nil, Y: make([]float32, 2)}, true},
		{WindowBatch{WindowDims: WindowDims{B: 2}, Y: make([]float32, 2)}, true},
		{WindowBatch{WindowDims: WindowDims{T: 3}}, false},
		{WindowBatch{WindowDims: WindowDims{T: 1}}, false},
		{WindowBatch{}, false},
	} {
		_, step := m.Step(c.batch)
		_, grad := m.Grad(NewWindowParams(), c.batch)
		evaluate := m.Evaluate(new(WindowTotals), c.batch)
		for i, err := range []error{step, grad, evaluate} {
			var in *fault.InputError
			if short := errors.As(err, &in) && in.Input == "T"; short != c.short || !short && err != nil {
				t.Errorf("entry %d, %+v: error %v", i, c.batch, err)
			}
		}
	}

	// Along the batch itself, a batch of nothing has none to lack.
	d := NewDiff(DiffDims{B: 4})
	if r, err := d.Step(DiffBatch{}); err != nil || r.Loss != 0 {
		t.Errorf("a batch of nothing reports %v, error %v", r, err)
	}
}

// A dimension that is too small is named, and no length that there cannot be.
func TestTooFew(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "N is 1, but N ≥ 2 does not hold") {
			t.Errorf("panic %q", text)
		}
	}()
	Tail(nil, []float64{1})
}
