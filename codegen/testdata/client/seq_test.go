package seq

import (
	"errors"
	"strings"
	"testing"

	"gradgen.dev/runtime/fault"
)

// One of two dimensions follows from the other and a length; neither alone does.
func TestInference(t *testing.T) {
	m := NewTagger(TaggerDims{B: 4, T: 8})
	m.Hyper.Steps = 10
	ids, y := make([]int32, 12), make([]int32, 12)
	for _, d := range []TaggerDims{{B: 3}, {T: 4}, {B: 3, T: 4}} {
		if _, err := m.Step(TaggerBatch{TaggerDims: d, Ids: ids, Y: y}); err != nil {
			t.Errorf("%+v: %v", d, err)
		}
	}
	for _, d := range []TaggerDims{{}, {B: 5}, {B: 12}, {T: 12}, {B: 3, T: 5}, {B: -3}} {
		_, err := m.Step(TaggerBatch{TaggerDims: d, Ids: ids, Y: y})
		var in *fault.InputError
		if !errors.As(err, &in) {
			t.Errorf("%+v: error %v", d, err)
		}
	}
	_, err := m.Step(TaggerBatch{Ids: ids, Y: y})
	if err == nil || !strings.Contains(err.Error(), "B and T") {
		t.Errorf("error %v does not name the dimensions", err)
	}
}

// What is missing is named, and not what the others are too long for.
func TestMissing(t *testing.T) {
	m := NewTagger(TaggerDims{B: 4, T: 8})
	for _, d := range []TaggerDims{{}, {B: 3}, {T: 4}} {
		_, err := m.Step(TaggerBatch{TaggerDims: d, Y: make([]int32, 12)})
		var in *fault.InputError
		if !errors.As(err, &in) || in.Input != "Ids" || in.Reason != "0 elements, but Y has 12" {
			t.Errorf("%+v: error %v", d, err)
		}
	}
}

// The length of the run is needed before the first step.
func TestLength(t *testing.T) {
	m := NewTagger(TaggerDims{B: 1, T: 1})
	b := TaggerBatch{TaggerDims: TaggerDims{B: 1, T: 1}, Ids: []int32{1}, Y: []int32{2}}
	var in *fault.InputError
	if _, err := m.Step(b); !errors.As(err, &in) || in.Input != "Hyper.Steps" {
		t.Errorf("error %v", err)
	}
	defer func() {
		if s, ok := recover().(string); !ok || !strings.Contains(s, "Update") {
			t.Error("Update does not panic with its name")
		}
	}()
	m.Update(NewTaggerParams())
}
