package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// A modelCompiler holds what the stages of one model share.
type modelCompiler struct {
	g    *ir.Graph
	m    *ir.Model // its training as what is no step of a named loss has it
	plan *ir.ModelPlan

	trains     []*form // training, as the step of each loss has it; one where there is no loss
	infer      *form
	exports    []*export
	objectives []*objective // of each loss
	compose    *composition // nil where the model has a loss, or nothing to differentiate
	rules      []*rules     // of each train
	inits      []*ir.Node   // of the parameters, then of begun
	begun      []*ir.State
	resets     []*ir.Node // of the carries

	root     *planner // with the leaves in memory
	planners []*planner
	next     map[*ir.State]*ir.Buffer // of the new values of states and carries
	sums     map[int]*ir.Buffer       // of the parts that are tensors
}

// A form is what a side computes, in its present form.
type form struct {
	side                             *ir.Side // as it is written
	losses, metrics, outputs, writes []*ir.Node

	parts   []*ir.Node       // what losses and metrics are formulas of, but for extents
	reports []ir.ReportField // these formulas, of this form alone
}

// formOf is a side as it is written; nothing of a model without it.
func formOf(s *ir.Side) *form {
	if s == nil {
		return &form{side: &ir.Side{}}
	}
	return &form{side: s, losses: nodesOf(s.Losses), metrics: nodesOf(s.Metrics), outputs: nodesOf(s.Outputs), writes: valuesOf(s.Writes)}
}

// lists is everything that the side computes.
func (f *form) lists() []*[]*ir.Node {
	return []*[]*ir.Node{&f.losses, &f.metrics, &f.outputs, &f.writes}
}

func nodesOf(list []ir.Named) []*ir.Node {
	out := make([]*ir.Node, len(list))
	for i, x := range list {
		out[i] = x.Node
	}
	return out
}

func valuesOf(writes []ir.Write) []*ir.Node {
	out := make([]*ir.Node, len(writes))
	for i, w := range writes {
		out[i] = w.Value
	}
	return out
}

// An export is a further entry on its way to its plan.
type export struct {
	*ir.Export
	results, writes []*ir.Node
	bounds          []ir.Bound
}

func compileModel(g *ir.Graph, m *ir.Model) (*ir.ModelPlan, error) {
	whole := *m
	whole.Train = m.Train.Step(g, "")
	c := &modelCompiler{
		g: g, m: &whole, plan: &ir.ModelPlan{Model: m, Empty: emptyDim(m, nil)},
		infer: formOf(m.Infer), next: map[*ir.State]*ir.Buffer{}, sums: map[int]*ir.Buffer{},
	}
	c.newObjectives()
	for _, x := range m.Exports {
		c.exports = append(c.exports, &export{Export: x, results: nodesOf(x.Results), writes: valuesOf(x.Writes)})
	}
	steps := []func() error{c.calculus, c.simplify, c.procedures}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c.plan, nil
}

// emptyDim is the product of the run-time dimensions that inputs have, of all
// where inputs is nil.
func emptyDim(m *ir.Model, inputs []ir.Named) ir.Dim {
	has := map[string]bool{}
	for _, x := range inputs {
		shapeVars(x.Node.Type.Shape, has)
	}
	d := ir.D(1)
	for _, v := range m.Dims {
		if inputs == nil || has[v.Name] {
			d = d.Mul(ir.DimVar(v.Name))
		}
	}
	return d
}

// shapeVars notes the variables of dimensions.
func shapeVars(dims []ir.Dim, set map[string]bool) {
	for _, d := range dims {
		d.Vars(set)
	}
}

