package codegen

import (
	"slices"
	"strings"
	"unicode"

	"gradgen.dev/ir"
)

// nameBuffers names the fields that hold scratch memory.
func (m *model) nameBuffers() {
	p := m.plan
	list := []*ir.Procedure{p.Init}
	for _, t := range m.trains {
		list = append(list, t.Forward, t.Backward, t.Gradient, t.Update)
	}
	if c := p.Compose; c != nil {
		list = append(list, c.Forward, c.Backward, c.Update)
	}
	list = append(list, p.Evaluate, p.Predict)
	for _, e := range p.Exports {
		list = append(list, e.Proc)
	}
	m.buffers = buffersOf(list...)

	// Fields and methods of the trainer and of the predictor share one scope.
	trainer := append([]string{"Hyper", "params", "optim", "states", "grad", "calls", "seed", "max", "initialise", "evaluate", "take",
		"tensors", "checkpoint", "forward", "backward", "gradient", "update", "steps"}, m.counters()...)
	for _, t := range append(slices.Clone(m.trains), m.rules()...) {
		for _, name := range []string{"forward", "backward", "gradient", "update", "take", "commit"} {
			trainer = append(trainer, name+t.suffix)
		}
		if m.summed(t) {
			trainer = append(trainer, "gradSum"+t.suffix, "micro"+t.suffix, "accumulate"+t.suffix)
		}
		if t.norms() {
			trainer = append(trainer, "norm"+t.suffix, "clip"+t.suffix)
		}
	}
	if len(m.plan.Averages) > 0 {
		trainer = append(trainer, "averages", "read", "startAverages", "trained")
	}
	if m.writes() {
		trainer = append(trainer, "next", "pending")
	}
	if m.carries.any() {
		trainer = append(trainer, "carry", "carryNext", "held")
	}
	if len(m.tensorParts()) > 0 {
		trainer = append(trainer, "sums")
	}
	if m.compose != nil {
		trainer = append(trainer, "out", "din", "last", "composed", "call")
	}
	m.ofTrainer = fieldsFor(p.Trainer.Buffers, trainer...)
	reader := []string{"w", "max", "calls", "predict", "carry", "carryNext", "held"}
	for _, e := range m.exports {
		reader = append(reader, e.private)
	}
	m.ofReader = fieldsFor(p.Reader.Buffers, reader...)
}

// fieldsFor is a field for each buffer.
func fieldsFor(list []*ir.Buffer, reserved ...string) map[*ir.Buffer]string {
	names, out := newScope(reserved...), map[*ir.Buffer]string{}
	for _, b := range list {
		name := b.Name
		if unicode.IsUpper(firstRune(name)) {
			name = unexported(name)
		}
		out[b] = names.take(name, "Buf")
	}
	return out
}

// printProcedures prints the bodies of all procedures, from which follows what
// the types need to have.
func (m *model) printProcedures() {
	p := m.plan
	m.initial = m.method(p.Init, m.trainerFrame("initialise", nil, "seed"), nil)
	for _, t := range m.trains {
		m.printProceduresOf(t)
	}
	if m.compose != nil {
		m.printComposed()
	}

	// Inference reads the averages; where it is like training otherwise, the
	// forward serves.
	evaluate := p.Evaluate
	if evaluate == nil && m.averaged() && len(m.trains) > 0 {
		evaluate = m.trains[0].Forward
	}
	m.evaluate = m.method(evaluate, m.trainerFrame("evaluate", m.first(), "batch"), m.returnTotals(nil))
	m.predict = m.method(p.Predict, m.predictorFrame("predict", m.in, m.outputs), nil)
	for _, e := range m.exports {
		e.method = m.method(e.plan.Proc, m.predictorFrame(e.private, e.in, e.results), nil)
	}
}

// printProceduresOf prints those of one loss.
func (m *model) printProceduresOf(t *training) {
	t.forward = m.method(t.Forward, m.trainerFrame("forward", t, "batch"), m.returnTotals(t.Parts))
	t.backward = m.method(t.Backward, m.trainerFrame("backward", t, "batch"), nil)
	t.gradient = m.method(t.Gradient, m.trainerFrame("gradient", t, "grad", "batch"), nil)
	m.routinesOf(t)
	t.update = m.method(t.Update, m.trainerFrame("update", t, t.updateParams()...), nil)
}

