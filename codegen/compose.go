package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A composition is what is printed of a model as a part of a computation that a
// program composes by hand.
type composition struct {
	*ir.ComposePlan
	rule   *training // Update, where the model has a train
	intake *intake   // of Forward

	outputs   []operand // of Forward
	dout, din []operand // what Backward reads and returns

	forward, backward *method
}

// printComposed prints the bodies of Forward and Backward.
func (m *model) printComposed() {
	c := m.compose
	c.outputs = m.outputs
	floats := slices.DeleteFunc(slices.Clone(m.outputs), func(o operand) bool { return !o.Node.Type.Elem.IsFloat() })
	c.dout = floats
	for _, in := range m.batch.operands {
		if slices.ContainsFunc(c.Inputs, func(n ir.Named) bool { return n.Name == in.Name }) {
			in.bound = nil
			c.din = append(c.din, in)
		}
	}
	c.forward = m.method(c.Forward, m.composeFrame("forward", "out", "batch"), nil)
	c.backward = m.method(c.Backward, m.composeFrame("backward", "din", "dout", "batch"), nil)
	m.routinesOf(c.rule)
	c.rule.update = m.method(c.Update, m.trainerFrame("update", c.rule, c.rule.updateParams()...), nil)
}

// composeFrame makes the frames of Forward and Backward: those of a trainer's
// methods, with outputs and cotangents beside the batch.
func (m *model) composeFrame(where string, params ...string) frameMaker {
	trainer := m.trainerFrame(where, m.compose.rule, params...)
	return func(p *ir.Procedure) *frame {
		f := trainer(p)
		f.keys[1] = "m.call"
		bind := f.bind
		outputs, read := "out", where == "backward" // what Forward has returned
		f.plain = func(b *ir.Buffer) bool {
			return callersScalar(b) && !(read && b.Storage == ir.InOutput && !strings.HasPrefix(b.Key, "d "))
		}
		if read {
			outputs = "m.out"
		}
		f.bind = func(b *ir.Buffer) (string, bool) {
			name, gradient := strings.CutPrefix(b.Key, "d ")
			switch {
			case b.Storage == ir.InOutput && gradient:
				return (&form{operands: m.compose.din}).operand("din", name)
			case b.Storage == ir.InOutput:
				text, ok := (&form{operands: m.compose.outputs}).operand(outputs, name)
				if read && b.Type.Rank() == 0 {
					text = "[]" + goType(b.Type.Elem) + "{" + text + "}"
				}
				return text, ok
			case b.Storage == ir.InInput && gradient:
				return (&form{operands: m.compose.dout}).operand("dout", name)
			}
			return bind(b)
		}
		return f
	}
}

// printComposeFields prints the trainer's fields for Forward and Backward.
func (m *model) printComposeFields(b *body) {
	b.stmt("out %s // of Forward", m.public("Output"))
	b.stmt("din %s // of Backward", m.public("InputGradient"))
	b.stmt("last %s // batch of the last Forward", m.public("Batch"))
	b.stmt("composed bool // a Forward has left what Backward reads")
	if m.draws() {
		b.stmt("call uint64 // of the last Forward")
	}
}

// composeMakers is the fields for which New makes memory.
func (m *model) composeMakers() []string {
	makes := func(typ string, list []operand) string {
		var lines []string
		for _, o := range list {
			if t := o.Node.Type; t.Rank() > 0 {
				size := spellDim(t.Shape.Size(), func(name string) string { return m.capacity("max", name) })
				lines = append(lines, fmt.Sprintf("%s: make([]%s, %s)", o.field, goType(t.Elem), size))
			}
		}
		return typ + "{" + strings.Join(lines, ", ") + "}"
	}
	return []string{
		"out: " + makes(m.public("Output"), m.compose.outputs),
		"din: " + makes(m.public("InputGradient"), m.compose.din),
	}
}

// printComposeTypes prints what Backward returns.
func (m *model) printComposeTypes(f *file) {
	name := m.public("InputGradient")
	f.typ(name+" is the derivative of a number, which a program computes from the outputs, by the inputs: what Backward returns. Its slices belong to the trainer.", name, func(b *body) {
		for _, o := range m.compose.din {
			o.Doc = ""
			printOperand(b, o, "")
		}
	})
}

// printCompose prints Forward, Backward, Gradient and Update.
func (m *model) printCompose(f *file) {
	c := m.compose
	batch, out := m.public("Batch"), m.public("Output")
	m.printForward(f)
	m.printMethod(f, "forward computes the outputs and leaves what the backward reads.", m.signature("forward", "", "out *"+out, "batch *"+batch), c.forward)
	m.printBackward(f)
	m.printMethod(f, "backward sets din and the gradient from dout and what forward left.",
		m.signature("backward", "", "din *"+m.public("InputGradient"), "dout *"+m.public("Output"), "batch *"+batch), c.backward)
	doc := "Gradient is the gradient by the parameters that the last Backward set. It belongs to the trainer until its next Backward."
	f.fn(doc, fmt.Sprintf("(m *%s) Gradient() *%s", m.name, m.public("Params")), func(b *body) { b.stmt("return &m.grad") })
	if c.Update != nil {
		m.printRule(f, c.rule)
	} else {
		m.printCommit(f, c.rule)
	}
}

