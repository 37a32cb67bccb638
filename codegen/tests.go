package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// printTests prints the emitted test.
func (p *printer) printTests(f *file) {
	for _, m := range p.models {
		m.printTests(f)
	}
	for _, fn := range p.funcs {
		fn.printTests(f)
	}
}

// sizes are the extents that dimensions are tested at: one, and around the
// width of a vector register.
var sizes = []int{1, 7, 8, 9}

// budget is how many elements the naive loops of a test may compute.
const budget = 5e7

// printTests prints the test of a model.
func (m *model) printTests(f *file) {
	envs := m.environments(m.allNodes())
	if len(envs) == 0 {
		return // no small dimensions fit the shapes
	}
	m.printSizes(f, envs)
	m.printSample(f)
	if m.predicts() {
		m.printSampleInput(f)
	}
	if m.gradient != nil {
		m.printGradientTest(f, envs)
	}
	if m.trained() {
		m.printStepTest(f)
	}
	m.printAllocationTest(f)
	m.printFileTest(f)
	if m.predicts() {
		m.printPredictTest(f)
	}
}

// allNodes is every value of the model, as the program states it.
func (m *model) allNodes() []*ir.Node {
	nodes := m.trainingNodes()
	if m.predicts() {
		nodes = append(nodes, m.inferenceNodes()...)
	}
	return nodes
}

// environments are run-time dimensions to test at: small ones, different from
// each other, for which every shape makes sense.
func (m *model) environments(nodes []*ir.Node) []map[string]int {
	return environments(m.ir.Dims, nodes, m.ir.Facts, sizes, 1)
}

func environments(dims []ir.RunDim, nodes []*ir.Node, facts ir.Facts, sizes []int, least int) []map[string]int {
	if len(dims) == 0 {
		return []map[string]int{{}}
	}
	var out []map[string]int
	for i := range sizes {
		for more := 0; more <= 256; more = max(2*more, 2) {
			env := map[string]int{}
			for k, d := range dims {
				env[d.Name] = sizes[(i+k)%len(sizes)]
				if k > 0 || len(dims) == 1 {
					env[d.Name] += more
				}
			}
			if admits(nodes, facts, env, least) {
				out = append(out, env)
				break
			}
		}
	}
	return out
}

// admits reports whether all shapes make sense in env, with extents of at least
// least.
func admits(nodes []*ir.Node, facts ir.Facts, env map[string]int, least int) bool {
	for _, n := range nodes {
		for _, d := range n.Type.Shape {
			if v, err := d.Eval(env); err != nil || v < least {
				return false
			}
		}
	}
	return !slices.ContainsFunc(requirements(nodes, facts), func(r requirement) bool { return !r.met(env) })
}

// work is how many elements the naive loops of root compute in env.
func work(root *ir.Node, env map[string]int) float64 {
	sum := 0.0
	for _, n := range ir.Topological(root) {
		size, _ := n.Type.Shape.Size().Eval(env)
		each := 1
		if n.Op.Class == ir.Reduce || n.Op.Class == ir.Product {
			a, _ := n.Args[0].Type.Shape.Size().Eval(env)
			each = max(a/max(size, 1), 1)
			if n.Op.Class == ir.Product {
				each = contracted(n, env)
			}
		}
		sum += float64(size) * float64(each)
	}
	return sum
}

// contracted is the number of products that each element of an einsum adds up.
func contracted(n *ir.Node, env map[string]int) int {
	a, b, out := ir.SplitSpec(n.Attr.Spec)
	product, seen := 1, out
	for k, letters := range []string{a, b} {
		for i, l := range letters {
			if !strings.ContainsRune(seen, l) {
				seen += string(l)
				v, _ := n.Args[k].Type.Shape[i].Eval(env)
				product *= v
			}
		}
	}
	return product
}

// test is a package-level name of the model's test.
func (m *model) test(name string) string { return unexported(m.name) + name }

func (m *model) printSizes(f *file, envs []map[string]int) {
	var list []string
	for _, env := range envs {
		var fields []string
		for _, d := range m.dims {
			fields = append(fields, fmt.Sprintf("%s: %d", d.field, env[d.Name]))
		}
		list = append(list, "{"+strings.Join(fields, ", ")+"}")
	}
	f.decl(m.test("Sizes")+" are the dimensions to test at.",
		fmt.Sprintf("var %s = []%s{%s}", m.test("Sizes"), m.public("Dims"), strings.Join(list, ", ")))
}

// printSample prints the function that makes a trainer, and a batch where there
// is one.
func (m *model) printSample(f *file) {
	result := "*" + m.name
	doc := m.test("Sample") + " is a model at random parameters."
	if m.measured() {
		result = "(*" + m.name + ", " + m.public("Batch") + ")"
		doc = m.test("Sample") + " is a model at random parameters, and a random batch."
	}
	f.fn(doc, fmt.Sprintf("%s(dims %s) %s", m.test("Sample"), m.public("Dims"), result), func(b *body) {
		b.stmt("m := %s(dims)", m.maker("New", ""))
		b.stmt("m.Init(1)")
		if m.hasLength() {
			b.stmt("m.Hyper.Steps = 100")
		}
		b.block("for i := range m.params.flat", func() {
			b.stmt("m.params.flat[i] += %s(0.2*rng.Uniform64(1, uint64(i)) - 0.1)", goType(m.ir.Elem))
		})
		if !m.measured() {
			b.stmt("return m")
			return
		}
		m.printFill(b, "batch", m.public("Batch"), m.inputs)
		b.stmt("return m, batch")
	})
}

