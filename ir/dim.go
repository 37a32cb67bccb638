package ir

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// A Dim is an extent: a polynomial with integer coefficients in atoms, in
// normal form. An atom is a run-time dimension or a floor division of two
// polynomials that does not come out even. The zero Dim is 0. Two Dims agree
// when their normal forms do; a Dim is immutable.
//
// What comes from a run-time dimension that is compiled as a constant is that
// constant in all respects, but [Dim.Varies] remembers it.
type Dim struct {
	terms  []monomial // sorted by key, no zero coefficient
	varies bool       // a constant in place of a run-time dimension is in it
}

// monomial is coef times the product of its atoms, which are sorted.
type monomial struct {
	coef  int
	atoms []*atom
}

// atom is a dimension variable, or ⌊num/den⌋ where num is not nil.
type atom struct {
	name     string // also the sort key; of a quotient its printed form
	num, den *Dim
	even     bool // a quotient that a fact says comes out even: den·⌊num/den⌋ is num
}

// D is the constant dimension n.
func D(n int) Dim {
	if n == 0 {
		return Dim{}
	}
	return Dim{terms: []monomial{{coef: n}}}
}

// DimVar is the run-time dimension called name.
func DimVar(name string) Dim {
	return Dim{terms: []monomial{{coef: 1, atoms: []*atom{{name: name}}}}}
}

// Fixed is the run-time dimension that is compiled as the constant n.
func Fixed(n int) Dim {
	d := D(n)
	d.varies = true
	return d
}

// Varies reports whether d differs from call to call, as the program has it:
// it depends on a run-time dimension, be that compiled as a constant or not.
func (d Dim) Varies() bool {
	_, constant := d.Const()
	return d.varies || !constant
}

// From is d, made from operands: it varies where one of them does.
func (d Dim) From(operands ...Dim) Dim {
	for _, e := range operands {
		d.varies = d.varies || e.varies
	}
	return d
}

// Const reports the value of d where it has no atoms.
func (d Dim) Const() (int, bool) {
	switch {
	case len(d.terms) == 0:
		return 0, true
	case len(d.terms) == 1 && len(d.terms[0].atoms) == 0:
		return d.terms[0].coef, true
	}
	return 0, false
}

// IsConst reports whether d is the constant n.
func (d Dim) IsConst(n int) bool {
	v, ok := d.Const()
	return ok && v == n
}

// Equal reports whether the normal forms of d and e agree.
func (d Dim) Equal(e Dim) bool {
	if len(d.terms) != len(e.terms) {
		return false
	}
	for i, t := range d.terms {
		u := e.terms[i]
		if t.coef != u.coef || len(t.atoms) != len(u.atoms) {
			return false
		}
		for k, a := range t.atoms {
			if a.name != u.atoms[k].name {
				return false
			}
		}
	}
	return true
}

// Add is d + e.
func (d Dim) Add(e Dim) Dim {
	if n, ok := d.Const(); ok {
		if m, ok := e.Const(); ok {
			return D(n+m).From(d, e)
		}
	}
	return collect(append(append([]monomial{}, d.terms...), e.terms...)).From(d, e)
}

// Neg is −d.
func (d Dim) Neg() Dim { return d.Mul(D(-1)) }

// Sub is d − e.
func (d Dim) Sub(e Dim) Dim { return d.Add(e.Neg()) }

// Mul is d · e.
func (d Dim) Mul(e Dim) Dim {
	if n, ok := d.Const(); ok {
		if m, ok := e.Const(); ok {
			return D(n*m).From(d, e)
		}
	}
	var terms []monomial
	for _, t := range d.terms {
		for _, u := range e.terms {
			terms = append(terms, monomial{t.coef * u.coef, sortedAtoms(t.atoms, u.atoms)})
		}
	}
	return collect(terms).From(d, e)
}

func sortedAtoms(a, b []*atom) []*atom {
	atoms := append(append([]*atom{}, a...), b...)
	sort.SliceStable(atoms, func(i, j int) bool { return atoms[i].name < atoms[j].name })
	return atoms
}

