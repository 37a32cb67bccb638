package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// printPlumbing prints what surrounds the mathematics: dimensions, batches,
// weights, files.
func (m *model) printPlumbing(f *file) {
	m.printOperands(f)
	m.printParams(f)
	m.printCarries(f)
	m.printNew(f)
	m.printLater(f)
	m.printInit(f)
	m.printReset(f, "m *"+m.name, m.seedOf("m.seed"))
	m.printTake(f)
	if m.measured() {
		m.printTotals(f)
	}
	if m.infers() {
		m.printWeights(f)
		m.printPredictor(f)
	}
	m.printFiles(f)
}

// printOperands prints Dims, Batch, Input and Output.
func (m *model) printOperands(f *file) {
	makers, users := []string{m.maker("New", "")}, []string{}
	if m.batched() {
		users = append(users, article(m.public("Batch")))
	}
	if m.infers() {
		makers = append(makers, m.maker("New", "Predictor"))
	}
	if m.predicts() {
		users = append(users, article(m.public("Input")))
	}
	doc := fmt.Sprintf("%s are the run-time dimensions. Given to %s they are the largest that a call may have; in %s, 0 means inferred.",
		m.public("Dims"), strings.Join(makers, " or "), strings.Join(users, " or "))
	f.typ(doc, m.public("Dims"), func(b *body) { printDims(b, m.dims) })
	if m.batched() {
		doc := " is what a step reads. It is not kept."
		if m.compose != nil {
			doc = " is what Forward reads. It is kept until Backward is done."
		}
		m.printForm(f, m.batch, m.public("Batch")+doc)
	}
	if m.predicts() {
		m.printForm(f, m.in, m.public("Input")+" is what Predict reads. It is not kept.")
	}
	if m.predicts() || m.compose != nil {
		m.printOutput(f)
	}
	if m.compose != nil {
		m.printComposeTypes(f)
	}
	for _, e := range m.exports {
		m.printExportTypes(f, e)
	}
}

// printOutput prints the type Output.
func (m *model) printOutput(f *file) {
	doc := m.public("Output") + " is what Predict writes. Its slices belong to the caller."
	if m.compose != nil {
		doc = m.public("Output") + " is what Predict writes, and what Forward returns, or the derivative of a number by each of them, which Backward reads. Slices that Forward returns belong to the trainer, all others to the caller."
	}
	f.typ(doc, m.public("Output"), func(b *body) {
		for _, o := range m.outputs {
			printOperand(b, o, "")
		}
	})
}

// printDims prints dimensions as fields.
func printDims(b *body, list []dimension) {
	for _, d := range list {
		if d.Doc == "" {
			b.stmt("%s int", d.field)
		} else {
			b.stmt("%s int // %s", d.field, strings.ReplaceAll(d.Doc, "\n", " "))
		}
	}
}

// printForm prints the type of what a call is given.
func (m *model) printForm(f *file, of *form, doc string) {
	f.typ(doc, of.typ, func(b *body) {
		if of.dimsType != "" {
			b.stmt("%s", of.dimsType)
		}
		for _, in := range of.operands {
			printOperand(b, in, rangeOf(in.bound))
		}
	})
}

// printOperand prints a field: a slice with its shape, or a number.
func printOperand(b *body, o operand, note string) {
	if o.Doc != "" {
		b.comment("%s", o.Doc)
	}
	t := o.Node.Type
	if t.Rank() == 0 {
		b.stmt("%s %s%s", o.field, goType(t.Elem), strings.Replace(note, ", ", " // ", 1))
		return
	}
	b.stmt("%s []%s // %s%s", o.field, goType(t.Elem), shapeText(t.Shape), note)
}

// rangeOf says what the elements of an input may be.
func rangeOf(bound *ir.Bound) string {
	if bound == nil {
		return ""
	}
	last := bound.Extent.Sub(ir.D(1)).String()
	if bound.HasIgnore {
		return fmt.Sprintf(", each from 0 to %s, or %d for none", last, bound.Ignore)
	}
	return ", each from 0 to " + last
}

