package main

import (
	"io"
	"testing"
)

// Factors explain far more than offsets. What noise and rounding to whole stars
// leave, √(0.3² + 1/12) = 0.42, is out of reach.
func TestRun(t *testing.T) {
	found, err := run(io.Discard, 30, 1)
	if err != nil {
		t.Fatal(err)
	}
	if found.offsets > 1 || found.model > 0.65*found.offsets || found.model < 0.35 {
		t.Errorf("root mean square error in stars: model %.3f, offsets %.3f", found.model, found.offsets)
	}
}
