package passes

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// An objective is a loss on its way to its plan.
type objective struct {
	plan   *ir.TrainPlan
	form   *form
	params []*ir.Param // that its gradient is taken by
	grads  []*ir.Node  // by params
	folded []*ir.Node  // updates with the gradient put in; nil where not folded
}

// newObjectives begins the plans of the losses, and the forms of training that
// their steps have.
func (c *modelCompiler) newObjectives() {
	whole := c.m.Train
	if whole == nil || len(whole.Losses) == 0 {
		c.trains = []*form{formOf(whole)}
		return
	}
	var losses []ir.Named // each in its own step
	for _, l := range whole.Losses {
		side := whole
		if l.Name != "" {
			side = c.plan.Model.Train.Step(c.g, l.Name)
		}
		c.trains = append(c.trains, formOf(side))
		l.Node = side.Loss(l.Name)
		losses = append(losses, l)
	}
	for i, f := range c.trains {
		f.side.Losses, f.losses = losses, nodesOf(losses)
		o := &objective{form: f, plan: &ir.TrainPlan{Loss: losses[i].Name, Side: f.side}}
		for _, t := range c.m.Trains {
			if t.Loss == o.plan.Loss {
				o.plan.Train = t
			}
		}
		o.params = trainedBy(c.m, o.plan.Train)
		c.objectives = append(c.objectives, o)
		c.plan.Trains = append(c.plan.Trains, o.plan)
	}
}

// trainedBy is the parameters that t updates, all where it is nil.
func trainedBy(m *ir.Model, t *ir.Train) []*ir.Param {
	if t == nil {
		return m.Params
	}
	out := make([]*ir.Param, len(t.Updates))
	for i, u := range t.Updates {
		out[i] = u.Param
	}
	return out
}

func leavesOf(params []*ir.Param) []*ir.Node {
	out := make([]*ir.Node, len(params))
	for i, p := range params {
		out[i] = p.Node
	}
	return out
}

// gradient takes the derivatives of a loss by the parameters that it trains.
func (c *modelCompiler) gradient(o *objective, loss *ir.Node) error {
	o.grads = sweep(c.g, loss, c.g.Fill(1, loss.Type), leavesOf(o.params)...)
	what := "the loss does not depend on"
	if o.plan.Loss != "" {
		what = "the loss " + o.plan.Loss + " does not depend on"
	}
	idle := c.zeroUnreached(o.grads, o.params, c.m.Train.Loss(o.plan.Loss))
	if o.plan.Train == nil && len(c.objectives) > 1 {
		return nil // another loss may have them
	}
	return c.idleError(what, idle)
}

// zeroUnreached sets derivatives that are missing to zeros, and returns the
// parameters that none of roots, as they are written, depends on.
func (c *modelCompiler) zeroUnreached(grads []*ir.Node, params []*ir.Param, roots ...*ir.Node) (idle []*ir.Param) {
	reached := reachable(roots...)
	for i, d := range grads {
		if d != nil {
			continue
		}

		// Only derivatives of what it reaches may be in the loss: a last bias.
		grads[i] = c.g.Fill(0, params[i].Node.Type)
		if !reached[params[i].Node] {
			idle = append(idle, params[i])
		}
	}
	return idle
}

// idleError says that nothing trains the parameters; it points at the first of
// them where that stands in the model's own file.
func (c *modelCompiler) idleError(what string, idle []*ir.Param) error {
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
		return &Error{pos, fmt.Sprintf("%s parameter %s, so it would never be trained: use what it computes, or leave it out", what, paths[0]), "untrained"}
	}
	return &Error{pos, fmt.Sprintf("%s parameters %s, so they would never be trained: use what they compute, or leave them out", what, strings.Join(paths, ", ")), "untrained"}
}

// fileOf is the file of a position file:line:column.
func fileOf(pos string) string {
	parts := strings.Split(pos, ":")
	return strings.Join(parts[:max(len(parts)-2, 0)], ":")
}

// reachable is the nodes below roots that a derivative could reach, past no
// stop.
func reachable(roots ...*ir.Node) map[*ir.Node]bool {
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
	for _, n := range roots {
		visit(n)
	}
	return out
}

// fold puts the gradient into the rules: an update that only adds a multiple
// of it is part of the product that makes it.
func (o *objective) fold(g *ir.Graph, r *rules) {
	o.folded = make([]*ir.Node, len(r.next))
	for i, u := range r.train.Updates {
		o.folded[i] = g.Replace(map[*ir.Node]*ir.Node{u.Grad: o.grads[i]}, r.next[i])[0]
	}
	o.folded = Simplify(g, o.folded...)
}
