package passes

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A modelCompiler holds what the stages of one model share.
type modelCompiler struct {
	g    *ir.Graph
	m    *ir.Model
	plan *ir.ModelPlan

	train, infer []*ir.Node // parts of the loss and metrics
	outputs      []*ir.Node
	writes       []*ir.Node // new values of the model's states
	grads        []*ir.Node // by parameter
	next         []*ir.Node // updates from a given gradient
	states       []ir.Write // of the optimiser, with their new values
	folded       []*ir.Node // updates with the gradient put in; nil where not folded
	inits        []*ir.Node // of the parameters, then of begun
	begun        []*ir.State

	root     *planner // with the leaves in memory
	planners []*planner
}

func compileModel(g *ir.Graph, m *ir.Model) (*ir.ModelPlan, error) {
	c := &modelCompiler{g: g, m: m, plan: &ir.ModelPlan{Model: m, Empty: emptyDim(m)}}
	steps := []func() error{c.calculus, c.simplify, c.procedures}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c.plan, nil
}

// emptyDim is the product of the run-time dimensions.
func emptyDim(m *ir.Model) ir.Dim {
	d := ir.D(1)
	for _, v := range m.Dims {
		d = d.Mul(ir.DimVar(v.Name))
	}
	return d
}

// calculus expands the derivatives that the model writes, cuts loss and
// metrics, and takes the gradient of what is left after a first simplification,
// so that gradient and forward speak of the same values.
func (c *modelCompiler) calculus() error {
	g, m := c.g, c.m
	train, infer := sideRoots(m.Train), sideRoots(m.Infer)
	all := Gradient(g, slices.Concat(train, infer)...)
	c.plan.Bounds = bounds(all)
	all = stripMarks(g, all)
	c.plan.Exact = Strip(g, all[0])[0]
	if err := c.cut(all[:len(train)], all[len(train):]); err != nil {
		return err
	}

	loss := all[:1:1]
	lists := []*[]*ir.Node{&loss, &c.train, &c.infer, &c.outputs, &c.writes}
	simplifyAll(g, Simplify, lists)
	if loss[0] != nil {
		if err := c.gradient(loss[0]); err != nil {
			return err
		}
	}
	simplifyAll(g, Strip, append(lists, &c.grads))
	return nil
}

// sideRoots is everything that a side computes: the loss first, then metrics,
// outputs and writes.
func sideRoots(s *ir.Side) []*ir.Node {
	if s == nil {
		return nil
	}
	out := []*ir.Node{s.Loss}
	for _, x := range slices.Concat(s.Metrics, s.Outputs) {
		out = append(out, x.Node)
	}
	for _, w := range s.Writes {
		out = append(out, w.Value)
	}
	return out
}

// gradient takes the derivatives of the loss by the parameters.
func (c *modelCompiler) gradient(loss *ir.Node) error {
	params := make([]*ir.Node, len(c.m.Params))
	for i, p := range c.m.Params {
		params[i] = p.Node
	}
	c.grads = sweep(c.g, loss, c.g.Fill(1, loss.Type), params...)
	reached := reachable(c.m.Train.Loss)
	var idle []*ir.Param
	for i, d := range c.grads {
		p := c.m.Params[i]
		switch {
		case d != nil:
		case reached[p.Node]:
			// Only derivatives of what it reaches are in the loss: a last bias.
			c.grads[i] = c.g.Fill(0, p.Node.Type)
		default:
			idle = append(idle, p)
		}
	}
	return c.idleError(idle)
}

