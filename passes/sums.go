package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// pullSum takes out of a sum what does not change along its axes, and adds
// the terms up one by one where at most one sum is left then.
func (s *simplifier) pullSum(n *ir.Node) *ir.Node {
	x := n.Args[0]
	terms := s.terms(x)
	if len(terms) == 1 && s.hasOneHotTerm(terms[0], n) {
		if wide, ok := s.expanded(terms); ok {
			if out := s.distribute(n, collectTerms(wide)); out != nil {
				return out
			}
		}
	}
	if len(terms) > 1 {
		return s.distribute(n, terms)
	}
	if len(terms) == 0 {
		return s.g.Fill(0, n.Type)
	}
	outside, inside := s.split(terms[0], x.Type.Shape, n.Attr.Axes)
	if sum := s.scattered(inside, n); sum != nil {
		return s.buildTerm(outside.times(s.whole(sum)), n.Type)
	}
	if outside.coef == 1 && len(outside.factors) == 0 && !s.sumVanishes(inside, n) {
		return nil
	}
	return s.sumTerm(outside, inside, n)
}

// scattered is Σ t over the axes of n where t is one-hot along another axis, and
// all else in it is repeated along that one: what is added at the indices, in
// the order of the elements. It is nil where t is no such term.
func (s *simplifier) scattered(t term, n *ir.Node) *ir.Node {
	x := n.Args[0].Type
	for i, f := range t.factors {
		if f.power != 1 {
			continue
		}
		for _, axis := range otherAxes(x.Rank(), n.Attr.Axes) {
			index, ok := oneHotAlong(f.atom, axis)
			rest := term{coef: t.coef, factors: slices.Delete(slices.Clone(t.factors), i, i+1), parts: t.parts}
			over := dropAxes(n.Attr.Axes, []int{axis})
			if !ok || len(rest.factors) > 0 && !contains(rest.repeated(x.Rank()), axis) || index.Is("iota") ||
				index.Is("spread") && len(intersect(index.Attr.Axes, over)) > 0 {
				continue
			}
			narrow := x.With(x.Shape.Drop([]int{axis}))
			added := s.g.Fill(rest.coef, narrow)
			if len(rest.factors) > 0 {
				added = s.buildTerm(s.unrepeated(rest, x.Shape, []int{axis}), narrow)
			}
			return s.scatter(added, index, over, x.Shape[axis], dropAxes([]int{axis}, n.Attr.Axes)[0])
		}
	}
	return nil
}

// otherAxes is the axes of a tensor of a rank but for some.
func otherAxes(rank int, but []int) []int {
	return slices.DeleteFunc(axes(0, rank), func(k int) bool { return contains(but, k) })
}

// scatter adds up x over some axes at the indices, along an axis of the result
// of the given extent.
func (s *simplifier) scatter(x, index *ir.Node, over []int, extent ir.Dim, axis int) *ir.Node {
	kept := otherAxes(x.Type.Rank(), over)
	order := slices.Concat(kept, over)
	rows := ir.Shape{}
	for _, k := range kept {
		rows = append(rows, x.Type.Shape[k])
	}
	count := ir.D(1)
	for _, k := range over {
		count = count.Mul(x.Type.Shape[k])
	}
	flat := append(slices.Clone(rows), count)
	lined := func(n *ir.Node) *ir.Node { return s.settle(s.g.Reshape(s.settle(s.g.Transpose(n, order)), flat)) }
	out := s.g.Must("scatter_along", ir.Attr{Dims: []ir.Dim{extent}}, lined(x), lined(index))

	// The axis of the indices goes from the end to its place.
	last := len(kept)
	back := slices.Insert(axes(0, last), axis, last)
	return s.settle(s.g.Transpose(s.settle(out), back))
}

// hasOneHotTerm reports whether a factor of t is a sum with a one-hot in it,
// along an axis of the sum n.
func (s *simplifier) hasOneHotTerm(t term, n *ir.Node) bool {
	for _, f := range t.factors {
		if f.power != 1 || !isSum(f.atom) {
			continue
		}
		for _, u := range s.terms(f.atom) {
			if _, ok := s.oneHotFactor(u, n); ok {
				return true
			}
		}
	}
	return false
}

// split divides a term under a sum over axes into what can stand outside,
// already of the sum's shape, and the rest.
func (s *simplifier) split(t term, shape ir.Shape, axes []int) (outside, inside term) {
	outside, inside = t.divided(func(n *ir.Node) bool { return n.Is("spread") && containsAll(n.Attr.Axes, axes) })
	for i, f := range outside.factors {
		outside.factors[i].atom = s.g.Spread(f.atom.Args[0], shape.Drop(axes), dropAxes(f.atom.Attr.Axes, axes))
	}
	return outside.merged(), inside
}

// sumVanishes reports whether a sum over the axes of n needs not add up all
// that inside has: it is constant along some of them or picks one element.
func (s *simplifier) sumVanishes(inside term, n *ir.Node) bool {
	_, picks := s.oneHotFactor(inside, n)
	return picks || len(inside.factors) == 0 || len(intersect(inside.repeated(n.Args[0].Type.Rank()), n.Attr.Axes)) > 0
}

// sumTerm is outside · Σ inside over the axes of n.
func (s *simplifier) sumTerm(outside, inside term, n *ir.Node) *ir.Node {
	sum, count := s.summedTerm(inside, n)
	if len(outside.factors) == 0 {
		s.scaledOrigin(sum, n, term{coef: outside.coef})
	} else if scalarOnly(outside) {
		s.scaledOrigin(sum, n, unspread(outside))
	}
	size := s.g.Broadcast(s.g.Size(count, n.Type.Elem), n.Type.Shape)
	return s.buildTerm(outside.times(s.product(size)).times(s.whole(sum)), n.Type)
}

