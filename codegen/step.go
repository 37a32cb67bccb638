package codegen

import (
	"fmt"
	"strings"
)

// doing is a procedure with the arguments of a call.
func (t *training) doing(name string, args ...string) string {
	return "m." + name + t.suffix + "(" + strings.Join(args, ", ") + ")"
}

// printTraining prints the entries of one loss and the procedures behind them.
func (m *model) printTraining(f *file, t *training) {
	batch, grad := "batch *"+m.public("Batch"), "grad *"+m.public("Params")
	of := "loss and metrics of the batch"
	if t.suffix != "" {
		of = enumerate(m.computed(t)) + " of the batch"
	}
	if t.Update != nil {
		m.printStep(f, t)
	}
	m.printMethod(f, "forward"+t.suffix+" computes "+of+" and leaves what the backward reads.", m.signature("forward"+t.suffix, m.public("Totals"), batch), t.forward)
	m.printMethod(f, "backward"+t.suffix+" makes the update from what forward left; no gradient is stored.", m.signature("backward"+t.suffix, "", batch), t.backward)
	if t.gradient != nil {
		m.printGrad(f, t)
		m.printMethod(f, "gradient"+t.suffix+" sets grad from what forward left.", m.signature("gradient"+t.suffix, "", grad, batch), t.gradient)
	}
	if t.Update != nil {
		m.printRule(f, t)
	}
}

// computed is the fields of Report that the forward of t determines.
func (m *model) computed(t *training) []string {
	var out []string
	for _, i := range t.Reports {
		out = append(out, m.reports[i])
	}
	return out
}

// reported is those that a step of t sets.
func (m *model) reported(t *training) []string {
	out := m.computed(t)
	if t.norms() {
		out = append(out, "GradNorm")
	}
	return out
}

// partial reports whether a step of t computes only a part of the reports.
func (m *model) partial(t *training) bool { return len(t.Reports) < len(m.plan.Reports) }

// report is the report of totals, which the forward of t returned.
func (m *model) report(t *training) string {
	if m.partial(t) {
		return "totals.report" + t.suffix + "()"
	}
	return "totals.Report()"
}

// printStep prints Step.
func (m *model) printStep(f *file, t *training) {
	name, report := "Step"+t.suffix, m.public("Report")
	f.fn(m.stepDoc(t), fmt.Sprintf("(m *%s) %s(batch %s) (%s, error)", m.name, name, m.public("Batch"), report), func(b *body) {
		m.printEntry(b, t.intake, "return "+report+"{}, err", t.limitReads("steps"), t.forward, t.backward, t.gradient, t.update)
		m.printFits(b, "m", "batch", "return "+report+"{}, err", t.Forward)
		b.blank()
		if t.writesStates(m) {
			b.stmt("m.pending = %s // forward takes the place of what a Grad left", m.noPending())
		}
		b.stmt("totals := %s", t.doing("forward", "&batch"))
		b.stmt("report := %s", m.report(t))
		b.block("if !vec.IsFinite(report."+t.field+")", func() {
			b.stmt("return %s{}, fault.NotFinite(%q, m.%s+1, report.%s)", report, m.label+"."+name, t.counter(), t.field)
		})
		if t.backward != nil {
			b.stmt("%s", t.doing("backward", "&batch"))
		} else {
			m.printStepUpdate(b, t, name)
		}
		m.printEndOfStep(b, t, true)
		b.stmt("return report, nil")
	})
}

// printEndOfStep commits states and carries, and counts the call and, where one
// was made, the update.
func (m *model) printEndOfStep(b *body, t *training, updated bool) {
	if t.writesStates(m) {
		b.stmt("%s", t.doing("commit"))
	}
	m.printMove(b, "m", "batch", t.Forward)
	if updated {
		b.stmt("m.%s++", t.counter())
	}
	if m.draws() {
		b.stmt("m.calls++")
	}
}

// printStepUpdate prints the gradient and the update of a step: with micro-batches,
// the first ones end here.
func (m *model) printStepUpdate(b *body, t *training, name string) {
	b.stmt("%s", t.doing("gradient", "&m.grad", "&batch"))
	checked := func() {
		b.stmt("norm := %s", t.doing("norm", "&m.grad"))
		b.block("if !vec.IsFinite(norm)", func() {
			b.stmt("return %s{}, fault.GradientNotFinite(%q, m.%s+1, norm)", m.public("Report"), m.label+"."+name, t.counter())
		})
	}
	if t.norms() {
		checked()
	}
	if n := t.accumulates(); n > 1 {
		b.block("if !"+t.doing("accumulate"), func() {
			m.printEndOfStep(b, t, false)
			b.stmt("return report, nil // a micro-batch")
		})
		if t.norms() {
			b.stmt("norm = %s", t.doing("norm", "&m.grad"))
			b.block("if !vec.IsFinite(norm)", func() {
				b.stmt("return %s{}, fault.GradientNotFinite(%q, m.%s+1, norm)", m.public("Report"), m.label+"."+name, t.counter())
			})
		}
	}
	if t.norms() {
		b.stmt("report.GradNorm = norm")
	}
	if t.clips() {
		b.stmt("%s", t.doing("update", "&m.grad", t.doing("clip", "norm")))
	} else {
		b.stmt("%s", t.doing("update", "&m.grad"))
	}
	if t.accumulates() > 1 {
		b.stmt("m.micro%s = 0", t.suffix)
	}
}

