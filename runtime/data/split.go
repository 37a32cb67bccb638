package data

import (
	"fmt"
	"math"
	"slices"

	"gradgen.dev/runtime/rng"
)

// Split draws round(share·n) of n samples for the test set; the others are for
// training. It is a function of n, share and seed alone. Both lists are sorted.
// It panics unless 0 ≤ share ≤ 1 and n ≥ 0.
func Split(n int, share float64, seed uint64) (train, test []int) {
	checkShare("Split", n, share)
	order := rng.Perm(splitSeed(seed), 0, n)
	k := int(math.Round(share * float64(n)))
	test, train = order[:k:k], order[k:]
	slices.Sort(train)
	slices.Sort(test)
	return train, test
}

// SplitByLabel is [Split] for each label on its own, so that both parts have the
// labels in the same shares: of a label's m samples, round(share·m) are for the
// test.
func SplitByLabel[L int32 | int64](labels []L, share float64, seed uint64) (train, test []int) {
	checkShare("SplitByLabel", len(labels), share)
	samples := map[L][]int{}
	for _, at := range rng.Perm(splitSeed(seed), 0, len(labels)) {
		samples[labels[at]] = append(samples[labels[at]], at)
	}
	for _, list := range samples {
		k := int(math.Round(share * float64(len(list))))
		test, train = append(test, list[:k]...), append(train, list[k:]...)
	}
	slices.Sort(train) // and so independent of the order of the map
	slices.Sort(test)
	return train, test
}

// splitSeed keeps the split apart from the order of batches with the same seed.
func splitSeed(seed uint64) uint64 { return rng.Key(seed, rng.Hash("split"), 0) }

func checkShare(call string, n int, share float64) {
	if n < 0 || !(share >= 0 && share <= 1) {
		panic(fmt.Sprintf("data: %s: a share of %v of %d samples", call, share, n))
	}
}
