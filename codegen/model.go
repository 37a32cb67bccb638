package codegen

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A model is what the printing of one model needs to know: its Go names, and
// its procedures, printed.
type model struct {
	*printer
	plan *ir.ModelPlan
	ir   *ir.Model

	name   string // of the Go type
	prefix string // before exported names: "" where the model is named as the package
	label  string // how errors call the model

	runDims  []ir.RunDim // of the model, then those that exports have besides
	dims     []dimension // the same as fields
	batch    *form       // of the trainer's entries
	in       *form       // of Predict
	outputs  []operand
	hypers   []string
	reports  []string
	parts    []string
	params   *group
	optim    *group
	averages *group
	states   *group
	carries  *carryGroup

	buffers             []*ir.Buffer          // of every procedure
	ofTrainer, ofReader map[*ir.Buffer]string // fields of the trainer and of the predictor

	needsWhere *naive        // a report's formula chooses
	later      []func(*file) // functions that stand behind the one that is printed

	trains   []*training
	routines []*routine // of all updates
	compose  *composition
	exports  []*export
	intakes  []*intake
	evalIn   *intake // of Evaluate

	initial, evaluate, predict *method
	initialised                map[string]bool // paths of the states that Init sets, once they are known
}

// A training is what is printed of one loss.
type training struct {
	*ir.TrainPlan
	suffix string // of its methods: "" of the unnamed loss, D of the loss d
	field  string // of Report: the loss
	intake *intake

	forward, backward, gradient, update *method
}

// A dimension is a run-time dimension as a field of Dims.
type dimension struct {
	ir.RunDim
	field string
}

// An operand is an input or output as a field.
type operand struct {
	ir.Named
	field string
	bound *ir.Bound
}

// A form is a struct that a call is given: dimensions, embedded, and operands.
type form struct {
	typ      string // Batch, Input
	dimsType string
	dims     []dimension
	operands []operand

	bounds    []ir.Bound    // of an export's inputs
	positions []ir.Position // computed of an export's int parameters
}

// dim is a dimension as a field of x, a form: x.B, or x.Dims.B where an operand
// hides it.
func (f *form) dim(x, name string) (string, bool) {
	for _, d := range f.dims {
		if d.Name != name {
			continue
		}
		if slices.ContainsFunc(f.operands, func(o operand) bool { return o.field == d.field }) {
			return x + "." + f.dimsType + "." + d.field, true
		}
		return x + "." + d.field, true
	}
	return name, false
}

// has reports whether an operand has the dimension.
func (f *form) has(dim string) bool {
	set := map[string]bool{}
	for _, o := range f.operands {
		for _, d := range o.Node.Type.Shape {
			d.Vars(set)
		}
	}
	return set[dim]
}

// operand is an operand as a field of x.
func (f *form) operand(x, name string) (string, bool) {
	for _, o := range f.operands {
		if o.Name == name {
			return x + "." + o.field, true
		}
	}
	return "", false
}

func newModel(p *printer, plan *ir.ModelPlan) *model {
	m := &model{printer: p, plan: plan, ir: plan.Model, name: exported(plan.Model.Name)}
	m.label = p.opts.Package
	if !samePackage(m.ir.Name, p.opts.Package) {
		m.prefix, m.label = m.name, p.opts.Package+"."+m.name
	}
	m.declareNames()
	m.nameFields()
	m.nameBuffers()
	m.printProcedures()
	m.chooseIntakes()
	return m
}

// public is an exported type of the model: Batch, or EncBatch.
func (m *model) public(base string) string { return m.prefix + base }

// maker is a function that makes one: NewPredictor, or NewEncPredictor.
func (m *model) maker(verb, base string) string { return verb + m.prefix + base }

// private is an unexported type of the model: states, or encStates.
func (m *model) private(base string) string {
	if m.prefix == "" {
		return strings.ToLower(base[:1]) + base[1:]
	}
	return unexported(m.name) + base
}

