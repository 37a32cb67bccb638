package passes

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// pull lets scalars out of linear ops, and out of a sum what does not change
// along its axes.
func (s *simplifier) pull(n *ir.Node) *ir.Node {
	if !n.Type.Elem.IsFloat() || len(n.Args) == 0 {
		return nil
	}
	switch n.Op.Name {
	case "sum":
		return s.pullSum(n)
	case "logsumexp":
		return s.pullLogSumExp(n)
	case "reshape", "transpose", "slice", "flip", "place", "gather", "scatter_add", "pick":
		return s.pullFrom(n, 0)
	case "cast":
		if n.Args[0].Type.Elem.IsFloat() && n.Type.Rank() > 0 {
			return s.pullFrom(n, 0)
		}
	case "einsum":
		if out := s.pullFrom(n, 0); out != nil {
			return out
		}
		return s.pullFrom(n, 1)
	case "where":
		return s.pullWhere(n)
	}
	return nil
}

// scalarPart splits x into a scalar term and the rest; ok is false where the
// scalar is 1 or the value is one constant.
func (s *simplifier) scalarPart(x *ir.Node) (scalar, rest term, ok bool) {
	if x.Is("add") || x.Is("sub") || x.Type.Rank() == 0 {
		return scalar, rest, false
	}
	t := s.product(x)
	scalar, rest = term{coef: t.coef}, term{coef: 1}
	for _, f := range t.factors {
		if f.atom.Is("spread") && f.atom.Args[0].Type.Rank() == 0 {
			scalar.factors = append(scalar.factors, factor{f.atom.Args[0], f.power})
		} else {
			rest.factors = append(rest.factors, f)
		}
	}
	return scalar, rest, (scalar.coef != 1 || len(scalar.factors) > 0) && len(rest.factors) > 0
}

// pullFrom is n, linear in operand k, with that operand's scalar in front.
func (s *simplifier) pullFrom(n *ir.Node, k int) *ir.Node {
	scalar, rest, ok := s.scalarPart(n.Args[k])
	if !ok {
		return nil
	}
	args := append([]*ir.Node{}, n.Args...)
	args[k] = s.buildTerm(rest, n.Args[k].Type)
	s.scaledOrigin(args[k], n.Args[k], scalar)
	inner := s.g.Must(n.Op.Name, n.Attr, args...)
	s.scaledOrigin(inner, n, scalar)
	return s.inFront(scalar, inner, n.Type)
}

// scaledOrigin names part after whole, which is scalar times it.
func (s *simplifier) scaledOrigin(part, whole *ir.Node, scalar term) {
	o := s.g.Origin(whole)
	if o.Name == "" || part.Op.Class == ir.Leaf || part.IsConstant() || s.g.Origin(part).Name != "" {
		return
	}
	k := s.buildTerm(scalar, ir.Type{Elem: whole.Type.Elem})
	if o.Scale != nil {
		k = s.build([]term{s.product(k).times(s.product(o.Scale))}, k.Type)
	}
	o.Scale = k
	s.g.SetOrigin(part, o)
}

// inFront is scalar·x in x's type.
func (s *simplifier) inFront(scalar term, x *ir.Node, t ir.Type) *ir.Node {
	if x.Type.Elem != scalarElem(scalar, x.Type.Elem) {
		for i, f := range scalar.factors {
			scalar.factors[i].atom = s.g.Cast(f.atom, x.Type.Elem)
		}
	}
	if t.Rank() == 0 {
		return s.buildTerm(scalar.times(s.product(x)), t)
	}
	return s.scale(scalar, x, t)
}

func scalarElem(scalar term, t ir.DType) ir.DType {
	for _, f := range scalar.factors {
		return f.atom.Type.Elem
	}
	return t
}

