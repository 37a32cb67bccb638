package main

import (
	"context"
	"io"
	"math"
	"testing"
)

// After five epochs the network is well ahead of the linear model, and both are
// ahead of the mean price.
func TestRun(t *testing.T) {
	found, err := run(context.Background(), io.Discard, nil, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	linear, network := found[0], found[1]
	if linear.rms > 75000 || network.rms > 0.88*linear.rms || network.mean > 0.88*linear.mean {
		t.Errorf("errors in dollars: linear %.0f, network %.0f", linear, network)
	}
}

// The parts are disjoint and make up the table, and the training rows have mean
// 0 and deviation 1 in each column; the others do not, as the scale is not
// theirs.
func TestLoad(t *testing.T) {
	h, err := load(1)
	if err != nil {
		t.Fatal(err)
	}
	if n := h.training.len() + h.held.len() + h.test.len(); n != 20640 {
		t.Errorf("%d rows", n)
	}
	for column := range features {
		mean, square := moments(h.training, column)
		if math.Abs(mean) > 1e-4 || math.Abs(square-1) > 1e-3 {
			t.Errorf("column %d: mean %v, mean square %v", column, mean, square)
		}
		if mean, _ := moments(h.test, column); mean == 0 {
			t.Errorf("column %d of the test rows has mean 0", column)
		}
	}
}

// moments is the mean of a column of x, and that of its square.
func moments(s samples, column int) (mean, square float64) {
	for i := range s.y {
		v := float64(s.x[i*features+column])
		mean, square = mean+v, square+v*v
	}
	n := float64(s.len())
	return mean / n, square / n
}
