package passes

import (
	"math"
	"slices"
	"sort"
	"strconv"

	"gradgen.dev/ir"
)

// term is coef · Π atom^power. Where it was read off a graph, parts are the
// products with several users among what it was multiplied out of.
type term struct {
	coef    float64
	factors []factor // by age
	parts   []*ir.Node
}

type factor struct {
	atom  *ir.Node
	power int
}

// atomic is the term that is n alone.
func atomic(n *ir.Node) term { return term{coef: 1, factors: []factor{{n, 1}}} }

// merged adds up the powers of equal atoms and sorts the factors by age.
func (t term) merged() term {
	out := term{coef: t.coef, factors: slices.Clone(t.factors), parts: t.parts}
	sort.SliceStable(out.factors, func(i, j int) bool { return out.factors[i].atom.ID < out.factors[j].atom.ID })
	kept := out.factors[:0]
	for _, f := range out.factors {
		if last := len(kept) - 1; last >= 0 && kept[last].atom == f.atom {
			kept[last].power += f.power
		} else {
			kept = append(kept, f)
		}
	}
	out.factors = slices.DeleteFunc(kept, func(f factor) bool { return f.power == 0 })
	return out
}

// times is t·u.
func (t term) times(u term) term {
	c := t.coef * u.coef
	if math.Abs(t.coef) != 1 && math.Abs(u.coef) != 1 {
		c = snap(c)
	}
	return term{c, slices.Concat(t.factors, u.factors), joined(t.parts, u.parts)}.merged()
}

// over is t/u.
func (t term) over(u term) term {
	c := t.coef / u.coef
	if math.Abs(u.coef) != 1 {
		c = snap(c)
	}
	return t.times(u.inverse()).withCoef(c)
}

// inverse is 1/t.
func (t term) inverse() term {
	out := term{coef: 1 / t.coef}
	for _, f := range t.factors {
		out.factors = append(out.factors, factor{f.atom, -f.power})
	}
	return out
}

func (t term) withCoef(c float64) term {
	t.coef = c
	return t
}

// mostParts bounds how many parts a term remembers: two of each of the products
// that fit into a term, so that none is lost by the order of the factors.
const mostParts = mostFactors

func joined(a, b []*ir.Node) []*ir.Node {
	if len(b) == 0 {
		return a
	}
	out := slices.Clone(a)
	for _, n := range b {
		if len(out) < mostParts && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// snap undoes the rounding of arithmetic on coefficients: what is within a few
// units in the last place of a float32 number was meant to be it, so that
// 49·(1/49) is 1.
func snap(c float64) float64 {
	if near := float64(float32(c)); math.Abs(c-near) <= 4e-16*math.Abs(c) {
		return near
	}
	return c
}

// same reports whether t and u differ in their coefficient at most.
func (t term) same(u term) bool { return slices.Equal(t.factors, u.factors) }

// key is equal for terms that are the same.
func (t term) key() string {
	var b []byte
	for _, f := range t.factors {
		b = strconv.AppendInt(b, int64(f.atom.ID), 36)
		b = append(b, '^')
		b = strconv.AppendInt(b, int64(f.power), 36)
		b = append(b, ' ')
	}
	return string(b)
}

// power is that of atom in t.
func (t term) power(atom *ir.Node) int {
	for _, f := range t.factors {
		if f.atom == atom {
			return f.power
		}
	}
	return 0
}

// divides reports whether t is u times a term that has no atom of u below
// where u has it above, nor the other way around.
func (u term) divides(t term) bool {
	for _, f := range u.factors {
		if sharedPower(f.power, t.power(f.atom)) != f.power {
			return false
		}
	}
	return true
}

// age is the ID of the youngest atom; a constant comes last.
func (t term) age() int {
	if len(t.factors) == 0 {
		return math.MaxInt
	}
	return t.factors[len(t.factors)-1].atom.ID
}

// collectTerms adds up like terms and drops those that vanish; the order is
// that of the atoms' age, a constant last.
func collectTerms(terms []term) []term {
	var out []term
	largest := []float64{} // of the coefficients added up, in absolute value
	at := map[string]int{}
	for _, t := range terms {
		k := t.key()
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out, largest = append(out, t.withCoef(0)), append(largest, 0)
		}
		if out[i].coef == 0 {
			out[i].coef = t.coef
		} else {
			out[i].coef = snap(out[i].coef + t.coef)
		}
		largest[i] = max(largest[i], math.Abs(t.coef))
	}

	// What rounding leaves of 0.1 + 0.2 − 0.3 is 0.
	kept := out[:0]
	for i, t := range out {
		if math.Abs(t.coef) <= 4e-16*largest[i] && !math.IsInf(largest[i], 0) {
			continue
		}
		kept = append(kept, t)
	}
	sort.SliceStable(kept, func(i, j int) bool { return kept[i].age() < kept[j].age() })
	return kept
}

// common is the greatest term that divides all of terms: shared powers, and
// the coefficient where all agree but for the sign.
func common(terms []term) term {
	c := term{coef: math.Abs(terms[0].coef)}
	negative := true
	for _, t := range terms {
		if math.Abs(t.coef) != c.coef || math.IsInf(t.coef, 0) {
			c.coef = 1
		}
		negative = negative && t.coef < 0
	}
	if negative {
		c.coef = -c.coef
	}
	for _, f := range terms[0].factors {
		p := f.power
		for _, t := range terms[1:] {
			p = sharedPower(p, t.power(f.atom))
		}
		if p != 0 {
			c.factors = append(c.factors, factor{f.atom, p})
		}
	}
	c = c.sparedOf(terms)
	if len(c.factors) > 1 {
		c.parts = terms[0].parts
	}
	return c
}

// sharedPower is the part of two powers that both have.
func sharedPower(p, q int) int {
	switch {
	case p > 0 && q > 0:
		return min(p, q)
	case p < 0 && q < 0:
		return max(p, q)
	}
	return 0
}