// printSampleInput prints the function that makes an input.
func (m *model) printSampleInput(f *file) {
	f.fn(m.test("Input")+" is a random input.", fmt.Sprintf("%s(dims %s) %s", m.test("Input"), m.public("Dims"), m.public("Input")), func(b *body) {
		m.printFill(b, "in", m.public("Input"), m.reads)
		b.stmt("return in")
	})
}

// printFill makes a batch or input with random elements.
func (m *model) printFill(b *body, x, typ string, list []operand) {
	dims := func(name string) string { return m.dimOf("dims", name, nil) }
	lines := []string{"Dims: dims"}
	if m.prefix != "" {
		lines[0] = m.public("Dims") + ": dims"
	}
	for _, in := range list {
		if in.Node.Type.Rank() > 0 {
			lines = append(lines, fmt.Sprintf("%s: make([]%s, %s)", in.field, goType(in.Node.Type.Elem), spellDim(in.Node.Type.Shape.Size(), dims)))
		}
	}
	b.literal(x+" := "+typ, lines)
	for i, in := range list {
		element := randomElement(in, i+2, dims)
		if in.Node.Type.Rank() == 0 {
			b.stmt("%s.%s = %s", x, in.field, strings.ReplaceAll(element, "uint64(i)", "0"))
			continue
		}
		b.block("for i := range "+x+"."+in.field, func() {
			b.stmt("%s.%s[i] = %s", x, in.field, element)
			if in.bound != nil && in.bound.HasIgnore {
				b.block("if i%4 == 3", func() { b.stmt("%s.%s[i] = %d", x, in.field, in.bound.Ignore) })
			}
		})
	}
}

// randomElement is element i of an input: positive floats below one, indices in
// their range.
func randomElement(in operand, stream int, dims func(string) string) string {
	t := in.Node.Type.Elem
	switch {
	case t == ir.Bool:
		return fmt.Sprintf("rng.At(%d, uint64(i))%%2 == 1", stream)
	case t.IsInt():
		extent := "3"
		if in.bound != nil {
			extent = grouped(spellDim(in.bound.Extent, dims))
			if _, ok := in.bound.Extent.Const(); !ok {
				extent = "uint64" + "(" + outermost(extent) + ")"
			}
		}
		return fmt.Sprintf("%s(rng.At(%d, uint64(i)) %% %s)", goType(t), stream, extent)
	}
	return fmt.Sprintf("%s(0.1 + 0.8*rng.Uniform64(%d, uint64(i)))", goType(t), stream)
}

// printStepTest checks that Step is Grad, then Update.
func (m *model) printStepTest(f *file) {
	f.fn("Step is Grad, then Update.", "Test"+m.name+"Step(t *testing.T)", func(b *body) {
		b.stmt("dims := %s[len(%s)-1]", m.test("Sizes"), m.test("Sizes"))
		b.stmt("m, batch := %s(dims)", m.test("Sample"))
		b.stmt("n, _ := %s(dims)", m.test("Sample"))
		b.stmt("grad := %s()", m.maker("New", "Params"))
		b.block("for range 3", func() {
			b.stmt("a, err := m.Step(batch)")
			b.block("if err != nil", func() { b.stmt("t.Fatal(err)") })
			b.stmt("b, err := n.Grad(grad, batch)")
			b.block("if err != nil", func() { b.stmt("t.Fatal(err)") })
			b.stmt("n.Update(grad)")
			loss := m.reports[0]
			b.block(fmt.Sprintf("if math.Abs(a.%s-b.%s) > 1e-4*(1+math.Abs(b.%s))", loss, loss, loss), func() {
				b.stmt("t.Fatalf(\"Step reports %%v, Grad %%v\", a, b)")
			})
		})
		b.block("for i, v := range m.params.flat", func() {
			b.stmt("w := n.params.flat[i]")
			b.block("if math.Abs(float64(v-w)) > 1e-4*(1+math.Abs(float64(w)))", func() {
				b.stmt("t.Fatalf(\"parameter %%d: Step %%v, Grad and Update %%v\", i, v, w)")
			})
		})
	})
}

