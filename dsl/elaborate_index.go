package dsl

import (
	"math"
	"slices"

	"gradgen.dev/ir"
)

// evalIndex is x[items].
func (e *elaborator) evalIndex(sc *scope, x *Index) value {
	v := e.eval(sc, x.X)
	switch v := v.(type) {
	case poison:
		return v
	case tensor:
		return e.indexTensor(sc, x, v.node)
	case list:
		return e.indexList(sc, x, v)
	case tuple:
		return e.indexList(sc, x, v)
	}
	return e.fail(sc, x, "index", "%s is %s and has no index", excerptOf(x.X, "this"), v.what())
}

// indexList is an element or a part of a list known at compile time; a literal
// with more than one index is a tensor.
func (e *elaborator) indexList(sc *scope, x *Index, l []value) value {
	if len(x.Items) != 1 || x.Items[0].Kind == IndexNew || x.Items[0].Kind == IndexEllipsis {
		n, ok := e.tensorOf(sc, x.X, list(l))
		if !ok {
			return poison{}
		}
		return e.indexTensor(sc, x, n)
	}
	item := x.Items[0]
	if item.Kind == IndexSlice {
		lo, okLo := e.bound(sc, item.Lo, 0, len(l))
		hi, okHi := e.bound(sc, item.Hi, len(l), len(l))
		if !okLo || !okHi {
			return poison{}
		}
		if lo > hi {
			return e.fail(sc, item, "index", "this part of a list of %d ends before it starts", len(l))
		}
		return list(l[lo:hi])
	}
	at := e.eval(sc, item.At)
	if n, ok := at.(number); hasTensor(at) || ok && n.runs() {
		n, ok := e.tensorOf(sc, x.X, list(l))
		if !ok {
			return poison{}
		}
		return e.indexTensor(sc, x, n)
	}
	i, ok := e.constInt(sc, item.At, at, "an index")
	if !ok {
		return poison{}
	}
	if i < -len(l) || i >= len(l) {
		return e.fail(sc, item, "index", "index %d is outside a list of %d", i, len(l))
	}
	return l[(i+len(l))%len(l)]
}

// bound is a bound of a part of a list of n.
func (e *elaborator) bound(sc *scope, x Expr, otherwise, n int) (int, bool) {
	if x == nil {
		return otherwise, true
	}
	i, ok := e.constInt(sc, x, e.eval(sc, x), "a bound")
	if !ok {
		return 0, false
	}
	if i < -n || i > n {
		e.fail(sc, x, "index", "bound %d is outside a list of %d", i, n)
		return 0, false
	}
	if i < 0 {
		i += n
	}
	return i, true
}

// An indexing is the state of x[…] while its items are read left to right.
type indexing struct {
	axis           int // of x, that the next item is for
	starts, limits []ir.Dim
	drop           []bool     // axes that vanish
	shape          ir.Shape   // of the result, gathers aside
	news           []bool     // for each dimension of shape, whether it is new
	gather         *ir.Node   // the one tensor of indices
	gatherAt       *IndexItem // its place
	gatherAxis     int        // its axis of x
	picks          []pickedAxis
}

// A pickedAxis is an axis of x[…], slices done, of which a number known at run
// time picks one element.
type pickedAxis struct {
	at   *ir.Node
	axis int
}

// indexTensor is x[…] of a tensor: a slice, then the axes that vanish or are
// new, then the gather.
func (e *elaborator) indexTensor(sc *scope, x *Index, n *ir.Node) value {
	used, ellipses := 0, 0
	for _, item := range x.Items {
		switch item.Kind {
		case IndexAt, IndexSlice:
			used++
		case IndexEllipsis:
			ellipses++
		}
	}
	rank := n.Type.Rank()
	if used > rank {
		return e.fail(sc, x, "index", "%s has %s, and %d are indexed", shownIn(x.X, n, "this"), count(rank, "dimension"), used)
	}
	if ellipses > 1 {
		return e.fail(sc, x, "index", "one ... in an index, not %d", ellipses)
	}

	ix := &indexing{}
	for _, item := range x.Items {
		if item.Kind == IndexEllipsis {
			for range rank - used {
				ix.whole(n)
			}
			continue
		}
		if !e.indexItem(sc, x, n, ix, item) {
			return poison{}
		}
	}
	for ix.axis < rank {
		ix.whole(n)
	}
	return e.buildIndex(sc, x, n, ix)
}

