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

	// A predictor's memory is its own.
	readers := pl.names.inProcedure()
	trainer := slices.Concat(c.planTraining(), c.planCompose(), c.planRest())
	reader := c.planReading(readers)
	c.planReset()
	c.planClosings()
	for _, p := range c.planners {
		if p.err != nil {
			return &Error{c.m.Pos, "model " + c.m.Name + ": " + p.err.Error(), "not-compiled"}
		}
	}
	c.plan.Trainer = place(trainer)
	if len(reader) > 0 {
		c.plan.Reader = place(reader)
	}
	if r := c.plan.Reset; r != nil && len(place([]timeline{{r}}).Buffers) > 0 {
		return &Error{c.m.Pos, "the initial value of a carry is computed in several steps: let it be a number or a draw", "not-compiled"}
	}
	c.kept()
	return nil
}

// kept lists what lies in memory from call to call.
func (c *modelCompiler) kept() {
	for _, r := range c.rules {
		c.plan.States = append(c.plan.States, r.states...)
		c.plan.Averages = append(c.plan.Averages, r.averages...)
	}
	c.plan.States = append(c.plan.States, c.m.States...)

	// Carries that are read or written.
	roots := c.roots()
	trained := c.trained()
	for _, f := range c.trains {
		trained = append(trained, f.parts...)
	}
	c.plan.Draws = draws(trained)
	used := map[*ir.Node]bool{}
	for _, n := range ir.Topological(roots...) {
		used[n] = true
	}
	written := slices.Concat(writesOf(c.m.Train), writesOf(c.m.Infer))
	for _, x := range c.exports {
		written = append(written, x.Writes...)
	}
	for _, s := range c.m.Carries {
		if used[s.Node] || slices.ContainsFunc(written, func(w ir.Write) bool { return w.State == s }) {
			c.plan.Carries = append(c.plan.Carries, s)
		}
	}
}

// trained is what training computes beside losses and metrics.
func (c *modelCompiler) trained() []*ir.Node {
	var out []*ir.Node
	for _, f := range c.trains {
		out = append(out, f.writes...)
	}
	for _, o := range c.objectives {
		out = slices.Concat(out, o.grads, o.folded)
	}
	if c.compose != nil {
		out = slices.Concat(out, c.trains[0].outputs, c.compose.grads, c.compose.inputs)
	}
	return out
}

// roots is everything that the model's procedures compute.
func (c *modelCompiler) roots() []*ir.Node {
	out := allOf(c.values())
	out = append(out, c.trained()...)
	for _, r := range c.rules {
		out = slices.Concat(out, r.next, r.values, r.means)
	}
	return slices.Concat(out, c.inits, c.resets)
}

// child is a planner that starts with what of has in memory.
func (c *modelCompiler) child(of *planner) *planner {
	p := of.child()
	c.planners = append(c.planners, p)
	return p
}

// planTraining plans the procedures of each loss. Losses that compute the same
// values call them by the same names.
func (c *modelCompiler) planTraining() []timeline {
	var lines []timeline
	forward, backward := map[*ir.Node]*ir.Buffer{}, map[*ir.Node]*ir.Buffer{}
	for _, o := range c.objectives {
		lines = append(lines, c.planObjective(o, forward, backward)...)
	}
	return lines
}

