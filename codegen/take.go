package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// printTake prints the checks of batches and inputs.
func (m *model) printTake(f *file) {
	for _, in := range m.intakes {
		doc := in.name + " checks batch and sets the dimensions that it leaves open."
		f.fn(doc, fmt.Sprintf("(m *%s) %s(batch *%s) error", m.name, in.name, m.public("Batch")), func(b *body) {
			b.block("if m.params.flat == nil", func() {
				b.stmt("return &fault.InputError{Model: %q, Input: \"trainer\", Reason: \"is not from %s\"}", m.label, m.maker("New", ""))
			})
			b.stmt("return batch.%s(m.max)", in.name)
		})
		m.printTakeOf(f, in.name, "batch", m.batch, in.inputs, in.nodes, m.ir.Facts, in.idle)
	}
	if m.predicts() {
		m.printTakeOf(f, "take", "in", m.in, m.in.operands, m.outputNodes(m.ir.Infer), m.ir.Facts, ir.D(1))
	}
	for _, e := range m.exports {
		m.printTakeOf(f, "take", "in", e.in, e.in.operands, e.nodes(), e.plan.Export.Facts, ir.D(1))
	}
}

// A taker prints the checks of one kind of input.
type taker struct {
	*model
	b      *body
	c      procContext
	x      string // the batch or input
	form   *form
	inputs []operand // of the form, that are checked
	known  map[string]bool
	source map[string]string // by dimension, the input whose length settles it
	failed bool              // err is declared
}

// printTakeOf prints the method take of a batch or input: dimensions are
// inferred where lengths determine them, then lengths, dimensions and labels
// are checked. Where idle is 0 the caller computes nothing: see fit.
func (m *model) printTakeOf(f *file, name, x string, of *form, inputs []operand, nodes []*ir.Node, facts ir.Facts, idle ir.Dim) {
	frame := newFrame("take", m.ir.Elem, m.runDims, nil, x, "max", "err")
	t := &taker{model: m, b: &body{}, c: procContext{frame}, x: x, form: of, inputs: inputs, known: map[string]bool{}, source: map[string]string{}}
	doc := name + " checks " + x + " and sets the dimensions that it leaves open. No dimension may be above max."
	f.fn(doc, fmt.Sprintf("(%s *%s) %s(max %s) error", x, of.typ, name, m.public("Dims")), func(b *body) {
		t.b = b
		checked := t.infer()
		t.given(nodes)
		t.fit(requirements(nodes, facts), idle)
		for _, in := range inputs {
			if !checked[in.field] && in.Node.Type.Rank() > 0 {
				t.length(in, in.Node.Type.Shape.Size())
			}
		}
		for _, in := range inputs {
			t.labels(in)
		}
		t.positions()
		var lines []string
		for _, d := range of.dims {
			if t.known[d.Name] {
				lines = append(lines, d.field+": "+frame.names[d.Name])
			}
		}
		if len(lines) > 0 {
			b.literal(x+"."+of.dimsType+" = "+of.dimsType, lines)
		}
		b.stmt("return nil")
	})
}

// spell is d in terms of the locals of its dimensions.
func (f *frame) spell(d ir.Dim) string {
	return spellDim(d, func(name string) string { return f.names[name] })
}

// check returns the error of a call, if there is one.
func (t *taker) check(format string, args ...any) {
	t.b.block("if err := "+fmt.Sprintf(format, args...)+"; err != nil", func() { t.b.stmt("return err") })
}

// length checks that in has as many elements as size says, which is known; where
// they are none for the lack of another input, that is to blame.
func (t *taker) length(in operand, size ir.Dim) {
	call := fmt.Sprintf("%q, %q, len(%s.%s), %s", t.label, in.field, t.x, in.field, t.c.spell(size))
	if first := t.settles(size); first != "" && first != in.field {
		t.check("fault.LenBehind(%s, %q, len(%s.%s))", call, first, t.x, first)
		return
	}
	t.check("fault.Len(%s)", call)
}

