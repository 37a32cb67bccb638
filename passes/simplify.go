package passes

import (
	"fmt"
	"math"
	"slices"

	"gradgen.dev/ir"
)

// Simplify rewrites the graphs below roots to a fixed point: constants are
// folded, arithmetic is brought to its normal form, linear ops give way to
// scalars, views are merged, and the identities of the table are applied.
// What comes out computes the same over the reals, not always the same bits.
func Simplify(g *ir.Graph, roots ...*ir.Node) []*ir.Node {
	return simplify(g, nil, nil, roots)
}

// simplify is Simplify, which neither changes the nodes of keep nor looks
// below them. It counts in fired, where that is not nil, how often each
// identity is applied. Identities that need a value to be there already come
// last.
func simplify(g *ir.Graph, keep []*ir.Node, fired map[string]int, roots []*ir.Node) []*ir.Node {
	const rounds = 12
	for _, late := range []bool{false, true} {
		for range rounds {
			next := round(g, keep, fired, late, roots)
			if slices.Equal(next, roots) {
				break
			}
			roots = next
		}
	}
	return roots
}

// round rewrites each node below roots once.
func round(g *ir.Graph, keep []*ir.Node, fired map[string]int, late bool, roots []*ir.Node) []*ir.Node {
	s := newSimplifier(g, roots)
	s.late, s.fired = late, fired
	for _, n := range keep {
		s.done[n] = n
	}
	next := make([]*ir.Node, len(roots))
	for i, r := range roots {
		if r != nil {
			next[i] = s.node(r)
		}
	}
	return next
}

// A simplifier does one round.
type simplifier struct {
	g        *ir.Graph
	done     map[*ir.Node]*ir.Node
	shared   map[*ir.Node]bool // sums and products with several users
	products map[*ir.Node]term // the factors of nodes
	present  map[*ir.Node]bool // what is below the roots
	late     bool              // identities may look for what is present
	fired    map[string]int
}

func newSimplifier(g *ir.Graph, roots []*ir.Node) *simplifier {
	s := &simplifier{g: g, done: map[*ir.Node]*ir.Node{}, shared: map[*ir.Node]bool{}, present: map[*ir.Node]bool{}}
	for n, uses := range ir.Uses(roots...) {
		s.present[n] = true
		if uses > 1 && isArithmetic(n) {
			s.shared[n] = true
		}
	}
	return s
}

// isArithmetic reports whether n is what the normal form is about.
func isArithmetic(n *ir.Node) bool {
	switch n.Op.Name {
	case "add", "sub", "neg", "mul", "div":
		return true
	}
	return false
}

// node is n simplified, operands first.
func (s *simplifier) node(n *ir.Node) *ir.Node {
	if out, ok := s.done[n]; ok {
		return out
	}
	out := s.operands(n)
	for range 20 {
		if s.shared[n] && isArithmetic(out) {
			s.shared[out] = true
		}
		next := s.step(out)
		if next == out {
			break
		}
		if !next.Type.Equal(n.Type) {
			panic(fmt.Sprintf("passes: Simplify: %s became %s, of type %v instead of %v", out.Op.Name, next.Op.Name, next.Type, n.Type))
		}
		s.g.CopyOrigin(next, out)
		out = next
	}
	s.g.CopyOrigin(out, n)
	if s.shared[n] && isArithmetic(out) {
		s.shared[out] = true
	}
	s.done[n], s.done[out] = out, out
	return out
}

// operands is n on simplified operands. A sum is taken as a whole, so that
// adding up a thousand terms is not done a thousand times.
func (s *simplifier) operands(n *ir.Node) *ir.Node {
	switch {
	case isSum(n):
		return s.build(s.simplifiedTerms(n, 1, true, nil), n.Type)
	case n.Is("size"):
		return s.g.Size(n.Attr.Dims[0], n.Type.Elem)
	}
	args := make([]*ir.Node, len(n.Args))
	for i, a := range n.Args {
		args[i] = s.node(a)
	}
	return s.g.Rebuild(n, args)
}

// simplifiedTerms is terms(n) of simplified operands.
func (s *simplifier) simplifiedTerms(n *ir.Node, sign float64, top bool, out []term) []term {
	_, done := s.done[n]
	if isSum(n) && (top || !s.shared[n] && !done) {
		out = s.simplifiedTerms(n.Args[0], signOf(n, 0, sign), false, out)
		if len(n.Args) > 1 {
			out = s.simplifiedTerms(n.Args[1], signOf(n, 1, sign), false, out)
		}
		return out
	}
	return s.sum(s.node(n), sign, false, out)
}

// signOf is the sign of operand k of a sum n that has a sign itself.
func signOf(n *ir.Node, k int, sign float64) float64 {
	if n.Is("neg") || n.Is("sub") && k == 1 {
		return -sign
	}
	return sign
}

// step is one rewriting of n, n itself where nothing applies.
func (s *simplifier) step(n *ir.Node) *ir.Node {
	for _, rule := range []func(*ir.Node) *ir.Node{s.fold, s.views, s.lower, s.arithmetic, s.pull, s.contract, s.apply} {
		if out := rule(n); out != nil && out != n {
			return out
		}
	}
	return n
}

// fold computes an elementwise op of constants, rounded to its type.
func (s *simplifier) fold(n *ir.Node) *ir.Node {
	if n.Op.Class != ir.Map {
		return nil
	}
	scalars := make([]*ir.Node, len(n.Args))
	for i, a := range n.Args {
		v, ok := a.Literal()
		if !ok {
			return nil
		}
		scalars[i] = s.g.Const(v, a.Type.Elem)
	}
	e := ir.Evaluator{Round: true}
	v, err := e.Eval(s.g.Must(n.Op.Name, n.Attr, scalars...))
	if err != nil {
		return nil
	}
	return s.fill(v.Data[0], n.Type)
}

// fill is v everywhere. There is one NaN.
func (s *simplifier) fill(v float64, t ir.Type) *ir.Node {
	if math.IsNaN(v) {
		v = math.NaN()
	}
	return s.g.Fill(v, t)
}

// arithmetic brings sums and products to their normal form; where multiplying
// out makes fewer operations, that is taken.
func (s *simplifier) arithmetic(n *ir.Node) *ir.Node {
	switch {
	case n.Is("pow"):
		return s.power(n)
	case n.Is("rsqrt"):
	case !isArithmetic(n):
		return nil
	}
	terms := s.terms(n)
	for i := range terms {
		terms[i].parts = slices.DeleteFunc(slices.Clone(terms[i].parts), func(p *ir.Node) bool { return p == n })
	}
	out := s.build(terms, n.Type)
	if wide, ok := s.expanded(terms); ok {
		atoms := map[*ir.Node]bool{}
		for _, t := range append(wide, terms...) {
			for _, f := range t.factors {
				if !f.atom.Is("add") && !f.atom.Is("sub") {
					atoms[f.atom] = true
				}
			}
		}
		if alt := s.build(wide, n.Type); s.opCount(alt, atoms) < s.opCount(out, atoms) {
			return alt
		}
	}
	return out
}

// power turns constant exponents that are multiples of ½ into products and
// roots.
func (s *simplifier) power(n *ir.Node) *ir.Node {
	const most = 16
	e, ok := n.Args[1].Literal()
	halves := int(2 * e)
	if !ok || math.Abs(e) > most || float64(halves) != 2*e {
		return nil
	}
	x := factor{n.Args[0], halves / 2}
	if halves%2 != 0 {
		x = factor{s.g.Map("sqrt", n.Args[0]), halves}
	}
	return s.buildTerm(term{coef: 1, factors: []factor{x}}.merged(), n.Type)
}
