package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// fatal ends the test where an error is none that a rate too high for random
// data explains; where it is, the test is over.
func fatal(b *body) {
	b.block("if errors.Is(err, fault.ErrNotFinite)", func() { b.stmt("return // the rate is too high for random data") })
	b.block("if err != nil", func() { b.stmt("t.Fatal(err)") })
}

// printStepTest checks that Step is Grad, then Update, and the same each time;
// with micro-batches, that equal ones make the update of one.
func (m *model) printStepTest(f *file, t *training) {
	s := t.suffix
	doc := fmt.Sprintf("Step%s is Grad%s, then Update%s, and every time the same.", s, s, s)
	repeated := t.accumulates() > 1
	if repeated {
		if m.draws() || t.writesStates(m) || len(m.carries.of(t.Forward, true)) > 0 {
			f.note("Step%s of %s is compared with no sum of equal micro-batches: they differ by their draws or by what the model keeps.", s, m.name)
			return
		}
		doc = fmt.Sprintf("%d equal micro-batches make the update of one, and every time the same.", t.accumulates())
	}
	f.fn(doc, "Test"+m.name+"Step"+s+"(t *testing.T)", func(b *body) {
		b.stmt("dims := %s[len(%s)-1]", m.test("Sizes"), m.test("Sizes"))
		b.stmt("m, batch := %s(dims)", m.test("Sample"))
		b.stmt("again, _ := %s(dims)", m.test("Sample"))
		b.stmt("n, _ := %s(dims)", m.test("Sample"))
		b.stmt("grad := %s()", m.maker("New", "Params"))
		b.block("for range 3", func() {
			b.stmt("before := %s", m.cloned("m.params"))
			b.stmt("a, err := m.Step%s(batch)", s)
			if repeated {
				b.block(fmt.Sprintf("for i := 1; err == nil && i < %d; i++", t.accumulates()), func() { b.stmt("a, err = m.Step%s(batch)", s) })
			}
			fatal(b)
			if repeated {
				b.block(fmt.Sprintf("for range %d", t.accumulates()-1), func() {
					b.block("if _, err := again.Step"+s+"(batch); err != nil", func() { b.stmt("t.Fatal(err)") })
				})
			}
			b.block(fmt.Sprintf("if same, err := again.Step%s(batch); err != nil || same != a || !slices.Equal(%s, %s)", s, m.elements("again.params"), m.elements("m.params")), func() {
				b.stmt("t.Fatalf(\"Step%s gives %%v, then from the same start %%v, error %%v\", a, same, err)", s)
			})
			m.printGradUpdate(b, t)
		})
	})
}

// printGradUpdate makes the step by Grad and Update, and compares.
func (m *model) printGradUpdate(b *body, t *training) {
	s := t.suffix
	b.blank()
	b.comment("A change is compared with the largest, whose rounding it may share.")
	b.stmt("b, err := n.Grad%s(grad, batch)", s)
	fatal(b)
	b.stmt("n.Update%s(grad)", s)
	loss := t.field
	b.block(fmt.Sprintf("if math.Abs(a.%s-b.%s) > 1e-4*(1+math.Abs(b.%s))", loss, loss, loss), func() {
		b.stmt("t.Fatalf(\"Step%s reports %%v, Grad%s %%v\", a, b)", s, s)
	})
	b.stmt("largest := 0.0")
	stepped := m.elements("m.params")
	other := m.elements("n.params")
	if m.params.mixed() {
		b.stmt("stepped, updated := %s, %s", stepped, other)
		stepped, other = "stepped", "updated"
	}
	b.block("for i, v := range "+stepped, func() {
		b.stmt("largest = max(largest, math.Abs(float64(v-before[i])))")
	})
	b.block("for i, v := range "+stepped, func() {
		b.stmt("w := %s[i]", other)
		b.block("if math.Abs(float64(v-w)) > 1e-4*(1+math.Abs(float64(w))+largest)", func() {
			b.stmt("t.Fatalf(\"parameter %%d: Step%s %%v, Grad%s and Update%s %%v\", i, v, w)", s, s, s)
		})
	})
	m.copyParams(b, "n.params", "m.params")
}