// idleError says that nothing trains the parameters; it points at the first of
// them where that stands in the model's own file.
func (c *modelCompiler) idleError(idle []*ir.Param) error {
	if len(idle) == 0 {
		return nil
	}
	pos, paths := c.m.Pos, make([]string, len(idle))
	for i, p := range idle {
		paths[i] = p.Path
	}
	if fileOf(idle[0].Pos) == fileOf(c.m.Pos) {
		pos = idle[0].Pos
	}
	if len(idle) == 1 {
		return &Error{pos, fmt.Sprintf("the loss does not depend on parameter %s, so it would never be trained: use what it computes, or leave it out", paths[0])}
	}
	return &Error{pos, fmt.Sprintf("the loss does not depend on parameters %s, so they would never be trained: use what they compute, or leave them out", strings.Join(paths, ", "))}
}

// fileOf is the file of a position file:line:column.
func fileOf(pos string) string {
	parts := strings.Split(pos, ":")
	return strings.Join(parts[:max(len(parts)-2, 0)], ":")
}

// reachable is the nodes below n that a derivative could reach, past no stop.
func reachable(n *ir.Node) map[*ir.Node]bool {
	out := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if out[n] || n.Is("stop_gradient") {
			return
		}
		out[n] = true
		for _, a := range n.Operands() {
			visit(a)
		}
	}
	visit(n)
	return out
}

// cut splits loss and metrics of both sides into parts.
func (c *modelCompiler) cut(train, infer []*ir.Node) error {
	m := c.m
	fields := func(s *ir.Side, roots []*ir.Node) ([]ir.ReportField, *cutter) {
		cut := newCutter(c.g)
		var out []ir.ReportField
		if roots[0] != nil {
			out = append(out, cut.field("loss", "the loss", roots[0]))
		}
		for i, x := range s.Metrics {
			out = append(out, cut.field(x.Name, x.Doc, roots[1+i]))
		}
		return out, cut
	}
	if m.Train != nil {
		reports, cut := fields(m.Train, train)
		for _, name := range cut.bent {
			if i := slices.IndexFunc(m.Train.Metrics, func(x ir.Named) bool { return x.Name == name }); i >= 0 {
				return &Error{m.Train.Metrics[i].Pos, fmt.Sprintf("metric %s is no formula of sums over the data, which a metric must be to be reported of several batches; a nonlinear function of a tensor of sums is not compiled yet", name)}
			}
		}
		c.plan.Reports, c.plan.Parts = reports, cut.parts
		c.train = partNodes(cut)
		c.writes = train[len(train)-len(m.Train.Writes):]
	}
	if m.Infer != nil {
		reports, cut := fields(m.Infer, infer)
		if m.Train == nil {
			c.plan.Reports, c.plan.Parts = reports, cut.parts
		} else if !slices.EqualFunc(c.plan.Parts, cut.parts, samePart) || !slices.EqualFunc(c.plan.Reports, reports, sameReport) {
			return &Error{m.Pos, "the loss or a metric has another form in training than in inference: let the difference lie inside its means"}
		}
		c.infer = partNodes(cut)
		first := 1 + len(m.Infer.Metrics)
		c.outputs = infer[first : first+len(m.Infer.Outputs)]
	}
	return nil
}

func samePart(a, b ir.Part) bool {
	return a.Name == b.Name && a.Kind == b.Kind && (a.Size == nil) == (b.Size == nil)
}
func sameReport(a, b ir.ReportField) bool { return a.Name == b.Name && a.Value == b.Value }

// partNodes is the values of the parts that are no extents.
func partNodes(c *cutter) []*ir.Node {
	var out []*ir.Node
	for _, p := range c.parts {
		if p.Size == nil {
			out = append(out, p.Node)
		}
	}
	return out
}