// declareNames takes the package-level names.
func (m *model) declareNames() {
	names := []string{m.name}
	for _, t := range []string{"Dims", "Batch", "Input", "Output", "Params", "Hyper", "Report", "Totals", "Weights", "Predictor"} {
		names = append(names, m.public(t))
	}
	if m.plan.Compose != nil {
		names = append(names, m.public("InputGradient"))
	}
	names = append(names, m.maker("New", ""), m.maker("New", "Params"), m.maker("New", "Predictor"),
		m.maker("Load", "Weights"), m.maker("Parse", "Weights"))
	for _, name := range names {
		if old, ok := m.names.declare(name, "model "+m.ir.Name); !ok {
			m.clash(m.ir.Pos, "model %s needs the Go name %s, which %s has; give one of them another name, such as %s2",
				m.ir.Name, name, old, m.ir.Name)
			return
		}
	}
}

// allDims is the dimensions of the model, then those that its entries alone have,
// which say of which they are.
func (m *model) allDims() []ir.RunDim {
	all, users := slices.Clone(m.ir.Dims), map[string][]string{}
	for _, e := range m.ir.Exports {
		for _, d := range e.Dims {
			if !slices.ContainsFunc(all, func(o ir.RunDim) bool { return o.Name == d.Name }) {
				all = append(all, d)
			}
			users[d.Name] = append(users[d.Name], exported(e.Name))
		}
	}
	for i := len(m.ir.Dims); i < len(all); i++ {
		if all[i].Doc == "" {
			all[i].Doc = "of " + enumerate(users[all[i].Name])
		}
	}
	return all
}

// nameFields names the fields of the model's types.
func (m *model) nameFields() {
	var list []member
	m.runDims = m.allDims()
	for _, d := range m.runDims {
		list = append(list, member{d.Name, "dimension", m.ir.Pos})
	}
	for i, field := range m.printer.fields(m.public("Dims"), nil, list) {
		m.dims = append(m.dims, dimension{m.runDims[i], field})
	}

	// What callers give and get.
	embedded := map[string]string{m.public("Dims"): "the dimensions"}
	m.batch = &form{typ: m.public("Batch"), dimsType: m.public("Dims"), dims: m.dims, operands: m.operands(m.public("Batch"), "input", embedded, m.ir.Inputs)}
	m.in = &form{typ: m.public("Input"), dimsType: m.public("Dims"), dims: m.dims}
	for _, in := range m.batch.operands {
		if m.isRead(in) {
			m.in.operands = append(m.in.operands, in)
		}
	}
	if m.ir.Infer != nil {
		m.outputs = m.operands(m.public("Output"), "output", nil, m.ir.Infer.Outputs)
	}
	list = nil
	for _, h := range m.ir.Hyper {
		list = append(list, member{h.Name, "number", m.ir.Pos})
	}
	m.hypers = m.printer.fields(m.public("Hyper"), map[string]string{"Steps": "the length of the run"}, list)
	m.nameReports()

	// What is kept.
	parts := newScope("batches", "Report", "add", "report")
	if m.plan.Close != nil {
		parts = newScope("batches", "Report", "add", "report", "close", "work")
	}
	for _, part := range m.plan.Parts {
		m.parts = append(m.parts, parts.take(unexported(part.Name), "Part"))
	}
	m.params = m.paramGroup()
	m.stateGroups()
	m.carries = m.carryGroup()
	m.nameExports()
}

