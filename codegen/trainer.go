package codegen

import (
	"fmt"
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
	if m.trained() {
		m.printStep(f)
	}

	// The procedures, in the order in which they run.
	m.printMethod(f, "forward computes loss and metrics of the batch and leaves what the backward reads.",
		"(m *%s) forward(batch *"+m.public("Batch")+") "+m.public("Totals"), m.forward)
	m.printMethod(f, "backward makes the update from what forward left; no gradient is stored.",
		"(m *%s) backward(batch *"+m.public("Batch")+")", m.backward)
	if m.gradient != nil {
		m.printGrad(f)
		m.printMethod(f, "gradient sets grad from what forward left.",
			"(m *%s) gradient(grad *"+m.public("Params")+", batch *"+m.public("Batch")+")", m.gradient)
	}
	if m.trained() {
		m.printUpdate(f)
		m.printCommit(f)
		m.printMethod(f, "update sets the parameters from their gradient.", "(m *%s) update(grad *"+m.public("Params")+")", m.update)
	}
	m.printMethod(f, "evaluate is forward as the model is in inference.",
		"(m *%s) evaluate(batch *"+m.public("Batch")+") "+m.public("Totals"), m.evaluate)
	if m.predict != nil {
		f.fn("predict computes the outputs, whose slices have their lengths.",
			fmt.Sprintf("(p *%s) predict(out *%s, in *%s)", m.public("Predictor"), m.public("Output"), m.public("Input")),
			func(b *body) { b.code = m.predict.body.code })
	}
}

// entries names what a goroutine calls on a trainer.
func (m *model) entries() string {
	var list []string
	if m.trained() {
		list = append(list, "Step")
	}
	if m.measured() {
		list = append(list, "Evaluate")
	}
	if m.gradient != nil {
		list = append(list, "Grad")
	}
	if m.trained() {
		list = append(list, "Update")
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
		doc += " None of " + list + " allocates or keeps its arguments."
	}
	f.typ(doc, m.name, func(b *body) {
		if m.hasHyper() {
			b.stmt("Hyper %s // may be changed between steps; kept by Checkpoint", m.public("Hyper"))
			b.blank()
		}
		b.stmt("params %s", m.public("Params"))
		for _, g := range m.groups() {
			b.stmt("%s %s", g.name, g.typ)
		}
		if m.writes() {
			b.stmt("next %s // new values, until they are committed", m.states.typ)
			b.stmt("pending bool // next has those of a Grad")
		}
		if m.needsSpare() {
			b.stmt("spare %s // in the place of next while Evaluate runs", m.states.typ)
		}
		if m.ownsGradient() {
			b.stmt("grad %s // of Step", m.public("Params"))
		}
		b.stmt("steps uint64 // updates made so far")
		if m.draws() {
			b.stmt("seed, calls uint64 // of the random draws: what Init got, and calls so far")
		}
		b.stmt("max %s // capacity", m.public("Dims"))

		// Scratch memory: what each part of the arena holds, and in which turn.
		if len(m.plan.Trainer.Buffers) > 0 {
			b.blank()
		}
		scratchFields(b, m.plan.Trainer.Buffers, m.ofTrainer, m.capacityOf)
	})
}

// capacityOf is a dimension in the comment of a field.
func (m *model) capacityOf(name string) string { return m.dimOf("max", name, nil) }

