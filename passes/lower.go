package passes

import (
	"math"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// Lower brings simplified graphs to the form that is printed: logsumexp
// becomes its stable formula, a softmax beside it shares that formula's
// exponentials, and scalars are multiplied before repetition instead of after.
// No derivative is taken and no normal form holds from here on.
func Lower(g *ir.Graph, roots ...*ir.Node) []*ir.Node {
	l := &lowering{g: g, exps: map[*ir.Node]shifted{}, indices: map[*ir.Node]bool{}}
	return g.Rewrite(l.node, guard(g, roots)...)
}

type lowering struct {
	g       *ir.Graph
	exps    map[*ir.Node]shifted // by the lowered logsumexp
	indices map[*ir.Node]bool    // what is computed from indices alone, as far as known
}

// shifted is the parts of log Σ e^x = peak + log sum, with e = e^(x − peak).
type shifted struct{ x, e, sum *ir.Node }

func (l *lowering) node(n *ir.Node) *ir.Node {
	g := l.g
	if unmoved(n) {
		return n.Args[0]
	}
	switch n.Op.Name {
	case "written":
		g.CopyOrigin(n.Args[0], n)
		return n.Args[0]
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
	case "where":
		if s, ok := l.exps[n.Args[2]]; ok && n.Args[0] == infinite(g, n.Args[1]) && n.Args[1] == g.Reduce("reduce_max", s.x, n.Args[1].Attr.Axes) {
			l.exps[n] = s // guarded
		}
	case "argmax", "argmin":
		return l.lastAxis(n)
	case "einsum":
		return l.product(n)
	case "uniform", "normal":
		if n.Type.Rank() == 0 {
			return l.drawn(n)
		}
	case "slice":
		return l.generated(n)
	case "reshape":
		x := n.Args[0]
		if x.Is("spread") {
			x = x.Args[0]
		}
		if x.Type.Rank() == 0 {
			return g.Broadcast(x, n.Type.Shape)
		}
	case "spread":
		return l.raise(n)
	case "mul":
		return l.sink(n)
	case "neg":
		if x := n.Args[0]; x.Is("spread") {
			return g.Spread(g.Map("neg", x.Args[0]), n.Type.Shape, x.Attr.Axes)
		}
	}
	return n
}

// unmoved reports whether n is its operand element by element: a view of the
// whole, or a reduction over no axes.
func unmoved(n *ir.Node) bool {
	if len(n.Args) != 1 || !n.Args[0].Type.Equal(n.Type) {
		return false
	}
	switch n.Op.Name {
	case "spread", "reshape", "place", "concat":
		return true // room for no other element
	case "transpose":
		return slices.IsSorted(n.Attr.Axes)
	case "flip":
		return len(n.Attr.Axes) == 0
	case "slice":
		return !slices.ContainsFunc(n.Attr.Dims, func(d ir.Dim) bool { return !d.IsConst(0) }) &&
			!slices.ContainsFunc(n.Attr.Steps, func(k int) bool { return k != 1 })
	case "sum", "prod", "reduce_max", "reduce_min", "any", "all":
		return len(n.Attr.Axes) == 0
	}
	return false
}

// exponential names what a value is before it is divided by its sum.
func exponential(o ir.Origin) ir.Origin {
	if o.Name != "" {
		o.Name += "Exp"
		o.Serial = 0
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

// guard gives each logsumexp that is a value of its own the one for a row with an
// infinite peak, to which the distances are NaN: the peak.
func guard(g *ir.Graph, roots []*ir.Node) []*ir.Node {
	alone := aloneStanding(roots)
	all := ir.Topological(roots...)
	for i := len(all) - 1; i >= 0; i-- {
		n := all[i]
		if !alone[n] {
			continue
		}
		peak := g.Reduce("reduce_max", n.Args[0], n.Attr.Axes)
		out := g.Map("where", infinite(g, peak), peak, n)
		g.CopyOrigin(out, n)
		roots = g.Replace(map[*ir.Node]*ir.Node{n: out}, roots...)
	}
	return roots
}

func infinite(g *ir.Graph, x *ir.Node) *ir.Node {
	return g.Map("eq", g.Map("abs", x), g.Fill(math.Inf(1), x.Type))
}

// aloneStanding is the logsumexps that do not only stand beside what they are of: in
// a softmax or its logarithm, or in the cross entropy of a label. With an
// infinite peak all of these are NaN, as they are with the distance to it.
func aloneStanding(roots []*ir.Node) map[*ir.Node]bool {
	out := map[*ir.Node]bool{}
	see := func(n *ir.Node) {
		if n != nil && n.Is("spread") {
			n = n.Args[0]
		}
		if n != nil && n.Is("logsumexp") {
			out[n] = true
		}
	}
	for _, r := range roots {
		see(r)
	}
	for _, n := range ir.Topological(roots...) {
		for k, a := range n.Args {
			beside := n.Is("sub") && (k == 1 && logSoftmax(n) || k == 0 && labelled(n))
			if !beside && !n.Is("spread") {
				see(a)
			}
		}
	}
	return out
}

// logSoftmax reports whether n is x − logsumexp(x).
func logSoftmax(n *ir.Node) bool {
	s := n.Args[1]
	return s.Is("spread") && s.Args[0].Is("logsumexp") && s.Args[0].Args[0] == n.Args[0]
}

// labelled reports whether n is logsumexp(x) − pick(x, label).
func labelled(n *ir.Node) bool {
	s, p := n.Args[0], n.Args[1]
	return s.Is("logsumexp") && p.Is("pick") && p.Args[0] == s.Args[0]
}

// product gives a product the form in which the BLAS has it: one that sums
// nothing, or has neither rows nor columns, is elementwise, and a result whose
// elements along a batch lie side by side is put together batch by batch.
func (l *lowering) product(n *ir.Node) *ir.Node {
	a, b, out := ir.SplitSpec(n.Attr.Spec)
	if !contracts(a, b, out) {
		return newSimplifier(l.g, nil).elementwise(n, [2]string{a, b}, out)
	}
	batch, rest := "", ""
	for _, letter := range out {
		if strings.ContainsRune(a, letter) && strings.ContainsRune(b, letter) {
			batch += string(letter)
		} else {
			rest += string(letter)
		}
	}
	if rest == "" || !strings.HasSuffix(batch, out[len(out)-1:]) {
		return n
	}
	return l.g.Transpose(l.g.Einsum(a+","+b+"->"+batch+rest, n.Args[0], n.Args[1]), positions(out, batch+rest))
}

// drawn is a scalar draw as the only element of a tensor: loops draw.
func (l *lowering) drawn(n *ir.Node) *ir.Node {
	attr := n.Attr
	attr.Dims = ir.ShapeOf(1)
	return l.g.Reshape(l.g.Must(n.Op.Name, attr), ir.Shape{})
}

// lastAxis moves the axis of an argmax to the end, where rows are scanned. A
// vector is scanned as the only row.
func (l *lowering) lastAxis(n *ir.Node) *ir.Node {
	x, axis := n.Args[0], n.Attr.Axes[0]
	last := x.Type.Rank() - 1
	switch {
	case last == 0:
		row := l.g.Reshape(x, ir.Shape{ir.D(1), x.Type.Shape[0]})
		return l.g.Reshape(l.g.Reduce(n.Op.Name, row, []int{1}), ir.Shape{})
	case axis == last:
		return n
	}
	order := slices.Delete(axes(0, last+1), axis, axis+1)
	return l.g.Reduce(n.Op.Name, l.g.Transpose(x, append(order, axis)), []int{last})
}

// generated takes a part of what is computed from indices alone by computing
// only that part.
func (l *lowering) generated(n *ir.Node) *ir.Node {
	x := n.Args[0]
	if x.Op.Class != ir.Map || !l.ofIndices(x) {
		return n
	}
	args := make([]*ir.Node, len(x.Args))
	s := newSimplifier(l.g, nil)
	for i, a := range x.Args {
		args[i] = l.node(s.node(l.g.Must("slice", n.Attr, a)))
	}
	return l.g.Must(x.Op.Name, x.Attr, args...)
}

// ofIndices reports whether n is computed from indices and scalars alone.
func (l *lowering) ofIndices(n *ir.Node) bool {
	out, known := l.indices[n]
	if known {
		return out
	}
	switch {
	case n.Op.Class == ir.Leaf:
		out = n.Type.Rank() == 0 || n.Is("iota")
	case n.Op.Class == ir.Map, n.Is("spread") && n.Args[0].Type.Rank() == 0:
		out = !slices.ContainsFunc(n.Args, func(a *ir.Node) bool { return !l.ofIndices(a) })
	}
	l.indices[n] = out
	return out
}

// raise computes after a repetition instead of before what is cheaper to
// compute again than to keep: sums, products and comparisons of two or three
// parts of the inputs.
func (l *lowering) raise(n *ir.Node) *ir.Node {
	if !n.Is("spread") {
		return n
	}
	x := n.Args[0]
	if trailing(n) || x.Op.Class != ir.Map || !cheap(x, 3) {
		return n
	}
	args := make([]*ir.Node, len(x.Args))
	for i, a := range x.Args {
		if v, ok := a.Literal(); ok {
			args[i] = l.g.Fill(v, a.Type.With(n.Type.Shape))
			continue
		}
		s := newSimplifier(l.g, nil)
		args[i] = l.g.Spread(a, n.Type.Shape, n.Attr.Axes)
		if out := s.views(args[i]); out != nil {
			args[i] = out
		}
		args[i] = l.raise(args[i])
	}
	return l.g.Must(x.Op.Name, x.Attr, args...)
}

// cheap reports whether x is at most ops additions, multiplications and
// comparisons of views of leaves.
func cheap(x *ir.Node, ops int) bool {
	seen := map[*ir.Node]bool{}
	var visit func(n *ir.Node) bool
	visit = func(n *ir.Node) bool {
		if seen[n] {
			return true
		}
		seen[n] = true
		switch n.Op.Name {
		case "add", "sub", "mul", "neg", "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not":
			ops--
		default:
			if n.Op.Class != ir.Leaf && n.Op.Class != ir.View {
				return false
			}
		}
		return ops >= 0 && !slices.ContainsFunc(n.Args, func(a *ir.Node) bool { return !visit(a) })
	}
	return visit(x)
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
