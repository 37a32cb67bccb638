package passes

import (
	"math"

	"gradgen.dev/ir"
)

// A partBound is a bound on a part of an input.
type partBound struct {
	ir.Bound
	cut *ir.Node // the slice that the part is of; nil where it is no simple one
}

// bounds collects the inputs whose elements must be within an extent: those
// that are indices as they are, and those of which parts are, within one and
// the same extent, if the parts cover the input or nothing else reads it.
func bounds(roots []*ir.Node) []ir.Bound {
	var out []ir.Bound
	var parts []partBound
	for _, n := range ir.Topological(roots...) {
		if !n.Is("bounded") || n.Type.Elem == ir.Int {
			continue
		}
		x, cut, whole := indexed(n)
		b := ir.Bound{Input: x, Extent: n.Attr.Dims[0]}
		if b.HasIgnore = !math.IsInf(n.Attr.Value, 0); b.HasIgnore {
			b.Ignore = int64(n.Attr.Value)
		}
		switch {
		case !x.Is("input"):
		case whole:
			out = addBound(out, b)
		default:
			parts = append(parts, partBound{b, cut})
		}
	}
	indices := onlyIndices(roots)
	for _, p := range parts {
		var cuts []*ir.Node
		agree := true
		for _, o := range parts {
			if o.Input == p.Input {
				cuts = append(cuts, o.cut)
				agree = agree && o.Extent.Equal(p.Extent) && o.HasIgnore == p.HasIgnore && o.Ignore == p.Ignore
			}
		}
		if agree && (indices[p.Input] || cover(p.Input.Type.Shape, cuts)) {
			out = addBound(out, p.Bound)
		}
	}
	return out
}

// indexed is what the bounded node n is all of, or a part of, and the part's
// slice of it.
func indexed(n *ir.Node) (x, cut *ir.Node, whole bool) {
	part := false
	for x = n.Args[0]; ; x = x.Args[0] {
		switch x.Op.Name {
		case "pin", "reshape", "transpose", "flip", "spread":
		case "slice":
			cut, part = x, true
		default:
			if cut != nil && cut.Args[0] != x {
				cut = nil // a slice of a part, or of what was rearranged
			}
			return x, cut, !part
		}
	}
}

// cover reports whether slices along one axis are, together, all of a tensor of
// a shape. A run-time dimension is taken to be larger than any number.
func cover(shape ir.Shape, cuts []*ir.Node) bool {
	for axis, extent := range shape {
		reached := ir.D(0)
		for range cuts {
			for _, c := range cuts {
				if c != nil && along(c, shape, axis) && !less(reached, c.Attr.Dims[axis]) && less(reached, c.Attr.Limits[axis]) {
					reached = c.Attr.Limits[axis]
				}
			}
		}
		if reached.Equal(extent) {
			return true
		}
	}
	return false
}

// less reports whether a is below b, which is above any number where it is no
// number and a is one.
func less(a, b ir.Dim) bool {
	if d, ok := b.Sub(a).Const(); ok {
		return d > 0
	}
	_, number := a.Const()
	return number
}

// along reports whether a slice takes all of a shape but along an axis, where
// it leaves out none between its first and last.
func along(cut *ir.Node, shape ir.Shape, axis int) bool {
	for i, d := range shape {
		all := cut.Attr.Dims[i].IsConst(0) && cut.Attr.Limits[i].Equal(d)
		if i != axis && !all || cut.Attr.Steps[i] != 1 {
			return false
		}
	}
	return true
}

// onlyIndices is the inputs that nothing but bounded nodes read, in parts or
// rearranged.
func onlyIndices(roots []*ir.Node) map[*ir.Node]bool {
	all := ir.Topological(roots...)
	out, read := map[*ir.Node]bool{}, map[*ir.Node]bool{}
	for _, r := range roots {
		if r != nil {
			read[r] = true
		}
	}
	for i := len(all) - 1; i >= 0; i-- {
		n := all[i]
		switch n.Op.Name {
		case "bounded":
			continue // its operand is an index
		case "pin", "reshape", "transpose", "flip", "slice":
			if !read[n] {
				continue
			}
		case "input":
			out[n] = !read[n]
		}
		for _, a := range n.Args {
			read[a] = true
		}
	}
	return out
}

// addBound adds a bound on an input to others; of two constant extents the
// smaller one counts, and what may be ignored must be in both.
func addBound(list []ir.Bound, b ir.Bound) []ir.Bound {
	n, constant := b.Extent.Const()
	for i, o := range list {
		m, alsoConstant := o.Extent.Const()
		if o.Input != b.Input || !o.Extent.Equal(b.Extent) && !(constant && alsoConstant) {
			continue
		}
		if constant && n < m {
			list[i].Extent = b.Extent
		}
		if !b.HasIgnore || b.Ignore != o.Ignore {
			list[i].Ignore, list[i].HasIgnore = 0, false
		}
		return list
	}
	return append(list, b)
}
