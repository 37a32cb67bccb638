package energy

import (
	"strings"
	"testing"
)

// Lengths that do not fit panic with the function's name.
func TestPanics(t *testing.T) {
	for name, call := range map[string]func(){
		"Energy":     func() { Energy(nil) },
		"EnergyGrad": func() { EnergyGrad(make([]float64, 2), make([]float64, 3)) },
		"EnergyHVP":  func() { EnergyHVP(make([]float64, 3), make([]float64, 3), make([]float64, 2)) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.Contains(s, "energy: "+name+":") {
					t.Errorf("%s panics with %v", name, s)
				}
			}()
			call()
		}()
	}
}

// The minimum is 0 at 1, where the gradient vanishes.
func TestMinimum(t *testing.T) {
	x, grad := []float64{1, 1, 1, 1}, make([]float64, 4)
	if v := EnergyValueGrad(grad, x); v != 0 {
		t.Errorf("value %v", v)
	}
	for i, g := range grad {
		if g != 0 {
			t.Errorf("grad[%d] = %v", i, g)
		}
	}
}