// printAllocationTest checks that no entry allocates.
func (m *model) printAllocationTest(f *file) {
	if !m.batched() && !m.infers() {
		return
	}
	f.fn("", "Test"+m.name+"Allocations(t *testing.T)", func(b *body) {
		b.stmt("dims := %s[len(%s)-1]", m.test("Sizes"), m.test("Sizes"))
		m.sample(b, "m", "batch")
		calls := m.trainerCalls(b)
		if m.infers() {
			b.stmt("p := %s(m.Snapshot(), dims)", m.maker("New", "Predictor"))
		}
		if m.predicts() {
			b.stmt("in := %s(dims)", m.test("Input"))
			b.stmt("var out %s", m.public("Output"))
			calls = append(calls, `{"Predict", func() error { return p.Predict(&out, in) }}`)
		}
		for _, e := range m.exports {
			b.stmt("in%s := %s(dims)", e.name, m.test(e.name+"Input"))
			b.stmt("var out%s %s", e.name, e.out)
			calls = append(calls, fmt.Sprintf(`{"%s", func() error { return p.%s(&out%s, in%s) }}`, e.name, e.name, e.name, e.name))
		}
		b.block("for _, c := range []struct", func() {
			b.stmt("name string")
			b.stmt("call func() error")
		})
		b.tail("{\n" + strings.Join(calls, ",\n") + ",\n} {")
		b.stmt("var err error")
		b.stmt("n := testing.AllocsPerRun(5, func() {")
		b.block("if e := c.call(); e != nil", func() { b.stmt("err = e") })
		b.stmt("})")
		b.block("if err != nil || n != 0", func() { b.stmt("t.Errorf(\"%%s: %%v allocations, error %%v\", c.name, n, err)") })
		b.stmt("}")
	})
}

// trainerCalls is the trainer's entries as functions without arguments. Those
// that train start from parameters at which a step is finite.
func (m *model) trainerCalls(b *body) []string {
	var calls []string
	if m.trained() || len(m.trains) > 0 && m.trains[0].gradient != nil {
		if m.compose == nil {
			b.stmt("grad := %s()", m.maker("New", "Params"))
		}
	}
	if m.trained() {
		m.printStarts(b)
	}
	for _, t := range m.trains {
		s := t.suffix
		if t.gradient != nil {
			calls = append(calls, fmt.Sprintf(`{"Grad%s", func() error { _, err := m.Grad%s(grad, batch); return err }}`, s, s))
		}
		if t.Update != nil {
			calls = append(calls, fmt.Sprintf(`{"Update%s", func() error { m.Update%s(grad); return nil }}`, s, s),
				fmt.Sprintf(`{"Step%s", func() error { %s_, err := m.Step%s(batch); return err }}`, s, m.restart(), s))
		}
	}
	if m.compose != nil {
		m.printCotangent(b)
		calls = append(calls, `{"Forward", func() error { _, err := m.Forward(batch); return err }}`,
			`{"Backward", func() error { m.composed = true; _, err := m.Backward(dout); return err }}`)
		if m.trained() {
			calls = append(calls, `{"Update", func() error { `+m.restart()+`m.Update(m.Gradient()); return nil }}`)
		}
	}
	if m.evaluates() {
		b.stmt("var totals %s", m.public("Totals"))
		if m.trained() {
			calls = append(calls, `{"Evaluate", func() error { `+m.restart()+`return m.Evaluate(&totals, batch) }}`)
		} else {
			calls = append(calls, `{"Evaluate", func() error { return m.Evaluate(&totals, batch) }}`)
		}
	}
	return calls
}

// printCotangent makes a derivative by the outputs.
func (m *model) printCotangent(b *body) {
	dims := func(name string) string { return m.capacity("dims", name) }
	b.stmt("var dout %s", m.public("Output"))
	for i, o := range m.compose.dout {
		element := fmt.Sprintf("%s(2*rng.Uniform64(%d, uint64(i)) - 1)", goType(o.Node.Type.Elem), 41+i)
		if o.Node.Type.Rank() == 0 {
			b.stmt("dout.%s = %s", o.field, strings.ReplaceAll(element, "uint64(i)", "0"))
			continue
		}
		b.stmt("dout.%s = make([]%s, %s)", o.field, goType(o.Node.Type.Elem), spellDim(o.Node.Type.Shape.Size(), dims))
		b.block("for i := range dout."+o.field, func() { b.stmt("dout.%s[i] = %s", o.field, element) })
	}
}

