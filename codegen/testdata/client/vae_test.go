package vae

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/runtime/fault"
)

// Exports are methods of weights and predictors, with inputs of their own.
func TestExports(t *testing.T) {
	w := New(Dims{}).Snapshot()
	z := []float32{0.5, -1, 0.25, 2}
	all, err := w.Generate(GenerateInput{Z: z})
	if err != nil || len(all.Result) != 12 {
		t.Fatalf("%d elements, error %v", len(all.Result), err)
	}
	one, err := w.Both(BothInput{K: z[:2]})
	if err != nil || len(one.Dec) != 6 || !slices.Equal(one.Dec, all.Result[:6]) || !slices.Equal(one.Result, []float32{1, -2}) {
		t.Errorf("both gives %v, generate %v, error %v", one, all.Result[:6], err)
	}
	p, out := NewPredictor(w, Dims{B: 1}), GenerateOutput{}
	var in *fault.InputError
	if err := p.Generate(&out, GenerateInput{Z: z}); !errors.As(err, &in) {
		t.Errorf("more than the capacity: error %v", err)
	}
	if err := p.Generate(&out, GenerateInput{Z: z[2:]}); err != nil || !slices.Equal(out.Result, all.Result[6:]) {
		t.Errorf("the second row alone is %v, want %v, error %v", out.Result, all.Result[6:], err)
	}
}

// Weights of a file in memory lie in it.
func TestParse(t *testing.T) {
	var file strings.Builder
	m := New(Dims{})
	if err := m.Save(&file); err != nil {
		t.Fatal(err)
	}
	w, err := ParseWeights(file.String())
	if err != nil || !slices.Equal(w.params.HW, m.params.HW) || len(w.params.flat) != 0 {
		t.Fatalf("the weights differ, or are copied; error %v", err)
	}
	if _, err := w.Generate(GenerateInput{Z: []float32{1, 2}}); err != nil {
		t.Error(err)
	}
	var again strings.Builder
	if err := w.Save(&again); err != nil || again.String() != file.String() {
		t.Errorf("Save writes another file, error %v", err)
	}
	if _, err := ParseWeights(file.String()[:100]); err == nil {
		t.Error("a file that is cut off: no error")
	}
	if _, err := new(Weights).Predict(Input{X: make([]float32, 6)}); err == nil {
		t.Error("weights that are none: no error")
	}
}