// settles is the input whose length settles the first dimension of size that
// makes it 0 and that some length settles; "" where there is none.
func (t *taker) settles(size ir.Dim) string {
	for _, d := range t.runDims {
		none := size.Subst(func(name string) (ir.Dim, bool) { return ir.D(0), name == d.Name })
		if first := t.source[d.Name]; first != "" && none.IsConst(0) {
			return first
		}
	}
	return ""
}

// infer settles the dimensions of the inputs, the easy ones first; it returns
// the inputs whose lengths that has checked.
func (t *taker) infer() map[string]bool {
	checked := map[string]bool{}
	for {
		in, open := t.next()
		switch {
		case in == nil:
			return checked
		case len(open) == 1 && plainAxis(in.Node.Type.Shape, open[0]) >= 0:
			t.rows(in, open[0])
			checked[in.field] = true
		case len(open) == 1:
			t.search(in, open[0])
		case t.allPlain(in.Node.Type.Shape, open):
			t.several(in, open)
			checked[in.field] = true
		default:
			for _, d := range open {
				t.take(d)
			}
		}
		for _, d := range open {
			t.known[d] = true
		}
	}
}

// next is an input with the fewest dimensions that are not known, at least one;
// one that has a dimension as its extent comes first, and before others one
// whose rows are never empty.
func (t *taker) next() (*operand, []string) {
	var best *operand
	var bestOpen []string
	score := func(in *operand, open []string) int {
		switch {
		case len(open) > 1 || plainAxis(in.Node.Type.Shape, open[0]) < 0:
			return 1 + len(open)
		case t.width(in, open[0]).Covers(ir.D(1)):
			return 0
		}
		return 1
	}
	for i := range t.inputs {
		in := &t.inputs[i]
		open := t.open(in.Node.Type.Shape)
		if len(open) > 0 && (best == nil || score(in, open) < score(best, bestOpen)) {
			best, bestOpen = in, open
		}
	}
	return best, bestOpen
}

// width is the size of a row of in along dim.
func (t *taker) width(in *operand, dim string) ir.Dim {
	s := in.Node.Type.Shape
	return s.Drop([]int{plainAxis(s, dim)}).Size()
}

// open is the dimensions of a shape that are not known, in the order of Dims.
func (t *taker) open(s ir.Shape) []string { return openDims(t.runDims, s, t.known) }

func (t *taker) allPlain(s ir.Shape, open []string) bool {
	return !slices.ContainsFunc(open, func(d string) bool { return plainAxis(s, d) < 0 })
}

// dimField is a dimension's field.
func (t *taker) dimField(name string) string {
	for _, d := range t.dims {
		if d.Name == name {
			return d.field
		}
	}
	return name
}

// from is the dimension as the caller gave it.
func (t *taker) from(name string) string { return t.dimOf(t.form, t.x)(name) }

// rows infers a dimension that is one extent of in. Where its rows may be empty
// and tell nothing, another input that has the dimension is asked.
func (t *taker) rows(in *operand, dim string) {
	ask := func(in *operand) string {
		return fmt.Sprintf("fault.Rows(%q, %q, len(%s.%s), %s, %q, %s, max.%s)", t.label, in.field,
			t.x, in.field, t.c.spell(t.width(in, dim)), t.dimField(dim), t.from(dim), t.dimField(dim))
	}
	width := t.width(in, dim)
	if first := t.settles(width); first != "" {
		t.b.block("if "+t.c.spell(width)+" == 0", func() { t.length(*in, width) })
	}
	if width.Covers(ir.D(1)) {
		t.source[dim] = in.field
	}
	t.b.stmt("%s, err := %s", t.c.names[dim], ask(in))
	for empty := in; !t.width(empty, dim).Covers(ir.D(1)); {
		other := t.other(empty, dim)
		if other == nil {
			break
		}
		t.b.block("if err == nil && "+t.c.spell(t.width(empty, dim))+" == 0", func() { t.b.stmt("%s, err = %s", t.c.names[dim], ask(other)) })
		empty = other
	}
	t.b.block("if err != nil", func() { t.b.stmt("return err") })
	t.failed = true
}

