package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// apply is the first identity that fits n.
func (s *simplifier) apply(n *ir.Node) *ir.Node {
	for _, id := range byOp[n.Op.Name] {
		m := ir.NewMatch()
		if !m.Node(id.rule.Left, n) {
			continue
		}
		if out := s.right(id, m, n.Type); out != nil {
			return out
		}
	}
	return nil
}

// right is the right side of an identity under a match, nil where it is no
// value of type t.
func (s *simplifier) right(id *Identity, m *ir.Match, t ir.Type) *ir.Node {
	if id.given != nil {
		y, err := m.Build(s.g, id.given.Right, t)
		if _, done := s.done[y]; err != nil || !s.late || !done && !s.present[y] {
			return nil
		}
		m.Nodes[id.given.Left.Name] = y
	}
	out, err := m.Build(s.g, id.rule.Right, t)
	if err != nil || !out.Type.Equal(t) {
		return nil
	}
	if s.fired != nil {
		s.fired[id.ID]++
	}
	return s.settle(out)
}

// settle simplifies what a rule has built, down to what it matched.
func (s *simplifier) settle(n *ir.Node) *ir.Node {
	if len(n.Args) == 0 {
		return n
	}
	return s.node(n)
}

// Laws with a quotient, a product, a sum or a difference on top speak of two
// operands. They are applied to any two factors of a term, and to any two
// terms of a sum that have the rest of their factors in common, wherever they
// stand: `exp(a) - 1 = expm1(a)` also fits k·x·e^b − 2·y − k·x.

// lawsOfProducts applies the laws of quotients and products to the factors of
// a term of type t.
func (s *simplifier) lawsOfProducts(u term, t ir.Type) term {
	if !t.Elem.IsFloat() || len(u.factors) == 0 {
		return u
	}
	const most = 8
	for range most {
		v, ok := s.lawOfProduct(u, t)
		if !ok {
			break
		}
		u = s.rooted(v)
	}
	return u
}

func (s *simplifier) lawOfProduct(u term, t ir.Type) (term, bool) {
	for _, f := range u.factors {
		if f.power < 0 {
			for _, id := range byOp["div"] {
				if v, ok := s.pair(id, u, factor{f.atom, -1}, 1, t); ok {
					return v, true
				}
			}
			continue
		}
		for _, id := range byOp["mul"] {
			for k := range 2 {
				if v, ok := s.pair(id, u, factor{f.atom, 1}, k, t); ok {
					return v, true
				}
			}
		}
	}
	return u, false
}

// pair applies a law of two factors to u: operand k of its left side is first,
// the other operand is a number or another factor above.
func (s *simplifier) pair(id *Identity, u term, first factor, k int, t ir.Type) (term, bool) {
	mine, other := id.rule.Left.Args[k], id.rule.Left.Args[1-k]
	if !fits(mine, first.atom) {
		return u, false
	}
	m := ir.NewMatch()
	if !m.Node(mine, first.atom) {
		return u, false
	}
	if other.IsNum {
		return s.exchanged(id, u, term{coef: other.Number, factors: []factor{first}}, m, t)
	}
	for _, f := range u.factors {
		if f.power <= 0 || (f.atom == first.atom && f.power < 2) {
			continue
		}
		if m.Node(other, f.atom) {
			return s.exchanged(id, u, term{coef: 1, factors: []factor{first, {f.atom, 1}}}.merged(), m, t)
		}
	}
	return u, false
}

// exchanged is u with its part left replaced by the right side of a law.
func (s *simplifier) exchanged(id *Identity, u, left term, m *ir.Match, t ir.Type) (term, bool) {
	right := s.right(id, m, t)
	if right == nil {
		return u, false
	}
	return u.over(left).times(s.whole(right)), true
}

// fits is a quick test before a match.
func fits(e *ir.Expr, n *ir.Node) bool { return !e.IsNum && (e.Op == "" || e.Op == n.Op.Name) }

// lawsOfSums applies the laws of sums and differences to terms of type t.
func (s *simplifier) lawsOfSums(terms []term, t ir.Type) []term {
	if !t.Elem.IsFloat() || len(terms) < 2 {
		return terms
	}
	const most = 8
	for range most {
		next, ok := s.lawOfSum(terms, t)
		if !ok {
			break
		}
		terms = collectTerms(next)
	}
	return terms
}

func (s *simplifier) lawOfSum(terms []term, t ir.Type) ([]term, bool) {
	for _, op := range []string{"add", "sub"} {
		for _, id := range byOp[op] {
			for i := range terms {
				if out, ok := s.pairOfTerms(id, terms, i, t); ok {
					return out, true
				}
			}
		}
	}
	return terms, false
}

// pairOfTerms applies a law of two terms, the first of which is terms[i]:
// a factor of it fits the first operand of the left side, and what is left of
// it times the other operand is another term.
func (s *simplifier) pairOfTerms(id *Identity, terms []term, i int, t ir.Type) ([]term, bool) {
	first, sign := id.rule.Left.Args[0], 1.0
	if id.rule.Left.Op == "sub" {
		sign = -1
	}
	for _, f := range terms[i].factors {
		if f.power != 1 || !fits(first, f.atom) {
			continue
		}
		m := ir.NewMatch()
		if !m.Node(first, f.atom) {
			continue
		}
		rest := terms[i].over(atomic(f.atom))
		j := s.partner(id.rule.Left.Args[1], terms, i, rest.withCoef(sign*rest.coef), m)
		if j < 0 {
			continue
		}
		if right := s.right(id, m, t); right != nil {
			others := slices.Clone(terms)
			others[i] = rest.times(s.whole(right))
			return slices.Delete(others, j, j+1), true
		}
	}
	return nil, false
}

// partner is the index of the term that is rest times what e fits, or −1.
func (s *simplifier) partner(e *ir.Expr, terms []term, i int, rest term, m *ir.Match) int {
	for j, u := range terms {
		if j == i {
			continue
		}
		if e.IsNum {
			if u.same(rest) && u.coef == e.Number*rest.coef {
				return j
			}
			continue
		}
		for _, f := range u.factors {
			if f.power != 1 || !fits(e, f.atom) || u.coef != rest.coef || !u.over(atomic(f.atom)).same(rest) {
				continue
			}
			if m.Node(e, f.atom) {
				return j
			}
		}
	}
	return -1
}
