package codegen

import "fmt"

// printFiles prints what reads and writes the trainer.
func (m *model) printFiles(f *file) {
	m.printSave(f)
	m.printLoad(f)
	m.printCheckpoint(f)
	m.printRestore(f)
}

func (m *model) printSave(f *file) {
	f.fn("tensors lists what Save writes, under the names of the model.", fmt.Sprintf("(m *%s) tensors() []store.Tensor", m.name), func(b *body) {
		m.printTensorList(b, "m", false)
	})
	f.fn("Save writes the weights as safetensors: "+m.params.names()+".", fmt.Sprintf("(m *%s) Save(w io.Writer) error", m.name), func(b *body) {
		b.stmt("return store.Write(w, %s, m.tensors()...)", m.metadata(b, "m", func(c carried) string { return c.trainer }))
	})
}

// printLoad prints Load and LoadPartial.
func (m *model) printLoad(f *file) {
	f.fn("Load reads what Save wrote; after an error the model is as it was.", fmt.Sprintf("(m *%s) Load(r io.Reader) error", m.name), func(b *body) {
		if list := m.carries(); len(list) > 0 {
			b.stmt("w, err := %s(r)", m.maker("Load", "Weights"))
			b.block("if err != nil", func() { b.stmt("return err") })
			b.stmt("copy(m.params.flat, w.params.flat)")
			if len(m.states.tensors) > 0 {
				for _, t := range m.states.elems() {
					b.stmt("copy(m.states.%s, w.states.%s)", m.states.slab(t), m.states.slab(t))
				}
			}
			for _, c := range list {
				if c.key != "seed" && c.key != "steps" {
					b.stmt("m.%s = w.%s", c.trainer, c.field)
				}
			}
			b.stmt("return nil")
			return
		}
		b.block("if _, err := store.Read(r, m.tensors()...); err != nil", func() { b.stmt("return fmt.Errorf(%q, err)", m.label+": %w") })
		b.stmt("return nil")
	})

	doc := `LoadPartial reads those tensors that a file has, for transfer learning. rename maps a name in the file to the model's (nil keeps names, "" leaves the tensor out). missing names what the file lacks, unused what it has besides; after an error the model is as it was.`
	f.fn(doc, fmt.Sprintf("(m *%s) LoadPartial(r io.Reader, rename func(string) string) (missing, unused []string, err error)", m.name), func(b *body) {
		b.stmt("missing, unused, err = store.ReadPartial(r, rename, m.tensors()...)")
		b.block("if err != nil", func() { b.stmt("return nil, nil, fmt.Errorf(%q, err)", m.label+": %w") })
		b.stmt("return missing, unused, nil")
	})
}

// A kept number is one of the trainer that a checkpoint keeps.
type kept struct {
	name, field, typ string
}

// keeps is the whole numbers that a checkpoint keeps, as uint64.
func (m *model) keeps() []kept {
	out := []kept{{"trainer/steps", "steps", "uint64"}}
	if m.hasLength() {
		out = append(out, kept{"trainer/length", "Hyper.Steps", "int"})
	}
	if m.draws() {
		out = append(out, kept{"trainer/seed", "seed", "uint64"}, kept{"trainer/calls", "calls", "uint64"})
	}
	return out
}

// printCheckpoint prints Checkpoint and the list of tensors that it writes.
func (m *model) printCheckpoint(f *file) {
	doc := "checkpoint lists all that a run needs to go on: tensors, and beside them the numbers of Hyper and the counters."
	f.fn(doc, fmt.Sprintf("(m *%s) checkpoint(hyper []float64, counts []uint64) []store.Tensor", m.name), func(b *body) {
		b.stmt("list := m.tensors()")
		if len(m.optim.tensors) > 0 {
			b.stmt("list = append(list, m.optim.tensors()...)")
		}
		var lines []string
		for i, h := range m.ir.Hyper {
			lines = append(lines, fmt.Sprintf("store.Tensor{Name: %q, Shape: []int{}, Data: hyper[%d:%d]}", "trainer/hyper/"+h.Name, i, i+1))
		}
		for i, k := range m.keeps() {
			lines = append(lines, fmt.Sprintf("store.Tensor{Name: %q, Shape: []int{}, Data: counts[%d:%d]}", k.name, i, i+1))
		}
		b.call("return append", append([]string{"list"}, lines...))
	})

	doc = "Checkpoint writes all that a run needs to go on bit for bit: parameters"
	if len(m.optim.tensors) > 0 {
		doc += ", the optimiser's states"
	}
	if len(m.states.tensors) > 0 {
		doc += ", the model's states"
	}
	if m.hasHyper() {
		doc += ", Hyper"
	}
	f.fn(doc+" and the step.", fmt.Sprintf("(m *%s) Checkpoint(w io.Writer) error", m.name), func(b *body) {
		hyper, counts := m.numbers()
		b.literal("hyper := []float64", hyper)
		b.literal("counts := []uint64", counts)
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
		b.block("if _, err := store.ReadChecked(r, m.checkpoint(hyper, counts)...); err != nil", func() {
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
			b.stmt("m.pending = false")
		}
		b.stmt("return nil")
	})
}