// other is the input behind in whose length tells dim too.
func (t *taker) other(in *operand, dim string) *operand {
	behind := false
	for i := range t.inputs {
		o := &t.inputs[i]
		if open := t.open(o.Node.Type.Shape); behind && len(open) == 1 && open[0] == dim && plainAxis(o.Node.Type.Shape, dim) >= 0 {
			return o
		}
		behind = behind || o.field == in.field
	}
	return nil
}

// take uses a dimension as the caller gave it.
func (t *taker) take(dim string) {
	t.b.stmt("%s := %s", t.c.names[dim], t.from(dim))
	t.check("fault.Dim(%q, %q, %s, max.%s)", t.label, t.dimField(dim), t.c.names[dim], t.dimField(dim))
}

// search infers a dimension from a length that grows with it; with a floor
// division in it, a length does not determine the dimension.
func (t *taker) search(in *operand, dim string) {
	size := in.Node.Type.Shape.Size()
	text, all := t.c.spell(size), map[string]bool{}
	if size.Vars(all); len(all) == 1 {
		t.source[dim] = in.field
	}
	if name := t.c.names[dim]; !strings.Contains(text, "/") && !strings.Contains(text, "FloorDiv") {
		t.b.blank()
		t.b.comment("%s is given, or the smallest for which %s is long enough.", name, in.field)
		t.b.stmt("%s := %s", name, t.from(dim))
		t.b.block(fmt.Sprintf("for %s == 0 && %s < max.%s && %s < len(%s.%s)", t.from(dim), name, t.dimField(dim), text, t.x, in.field),
			func() { t.b.stmt("%s++", name) })
		t.check("fault.Dim(%q, %q, %s, max.%s)", t.label, t.dimField(dim), name, t.dimField(dim))
		return
	}
	t.take(dim)
}

// several infers one of the dimensions that are extents of in from the others,
// which the caller has to give.
func (t *taker) several(in *operand, open []string) {
	s := in.Node.Type.Shape
	var names, from []string
	for _, d := range open {
		names, from = append(names, t.c.names[d]), append(from, t.from(d))
	}
	for _, d := range open {
		t.source[d] = in.field
	}
	t.b.stmt("%s := %s", strings.Join(names, ", "), strings.Join(from, ", "))
	for _, d := range open {
		t.check("fault.Dim(%q, %q, %s, max.%s)", t.label, t.dimField(d), t.c.names[d], t.dimField(d))
	}
	t.b.blank()
	t.b.comment("The length of %s settles the last of %s.", in.field, strings.Join(names, ", "))
	t.declareErr()
	t.b.block("switch", func() {
		for _, d := range open {
			var others []string
			for _, o := range open {
				if o != d {
					others = append(others, t.c.names[o]+" != 0")
				}
			}
			width := s.Drop([]int{plainAxis(s, d)}).Size()
			t.b.stmt("case %s:", strings.Join(others, " && "))
			t.b.stmt("%s, err = fault.Rows(%q, %q, len(%s.%s), %s, %q, %s, max.%s)", t.c.names[d], t.label, in.field,
				t.x, in.field, t.c.spell(width), t.dimField(d), t.c.names[d], t.dimField(d))
		}
		t.b.stmt("case len(%s.%s) != 0:", t.x, in.field)
		t.b.stmt("err = &fault.InputError{Model: %q, Input: %q, Reason: fmt.Sprintf(%q, len(%s.%s))}", t.label, in.field,
			"%d elements leave "+strings.Join(open, " and ")+" open; set all but one of them, so that "+s.Size().String()+" is the length", t.x, in.field)
	})
	t.b.block("if err != nil", func() { t.b.stmt("return err") })
	t.b.blank()
}

// declareErr makes sure that there is a variable err.
func (t *taker) declareErr() {
	if !t.failed {
		t.b.stmt("var err error")
		t.failed = true
	}
}

