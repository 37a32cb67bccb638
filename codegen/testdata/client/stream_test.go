package stream

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"gradgen.dev/runtime/fault"
)

// The trainer's carry moves on by Step, Grad and Evaluate, may not change its
// size, and is in checkpoints, not in weights.
func TestCarry(t *testing.T) {
	m, batch := streamSample(Dims{B: 5})
	small := Batch{X: batch.X[:6], T: batch.T[:8]}
	last := slices.Clone(m.carry.h)
	for name, call := range map[string]func() error{
		"Step":     func() error { _, err := m.Step(small); return err },
		"Grad":     func() error { _, err := m.Grad(NewParams(), small); return err },
		"Evaluate": func() error { return m.Evaluate(new(Totals), small) },
	} {
		if err := call(); err != nil || slices.Equal(m.carry.h, last) {
			t.Errorf("%s leaves the carry, error %v", name, err)
		}
		last = slices.Clone(m.carry.h)
	}
	if m.carry.count[0] != 3.5 {
		t.Errorf("after three calls the count is %v", m.carry.count[0])
	}
	var in *fault.InputError
	if _, err := m.Step(batch); !errors.As(err, &in) || in.Input != "B" {
		t.Errorf("another size: error %v", err)
	}

	// A file that has a carry, and one that has none.
	var file, fresh bytes.Buffer
	if err := m.Checkpoint(&file); err != nil {
		t.Fatal(err)
	}
	n := New(Dims{B: 2})
	if err := n.Checkpoint(&fresh); err != nil {
		t.Fatal(err)
	}
	if err := n.Restore(&file); err != nil || !slices.Equal(n.carry.h, m.carry.h[:8]) || n.held.B != 2 {
		t.Errorf("Restore: the carry is %v of %d, want %v, error %v", n.carry.h, n.held.B, m.carry.h[:8], err)
	}
	if err := m.Restore(&fresh); err != nil || m.held.B != 0 || slices.ContainsFunc(m.carry.h, func(v float32) bool { return v != 0 }) || m.carry.count[0] != 0.5 {
		t.Errorf("Restore of a fresh one: the carry is %+v, error %v", m.carry, err)
	}
	if _, err := m.Step(batch); err != nil {
		t.Errorf("a fresh carry: %v", err)
	}
	if err := New(Dims{B: 1}).Restore(bytes.NewReader(file.Bytes())); err == nil {
		t.Error("a carry that is larger than the capacity: no error")
	}
	m.Reset()
	if _, err := m.Step(small); err != nil {
		t.Errorf("after Reset: %v", err)
	}
}

// An export reads the predictor's carry; weights keep nothing.
func TestPeek(t *testing.T) {
	m, batch := streamSample(Dims{B: 2})
	w := m.Snapshot()
	p := NewPredictor(w, Dims{B: 2})
	var out Output
	if err := p.Predict(&out, Input{X: batch.X}); err != nil {
		t.Fatal(err)
	}
	var none Output
	if err := p.Predict(&none, Input{}); err != nil || len(none.Y) != 0 || p.carry.count[0] != 1.5 {
		t.Errorf("an empty call moves the carry to %v, error %v", p.carry.count, err)
	}
	var peek PeekOutput
	zeros := PeekInput{Q: make([]float32, 8)}
	if err := p.Peek(&peek, zeros); err != nil || !slices.Equal(peek.Result, out.Y) {
		t.Errorf("the carry is %v, want %v, error %v", peek.Result, out.Y, err)
	}
	if got, err := w.Peek(zeros); err != nil || !slices.Equal(got.Result, zeros.Q) {
		t.Errorf("weights keep %v, error %v", got.Result, err)
	}
	first, err := w.Predict(Input{X: batch.X})
	if second, e := w.Predict(Input{X: batch.X}); err != nil || e != nil || !slices.Equal(first.Y, second.Y) || second.N != first.N {
		t.Errorf("two calls of weights differ: %v and %v", first, second)
	}
}
