package passes

import (
	"fmt"
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

// pullWhere lets a scalar out of a choice between a value and 0, or between
// two values that share it.
func (s *simplifier) pullWhere(n *ir.Node) *ir.Node {
	for k := 1; k <= 2; k++ {
		if v, ok := n.Args[3-k].Literal(); ok && v == 0 {
			return s.pullFrom(n, k)
		}
	}
	a, restA, okA := s.scalarPart(n.Args[1])
	b, restB, okB := s.scalarPart(n.Args[2])
	if !okA || !okB || a.coef != b.coef || !a.same(b) {
		return nil
	}
	inner := s.g.Map("where", n.Args[0], s.buildTerm(restA, n.Type), s.buildTerm(restB, n.Type))
	return s.inFront(a, inner, n.Type)
}

// pullSum takes out of a sum what does not change along its axes, and adds
// the terms up one by one where at most one sum is left then.
func (s *simplifier) pullSum(n *ir.Node) *ir.Node {
	x := n.Args[0]
	if x.Is("add") || x.Is("sub") {
		return s.distribute(n)
	}
	t := s.product(x)
	outside, inside := s.split(t, x.Type.Shape, n.Attr.Axes)
	if outside.coef == 1 && len(outside.factors) == 0 && len(inside.factors) > 0 {
		return nil
	}
	return s.sumTerm(outside, inside, n)
}

// split divides a term under a sum over axes into what can stand outside,
// already of the sum's shape, and the rest.
func (s *simplifier) split(t term, shape ir.Shape, axes []int) (outside, inside term) {
	outside, inside = term{coef: t.coef}, term{coef: 1}
	for _, f := range t.factors {
		if f.atom.Is("spread") && containsAll(f.atom.Attr.Axes, axes) {
			outside.factors = append(outside.factors, factor{s.g.Spread(f.atom.Args[0], shape.Drop(axes), dropAxes(f.atom.Attr.Axes, axes)), f.power})
		} else {
			inside.factors = append(inside.factors, f)
		}
	}
	return outside, inside
}

// sumTerm is outside · Σ inside over the axes of n.
func (s *simplifier) sumTerm(outside, inside term, n *ir.Node) *ir.Node {
	x := n.Args[0]
	if len(inside.factors) == 0 {
		count := ir.D(1)
		for _, a := range n.Attr.Axes {
			count = count.Mul(x.Type.Shape[a])
		}
		size := s.g.Broadcast(s.g.Size(count, n.Type.Elem), n.Type.Shape)
		return s.buildTerm(outside.times(s.product(size)), n.Type)
	}
	inner := s.buildTerm(inside, x.Type)
	sum := s.step(s.g.Sum(inner, n.Attr.Axes))
	if len(outside.factors) == 0 {
		s.scaledOrigin(sum, n, term{coef: outside.coef})
	} else if scalarOnly(outside) {
		s.scaledOrigin(sum, n, unspread(outside))
	}
	return s.buildTerm(outside.times(s.product(sum)), n.Type)
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

// distribute adds up a sum's terms one by one, where all but one of them need
// no sum of their own.
func (s *simplifier) distribute(n *ir.Node) *ir.Node {
	x := n.Args[0]
	var parts []term
	var left []term // what stays under one sum, all with the same factors outside
	var outside *term
	for _, t := range s.terms(x) {
		out, in := s.split(t, x.Type.Shape, n.Attr.Axes)
		if len(in.factors) == 0 {
			parts = append(parts, s.terms(s.sumTerm(out, in, n))...)
			continue
		}
		if len(out.factors) > 0 || out.coef != 1 {
			// What vanishes or loses its sum is taken out; other terms must agree.
			sum := s.step(s.g.Sum(s.buildTerm(in, x.Type), n.Attr.Axes))
			if v, ok := sum.Literal(); ok && v == 0 {
				continue
			}
		}
		if outside != nil && (outside.coef != out.coef || !outside.same(out)) {
			return nil
		}
		outside = &out
		left = append(left, in)
	}
	if len(left) == len(s.terms(x)) && (outside == nil || (len(outside.factors) == 0 && outside.coef == 1)) {
		return nil
	}
	if len(left) > 0 {
		sum := s.g.Sum(s.build(left, x.Type), n.Attr.Axes)
		if sum == n {
			return nil
		}
		sum = s.step(sum)
		parts = append(parts, outside.times(s.product(sum)))
	}
	return s.build(parts, n.Type)
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
	const names = "ijklmnopqrstuvwxyzabcdefgh"
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

func sprintAxes(axes []int) string { return fmt.Sprint(axes) }
