package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// mostStatements is how long an emitted function may be.
const mostStatements = 400

// A method is a printed procedure: one function, or several that run one after
// another where one would be too long.
type method struct {
	parts []part
}

// A part is a function of a method. What it sets and later parts read are its
// gives, what it reads of earlier ones its takes: variables, not memory.
type part struct {
	ctx          procContext
	body         *body
	steps        []*ir.Step
	takes, gives []*ir.Buffer
}

// A frameMaker makes the frame of a function that a procedure, or a stretch of
// it, is printed as.
type frameMaker func(p *ir.Procedure) *frame

// An epilogue prints what stands at the end of a method.
type epilogue func(b *body, c procContext, p *ir.Procedure)

// method prints p; nil where p is. What the epilogue adds stands at the end.
func (m *model) method(p *ir.Procedure, frames frameMaker, end epilogue) *method {
	if p == nil {
		return nil
	}
	whole := m.part(p, p, frames, end)
	if whole.body.statements <= mostStatements {
		return &method{[]part{whole}}
	}

	// Too long: cut into stretches, each with its own locals.
	c, out := newSplit(p, whole.ctx.lengths, true), &method{}
	for from := 0; from < len(p.Steps); {
		to := c.end(from)
		e := end
		if to < len(p.Steps) {
			e = nil
		}
		next := m.part(p, &ir.Procedure{Steps: c.steps(from, to)}, frames, e)
		next.takes, next.gives = c.takes(from, to), c.gives(from, to)
		if len(next.gives) > 0 {
			next.body.blank()
			next.body.stmt("return %s", strings.Join(next.names(next.gives), ", "))
		}
		out.parts = append(out.parts, next)
		from = to
	}
	return out
}

// names is what variables are called in all parts.
func (p part) names(list []*ir.Buffer) []string {
	var out []string
	for _, b := range list {
		out = append(out, p.ctx.name(b))
	}
	return out
}

// part prints the steps of q, all of p or a stretch of it, as one function.
func (m *model) part(p, q *ir.Procedure, frames frameMaker, end epilogue) part {
	c := procContext{frames(p)}
	var inner, tail body
	procedure(&inner, c, q)
	c.epilogue(&tail)
	if end != nil {
		end(&tail, c, p)
	}

	// The prologue says what the paragraphs have asked for.
	all := c.prologue()
	if len(all.code) > 0 && len(inner.code) > 0 {
		all.blank()
	}
	all.code = append(all.code, inner.code...)
	if len(all.code) > 0 && len(tail.code) > 0 {
		all.blank()
	}
	all.code = append(all.code, tail.code...)
	all.statements += inner.statements + tail.statements
	m.note(c.err)
	return part{ctx: c, body: all, steps: q.Steps}
}

// printMethod prints a method. Its signature is receiver, name, parameters and
// result; a long one is several functions, numbered, that the first calls.
func (m *model) printMethod(f *file, doc string, sig signature, of *method) {
	if of == nil {
		return
	}
	if len(of.parts) == 1 {
		f.fn(doc, sig.text(""), func(b *body) { b.code = of.parts[0].body.code })
		return
	}
	f.fn(doc, sig.text(""), func(b *body) {
		for i, p := range of.parts {
			own := sig
			own.params = append(slices.Clone(sig.params), p.names(p.takes)...)
			call := own.call(fmt.Sprint(i + 1))
			switch {
			case len(p.gives) > 0:
				call = strings.Join(p.names(p.gives), ", ") + " := " + call
			case i == len(of.parts)-1 && sig.result != "":
				call = "return " + call
			}
			b.stmt("%s", call)
		}
	})
	for i, p := range of.parts {
		own := sig
		for _, t := range p.takes {
			own.params = append(own.params[:len(own.params):len(own.params)], p.ctx.name(t)+" "+goType(typeOf(t)))
		}
		if i < len(of.parts)-1 {
			own.result = ""
		}
		var types []string
		for _, g := range p.gives {
			types = append(types, goType(typeOf(g)))
		}
		switch {
		case len(types) == 1:
			own.result = types[0]
		case len(types) > 1:
			own.result = "(" + strings.Join(types, ", ") + ")"
		}
		doc := fmt.Sprintf("%s%d is part %d of %d of %s%s.", sig.name, i+1, i+1, len(of.parts), sig.name, spanned(p.steps))
		f.fn(doc, own.text(fmt.Sprint(i+1)), func(b *body) { b.code = p.body.code })
	}
}

// spanned says what steps compute, from the first to the last; "" where none has
// a formula.
func spanned(steps []*ir.Step) string {
	var names []string
	for _, s := range steps {
		for _, f := range s.Formulas {
			name, _ := halves(f)
			names = append(names, name)
		}
		if s.Call != nil {
			names = append(names, s.Call.Run[0].Path)
		}
	}
	switch n := len(names); {
	case n == 0:
		return ""
	case names[0] == names[n-1]:
		return ": " + names[0]
	default:
		return ": " + names[0] + " to " + names[n-1]
	}
}

// A signature is the head of a method.
type signature struct {
	receiver string // m *MLP
	name     string
	params   []string // batch *Batch
	result   string   // "" without
}

// text is the signature in Go, with a suffix behind the name.
func (s signature) text(suffix string) string {
	return strings.TrimRight(fmt.Sprintf("(%s) %s%s(%s) %s", s.receiver, s.name, suffix, strings.Join(s.params, ", "), s.result), " ")
}

// call is a call on the same receiver with the same arguments.
func (s signature) call(suffix string) string {
	var args []string
	for _, p := range s.params {
		name, _, _ := strings.Cut(p, " ")
		args = append(args, name)
	}
	receiver, _, _ := strings.Cut(s.receiver, " ")
	return fmt.Sprintf("%s.%s%s(%s)", receiver, s.name, suffix, strings.Join(args, ", "))
}
