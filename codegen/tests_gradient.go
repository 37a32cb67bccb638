package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// printGradientTest prints the unsimplified loss, and holds loss and gradient
// against it along random directions.
func (m *model) printGradientTest(f *file, envs []map[string]int, t *training) {
	exact, of := m.exact(t), m.name
	if t.Loss != "" {
		of = t.Loss + " of " + m.name
	}
	if exact == nil {
		f.note("The gradient of %s is compared with no difference quotient: the program gives or stops a derivative in a way that none has.", of)
		return
	}
	perTensor, count := affordable(exact, envs, len(m.params.tensors))
	if count == 0 {
		f.note("The gradient of %s is compared with no difference quotient: one evaluation of the loss by naive loops takes too long.", of)
		return
	}
	frozen := m.printExact(f, t, exact)

	doc := "The gradient along random directions is the slope of the float64 loss."
	if perTensor {
		doc = "The gradient by each parameter, along a random direction, is the slope of the float64 loss."
	}
	f.fn(doc, "Test"+m.name+"Gradient"+t.suffix+"(t *testing.T)", func(b *body) {
		sizes := m.test("Sizes")
		if count < len(envs) {
			sizes += fmt.Sprintf("[:%d]", count)
		}
		b.block("for _, dims := range "+sizes, func() { m.printGradientCheck(b, t, frozen, perTensor) })
	})
}

// printGradientCheck checks one size.
func (m *model) printGradientCheck(b *body, t *training, frozen, perTensor bool) {
	b.stmt("m, batch := %s(dims)", m.test("Sample"))
	b.stmt("grad := %s()", m.maker("New", "Params"))
	moved := m.carries.of(t.Forward, true)
	if len(moved) > 0 {
		b.comment("A first call moves on what is kept; the second is checked.")
		b.block("if _, err := m.Grad"+t.suffix+"(grad, batch); err != nil", func() { b.stmt("t.Fatal(err)") })
	}
	for _, c := range moved {
		b.stmt("%sBefore := slices.Clone(m.carry.%s)", c.field, c.field)
	}
	b.stmt("report, err := m.Grad%s(grad, batch)", t.suffix)
	b.block("if err != nil", func() { b.stmt("t.Fatal(err)") })
	for _, c := range moved {
		b.stmt("copy(m.carry.%s, %sBefore)", c.field, c.field)
	}
	if m.draws() {
		b.stmt("m.calls-- // the loss makes the draws of that call")
	}
	b.blank()
	b.comment("The loss in float64 at the parameters, which are moved by h.")
	h, floor, share := "1e-6", "1e-6", "1e-4"
	if m.ir.Elem == ir.Float64 && !m.coarse() {
		floor, share = "1e-8", "1e-6"
	}
	b.stmt("const h = %s", h)
	m.printPoint(b)
	call := func(p string) string {
		if frozen {
			return m.test("Loss64"+t.suffix) + "(m, " + p + ", at, &batch)"
		}
		return m.test("Loss64"+t.suffix) + "(m, " + p + ", &batch)"
	}
	b.stmt("loss := %s", call("at"))
	b.block(fmt.Sprintf("if math.Abs(report.%s-loss) > %s*(1+math.Abs(loss))", t.field, share), func() {
		b.stmt("t.Errorf(\"%%v: the loss is %%v, want %%v\", dims, report.%s, loss)", t.field)
	})

	b.blank()
	switch {
	case perTensor && m.params.mixed():
		b.block("for _, tensor := range "+m.tensorRanges(), func() {
			b.stmt("from, to := tensor.from, tensor.to")
			m.printSlope(b, t, call, floor, share, "tensor.name")
		})
		return
	case perTensor:
		b.stmt("from := 0")
		b.block("for _, tensor := range m.params.tensors()", func() {
			b.stmt("to := from + len(tensor.Data.([]%s))", goType(m.params.types()[0]))
			m.printSlope(b, t, call, floor, share, "tensor.Name")
			b.stmt("from = to")
		})
		return
	}
	b.block("for direction := range uint64(2)", func() {
		b.stmt("from, to := 0, len(at)")
		m.printSlope(b, t, call, floor, share, "direction")
	})
}

// printSlope compares the slope from elements from to to along one direction.
func (m *model) printSlope(b *body, t *training, call func(p string) string, floor, share, what string) {
	seed := "9"
	if what == "direction" {
		seed = "9+direction"
	}
	b.stmt("slope, norm := 0.0, 0.0")
	b.stmt("up, down := slices.Clone(at), slices.Clone(at)")
	b.block("for i := from; i < to; i++", func() {
		m.printSkip(b, t)
		b.stmt("d := 2*rng.Uniform64(%s, uint64(i)) - 1", seed)
		b.stmt("slope += d * %s", m.gradAt())
		b.stmt("norm += math.Abs(d * %s)", m.gradAt())
		b.stmt("up[i] += h * d")
		b.stmt("down[i] -= h * d")
	})
	b.stmt("want := (%s - %s) / (2 * h)", call("up"), call("down"))
	b.block(fmt.Sprintf("if math.Abs(slope-want) > %s*norm+%s*(1+whole+math.Abs(loss))", share, floor), func() {
		b.stmt("t.Errorf(\"%%v, %%v: slope %%v, want %%v\", dims, %s, slope, want)", what)
	})
}

