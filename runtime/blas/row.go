package blas

const (
	// shortSum is the longest sum that is not worth packing.
	shortSum = 4

	// stripCols is how many sums of a row of c are kept at a time.
	stripCols = 256

	// dotCols is how many dot products run side by side, to hide the latency of
	// additions.
	dotCols = 6
)

// outer is gemm for sums of one term: a column times a row, which is what a
// gradient of a single sample is. The rows of c lie side by side.
func outer[T Float](alpha T, a, b operand[T], beta T, c operand[T], m, n int) {
	for i := range m {
		v, r := a.data[i*a.rs], c.from(i, 0).row(n)
		switch {
		case b.cs != 1:
			for j := range r {
				r[j] = blend(alpha, v*b.data[j*b.cs], beta, r[j])
			}
		case beta == 0:
			for j, w := range b.row(n)[:len(r)] {
				r[j] = alpha * T(v*w)
			}
		case beta == 1:
			for j, w := range b.row(n)[:len(r)] {
				r[j] += T(alpha * T(v*w))
			}
		default:
			for j, w := range b.row(n)[:len(r)] {
				r[j] = blend(alpha, v*w, beta, r[j])
			}
		}
	}
}

// direct is gemm for products so small that preparing anything takes longer.
func direct[T Float](alpha T, a, b operand[T], beta T, c operand[T], m, n, k int) {
	for i := range m {
		for j := range n {
			s, x, y := T(0), a.data[i*a.rs:], b.data[j*b.cs:]
			for l := range k {
				s += x[l*a.cs] * y[l*b.rs]
			}
			p := &c.data[i*c.rs+j*c.cs]
			*p = blend(alpha, s, beta, *p)
		}
	}
}

// row sets row 0 of c to beta·c + alpha·a·b, for row 0 of a: n columns, sums of
// k ≤ kBlock terms.
func row[T Float](alpha T, a, b operand[T], beta T, c operand[T], n, k int) {
	// The row of a, side by side.
	var buf [kBlock]T
	x := buf[:k]
	if a.cs == 1 {
		x = a.row(k)
	} else {
		for i := range x {
			x[i] = a.data[i*a.cs]
		}
	}

	// The rows of b lie side by side, or its columns do.
	if b.cs != 1 {
		dots(alpha, x, b, beta, c, n)
		return
	}
	for j := 0; j < n; j += stripCols {
		strip(alpha, x, b.from(0, j), beta, c.from(0, j), min(n-j, stripCols))
	}
}

// strip is row for n ≤ stripCols and a b whose rows lie side by side: it adds up
// multiples of rows of b, four at a time.
func strip[T Float](alpha T, x []T, b operand[T], beta T, c operand[T], n int) {
	var buf [stripCols]T
	sums := buf[:n]
	at := 0
	for ; len(x) >= 4; x = x[4:] {
		axpy4(sums, (*[4]T)(x), b.data[at:], b.rs)
		at += 4 * b.rs
	}
	for _, v := range x {
		for j, w := range b.data[at:][:len(sums)] {
			sums[j] += v * w
		}
		at += b.rs
	}
	for j, s := range sums {
		p := &c.data[j*c.cs]
		*p = blend(alpha, s, beta, *p)
	}
}

// axpy4 adds x[0] to x[3] times four rows of b to the sums.
func axpy4[T Float](sums []T, x *[4]T, b []T, stride int) {
	x0, x1, x2, x3 := x[0], x[1], x[2], x[3]
	n := len(sums)
	b0, b1, b2, b3 := b[:n], b[stride:][:n], b[2*stride:][:n], b[3*stride:][:n]
	for j := range sums {
		s := sums[j]
		s += x0 * b0[j]
		s += x1 * b1[j]
		s += x2 * b2[j]
		s += x3 * b3[j]
		sums[j] = s
	}
}

// dots is row for a b whose columns lie side by side: dotCols dot products at a
// time. Where fewer are left, the last column stands in for those beyond it.
func dots[T Float](alpha T, x []T, b operand[T], beta T, c operand[T], n int) {
	for j := 0; j < n; j += dotCols {
		var cols [dotCols][]T
		for i := range cols {
			cols[i] = b.data[min(j+i, n-1)*b.cs:][:len(x)]
		}
		sums := dot6(x, cols[0], cols[1], cols[2], cols[3], cols[4], cols[5])
		for i, s := range sums[:min(dotCols, n-j)] {
			p := &c.data[(j+i)*c.cs]
			*p = blend(alpha, s, beta, *p)
		}
	}
}

// dot6 is the dot products of x with six vectors of its length.
func dot6[T Float](x, y0, y1, y2, y3, y4, y5 []T) [dotCols]T {
	n := len(x)
	y0, y1, y2, y3, y4, y5 = y0[:n], y1[:n], y2[:n], y3[:n], y4[:n], y5[:n]
	var s0, s1, s2, s3, s4, s5 T
	k := 1
	for ; k < n; k += 2 {
		v := x[k-1]
		s0, s1, s2 = s0+v*y0[k-1], s1+v*y1[k-1], s2+v*y2[k-1]
		s3, s4, s5 = s3+v*y3[k-1], s4+v*y4[k-1], s5+v*y5[k-1]
		v = x[k]
		s0, s1, s2 = s0+v*y0[k], s1+v*y1[k], s2+v*y2[k]
		s3, s4, s5 = s3+v*y3[k], s4+v*y4[k], s5+v*y5[k]
	}
	if k == n {
		v := x[n-1]
		s0, s1, s2 = s0+v*y0[n-1], s1+v*y1[n-1], s2+v*y2[n-1]
		s3, s4, s5 = s3+v*y3[n-1], s4+v*y4[n-1], s5+v*y5[n-1]
	}
	return [dotCols]T{s0, s1, s2, s3, s4, s5}
}
