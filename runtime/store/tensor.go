package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"gradgen.dev/runtime/fault"
)

// Tensor is a named tensor over memory that it does not own: what Write takes
// the elements from, and what Read puts them into. A read takes an extent of -1
// from the file; the elements are then the first ones of Data, which is long
// enough for the largest extents.
type Tensor struct {
	Name  string
	Shape []int // empty for a scalar
	Data  any   // []float32, []float64, []int32, []int64, []uint64 or []bool

	// Below is above all elements that Read and its kin may put into a []uint64;
	// 0 is no bound. A file with a larger one is an error that wraps
	// [fault.ErrMismatch].
	Below uint64
}

// widths are the sizes of the format's element types, in bytes.
var widths = map[string]int{
	"F64": 8, "I64": 8, "U64": 8,
	"F32": 4, "I32": 4, "U32": 4,
	"F16": 2, "BF16": 2, "I16": 2, "U16": 2,
	"I8": 1, "U8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "BOOL": 1,
}

// describe gives the dtype, as safetensors names it, and the number of
// elements that are there.
func (t Tensor) describe() (dtype string, n int, err error) {
	switch d := t.Data.(type) {
	case []float32:
		return "F32", len(d), nil
	case []float64:
		return "F64", len(d), nil
	case []int32:
		return "I32", len(d), nil
	case []int64:
		return "I64", len(d), nil
	case []uint64:
		return "U64", len(d), nil
	case []bool:
		return "BOOL", len(d), nil
	}
	return "", 0, fmt.Errorf("store: tensor %q: elements in a %T cannot be stored", t.Name, t.Data)
}

// entry is the header's line of t, all but its place.
func (t Tensor) entry() (entry, error) {
	dtype, n, err := t.describe()
	if err != nil {
		return entry{}, err
	}
	e := entry{name: t.Name, dtype: dtype, shape: t.Shape}
	if size, ok := e.size(); !ok || size != n*widths[dtype] {
		return entry{}, fmt.Errorf("store: tensor %q: %d elements are not of shape %v", t.Name, n, t.Shape)
	}
	return e, nil
}

// sized is t with the extents that entries have where it leaves them to the file,
// and the memory that they need. That they do not fit is an error that wraps
// [fault.ErrMismatch].
func (t Tensor) sized(entries []entry) (Tensor, error) {
	if !slices.Contains(t.Shape, -1) {
		return t, nil
	}
	dtype, n, err := t.describe()
	if err != nil {
		return Tensor{}, err
	}
	want, in := entry{dtype: dtype, shape: slices.Clone(t.Shape)}, entry{shape: make([]int, len(t.Shape))}
	if i := slices.IndexFunc(entries, func(e entry) bool { return e.name == t.Name }); i >= 0 {
		in = entries[i]
	}
	for i, d := range want.shape {
		if d < 0 && i < len(in.shape) {
			want.shape[i] = in.shape[i]
		}
	}
	size, ok := want.size()
	if !ok || size > n*widths[dtype] {
		return Tensor{}, fmt.Errorf("store: %w: tensor %q is %s%v, want %s%v of at most %d elements",
			fault.ErrMismatch, t.Name, in.dtype, in.shape, dtype, t.Shape, n)
	}
	t.Shape, t.Data = want.shape, t.first(size/widths[dtype])
	return t, nil
}

// first is the first n elements of t.
func (t Tensor) first(n int) any {
	switch d := t.Data.(type) {
	case []float32:
		return d[:n]
	case []float64:
		return d[:n]
	case []int32:
		return d[:n]
	case []int64:
		return d[:n]
	case []uint64:
		return d[:n]
	case []bool:
		return d[:n]
	}
	return t.Data
}

// encode appends elements from to to to buf.
func (t Tensor) encode(buf []byte, from, to int) []byte {
	le := binary.LittleEndian
	switch d := t.Data.(type) {
	case []float32:
		for _, v := range d[from:to] {
			buf = le.AppendUint32(buf, math.Float32bits(v))
		}
	case []float64:
		for _, v := range d[from:to] {
			buf = le.AppendUint64(buf, math.Float64bits(v))
		}
	case []int32:
		for _, v := range d[from:to] {
			buf = le.AppendUint32(buf, uint32(v))
		}
	case []int64:
		for _, v := range d[from:to] {
			buf = le.AppendUint64(buf, uint64(v))
		}
	case []uint64:
		for _, v := range d[from:to] {
			buf = le.AppendUint64(buf, v)
		}
	case []bool:
		for _, v := range d[from:to] {
			bit := byte(0)
			if v {
				bit = 1
			}
			buf = append(buf, bit)
		}
	}
	return buf
}

// checkBound refuses elements in raw that are not below t.Below.
func (t Tensor) checkBound(raw []byte) error {
	if t.Below == 0 {
		return nil
	}
	for ; len(raw) >= 8; raw = raw[8:] {
		if v := binary.LittleEndian.Uint64(raw); v >= t.Below {
			return fmt.Errorf("%w: tensor %q has %d, want at most %d", fault.ErrMismatch, t.Name, v, t.Below-1)
		}
	}
	return nil
}

// decode sets the elements from raw, which is as long as they need.
func (t Tensor) decode(raw []byte) {
	le := binary.LittleEndian
	switch d := t.Data.(type) {
	case []float32:
		for i := range d {
			d[i] = math.Float32frombits(le.Uint32(raw[4*i:]))
		}
	case []float64:
		for i := range d {
			d[i] = math.Float64frombits(le.Uint64(raw[8*i:]))
		}
	case []int32:
		for i := range d {
			d[i] = int32(le.Uint32(raw[4*i:]))
		}
	case []int64:
		for i := range d {
			d[i] = int64(le.Uint64(raw[8*i:]))
		}
	case []uint64:
		for i := range d {
			d[i] = le.Uint64(raw[8*i:])
		}
	case []bool:
		for i := range d {
			d[i] = raw[i] == 1
		}
	}
}
