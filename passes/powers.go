package passes

import (
	"math"
	"slices"

	"gradgen.dev/ir"
)

// Powers are kept together. Over the reals (x/c)² is x²/c², but in floating
// point x² and c² overflow and vanish long before their quotient does. So
// what has a power in common is one factor: where two factors of a term are
// raised to the second power or more, they are multiplied first and raised
// then, and neither leaves a sum, a choice or a common factor without the
// other. What a factor has beyond the shared power is free, as everything is
// that occurs once: x²/c³ is (x/c)²/c, and 1/c may stand in front. Numbers of
// moderate size and extents are no such factors: (x/2)² is 0.25·x².

// largestModerate bounds the numbers that a power is multiplied by, and its inverse
// does: what they are folded into loses no more than six decades of the range.
const largestModerate = 1e6

// moderate reports whether t, the product or quotient of a and b, may have one
// coefficient: it is of moderate size, or nothing in t is raised, or only one of
// a and b has a coefficient.
func (t term) moderate(a, b term) bool {
	if math.Abs(a.coef) == 1 || math.Abs(b.coef) == 1 {
		return true
	}
	raised := slices.ContainsFunc(t.factors, func(f factor) bool { return abs(f.power) > 1 && !isExtent(f.atom) })
	return !raised || math.Abs(t.coef) <= largestModerate && math.Abs(t.coef) >= 1/largestModerate
}

// isExtent reports whether n is a number of elements, which is of moderate size.
func isExtent(n *ir.Node) bool {
	for n.Is("spread") || n.Is("cast") {
		n = n.Args[0]
	}
	return n.Is("size")
}

// abs is |p|.
func abs(p int) int { return max(p, -p) }

// sharedExponent is the largest power, at least 2, that two factors of t have,
// or more; 0 where there is none.
func (t term) sharedExponent() int {
	first, second := 0, 0
	for _, f := range t.factors {
		p := abs(f.power)
		switch {
		case isExtent(f.atom):
		case p > first:
			first, second = p, first
		case p > second:
			second = p
		}
	}
	if second < 2 {
		return 0
	}
	return second
}

// binds reports whether f is one of the factors that share the power k.
func binds(f factor, k int) bool { return k > 0 && abs(f.power) >= k && !isExtent(f.atom) }

// bound is u, of type t, with what shares a power as one factor: x²/c² is the
// square of x/c.
func (s *simplifier) bound(u term, t ir.Type) term {
	k := u.sharedExponent()
	if k == 0 || !t.Elem.IsFloat() {
		return u
	}
	base, rest := term{coef: 1, parts: u.parts}, term{coef: u.coef, parts: u.parts}
	for _, f := range u.factors {
		if binds(f, k) {
			sign := f.power / abs(f.power)
			base.factors = append(base.factors, factor{f.atom, sign})
			f.power -= k * sign
		}
		rest.factors = append(rest.factors, f)
	}
	root := term{coef: 1, factors: []factor{{s.buildTerm(base, t), k}}}
	return s.bound(rest.merged().times(root), t)
}

// spared is the part of c that may be taken out of u, which it divides: of
// factors that share a power, all or what they have beyond it.
func (c term) spared(u term) term {
	k := u.sharedExponent()
	if k == 0 {
		return c
	}

	// What is taken of all of them.
	all := k
	for _, f := range u.factors {
		if binds(f, k) {
			all = min(all, abs(c.power(f.atom)))
		}
	}
	out := term{coef: c.coef, parts: c.parts}
	for _, f := range c.factors {
		p := abs(u.power(f.atom))
		if free := p - k + all; binds(factor{f.atom, p}, k) && abs(f.power) > free {
			f.power = f.power / abs(f.power) * free
		}
		if f.power != 0 {
			out.factors = append(out.factors, f)
		}
	}
	return out
}

// sparedOf is the part of c that may be taken out of every one of terms.
func (c term) sparedOf(terms []term) term {
	for {
		before := c
		for _, u := range terms {
			c = c.spared(u)
		}
		if c.same(before) {
			return c
		}
	}
}

// divided splits t into its coefficient with the factors of atoms that fits
// holds of, as far as they may be taken out, and the rest.
func (t term) divided(fits func(*ir.Node) bool) (outside, inside term) {
	outside = term{coef: t.coef}
	for _, f := range t.factors {
		if fits(f.atom) {
			outside.factors = append(outside.factors, f)
		}
	}
	outside = outside.spared(t)
	if t.sharedExponent() == 0 {
		outside = outside.beside(t)
	}
	inside = term{coef: 1, parts: t.parts}
	for _, f := range t.factors {
		if f.power -= outside.power(f.atom); f.power != 0 {
			inside.factors = append(inside.factors, f)
		}
	}
	return outside, inside
}

// repeats splits t into what is applied once, and the powers that are left of
// factors of t; t stays whole where they are large.
func (t term) repeats() (once, again term) {
	once, again = term{coef: t.coef}, term{coef: 1}
	for _, f := range t.factors {
		if p := abs(f.power); p > 1 && p <= mostRepeats && !isExtent(f.atom) {
			sign := f.power / p
			again.factors = append(again.factors, factor{f.atom, f.power - sign})
			f.power = sign
		}
		once.factors = append(once.factors, f)
	}
	return once, again
}

// beside is the part of c that leaves nothing raised behind where it is taken
// out of u: (x/c)·x stays, x² may overflow.
func (c term) beside(u term) term {
	raised := slices.ContainsFunc(u.factors, func(f factor) bool {
		return abs(f.power) > 1 && c.power(f.atom) == 0 && !isExtent(f.atom)
	})
	if !raised {
		return c
	}
	c.factors = slices.DeleteFunc(slices.Clone(c.factors), func(f factor) bool { return !isExtent(f.atom) })
	return c
}
