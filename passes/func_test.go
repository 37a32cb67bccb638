package passes

import "testing"

// TestRaised: what follows another name in Go starts with a capital, or X.
func TestRaised(t *testing.T) {
	for name, want := range map[string]string{"x": "X", "scale": "Scale", "σ": "Σ", "éa": "Éa", "角": "X角", "u_t": "UT"} {
		if got := raised(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
