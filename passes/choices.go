package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// pullWhere lets a scalar out of a choice between a value and 0, and out of a
// choice between two values what they share. Nothing else may leave: what a
// choice guards need not be finite where it is not chosen.
func (s *simplifier) pullWhere(n *ir.Node) *ir.Node {
	for k := 1; k <= 2; k++ {
		if isZero(n.Args[3-k]) {
			return s.pullFrom(n, k)
		}
	}
	arms := []term{s.product(n.Args[1]), s.product(n.Args[2])}
	c := common(arms)
	if len(c.factors) == 0 && (c.coef == 1 || n.Args[1].IsConstant() || n.Args[2].IsConstant()) {
		return nil
	}
	inner := s.g.Map("where", n.Args[0], s.buildTerm(arms[0].over(c), n.Type), s.buildTerm(arms[1].over(c), n.Type))
	return s.buildTerm(c.times(atomic(inner)), n.Type)
}

func isZero(n *ir.Node) bool {
	v, ok := n.Literal()
	return ok && v == 0
}

// choices makes one of two choices in a sum that have the same condition,
// where each way is 0 in one of them.
func (s *simplifier) choices(terms []term, t ir.Type) []term {
	for i, u := range terms {
		a := choiceIn(u)
		if a == nil {
			continue
		}
		for j := i + 1; j < len(terms); j++ {
			b := choiceIn(terms[j])
			if b == nil || a.Args[0] != b.Args[0] || !(isZero(a.Args[1]) || isZero(b.Args[1])) || !(isZero(a.Args[2]) || isZero(b.Args[2])) {
				continue
			}
			arms := make([]*ir.Node, 2)
			for k := range arms {
				arms[k] = s.build([]term{
					u.over(atomic(a)).times(s.whole(a.Args[k+1])),
					terms[j].over(atomic(b)).times(s.whole(b.Args[k+1])),
				}, t)
			}
			out := slices.Delete(slices.Clone(terms), j, j+1)
			out[i] = s.whole(s.settle(s.g.Map("where", a.Args[0], arms[0], arms[1])))
			return s.choices(collectTerms(out), t)
		}
	}
	return terms
}

// choiceIn is a factor of t that is a choice, nil where there is none.
func choiceIn(t term) *ir.Node {
	for _, f := range t.factors {
		if f.atom.Is("where") && f.power == 1 {
			return f.atom
		}
	}
	return nil
}
