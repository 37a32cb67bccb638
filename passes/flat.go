package passes

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A class is updates that are one elementwise rule but for the parameter, its
// gradient and its states: one loop does for each run of them what else each
// parameter's own would.
type class struct {
	g       *ir.Graph
	updates []int // of the train
	runs    []ir.Run
	shape   ir.Shape // of a run
	param   *ir.Node
	grad    *ir.Node
	next    *ir.Node
	states  []ir.Write // their leaves and new values, in the order of the rule

	rule *ir.Routine // nil where the only run is updated in place
	args []*ir.Buffer
}

// newClass is a class without updates yet, over runs of some shape. The key
// tells its leaves from those of other classes.
func newClass(g *ir.Graph, elem ir.DType, shape ir.Shape, key string) *class {
	t := ir.Type{Elem: elem, Shape: shape}
	return &class{g: g, shape: shape, param: g.Leaf("param", "*"+key, t), grad: g.Leaf("input", "grad *"+key, t)}
}

// classes groups the updates of r by their rules: those that others share, and
// the updates that stand alone because their rule is their own or works on more
// than single elements.
func (c *modelCompiler) classes(r *rules) (shared []*class, alone []int) {
	shape := ir.Shape{ir.DimVar("run")}
	for i, u := range r.train.Updates {
		probe := newClass(c.g, u.Param.Node.Type.Elem, shape, "")
		if !probe.add(r, i) {
			alone = append(alone, i)
			continue
		}
		k := slices.IndexFunc(shared, probe.equal)
		if k < 0 {
			k = len(shared)
			shared = append(shared, probe)
		}
		shared[k].updates = append(shared[k].updates, i)
	}
	shared = slices.DeleteFunc(shared, func(x *class) bool {
		if len(x.updates) == 1 {
			alone = append(alone, x.updates...)
		}
		return len(x.updates) == 1
	})
	slices.Sort(alone)
	for _, x := range shared {
		x.runs = c.runs(r, x.updates)
	}
	return shared, alone
}

// equal reports whether two classes over the same leaves are one rule.
func (x *class) equal(y *class) bool {
	known := map[[2]*ir.Node]bool{}
	return x.param == y.param && sameBits(x.next, y.next, known) && slices.EqualFunc(x.states, y.states, func(a, b ir.Write) bool {
		return a.State.Path == b.State.Path && sameBits(a.Value, b.Value, known)
	})
}

// sameBits reports whether two values are the same to the bit: equal but for the
// order of what is added or multiplied, which follows the age of the operands.
func sameBits(a, b *ir.Node, known map[[2]*ir.Node]bool) bool {
	if a == b {
		return true
	}
	key := [2]*ir.Node{a, b}
	if out, ok := known[key]; ok {
		return out
	}
	known[key] = a.Op == b.Op && a.Op.Class == ir.Map && a.Type.Equal(b.Type) && slices.EqualFunc(a.Args, b.Args, func(p, q *ir.Node) bool { return sameBits(p, q, known) }) ||
		(a.Is("add") && b.Is("add") || a.Is("mul") && b.Is("mul")) && a.Type.Equal(b.Type) &&
			sameBits(a.Args[0], b.Args[1], known) && sameBits(a.Args[1], b.Args[0], known)
	return known[key]
}

// runs joins the parameters of updates that lie one after another.
func (c *modelCompiler) runs(r *rules, updates []int) []ir.Run {
	var out []ir.Run
	last := -2
	for _, i := range updates {
		p := r.train.Updates[i].Param
		at := slices.Index(c.m.Params, p)
		if at != last+1 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], p)
		last = at
	}
	return out
}

// over is the class again, over its own leaves, whose shape is given.
func (x *class) over(r *rules, shape ir.Shape, key string) *class {
	out := newClass(x.g, x.param.Type.Elem, shape, key)
	out.add(r, x.updates[0])
	out.updates, out.runs = x.updates, x.runs
	return out
}

