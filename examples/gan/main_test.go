package main

import (
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// A short run already draws points around the circle.
func TestRun(t *testing.T) {
	found, err := run(io.Discard, 1000, 1, filepath.Join(t.TempDir(), "ring.png"))
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(found.radius-1) > 0.15 || found.spread > 0.35 || found.sectors < 12 {
		t.Errorf("drawn points: %+v", found)
	}
}

// Real points have the shape that they are drawn with; points in one place hold
// one sector.
func TestMeasure(t *testing.T) {
	truth := make([]float32, 4000)
	points(rand.New(rand.NewPCG(1, 1)), truth)
	if s := measure(truth); math.Abs(s.radius-1) > 0.01 || math.Abs(s.spread-width) > 0.01 || s.sectors != 16 {
		t.Errorf("real points: %+v", s)
	}
	var place []float32
	for range 100 {
		place = append(place, 0, -2)
	}
	if s := measure(place); s.radius != 2 || s.spread != 0 || s.sectors != 1 {
		t.Errorf("points in one place: %+v", s)
	}
}
