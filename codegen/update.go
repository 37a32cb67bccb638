package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// accumulates is the number of micro-batches of an update.
func (t *training) accumulates() int {
	if t.Train == nil {
		return 1
	}
	return max(t.Train.Accumulate, 1)
}

// norms reports whether the norm of the gradient is checked and reported.
func (t *training) norms() bool {
	return t.Train != nil && t.Update != nil && (t.Train.Clip != nil || t.Train.Check)
}

// clips reports whether the update reads the factor that bounds the norm.
func (t *training) clips() bool {
	return t.Train != nil && t.Update != nil && t.Train.Clip != nil && t.Train.Clip.Kind == "norm"
}

// limitReads reports whether the limit of the norm reads a leaf.
func (t *training) limitReads(leaf string) bool {
	return t.clips() && slices.ContainsFunc(ir.Topological(t.Train.Clip.Limit), func(n *ir.Node) bool { return n.Is(leaf) })
}

// updateParams is the parameters of the method update.
func (t *training) updateParams() []string {
	if t.clips() {
		return []string{"grad", "factor"}
	}
	return []string{"grad"}
}

// printRule prints Update and what it consists of.
func (m *model) printRule(f *file, t *training) {
	m.printAccumulate(f, t)
	m.printUpdate(f, t)
	m.printNorm(f, t)
	m.printCommit(f, t)
	params := []string{"grad *" + m.public("Params")}
	doc := "update" + t.suffix + " sets the parameters from their gradient"
	if t.clips() {
		params, doc = append(params, "factor float64"), doc+", which counts by factor"
	}
	m.printMethod(f, doc+".", m.signature("update"+t.suffix, "", params...), t.update)
	m.printRoutines(f, t)
}

// A stretch of the slab of an element type.
type stretchOfFlat struct {
	elem     ir.DType
	from, to int
}

// trainedBy is the elements of the parameters that t updates, in as few
// stretches as there are.
func (m *model) trainedBy(t *training) []stretchOfFlat {
	var paths []string
	if t.Train != nil {
		for _, u := range t.Train.Updates {
			paths = append(paths, u.Param.Path)
		}
	}
	return m.stretches(func(u tensor) bool { return t.Train == nil || slices.Contains(paths, u.path) })
}

// untrained is those that Grad sets to 0.
func (m *model) untrained(t *training) []stretchOfFlat {
	if t.Train == nil {
		return nil
	}
	var paths []string
	for _, u := range t.Train.Updates {
		paths = append(paths, u.Param.Path)
	}
	return m.stretches(func(u tensor) bool { return !slices.Contains(paths, u.path) })
}

func (m *model) stretches(of func(t tensor) bool) []stretchOfFlat {
	var out []stretchOfFlat
	for _, elem := range m.params.types() {
		for _, t := range m.params.ofElem(elem) {
			switch n := len(out); {
			case !of(t):
			case n > 0 && out[n-1].elem == elem && out[n-1].to == t.at:
				out[n-1].to += t.size
			default:
				out = append(out, stretchOfFlat{elem, t.at, t.at + t.size})
			}
		}
	}
	return out
}

// of is the stretch of a Params; all of its slab where that is what it is.
func (r stretchOfFlat) of(m *model, x string) string {
	if r.from == 0 && r.to == m.params.size[r.elem] {
		return x + "." + m.params.slab(r.elem)
	}
	return r.part(m, x)
}

// part is the stretch of a Params by its bounds.
func (r stretchOfFlat) part(m *model, x string) string {
	return fmt.Sprintf("%s.%s[%d:%d]", x, m.params.slab(r.elem), r.from, r.to)
}

// clearParams sets a Params to zeros.
func (m *model) clearParams(b *body, x string) {
	for _, t := range m.params.types() {
		b.stmt("clear(%s.%s)", x, m.params.slab(t))
	}
}

// copyParams copies one Params to another.
func (m *model) copyParams(b *body, to, from string) {
	for _, t := range m.params.types() {
		b.stmt("copy(%s.%s, %s.%s)", to, m.params.slab(t), from, m.params.slab(t))
	}
}

// foreign is the condition that grad is a Params without memory.
func (m *model) foreign() string {
	slab := m.params.filled()
	return fmt.Sprintf("len(grad.%s) != len(m.params.%s)", slab, slab)
}

// printAccumulate prints how micro-batches are added up.
func (m *model) printAccumulate(f *file, t *training) {
	if !m.summed(t) {
		return
	}
	n := t.accumulates()
	sum, micro := "m.gradSum"+t.suffix, "m.micro"+t.suffix
	doc := fmt.Sprintf("accumulate%s reports whether the gradient is that of the last of %d micro-batches, and makes it the mean over them; before, it adds it to the sum.", t.suffix, n)
	f.fn(doc, fmt.Sprintf("(m *%s) accumulate%s() bool", m.name, t.suffix), func(b *body) {
		list := m.trainedBy(t)
		b.block("switch "+micro, func() {
			b.stmt("case 0:")
			for _, r := range list {
				b.stmt("copy(%s, %s)", r.of(m, sum), r.of(m, "m.grad"))
			}
			b.stmt("case %d:", n-1)
			for _, r := range list {
				b.stmt("vec.Mean(%s, %s, %d)", r.of(m, "m.grad"), r.of(m, sum), n)
			}
			b.stmt("return true")
			b.stmt("default:")
			for _, r := range list {
				b.stmt("vec.Add(%s, %s)", r.of(m, sum), r.of(m, "m.grad"))
			}
		})
		b.stmt("%s++", micro)
		b.stmt("return false")
	})
}