// given takes the dimensions that no input of this kind has, but some value.
func (t *taker) given(nodes []*ir.Node) {
	set := map[string]bool{}
	for _, n := range nodes {
		for _, d := range n.Type.Shape {
			d.Vars(set)
		}
		for _, d := range n.Attr.Dims {
			d.Vars(set)
		}
	}
	for _, d := range t.form.dims {
		if set[d.Name] && !t.known[d.Name] {
			t.take(d.Name)
			t.known[d.Name] = true
		}
	}
}

// fit checks what the model requires of the dimensions that are known. Nothing is
// required of a batch that is empty for another dimension's sake, nor of one that
// is empty throughout: for these idle is 0, the product of the dimensions that
// can make it so, and the caller computes nothing.
func (t *taker) fit(list []requirement, idle ir.Dim) {
	for _, r := range list {
		dims := r.dims(t.runDims)
		if slices.ContainsFunc(dims, func(d ir.RunDim) bool { return !t.known[d.Name] }) {
			continue // about what this kind of input does not use
		}
		var names, values []string
		for _, d := range dims {
			names = append(names, t.dimField(d.Name))
			values = append(values, t.c.names[d.Name])
		}
		condition := r.fails(t.c.spell)
		if !r.metByNone() {
			condition = t.unlessIdle(idle, dims) + conjunct(condition)
		}
		t.b.block("if "+condition, func() {
			format := strings.TrimSuffix(strings.Repeat("%d, ", len(values)), ", ") + " does not fit: the model needs " + strings.ReplaceAll(r.String(), "%", "%%")
			if len(values) > 1 {
				format = strings.Replace(format, " does", " do", 1)
			}
			t.b.stmt("return &fault.InputError{Model: %q, Input: %q, Reason: fmt.Sprintf(%q, %s)}", t.label,
				strings.Join(names, ", "), format, strings.Join(values, ", "))
		})
	}
}

// unlessIdle is the condition, with the && behind it, that a batch is not empty
// without what is said of dims; "" where none can be.
func (t *taker) unlessIdle(idle ir.Dim, dims []ir.RunDim) string {
	can := map[string]bool{}
	if idle.Vars(can); len(can) == 0 {
		return ""
	}
	var own []string
	for _, d := range dims {
		if can[d.Name] {
			idle = idle.Subst(func(name string) (ir.Dim, bool) { return ir.D(1), name == d.Name })
			own = append(own, t.c.names[d.Name]+" != 0")
		}
	}
	if _, all := idle.Const(); all {
		return conjunct(strings.Join(own, " || ")) + " && "
	}
	return t.c.spell(idle) + " != 0 && "
}

// labels checks the elements of an input that are used as indices.
func (t *taker) labels(in operand) {
	for _, bound := range slices.Concat(t.model.plan.Bounds, t.form.bounds) {
		if bound.Input.Attr.Name == in.Node.Attr.Name {
			t.within(in, bound)
		}
	}
}

// within checks the elements of an input against a bound.
func (t *taker) within(in operand, bound ir.Bound) {
	set := map[string]bool{}
	bound.Extent.Vars(set)
	for d := range set {
		if !t.known[d] {
			return // bounds what this kind of input does not use
		}
	}
	extent, elements := t.c.spell(bound.Extent), t.x+"."+in.field
	if in.Node.Type.Rank() == 0 {
		elements = "[]" + goType(in.Node.Type.Elem) + "{" + elements + "}"
	}
	if bound.HasIgnore {
		t.check("fault.LabelsOr(%q, %q, %s, %s, %d)", t.label, in.field, elements, extent, bound.Ignore)
		return
	}
	t.check("fault.Labels(%q, %q, %s, %s)", t.label, in.field, elements, extent)
}

// positions checks the indices that are computed of int parameters.
func (t *taker) positions() {
	field := func(leaf *ir.Node) string {
		return t.inputs[slices.IndexFunc(t.inputs, func(in operand) bool { return in.Node == leaf })].field
	}
	for _, p := range t.form.positions {
		check := t.c.check(p, func(leaf *ir.Node) string { return t.x + "." + field(leaf) }, field)
		t.b.block("if "+check.fails, func() {
			t.b.stmt("return &fault.InputError{Model: %q, Input: %q, Reason: %s}", t.label, check.input, check.text(""))
		})
	}
}
