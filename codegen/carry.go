package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A carryGroup is what trainers and predictors keep from call to call: memory
// for the largest sizes, of which a call uses the start.
type carryGroup struct {
	typ, maker string
	tensors    []carryTensor
	start      *method // sets first values that are not one number each; nil where all are
}

// A carryTensor is one of them.
type carryTensor struct {
	*ir.State
	field string
	start float64 // what every element starts with
}

// carryGroup is the fields of the carries that some procedure uses.
func (m *model) carryGroup() *carryGroup {
	g := &carryGroup{typ: m.private("Carries"), maker: m.maker("new", "Carries")}
	names := newScope("reset", "tensors", "open")
	for _, s := range m.plan.Carries {
		start, _ := uniform(s.Init)
		g.tensors = append(g.tensors, carryTensor{s, names.take(unexported(s.Path), "Carry"), start})
	}
	for _, s := range m.plan.Carries {
		if _, ok := uniform(s.Init); !ok {
			m.startCarries(g, s)
		}
	}
	return g
}

// startCarries prints what sets first values. It works on all of the memory, of
// which a call uses the start: the elements there must be the same at any size.
func (m *model) startCarries(g *carryGroup, s *ir.State) {
	shape := s.Node.Type.Shape
	for i, d := range shape {
		if _, constant := d.Const(); !constant && i > 0 {
			m.clash(m.ir.Pos, "carry %s of %v starts with values that differ, which works where only the first extent is a run-time dimension; let it start with one number", s.Path, shape)
		}
	}
	if slices.ContainsFunc(ir.Topological(s.Init), func(n *ir.Node) bool { return n.Is("size") }) {
		m.clash(m.ir.Pos, "the first value of carry %s depends on a run-time dimension; let it be a number or a draw", s.Path)
	}
	if g.start != nil {
		return
	}
	g.start = m.method(m.plan.Reset, func(p *ir.Procedure) *frame {
		f := newFrame("reset", m.ir.Elem, m.runDims, buffersOf(p), "c", "max", "seed")
		f.plain = callersScalar
		f.keys = [2]string{"seed", "0"}
		f.dims = func(name string) string { return m.capacity("max", name) }
		f.bind = func(b *ir.Buffer) (string, bool) {
			if t, _ := g.find(b.Key); t != nil {
				return "c." + t.field, b.Storage == ir.InCarry
			}
			return m.table(b), b.Storage == ir.InTable
		}
		return f
	}, nil)
	if g.start == nil {
		m.fail("carry %s has no first value", s.Path)
	}
}

// resets is the call of reset for the carries of the trainer or predictor x,
// whose random draws depend on seed.
func (m *model) resets(x, seed string) string {
	if m.carries.start == nil {
		return x + ".carry.reset()"
	}
	return x + ".carry.reset(" + x + ".max, " + seed + ")"
}

// seedOf is the seed of an owner, where carries draw; any other serves where
// they do not.
func (m *model) seedOf(text string) string {
	if m.drawsCarries() {
		return text
	}
	return "0"
}

// drawsCarries reports whether a carry starts with random draws.
func (m *model) drawsCarries() bool {
	return uses(func(f *frame) bool { return f.draws }, m.carries.start)
}

// uniform is the number that every element of a value is, which is put together
// from literals; nil is 0.
func uniform(n *ir.Node) (float64, bool) {
	if v, ok := firstValue(n); ok {
		return v, true
	}
	env := map[string]int{}
	for _, x := range ir.Topological(n) {
		if !x.Is("const") && x.Op.Class != ir.Map && x.Op.Class != ir.View {
			return 0, false
		}
		for _, d := range x.Type.Shape {
			set := map[string]bool{}
			d.Vars(set)
			for name := range set {
				env[name] = 1
			}
		}
	}
	v, err := (&ir.Evaluator{Dims: env}).Eval(n)
	if err != nil || len(v.Data) == 0 {
		return 0, false
	}
	return v.Data[0], true
}

func (g *carryGroup) any() bool { return len(g.tensors) > 0 }

