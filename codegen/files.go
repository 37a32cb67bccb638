package codegen

import (
	"fmt"
	"slices"
)

// printFiles prints what reads and writes the trainer.
func (m *model) printFiles(f *file) {
	m.printSave(f)
	m.printLoad(f)
	m.printCheckpoint(f)
	m.printRestore(f)
}

func (m *model) printSave(f *file) {
	f.fn("tensors lists what Save writes, under the names of the model.", fmt.Sprintf("(m *%s) tensors() []store.Tensor", m.name), func(b *body) {
		m.printTensorList(b, m.inferred(), "m")
	})
	if m.averaged() {
		f.fn("trained lists what a step sets, under the names of the model.", fmt.Sprintf("(m *%s) trained() []store.Tensor", m.name), func(b *body) {
			m.printTensorList(b, "m.params", "m")
		})
	}
	doc := m.saveDoc()
	if m.averaged() {
		doc += " Of the parameters that have an average it writes that."
	}
	f.fn(doc, fmt.Sprintf("(m *%s) Save(w io.Writer) error", m.name), func(b *body) {
		b.stmt("return store.Write(w, %s, m.tensors()...)", m.metadata(b, "m", func(c number) string { return c.trainer }))
	})
}

// saveDoc says what Save writes.
func (m *model) saveDoc() string {
	doc := "Save writes the weights as safetensors: " + m.params.names() + "."
	if len(m.states.tensors) > 0 {
		doc += " The model's states are with them: " + m.states.names() + "."
	}
	return doc
}

// trainedTensors is the list of what training sets.
func (m *model) trainedTensors() string {
	if m.averaged() {
		return "m.trained()"
	}
	return "m.tensors()"
}

// printLoad prints Load and LoadPartial.
func (m *model) printLoad(f *file) {
	doc := "Load reads what Save wrote; after an error the model is as it was."
	if m.averaged() {
		doc += " Averages start anew as the parameters that were read."
	}
	f.fn(doc, fmt.Sprintf("(m *%s) Load(r io.Reader) error", m.name), func(b *body) {
		if list := m.numbersRead(); len(list) > 0 {
			m.printLoadByWeights(b, list)
			return
		}
		b.block("if _, err := store.Read(r, "+m.trainedTensors()+"...); err != nil", func() { b.stmt("return fmt.Errorf(%q, err)", m.label+": %w") })
		if m.averaged() {
			b.stmt("m.startAverages(nil)")
		}
		b.stmt("return nil")
	})

	doc = `LoadPartial reads those tensors that a file has, for transfer learning. rename maps a name in the file to the model's (nil keeps names, "" leaves the tensor out). missing names what the file lacks, unused what it has besides; after an error the model is as it was.`
	f.fn(doc, fmt.Sprintf("(m *%s) LoadPartial(r io.Reader, rename func(string) string) (missing, unused []string, err error)", m.name), func(b *body) {
		b.stmt("missing, unused, err = store.ReadPartial(r, rename, %s...)", m.trainedTensors())
		b.block("if err != nil", func() { b.stmt("return nil, nil, fmt.Errorf(%q, err)", m.label+": %w") })
		if m.averaged() {
			b.stmt("m.startAverages(missing)")
		}
		b.stmt("return missing, unused, nil")
	})
}

// printLoadByWeights reads weights, which have the numbers that inference reads,
// and copies them.
func (m *model) printLoadByWeights(b *body, list []number) {
	b.stmt("w, err := %s(r)", m.maker("Load", "Weights"))
	b.block("if err != nil", func() { b.stmt("return err") })
	m.copyParams(b, "m.params", "w.params")
	for _, t := range m.states.elems() {
		b.stmt("copy(m.states.%s, w.states.%s)", m.states.slab(t), m.states.slab(t))
	}
	for _, c := range list {
		if c.key != "seed" && c.key != "steps" {
			b.stmt("m.%s = w.%s", c.trainer, c.field)
		}
	}
	if m.averaged() {
		b.stmt("m.startAverages(nil)")
	}
	b.stmt("return nil")
}

// A kept number is one of the trainer that a checkpoint keeps.
type kept struct {
	name, field, typ string
	below            string // an expression that is above all values, "" for none
}

// keeps is the whole numbers that a checkpoint keeps, as uint64.
func (m *model) keeps() []kept {
	var out []kept
	for _, t := range m.trains {
		out = append(out, kept{t.key("steps"), t.counter(), "uint64", ""})
	}
	if len(out) == 0 {
		out = append(out, kept{"trainer/steps", "steps", "uint64", ""})
	}
	for _, t := range m.rules() {
		if m.summed(t) {
			out = append(out, kept{t.key("micro"), "micro" + t.suffix, "uint64", fmt.Sprint(t.accumulates())})
		}
	}
	for _, d := range m.heldDims() {
		out = append(out, kept{"trainer/held/" + d.Name, "held." + d.field, "int", "uint64(m.max." + d.field + ") + 1"})
	}
	if m.hasLength() {
		out = append(out, kept{"trainer/length", "Hyper.Steps", "int", ""})
	}
	if m.draws() {
		out = append(out, kept{"trainer/seed", "seed", "uint64", ""}, kept{"trainer/calls", "calls", "uint64", ""})
	}
	return out
}

