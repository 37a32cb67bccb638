package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// A view says where the elements of a node lie in the memory of another node,
// its base: at offset + Σ index·stride + what is read from memory.
type view struct {
	base    *ir.Node
	offset  ir.Dim
	strides []ir.Dim
	index   []indirect
}

// indirect is an index taken from the elements of another node.
type indirect struct {
	at     view
	stride ir.Dim
	within *ir.Dim // of a scatter, where not nil: what is no index below it adds nothing
}

// rowMajor is the strides of a tensor without gaps.
func rowMajor(s ir.Shape) []ir.Dim {
	out := make([]ir.Dim, len(s))
	stride := ir.D(1)
	for i := len(s) - 1; i >= 0; i-- {
		out[i] = stride
		stride = stride.Mul(s[i])
	}
	return out
}

// viewOf is n as a view of the nearest node below it that stored accepts; ok
// is false where a reshape needs its elements in another order than they lie.
func viewOf(n *ir.Node, stored func(*ir.Node) bool) (v view, ok bool) {
	if stored(n) {
		return view{base: n, strides: rowMajor(n.Type.Shape)}, true
	}
	if n.Op.Class != ir.View && !n.Is("gather") && !n.Is("pick") {
		return view{}, false
	}
	v, ok = viewOf(n.Args[0], stored)
	if !ok {
		return v, false
	}
	switch n.Op.Name {
	case "reshape":
		strides, ok := reshaped(n.Args[0].Type.Shape, v.strides, n.Type.Shape)
		if !ok || len(v.index) > 0 {
			return v, false
		}
		v.strides = strides
		return v, true
	case "gather", "pick":
		return gathered(n, v, stored)
	}
	return v.through(n), true
}

// through is the view that n, which is no reshape, makes of its operand's view
// v; what is read from memory moves along.
func (v view) through(n *ir.Node) view {
	a, strides, next := n.Attr, make([]ir.Dim, n.Type.Rank()), 0
	for i := range strides {
		switch n.Op.Name {
		case "spread":
			if !contains(a.Axes, i) {
				strides[i] = v.strides[next]
				next++
			}
		case "transpose":
			strides[i] = v.strides[a.Axes[i]]
		case "slice":
			v.offset = v.offset.Add(a.Dims[i].Mul(v.strides[i]))
			strides[i] = v.strides[i].Mul(ir.D(a.Steps[i]))
		case "flip":
			strides[i] = v.strides[i]
			if contains(a.Axes, i) {
				v.offset = v.offset.Add(n.Type.Shape[i].Sub(ir.D(1)).Mul(strides[i]))
				strides[i] = strides[i].Neg()
			}
		}
	}
	v.strides = strides
	v.index = slices.Clone(v.index)
	for i := range v.index {
		v.index[i].at = v.index[i].at.through(n)
	}
	return v
}

// gathered is the view of a gather or pick whose operand is the view v.
func gathered(n *ir.Node, v view, stored func(*ir.Node) bool) (view, bool) {
	at, ok := viewOf(n.Args[1], stored)
	if !ok || len(at.index) > 0 {
		return v, false
	}
	axis := n.Attr.Axis
	if n.Is("pick") {
		axis = n.Args[0].Type.Rank() - 1
	}
	ids := n.Args[1].Type.Rank()

	// Indices that are numbers already stay, beside this one that is a number.
	for _, i := range v.index {
		number := func(v view) bool { return v.base.Type.Rank() == 0 }
		if n.Is("pick") || ids > 0 || !number(i.at) || !number(at) {
			return v, false
		}
	}
	stride := v.strides[axis]
	zeros := make([]ir.Dim, n.Type.Rank())
	if n.Is("pick") {
		v.strides = v.strides[:axis]
		copy(zeros, at.strides)
	} else {
		strides := slices.Clone(v.strides[:axis])
		strides = append(strides, make([]ir.Dim, ids)...)
		v.strides = append(strides, v.strides[axis+1:]...)
		copy(zeros[axis:], at.strides)
	}
	at.strides = zeros
	index := make([]indirect, 0, len(v.index)+1)
	for _, i := range v.index {
		i.at.strides = make([]ir.Dim, n.Type.Rank())
		index = append(index, i)
	}
	v.index = append(index, indirect{at: at, stride: stride})
	return v, true
}

// reshaped is the strides of a tensor of shape from, laid out by strides, read
// as shape to. Runs of axes that lie without gaps are merged and cut anew.
func reshaped(from ir.Shape, strides []ir.Dim, to ir.Shape) ([]ir.Dim, bool) {
	if from.Size().IsConst(0) {
		return rowMajor(to), true // nothing is read
	}

	// Axes of extent 1 are free.
	var shape ir.Shape
	var steps []ir.Dim
	for i, d := range from {
		if !d.IsConst(1) {
			shape, steps = append(shape, d), append(steps, strides[i])
		}
	}
	out := make([]ir.Dim, len(to))
	j := 0
	for i := 0; i < len(shape); {
		for j < len(to) && to[j].IsConst(1) {
			j++
		}

		// Take axes on both sides until they cover the same elements.
		iEnd, jEnd := i+1, j
		have, want := shape[i], ir.D(1)
		for !have.Equal(want) {
			switch {
			case jEnd < len(to) && !want.Mul(to[jEnd]).Equal(want) && divides(want.Mul(to[jEnd]), have) || jEnd < len(to) && want.IsConst(1):
				want = want.Mul(to[jEnd])
				jEnd++
			case iEnd < len(shape):
				have = have.Mul(shape[iEnd])
				iEnd++
			case jEnd < len(to):
				want = want.Mul(to[jEnd])
				jEnd++
			default:
				return nil, false
			}
		}
		for k := i; k < iEnd-1; k++ {
			if !steps[k].Equal(shape[k+1].Mul(steps[k+1])) {
				return nil, false
			}
		}
		stride := steps[iEnd-1]
		for k := jEnd - 1; k >= j; k-- {
			out[k] = stride
			stride = stride.Mul(to[k])
		}
		i, j = iEnd, jEnd
	}
	return out, true
}

// divides reports whether d/e comes out even, as far as normal forms show.
func divides(e, d ir.Dim) bool {
	if e.IsConst(0) {
		return false
	}
	return e.Mul(d.Div(e)).Equal(d)
}
