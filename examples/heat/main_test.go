package main

import (
	"io"
	"math"
	"path/filepath"
	"testing"
)

// A short run is within a few per cent of the exact solution.
func TestRun(t *testing.T) {
	relative, err := run(io.Discard, 500, 1, filepath.Join(t.TempDir(), "heat.png"))
	if err != nil {
		t.Fatal(err)
	}
	if !(relative < 0.06) {
		t.Errorf("relative error %.4f", relative)
	}
}

// The exact solution solves the equation, by central differences.
func TestExact(t *testing.T) {
	const alpha, h, time, x = 0.1, 1e-3, 0.3, 0.4
	byTime := (exact(alpha, time+h, x) - exact(alpha, time-h, x)) / (2 * h)
	bySpace := (exact(alpha, time, x+h) - 2*exact(alpha, time, x) + exact(alpha, time, x-h)) / (h * h)
	if rest := byTime - alpha*bySpace; math.Abs(rest) > 1e-5 {
		t.Errorf("u_t - alpha·u_xx = %v", rest)
	}
}