// printFileTest checks that what is written is read back.
func (m *model) printFileTest(f *file) {
	f.fn("What is written is read back, and a damaged file changes nothing.", "Test"+m.name+"Files(t *testing.T)", func(b *body) {
		b.stmt("dims := %s[0]", m.test("Sizes"))
		trains := slices.ContainsFunc(m.trains, func(t *training) bool { return t.Update != nil })
		batch := "_"
		if trains {
			batch = "batch"
		}
		m.sample(b, "m", batch)
		for _, t := range m.trains {
			if t.Update == nil {
				continue
			}
			step := func() {
				b.block("if _, err := m.Step"+t.suffix+"(batch); err != nil && !errors.Is(err, fault.ErrNotFinite)", func() { b.stmt("t.Fatal(err)") })
			}
			if n := t.accumulates(); n > 1 {
				b.comment("An update, and a half.")
				b.block(fmt.Sprintf("for range %d", n+n/2), step)
			} else {
				step()
			}
		}
		b.stmt("var weights, checkpoint bytes.Buffer")
		b.block("if err := errors.Join(m.Save(&weights), m.Checkpoint(&checkpoint)); err != nil", func() { b.stmt("t.Fatal(err)") })

		b.blank()
		b.comment("Half a file is an error.")
		b.stmt("n := %s(dims)", m.maker("New", ""))
		b.stmt("before := %s", m.cloned("n.params"))
		b.stmt("half := bytes.NewReader(weights.Bytes()[:weights.Len()/2])")
		b.block("if err := n.Load(half); err == nil || !slices.Equal("+m.elements("n.params")+", before)", func() {
			b.stmt("t.Errorf(\"Load of half a file: error %%v\", err)")
		})

		b.blank()
		b.comment("Load gives the weights back, and Restore the run, bit for bit.")
		m.printReload(b)
		m.printRestored(b)
	})
}

// printReload loads the weights and compares what is saved again.
func (m *model) printReload(b *body) {
	b.stmt("var reloaded bytes.Buffer")
	for _, c := range m.numbersRead() {
		if c.key == "seed" || c.key == "steps" {
			b.stmt("n.%s = m.%s // which Load leaves alone", c.trainer, c.trainer)
		}
	}
	b.block("if err := errors.Join(n.Load(bytes.NewReader(weights.Bytes())), n.Save(&reloaded)); err != nil || !bytes.Equal(reloaded.Bytes(), weights.Bytes())", func() {
		b.stmt("t.Errorf(\"after Load the weights differ, error %%v\", err)")
	})
}

// printRestored restores the checkpoint and goes on from it on both sides.
func (m *model) printRestored(b *body) {
	b.stmt("n = %s(dims)", m.maker("New", ""))
	b.block("if err := n.Restore(&checkpoint); err != nil", func() { b.stmt("t.Fatal(err)") })
	for _, t := range m.trains {
		if t.Update == nil {
			continue
		}
		step := func() {
			b.stmt("a, errA := m.Step%s(batch)", t.suffix)
			b.stmt("b, errB := n.Step%s(batch)", t.suffix)
			b.block("if fmt.Sprint(a, errA) != fmt.Sprint(b, errB)", func() {
				b.stmt("t.Errorf(\"after Restore Step%s gives %%v, %%v, without %%v, %%v\", b, errB, a, errA)", t.suffix)
			})
		}
		b.block(fmt.Sprintf("for range %d", 2*t.accumulates()), step)
	}
	b.stmt("var resumed, uninterrupted bytes.Buffer")
	b.block("if err := errors.Join(n.Checkpoint(&resumed), m.Checkpoint(&uninterrupted)); err != nil || !bytes.Equal(resumed.Bytes(), uninterrupted.Bytes())", func() {
		b.stmt("t.Errorf(\"a run that was restored differs from one that was not interrupted, error %%v\", err)")
	})
}