// printForward prints Forward.
func (m *model) printForward(f *file) {
	c, out := m.compose, m.public("Output")
	doc := `Forward computes the outputs as the model is in training. Their slices belong to the trainer until its next call; they and what batch has must stay as they are until Backward is done.

The error is a [fault.InputError] if the batch does not fit.`
	f.fn(doc, fmt.Sprintf("(m *%s) Forward(batch %s) (%s, error)", m.name, m.public("Batch"), out), func(b *body) {
		give := "return " + out + "{}, err"
		b.stmt("m.composed = false")
		b.block("if err := m."+c.intake.name+"(&batch); err != nil", func() { b.stmt("%s", give) })
		if readsLength(c.forward, c.backward) {
			b.block("if m.Hyper.Steps <= 0", func() {
				b.stmt("return %s{}, &fault.InputError{Model: %q, Input: \"Hyper.Steps\", Reason: \"is not set, but the model reads the length of the run\"}", out, m.label)
			})
		}
		m.printFits(b, "m", "batch", give, c.Forward)
		printLengths(b, "m.out", c.outputs, m.dimOf(m.batch, "batch"))
		if m.draws() {
			b.stmt("m.call = m.calls")
		}
		if c.rule.writesStates(m) && c.Update != nil {
			b.stmt("m.pending = %s // forward takes the place of what a Backward left", m.noPending())
		}
		b.stmt("m.forward(&m.out, &batch)")
		m.printMove(b, "m", "batch", c.Forward)
		if m.draws() {
			b.stmt("m.calls++")
		}
		b.stmt("m.last, m.composed = batch, true")
		b.stmt("return m.out, nil")
	})
}

// printBackward prints Backward.
func (m *model) printBackward(f *file) {
	c, din := m.compose, m.public("InputGradient")
	doc := "Backward takes dout, the derivative of a number by each floating output of the last Forward, back to the inputs, and sets [*" + m.name + ".Gradient]. The slices that it returns belong to the trainer until its next call."
	if m.compose.rule.writesStates(m) && c.Update == nil {
		doc += " It commits the states that the Forward left."
	}
	if len(c.dout) < len(c.outputs) {
		doc += " It does not read the other fields of dout."
	}
	doc += "\n\nThe error is a [fault.InputError] if dout does not fit, or no Forward was made since the last Backward."
	f.fn(doc, fmt.Sprintf("(m *%s) Backward(dout %s) (%s, error)", m.name, m.public("Output"), din), func(b *body) {
		b.block("if !m.composed", func() {
			b.stmt("return %s{}, &fault.InputError{Model: %q, Input: \"dout\", Reason: \"there is no Forward that it belongs to\"}", din, m.label)
		})
		for _, o := range c.dout {
			if o.Node.Type.Rank() > 0 {
				size := spellDim(o.Node.Type.Shape.Size(), m.dimOf(m.batch, "m.last"))
				b.block(fmt.Sprintf("if err := fault.Len(%q, %q, len(dout.%s), %s); err != nil", m.label, "d"+o.field, o.field, size), func() { b.stmt("return %s{}, err", din) })
			}
		}
		b.stmt("m.composed = false")
		printLengths(b, "m.din", c.din, m.dimOf(m.batch, "m.last"))
		m.printEmptyBackward(b)
		for _, r := range m.untrained(c.rule) {
			b.stmt("clear(%s)", r.part(m, "m.grad"))
		}

		// It reads the carries as the Forward did, which has moved them on.
		moved := m.carries.of(c.Forward, true)
		printSwap(b, "m", moved)
		b.stmt("m.backward(&m.din, &dout, &m.last)")
		printSwap(b, "m", moved)
		if c.rule.writesStates(m) {
			if c.Update == nil {
				b.stmt("m.commit()")
			} else {
				b.stmt("m.pending = true")
			}
		}
		b.stmt("return m.din, nil")
	})
}

// printEmptyBackward prints what Backward does for an empty batch.
func (m *model) printEmptyBackward(b *body) {
	if _, constant := m.compose.intake.empty.Const(); constant {
		return
	}
	b.block("if "+spellDim(m.compose.intake.empty, m.dimOf(m.batch, "m.last"))+" == 0", func() {
		m.clearParams(b, "m.grad")
		for _, o := range m.compose.din {
			if o.Node.Type.Rank() > 0 {
				b.stmt("clear(m.din.%s)", o.field)
			} else {
				b.stmt("m.din.%s = 0", o.field)
			}
		}
		b.stmt("return m.din, nil")
	})
}
