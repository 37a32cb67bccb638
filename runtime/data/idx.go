package data

import (
	"encoding/binary"
	"fmt"
	"io"
)

// IDX is an array of bytes, such as images [n,28,28] or labels [n]
// (http://yann.lecun.com/exdb/mnist describes the format).
type IDX struct {
	Shape []int
	Data  []byte // row-major, one byte per element
}

// idxTypes are the element types by their codes; all are big endian.
var idxTypes = map[byte]elementType{
	0x08: {'u', 1, binary.BigEndian},
	0x09: {'i', 1, binary.BigEndian},
	0x0b: {'i', 2, binary.BigEndian},
	0x0c: {'i', 4, binary.BigEndian},
	0x0d: {'f', 4, binary.BigEndian},
	0x0e: {'f', 8, binary.BigEndian},
}

const (
	idxBytes   = 0x08 // the code of unsigned bytes
	idxMaxDims = 8
)

// ReadIDX reads an IDX file of unsigned bytes, to its end and no further. A file
// that is cut off, of another element type, or beyond the limits is an error; a
// header that promises more than is there costs no memory.
func ReadIDX(r io.Reader, limits ...Limits) (*IDX, error) {
	l := limitsOf(limits)
	code, shape, size, err := readIDXHeader(r, l)
	if err == nil && code != idxBytes {
		err = fmt.Errorf("elements of type %#02x, want %#02x (unsigned bytes); ReadIDXArray reads other types", code, idxBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("data: IDX: %w", err)
	}
	body, err := take(r, size)
	if err != nil {
		return nil, fmt.Errorf("data: IDX: %w", err)
	}
	return &IDX{shape, body}, nil
}

// ReadIDXArray is [ReadIDX] for every element type of the format: 8 bits with
// and without sign, 16 and 32 bits, float32 and float64. Real numbers are
// rounded to T where it has fewer bits; a number that an integer T cannot hold
// is an error.
func ReadIDXArray[T Element](r io.Reader, limits ...Limits) (*Array[T], error) {
	l := limitsOf(limits)
	code, shape, size, err := readIDXHeader(r, l)
	if err != nil {
		return nil, fmt.Errorf("data: IDX: %w", err)
	}
	content, err := readElements[T](r, idxTypes[code], size)
	if err != nil {
		return nil, fmt.Errorf("data: IDX: %w", err)
	}
	return &Array[T]{shape, content}, nil
}

// readIDXHeader reads what stands before the elements: two zeros, the element
// type, the number of dimensions, and their extents in 32 bits each.
func readIDXHeader(r io.Reader, l Limits) (code byte, shape []int, size int, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, 0, cutOff(err, true)
	}
	code, dims := head[2], int(head[3])
	switch _, known := idxTypes[code]; {
	case head[0] != 0 || head[1] != 0:
		return 0, nil, 0, fmt.Errorf("not an IDX file: it begins with % x", head)
	case !known:
		return 0, nil, 0, fmt.Errorf("elements of type %#02x, which the format has not", code)
	case dims == 0 || dims > idxMaxDims:
		return 0, nil, 0, fmt.Errorf("%d dimensions, want 1 to %d", dims, idxMaxDims)
	}

	extents := make([]byte, 4*dims)
	if _, err := io.ReadFull(r, extents); err != nil {
		return 0, nil, 0, cutOff(err, true)
	}
	for i := range dims {
		shape = append(shape, int(binary.BigEndian.Uint32(extents[4*i:])))
	}
	if size, err = l.elements(shape); err != nil {
		return 0, nil, 0, err
	}
	return code, shape, size, l.fits(size, idxTypes[code].width)
}

// ReadIDXFile reads an IDX file, compressed with gzip or not. Bytes behind the
// array are an error.
func ReadIDXFile(path string, limits ...Limits) (*IDX, error) {
	l := limitsOf(limits)
	return readFile(path, l, func(r io.Reader) (*IDX, error) { return ReadIDX(r, l) })
}

// ReadIDXArrayFile is [ReadIDXArray] for a file, compressed with gzip or not.
// Bytes behind the array are an error.
func ReadIDXArrayFile[T Element](path string, limits ...Limits) (*Array[T], error) {
	l := limitsOf(limits)
	return readFile(path, l, func(r io.Reader) (*Array[T], error) { return ReadIDXArray[T](r, l) })
}

// WriteIDX writes x as an IDX file of unsigned bytes.
func WriteIDX(w io.Writer, x *IDX) error {
	if len(x.Shape) == 0 || len(x.Shape) > idxMaxDims {
		return fmt.Errorf("data: IDX: %d dimensions, want 1 to %d", len(x.Shape), idxMaxDims)
	}
	head := []byte{0, 0, idxBytes, byte(len(x.Shape))}
	for _, d := range x.Shape {
		if d < 0 || uint64(d) > 1<<32-1 {
			return fmt.Errorf("data: IDX: an extent of %d, want 0 to 2³²−1", d)
		}
		head = binary.BigEndian.AppendUint32(head, uint32(d))
	}
	if x.Shape[0]*x.Width() != len(x.Data) {
		return fmt.Errorf("data: IDX: %d elements are not of shape %v", len(x.Data), x.Shape)
	}
	_, err := w.Write(head)
	if err == nil {
		_, err = w.Write(x.Data)
	}
	return err
}

// Width is the number of elements of one sample, the product of all extents but
// the first.
func (x *IDX) Width() int {
	width := 1
	for _, d := range x.Shape[1:] {
		width *= d
	}
	return width
}

// Unit is the array as float32, 0 to 255 becoming 0 to 1.
func (x *IDX) Unit() []float32 {
	out := make([]float32, len(x.Data))
	for i, b := range x.Data {
		out[i] = float32(b) / 255
	}
	return out
}

// Labels is the array as int32.
func (x *IDX) Labels() []int32 {
	out := make([]int32, len(x.Data))
	for i, b := range x.Data {
		out[i] = int32(b)
	}
	return out
}