// find is the carry of a key, and whether the key is that of its next value.
func (g *carryGroup) find(key string) (c *carryTensor, next bool) {
	path, next := strings.CutSuffix(key, ir.NextKey)
	for i := range g.tensors {
		if g.tensors[i].Path == path {
			return &g.tensors[i], next
		}
	}
	return nil, false
}

// bind is a buffer as memory of x, cut to the size of the call.
func (g *carryGroup) bind(c procContext, x string, b *ir.Buffer) (string, bool) {
	t, next := g.find(b.Key)
	if t == nil {
		return "", false
	}
	text := x + ".carry." + t.field
	if next {
		text = x + ".carryNext." + t.field
	}
	size := b.Type.Shape.Size()
	if _, constant := size.Const(); !constant {
		text += "[:" + c.dim(size) + "]"
	}
	return text, true
}

// of is the carries that p uses, or of which it leaves new values.
func (g *carryGroup) of(p *ir.Procedure, next bool) []*carryTensor {
	var out []*carryTensor
	for _, b := range buffersOf(p) {
		if b.Storage != ir.InCarry {
			continue
		}
		if t, isNext := g.find(b.Key); t != nil && (isNext || !next) && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *carryTensor) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// carryDims is the run-time dimensions of carries, in the order of Dims.
func (m *model) carryDims(list []*carryTensor) []dimension {
	set := map[string]bool{}
	for _, t := range list {
		for _, d := range t.Node.Type.Shape {
			d.Vars(set)
		}
	}
	return slices.DeleteFunc(slices.Clone(m.dims), func(d dimension) bool { return !set[d.Name] })
}

// heldDims is those of all carries.
func (m *model) heldDims() []dimension {
	var list []*carryTensor
	for i := range m.carries.tensors {
		list = append(list, &m.carries.tensors[i])
	}
	return m.carryDims(list)
}

// printFits checks that a call, of sizes in, has those that the carries of
// procedure p are left with; give is what the caller returns otherwise.
func (m *model) printFits(b *body, owner, x, give string, p *ir.Procedure) {
	m.printFitsOf(b, owner, x, give, m.batch, p)
}

func (m *model) printFitsOf(b *body, owner, x, give string, in *form, p *ir.Procedure) {
	for _, d := range m.carryDims(m.carries.of(p, false)) {
		b.block(fmt.Sprintf("if err := fault.Held(%q, %q, %s, %s.held.%s); err != nil", m.label, d.field, m.dimOf(in, x)(d.Name), owner, d.field),
			func() { b.stmt("%s", give) })
	}
}

// printMove moves on the carries of which p has left new values.
func (m *model) printMove(b *body, owner, x string, p *ir.Procedure) {
	m.printMoveOf(b, owner, x, m.batch, p)
}

func (m *model) printMoveOf(b *body, owner, x string, in *form, p *ir.Procedure) {
	list := m.carries.of(p, true)
	printSwap(b, owner, list)
	for _, d := range m.carryDims(list) {
		b.stmt("%s.held.%s = %s", owner, d.field, m.dimOf(in, x)(d.Name))
	}
}

// printSwap exchanges the values of carries and the next ones.
func printSwap(b *body, owner string, list []*carryTensor) {
	for _, t := range list {
		b.stmt("%s.carry.%s, %s.carryNext.%s = %s.carryNext.%s, %s.carry.%s", owner, t.field, owner, t.field, owner, t.field, owner, t.field)
	}
}

// printCarries prints the type of the carries and its methods.
func (m *model) printCarries(f *file) {
	g := m.carries
	if !g.any() {
		return
	}
	f.typ(g.typ+" is what is kept from call to call, with memory for the largest sizes.", g.typ, func(b *body) {
		for _, t := range g.tensors {
			if t.Doc != "" {
				b.comment("%s", t.Doc)
			}
			b.stmt("%s []%s // %s", t.field, goType(t.Node.Type.Elem), shapeText(t.Node.Type.Shape))
		}
	})
	max := func(name string) string { return m.capacity("max", name) }
	f.fn("", fmt.Sprintf("%s(max %s) %s", g.maker, m.public("Dims"), g.typ), func(b *body) {
		var lines []string
		for _, t := range g.tensors {
			lines = append(lines, fmt.Sprintf("%s: make([]%s, %s)", t.field, goType(t.Node.Type.Elem), spellDim(t.Node.Type.Shape.Room(), max)))
		}
		b.literal("return "+g.typ, lines)
	})
	m.printStartCarries(f)
	held := ""
	if len(m.heldDims()) > 0 {
		held = "held " + m.public("Dims")
	}
	f.fn("tensors lists the carries as they are kept in checkpoints, at the sizes that they are left with.",
		fmt.Sprintf("(c *%s) tensors(%s) []store.Tensor", g.typ, held), func(b *body) {
			m.printCarryTensors(b, func(d ir.Dim) string {
				return spellDim(d, func(name string) string { return m.capacity("held", name) })
			})
		})
	f.fn("open lists them to be read, at the sizes of the file.", fmt.Sprintf("(c *%s) open() []store.Tensor", g.typ), func(b *body) {
		m.printCarryTensors(b, func(d ir.Dim) string {
			if _, constant := d.Const(); !constant {
				return "-1"
			}
			return d.String()
		})
	})
}

func (m *model) printCarryTensors(b *body, extent func(d ir.Dim) string) {
	var lines []string
	for _, t := range m.carries.tensors {
		shape := t.Node.Type.Shape
		var extents []string
		for _, d := range shape {
			extents = append(extents, extent(d))
		}
		data := "c." + t.field
		if _, constant := shape.Size().Const(); !constant && !slices.Contains(extents, "-1") {
			data += "[:" + extent(shape.Size()) + "]"
		}
		lines = append(lines, fmt.Sprintf("{Name: %q, Shape: []int{%s}, Data: %s}", "trainer/carry/"+t.Path, strings.Join(extents, ", "), data))
	}
	b.literal("return []store.Tensor", lines)
}

// printStartCarries prints how carries get their first values.
func (m *model) printStartCarries(f *file) {
	g := m.carries
	if g.start != nil {
		m.printMethod(f, "reset sets all to their first values.",
			signature{receiver: "c *" + g.typ, name: "reset", params: []string{"max " + m.public("Dims"), "seed uint64"}}, g.start)
		return
	}
	f.fn("reset sets all to their first values.", fmt.Sprintf("(c *%s) reset()", g.typ), func(b *body) {
		for _, t := range g.tensors {
			if t.start == 0 {
				b.stmt("clear(c.%s)", t.field)
				continue
			}
			b.block("for i := range c."+t.field, func() { b.stmt("c.%s[i] = %s", t.field, literal(t.start, t.Node.Type.Elem)) })
		}
	})
}

// printRestoreCarries prints how the carries that were read take their place;
// what a file has nothing of starts anew.
func (m *model) printRestoreCarries(b *body) {
	if !m.carries.any() {
		return
	}
	b.stmt("%s", m.resets("m", m.seedOf("m.seed")))
	for _, t := range m.carries.tensors {
		to, size := "m.carry."+t.field, t.Node.Type.Shape.Size()
		if _, constant := size.Const(); !constant {
			to += "[:" + spellDim(size, func(name string) string { return m.capacity("m.held", name) }) + "]"
		}
		b.stmt("copy(%s, m.carryNext.%s)", to, t.field)
	}
}

// printReset prints Reset of the trainer or predictor x.
func (m *model) printReset(f *file, receiver, seed string) {
	if !m.carries.any() {
		return
	}
	x, _, _ := strings.Cut(receiver, " ")
	var list []string
	for _, t := range m.carries.tensors {
		list = append(list, t.Path)
	}
	doc := "Reset sets what is kept from call to call, " + enumerate(list) + ", to its first value; the next call may be of any size."
	f.fn(doc, fmt.Sprintf("(%s) Reset()", receiver), func(b *body) {
		b.stmt("%s", m.resets(x, seed))
		if len(m.heldDims()) > 0 {
			b.stmt("%s.held = %s{}", x, m.public("Dims"))
		}
	})
}
