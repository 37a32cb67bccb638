package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// printTotals prints what adds up over a data set, and how it is reported.
func (m *model) printTotals(f *file) {
	t, r := m.public("Totals"), m.public("Report")
	doc := t + " adds up loss and metrics over the batches of a data set. The zero value is empty and ready to use."
	if len(m.tensorParts()) > 0 {
		doc += " A copy shares what is kept by class or feature with the original."
	}
	f.typ(doc, t, func(b *body) {
		b.stmt("batches int")
		for i, part := range m.plan.Parts {
			if part.Node.Type.Rank() > 0 {
				b.stmt("%s []float64 // %s, %s", m.parts[i], shapeText(part.Node.Type.Shape), combined[part.Kind])
				continue
			}
			b.stmt("%s float64 // %s", m.parts[i], combined[part.Kind])
		}
		if m.closingWork() > 0 {
			b.stmt("work []float64 // scratch of Report")
		}
	})
	if m.plan.Close != nil {
		m.printClosings(f)
	} else {
		f.fn(r+" is loss and metrics over all batches so far; zeros where there are none.", fmt.Sprintf("(t *%s) Report() %s", t, r), func(b *body) {
			b.block("if t.batches == 0", func() { b.stmt("return %s{}", r) })
			m.printFormulas(b, localScope("t"), nil, nil)
		})
	}
	for _, of := range m.trains {
		if !m.partial(of) {
			continue
		}
		doc := "report" + of.suffix + " is what a step of the loss " + of.Loss + " reports."
		if of.Close != nil {
			m.printClose(f, doc, "report"+of.suffix, of.Close, of.Closings, of.Reports)
			continue
		}
		f.fn(doc, fmt.Sprintf("(t *%s) report%s() %s", t, of.suffix, r), func(b *body) { m.printFormulas(b, localScope("t"), nil, of.Reports) })
	}
	if m.needsWhere != nil {
		m.printWhere(f, m.needsWhere)
	}
	f.fn("add counts another batch.", fmt.Sprintf("(t *%s) add(batch *%s)", t, t), func(b *body) {
		for i, part := range m.plan.Parts {
			m.printCombine(b, part, m.parts[i])
		}
		b.stmt("t.batches += batch.batches")
	})
	f.fn(m.eachDoc(), fmt.Sprintf("(r %s) Each(f func(name string, value float64))", r), func(b *body) {
		for i, field := range m.plan.Reports {
			b.stmt("f(%q, r.%s)", field.Name, m.reports[i])
		}
		if m.reportsNorm() {
			b.block("if r.GradNorm != 0", func() { b.stmt("f(%q, r.GradNorm)", "grad_norm") })
		}
	})
	m.printEvaluate(f)
}

// combined says how the parts of batches become one, by kind.
var combined = map[string]string{
	"sum": "sum", "max": "largest", "min": "smallest", "any": "1 where one is", "all": "1 where all are", "last": "of the last batch",
}

// printCombine adds the part of a batch to the total, each in its own way.
func (m *model) printCombine(b *body, part ir.Part, field string) {
	if part.Node.Type.Rank() > 0 {
		m.printCombineTensor(b, part, field)
		return
	}
	to, from := "t."+field, "batch."+field
	first := "t.batches == 0 || "
	switch part.Kind {
	case "sum":
		b.stmt("%s += %s", to, from)
	case "last":
		b.stmt("%s = %s", to, from)
	case "max", "any":
		b.block("if "+first+from+" > "+to+" || "+from+" != "+from, func() { b.stmt("%s = %s", to, from) })
	case "min", "all":
		b.block("if "+first+from+" < "+to+" || "+from+" != "+from, func() { b.stmt("%s = %s", to, from) })
	default:
		m.fail("part %s combines by %s", part.Name, part.Kind)
	}
}

// formula is a report's value over the parts of t and the closings that are
// variables; names are those of its function.
func (m *model) formula(b *body, names *scope, closings map[string]string, value *ir.Node) string {
	e := &naive{helper: unexported(m.name), squares: true, leaf: func(n *ir.Node, _ bool) (string, bool) {
		if !n.Is("arg") {
			return "", false
		}
		if text, ok := closings[n.Attr.Name]; ok {
			return text, true
		}
		for i, part := range m.plan.Parts {
			if part.Name == n.Attr.Name {
				return "t." + m.parts[i], true
			}
		}
		return "", false
	}}
	e.b, e.names = b, names
	text := e.expression(value)
	m.note(e.err)
	if e.where {
		m.needsWhere = e
	}
	return outermost(text)
}

// outermost is an expression without parentheses around the whole of it.
func outermost(text string) string {
	if !strings.HasPrefix(text, "(") {
		return text
	}
	depth := 0
	for i, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 && i < len(text)-1 {
			return text
		}
	}
	return text[1 : len(text)-1]
}

// eachDoc is the doc comment of Each.
func (m *model) eachDoc() string {
	doc := "Each calls f with every number of the report, by its name in the model"
	if m.reportsNorm() {
		doc += ", and with grad_norm where there is one"
	}
	return doc + "."
}

// printFormulas returns the reports whose indices are in list, or all; names
// and closings as in formula.
func (m *model) printFormulas(b *body, names *scope, closings map[string]string, list []int) {
	var lines []string
	for i, field := range m.plan.Reports {
		if list == nil || slices.Contains(list, i) {
			lines = append(lines, m.reports[i]+": "+m.formula(b, names, closings, field.Value))
		}
	}
	b.literal("return "+m.public("Report"), lines)
}

func (m *model) printEvaluate(f *file) {
	if !m.evaluates() {
		return
	}
	doc := "Evaluate adds the batch to t, as the model is in inference. Nothing is trained."
	if m.averaged() {
		doc = "Evaluate adds the batch to t, as the model is in inference, which reads the averages of the parameters that have one. Nothing is trained."
	}
	name, procedure, printed := "evaluate", m.plan.Evaluate, m.evaluate
	if printed == nil {
		name, printed = "forward"+m.trains[0].suffix, m.trains[0].forward
	}
	if procedure == nil {
		procedure = m.trains[0].Forward
	}
	if len(m.carries.of(procedure, true)) > 0 {
		doc += " What is kept from call to call moves on; Reset sets it to its first value."
	}
	f.fn(doc, fmt.Sprintf("(m *%s) Evaluate(t *%s, batch %s) error", m.name, m.public("Totals"), m.public("Batch")), func(b *body) {
		m.printEntry(b, m.evalIn, "return err", false, printed)
		m.printFits(b, "m", "batch", "return err", procedure)
		if m.compose != nil {
			b.stmt("m.composed = false // what a Forward left is overwritten")
		}
		b.stmt("part := m.%s(&batch)", name)
		m.printMove(b, "m", "batch", procedure)
		b.stmt("t.add(&part)")
		b.stmt("return nil")
	})
}
