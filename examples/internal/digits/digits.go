// Package digits is 1797 handwritten digits of 8 by 8 pixels for the examples.
//
// The file digits.csv.gz is scikit-learn's copy (BSD 3-Clause) of the test set
// of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak,
// UCI Machine Learning Repository, 1998: 64 numbers from 0 to 16 and the digit
// in each row.
package digits

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"

	"gradgen.dev/runtime/data"
)

// Side is the rows and columns of an image, Pixels the numbers of one.
const (
	Side   = 8
	Pixels = Side * Side
)

// heldOut is how many of the last images are for testing.
const heldOut = 297

//go:embed digits.csv.gz
var packed []byte

// A Set is images with their labels.
type Set struct {
	Images []float32 // rows of Pixels, from 0 (paper) to 1 (ink)
	Labels []int32   // 0 to 9
}

// Len is the number of images.
func (s *Set) Len() int { return len(s.Labels) }

// Slice is the images from to to, sharing their memory.
func (s *Set) Slice(from, to int) *Set {
	return &Set{Images: s.Images[from*Pixels : to*Pixels], Labels: s.Labels[from:to]}
}

// Load is the images to train on and those to test with. They come from
// different writers.
func Load() (training, test *Set, err error) {
	all, err := parse(packed)
	if err != nil {
		return nil, nil, fmt.Errorf("digits.csv.gz: %w", err)
	}
	n := all.Len() - heldOut
	return all.Slice(0, n), all.Slice(n, all.Len()), nil
}

// parse reads the packed table: in each row the pixels, and the digit.
func parse(packed []byte) (*Set, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	table, err := data.CSV{Header: data.HeaderAbsent}.Read(unpacked)
	if err != nil {
		return nil, err
	}
	names := table.Names()
	if len(names) != Pixels+1 {
		return nil, fmt.Errorf("%d columns, want %d", len(names), Pixels+1)
	}
	set := &Set{}
	if set.Images, err = table.Float32s(names[:Pixels]...); err != nil {
		return nil, err
	}
	for i := range set.Images {
		set.Images[i] /= 16
	}
	set.Labels, err = table.Int32s(names[Pixels])
	return set, err
}
