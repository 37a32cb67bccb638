package ir

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
