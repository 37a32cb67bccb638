package store

import (
	"encoding/binary"
	"hash/crc64"
	"io"
	"maps"
	"slices"
	"strconv"
)

// chunk is how many elements are converted at a time.
const chunk = 8192

// Write writes tensors to w as a safetensors file, with meta as its metadata
// (nil for none). Names have to differ, and lengths have to fit shapes; the
// metadata gradgen.version and gradgen.crc64 are those of [WriteChecked].
func Write(w io.Writer, meta map[string]string, tensors ...Tensor) error {
	if err := checkMetadata(meta); err != nil {
		return err
	}
	text, tensors, err := prepare(meta, tensors)
	if err != nil {
		return err
	}
	return emit(w, text, tensors)
}

// WriteChecked is [Write] with a seal in the metadata: the version of the format
// (gradgen.version) and a checksum of the whole file (gradgen.crc64; CRC-64, ECMA
// polynomial). All readers verify a seal that is there, [ReadChecked] demands it;
// other programs see two strings among the metadata.
func WriteChecked(w io.Writer, meta map[string]string, tensors ...Tensor) error {
	if err := checkMetadata(meta); err != nil {
		return err
	}
	with := maps.Clone(meta)
	if with == nil {
		with = map[string]string{}
	}
	with[versionKey], with[checksumKey] = strconv.Itoa(version), unchecked
	text, tensors, err := prepare(with, tensors)
	if err != nil {
		return err
	}

	// The sum of the file with zeros in the sum's place.
	sum := crc64.New(checksumTable)
	if err := emit(sum, text, tensors); err != nil {
		return err
	}
	return emit(w, setChecksum(text, unchecked, formatChecksum(sum)), tensors)
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
