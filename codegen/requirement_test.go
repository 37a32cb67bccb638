package codegen

import (
	"testing"

	"gradgen.dev/ir"
)

// A requirement on one dimension is said as a bound, which holds exactly where
// the requirement is met.
func TestRequirementText(t *testing.T) {
	T, B := ir.DimVar("T"), ir.DimVar("B")
	for _, c := range []struct {
		least ir.Dim
		want  string
		bound func(t int) bool // nil where the text is no bound
	}{
		{T.Sub(ir.D(1)), "T ≥ 1", func(t int) bool { return t >= 1 }},
		{ir.D(8).Sub(T), "T ≤ 8", func(t int) bool { return t <= 8 }},
		{T.Mul(ir.D(2)).Sub(ir.D(5)), "T ≥ 3", func(t int) bool { return t >= 3 }},
		{ir.D(5).Sub(T.Mul(ir.D(2))), "T ≤ 2", func(t int) bool { return t <= 2 }},
		{ir.D(-1).Sub(T), "T ≤ -1", func(t int) bool { return t <= -1 }},
		{T.Mul(T).Sub(ir.D(4)), "T*T - 4 ≥ 0", nil},
		{T.Sub(B), "-B + T ≥ 0", nil},
	} {
		r := requirement{least: c.least}
		if got := r.String(); got != c.want {
			t.Errorf("%v: %q, want %q", c.least, got, c.want)
		}
		for v := 0; c.bound != nil && v < 12; v++ {
			if r.met(map[string]int{"T": v}) != c.bound(v) {
				t.Errorf("%v at T = %d is met %v", c.least, v, !c.bound(v))
			}
		}
	}
}
