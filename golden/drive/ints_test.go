package drive

import (
	"math/rand/v2"

	"gradgen.dev/ir"
)

// paramLeaves is the inputs that the parameters of f are.
func paramLeaves(f *ir.Func) []*ir.Node {
	var out []*ir.Node
	for _, p := range f.Params {
		leaf := p.Node
		for leaf.IsMark() {
			leaf = leaf.Args[0]
		}
		out = append(out, leaf)
	}
	return out
}

// intsAmong is the values of the int parameters among inputs.
func intsAmong(leaves values, inputs []*ir.Node) []*ir.Tensor {
	var out []*ir.Tensor
	for _, in := range inputs {
		if in.Type.Elem == ir.Int {
			out = append(out, leaves["input "+in.Attr.Name])
		}
	}
	return out
}

// drawInts draws int parameters until every index that is computed of them is
// in its axis, or until one is not; it is false where that takes too long.
func drawInts(ints []*ir.Tensor, positions []ir.Position, env map[string]int, leaves values, r *rand.Rand, fit bool) bool {
	for range 300 {
		for _, x := range ints {
			x.Data[0] = float64(r.IntN(16) - 4)
		}
		if ok, err := ir.Admits(positions, env, leaves); err == nil && ok == fit {
			return true
		}
	}
	return false
}
