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

// flatten is the updates as one, nil where they differ or are not elementwise.
func (c *modelCompiler) flatten(stateValues []*ir.Node) *flatUpdate {
	if len(c.updates()) < 2 || len(c.updates()) != len(c.m.Params) {
		return nil
	}
	size := ir.Dim{}
	elem := c.updates()[0].Param.Node.Type.Elem
	for _, u := range c.updates() {
		if u.Param.Node.Type.Elem != elem {
			return nil
		}
		size = size.Add(u.Param.Node.Type.Shape.Size())
	}
	f := &flatUpdate{g: c.g, shape: ir.Shape{size}}
	t := ir.Type{Elem: elem, Shape: f.shape}
	f.param, f.grad = c.g.Leaf("param", "*", t), c.g.Leaf("input", "grad *", t)
	for i, u := range c.updates() {
		next, states, ok := c.flattenOne(f, i, u, stateValues)
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

// flattenOne is one parameter's rule in terms of the whole.
func (c *modelCompiler) flattenOne(f *flatUpdate, i int, u *ir.Update, stateValues []*ir.Node) (next *ir.Node, states []ir.Write, ok bool) {
	leaves := map[*ir.Node]*ir.Node{u.Param.Node: f.param, u.Grad: f.grad}
	var values []*ir.Node
	for k, w := range c.states {
		name, mine := strings.CutPrefix(w.State.Path, u.Param.Path+".")
		if !mine || strings.Contains(name, ".") {
			continue
		}
		if !w.State.Node.Type.Equal(u.Param.Node.Type) {
			return nil, nil, false
		}
		leaf := c.g.Leaf("state", "*."+name, f.param.Type)
		leaves[w.State.Node] = leaf
		states = append(states, ir.Write{State: &ir.State{Path: "*." + name, Node: leaf, Init: w.State.Init}})
		values = append(values, stateValues[k])
	}
	next, ok = f.flat(c.next[i], leaves)
	for k, v := range values {
		flat, fits := f.flat(v, leaves)
		if fits {
			c.g.SetOrigin(flat, ir.Origin{Name: "new_" + strings.TrimPrefix(states[k].State.Path, "*.")})
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
func (f *flatUpdate) byName(states []ir.Write) []ir.Write {
	var out []ir.Write
	for _, s := range f.states {
		for _, w := range states {
			if strings.HasSuffix(w.State.Path, strings.TrimPrefix(s.State.Path, "*")) {
				out = append(out, w)
			}
		}
	}
	return out
}
