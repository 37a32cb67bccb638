package passes

import "gradgen.dev/ir"

// product runs a product step.
func (m *machine) product(p *ir.ProductStep) {
	number := func(n *ir.Node) float64 {
		if b, ok := p.Loads[n]; ok {
			return m.load(b, 0)
		}
		return m.own(n, func(a *ir.Node) float64 { fault("a factor is computed in a product"); return 0 })
	}
	alpha, beta := number(p.Alpha), number(p.Beta)
	reads := true
	if v, ok := p.Beta.Literal(); ok && v == 0 {
		reads = false
	}
	m.apart(p.C.Buffer, p.A.Buffer)
	m.apart(p.C.Buffer, p.B.Buffer)
	batch := m.dims(p.Batch)
	for index := range indices(batch) {
		a, b, c := m.matrix(p.A, index), m.matrix(p.B, index), m.matrix(p.C, index)
		if a.rows != c.rows || a.cols != b.rows || b.cols != c.cols {
			fault("%d×%d times %d×%d is no %d×%d", a.rows, a.cols, b.rows, b.cols, c.rows, c.cols)
		}
		for i := range c.rows {
			for j := range c.cols {
				sum := 0.0
				for k := range a.cols {
					sum += m.load(p.A.Buffer, a.at(i, k)) * m.load(p.B.Buffer, b.at(k, j))
				}
				sum *= alpha
				if reads {
					sum += beta * m.load(p.C.Buffer, c.at(i, j))
				}
				m.store(p.C.Buffer, c.at(i, j), sum)
			}
		}
	}
}

// apart checks that no element of b lies in memory that c is written to.
func (m *machine) apart(c, b *ir.Buffer) {
	x, y := m.memory(c), m.memory(b)
	for i := range x.data {
		for k := range y.data {
			if &x.data[i] == &y.data[k] {
				fault("the product %s is written over its operand %s", c.Name, b.Name)
			}
		}
	}
}

// A block is one matrix of a batch.
type block struct {
	offset, rows, cols, rowStride, colStride int
}

func (b block) at(i, j int) int { return b.offset + i*b.rowStride + j*b.colStride }

// matrix is the block of x at an index of the batch. It must be one that the
// BLAS takes: rows or columns without gaps that do not overlap, from a place
// inside the buffer on.
func (m *machine) matrix(x ir.Matrix, index []int) block {
	b := block{m.dim(x.Offset), m.dim(x.Rows), m.dim(x.Cols), m.dim(x.RowStride), m.dim(x.ColStride)}
	if len(x.BatchStride) != len(index) {
		fault("%d strides for a batch of %d axes", len(x.BatchStride), len(index))
	}
	for i, s := range x.BatchStride {
		b.offset += index[i] * m.dim(s)
	}
	rows, cols, stride := b.rows, b.cols, b.rowStride
	if !x.ColStride.IsConst(1) {
		if !x.RowStride.IsConst(1) {
			fault("neither stride of %s is 1", x.Buffer.Name)
		}
		rows, cols, stride = b.cols, b.rows, b.colStride
	}

	// Of a matrix without elements, the place does not matter.
	size := len(m.memory(x.Buffer).data)
	if b.offset < 0 || b.offset > size && b.rows*b.cols > 0 {
		fault("a matrix starts at %d of %s, which has %d elements", b.offset, x.Buffer.Name, size)
	}
	if rows != 1 && stride < cols {
		fault("the rows of a matrix in %s overlap: stride %d of %d columns", x.Buffer.Name, stride, cols)
	}
	return b
}
