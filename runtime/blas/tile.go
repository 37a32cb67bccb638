package blas

const (
	tileRows = 4
	tileCols = 2

	// panelCols is how many columns of b are packed at a time: each panel of a
	// is packed once for so many columns.
	panelCols = 32

	// smallPanels is the size, in elements, of a packed b that is small: less
	// stack has to be cleared.
	smallPanels = 1024
)

// tiles sets c ← beta·c + alpha·a·b for m rows, a multiple of tileRows. The
// panels are on the stack, which has to be cleared: as little as will do.
func tiles[T Float](alpha T, a, b operand[T], beta T, c operand[T], m, n, k int) {
	if n*k <= smallPanels {
		tilesSmall(alpha, a, b, beta, c, m, n, k)
	} else {
		tilesLarge(alpha, a, b, beta, c, m, n, k)
	}
}

// tilesSmall is tiles for n·k ≤ smallPanels.
func tilesSmall[T Float](alpha T, a, b operand[T], beta T, c operand[T], m, n, k int) {
	var panelA [kBlock][tileRows]T
	var panelsB [smallPanels/tileCols + kBlock/2][tileCols]T
	slice(panelA[:k], panelsB[:], alpha, a, b, beta, c, m, n, k)
}

// tilesLarge is tiles for any n, in slices of panelCols columns.
func tilesLarge[T Float](alpha T, a, b operand[T], beta T, c operand[T], m, n, k int) {
	var panelA [kBlock][tileRows]T
	var panelsB [kBlock * panelCols / tileCols][tileCols]T
	for j := 0; j < n; j += panelCols {
		slice(panelA[:k], panelsB[:], alpha, a, b.from(0, j), beta, c.from(0, j), m, min(n-j, panelCols), k)
	}
}

// slice is tiles for columns whose panels fit. Panels are operands in the order
// in which a tile reads them: a panel of a is k times the elements of tileRows
// rows, one of b k times those of tileCols columns.
func slice[T Float](panelA [][tileRows]T, panelsB [][tileCols]T, alpha T, a, b operand[T], beta T, c operand[T], m, n, k int) {
	packB(panelsB, b, n, k)
	for i := 0; i < m; i += tileRows {
		packA(panelA, a.from(i, 0))
		for j := 0; j < n; j += tileCols {
			sums := tile(panelA, panelsB[j/tileCols*k:][:k])
			store(&sums, alpha, beta, c.from(i, j), n-j)
		}
	}
}

// packA copies tileRows rows of a.
func packA[T Float](panel [][tileRows]T, a operand[T]) {
	if a.rs == 1 {
		for k := range panel {
			panel[k] = [tileRows]T(a.data[k*a.cs:])
		}
		return
	}
	r0, r1, r2, r3 := a.row(len(panel)), a.from(1, 0).row(len(panel)), a.from(2, 0).row(len(panel)), a.from(3, 0).row(len(panel))
	for k := range panel {
		panel[k] = [tileRows]T{r0[k], r1[k], r2[k], r3[k]}
	}
}

// packB copies n columns of b, panel after panel of k steps. The last column of
// an odd n has zeros beside it.
func packB[T Float](panels [][tileCols]T, b operand[T], n, k int) {
	even := n - n%tileCols
	if b.cs == 1 {
		for l := range k {
			src := b.data[l*b.rs:][:even]
			for at := l; len(src) >= tileCols; at += k {
				panels[at] = [tileCols]T(src)
				src = src[tileCols:]
			}
		}
	} else {
		for j := 0; j < even; j += tileCols {
			panel := panels[j/tileCols*k:][:k]
			c0, c1 := b.from(0, j).row(k), b.from(0, j+1).row(k)
			for l := range panel {
				panel[l] = [tileCols]T{c0[l], c1[l]}
			}
		}
	}
	if even < n {
		panel, last := panels[even/tileCols*k:][:k], b.from(0, even)
		for l := range panel {
			panel[l] = [tileCols]T{last.data[l*last.rs]}
		}
	}
}

// tile is the sum over k of the products of a panel of a and one of b, which
// are equally long. The sums are in registers. Four steps stand in a row, each
// sum right behind its product, because the compiler moves the sums of a loop's
// last step behind all of its products, and then runs out of registers.
func tile[T Float](a [][tileRows]T, b [][tileCols]T) [tileRows * tileCols]T {
	var c00, c01, c10, c11, c20, c21, c30, c31 T
	for len(a) >= 4 && len(b) >= 4 {
		{
			a0, a1, a2, a3, b0, b1 := a[0][0], a[0][1], a[0][2], a[0][3], b[0][0], b[0][1]
			c00, c01, c10, c11 = c00+a0*b0, c01+a0*b1, c10+a1*b0, c11+a1*b1
			c20, c21, c30, c31 = c20+a2*b0, c21+a2*b1, c30+a3*b0, c31+a3*b1
		}
		{
			a0, a1, a2, a3, b0, b1 := a[1][0], a[1][1], a[1][2], a[1][3], b[1][0], b[1][1]
			c00, c01, c10, c11 = c00+a0*b0, c01+a0*b1, c10+a1*b0, c11+a1*b1
			c20, c21, c30, c31 = c20+a2*b0, c21+a2*b1, c30+a3*b0, c31+a3*b1
		}
		{
			a0, a1, a2, a3, b0, b1 := a[2][0], a[2][1], a[2][2], a[2][3], b[2][0], b[2][1]
			c00, c01, c10, c11 = c00+a0*b0, c01+a0*b1, c10+a1*b0, c11+a1*b1
			c20, c21, c30, c31 = c20+a2*b0, c21+a2*b1, c30+a3*b0, c31+a3*b1
		}
		{
			a0, a1, a2, a3, b0, b1 := a[3][0], a[3][1], a[3][2], a[3][3], b[3][0], b[3][1]
			c00, c01, c10, c11 = c00+a0*b0, c01+a0*b1, c10+a1*b0, c11+a1*b1
			c20, c21, c30, c31 = c20+a2*b0, c21+a2*b1, c30+a3*b0, c31+a3*b1
		}
		a, b = a[4:], b[4:]
	}
	for k := range min(len(a), len(b)) {
		a0, a1, a2, a3, b0, b1 := a[k][0], a[k][1], a[k][2], a[k][3], b[k][0], b[k][1]
		c00, c01, c10, c11 = c00+a0*b0, c01+a0*b1, c10+a1*b0, c11+a1*b1
		c20, c21, c30, c31 = c20+a2*b0, c21+a2*b1, c30+a3*b0, c31+a3*b1
	}
	return [tileRows * tileCols]T{c00, c01, c10, c11, c20, c21, c30, c31}
}

// store blends a tile's sums into c, whose rows lie side by side and have left
// columns from here on.
func store[T Float](sums *[tileRows * tileCols]T, alpha, beta T, c operand[T], left int) {
	for i := range tileRows {
		r := c.data[i*c.rs:]
		r[0] = blend(alpha, sums[tileCols*i], beta, r[0])
		if left > 1 {
			r[1] = blend(alpha, sums[tileCols*i+1], beta, r[1])
		}
	}
}