// whole takes all of the next axis.
func (ix *indexing) whole(n *ir.Node) { ix.part(ir.D(0), n.Type.Shape[ix.axis]) }

// part takes the next axis from lo to hi.
func (ix *indexing) part(lo, hi ir.Dim) {
	ix.starts, ix.limits = append(ix.starts, lo), append(ix.limits, hi)
	ix.drop = append(ix.drop, false)
	ix.shape, ix.news = append(ix.shape, hi.Sub(lo)), append(ix.news, false)
	ix.axis++
}

// indexItem reads one item that is no ellipsis.
func (e *elaborator) indexItem(sc *scope, x *Index, n *ir.Node, ix *indexing, item *IndexItem) bool {
	if item.Kind == IndexNew {
		ix.shape, ix.news = append(ix.shape, ir.D(1)), append(ix.news, true)
		return true
	}
	extent := n.Type.Shape[ix.axis]
	if item.Kind == IndexSlice {
		lo, okLo := e.sliceBound(sc, x, n, ix.axis, item.Lo, ir.D(0))
		hi, okHi := e.sliceBound(sc, x, n, ix.axis, item.Hi, extent)
		if !okLo || !okHi {
			return false
		}
		if v, ok := hi.Sub(lo).Const(); ok && v < 0 {
			e.fail(sc, item, "index", "the part from %v to %v of axis %d of %s ends before it starts", lo, hi, ix.axis, shownIn(x.X, n, "this"))
			return false
		}
		ix.part(lo, hi)
		return true
	}

	v := e.eval(sc, item.At)
	switch v := v.(type) {
	case poison:
		return false
	case number:
		if at, ok := e.fromExtent(v, extent); ok {
			return e.indexNumber(sc, x, n, ix, item, at)
		}
		if v.runs() {
			ix.picks = append(ix.picks, pickedAxis{e.bounded(v.count, extent, noException), len(ix.shape)})
			ix.part(ir.D(0), extent)
			return true
		}
		e.fail(sc, item, "index", "%s", wantsInteger("an index", item.At, v))
		return false
	case tensor, list:
		return e.indexGather(sc, n, ix, item, v)
	}
	e.fail(sc, item, "index", "%s is %s, want an integer or a tensor of integers", excerptOf(item.At, "this index"), v.what())
	return false
}

// indexNumber takes one element of the next axis, which vanishes.
func (e *elaborator) indexNumber(sc *scope, x *Index, n *ir.Node, ix *indexing, item *IndexItem, at ir.Dim) bool {
	if outside(at, n.Type.Shape[ix.axis], 1) {
		e.fail(sc, item, "index", "index %s is outside axis %d of %s", excerptOf(item.At, at.String()), ix.axis, shownIn(x.X, n, "this"))
		return false
	}
	ix.starts, ix.limits = append(ix.starts, at), append(ix.limits, at.Add(ir.D(1)))
	ix.drop = append(ix.drop, true)
	ix.axis++
	return true
}

// outside reports whether constants show that fewer than room elements of an
// axis lie from a position on, or that the position is before the axis.
func outside(at, extent ir.Dim, room int) bool {
	first, known := at.Const()
	left, comparable := extent.Sub(at).Const()
	return known && first < 0 || comparable && left < room
}

