// Package mnistdata finds and reads MNIST, the 70 000 handwritten digits of
// LeCun, Cortes and Burges, for the examples.
//
// The four IDX files are looked for in a folder that the caller names, else in
// $GRADGEN_DATA, else in a Go module that the go command downloads. Each is
// checked by the SHA-256 of its content.
package mnistdata

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"gradgen.dev/runtime/data"
)

// Pixels is the number of pixels of an image, 28 rows of 28.
const Pixels = 28 * 28

// A Set is images with their labels.
type Set struct {
	Images []byte // rows of Pixels, from 0 (paper) to 255 (ink)
	Labels []byte // 0 to 9
}

// Len is the number of images.
func (s *Set) Len() int { return len(s.Labels) }

// Slice is the images from to to, sharing their memory.
func (s *Set) Slice(from, to int) *Set {
	return &Set{Images: s.Images[from*Pixels : to*Pixels], Labels: s.Labels[from:to]}
}

// Fill sets x, rows of Pixels from 0 to 1, and y to the images of the given
// indices.
func (s *Set) Fill(x []float32, y []int32, indices []int) {
	for i, n := range indices {
		row := x[i*Pixels:][:Pixels]
		for k, v := range s.Images[n*Pixels:][:Pixels] {
			row[k] = float32(v) / 255
		}
		y[i] = int32(s.Labels[n])
	}
}

// A file is one of the four, with the SHA-256 of its unpacked content.
type file struct{ name, sum string }

var files = [4]file{
	{"train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
	{"train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
	{"t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
	{"t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
}

// Load reads the 60 000 images for training and the 10 000 for the test. An
// empty dir is $GRADGEN_DATA, or else the module. The error says which files
// are wanted and where to put them.
func Load(dir string) (train, test *Set, err error) {
	dir, err = find(dir)
	if err != nil {
		return nil, nil, notFound(err)
	}
	var content [len(files)][]byte
	for i, f := range files {
		if content[i], err = f.read(dir); err != nil {
			return nil, nil, notFound(err)
		}
	}
	return &Set{content[0], content[1]}, &Set{content[2], content[3]}, nil
}

// read is the elements of a file, which may be packed.
func (f file) read(dir string) ([]byte, error) {
	path := filepath.Join(dir, f.name)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		path += ".gz"
		raw, err = unpack(path)
	}
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != f.sum {
		return nil, fmt.Errorf("%s: the content is not that of MNIST: its SHA-256 is %x, want %s", path, sum, f.sum)
	}
	idx, err := data.ReadIDX(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return idx.Data, nil
}

// unpack is the content of a gzip file.
func unpack(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return raw, nil
}
