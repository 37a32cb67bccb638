package codegen

import (
	"fmt"
	"slices"

	"gradgen.dev/ir"
)

// An export is a further entry of the predictor.
type export struct {
	plan    *ir.ExportPlan
	name    string // of the method
	private string // of the method that computes
	in      *form
	out     string // type of the results
	results operandList
	method  *method
}

// An operandList is the fields of one struct.
type operandList []operand

// names lists the fields.
func (l operandList) names() string {
	var list []string
	for _, o := range l {
		list = append(list, o.Name)
	}
	return enumerate(list)
}

// nodes is every value that the export computes.
func (e *export) nodes() []*ir.Node {
	var roots []*ir.Node
	for _, r := range e.plan.Export.Results {
		roots = append(roots, r.Node)
	}
	return ir.Topological(roots...)
}

// ownMethods is what methods of a predictor and of weights are called anyway.
var ownMethods = setOf("Predict", "Use", "Reset", "Save")

// nameExports gives each export its method and its types.
func (m *model) nameExports() {
	taken := map[string]string{}
	for _, x := range m.plan.Exports {
		e := &export{plan: x, name: exported(x.Export.Name)}
		what := "export fn " + x.Export.Name
		if old := taken[e.name]; old != "" || ownMethods[e.name] {
			if old == "" {
				old = "every predictor and all weights have"
			} else {
				old = old + " has"
			}
			m.clash(x.Export.Pos, "%s needs the Go method %s, which %s; give it another name, such as %s2", what, e.name, old, x.Export.Name)
			continue
		}
		taken[e.name] = what
		e.private = unexported(x.Export.Name)
		if slices.Contains([]string{"predict", "w", "max", "calls", "carry", "carryNext", "held"}, e.private) {
			e.private += "Of"
		}
		m.nameForm(e, what)
		m.exports = append(m.exports, e)
	}
}

// nameForm names the types of an export and their fields.
func (m *model) nameForm(e *export, what string) {
	x := e.plan.Export
	e.in = &form{typ: m.public(e.name + "Input"), dimsType: m.public("Dims"), dims: m.dims}
	e.out = m.public(e.name + "Output")
	types := []string{e.in.typ, e.out}
	if !slices.EqualFunc(x.Dims, m.runDims, func(a, b ir.RunDim) bool { return a.Name == b.Name }) {
		e.in.dims = nil
		for _, d := range x.Dims {
			k := slices.IndexFunc(m.dims, func(o dimension) bool { return o.Name == d.Name })
			if k < 0 {
				m.fail("%s has the dimension %s, which its model has not", what, d.Name)
				return
			}
			e.in.dims = append(e.in.dims, m.dims[k])
		}
		e.in.dimsType = ""
		if len(x.Dims) > 0 {
			e.in.dimsType = m.public(e.name + "Dims")
			types = append(types, e.in.dimsType)
		}
	}
	for _, name := range types {
		if old, ok := m.names.declare(name, what); !ok {
			m.clash(x.Pos, "%s needs the Go name %s, which %s has; give one of them another name, such as %s2", what, name, old, x.Name)
		}
	}
	reserved := map[string]string{}
	if e.in.dimsType != "" {
		reserved[e.in.dimsType] = "the dimensions"
	}
	e.in.operands = m.operands(e.in.typ, "input", reserved, x.Inputs)
	e.in.bounds = e.plan.Bounds
	e.in.positions = ir.Positions(e.nodes()...)
	for i := range e.in.operands {
		o := &e.in.operands[i]
		for k := range e.plan.Bounds {
			if b := &e.plan.Bounds[k]; b.Input == o.Node || b.Input.Attr.Name == o.Node.Attr.Name {
				o.bound = b
			}
		}
	}
	e.results = m.operands(e.out, "result", nil, x.Results)
}

// printExportTypes prints what an export is given and gives.
func (m *model) printExportTypes(f *file, e *export) {
	if e.in.dimsType != "" && e.in.dimsType != m.public("Dims") {
		doc := fmt.Sprintf("%s are the run-time dimensions of %s; 0 means inferred.", e.in.dimsType, e.name)
		f.typ(doc, e.in.dimsType, func(b *body) { printDims(b, e.in.dims) })
	}
	m.printForm(f, e.in, fmt.Sprintf("%s is what %s reads. It is not kept.", e.in.typ, e.name))
	f.typ(fmt.Sprintf("%s is what %s writes. Its slices belong to the caller.", e.out, e.name), e.out, func(b *body) {
		for _, o := range e.results {
			printOperand(b, o, "")
		}
	})
}

// printExport prints the methods of the predictor and of weights.
func (m *model) printExport(f *file, e *export) {
	doc := documented(e.name, e.plan.Export.Doc, "the export fn "+e.plan.Export.Name+" of the model") +
		" It sets out, and reuses out's slices where they are long enough." + m.carryDoc(e.plan.Proc)
	m.printRead(f, e.name, doc, e.private, e.in, e.out, e.results, e.plan.Proc, e.method)
}

// printExportOfWeights prints the method that allocates what it needs.
func (m *model) printExportOfWeights(f *file, e *export) {
	doc := documented(e.name, e.plan.Export.Doc, "the export fn "+e.plan.Export.Name+" of the model") +
		" It is safe for concurrent use; the output is the caller's." + m.freshDoc(e.plan.Proc)
	m.printConcurrent(f, e.name, doc, e.in, e.out)
}

// carryDoc says what a call of the predictor does with carries.
func (m *model) carryDoc(p *ir.Procedure) string {
	if len(m.carries.of(p, false)) == 0 {
		return ""
	}
	text := " It goes on from the call before"
	if dims := m.carryDims(m.carries.of(p, false)); len(dims) > 0 {
		var names []string
		for _, d := range dims {
			names = append(names, d.field)
		}
		text += ", which must have had the same " + enumerate(names) + ", or Reset"
	}
	return text + "."
}

// freshDoc says that weights keep nothing between calls.
func (m *model) freshDoc(p *ir.Procedure) string {
	if len(m.carries.of(p, false)) == 0 {
		return ""
	}
	return " Each call starts afresh; a " + m.public("Predictor") + " goes on from the call before."
}
