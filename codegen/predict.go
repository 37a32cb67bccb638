package codegen

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// A number is one that inference reads and that weights carry along.
type number struct {
	key     string // in a file's metadata
	field   string // of Weights
	trainer string // of the trainer
}

// numbersRead is the numbers that inference reads.
func (m *model) numbersRead() []number {
	readers := m.readers()
	var out []number
	for i, h := range m.ir.Hyper {
		if uses(func(f *frame) bool { return f.hyper[h.Name] }, readers...) {
			out = append(out, number{"hyper." + h.Name, "hyper." + m.hypers[i], "Hyper." + m.hypers[i]})
		}
	}
	if readsLength(readers...) {
		out = append(out, number{"hyper.steps", "hyper.Steps", "Hyper.Steps"})
	}
	if uses(func(f *frame) bool { return f.readsCount }, readers...) {
		out = append(out, number{"steps", "steps", m.first().counter()})
	}
	if m.readerDraws() || m.drawsCarries() {
		out = append(out, number{"seed", "seed", "seed"})
	}
	return out
}

// readerDraws reports whether a predictor draws random numbers.
func (m *model) readerDraws() bool {
	return uses(func(f *frame) bool { return f.draws }, m.readers()...)
}

// printWeights prints the type Weights and where one comes from.
func (m *model) printWeights(f *file) {
	w := m.public("Weights")
	doc := w + " are the parameters of a trained " + m.name + ". They never change and may be shared by any number of goroutines. The zero value has none."
	f.typ(doc, w, func(b *body) {
		b.stmt("params %s", m.public("Params"))
		if len(m.states.tensors) > 0 {
			b.stmt("states %s", m.states.typ)
		}
		list := m.numbersRead()
		for i, c := range list {
			if !strings.HasPrefix(c.field, "hyper.") {
				b.stmt("%s uint64", c.field)
			} else if i == 0 {
				b.stmt("hyper %s // those numbers that inference reads", m.public("Hyper"))
			}
		}
		b.stmt("whole bool // from %s, %s or %s", "Snapshot", m.maker("Load", "Weights"), m.maker("Parse", "Weights"))
	})
	f.fn("", m.maker("new", "Weights")+"() *"+w, func(b *body) {
		lines := []string{"params: " + m.params.maker + "()"}
		if len(m.states.tensors) > 0 {
			lines = append(lines, "states: "+m.states.maker+"()")
		}
		b.literal("return &"+w, append(lines, "whole: true"))
	})
	doc = "Snapshot copies the parameters, which then no step changes. It allocates; call it from the goroutine that trains."
	if m.averaged() {
		doc = "Snapshot copies the averages of the parameters that have one, and the other parameters; no step changes the copy. It allocates; call it from the goroutine that trains."
	}
	f.fn(doc, fmt.Sprintf("(m *%s) Snapshot() *%s", m.name, w), func(b *body) {
		b.stmt("w := %s()", m.maker("new", "Weights"))
		switch {
		case m.averaged() && m.params.mixed():
			b.stmt("params := w.params.tensors()")
			b.block("for i, t := range m.read.tensors()", func() { m.params.printCopyTensor(b, "params[i]", "t") })
		case m.averaged():
			b.stmt("at := 0")
			b.block("for _, t := range m.read.tensors()", func() {
				b.stmt("at += copy(w.params.%s[at:], t.Data.([]%s))", m.params.filled(), goType(m.params.types()[0]))
			})
		default:
			m.copyParams(b, "w.params", "m.params")
		}
		if len(m.states.tensors) > 0 {
			for _, t := range m.states.elems() {
				b.stmt("copy(w.states.%s, m.states.%s)", m.states.slab(t), m.states.slab(t))
			}
		}
		for _, c := range m.numbersRead() {
			b.stmt("w.%s = m.%s", c.field, c.trainer)
		}
		b.stmt("return w")
	})
	m.printLoadWeights(f)
	if m.predicts() {
		doc := "Predict is safe for concurrent use; the output is the caller's. A loop that must not allocate uses a " + m.public("Predictor") + "."
		m.printConcurrent(f, "Predict", doc+m.freshDoc(m.plan.Predict), m.in, m.public("Output"))
	}
	for _, e := range m.exports {
		m.printExportOfWeights(f, e)
	}
}

// printLoadWeights prints how weights are read and written.
func (m *model) printLoadWeights(f *file) {
	w, load := m.public("Weights"), m.maker("Load", "Weights")
	doc := load + ` reads what Save wrote. It reads no further than the file's end, and the error wraps [fault.ErrMismatch] if the file is of another model.`
	f.fn(doc, fmt.Sprintf("%s(r io.Reader) (*%s, error)", load, w), func(b *body) {
		b.stmt("w := %s()", m.maker("new", "Weights"))
		m.printReadWeights(b, "store.Read(r, w.tensors()...)")
	})
	m.printParseWeights(f)
	f.fn("tensors lists w under the names of the model.", fmt.Sprintf("(w *%s) tensors() []store.Tensor", w), func(b *body) {
		m.printTensorList(b, "w.params", "w")
	})
	f.fn(m.saveDoc(), fmt.Sprintf("(w *%s) Save(dst io.Writer) error", w), func(b *body) {
		b.stmt("return store.Write(dst, %s, w.tensors()...)", m.metadata(b, "w", func(c number) string { return c.field }))
	})
}

