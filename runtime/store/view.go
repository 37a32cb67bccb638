package store

import (
	"encoding/binary"
	"fmt"
	"unsafe"
)

// View is a named tensor that [Parse] finds in a file in memory.
type View struct {
	Name  string
	Shape []int // empty for a scalar
	Into  any   // *[]float32, *[]float64, *[]int32, *[]int64, *[]uint64 or *[]bool; what it points to is replaced
}

// Parse sets the slices of views to the tensors of a safetensors file in memory,
// such as an embedded or a mapped one, and returns the file's metadata. The
// file has to hold these tensors, with these types and shapes, and no others, and
// nothing behind them. Errors are those of [Read]; after one no slice has changed.
//
// Elements are not copied: the slices lie in file, which has to stay as it is as
// long as they are used, and they must not be written to (those of a string or of
// a read-only mapping cannot be). Only tensors that are not aligned for their type
// there, which [Write] and the reference implementation see to where file itself
// is aligned to 8 bytes, and those read by a big-endian machine are copied.
//
// Of a file without a checksum no more is read than the header and tensors of
// bools, so that a mapped file comes into memory as it is used.
func Parse[T string | []byte](file T, views ...View) (meta map[string]string, err error) {
	wanted := make([]entry, len(views))
	for i, v := range views {
		if wanted[i], err = v.entry(); err != nil {
			return nil, err
		}
	}
	f, content, err := openMemory(bytesOf(file))
	if err != nil {
		return nil, err
	}
	missing, unused, err := f.match(nil, wanted)
	if err != nil {
		return nil, err
	}
	if err := mismatch(missing, unused); err != nil {
		return nil, err
	}

	// All that can be wrong, before anything is set.
	raw := map[string][]byte{}
	for i, name := range f.matched {
		e := f.entries[i]
		raw[name] = content[e.begin:e.end:e.end]
		if err := e.checkBools(raw[name]); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
	}
	if f.sum != nil {
		f.sum.Write(content)
	}
	if err := f.checkSum(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	for _, v := range views {
		v.set(raw[v.Name])
	}
	return f.meta, nil
}

// bytesOf is the content of a file, which must not be written to.
func bytesOf[T string | []byte](file T) []byte {
	if s, ok := any(file).(string); ok {
		return unsafe.Slice(unsafe.StringData(s), len(s))
	}
	return []byte(file)
}

// openMemory splits a file into its header, checked, and its content, which is as
// long as the header says.
func openMemory(all []byte) (*file, []byte, error) {
	if len(all) < 8 {
		return nil, nil, fmt.Errorf("store: %w", damaged("it is cut off"))
	}
	n, all := binary.LittleEndian.Uint64(all), all[8:]
	switch {
	case n > maxHeader:
		return nil, nil, fmt.Errorf("store: %w", damaged("a header of %d bytes is none", n))
	case n > uint64(len(all)):
		return nil, nil, fmt.Errorf("store: %w", damaged("it is cut off"))
	}
	f, err := newFile(all[:n:n])
	if err != nil {
		return nil, nil, err
	}

	content, end := all[n:], 0
	if len(f.entries) > 0 {
		end = f.entries[len(f.entries)-1].end
	}
	switch {
	case len(content) < end:
		return nil, nil, fmt.Errorf("store: %w", damaged("it is cut off"))
	case len(content) > end:
		return nil, nil, fmt.Errorf("store: %w", damaged("there are %d bytes behind the tensors", len(content)-end))
	}
	return f, content, nil
}

// entry is what the header has to say of v, all but its place.
func (v View) entry() (entry, error) {
	var empty any
	switch v.Into.(type) {
	case *[]float32:
		empty = []float32(nil)
	case *[]float64:
		empty = []float64(nil)
	case *[]int32:
		empty = []int32(nil)
	case *[]int64:
		empty = []int64(nil)
	case *[]uint64:
		empty = []uint64(nil)
	case *[]bool:
		empty = []bool(nil)
	default:
		return entry{}, fmt.Errorf("store: tensor %q: a %T cannot be set", v.Name, v.Into)
	}
	dtype, _, _ := Tensor{Data: empty}.describe()
	e := entry{name: v.Name, dtype: dtype, shape: v.Shape}
	if _, ok := e.size(); !ok {
		return entry{}, fmt.Errorf("store: tensor %q: a shape of %v", v.Name, v.Shape)
	}
	return e, nil
}

// set sets the slice of v to the elements in raw.
func (v View) set(raw []byte) {
	switch into := v.Into.(type) {
	case *[]float32:
		*into = elements[float32](raw)
	case *[]float64:
		*into = elements[float64](raw)
	case *[]int32:
		*into = elements[int32](raw)
	case *[]int64:
		*into = elements[int64](raw)
	case *[]uint64:
		*into = elements[uint64](raw)
	case *[]bool:
		*into = elements[bool](raw)
	}
}

// littleEndian says that numbers lie in memory as they do in a file.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// elements is raw as elements: where it lies, if it is aligned for them, and else
// in a copy. The length of raw is a multiple of theirs; bools are 0 and 1.
func elements[E float32 | float64 | int32 | int64 | uint64 | bool](raw []byte) []E {
	var zero E
	n := len(raw) / int(unsafe.Sizeof(zero))
	if n == 0 {
		return []E{}
	}
	first := unsafe.Pointer(unsafe.SliceData(raw))
	if littleEndian && uintptr(first)%unsafe.Alignof(zero) == 0 {
		return unsafe.Slice((*E)(first), n)
	}
	out := make([]E, n)
	Tensor{Data: out}.decode(raw)
	return out
}
