package codegen

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// printReading prints what one reads: the model's type with the mathematics,
// and what a step does.
func (m *model) printReading(f *file) {
	m.printTrainer(f)
	m.printHyper(f)
	m.printReport(f)
	printTables(f, m.table, m.buffers)

	// The procedures, in the order in which they run.
	for _, t := range m.trains {
		m.printTraining(f, t)
	}
	if m.compose != nil {
		m.printCompose(f)
	}
	m.printMethod(f, "evaluate is forward as the model is in inference.", m.signature("evaluate", m.public("Totals"), "batch *"+m.public("Batch")), m.evaluate)
	if m.predicts() {
		m.printMethod(f, "predict computes the outputs, whose slices have their lengths.",
			m.reading("predict", m.public("Output"), m.public("Input")), m.predict)
	}
	for _, e := range m.exports {
		m.printMethod(f, e.private+" computes "+e.results.names()+", whose slices have their lengths.",
			m.reading(e.private, e.out, e.in.typ), e.method)
	}
}

// signature is that of a method of the trainer.
func (m *model) signature(name, result string, params ...string) signature {
	return signature{receiver: "m *" + m.name, name: name, params: params, result: result}
}

// reading is that of a method of the predictor.
func (m *model) reading(name, out, in string) signature {
	return signature{receiver: "p *" + m.public("Predictor"), name: name, params: []string{"out *" + out, "in *" + in}}
}

// entries names what a goroutine calls on a trainer.
func (m *model) entries() string {
	var list []string
	for _, t := range m.trains {
		if t.Update != nil {
			list = append(list, "Step"+t.suffix)
		}
	}
	if m.compose != nil {
		list = append(list, "Forward", "Backward")
	}
	if m.evaluates() {
		list = append(list, "Evaluate")
	}
	for _, t := range m.trains {
		if t.gradient != nil {
			list = append(list, "Grad"+t.suffix)
		}
	}
	for _, t := range m.rules() {
		list = append(list, "Update"+t.suffix)
	}
	return enumerate(list)
}

// enumerate joins words: a, b and c.
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// printTrainer prints the model's type.
func (m *model) printTrainer(f *file) {
	doc := m.mathematics() + "\n\nA trainer belongs to one goroutine at a time."
	if list := m.entries(); list != "" {
		doc += " None of " + list + " allocates or keeps its arguments"
		if m.compose != nil {
			doc += ", but Forward keeps its batch until Backward"
		}
		doc += "."
	}
	f.typ(doc, m.name, func(b *body) {
		if m.hasHyper() {
			b.stmt("Hyper %s // may be changed between steps; kept by Checkpoint", m.public("Hyper"))
			b.blank()
		}
		m.printKept(b)
		b.stmt("max %s // capacity", m.public("Dims"))

		// Scratch memory: what each part of the arena holds, and in which turn.
		if len(m.plan.Trainer.Buffers) > 0 {
			b.blank()
		}
		scratchFields(b, m.plan.Trainer.Buffers, m.ofTrainer, m.capacityOf)
	})
}

// printKept prints the fields that hold what is kept between calls.
func (m *model) printKept(b *body) {
	b.stmt("params %s", m.public("Params"))
	for _, g := range m.groups() {
		b.stmt("%s %s", g.name, g.typ)
	}
	if m.averaged() {
		b.stmt("read %s // what inference reads: averages where there are, else parameters", m.public("Params"))
	}
	if m.writes() {
		b.stmt("next %s // new values, until they are committed", m.states.typ)
		if len(m.trains) > 1 {
			b.stmt("pending int // whose Grad left next: 1 for the first loss; 0 for none")
		} else {
			b.stmt("pending bool // next has those of a Grad")
		}
	}
	if m.carries.any() {
		b.stmt("carry, carryNext %s // from call to call, and what the call under way leaves", m.carries.typ)
		if len(m.heldDims()) > 0 {
			b.stmt("held %s // sizes of what carry has, 0 after Reset", m.public("Dims"))
		}
	}
	if m.ownsGradient() {
		of := "Step"
		if m.compose != nil {
			of = "Backward"
		}
		b.stmt("grad %s // of %s", m.public("Params"), of)
	}
	for _, t := range m.rules() {
		if m.summed(t) {
			b.stmt("gradSum%s %s // gradients of the micro-batches of an update so far, added up", t.suffix, m.public("Params"))
			b.stmt("micro%s uint64 // how many they are, below %d", t.suffix, t.accumulates())
		}
	}
	for _, name := range m.counters() {
		b.stmt("%s uint64 // updates made so far", name)
	}
	if m.draws() {
		b.stmt("seed, calls uint64 // of the random draws: what Init got, and calls so far")
	}
	if len(m.tensorParts()) > 0 {
		b.stmt("sums %s // tensors of the last batch", m.public("Totals"))
	}
	if m.compose != nil {
		m.printComposeFields(b)
	}
}

// counters is the fields that count updates.
func (m *model) counters() []string {
	var out []string
	for _, t := range m.trains {
		out = append(out, t.counter())
	}
	if len(out) == 0 {
		out = []string{"steps"}
	}
	return out
}

// capacityOf is a dimension in the comment of a field.
func (m *model) capacityOf(name string) string { return m.capacity("max", name) }

