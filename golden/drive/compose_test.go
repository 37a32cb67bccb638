package drive

import (
	"reflect"
	"slices"

	"gradgen.dev/golden"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// A composition is what Forward and Backward of a model without loss must
// compute: the outputs as in training, and the derivatives of their sum
// weighted by cotangents.
type composition struct {
	outputs []*ir.Node
	names   []string   // of the outputs that have a cotangent
	params  []*ir.Node // derivatives, by parameter
	inputs  []*ir.Node // derivatives, by floating input
	floats  []ir.Named // those inputs
}

// composed is nil where there is nothing to differentiate.
func composed(g *ir.Graph, m *ir.Model) *composition {
	if m.Train == nil || len(m.Train.Outputs) == 0 {
		return nil
	}
	c := &composition{outputs: expanded(g, m.Train.Outputs)}
	var total *ir.Node
	for _, o := range m.Train.Outputs {
		if !o.Node.Type.Elem.IsFloat() {
			continue
		}
		c.names = append(c.names, o.Name)
		term := g.Map("mul", o.Node, g.Leaf("input", "cotangent "+o.Name, o.Node.Type))
		if term.Type.Rank() > 0 {
			var axes []int
			for i := range term.Type.Shape {
				axes = append(axes, i)
			}
			term = g.Sum(term, axes)
		}
		term = g.Cast(term, ir.Float64)
		if total == nil {
			total = term
		} else {
			total = g.Map("add", total, term)
		}
	}
	if total == nil {
		return nil
	}
	by := make([]*ir.Param, 0, len(m.Params)+len(m.Inputs))
	by = append(by, m.Params...)
	reached := differentiable(total)
	for _, in := range m.Inputs {
		if in.Node.Type.Elem.IsFloat() && reached[in.Node] {
			c.floats = append(c.floats, in)
			by = append(by, &ir.Param{Path: "input " + in.Name, Node: in.Node})
		}
	}
	if !slices.ContainsFunc(by, func(p *ir.Param) bool { return reached[p.Node] }) {
		return nil
	}
	all := passes.Gradient(g, golden.Gradients(g, total, by)...)
	c.params, c.inputs = all[:len(m.Params)], all[len(m.Params):]
	return c
}

// differentiable is what a derivative of the node could pass through.
func differentiable(root *ir.Node) map[*ir.Node]bool {
	reached := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if reached[n] || n.Is("stop_gradient") {
			return
		}
		reached[n] = true
		for _, a := range n.Operands() {
			visit(a)
		}
	}
	visit(root)
	return reached
}

// step compares Forward and Backward, and Update where there is one.
func (c *composition) step(d *modelDriver, tr *trainer, env map[string]int, leaves values, call uint64) {
	d.readStates(tr, leaves)
	results := tr.call("Forward", operands(tr.argument("Forward", 0), d.m.Dims, d.m.Inputs, env, leaves))
	tr.mustSucceed("Forward", results)
	out := reflect.Indirect(results[0])
	for i, want := range d.eval(env, leaves, call, c.outputs...) {
		d.same(about(env, "Forward: %s", d.m.Train.Outputs[i].Name), floats(out.Field(i)), want, d.tolerance())
	}

	// Cotangents that are neither equal nor alike.
	dout := reflect.New(out.Type()).Elem()
	for i, o := range d.m.Train.Outputs {
		if !slices.Contains(c.names, o.Name) {
			continue
		}
		k := 0
		w := d.tensor(o.Node, env, func() float64 { k++; return float64(k*k%7) - 2.5 })
		leaves["input cotangent "+o.Name] = w
		dout.Field(i).Set(goValue(w, dout.Field(i).Type()))
	}
	results = tr.call("Backward", dout)
	tr.mustSucceed("Backward", results)
	din := reflect.Indirect(results[0])
	for i, want := range d.eval(env, leaves, call, c.inputs...) {
		d.same(about(env, "Backward: %s", c.floats[i].Name), floats(din.Field(i)), want, d.tolerance())
	}
	grad := tr.call("Gradient")[0]
	have := tr.tensorsOf(grad)
	for i, want := range d.eval(env, leaves, call, c.params...) {
		if len(d.m.Trains) > 0 && !slices.ContainsFunc(d.m.Trains[0].Updates, func(u *ir.Update) bool { return u.Param == d.m.Params[i] }) {
			clear(want.Data) // frozen
		}
		d.same(about(env, "Backward: %s", d.m.Params[i].Path), have[d.m.Params[i].Path], want, d.tolerance())
	}
	if len(d.m.Trains) > 0 {
		tr.call("Update", grad)
		o := &objective{train: d.m.Trains[0], params: d.m.Params}
		o.updated(d, "Update", tr, env, o.given(leaves, have), call)
	}
}