// indexGather notes the tensor of indices.
func (e *elaborator) indexGather(sc *scope, n *ir.Node, ix *indexing, item *IndexItem, v value) bool {
	elem := ir.Int32
	if t, ok := v.(tensor); ok {
		elem = t.node.Type.Elem
	}
	switch {
	case elem == ir.Bool:
		e.fail(sc, item, "index", "%s is a tensor of bools, which cannot index; where(c, a, b) chooses element by element", excerptOf(item.At, "this"))
		return false
	case !elem.IsInt():
		e.fail(sc, item, "index", "%s is of type %v, and an index is an integer; int32(x) converts", excerptOf(item.At, "this"), elem)
		return false
	case ix.gather != nil:
		d := errorAt(item, "an index has one tensor of indices, not two").code("index")
		e.failWith(sc, item, d.related(ix.gatherAt, "the first is here"))
		return false
	}
	ids, ok := e.nodeOf(sc, item.At, v, elem)
	if !ok {
		return false
	}
	extent := n.Type.Shape[ix.axis]
	end, id, ok := e.reach(ids, extent)
	if !ok {
		e.fail(sc, item, "index", "index %v is outside an axis of %v", id, extent)
		return false
	}
	ix.gather, ix.gatherAt, ix.gatherAxis = e.bounded(ids, extent, noException), item, len(ix.shape)
	ix.part(ir.D(0), end)
	return true
}

// reach is the end of the part of an axis that indices reach, where they are known
// at compile time: taking that part makes its length a condition of every call. It
// is the whole axis for other indices, and where it is surely long enough. Where
// an index is surely outside, ok is false.
func (e *elaborator) reach(ids *ir.Node, extent ir.Dim) (end ir.Dim, outside float64, ok bool) {
	size, known := extent.Const()
	switch {
	case ids.Is("tensor"):
		last := -1.0
		for _, id := range ids.Attr.Data {
			if id < 0 || known && int(id) >= size {
				return extent, id, false
			}
			last = max(last, id)
		}
		end = ir.D(int(last) + 1)
	case ids.Is("iota"):
		end = normalDim(e.facts, ids.Type.Shape[ids.Attr.Axis])
		if n, ok := end.Const(); ok && known && n > size {
			return extent, float64(n - 1), false
		}
	default:
		return extent, 0, true
	}
	if extent.Covers(end) || agree(extent, end, e.facts) {
		return extent, 0, true
	}
	return end, 0, true
}

// noException is the exception of indices that have none.
var noException = math.Inf(1)

// bounded marks indices that a call may pass out of range; except is one that
// is allowed, or noException.
func (e *elaborator) bounded(ids *ir.Node, extent ir.Dim, except float64) *ir.Node {
	switch ids.Op.Name {
	case "tensor", "iota", "argmax", "argmin", "bounded":
		return ids
	case "where":
		if ids.Args[1].Is("bounded") || ids.Args[2].Is("bounded") {
			return ids
		}
	}
	return e.g.Must("bounded", ir.Attr{Dims: []ir.Dim{extent}, Value: except}, ids)
}

// buildIndex makes the nodes of x[…].
func (e *elaborator) buildIndex(sc *scope, x *Index, n *ir.Node, ix *indexing) value {
	steps := make([]int, len(ix.starts))
	for i := range steps {
		steps[i] = 1
	}
	out := e.g.Slice(n, ix.starts, ix.limits, steps)
	out = e.reshape(out, ix.shape)

	// Numbers pick from the last axis on, so that the axes before stay where they
	// are; the tensor of indices then finds its axis.
	for _, p := range slices.Backward(ix.picks) {
		out = e.g.Must("gather", ir.Attr{Axis: p.axis}, out, p.at)
		if p.axis < ix.gatherAxis {
			ix.gatherAxis--
		}
	}
	if ix.gather == nil {
		return tensor{out}
	}
	return tensor{e.g.Must("gather", ir.Attr{Axis: ix.gatherAxis}, out, ix.gather)}
}

