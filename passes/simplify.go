package passes

import (
	"fmt"

	"gradgen.dev/ir"
)

// Simplify rewrites the graphs below roots to a fixed point: constants are
// folded, arithmetic is brought to its normal form, linear ops give way to
// scalars, views are merged, and the identities of the table are applied.
// What comes out computes the same over the reals, not always the same bits.
func Simplify(g *ir.Graph, roots ...*ir.Node) []*ir.Node {
	const rounds = 12
	for range rounds {
		s := &simplifier{g: g, done: map[*ir.Node]*ir.Node{}, shared: sharedSums(roots)}
		next := make([]*ir.Node, len(roots))
		changed := false
		for i, r := range roots {
			if r == nil {
				continue
			}
			next[i] = s.node(r)
			changed = changed || next[i] != r
		}
		roots = next
		if !changed {
			break
		}
	}
	return roots
}

type simplifier struct {
	g      *ir.Graph
	done   map[*ir.Node]*ir.Node
	shared map[*ir.Node]bool // sums with several users
}

// Fired counts how often each identity has been applied, where it is not nil.
// It serves the test that no line of the table is idle.
var Fired map[string]int

func (s *simplifier) fired(id *Identity) {
	if Fired != nil {
		Fired[id.ID]++
	}
}

// sharedSums is the sums that more than one node uses.
func sharedSums(roots []*ir.Node) map[*ir.Node]bool {
	out := map[*ir.Node]bool{}
	for n, uses := range ir.Uses(roots...) {
		if uses > 1 && (n.Is("add") || n.Is("sub")) {
			out[n] = true
		}
	}
	return out
}

// node is n simplified, operands first.
func (s *simplifier) node(n *ir.Node) *ir.Node {
	if out, ok := s.done[n]; ok {
		return out
	}
	args := make([]*ir.Node, len(n.Args))
	for i, a := range n.Args {
		args[i] = s.node(a)
	}
	out := s.g.Rebuild(n, args)
	if s.shared[n] {
		s.shared[out] = true
	}
	for range 20 {
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
	if s.shared[n] && (out.Is("add") || out.Is("sub")) {
		s.shared[out] = true
	}
	s.done[n] = out
	return out
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
	return s.g.Fill(v.Data[0], n.Type)
}

// arithmetic brings sums and products to their normal form; where multiplying
// out makes fewer operations, that is taken.
func (s *simplifier) arithmetic(n *ir.Node) *ir.Node {
	if n.Type.Elem == ir.Bool {
		return nil
	}
	switch n.Op.Name {
	case "add", "sub", "neg", "mul":
	case "div":
		if !n.Type.Elem.IsFloat() {
			return nil
		}
	case "pow":
		return s.power(n)
	default:
		return nil
	}
	terms := s.terms(n)
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
		if alt := s.build(wide, n.Type); opCount(alt, atoms) < opCount(out, atoms) {
			return alt
		}
	}
	return out
}

// power turns constant exponents into products and roots.
func (s *simplifier) power(n *ir.Node) *ir.Node {
	e, ok := n.Args[1].Literal()
	if !ok {
		return nil
	}
	x, g := n.Args[0], s.g
	switch e {
	case 0:
		return g.Fill(1, n.Type)
	case 1:
		return x
	case 2, 3, 4, -1, -2:
		if !n.Type.Elem.IsFloat() && e < 0 {
			return nil
		}
		return s.buildTerm(term{coef: 1, factors: []factor{{x, int(e)}}}, n.Type)
	case 0.5:
		return g.Map("sqrt", x)
	case -0.5:
		return g.Map("rsqrt", x)
	}
	return nil
}
