package passes

import (
	"slices"
	"sort"

	"gradgen.dev/ir"
)

// build is the node of a sum of terms of type t, in normal form.
func (s *simplifier) build(terms []term, t ir.Type) *ir.Node {
	terms = s.scaledAlike(s.choices(s.lawsOfSums(collectTerms(terms), t), t), t)
	switch len(terms) {
	case 0:
		return s.g.Fill(0, t)
	case 1:
		return s.buildTerm(terms[0], t)
	}
	if sum := s.wideSum(terms, t); sum != nil {
		return sum
	}

	// What all terms share goes in front of their sum.
	c := common(terms)
	if c.coef != 1 || len(c.factors) > 0 {
		rest := make([]term, len(terms))
		for i, u := range terms {
			rest[i] = u.over(c)
		}
		return s.buildTerm(c.times(s.whole(s.build(rest, t))), t)
	}
	return s.chain(s.grouped(terms, t), t)
}

// scaledAlike adds up the scalars in front of terms that are otherwise alike:
// W − λ·W is (1 − λ)·W.
func (s *simplifier) scaledAlike(terms []term, t ir.Type) []term {
	if t.Rank() == 0 || !t.Elem.IsFloat() {
		return terms
	}
	all := axes(0, t.Rank())
	rests, scalars := map[string]int{}, make([][]term, 0, len(terms))
	out := make([]term, 0, len(terms))
	for _, u := range terms {
		scalar, rest := scalarFactors(u)
		if len(rest.factors) == 0 {
			out, scalars = append(out, u), append(scalars, nil)
			continue
		}
		k := rest.key()
		i, ok := rests[k]
		if !ok {
			i = len(out)
			rests[k] = i
			out, scalars = append(out, u), append(scalars, nil)
		} else {
			out[i] = rest
		}
		scalars[i] = append(scalars[i], s.unrepeated(scalar, t.Shape, all))
	}
	for i, list := range scalars {
		if len(list) > 1 {
			sum := s.whole(s.build(list, ir.Type{Elem: t.Elem}))
			out[i] = out[i].times(s.spreadTerm(sum, t.Shape, all))
		}
	}
	return slices.DeleteFunc(out, func(u term) bool { return u.coef == 0 })
}

// scalarFactors splits t into its coefficient with the factors that are
// repeated scalars, and the rest, which keeps the scalars that share a power
// with it.
func scalarFactors(t term) (scalar, rest term) {
	return t.divided(func(n *ir.Node) bool { return n.Is("spread") && n.Args[0].Type.Rank() == 0 })
}

// wideSum is a sum of what comes from float64 scalars, added up in float64 and
// converted once; nil where other scalars are in it.
func (s *simplifier) wideSum(terms []term, t ir.Type) *ir.Node {
	if t.Rank() > 0 || t.Elem != ir.Float32 {
		return nil
	}
	out := make([]term, len(terms))
	for i, u := range terms {
		wide, narrow := s.widened(u)
		if len(narrow) > 0 {
			return nil
		}
		out[i] = wide
	}
	return s.g.Cast(s.build(out, t.Of(ir.Float64)), ir.Float32)
}

// whole is n as a term in which a sum is one atom.
func (s *simplifier) whole(n *ir.Node) term {
	if n.Is("add") || n.Is("sub") {
		return atomic(n)
	}
	return s.product(n)
}

// grouped adds up terms that are repeated along the same axes before they are
// repeated. Scalars go with the first such group.
func (s *simplifier) grouped(terms []term, t ir.Type) []term {
	type group struct {
		axes  []int
		terms []term
	}
	all := axes(0, t.Rank())
	scalars := group{axes: all}
	var groups []*group
	var out []term
next:
	for _, u := range terms {
		axes := u.repeated(t.Rank())
		if t.Rank() == 0 || len(axes) == 0 {
			out = append(out, u)
			continue
		}
		if len(axes) == len(all) {
			scalars.terms = append(scalars.terms, u)
			continue
		}
		for _, gr := range groups {
			if slices.Equal(gr.axes, axes) {
				gr.terms = append(gr.terms, u)
				continue next
			}
		}
		groups = append(groups, &group{axes, []term{u}})
	}
	if len(groups) > 0 {
		groups[0].terms = append(groups[0].terms, scalars.terms...)
	} else if len(scalars.terms) > 0 {
		groups = append(groups, &scalars)
	}

	// A group of one term is that term.
	for _, gr := range groups {
		if len(gr.terms) == 1 {
			out = append(out, gr.terms[0])
			continue
		}
		inner := make([]term, len(gr.terms))
		for i, u := range gr.terms {
			inner[i] = s.unrepeated(u, t.Shape, gr.axes)
		}
		sum := s.whole(s.build(inner, t.With(t.Shape.Drop(gr.axes))))
		out = append(out, s.spreadTerm(sum, t.Shape, gr.axes))
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].age() < out[j].age() })
	return slices.DeleteFunc(out, func(u term) bool { return u.coef == 0 })
}

// chain adds terms up, a positive one first, negative ones as differences.
func (s *simplifier) chain(terms []term, t ir.Type) *ir.Node {
	if len(terms) == 0 {
		return s.g.Fill(0, t)
	}
	first := max(slices.IndexFunc(terms, func(u term) bool { return !(u.coef < 0) }), 0)
	sum := s.buildTerm(terms[first], t)
	for i, u := range terms {
		switch {
		case i == first:
		case u.coef < 0:
			sum = s.g.Map("sub", sum, s.buildTerm(u.withCoef(-u.coef), t))
		default:
			sum = s.g.Map("add", sum, s.buildTerm(u, t))
		}
	}
	return sum
}

