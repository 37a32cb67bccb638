package data

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// The format is NEP 1 and numpy/lib/format.py:
//
//	6 bytes   "\x93NUMPY"
//	2 bytes   version: 1.0, 2.0 or 3.0
//	2 bytes   the length n of the header, little endian; 4 from version 2.0 on
//	n bytes   a Python dictionary of 'descr', 'fortran_order' and 'shape'
//	the rest  the elements
const (
	npyMagic     = "\x93NUMPY"
	npyMaxHeader = 1 << 16 // bytes; that of an array of numbers has about a hundred
	npyMaxDims   = 64      // as NumPy 2
)

// ReadNPY reads an array of a NumPy file of numbers or bools, to its end and no
// further: versions 1.0 to 3.0, C and Fortran order, either endianness, floats
// of 16 to 64 and integers of 8 to 64 bits.
//
// The elements are converted to T. Real numbers are rounded to the nearest T; an
// integer T takes whole numbers that it can hold, bool takes 0 and 1, all else
// is an error that names the element. Objects, strings, records and complex
// numbers are errors: an object is a pickled program, which is never run.
func ReadNPY[T Element](r io.Reader, limits ...Limits) (*Array[T], error) {
	l := limitsOf(limits)
	a, err := readNPY[T](r, l)
	if err != nil {
		return nil, fmt.Errorf("data: NPY: %w", err)
	}
	return a, nil
}

// ReadNPYFile is [ReadNPY] for a file, packed with gzip or not. Bytes behind the
// array are an error.
func ReadNPYFile[T Element](path string, limits ...Limits) (*Array[T], error) {
	l := limitsOf(limits)
	return readFile(path, l, func(r io.Reader) (*Array[T], error) { return ReadNPY[T](r, l) })
}

func readNPY[T Element](r io.Reader, l Limits) (*Array[T], error) {
	text, err := readNPYHeader(r)
	if err != nil {
		return nil, err
	}
	h, err := parseNPYHeader(text)
	if err != nil {
		return nil, fmt.Errorf("the header %q: %w", abridge(text), err)
	}
	n, err := l.elements(h.shape)
	if err != nil {
		return nil, err
	}
	if err := l.fits(n, h.element.width); err != nil {
		return nil, err
	}
	content, err := readElements[T](r, h.element, n)
	if err != nil {
		return nil, err
	}
	if h.fortran {
		content = rowMajor(content, h.shape)
	}
	return &Array[T]{h.shape, content}, nil
}

// readNPYHeader reads the file up to its elements and returns the dictionary.
func readNPYHeader(r io.Reader) (string, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", cutOff(err, true)
	}
	if string(head[:6]) != npyMagic {
		return "", fmt.Errorf("not an NPY file: it begins with % x", head[:6])
	}

	// The length has two bytes or four.
	major, minor, wide := head[6], head[7], 2
	switch {
	case major < 1 || major > 3 || minor != 0:
		return "", fmt.Errorf("version %d.%d, want 1.0, 2.0 or 3.0", major, minor)
	case major > 1:
		wide = 4
	}
	var length [4]byte
	if _, err := io.ReadFull(r, length[:wide]); err != nil {
		return "", cutOff(err, true)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > npyMaxHeader {
		return "", fmt.Errorf("a header of %d bytes, want at most %d", n, npyMaxHeader)
	}
	text, err := take(r, int(n))
	return string(text), err
}

// rowMajor is the content of an array of this shape, whose first index runs
// fastest, in the order in which its last one does.
func rowMajor[T any](columnMajor []T, shape []int) []T {
	if len(shape) < 2 {
		return columnMajor
	}

	// How far apart two neighbours of each dimension lie.
	stride, n := make([]int, len(shape)), 1
	for i, d := range shape {
		stride[i], n = n, n*d
	}

	// The index counts as an odometer does; at follows it.
	out := make([]T, len(columnMajor))
	index, at := make([]int, len(shape)), 0
	for i := range out {
		out[i] = columnMajor[at]
		for d := len(shape) - 1; d >= 0; d-- {
			if index[d]++; index[d] < shape[d] {
				at += stride[d]
				break
			}
			at -= stride[d] * (shape[d] - 1)
			index[d] = 0
		}
	}
	return out
}

// WriteNPY writes an array as NumPy's save does: version 1.0, C order, little
// endian.
func WriteNPY[T Element](w io.Writer, a *Array[T]) error {
	n := 1
	for _, d := range a.Shape {
		if d < 0 || d > 0 && n > math.MaxInt/d {
			return fmt.Errorf("data: NPY: an array of shape %v", a.Shape)
		}
		n *= d
	}
	switch {
	case n != len(a.Data):
		return fmt.Errorf("data: NPY: %d elements are not of shape %v", len(a.Data), a.Shape)
	case len(a.Shape) > npyMaxDims:
		return fmt.Errorf("data: NPY: %d dimensions, want at most %d", len(a.Shape), npyMaxDims)
	}
	if _, err := w.Write(npyHeader(descr(*new(T)), a.Shape)); err != nil {
		return err
	}

	// The elements in parts, so that little memory is needed.
	var raw []byte
	for part := range slices.Chunk(a.Data, chunk/8) {
		var err error
		if raw, err = binary.Append(raw[:0], binary.LittleEndian, part); err != nil {
			return fmt.Errorf("data: NPY: %w", err)
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return nil
}

// npyHeader is all that stands before the elements, a multiple of 64 bytes.
func npyHeader(descr string, shape []int) []byte {
	var extents []string
	for _, d := range shape {
		extents = append(extents, fmt.Sprint(d))
	}
	tuple := strings.Join(extents, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)

	// Spaces and an end of line fill up the last 64 bytes.
	const before = len(npyMagic) + 4
	text += strings.Repeat(" ", 63-(before+len(text))%64) + "\n"
	head := append([]byte(npyMagic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(text)))
	return append(head, text...)
}

// descr is how NumPy names the type of v, little endian.
func descr(v any) string {
	switch v.(type) {
	case bool:
		return "|b1"
	case int8:
		return "|i1"
	case uint8:
		return "|u1"
	case int16:
		return "<i2"
	case uint16:
		return "<u2"
	case int32:
		return "<i4"
	case uint32:
		return "<u4"
	case int64:
		return "<i8"
	case uint64:
		return "<u8"
	case float32:
		return "<f4"
	}
	return "<f8"
}
