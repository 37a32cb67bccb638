package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A group is tensors that are the fields of one struct and lie in one
// allocation for each element type: parameters, or states.
type group struct {
	typ     string   // Go type
	flat    bool     // of one element type: a parameter group
	maker   string   // function that returns one by value
	elem    ir.DType // where flat
	tensors []tensor
	size    map[ir.DType]int // elements in all
}

// A tensor is one field of a group.
type tensor struct {
	field    string
	path     string // key in files
	doc      string
	typ      ir.Type
	at, size int // place in the slice of its element type
	init     *ir.Node
}

// add puts a tensor of constant shape behind the others.
func (g *group) add(t tensor) error {
	size, ok := t.typ.Shape.Size().Const()
	if !ok {
		return fmt.Errorf("codegen: %s has the shape %v, which is not constant", t.path, t.typ.Shape)
	}
	t.at, t.size = g.size[t.typ.Elem], size
	g.size[t.typ.Elem] += size
	g.tensors = append(g.tensors, t)
	return nil
}

// field is the Go field of a path.
func (g *group) fieldOf(path string) (string, bool) {
	for _, t := range g.tensors {
		if t.path == path {
			return t.field, true
		}
	}
	return "", false
}

// elems is the element types that occur, in their order; a flat group has its
// own in any case.
func (g *group) elems() []ir.DType {
	if g.flat {
		return []ir.DType{g.elem}
	}
	var out []ir.DType
	for _, t := range []ir.DType{ir.Float32, ir.Float64, ir.Int32, ir.Int64, ir.Bool} {
		if slices.ContainsFunc(g.tensors, func(u tensor) bool { return u.typ.Elem == t }) {
			out = append(out, t)
		}
	}
	return out
}

// names lists the paths: W, then b.
func (g *group) names() string {
	var list []string
	for _, t := range g.tensors {
		list = append(list, t.path)
	}
	switch n := len(list); {
	case n == 0:
		return "empty"
	case n > 6:
		return strings.Join(list[:3], ", ") + ", … " + list[n-1] + ", in the order of the fields"
	}
	return strings.Join(list, ", ")
}

// paramGroup is the fields of Params.
func (m *model) paramGroup() *group {
	g := &group{typ: m.public("Params"), maker: m.maker("new", "Params"), flat: true, elem: m.ir.Elem, size: map[ir.DType]int{}}
	var list []member
	for _, p := range m.ir.Params {
		list = append(list, member{p.Path, "parameter", p.Pos})
	}
	for i, field := range m.printer.fields(g.typ, map[string]string{"Flat": "a method"}, list) {
		p := m.ir.Params[i]
		if p.Node.Type.Elem != m.ir.Elem {
			m.fail("parameter %s is %v in a model of %v", p.Path, p.Node.Type, m.ir.Elem)
		}
		m.note(g.add(tensor{field: field, path: p.Path, doc: p.Doc, typ: p.Node.Type}))
	}
	return g
}

// stateGroups is the optimiser's states, the averages and the model's own.
func (m *model) stateGroups() {
	own := []string{"tensors", "float32s", "float64s", "int32s", "int64s", "bools"}
	names := map[*group]*scope{}
	make := func(base string) *group {
		g := &group{typ: m.private(base), maker: m.maker("new", base), size: map[ir.DType]int{}}
		names[g] = newScope(own...)
		return g
	}
	m.optim, m.averages, m.states = make("Optimizer"), make("Averages"), make("States")
	add := func(g *group, s *ir.State) {
		field := names[g].take(unexported(s.Path), "State")
		m.note(g.add(tensor{field: field, path: s.Path, doc: s.Doc, typ: s.Node.Type, init: s.Init}))
	}
	average := func(s *ir.State) bool {
		return slices.ContainsFunc(m.plan.Averages, func(a *ir.Average) bool { return a.State.Path == s.Path })
	}
	for _, s := range m.plan.States {
		switch {
		case slices.Contains(m.ir.States, s):
			add(m.states, s)
		case !average(s):
			add(m.optim, s)
		}
	}
	for _, a := range m.plan.Averages {
		add(m.averages, a.State)
	}
}

// note keeps an error; the first counts.
func (p *printer) note(err error) {
	if p.err == nil {
		p.err = err
	}
}

// printType prints the struct of g.
func (g *group) printType(f *file, doc string) {
	f.typ(doc, g.typ, func(b *body) {
		for _, t := range g.tensors {
			if t.doc != "" {
				b.comment("%s", t.doc)
			}
			b.stmt("%s []%s // %s", t.field, goType(t.typ.Elem), shapeText(t.typ.Shape))
		}
		b.blank()
		for _, t := range g.elems() {
			b.stmt("%s []%s // all of them, one after another", g.slab(t), goType(t))
		}
	})
}

// slab is the field that holds all tensors of an element type.
func (g *group) slab(t ir.DType) string {
	if g.flat {
		return "flat"
	}
	return goType(t) + "s"
}

// printMaker prints the function that allocates g.
func (g *group) printMaker(f *file) {
	f.fn("", g.maker+"() "+g.typ, func(b *body) {
		var slabs []string
		for _, t := range g.elems() {
			b.stmt("%s := make([]%s, %d)", g.slab(t), goType(t), g.size[t])
			slabs = append(slabs, g.slab(t)+": "+g.slab(t))
		}

		// Capacities end where the tensors do, so that no append can reach the next.
		var lines []string
		for _, t := range g.tensors {
			lines = append(lines, fmt.Sprintf("%s: %s[%d:%d:%d]", t.field, g.slab(t.typ.Elem), t.at, t.at+t.size, t.at+t.size))
		}
		b.literal("return "+g.typ, append(lines, slabs...))
	})
}

// views is the fields of x, a g, as elements of a list of store.View.
func (g *group) views(x string) []string {
	var lines []string
	for _, t := range g.tensors {
		lines = append(lines, fmt.Sprintf("{Name: %q, Shape: []int{%s}, Into: &%s.%s}", t.path, strings.Trim(shapeText(t.typ.Shape), "[]"), x, t.field))
	}
	return lines
}

// printTensors prints the method that lists g for files.
func (g *group) printTensors(f *file, receiver, doc, prefix string) {
	f.fn(doc, fmt.Sprintf("(%s *%s) tensors() []store.Tensor", receiver, g.typ), func(b *body) {
		var lines []string
		for _, t := range g.tensors {
			lines = append(lines, fmt.Sprintf("{Name: %q, Shape: []int{%s}, Data: %s.%s}",
				prefix+t.path, strings.Trim(shapeText(t.typ.Shape), "[]"), receiver, t.field))
		}
		b.literal("return []store.Tensor", lines)
	})
}