// simplify brings everything to its final form.
func (c *modelCompiler) simplify() error {
	g := c.g
	for _, u := range c.m.Updates {
		c.next = append(c.next, u.Next)
		c.states = append(c.states, u.States...)
	}
	for _, p := range c.m.Params {
		c.inits = append(c.inits, p.Init)
	}
	c.begun = c.computedStates()
	for _, s := range c.begun {
		c.inits = append(c.inits, s.Init)
	}
	stateValues := c.stateValues()
	lists := []*[]*ir.Node{&c.train, &c.infer, &c.outputs, &c.writes, &c.grads, &c.next, &stateValues, &c.inits}
	simplifyAll(g, Strip, lists) // rules may call functions with derivatives of their own
	simplifyAll(g, Simplify, lists)

	// An update that only adds a multiple of the gradient is folded into the
	// product that makes it.
	if len(c.next) > 0 && c.foldable() {
		c.folded = make([]*ir.Node, len(c.next))
		for i, u := range c.m.Updates {
			c.folded[i] = g.Replace(map[*ir.Node]*ir.Node{u.Grad: c.gradOf(u.Param)}, c.next[i])[0]
		}
		c.folded = Simplify(g, c.folded...)
		lists = append(lists, &c.folded)
	}
	c.dropDead(&stateValues)
	simplifyAll(g, Lower, lists)
	for i := range c.states {
		c.states[i].Value = stateValues[i]
	}
	return nil
}

// simplifyAll runs a pass over all lists at once, so that they share.
func simplifyAll(g *ir.Graph, pass func(*ir.Graph, ...*ir.Node) []*ir.Node, lists []*[]*ir.Node) {
	var all []*ir.Node
	for _, l := range lists {
		all = append(all, *l...)
	}
	all = pass(g, all...)
	for _, l := range lists {
		n := len(*l)
		*l = all[:n:n]
		all = all[n:]
	}
}

func (c *modelCompiler) gradOf(p *ir.Param) *ir.Node {
	for i, q := range c.m.Params {
		if q == p {
			return c.grads[i]
		}
	}
	panic("passes: an update of " + p.Path + ", which is no parameter")
}

// foldable reports whether every update is a scalar times the parameter plus a
// scalar times the gradient.
func (c *modelCompiler) foldable() bool {
	s := newSimplifier(c.g, nil)
	for i, u := range c.m.Updates {
		for _, n := range ir.Topological(c.next[i]) {
			if n.Is("state") {
				return false
			}
		}
		for _, t := range s.terms(c.next[i]) {
			linear := 0
			for _, f := range t.factors {
				switch {
				case f.atom == u.Param.Node || f.atom == u.Grad:
					linear += f.power
				case !f.atom.Is("spread") || f.atom.Args[0].Type.Rank() > 0:
					return false
				}
			}
			if linear != 1 {
				return false
			}
		}
	}
	return true
}

// computedStates is the states, also those of the optimiser, whose first value
// is computed: it is neither one number everywhere nor that of a parameter.
func (c *modelCompiler) computedStates() []*ir.State {
	states := slices.Clone(c.m.States)
	for _, w := range c.states {
		states = append(states, w.State)
	}
	return slices.DeleteFunc(states, func(s *ir.State) bool {
		if s.Init == nil || s.Init.Is("param") {
			return true
		}
		_, number := s.Init.Literal()
		return number
	})
}

// dropDead removes optimiser states that no update reads.
func (c *modelCompiler) dropDead(values *[]*ir.Node) {
	for {
		read := map[*ir.Node]bool{}
		for _, n := range ir.Topological(append(slices.Clone(c.next), *values...)...) {
			read[n] = n.Is("state")
		}
		var states []ir.Write
		var kept []*ir.Node
		for i, w := range c.states {
			if read[w.State.Node] && !onlySelf(w.State.Node, i, *values, c.next) {
				states, kept = append(states, w), append(kept, (*values)[i])
			}
		}
		if len(states) == len(c.states) {
			return
		}
		c.states, *values = states, kept
	}
}

// onlySelf reports whether a state is read by its own new value alone.
func onlySelf(state *ir.Node, at int, values, next []*ir.Node) bool {
	others := slices.Clone(next)
	for i, v := range values {
		if i != at {
			others = append(others, v)
		}
	}
	return !slices.Contains(ir.Topological(others...), state)
}