// buildTerm is the node of one term: the scalar in front, then what is spread,
// by its axes, then the rest.
func (s *simplifier) buildTerm(u term, t ir.Type) *ir.Node {
	u = s.refolded(s.bound(s.lawsOfProducts(s.rooted(u.merged()), t), t))
	switch {
	case u.coef == 0:
		return s.g.Fill(0, t)
	case len(u.factors) == 0:
		return s.fill(u.coef, t)
	case t.Rank() == 0:
		return s.scalarTerm(u, t)
	}

	// Factors spread along the same axes are multiplied before they are spread.
	scalars := term{coef: u.coef}
	var rest []factor
	var groups []*spreadGroup
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
		k := slices.IndexFunc(groups, func(gr *spreadGroup) bool { return slices.Equal(gr.axes, f.atom.Attr.Axes) })
		if k < 0 {
			k = len(groups)
			groups = append(groups, &spreadGroup{axes: f.atom.Attr.Axes, t: inner.atom.Type})
		}
		groups[k].factors = append(groups[k].factors, inner)
	}
	var out *ir.Node
	for _, gr := range groups {
		inner := s.buildTerm(term{coef: 1, factors: gr.factors}, gr.t)
		out = s.times(out, s.g.Spread(inner, t.Shape, gr.axes))
	}
	if len(rest) > 0 {
		out = s.times(out, s.quotient(rest, t))
	}
	return s.scale(scalars, out, t)
}

// spreadGroup is the factors of a term that are spread along the same axes.
type spreadGroup struct {
	axes    []int
	t       ir.Type
	factors []factor
}

// times is a·b, and b where there is no a.
func (s *simplifier) times(a, b *ir.Node) *ir.Node {
	if a == nil {
		return b
	}
	return s.g.Map("mul", a, b)
}

// scale puts the scalar in front of x. What is raised in it is applied as often
// as its power says, as in quotient.
func (s *simplifier) scale(scalar term, x *ir.Node, t ir.Type) *ir.Node {
	if x != nil {
		if once, again := scalar.repeats(); len(again.factors) > 0 {
			return s.scale(again, s.scale(once, x, t), t)
		}
	}
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

// quotient is the product of positive powers over that of negative ones. A
// factor that is raised beside others is applied as often as its power says:
// (x·y)·x and (x/y)/y neither overflow nor vanish before their result does,
// unlike x² and y².
func (s *simplifier) quotient(factors []factor, t ir.Type) *ir.Node {
	var above, below *ir.Node
	var again []factor
	for _, f := range factors {
		if p := abs(f.power); p > 1 && p <= mostRepeats && len(factors) > 1 && len(factors) <= mostBeside && !isExtent(f.atom) {
			sign := f.power / p
			again = append(again, factor{f.atom, f.power - sign})
			f.power = sign
		}
		if f.power > 0 {
			above = s.times(above, s.powered(f.atom, f.power))
		} else {
			below = s.times(below, s.powered(f.atom, -f.power))
		}
	}
	out := above
	switch {
	case below == nil:
	case above != nil:
		out = s.g.Map("div", above, below)
	case len(factors) == 1:
		// Powers of one reciprocal share it: r = 1/x, r·r.
		return s.powered(s.g.Map("div", s.g.Fill(1, t), factors[0].atom), -factors[0].power)
	default:
		out = s.g.Map("div", s.g.Fill(1, t), below)
	}
	for _, f := range again {
		op := "mul"
		if f.power < 0 {
			op = "div"
		}
		for range abs(f.power) {
			out = s.g.Map(op, out, f.atom)
		}
	}
	return out
}

// mostRepeats is the largest power that is multiplied out one by one, beside
// at most so many factors that the term is likely to be written so.
const (
	mostRepeats = 4
	mostBeside  = 3
)

// powered is x^p for p ≥ 1, by squaring.
func (s *simplifier) powered(x *ir.Node, p int) *ir.Node {
	if p == 1 {
		return x
	}
	half := s.powered(x, p/2)
	out := s.g.Map("mul", half, half)
	if p%2 == 1 {
		out = s.g.Map("mul", out, x)
	}
	return out
}

// scalarTerm is a term of rank 0: 1/x is a quotient, c·x is a product, c/x is
// one quotient. What comes from float64 scalars (numbers of Hyper, the step,
// extents) is multiplied in float64 and converted once.
func (s *simplifier) scalarTerm(u term, t ir.Type) *ir.Node {
	if t.Elem == ir.Float32 {
		if wide, narrow := s.widened(u); len(wide.factors) > 0 {
			k := s.g.Cast(s.scalarTerm(wide, ir.Type{Elem: ir.Float64}), ir.Float32)
			if len(narrow) == 0 {
				return k
			}
			return s.quotient(append([]factor{{k, 1}}, narrow...), t)
		}
	}
	if !slices.ContainsFunc(u.factors, func(f factor) bool { return f.power > 0 }) && u.coef != 1 {
		var below *ir.Node
		for _, f := range u.factors {
			below = s.times(below, s.powered(f.atom, -f.power))
		}
		return s.g.Map("div", s.fill(u.coef, t), below)
	}
	x := s.quotient(u.factors, t)
	switch u.coef {
	case 1:
		return x
	case -1:
		return s.g.Map("neg", x)
	}
	return s.times(s.fill(u.coef, t), x)
}

// widened is the coefficient and the factors of u that float64 scalars are
// converted from, and the other factors.
func (s *simplifier) widened(u term) (wide term, narrow []factor) {
	wide.coef = u.coef
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
	return wide.merged(), narrow
}
