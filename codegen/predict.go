package codegen

import (
	"fmt"
	"strings"
)

// A carried number is one that inference reads and that weights carry along.
type carried struct {
	key     string // in a file's metadata
	field   string // of Weights
	trainer string // of the trainer
}

// carries is the numbers that inference reads.
func (m *model) carries() []carried {
	if m.predict == nil {
		return nil
	}
	var out []carried
	f := m.predict.ctx.frame
	for i, h := range m.ir.Hyper {
		if f.hyper[h.Name] {
			out = append(out, carried{"hyper." + h.Name, "hyper." + m.hypers[i], "Hyper." + m.hypers[i]})
		}
	}
	if f.readsLength {
		out = append(out, carried{"hyper.steps", "hyper.Steps", "Hyper.Steps"})
	}
	if f.readsCount {
		out = append(out, carried{"steps", "steps", "steps"})
	}
	if f.draws {
		out = append(out, carried{"seed", "seed", "seed"})
	}
	return out
}

// printWeights prints the type Weights and where one comes from.
func (m *model) printWeights(f *file) {
	w := m.public("Weights")
	f.typ(w+" are the parameters of a trained "+m.name+". They never change and may be shared by any number of goroutines.", w, func(b *body) {
		b.stmt("params %s", m.public("Params"))
		if len(m.states.tensors) > 0 {
			b.stmt("states %s", m.states.typ)
		}
		list := m.carries()
		for i, c := range list {
			if !strings.HasPrefix(c.field, "hyper.") {
				b.stmt("%s uint64", c.field)
			} else if i == 0 {
				b.stmt("hyper %s // those numbers that inference reads", m.public("Hyper"))
			}
		}
	})
	f.fn("", m.maker("new", "Weights")+"() *"+w, func(b *body) {
		lines := []string{"params: " + m.params.maker + "()"}
		if len(m.states.tensors) > 0 {
			lines = append(lines, "states: "+m.states.maker+"()")
		}
		b.literal("return &"+w, lines)
	})
	doc := "Snapshot copies the parameters, which then no step changes. It allocates; call it from the goroutine that trains."
	f.fn(doc, fmt.Sprintf("(m *%s) Snapshot() *%s", m.name, w), func(b *body) {
		b.stmt("w := %s()", m.maker("new", "Weights"))
		b.stmt("copy(w.params.flat, m.params.flat)")
		if len(m.states.tensors) > 0 {
			for _, t := range m.states.elems() {
				b.stmt("copy(w.states.%s, m.states.%s)", m.states.slab(t), m.states.slab(t))
			}
		}
		for _, c := range m.carries() {
			b.stmt("w.%s = m.%s", c.field, c.trainer)
		}
		b.stmt("return w")
	})
	m.printLoadWeights(f)
	m.printConcurrentPredict(f)
}

// printLoadWeights prints how weights are read and written.
func (m *model) printLoadWeights(f *file) {
	w, load := m.public("Weights"), m.maker("Load", "Weights")
	doc := load + ` reads what Save wrote. It reads no further than the file's end, and the error wraps [fault.ErrMismatch] if the file is of another model.`
	f.fn(doc, fmt.Sprintf("%s(r io.Reader) (*%s, error)", load, w), func(b *body) {
		b.stmt("w := %s()", m.maker("new", "Weights"))
		meta := "_"
		if len(m.carries()) > 0 {
			meta = "meta"
		}
		b.stmt("%s, err := store.Read(r, w.tensors()...)", meta)
		b.block("if err != nil", func() { b.stmt("return nil, fmt.Errorf(%q, err)", m.label+": %w") })
		for _, c := range m.carries() {
			m.printReadNumber(b, c)
		}
		b.stmt("return w, nil")
	})
	parse := m.maker("Parse", "Weights")
	f.fn(parse+" is "+load+" for a file in memory, such as an embedded string or a mapped file.",
		fmt.Sprintf("%s[T string | []byte](file T) (*%s, error)", parse, w), func(b *body) {
			b.stmt("return %s(bytes.NewReader([]byte(file)))", load)
		})
	f.fn("tensors lists w under the names of the model.", fmt.Sprintf("(w *%s) tensors() []store.Tensor", w), func(b *body) {
		m.printTensorList(b, "w", false)
	})
	f.fn("Save writes the weights as safetensors: "+m.params.names()+".", fmt.Sprintf("(w *%s) Save(dst io.Writer) error", w), func(b *body) {
		b.stmt("return store.Write(dst, %s, w.tensors()...)", m.metadata(b, "w", func(c carried) string { return c.field }))
	})
}

