package ir

import "slices"

// Terms is the number of terms of the polynomial.
func (d Dim) Terms() int { return len(d.terms) }

// Degree is the largest number of factors in a term; those of a floor division
// count with its numerator's and denominator's.
func (d Dim) Degree() int {
	degree := 0
	for _, t := range d.terms {
		n := 0
		for _, a := range t.atoms {
			n++
			if a.num != nil {
				n += a.num.Degree() + a.den.Degree()
			}
		}
		degree = max(degree, n)
	}
	return degree
}

// IsMark reports whether n is a mark whose value is its operand's: a pin, a
// stop_gradient or a bound.
func (n *Node) IsMark() bool { return n.Is("pin") || n.Is("stop_gradient") || n.Is("bounded") }

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
	return collect(terms)
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
