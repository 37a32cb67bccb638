package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// procedures plans the model's procedures and its memory.
func (c *modelCompiler) procedures() error {
	pl := &planner{g: c.g, names: newNaming(c.g), buffer: map[*ir.Node]*ir.Buffer{}}
	for _, d := range c.m.Dims {
		pl.names.taken[d.Name] = true
	}
	c.leaves(pl)
	c.root, c.planners = pl, []*planner{pl}

	reader := c.child(pl)
	reader.names = pl.names.inProcedure() // a predictor's memory is its own
	lines := slices.Concat(c.planTraining(), c.planUpdate(), c.planRest())
	if len(c.outputs) > 0 {
		c.plan.Predict = reader.procedure("predict", c.outputTargets(), nil)
	}
	for _, p := range c.planners {
		if p.err != nil {
			return &Error{c.m.Pos, "model " + c.m.Name + ": " + p.err.Error()}
		}
	}
	c.plan.Trainer = place(lines)
	if c.plan.Predict != nil {
		c.plan.Reader = place([]timeline{{c.plan.Predict}})
	}
	for _, w := range c.states {
		c.plan.States = append(c.plan.States, w.State)
	}
	c.plan.States = append(c.plan.States, c.m.States...)
	c.plan.Draws = draws(slices.Concat(c.train, c.grads, c.writes))
	return nil
}

// child is a planner that starts with what of has in memory.
func (c *modelCompiler) child(of *planner) *planner {
	p := of.child()
	c.planners = append(c.planners, p)
	return p
}

// planTraining plans the forward, the gradient, and the backward where updates
// are folded.
func (c *modelCompiler) planTraining() []timeline {
	if len(c.train) == 0 {
		return nil
	}
	fw := c.child(c.root)
	values := slices.Concat(c.train, c.writes)
	keep := saved(fw.buffer, values, slices.Concat(c.grads, c.folded))
	c.plan.Forward = fw.procedure("forward", slices.Concat(results(c.train), c.writeTargets()), keep)
	if len(c.grads) == 0 {
		return []timeline{{c.plan.Forward}}
	}
	c.plan.Gradient = c.child(fw).procedure("gradient", c.gradTargets(), nil)
	lines := []timeline{{c.plan.Forward, c.plan.Gradient}}
	if c.folded != nil {
		c.plan.Backward = c.child(fw).procedure("backward", lastFirst(c.updateTargets(c.folded)), nil)
		lines = append(lines, timeline{c.plan.Forward, c.plan.Backward})
	}
	return lines
}

// planUpdate plans the optimiser's step for a given gradient.
func (c *modelCompiler) planUpdate() []timeline {
	if len(c.next) == 0 {
		return nil
	}
	up := c.child(c.root)
	for _, u := range c.m.Updates {
		up.buffer[u.Grad] = c.gradBuffer(u.Param)
		up.names.show(u.Grad, "d"+u.Param.Path)
	}
	targets := slices.Concat(c.updateTargets(c.next), c.stateTargets())
	if f := c.flatten(c.stateValues()); f != nil {
		targets = f.bind(up)
		c.states = f.byName(c.states)
	}
	c.plan.Update = up.procedure("update", targets, nil)
	return []timeline{{c.plan.Update}}
}

// planRest plans the inference that reports, where it is not the forward, and
// the initialisation.
func (c *modelCompiler) planRest() []timeline {
	var lines []timeline
	if len(c.infer) > 0 && (len(c.writes) > 0 || !slices.Equal(c.infer, c.train)) {
		c.plan.Evaluate = c.child(c.root).procedure("evaluate", results(c.infer), nil)
		lines = append(lines, timeline{c.plan.Evaluate})
	}
	if len(c.inits) > 0 {
		c.plan.Init = c.child(c.root).procedure("init", c.initTargets(), nil)
		lines = append(lines, timeline{c.plan.Init})
	}
	return lines
}

func draws(roots []*ir.Node) bool {
	for _, n := range ir.Topological(roots...) {
		if n.Op.Class == ir.Random {
			return true
		}
	}
	return false
}

// leaves gives every leaf in memory its buffer.
func (c *modelCompiler) leaves(pl *planner) {
	add := func(n *ir.Node, name string, storage ir.Storage, key string) {
		b := &ir.Buffer{Name: pl.names.fresh(localName(name)), Type: n.Type, Storage: storage, Key: key}
		pl.buffer[n] = b
		pl.names.show(n, name)
	}
	for _, x := range c.m.Inputs {
		add(x.Node, x.Name, ir.InInput, x.Name)
	}
	for _, p := range c.m.Params {
		add(p.Node, p.Path, ir.InParam, p.Path)
	}
	for _, s := range c.m.States {
		add(s.Node, s.Path, ir.InState, s.Path)
	}
	for _, w := range c.states {
		add(w.State.Node, w.State.Path, ir.InState, w.State.Path)
	}
	roots := slices.Concat(c.train, c.infer, c.outputs, c.writes, c.grads, c.next, c.folded, c.inits)
	tables(pl, roots)
}

