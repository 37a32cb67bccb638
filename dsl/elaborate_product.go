package dsl

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// matmul is x @ y by NumPy's rules: the last axis of x with the last but one of
// y, the axes before them broadcast; a vector is a row on the left and a column
// on the right, and that axis vanishes.
func (e *elaborator) matmul(o operation) value {
	_, okA := o.a.(tensor)
	_, okB := o.b.(tensor)
	if _, isList := o.a.(list); !okA && !isList {
		return e.failOperation(o, "type", "@ multiplies tensors, and %s is %s", excerptOf(o.x, "the left operand"), o.a.what())
	}
	if _, isList := o.b.(list); !okB && !isList {
		return e.failOperation(o, "type", "@ multiplies tensors, and %s is %s", excerptOf(o.y, "the right operand"), o.b.what())
	}
	elem, failed := e.commonElem(o)
	if failed != nil {
		return failed
	}
	a, ok := e.nodeOf(o.sc, o.x, o.a, elem)
	b, ok2 := e.nodeOf(o.sc, o.y, o.b, elem)
	if !ok || !ok2 {
		return poison{}
	}
	return e.matmulNodes(o, a, b)
}

func (e *elaborator) matmulNodes(o operation, a, b *ir.Node) value {
	left, right := shownIn(o.x, a, "the left operand"), shownIn(o.y, b, "the right operand")
	ra, rb := a.Type.Rank(), b.Type.Rank()
	switch {
	case !a.Type.Elem.IsFloat():
		return e.failOperation(o, "element-type", "@ multiplies floating tensors, not %v; float(x) converts", a.Type.Elem)
	case ra == 0 || rb == 0:
		return e.failOperation(o, "rank", "cannot multiply %s by %s: a scalar has no axis to sum over; * multiplies by it", left, right)
	}

	// The axis that is summed over.
	inner := max(rb-2, 0)
	x, y := a.Type.Shape[ra-1], b.Type.Shape[inner]
	if !agree(x, y, e.facts) {
		return e.failOperation(o, "shapes", "cannot multiply %s by %s: inner dimensions %v and %v differ", left, right, x, y)
	}
	batchA, batchB := a.Type.Shape[:max(ra-2, 0)], b.Type.Shape[:inner]
	batch, why, ok := broadcastShapes(batchA, batchB, e.facts)
	if !ok {
		return e.failOperation(o, "shapes", "cannot multiply %s by %s: %s", left, right, strings.Replace(why, "extents", "batch extents", 1))
	}

	// Letters: a, b, … the batch, i and k what is left over, j the sum.
	front := batchLetters(len(batch))
	a, la := e.dropOnes(a, front[len(front)-len(batchA):], batchA, batch)
	b, lb := e.dropOnes(b, front[len(front)-len(batchB):], batchB, batch)
	out := front
	if ra > 1 {
		la, out = la+"i", out+"i"
	}
	la += "j"
	lb += "j"
	if rb > 1 {
		lb, out = lb+"k", out+"k"
	}
	return tensor{e.g.Einsum(la+","+lb+"->"+out, a, b)}
}

// batchLetters is n letters beside i, j and k.
func batchLetters(n int) string { return "abcdefghlmnopqrs"[:min(n, 16)] }

// dropOnes takes the batch axes of extent 1 that broadcasting repeats out of n
// and of its letters.
func (e *elaborator) dropOnes(n *ir.Node, letters string, own, batch ir.Shape) (*ir.Node, string) {
	kept, left := ir.Shape{}, ""
	offset := len(batch) - len(own)
	for i, d := range own {
		if !d.IsConst(1) || batch[offset+i].IsConst(1) {
			kept, left = append(kept, d), left+string(letters[i])
		}
	}
	return e.reshape(n, append(kept, n.Type.Shape[len(own):]...)), left
}

