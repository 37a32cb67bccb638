package passes

import (
	"math"
	"slices"

	"gradgen.dev/ir"
)

// The normal form of arithmetic. A value is a sum of terms, a term is a
// coefficient times powers of atoms; an atom is any node that is no sum,
// product, quotient or negation, and a sum inside a product is an atom of it.
// Like terms are added up, powers of one atom merged, what all terms share is
// taken out, numbers and scalars stand in front, where linear ops let them
// pass. So x·2/x − 1, tanh's dy − dy·y·y and (p − 1h)/B have one form each.
//
// What is repeated is computed before it is repeated: a spread sum is a sum of
// spreads while terms are collected, and so with products, and build puts
// them together again. Roots are powers of −1 and 1 of sqrt.
//
// Sharing is kept. A sum that others use too is an atom. A product that others
// use too is multiplied out, so that its factors may cancel, and is put back
// where the term that results still holds all of them.

// The largest term that is worth its time; a product beyond it is an atom.
const (
	mostFactors = 16
	mostPower   = 32
)

// isSum reports whether n adds numbers.
func isSum(n *ir.Node) bool { return n.Is("add") || n.Is("sub") || n.Is("neg") }

// terms splits n into its terms. A sum that others use too stays whole, unless
// it is n itself.
func (s *simplifier) terms(n *ir.Node) []term { return s.sum(n, 1, true, nil) }

func (s *simplifier) sum(n *ir.Node, sign float64, top bool, out []term) []term {
	if top || !s.shared[n] {
		switch n.Op.Name {
		case "add":
			return s.sum(n.Args[1], sign, false, s.sum(n.Args[0], sign, false, out))
		case "sub":
			return s.sum(n.Args[1], -sign, false, s.sum(n.Args[0], sign, false, out))
		case "neg":
			return s.sum(n.Args[0], -sign, false, out)
		case "spread":
			if isSum(n.Args[0]) {
				for _, t := range s.sum(n.Args[0], sign, false, nil) {
					out = append(out, s.spreadTerm(t, n.Type.Shape, n.Attr.Axes))
				}
				return out
			}
		}
	}
	t := s.product(n)
	t.coef *= sign
	return append(out, t)
}

// spreadTerm is t repeated along axes of shape.
func (s *simplifier) spreadTerm(t term, shape ir.Shape, axes []int) term {
	if len(axes) == 0 {
		return t
	}
	out := term{coef: t.coef, factors: make([]factor, len(t.factors))}
	for i, f := range t.factors {
		atom := s.g.Spread(f.atom, shape, axes)
		if f.atom.Is("spread") {
			atom = s.g.Spread(f.atom.Args[0], shape, composedAxes(atom, f.atom))
		}
		out.factors[i] = factor{atom, f.power}
	}
	return out.merged()
}

// product splits n into the factors of one term.
func (s *simplifier) product(n *ir.Node) term {
	if t, ok := s.products[n]; ok {
		return t
	}
	t, ok := s.factorised(n)
	if !ok || len(t.factors) > mostFactors || !t.representable(n.Type.Elem) {
		t = atomic(n)
	} else if s.shared[n] && len(t.factors) > 1 {
		t.parts = joined([]*ir.Node{n}, t.parts[:min(1, len(t.parts))])
	}
	if s.products == nil {
		s.products = map[*ir.Node]term{}
	}
	s.products[n] = t
	return t
}

// factorised is n as a product of other nodes; ok is false where it is none.
func (s *simplifier) factorised(n *ir.Node) (t term, ok bool) {
	if v, ok := n.Literal(); ok {
		return term{coef: v}, true
	}
	switch {
	case n.Is("neg"):
		t = s.product(n.Args[0])
		return t.withCoef(-t.coef), true
	case n.Is("mul"):
		a, b := s.product(n.Args[0]), s.product(n.Args[1])
		t = a.times(b)
		return t, sound(a.coef, b.coef, t.coef) && t.moderate(a, b)
	case n.Is("div"):
		a, b := s.product(n.Args[0]), s.product(n.Args[1])
		t = a.over(b)
		return t, b.coef != 0 && sound(a.coef, b.coef, t.coef) && t.moderate(a, b)
	case n.Is("size") && n.Type.Elem == ir.Float32:
		return atomic(s.g.Cast(s.g.Size(n.Attr.Dims[0], ir.Float64), ir.Float32)), true
	case n.Is("rsqrt"):
		return term{coef: 1, factors: []factor{{s.g.Map("sqrt", n.Args[0]), -1}}}, true
	case n.Is("spread") && n.Type.Elem != ir.Bool:
		return s.spreadTerm(s.product(n.Args[0]), n.Type.Shape, n.Attr.Axes), true
	case n.Is("cast") && n.Type.Rank() == 0 && n.Type.Elem == ir.Float32 && n.Args[0].Type.Elem == ir.Float64:
		// Scalars are computed in float64: a product's conversion is its factors'.
		inner := s.product(n.Args[0])
		t.coef = inner.coef
		for _, f := range inner.factors {
			t.factors = append(t.factors, factor{s.g.Cast(f.atom, ir.Float32), f.power})
		}
		return t.merged(), true
	}
	return t, false
}

