package passes

import (
	"iter"
	"math"
	"slices"

	"gradgen.dev/ir"
)

// A loopRun executes a loop step.
type loopRun struct {
	*machine
	l            *ir.LoopStep
	outer, inner []int
	index        []int // of the present row, or of the present element
	pass         int

	rows     map[*ir.Node]float64 // the row's scalars and reductions so far
	elements map[*ir.Node]float64 // of the present element
	pending  map[*ir.Node]bool    // elements that this pass has yet to compute
	memo     map[*ir.Node]float64 // what is computed in place
	draws    map[*ir.Node]*ir.Tensor
}

func newLoopRun(m *machine, l *ir.LoopStep) *loopRun {
	return &loopRun{machine: m, l: l, outer: m.dims(l.Outer), inner: m.dims(l.Inner)}
}

// indices ranges over the elements of a shape in row-major order. The slice is
// not kept.
func indices(shape []int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		index := make([]int, len(shape))
		for range n {
			if !yield(index) {
				return
			}
			for k := len(index) - 1; k >= 0; k-- {
				if index[k]++; index[k] < shape[k] {
					break
				}
				index[k] = 0
			}
		}
	}
}

// run executes the folds' starts, then every row. Rows are independent: they
// may run in any order.
func (r *loopRun) run() {
	r.start()
	var rows [][]int
	for index := range indices(r.outer) {
		rows = append(rows, slices.Clone(index))
	}
	if r.backwards {
		slices.Reverse(rows)
	}
	for _, index := range rows {
		r.row(index)
	}
}

// foldStarts are what reductions begin with.
var foldStarts = map[string]float64{"sum": 0, "prod": 1, "reduce_max": math.Inf(-1), "reduce_min": math.Inf(1), "any": 0, "all": 1}

func (r *loopRun) start() {
	for _, f := range r.l.Folds {
		v, ok := foldStarts[f.Op]
		if !ok {
			fault("%s is folded", f.Op)
		}
		if f.Keep {
			continue
		}
		for i := range r.memory(f.To.Buffer).data {
			r.store(f.To.Buffer, i, v)
		}
	}
}

func (r *loopRun) row(index []int) {
	r.rows = map[*ir.Node]float64{}
	for k, pass := range r.l.Passes {
		r.pass, r.index = k, index
		r.scalars(pass)
		if !r.hasElements(pass) {
			continue
		}
		sums := map[*ir.Node]*best{}
		for _, n := range pass.Reduces {
			sums[n] = newBest(n)
		}
		for inner := range indices(r.inner) {
			r.index = slices.Concat(index, inner)
			r.element(pass, sums)
		}
		for n, s := range sums {
			r.rows[n] = s.value
		}
	}
}

// scalars computes what pass needs of the row, and folds and stores it.
func (r *loopRun) scalars(pass ir.Pass) {
	r.elements, r.memo, r.pending = nil, map[*ir.Node]float64{}, map[*ir.Node]bool{}
	for _, n := range pass.Scalars {
		r.mustHave(n, r.l.Outer)
		r.rows[n] = r.compute(n)
	}
	r.folds(true)
	r.stores(true)
}

func (r *loopRun) mustHave(n *ir.Node, shape ir.Shape) {
	if !n.Type.Shape.Equal(shape) {
		fault("%s of %v is computed over %v", n.Op.Name, n.Type, shape)
	}
}

func (r *loopRun) domain() ir.Shape { return slices.Concat(r.l.Outer, r.l.Inner) }

func (r *loopRun) hasElements(pass ir.Pass) bool {
	return len(pass.Elements)+len(pass.Reduces) > 0 ||
		slices.ContainsFunc(r.l.Stores, func(s ir.Store) bool { return s.Pass == r.pass && !s.Row }) ||
		slices.ContainsFunc(r.l.Folds, func(f ir.Fold) bool { return f.Pass == r.pass && !f.Row })
}

// element computes the values of one element, adds them to reductions and
// folds, and stores them last.
func (r *loopRun) element(pass ir.Pass, sums map[*ir.Node]*best) {
	r.elements, r.memo, r.pending = map[*ir.Node]float64{}, map[*ir.Node]float64{}, map[*ir.Node]bool{}
	for _, n := range pass.Elements {
		r.pending[n] = true
	}
	for _, n := range pass.Elements {
		r.mustHave(n, r.domain())
		delete(r.pending, n)
		r.elements[n] = r.compute(n)
	}
	for _, n := range pass.Reduces {
		if len(n.Type.Shape) != len(r.l.Outer) || !slices.Equal(n.Attr.Axes, axes(len(r.l.Outer), len(r.index))) {
			fault("%s over %v of %v is no reduction of rows over %v", n.Op.Name, n.Attr.Axes, n.Args[0].Type, r.l.Inner)
		}
		r.mustHave(n.Args[0], r.domain())
		sums[n].add(r.value(n.Args[0]), r.index)
	}
	r.folds(false)
	r.stores(false)
}

