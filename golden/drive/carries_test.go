package drive

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"gradgen.dev/golden/carries"
	"gradgen.dev/runtime/fault"
)

// carriesInput is an input of some sizes, whose elements count up from first.
func carriesInput(dims carries.Dims, first float64) carries.Input {
	in := carries.Input{Dims: dims, X: make([]float64, dims.B*dims.N), Y: make([]float64, dims.B*dims.T)}
	for i := range in.X {
		in.X[i] = first + float64(i)
	}
	return in
}

// carried is what a stream of inputs leaves, by the program's text.
func carried(stream []carries.Input, w float64) (sum, rest []float64) {
	d := stream[0].Dims
	sum, rest = make([]float64, d.B*d.N), make([]float64, d.B*(d.N-d.T))
	for i := range rest {
		rest[i] = 1
	}
	for _, in := range stream {
		for i, x := range in.X {
			sum[i] += w * x
			if row, col := i/d.N, i%d.N; col >= d.T {
				rest[row*(d.N-d.T)+col-d.T] += x
			}
		}
	}
	return sum, rest
}

// TestCarriesOfSizes: what is kept has the sizes of the calls, which may be any
// below the capacity, after Reset others; one that falls with a dimension has
// room at its smaller sizes.
func TestCarriesOfSizes(t *testing.T) {
	m := carries.New(carries.Dims{B: 4, N: 6, T: 6})
	w := m.Params().W[0]
	p := carries.NewPredictor(m.Snapshot(), carries.Dims{B: 4, N: 6, T: 6})
	var out carries.Output
	for _, dims := range []carries.Dims{{B: 2, N: 3, T: 1}, {B: 4, N: 6, T: 1}, {B: 3, N: 5, T: 5}, {B: 1, N: 6, T: 2}} {
		p.Reset()
		var stream []carries.Input
		for call := range 3 {
			in := carriesInput(dims, float64(call))
			stream = append(stream, in)
			if err := p.Predict(&out, in); err != nil {
				t.Fatal(err)
			}
			sum, rest := carried(stream, w)
			same(t, "total", out.Total, sum)
			same(t, "left", out.Left, rest)
		}

		// The export reads one of the two, at the sizes that it has.
		var peek carries.PeekOutput
		z := carries.PeekInput{Z: make([]float64, dims.B*dims.N)}
		z.B, z.N = dims.B, dims.N
		if err := p.Peek(&peek, z); err != nil {
			t.Fatal(err)
		}
		sum, _ := carried(stream, w)
		same(t, "result", peek.Result, sum)

		// Other sizes need a Reset, and leave what is kept as it was.
		other := dims
		other.N--
		other.T = min(other.T, other.N)
		var wrong *fault.InputError
		if err := p.Predict(&out, carriesInput(other, 0)); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "Reset starts anew") {
			t.Fatalf("%v after %v: %v", other, dims, err)
		}
		if err := p.Peek(&peek, z); err != nil {
			t.Fatal(err)
		}
		same(t, "result after an error", peek.Result, sum)
	}
}

// TestCarriesInCheckpoint: a checkpoint has the carries at the sizes that they
// are left with, also where a smaller trainer reads them.
func TestCarriesInCheckpoint(t *testing.T) {
	dims := carries.Dims{B: 2, N: 4, T: 1}
	batch := func(first float64) carries.Batch {
		return carries.Batch(carriesInput(dims, first))
	}
	m := carries.New(carries.Dims{B: 5, N: 7, T: 3})
	if _, err := m.Step(batch(1)); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := m.Checkpoint(&file); err != nil {
		t.Fatal(err)
	}
	again := carries.New(dims)
	if err := again.Restore(&file); err != nil {
		t.Fatal(err)
	}
	for call := range 2 {
		a, errA := m.Step(batch(float64(call)))
		b, errB := again.Step(batch(float64(call)))
		if errA != nil || errB != nil || a != b {
			t.Errorf("call %d gives %v (%v), and of the trainer that was restored %v (%v)", call, a, errA, b, errB)
		}
	}
}

// same reports slices that differ.
func same(t *testing.T, name string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d elements, want %d", name, len(got), len(want))
	}
	for i, v := range want {
		if got[i] != v {
			t.Fatalf("element %d of %s is %v, want %v", i, name, got[i], v)
		}
	}
}
