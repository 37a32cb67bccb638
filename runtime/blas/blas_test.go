package blas_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"gradgen.dev/runtime/blas"
)

// product is Sgemm or Dgemm.
type product[T blas.Float] func(alpha T, a, b blas.Matrix[T], beta T, c blas.Matrix[T])

// layout is how a matrix lies in memory.
type layout struct {
	trans bool
	gap   int // elements between rows
}

var layouts = []layout{{false, 0}, {true, 0}, {false, 3}, {true, 1}}

// matrix is a rows×cols matrix of fresh memory, filled from f, with NaN in its
// gaps.
func matrix[T blas.Float](rows, cols int, l layout, f func(i, j int) T) blas.Matrix[T] {
	m := blas.Matrix[T]{Rows: rows, Cols: cols, Stride: cols + l.gap}
	if l.trans {
		m = blas.Matrix[T]{Rows: rows, Cols: cols, Stride: rows + l.gap, Trans: true}
	}
	stored := max(rows, cols) * (m.Stride + 1)
	m.Data = make([]T, stored)
	for i := range m.Data {
		m.Data[i] = T(math.NaN())
	}
	for i := range rows {
		for j := range cols {
			*at(m, i, j) = f(i, j)
		}
	}
	return m
}

// at is the place of element (i, j).
func at[T blas.Float](m blas.Matrix[T], i, j int) *T {
	if m.Trans {
		return &m.Data[j*m.Stride+i]
	}
	return &m.Data[i*m.Stride+j]
}

// reference is beta·c + alpha·a·b in float64, and the sum of the absolute values
// of its terms, which bounds the rounding.
func reference[T blas.Float](alpha T, a, b blas.Matrix[T], beta T, c blas.Matrix[T], i, j int) (sum, size float64) {
	if beta != 0 {
		sum = float64(beta) * float64(*at(c, i, j))
	}
	size = math.Abs(sum)
	if alpha == 0 {
		return sum, size
	}
	for k := range a.Cols {
		t := float64(alpha) * float64(*at(a, i, k)) * float64(*at(b, k, j))
		sum, size = sum+t, size+math.Abs(t)
	}
	return sum, size
}

// checkProduct compares one product with the reference, and what lies between
// the rows of c with what was there.
func checkProduct[T blas.Float](t *testing.T, f product[T], m, n, k int, alpha, beta T, la, lb, lc layout) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(m*1000+n), uint64(k)))
	uniform := func(int, int) T { return T(2*r.Float64() - 1) }
	a, b := matrix(m, k, la, uniform), matrix(k, n, lb, uniform)
	start := uniform
	if beta == 0 {
		start = func(int, int) T { return T(math.NaN()) }
	}
	c := matrix(m, n, lc, start)
	was := c
	was.Data = append([]T(nil), c.Data...)
	f(alpha, a, b, beta, c)

	eps := 0x1p-24
	if T(1)+T(0x1p-40) != 1 {
		eps = 0x1p-53
	}
	for i := range m {
		for j := range n {
			want, size := reference(alpha, a, b, beta, was, i, j)
			if got := float64(*at(c, i, j)); !(math.Abs(got-want) <= float64(k+4)*eps*size) {
				t.Fatalf("%d×%d×%d, alpha %v, beta %v, layouts %v %v %v: c[%d,%d] is %v, want %v",
					m, k, n, alpha, beta, la, lb, lc, i, j, got, want)
			}
			*at(c, i, j) = T(math.NaN())
		}
	}
	if beta == 0 {
		for i, v := range c.Data {
			if v == v {
				t.Fatalf("%d×%d×%d, layout %v: the gap at %d is written", m, k, n, lc, i)
			}
		}
	}
}

func TestSgemm(t *testing.T) { testGemm(t, blas.Sgemm) }
func TestDgemm(t *testing.T) { testGemm(t, blas.Dgemm) }

func testGemm[T blas.Float](t *testing.T, f product[T]) {
	// Every combination of sizes about the tiles, layouts at random.
	sizes := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33}
	scales := []T{0, 1, -1, 0.5}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func() layout { return layouts[r.IntN(len(layouts))] }
	for _, m := range sizes {
		for _, n := range sizes {
			for _, k := range sizes {
				checkProduct(t, f, m, n, k, scales[r.IntN(4)], scales[r.IntN(4)], pick(), pick(), pick())
			}
		}
	}

	// Every combination of layouts, and sums over several blocks.
	shapes := [][3]int{{5, 7, 9}, {1, 33, 17}, {17, 3, 300}, {9, 70, 513}, {3, 270, 257}, {33, 34, 4}, {13, 1, 1}, {9, 9, 1}, {8, 9, 0}, {1, 1, 600}}
	for _, s := range shapes {
		for _, la := range layouts {
			for _, lb := range layouts {
				for _, lc := range layouts {
					checkProduct(t, f, s[0], s[1], s[2], scales[1+r.IntN(3)], scales[r.IntN(4)], la, lb, lc)
				}
			}
		}
	}
}

