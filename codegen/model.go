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

	dims    []dimension
	inputs  []operand // of Batch
	reads   []operand // of Input
	outputs []operand
	hypers  []string
	reports []string
	parts   []string
	params  *group
	optim   *group
	states  *group

	buffers             []*ir.Buffer          // of every procedure
	ofTrainer, ofReader map[*ir.Buffer]string // fields of the trainer and of the predictor

	needsWhere *naive // a report's formula chooses

	initial, forward, backward, gradient, update, evaluate, predict *method
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

// A method is a printed procedure.
type method struct {
	ctx  procContext
	body *body
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

// nameFields names the fields of the model's types.
func (m *model) nameFields() {
	var list []member
	for _, d := range m.ir.Dims {
		list = append(list, member{d.Name, "dimension", m.ir.Pos})
	}
	for i, field := range m.printer.fields(m.public("Dims"), nil, list) {
		m.dims = append(m.dims, dimension{m.ir.Dims[i], field})
	}

	// What callers give and get.
	embedded := map[string]string{m.public("Dims"): "the dimensions"}
	m.inputs = m.operands(m.public("Batch"), "input", embedded, m.ir.Inputs)
	for _, in := range m.inputs {
		if m.isRead(in) {
			m.reads = append(m.reads, in)
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
	list = nil
	for _, r := range m.plan.Reports {
		list = append(list, member{r.Name, "metric", m.ir.Pos})
	}
	m.reports = m.printer.fields(m.public("Report"), map[string]string{"Each": "a method"}, list)

	// What is kept.
	parts := newScope("batches", "Report", "add")
	for _, part := range m.plan.Parts {
		m.parts = append(m.parts, parts.take(unexported(part.Name), "Part"))
	}
	m.params = m.paramGroup()
	m.optim, m.states = m.stateGroups()
}

// isRead reports whether an output depends on an input.
func (m *model) isRead(in operand) bool {
	if m.ir.Infer == nil {
		return false
	}
	for _, out := range m.ir.Infer.Outputs {
		if slices.ContainsFunc(ir.Topological(out.Node), func(n *ir.Node) bool { return n.Is("input") && n.Attr.Name == in.Name }) {
			return true
		}
	}
	return false
}

func (m *model) operands(of, what string, reserved map[string]string, named []ir.Named) []operand {
	var list []member
	for _, n := range named {
		list = append(list, member{n.Name, what, n.Pos})
	}
	var out []operand
	for i, field := range m.printer.fields(of, reserved, list) {
		out = append(out, operand{Named: named[i], field: field, bound: m.boundOf(named[i].Name)})
	}
	return out
}

// boundOf is the bound on the elements of an input, nil where there is none.
func (m *model) boundOf(input string) *ir.Bound {
	for i, b := range m.plan.Bounds {
		if b.Input.Attr.Name == input {
			return &m.plan.Bounds[i]
		}
	}
	return nil
}

// trained reports whether the model has a loss and an update rule.
func (m *model) trained() bool { return m.first().Update != nil }

// first is the plan of the first loss.
func (m *model) first() *ir.TrainPlan {
	if len(m.plan.Trains) == 0 {
		return &ir.TrainPlan{}
	}
	return m.plan.Trains[0]
}

// rule is the optimiser as written.
func (m *model) rule() string {
	if t := m.first().Train; t != nil {
		return t.Rule
	}
	return ""
}

// measured reports whether the model has a loss or metrics.
func (m *model) measured() bool { return len(m.plan.Reports) > 0 }

// predicts reports whether the model has outputs.
func (m *model) predicts() bool { return m.plan.Predict != nil }

// dimOf is a dimension as a field of what has Dims embedded: x.B, or x.Dims.B
// where an input hides it.
func (m *model) dimOf(x, name string, beside []operand) string {
	for _, d := range m.dims {
		if d.Name != name {
			continue
		}
		if slices.ContainsFunc(beside, func(o operand) bool { return o.field == d.field }) {
			return x + "." + m.public("Dims") + "." + d.field
		}
		return x + "." + d.field
	}
	m.fail("model %s has no dimension %s", m.ir.Name, name)
	return name
}

// shapeText is a shape in comments: [B,784].
func shapeText(s ir.Shape) string { return strings.ReplaceAll(s.String(), ", ", ",") }