// Div is the floor division ⌊d/e⌋. Where e is a single term, what it divides is
// taken out exactly, and the coefficients that remain lie between 0 and e's:
// (H - 1)/2 + 1 and (H + 1)/2 are one normal form. What remains is an atom. Div
// panics if e is the constant 0.
func (d Dim) Div(e Dim) Dim {
	if e.IsConst(0) {
		panic("ir: Dim.Div by 0")
	}
	if n, ok := d.Const(); ok {
		if m, ok := e.Const(); ok {
			return D(floorDiv(n, m)).From(d, e)
		}
	}

	// A single term divides what it divides; the rest stays under the floor.
	quotient, rest := Dim{}, d
	if len(e.terms) == 1 {
		quotient, rest = d.divideTerms(e.terms[0])
	} else if d.Equal(e) {
		return D(1)
	}
	if len(rest.terms) == 0 {
		return quotient.From(d, e)
	}
	if n, ok := rest.Const(); ok {
		if m, ok := e.Const(); ok {
			return quotient.Add(D(floorDiv(n, m)))
		}
	}
	num, den := rest, e
	name := "(" + num.String() + ")/(" + den.String() + ")"
	return quotient.Add(Dim{terms: []monomial{{1, []*atom{{name: name, num: &num, den: &den}}}}})
}

// Mod is d − e·⌊d/e⌋.
func (d Dim) Mod(e Dim) Dim { return d.Sub(e.Mul(d.Div(e))) }

// divideTerms splits d into q·m and a rest; where the atoms of a term hold m's,
// its coefficient in the rest lies between 0 and m's.
func (d Dim) divideTerms(m monomial) (q, rest Dim) {
	var whole, left []monomial
	for _, t := range d.terms {
		coef := 0
		atoms, ok := without(t.atoms, m.atoms)
		if ok {
			coef = floorDiv(t.coef, m.coef)
			whole = append(whole, monomial{coef, atoms})
		}
		left = append(left, monomial{t.coef - coef*m.coef, t.atoms})
	}
	return collect(whole), collect(left)
}

// without is atoms with every one of cut taken out once.
func without(atoms, cut []*atom) ([]*atom, bool) {
	left := append([]*atom{}, atoms...)
next:
	for _, c := range cut {
		for i, a := range left {
			if a.name == c.name {
				left = append(left[:i:i], left[i+1:]...)
				continue next
			}
		}
		return nil, false
	}
	return left, true
}

// collect adds up terms of equal atoms, sorts what is left and multiplies out
// the quotients that come out even.
func collect(terms []monomial) Dim {
	sums := map[string]monomial{}
	for _, t := range terms {
		k := t.key()
		s, ok := sums[k]
		if !ok || t.isEven() {
			s.atoms = t.atoms
		}
		sums[k] = monomial{s.coef + t.coef, s.atoms}
	}
	var out []monomial
	for _, t := range sums {
		if t.coef != 0 {
			out = append(out, t)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if len(a.atoms) != len(b.atoms) {
			return len(a.atoms) > len(b.atoms)
		}
		return a.key() < b.key()
	})
	for i, t := range out {
		if terms, ok := t.multipliedOut(); ok {
			return collect(slices.Concat(out[:i], terms, out[i+1:]))
		}
	}
	return Dim{terms: out}
}

func (t monomial) key() string {
	names := make([]string, len(t.atoms))
	for i, a := range t.atoms {
		names[i] = a.name
	}
	return strings.Join(names, "*")
}

// Vars adds the run-time dimensions that d depends on to set.
func (d Dim) Vars(set map[string]bool) {
	for _, t := range d.terms {
		for _, a := range t.atoms {
			if a.num != nil {
				a.num.Vars(set)
				a.den.Vars(set)
			} else {
				set[a.name] = true
			}
		}
	}
}

// Subst is d with every variable that of gives a value for replaced by it.
func (d Dim) Subst(of func(name string) (Dim, bool)) Dim {
	sum := Dim{}
	for _, t := range d.terms {
		product := D(t.coef)
		for _, a := range t.atoms {
			factor := Dim{terms: []monomial{{1, []*atom{a}}}}
			if a.num != nil {
				factor = a.num.Subst(of).Div(a.den.Subst(of))
			} else if v, ok := of(a.name); ok {
				factor = v
			}
			product = product.Mul(factor)
		}
		sum = sum.Add(product)
	}
	return sum.From(d)
}

// Eval is the value of d where its variables have the given values.
func (d Dim) Eval(env map[string]int) (int, error) {
	sum := 0
	for _, t := range d.terms {
		product := t.coef
		for _, a := range t.atoms {
			v, err := a.eval(env)
			if err != nil {
				return 0, err
			}
			product *= v
		}
		sum += product
	}
	return sum, nil
}

func (a *atom) eval(env map[string]int) (int, error) {
	if a.num == nil {
		v, ok := env[a.name]
		if !ok {
			return 0, fmt.Errorf("dimension %s has no value", a.name)
		}
		return v, nil
	}
	num, err := a.num.Eval(env)
	if err != nil {
		return 0, err
	}
	den, err := a.den.Eval(env)
	if err != nil {
		return 0, err
	}
	if den == 0 {
		return 0, fmt.Errorf("%s divides by 0", a.name)
	}
	return floorDiv(num, den), nil
}

