package passes

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A flatUpdate is an optimiser's rule over all parameters as one slice. It
// exists where every parameter has the same elementwise rule: then one loop
// does what else each parameter's own would.
type flatUpdate struct {
	g     *ir.Graph
	shape ir.Shape
	param *ir.Node
	grad  *ir.Node
	next  *ir.Node

	states []ir.Write // their leaves and new values, in the order of the rule
}

// flatten is the updates as one, nil where they differ, are not elementwise, or
// leave parameters out.
func (c *modelCompiler) flatten(r *rules) *flatUpdate {
	updates := r.train.Updates
	if len(updates) < 2 || len(updates) != len(c.m.Params) {
		return nil
	}
	size := ir.Dim{}
	elem := updates[0].Param.Node.Type.Elem
	for _, u := range updates {
		if u.Param.Node.Type.Elem != elem {
			return nil
		}
		size = size.Add(u.Param.Node.Type.Shape.Size())
	}
	f := &flatUpdate{g: c.g, shape: ir.Shape{size}}
	t := ir.Type{Elem: elem, Shape: f.shape}
	f.param, f.grad = c.g.Leaf("param", "*", t), c.g.Leaf("input", "grad *", t)
	for i, u := range updates {
		next, states, ok := f.one(r, i, u)
		if !ok || i > 0 && (next != f.next || !slices.EqualFunc(states, f.states, sameWrite)) {
			return nil
		}
		f.next, f.states = next, states
	}
	return f
}

func sameWrite(a, b ir.Write) bool {
	return a.Value == b.Value && a.State.Path == b.State.Path
}

// one is one parameter's rule in terms of the whole.
func (f *flatUpdate) one(r *rules, i int, u *ir.Update) (next *ir.Node, states []ir.Write, ok bool) {
	leaves := map[*ir.Node]*ir.Node{u.Param.Node: f.param, u.Grad: f.grad}
	var values []*ir.Node
	add := func(s *ir.State, value *ir.Node) {
		path := "*." + strings.TrimPrefix(s.Path, u.Param.Path+".")
		leaf := f.g.Leaf("state", path, s.Node.Type.With(f.shape))
		leaves[s.Node] = leaf
		states = append(states, ir.Write{State: &ir.State{Path: path, Node: leaf, Init: s.Init}})
		values = append(values, value)
	}
	for _, w := range u.States {
		if k := slices.Index(r.states, w.State); k >= 0 {
			if !w.State.Node.Type.Equal(u.Param.Node.Type) {
				return nil, nil, false
			}
			add(w.State, r.values[k])
		}
	}
	if u.Average != nil {
		k := slices.IndexFunc(r.averages, func(a *ir.Average) bool { return a.Param == u.Param })
		add(u.Average.State, r.means[k])
	}

	// All of them at once, as they share.
	next, ok = f.flat(r.next[i], leaves)
	for k, v := range values {
		flat, fits := f.flat(v, leaves)
		if fits {
			f.g.SetOrigin(flat, ir.Origin{Name: "new_" + strings.TrimPrefix(states[k].State.Path, "*.")})
		}
		states[k].Value, ok = flat, ok && fits
	}
	return next, states, ok
}

// flat is n with its shape replaced by that of the whole; ok is false where n
// is not elementwise.
func (f *flatUpdate) flat(n *ir.Node, leaves map[*ir.Node]*ir.Node) (out *ir.Node, ok bool) {
	if out, ok := leaves[n]; ok {
		return out, true
	}
	switch {
	case n.Type.Rank() == 0:
		out = n
	case n.Is("spread") && n.Args[0].Type.Rank() == 0:
		out = f.g.Broadcast(n.Args[0], f.shape)
	case n.Op.Class == ir.Map:
		args := make([]*ir.Node, len(n.Args))
		for i, a := range n.Args {
			if args[i], ok = f.flat(a, leaves); !ok {
				return nil, false
			}
		}
		out = f.g.Must(n.Op.Name, n.Attr, args...)
	default:
		return nil, false
	}
	leaves[n] = out
	return out, true
}

// bind gives the whole's leaves their buffers, and returns the targets.
func (f *flatUpdate) bind(pl *planner) []target {
	buffer := func(n *ir.Node, name, text string, storage ir.Storage, key string) *ir.Buffer {
		b := &ir.Buffer{Name: pl.names.fresh(name), Type: n.Type, Storage: storage, Key: key}
		pl.buffer[n] = b
		pl.names.show(n, text)
		return b
	}
	params := buffer(f.param, "param", "param", ir.InParam, "*")
	buffer(f.grad, "g", "grad", ir.InGrad, "*")
	targets := []target{{node: f.next, buffer: params, leaf: f.param}}
	for _, w := range f.states {
		name := strings.TrimPrefix(w.State.Path, "*.")
		b := buffer(w.State.Node, localName(name), name, ir.InState, w.State.Path)
		targets = append(targets, target{node: w.Value, buffer: b, leaf: w.State.Node})
	}
	return targets
}

// byName sorts the states of all parameters by the order in which the rule
// names them, so that each of them is one slice over all parameters.
func (f *flatUpdate) byName(r *rules) []*ir.State {
	var out []*ir.State
	for _, s := range f.states {
		for _, u := range r.train.Updates {
			for _, w := range u.States {
				if w.State.Path == u.Param.Path+strings.TrimPrefix(s.State.Path, "*") {
					out = append(out, w.State)
				}
			}
		}
	}
	return out
}