// printReadNumber sets a number from a file's metadata; a file without it leaves
// the program's default.
func (m *model) printReadNumber(b *body, c carried) {
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
func (m *model) metadata(b *body, x string, field func(c carried) string) string {
	list := m.carries()
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

// printTensorList returns the tensors of x that Save writes.
func (m *model) printTensorList(b *body, x string, all bool) {
	text := x + ".params.tensors()"
	for _, g := range m.groups() {
		if all || g.group == m.states {
			text = "append(" + text + ", " + x + "." + g.name + ".tensors()...)"
		}
	}
	b.stmt("return %s", text)
}

// printConcurrentPredict prints Predict of Weights.
func (m *model) printConcurrentPredict(f *file) {
	w, in, out := m.public("Weights"), m.public("Input"), m.public("Output")
	doc := "Predict is safe for concurrent use; the output is the caller's. A loop that must not allocate uses a " + m.public("Predictor") + "."
	f.fn(doc, fmt.Sprintf("(w *%s) Predict(in %s) (%s, error)", w, in, out), func(b *body) {
		b.stmt("var out %s", out)
		if len(m.dims) > 0 {
			var lines []string
			for _, d := range m.dims {
				lines = append(lines, d.field+": math.MaxInt")
			}
			b.block("if err := in.take("+m.public("Dims")+"{"+strings.Join(lines, ", ")+"}); err != nil", func() { b.stmt("return out, err") })
		}
		b.stmt("err := %s(w, in.%s).Predict(&out, in)", m.maker("New", "Predictor"), m.public("Dims"))
		b.stmt("return out, err")
	})
}

// printPredictor prints the type Predictor and its methods.
func (m *model) printPredictor(f *file) {
	p, w := m.public("Predictor"), m.public("Weights")
	f.typ(p+" predicts without allocation. It belongs to one goroutine at a time.", p, func(b *body) {
		b.stmt("w *%s", w)
		b.stmt("max %s // capacity", m.public("Dims"))
		if m.predict.ctx.draws {
			b.stmt("calls uint64 // of Predict so far")
		}
		if len(m.plan.Reader.Buffers) > 0 {
			b.blank()
		}
		scratchFields(b, m.plan.Reader.Buffers, m.ofReader, m.capacityOf)
	})
	name := m.maker("New", "Predictor")
	f.fn(name+" returns a predictor for inputs up to max.", fmt.Sprintf("%s(w *%s, max %s) *%s", name, w, m.public("Dims"), p), func(b *body) {
		if len(m.plan.Reader.Buffers) == 0 {
			b.stmt("return &%s{w: w, max: max}", p)
			return
		}
		b.stmt("p := &%s{w: w, max: max}", p)
		m.printArena(b, "p", name, m.plan.Reader, m.ofReader)
		b.stmt("return p")
	})
	f.fn("Use changes the weights for the calls that follow. It costs nothing.", fmt.Sprintf("(p *%s) Use(w *%s)", p, w), func(b *body) {
		b.stmt("p.w = w")
	})
	m.printPredict(f)
}

// printPredict prints Predict of Predictor.
func (m *model) printPredict(f *file) {
	p, out := m.public("Predictor"), m.public("Output")
	f.fn("Predict sets out. It reuses out's slices where they are long enough.",
		fmt.Sprintf("(p *%s) Predict(out *%s, in %s) error", p, out, m.public("Input")), func(b *body) {
			b.block("if p.w == nil || p.w.params.flat == nil", func() {
				b.stmt("return &fault.InputError{Model: %q, Input: \"weights\", Reason: \"are not from Snapshot or %s\"}", m.label, m.maker("Load", "Weights"))
			})
			b.block("if err := in.take(p.max); err != nil", func() { b.stmt("return err") })

			// Outputs get their lengths.
			for _, o := range m.outputs {
				if o.Node.Type.Rank() == 0 {
					continue
				}
				size := spellDim(o.Node.Type.Shape.Size(), func(name string) string { return m.dimOf("in", name, m.reads) })
				b.block(fmt.Sprintf("if n := %s; cap(out.%s) >= n", size, o.field), func() {
					b.stmt("out.%s = out.%s[:n]", o.field, o.field)
				})
				b.orElse("else", func() { b.stmt("out.%s = make([]%s, n)", o.field, goType(o.Node.Type.Elem)) })
			}
			b.stmt("p.predict(out, &in)")
			if m.predict.ctx.draws {
				b.stmt("p.calls++")
			}
			b.stmt("return nil")
		})
}
