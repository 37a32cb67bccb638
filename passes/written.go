package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// What is 0 or 1 over the reals is written for the sake of rounding, or of what
// is not finite: (x + 1) − 1 rounds, (t − s) − y is the error of t = s + y,
// x − x and x/x are NaN where x is no number. So sums of which terms cancel, and
// products of which factors do, are computed as they are written, and so is the
// arithmetic on them up to the next function or reduction. Only what the text
// itself cancels is kept; what cancels in a derivative, which is one over the
// reals, cancels. Numbers and extents among factors still do, x·0.1·10 is x, and
// 0·x is 0.

// mostOpened bounds the terms or factors that are compared.
const mostOpened = 64

// AsWritten marks what below roots is to be computed as it is written. The marks
// stay until Lower; to Simplify they are atoms.
func AsWritten(g *ir.Graph, roots ...*ir.Node) []*ir.Node {
	w := &writing{g: g, sums: map[*ir.Node]parts{}, products: map[*ir.Node]parts{}}
	return g.Rewrite(w.node, roots...)
}

type writing struct {
	g              *ir.Graph
	sums, products map[*ir.Node]parts // what nodes are made of
}

// parts is how often each atom is added, or multiplied with. Literals of sums
// are added up under the node nil.
type parts map[*ir.Node]float64

func (w *writing) node(n *ir.Node) *ir.Node {
	if !n.Type.Elem.IsFloat() || !isArithmetic(n) || n.Is("neg") {
		return n
	}
	open, same := w.terms, isSum
	if n.Is("mul") || n.Is("div") {
		open, same = w.factors, isQuotient
	}
	_, cancels := w.joined(n, open)
	switch {
	case cancels:
		return w.kept(n, same)
	case slices.ContainsFunc(n.Args, func(a *ir.Node) bool { return a.Is("written") }):
		return w.g.Map("written", n)
	}
	return n
}

func isQuotient(n *ir.Node) bool { return n.Is("mul") || n.Is("div") }

// kept is n marked, with all of the sum, or of the product, that it is part of.
func (w *writing) kept(n *ir.Node, same func(*ir.Node) bool) *ir.Node {
	args := make([]*ir.Node, len(n.Args))
	for i, a := range n.Args {
		args[i] = a
		if same(a) {
			args[i] = w.kept(a, same)
		}
	}
	if len(args) > 1 && args[0] == args[1] {
		args[1] = w.g.Map("written", args[1]) // x − x is that of two atoms
	}
	return w.g.Map("written", w.g.Rebuild(n, args))
}

// joined is the parts of the operands of n together; cancels is whether some of
// one operand vanish with those of the other.
func (w *writing) joined(n *ir.Node, open func(*ir.Node) parts) (out parts, cancels bool) {
	sign := 1.0
	if n.Is("sub") || n.Is("div") {
		sign = -1
	}
	a, b := open(n.Args[0]), open(n.Args[1])
	out = parts{}
	for atom, k := range a {
		out[atom] = k
	}
	for atom, k := range b {
		old := out[atom]
		out[atom] = old + sign*k
		if sign*k*old < 0 && (isSum(n) && out[atom] == 0 || !isSum(n)) {
			cancels = true
		}
		if out[atom] == 0 {
			delete(out, atom)
		}
	}
	return out, cancels
}

// terms is what n adds up.
func (w *writing) terms(n *ir.Node) parts {
	if out, ok := w.sums[n]; ok {
		return out
	}
	out := parts{n: 1}
	switch v, literal := n.Literal(); {
	case literal && v == 0:
		out = parts{}
	case literal:
		out = parts{nil: v}
	case n.Is("written") && isSum(n.Args[0]):
		out = w.terms(n.Args[0])
	case n.Is("neg"):
		out = parts{}
		for atom, k := range w.terms(n.Args[0]) {
			out[atom] = -k
		}
	case isSum(n):
		if all, _ := w.joined(n, w.terms); len(all) <= mostOpened {
			out = all
		}
	}
	w.sums[n] = out
	return out
}

// factors is what n multiplies, with their powers.
func (w *writing) factors(n *ir.Node) parts {
	if out, ok := w.products[n]; ok {
		return out
	}
	out := parts{n: 1}
	switch _, literal := n.Literal(); {
	case literal, isExtent(n):
		out = parts{}
	case n.Is("written") && isQuotient(n.Args[0]):
		out = w.factors(n.Args[0])
	case n.Is("neg"):
		out = w.factors(n.Args[0])
	case isQuotient(n):
		if all, _ := w.joined(n, w.factors); len(all) <= mostOpened {
			out = all
		}
	}
	w.products[n] = out
	return out
}
