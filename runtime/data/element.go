package data

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Float are the types of real numbers that models are fed with.
type Float interface{ float32 | float64 }

// Integer are the types of whole numbers.
type Integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// Element are the types that an array may have in memory.
type Element interface{ Float | Integer | bool }

// Array is an array as NumPy and IDX files have it, always row-major (C order):
// the last index runs fastest. An array without dimensions is a scalar and has
// one element.
type Array[T Element] struct {
	Shape []int
	Data  []T
}

// Width is the number of elements of one sample, the product of all extents but
// the first; 1 for a scalar.
func (a *Array[T]) Width() int {
	width := 1
	for i, d := range a.Shape {
		if i > 0 {
			width *= d
		}
	}
	return width
}

// elementType is the type of an array's elements in a file.
type elementType struct {
	kind  byte // 'f', 'i', 'u' or 'b'
	width int  // in bytes
	order binary.ByteOrder
}

// bits is the i-th element of raw as a word.
func (e elementType) bits(raw []byte, i int) uint64 {
	switch e.width {
	case 1:
		return uint64(raw[i])
	case 2:
		return uint64(e.order.Uint16(raw[2*i:]))
	case 4:
		return uint64(e.order.Uint32(raw[4*i:]))
	}
	return e.order.Uint64(raw[8*i:])
}

// float is the value of an element of kind 'f'.
func (e elementType) float(bits uint64) float64 {
	switch e.width {
	case 2:
		return half(uint16(bits))
	case 4:
		return float64(math.Float32frombits(uint32(bits)))
	}
	return math.Float64frombits(bits)
}

// signed is the value of an element of kind 'i'.
func (e elementType) signed(bits uint64) int64 {
	unused := 64 - 8*e.width
	return int64(bits<<unused) >> unused
}

// half is the value of a number of 16 bits: 1 of sign, 5 of exponent, 10 of
// fraction (IEEE 754, binary16).
func half(h uint16) float64 {
	exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 0x1f:
		if v = math.Inf(1); fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	return math.Copysign(v, float64(int16(h)))
}

// chunk is how many bytes are converted at a time.
const chunk = 1 << 16

// readElements reads n elements of type e and converts them to T. A real number
// is rounded to the nearest T; a whole number or a bool has to be one. Memory
// grows with what is there.
func readElements[T Element](r io.Reader, e elementType, n int) ([]T, error) {
	convert := converter[T](e)
	out := make([]T, 0, min(n, chunk))
	raw := make([]byte, chunk)
	for len(out) < n {
		m := min(n-len(out), chunk/e.width)
		if _, err := io.ReadFull(r, raw[:m*e.width]); err != nil {
			return nil, cutOff(err, true)
		}
		for i := range m {
			v, ok := convert(e.bits(raw, i))
			if !ok {
				return nil, fmt.Errorf("element %d is %v, which is no %T", len(out), e.value(e.bits(raw, i)), v)
			}
			out = append(out, v)
		}
	}
	return out, nil
}

// value is an element for a message.
func (e elementType) value(bits uint64) any {
	switch e.kind {
	case 'f':
		return e.float(bits)
	case 'i':
		return e.signed(bits)
	}
	return bits
}

// converter is the conversion of an element of type e to T; false where there is
// none.
func converter[T Element](e elementType) func(bits uint64) (T, bool) {
	var f any
	switch any(*new(T)).(type) {
	case bool:
		f = e.toBool
	case int8:
		f = toInteger[int8](e)
	case int16:
		f = toInteger[int16](e)
	case int32:
		f = toInteger[int32](e)
	case int64:
		f = toInteger[int64](e)
	case uint8:
		f = toInteger[uint8](e)
	case uint16:
		f = toInteger[uint16](e)
	case uint32:
		f = toInteger[uint32](e)
	case uint64:
		f = toInteger[uint64](e)
	case float32:
		f = toFloat[float32](e)
	case float64:
		f = toFloat[float64](e)
	}
	return f.(func(uint64) (T, bool))
}

// toBool takes 0 and 1 of any type.
func (e elementType) toBool(bits uint64) (bool, bool) {
	if e.kind == 'f' {
		v := e.float(bits)
		return v == 1, v == 0 || v == 1
	}
	return bits == 1, bits <= 1
}

// toFloat rounds to the nearest.
func toFloat[T Float](e elementType) func(uint64) (T, bool) {
	switch e.kind {
	case 'f':
		return func(bits uint64) (T, bool) { return T(e.float(bits)), true }
	case 'i':
		return func(bits uint64) (T, bool) { return T(e.signed(bits)), true }
	case 'b':
		return func(bits uint64) (T, bool) { return T(bits), bits <= 1 }
	}
	return func(bits uint64) (T, bool) { return T(bits), true }
}

// toInteger takes what T can hold.
func toInteger[T Integer](e elementType) func(uint64) (T, bool) {
	switch e.kind {
	case 'f':
		return func(bits uint64) (T, bool) { return wholeOf[T](e.float(bits)) }
	case 'i':
		return func(bits uint64) (T, bool) {
			v := e.signed(bits)
			t := T(v)
			return t, int64(t) == v && (t < 0) == (v < 0)
		}
	case 'b':
		return func(bits uint64) (T, bool) { return T(bits), bits <= 1 }
	}
	return func(bits uint64) (T, bool) {
		t := T(bits)
		return t, uint64(t) == bits && t >= 0
	}
}

// wholeOf is v as an integer, where it is one that T can hold.
func wholeOf[T Integer](v float64) (T, bool) {
	if v != math.Trunc(v) || v < -(1<<63) || v >= 1<<64 {
		return 0, false
	}

	// An integer of 64 bits in between, since a conversion beyond T's range is
	// not defined.
	if v < 0 {
		i := int64(v)
		t := T(i)
		return t, int64(t) == i && t < 0
	}
	u := uint64(v)
	t := T(u)
	return t, uint64(t) == u && t >= 0
}
