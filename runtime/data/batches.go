package data

import (
	"fmt"

	"gradgen.dev/runtime/rng"
)

// Batches cuts Samples samples into batches of Size, in an order that each epoch
// draws anew ([rng.Perm]). It belongs to one goroutine at a time.
type Batches struct {
	Samples int
	Size    int
	Seed    uint64

	// KeepShort keeps an epoch's last batch where it is shorter than Size;
	// otherwise its samples wait for the next epoch's order.
	KeepShort bool

	order []int // of epoch drawn−1
	drawn uint64
	seed  uint64 // that order was drawn with
}

// PerEpoch is the number of batches of an epoch.
func (b *Batches) PerEpoch() int {
	switch {
	case b.Samples <= 0 || b.Size <= 0:
		return 0
	case b.KeepShort:
		return (b.Samples-1)/b.Size + 1
	}
	return b.Samples / b.Size
}

// At is the indices of the samples of batch k of the run, counted from 0 over
// all epochs. The slice belongs to b and holds until the next call; a new epoch
// is shuffled in place, nothing is allocated. It panics if an epoch has no batch.
func (b *Batches) At(k uint64) []int {
	n := uint64(b.PerEpoch())
	if n == 0 {
		panic(fmt.Sprintf("data: Batches: %d samples are no batch of %d", b.Samples, b.Size))
	}
	epoch, batch := k/n, int(k%n)
	if b.drawn != epoch+1 || b.seed != b.Seed || len(b.order) != b.Samples {
		b.draw(epoch)
	}
	from := batch * b.Size
	return b.order[from:min(from+b.Size, b.Samples)]
}

// draw sets the order of an epoch.
func (b *Batches) draw(epoch uint64) {
	if cap(b.order) < b.Samples {
		b.order = make([]int, b.Samples)
	}
	b.order = b.order[:b.Samples]
	rng.Shuffle(b.order, b.Seed, epoch)
	b.drawn, b.seed = epoch+1, b.Seed
}

// Gather copies samples of width elements each from src to dst, in the order of
// indices, and returns the part of dst that they fill. It panics if dst is too
// short or an index is out of range.
func Gather[T any](dst, src []T, width int, indices []int) []T {
	dst = dst[:width*len(indices)]
	for i, at := range indices {
		copy(dst[width*i:][:width], src[width*at:][:width])
	}
	return dst
}