// summedTerm is Σ inside over the axes of n, but for the number of times that
// it is repeated along them.
func (s *simplifier) summedTerm(inside term, n *ir.Node) (sum *ir.Node, count ir.Dim) {
	x, over := n.Args[0].Type, n.Attr.Axes
	count = ir.D(1)

	// A row times a one-hot is the one element.
	if hot, ok := s.oneHotFactor(inside, n); ok {
		last := append(without(axes(0, x.Rank()), hot.axis), hot.axis)
		rest := s.settle(s.g.Transpose(s.buildTerm(hot.rest, x), last))
		picked := s.settle(s.g.Must("pick", ir.Attr{}, rest, hot.index))
		return s.settle(s.g.Sum(picked, dropAxes(over, []int{hot.axis}))), count
	}

	// What is repeated is added up once.
	if again := intersect(inside.repeated(x.Rank()), over); len(again) > 0 {
		for _, a := range again {
			count = count.Mul(x.Shape[a])
		}
		x, inside = x.With(x.Shape.Drop(again)), s.unrepeated(inside, x.Shape, again)
		over = dropAxes(over, again)
	}
	return s.settle(s.g.Sum(s.buildTerm(inside, x), over)), count
}

// hotTerm is a term with a one-hot along axis, of an index over the other axes,
// and the rest of its factors.
type hotTerm struct {
	index *ir.Node
	axis  int
	rest  term
}

// oneHotFactor finds a one-hot along an axis of the sum n among the factors of
// t.
func (s *simplifier) oneHotFactor(t term, n *ir.Node) (hot hotTerm, ok bool) {
	for i, f := range t.factors {
		if f.power != 1 {
			continue
		}
		for _, axis := range n.Attr.Axes {
			if index, ok := s.indexed(f.atom, axis); ok {
				rest := term{coef: t.coef, factors: slices.Delete(slices.Clone(t.factors), i, i+1)}
				return hotTerm{index, axis, rest}, true
			}
		}
	}
	return hotTerm{}, false
}

// distribute adds up the terms of a sum one by one, where all but one of them
// need no sum of their own.
func (s *simplifier) distribute(n *ir.Node, terms []term) *ir.Node {
	shape := n.Args[0].Type
	var parts, left []term     // what needs no sum; what stays under one
	var outside, inside []term // of what stays
	for _, t := range terms {
		out, in := s.split(t, shape.Shape, n.Attr.Axes)
		sum := s.sumTerm(term{coef: 1}, in, n)
		if v, ok := sum.Literal(); ok && v == 0 || s.sumVanishes(in, n) || !sum.Is("sum") && s.product(sum).coef == 1 && len(s.product(sum).factors) == 0 {
			parts = append(parts, out.times(s.whole(sum)))
			continue
		}
		left, outside, inside = append(left, t), append(outside, out), append(inside, in)
	}
	alike := len(left) > 0
	for _, out := range outside {
		alike = alike && out.same(outside[0]) && out.coef == outside[0].coef
	}
	trivial := !alike || (len(outside[0].factors) == 0 && outside[0].coef == 1)
	if len(parts) == 0 && trivial {
		return nil
	}
	switch {
	case alike:
		sum := s.settle(s.g.Sum(s.build(inside, shape), n.Attr.Axes))
		parts = append(parts, outside[0].times(s.whole(sum)))
	case len(left) > 0:
		sum := s.settle(s.g.Sum(s.build(left, shape), n.Attr.Axes))
		parts = append(parts, s.whole(sum))
	}
	return s.build(parts, n.Type)
}

// pullLogSumExp takes out what does not change along the axes.
func (s *simplifier) pullLogSumExp(n *ir.Node) *ir.Node {
	if len(n.Attr.Axes) == 0 {
		return n.Args[0]
	}
	x := n.Args[0].Type
	var outside, inside []term
	for _, t := range s.terms(n.Args[0]) {
		if containsAll(t.repeated(x.Rank()), n.Attr.Axes) {
			outside = append(outside, s.unrepeated(t, x.Shape, n.Attr.Axes))
		} else {
			inside = append(inside, t)
		}
	}
	if len(outside) == 0 {
		return nil
	}
	var sum *ir.Node
	if len(inside) > 0 {
		sum = s.settle(s.g.Must("logsumexp", n.Attr, s.build(inside, x)))
	} else {
		count := ir.D(1)
		for _, a := range n.Attr.Axes {
			count = count.Mul(x.Shape[a])
		}
		sum = s.g.Map("log", s.g.Broadcast(s.g.Size(count, n.Type.Elem), n.Type.Shape))
	}
	return s.build(append(outside, s.whole(sum)), n.Type)
}

func scalarOnly(t term) bool {
	for _, f := range t.factors {
		if f.atom.Type.Rank() > 0 && !(f.atom.Is("spread") && f.atom.Args[0].Type.Rank() == 0) {
			return false
		}
	}
	return true
}

// unspread is a term of spread scalars as one of scalars.
func unspread(t term) term {
	out := term{coef: t.coef}
	for _, f := range t.factors {
		if f.atom.Is("spread") {
			f.atom = f.atom.Args[0]
		}
		out.factors = append(out.factors, f)
	}
	return out
}
