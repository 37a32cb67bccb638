package passes

import (
	"math"
	"sort"

	"gradgen.dev/ir"
)

// The normal form of arithmetic. A value is a sum of terms, a term is a
// coefficient times powers of atoms; an atom is any node that is no sum,
// product, quotient or negation, and a sum inside a product is an atom of it.
// Like terms are added up, powers of one atom merged, what all terms share is
// taken out, numbers and scalars stand in front, where linear ops let them
// pass. So x·2/x − 1, tanh's dy − dy·y·y and (p − 1h)/B have one form each.

// term is coef · Π atom^power.
type term struct {
	coef    float64
	factors []factor
}

type factor struct {
	atom  *ir.Node
	power int
}

// terms splits n into its terms. A sum that others use too stays whole, unless
// it is n itself, so that sharing is not undone.
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
		}
	}
	t := s.product(n)
	t.coef *= sign
	return append(out, t)
}

// product splits n into the factors of one term.
func (s *simplifier) product(n *ir.Node) term {
	t := term{coef: 1}
	s.multiply(&t, n, 1, 0)
	return t.merged()
}

func (s *simplifier) multiply(t *term, n *ir.Node, power, depth int) {
	if v, ok := n.Literal(); ok && (power > 0 || v != 0) && !math.IsInf(v, 0) && !math.IsNaN(v) {
		if power < 0 && n.Type.Elem.IsInt() {
			t.factors = append(t.factors, factor{n, power})
			return
		}
		t.coef *= math.Pow(v, float64(power))
		return
	}
	deep := depth > 8
	switch {
	case n.Is("neg"):
		t.coef *= math.Pow(-1, float64(power))
		s.multiply(t, n.Args[0], power, depth+1)
	case n.Is("mul") && !deep:
		s.multiply(t, n.Args[0], power, depth+1)
		s.multiply(t, n.Args[1], power, depth+1)
	case n.Is("div") && n.Type.Elem.IsFloat() && !deep:
		s.multiply(t, n.Args[0], power, depth+1)
		s.multiply(t, n.Args[1], -power, depth+1)
	case n.Is("spread") && n.Type.Elem != ir.Bool:
		// A spread product is a product of spreads.
		inner := s.product(n.Args[0])
		t.coef *= math.Pow(inner.coef, float64(power))
		for _, f := range inner.factors {
			t.factors = append(t.factors, factor{s.g.Spread(f.atom, n.Type.Shape, n.Attr.Axes), f.power * power})
		}
	case n.Is("cast") && n.Type.Rank() == 0 && n.Type.Elem == ir.Float32 && n.Args[0].Type.Elem == ir.Float64:
		// Scalars are computed in float64: a product's conversion is its factors'.
		inner := s.product(n.Args[0])
		t.coef *= math.Pow(inner.coef, float64(power))
		for _, f := range inner.factors {
			t.factors = append(t.factors, factor{s.g.Cast(f.atom, ir.Float32), f.power * power})
		}
	default:
		t.factors = append(t.factors, factor{n, power})
	}
}

// merged adds up the powers of equal atoms and sorts the factors by age.
func (t term) merged() term {
	powers := map[*ir.Node]int{}
	for _, f := range t.factors {
		powers[f.atom] += f.power
	}
	out := term{coef: t.coef}
	for atom, p := range powers {
		if p != 0 {
			out.factors = append(out.factors, factor{atom, p})
		}
	}
	out.sort()
	return out
}

func (t *term) sort() {
	sort.Slice(t.factors, func(i, j int) bool { return t.factors[i].atom.ID < t.factors[j].atom.ID })
}

// times is t·u.
func (t term) times(u term) term {
	return term{t.coef * u.coef, append(append([]factor{}, t.factors...), u.factors...)}.merged()
}

// same reports whether t and u differ in their coefficient at most.
func (t term) same(u term) bool {
	if len(t.factors) != len(u.factors) {
		return false
	}
	for i, f := range t.factors {
		if f != u.factors[i] {
			return false
		}
	}
	return true
}

