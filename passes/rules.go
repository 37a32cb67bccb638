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

// dropDead removes states that no update reads.
func (r *rules) dropDead() {
	for {
		read := map[*ir.Node]bool{}
		for _, n := range ir.Topological(slices.Concat(r.next, r.values)...) {
			read[n] = n.Is("state")
		}
		var states []*ir.State
		var values []*ir.Node
		for i, s := range r.states {
			if read[s.Node] && !r.onlySelf(i) {
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

// onlySelf reports whether a state is read by its own new value alone.
func (r *rules) onlySelf(at int) bool {
	others := slices.Concat(r.next, r.values[:at], r.values[at+1:])
	return !slices.Contains(ir.Topological(others...), r.states[at].Node)
}
