package blas

// operand is a matrix whose element (i, j) is at data[i*rs+j*cs].
type operand[T Float] struct {
	data   []T
	rs, cs int
}

// operand forgets the flag: a transposed matrix has its strides exchanged.
func (a Matrix[T]) operand() operand[T] {
	if a.Trans {
		return operand[T]{a.Data, 1, a.Stride}
	}
	return operand[T]{a.Data, a.Stride, 1}
}

// t is the transpose.
func (a operand[T]) t() operand[T] { return operand[T]{a.data, a.cs, a.rs} }

// from is the part of a from row i and column j on, both within a.
func (a operand[T]) from(i, j int) operand[T] {
	return operand[T]{a.data[i*a.rs+j*a.cs:], a.rs, a.cs}
}

// row is n elements of row 0, which lie side by side.
func (a operand[T]) row(n int) []T { return a.data[:n:n] }

// blend is beta·c + alpha·s with both products rounded, and alpha·s where beta
// is 0, whatever c is.
func blend[T Float](alpha, s, beta, c T) T {
	if beta == 0 {
		return T(alpha * s)
	}
	return T(alpha*s) + T(beta*c)
}

// scale sets the m×n matrix c to beta·c, and to 0 where beta is 0.
func (c operand[T]) scale(m, n int, beta T) {
	for i := range m {
		for j := range n {
			p := &c.data[i*c.rs+j*c.cs]
			*p = blend(0, 0, beta, *p)
		}
	}
}