// printPredictTest checks that all ways of predicting agree.
func (m *model) printPredictTest(f *file) {
	f.fn("Weights, a Predictor and weights from a file predict the same.", "Test"+m.name+"Predict(t *testing.T)", func(b *body) {
		b.block("for _, dims := range "+m.test("Sizes"), func() {
			m.sample(b, "m", "_")
			b.stmt("var file bytes.Buffer")
			b.block("if err := m.Save(&file); err != nil", func() { b.stmt("t.Fatal(err)") })
			b.stmt("w, err := %s(file.Bytes())", m.maker("Parse", "Weights"))
			b.block("if err != nil", func() { b.stmt("t.Fatal(err)") })
			if m.predicts() {
				m.printPredictCheck(b, "Predict", m.test("Input"), m.public("Output"), m.outputs)
			}
			for _, e := range m.exports {
				m.printPredictCheck(b, e.name, m.test(e.name+"Input"), e.out, e.results)
			}
		})
	})
}

// printPredictCheck compares an entry of weights with that of a predictor.
func (m *model) printPredictCheck(b *body, name, input, out string, outputs []operand) {
	b.block("", func() {
		b.stmt("in := %s(dims)", input)
		b.stmt("a, err := w.%s(in)", name)
		b.block("if err != nil", func() { b.stmt("t.Fatal(err)") })
		b.stmt("var b %s", out)
		b.block(fmt.Sprintf("if err := %s(m.Snapshot(), dims).%s(&b, in); err != nil", m.maker("New", "Predictor"), name), func() { b.stmt("t.Fatal(err)") })
		for _, o := range outputs {
			same := fmt.Sprintf("fmt.Sprint(a.%s) != fmt.Sprint(b.%s)", o.field, o.field) // NaN is like NaN
			b.block("if "+same, func() {
				b.stmt("t.Errorf(\"%s at %%v: %%v of the file, %%v of the trainer\", dims, a.%s, b.%s)", o.field, o.field, o.field)
			})
		}
	})
}

// printCarryTest checks that a predictor goes on from call to call, and starts
// anew after Reset.
func (m *model) printCarryTest(f *file) {
	name, input, out, in, p := "Predict", m.test("Input"), m.public("Output"), m.in, m.plan.Predict
	if p == nil || len(m.carries.of(p, true)) == 0 {
		k := slices.IndexFunc(m.exports, func(e *export) bool { return len(m.carries.of(e.plan.Proc, true)) > 0 })
		if k < 0 {
			return
		}
		e := m.exports[k]
		name, input, out, in, p = e.name, m.test(e.name+"Input"), e.out, e.in, e.plan.Proc
	}
	f.fn("A predictor goes on from call to call, and starts anew after Reset.", "Test"+m.name+"Reset(t *testing.T)", func(b *body) {
		b.stmt("dims := %s[len(%s)-1]", m.test("Sizes"), m.test("Sizes"))
		m.sample(b, "m", "_")
		b.stmt("p, in := %s(m.Snapshot(), dims), %s(dims)", m.maker("New", "Predictor"), input)
		b.stmt("var first, second, third %s", out)
		b.block(fmt.Sprintf("if err := errors.Join(p.%s(&first, in), p.%s(&second, in)); err != nil", name, name), func() { b.stmt("t.Fatal(err)") })
		if dims := m.carryDims(m.carries.of(p, true)); len(dims) > 0 {
			small := "small" + strings.TrimPrefix(input, m.test(""))
			b.stmt("var wrong *fault.InputError")
			b.stmt("other := dims")
			b.stmt("other.%s = 1", dims[0].field)
			b.stmt("%s := %s(other)", small, input)
			b.block(fmt.Sprintf("if err := p.%s(&third, %s); dims.%s != 1 && !errors.As(err, &wrong)", name, small, dims[0].field), func() {
				b.stmt("t.Errorf(\"a call of another size: error %%v\", err)")
			})
		}
		_ = in
		b.stmt("p.Reset()")
		b.block(fmt.Sprintf("if err := p.%s(&third, in); err != nil || fmt.Sprint(third) != fmt.Sprint(first)", name), func() {
			b.stmt("t.Errorf(\"after Reset %%v, first %%v, error %%v\", third, first, err)")
		})
	})
}

