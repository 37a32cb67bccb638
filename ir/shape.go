package ir

import "strings"

// DType is the type of a tensor's elements.
type DType uint8

// The element types, in the language's spelling. Int is that of an int parameter
// of an exported function, and of what is computed of it: an integer known at run
// time, of Go's type int. No tensor of a program is declared so.
const (
	Float32 DType = iota
	Float64
	Int32
	Int64
	Bool
	Int
)

var dtypeNames = [...]string{"float32", "float64", "int32", "int64", "bool", "int"}

func (t DType) String() string { return dtypeNames[t] }

// IsFloat reports whether t is float32 or float64.
func (t DType) IsFloat() bool { return t <= Float64 }

// IsInt reports whether t is int32, int64 or int.
func (t DType) IsInt() bool { return t == Int32 || t == Int64 || t == Int }

// ParseDType is the element type of that name.
func ParseDType(name string) (DType, bool) {
	for i, n := range dtypeNames {
		if n == name {
			return DType(i), true
		}
	}
	return 0, false
}

// Shape is the extents of a tensor, outermost first. A scalar has none.
type Shape []Dim

// ShapeOf is a shape of constant extents.
func ShapeOf(extents ...int) Shape {
	s := make(Shape, len(extents))
	for i, n := range extents {
		s[i] = D(n)
	}
	return s
}

// Equal reports whether s and t agree in every extent.
func (s Shape) Equal(t Shape) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range s {
		if !s[i].Equal(t[i]) {
			return false
		}
	}
	return true
}

// Size is the number of elements.
func (s Shape) Size() Dim {
	n := D(1)
	for _, d := range s {
		n = n.Mul(d)
	}
	return n
}

// Eval is the extents where the dimensions have the given values.
func (s Shape) Eval(env map[string]int) ([]int, error) {
	out := make([]int, len(s))
	for i, d := range s {
		v, err := d.Eval(env)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// String is the shape as the language writes it: [B, 784].
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Drop is s without the given axes.
func (s Shape) Drop(axes []int) Shape {
	out := Shape{}
	for i, d := range s {
		if !hasAxis(axes, i) {
			out = append(out, d)
		}
	}
	return out
}

func hasAxis(axes []int, axis int) bool {
	for _, a := range axes {
		if a == axis {
			return true
		}
	}
	return false
}

// Type is an element type and a shape, written shape first: [B, 784]float32.
type Type struct {
	Elem  DType
	Shape Shape
}

// Equal reports whether t and u are the same type.
func (t Type) Equal(u Type) bool { return t.Elem == u.Elem && t.Shape.Equal(u.Shape) }

// Rank is the number of axes.
func (t Type) Rank() int { return len(t.Shape) }

func (t Type) String() string { return t.Shape.String() + t.Elem.String() }

// With is t with another shape.
func (t Type) With(s Shape) Type { return Type{t.Elem, s} }

// Of is t with another element type.
func (t Type) Of(e DType) Type { return Type{e, t.Shape} }