// printReadWeights sets w by a call that returns a file's metadata.
func (m *model) printReadWeights(b *body, call string) {
	if len(m.numbersRead()) == 0 {
		b.block("if _, err := "+call+"; err != nil", func() { b.stmt("return nil, fmt.Errorf(%q, err)", m.label+": %w") })
		b.stmt("return w, nil")
		return
	}
	b.stmt("meta, err := %s", call)
	b.block("if err != nil", func() { b.stmt("return nil, fmt.Errorf(%q, err)", m.label+": %w") })
	for _, c := range m.numbersRead() {
		m.printReadNumber(b, c)
	}
	b.stmt("return w, nil")
}

// printParseWeights prints how weights become views of a file in memory.
func (m *model) printParseWeights(f *file) {
	w, parse := m.public("Weights"), m.maker("Parse", "Weights")
	doc := parse + " is " + m.maker("Load", "Weights") + " for a file in memory, such as an embedded string or a mapped file. " +
		"Parameters are not copied: they lie in file, and a []byte has to stay as it is while the weights are in use."
	f.fn(doc, fmt.Sprintf("%s[T string | []byte](file T) (*%s, error)", parse, w), func(b *body) {
		b.stmt("w := &%s{whole: true}", w)
		m.printReadWeights(b, "store.Parse(file, w.views()...)")
	})
	f.fn("views lists the slices of w under the names of the model.", fmt.Sprintf("(w *%s) views() []store.View", w), func(b *body) {
		lines := append(m.params.views("w.params"), m.states.views("w.states")...)
		b.literal("return []store.View", lines)
	})
}

// printReadNumber sets a number from a file's metadata; a file without it leaves
// the program's default.
func (m *model) printReadNumber(b *body, c number) {
	for i, h := range m.ir.Hyper {
		if "hyper."+m.hypers[i] == c.field {
			b.stmt("w.%s = %v", c.field, h.Default)
		}
	}
	b.block(fmt.Sprintf("if text, ok := meta[%q]; ok", c.key), func() {
		b.block(fmt.Sprintf("if _, err := fmt.Sscan(text, &w.%s); err != nil", c.field), func() {
			b.stmt("return nil, fmt.Errorf(%q, text, fault.ErrMismatch)", m.label+": metadata "+c.key+" is %q: %w")
		})
	})
}

// metadata is the numbers of x as an expression for store.Write.
func (m *model) metadata(b *body, x string, field func(c number) string) string {
	list := m.numbersRead()
	if len(list) == 0 {
		return "nil"
	}
	var lines []string
	for _, c := range list {
		lines = append(lines, fmt.Sprintf("%q: fmt.Sprint(%s.%s)", c.key, x, field(c)))
	}
	b.literal("meta := map[string]string", lines)
	return "meta"
}

// printTensorList returns the tensors that Save writes: params, and the states
// of x.
func (m *model) printTensorList(b *body, params, x string) {
	text := params + ".tensors()"
	if len(m.states.tensors) > 0 {
		text = "append(" + text + ", " + x + ".states.tensors()...)"
	}
	b.stmt("return %s", text)
}

// printConcurrent prints a method of Weights that asks a predictor made for the
// call.
func (m *model) printConcurrent(f *file, name, doc string, in *form, out string) {
	f.fn(doc, fmt.Sprintf("(w *%s) %s(in %s) (%s, error)", m.public("Weights"), name, in.typ, out), func(b *body) {
		b.stmt("var out %s", out)
		if len(in.dims) > 0 {
			var lines []string
			for _, d := range in.dims {
				lines = append(lines, d.field+": math.MaxInt")
			}
			b.block("if err := in.take("+m.public("Dims")+"{"+strings.Join(lines, ", ")+"}); err != nil", func() { b.stmt("return out, err") })
		}
		capacity := "in." + in.dimsType
		if in.dimsType != m.public("Dims") {
			var lines []string
			for _, d := range in.dims {
				lines = append(lines, d.field+": "+m.dimOf(in, "in")(d.Name))
			}
			capacity = m.public("Dims") + "{" + strings.Join(lines, ", ") + "}"
		}
		b.stmt("err := %s(w, %s).%s(&out, in)", m.maker("New", "Predictor"), capacity, name)
		b.stmt("return out, err")
	})
}

