package passes

import (
	"gradgen.dev/ir"
	"slices"
)

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
	for _, r := range c.rules {
		for _, s := range r.states {
			add(s.Node, s.Path, ir.InState, s.Path)
		}
		for _, a := range r.averages {
			add(a.State.Node, a.State.Path, ir.InState, a.State.Path)
		}
	}
	for _, s := range c.m.Carries {
		add(s.Node, s.Path, ir.InCarry, s.Path)
		c.nextOf(pl, s)
	}
	tables(pl, c.roots())
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
func gradBuffer(p *ir.Param) *ir.Buffer {
	return &ir.Buffer{Name: "d" + localName(p.Path), Type: p.Node.Type, Storage: ir.InGrad, Key: p.Path}
}

// gradTargets is the gradients, the last layer first.
func gradTargets(params []*ir.Param, grads []*ir.Node) []target {
	var out []target
	for i, p := range params {
		out = append(out, target{node: grads[i], buffer: gradBuffer(p)})
	}
	return lastFirst(out)
}

// lastFirst turns the order round: a backward begins with the last layer.
func lastFirst(targets []target) []target {
	slices.Reverse(targets)
	return targets
}

// updateTargets is new parameters in the parameters' own buffers.
func (c *modelCompiler) updateTargets(r *rules, next []*ir.Node) []target {
	var out []target
	for i, u := range r.train.Updates {
		leaf := u.Param.Node
		out = append(out, target{node: next[i], buffer: c.root.buffer[leaf], leaf: leaf})
	}
	return out
}

// stateTargets is the new states and averages of a train.
func (c *modelCompiler) stateTargets(r *rules) []target {
	var out []target
	add := func(s *ir.State, value *ir.Node) {
		out = append(out, target{node: value, buffer: c.root.buffer[s.Node], leaf: s.Node})
	}
	for i, s := range r.states {
		add(s, r.values[i])
	}
	for i, a := range r.averages {
		add(a.State, r.means[i])
	}
	return out
}

// writesOf is what a side writes.
func writesOf(s *ir.Side) []ir.Write {
	if s == nil {
		return nil
	}
	return s.Writes
}

// writeTargets is new values of states and carries, beside the old ones: a
// step or call commits them. The values of the writes are given.
func (c *modelCompiler) writeTargets(writes []ir.Write, values []*ir.Node) []target {
	var out []target
	for k, w := range writes {
		out = append(out, target{node: values[k], buffer: c.nextOf(c.root, w.State)})
	}
	return out
}

// nextOf is the buffer of the new value of a state or carry.
func (c *modelCompiler) nextOf(pl *planner, s *ir.State) *ir.Buffer {
	if c.next[s] == nil {
		storage := ir.InState
		if s.Node.Is("carry") {
			storage = ir.InCarry
		}
		c.next[s] = &ir.Buffer{Name: pl.names.fresh(localName(s.Path) + "Next"), Type: s.Node.Type, Storage: storage, Key: s.Path + ir.NextKey}
	}
	return c.next[s]
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

// outputTargets is values under their names in the caller's buffers.
func (c *modelCompiler) outputTargets(names []ir.Named, values []*ir.Node) []target {
	var out []target
	for i, o := range names {
		out = append(out, target{node: values[i], buffer: &ir.Buffer{
			Name: localName(o.Name), Type: o.Node.Type, Storage: ir.InOutput, Key: o.Name,
		}})
	}
	return out
}
