package passes

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A product is result ← alpha·(a ∘ b) + beta·onto, where ∘ is the einsum and
// nil stands for 1 and, of onto, for nothing.
type product struct {
	result      *ir.Node
	einsum      *ir.Node
	a, b        *ir.Node
	alpha, beta *ir.Node
	onto        *ir.Node
}

// intoFold is a reduction whose terms, times scale, make the target; where
// keep is set they are added to the tensor that the target replaces.
type intoFold struct {
	target *ir.Node
	scale  *ir.Node
	keep   bool
}

// absorb finds what products and folds take over from the nodes behind them:
// scales, and additions to another product or to the tensor that is updated.
// updates maps a target to the leaf whose memory it gets.
func (f *fuser) absorb(order []*ir.Node, updates map[*ir.Node]*ir.Node) {
	for _, n := range order {
		if n.Op.Class == ir.Product {
			f.products[n] = &product{result: n, einsum: n, a: n.Args[0], b: n.Args[1]}
			continue
		}
		if p, k := f.scaledOperand(n); p != nil && !f.targets[p.result] {
			q := *p
			q.result, q.alpha = n, f.timesScalar(k, p.alpha)
			f.takeOver(p.result, n, &q)
			continue
		}
		if n.Is("add") || n.Is("sub") {
			f.absorbSum(n, updates)
		}
		if n.Is("mul") && f.targets[n] && f.uses[n] == 1 {
			if r, scale := f.scaledReduce(n); r != nil && scale != nil {
				f.into[r] = intoFold{target: n, scale: scale}
				f.taken[n] = true
			}
		}
	}
}

// takeOver makes q the product of n instead of that of inner.
func (f *fuser) takeOver(inner, n *ir.Node, q *product) {
	f.taken[inner] = true
	delete(f.products, inner)
	f.products[n] = q
}

// scaledOperand is the product that n scales, and the scalar, where n is
// nothing but that.
func (f *fuser) scaledOperand(n *ir.Node) (*product, *ir.Node) {
	switch n.Op.Name {
	case "neg":
		if p := f.single(n.Args[0]); p != nil && p.onto == nil {
			return p, f.g.Const(-1, n.Type.Elem)
		}
	case "mul":
		k := n.Args[0]
		scalar := k.Is("spread") && k.Args[0].Type.Rank() == 0
		if p := f.single(n.Args[1]); p != nil && p.onto == nil && (scalar || k.Type.Rank() == 0) {
			if scalar {
				k = k.Args[0]
			}
			return p, k
		}
	}
	return nil, nil
}

// single is the product whose result n is, where n has no other user.
func (f *fuser) single(n *ir.Node) *product {
	if f.uses[n] != 1 || f.targets[n] {
		return nil
	}
	return f.products[n]
}

// timesScalar is k·l, nil being 1.
func (f *fuser) timesScalar(k, l *ir.Node) *ir.Node {
	if l == nil {
		return k
	}
	s := newSimplifier(f.g, nil)
	return s.build([]term{s.product(k).times(s.product(l))}, k.Type)
}

func (f *fuser) negated(k *ir.Node, t ir.DType) *ir.Node {
	return f.timesScalar(f.g.Const(-1, t), k)
}

// absorbSum folds an addition into a product or a fold: two products become
// one that accumulates onto the other, and x − s·(product or sum) becomes an
// update of x where n takes x's place.
func (f *fuser) absorbSum(n *ir.Node, updates map[*ir.Node]*ir.Node) {
	leaf := updates[n]
	if f.uses[n] > 1 {
		leaf = nil // others read the new value
	}
	for i, x := range n.Args {
		y := n.Args[1-i]
		negative := n.Is("sub") && i == 0 // y is subtracted
		if n.Is("sub") && i == 1 {
			continue // x is subtracted from y
		}
		beta, onto := f.scaledLeaf(x, leaf)
		if onto == nil && f.single(x) != nil && f.products[x].onto == nil && i == 0 {
			onto = x
		}
		if onto == nil {
			continue
		}
		if p := f.single(y); p != nil && p.onto == nil {
			q := *p
			q.result, q.onto, q.beta = n, onto, beta
			if negative {
				q.alpha = f.negated(p.alpha, n.Type.Elem)
			}
			f.takeOver(y, n, &q)
			return
		}
		if onto == leaf && leaf != nil && beta == nil {
			if r, scale := f.scaledReduce(y); r != nil {
				if negative {
					scale = f.negated(scale, n.Type.Elem)
				}
				f.into[r] = intoFold{target: n, scale: scale, keep: true}
				f.taken[n], f.taken[y] = true, true
				delete(f.taken, r)
				return
			}
		}
	}
}

// scaledLeaf reports whether x is leaf, or a scalar times it.
func (f *fuser) scaledLeaf(x, leaf *ir.Node) (beta, onto *ir.Node) {
	switch {
	case leaf == nil:
	case x == leaf:
		return nil, leaf
	case x.Is("mul") && x.Args[1] == leaf && x.Args[0].Is("spread") && x.Args[0].Args[0].Type.Rank() == 0:
		return x.Args[0].Args[0], leaf
	}
	return nil, nil
}

