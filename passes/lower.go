package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// Lower brings simplified graphs to the form that is printed: logsumexp
// becomes its stable formula, a softmax beside it shares that formula's
// exponentials, and scalars are multiplied before repetition instead of after.
// No derivative is taken and no normal form holds from here on.
func Lower(g *ir.Graph, roots ...*ir.Node) []*ir.Node {
	l := &lowering{g: g, exps: map[*ir.Node]shifted{}}
	return g.Rewrite(l.node, roots...)
}

type lowering struct {
	g    *ir.Graph
	exps map[*ir.Node]shifted // by the lowered logsumexp
}

// shifted is the parts of log Σ e^x = peak + log sum, with e = e^(x − peak).
type shifted struct{ x, e, sum *ir.Node }

func (l *lowering) node(n *ir.Node) *ir.Node {
	g := l.g
	switch n.Op.Name {
	case "logsumexp":
		return l.logSumExp(n)
	case "exp":
		// e^(x − logsumexp(x)) is e/sum, with what the logsumexp computes.
		d := n.Args[0]
		if d.Is("sub") && d.Args[1].Is("spread") {
			if s, ok := l.exps[d.Args[1].Args[0]]; ok && s.x == d.Args[0] {
				inverse := g.Map("div", g.Fill(1, s.sum.Type), s.sum)
				g.SetOrigin(s.e, exponential(g.Origin(n)))
				return g.Map("mul", g.Spread(inverse, n.Type.Shape, d.Args[1].Attr.Axes), s.e)
			}
		}
	case "argmax", "argmin":
		return l.lastAxis(n)
	case "slice":
		return l.generated(n)
	case "reshape":
		if n.Args[0].Type.Rank() == 0 {
			return g.Broadcast(n.Args[0], n.Type.Shape)
		}
	case "mul":
		return l.sink(n)
	case "neg":
		if x := n.Args[0]; x.Is("spread") {
			return g.Spread(g.Map("neg", x.Args[0]), n.Type.Shape, x.Attr.Axes)
		}
	}
	return n
}

// exponential names what a value is before it is divided by its sum.
func exponential(o ir.Origin) ir.Origin {
	if o.Name != "" {
		o.Name += "Exp"
	}
	return o
}

func (l *lowering) logSumExp(n *ir.Node) *ir.Node {
	g, x, axes := l.g, n.Args[0], n.Attr.Axes
	peak := g.Reduce("reduce_max", x, axes)
	g.SetOrigin(peak, ir.Origin{Name: "peak"})
	e := g.Map("exp", g.Map("sub", x, g.Spread(peak, x.Type.Shape, axes)))
	sum := g.Sum(e, axes)
	g.SetOrigin(sum, ir.Origin{Name: "sum"})
	out := g.Map("add", peak, g.Map("log", sum))
	l.exps[out] = shifted{x, e, sum}
	return out
}

// lastAxis moves the axis of an argmax to the end, where rows are scanned.
func (l *lowering) lastAxis(n *ir.Node) *ir.Node {
	x, axis := n.Args[0], n.Attr.Axes[0]
	last := x.Type.Rank() - 1
	if axis == last {
		return n
	}
	order := slices.Delete(axes(0, last+1), axis, axis+1)
	return l.g.Reduce(n.Op.Name, l.g.Transpose(x, append(order, axis)), []int{last})
}

// generated takes a part of what is computed from indices alone by computing
// only that part.
func (l *lowering) generated(n *ir.Node) *ir.Node {
	x := n.Args[0]
	if x.Op.Class != ir.Map {
		return n
	}
	for _, m := range ir.Topological(x) {
		scalar := m.Is("spread") && m.Args[0].Type.Rank() == 0
		if m.Op.Class != ir.Map && m.Op.Class != ir.Leaf && !scalar || len(m.Args) == 0 && m.Type.Rank() > 0 && !m.Is("iota") {
			return n
		}
	}
	args := make([]*ir.Node, len(x.Args))
	s := newSimplifier(l.g, nil)
	for i, a := range x.Args {
		args[i] = l.node(s.node(l.g.Must("slice", n.Attr, a)))
	}
	return l.g.Must(x.Op.Name, x.Attr, args...)
}

// sink multiplies what is repeated before it is repeated, where all operands
// are repeated along common axes or are numbers.
func (l *lowering) sink(n *ir.Node) *ir.Node {
	var shared []int
	first := true
	for _, a := range n.Args {
		switch {
		case a.IsConstant():
		case !a.Is("spread"):
			return n
		case first:
			shared, first = a.Attr.Axes, false
		default:
			shared = intersect(shared, a.Attr.Axes)
		}
	}
	if len(shared) == 0 {
		return n
	}
	shape := n.Type.Shape.Drop(shared)
	args := make([]*ir.Node, len(n.Args))
	for i, a := range n.Args {
		if v, ok := a.Literal(); ok {
			args[i] = l.g.Fill(v, a.Type.With(shape))
		} else {
			args[i] = l.g.Spread(a.Args[0], shape, dropAxes(a.Attr.Axes, shared))
		}
	}
	return l.g.Spread(l.sink(l.g.Must(n.Op.Name, n.Attr, args...)), n.Type.Shape, shared)
}
