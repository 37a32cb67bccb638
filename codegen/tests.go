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

// mostMore is how much above those sizes a dimension may be where the shapes ask
// for it.
const mostMore = 256

// budget is how many elements the naive loops of a test may compute.
const budget = 5e7

// printTests prints the test of a model.
func (m *model) printTests(f *file) {
	envs := m.environments(m.allNodes())
	if len(envs) == 0 {
		f.note("There are no tests of %s: no dimensions from 1 to %d fit its shapes.", m.name, sizes[len(sizes)-1]+mostMore)
		return
	}
	m.printSizes(f, envs)
	m.printSample(f)
	m.printElements(f)
	if m.predicts() {
		m.printSampleInput(f, m.test("Input"), "a random input", m.in)
	}
	for _, e := range m.exports {
		m.printSampleInput(f, m.test(e.name+"Input"), "a random input of "+e.name, e.in)
	}
	for _, t := range m.trains {
		if t.gradient != nil {
			m.printGradientTest(f, envs, t)
		}
		if t.Update != nil {
			m.printStepTest(f, t)
		}
	}
	if m.compose != nil {
		m.printComposeTest(f)
	}
	m.printAllocationTest(f)
	m.printFileTest(f)
	if m.infers() {
		m.printPredictTest(f)
	}
	if m.infers() && m.carries.any() {
		m.printCarryTest(f)
	}
}

// allNodes is every value of the model, as the program states it.
func (m *model) allNodes() []*ir.Node {
	nodes := m.trainingNodes()
	if m.predicts() {
		nodes = append(nodes, m.outputNodes(m.ir.Infer)...)
	}
	for _, e := range m.exports {
		nodes = append(nodes, e.nodes()...)
	}
	return nodes
}

// environments are run-time dimensions to test at: small ones, different from
// each other, for which every shape makes sense.
func (m *model) environments(nodes []*ir.Node) []map[string]int {
	return environments(m.runDims, nodes, m.ir.Facts, sizes, 1)
}

