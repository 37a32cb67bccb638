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
	flat    bool     // a parameter group, whose default type comes first
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
// own first, in any case.
func (g *group) elems() []ir.DType {
	var out []ir.DType
	if g.flat {
		out = append(out, g.elem)
	}
	for _, t := range []ir.DType{ir.Float32, ir.Float64, ir.Int32, ir.Int64, ir.Bool, ir.Int} {
		if !slices.Contains(out, t) && slices.ContainsFunc(g.tensors, func(u tensor) bool { return u.typ.Elem == t }) {
			out = append(out, t)
		}
	}
	return out
}

// names lists the paths: W, then b.
func (g *group) names() string { return namesOf(g.tensors) }

// ofElem is the tensors of an element type.
func (g *group) ofElem(t ir.DType) []tensor {
	return slices.DeleteFunc(slices.Clone(g.tensors), func(u tensor) bool { return u.typ.Elem != t })
}

func namesOf(tensors []tensor) string {
	var list []string
	for _, t := range tensors {
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
	reserved := map[string]string{"Flat": "a method"}
	for _, p := range m.ir.Params {
		reserved[g.method(p.Node.Type.Elem)] = "a method"
	}
	for i, field := range m.printer.fields(g.typ, reserved, list) {
		p := m.ir.Params[i]
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
			what := "all of them"
			if g.flat && len(g.elems()) > 1 {
				what = "those of " + goType(t)
			}
			b.stmt("%s []%s // %s, one after another", g.slab(t), goType(t), what)
		}
	})
}

// slab is the field that holds all tensors of an element type.
func (g *group) slab(t ir.DType) string {
	switch {
	case !g.flat:
		return goType(t) + "s"
	case t == g.elem:
		return "flat"
	}
	return "flat" + bitsOf(t)
}

// method is the method of a parameter group that returns a slab: Flat of the
// default type, Flat32 or Flat64 of the other.
func (g *group) method(t ir.DType) string {
	if t == g.elem {
		return "Flat"
	}
	return "Flat" + bitsOf(t)
}

// bitsOf is the size of a floating type in its name.
func bitsOf(t ir.DType) string { return strings.TrimPrefix(goType(t), "float") }

// types is the element types of the tensors of a parameter group; its default
// type where there are none.
func (g *group) types() []ir.DType {
	out := slices.DeleteFunc(g.elems(), func(t ir.DType) bool { return len(g.ofElem(t)) == 0 })
	if len(out) == 0 {
		return []ir.DType{g.elem}
	}
	return out
}

// mixed reports whether the tensors of a parameter group are of two types.
func (g *group) mixed() bool { return len(g.types()) > 1 }

// filled is a slab of a parameter group that has elements, where one has: all
// of them, unless the group is mixed.
func (g *group) filled() string {
	for _, t := range g.types() {
		if g.size[t] > 0 {
			return g.slab(t)
		}
	}
	return g.slab(g.types()[0])
}

// before is how many elements of a parameter group precede the slab of t, one
// slab behind the other.
func (g *group) before(t ir.DType) int {
	at := 0
	for _, u := range g.elems() {
		if u == t {
			break
		}
		at += g.size[u]
	}
	return at
}

// printFlat prints the methods that return the slabs of a parameter group.
func (g *group) printFlat(f *file) {
	all := g.elems()
	for i, t := range all {
		method := g.method(t)
		doc := method + " is all of p as one slice: " + g.names() + "."
		if len(all) > 1 {
			doc = method + " is the tensors of p that are " + goType(t) + " as one slice: " + namesOf(g.ofElem(t)) + "."
			if g.size[t] == 0 {
				doc = method + " is empty: no tensor of p is " + goType(t) + "."
			}
			other := all[1-i]
			doc += " Those that are " + goType(other) + " are in " + g.method(other) + "."
		}
		f.fn(doc, fmt.Sprintf("(p *%s) %s() []%s", g.typ, method, goType(t)), func(b *body) { b.stmt("return p.%s", g.slab(t)) })
	}
}

// printCopyTensor copies the data of one store.Tensor of a parameter group to
// those of another.
func (g *group) printCopyTensor(b *body, to, from string) {
	types := g.types()
	if len(types) == 1 {
		elem := goType(types[0])
		b.stmt("copy(%s.Data.([]%s), %s.Data.([]%s))", to, elem, from, elem)
		return
	}
	b.block("switch data := "+from+".Data.(type)", func() {
		for _, t := range types {
			b.stmt("case []%s:", goType(t))
			b.stmt("copy(%s.Data.([]%s), data)", to, goType(t))
		}
	})
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