// printParams prints Params and the states.
func (m *model) printParams(f *file) {
	p := m.public("Params")
	allocation := "one allocation"
	if len(m.params.elems()) > 1 {
		allocation += " for each element type"
	}
	m.params.printType(f, p+" are the trained tensors, or their gradient, in "+allocation+". The zero value has no memory; use "+m.maker("New", "Params")+".")
	f.fn(m.maker("New", "Params")+" returns zeros.", m.maker("New", "Params")+"() *"+p, func(b *body) {
		b.stmt("p := %s()", m.params.maker)
		b.stmt("return &p")
	})
	m.params.printMaker(f)
	m.params.printFlat(f)
	m.params.printTensors(f, "p", "tensors lists p under the names of the model.", "")

	for _, g := range m.groups() {
		doc := g.typ + " is what the optimiser keeps between steps."
		prefix := "optimizer/"
		switch g.group {
		case m.states:
			doc, prefix = g.typ+" is what the model keeps between steps; it is saved with the weights.", ""
		case m.averages:
			doc = g.typ + " are the moving means of parameters, which inference reads and Save writes."
		}
		g.printType(f, doc)
		g.printMaker(f)
		g.printTensors(f, "s", "tensors lists s under its names in files.", prefix)
	}
}

// printNew prints New.
func (m *model) printNew(f *file) {
	name := m.maker("New", "")
	doc := name + " returns a trainer for batches up to max, as Init(0) leaves it. It panics if a dimension is negative, as make does."
	f.fn(doc, fmt.Sprintf("%s(max %s) *%s", name, m.public("Dims"), m.name), func(b *body) {
		lines := []string{"params: " + m.params.maker + "()"}
		for _, g := range m.groups() {
			lines = append(lines, g.name+": "+g.maker+"()")
		}
		if m.writes() {
			lines = append(lines, "next: "+m.states.maker+"()")
		}
		if m.carries.any() {
			lines = append(lines, "carry: "+m.carries.maker+"(max)", "carryNext: "+m.carries.maker+"(max)")
		}
		if m.ownsGradient() {
			lines = append(lines, "grad: "+m.params.maker+"()")
		}
		for _, t := range m.rules() {
			if m.summed(t) {
				lines = append(lines, "gradSum"+t.suffix+": "+m.params.maker+"()")
			}
		}
		if len(m.tensorParts()) > 0 {
			lines = append(lines, "sums: "+m.sumsMaker())
		}
		if m.compose != nil {
			lines = append(lines, m.composeMakers()...)
		}
		b.literal("m := &"+m.name, append(lines, "max: max"))
		m.printReadParams(b)
		m.printArena(b, "m", m.name, name, m.plan.Trainer, m.ofTrainer)
		b.stmt("m.Init(0)")
		b.stmt("return m")
	})
}

// mostCuts is how many buffers New cuts out of an arena by itself.
const mostCuts = 300

// printArena allocates an arena, one slice for each element type, and cuts the
// fields of its owner out of it; many of them in methods of the owner.
func (m *model) printArena(b *body, owner, typ, where string, arena ir.Arena, field map[*ir.Buffer]string) {
	if len(arena.Buffers) == 0 {
		return
	}
	frame := newFrame(where, m.ir.Elem, m.runDims, nil, owner, "max", "w")
	frame.dims = func(name string) string { return m.capacity("max", name) }
	c := procContext{frame}
	var cuts body
	parts := 0
	for _, t := range []ir.DType{ir.Float32, ir.Float64, ir.Int32, ir.Int64, ir.Bool, ir.Int} {
		list := ofElem(arena.Buffers, t)
		if len(list) == 0 {
			continue
		}
		slab := c.local("arena")
		if t != m.ir.Elem {
			slab = c.local(goType(t) + "s")
		}
		cuts.stmt("%s := make([]%s, %s)", slab, goType(t), c.dim(arena.Length[t]))
		for chunk := range slices.Chunk(list, mostCuts) {
			var part body
			for _, buf := range chunk {
				end := buf.Offset.Add(buf.Type.Shape.Room())
				part.stmt("%s.%s = %s[%s:%s]", owner, field[buf], slab, c.dim(buf.Offset), c.dim(end))
			}
			if len(list) <= mostCuts {
				cuts.code = append(cuts.code, part.code...)
				continue
			}
			parts++
			m.printCarve(&cuts, c, owner, typ, slab, t, parts, part)
		}
	}
	enough := enough(arena.Buffers, c)
	b.blank()
	b.comment("All scratch memory lies in one arena.")
	for _, name := range c.sizes {
		b.stmt("%s := %s", c.names[name], c.dims(name))
	}
	if enough != "" {
		b.block("if "+enough, func() { b.code = append(b.code, cuts.code...) })
	} else {
		b.code = append(b.code, cuts.code...)
	}
	b.blank()
}

