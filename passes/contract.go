package passes

import (
	"strings"

	"gradgen.dev/ir"
)

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
	if !contracts(a, b, out) {
		return s.elementwise(n, letters, out)
	}
	return nil
}

// contracts reports whether a product has letters of its own in some operand
// and sums over others: if not, it is elementwise.
func contracts(a, b, out string) bool {
	return summed(a, b, out) != "" && (hasOwn(a, b) || hasOwn(b, a))
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