// printComposeTest checks Backward against the slope of Forward along random
// directions, in the precision of the model.
func (m *model) printComposeTest(f *file) {
	if slices.ContainsFunc(m.outputNodes(m.ir.Train), func(n *ir.Node) bool { return n.Is("call") || n.Is("stop_gradient") }) || m.draws() {
		return
	}
	h, tolerance := "1e-5", "1e-5"
	if m.ir.Elem == ir.Float32 || m.coarse() {
		h, tolerance = "1e-2", "2e-2"
	}
	f.fn("The gradient of Backward is the slope of Forward along a random direction.", "Test"+m.name+"Backward(t *testing.T)", func(b *body) {
		b.stmt("const h, tolerance = %s, %s", h, tolerance)
		b.stmt("dims := %s[len(%s)-1]", m.test("Sizes"), m.test("Sizes"))
		b.stmt("m, batch := %s(dims)", m.test("Sample"))
		m.printCotangent(b)
		b.blank()
		b.comment("The number that is differentiated, at parameters moved by step.")
		for _, t := range m.params.types() {
			b.stmt("%s := slices.Clone(m.params.%s)", m.params.start(t), m.params.slab(t))
		}
		b.stmt("value := func(step float64) float64 {")
		for _, t := range m.params.types() {
			slab := "m.params." + m.params.slab(t)
			b.block("for i := range "+slab, func() {
				m.printSkipOf(b, m.compose.rule, t)
				b.stmt("%s[i] = %s[i] + %s(step*(2*rng.Uniform64(9, %s)-1))", slab, m.params.start(t), goType(t), m.params.index(t))
			})
		}
		if m.carries.any() {
			b.stmt("m.Reset()")
		}
		b.stmt("out, err := m.Forward(batch)")
		b.block("if err != nil", func() { b.stmt("t.Fatal(err)") })
		b.stmt("sum := 0.0")
		for _, o := range m.compose.dout {
			if o.Node.Type.Rank() == 0 {
				b.stmt("sum += float64(out.%s) * float64(dout.%s)", o.field, o.field)
				continue
			}
			b.block("for i, v := range out."+o.field, func() { b.stmt("sum += float64(v) * float64(dout.%s[i])", o.field) })
		}
		b.stmt("return sum")
		b.stmt("}")
		b.stmt("want := (value(h) - value(-h)) / (2 * h)")
		b.blank()
		b.stmt("value(0)")
		b.block("if _, err := m.Backward(dout); err != nil", func() { b.stmt("t.Fatal(err)") })
		b.stmt("slope, norm := 0.0, 0.0")
		b.block("for i, g := range "+m.gradientElements(), func() {
			m.printSkip(b, m.compose.rule)
			b.stmt("d := float64(g) * (2*rng.Uniform64(9, uint64(i)) - 1)")
			b.stmt("slope += d")
			b.stmt("norm += math.Abs(d)")
		})
		b.block("if math.Abs(slope-want) > tolerance*(1+norm)", func() { b.stmt("t.Errorf(\"slope %%v, want %%v\", slope, want)") })
		b.block("if _, err := m.Backward(dout); err == nil", func() { b.stmt("t.Error(\"a second Backward: no error\")") })
	})
}

// printSkip leaves out, in a loop over all parameters' elements i, those that t
// does not train.
func (m *model) printSkip(b *body, t *training) {
	m.printSkipWhere(b, t, func(r stretchOfFlat) (int, bool) { return m.params.before(r.elem), true })
}

// printSkipOf leaves them out in a loop over the slab of an element type.
func (m *model) printSkipOf(b *body, t *training, elem ir.DType) {
	m.printSkipWhere(b, t, func(r stretchOfFlat) (int, bool) { return 0, r.elem == elem })
}

// printSkipWhere leaves out stretches that are met, behind the elements before.
func (m *model) printSkipWhere(b *body, t *training, met func(r stretchOfFlat) (before int, ok bool)) {
	var parts []string
	for _, r := range m.untrained(t) {
		if before, ok := met(r); ok {
			parts = append(parts, fmt.Sprintf("%d <= i && i < %d", before+r.from, before+r.to))
		}
	}
	if len(parts) > 0 {
		b.block("if "+strings.Join(parts, " || "), func() { b.stmt("continue // not trained") })
	}
}