// printCarve puts the cuts of part into a method, which stands behind what is
// being printed, and calls it.
func (m *model) printCarve(b *body, c procContext, owner, typ, slab string, elem ir.DType, number int, part body) {
	var dims []string
	for _, d := range m.runDims {
		c.dim(ir.DimVar(d.Name))
		dims = append(dims, c.names[d.Name])
	}
	name, params := fmt.Sprintf("carve%d", number), ""
	if len(dims) > 0 {
		params = ", " + strings.Join(dims, ", ")
	}
	b.stmt("%s.%s(%s%s)", owner, name, slab, params)
	if params != "" {
		params += " int"
	}
	m.later = append(m.later, func(f *file) {
		f.fn(name+" cuts scratch memory out of the arena.", fmt.Sprintf("(%s *%s) %s(%s []%s%s)", owner, typ, name, slab, goType(elem), params),
			func(b *body) { b.code = part.code })
	})
}

// printLater prints the methods that were put off.
func (m *model) printLater(f *file) {
	for _, print := range m.later {
		print(f)
	}
	m.later = nil
}

// enough is the condition that no extent of a buffer is negative at all sizes, as that of
// differences of nothing would be: where one is, every call is an error and no
// memory is needed. It is "" where none can be.
func enough(list []*ir.Buffer, c procContext) string {
	var seen []ir.Dim
	var parts []string
	for _, b := range list {
		for _, d := range b.Type.Shape {
			d = d.Bound()
			if !d.Covers(ir.Dim{}) && !slices.ContainsFunc(seen, d.Equal) {
				seen, parts = append(seen, d), append(parts, c.dim(d)+" >= 0")
			}
		}
	}
	return strings.Join(parts, " && ")
}

func ofElem(list []*ir.Buffer, t ir.DType) []*ir.Buffer {
	var out []*ir.Buffer
	for _, b := range list {
		if b.Type.Elem == t {
			out = append(out, b)
		}
	}
	return out
}

// printInit prints Init, initialise and the accessors.
func (m *model) printInit(f *file) {
	f.fn("Init starts anew: initialisers from seed, Hyper of the model, step 0.", fmt.Sprintf("(m *%s) Init(seed uint64)", m.name), func(b *body) {
		if m.hasHyper() {
			var lines []string
			for i, h := range m.ir.Hyper {
				lines = append(lines, m.hypers[i]+": "+literal(h.Default, ir.Float64))
			}
			b.literal("m.Hyper = "+m.public("Hyper"), lines)
		}
		for _, name := range m.counters() {
			b.stmt("m.%s = 0", name)
		}
		for _, t := range m.rules() {
			if m.summed(t) {
				b.stmt("m.micro%s = 0", t.suffix)
			}
		}
		if m.writes() {
			b.stmt("m.pending = %s", m.noPending())
		}
		if m.compose != nil {
			b.stmt("m.composed = false")
		}
		if m.draws() {
			b.stmt("m.seed, m.calls = seed, 0")
		}
		if m.initial != nil {
			b.stmt("m.initialise(seed)")
		} else {
			m.clearParams(b, "m.params")
		}
		for _, g := range m.groups() {
			if g.group != m.averages {
				m.printStart(b, g)
			}
		}
		if m.averaged() {
			b.stmt("m.startAverages(nil)")
		}
		if m.carries.any() {
			b.stmt("m.Reset()")
		}
	})
	m.printStartAverages(f)
	if m.initial != nil {
		m.printMethod(f, m.initialiseDoc(), m.signature("initialise", "", "seed uint64"), m.initial)
	}
	m.printSteps(f)
	doc := "Params are the live parameters"
	if m.trained() {
		doc += ": " + m.writer() + " writes to them"
	}
	if m.averaged() {
		doc += ". What is written there is not in their averages, which Evaluate, Predict, Snapshot and Save read; Load sets both"
	}
	f.fn(doc+".", fmt.Sprintf("(m *%s) Params() *%s", m.name, m.public("Params")), func(b *body) { b.stmt("return &m.params") })
}