// collectTerms adds up like terms and drops those that vanish; the order is
// that of the atoms' age, a constant last.
func collectTerms(terms []term) []term {
	var out []term
next:
	for _, t := range terms {
		for i := range out {
			if out[i].same(t) {
				out[i].coef += t.coef
				continue next
			}
		}
		out = append(out, t)
	}
	kept := out[:0]
	for _, t := range out {
		if t.coef != 0 {
			kept = append(kept, t)
		}
	}
	sort.SliceStable(kept, func(i, j int) bool { return kept[i].age() < kept[j].age() })
	return kept
}

// age is the ID of the youngest atom; a constant comes last.
func (t term) age() int {
	if len(t.factors) == 0 {
		return math.MaxInt
	}
	return t.factors[len(t.factors)-1].atom.ID
}

// common is the greatest term that divides all of terms: shared powers, and
// the coefficient where all agree but for the sign.
func common(terms []term) term {
	c := term{coef: math.Abs(terms[0].coef)}
	negative := true
	for _, t := range terms {
		if math.Abs(t.coef) != c.coef {
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
	return c
}

func (t term) power(atom *ir.Node) int {
	for _, f := range t.factors {
		if f.atom == atom {
			return f.power
		}
	}
	return 0
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

// over is t/c.
func (t term) over(c term) term {
	inverse := term{coef: 1 / c.coef}
	for _, f := range c.factors {
		inverse.factors = append(inverse.factors, factor{f.atom, -f.power})
	}
	return t.times(inverse)
}

// build is the node of a sum of terms of type t, in normal form.
func (s *simplifier) build(terms []term, t ir.Type) *ir.Node {
	terms = collectTerms(terms)
	switch len(terms) {
	case 0:
		return s.g.Fill(0, t)
	case 1:
		return s.buildTerm(terms[0], t)
	}

	// What all terms share goes in front of their sum.
	c := common(terms)
	if c.coef != 1 || len(c.factors) > 0 {
		rest := make([]term, len(terms))
		for i, u := range terms {
			rest[i] = u.over(c)
		}
		inner := s.build(rest, t)
		if inner.IsConstant() || inner.Is("mul") || inner.Is("div") || inner.Is("neg") {
			return s.buildTerm(c.times(s.product(inner)), t)
		}
		return s.buildTerm(c.times(term{coef: 1, factors: []factor{{inner, 1}}}), t)
	}
	return s.chain(terms, t)
}

// chain adds terms up, a positive one first, negative ones as differences.
func (s *simplifier) chain(terms []term, t ir.Type) *ir.Node {
	first := 0
	for first < len(terms)-1 && terms[first].coef < 0 {
		first++
	}
	if terms[first].coef < 0 {
		first = 0
	}
	sum := s.buildTerm(terms[first], t)
	for i, u := range terms {
		switch {
		case i == first:
		case u.coef < 0:
			u.coef = -u.coef
			sum = s.g.Map("sub", sum, s.buildTerm(u, t))
		default:
			sum = s.g.Map("add", sum, s.buildTerm(u, t))
		}
	}
	return sum
}

// buildTerm is the node of one term: the scalar in front, then what is spread,
// by its axes, then the rest.
func (s *simplifier) buildTerm(u term, t ir.Type) *ir.Node {
	u = s.pairs(u.merged(), t)
	if u.coef == 0 {
		return s.g.Fill(0, t)
	}
	if len(u.factors) == 0 {
		return s.g.Fill(u.coef, t)
	}
	if t.Rank() == 0 {
		return s.scalarTerm(u, t)
	}

	// Factors spread along the same axes are multiplied before they are spread.
	scalars := term{coef: u.coef}
	var rest []factor
	groups, order := map[string]*spreadGroup{}, []*spreadGroup{}
	for _, f := range u.factors {
		if !f.atom.Is("spread") {
			rest = append(rest, f)
			continue
		}
		inner := factor{f.atom.Args[0], f.power}
		if inner.atom.Type.Rank() == 0 {
			scalars.factors = append(scalars.factors, inner)
			continue
		}
		key := ir.Shape{}.String() + sprintAxes(f.atom.Attr.Axes)
		if groups[key] == nil {
			groups[key] = &spreadGroup{axes: f.atom.Attr.Axes, t: inner.atom.Type, term: term{coef: 1}}
			order = append(order, groups[key])
		}
		groups[key].term.factors = append(groups[key].term.factors, inner)
	}
	var out *ir.Node
	for _, gr := range order {
		out = s.times(out, s.g.Spread(s.buildTerm(gr.term, gr.t), t.Shape, gr.axes))
	}
	if len(rest) > 0 {
		out = s.times(out, s.quotient(rest, t))
	}
	return s.scale(scalars, out, t)
}

// spreadGroup is the factors of a term that are spread along the same axes.
type spreadGroup struct {
	axes []int
	t    ir.Type
	term term
}

// times is a·b, and b where there is no a.
func (s *simplifier) times(a, b *ir.Node) *ir.Node {
	if a == nil {
		return b
	}
	return s.g.Map("mul", a, b)
}

// scale puts the scalar in front of x.
func (s *simplifier) scale(scalar term, x *ir.Node, t ir.Type) *ir.Node {
	k := s.buildTerm(scalar, ir.Type{Elem: t.Elem})
	if x == nil {
		return s.g.Broadcast(k, t.Shape)
	}
	if v, ok := k.Literal(); ok {
		switch v {
		case 1:
			return x
		case -1:
			return s.g.Map("neg", x)
		}
	}
	return s.g.Map("mul", s.g.Broadcast(k, t.Shape), x)
}

// quotient is the product of positive powers over that of negative ones.
func (s *simplifier) quotient(factors []factor, t ir.Type) *ir.Node {
	var above, below *ir.Node
	for _, f := range factors {
		for range f.power {
			above = s.times(above, f.atom)
		}
		for range -f.power {
			below = s.times(below, f.atom)
		}
	}
	switch {
	case below == nil:
		return above
	case above == nil:
		return s.g.Map("div", s.g.Fill(1, t), below)
	}
	return s.g.Map("div", above, below)
}

// scalarTerm is a term of rank 0. What comes from float64 scalars (numbers of
// Hyper, the step, extents) is multiplied in float64 and converted once.
func (s *simplifier) scalarTerm(u term, t ir.Type) *ir.Node {
	if t.Elem == ir.Float32 {
		wide := term{coef: u.coef}
		var narrow []factor
		for _, f := range u.factors {
			switch {
			case f.atom.Is("cast") && f.atom.Args[0].Type.Elem == ir.Float64:
				wide.factors = append(wide.factors, factor{f.atom.Args[0], f.power})
			case f.atom.Is("size"):
				wide.factors = append(wide.factors, factor{s.g.Size(f.atom.Attr.Dims[0], ir.Float64), f.power})
			default:
				narrow = append(narrow, f)
			}
		}
		if len(wide.factors) > 0 {
			w := s.g.Cast(s.scalarTerm(wide.merged(), ir.Type{Elem: ir.Float64}), ir.Float32)
			if len(narrow) == 0 {
				return w
			}
			return s.times(w, s.quotient(narrow, t))
		}
	}
	var out *ir.Node
	coef := u.coef
	rest := u.factors
	// 1/x is a quotient; c·x is a product; c/x is one quotient.
	positive := false
	for _, f := range rest {
		positive = positive || f.power > 0
	}
	if !positive {
		var below *ir.Node
		for _, f := range rest {
			for range -f.power {
				below = s.times(below, f.atom)
			}
		}
		return s.g.Map("div", s.g.Const(coef, t.Elem), below)
	}
	switch coef {
	case 1:
		return s.quotient(rest, t)
	case -1:
		return s.g.Map("neg", s.quotient(rest, t))
	}
	out = s.g.Const(coef, t.Elem)
	return s.times(out, s.quotient(rest, t))
}

// opCount is the number of elementwise nodes from n down to what atoms holds.
func opCount(n *ir.Node, atoms map[*ir.Node]bool) int {
	count := 0
	seen := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if seen[n] || atoms[n] || n.IsConstant() || (n.Op.Class != ir.Map && n.Op.Class != ir.View) {
			return
		}
		seen[n] = true
		if n.Op.Class == ir.Map {
			count++
		}
		for _, a := range n.Args {
			visit(a)
		}
	}
	visit(n)
	return count
}

// expanded is terms with the sums among their factors multiplied out; ok is
// false where there is none that is small enough.
func (s *simplifier) expanded(terms []term) (out []term, ok bool) {
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
			if len(parts) > 16 {
				return nil, false
			}
		}
		out = append(out, parts...)
	}
	return out, ok
}
