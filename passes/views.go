package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// views merges views of views, and lets repetition pass what does not depend
// on it.
func (s *simplifier) views(n *ir.Node) *ir.Node {
	if n.Is("iota") && n.Type.Shape[n.Attr.Axis].IsConst(1) {
		return s.g.Fill(0, n.Type)
	}
	if len(n.Args) == 0 {
		return nil
	}
	x, g := n.Args[0], s.g
	switch n.Op.Name {
	case "reshape":
		switch {
		case n.Type.Shape.Equal(x.Type.Shape):
			return x
		case x.Type.Rank() == 0:
			return g.Broadcast(x, n.Type.Shape)
		case x.Is("reshape"):
			return g.Reshape(x.Args[0], n.Type.Shape)
		case x.Is("spread") && x.Args[0].Type.Rank() == 0:
			return g.Broadcast(x.Args[0], n.Type.Shape)
		}
	case "transpose":
		return s.transposed(n, x)
	case "spread":
		if len(n.Attr.Axes) == 0 {
			return x
		}
		if x.Is("iota") {
			kept := slices.DeleteFunc(axes(0, n.Type.Rank()), func(a int) bool { return contains(n.Attr.Axes, a) })
			return g.Iota(n.Type.Shape, kept[x.Attr.Axis], n.Type.Elem)
		}
		if x.Is("spread") {
			return g.Spread(x.Args[0], n.Type.Shape, composedAxes(n, x))
		}
	case "slice":
		return s.sliced(n, x)
	case "flip":
		if x.Is("flip") && slices.Equal(x.Attr.Axes, n.Attr.Axes) {
			return x.Args[0]
		}
	case "place":
		if n.Type.Shape.Equal(x.Type.Shape) {
			return x
		}
		if isZero(x) {
			return g.Fill(0, n.Type)
		}
	case "sum", "prod", "reduce_max", "reduce_min", "any", "all":
		if len(n.Attr.Axes) == 0 {
			return x
		}
		if n.Is("sum") {
			return s.summedView(n, x)
		}
	case "cast":
		return s.converted(n, x)
	case "where":
		if v, ok := x.Literal(); ok {
			return n.Args[choice(v != 0)]
		}
	case "and", "or":
		return s.logic(n)
	case "lt":
		if v, ok := n.Args[1].Literal(); ok && x.Is("step") && v <= 1 {
			return g.Fill(0, n.Type) // the first step is 1
		}
	case "eq", "le", "ge":
		if n.Is("eq") && isIndicator(x) && isOne(n.Args[1]) {
			return x.Args[0]
		}
		if n.Args[0] == n.Args[1] && !x.Type.Elem.IsFloat() {
			return g.Fill(1, n.Type)
		}
	case "gather", "scatter_add", "scatter_along":
		if isZero(x) {
			return g.Fill(0, n.Type)
		}
		if n.Is("gather") && x.Type.Rank() == 1 {
			return s.gathered(n, x)
		}
	case "pick":
		return s.picked(n, x)
	}
	return nil
}

// picked picks from the operands of what is elementwise, and from what is
// repeated before it is.
func (s *simplifier) picked(n, x *ir.Node) *ir.Node {
	g, index, last := s.g, n.Args[1], x.Type.Rank()-1
	pick := func(x *ir.Node) *ir.Node { return s.settle(g.Must("pick", ir.Attr{}, x, index)) }
	switch {
	case x.Op.Class == ir.Map && repeatsAlong(x, last):
		args := make([]*ir.Node, len(x.Args))
		for i, a := range x.Args {
			args[i] = pick(a)
		}
		return g.Must(x.Op.Name, x.Attr, args...)
	case x.Is("iota") && x.Attr.Axis == last:
		return g.Cast(index, n.Type.Elem)
	case x.Is("iota"):
		return g.Iota(n.Type.Shape, x.Attr.Axis, n.Type.Elem)
	case x.Is("spread") && contains(x.Attr.Axes, last):
		return g.Spread(x.Args[0], n.Type.Shape, dropAxes(x.Attr.Axes, []int{last}))
	case x.Is("spread") && x.Args[0].Type.Rank() == 1:
		return g.Must("gather", ir.Attr{}, x.Args[0], index)
	}
	return nil
}

// repeatsAlong reports whether an operand of the elementwise x need not be
// picked from: it is repeated along the axis, or its index. Else a pick from x
// reads one element of what is in memory anyway.
func repeatsAlong(x *ir.Node, axis int) bool {
	for _, a := range x.Args {
		switch {
		case a.IsConstant():
		case a.Is("spread") && contains(a.Attr.Axes, axis), a.Is("iota"):
			return true
		case a.Op.Class == ir.Map && repeatsAlong(a, axis):
			return true
		}
	}
	return false
}

// gathered is a vector at its own indices, repeated along the other axes.
func (s *simplifier) gathered(n, x *ir.Node) *ir.Node {
	index := n.Args[1]
	if !index.Is("iota") || !index.Type.Shape[index.Attr.Axis].Equal(x.Type.Shape[0]) {
		return nil
	}
	return s.g.Spread(x, n.Type.Shape, without(axes(0, n.Type.Rank()), index.Attr.Axis))
}

