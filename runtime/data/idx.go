package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// IDX is an array of bytes, such as images [n,28,28] or labels [n]
// (http://yann.lecun.com/exdb/mnist describes the format).
type IDX struct {
	Shape []int
	Data  []byte // row-major, one byte per element
}

const (
	idxBytes   = 0x08 // the element type of unsigned bytes, the only one read
	idxMaxDims = 8
	idxMaxSize = 1 << 30 // bytes; larger files are refused
)

// ReadIDX reads an IDX file of unsigned bytes, to its end and no further. A file
// that is cut off, of another element type, or larger than 1 GiB is an error; a
// header that promises more than is there costs no memory.
func ReadIDX(r io.Reader) (*IDX, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, idxError(err)
	}
	dims := int(head[3])
	switch {
	case head[0] != 0 || head[1] != 0:
		return nil, fmt.Errorf("data: not an IDX file: it begins with % x", head)
	case head[2] != idxBytes:
		return nil, fmt.Errorf("data: IDX: elements of type %#02x, want %#02x (unsigned bytes)", head[2], idxBytes)
	case dims == 0 || dims > idxMaxDims:
		return nil, fmt.Errorf("data: IDX: %d dimensions, want 1 to %d", dims, idxMaxDims)
	}

	// The extents, whose product has to stay in bounds at every step.
	x := &IDX{Shape: make([]int, dims)}
	size := uint64(1)
	for i := range x.Shape {
		var extent uint32
		if err := binary.Read(r, binary.BigEndian, &extent); err != nil {
			return nil, idxError(err)
		}
		if size *= uint64(extent); size > idxMaxSize {
			return nil, fmt.Errorf("data: IDX: more than %d elements", idxMaxSize)
		}
		x.Shape[i] = int(extent)
	}

	var body bytes.Buffer
	if _, err := io.CopyN(&body, r, int64(size)); err != nil {
		return nil, idxError(err)
	}
	x.Data = body.Bytes()
	return x, nil
}

// idxError is the error of a read that failed.
func idxError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("data: IDX: the file is cut off: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("data: IDX: %w", err)
}

// ReadIDXFile reads an IDX file, compressed with gzip or not. Bytes behind the
// array are an error.
func ReadIDXFile(path string) (*IDX, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	x, err := readIDXStream(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}

func readIDXStream(f io.Reader) (*IDX, error) {
	buffered := bufio.NewReaderSize(f, 1<<16)
	r := io.Reader(buffered)
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, err
		}
		r = z
	}
	x, err := ReadIDX(r)
	if err != nil {
		return nil, err
	}

	// The end of a gzip stream is where its checksum is compared.
	switch _, err := io.ReadFull(r, make([]byte, 1)); {
	case err == nil:
		return nil, errors.New("data: IDX: there are bytes behind the array")
	case err != io.EOF:
		return nil, idxError(err)
	}
	return x, nil
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