// first is the training of the first loss, nil where there is none.
func (m *model) first() *training {
	if len(m.trains) > 0 {
		return m.trains[0]
	}
	if m.compose != nil {
		return m.compose.rule
	}
	return nil
}

// uses reports whether one of the methods does what of asks.
func uses(of func(f *frame) bool, list ...*method) bool {
	for _, m := range list {
		if m != nil && slices.ContainsFunc(m.parts, func(p part) bool { return of(p.ctx.frame) }) {
			return true
		}
	}
	return false
}

// counter is the field that counts the updates of t.
func (t *training) counter() string {
	if t == nil {
		return "steps"
	}
	return "steps" + t.suffix
}

// trainerFrame makes the frames of the method where of the trainer, which
// belongs to a loss or to none.
func (m *model) trainerFrame(where string, t *training, params ...string) frameMaker {
	return func(p *ir.Procedure) *frame {
		f := newFrame(where, m.ir.Elem, m.runDims, buffersOf(p), append(slices.Clone(params), "m")...)
		f.plain = callersScalar
		f.hypers = func(name string) string { return "m.Hyper." + m.hyperField(name) }
		f.count, f.length, f.keys = "m."+t.counter(), "m.Hyper.Steps", [2]string{"m.seed", "m.calls"}
		f.dims = m.dimOf(m.batch, "batch")
		if slices.Contains(params, "factor") {
			f.factor = "factor"
		}
		if where == "initialise" {
			f.keys = [2]string{"seed", "0"}
		}
		f.bind = func(b *ir.Buffer) (string, bool) { return m.bindTrainer(procContext{f}, where, setOf(params...), b) }
		f.call = func(b *body, s *ir.CallStep) { m.printRun(b, procContext{f}, where, setOf(params...), s) }
		return f
	}
}

// bindTrainer is where a buffer lies in the method where of the trainer, whose
// parameters are given.
func (m *model) bindTrainer(c procContext, where string, given map[string]bool, b *ir.Buffer) (string, bool) {
	switch b.Storage {
	case ir.InParam:
		if b.Run != nil {
			return m.params.run("m.params.", b.Key, b.Run)
		}
		if where == "evaluate" && m.averaged() {
			return found("m.read.", m.params, b.Key)
		}
		return found("m.params.", m.params, b.Key)
	case ir.InState:
		if b.Run != nil {
			return m.bindRun(b)
		}
		return m.bindState(b.Key)
	case ir.InCarry:
		return m.carries.bind(c, "m", b)
	case ir.InGrad:
		of := "grad"
		if !given["grad"] {
			of = "m.grad"
		}
		if b.Run != nil {
			return m.params.run(of+".", b.Key, b.Run)
		}
		text, ok := found(of+".", m.params, b.Key)
		return text, ok && (given["grad"] || m.compose != nil)
	case ir.InInput:
		text, ok := m.batch.operand("batch", b.Key)
		return text, ok && given["batch"]
	case ir.InOutput:
		field, ok := m.partField(b.Key)
		return "m.sums." + field, ok
	case ir.InTable:
		return m.table(b), true
	case ir.InArena:
		return m.scratch(c, "m", m.ofTrainer, b), true
	}
	return "", false
}

// bindState is where the trainer keeps a state.
func (m *model) bindState(key string) (string, bool) {
	if path, ok := strings.CutSuffix(key, ir.NextKey); ok {
		return found("m.next.", m.states, path)
	}
	if text, ok := found("m.states.", m.states, key); ok {
		return text, true
	}
	for _, g := range m.groups() {
		if text, ok := found("m."+g.name+".", g.group, key); ok {
			return text, true
		}
	}
	return "", false
}

// bindRun is where the trainer keeps the states of a run of parameters.
func (m *model) bindRun(b *ir.Buffer) (string, bool) {
	for _, g := range m.groups() {
		if text, ok := g.run("m."+g.name+".", b.Key, b.Run); ok {
			return text, true
		}
	}
	return "", false
}

