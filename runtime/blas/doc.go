// Package blas has the matrix products that emitted code calls.
//
// Operands are small matrix values, [Mat32] and [Mat64]: views of row-major
// memory with a stride and a flag that says whether it is read as its
// transpose. A product is
//
//	c ← beta·c + alpha·a·b
//
// It never allocates, starts no goroutine and keeps nothing between calls, so
// that any number of goroutines may call it with destinations that do not
// overlap. A destination overlaps neither operand.
//
// # Forms
//
//	gemm.go      the exported functions, and which form a shape takes
//	tile.go      4×2 tiles of sums in registers, operands packed into panels
//	row.go       few rows: dot products, or strips of a row of c
//	operand.go   a matrix as data and two strides, which makes transposes free
//
// A faster kernel for one machine replaces the body of [Sgemm] or [Dgemm]
// behind their checks; nothing that calls them changes.
//
// # Order of sums
//
// With K split into blocks of 256, every form computes every element as
//
//	c ← beta·c + alpha·(0 + a₀b₀ + a₁b₁ + …)    the first block
//	c ← c + alpha·(0 + a₀b₀ + a₁b₁ + …)         each further one
//
// with sums from left to right. So the bits of an element depend on K and on
// the values alone, not on M, N, strides or transposition, and work may be cut
// over rows and columns of c in any way.
package blas