// isIndicator reports whether x is 1 where a condition holds, else 0.
func isIndicator(x *ir.Node) bool {
	if !x.Is("where") || !isOne(x.Args[1]) {
		return false
	}
	v, ok := x.Args[2].Literal()
	return ok && v == 0
}

func isOne(x *ir.Node) bool {
	v, ok := x.Literal()
	return ok && v == 1
}

func choice(first bool) int {
	if first {
		return 1
	}
	return 2
}

// composedAxes is the new axes of a spread of a spread.
func composedAxes(outer, inner *ir.Node) []int {
	var kept []int
	for i := range outer.Type.Rank() {
		if !contains(outer.Attr.Axes, i) {
			kept = append(kept, i)
		}
	}
	out := slices.Clone(outer.Attr.Axes)
	for _, a := range inner.Attr.Axes {
		out = append(out, kept[a])
	}
	slices.Sort(out)
	return out
}

func (s *simplifier) transposed(n, x *ir.Node) *ir.Node {
	order := n.Attr.Axes
	switch {
	case slices.IsSorted(order):
		return x
	case x.Is("transpose"):
		composed := make([]int, len(order))
		for i, a := range order {
			composed[i] = x.Attr.Axes[a]
		}
		return s.g.Transpose(x.Args[0], composed)
	case x.Is("spread"):
		// The axes that x repeats move; the others are a transpose of what it repeats.
		var fresh, moved []int
		rank := map[int]int{}
		for i := range x.Type.Rank() {
			if !contains(x.Attr.Axes, i) {
				rank[i] = len(rank)
			}
		}
		for i, a := range order {
			if contains(x.Attr.Axes, a) {
				fresh = append(fresh, i)
			} else {
				moved = append(moved, rank[a])
			}
		}
		return s.g.Spread(s.g.Transpose(x.Args[0], moved), n.Type.Shape, fresh)
	}
	return nil
}

func (s *simplifier) sliced(n, x *ir.Node) *ir.Node {
	g, a := s.g, n.Attr
	if n.Type.Shape.Equal(x.Type.Shape) && allOne(a.Steps) {
		return x
	}
	switch {
	case x.Is("spread"):
		var starts, limits []ir.Dim
		var steps []int
		for i := range x.Type.Rank() {
			if !contains(x.Attr.Axes, i) {
				starts, limits, steps = append(starts, a.Dims[i]), append(limits, a.Limits[i]), append(steps, a.Steps[i])
			}
		}
		return g.Spread(g.Slice(x.Args[0], starts, limits, steps), n.Type.Shape, x.Attr.Axes)
	case x.Is("iota"):
		axis := x.Attr.Axis
		index := g.Iota(n.Type.Shape, axis, n.Type.Elem)
		step := g.Fill(float64(a.Steps[axis]), n.Type)
		start := g.Broadcast(g.Size(a.Dims[axis], n.Type.Elem), n.Type.Shape)
		return g.Map("add", g.Map("mul", index, step), start)
	case x.Is("slice"):
		starts, limits, steps := slices.Clone(a.Dims), slices.Clone(a.Limits), slices.Clone(a.Steps)
		for i := range steps {
			k := ir.D(x.Attr.Steps[i])
			starts[i] = x.Attr.Dims[i].Add(a.Dims[i].Mul(k))
			limits[i] = x.Attr.Dims[i].Add(a.Limits[i].Sub(ir.D(1)).Mul(k)).Add(ir.D(1))
			steps[i] *= x.Attr.Steps[i]
		}
		merged := g.Must("slice", ir.Attr{Dims: starts, Limits: limits, Steps: steps}, x.Args[0])
		if merged.Type.Equal(n.Type) { // the same floor divisions may have two forms
			return merged
		}
	case x.Is("place") && x.Args[0].Type.Shape.Equal(n.Type.Shape) &&
		ir.Shape(x.Attr.Limits).Equal(a.Dims) && slices.Equal(x.Attr.Steps, a.Steps):
		return x.Args[0]
	}
	return nil
}

func allOne(steps []int) bool {
	for _, k := range steps {
		if k != 1 {
			return false
		}
	}
	return true
}

func (s *simplifier) summedView(n, x *ir.Node) *ir.Node {
	g, all := s.g, n.Type.Rank() == 0

	// An extent of 1 is no sum.
	var real, single []int
	for _, a := range n.Attr.Axes {
		if x.Type.Shape[a].IsConst(1) {
			single = append(single, a)
		} else {
			real = append(real, a)
		}
	}
	if len(single) > 0 {
		inner := g.Sum(x, real)
		return g.Reshape(inner, n.Type.Shape)
	}

	switch {
	case x.Is("sum"):
		return g.Sum(x.Args[0], mergedAxes(n, x))
	case x.Is("reshape") && all, x.Is("place") && all, x.Is("flip") && all:
		return g.Sum(x.Args[0], axes(0, x.Args[0].Type.Rank()))
	case x.Is("transpose"):
		// Sum along the axes where they lie, then put the rest in order.
		var mapped, rest []int
		for i, a := range x.Attr.Axes {
			if contains(n.Attr.Axes, i) {
				mapped = append(mapped, a)
			} else {
				rest = append(rest, a)
			}
		}
		slices.Sort(mapped)
		return g.Transpose(g.Sum(x.Args[0], mapped), dropAxes(rest, mapped))
	}
	return nil
}