// scratchFields are the fields of an arena's buffers.
func scratchFields(b *body, list []*ir.Buffer, field map[*ir.Buffer]string, dim func(string) string) {
	for i, buf := range list {
		var extents []string
		for _, d := range buf.Type.Shape {
			extents = append(extents, spellDim(d, dim))
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

// groups is the states that there are: the optimiser's, the model's own.
func (m *model) groups() []namedGroup {
	var out []namedGroup
	if len(m.optim.tensors) > 0 {
		out = append(out, namedGroup{m.optim, "optim"})
	}
	if len(m.states.tensors) > 0 {
		out = append(out, namedGroup{m.states, "states"})
	}
	return out
}

// ownsGradient reports whether Step needs a gradient of its own.
func (m *model) ownsGradient() bool { return m.trained() && m.backward == nil }

// trainerMethods is what runs on the trainer.
func (m *model) trainerMethods() []*method {
	return []*method{m.forward, m.backward, m.gradient, m.update, m.evaluate}
}

// draws reports whether a method of the trainer draws random numbers.
func (m *model) draws() bool {
	return m.plan.Draws || uses(func(f *frame) bool { return f.draws }, m.trainerMethods()...)
}

// readsLength reports whether the length of the run is read by any of list.
func readsLength(list ...*method) bool {
	return uses(func(f *frame) bool { return f.readsLength }, list...)
}

// hasLength reports whether Hyper has Steps.
func (m *model) hasLength() bool { return readsLength(append(m.trainerMethods(), m.predict)...) }

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

func (m *model) printReport(f *file) {
	if !m.measured() {
		return
	}
	f.typ(m.public("Report")+" is what one batch gave, before its update.", m.public("Report"), func(b *body) {
		for i, r := range m.plan.Reports {
			if r.Doc == "" {
				b.stmt("%s float64", m.reports[i])
			} else {
				b.stmt("%s float64 // %s", m.reports[i], strings.ReplaceAll(r.Doc, "\n", " "))
			}
		}
	})
}

// isEmpty is the condition that a batch has no element, "" where none can be.
func (m *model) isEmpty() string {
	if _, constant := m.first().Empty.Const(); constant {
		return ""
	}
	return spellDim(m.first().Empty, func(name string) string { return m.dimOf("batch", name, m.inputs) }) + " == 0"
}

// hasLoss reports whether the first report is the loss.
func (m *model) hasLoss() bool { return len(m.plan.Trains) > 0 }

// printStep prints Step.
func (m *model) printStep(f *file) {
	doc := `Step trains on one batch: forward, backward, update.

The error is a [fault.InputError] if the batch does not fit, and wraps
[fault.ErrNotFinite] if the loss is not finite; then nothing has changed.`
	if m.isEmpty() != "" {
		doc += " An empty batch is no step and reports zeros."
	}
	f.fn(doc, fmt.Sprintf("(m *%s) Step(batch %s) (%s, error)", m.name, m.public("Batch"), m.public("Report")), func(b *body) {
		m.printEntry(b, "return "+m.public("Report")+"{}, err", m.forward, m.backward, m.gradient, m.update)
		b.blank()
		if m.writes() {
			b.stmt("m.pending = false // forward takes the place of what a Grad left")
		}
		b.stmt("totals := m.forward(&batch)")
		b.stmt("report := totals.Report()")
		b.block("if !vec.IsFinite(report."+m.reports[0]+")", func() {
			b.stmt("return %s{}, fault.NotFinite(%q, m.steps+1, report.%s)", m.public("Report"), m.label+".Step", m.reports[0])
		})
		if m.backward != nil {
			b.stmt("m.backward(&batch)")
		} else {
			b.stmt("m.gradient(&m.grad, &batch)")
			b.stmt("m.update(&m.grad)")
		}
		if m.writes() {
			b.stmt("m.commit()")
		}
		b.stmt("m.steps++")
		if m.draws() {
			b.stmt("m.calls++")
		}
		b.stmt("return report, nil")
	})
}

// printEntry prints the checks that a call starts with; give is what it
// returns when they fail, or when the batch is empty.
func (m *model) printEntry(b *body, give string, list ...*method) {
	condition := "err != nil"
	if empty := m.isEmpty(); empty != "" {
		condition += " || " + empty
	}
	b.block("if err := m.take(&batch); "+condition, func() { b.stmt("%s", give) })
	if readsLength(list...) {
		b.block("if m.Hyper.Steps <= 0", func() {
			b.stmt("err := &fault.InputError{Model: %q, Input: \"Hyper.Steps\", Reason: \"is not set, but the model reads the length of the run\"}", m.label)
			b.stmt("%s", give)
		})
	}
}

// printGrad prints Grad.
func (m *model) printGrad(f *file) {
	doc := "Grad sets grad to the gradient of the loss; the parameters stay. Gradients of several batches can be averaged"
	if m.trained() {
		doc += " and given to Update"
	}
	doc += "."
	if m.isEmpty() != "" {
		doc += " That of an empty batch is 0."
	}
	signature := fmt.Sprintf("(m *%s) Grad(grad *%s, batch %s) (%s, error)", m.name, m.public("Params"), m.public("Batch"), m.public("Report"))
	f.fn(doc, signature, func(b *body) {
		b.block("if len(grad.flat) != len(m.params.flat)", func() {
			b.stmt("return %s{}, &fault.InputError{Model: %q, Input: \"grad\", Reason: \"is not from %s\"}",
				m.public("Report"), m.label, m.maker("New", "Params"))
		})
		b.block("if err := m.take(&batch); err != nil", func() { b.stmt("return %s{}, err", m.public("Report")) })
		if empty := m.isEmpty(); empty != "" {
			b.block("if "+empty, func() {
				b.stmt("clear(grad.flat)")
				b.stmt("return %s{}, nil", m.public("Report"))
			})
		}
		b.blank()
		b.stmt("totals := m.forward(&batch)")
		b.stmt("m.gradient(grad, &batch)")
		if m.writes() {
			b.stmt("m.pending = true")
		}
		if m.draws() {
			b.stmt("m.calls++")
		}
		b.stmt("return totals.Report(), nil")
	})
}

// printUpdate prints Update.
func (m *model) printUpdate(f *file) {
	doc := "Update makes the step of " + m.rule() + " for a gradient that Grad gave" + m.committed() + ". It panics if grad has no memory"
	if readsLength(m.update) {
		doc += ", or if Hyper.Steps is not set"
	}
	f.fn(doc+".", fmt.Sprintf("(m *%s) Update(grad *%s)", m.name, m.public("Params")), func(b *body) {
		b.block("if len(grad.flat) != len(m.params.flat)", func() {
			b.stmt("panic(%q)", m.label+": Update: grad is not from "+m.maker("New", "Params"))
		})
		if readsLength(m.update) {
			b.block("if m.Hyper.Steps <= 0", func() { b.stmt("panic(%q)", m.label+": Update: Hyper.Steps is not set") })
		}
		b.stmt("m.update(grad)")
		if m.writes() {
			b.block("if m.pending", func() { b.stmt("m.commit()") })
		}
		b.stmt("m.steps++")
	})
}

// committed says what Update does beside the parameters.
func (m *model) committed() string {
	if m.writes() {
		return ", and commits the states that the last Grad left"
	}
	return ""
}

// writes reports whether training sets states of the model.
func (m *model) writes() bool { return len(m.first().Written) > 0 }

// needsSpare reports whether Evaluate runs what leaves new states.
func (m *model) needsSpare() bool { return m.writes() && m.plan.Evaluate == nil }

// printCommit prints how the model's states get their new values.
func (m *model) printCommit(f *file) {
	if !m.writes() {
		return
	}
	f.fn("commit gives the states the new values that forward left.", fmt.Sprintf("(m *%s) commit()", m.name), func(b *body) {
		for _, s := range m.first().Written {
			field, ok := m.states.fieldOf(s.Path)
			if !ok {
				m.fail("state %s is written, but none of the model's", s.Path)
			}
			b.stmt("copy(m.states.%s, m.next.%s)", field, field)
		}
		b.stmt("m.pending = false")
	})
}
