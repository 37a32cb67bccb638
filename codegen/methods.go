package codegen

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"gradgen.dev/ir"
)

// nameBuffers names the fields that hold scratch memory.
func (m *model) nameBuffers() {
	p, t := m.plan, m.first()
	m.buffers = buffersOf(p.Init, t.Forward, t.Backward, t.Gradient, t.Update, p.Evaluate, p.Predict)
	m.ofTrainer = fieldsFor(p.Trainer.Buffers, "Hyper", "params", "optim", "states", "grad", "steps", "calls", "seed", "max",
		"forward", "backward", "gradient", "update", "evaluate", "initialise", "take", "weights", "tensors", "checkpoint", "next", "spare", "pending", "commit")
	m.ofReader = fieldsFor(p.Reader.Buffers, "w", "max", "calls", "predict")
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
	p, t := m.plan, m.first()
	m.initial = m.method(p.Init, m.trainerFrame(p.Init, "initialise", "seed"), nil)
	m.forward = m.method(t.Forward, m.trainerFrame(t.Forward, "forward", "batch"), m.returnTotals)
	m.evaluate = m.method(p.Evaluate, m.trainerFrame(p.Evaluate, "evaluate", "batch"), m.returnTotals)
	m.backward = m.method(t.Backward, m.trainerFrame(t.Backward, "backward", "batch"), nil)
	m.gradient = m.method(t.Gradient, m.trainerFrame(t.Gradient, "gradient", "grad", "batch"), nil)
	m.update = m.method(t.Update, m.trainerFrame(t.Update, "update", "grad"), nil)
	m.predict = m.method(p.Predict, m.predictorFrame(p.Predict), nil)
}

// method prints p; nil where p is. What epilogue adds stands at the end.
func (m *model) method(p *ir.Procedure, f *frame, epilogue func(b *body, c procContext, p *ir.Procedure)) *method {
	if p == nil {
		return nil
	}
	c := procContext{f}
	var inner, tail body
	procedure(&inner, c, p)
	c.epilogue(&tail)
	if epilogue != nil {
		epilogue(&tail, c, p)
	}

	// The prologue says what the paragraphs have asked for.
	all := c.prologue()
	if len(all.code) > 0 && len(inner.code) > 0 {
		all.blank()
	}
	all.code = append(all.code, inner.code...)
	if len(all.code) > 0 && len(tail.code) > 0 {
		all.blank()
	}
	all.code = append(all.code, tail.code...)
	m.note(f.err)
	return &method{c, all}
}

// uses reports whether one of the methods does what of asks.
func uses(of func(f *frame) bool, list ...*method) bool {
	return slices.ContainsFunc(list, func(m *method) bool { return m != nil && of(m.ctx.frame) })
}

// trainerFrame is the frame of the method of the trainer m that p becomes.
func (m *model) trainerFrame(p *ir.Procedure, where string, params ...string) *frame {
	f := newFrame(where, m.ir.Elem, m.ir.Dims, buffersOf(p), append(params, "m")...)
	f.plain = callersScalar
	f.hypers = func(name string) string { return "m.Hyper." + m.hyperField(name) }
	f.count, f.length, f.keys = "m.steps", "m.Hyper.Steps", [2]string{"m.seed", "m.calls"}
	f.dims = func(name string) string { return m.dimOf("batch", name, m.inputs) }
	if where == "initialise" {
		f.keys = [2]string{"seed", "0"}
	}
	given := setOf(params...)
	f.bind = func(b *ir.Buffer) (string, bool) {
		switch b.Storage {
		case ir.InParam:
			return found("m.params.", m.params, b.Key)
		case ir.InState:
			if path, ok := strings.CutSuffix(b.Key, ir.NextKey); ok {
				return found("m.next.", m.states, path)
			}
			if text, ok := m.optim.whole("m.optim.", b.Key); ok {
				return text, true
			}
			if text, ok := found("m.states.", m.states, b.Key); ok {
				return text, true
			}
			return found("m.optim.", m.optim, b.Key)
		case ir.InGrad:
			text, ok := found("grad.", m.params, b.Key)
			return text, ok && given["grad"]
		case ir.InInput:
			text, ok := m.inputOf("batch", b.Key)
			return text, ok && given["batch"]
		case ir.InTable:
			return m.table(b), true
		case ir.InArena:
			return m.scratch(procContext{f}, "m", m.ofTrainer, b), true
		}
		return "", false
	}
	return f
}

// predictorFrame is the frame of the predictor's method.
func (m *model) predictorFrame(p *ir.Procedure) *frame {
	f := newFrame("predict", m.ir.Elem, m.ir.Dims, buffersOf(p), "p", "out", "in")
	f.plain = callersScalar
	f.hypers = func(name string) string { return "p.w.hyper." + m.hyperField(name) }
	f.count, f.length, f.keys = "p.w.steps", "p.w.hyper.Steps", [2]string{"p.w.seed", "p.calls"}
	f.dims = func(name string) string { return m.dimOf("in", name, m.reads) }
	f.bind = func(b *ir.Buffer) (string, bool) {
		switch b.Storage {
		case ir.InParam:
			return found("p.w.params.", m.params, b.Key)
		case ir.InState:
			return found("p.w.states.", m.states, b.Key)
		case ir.InInput:
			return m.inputOf("in", b.Key)
		case ir.InOutput:
			for _, o := range m.outputs {
				if o.Name == b.Key {
					return "out." + o.field, true
				}
			}
		case ir.InTable:
			return m.table(b), true
		case ir.InArena:
			return m.scratch(procContext{f}, "p", m.ofReader, b), true
		}
		return "", false
	}
	return f
}

// callersScalar reports whether b is a scalar field of a batch or an output.
func callersScalar(b *ir.Buffer) bool {
	return b.Type.Rank() == 0 && (b.Storage == ir.InInput || b.Storage == ir.InOutput)
}

// found is the field of a path of g.
func found(prefix string, g *group, path string) (string, bool) {
	if path == "*" {
		return prefix + "flat", true
	}
	field, ok := g.fieldOf(path)
	return prefix + field, ok
}

func (m *model) inputOf(x, name string) (string, bool) {
	for _, in := range m.inputs {
		if in.Name == name {
			return x + "." + in.field, true
		}
	}
	return "", false
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

// returnTotals returns the parts that a procedure has found.
func (m *model) returnTotals(b *body, c procContext, p *ir.Procedure) {
	lines := []string{"batches: 1"}
	results := p.Results
	for i, part := range m.plan.Parts {
		value := ""
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
	b.literal("return "+m.public("Totals"), lines)
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

// printMethod prints a method of the trainer or predictor.
func (m *model) printMethod(f *file, doc, signature string, of *method) {
	if of == nil {
		return
	}
	f.fn(doc, fmt.Sprintf(signature, m.name), func(b *body) { b.code = of.body.code })
}