// fromExtent is a number as a position in an axis; what is negative
// counts from the end.
func (e *elaborator) fromExtent(v number, extent ir.Dim) (ir.Dim, bool) {
	d, ok := v.extent()
	if !ok || v.logical {
		return d, false
	}
	e.needStatic(v.hyper)
	if ir.D(0).Covers(d) && !d.IsConst(0) {
		d = extent.Add(d)
	}
	return normalDim(e.facts, d), true
}

// sliceBound is a bound of a slice along an axis.
func (e *elaborator) sliceBound(sc *scope, x *Index, n *ir.Node, axis int, at Expr, otherwise ir.Dim) (ir.Dim, bool) {
	if at == nil {
		return otherwise, true
	}
	v := e.eval(sc, at)
	if isPoison(v) {
		return ir.Dim{}, false
	}
	extent := n.Type.Shape[axis]
	num, isNumber := v.(number)
	d, ok := e.fromExtent(num, extent)
	if num.runs() {
		e.fail(sc, at, "not-static", "%s; where(iota(N) < k, x, 0) keeps the first k of N elements", runningText("a bound of a slice", at))
		return ir.Dim{}, false
	}
	if !isNumber || !ok {
		e.fail(sc, at, "index", "%s", wantsInteger("a bound", at, v))
		return ir.Dim{}, false
	}
	if outside(d, extent, 0) {
		e.fail(sc, at, "index", "bound %s is outside axis %d of %s", excerptOf(at, d.String()), axis, shownIn(x.X, n, "this"))
		return ir.Dim{}, false
	}
	return d, true
}

// constInt is a value as an integer known at compile time.
func (e *elaborator) constInt(sc *scope, at Node, v value, role string) (int, bool) {
	if isPoison(v) {
		return 0, false
	}
	n, ok := v.(number)
	if ok && n.runs() {
		e.fail(sc, at, "not-static", "%s", runningText(role, at))
		return 0, false
	}
	if ok {
		if d, isDim := n.extent(); isDim {
			if i, isConst := d.Const(); isConst {
				e.needStatic(n.hyper)
				return i, true
			}
			e.fail(sc, at, "not-static", "%s must be known at compile time, and %s is known at run time only", role, alias(at, d.String()))
			return 0, false
		}
	}
	e.fail(sc, at, "not-an-integer", "%s", wantsInteger(role, at, v))
	return 0, false
}

// alias is a text and what it stands for, such as `width, 2*N,`; the value alone
// where the text is no other.
func alias(at Node, value string) string {
	if text := excerptOf(at, value); text != value {
		return text + ", which is " + value + ","
	}
	return value
}

// excerptIs is a text and its value, such as `k is -1`; the value alone where
// the text is no other.
func excerptIs(at Node, value string) string {
	if text := excerptOf(at, value); text != value {
		return text + " is " + value
	}
	return value
}

// wantsInteger says that a role wants an integer, and what the value is that is
// written as at.
func wantsInteger(role string, at Node, v value) string {
	found := describeNumber(v)
	if n, ok := v.(number); ok && n.node != nil && n.node.Is("div") {
		return role + " is an integer, and " + excerptOf(at, "this") + " a real quotient; floordiv(a, b) rounds down"
	}
	if n, ok := v.(number); ok && n.named {
		return role + " is an integer, and " + excerptOf(at, "this") + " is " + found + "; outside of a shape / is real division, and floordiv(a, b) rounds down"
	}
	if text := excerptOf(at, "this"); text != found {
		return role + " is an integer, and " + text + " is " + found
	}
	return role + " is an integer, not " + found
}

// describeNumber is the value of a constant, else its kind.
func describeNumber(v value) string {
	if n, ok := v.(number); ok && !n.logical {
		if x, ok := n.known(); ok {
			return number2text(x)
		}
		if n.node != nil {
			return "a number known at run time only"
		}
	}
	return v.what()
}
