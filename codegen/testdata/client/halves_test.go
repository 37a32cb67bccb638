package halves

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gradgen.dev/runtime/fault"
)

// Dimensions of which an assertion or a slice does not hold panic in a function.
func TestPanics(t *testing.T) {
	for want, call := range map[string]func(){
		"N % 2 == 0 does not hold":   func() { Firsts(make([]float64, 3)) },
		"N ≥ 5 does not hold":        func() { Five(make([]float64, 4)) },
		"FirstsGrad: N is 1, but N ": func() { FirstsGrad(make([]float64, 1), make([]float64, 1)) },
	} {
		func() {
			defer func() {
				if s := fmt.Sprint(recover()); !strings.Contains(s, want) {
					t.Errorf("panic %q, want %q in it", s, want)
				}
			}()
			call()
		}()
	}
	if v := Firsts([]float64{1, 2, 3, 4}); v != 4 {
		t.Errorf("the firsts of 1 2 3 4 add up to %v", v)
	}
}

// In a model they are an error of the call.
func TestErrors(t *testing.T) {
	m := NewParts(PartsDims{B: 2, T: 10})
	_, err := m.Step(PartsBatch{PartsDims: PartsDims{B: 2, T: 4}, X: make([]float32, 8)})
	var input *fault.InputError
	if !errors.As(err, &input) || input.Input != "T" || !strings.Contains(err.Error(), "T % 3 == 0") {
		t.Errorf("T = 4 is %v", err)
	}
	if _, err := m.Step(PartsBatch{PartsDims: PartsDims{B: 1, T: 9}, X: make([]float32, 9)}); err != nil {
		t.Error(err)
	}
}
