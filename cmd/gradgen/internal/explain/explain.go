// Package explain tells what a plan computes, as mathematics: the formulas of
// each procedure of a model or function, those that one parameter takes part
// in, and the paragraphs of emitted Go that compute them.
//
// In come a plan and the files that codegen printed from it; out goes a
// [Report], which is written as plain text, as a LaTeX document or as Markdown.
package explain

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/codegen"
	"gradgen.dev/ir"
)

// A Selection says what of a program is wanted: all of it, a model or function
// by its name, or one parameter of that, by its path.
type Selection struct {
	Name, Param string
}

// A Report is what one program computes.
type Report struct {
	Source string // base name of the program
	Doc    string
	Topics []Topic
	tex    ir.TeX
}

// A Topic is a model or a function, or one parameter of it.
type Topic struct {
	Kind  string // model or fn
	Name  string
	Param string // "" for all of it
	Doc   string
	Parts []Part
}

// A Part is a procedure: forward, gradient, update, inference, or a form of a
// function's derivatives.
type Part struct {
	Title string
	Steps []Step
}

// A Step is formulas that are computed together, in mathematical spelling, and
// the Go that does so, "" where there is none of its own.
type Step struct {
	Formulas []string
	Code     string
}

// A MissingError says that a program has nothing of a name.
type MissingError struct {
	Source string
	What   string // model or fn, or parameter of a model
	Name   string
	Have   []string // the names it has
}

func (e *MissingError) Error() string {
	have := "it has none"
	if len(e.Have) > 0 {
		have = "it has " + strings.Join(e.Have, ", ")
	}
	return fmt.Sprintf("%s has no %s called %s; %s", e.Source, e.What, e.Name, have)
}

// New reports on a plan. The files are those that were emitted from it, or none
// where no code is wanted. The error is a [MissingError].
func New(plan *ir.Plan, files []codegen.File, want Selection) (*Report, error) {
	r := &Report{Source: plan.Program.Source, Doc: plan.Program.Doc, tex: ir.TeX{Values: values(plan.Program)}}
	found := newExcerpts(files)
	var have []string
	for _, m := range plan.Models {
		have = append(have, m.Model.Name)
		if want.Name == "" || want.Name == m.Model.Name {
			t, err := modelTopic(r.Source, m, found, want.Param)
			if err != nil {
				return nil, err
			}
			r.Topics = append(r.Topics, t)
		}
	}
	for _, f := range plan.Funcs {
		have = append(have, f.Func.Name)
		if want.Name == "" || want.Name == f.Func.Name {
			t, err := funcTopic(r.Source, f, found, want.Param)
			if err != nil {
				return nil, err
			}
			r.Topics = append(r.Topics, t)
		}
	}
	if len(r.Topics) == 0 && want.Name != "" {
		return nil, &MissingError{r.Source, "model or fn", want.Name, have}
	}
	return r, nil
}

// modelTopic is a model, or what one of its parameters takes part in.
func modelTopic(source string, m *ir.ModelPlan, found excerpts, param string) (Topic, error) {
	t := Topic{Kind: "model", Name: m.Model.Name, Param: param, Doc: m.Model.Doc}
	if param != "" {
		var have []string
		for _, p := range m.Model.Params {
			have = append(have, p.Path)
			if p.Path == param {
				t.Doc = p.Doc
			}
		}
		if !slices.Contains(have, param) {
			return t, &MissingError{source, "parameter of " + m.Model.Name, param, have}
		}
	}

	// One slice of each procedure for a parameter: where it is read, what its
	// gradient needs, what updates it.
	add := func(title string, p *ir.Procedure, slice func([]*ir.Step) []*ir.Step) {
		if p == nil {
			return
		}
		steps := p.Steps
		if param != "" {
			steps = slice(steps)
		}
		t.add(title, steps, found.of(m.Model.Name, p.Name))
	}
	reads := func(steps []*ir.Step) []*ir.Step { return reading(steps, holds(ir.InParam, param)) }
	grads := func(steps []*ir.Step) []*ir.Step { return needed(steps, holds(ir.InGrad, param)) }
	next := func(steps []*ir.Step) []*ir.Step {
		others := func(s *ir.Step) bool { return s.Call != nil && !s.Call.Run.Has(param) }
		return needed(slices.DeleteFunc(slices.Clone(steps), others), updates(param))
	}
	addRoutines := func(p *ir.Procedure, loss string) {
		for _, r := range p.Routines() {
			if param == "" || r.Has(param) {
				t.add("update, "+r.Text, r.Steps, found.ofRoutine(m.Model.Name, r.Name, loss))
			}
		}
	}
	for _, x := range m.Trains {
		of := ""
		if x.Loss != "" {
			of = " of " + x.Loss
		}
		add("forward"+of, x.Forward, reads)
		add("gradient"+of, x.Gradient, grads)
		if x.Train != nil {
			add("update"+of+", "+x.Train.Rule, x.Update, next)
			addRoutines(x.Update, x.Loss)
		}
	}
	if c := m.Compose; c != nil {
		add("forward", c.Forward, reads)
		add("backward", c.Backward, grads)
		if c.Train != nil {
			add("update, "+c.Train.Rule, c.Update, next)
			addRoutines(c.Update, "")
		}
	}
	add("inference", m.Predict, reads)
	for _, x := range m.Exports {
		add("export "+x.Export.Name, x.Proc, reads)
	}
	return t, nil
}