// scaledReduce is the sum that y is, or scales, where nobody else uses it.
func (f *fuser) scaledReduce(y *ir.Node) (r, scale *ir.Node) {
	if f.avail[y] {
		return nil, nil
	}
	if y.Is("mul") && y.Args[0].Is("spread") && y.Args[0].Args[0].Type.Rank() == 0 && f.uses[y] == 1 {
		scale, y = y.Args[0].Args[0], y.Args[1]
	}
	if y.Is("sum") && !f.avail[y] && f.uses[y] == 1 && !f.targets[y] && y.Type.Rank() > 0 {
		return y, scale
	}
	return nil, nil
}

// addProduct appends the step of n's product, behind copies of its operands
// that laying it out has made.
func (f *fuser) addProduct(n *ir.Node) {
	p := f.products[n]
	for _, x := range []*ir.Node{p.a, p.b} {
		if !f.avail[x] {
			f.visit(x)
		}
	}
	g := f.newGroup(n.Type.Shape)
	g.product = p
	f.of[n] = g
}

// letters sorts those of a product: those of both operands and the result are
// its batch, those of a and the result rows, of b and the result columns, each
// in the result's order, and those that are summed the inner dimension.
func letters(spec string) (batch, rows, cols, inner string) {
	la, lb, lc := ir.SplitSpec(spec)
	for _, l := range lc {
		inA, inB := strings.ContainsRune(la, l), strings.ContainsRune(lb, l)
		switch {
		case inA && inB:
			batch += string(l)
		case inA:
			rows += string(l)
		default:
			cols += string(l)
		}
	}
	return batch, rows, cols, summed(la, lb, lc)
}

// matrices lays an einsum out as matrix products. Where several letters are
// rows, columns or inner dimension and do not lie without gaps, all but the
// last are looped over as a batch; ok is false where that cannot be, for the
// inner dimension.
func matrices(e *ir.Node, a, b, c view) (step *ir.ProductStep, ok bool) {
	la, lb, lc := ir.SplitSpec(e.Attr.Spec)
	extent := map[byte]ir.Dim{}
	for i := range len(la) {
		extent[la[i]] = e.Args[0].Type.Shape[i]
	}
	for i := range len(lb) {
		extent[lb[i]] = e.Args[1].Type.Shape[i]
	}
	batch, rows, cols, inner := letters(e.Attr.Spec)
	operands := [3]operand{{la, a}, {lb, b}, {lc, c}}
	m := merged(rows, extent, operands[0], operands[2])
	n := merged(cols, extent, operands[1], operands[2])
	k := merged(inner, extent, operands[0], operands[1])
	if len(k.loop) > 0 {
		return nil, false
	}
	batch += m.loop + n.loop
	step = &ir.ProductStep{}
	for i := range len(batch) {
		step.Batch = append(step.Batch, extent[batch[i]])
	}
	step.A = operands[0].matrix(m, k, batch)
	step.B = operands[1].matrix(k, n, batch)
	step.C = operands[2].matrix(m, n, batch)
	return step, plain(step.A) && plain(step.B) && plain(step.C)
}

// plain reports whether the BLAS takes the matrix m: its rows or its columns
// have no gaps and do not overlap.
func plain(m ir.Matrix) bool {
	return m.ColStride.IsConst(1) && (m.Rows.IsConst(1) || atLeast(m.RowStride, m.Cols)) ||
		m.RowStride.IsConst(1) && (m.Cols.IsConst(1) || atLeast(m.ColStride, m.Rows))
}

// atLeast reports whether d ≥ e where no dimension is 0: else there is nothing
// to multiply.
func atLeast(d, e ir.Dim) bool {
	next := func(name string) (ir.Dim, bool) { return ir.DimVar(name).Add(ir.D(1)), true }
	return d.Subst(next).Covers(e.Subst(next))
}

// operand is a view with the letters of its axes.
type operand struct {
	letters string
	view    view
}

// axis is several letters as one dimension: its extent, the letter whose
// stride it has, and letters that are looped over instead.
type axis struct {
	extent ir.Dim
	last   string
	loop   string
}

// merged makes one axis of letters where both operands have them behind one
// another without gaps.
func merged(letters string, extent map[byte]ir.Dim, x, y operand) axis {
	if letters == "" {
		return axis{extent: ir.D(1)}
	}
	last := len(letters) - 1
	out := axis{extent: extent[letters[last]], last: letters[last:]}
	for i := last - 1; i >= 0; i-- {
		if out.loop != "" || !x.adjacent(letters[i], letters[i+1], extent) || !y.adjacent(letters[i], letters[i+1], extent) {
			out.loop = string(letters[i]) + out.loop
			continue
		}
		out.extent = out.extent.Mul(extent[letters[i]])
	}
	return out
}

func (o operand) stride(l byte) ir.Dim {
	if i := strings.IndexByte(o.letters, l); i >= 0 {
		return o.view.strides[i]
	}
	return ir.Dim{}
}

func (o operand) adjacent(l, next byte, extent map[byte]ir.Dim) bool {
	return o.stride(l).Equal(o.stride(next).Mul(extent[next]))
}