// printNorm prints the norm of a gradient, and what bounds it.
func (m *model) printNorm(f *file, t *training) {
	if !t.norms() {
		return
	}
	doc := "norm" + t.suffix + " is the norm of the gradient over all parameters that are trained, added up in float64."
	f.fn(doc, fmt.Sprintf("(m *%s) norm%s(grad *%s) float64", m.name, t.suffix, m.public("Params")), func(b *body) {
		list := m.trainedBy(t)
		if len(list) == 1 {
			b.stmt("return math.Sqrt(vec.SumSquares(%s))", list[0].of(m, "grad"))
			return
		}
		b.stmt("sum := 0.0")
		for _, r := range list {
			b.stmt("sum += vec.SumSquares(%s)", r.of(m, "grad"))
		}
		b.stmt("return math.Sqrt(sum)")
	})
	if !t.clips() {
		return
	}
	doc = "clip" + t.suffix + " is what a gradient of this norm is multiplied by, so that its norm is at most the limit."
	f.fn(doc, fmt.Sprintf("(m *%s) clip%s(norm float64) float64", m.name, t.suffix), func(b *body) {
		frame := m.trainerFrame("clip", t, "norm")(&ir.Procedure{})
		e := &scalarExpr{c: procContext{frame}, loads: map[*ir.Node]ir.Access{}}
		limit, _ := e.value(t.Train.Clip.Limit, ir.Float64)
		if isUntyped(t.Train.Clip.Limit) {
			limit = "float64(" + limit + ")"
		}
		m.note(frame.err)
		b.block(fmt.Sprintf("if limit := %s; norm > limit", limit), func() { b.stmt("return limit / norm") })
		b.stmt("return 1")
	})
}

// printUpdate prints Update.
func (m *model) printUpdate(f *file, t *training) {
	name := "Update" + t.suffix
	doc := name + " makes the step of " + t.Train.Rule + " for a gradient that Grad" + t.suffix + " gave" + m.committed(t) + ". It panics if grad has no memory"
	if m.compose != nil {
		doc = strings.Replace(doc, "that Grad gave", "of the parameters, such as [*"+m.name+".Gradient]", 1)
	}
	if m.summed(t) {
		doc = strings.Replace(doc, ". It panics", ", and leaves what Step"+t.suffix+" has added up of micro-batches. It panics", 1)
	}
	long := t.limitReads("steps") || readsLength(t.update)
	if long {
		doc += ", or if Hyper.Steps is not set"
	}
	if t.norms() {
		doc += ", and with an error that wraps [fault.ErrNotFinite] if its norm is not finite; then nothing has changed"
	}
	f.fn(doc+".", fmt.Sprintf("(m *%s) %s(grad *%s)", m.name, name, m.public("Params")), func(b *body) {
		b.block("if "+m.foreign(), func() {
			b.stmt("panic(%q)", m.label+": "+name+": grad is not from "+m.maker("New", "Params"))
		})
		if long {
			b.block("if m.Hyper.Steps <= 0", func() { b.stmt("panic(%q)", m.label+": "+name+": Hyper.Steps is not set") })
		}
		if t.norms() {
			b.stmt("norm := %s", t.doing("norm", "grad"))
			b.block("if !vec.IsFinite(norm)", func() {
				b.stmt("panic(fault.GradientNotFinite(%q, m.%s+1, norm))", m.label+"."+name, t.counter())
			})
		}
		if t.clips() {
			b.stmt("%s", t.doing("update", "grad", t.doing("clip", "norm")))
		} else {
			b.stmt("%s", t.doing("update", "grad"))
		}
		if t.writesStates(m) {
			condition := "m.pending"
			if m.noPending() == "0" {
				condition += " == " + m.pendingOf(t)
			}
			b.block("if "+condition, func() { b.stmt("%s", t.doing("commit")) })
		}
		b.stmt("m.%s++", t.counter())
	})
}

// committed says what Update does beside the parameters.
func (m *model) committed(t *training) string {
	if t.writesStates(m) {
		return ", and commits the states that the last Grad" + t.suffix + " left"
	}
	return ""
}

// written is the model's states of which the forward of t leaves new values.
func (t *training) written(m *model) []*ir.State {
	return slices.DeleteFunc(slices.Clone(t.Written), func(s *ir.State) bool { return !slices.Contains(m.ir.States, s) })
}

func (t *training) writesStates(m *model) bool { return len(t.written(m)) > 0 }

// writes reports whether training sets states of the model.
func (m *model) writes() bool {
	if m.compose != nil && m.compose.rule.writesStates(m) {
		return true
	}
	return slices.ContainsFunc(m.trains, func(t *training) bool { return t.writesStates(m) })
}

// noPending is the value of pending while no Grad has left new states, and
// pendingOf what it is after Grad of t.
func (m *model) noPending() string {
	if len(m.trains) > 1 {
		return "0"
	}
	return "false"
}

func (m *model) pendingOf(t *training) string {
	if len(m.trains) < 2 {
		return "true"
	}
	return fmt.Sprint(1 + slices.Index(m.trains, t))
}

// printCommit prints how the model's states get their new values.
func (m *model) printCommit(f *file, t *training) {
	if !t.writesStates(m) {
		return
	}
	f.fn("commit"+t.suffix+" gives the states the new values that forward left.", fmt.Sprintf("(m *%s) commit%s()", m.name, t.suffix), func(b *body) {
		for _, s := range t.written(m) {
			field, ok := m.states.fieldOf(s.Path)
			if !ok {
				m.fail("state %s is written, but none of the model's", s.Path)
			}
			b.stmt("copy(m.states.%s, m.next.%s)", field, field)
		}
		b.stmt("m.pending = %s", m.noPending())
	})
}