// planObjective plans a loss's forward, its gradient, the backward where
// updates are folded, and the update.
func (c *modelCompiler) planObjective(o *objective, forward, backward map[*ir.Node]*ir.Buffer) []timeline {
	name := func(s string) string {
		if o.plan.Loss == "" {
			return s
		}
		return s + raised(o.plan.Loss)
	}
	fw := c.child(c.root)
	if len(c.objectives) > 1 {
		fw.alike = forward
	}
	parts := c.partsAt(o.form, o.plan.Parts)
	values := slices.Concat(parts, o.form.writes)
	keep := saved(fw.buffer, values, slices.Concat(o.grads, o.folded))
	targets := slices.Concat(c.partTargets(parts, o.plan.Parts), c.writeTargets(o.form.side.Writes, o.form.writes))
	o.plan.Forward = fw.procedure(name("forward"), targets, keep)
	o.plan.Written = written(o.form.side.Writes)
	o.plan.Inputs = c.inputsOf(slices.Concat(values, o.grads, o.folded))
	o.plan.Empty = emptyDim(c.m, o.plan.Inputs)
	if len(o.grads) == 0 {
		return []timeline{{o.plan.Forward}}
	}

	// What follows a forward.
	follow := func() *planner {
		bw := c.child(fw)
		bw.alike = nil
		if len(c.objectives) > 1 {
			bw.alike = backward
		}
		return bw
	}
	o.plan.Gradient = follow().procedure(name("gradient"), gradTargets(o.params, o.grads), nil)
	lines := []timeline{{o.plan.Forward, o.plan.Gradient}}
	r := c.rulesOf(o.plan.Train)
	if o.folded != nil {
		o.plan.Backward = follow().procedure(name("backward"), lastFirst(c.updateTargets(r, o.folded)), nil)
		lines = append(lines, timeline{o.plan.Forward, o.plan.Backward})
	}
	if r != nil && len(r.next) > 0 {
		o.plan.Update = c.planUpdate(r, name("update"))
		lines = append(lines, timeline{o.plan.Update})
	}
	return lines
}

// written is the states and carries of some writes.
func written(writes []ir.Write) []*ir.State {
	var out []*ir.State
	for _, w := range writes {
		out = append(out, w.State)
	}
	return out
}

// inputsOf is the inputs that roots read, and for each dimension that they only
// speak of, the first input that has it.
func (c *modelCompiler) inputsOf(roots []*ir.Node) []ir.Named {
	read, needed, known := map[*ir.Node]bool{}, map[string]bool{}, map[string]bool{}
	for _, n := range ir.Topological(roots...) {
		shapeVars(n.Type.Shape, needed)
		shapeVars(n.Attr.Dims, needed)
		if read[n] = n.Is("input"); read[n] {
			shapeVars(n.Type.Shape, known)
		}
	}
	for _, d := range c.m.Dims {
		for _, x := range c.m.Inputs {
			has := map[string]bool{}
			shapeVars(x.Node.Type.Shape, has)
			if needed[d.Name] && !known[d.Name] && has[d.Name] {
				read[x.Node] = true
				shapeVars(x.Node.Type.Shape, known)
			}
		}
	}
	var out []ir.Named
	for _, x := range c.m.Inputs {
		if read[x.Node] {
			out = append(out, x)
		}
	}
	return out
}

// planRest plans the inference that reports, where it is not the forward, and
// the initialisation.
func (c *modelCompiler) planRest() []timeline {
	var lines []timeline
	if len(c.plan.Parts) > 0 && !c.forwardServes() {
		targets := slices.Concat(c.partTargets(c.infer.parts, upTo(len(c.plan.Parts))), c.writeTargets(c.infer.side.Writes, c.infer.writes))
		c.plan.Evaluate = c.child(c.root).procedure("evaluate", targets, nil)
		lines = append(lines, timeline{c.plan.Evaluate})
	}
	if len(c.inits) > 0 {
		c.plan.Init = c.child(c.root).procedure("init", c.initTargets(), nil)
		lines = append(lines, timeline{c.plan.Init})
	}
	return lines
}

// forwardServes reports whether the forward of training is the inference that
// reports, too: there is one loss, and the two sides compute and keep the same
// with the same weights.
func (c *modelCompiler) forwardServes() bool {
	if len(c.objectives) != 1 {
		return false
	}
	train := c.trains[0]
	if !slices.Equal(c.infer.parts, train.parts) || !slices.Equal(c.infer.writes, train.writes) {
		return false
	}
	sameState := func(a, b ir.Write) bool { return a.State == b.State }
	if !slices.EqualFunc(train.side.Writes, c.infer.side.Writes, sameState) {
		return false
	}
	return !slices.ContainsFunc(c.rules, func(r *rules) bool { return len(r.averages) > 0 })
}