// A DimSpeller says how the parts of a polynomial are written.
type DimSpeller struct {
	Var func(name string) string
	Div func(num, den string) string
	Mul string

	// PositiveFirst lets a positive term stand first, where there is one.
	PositiveFirst bool
}

// String is the polynomial as the language writes it: 2*B - 1.
func (d Dim) String() string {
	return d.Spell(DimSpeller{
		Var: func(name string) string { return name },
		Div: func(num, den string) string { return num + "/" + den },
		Mul: "*",
	})
}

// Formula is the polynomial as formulas write it: 2·B − 1, and N − B rather
// than −B + N.
func (d Dim) Formula() string {
	text := d.Spell(DimSpeller{
		Var:           func(name string) string { return name },
		Div:           func(num, den string) string { return num + "/" + den },
		Mul:           "·",
		PositiveFirst: true,
	})
	return strings.ReplaceAll(text, "-", "−")
}

// Factor splits d into a number and what it is times that number, 1 and d where
// d has several terms.
func (d Dim) Factor() (int, Dim) {
	if len(d.terms) != 1 {
		return 1, d
	}
	t := d.terms[0]
	return t.coef, Dim{terms: []monomial{{coef: 1, atoms: t.atoms}}, varies: d.varies}
}

// Spell writes d in another notation, such as Go's.
func (d Dim) Spell(s DimSpeller) string {
	if len(d.terms) == 0 {
		return "0"
	}
	terms := d.terms
	first := slices.IndexFunc(terms, func(t monomial) bool { return t.coef > 0 })
	if s.PositiveFirst && first > 0 {
		terms = slices.Concat(terms[first:first+1], terms[:first], terms[first+1:])
	}
	var b strings.Builder
	for i, t := range terms {
		coef, signed := t.coef, false
		switch {
		case i > 0 && coef < 0:
			b.WriteString(" - ")
			coef = -coef
		case i > 0:
			b.WriteString(" + ")
		case coef == -1 && len(t.atoms) > 0:
			b.WriteString("-")
			coef, signed = 1, true
		}
		var parts []string
		if coef != 1 || len(t.atoms) == 0 {
			parts = append(parts, strconv.Itoa(coef))
		}
		for _, a := range t.atoms {
			parts = append(parts, a.spell(s, len(t.atoms) > 1 || coef != 1 || signed))
		}
		b.WriteString(strings.Join(parts, s.Mul))
	}
	return b.String()
}

// spell writes an atom; a quotient that has a factor or a sign before it is in
// parentheses, since -B/2 reads as (-B)/2.
func (a *atom) spell(s DimSpeller, inProduct bool) string {
	if a.num == nil {
		return s.Var(a.name)
	}
	text := s.Div(group(a.num.Spell(s)), group(a.den.Spell(s)))
	if inProduct {
		text = "(" + text + ")"
	}
	return text
}

// group puts what is no single word in parentheses.
func group(text string) string {
	if strings.ContainsAny(text, " */-·") {
		return "(" + text + ")"
	}
	return text
}

// Covers reports whether d ≥ e for all non-negative values of the variables,
// as far as the coefficients show it.
func (d Dim) Covers(e Dim) bool {
	for _, t := range d.Sub(e).terms {
		if t.coef < 0 {
			return false
		}
		for _, a := range t.atoms {
			if a.num != nil && !(a.num.Covers(Dim{}) && a.den.Covers(Dim{})) {
				return false
			}
		}
	}
	return true
}

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

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// Bound is a polynomial that is at least d at all smaller sizes too: where d
// falls with a dimension, as N − B with B, it is what d is without that one.
func (d Dim) Bound() Dim {
	var out Dim
	for _, t := range d.terms {
		if t.coef < 0 && len(t.atoms) > 0 {
			continue
		}
		term := D(t.coef)
		for _, a := range t.atoms {
			term = term.Mul(a.bound())
		}
		out = out.Add(term)
	}
	return out
}

// bound is that of an atom; what is divided by a dimension may be divided by 1.
func (a *atom) bound() Dim {
	one := Dim{terms: []monomial{{coef: 1, atoms: []*atom{a}}}}
	if a.num == nil {
		return one
	}
	num := a.num.Bound()
	if _, constant := a.den.Const(); !constant {
		return num
	}
	if num.Equal(*a.num) {
		return one
	}
	return num.Div(*a.den)
}

// Room is the number of elements that a tensor of the shape may have at the
// sizes and all smaller ones, see [Dim.Bound].
func (s Shape) Room() Dim {
	room := D(1)
	for _, d := range s {
		room = room.Mul(d.Bound())
	}
	return room
}
