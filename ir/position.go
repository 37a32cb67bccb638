package ir

import (
	"math"
	"slices"
)

// A Position is an index that is computed of int parameters: a scalar of type
// Int that must be from 0 to Extent − 1.
type Position struct {
	Index  *Node // without marks around it
	Extent Dim
}

// Positions is the positions that roots depend on, in the order in which they
// are computed, each once.
func Positions(roots ...*Node) []Position {
	var out []Position
	for _, n := range Topological(roots...) {
		if !n.Is("bounded") || n.Type.Elem != Int || n.Type.Rank() > 0 || !math.IsInf(n.Attr.Value, 0) {
			continue
		}
		p := Position{unmarked(n), n.Attr.Dims[0]}
		if !slices.ContainsFunc(out, func(o Position) bool { return o.Index == p.Index && o.Extent.Equal(p.Extent) }) {
			out = append(out, p)
		}
	}
	return out
}

// unmarked is n without marks around it.
func unmarked(n *Node) *Node {
	for n.IsMark() || n.Is("reshape") {
		n = n.Args[0]
	}
	return n
}

// Inputs is the inputs that the position is computed of, in their order.
func (p Position) Inputs() []*Node {
	return slices.DeleteFunc(Topological(p.Index), func(n *Node) bool { return !n.Is("input") })
}

// Range is what one input must be for the position to be in its axis: from lo to
// hi. ok is false where the position is not that input or its negative, with an
// extent added.
func (p Position) Range() (input *Node, lo, hi Dim, ok bool) {
	inputs := p.Inputs()
	if len(inputs) != 1 {
		return nil, lo, hi, false
	}
	const x = " " // no dimension is called so
	form, ok := position(p.Index, x)
	if !ok {
		return nil, lo, hi, false
	}
	shift := form.Subst(func(name string) (Dim, bool) { return D(0), name == x })
	last := p.Extent.Sub(D(1))
	switch slope := form.Sub(shift); {
	case slope.Equal(DimVar(x)):
		return inputs[0], shift.Neg(), last.Sub(shift), true
	case slope.Equal(DimVar(x).Neg()):
		return inputs[0], shift.Sub(last), shift, true
	}
	return nil, lo, hi, false
}

// position is an integer as a polynomial in dimensions and in x, which stands
// for its input.
func position(n *Node, x string) (Dim, bool) {
	n = unmarked(n)
	if v, ok := n.Literal(); ok {
		return D(int(v)), true
	}
	switch n.Op.Name {
	case "input":
		return DimVar(x), true
	case "size":
		return n.Attr.Dims[0], true
	case "add", "sub", "mul":
		a, okA := position(n.Args[0], x)
		b, okB := position(n.Args[1], x)
		switch {
		case !okA || !okB:
			return Dim{}, false
		case n.Is("add"):
			return a.Add(b), true
		case n.Is("sub"):
			return a.Sub(b), true
		}
		return a.Mul(b), true
	case "neg":
		a, ok := position(n.Args[0], x)
		return a.Neg(), ok
	}
	return Dim{}, false
}

// Admits reports whether every position is in its axis, where dimensions and
// leaves have values as in [Evaluator].
func Admits(positions []Position, dims map[string]int, values map[string]*Tensor) (bool, error) {
	call := &Evaluator{Dims: dims, Values: values}
	for _, p := range positions {
		extent, err := p.Extent.Eval(dims)
		if err != nil {
			return false, err
		}
		at, err := call.EvalAll(p.Index)
		if err != nil {
			return false, err
		}
		if v := at[0].Data[0]; v < 0 || v >= float64(extent) {
			return false, nil
		}
	}
	return true, nil
}