// calculus expands the derivatives that the model writes, cuts losses and
// metrics, and takes the gradients of what is left after a first
// simplification, so that gradient and forward speak of the same values.
func (c *modelCompiler) calculus() error {
	g := c.g
	var sides []*[]*ir.Node
	for _, f := range append(slices.Clone(c.trains), c.infer) {
		sides = append(sides, f.lists()...)
	}
	written := slices.Clone(sides)
	for _, x := range c.exports {
		written = append(written, &x.results, &x.writes)
	}
	simplifyAll(g, AsWritten, written)
	simplifyAll(g, Gradient, written)
	c.plan.Bounds = bounds(allOf(sides))
	for _, x := range c.exports {
		x.bounds = bounds(slices.Concat(x.results, x.writes))
	}
	simplifyAll(g, stripMarks, written)
	for i, o := range c.objectives {
		o.plan.Exact = Strip(g, o.form.losses[i])[0]
	}
	if err := c.cut(); err != nil {
		return err
	}
	c.share()
	c.newComposition()

	// From here on losses and metrics are their parts.
	var lists []*[]*ir.Node
	for _, f := range c.trains {
		lists = append(lists, &f.losses)
	}
	lists = append(lists, c.values()...)
	simplifyAll(g, Simplify, lists)
	for i, o := range c.objectives {
		if err := c.gradient(o, o.form.losses[i]); err != nil {
			return err
		}
		lists = append(lists, &o.grads)
	}
	if c.compose != nil {
		if err := c.cotangents(); err != nil {
			return err
		}
		lists = append(lists, &c.compose.grads, &c.compose.inputs)
	}
	simplifyAll(g, Strip, lists)
	return nil
}

// values is what procedures compute, but for derivatives and updates.
func (c *modelCompiler) values() []*[]*ir.Node {
	var lists []*[]*ir.Node
	for _, f := range c.trains {
		lists = append(lists, &f.parts)
	}
	lists = append(lists, &c.infer.parts, &c.infer.outputs)
	for _, f := range append(slices.Clone(c.trains), c.infer) {
		lists = append(lists, &f.writes)
	}
	if c.compose != nil {
		lists = append(lists, &c.trains[0].outputs)
	}
	for _, x := range c.exports {
		lists = append(lists, &x.results, &x.writes)
	}
	return lists
}

// allOf is the nodes of lists.
func allOf(lists []*[]*ir.Node) []*ir.Node {
	var out []*ir.Node
	for _, l := range lists {
		out = append(out, *l...)
	}
	return out
}

// simplify brings everything to its final form.
func (c *modelCompiler) simplify() error {
	g := c.g
	for _, t := range c.m.Trains {
		c.rules = append(c.rules, newRules(g, t))
	}
	for _, p := range c.m.Params {
		c.inits = append(c.inits, p.Init)
	}
	c.begun = c.computedStates()
	for _, s := range c.begun {
		c.inits = append(c.inits, s.Init)
	}
	for _, s := range c.m.Carries {
		c.resets = append(c.resets, s.Init)
	}
	lists := c.values()
	for _, o := range c.objectives {
		lists = append(lists, &o.grads)
	}
	if c.compose != nil {
		lists = append(lists, &c.compose.grads, &c.compose.inputs)
	}
	var updates []*[]*ir.Node
	for _, r := range c.rules {
		updates = append(updates, &r.next, &r.values, &r.means)
	}
	simplifyAll(g, AsWritten, updates)
	lists = append(lists, updates...)
	lists = append(lists, &c.inits, &c.resets)
	simplifyAll(g, Strip, lists) // rules may call functions with derivatives of their own
	simplifyAll(g, Simplify, lists)

	for _, o := range c.objectives {
		if r := c.rulesOf(o.plan.Train); r != nil && r.foldable(g) {
			o.fold(g, r)
			lists = append(lists, &o.folded)
		}
	}
	for _, r := range c.rules {
		r.dropDead()
	}
	simplifyAll(g, Lower, lists)
	return nil
}

// rulesOf is the rules of a train; nil where there is none.
func (c *modelCompiler) rulesOf(t *ir.Train) *rules {
	for _, r := range c.rules {
		if r.train == t {
			return r
		}
	}
	return nil
}

// simplifyAll runs a pass over all lists at once, so that they share.
func simplifyAll(g *ir.Graph, pass func(*ir.Graph, ...*ir.Node) []*ir.Node, lists []*[]*ir.Node) {
	all := pass(g, allOf(lists)...)
	for _, l := range lists {
		n := len(*l)
		*l = all[:n:n]
		all = all[n:]
	}
}

// computedStates is the states, also those of the optimisers, whose first value
// is computed: it is neither one number everywhere nor that of a parameter.
func (c *modelCompiler) computedStates() []*ir.State {
	states := slices.Clone(c.m.States)
	for _, r := range c.rules {
		states = append(states, r.states...)
	}
	return slices.DeleteFunc(states, func(s *ir.State) bool {
		if s.Init == nil || s.Init.Is("param") {
			return true
		}
		_, number := s.Init.Literal()
		return number
	})
}