// nameReports names the fields of Report, and what the losses are trained by.
func (m *model) nameReports() {
	var list []member
	for i, r := range m.plan.Reports {
		what := "metric"
		if i < len(m.plan.Trains) && r.Name != "loss" {
			what = "loss"
		}
		list = append(list, member{r.Name, what, m.reportPos(r.Name)})
	}
	reserved := map[string]string{"Each": "a method"}
	if m.reportsNorm() {
		reserved["GradNorm"] = "the norm of the gradient"
	}
	m.reports = m.printer.fields(m.public("Report"), reserved, list)
	for _, t := range m.plan.Trains {
		of := &training{TrainPlan: t}
		if t.Loss != "" {
			of.suffix = exported(t.Loss)
		}
		if len(t.Reports) == 0 {
			m.fail("loss %q of model %s has no report", t.Loss, m.ir.Name)
			continue
		}
		of.field = m.reports[t.Reports[0]]
		m.trains = append(m.trains, of)
	}
	if c := m.plan.Compose; c != nil {
		m.compose = &composition{ComposePlan: c}
		m.compose.rule = &training{TrainPlan: &ir.TrainPlan{Train: c.Train, Update: c.Update, Written: c.Written}}
	}
}

// reportPos is where the program states the loss or metric of that name; the
// unnamed loss is the model's.
func (m *model) reportPos(name string) string {
	for _, side := range []*ir.Side{m.ir.Train, m.ir.Infer} {
		if side == nil {
			continue
		}
		for _, r := range slices.Concat(side.Losses, side.Metrics) {
			if r.Name == name {
				return r.Pos
			}
		}
	}
	return m.ir.Pos
}

// isRead reports whether Predict depends on an input.
func (m *model) isRead(in operand) bool {
	if m.ir.Infer == nil {
		return false
	}
	return slices.ContainsFunc(m.outputNodes(m.ir.Infer), func(n *ir.Node) bool { return n.Is("input") && n.Attr.Name == in.Name })
}

func (m *model) operands(of, what string, reserved map[string]string, named []ir.Named) []operand {
	var list []member
	for _, n := range named {
		list = append(list, member{n.Name, what, n.Pos})
	}
	var out []operand
	for i, field := range m.printer.fields(of, reserved, list) {
		out = append(out, operand{Named: named[i], field: field, bound: m.boundOf(named[i].Node)})
	}
	return out
}

// boundOf is the bound on the elements of an input, nil where there is none.
func (m *model) boundOf(input *ir.Node) *ir.Bound {
	for i, b := range m.plan.Bounds {
		if input.Is("input") && b.Input.Attr.Name == input.Attr.Name {
			return &m.plan.Bounds[i]
		}
	}
	return nil
}

// rules is what sets parameters: the losses that are trained, and the train of
// a model without loss.
func (m *model) rules() []*training {
	var out []*training
	for _, t := range m.trains {
		if t.Update != nil {
			out = append(out, t)
		}
	}
	if m.compose != nil && m.compose.Update != nil {
		out = append(out, m.compose.rule)
	}
	return out
}

// trained reports whether some rule sets parameters.
func (m *model) trained() bool { return len(m.rules()) > 0 }

// measured reports whether the model has a loss or metrics.
func (m *model) measured() bool { return len(m.plan.Reports) > 0 }

// batched reports whether the trainer has an entry that reads a batch.
func (m *model) batched() bool { return m.measured() || m.compose != nil }

// predicts reports whether the model has outputs.
func (m *model) predicts() bool { return m.plan.Predict != nil }

// infers reports whether there is a predictor: outputs, or exports.
func (m *model) infers() bool { return m.predicts() || len(m.exports) > 0 }

// capacity is a dimension as a field of x, a value of type Dims.
func (m *model) capacity(x, name string) string {
	text, ok := (&form{dims: m.dims}).dim(x, name)
	if !ok {
		m.fail("model %s has no dimension %s", m.ir.Name, name)
	}
	return text
}

// dimOf is a dimension as a field of x, a form.
func (m *model) dimOf(f *form, x string) func(name string) string {
	return func(name string) string {
		text, ok := f.dim(x, name)
		if !ok {
			m.fail("model %s: %s has no dimension %s", m.ir.Name, f.typ, name)
		}
		return text
	}
}

// shapeText is a shape in comments: [B,784].
func shapeText(s ir.Shape) string { return strings.ReplaceAll(s.String(), ", ", ",") }