// matrix is o with axis r as rows and c as columns. An axis of extent 1 takes
// the stride that makes the matrix gapless.
func (o operand) matrix(r, c axis, batch string) ir.Matrix {
	m := ir.Matrix{Offset: o.view.offset, Rows: r.extent, Cols: c.extent}
	m.RowStride, m.ColStride = o.axisStride(r), o.axisStride(c)
	if c.last == "" || c.extent.IsConst(1) {
		m.ColStride = ir.D(1)
	}
	if r.last == "" || r.extent.IsConst(1) {
		m.RowStride = c.extent
		if !m.ColStride.IsConst(1) {
			m.RowStride = ir.D(1)
		}
	}
	for i := range len(batch) {
		m.BatchStride = append(m.BatchStride, o.stride(batch[i]))
	}
	return m
}

func (o operand) axisStride(a axis) ir.Dim {
	if a.last == "" {
		return ir.D(1)
	}
	return o.stride(a.last[0])
}

// productStep is the step of a product group.
func (f *fuser) productStep(p *product) (*ir.ProductStep, bool) {
	stored := func(n *ir.Node) bool { return f.avail[n] || f.memory[n] }
	a, okA := viewOf(p.a, stored)
	b, okB := viewOf(p.b, stored)
	if !okA || !okB || len(a.index) > 0 || len(b.index) > 0 {
		return nil, false
	}
	c := view{base: p.result, strides: rowMajor(p.result.Type.Shape)}
	step, ok := matrices(p.einsum, a, b, c)
	if !ok {
		return nil, false
	}
	step.Alpha, step.Beta = p.alpha, p.beta
	if step.Alpha == nil {
		step.Alpha = f.g.Const(1, p.result.Type.Elem)
	}
	if step.Beta == nil {
		v := 0.0
		if p.onto != nil {
			v = 1
		}
		step.Beta = f.g.Const(v, p.result.Type.Elem)
	}
	return step, true
}

// layOut makes sure that views and operands of products can be read where they
// lie: what cannot is copied first, for products along their letters.
func (f *fuser) layOut(order []*ir.Node) {
	for _, n := range order {
		if p := f.products[n]; p != nil {
			f.layOutProduct(p)
		} else {
			f.reachable(n)
		}
	}
	for _, n := range slices.Backward(order) {
		if !f.inline(n) && f.products[n] == nil {
			f.settleRows(n)
		}
	}
}

// settleRows leaves n one way to cut its loop into rows: what else it would
// compute in place once a row is copied. What is put together from parts has
// none, as its parts meet others.
func (f *fuser) settleRows(n *ir.Node) {
	k := -1
	if n.Op.Class == ir.Reduce && slices.Equal(n.Attr.Axes, axes(n.Type.Rank(), n.Args[0].Type.Rank())) {
		k = n.Type.Rank()
	}
	seen := map[*ir.Node]bool{}
	var visit func(a *ir.Node, inRow bool)
	visit = func(a *ir.Node, inRow bool) {
		if a.Type.Rank() == 0 || seen[a] || a != n && !f.inline(a) {
			return
		}
		seen[a] = true
		switch {
		case f.rowExpression(a) && trailing(a):
			x := a.Args[0]
			if inRow || k > 0 && k != x.Type.Rank() {
				f.copied[x] = true
				return
			}
			k = x.Type.Rank()
			visit(x, true)
		case a.Op.Class == ir.Map || a == n:
			for _, b := range a.Args {
				visit(b, inRow)
			}
		}
	}
	visit(n, n.Op.Class == ir.Index || f.hasPlace(n))
}

func (f *fuser) layOutProduct(p *product) {
	stored := func(m *ir.Node) bool { return !f.inline(m) && !f.isLocal(m) }
	for _, x := range []*ir.Node{p.a, p.b} {
		if v, ok := viewOf(x, stored); !ok || len(v.index) > 0 {
			f.copied[x] = true
		}
	}
	a, _ := viewOf(p.a, stored)
	b, _ := viewOf(p.b, stored)
	c := view{base: p.result, strides: rowMajor(p.result.Type.Shape)}
	if _, ok := matrices(p.einsum, a, b, c); !ok {
		f.reorder(p)
	}
}

// reorder copies the operands of a product into the order batch, rows, inner
// and batch, inner, columns, in which they are matrices.
func (f *fuser) reorder(p *product) {
	la, lb, lc := ir.SplitSpec(p.einsum.Attr.Spec)
	batch, rows, cols, inner := letters(p.einsum.Attr.Spec)
	newA, newB := batch+rows+inner, batch+inner+cols
	p.a = f.g.Transpose(p.a, positions(newA, la))
	p.b = f.g.Transpose(p.b, positions(newB, lb))
	p.einsum = f.g.Einsum(newA+","+newB+"->"+lc, p.a, p.b)
	for _, x := range []*ir.Node{p.a, p.b} {
		if f.inline(x) {
			f.copied[x] = true
		}
	}
}

func positions(letters, of string) []int {
	out := make([]int, len(letters))
	for i := range len(letters) {
		out[i] = strings.IndexByte(of, letters[i])
	}
	return out
}