// affordable is how much of the gradient can be checked within the budget: each
// parameter by itself or all at once, at how many of the sizes.
func affordable(exact *ir.Node, envs []map[string]int, tensors int) (perTensor bool, count int) {
	sum := 0.0
	for _, env := range envs {
		sum += work(exact, env)
	}
	if 2*sum*float64(tensors) <= budget {
		return true, len(envs)
	}
	sum = 0
	for i, env := range envs {
		sum += 5 * work(exact, env)
		if sum > budget {
			return false, i
		}
	}
	return false, len(envs)
}

// exact is the loss as the program states it, nil where no difference quotient
// of it is its gradient: where the program gives a derivative of its own, or
// stops one inside another.
func (m *model) exact(t *training) *ir.Node {
	loss := t.Side.Loss(t.Loss)
	stops, expanded := false, true
	for _, n := range ir.Topological(loss) {
		switch {
		case n.Is("call"):
			return nil
		case n.Is("stop_gradient"):
			stops = true
		case n.Op.Class == ir.Calculus && !n.IsMark():
			expanded = false
		}
	}
	switch {
	case expanded:
		return loss
	case stops:
		return nil
	}
	return t.Exact
}

// printExact prints the loss as a function of all parameters; frozen reports
// whether it takes them twice, since a part is constant to derivatives.
func (m *model) printExact(f *file, of *training, exact *ir.Node) (frozen bool) {
	e := &naive{helper: unexported(m.name), names: localScope(append(indexNames(), "m", "p", "at", "batch", "acc")...)}
	dims := map[string]string{}
	var sizes []string
	for _, d := range m.dims {
		dims[d.Name] = e.names.take(d.Name, "Dim")
	}
	e.dims = func(name string) string {
		if !slices.Contains(sizes, name) {
			sizes = append(sizes, name)
		}
		return dims[name]
	}
	e.origin = func(n *ir.Node) string {
		o := m.printer.plan.Program.Graph.Origin(n)
		name := strings.Trim(strings.ReplaceAll(o.Instance+"."+o.Name, "..", "."), ".")
		if o.Name == "" {
			return ""
		}
		return unexported(name)
	}
	var leaves, inner body
	named := map[string]string{}
	e.leaf = func(n *ir.Node, held bool) (string, bool) {
		frozen = frozen || held && n.Is("param")
		key := n.Op.Name + " " + n.Attr.Name + fmt.Sprint(held && n.Is("param"))
		if text, ok := named[key]; ok {
			return text, true
		}
		text, ok := m.exactLeaf(e, of, &leaves, n, held)
		named[key] = text
		return text, ok
	}
	e.b = &inner
	e.prepare(exact)
	value := outermost(e.value(exact, false)(nil))
	m.note(e.err)

	doc := m.test("Loss64"+of.suffix) + " is the loss as the model states it, in float64 and without any of the compiler's rewriting: what the gradient is checked against."
	args := "p []float64"
	if frozen {
		doc += " What is constant to derivatives is taken from at."
		args = "p, at []float64"
	}
	f.fn(doc, fmt.Sprintf("%s(m *%s, %s, batch *%s) float64", m.test("Loss64"+of.suffix), m.name, args, m.public("Batch")), func(b *body) {
		for _, name := range sizes {
			b.stmt("%s := %s", dims[name], m.dimOf(m.batch, "batch")(name))
		}
		b.code = append(b.code, leaves.code...)
		b.code = append(b.code, inner.code...)
		b.stmt("return %s", value)
	})
	m.printer.printWhere(f, e)
	return frozen
}

// printWhere prints the helper that chooses, once for each prefix.
func (p *printer) printWhere(f *file, e *naive) {
	if !e.where || p.helpers[e.helper] {
		return
	}
	p.helpers[e.helper] = true
	f.fn(e.helper+"Where is a where c holds, else b.", e.helper+"Where[T any](c bool, a, b T) T", func(b *body) {
		b.block("if c", func() { b.stmt("return a") })
		b.stmt("return b")
	})
}

// exactLeaf is a leaf as a variable of the naive loss.
func (m *model) exactLeaf(e *naive, of *training, b *body, n *ir.Node, held bool) (string, bool) {
	switch n.Op.Name {
	case "param":
		for _, t := range m.params.tensors {
			if t.path != n.Attr.Name {
				continue
			}
			from, name := "p", unexported(t.path)
			if t.field == n.Attr.Name {
				name = t.field // W stays W
			}
			if held {
				from, name = "at", name+"At"
			}
			name = e.names.take(name, "Param")
			at := m.params.before(t.typ.Elem) + t.at
			b.stmt("%s := %s[%d:%d]", name, from, at, at+t.size)
			if n.Type.Rank() == 0 {
				return name + "[0]", true
			}
			return name, true
		}
	case "input":
		text, ok := m.batch.operand("batch", n.Attr.Name)
		if n.Type.Rank() == 0 && n.Type.Elem != ir.Bool {
			text = wideType(n.Type.Elem) + "(" + text + ")"
		}
		return text, ok
	case "state":
		text, ok := found("m.states.", m.states, n.Attr.Name)
		if n.Type.Rank() == 0 {
			text = wideType(n.Type.Elem) + "(" + text + "[0])"
		}
		return text, ok
	case "carry":
		t, _ := m.carries.find(n.Attr.Name)
		if t == nil {
			return "", false
		}
		text := "m.carry." + t.field
		if n.Type.Rank() == 0 {
			text = wideType(n.Type.Elem) + "(" + text + "[0])"
		}
		return text, true
	case "hyper":
		return "m.Hyper." + m.hyperField(n.Attr.Name), true
	case "step":
		return "float64(m." + of.counter() + " + 1)", true
	case "steps":
		return "float64(m.Hyper.Steps)", true
	}
	return "", false
}