// key is a name in checkpoints of what belongs to the training of a loss.
func (t *training) key(name string) string {
	if t.Loss == "" {
		return "trainer/" + name
	}
	return "trainer/" + t.Loss + "/" + name
}

// summed reports whether gradients of micro-batches are kept for t.
func (m *model) summed(t *training) bool { return t.accumulates() > 1 && t.Forward != nil }

// printCheckpoint prints Checkpoint and the list of tensors that it writes.
func (m *model) printCheckpoint(f *file) {
	doc := "checkpoint lists all that a run needs to go on: tensors, and beside them the numbers of Hyper and the counters."
	f.fn(doc, fmt.Sprintf("(m *%s) checkpoint(hyper []float64, counts []uint64) []store.Tensor", m.name), func(b *body) {
		b.stmt("list := %s", m.trainedTensors())
		for _, g := range m.groups() {
			if g.group != m.states {
				b.stmt("list = append(list, m.%s.tensors()...)", g.name)
			}
		}
		for _, t := range m.rules() {
			if m.summed(t) {
				b.block("for _, t := range m.gradSum"+t.suffix+".tensors()", func() {
					b.stmt("t.Name = %q + t.Name", t.key("sum/"))
					b.stmt("list = append(list, t)")
				})
			}
		}
		var lines []string
		for i, h := range m.ir.Hyper {
			lines = append(lines, fmt.Sprintf("store.Tensor{Name: %q, Shape: []int{}, Data: hyper[%d:%d]}", "trainer/hyper/"+h.Name, i, i+1))
		}
		for i, k := range m.keeps() {
			bound := ""
			if k.below != "" {
				bound = ", Below: " + k.below
			}
			lines = append(lines, fmt.Sprintf("store.Tensor{Name: %q, Shape: []int{}, Data: counts[%d:%d]%s}", k.name, i, i+1, bound))
		}
		b.call("return append", append([]string{"list"}, lines...))
	})

	doc = "Checkpoint writes all that a run needs to go on bit for bit: parameters"
	if len(m.optim.tensors) > 0 {
		doc += ", the optimiser's states"
	}
	if m.averaged() {
		doc += ", averages"
	}
	if len(m.states.tensors) > 0 {
		doc += ", the model's states"
	}
	if slices.ContainsFunc(m.rules(), m.summed) {
		doc += ", gradients of micro-batches"
	}
	if m.carries.any() {
		doc += ", what is kept from call to call"
	}
	if m.hasHyper() {
		doc += ", Hyper"
	}
	f.fn(doc+" and the step.", fmt.Sprintf("(m *%s) Checkpoint(w io.Writer) error", m.name), func(b *body) {
		hyper, counts := m.numbers()
		b.literal("hyper := []float64", hyper)
		b.literal("counts := []uint64", counts)
		if m.carries.any() {
			held := ""
			if len(m.heldDims()) > 0 {
				held = "m.held"
			}
			b.stmt("return store.WriteChecked(w, nil, append(m.checkpoint(hyper, counts), m.carry.tensors(%s)...)...)", held)
			return
		}
		b.stmt("return store.WriteChecked(w, nil, m.checkpoint(hyper, counts)...)")
	})
}

// numbers is the values that a checkpoint keeps, as expressions.
func (m *model) numbers() (hyper, counts []string) {
	for _, field := range m.hypers {
		hyper = append(hyper, "m.Hyper."+field)
	}
	for _, k := range m.keeps() {
		text := "m." + k.field
		if k.typ != "uint64" {
			text = "uint64(" + text + ")"
		}
		counts = append(counts, text)
	}
	return hyper, counts
}

func (m *model) printRestore(f *file) {
	f.fn("Restore reads what Checkpoint wrote; after an error the model is as it was.", fmt.Sprintf("(m *%s) Restore(r io.Reader) error", m.name), func(b *body) {
		b.stmt("hyper, counts := make([]float64, %d), make([]uint64, %d)", len(m.hypers), len(m.keeps()))
		list := "m.checkpoint(hyper, counts)"
		if m.carries.any() {
			list = "append(" + list + ", m.carryNext.open()...)"
		}
		b.block("if _, err := store.ReadChecked(r, "+list+"...); err != nil", func() {
			b.stmt("return fmt.Errorf(%q, err)", m.label+": %w")
		})
		for i, field := range m.hypers {
			b.stmt("m.Hyper.%s = hyper[%d]", field, i)
		}
		for i, k := range m.keeps() {
			value := fmt.Sprintf("counts[%d]", i)
			if k.typ != "uint64" {
				value = k.typ + "(" + value + ")"
			}
			b.stmt("m.%s = %s", k.field, value)
		}
		if m.writes() {
			b.stmt("m.pending = %s", m.noPending())
		}
		m.printRestoreCarries(b)
		if m.compose != nil {
			b.stmt("m.composed = false")
		}
		b.stmt("return nil")
	})
}
