package codegen

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gradgen.dev/ir"
)

// mostFormulas is how many formulas of one section a doc comment shows.
const mostFormulas = 40

// widestName is the longest left side that the equals signs of a section are
// lined up behind, widestFormula the longest right side before the shapes.
const (
	widestName    = 32
	widestFormula = 48
)

// mathematics is the doc comment of a model's type: what the program says of
// it, then the formulas that were compiled, with the shapes of what they set.
func (m *model) mathematics() string {
	text := m.ir.Doc
	if text == "" && len(m.models) == 0 && len(m.printer.plan.Models) == 1 {
		text = m.printer.plan.Program.Doc
	}
	doc := documented(m.name, text, "the model "+m.ir.Name+" of "+m.opts.Source)
	if len(m.trains) == 0 {
		forward, backward, update := m.plan.Predict, (*ir.Procedure)(nil), (*ir.Procedure)(nil)
		var train *ir.Train
		if c := m.compose; c != nil {
			forward, backward, update, train = c.Forward, c.Backward, c.Update, c.Train
		}
		return doc + m.sections("", train, forward, backward, update)
	}
	for _, t := range m.trains {
		backward := t.Gradient
		if backward == nil {
			backward = t.Backward
		}
		doc += m.sections(t.Loss, t.Train, t.Forward, backward, t.Update)
	}
	return doc
}

// sections is the mathematics of one loss, "" of the unnamed one.
func (m *model) sections(loss string, train *ir.Train, forward, backward, update *ir.Procedure) string {
	of, rule := "", ""
	if loss != "" {
		of = " of " + loss
	}
	list, _ := formulas(update, "update")
	if train != nil && len(list) > 0 {
		rule, list = train.Rule, slices.Concat(clipFormula(train), list)
	}
	part := func(head string, p *ir.Procedure, name string) string {
		list, shapes := formulas(p, name)
		return section(head, list, shapes)
	}
	doc := part("Forward"+of+m.ofBatch()+":", forward, "forward") + part("Backward"+of+":", backward, "backward")
	if list := update.Routines(); len(list) > 0 {
		rule = "numbers of all parameters"
		if rest := slices.ContainsFunc(update.Steps, func(s *ir.Step) bool { return s.Loop != nil }); rest {
			rule = "numbers and parameters with a rule of their own"
		}
	}
	doc += section("Update"+of+", "+rule+":", list, nil)
	for _, r := range update.Routines() {
		list, _ := stated(r.Steps)
		doc += section("Update"+of+" of "+updatedBy(r)+", "+r.Text+":", list, nil)
	}
	return doc
}

// updatedBy names the parameters of a routine, the first of many.
func updatedBy(r *ir.Routine) string {
	var names []string
	for _, p := range slices.Concat(r.Runs...) {
		names = append(names, p.Path)
	}
	if n := len(names); n > 6 {
		names = append(names[:4:4], fmt.Sprintf("%d more", n-4))
	}
	return enumerate(names)
}

// clipFormula is what an update's clip_factor is, for a bound on the norm.
func clipFormula(t *ir.Train) []string {
	if t.Clip == nil || t.Clip.Kind != "norm" {
		return nil
	}
	limit := "limit"
	if v, ok := t.Clip.Limit.Literal(); ok {
		limit = literal(v, ir.Float64)
	} else if t.Clip.Limit.Is("hyper") {
		limit = t.Clip.Limit.Attr.Name
	}
	return []string{"clip_factor = min(1, " + limit + "/‖grad‖)"}
}

// ofBatch names the dimensions of a batch.
func (m *model) ofBatch() string {
	var names []string
	for _, d := range m.ir.Dims {
		names = append(names, d.Name)
	}
	if len(names) == 0 {
		return ""
	}
	return ", for a batch of " + strings.Join(names, "×")
}

// formulas is those of the steps of p that belong to a section, each once, and
// the shapes of what they set.
func formulas(p *ir.Procedure, section string) (list []string, shapes map[string]string) {
	if p == nil {
		return nil, nil
	}
	var steps []*ir.Step
	for _, s := range p.Steps {
		if s.Section == "" || s.Section == section {
			steps = append(steps, s)
		}
	}
	return stated(steps)
}

// stated is the formulas of steps, each once, and the shapes of what they set,
// by formula. One that stands for values of different shapes has none.
func stated(steps []*ir.Step) (list []string, shapes map[string]string) {
	shapes = map[string]string{}
	for _, s := range steps {
		for _, f := range s.Formulas {
			text := ""
			if shape, known := s.Shapes[f]; known {
				text = shapeText(shape)
			}
			if old, twice := shapes[f]; twice && old != text {
				text = ""
			}
			shapes[f] = text
		}
		list = append(list, s.Formulas...)
	}
	return distinct(list), shapes
}

// section is a heading and its formulas, with their equals signs below one
// another and the shapes of what they set on the right.
func section(head string, list []string, shapes map[string]string) string {
	if len(list) == 0 {
		return ""
	}
	left, right := 0, 0
	for _, f := range list {
		name, rest := halves(f)
		if w := utf8.RuneCountInString(name); w <= widestName {
			left = max(left, w)
		}
		if w := utf8.RuneCountInString(rest); w <= widestFormula {
			right = max(right, w)
		}
	}

	// What is too long for the columns pushes them aside on its own line.
	var b strings.Builder
	b.WriteString("\n\n" + head + "\n")
	for i, f := range list {
		if i == mostFormulas {
			b.WriteString("\n\t…")
			break
		}
		name, rest := halves(f)
		line := "\n\t" + padded(name, left) + rest
		if shape := shapes[f]; shape != "" {
			line = "\n\t" + padded(name, left) + padded(rest, right) + "  " + shape
		}
		b.WriteString(strings.TrimRight(line, " "))
	}
	return b.String()
}

// documented is the program's comment on a declaration as Go's doc comment,
// which starts with the name.
func documented(name, doc, otherwise string) string {
	if doc == "" {
		return name + " is " + otherwise + "."
	}
	doc = unwrapped(doc)
	first, rest, _ := strings.Cut(doc, " ")
	switch {
	case strings.HasPrefix(doc, name+" "):
		return doc
	case first == "The", first == "A", first == "An":
		return name + " is " + strings.ToLower(first) + " " + rest
	}
	if second := []rune(doc + "  ")[1]; unicode.IsLower(second) {
		doc = strings.ToLower(doc[:1]) + doc[1:]
	}
	return name + ": " + doc
}

// unwrapped is a comment with the lines of each paragraph joined; indented lines
// and items of lists stay.
func unwrapped(doc string) string {
	var out []string
	open := false // the last line goes on
	for line := range strings.SplitSeq(doc, "\n") {
		prose := line != "" && !strings.ContainsAny(line[:1], " \t-*#")
		if prose && open {
			out[len(out)-1] += " " + line
		} else {
			out = append(out, line)
		}
		open = prose
	}
	return strings.Join(out, "\n")
}

// halves splits a formula at its first sign, which goes to the right.
func halves(f string) (left, right string) {
	at := len(f)
	for _, sign := range []string{" = ", " ← ", " += "} {
		if k := strings.Index(f, sign); k >= 0 {
			at = min(at, k)
		}
	}
	return f[:at], f[at:]
}

func padded(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}