// sound reports whether c, made of a and b, has neither overflowed nor vanished.
func sound(a, b, c float64) bool {
	finite := func(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }
	return !finite(a) || !finite(b) || finite(c) && (c != 0 || a == 0 || b == 0)
}

// representable reports whether t's powers are small and its coefficient
// neither overflows nor vanishes in the element type: 1e30·(1e30·x) may be
// small, and is left as it is.
func (t term) representable(elem ir.DType) bool {
	for _, f := range t.factors {
		if f.power > mostPower || f.power < -mostPower {
			return false
		}
	}
	if t.coef == 0 || len(t.factors) == 0 || math.IsInf(t.coef, 0) || math.IsNaN(t.coef) {
		return true
	}
	lo, hi := 1e-300, 1e300
	switch {
	case elem == ir.Float32:
		lo, hi = 1e-37, 1e38
	case elem.IsInt():
		lo, hi = 1, 1<<31
	}
	return math.Abs(t.coef) >= lo && math.Abs(t.coef) <= hi
}

// rooted merges a root with powers of what it is the root of, and undoes the
// squares of roots.
func (s *simplifier) rooted(t term) term {
	for i, f := range t.factors {
		if !f.atom.Is("sqrt") {
			continue
		}
		x := f.atom.Args[0]
		p := f.power + 2*t.power(x)
		if p == f.power && (p < 2 || p%2 != 0) {
			continue
		}
		rest := term{coef: t.coef, parts: t.parts}
		for k, g := range t.factors {
			if k != i && g.atom != x {
				rest.factors = append(rest.factors, g)
			}
		}
		root := term{coef: 1, factors: []factor{{f.atom, p}}}
		if p >= 0 && p%2 == 0 {
			root.factors = []factor{{x, p / 2}}
		}
		return s.rooted(rest.times(root))
	}
	return t
}

// refolded is t with the products it was multiplied out of put back, where it
// still holds all of their factors.
func (s *simplifier) refolded(t term) term {
	for _, n := range t.parts {
		p := s.product(n)
		if math.Abs(p.coef) == 1 && len(p.factors) > 1 && len(t.factors) > 1 && p.divides(t) {
			t = t.over(p).times(atomic(n))
		}
	}
	return t
}

// expanded is terms with the sums among their factors multiplied out; ok is
// false where there is none that is small enough.
func (s *simplifier) expanded(terms []term) (out []term, ok bool) {
	if len(terms) > mostFactors {
		return nil, false
	}
	for _, t := range terms {
		parts := []term{{coef: t.coef}}
		for _, f := range t.factors {
			inner := []term{{coef: 1, factors: []factor{f}}}
			if f.power == 1 && (f.atom.Is("add") || f.atom.Is("sub")) {
				if open := s.terms(f.atom); len(open) <= 4 {
					inner, ok = open, true
				}
			}
			var next []term
			for _, p := range parts {
				for _, q := range inner {
					next = append(next, p.times(q))
				}
			}
			parts = next
			if len(parts) > mostFactors {
				return nil, false
			}
		}
		out = append(out, parts...)
	}
	return out, ok
}

// opCount is the number of elementwise nodes, scalars left out, from n down to
// what is computed anyway: atoms, and sums with several users.
func (s *simplifier) opCount(n *ir.Node, atoms map[*ir.Node]bool) int {
	count := 0
	seen := map[*ir.Node]bool{}
	var visit func(m *ir.Node)
	visit = func(m *ir.Node) {
		if seen[m] || atoms[m] || m.IsConstant() || (s.shared[m] && m != n) || (m.Op.Class != ir.Map && m.Op.Class != ir.View) {
			return
		}
		seen[m] = true
		if m.Op.Class == ir.Map && (m.Type.Rank() > 0 || n.Type.Rank() == 0) {
			count++
		}
		for _, a := range m.Args {
			visit(a)
		}
	}
	visit(n)
	return count
}

// repeated is the axes of rank that every factor of t is repeated along.
func (t term) repeated(rank int) []int {
	out := axes(0, rank)
	for _, f := range t.factors {
		if !f.atom.Is("spread") {
			return nil
		}
		out = slices.DeleteFunc(out, func(a int) bool { return !contains(f.atom.Attr.Axes, a) })
	}
	return out
}

// unrepeated is t, repeated along axes of shape, before it is.
func (s *simplifier) unrepeated(t term, shape ir.Shape, axes []int) term {
	out := term{coef: t.coef}
	for _, f := range t.factors {
		inner := s.g.Spread(f.atom.Args[0], shape.Drop(axes), dropAxes(f.atom.Attr.Axes, axes))
		out.factors = append(out.factors, factor{inner, f.power})
	}
	return out.merged()
}
