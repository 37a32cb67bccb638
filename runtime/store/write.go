package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc64"
	"io"
	"slices"
)

// chunk is how many elements are converted at a time.
const chunk = 8192

// Write writes tensors to w as a safetensors file, with meta as its metadata
// (nil for none). Names have to differ, and lengths have to fit shapes.
func Write(w io.Writer, meta map[string]string, tensors ...Tensor) error {
	text, tensors, err := prepare(meta, tensors)
	if err != nil {
		return err
	}
	return emit(w, text, tensors)
}

// checksumKey is the metadata that WriteChecked adds: 16 hexadecimal digits.
const checksumKey = "gradgen.crc64"

// unchecked stands in the checksum's place while it is computed.
const unchecked = "0000000000000000"

// WriteChecked is [Write] with a checksum of the whole file in its metadata
// (CRC-64, ECMA polynomial), which [ReadChecked] demands and [Read] ignores.
func WriteChecked(w io.Writer, meta map[string]string, tensors ...Tensor) error {
	with := map[string]string{checksumKey: unchecked}
	for k, v := range meta {
		if k == checksumKey {
			return fmt.Errorf("store: metadata %q is taken by the checksum", k)
		}
		with[k] = v
	}
	text, tensors, err := prepare(with, tensors)
	if err != nil {
		return err
	}

	// The sum of the file with zeros in the sum's place.
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	if err := emit(sum, text, tensors); err != nil {
		return err
	}
	return emit(w, setChecksum(text, unchecked, fmt.Sprintf("%016x", sum.Sum64())), tensors)
}

// setChecksum is the header with another checksum.
func setChecksum(text []byte, from, to string) []byte {
	field := quote(checksumKey) + ":"
	return bytes.Replace(text, []byte(field+quote(from)), []byte(field+quote(to)), 1)
}

// prepare orders the tensors as they lie in the file, wide elements first, and
// makes the header.
func prepare(meta map[string]string, tensors []Tensor) (text []byte, sorted []Tensor, err error) {
	sorted = slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b Tensor) int {
		da, _, _ := a.describe()
		db, _, _ := b.describe()
		return widths[db] - widths[da]
	})
	entries := make([]entry, len(sorted))
	for i, t := range sorted {
		if entries[i], err = t.entry(); err != nil {
			return nil, nil, err
		}
	}
	if err := layout(entries); err != nil {
		return nil, nil, err
	}
	text, err = formatHeader(meta, entries)
	return text, sorted, err
}

// emit writes the file: length, header, elements.
func emit(w io.Writer, text []byte, tensors []Tensor) error {
	buf := binary.LittleEndian.AppendUint64(make([]byte, 0, 8*chunk), uint64(len(text)))
	if _, err := w.Write(append(buf, text...)); err != nil {
		return err
	}
	for _, t := range tensors {
		_, n, _ := t.describe()
		for from := 0; from < n; from += chunk {
			buf = t.encode(buf[:0], from, min(from+chunk, n))
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
	}
	return nil
}
