package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// rules is how a train updates its parameters from a given gradient.
type rules struct {
	train    *ir.Train
	next     []*ir.Node // new parameters, by update
	states   []*ir.State
	values   []*ir.Node // new values of states
	averages []*ir.Average
	means    []*ir.Node // new values of averages
}

// newRules is the rules of t with its clip in them.
func newRules(g *ir.Graph, t *ir.Train) *rules {
	r := &rules{train: t}
	for _, u := range t.Updates {
		roots := append([]*ir.Node{u.Next}, valuesOf(u.States)...)
		if u.Average != nil {
			roots = append(roots, u.Average.Value)
			r.averages = append(r.averages, &ir.Average{Param: u.Param, State: u.Average.State})
		}
		if t.Clip != nil {
			roots = g.Replace(map[*ir.Node]*ir.Node{u.Grad: clipped(g, t.Clip, u.Grad)}, roots...)
		}
		r.next = append(r.next, roots[0])
		for i, w := range u.States {
			r.states, r.values = append(r.states, w.State), append(r.values, roots[1+i])
		}
		r.means = append(r.means, roots[1+len(u.States):]...)
	}
	return r
}

// clipped is the gradient that a clip leaves: each element within the limit,
// or all of them times the factor that bounds their norm.
func clipped(g *ir.Graph, c *ir.Clip, grad *ir.Node) *ir.Node {
	t := grad.Type
	spread := func(n *ir.Node) *ir.Node { return g.Broadcast(g.Cast(n, t.Elem), t.Shape) }
	if c.Kind == "value" {
		limit := spread(c.Limit)
		return g.Map("max", g.Map("min", grad, limit), g.Map("neg", limit))
	}
	return g.Map("mul", spread(g.Must("clip_factor", ir.Attr{Elem: ir.Float64})), grad)
}

// foldable reports whether every update is a scalar times the parameter plus a
// scalar times the gradient, and nothing else needs the gradient.
func (r *rules) foldable(g *ir.Graph) bool {
	t := r.train
	if len(t.Updates) == 0 || t.Clip != nil || t.Check || t.Accumulate > 1 || len(r.averages) > 0 {
		return false
	}
	s := newSimplifier(g, nil)
	for i, u := range t.Updates {
		for _, n := range ir.Topological(r.next[i]) {
			if n.Is("state") {
				return false
			}
		}
		for _, t := range s.terms(r.next[i]) {
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

// dropDead removes states that no update reads, beside their own.
func (r *rules) dropDead() {
	for {
		readers := r.readers()
		var states []*ir.State
		var values []*ir.Node
		for i, s := range r.states {
			if by, read := readers[s.Node]; read && by != i {
				states, values = append(states, s), append(values, r.values[i])
			}
		}
		if len(states) == len(r.states) {
			return
		}

		// The lists' memory may be shared by others.
		r.states, r.values = states, values
	}
}

// several says that a node is read by more than the new value of one state.
const several = -1

// readers is, for each node that the updates compute or read, the index of the
// state whose new value alone needs it, or several.
func (r *rules) readers() map[*ir.Node]int {
	out := map[*ir.Node]int{}
	note := func(n *ir.Node, by int) {
		if old, known := out[n]; known && old != by {
			by = several
		}
		out[n] = by
	}
	for _, n := range r.next {
		note(n, several)
	}
	for i, n := range r.values {
		note(n, i)
	}
	for _, n := range slices.Backward(ir.Topological(slices.Concat(r.next, r.values)...)) {
		for _, a := range n.Operands() {
			note(a, out[n])
		}
	}
	return out
}