// pullWhere lets a scalar out of a choice between a value and 0, and out of a
// choice between two values what they share. Nothing else may leave: what a
// choice guards need not be finite where it is not chosen.
func (s *simplifier) pullWhere(n *ir.Node) *ir.Node {
	for k := 1; k <= 2; k++ {
		if isZero(n.Args[3-k]) {
			return s.pullFrom(n, k)
		}
	}
	arms := []term{s.product(n.Args[1]), s.product(n.Args[2])}
	c := common(arms)
	if len(c.factors) == 0 && (c.coef == 1 || n.Args[1].IsConstant() || n.Args[2].IsConstant()) {
		return nil
	}
	inner := s.g.Map("where", n.Args[0], s.buildTerm(arms[0].over(c), n.Type), s.buildTerm(arms[1].over(c), n.Type))
	return s.buildTerm(c.times(atomic(inner)), n.Type)
}

func isZero(n *ir.Node) bool {
	v, ok := n.Literal()
	return ok && v == 0
}

// choices makes one of two choices in a sum that have the same condition,
// where each way is 0 in one of them.
func (s *simplifier) choices(terms []term, t ir.Type) []term {
	for i, u := range terms {
		a := choiceIn(u)
		if a == nil {
			continue
		}
		for j := i + 1; j < len(terms); j++ {
			b := choiceIn(terms[j])
			if b == nil || a.Args[0] != b.Args[0] || !(isZero(a.Args[1]) || isZero(b.Args[1])) || !(isZero(a.Args[2]) || isZero(b.Args[2])) {
				continue
			}
			arms := make([]*ir.Node, 2)
			for k := range arms {
				arms[k] = s.build([]term{
					u.over(atomic(a)).times(s.whole(a.Args[k+1])),
					terms[j].over(atomic(b)).times(s.whole(b.Args[k+1])),
				}, t)
			}
			out := slices.Delete(slices.Clone(terms), j, j+1)
			out[i] = s.whole(s.settle(s.g.Map("where", a.Args[0], arms[0], arms[1])))
			return s.choices(collectTerms(out), t)
		}
	}
	return terms
}

// choiceIn is a factor of t that is a choice, nil where there is none.
func choiceIn(t term) *ir.Node {
	for _, f := range t.factors {
		if f.atom.Is("where") && f.power == 1 {
			return f.atom
		}
	}
	return nil
}

