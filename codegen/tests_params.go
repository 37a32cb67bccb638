package codegen

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// The emitted tests see all parameters as one slice: the slab of their element
// type, or, where they are of two types, a float64 copy of both slabs, one
// behind the other.

// printElements prints the function that makes that copy.
func (m *model) printElements(f *file) {
	if !m.params.mixed() {
		return
	}
	name := m.test("Elements")
	f.fn(name+" is the elements of p in float64: "+m.params.slabNames()+".", fmt.Sprintf("%s(p *%s) []float64", name, m.public("Params")), func(b *body) {
		b.stmt("var out []float64")
		for _, t := range m.params.elems() {
			if t == ir.Float64 {
				b.stmt("out = append(out, p.%s...)", m.params.slab(t))
				continue
			}
			b.block("for _, v := range p."+m.params.slab(t), func() { b.stmt("out = append(out, float64(v))") })
		}
		b.stmt("return out")
	})
}

// slabNames is the slabs in their order.
func (g *group) slabNames() string {
	var list []string
	for _, t := range g.elems() {
		list = append(list, g.slab(t))
	}
	return strings.Join(list, ", then ")
}

// elements is all elements of x, a Params.
func (m *model) elements(x string) string {
	if m.params.mixed() {
		return m.test("Elements") + "(&" + x + ")"
	}
	return x + "." + m.params.filled()
}

// cloned is a copy of them.
func (m *model) cloned(x string) string {
	if m.params.mixed() {
		return m.elements(x)
	}
	return "slices.Clone(" + m.elements(x) + ")"
}

// gradientElements is those of the gradient that Backward set.
func (m *model) gradientElements() string {
	if m.params.mixed() {
		return m.test("Elements") + "(m.Gradient())"
	}
	return "m.Gradient()." + m.params.method(m.params.types()[0]) + "()"
}

// gradAt is element i of grad, and slopes that of its elements.
func (m *model) gradAt() string {
	if m.params.mixed() {
		return "slopes[i]"
	}
	return "float64(grad." + m.params.filled() + "[i])"
}

// printPoint sets at to the parameters' elements in float64, and whole to the
// sum of the gradient's sizes.
func (m *model) printPoint(b *body) {
	if m.params.mixed() {
		b.stmt("at, slopes := %s, %s(grad)", m.elements("m.params"), m.test("Elements"))
		b.stmt("whole := 0.0")
		b.block("for _, v := range slopes", func() { b.stmt("whole += math.Abs(v)") })
		return
	}
	b.stmt("at := make([]float64, len(%s))", m.elements("m.params"))
	b.stmt("whole := 0.0")
	b.block("for i, v := range "+m.elements("m.params"), func() {
		b.stmt("at[i] = float64(v)")
		b.stmt("whole += math.Abs(%s)", m.gradAt())
	})
}

// tensorRanges is a list of the parameters with where their elements lie.
func (m *model) tensorRanges() string {
	var rows []string
	for _, t := range m.params.tensors {
		at := m.params.before(t.typ.Elem) + t.at
		rows = append(rows, fmt.Sprintf("{%q, %d, %d}", t.path, at, at+t.size))
	}
	return "[]struct {\nname string\nfrom, to int\n}{" + strings.Join(rows, ", ") + "}"
}

// index is the number of element i of the slab of a type among all elements, as
// uint64.
func (g *group) index(t ir.DType) string {
	if before := g.before(t); before > 0 {
		return fmt.Sprintf("uint64(%d+i)", before)
	}
	return "uint64(i)"
}

// start is the variable that keeps what the slab of a type was.
func (g *group) start(t ir.DType) string {
	if g.mixed() && t != g.elem {
		return "start" + bitsOf(t)
	}
	return "start"
}

// printStarts keeps what the parameters are.
func (m *model) printStarts(b *body) {
	for i, t := range m.params.types() {
		note := ""
		if i == 0 {
			note = " // from where a step is finite"
		}
		b.stmt("%s := slices.Clone(m.Params().%s())%s", m.params.start(t), m.params.method(t), note)
	}
}

// restart gives the parameters back what they were, as statements before others.
func (m *model) restart() string {
	text := ""
	for _, t := range m.params.types() {
		text += fmt.Sprintf("copy(m.Params().%s(), %s); ", m.params.method(t), m.params.start(t))
	}
	return text
}

// coarse reports whether some parameter is float32.
func (m *model) coarse() bool { return len(m.params.ofElem(ir.Float32)) > 0 }