// TestOrder demands that the bits of an element depend on the values alone:
// neither on the layouts nor on the part of c that is computed.
func TestOrder(t *testing.T) {
	for _, k := range []int{1, 2, 4, 5, 31, 256, 257, 700} {
		const m, n = 21, 41
		r := rand.New(rand.NewPCG(3, uint64(k)))
		values := func(rows, cols int) func(i, j int) float32 {
			v := make([]float32, rows*cols)
			for i := range v {
				v[i] = float32(r.NormFloat64())
			}
			return func(i, j int) float32 { return v[i*cols+j] }
		}
		va, vb, vc := values(m, k), values(k, n), values(m, n)

		// The order that the package documents.
		want := matrix(m, n, layouts[0], vc)
		for i := range m {
			for j := range n {
				p, beta := at(want, i, j), float32(0.5)
				for from := 0; from < k; from += 256 {
					s := float32(0)
					for l := from; l < min(from+256, k); l++ {
						s += va(i, l) * vb(l, j)
					}
					*p = float32(-1.5*s) + float32(beta**p)
					beta = 1
				}
			}
		}

		for range 40 {
			la, lb, lc := layouts[r.IntN(4)], layouts[r.IntN(4)], layouts[r.IntN(4)]
			i0, j0 := r.IntN(m), r.IntN(n)
			rows, cols := 1+r.IntN(m-i0), 1+r.IntN(n-j0)
			a := matrix(rows, k, la, func(i, l int) float32 { return va(i0+i, l) })
			b := matrix(k, cols, lb, func(l, j int) float32 { return vb(l, j0+j) })
			c := matrix(rows, cols, lc, func(i, j int) float32 { return vc(i0+i, j0+j) })
			blas.Sgemm(-1.5, a, b, 0.5, c)
			for i := range rows {
				for j := range cols {
					if got, want := *at(c, i, j), *at(want, i0+i, j0+j); got != want {
						t.Fatalf("k %d, part [%d:%d,%d:%d], layouts %v %v %v: c[%d,%d] is %v, want %v",
							k, i0, i0+rows, j0, j0+cols, la, lb, lc, i, j, got, want)
					}
				}
			}
		}
	}
}

// TestNotFinite: what is not finite reaches the elements that it belongs to, and
// no others; what does not count is not read.
func TestNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, shape := range [][3]int{{1, 9, 9}, {9, 1, 9}, {9, 9, 9}, {13, 11, 2}, {5, 7, 300}} {
		m, n, k := shape[0], shape[1], shape[2]
		one := func(int, int) float32 { return 1 }
		a, b, c := matrix(m, k, layouts[0], one), matrix(k, n, layouts[0], one), matrix(m, n, layouts[0], one)
		*at(a, m-1, k-1), *at(b, k-1, n-1) = nan, inf
		blas.Sgemm(1, a, b, 1, c)
		for i := range m {
			for j := range n {
				got := *at(c, i, j)
				isNaN, isInf := i == m-1, i != m-1 && j == n-1
				if isNaN != (got != got) || isInf != math.IsInf(float64(got), 1) {
					t.Errorf("%v: c[%d,%d] is %v", shape, i, j, got)
				}
			}
		}

		// alpha 0 reads neither operand, beta 0 not c; 0·∞ inside a product is NaN.
		blas.Sgemm(0, a, b, 0, c)
		if got := *at(c, m-1, n-1); got != 0 {
			t.Errorf("%v: with alpha and beta 0, c is %v", shape, got)
		}
		*at(a, m-1, k-1) = 0
		blas.Sgemm(1, a, b, 0, c)
		if got := *at(c, m-1, n-1); got == got {
			t.Errorf("%v: 0·∞ gives %v", shape, got)
		}
	}
}

func TestPanics(t *testing.T) {
	data := make([]float32, 12)
	v := func(rows, cols int) blas.Mat32 { return blas.View32(data, rows, cols) }
	cases := map[string]func(){
		"blas: Sgemm: 3×4 times 3×4 is not 3×4":                                   func() { blas.Sgemm(1, v(3, 4), v(3, 4), 1, v(3, 4)) },
		"blas: Sgemm: 4×3ᵀ times 3×4 is not 3×3":                                  func() { blas.Sgemm(1, v(3, 4).T(), v(3, 4), 1, v(3, 3)) },
		"blas: 12 elements are no 3×5 matrix of stride 5":                         func() { v(3, 5) },
		"blas: 12 elements are no -1×5 matrix of stride 5":                        func() { v(-1, 5) },
		"blas: 12 elements are no 2×5 matrix of stride 4":                         func() { blas.Strided32(data, 2, 5, 4) },
		"blas: 12 elements are no 2×5 matrix of stride 8":                         func() { blas.Strided32(data, 2, 5, 8) },
		"blas: Sgemm: 4×4 times 4×3 into 4×3: a matrix is larger than its memory": func() { blas.Sgemm(1, blas.Mat32{Data: data, Rows: 4, Cols: 4, Stride: 4}, v(4, 3), 1, v(4, 3)) },
		"blas: Sgemm: 3×4ᵀ times 4×3 into 3×3: a matrix is larger than its memory": func() {
			blas.Sgemm(1, blas.Mat32{Data: data, Rows: 3, Cols: 4, Stride: 5, Trans: true}.T().T(), v(4, 3), 1, v(3, 3))
		},
		fmt.Sprintf("blas: Sgemm: %d×4 times 4×1 into %d×1: a matrix is larger than its memory", math.MaxInt, math.MaxInt): func() {
			blas.Sgemm(1, blas.Mat32{Data: data, Rows: math.MaxInt, Cols: 4, Stride: 4}, v(4, 1), 1, blas.Mat32{Data: data, Rows: math.MaxInt, Cols: 1, Stride: 1})
		},
	}
	for want, f := range cases {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != want {
					t.Errorf("panic is %q, want %q", got, want)
				}
			}()
			f()
		}()
	}
	if m := blas.Strided32(data, 2, 5, 7); len(m.Data) != 12 {
		t.Errorf("a matrix from the first to the last of its elements has %d of them", len(m.Data))
	}
	if m := blas.View64(nil, 0, 5).T(); m.Rows != 5 || m.Cols != 0 || !m.Trans {
		t.Errorf("the transpose of an empty matrix is %+v", m)
	}
}