// writer is the entry that sets parameters.
func (m *model) writer() string {
	if m.compose != nil {
		return "Update"
	}
	return "Step"
}

// printSteps prints Steps, in all and for each loss.
func (m *model) printSteps(f *file) {
	doc, list := "Steps is the number of updates so far", m.counters()
	if len(list) > 1 {
		doc += ", of all losses"
	}
	f.fn(doc+".", fmt.Sprintf("(m *%s) Steps() uint64", m.name), func(b *body) { b.stmt("return m.%s", strings.Join(list, " + m.")) })
	for _, t := range m.trains {
		if t.suffix != "" {
			doc := "Steps" + t.suffix + " is the number of updates so far by the loss " + t.Loss + "."
			f.fn(doc, fmt.Sprintf("(m *%s) Steps%s() uint64", m.name, t.suffix), func(b *body) { b.stmt("return m.%s", t.counter()) })
		}
	}
}

// printStart sets states to their first values, unless the Init procedure does.
func (m *model) printStart(b *body, g namedGroup) {
	if !slices.ContainsFunc(g.tensors, func(t tensor) bool { v, ok := firstValue(t.init); return !ok || v != 0 || m.initialises(t.path) }) {
		for _, t := range g.elems() {
			b.stmt("clear(m.%s.%s)", g.name, g.slab(t))
		}
		return
	}
	for _, t := range g.tensors {
		slice := "m." + g.name + "." + t.field
		if m.initialises(t.path) {
			continue
		}
		v, ok := firstValue(t.init)
		switch {
		case ok && v == 0:
			b.stmt("clear(%s)", slice)
		case ok:
			b.block("for i := range "+slice, func() { b.stmt("%s[i] = %s", slice, literal(v, t.typ.Elem)) })
		case t.init != nil && t.init.Is("param"):
			field, _ := m.params.fieldOf(t.init.Attr.Name)
			b.stmt("copy(%s, m.params.%s)", slice, field)
		default:
			m.fail("state %s has no first value", t.path)
		}
	}
}

// initialiseDoc says what the Init procedure writes.
func (m *model) initialiseDoc() string {
	what := "the parameters"
	for _, t := range slices.Concat(m.optim.tensors, m.states.tensors) {
		if m.initialises(t.path) {
			what = "parameters and states"
			break
		}
	}
	return "initialise sets " + what + " to their first values, which depend on seed alone."
}

// initialises reports whether the Init procedure writes the state of a path.
func (m *model) initialises(path string) bool {
	if m.initialised == nil {
		m.initialised = map[string]bool{}
		for _, b := range buffersOf(m.plan.Init) {
			if b.Storage == ir.InState {
				m.initialised[b.Key] = true
			}
		}
	}
	return m.initialised[path]
}

// firstValue is the number that a state starts with everywhere.
func firstValue(init *ir.Node) (float64, bool) {
	if init == nil {
		return 0, true
	}
	return init.Literal()
}