// printPredictor prints the type Predictor and its methods.
func (m *model) printPredictor(f *file) {
	p, w := m.public("Predictor"), m.public("Weights")
	doc := p + " predicts without allocation. It belongs to one goroutine at a time."
	if m.carries.any() {
		doc += " What the model keeps from call to call starts anew in each."
	}
	f.typ(doc, p, func(b *body) {
		b.stmt("w *%s", w)
		b.stmt("max %s // capacity", m.public("Dims"))
		if m.readerDraws() {
			b.stmt("calls uint64 // so far")
		}
		if m.carries.any() {
			b.stmt("carry, carryNext %s // from call to call, and what the call under way leaves", m.carries.typ)
			if len(m.heldDims()) > 0 {
				b.stmt("held %s // sizes of what carry has, 0 after Reset", m.public("Dims"))
			}
		}
		if len(m.plan.Reader.Buffers) > 0 {
			b.blank()
		}
		scratchFields(b, m.plan.Reader.Buffers, m.ofReader, m.capacityOf)
	})
	m.printNewPredictor(f)
	m.printLater(f)
	f.fn("Use changes the weights for the calls that follow. It costs nothing.", fmt.Sprintf("(p *%s) Use(w *%s)", p, w), func(b *body) {
		b.stmt("p.w = w")
	})
	m.printReset(f, "p *"+p, m.seedOf("p.w.seed"))
	if m.predicts() {
		doc := "Predict sets out. It reuses out's slices where they are long enough." + m.carryDoc(m.plan.Predict)
		m.printRead(f, "Predict", doc, "predict", m.in, m.public("Output"), m.outputs, m.plan.Predict, m.predict)
	}
	for _, e := range m.exports {
		m.printExport(f, e)
	}
}

// printNewPredictor prints the function that allocates a predictor.
func (m *model) printNewPredictor(f *file) {
	p, w, name := m.public("Predictor"), m.public("Weights"), m.maker("New", "Predictor")
	f.fn(name+" returns a predictor for inputs up to max.", fmt.Sprintf("%s(w *%s, max %s) *%s", name, w, m.public("Dims"), p), func(b *body) {
		lines := []string{"w: w", "max: max"}
		if m.carries.any() {
			lines = append(lines, "carry: "+m.carries.maker+"(max)", "carryNext: "+m.carries.maker+"(max)")
		}
		if len(m.plan.Reader.Buffers) == 0 && !m.carries.any() {
			b.literal("return &"+p, lines)
			return
		}
		b.literal("p := &"+p, lines)
		m.printArena(b, "p", p, name, m.plan.Reader, m.ofReader)
		if m.carries.any() {
			if m.drawsCarries() {
				b.block("if w != nil", func() { b.stmt("p.Reset()") })
			} else {
				b.stmt("p.Reset()")
			}
		}
		b.stmt("return p")
	})
}

// printRead prints an entry of the predictor: checks, lengths of outputs, the
// procedure.
func (m *model) printRead(f *file, name, doc, private string, in *form, out string, outputs []operand, p *ir.Procedure, of *method) {
	f.fn(doc, fmt.Sprintf("(p *%s) %s(out *%s, in %s) error", m.public("Predictor"), name, out, in.typ), func(b *body) {
		b.block("if p.w == nil || !p.w.whole", func() {
			b.stmt("return &fault.InputError{Model: %q, Input: \"weights\", Reason: \"are not from Snapshot or %s\"}", m.label, m.maker("Load", "Weights"))
		})
		b.block("if err := in.take(p.max); err != nil", func() { b.stmt("return err") })
		m.printFitsOf(b, "p", "in", "return err", in, p)
		printLengths(b, "out", outputs, m.dimOf(in, "in"))
		b.stmt("p.%s(out, &in)", private)
		m.printMoveOfCall(b, in, p)
		if m.readerDraws() {
			b.stmt("p.calls++")
		}
		b.stmt("return nil")
	})
}

// printMoveOfCall moves on the carries of a predictor, but not for an empty call.
func (m *model) printMoveOfCall(b *body, in *form, p *ir.Procedure) {
	if len(m.carries.of(p, true)) == 0 {
		return
	}
	var dims []string
	for _, d := range in.dims {
		if in.has(d.Name) {
			dims = append(dims, m.dimOf(in, "in")(d.Name)+" != 0")
		}
	}
	if len(dims) == 0 {
		m.printMoveOf(b, "p", "in", in, p)
		return
	}
	b.block("if "+strings.Join(dims, " && "), func() { m.printMoveOf(b, "p", "in", in, p) })
}

// printLengths gives the slices of x, outputs, their lengths.
func printLengths(b *body, x string, outputs []operand, dims func(string) string) {
	for _, o := range outputs {
		if o.Node.Type.Rank() == 0 {
			continue
		}
		size := spellDim(o.Node.Type.Shape.Size(), dims)
		b.block(fmt.Sprintf("if n := %s; cap(%s.%s) >= n", size, x, o.field), func() {
			b.stmt("%s.%s = %s.%s[:n]", x, o.field, x, o.field)
		})
		b.orElse("else", func() { b.stmt("%s.%s = make([]%s, n)", x, o.field, goType(o.Node.Type.Elem)) })
	}
}