// stepDoc is the doc comment of Step.
func (m *model) stepDoc(t *training) string {
	what := "Step trains on one batch: forward, backward, update."
	if t.suffix != "" {
		what = fmt.Sprintf("Step%s trains on one batch by the loss %s: forward, backward, update.", t.suffix, t.Loss)
	}
	if n := t.accumulates(); n > 1 {
		what = strings.Replace(what, "forward, backward, update.", fmt.Sprintf("forward and backward, and after every %d such micro-batches an update by the mean of their gradients.", n), 1)
	}
	if m.partial(t) {
		what += " It reports " + enumerate(m.reported(t)) + "."
	}
	if unread := m.unread(t.intake); len(unread) > 0 {
		what += " It does not read " + enumerate(unread) + ", which may be nil."
	}
	what += m.carryDoc(t.Forward)
	doc := what + `

The error is a [fault.InputError] if the batch does not fit, and wraps
[fault.ErrNotFinite] if the loss is not finite; then nothing has changed.`
	if t.norms() {
		doc = strings.Replace(doc, "if the loss is not finite;", "if the loss or the norm of the gradient is not finite;", 1)
	}
	if m.isEmpty(t.intake) != "" {
		doc += " An empty batch is no step and reports zeros."
	}
	return doc
}

// isEmpty is the condition that a batch has no element, "" where none can be.
func (m *model) isEmpty(in *intake) string {
	if _, constant := in.empty.Const(); constant {
		return ""
	}
	return spellDim(in.empty, m.dimOf(m.batch, "batch")) + " == 0"
}

// printEntry prints the checks that a call starts with; give is what it
// returns when they fail, or when the batch is empty. It may need the length of
// the run, if long is set or one of list reads it.
func (m *model) printEntry(b *body, in *intake, give string, long bool, list ...*method) {
	condition := "err != nil"
	if empty := m.isEmpty(in); empty != "" {
		condition += " || " + empty
	}
	b.block("if err := m."+in.name+"(&batch); "+condition, func() { b.stmt("%s", give) })
	if long || readsLength(list...) {
		b.block("if m.Hyper.Steps <= 0", func() {
			b.stmt("err := &fault.InputError{Model: %q, Input: \"Hyper.Steps\", Reason: \"is not set, but the model reads the length of the run\"}", m.label)
			b.stmt("%s", give)
		})
	}
}

// printGrad prints Grad.
func (m *model) printGrad(f *file, t *training) {
	name, report := "Grad"+t.suffix, m.public("Report")
	signature := fmt.Sprintf("(m *%s) %s(grad *%s, batch %s) (%s, error)", m.name, name, m.public("Params"), m.public("Batch"), report)
	f.fn(m.gradDoc(t), signature, func(b *body) {
		b.block("if "+m.foreign(), func() {
			b.stmt("return %s{}, &fault.InputError{Model: %q, Input: \"grad\", Reason: \"is not from %s\"}", report, m.label, m.maker("New", "Params"))
		})
		b.block("if err := m."+t.intake.name+"(&batch); err != nil", func() { b.stmt("return %s{}, err", report) })
		if readsLength(t.forward, t.gradient) {
			b.block("if m.Hyper.Steps <= 0", func() {
				b.stmt("return %s{}, &fault.InputError{Model: %q, Input: \"Hyper.Steps\", Reason: \"is not set, but the model reads the length of the run\"}", report, m.label)
			})
		}
		if empty := m.isEmpty(t.intake); empty != "" {
			b.block("if "+empty, func() {
				m.clearParams(b, "grad")
				b.stmt("return %s{}, nil", report)
			})
		}
		m.printFits(b, "m", "batch", "return "+report+"{}, err", t.Forward)
		b.blank()
		if t.writesStates(m) && t.norms() {
			b.stmt("m.pending = %s // forward takes the place of what a Grad left", m.noPending())
		}
		b.stmt("totals := %s", t.doing("forward", "&batch"))
		for _, r := range m.untrained(t) {
			b.stmt("clear(%s)", r.part(m, "grad"))
		}
		b.stmt("%s", t.doing("gradient", "grad", "&batch"))
		m.printEndOfGrad(b, t, name)
	})
}

// printEndOfGrad reports what a gradient was, and says that the next Update
// commits what the forward left.
func (m *model) printEndOfGrad(b *body, t *training, name string) {
	result := m.report(t)
	if t.norms() {
		b.stmt("report := %s", result)
		b.stmt("report.GradNorm = %s", t.doing("norm", "grad"))
		b.block("if !vec.IsFinite(report.GradNorm)", func() {
			b.stmt("return %s{}, fault.GradientNotFinite(%q, m.%s+1, report.GradNorm)", m.public("Report"), m.label+"."+name, t.counter())
		})
		result = "report"
	}
	if t.writesStates(m) {
		b.stmt("m.pending = %s", m.pendingOf(t))
	}
	m.printMove(b, "m", "batch", t.Forward)
	if m.draws() {
		b.stmt("m.calls++")
	}
	b.stmt("return %s, nil", result)
}

// gradDoc is the doc comment of Grad.
func (m *model) gradDoc(t *training) string {
	doc := "Grad" + t.suffix + " sets grad to the gradient of the loss"
	if t.suffix != "" {
		doc += " " + t.Loss
	}
	doc += "; the parameters stay."
	switch frozen := m.untrained(t); {
	case len(frozen) == 0:
	case t.suffix == "":
		doc += " That of a frozen parameter is 0."
	default:
		doc += " That of a parameter which the loss does not train is 0."
	}
	doc += " Gradients of several batches can be averaged"
	if t.Update != nil {
		doc += " and given to Update" + t.suffix
	}
	doc += "."
	if m.isEmpty(t.intake) != "" {
		doc += " That of an empty batch is 0."
	}
	if t.norms() {
		doc += " A norm that is not finite is an error that wraps [fault.ErrNotFinite]."
	}
	return doc
}
