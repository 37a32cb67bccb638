package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// tensorParts is the positions of the parts that are tensors.
func (m *model) tensorParts() []int {
	var out []int
	for i, p := range m.plan.Parts {
		if p.Node.Type.Rank() > 0 {
			out = append(out, i)
		}
	}
	return out
}

// partSize is the number of elements of a part that is a tensor.
func partSize(p ir.Part) string { return spellDim(p.Node.Type.Shape.Size(), nil) }

// partField is a part by the key of its buffer, as a field of Totals.
func (m *model) partField(key string) (string, bool) {
	name, ok := strings.CutPrefix(key, ir.PartKey)
	if !ok {
		return "", false
	}
	k := slices.IndexFunc(m.plan.Parts, func(p ir.Part) bool { return p.Name == name })
	return m.parts[k], true
}

// partLines is the tensors of a batch, which are in the trainer's memory, as
// elements of a literal of Totals; list as in returnTotals.
func (m *model) partLines(list []int) []string {
	var lines []string
	for _, i := range m.tensorParts() {
		if list == nil || slices.Contains(list, i) {
			lines = append(lines, m.parts[i]+": m.sums."+m.parts[i])
		}
	}
	if len(lines) > 0 && m.closingWork() > 0 {
		lines = append(lines, "work: m.sums.work")
	}
	return lines
}

// closingWork is the length of the scratch memory that reports need beside what
// they have on the stack.
func (m *model) closingWork() int {
	longest := 0
	for _, b := range m.plan.Closer.Buffers {
		if b.Type.Elem == ir.Float64 && !m.closesOnStack(b) {
			n, _ := b.Offset.Add(b.Type.Shape.Size()).Const()
			longest = max(longest, n)
		}
	}
	return longest
}

// closings is the procedures behind reports.
func (m *model) closings() []*ir.Procedure {
	out := []*ir.Procedure{m.plan.Close}
	for _, t := range m.plan.Trains {
		out = append(out, t.Close)
	}
	return slices.DeleteFunc(out, func(p *ir.Procedure) bool { return p == nil })
}

// closesOnStack reports whether scratch memory of a report is an array of the
// function: it is small, and no product, which is of floats, could hand it to
// another goroutine.
func (m *model) closesOnStack(b *ir.Buffer) bool {
	multiplies := slices.ContainsFunc(m.closings(), func(p *ir.Procedure) bool {
		return slices.ContainsFunc(p.Steps, func(s *ir.Step) bool { return s.Product != nil })
	})
	n, _ := b.Type.Shape.Size().Const()
	return n <= small && (!multiplies || b.Type.Elem != ir.Float64)
}

// closingTable is the package-level variable that holds the literals of b.
func (m *model) closingTable(b *ir.Buffer) string {
	return unexported(m.name) + "Report" + exported(b.Name)
}

// closingFrame makes the frames of the method where of Totals.
func (m *model) closingFrame(where string) frameMaker {
	return func(p *ir.Procedure) *frame {
		f := newFrame(where, ir.Float64, nil, buffersOf(p), "t")
		f.plain = callersScalar
		f.bind = func(b *ir.Buffer) (string, bool) {
			switch b.Storage {
			case ir.InInput:
				field, ok := m.partField(b.Key)
				return "t." + field, ok
			case ir.InTable:
				return m.closingTable(b), true
			case ir.InArena:
				return m.closingScratch(b), true
			}
			return "", false
		}
		return f
	}
}

// closingScratch is memory for b: an array of the function, a part of work, or,
// for what is no float64, a slice of its own.
func (m *model) closingScratch(b *ir.Buffer) string {
	size := b.Type.Shape.Size()
	switch {
	case m.closesOnStack(b):
		return fmt.Sprintf("new([%v]%s)[:]", size, goType(b.Type.Elem))
	case b.Type.Elem != ir.Float64:
		return fmt.Sprintf("make([]%s, %v)", goType(b.Type.Elem), size)
	}
	return fmt.Sprintf("t.work[%v:%v]", b.Offset, b.Offset.Add(size))
}

// printClose prints a method of Totals that computes the reports of list, all
// where it is nil, with what p and its closings compute of tensors.
func (m *model) printClose(f *file, doc, name string, p *ir.Procedure, closings, list []int) {
	of := m.method(p, m.closingFrame(name), func(b *body, c procContext, p *ir.Procedure) {
		values := map[string]string{}
		for i, k := range closings {
			values[m.plan.Closings[k].Name] = m.result(b, c, p.Results[i])
		}
		m.printFormulas(b, c.scope, values, list)
	})
	m.printMethod(f, doc, signature{receiver: "t *" + m.public("Totals"), name: name, result: m.public("Report")}, of)
}

// printClosings prints Report where it works on tensors.
func (m *model) printClosings(f *file) {
	t, r := m.public("Totals"), m.public("Report")
	f.fn(r+" is loss and metrics over all batches so far; zeros where there are none.", fmt.Sprintf("(t *%s) Report() %s", t, r), func(b *body) {
		b.block("if t.batches == 0", func() { b.stmt("return %s{}", r) })
		if n := m.closingWork(); n > 0 {
			b.block("if t.work == nil", func() { b.stmt("t.work = make([]float64, %d)", n) })
		}
		b.stmt("return t.close()")
	})
	list := make([]int, len(m.plan.Closings))
	for i := range list {
		list[i] = i
	}
	m.printClose(f, "close computes the report of the totals.", "close", m.plan.Close, list, nil)
	printTables(f, m.closingTable, buffersOf(m.closings()...))
}

// sumsMaker is the memory of a batch's tensors as a literal of Totals.
func (m *model) sumsMaker() string {
	var fields []string
	for _, i := range m.tensorParts() {
		fields = append(fields, fmt.Sprintf("%s: make([]float64, %s)", m.parts[i], partSize(m.plan.Parts[i])))
	}
	if n := m.closingWork(); n > 0 {
		fields = append(fields, fmt.Sprintf("work: make([]float64, %d)", n))
	}
	return m.public("Totals") + "{" + strings.Join(fields, ", ") + "}"
}

// printCombineTensor adds the tensor of a batch to that of the total.
func (m *model) printCombineTensor(b *body, part ir.Part, field string) {
	to, from := "t."+field, "batch."+field
	b.block("if "+to+" == nil", func() { b.stmt("%s = make([]float64, %s)", to, partSize(part)) })
	switch part.Kind {
	case "last":
		b.stmt("copy(%s, %s)", to, from)
	case "sum":
		b.block("for i, v := range "+from, func() { b.stmt("%s[i] += v", to) })
	default:
		sign := ">"
		if part.Kind == "min" || part.Kind == "all" {
			sign = "<"
		}
		b.block("for i, v := range "+from, func() {
			b.block(fmt.Sprintf("if t.batches == 0 || v %s %s[i] || v != v", sign, to), func() { b.stmt("%s[i] = v", to) })
		})
	}
}