// folds accumulates what is folded at the row or element.
func (r *loopRun) folds(row bool) {
	for _, f := range r.l.Folds {
		if f.Pass != r.pass || f.Row != row {
			continue
		}
		x := r.value(f.Node)
		if f.Scale != nil {
			x *= r.value(f.Scale)
		}
		at := r.position(f.To, r.index)
		s := best{op: f.Op, value: r.load(f.To.Buffer, at)}
		s.add(x, r.index)
		r.store(f.To.Buffer, at, s.value)
	}
}

// stores writes what is stored at the row or element: all values first.
func (r *loopRun) stores(row bool) {
	var due []ir.Store
	var values []float64
	for _, s := range r.l.Stores {
		if s.Pass == r.pass && s.Row == row {
			due, values = append(due, s), append(values, r.value(s.Node))
		}
	}
	for i, s := range due {
		if !r.within(s.To) {
			continue
		}
		at := r.position(s.To, r.index)
		if s.Add {
			values[i] += r.load(s.To.Buffer, at)
		}
		r.store(s.To.Buffer, at, values[i])
	}
}

// within reports whether what is added has a place.
func (r *loopRun) within(a ir.Access) bool {
	for _, i := range a.Index {
		if i.Within != nil {
			k := int(r.load(i.At.Buffer, r.position(i.At, r.index)))
			if k < 0 || k >= r.dim(*i.Within) {
				return false
			}
		}
	}
	return true
}

// value is n at the present row or element: computed before, in memory, or
// computed in place.
func (r *loopRun) value(n *ir.Node) float64 {
	if v, ok := r.elements[n]; ok {
		return v
	}
	if v, ok := r.rows[n]; ok {
		return v
	}
	if v, ok := n.Literal(); ok {
		return v
	}
	if v, ok := r.memo[n]; ok {
		return v
	}
	var v float64
	if a, ok := r.l.Loads[n]; ok && !r.pending[n] {
		v = r.load(a.Buffer, r.position(a, r.index))
	} else {
		v = r.compute(n)
	}
	r.memo[n] = v
	return v
}

// compute is n's own operation.
func (r *loopRun) compute(n *ir.Node) float64 {
	rank := n.Type.Rank()
	if rank > len(r.index) || !n.Type.Shape.Equal(r.domain()[:rank]) || rank > 0 && rank < len(r.l.Outer) {
		fault("%s of %v is computed in a loop over %v and %v", n.Op.Name, n.Type, r.l.Outer, r.l.Inner)
	}
	switch {
	case r.pending[n]:
		fault("%s of %v is needed before its turn", n.Op.Name, n.Type)
	case r.l.Copied[n]:
		a := r.l.Loads[n]
		return r.load(a.Buffer, r.position(a, r.index))
	case n.Is("spread") && r.rowValue(n):
		return r.value(n.Args[0])
	case n.Is("iota"):
		return float64(r.index[n.Attr.Axis])
	case n.Op.Class == ir.Random:
		return r.draw(n)
	}
	return r.own(n, r.value)
}

// rowValue reports whether a spread repeats a scalar, or along the row what
// the row has.
func (r *loopRun) rowValue(n *ir.Node) bool {
	k := n.Args[0].Type.Rank()
	return k == 0 || k == len(r.l.Outer) && slices.Equal(n.Attr.Axes, axes(k, n.Type.Rank()))
}

func (r *loopRun) draw(n *ir.Node) float64 {
	if r.draws == nil {
		r.draws = map[*ir.Node]*ir.Tensor{}
	}
	if r.draws[n] == nil {
		r.draws[n] = r.constant(n)
	}
	at := 0
	for i, d := range r.draws[n].Shape {
		at = at*d + r.index[i]
	}
	return r.draws[n].Data[at]
}

// A best is a reduction in progress.
type best struct {
	op    string
	value float64
	most  float64 // of argmax and argmin
	found bool
}

func newBest(n *ir.Node) *best { return &best{op: n.Op.Name, value: foldStarts[n.Op.Name]} }

// add takes in x, found at an index whose last number is that of argmax.
func (b *best) add(x float64, index []int) {
	switch b.op {
	case "sum":
		b.value += x
	case "prod":
		b.value *= x
	case "reduce_max":
		b.value = ir.Ops["max"].Fn([]float64{b.value, x})
	case "reduce_min":
		b.value = ir.Ops["min"].Fn([]float64{b.value, x})
	case "any":
		b.value = ir.Ops["or"].Fn([]float64{b.value, x})
	case "all":
		b.value = ir.Ops["and"].Fn([]float64{b.value, x})
	case "argmax", "argmin":
		if !b.found || x > b.most && b.op == "argmax" || x < b.most && b.op == "argmin" || x != x && b.most == b.most {
			b.value, b.most, b.found = float64(index[len(index)-1]), x, true
		}
	default:
		fault("%s is reduced along rows", b.op)
	}
}
