package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// accumulates is the number of micro-batches of an update.
func (t *training) accumulates() int {
	if t.Train == nil {
		return 1
	}
	return max(t.Train.Accumulate, 1)
}

// norms reports whether the norm of the gradient is checked and reported.
func (t *training) norms() bool {
	return t.Train != nil && t.Update != nil && (t.Train.Clip != nil || t.Train.Check)
}

// clips reports whether the update reads the factor that bounds the norm.
func (t *training) clips() bool {
	return t.Train != nil && t.Update != nil && t.Train.Clip != nil && t.Train.Clip.Kind == "norm"
}

// limitReads reports whether the limit of the norm reads a leaf.
func (t *training) limitReads(leaf string) bool {
	return t.clips() && slices.ContainsFunc(ir.Topological(t.Train.Clip.Limit), func(n *ir.Node) bool { return n.Is(leaf) })
}

// updateParams is the parameters of the method update.
func (t *training) updateParams() []string {
	if t.clips() {
		return []string{"grad", "factor"}
	}
	return []string{"grad"}
}

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

// printRule prints Update and what it consists of.
func (m *model) printRule(f *file, t *training) {
	m.printAccumulate(f, t)
	m.printUpdate(f, t)
	m.printNorm(f, t)
	m.printCommit(f, t)
	params := []string{"grad *" + m.public("Params")}
	doc := "update" + t.suffix + " sets the parameters from their gradient"
	if t.clips() {
		params, doc = append(params, "factor float64"), doc+", which counts by factor"
	}
	m.printMethod(f, doc+".", m.signature("update"+t.suffix, "", params...), t.update)
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
		b.block("if len(grad.flat) != len(m.params.flat)", func() {
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
				b.stmt("clear(grad.flat)")
				b.stmt("return %s{}, nil", report)
			})
		}
		m.printFits(b, "m", "batch", "return "+report+"{}, err", t.Forward)
		b.blank()
		b.stmt("totals := %s", t.doing("forward", "&batch"))
		for _, r := range m.untrained(t) {
			b.stmt("clear(grad.flat[%d:%d])", r.from, r.to)
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

// A stretch of all parameters' elements.
type stretchOfFlat struct{ from, to int }

// trainedBy is the elements of the parameters that t updates, in as few
// stretches as there are.
func (m *model) trainedBy(t *training) []stretchOfFlat {
	var paths []string
	if t.Train != nil {
		for _, u := range t.Train.Updates {
			paths = append(paths, u.Param.Path)
		}
	}
	return m.stretches(func(u tensor) bool { return t.Train == nil || slices.Contains(paths, u.path) })
}

// untrained is those that Grad sets to 0.
func (m *model) untrained(t *training) []stretchOfFlat {
	if t.Train == nil {
		return nil
	}
	var paths []string
	for _, u := range t.Train.Updates {
		paths = append(paths, u.Param.Path)
	}
	return m.stretches(func(u tensor) bool { return !slices.Contains(paths, u.path) })
}

func (m *model) stretches(of func(t tensor) bool) []stretchOfFlat {
	var out []stretchOfFlat
	for _, t := range m.params.tensors {
		switch n := len(out); {
		case !of(t):
		case n > 0 && out[n-1].to == t.at:
			out[n-1].to += t.size
		default:
			out = append(out, stretchOfFlat{t.at, t.at + t.size})
		}
	}
	return out
}

// of is the stretch of a Params; all of it where that is what it is.
func (r stretchOfFlat) of(m *model, x string) string {
	if r.from == 0 && r.to == m.params.size[m.params.elem] {
		return x + ".flat"
	}
	return fmt.Sprintf("%s.flat[%d:%d]", x, r.from, r.to)
}

// printAccumulate prints how micro-batches are added up.
func (m *model) printAccumulate(f *file, t *training) {
	if !m.summed(t) {
		return
	}
	n := t.accumulates()
	sum, micro := "m.gradSum"+t.suffix, "m.micro"+t.suffix
	doc := fmt.Sprintf("accumulate%s reports whether the gradient is that of the last of %d micro-batches, and makes it the mean over them; before, it adds it to the sum.", t.suffix, n)
	f.fn(doc, fmt.Sprintf("(m *%s) accumulate%s() bool", m.name, t.suffix), func(b *body) {
		list := m.trainedBy(t)
		b.block("switch "+micro, func() {
			b.stmt("case 0:")
			for _, r := range list {
				b.stmt("copy(%s, %s)", r.of(m, sum), r.of(m, "m.grad"))
			}
			b.stmt("case %d:", n-1)
			for _, r := range list {
				b.stmt("vec.Mean(%s, %s, %d)", r.of(m, "m.grad"), r.of(m, sum), n)
			}
			b.stmt("return true")
			b.stmt("default:")
			for _, r := range list {
				b.stmt("vec.Add(%s, %s)", r.of(m, sum), r.of(m, "m.grad"))
			}
		})
		b.stmt("%s++", micro)
		b.stmt("return false")
	})
}

// printNorm prints the norm of a gradient, and what bounds it.
func (m *model) printNorm(f *file, t *training) {
	if !t.norms() {
		return
	}
	doc := "norm" + t.suffix + " is the norm of the gradient over all parameters that are trained, added up in float64."
	f.fn(doc, fmt.Sprintf("(m *%s) norm%s(grad *%s) float64", m.name, t.suffix, m.public("Params")), func(b *body) {
		list := m.trainedBy(t)
		if len(list) == 1 {
			b.stmt("return math.Sqrt(vec.SumSquares(%s))", list[0].of(m, "grad"))
			return
		}
		b.stmt("sum := 0.0")
		for _, r := range list {
			b.stmt("sum += vec.SumSquares(%s)", r.of(m, "grad"))
		}
		b.stmt("return math.Sqrt(sum)")
	})
	if !t.clips() {
		return
	}
	doc = "clip" + t.suffix + " is what a gradient of this norm is multiplied by, so that its norm is at most the limit."
	f.fn(doc, fmt.Sprintf("(m *%s) clip%s(norm float64) float64", m.name, t.suffix), func(b *body) {
		frame := m.trainerFrame("clip", t, "norm")(&ir.Procedure{})
		e := &scalarExpr{c: procContext{frame}, loads: map[*ir.Node]ir.Access{}}
		limit, _ := e.value(t.Train.Clip.Limit, ir.Float64)
		if isUntyped(t.Train.Clip.Limit) {
			limit = "float64(" + limit + ")"
		}
		m.note(frame.err)
		b.block(fmt.Sprintf("if limit := %s; norm > limit", limit), func() { b.stmt("return limit / norm") })
		b.stmt("return 1")
	})
}

// printUpdate prints Update.
func (m *model) printUpdate(f *file, t *training) {
	name := "Update" + t.suffix
	doc := name + " makes the step of " + t.Train.Rule + " for a gradient that Grad" + t.suffix + " gave" + m.committed(t) + ". It panics if grad has no memory"
	if m.compose != nil {
		doc = strings.Replace(doc, "that Grad gave", "of the parameters, such as [*"+m.name+".Gradient]", 1)
	}
	long := t.limitReads("steps") || readsLength(t.update)
	if long {
		doc += ", or if Hyper.Steps is not set"
	}
	if t.norms() {
		doc += ", and with an error that wraps [fault.ErrNotFinite] if its norm is not finite; then nothing has changed"
	}
	f.fn(doc+".", fmt.Sprintf("(m *%s) %s(grad *%s)", m.name, name, m.public("Params")), func(b *body) {
		b.block("if len(grad.flat) != len(m.params.flat)", func() {
			b.stmt("panic(%q)", m.label+": "+name+": grad is not from "+m.maker("New", "Params"))
		})
		if long {
			b.block("if m.Hyper.Steps <= 0", func() { b.stmt("panic(%q)", m.label+": "+name+": Hyper.Steps is not set") })
		}
		if t.norms() {
			b.stmt("norm := %s", t.doing("norm", "grad"))
			b.block("if !vec.IsFinite(norm)", func() {
				b.stmt("panic(fault.GradientNotFinite(%q, m.%s+1, norm))", m.label+"."+name, t.counter())
			})
		}
		if t.clips() {
			b.stmt("%s", t.doing("update", "grad", t.doing("clip", "norm")))
		} else {
			b.stmt("%s", t.doing("update", "grad"))
		}
		if t.writesStates(m) {
			condition := "m.pending"
			if m.noPending() == "0" {
				condition += " == " + m.pendingOf(t)
			}
			b.block("if "+condition, func() { b.stmt("%s", t.doing("commit")) })
		}
		b.stmt("m.%s++", t.counter())
	})
}

// committed says what Update does beside the parameters.
func (m *model) committed(t *training) string {
	if t.writesStates(m) {
		return ", and commits the states that the last Grad" + t.suffix + " left"
	}
	return ""
}

// written is the model's states of which the forward of t leaves new values.
func (t *training) written(m *model) []*ir.State {
	return slices.DeleteFunc(slices.Clone(t.Written), func(s *ir.State) bool { return !slices.Contains(m.ir.States, s) })
}

func (t *training) writesStates(m *model) bool { return len(t.written(m)) > 0 }

// writes reports whether training sets states of the model.
func (m *model) writes() bool {
	if m.compose != nil && m.compose.rule.writesStates(m) {
		return true
	}
	return slices.ContainsFunc(m.trains, func(t *training) bool { return t.writesStates(m) })
}

// noPending is the value of pending while no Grad has left new states, and
// pendingOf what it is after Grad of t.
func (m *model) noPending() string {
	if len(m.trains) > 1 {
		return "0"
	}
	return "false"
}

func (m *model) pendingOf(t *training) string {
	if len(m.trains) < 2 {
		return "true"
	}
	return fmt.Sprint(1 + slices.Index(m.trains, t))
}

// printCommit prints how the model's states get their new values.
func (m *model) printCommit(f *file, t *training) {
	if !t.writesStates(m) {
		return
	}
	f.fn("commit"+t.suffix+" gives the states the new values that forward left.", fmt.Sprintf("(m *%s) commit%s()", m.name, t.suffix), func(b *body) {
		for _, s := range t.written(m) {
			field, ok := m.states.fieldOf(s.Path)
			if !ok {
				m.fail("state %s is written, but none of the model's", s.Path)
			}
			b.stmt("copy(m.states.%s, m.next.%s)", field, field)
		}
		b.stmt("m.pending = %s", m.noPending())
	})
}
