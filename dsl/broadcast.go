package dsl

import (
	"fmt"
	"slices"
	"sort"

	"gradgen.dev/ir"
)

// broadcastShapes is NumPy's common shape of two: dimensions are aligned at the
// end, and an extent that is the constant 1 spreads. Where they do not agree,
// why says it.
func broadcastShapes(a, b ir.Shape, facts ir.Facts) (shape ir.Shape, why string, ok bool) {
	rank := max(len(a), len(b))
	shape = make(ir.Shape, rank)
	for i := range rank {
		x, inA := fromEnd(a, rank-i)
		y, inB := fromEnd(b, rank-i)
		switch {
		case !inB:
			shape[i] = x
		case !inA:
			shape[i] = y
		case agree(x, y, facts):
			shape[i] = x
		case x.IsConst(1):
			shape[i] = y
		case y.IsConst(1):
			shape[i] = x
		default:
			return nil, disagreement(x, y, i-rank), false
		}
	}
	return shape, "", true
}

// disagreement says that two extents differ, at an axis counted from the end.
func disagreement(x, y ir.Dim, axis int) string {
	if axis == -1 {
		return fmt.Sprintf("extents %v and %v differ", x, y)
	}
	return fmt.Sprintf("extents %v and %v of axis %d differ", x, y, axis)
}

// fromEnd is the dimension k from the end, counted from 1.
func fromEnd(s ir.Shape, k int) (ir.Dim, bool) {
	if k > len(s) {
		return ir.Dim{}, false
	}
	return s[len(s)-k], true
}

// normalDim is d rewritten by the facts that asserts give.
func normalDim(facts ir.Facts, d ir.Dim) ir.Dim { return facts.Even(facts.Normal(d)) }

// agree reports whether two extents are the same.
func agree(a, b ir.Dim, facts ir.Facts) bool {
	return a.Equal(b) || normalDim(facts, a).Equal(normalDim(facts, b))
}

// broadcast repeats n to a shape that broadcastShapes gave: extents of 1 that
// spread are dropped, then all new axes are spread.
func (e *elaborator) broadcast(n *ir.Node, shape ir.Shape) *ir.Node {
	have, offset := n.Type.Shape, len(shape)-len(n.Type.Shape)
	axes := axesFrom(0, offset)
	var ones []int
	for i, d := range have {
		if d.IsConst(1) && !shape[offset+i].IsConst(1) {
			axes, ones = append(axes, offset+i), append(ones, i)
		}
	}
	return e.spread(e.dropAxes(n, ones), shape, axes)
}

// dropAxes is n without axes of extent 1. Where elementwise operations made n
// out of values that were given these axes by a reshape, they are made without.
func (e *elaborator) dropAxes(n *ir.Node, axes []int) *ir.Node {
	if len(axes) == 0 {
		return n
	}
	d := &axisDropper{e: e, axes: axes, done: map[*ir.Node]*ir.Node{}}
	if out := d.drop(n); out != nil {
		return out
	}
	return e.reshape(n, n.Type.Shape.Drop(axes))
}

// axisDropper remakes elementwise expressions without some axes of extent 1.
type axisDropper struct {
	e    *elaborator
	axes []int
	done map[*ir.Node]*ir.Node
}

// drop is n without the axes, nil where only a reshape takes them out.
func (d *axisDropper) drop(n *ir.Node) *ir.Node {
	if out, ok := d.done[n]; ok {
		return out
	}
	out := d.remake(n)
	d.done[n] = out
	if out != nil && out != n {
		if o, ok := d.e.origins[n]; ok {
			if _, named := d.e.origins[out]; !named {
				d.e.origins[out] = o
			}
		}
	}
	return out
}

func (d *axisDropper) remake(n *ir.Node) *ir.Node {
	kept := n.Type.Shape.Drop(d.axes)
	switch {
	case n.Is("reshape"):
		return d.e.reshape(n, kept)
	case n.Is("spread"):
		return d.remakeSpread(n, kept)
	case n.Op.Class != ir.Map:
		return nil
	}
	args := make([]*ir.Node, len(n.Args))
	for i, a := range n.Args {
		if args[i] = d.drop(a); args[i] == nil {
			return nil
		}
	}
	return d.e.g.Must(n.Op.Name, n.Attr, args...)
}

// remakeSpread leaves out the dropped axes of a spread, where all are new ones.
func (d *axisDropper) remakeSpread(n *ir.Node, kept ir.Shape) *ir.Node {
	var axes []int
	at := 0
	for i := range n.Type.Rank() {
		dropped := slices.Contains(d.axes, i)
		isNew := slices.Contains(n.Attr.Axes, i)
		switch {
		case dropped && !isNew:
			return nil
		case dropped:
			continue
		case isNew:
			axes = append(axes, at)
		}
		at++
	}
	return d.e.spread(n.Args[0], kept, axes)
}

// spread is ir's, with a spread of a spread made one.
func (e *elaborator) spread(n *ir.Node, shape ir.Shape, axes []int) *ir.Node {
	if len(axes) > 0 && n.Is("spread") {
		var all []int
		at := keptAxes(len(shape), axes)
		for _, a := range n.Attr.Axes {
			all = append(all, at[a])
		}
		all = append(all, axes...)
		sort.Ints(all)
		return e.g.Spread(n.Args[0], shape, all)
	}
	return e.g.Spread(n, shape, axes)
}

// reshape is ir's, with a reshape of a reshape made one.
func (e *elaborator) reshape(n *ir.Node, shape ir.Shape) *ir.Node {
	for n.Is("reshape") {
		n = n.Args[0]
	}
	return e.g.Reshape(n, shape)
}

// axesFrom is from, …, to-1.
func axesFrom(from, to int) []int {
	out := make([]int, 0, max(to-from, 0))
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// keptAxes is the axes below rank that are not in axes.
func keptAxes(rank int, axes []int) []int {
	var out []int
	for i := range rank {
		if !slices.Contains(axes, i) {
			out = append(out, i)
		}
	}
	return out
}

// keepDims gives a reduction of n over axes the axes back, with extent 1.
func (e *elaborator) keepDims(reduced *ir.Node, n *ir.Node, axes []int) *ir.Node {
	shape := slices.Clone(n.Type.Shape)
	for _, a := range axes {
		shape[a] = ir.D(1)
	}
	return e.reshape(reduced, shape)
}

// stack puts nodes of one type behind one another along a new axis.
func (e *elaborator) stack(parts []*ir.Node, axis int) *ir.Node {
	shape := slices.Insert(slices.Clone(parts[0].Type.Shape), axis, ir.D(1))
	rows := make([]*ir.Node, len(parts))
	for i, p := range parts {
		rows[i] = e.reshape(p, shape)
	}
	if len(rows) == 1 {
		return rows[0]
	}
	return e.g.Must("concat", ir.Attr{Axis: axis}, rows...)
}

// sortedKeys is the keys of a set in order.
func sortedKeys[V any](set map[string]V) []string {
	var out []string
	for k := range set {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
