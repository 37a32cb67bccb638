package main

import (
	"strings"
	"testing"
)

// The example ends where its text says: the global minimum at N = 2 and with
// BFGS at N = 5, the local one with Newton's method at N = 5.
func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"x = [1.000 1.000],",
		"x = [-0.962 0.936 0.881 0.778 0.605], least curvature 0.6",
		"x = [1.000 1.000 1.000 1.000 1.000], least curvature 0.5",
		"x[0] stays negative",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output has no %q:\n%s", want, &out)
		}
	}
}