// einsum is a product of any number of operands by letters. It is taken
// pairwise, left to right; letters of one operand alone are summed first.
func (e *elaborator) einsum(c *callSite) value {
	spec, ok := c.text("spec")
	parts := c.rest("operands")
	if !ok {
		return poison{}
	}
	ins, out, okSpec := e.einsumSpec(c, spec, len(parts))
	nodes, okNodes := c.nodes(parts)
	if !okSpec || !okNodes || !e.einsumExtents(c, ins, out, nodes) {
		return poison{}
	}
	nodes = slices.Clone(nodes)
	for i := range nodes {
		nodes[i], ins[i] = e.sumLone(nodes[i], ins, i, out)
	}
	n, letters := nodes[0], ins[0]
	for i := 1; i < len(nodes); i++ {
		want := out
		if i < len(nodes)-1 {
			want = lettersKept(letters+ins[i], strings.Join(ins[i+1:], "")+out)
		}
		n = e.g.Einsum(letters+","+ins[i]+"->"+want, n, nodes[i])
		letters = want
	}
	return tensor{e.permuteLetters(n, letters, out)}
}

// einsumSpec splits and checks the letters.
func (e *elaborator) einsumSpec(c *callSite, spec string, operands int) (ins []string, out string, ok bool) {
	at := c.place("spec")
	in, out, arrow := strings.Cut(strings.ReplaceAll(spec, " ", ""), "->")
	ins = strings.Split(in, ",")
	if !arrow {
		c.failAt(at, "einsum", "the letters %q lack -> and those of the result", spec)
		return nil, "", false
	}
	if len(ins) != operands {
		c.failAt(at, "einsum", "the letters %q are those of %s, and %d are given", spec, count(len(ins), "operand"), operands)
		return nil, "", false
	}
	for _, letters := range append(slices.Clone(ins), out) {
		for i, l := range letters {
			if (l < 'a' || l > 'z') && (l < 'A' || l > 'Z') {
				c.failAt(at, "einsum", "%q in %q is no letter from a to z", string(l), spec)
				return nil, "", false
			}
			if strings.IndexRune(letters, l) != i {
				c.failAt(at, "einsum", "the letter %c stands twice in %q", l, letters)
				return nil, "", false
			}
		}
	}
	for _, l := range out {
		if !strings.ContainsRune(in, l) {
			c.failAt(at, "einsum", "the letter %c of the result is in no operand of %q", l, spec)
			return nil, "", false
		}
	}
	return ins, out, true
}

// einsumExtents checks that a letter stands for one extent everywhere.
func (e *elaborator) einsumExtents(c *callSite, ins []string, out string, nodes []*ir.Node) bool {
	type seen struct {
		extent ir.Dim
		text   string
	}
	first := map[rune]seen{}
	for k, n := range nodes {
		at := c.rest("operands")[k]
		text := shownIn(at.node, n, "operand "+number2text(k+1))
		switch {
		case len(ins[k]) != n.Type.Rank():
			c.failAt(at.node, "einsum", "%q has %s for %s", ins[k], count(len(ins[k]), "letter"), text)
			return false
		case !n.Type.Elem.IsFloat() || n.Type.Elem != nodes[0].Type.Elem:
			c.failAt(at.node, "element-type", "einsum multiplies floating tensors of one type, and %s is %v", text, n.Type.Elem)
			return false
		}
		for i, l := range ins[k] {
			d := n.Type.Shape[i]
			if old, ok := first[l]; ok && !agree(old.extent, d, e.facts) {
				c.failAt(at.node, "shapes", "the letter %c is %v in %s and %v in %s", l, old.extent, old.text, d, text)
				return false
			}
			if _, ok := first[l]; !ok {
				first[l] = seen{d, text}
			}
		}
	}
	return true
}

// sumLone sums operand i over the letters that neither another operand nor the
// result has.
func (e *elaborator) sumLone(n *ir.Node, ins []string, i int, out string) (*ir.Node, string) {
	others := out
	for k, s := range ins {
		if k != i {
			others += s
		}
	}
	kept := lettersKept(ins[i], others)
	var axes []int
	for a, l := range ins[i] {
		if !strings.ContainsRune(kept, l) {
			axes = append(axes, a)
		}
	}
	return e.g.Sum(n, axes), kept
}

// lettersKept is the letters of s that are in others, each once.
func lettersKept(s, others string) string {
	out := ""
	for _, l := range s {
		if strings.ContainsRune(others, l) && !strings.ContainsRune(out, l) {
			out += string(l)
		}
	}
	return out
}

// permuteLetters puts axes that are named by letters in another order.
func (e *elaborator) permuteLetters(n *ir.Node, have, want string) *ir.Node {
	order := make([]int, len(want))
	for i := range want {
		order[i] = strings.IndexByte(have, want[i])
	}
	return e.g.Transpose(n, order)
}