// add makes the rule of an update that of the class; it reports whether it is
// elementwise.
func (x *class) add(r *rules, i int) bool {
	u := r.train.Updates[i]
	leaves := map[*ir.Node]*ir.Node{u.Param.Node: x.param, u.Grad: x.grad}
	key := strings.TrimPrefix(x.param.Attr.Name, "*")
	var values []*ir.Node
	state := func(s *ir.State, value *ir.Node) {
		path := "*." + strings.TrimPrefix(s.Path, u.Param.Path+".")
		leaf := x.g.Leaf("state", path+key, s.Node.Type.With(x.shape))
		leaves[s.Node] = leaf
		x.states = append(x.states, ir.Write{State: &ir.State{Path: path, Node: leaf, Init: s.Init}})
		values = append(values, value)
	}
	for _, w := range u.States {
		if k := slices.Index(r.states, w.State); k >= 0 {
			if !w.State.Node.Type.Equal(u.Param.Node.Type) {
				return false
			}
			state(w.State, r.values[k])
		}
	}
	if u.Average != nil {
		k := slices.IndexFunc(r.averages, func(a *ir.Average) bool { return a.Param == u.Param })
		state(u.Average.State, r.means[k])
	}

	// All of them at once, as they share.
	var ok bool
	x.next, ok = x.flat(r.next[i], leaves)
	for k, v := range values {
		flat, fits := x.flat(v, leaves)
		if fits {
			x.g.SetOrigin(flat, ir.Origin{Name: "new_" + strings.TrimPrefix(x.states[k].State.Path, "*.")})
		}
		x.states[k].Value, ok = flat, ok && fits
	}
	return ok
}

// flat is n with its shape replaced by that of a run; ok is false where n is
// not elementwise.
func (x *class) flat(n *ir.Node, leaves map[*ir.Node]*ir.Node) (out *ir.Node, ok bool) {
	if out, ok := leaves[n]; ok {
		return out, true
	}
	switch {
	case n.Type.Rank() == 0 && !madeOf(n, leaves):
		out = n
	case n.Is("spread") && n.Args[0].Type.Rank() == 0:
		out = x.g.Broadcast(n.Args[0], x.shape)
	case n.Op.Class == ir.Map:
		args := make([]*ir.Node, len(n.Args))
		for i, a := range n.Args {
			if args[i], ok = x.flat(a, leaves); !ok {
				return nil, false
			}
			if args[i].Type.Rank() == 0 {
				args[i] = x.g.Broadcast(args[i], x.shape) // beside a parameter that is a scalar
			}
		}
		out = x.g.Must(n.Op.Name, n.Attr, args...)
	default:
		return nil, false
	}
	leaves[n] = out
	return out, true
}

// madeOf reports whether n is made of one of the leaves.
func madeOf(n *ir.Node, leaves map[*ir.Node]*ir.Node) bool {
	return slices.ContainsFunc(ir.Topological(n), func(m *ir.Node) bool { return m.Op.Class == ir.Leaf && leaves[m] != nil })
}

// bind gives the leaves their buffers, and returns the targets. What is called
// with many runs has names of its own.
func (x *class) bind(pl *planner) []target {
	buffer := func(n *ir.Node, name, text string, storage ir.Storage, key string) *ir.Buffer {
		b := &ir.Buffer{Name: name, Type: n.Type, Storage: storage, Key: key}
		if x.rule == nil {
			b.Name, b.Run = pl.names.fresh(name), x.runs[0]
		}
		pl.buffer[n] = b
		pl.names.show(n, text)
		x.args = append(x.args, b)
		return b
	}
	params := buffer(x.param, "param", "param", ir.InParam, "*")
	buffer(x.grad, "g", "grad", ir.InGrad, "*")
	targets := []target{{node: x.next, buffer: params, leaf: x.param}}
	for _, w := range x.states {
		name := strings.TrimPrefix(w.State.Path, "*.")
		b := buffer(w.State.Node, localName(name), name, ir.InState, w.State.Path)
		targets = append(targets, target{node: w.Value, buffer: b, leaf: w.State.Node})
	}
	return targets
}
