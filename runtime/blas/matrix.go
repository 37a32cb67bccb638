package blas

import "fmt"

// Float is what a matrix may have as its elements.
type Float interface{ float32 | float64 }

// Matrix is a view of a row-major matrix. It is passed by value and owns
// nothing.
type Matrix[T Float] struct {
	Data       []T
	Rows, Cols int  // as it is read, after a transposition
	Stride     int  // elements from a stored row to the next
	Trans      bool // stored as its transpose: element (i, j) is at Data[j*Stride+i]
}

// Mat32 is a matrix of float32.
type Mat32 = Matrix[float32]

// Mat64 is a matrix of float64.
type Mat64 = Matrix[float64]

// View32 is the first rows·cols elements of data as a matrix without gaps. It
// panics if data is shorter.
func View32(data []float32, rows, cols int) Mat32 { return strided(data, rows, cols, cols) }

// View64 is the first rows·cols elements of data as a matrix without gaps. It
// panics if data is shorter.
func View64(data []float64, rows, cols int) Mat64 { return strided(data, rows, cols, cols) }

// Strided32 is a rows×cols matrix whose rows begin stride elements apart. It
// panics if data is too short or rows overlap.
func Strided32(data []float32, rows, cols, stride int) Mat32 {
	return strided(data, rows, cols, stride)
}

// Strided64 is a rows×cols matrix whose rows begin stride elements apart. It
// panics if data is too short or rows overlap.
func Strided64(data []float64, rows, cols, stride int) Mat64 {
	return strided(data, rows, cols, stride)
}

func strided[T Float](data []T, rows, cols, stride int) Matrix[T] {
	m := Matrix[T]{Data: data, Rows: rows, Cols: cols, Stride: stride}
	if !m.fits() {
		panic(fmt.Sprintf("blas: %d elements are no %d×%d matrix of stride %d", len(data), rows, cols, stride))
	}
	m.Data = data[:0]
	if rows > 0 && cols > 0 {
		m.Data = data[:(rows-1)*stride+cols]
	}
	return m
}

// fits reports whether every element of a lies within its data, and no two in
// the same place.
func (a Matrix[T]) fits() bool {
	if a.Trans {
		a = a.T()
	}
	switch {
	case a.Rows < 0 || a.Cols < 0 || a.Stride < a.Cols:
		return false
	case a.Rows == 0 || a.Cols == 0:
		return true
	}
	return a.Cols <= len(a.Data) && a.Rows-1 <= (len(a.Data)-a.Cols)/a.Stride
}

// T is the transpose of a; no element moves.
func (a Matrix[T]) T() Matrix[T] {
	a.Rows, a.Cols, a.Trans = a.Cols, a.Rows, !a.Trans
	return a
}

// String gives the shape, such as "128×784ᵀ" for a matrix of 128 rows that is
// stored as its transpose.
func (a Matrix[T]) String() string {
	if a.Trans {
		return fmt.Sprintf("%d×%dᵀ", a.Rows, a.Cols)
	}
	return fmt.Sprintf("%d×%d", a.Rows, a.Cols)
}
