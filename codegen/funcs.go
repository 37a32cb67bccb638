package codegen

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A function is what the printing of one exported fn needs to know.
type function struct {
	*printer
	plan     *ir.FuncPlan
	ir       *ir.Func
	name     string   // of the value, and before the suffixes of the others
	label    string   // before the function's name in panics
	explicit []string // dimensions that no length determines: arguments
	entries  []*entry
}

// An entry is one Go function, printed.
type entry struct {
	*function
	*ir.FuncEntry
	name string
	ctx  procContext
	body body

	multiplies bool // a step is a product

	outputs []string // locals, in the order of Outputs
	params  []string // of every parameter, then of every extra vector
	work    string   // the scratch argument, "" where none is needed

	isCut     bool // into stretches
	stretches []*stretch
	kept      []*ir.Buffer // scalars that several stretches use
}

func newFunction(p *printer, plan *ir.FuncPlan) *function {
	f := &function{printer: p, plan: plan, ir: plan.Func, name: exported(plan.Func.Name), label: p.opts.Package + ": "}
	f.explicit = f.undetermined()
	for _, e := range plan.Entries {
		name := FuncName(plan.Func, e)
		if old, ok := p.names.declare(name, "fn "+f.ir.Name); !ok {
			if old == "fn "+f.ir.Name {
				p.clash(f.ir.Pos, "two derivatives of fn %s meet in the Go name %s, which ends in that of a parameter; give one of its parameters another name", f.ir.Name, name)
				return f
			}
			p.clash(f.ir.Pos, "fn %s needs the Go name %s, which %s has; give one of them another name, such as %s2", f.ir.Name, name, old, f.ir.Name)
			return f
		}
		f.entries = append(f.entries, f.newEntry(e, name))
	}
	if f.needsWork() {
		if old, ok := p.names.declare(f.name+"Work", "fn "+f.ir.Name); !ok {
			p.clash(f.ir.Pos, "fn %s needs the Go name %sWork, which %s has; give one of them another name", f.ir.Name, f.name, old)
		}
	}
	return f
}

// operands is the parameters, then the extra vectors of e.
func (e *entry) operands() []ir.Named { return append(slices.Clone(e.ir.Params), e.Extra...) }

// newEntry prints the body of an entry.
func (f *function) newEntry(plan *ir.FuncEntry, name string) *entry {
	e := &entry{function: f, FuncEntry: plan, name: name, multiplies: multiplies(plan)}
	list := buffersOf(plan.Proc)
	frame := e.frame(name, e.scratch)
	e.ctx = procContext{frame}
	for _, b := range plan.Outputs {
		e.outputs = append(e.outputs, frame.name(b))
	}
	for _, p := range e.operands() {
		local := ""
		for _, b := range list {
			if b.Storage == ir.InInput && b.Key == p.Name {
				local = frame.name(b)
			}
		}
		if local == "" {
			local = frame.scope.take(p.Name, "Arg")
		}
		e.params = append(e.params, local)
	}

	procedure(&e.body, e.ctx, plan.Proc)
	e.cut()
	return e
}

// frame is that of the function name, which has the entry's steps or some of
// them.
func (e *entry) frame(name string, scratch func(b *ir.Buffer) string) *frame {
	reserved := []string{"work", "kept"}
	for t := range e.Arena.Length {
		reserved = append(reserved, slabName(t, e.ir.Elem))
	}
	frame := newFrame(name, e.ir.Elem, e.ir.Dims, slices.Concat(e.Outputs, buffersOf(e.Proc)), reserved...)

	// Callers' slices have their names already; scratch is cut out of work.
	frame.plain = func(b *ir.Buffer) bool { return b.Storage == ir.InInput && b.Type.Rank() == 0 }
	frame.dims = func(string) string { return "" }
	frame.bind = e.binding(scratch)
	return frame
}

// binding says what locals of an entry are set to, scratch memory as scratch
// says.
func (e *entry) binding(scratch func(b *ir.Buffer) string) func(b *ir.Buffer) (string, bool) {
	return func(b *ir.Buffer) (string, bool) {
		switch b.Storage {
		case ir.InInput, ir.InOutput:
			return "", true
		case ir.InTable:
			return e.table(b), true
		case ir.InArena:
			return scratch(b), true
		}
		return "", false
	}
}

// table is the package-level variable that holds the literals of b.
func (f *function) table(b *ir.Buffer) string { return unexported(f.name) + exported(b.Name) }

// small is the largest array that a function has on its stack.
const small = 256

// onStack reports whether b is small and of constant size, and no product could
// hand it to another goroutine.
func (e *entry) onStack(b *ir.Buffer) bool {
	n, ok := b.Type.Shape.Size().Const()
	return ok && n <= small && !e.multiplies
}

