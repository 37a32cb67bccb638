package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// A composition is a model without loss as a part of a larger computation, on
// its way to its plan.
type composition struct {
	plan   *ir.ComposePlan
	dys    []*ir.Node  // cotangents of the outputs, leaves; nil of integers
	params []*ir.Param // that a gradient is taken by
	grads  []*ir.Node  // by params
	inputs []*ir.Node  // cotangents of plan.Inputs
}

// newComposition begins the plan where the model has outputs, no loss, and
// something to differentiate by.
func (c *modelCompiler) newComposition() {
	if len(c.objectives) > 0 || c.m.Train == nil {
		return
	}
	p := &composition{plan: &ir.ComposePlan{}}
	if len(c.m.Trains) > 0 {
		p.plan.Train = c.m.Trains[0]
	}
	floats := 0
	for i, o := range c.m.Train.Outputs {
		p.dys = append(p.dys, nil)
		if t := c.trains[0].outputs[i].Type; t.Elem.IsFloat() {
			p.dys[i] = c.g.Leaf("input", "d "+o.Name, t)
			floats++
		}
	}

	// What no output depends on is not part of it, but for parameters.
	p.params = trainedBy(c.m, p.plan.Train)
	reached := reachable(c.floating(p)...)
	for _, x := range c.m.Inputs {
		if x.Node.Type.Elem.IsFloat() && reached[x.Node] {
			p.plan.Inputs = append(p.plan.Inputs, x)
		}
	}
	byParam := func(q *ir.Param) bool { return reached[q.Node] }
	if floats > 0 && (len(p.plan.Inputs) > 0 || slices.ContainsFunc(p.params, byParam)) {
		c.compose = p
	}
}

// floating is the outputs that have cotangents.
func (c *modelCompiler) floating(p *composition) []*ir.Node {
	var out []*ir.Node
	for i, dy := range p.dys {
		if dy != nil {
			out = append(out, c.trains[0].outputs[i])
		}
	}
	return out
}

// cotangents takes the vector-Jacobian product of all outputs at once.
func (c *modelCompiler) cotangents() error {
	p := c.compose
	dys := slices.DeleteFunc(slices.Clone(p.dys), func(n *ir.Node) bool { return n == nil })
	wrt := slices.Concat(leavesOf(p.params), nodesOf(p.plan.Inputs))
	all := sweepAll(c.g, c.floating(p), dys, wrt...)
	p.grads, p.inputs = all[:len(p.params):len(p.params)], all[len(p.params):]
	for i, d := range p.inputs {
		p.inputs[i] = orZeros(c.g, d, p.plan.Inputs[i].Node.Type)
	}
	idle := c.zeroUnreached(p.grads, p.params, nodesOf(c.m.Train.Outputs)...)
	if p.plan.Train == nil {
		return nil
	}
	return c.idleError("no output depends on", idle)
}

// planCompose plans its forward, its backward and its update.
func (c *modelCompiler) planCompose() []timeline {
	p := c.compose
	if p == nil {
		return nil
	}
	c.plan.Compose = p.plan
	fw := c.child(c.root)
	values := slices.Concat(c.trains[0].outputs, c.trains[0].writes)
	backward := slices.Concat(p.grads, p.inputs)
	keep := saved(fw.buffer, values, backward)
	targets := slices.Concat(c.outputTargets(c.m.Train.Outputs, c.trains[0].outputs), c.writeTargets(c.m.Train.Writes, c.trains[0].writes))
	p.plan.Forward = fw.procedure("forward", targets, keep)
	p.plan.Written = written(c.m.Train.Writes)

	// The cotangents of the outputs are the caller's.
	bw := c.child(fw)
	for i, dy := range p.dys {
		if dy != nil {
			name := "d " + c.m.Train.Outputs[i].Name
			bw.buffer[dy] = &ir.Buffer{Name: bw.names.fresh(localName(name)), Type: dy.Type, Storage: ir.InInput, Key: name}
			bw.names.show(dy, "d"+c.m.Train.Outputs[i].Name)
		}
	}
	targets = gradTargets(p.params, p.grads)
	for i, x := range p.plan.Inputs {
		key := "d " + x.Name
		targets = append(targets, target{node: p.inputs[i], buffer: &ir.Buffer{
			Name: bw.names.fresh(localName(key)), Type: x.Node.Type, Storage: ir.InOutput, Key: key,
		}})
	}
	p.plan.Backward = bw.procedure("backward", targets, nil)
	lines := []timeline{{p.plan.Forward, p.plan.Backward}}
	if r := c.rulesOf(p.plan.Train); r != nil {
		p.plan.Update = c.planUpdate(r, "update")
		lines = append(lines, timeline{p.plan.Update})
	}
	return lines
}
