package blas

import "fmt"

// Sgemm sets c ← beta·c + alpha·a·b in float32. With beta 0 what c held does
// not matter, not even NaN; with alpha 0, or where a has no columns, a and b are
// not read. It panics, naming the shapes, if they do not fit.
func Sgemm(alpha float32, a, b Mat32, beta float32, c Mat32) {
	check("Sgemm", a, b, c)
	gemm(alpha, a, b, beta, c)
}

// Dgemm is [Sgemm] in float64.
func Dgemm(alpha float64, a, b Mat64, beta float64, c Mat64) {
	check("Dgemm", a, b, c)
	gemm(alpha, a, b, beta, c)
}

// check panics unless a·b has the shape of c and each lies within its memory.
func check[T Float](name string, a, b, c Matrix[T]) {
	if a.Cols != b.Rows || a.Rows != c.Rows || b.Cols != c.Cols {
		panic(fmt.Sprintf("blas: %s: %v times %v is not %v", name, a, b, c))
	}
	if !a.fits() || !b.fits() || !c.fits() {
		panic(fmt.Sprintf("blas: %s: %v times %v into %v: a matrix is larger than its memory", name, a, b, c))
	}
}

// kBlock is how many terms are summed before they are added to c: the panels of
// a tile then stay in the first level cache.
const kBlock = 256

// tinyProduct is the number of products up to which a plain loop is fastest.
const tinyProduct = 256

// gemm chooses the form.
func gemm[T Float](alpha T, ma, mb Matrix[T], beta T, mc Matrix[T]) {
	m, n, k := mc.Rows, mc.Cols, ma.Cols
	a, b, c := ma.operand(), mb.operand(), mc.operand()
	switch {
	case m == 0 || n == 0:
		return
	case alpha == 0 || k == 0:
		c.scale(m, n, beta)
		return
	}

	// Few columns, or a transposed destination: cᵀ ← beta·cᵀ + alpha·bᵀ·aᵀ.
	if n <= fewRows && m > n || m > fewRows && c.cs != 1 {
		m, n = n, m
		a, b, c = b.t(), a.t(), c.t()
	}

	// Blocks of k, the first of which applies beta.
	for ; k > 0; k -= kBlock {
		block(alpha, a, b, beta, c, m, n, min(k, kBlock))
		if k > kBlock {
			a, b, beta = a.from(0, kBlock), b.from(kBlock, 0), 1
		}
	}
}

// fewRows is the number of rows up to which packing b does not pay.
const fewRows = 8

// block is gemm for 0 < k ≤ kBlock. Whole tiles come first; the up to three
// rows that are left go one by one, as all rows do where there are few of them
// or the sums are too short to be worth packing.
func block[T Float](alpha T, a, b operand[T], beta T, c operand[T], m, n, k int) {
	if m*n*k <= tinyProduct {
		direct(alpha, a, b, beta, c, m, n, k)
		return
	}
	if k == 1 && c.cs == 1 {
		outer(alpha, a, b, beta, c, m, n)
		return
	}

	done := 0
	if m > fewRows && k > shortSum {
		done = m - m%tileRows
		tiles(alpha, a, b, beta, c, done, n, k)
	}
	for i := done; i < m; i++ {
		row(alpha, a.from(i, 0), b, beta, c.from(i, 0), n, k)
	}
}