func environments(dims []ir.RunDim, nodes []*ir.Node, facts ir.Facts, sizes []int, least int) []map[string]int {
	if len(dims) == 0 {
		return []map[string]int{{}}
	}
	var out []map[string]int
	for i := range sizes {
		for more := 0; more <= mostMore; more = max(2*more, 2) {
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

// admits reports whether all shapes make sense in env, with run-time extents of
// at least least. An extent that is the same at every size, such as that of an
// empty slice, is what the program says.
func admits(nodes []*ir.Node, facts ir.Facts, env map[string]int, least int) bool {
	for _, n := range nodes {
		for _, d := range n.Type.Shape {
			v, err := d.Eval(env)
			if _, constant := d.Const(); err != nil || v < 0 || !constant && v < least {
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
	if m.batched() {
		result = "(*" + m.name + ", " + m.public("Batch") + ")"
		doc = m.test("Sample") + " is a model at random parameters, and a random batch."
	}
	params, redraw := "dims "+m.public("Dims"), m.mayDivideByNone()
	name := m.test("Sample")
	if redraw {
		m.printRedraw(f, doc)
		name, params, doc = m.test("Draw"), params+", draw uint64", m.test("Draw")+" is a model at random parameters, and one of many random batches."
	}
	f.fn(doc, fmt.Sprintf("%s(%s) %s", name, params, result), func(b *body) {
		b.stmt("m := %s(dims)", m.maker("New", ""))
		b.stmt("m.Init(1)")
		if m.hasLength() {
			b.stmt("m.Hyper.Steps = 100")
		}
		for _, t := range m.params.types() {
			slab := "m.params." + m.params.slab(t)
			b.block("for i := range "+slab, func() {
				b.stmt("%s[i] += %s(0.2*rng.Uniform64(1, %s) - 0.1)", slab, goType(t), m.params.index(t))
			})
		}
		if m.averaged() {
			b.stmt("m.startAverages(nil)")
		}
		if !m.batched() {
			b.stmt("return m")
			return
		}
		m.printFill(b, "batch", m.batch, redraw)
		b.stmt("return m, batch")
	})
}

// mayDivideByNone reports whether a loss divides by what is counted of integers
// or truth values, of which random data may have none.
func (m *model) mayDivideByNone() bool {
	if !m.batched() || !m.evaluates() {
		return false
	}
	counts := func(n *ir.Node) bool {
		return slices.ContainsFunc(ir.Topological(n), func(x *ir.Node) bool { return x.Is("input") && !x.Type.Elem.IsFloat() })
	}
	for _, l := range m.trains {
		for _, n := range ir.Topological(m.ir.Train.Loss(l.Loss)) {
			if n.Is("div") && counts(n.Args[1]) {
				return true
			}
		}
	}
	return false
}

// mostDraws is how many random batches a test tries before it gives up.
const mostDraws = 8

// printRedraw prints the function that draws until the losses are finite.
func (m *model) printRedraw(f *file, doc string) {
	doc += " It draws again where the loss is not finite, as where data has nothing that counts."
	f.fn(doc, fmt.Sprintf("%s(dims %s) (*%s, %s)", m.test("Sample"), m.public("Dims"), m.name, m.public("Batch")), func(b *body) {
		b.block(fmt.Sprintf("for draw := range uint64(%d)", mostDraws), func() {
			b.stmt("m, batch := %s(dims, draw)", m.test("Draw"))
			b.stmt("var totals %s", m.public("Totals"))
			b.block("if err := m.Evaluate(&totals, batch); err != nil", func() { b.stmt("return m, batch // the test reports it") })
			b.stmt("report := totals.Report()")
			var finite []string
			for _, t := range m.trains {
				finite = append(finite, "vec.IsFinite(report."+t.field+")")
			}
			b.block("if "+strings.Join(finite, " && "), func() { b.stmt("return %s(dims, draw) // as before Evaluate", m.test("Draw")) })
		})
		b.comment("In training it may be finite all the same; if not, the tests of gradients say so.")
		b.stmt("return %s(dims, 0)", m.test("Draw"))
	})
}

// sample makes a trainer called name, and a batch where there is one.
func (m *model) sample(b *body, name, batch string) {
	if m.batched() {
		name += ", " + batch
	}
	b.stmt("%s := %s(dims)", name, m.test("Sample"))
}

// printSampleInput prints the function that makes an input.
func (m *model) printSampleInput(f *file, name, what string, of *form) {
	f.fn(name+" is "+what+".", fmt.Sprintf("%s(dims %s) %s", name, m.public("Dims"), of.typ), func(b *body) {
		m.printFill(b, "in", of, false)
		b.stmt("return in")
	})
}

// printFill makes a batch or input with random elements, others for each draw
// where redraw is set.
func (m *model) printFill(b *body, x string, of *form, redraw bool) {
	dims := func(name string) string { return m.capacity("dims", name) }
	var lines []string
	switch {
	case of.dimsType == m.public("Dims"):
		lines = append(lines, of.dimsType+": dims")
	case of.dimsType != "":
		var fields []string
		for _, d := range of.dims {
			fields = append(fields, d.field+": "+dims(d.Name))
		}
		lines = append(lines, of.dimsType+": "+of.dimsType+"{"+strings.Join(fields, ", ")+"}")
	}
	for _, in := range of.operands {
		if in.Node.Type.Rank() > 0 {
			lines = append(lines, fmt.Sprintf("%s: make([]%s, %s)", in.field, goType(in.Node.Type.Elem), spellDim(in.Node.Type.Shape.Size(), dims)))
		}
	}
	b.literal(x+" := "+of.typ, lines)
	for i, in := range of.operands {
		stream := fmt.Sprint(i + 2)
		if redraw {
			stream = fmt.Sprintf("%d+%d*draw", i+2, len(of.operands)+2)
		}
		element := randomElement(in, stream, dims)
		if in.Node.Type.Elem == ir.Int {
			element = m.sampleOf(of, in)
		}
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
// their range, other integers 1 or 2, since something may be divided by them.
func randomElement(in operand, stream string, dims func(string) string) string {
	t := in.Node.Type.Elem
	switch {
	case t == ir.Bool:
		return randomTruth(in, stream, dims)
	case t.IsInt():
		if in.bound == nil {
			return fmt.Sprintf("1 + %s(rng.At(%s, uint64(i))%%2)", goType(t), stream)
		}
		extent := grouped(spellDim(in.bound.Extent, dims))
		if _, ok := in.bound.Extent.Const(); !ok {
			extent = "uint64" + "(" + outermost(extent) + ")"
		}
		return fmt.Sprintf("%s(rng.At(%s, uint64(i)) %% %s)", goType(t), stream, extent)
	}
	return fmt.Sprintf("%s(0.1 + 0.8*rng.Uniform64(%s, uint64(i)))", goType(t), stream)
}

// randomTruth is element i of an input of truth values. Each row and each column
// of two or more has both, so that neither a mask nor what it leaves is empty: in
// the first two rows and columns they alternate, and the first one holds. What is
// the only one of its row holds, since means are mostly taken along rows.
func randomTruth(in operand, stream string, dims func(string) string) string {
	random := fmt.Sprintf("rng.At(%s, uint64(i))%%2 == 1", stream)
	shape := in.Node.Type.Shape
	if len(shape) == 0 {
		return "true"
	}
	last := shape[len(shape)-1]
	if len(shape) == 1 || last.IsConst(1) {
		return fmt.Sprintf("i == 0 || i != 1 && %s", random)
	}
	w := grouped(spellDim(last, dims))
	row, col := "i/"+w, "i%"+w
	edge := fmt.Sprintf("%s < 2 || %s < 2", row, col)
	text := fmt.Sprintf("(%s) && (%s+%s)%%2 == 0 || !(%s) && %s", edge, row, col, edge, random)
	if _, constant := last.Const(); !constant {
		text = w + " == 1 || " + text
	}
	return text
}