// funcTopic is an exported function with its derivatives, or those by one of
// its parameters.
func funcTopic(source string, f *ir.FuncPlan, found excerpts, param string) (Topic, error) {
	t := Topic{Kind: "fn", Name: f.Func.Name, Param: param, Doc: f.Func.Doc}
	at := slices.IndexFunc(f.Func.Params, func(p ir.Named) bool { return p.Name == param })
	if param != "" && at < 0 {
		var have []string
		for _, p := range f.Func.Params {
			have = append(have, p.Name)
		}
		return t, &MissingError{source, "parameter of " + f.Func.Name, param, have}
	}
	for _, e := range f.Entries {
		if at < 0 || len(e.Params) == 0 || slices.Contains(e.Params, at) {
			t.add(formTitle(f.Func, e), e.Proc.Steps, found.of("", f.Func.Name+e.Suffix))
		}
	}
	return t, nil
}

// formTitle is the Go name of a form of a function, and the form as a derive clause
// has it: EnergyValueGradX: value and grad(x).
func formTitle(f *ir.Func, e *ir.FuncEntry) string {
	var by []string
	for _, i := range e.Params {
		by = append(by, f.Params[i].Name)
	}
	var kinds []string
	for _, kind := range e.Kinds {
		if kind != "value" && len(by) > 0 {
			kind += "(" + strings.Join(by, ", ") + ")"
		}
		kinds = append(kinds, kind)
	}
	return codegen.FuncName(f, e) + ": " + strings.Join(kinds, " and ")
}

// add is the steps under a title, each with its paragraph.
func (t *Topic) add(title string, steps []*ir.Step, chunks []chunk) {
	part := Part{Title: title}
	for _, s := range steps {
		if len(s.Formulas) == 0 {
			continue
		}
		step := Step{Code: codeOf(chunks, s.Formulas)}
		for _, f := range s.Formulas {
			step.Formulas = append(step.Formulas, strings.Split(f, "\n")...)
		}
		part.Steps = append(part.Steps, step)
	}
	if len(part.Steps) > 0 {
		t.Parts = append(t.Parts, part)
	}
}

// values are the names that the program gives to what it computes.
func values(p *ir.Program) map[string]bool {
	var roots []*ir.Node
	for _, m := range p.Models {
		roots = append(append(roots, m.Train.Roots()...), m.Infer.Roots()...)
	}
	for _, f := range p.Funcs {
		roots = append(roots, f.Results...)
	}
	out := map[string]bool{}
	for _, n := range ir.Topological(roots...) {
		o := p.Graph.Origin(n)
		name := o.Name
		if n.Op.Class == ir.Leaf && n.Attr.Name != "" {
			name = n.Attr.Name
		}
		if o.Instance != "" && !strings.HasPrefix(name, o.Instance) {
			name = o.Instance + "." + name
		}
		out[name] = true
	}
	delete(out, "")
	return out
}