// tables gives literal tensors their buffers.
func tables(pl *planner, roots []*ir.Node) {
	for _, n := range ir.Topological(roots...) {
		if n.Is("tensor") {
			pl.buffer[n] = &ir.Buffer{Name: pl.names.buffer(n, "table"), Type: n.Type, Storage: ir.InTable, Data: n.Attr.Data}
			pl.names.show(n, pl.buffer[n].Name)
		}
	}
}

func results(nodes []*ir.Node) []target {
	out := make([]target, len(nodes))
	for i, n := range nodes {
		out[i] = target{node: n}
	}
	return out
}

// saved is what the forward computes and the backward reads.
func saved(avail map[*ir.Node]*ir.Buffer, forward, backward []*ir.Node) []*ir.Node {
	f := &fuser{avail: map[*ir.Node]bool{}}
	for n := range avail {
		f.avail[n] = true
	}
	computed := map[*ir.Node]bool{}
	for _, n := range f.needed(forward) {
		computed[n] = true
	}
	var out []*ir.Node
	seen := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if seen[n] || f.avail[n] {
			return
		}
		seen[n] = true
		if computed[n] && !f.inline(n) {
			out = append(out, n)
			return
		}
		for _, a := range n.Args {
			visit(a)
		}
	}
	for _, n := range backward {
		visit(n)
	}
	return out
}

// gradBuffer is the gradient of p in a Params.
func (c *modelCompiler) gradBuffer(p *ir.Param) *ir.Buffer {
	return &ir.Buffer{Name: "d" + localName(p.Path), Type: p.Node.Type, Storage: ir.InGrad, Key: p.Path}
}

// gradTargets is the gradients, the last layer first.
func (c *modelCompiler) gradTargets() []target {
	var out []target
	for i, p := range c.m.Params {
		out = append(out, target{node: c.grads[i], buffer: c.gradBuffer(p)})
	}
	return lastFirst(out)
}

// lastFirst turns the order round: a backward begins with the last layer.
func lastFirst(targets []target) []target {
	slices.Reverse(targets)
	return targets
}

// updateTargets is the new parameters in the parameters' own buffers.
func (c *modelCompiler) updateTargets(next []*ir.Node) []target {
	var out []target
	for i, u := range c.m.Updates {
		leaf := u.Param.Node
		out = append(out, target{node: next[i], buffer: c.root.buffer[leaf], leaf: leaf})
	}
	return out
}

// writeTargets is the new values of the model's own states, beside the old
// ones: a step commits them.
func (c *modelCompiler) writeTargets() []target {
	var out []target
	for i, v := range c.writes {
		state := c.m.Train.Writes[i].State
		out = append(out, target{node: v, buffer: &ir.Buffer{
			Name: c.root.names.fresh(localName(state.Path) + "Next"), Type: v.Type, Storage: ir.InState, Key: state.Path + ir.NextKey,
		}})
		c.plan.Written = append(c.plan.Written, state)
	}
	return out
}

// stateValues is the new values of the optimiser's states.
func (c *modelCompiler) stateValues() []*ir.Node {
	out := make([]*ir.Node, len(c.states))
	for i, w := range c.states {
		out[i] = w.Value
	}
	return out
}

func (c *modelCompiler) stateTargets() []target {
	var out []target
	for _, w := range c.states {
		out = append(out, target{node: w.Value, buffer: c.root.buffer[w.State.Node], leaf: w.State.Node})
	}
	return out
}

func (c *modelCompiler) initTargets() []target {
	var out []target
	for i, p := range c.m.Params {
		out = append(out, target{node: c.inits[i], buffer: c.root.buffer[p.Node]})
	}
	for i, s := range c.begun {
		if b := c.root.buffer[s.Node]; b != nil { // not dropped
			out = append(out, target{node: c.inits[len(c.m.Params)+i], buffer: b})
		}
	}
	return out
}

func (c *modelCompiler) outputTargets() []target {
	var out []target
	for i, o := range c.m.Infer.Outputs {
		out = append(out, target{node: c.outputs[i], buffer: &ir.Buffer{
			Name: localName(o.Name), Type: o.Node.Type, Storage: ir.InOutput, Key: o.Name,
		}})
	}
	return out
}