// scratchFields are the fields of an arena's buffers.
func scratchFields(b *body, list []*ir.Buffer, field map[*ir.Buffer]string, dim func(string) string) {
	for i, buf := range list {
		var extents []string
		for _, d := range buf.Type.Shape {
			extents = append(extents, spellDim(d.Bound(), dim))
		}
		note := "[" + strings.Join(extents, ",") + "]"
		if turns := turnsOf(buf); len(turns) > 0 {
			note += "; becomes " + strings.Join(turns, ", then ") + ", in place"
		}
		same := func(o *ir.Buffer) bool { return o.Type.Elem == buf.Type.Elem && o.Offset.Equal(buf.Offset) }
		if k := slices.IndexFunc(list[:i], same); k >= 0 {
			note += "; in the memory of " + field[list[k]]
		}
		b.stmt("%s []%s // %s", field[buf], goType(buf.Type.Elem), note)
	}
}

// turnsOf is the values that a buffer holds after the one it is named for;
// temporaries and further values of one name are left out.
func turnsOf(b *ir.Buffer) []string {
	var out []string
	for _, v := range b.Values {
		base := strings.TrimRight(v, "0123456789")
		if base != "t" && base != b.Name && !slices.Contains(out, base) {
			out = append(out, v)
		}
	}
	return out
}

// distinct is list without repetitions.
func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// A named group is a field of the trainer.
type namedGroup struct {
	*group
	name string
}

// groups is the states that there are: the optimiser's, averages, the model's
// own.
func (m *model) groups() []namedGroup {
	var out []namedGroup
	if len(m.optim.tensors) > 0 {
		out = append(out, namedGroup{m.optim, "optim"})
	}
	if m.averaged() {
		out = append(out, namedGroup{m.averages, "averages"})
	}
	if len(m.states.tensors) > 0 {
		out = append(out, namedGroup{m.states, "states"})
	}
	return out
}

// averaged reports whether inference reads averages of parameters.
func (m *model) averaged() bool { return len(m.averages.tensors) > 0 }

// evaluates reports whether there is an Evaluate.
func (m *model) evaluates() bool { return m.evaluate != nil || len(m.trains) > 0 }

// ownsGradient reports whether Step or Backward needs a gradient of its own.
func (m *model) ownsGradient() bool {
	return m.compose != nil || slices.ContainsFunc(m.rules(), func(t *training) bool { return t.backward == nil })
}

// trainerMethods is what runs on the trainer.
func (m *model) trainerMethods() []*method {
	list := []*method{m.evaluate}
	for _, t := range m.trains {
		list = append(list, t.forward, t.backward, t.gradient, t.update)
	}
	if c := m.compose; c != nil {
		list = append(list, c.forward, c.backward, c.rule.update)
	}
	return list
}

// readers is what runs on the predictor.
func (m *model) readers() []*method {
	list := []*method{m.predict}
	for _, e := range m.exports {
		list = append(list, e.method)
	}
	return list
}

// draws reports whether a method of the trainer draws random numbers.
func (m *model) draws() bool {
	return m.plan.Draws || m.drawsCarries() || uses(func(f *frame) bool { return f.draws }, m.trainerMethods()...)
}

// readsLength reports whether the length of the run is read by any of list.
func readsLength(list ...*method) bool {
	return uses(func(f *frame) bool { return f.readsLength }, list...)
}

// hasLength reports whether Hyper has Steps.
func (m *model) hasLength() bool {
	return readsLength(append(m.trainerMethods(), m.readers()...)...) ||
		slices.ContainsFunc(m.rules(), func(t *training) bool { return t.limitReads("steps") })
}

func (m *model) hasHyper() bool { return len(m.ir.Hyper) > 0 || m.hasLength() }

func (m *model) printHyper(f *file) {
	if !m.hasHyper() {
		return
	}
	f.typ(m.public("Hyper")+" has the numbers of the model and its train clause.", m.public("Hyper"), func(b *body) {
		for i, h := range m.ir.Hyper {
			b.stmt("%s float64 // %s", m.hypers[i], h.Doc)
		}
		if m.hasLength() {
			b.stmt("Steps int // length of the run in updates; to be set before the first")
		}
	})
}

// reportsNorm reports whether some step reports the norm of its gradient.
func (m *model) reportsNorm() bool {
	return slices.ContainsFunc(m.plan.Trains, func(t *ir.TrainPlan) bool { return t.Train != nil && (t.Train.Clip != nil || t.Train.Check) })
}

func (m *model) printReport(f *file) {
	if !m.measured() {
		return
	}
	doc := m.public("Report") + " is what one batch gave, before its update."
	if len(m.trains) > 1 {
		doc += " A step of one loss leaves 0 what it does not compute."
	}
	f.typ(doc, m.public("Report"), func(b *body) {
		for i, r := range m.plan.Reports {
			if r.Doc == "" {
				b.stmt("%s float64", m.reports[i])
			} else {
				b.stmt("%s float64 // %s", m.reports[i], strings.ReplaceAll(r.Doc, "\n", " "))
			}
		}
		if m.reportsNorm() {
			b.stmt("GradNorm float64 // of the gradient of an update, before it is clipped; else 0")
		}
	})
}