// multiplies reports whether a step of an entry is a product.
func multiplies(plan *ir.FuncEntry) bool {
	return slices.ContainsFunc(plan.Proc.Steps, func(s *ir.Step) bool { return s.Product != nil })
}

// scratch is memory for b: an array of the function, a part of work, or, for
// what is no float, a slice of its own.
func (e *entry) scratch(b *ir.Buffer) string {
	size := b.Type.Shape.Size()
	switch {
	case e.onStack(b):
		return "new([" + e.ctx.dim(size) + "]" + goType(b.Type.Elem) + ")[:]"
	case b.Type.Elem != e.ir.Elem:
		return "make([]" + goType(b.Type.Elem) + ", " + e.ctx.dim(size) + ")"
	}
	e.work = "work"
	return "work[" + e.ctx.dim(b.Offset) + ":" + e.ctx.dim(b.Offset.Add(size)) + "]"
}

// needsWork reports whether an entry has scratch memory in work.
func (f *function) needsWork() bool { return slices.ContainsFunc(f.entries, (*entry).needsWork) }

func (e *entry) needsWork() bool {
	if e.isCut {
		return e.work != ""
	}
	return slices.ContainsFunc(e.Arena.Buffers, func(b *ir.Buffer) bool { return b.Type.Elem == e.ir.Elem && !e.onStack(b) })
}

// undetermined is the dimensions that the lengths of the parameters do not
// determine, one after another.
func (f *function) undetermined() []string {
	known := map[string]bool{}
	var out []string
	for {
		settled := f.settle(known)
		if settled {
			continue
		}
		open := ""
		for _, p := range f.ir.Params {
			if list := openDims(f.ir.Dims, p.Node.Type.Shape, known); len(list) > 0 {
				open = list[len(list)-1]
				break
			}
		}
		if open == "" {
			return out
		}
		known[open] = true
		out = append(out, open)
	}
}

// settle marks a dimension that a length determines as known.
func (f *function) settle(known map[string]bool) bool {
	for _, p := range f.ir.Params {
		if open := f.determined(p, known); open != "" {
			known[open] = true
			return true
		}
	}
	return false
}

// determined is the one dimension that is not known in the shape of p and that the
// length of p determines; "" where there is none. A tensor that is always empty
// determines none.
func (f *function) determined(p ir.Named, known map[string]bool) string {
	s := p.Node.Type.Shape
	open := openDims(f.ir.Dims, s, known)
	if len(open) != 1 || s.Size().IsConst(0) || strings.Contains(s.Size().String(), "/") {
		return ""
	}
	return open[0]
}

// openDims is the dimensions of a shape that are not known, in their order.
func openDims(dims []ir.RunDim, s ir.Shape, known map[string]bool) []string {
	set := map[string]bool{}
	for _, d := range s {
		d.Vars(set)
	}
	var out []string
	for _, d := range dims {
		if set[d.Name] && !known[d.Name] {
			out = append(out, d.Name)
		}
	}
	return out
}

// plainAxis is the one axis of s whose extent is the dimension, where no other
// depends on it; else it is negative.
func plainAxis(s ir.Shape, dim string) int {
	axis := -1
	for i, d := range s {
		set := map[string]bool{}
		d.Vars(set)
		if !set[dim] {
			continue
		}
		if axis >= 0 || !d.Equal(ir.DimVar(dim)) {
			return -1
		}
		axis = i
	}
	return axis
}

// printFuncs prints the exported functions.
func (p *printer) printFuncs(f *file) {
	if len(p.funcs) > 0 && len(p.models) == 0 {
		f.decl("This file needs version 1 of gradgen's runtime, or a later one.", "const _ = abi.RuntimeIsAtLeastV1")
	}
	for _, fn := range p.funcs {
		printTables(f, fn.table, func() []*ir.Buffer {
			var list []*ir.Buffer
			for _, e := range fn.entries {
				list = append(list, buffersOf(e.Proc)...)
			}
			return list
		}())
		for _, e := range fn.entries {
			e.print(f)
			e.printStretches(f)
		}
		if fn.needsWork() {
			fn.printWork(f)
		}
	}
}

// printTables prints tensors of literals as package-level variables.
func printTables(f *file, name func(b *ir.Buffer) string, list []*ir.Buffer) {
	done := map[string]bool{}
	for _, buf := range list {
		if buf.Storage != ir.InTable || done[name(buf)] {
			continue
		}
		done[name(buf)] = true
		var values []string
		for _, v := range buf.Data {
			values = append(values, literal(v, buf.Type.Elem))
		}
		f.decl(name(buf)+" is "+shapeText(buf.Type.Shape)+".",
			"var "+name(buf)+" = []"+goType(buf.Type.Elem)+"{"+strings.Join(values, ", ")+"}")
	}
}

