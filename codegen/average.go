package codegen

import "fmt"

// averageOf is the field of the average of a parameter, "" where there is none.
func (m *model) averageOf(path string) string {
	for _, a := range m.plan.Averages {
		if a.Param.Path == path {
			field, _ := m.averages.fieldOf(a.State.Path)
			return field
		}
	}
	return ""
}

// printReadParams prints, in New, what inference reads: averages where there are,
// the parameters' own memory elsewhere.
func (m *model) printReadParams(b *body) {
	if !m.averaged() {
		return
	}
	var lines []string
	for _, t := range m.params.tensors {
		from := "m.params." + t.field
		if field := m.averageOf(t.path); field != "" {
			from = "m.averages." + field
		}
		lines = append(lines, t.field+": "+from)
	}
	b.blank()
	b.comment("Inference reads the averages of the parameters that have one.")
	b.literal("m.read = "+m.public("Params"), lines)
	b.blank()
}

// printStartAverages prints how averages become equal to their parameters.
func (m *model) printStartAverages(f *file) {
	if !m.averaged() {
		return
	}
	doc := "startAverages sets averages to their parameters, but those whose names are in except."
	f.fn(doc, fmt.Sprintf("(m *%s) startAverages(except []string)", m.name), func(b *body) {
		b.stmt("read := m.read.tensors() // averages, and the other parameters themselves")
		b.block("for i, t := range m.params.tensors()", func() {
			b.block("if !slices.Contains(except, t.Name)", func() { m.params.printCopyTensor(b, "read[i]", "t") })
		})
	})
}

// inferred is the parameters that inference reads.
func (m *model) inferred() string {
	if m.averaged() {
		return "m.read"
	}
	return "m.params"
}
