package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
)

// Limits bound what a reader takes from one file, so that a hostile or mistaken
// one is an error instead of the end of memory. A field that is zero has its
// default. Each reader takes at most one Limits, as its last argument or in its
// options; without one the defaults hold.
//
// Below the limits memory still grows with what a file has, never with what its
// header promises. For arrays, texts and recordings that is at most a few times the
// elements; a table takes some fifty bytes for each value while it is read, and a
// picture some twenty for each pixel, or thirty of a progressive JPEG, so that one at
// the default limit takes up to a gigabyte. A GIF that is cut off has taken one byte
// for each pixel that its header promises.
type Limits struct {
	Bytes    int64 // of a file, and of what it unpacks to: 1 GiB
	Elements int   // of an array, a table (rows × columns), a recording or a set of pictures: 2²⁸
	Rows     int   // of a table: 2²⁴
	Columns  int   // of a table, channels of a recording: 16384
	Pixels   int   // of one picture: 2²⁵
	Files    int   // of a folder or an archive: 2²⁰
}

// ErrLimit is wrapped by the error of a file that is beyond a field of [Limits],
// which the error names.
var ErrLimit = errors.New("more than the limit")

// limitsOf is the one of a reader's limits, with the defaults filled in.
func limitsOf(given []Limits) Limits {
	var l Limits
	switch len(given) {
	case 0:
	case 1:
		l = given[0]
	default:
		panic(fmt.Sprintf("data: %d Limits for one reader, want at most one", len(given)))
	}
	return Limits{
		Bytes:    orDefault(l.Bytes, 1<<30),
		Elements: orDefault(l.Elements, 1<<28),
		Rows:     orDefault(l.Rows, 1<<24),
		Columns:  orDefault(l.Columns, 1<<14),
		Pixels:   orDefault(l.Pixels, 1<<25),
		Files:    orDefault(l.Files, 1<<20),
	}
}

// orDefault is v unless that is zero.
func orDefault[T int | int64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// atMost is the error of a number beyond a field of Limits, nil if it is not.
func atMost[T int | int64](field string, n, limit T) error {
	if n <= limit {
		return nil
	}
	return fmt.Errorf("%s: %d is %w, Limits.%s = %d", strings.ToLower(field), n, ErrLimit, field, limit)
}

// elements is the product of the extents of shape, where that is within the
// limit at every step; an extent of 0 hides no overflow.
func (l Limits) elements(shape []int) (int, error) {
	n, empty := uint64(1), false
	for _, d := range shape {
		if d == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if d < 0 || hi != 0 || lo > uint64(l.Elements) {
			return 0, fmt.Errorf("elements of shape %v: %w, Limits.Elements = %d", shape, ErrLimit, l.Elements)
		}
		n = lo
	}
	if empty {
		return 0, nil
	}
	return int(n), nil
}

// fits is the error of n elements of width bytes that are beyond the limit on
// bytes.
func (l Limits) fits(n, width int) error { return atMost("Bytes", int64(n)*int64(width), l.Bytes) }

// limitReader reads up to left bytes; one more is an error that wraps ErrLimit.
type limitReader struct {
	r     io.Reader
	left  int64
	limit int64
}

// limit is r with the limit on bytes.
func (l Limits) limit(r io.Reader) io.Reader { return &limitReader{r, l.Bytes, l.Bytes} }

// Read implements [io.Reader].
func (l *limitReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}

	// At the limit, the file has to be at its end.
	if l.left <= 0 {
		if n, err := l.r.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("the content is %w, Limits.Bytes = %d", ErrLimit, l.limit)
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// take reads n bytes. Memory grows as they come, whatever n promises.
func take(r io.Reader, n int) ([]byte, error) {
	var body bytes.Buffer
	if n <= 1<<16 {
		body.Grow(n)
	}
	if _, err := io.CopyN(&body, r, int64(n)); err != nil {
		return nil, cutOff(err, true)
	}
	return body.Bytes(), nil
}

// cutOff says of a read that failed at the end of the file, inside of something,
// that the file is cut off.
func cutOff(err error, inside bool) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || inside && errors.Is(err, io.EOF) {
		return fmt.Errorf("the file is cut off: %w", io.ErrUnexpectedEOF)
	}
	return err
}
