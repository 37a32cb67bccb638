package ir

import "slices"

// Facts are divisibilities that a program asserts: after D % h == 0, h*(D/h)
// is D.
type Facts []Divides

// Divides says that Den divides Num.
type Divides struct{ Num, Den Dim }

// String is the fact as a program asserts it: D % h == 0.
func (f Divides) String() string {
	return group(f.Num.String()) + " % " + group(f.Den.String()) + " == 0"
}

// Holds reports whether the fact holds of dimensions of the given values; what
// has no value divides nothing.
func (f Divides) Holds(env map[string]int) bool {
	num, errNum := f.Num.Eval(env)
	den, errDen := f.Den.Eval(env)
	return errNum == nil && errDen == nil && den != 0 && num%den == 0
}

// Normal is d rewritten by the facts, in their order. A fact about a
// denominator of several terms is not used.
func (f Facts) Normal(d Dim) Dim {
	for _, fact := range f {
		pattern, value, ok := fact.rule()
		if !ok {
			continue
		}
		if quotient, rest := d.divideTerms(pattern); len(quotient.terms) > 0 {
			d = quotient.Mul(value).Add(rest).From(d)
		}
	}
	return d
}

// rule is the term den·⌊n/den⌋ and what it equals, where num/den is a whole
// part and one floor division ⌊n/den⌋: num − den·whole.
func (f Divides) rule() (pattern monomial, value Dim, ok bool) {
	if len(f.Den.terms) != 1 {
		return pattern, value, false
	}
	den, whole, floors := f.Den.terms[0], f.Num.Div(f.Den), 0
	for _, t := range whole.terms {
		if len(t.atoms) == 1 && t.atoms[0].den != nil && t.coef == 1 && t.atoms[0].den.Equal(f.Den) {
			pattern = monomial{den.coef, sortedAtoms(den.atoms, t.atoms)}
			whole = whole.Sub(Dim{terms: []monomial{t}})
			floors++
		}
	}
	return pattern, f.Num.Sub(f.Den.Mul(whole)), floors == 1
}

// Even is d with its floor divisions marked that the facts say come out even.
// Where one is multiplied by its denominator, the product is its numerator.
func (f Facts) Even(d Dim) Dim {
	var terms []monomial
	for _, t := range d.terms {
		atoms := slices.Clone(t.atoms)
		for i, a := range atoms {
			if a.num != nil && !a.even && f.divides(a) {
				marked := *a
				marked.even = true
				atoms[i] = &marked
			}
		}
		terms = append(terms, monomial{t.coef, atoms})
	}
	return collect(terms).From(d)
}

// divides reports whether a fact is about the quotient a.
func (f Facts) divides(a *atom) bool {
	for _, fact := range f {
		if !fact.Den.Equal(*a.den) {
			continue
		}
		// The numerators may differ by a multiple of the denominator.
		difference := fact.Num.Sub(*a.num)
		if difference.Sub(fact.Den.Mul(difference.Div(fact.Den))).IsConst(0) {
			return true
		}
	}
	return false
}

// multipliedOut is t with den·⌊num/den⌋ replaced by num where a quotient comes
// out even, as often as t's coefficient holds den's; false where it never does.
func (t monomial) multipliedOut() ([]monomial, bool) {
	for _, a := range t.atoms {
		if !a.even || len(a.den.terms) != 1 {
			continue
		}
		den := a.den.terms[0]
		rest, ok := without(t.atoms, sortedAtoms([]*atom{a}, den.atoms))
		times := floorDiv(t.coef, den.coef)
		if !ok || times == 0 {
			continue
		}
		product := Dim{terms: []monomial{{times, rest}}}.Mul(*a.num)
		return append(slices.Clone(product.terms), monomial{t.coef - times*den.coef, t.atoms}), true
	}
	return nil, false
}

// isEven reports whether a quotient of t is marked as even.
func (t monomial) isEven() bool {
	return slices.ContainsFunc(t.atoms, func(a *atom) bool { return a.even })
}