func TestAllocations(t *testing.T) {
	for _, s := range benchShapes {
		a, b, c := s.operands32()
		if n := testing.AllocsPerRun(4, func() { blas.Sgemm(1, a, b, 1, c) }); n != 0 {
			t.Errorf("Sgemm %v: %v allocations", s, n)
		}
	}
	a, b, c := make([]float64, 40*300), make([]float64, 300*40), make([]float64, 40*40)
	if n := testing.AllocsPerRun(4, func() {
		blas.Dgemm(1, blas.View64(a, 40, 300), blas.View64(b, 40, 300).T(), 1, blas.View64(c, 40, 40))
	}); n != 0 {
		t.Errorf("Dgemm: %v allocations", n)
	}
}

// shape is a product that networks have: m×k×n with operands as they lie.
type shape struct {
	m, k, n        int
	transA, transB bool
}

func (s shape) String() string {
	form := "NN"
	switch {
	case s.transA:
		form = "TN"
	case s.transB:
		form = "NT"
	}
	return fmt.Sprintf("%dx%dx%d_%s", s.m, s.k, s.n, form)
}

var benchShapes = []shape{
	{128, 784, 256, false, false}, {784, 128, 256, true, false}, {128, 10, 512, false, true},
	{128, 512, 10, false, false}, {512, 128, 10, true, false}, {1, 784, 512, false, false},
	{1, 512, 784, false, true}, {784, 1, 128, true, false}, {8, 512, 512, false, false}, {32, 784, 512, false, false},
	{16, 16, 16, false, false}, {32, 32, 32, false, false}, {64, 64, 64, false, false}, {64, 32, 64, false, true},
	{512, 784, 1, false, false}, {4, 4, 4, false, false}, {5, 512, 512, false, false}, {128, 512, 1, true, false},
}

func (s shape) operands32() (a, b, c blas.Mat32) {
	fill := func(rows, cols int, trans bool) blas.Mat32 {
		return matrix(rows, cols, layout{trans: trans}, func(i, j int) float32 { return float32(i%7) - float32(j%5) })
	}
	return fill(s.m, s.k, s.transA), fill(s.k, s.n, s.transB), fill(s.m, s.n, false)
}

func BenchmarkSgemm(b *testing.B) {
	for _, s := range benchShapes {
		b.Run(s.String(), func(b *testing.B) {
			x, y, z := s.operands32()
			for b.Loop() {
				blas.Sgemm(1, x, y, 0, z)
			}
			b.ReportMetric(2*float64(s.m*s.k*s.n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}

func BenchmarkDgemm(b *testing.B) {
	for _, s := range benchShapes[:2] {
		b.Run(s.String(), func(b *testing.B) {
			one := func(int, int) float64 { return 1 }
			x, y := matrix(s.m, s.k, layout{trans: s.transA}, one), matrix(s.k, s.n, layout{trans: s.transB}, one)
			z := matrix(s.m, s.n, layout{}, one)
			for b.Loop() {
				blas.Dgemm(1, x, y, 0, z)
			}
			b.ReportMetric(2*float64(s.m*s.k*s.n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}

// TestConcurrent lets goroutines compute parts of one product; the race detector
// sees what they share.
func TestConcurrent(t *testing.T) {
	const m, k, n, workers = 64, 70, 40, 4
	v := make([]float32, m*k+k*n)
	for i := range v {
		v[i] = float32(i%13) - 6.5
	}
	a, b := blas.View32(v, m, k), blas.View32(v[m*k:], k, n)
	want, got := make([]float32, m*n), make([]float32, m*n)
	blas.Sgemm(1, a, b, 0, blas.View32(want, m, n))

	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			const rows = m / workers
			part := blas.View32(v[w*rows*k:], rows, k)
			blas.Sgemm(1, part, b, 0, blas.View32(got[w*rows*n:], rows, n))
		})
	}
	wait.Wait()
	if !slices.Equal(got, want) {
		t.Error("parts differ from the whole")
	}
}
