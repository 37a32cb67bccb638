package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A stretch is a part of an entry that would be too long as one function. Its
// scalars that other stretches use too are fields of one struct.
type stretch struct {
	name   string
	ctx    procContext
	body   *body
	steps  []*ir.Step
	slabs  []ir.DType // of scratch memory, in use
	params []string
}

// roomForChecks is what an entry may have of statements beside those of its
// procedure.
const roomForChecks = 60

// cut prints an entry as stretches, where it is too long.
func (e *entry) cut() {
	used := slices.DeleteFunc(slices.Clone(e.ctx.used), func(b *ir.Buffer) bool { return b.Storage == ir.InLocal })
	if e.body.statements+len(used)+roomForChecks <= mostStatements {
		return
	}

	// Where the stretches end, and which scalars outlive theirs.
	c := newSplit(e.Proc, e.ctx.lengths, false)
	for _, r := range e.Proc.Results {
		delete(c.again, r)
	}
	var ends []int
	in := map[int]int{} // the stretch of a step
	for from := 0; from < len(e.Proc.Steps); from = ends[len(ends)-1] {
		to := c.end(from)
		for i := from; i < to; i++ {
			in[i] = len(ends)
		}
		ends = append(ends, to)
	}
	for _, b := range c.variables {
		if c.again[b] == nil && (slices.Contains(e.Proc.Results, b) || in[c.first[b]] != in[c.last[b]]) {
			e.kept = append(e.kept, b)
		}
	}
	e.isCut = true
	whole := e.frame(e.name, nil)
	for _, b := range e.kept {
		whole.locals[b] = "kept." + whole.name(b)
	}
	from := 0
	for i, to := range ends {
		name := e.private(fmt.Sprint(i + 1))
		e.stretches = append(e.stretches, e.stretch(whole, name, &ir.Procedure{Steps: c.steps(from, to)}))
		from = to
	}
	e.work = ""
	if e.slab(e.ir.Elem) == "" && slices.ContainsFunc(e.stretches, func(s *stretch) bool { return slices.Contains(s.slabs, e.ir.Elem) }) {
		e.work = "work"
	}
}

// private is an unexported name of the package that begins as the entry's.
func (e *entry) private(suffix string) string {
	base := unexported(e.name) + suffix
	name := base
	for i := 2; ; i++ {
		if _, ok := e.names.declare(name, "fn "+e.ir.Name); ok {
			return name
		}
		name = fmt.Sprint(base, "Of", i)
	}
}

// stretch prints some steps as a function, whose names are those of whole.
func (e *entry) stretch(whole *frame, name string, p *ir.Procedure) *stretch {
	s := &stretch{name: name, steps: p.Steps}
	f := whole.part(name)
	f.bind = e.binding(func(b *ir.Buffer) string {
		elem := b.Type.Elem
		if !slices.Contains(s.slabs, elem) {
			s.slabs = append(s.slabs, elem)
		}
		d := s.ctx.dim
		return slabName(elem, e.ir.Elem) + "[" + d(b.Offset) + ":" + d(b.Offset.Add(b.Type.Shape.Size())) + "]"
	})
	s.ctx = procContext{f}
	var inner body
	procedure(&inner, s.ctx, p)
	s.body = s.ctx.prologue()
	if len(s.body.code) > 0 {
		s.body.blank()
	}
	s.body.code = append(s.body.code, inner.code...)
	s.body.statements += inner.statements
	e.note(f.err)

	// What it reads of the caller's, the dimensions, scratch memory and scalars.
	types := map[string]string{}
	for _, b := range f.used {
		if b.Storage == ir.InInput || b.Storage == ir.InOutput {
			types[f.name(b)] = " []" + goType(b.Type.Elem)
			if f.plain(b) {
				types[f.name(b)] = " " + goType(b.Type.Elem)
			}
		}
	}
	for _, name := range slices.Concat(e.outputs, e.params) {
		if t, ok := types[name]; ok {
			s.params = append(s.params, name+t)
		}
	}
	for _, d := range e.ir.Dims {
		if slices.Contains(f.sizes, d.Name) {
			s.params = append(s.params, f.names[d.Name]+" int")
		}
	}
	for _, t := range s.slabs {
		s.params = append(s.params, slabName(t, e.ir.Elem)+" []"+goType(t))
	}
	if len(e.kept) > 0 {
		s.params = append(s.params, "kept *"+e.keptType())
	}
	return s
}

// slabName is the scratch memory of an element type.
func slabName(t, elem ir.DType) string {
	if t == elem {
		return "work"
	}
	return goType(t) + "s"
}

// keptType is the struct of the scalars that outlive a stretch.
func (e *entry) keptType() string { return unexported(e.name) + "Kept" }

// slab is how an entry that is cut makes the scratch memory of an element type
// itself; "" where the caller gives it.
func (e *entry) slab(t ir.DType) string {
	size := e.Arena.Length[t]
	n, constant := size.Const()
	products := slices.ContainsFunc(e.Proc.Steps, func(s *ir.Step) bool { return s.Product != nil })
	switch {
	case constant && n <= 4*small && !products:
		return fmt.Sprintf("new([%d]%s)[:]", n, goType(t))
	case t != e.ir.Elem:
		return "make([]" + goType(t) + ", " + e.ctx.dim(size) + ")"
	}
	return ""
}

// printCalls prints the calls of the stretches.
func (e *entry) printCalls(b *body) {
	var slabs []ir.DType
	for _, s := range e.stretches {
		slabs = append(slabs, s.slabs...)
	}
	slices.Sort(slabs)
	for _, t := range slices.Compact(slabs) {
		if text := e.slab(t); text != "" {
			b.stmt("%s := %s", slabName(t, e.ir.Elem), text)
		}
	}
	if len(e.kept) > 0 {
		b.stmt("var kept %s", e.keptType())
	}
	for _, s := range e.stretches {
		var args []string
		for _, p := range s.params {
			name, _, _ := strings.Cut(p, " ")
			if name == "kept" {
				name = "&kept"
			}
			args = append(args, name)
		}
		b.stmt("%s(%s)", s.name, strings.Join(args, ", "))
	}
}

// printStretches prints the functions that an entry is cut into, and the type
// of their scalars.
func (e *entry) printStretches(f *file) {
	if len(e.kept) > 0 {
		f.typ(e.keptType()+" has the scalars that several parts of "+e.name+" use.", e.keptType(), func(b *body) {
			for _, k := range e.kept {
				b.stmt("%s %s", strings.TrimPrefix(e.stretches[0].ctx.name(k), "kept."), goType(typeOf(k)))
			}
		})
	}
	for i, s := range e.stretches {
		doc := fmt.Sprintf("%s is part %d of %d of %s%s.", s.name, i+1, len(e.stretches), e.name, spanned(s.steps))
		f.fn(doc, s.name+"("+strings.Join(shareTypes(s.params), ", ")+")", func(b *body) { b.code = s.body.code })
	}
}
