package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A routine is a function that an update calls with one run of parameters after
// another.
type routine struct {
	*ir.Routine
	name string
	ctx  procContext
	body *body
}

// routinesOf prints the functions that the update of t calls.
func (m *model) routinesOf(t *training) {
	for _, r := range t.Update.Routines() {
		base := "Update" + exported(r.Name) + t.suffix
		name := m.private(base)
		for i := 2; ; i++ {
			if _, ok := m.names.declare(name, "the update of model "+m.ir.Name); ok {
				break
			}
			name = m.private(fmt.Sprint(base, i))
		}
		m.routines = append(m.routines, m.routine(r, name))
	}
}

// routine prints one.
func (m *model) routine(r *ir.Routine, name string) *routine {
	p := &ir.Procedure{Steps: r.Steps}
	f := newFrame(name, m.ir.Elem, nil, slices.Concat(r.Args, r.Takes, buffersOf(p)))
	f.names[r.Size] = f.scope.take("n", "Of")
	f.plain = func(*ir.Buffer) bool { return false }
	f.dims = func(string) string { return "len(" + f.name(r.Args[0]) + ")" }
	f.bind = func(b *ir.Buffer) (string, bool) { return "", slices.Contains(r.Args, b) }
	c := procContext{f}
	var inner body
	procedure(&inner, c, p)

	// All slices are as long as the first, which the compiler is told.
	all := c.prologue()
	var slices, cuts []string
	for _, b := range r.Args[1:] {
		slices = append(slices, f.name(b))
		cuts = append(cuts, f.name(b)+"[:"+f.names[r.Size]+"]")
	}
	all.stmt("%s = %s", strings.Join(slices, ", "), strings.Join(cuts, ", "))
	all.blank()
	all.code = append(all.code, inner.code...)
	all.statements += inner.statements
	m.note(f.err)
	return &routine{Routine: r, name: name, ctx: c, body: all}
}

// printRoutines prints the functions that the update of t calls.
func (m *model) printRoutines(f *file, t *training) {
	for _, r := range m.routines {
		if !slices.Contains(t.Update.Routines(), r.Routine) {
			continue
		}
		var params []string
		for _, b := range r.Args {
			params = append(params, r.ctx.name(b)+" []"+goType(b.Type.Elem))
		}
		for _, b := range r.Takes {
			params = append(params, r.ctx.name(b)+" "+goType(typeOf(b)))
		}
		doc := fmt.Sprintf("%s makes the step of %s for parameters that lie one after another, with their gradient", r.name, r.Text)
		if len(r.Args) > 2 {
			doc += " and their states"
		}
		f.fn(doc+".", r.name+"("+strings.Join(shareTypes(params), ", ")+")", func(b *body) { b.code = r.body.code })
	}
}

// shareTypes is parameters with the type of neighbours of one type behind the
// last of them.
func shareTypes(params []string) []string {
	out := slices.Clone(params)
	for i := range out[:max(len(out)-1, 0)] {
		name, typ, _ := strings.Cut(params[i], " ")
		if _, next, _ := strings.Cut(params[i+1], " "); next == typ {
			out[i] = name
		}
	}
	return out
}

// printRun prints the call of a routine for one run, in the method where.
func (m *model) printRun(b *body, c procContext, where string, given map[string]bool, call *ir.CallStep) {
	k := slices.IndexFunc(m.routines, func(r *routine) bool { return r.Routine == call.Routine })
	if k < 0 {
		c.fail("%s calls %s, which it cannot reach", where, call.Routine.Name)
		return
	}
	r := m.routines[k]
	var memory, scalars []string
	for _, a := range r.Args {
		of := *a
		of.Run = call.Run
		text, ok := m.bindTrainer(c, where, given, &of)
		if !ok {
			c.fail("%s uses %s, which it cannot reach", where, a.Name)
		}
		memory = append(memory, text)
	}
	for _, t := range r.Takes {
		scalars = append(scalars, c.buffer(t))
	}

	// One line, or one for the slices and one for the scalars.
	text := r.name + "(" + strings.Join(append(slices.Clone(memory), scalars...), ", ") + ")"
	if len(text) > 110 && len(scalars) > 0 {
		text = r.name + "(" + strings.Join(memory, ", ") + ",\n" + strings.Join(scalars, ", ") + ")"
	}
	if n := len(call.Run); n > 1 {
		text += " // " + call.Run[0].Path + " to " + call.Run[n-1].Path
	}
	b.stmt("%s", text)
}

// run is the slice of a run: a field of g, or a stretch of what holds all.
func (g *group) run(prefix, key string, run ir.Run) (string, bool) {
	at := func(p *ir.Param) int {
		path := strings.Replace(key, "*", p.Path, 1)
		return slices.IndexFunc(g.tensors, func(t tensor) bool { return t.path == path })
	}
	first, last := at(run[0]), at(run[len(run)-1])
	if first < 0 || last < 0 {
		return "", false
	}
	from, to := g.tensors[first], g.tensors[last]
	slab := prefix + g.slab(from.typ.Elem)
	switch {
	case len(run) == 1:
		return prefix + from.field, true
	case from.at == 0 && to.at+to.size == g.size[from.typ.Elem]:
		return slab, true
	}
	return fmt.Sprintf("%s[%d:%d]", slab, from.at, to.at+to.size), last-first == len(run)-1
}