// printAllocationTest checks that no entry allocates.
func (m *model) printAllocationTest(f *file) {
	if !m.measured() && !m.predicts() {
		return
	}
	f.fn("", "Test"+m.name+"Allocations(t *testing.T)", func(b *body) {
		b.stmt("dims := %s[len(%s)-1]", m.test("Sizes"), m.test("Sizes"))
		sample := "m, batch"
		if !m.measured() {
			sample = "m"
		}
		b.stmt("%s := %s(dims)", sample, m.test("Sample"))
		var calls []string
		if m.gradient != nil {
			b.stmt("grad := %s()", m.maker("New", "Params"))
			calls = append(calls, `{"Grad", func() error { _, err := m.Grad(grad, batch); return err }}`)
		}
		if m.trained() {
			b.stmt("start := slices.Clone(m.Params().Flat()) // from where a step is finite")
			calls = append(calls, `{"Update", func() error { m.Update(grad); return nil }}`,
				`{"Step", func() error { copy(m.Params().Flat(), start); _, err := m.Step(batch); return err }}`)
		}
		if m.measured() {
			b.stmt("var totals %s", m.public("Totals"))
			calls = append(calls, `{"Evaluate", func() error { return m.Evaluate(&totals, batch) }}`)
		}
		if m.predicts() {
			b.stmt("p, in := %s(m.Snapshot(), dims), %s(dims)", m.maker("New", "Predictor"), m.test("Input"))
			b.stmt("var out %s", m.public("Output"))
			calls = append(calls, `{"Predict", func() error { return p.Predict(&out, in) }}`)
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

// printFileTest checks that what is written is read back.
func (m *model) printFileTest(f *file) {
	f.fn("What is written is read back, and a damaged file changes nothing.", "Test"+m.name+"Files(t *testing.T)", func(b *body) {
		b.stmt("dims := %s[0]", m.test("Sizes"))
		sample := "m, batch"
		switch {
		case !m.measured():
			sample = "m"
		case !m.trained():
			sample = "m, _"
		}
		b.stmt("%s := %s(dims)", sample, m.test("Sample"))
		if m.trained() {
			b.block("if _, err := m.Step(batch); err != nil", func() { b.stmt("t.Fatal(err)") })
		}
		b.stmt("var weights, checkpoint bytes.Buffer")
		b.block("if err := errors.Join(m.Save(&weights), m.Checkpoint(&checkpoint)); err != nil", func() { b.stmt("t.Fatal(err)") })

		b.blank()
		b.comment("Half a file is an error.")
		b.stmt("n := %s(dims)", m.maker("New", ""))
		b.stmt("before := slices.Clone(n.params.flat)")
		b.stmt("half := bytes.NewReader(weights.Bytes()[:weights.Len()/2])")
		b.block("if err := n.Load(half); err == nil || !slices.Equal(n.params.flat, before)", func() {
			b.stmt("t.Errorf(\"Load of half a file: error %%v\", err)")
		})

		b.blank()
		b.comment("Load and Restore give the parameters back, and Restore the run.")
		b.block("if err := n.Load(&weights); err != nil || !slices.Equal(n.params.flat, m.params.flat)", func() {
			b.stmt("t.Errorf(\"after Load the parameters differ, error %%v\", err)")
		})
		b.stmt("n = %s(dims)", m.maker("New", ""))
		b.block("if err := n.Restore(&checkpoint); err != nil || !slices.Equal(n.params.flat, m.params.flat)", func() {
			b.stmt("t.Fatalf(\"after Restore the parameters differ, error %%v\", err)")
		})
		if m.trained() {
			b.stmt("a, errA := m.Step(batch)")
			b.stmt("b, errB := n.Step(batch)")
			b.block("if a != b || errA != nil || errB != nil || !slices.Equal(n.params.flat, m.params.flat)", func() {
				b.stmt("t.Errorf(\"after Restore a step gives %%v, %%v, before %%v, %%v\", b, errB, a, errA)")
			})
		}
	})
}

// printPredictTest checks that all ways of predicting agree.
func (m *model) printPredictTest(f *file) {
	f.fn("Weights, a Predictor and weights from a file predict the same.", "Test"+m.name+"Predict(t *testing.T)", func(b *body) {
		b.block("for _, dims := range "+m.test("Sizes"), func() {
			sample := "m, _"
			if !m.measured() {
				sample = "m"
			}
			b.stmt("%s := %s(dims)", sample, m.test("Sample"))
			b.stmt("var file bytes.Buffer")
			b.block("if err := m.Save(&file); err != nil", func() { b.stmt("t.Fatal(err)") })
			b.stmt("w, err := %s(file.Bytes())", m.maker("Parse", "Weights"))
			b.block("if err != nil", func() { b.stmt("t.Fatal(err)") })
			b.stmt("in := %s(dims)", m.test("Input"))
			b.stmt("a, err := w.Predict(in)")
			b.block("if err != nil", func() { b.stmt("t.Fatal(err)") })
			b.stmt("var b %s", m.public("Output"))
			b.block(fmt.Sprintf("if err := %s(m.Snapshot(), dims).Predict(&b, in); err != nil", m.maker("New", "Predictor")), func() { b.stmt("t.Fatal(err)") })
			for _, o := range m.outputs {
				same := fmt.Sprintf("fmt.Sprint(a.%s) != fmt.Sprint(b.%s)", o.field, o.field) // NaN is like NaN
				b.block("if "+same, func() {
					b.stmt("t.Errorf(\"%s at %%v: %%v of the file, %%v of the trainer\", dims, a.%s, b.%s)", o.field, o.field, o.field)
				})
			}
		})
	})
}
