package codegen

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// startReduce declares the accumulator of a row's reduction.
func (p *loopPrinter) startReduce(n *ir.Node) {
	name := p.local(p.nameOf(n))
	if n.Is("argmax") || n.Is("argmin") {
		x := n.Args[0].Type.Elem
		best := p.local("best")
		sign := map[bool]int{true: -1, false: 1}[n.Is("argmax")]
		p.b.stmt("%s, %s := int32(0), %s", name, best, typedNumber(lowest(x, sign), x))
		p.bests[n] = best
	} else {
		p.b.stmt("%s := %s", name, typedStart32(n))
	}
	p.vars[n], p.binds[n] = name, bindUnary
}

func typedNumber(text string, t ir.DType) string {
	if t.IsInt() {
		return goType(t) + "(" + text + ")"
	}
	return text
}

// typedStart32 is the start of a row's reduction in its own type.
func typedStart32(n *ir.Node) string {
	t := n.Type.Elem
	text := foldStart(n.Op.Name, t)
	if t == ir.Bool || t == ir.Float32 && text != "0" && text != "1" || t == ir.Float64 && text != "0" && text != "1" {
		return text
	}
	return goType(t) + "(" + text + ")"
}

// reduce adds the present element to a row's reduction.
func (p *loopPrinter) reduce(n *ir.Node) {
	name := p.vars[n]
	if n.Is("argmax") || n.Is("argmin") {
		p.argReduce(n, name)
		return
	}
	x, bind := p.value(n.Args[0])
	p.accumulate(n.Op.Name, name, x, bind, n.Args[0].Type.Elem)
}

// accumulate is to ← to ∘ x.
func (p *loopPrinter) accumulate(op, to, x string, bind int, t ir.DType) {
	switch op {
	case "sum":
		p.b.stmt("%s += %s", to, x)
	case "prod":
		p.b.stmt("%s *= %s", to, tight(x, bind, bindOr))
	case "any":
		p.b.stmt("%s = %s || %s", to, to, tight(x, bind, bindOr))
	case "all":
		p.b.stmt("%s = %s && %s", to, to, tight(x, bind, bindAnd))
	default:
		if !isName(x) && !isElement(x) {
			v := p.local("x")
			p.b.stmt("%s := %s", v, x)
			x = v
		}
		sign := map[bool]string{true: " > ", false: " < "}[op == "reduce_max"]
		cond := x + sign + to
		if t.IsFloat() {
			cond += " || " + x + " != " + x
			p.tellNaN()
		}
		p.b.block("if "+cond, func() { p.b.stmt("%s = %s", to, x) })
	}
}

// tellNaN says, once a function, what the comparisons of a value with itself are
// for.
func (p *loopPrinter) tellNaN() {
	for _, a := range p.axes {
		if a.index != "0" {
			p.c.tell(p.b, nanTold)
			return
		}
	}
}

// argReduce keeps the first extreme; a NaN is one.
func (p *loopPrinter) argReduce(n *ir.Node, name string) {
	x, _ := p.value(n.Args[0])
	if !isName(x) && !isElement(x) {
		v := p.local("x")
		p.b.stmt("%s := %s", v, x)
		x = v
	}
	best := p.bests[n]
	sign := map[bool]string{true: " > ", false: " < "}[n.Is("argmax")]
	cond := x + sign + best
	if n.Args[0].Type.Elem.IsFloat() {
		cond += " || " + x + " != " + x + " && " + best + " == " + best
		p.tellNaN()
	}
	index := "0"
	if p.outer < len(p.axes) {
		index = p.axes[len(p.axes)-1].index
	}
	p.b.block("if "+cond, func() { p.b.stmt("%s, %s = int32(%s), %s", name, best, index, x) })
}

// isElement reports whether text is an element of a slice by a plain index.
func isElement(text string) bool {
	n := len(text)
	if n < 4 || text[n-1] != ']' {
		return false
	}
	for i := n - 2; i > 0; i-- {
		if text[i] == '[' {
			return isName(text[:i]) && isName(text[i+1:n-1])
		}
	}
	return false
}

// fold adds the present element, or the row's scalar, to a reduction over the
// loop.
func (p *loopPrinter) fold(f ir.Fold) {
	x, bind := p.value(f.Node)
	from := f.Node.Type.Elem
	to := f.To.Buffer
	if f.Scale != nil {
		k, kb := p.value(f.Scale)
		x, bind = tight(k, kb, bindProduct)+"*"+tight(x, bind, bindUnary), bindProduct
	}
	target := p.c.buffer(to)
	if !p.c.isScalar(to) {
		target = p.element(f.To)
	}
	if typeOf(to) != from {
		x, bind = converted(x, from, typeOf(to)), bindUnary
	}
	p.accumulate(f.Op, target, x, bind, from)
}

// store writes a row's scalar.
func (p *loopPrinter) store(s ir.Store) {
	text, _ := p.value(s.Node)
	p.assign(s, text)
}

// assign writes text where s says.
func (p *loopPrinter) assign(s ir.Store, text string) {
	to := p.element(s.To)
	if to == text {
		return
	}
	switch guard := p.within(s.To); {
	case guard != "":
		p.b.block("if "+guard, func() { p.b.stmt("%s += %s", to, text) })
		return
	case s.Add:
		p.b.stmt("%s += %s", to, text)
		return
	}
	p.b.stmt("%s = %s", to, text)
}

// within is the condition that what a adds to is there, "" where it always is.
func (p *loopPrinter) within(a ir.Access) string {
	var all []string
	for _, i := range a.Index {
		if i.Within != nil {
			all = append(all, fmt.Sprintf("uint(%s) < uint(%s)", p.element(i.At), p.c.dim(*i.Within)))
		}
	}
	return strings.Join(all, " && ")
}

// assignOp writes x = x + y as x += y, and likewise − and ·; ok is false where
// the store is no such thing.
func (p *loopPrinter) assignOp(s ir.Store) (ok bool) {
	sign := map[string]string{"add": "+=", "sub": "-=", "mul": "*="}[s.Node.Op.Name]
	if sign == "" || s.Add || p.adjusted(s.Node) {
		return false
	}
	to := p.element(s.To)
	for i, a := range s.Node.Args {
		if x, _ := p.value(a); x != to || i == 1 && sign == "-=" {
			continue
		}
		y, _ := p.value(s.Node.Args[1-i])
		p.b.stmt("%s %s %s", to, sign, y)
		return true
	}
	return false
}
