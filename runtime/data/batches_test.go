package data_test

import (
	"slices"
	"testing"

	"gradgen.dev/runtime/data"
)

// TestBatches: every epoch has every sample once, epochs differ, and a batch
// depends on its number alone.
func TestBatches(t *testing.T) {
	for _, c := range []struct {
		samples, size, perEpoch int
		keep                    bool
	}{{10, 5, 2, false}, {10, 4, 2, false}, {10, 4, 3, true}, {10, 10, 1, true}, {3, 5, 1, true}, {1, 1, 1, false}} {
		b := data.Batches{Samples: c.samples, Size: c.size, Seed: 7, KeepShort: c.keep}
		if got := b.PerEpoch(); got != c.perEpoch {
			t.Errorf("%+v: %d batches in an epoch", c, got)
			continue
		}
		var all [][]int
		for epoch := range 4 {
			var seen []int
			for i := range c.perEpoch {
				k := uint64(epoch*c.perEpoch + i)
				all = append(all, slices.Clone(b.At(k)))
				seen = append(seen, all[k]...)
			}
			slices.Sort(seen)
			want := min(c.samples, c.perEpoch*c.size)
			if len(slices.Compact(seen)) != want || len(seen) != want || seen[0] < 0 || seen[len(seen)-1] >= c.samples {
				t.Errorf("%+v: epoch %d has samples %v", c, epoch, seen)
			}
		}
		if c.samples > 5 && slices.Equal(all[0], all[c.perEpoch]) {
			t.Errorf("%+v: two epochs begin with %v", c, all[0])
		}

		// The same from the middle on, backwards, with a fresh value.
		fresh := data.Batches{Samples: c.samples, Size: c.size, Seed: 7, KeepShort: c.keep}
		for k := len(all) - 1; k >= 0; k-- {
			if got := fresh.At(uint64(k)); !slices.Equal(got, all[k]) {
				t.Errorf("%+v: batch %d is %v, and was %v", c, k, got, all[k])
			}
		}
	}
}

// TestBatchesResume: a run that is stopped after any number of updates, also at
// the end of an epoch or beyond several, and resumed from the number of its
// updates alone sees the samples that the uninterrupted run sees.
func TestBatchesResume(t *testing.T) {
	x := make([]float32, 2*7)
	for i := range x {
		x[i] = float32(i)
	}
	for _, keep := range []bool{false, true} {
		// run is what a trainer sees in updates from to to.
		run := func(from, to uint64) (seen []float32) {
			b := data.Batches{Samples: 7, Size: 3, Seed: 11, KeepShort: keep}
			batch := make([]float32, 2*b.Size)
			for step := from; step < to; step++ {
				seen = append(seen, data.Gather(batch, x, 2, b.At(step))...)
			}
			return seen
		}
		const end = 12 // updates: 4 or 6 epochs
		whole := run(0, end)
		for stop := range uint64(end + 1) {
			if got := append(run(0, stop), run(stop, end)...); !slices.Equal(got, whole) {
				t.Errorf("stopped after %d updates, the run sees %v, and sees %v without", stop, got, whole)
			}
		}
	}
}

// TestBatchesChange: fields may be changed between calls.
func TestBatchesChange(t *testing.T) {
	b := data.Batches{Samples: 20, Size: 20, Seed: 1}
	first := slices.Clone(b.At(0))
	b.Seed = 2
	if slices.Equal(b.At(0), first) {
		t.Error("another seed, the same order")
	}
	b.Samples, b.Size, b.Seed = 5, 5, 1
	if got := b.At(0); len(got) != 5 || slices.Max(got) != 4 {
		t.Errorf("of 5 samples, the batch has %v", got)
	}
	if n := (&data.Batches{Size: 1}).PerEpoch(); n != 0 {
		t.Errorf("an epoch of no samples has %d batches", n)
	}
	b.Size = 6
	defer func() {
		if recover() == nil {
			t.Error("a batch larger than the data does not panic")
		}
	}()
	b.At(0)
}

func TestBatchesAllocations(t *testing.T) {
	b := data.Batches{Samples: 100, Size: 10}
	k := uint64(0)
	if n := testing.AllocsPerRun(100, func() { b.At(k); k += 3 }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

func TestGather(t *testing.T) {
	src := []int32{0, 1, 10, 11, 20, 21}
	got := data.Gather(make([]int32, 8), src, 2, []int{2, 0, 2})
	if want := []int32{20, 21, 0, 1, 20, 21}; !slices.Equal(got, want) {
		t.Errorf("gathered %v, want %v", got, want)
	}
	for name, f := range map[string]func(){
		"a short destination":   func() { data.Gather(make([]int32, 3), src, 2, []int{0, 1}) },
		"an index out of range": func() { data.Gather(make([]int32, 3), src, 2, []int{3}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
}