// mergedAxes is the axes of a sum of a sum, as axes of what the inner one sums.
func mergedAxes(outer, inner *ir.Node) []int {
	var kept []int
	for i := range inner.Args[0].Type.Rank() {
		if !contains(inner.Attr.Axes, i) {
			kept = append(kept, i)
		}
	}
	out := slices.Clone(inner.Attr.Axes)
	for _, a := range outer.Attr.Axes {
		out = append(out, kept[a])
	}
	slices.Sort(out)
	return out
}

// oneHot reports whether x is a one-hot along its last axis, and of what.
func oneHot(x *ir.Node) (index *ir.Node, ok bool) { return oneHotAlong(x, x.Type.Rank()-1) }

// oneHotAlong reports whether x is 1 where its index along axis is what index
// says, 0 elsewhere; index has the other axes.
func oneHotAlong(x *ir.Node, axis int) (index *ir.Node, ok bool) {
	a, b, ok := hit(x, axis)
	if !ok || !b.Is("spread") || !slices.Equal(b.Attr.Axes, []int{axis}) || !a.Type.Elem.IsInt() {
		return nil, false
	}
	return b.Args[0], true
}

// hit is the operands of x, 1 where the index along axis, a, equals b.
func hit(x *ir.Node, axis int) (a, b *ir.Node, ok bool) {
	if !x.Is("cast") || !x.Args[0].Is("eq") {
		return nil, nil, false
	}
	for k, a := range x.Args[0].Args {
		if a.Is("iota") && a.Attr.Axis == axis {
			return a, x.Args[0].Args[1-k], true
		}
	}
	return nil, nil, false
}

// indexed is oneHotAlong, also of an identity matrix.
func (s *simplifier) indexed(x *ir.Node, axis int) (index *ir.Node, ok bool) {
	a, b, ok := hit(x, axis)
	if !ok || !b.Is("iota") {
		return oneHotAlong(x, axis)
	}
	if !a.Type.Elem.IsInt() || b.Attr.Axis == axis || !x.Type.Shape[axis].Equal(x.Type.Shape[b.Attr.Axis]) {
		return nil, false
	}
	at := dropAxes([]int{b.Attr.Axis}, []int{axis})[0]
	return s.g.Iota(x.Type.Shape.Drop([]int{axis}), at, b.Type.Elem), true
}

func (s *simplifier) converted(n, x *ir.Node) *ir.Node {
	to := n.Type.Elem
	switch {
	case x.Type.Elem == to:
		return x
	case x.Is("spread"):
		return s.g.Spread(s.g.Cast(x.Args[0], to), n.Type.Shape, x.Attr.Axes)
	case x.Is("size"):
		if to.IsFloat() && to == ir.Float64 {
			return s.g.Size(x.Attr.Dims[0], to)
		}
	case x.Is("cast") && x.Args[0].Type.Elem == to && x.Type.Elem == ir.Float64:
		return x.Args[0]
	}
	return nil
}

func (s *simplifier) logic(n *ir.Node) *ir.Node {
	for k, a := range n.Args {
		v, ok := a.Literal()
		switch {
		case !ok:
		case (v != 0) == n.Is("and"):
			return n.Args[1-k]
		default:
			return a
		}
	}
	if n.Args[0] == n.Args[1] {
		return n.Args[0]
	}
	return nil
}

// lower computes an elementwise op before its operands are repeated, where all
// are repeated along the same axes. Arithmetic has its normal form instead.
func (s *simplifier) lower(n *ir.Node) *ir.Node {
	if n.Op.Class != ir.Map || n.Type.Rank() == 0 || isArithmetic(n) {
		return nil
	}
	return s.lowered(n)
}

// lowered is lower of any elementwise op.
func (s *simplifier) lowered(n *ir.Node) *ir.Node {
	shared, first := []int{}, true
	for _, a := range n.Args {
		if a.IsConstant() {
			continue
		}
		if !a.Is("spread") {
			return nil
		}
		if first {
			shared, first = a.Attr.Axes, false
		} else {
			shared = intersect(shared, a.Attr.Axes)
		}
	}
	if first || len(shared) == 0 {
		return nil
	}
	shape := n.Type.Shape.Drop(shared)
	args := make([]*ir.Node, len(n.Args))
	for i, a := range n.Args {
		if a.Is("spread") {
			args[i] = s.g.Spread(a.Args[0], shape, dropAxes(a.Attr.Axes, shared))
		} else {
			args[i] = a
		}
		if len(shape) == 0 && args[i].Is("spread") {
			args[i] = args[i].Args[0]
		}
	}
	return s.g.Spread(s.settle(s.g.Must(n.Op.Name, n.Attr, args...)), n.Type.Shape, shared)
}