// planReading plans what a predictor runs.
func (c *modelCompiler) planReading(names *naming) []timeline {
	var lines []timeline
	reader := func() *planner {
		p := c.child(c.root)
		p.names = names.following()
		return p
	}
	observed := c.observed()
	if len(c.infer.outputs) > 0 {
		writes, values := observedWrites(c.m.Infer.Writes, c.infer.writes, observed)
		targets := slices.Concat(c.outputTargets(c.m.Infer.Outputs, c.infer.outputs), c.writeTargets(writes, values))
		c.plan.Predict = reader().procedure("predict", targets, nil)
		c.plan.Moves = written(writes)
		lines = append(lines, timeline{c.plan.Predict})
	}
	for _, x := range c.exports {
		pl := reader()
		for _, in := range x.Inputs {
			leaf := unmarked(in.Node)
			pl.buffer[leaf] = &ir.Buffer{Name: pl.names.fresh(localName(in.Name)), Type: leaf.Type, Storage: ir.InInput, Key: in.Name}
			pl.names.show(leaf, in.Name)
		}
		writes, values := observedWrites(x.Writes, x.writes, observed)
		targets := slices.Concat(c.outputTargets(x.Results, x.results), c.writeTargets(writes, values))
		p := &ir.ExportPlan{Export: x.Export, Proc: pl.procedure(localName(x.Name), targets, nil), Moves: written(writes), Bounds: x.bounds}
		c.plan.Exports = append(c.plan.Exports, p)
		lines = append(lines, timeline{p.Proc})
	}
	return lines
}

// unmarked is the leaf below the marks of an input.
func unmarked(n *ir.Node) *ir.Node {
	for n.IsMark() {
		n = n.Args[0]
	}
	return n
}

// planReset plans the initial values of the carries.
func (c *modelCompiler) planReset() {
	var targets []target
	for i, s := range c.m.Carries {
		targets = append(targets, target{node: c.resets[i], buffer: c.root.buffer[s.Node]})
	}
	if len(targets) > 0 {
		c.plan.Reset = c.child(c.root).procedure("reset", targets, nil)
	}
}

func draws(roots []*ir.Node) bool {
	for _, n := range ir.Topological(roots...) {
		if n.Op.Class == ir.Random {
			return true
		}
	}
	return false
}

// observed is the carries that a predictor's results depend on, in this call or
// a later one. The others need not be moved on, nor what that takes be given.
func (c *modelCompiler) observed() map[*ir.State]bool {
	roots := slices.Clone(c.infer.outputs)
	values := map[*ir.State][]*ir.Node{}
	note := func(list []ir.Write, news []*ir.Node) {
		for i, w := range list {
			values[w.State] = append(values[w.State], news[i])
		}
	}
	note(c.m.Infer.Writes, c.infer.writes)
	for _, x := range c.exports {
		roots = append(roots, x.results...)
		note(x.Writes, x.writes)
	}
	out := map[*ir.State]bool{}
	for again := true; again; {
		again = false
		read := ir.Topological(roots...)
		for _, s := range c.m.Carries {
			if !out[s] && slices.Contains(read, s.Node) {
				out[s], again = true, true
				roots = append(roots, values[s]...)
			}
		}
	}
	return out
}

// observedWrites is the writes of such carries, and their values.
func observedWrites(list []ir.Write, news []*ir.Node, observed map[*ir.State]bool) (writes []ir.Write, values []*ir.Node) {
	for i, w := range list {
		if observed[w.State] {
			writes, values = append(writes, w), append(values, news[i])
		}
	}
	return writes, values
}