// print prints the function.
func (e *entry) print(f *file) {
	var prologue body
	if e.isCut {
		e.printCalls(&prologue)
	} else {
		prologue = *e.ctx.prologue() // notes what it needs of work
	}
	f.fn(e.doc(), e.signature(), func(b *body) {
		doubtful := e.printChecks(b)
		if e.work != "" {
			need := e.name0() + "Work(" + strings.Join(e.dimArgs(), ", ") + ")"
			b.block("if work == nil", func() { b.stmt("work = make([]%s, %s)", goType(e.ir.Elem), need) })
			b.orElse("else if len(work) < "+need, func() {
				b.stmt("panic(fmt.Sprintf(\"%s: %s: len(work) is %%d, want at least %%d\", len(work), %s))", e.opts.Package, e.name, need)
			})
		}
		if len(b.code) > 0 {
			b.blank()
		}
		b.code = append(b.code, prologue.code...)
		if len(prologue.code) > 0 && !e.isCut {
			b.blank()
		}
		if !e.isCut {
			b.code = append(b.code, e.body.code...)
		}
		var values []string
		for _, r := range e.Proc.Results {
			values = append(values, e.result(r))
		}
		if len(values) > 0 {
			b.stmt("return %s", strings.Join(values, ", "))
		}
		b.dropUnused(doubtful)
	})
	e.note(e.ctx.err)
}

// name0 is the name of the function without suffix.
func (e *entry) name0() string { return e.function.name }

// result is a returned scalar in its type.
func (e *entry) result(r *ir.Buffer) string {
	value := e.ctx.buffer(r)
	if e.isCut {
		value = "kept." + value
	}
	if !e.ctx.isScalar(r) {
		value += "[0]"
	}
	if r.Wide {
		return converted(value, ir.Float64, r.Type.Elem)
	}
	return value
}

// dimArgs is the dimensions as arguments of the Work function.
func (e *entry) dimArgs() []string {
	var out []string
	for _, d := range e.ir.Dims {
		out = append(out, e.ctx.names[d.Name])
	}
	return out
}

// signature is the function's: destinations first, then the parameters.
func (e *entry) signature() string {
	var names, types []string
	add := func(name, typ string) { names, types = append(names, name), append(types, typ) }
	for i, b := range e.Outputs {
		add(e.outputs[i], "[]"+goType(b.Type.Elem))
	}
	for i, p := range e.operands() {
		t := goType(p.Node.Type.Elem)
		if p.Node.Type.Rank() > 0 {
			t = "[]" + t
		}
		add(e.params[i], t)
	}
	for _, d := range e.explicit {
		add(e.ctx.names[d], "int")
	}
	if e.work != "" {
		add("work", "[]"+goType(e.ir.Elem))
	}

	// Neighbours of one type share it.
	var args []string
	for i, name := range names {
		if i+1 < len(names) && types[i+1] == types[i] {
			args = append(args, name)
		} else {
			args = append(args, name+" "+types[i])
		}
	}
	var results []string
	for _, r := range e.Proc.Results {
		results = append(results, goType(r.Type.Elem))
	}
	out := e.name + "(" + strings.Join(args, ", ") + ")"
	switch len(results) {
	case 0:
		return out
	case 1:
		return out + " " + results[0]
	}
	return out + " (" + strings.Join(results, ", ") + ")"
}

// printWork prints the function that says how much scratch is needed.
func (f *function) printWork(out *file) {
	frame := newFrame(f.name+"Work", f.ir.Elem, f.ir.Dims, nil)
	var names, lengths []string
	small := false
	for _, d := range f.ir.Dims {
		names = append(names, frame.names[d.Name])
	}
	for _, e := range f.plan.Entries {
		if n := e.Arena.Length[f.ir.Elem]; !n.IsConst(0) {
			small = small || !n.Covers(ir.Dim{})
			if text := frame.spell(n); !slices.Contains(lengths, text) {
				lengths = append(lengths, text)
			}
		}
	}
	args := ""
	if len(names) > 0 {
		args = strings.Join(names, ", ") + " int"
	}
	out.fn(f.name+"Work is the length of the scratch memory that "+f.name+" and its derivatives need.", f.name+"Work("+args+") int", func(b *body) {
		if len(lengths) == 1 && !small {
			b.stmt("return %s", lengths[0])
			return
		}
		if len(lengths) == 0 {
			b.stmt("return 0") // buffers without elements
			return
		}
		if small {
			lengths = append(lengths, "0")
		}
		b.stmt("return max(%s)", strings.Join(lengths, ", "))
	})
}