// pullSum takes out of a sum what does not change along its axes, and adds
// the terms up one by one where at most one sum is left then.
func (s *simplifier) pullSum(n *ir.Node) *ir.Node {
	x := n.Args[0]
	terms := s.terms(x)
	if len(terms) == 1 && hasOneHotTerm(terms[0]) {
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
	if outside.coef == 1 && len(outside.factors) == 0 && !s.sumVanishes(inside, n) {
		return nil
	}
	return s.sumTerm(outside, inside, n)
}

// hasOneHotTerm reports whether a factor of t is a sum with a one-hot in it.
func hasOneHotTerm(t term) bool {
	for _, f := range t.factors {
		if f.power != 1 || !isSum(f.atom) {
			continue
		}
		for _, a := range f.atom.Args {
			for _, b := range append([]*ir.Node{a}, a.Args...) {
				if _, ok := oneHot(b); ok {
					return true
				}
			}
		}
	}
	return false
}

// split divides a term under a sum over axes into what can stand outside,
// already of the sum's shape, and the rest.
func (s *simplifier) split(t term, shape ir.Shape, axes []int) (outside, inside term) {
	outside, inside = term{coef: t.coef}, term{coef: 1, parts: t.parts}
	for _, f := range t.factors {
		if f.atom.Is("spread") && containsAll(f.atom.Attr.Axes, axes) {
			outside.factors = append(outside.factors, factor{s.g.Spread(f.atom.Args[0], shape.Drop(axes), dropAxes(f.atom.Attr.Axes, axes)), f.power})
		} else {
			inside.factors = append(inside.factors, f)
		}
	}
	return outside.merged(), inside
}

// sumVanishes reports whether a sum over the axes of n needs not add up all
// that inside has: it is constant along some of them or picks one element.
func (s *simplifier) sumVanishes(inside term, n *ir.Node) bool {
	_, _, picks := oneHotFactor(inside, n)
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
	if index, rest, ok := oneHotFactor(inside, n); ok {
		last := x.Rank() - 1
		picked := s.settle(s.g.Must("pick", ir.Attr{}, s.buildTerm(rest, x), index))
		return s.settle(s.g.Sum(picked, slices.DeleteFunc(slices.Clone(over), func(a int) bool { return a == last }))), count
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

// oneHotFactor is the index of a one-hot among the factors of a term under the
// sum n along its last axis, and the other factors.
func oneHotFactor(t term, n *ir.Node) (index *ir.Node, rest term, ok bool) {
	if !contains(n.Attr.Axes, n.Args[0].Type.Rank()-1) {
		return nil, t, false
	}
	for i, f := range t.factors {
		if f.power != 1 {
			continue
		}
		if index, ok := oneHot(f.atom); ok {
			rest = term{coef: t.coef, factors: slices.Delete(slices.Clone(t.factors), i, i+1)}
			return index, rest, true
		}
	}
	return nil, t, false
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

func containsAll(set, of []int) bool {
	for _, a := range of {
		if !contains(set, a) {
			return false
		}
	}
	return true
}

func contains(set []int, a int) bool {
	for _, b := range set {
		if a == b {
			return true
		}
	}
	return false
}

// dropAxes is axes without those of gone, counted where gone are removed.
func dropAxes(axes, gone []int) []int {
	var out []int
	for _, a := range axes {
		if contains(gone, a) {
			continue
		}
		shift := 0
		for _, b := range gone {
			if b < a {
				shift++
			}
		}
		out = append(out, a-shift)
	}
	return out
}

// contract simplifies a product: transposes and repetitions of its operands go
// into the letters, identity matrices rename them, and what multiplies without
// summing is elementwise.
func (s *simplifier) contract(n *ir.Node) *ir.Node {
	if !n.Is("einsum") {
		return nil
	}
	a, b, out := ir.SplitSpec(n.Attr.Spec)
	letters := [2]string{a, b}
	for k := range 2 {
		x := n.Args[k]
		switch {
		case x.Is("transpose"):
			moved := make([]byte, len(letters[k]))
			for i, axis := range x.Attr.Axes {
				moved[axis] = letters[k][i]
			}
			letters[k] = string(moved)
			return s.einsum(letters, out, k, x.Args[0], n)
		case x.Is("spread"):
			return s.contractSpread(n, letters, out, k)
		case isIdentity(x):
			if r := s.contractIdentity(n, letters, out, k); r != nil {
				return r
			}
		}
	}
	if spec := canonicalSpec(a, b, out); spec != n.Attr.Spec {
		return s.g.Einsum(spec, n.Args[0], n.Args[1])
	}
	if summed(a, b, out) == "" || (!hasOwn(a, b) && !hasOwn(b, a)) {
		return s.elementwise(n, letters, out)
	}
	return nil
}

// einsum is n with operand k and its letters exchanged.
func (s *simplifier) einsum(letters [2]string, out string, k int, x, n *ir.Node) *ir.Node {
	args := [2]*ir.Node{n.Args[0], n.Args[1]}
	args[k] = x
	return s.g.Einsum(letters[0]+","+letters[1]+"->"+out, args[0], args[1])
}

// hasOwn reports whether a has a letter that b lacks.
func hasOwn(a, b string) bool {
	for _, l := range a {
		if !strings.ContainsRune(b, l) {
			return true
		}
	}
	return false
}

// summed is the letters that both operands have and the result lacks.
func summed(a, b, out string) string {
	sum := ""
	for _, l := range a {
		if strings.ContainsRune(b, l) && !strings.ContainsRune(out, l) {
			sum += string(l)
		}
	}
	return sum
}

// canonicalSpec renames letters to i, j, … in order of appearance.
func canonicalSpec(a, b, out string) string {
	const names = "ijklmnopqrstuvwxyzabcdefghABCDEFGHIJKLMNOPQRSTUVWXYZ"
	rename := map[rune]rune{}
	return strings.Map(func(l rune) rune {
		if l == ',' || l == '-' || l == '>' {
			return l
		}
		if _, ok := rename[l]; !ok {
			rename[l] = rune(names[len(rename)])
		}
		return rename[l]
	}, a+","+b+"->"+out)
}

// elementwise is a product that has letters of its own in neither operand, or
// sums nothing, as a sum of an elementwise product.
func (s *simplifier) elementwise(n *ir.Node, letters [2]string, out string) *ir.Node {
	domain := out + summed(letters[0], letters[1], out)
	extent := map[byte]ir.Dim{}
	for k, l := range letters {
		for i := range len(l) {
			extent[l[i]] = n.Args[k].Type.Shape[i]
		}
	}
	shape := make(ir.Shape, len(domain))
	for i := range len(domain) {
		shape[i] = extent[domain[i]]
	}
	var operands [2]*ir.Node
	for k, l := range letters {
		order, missing := []int{}, []int{}
		for i := range len(domain) {
			if pos := strings.IndexByte(l, domain[i]); pos >= 0 {
				order = append(order, pos)
			} else {
				missing = append(missing, i)
			}
		}
		operands[k] = s.g.Spread(s.g.Transpose(n.Args[k], order), shape, missing)
	}
	product := s.g.Map("mul", operands[0], operands[1])
	return s.g.Sum(product, axes(len(out), len(domain)))
}

// contractSpread takes the repeated axes of operand k out of a product.
func (s *simplifier) contractSpread(n *ir.Node, letters [2]string, out string, k int) *ir.Node {
	x := n.Args[k]
	other, otherLetters := n.Args[1-k], letters[1-k]
	mine := ""
	var gone string
	for i := range len(letters[k]) {
		if contains(x.Attr.Axes, i) {
			gone += string(letters[k][i])
		} else {
			mine += string(letters[k][i])
		}
	}

	// A letter left in the other operand alone is summed there; one left in
	// the result alone is a repetition of it.
	var sumAxes, newAxes []int
	kept, keptOut := "", ""
	for i := range len(otherLetters) {
		l := otherLetters[i]
		if strings.IndexByte(gone, l) >= 0 && strings.IndexByte(out, l) < 0 {
			sumAxes = append(sumAxes, i)
		} else {
			kept += string(l)
		}
	}
	for i := range len(out) {
		l := out[i]
		if strings.IndexByte(gone, l) >= 0 && strings.IndexByte(otherLetters, l) < 0 {
			newAxes = append(newAxes, i)
		} else {
			keptOut += string(l)
		}
	}
	other = s.g.Sum(other, sumAxes)
	args, specs := [2]*ir.Node{}, [2]string{}
	args[k], args[1-k] = x.Args[0], other
	specs[k], specs[1-k] = mine, kept
	product := s.g.Einsum(specs[0]+","+specs[1]+"->"+keptOut, args[0], args[1])
	return s.g.Spread(product, n.Type.Shape, newAxes)
}

// isIdentity reports whether x is an identity matrix.
func isIdentity(x *ir.Node) bool {
	if !x.Is("cast") || !x.Args[0].Is("eq") || x.Type.Rank() != 2 {
		return false
	}
	a, b := x.Args[0].Args[0], x.Args[0].Args[1]
	return a.Is("iota") && b.Is("iota") && a.Attr.Axis != b.Attr.Axis && x.Type.Shape[0].Equal(x.Type.Shape[1])
}

// contractIdentity renames one letter of an identity to the other, where the
// result has at most one of them.
func (s *simplifier) contractIdentity(n *ir.Node, letters [2]string, out string, k int) *ir.Node {
	i, j := letters[k][0], letters[k][1]
	other := letters[1-k]
	if strings.IndexByte(out, i) >= 0 && strings.IndexByte(out, j) >= 0 {
		return nil
	}
	if strings.IndexByte(other, i) >= 0 && strings.IndexByte(other, j) >= 0 {
		return nil
	}
	rename := func(text string) string { return strings.ReplaceAll(text, string(i), string(j)) }
	from, to := rename(other), rename(out)
	if len(from) != len(to) {
		return nil
	}
	order := make([]int, len(to))
	for p := range len(to) {
		q := strings.IndexByte(from, to[p])
		if q < 0 {
			return nil
		}
		order[p] = q
	}
	return s.g.Transpose(n.Args[1-k], order)
}