// predictorFrame makes the frames of a method of the predictor.
func (m *model) predictorFrame(where string, in *form, outputs []operand) frameMaker {
	return func(p *ir.Procedure) *frame {
		f := newFrame(where, m.ir.Elem, m.runDims, buffersOf(p), "p", "out", "in")
		f.plain = callersScalar
		f.hypers = func(name string) string { return "p.w.hyper." + m.hyperField(name) }
		f.count, f.length, f.keys = "p.w.steps", "p.w.hyper.Steps", [2]string{"p.w.seed", "p.calls"}
		f.dims = m.dimOf(in, "in")
		f.bind = func(b *ir.Buffer) (string, bool) {
			switch b.Storage {
			case ir.InParam:
				return found("p.w.params.", m.params, b.Key)
			case ir.InState:
				return found("p.w.states.", m.states, b.Key)
			case ir.InCarry:
				return m.carries.bind(procContext{f}, "p", b)
			case ir.InInput:
				return in.operand("in", b.Key)
			case ir.InOutput:
				return (&form{operands: outputs}).operand("out", b.Key)
			case ir.InTable:
				return m.table(b), true
			case ir.InArena:
				return m.scratch(procContext{f}, "p", m.ofReader, b), true
			}
			return "", false
		}
		return f
	}
}

// callersScalar reports whether b is a scalar field of a batch or an output.
func callersScalar(b *ir.Buffer) bool {
	return b.Type.Rank() == 0 && (b.Storage == ir.InInput || b.Storage == ir.InOutput)
}

// found is the field of a path of g.
func found(prefix string, g *group, path string) (string, bool) {
	field, ok := g.fieldOf(path)
	return prefix + field, ok
}

func (m *model) hyperField(name string) string {
	for i, h := range m.ir.Hyper {
		if h.Name == name {
			return m.hypers[i]
		}
	}
	m.fail("model %s has no number %s", m.ir.Name, name)
	return name
}

// scratch is a buffer of the arena cut to the size of this call. What the owner
// has no field for is needed once, and made.
func (m *model) scratch(c procContext, owner string, fields map[*ir.Buffer]string, b *ir.Buffer) string {
	size := b.Type.Shape.Size()
	field, ok := fields[b]
	switch _, constant := size.Const(); {
	case !ok:
		return "make([]" + goType(b.Type.Elem) + ", " + c.dim(size) + ")"
	case constant:
		return owner + "." + field
	}
	return owner + "." + field + "[:" + c.dim(size) + "]"
}

// table is the package-level variable that holds the literals of b.
func (m *model) table(b *ir.Buffer) string { return unexported(m.name) + exported(b.Name) }

// returnTotals returns the parts that a procedure has found, of those whose
// indices are in list, or of all.
func (m *model) returnTotals(list []int) epilogue {
	return func(b *body, c procContext, p *ir.Procedure) {
		lines := []string{"batches: 1"}
		results := p.Results
		for i, part := range m.plan.Parts {
			if list != nil && !slices.Contains(list, i) {
				continue
			}
			value := ""
			if part.Node.Type.Rank() > 0 {
				continue // in memory
			}
			if part.Size != nil {
				value = "float64(" + c.dim(*part.Size) + ")"
			} else if len(results) == 0 {
				c.fail("%s has too few results", c.where)
				return
			} else {
				value = m.result(b, c, results[0])
				results = results[1:]
			}
			lines = append(lines, m.parts[i]+": "+value)
		}
		b.literal("return "+m.public("Totals"), append(lines, m.partLines(list)...))
	}
}

// result is the scalar in r as a float64; what holds is 1.
func (m *model) result(b *body, c procContext, r *ir.Buffer) string {
	value := c.buffer(r)
	if !c.isScalar(r) {
		value += "[0]"
	}
	switch {
	case r.Type.Elem == ir.Bool:
		holds := c.local(c.buffer(r) + "Holds")
		b.stmt("%s := 0.0", holds)
		b.block("if "+value, func() { b.stmt("%s = 1", holds) })
		return holds
	case r.Wide || r.Type.Elem == ir.Float64:
		return value
	}
	return "float64(" + value + ")"
}
