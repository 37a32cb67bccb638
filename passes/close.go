package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// mostOfLoss is how many sums a tensor may have that a loss is a formula of.
// Beyond it the loss of several batches is the mean of theirs: a step has to
// make its sums, too, which a loss of the covariances of thousands of features
// is not to pay for.
const mostOfLoss = 4096

// close is the scalar n, which works on tensors of sums (a mean over classes),
// as a formula of parts that are tensors. It is nil where a part cannot be:
// it has an extent that differs from batch to batch, or too many elements.
func (c *cutter) close(name string, n *ir.Node) *ir.Node {
	before := c.mark()
	k := &closer{cutter: c, name: name, known: map[*ir.Node]*ir.Node{}}
	if out := k.value(n); !k.failed {
		if out.Type.Elem == ir.Bool {
			return out
		}
		return c.g.Cast(out, ir.Float64)
	}
	c.reset(before)
	return nil
}

// A closer writes what is computed of sums as a graph over parts. It has the
// ops of the program, on float64 where the program has floats.
type closer struct {
	*cutter
	name   string
	known  map[*ir.Node]*ir.Node
	failed bool
}

// value is n over parts.
func (k *closer) value(n *ir.Node) *ir.Node {
	if out, ok := k.known[n]; ok {
		return out
	}
	out := k.find(n)
	k.known[n] = out
	return out
}

func (k *closer) find(n *ir.Node) *ir.Node {
	kind, accumulates := accumulation(n)
	switch {
	case accumulates:
		return k.tensor(kind, n)
	case k.meanOfMeans(n):
		return k.tensor("sum", n)
	case n.Is("call"):
		return k.value(k.g.Inline(n))
	case n.IsMark(), n.Is("written"):
		return k.value(n.Args[0])
	case n.Is("size"), n.Is("hyper"), n.Is("step"), n.Is("steps"):
		return k.g.Cast(k.cut(k.name, n), wide(n.Type.Elem))
	case n.Is("const"):
		return k.g.Const(n.Attr.Value, wide(n.Type.Elem))
	case !k.accumulates(n) && k.readsData(n):
		return k.tensor("last", n)
	}
	return k.rebuilt(n)
}

// tensor is the part n in the type that the formula has it in.
func (k *closer) tensor(kind string, n *ir.Node) *ir.Node {
	if !k.constant(n) {
		return k.nothing(n)
	}
	if size, _ := n.Type.Shape.Size().Const(); k.most > 0 && size > k.most {
		k.failed = true
		return k.nothing(n)
	}
	name := k.g.Origin(n).Name
	if n.Type.Rank() == 0 || name == "" {
		name = k.name
	}
	leaf := k.combined(name, kind, n)
	if n.Type.Elem.IsInt() {
		return k.g.Cast(leaf, n.Type.Elem)
	}
	return leaf
}

// constant reports whether n has the same extents in all batches; else the
// report is bent.
func (k *closer) constant(n *ir.Node) bool {
	for _, d := range n.Type.Shape {
		if d.Varies() {
			k.failed = true
			k.bent[k.name] = d
			return false
		}
	}
	return true
}

// nothing stands for what has failed.
func (k *closer) nothing(n *ir.Node) *ir.Node { return k.g.Fill(0, n.Type.Of(wide(n.Type.Elem))) }

// rebuilt is n's op on its operands over parts.
func (k *closer) rebuilt(n *ir.Node) *ir.Node {
	if !k.constant(n) {
		return k.nothing(n)
	}
	args := make([]*ir.Node, len(n.Args))
	for i, a := range n.Args {
		args[i] = k.value(a)
	}
	attr := n.Attr
	if attr.Elem == ir.Float32 {
		attr.Elem = ir.Float64
	}
	if n.Is("cast") {
		return k.g.Cast(args[0], attr.Elem)
	}
	out := k.g.Must(n.Op.Name, attr, args...)
	k.g.CopyOrigin(out, n)
	return out
}

// wide is the type in which formulas of parts have values of type t.
func wide(t ir.DType) ir.DType {
	if t.IsFloat() {
		return ir.Float64
	}
	return t
}

// closings takes out of the reports what they compute of tensors: a number
// each, which Closings lists. The formulas that stay are of scalars.
func (c *modelCompiler) closings(taken *cutter) {
	tensors := map[*ir.Node]bool{}
	of := map[*ir.Node]*ir.Node{}
	var formula func(name string, n *ir.Node) *ir.Node
	formula = func(name string, n *ir.Node) *ir.Node {
		if !hasTensor(n, tensors) {
			return n
		}
		if out := of[n]; out != nil {
			return out
		}
		var out *ir.Node
		if n.Op.Class == ir.Map && !slices.ContainsFunc(n.Args, func(a *ir.Node) bool { return a.Type.Elem != ir.Float64 }) {
			args := make([]*ir.Node, len(n.Args))
			for i, a := range n.Args {
				args[i] = formula(name, a)
			}
			out = c.g.Rebuild(n, args)
		} else {
			called := taken.fresh(localName(name))
			c.plan.Closings = append(c.plan.Closings, ir.Closing{Name: called, Value: n})
			out = c.g.Leaf("arg", called, n.Type)
		}
		of[n] = out
		return out
	}
	for i, r := range c.plan.Reports {
		c.plan.Reports[i].Value = formula(r.Name, r.Value)
	}
}

// hasTensor reports whether a tensor lies below n.
func hasTensor(n *ir.Node, known map[*ir.Node]bool) bool {
	has, ok := known[n]
	if !ok {
		has = n.Type.Rank() > 0 || slices.ContainsFunc(n.Args, func(a *ir.Node) bool { return hasTensor(a, known) })
		known[n] = has
	}
	return has
}

// closingsOf is the positions of the closings that some reports read.
func (c *modelCompiler) closingsOf(reports []int) []int {
	var out []int
	for i, closing := range c.plan.Closings {
		for _, k := range reports {
			leaf := c.g.Leaf("arg", closing.Name, closing.Value.Type)
			if slices.Contains(ir.Topological(c.plan.Reports[k].Value), leaf) {
				out = append(out, i)
				break
			}
		}
	}
	return out
}

// planClosings plans what reports compute of tensors: of all reports, and of
// those of each loss where these are fewer.
func (c *modelCompiler) planClosings() {
	if len(c.plan.Closings) == 0 {
		return
	}
	values := make([]*ir.Node, len(c.plan.Closings))
	for i, closing := range c.plan.Closings {
		values[i] = closing.Value
	}
	values = Lower(c.g, Simplify(c.g, Strip(c.g, values...)...)...)
	pl := &planner{g: c.g, names: newNaming(c.g), buffer: map[*ir.Node]*ir.Buffer{}}
	for _, p := range c.plan.Parts {
		leaf := c.g.Leaf("arg", p.Name, ir.Type{Elem: ir.Float64, Shape: p.Node.Type.Shape})
		pl.buffer[leaf] = &ir.Buffer{Name: pl.names.fresh(p.Name), Type: leaf.Type, Storage: ir.InInput, Key: ir.PartKey + p.Name}
		pl.names.show(leaf, p.Name)
	}
	tables(pl, values)
	var lines []timeline
	procedure := func(name string, list []int) *ir.Procedure {
		p := c.child(pl).procedure(name, results(some(values, list)), nil)
		lines = append(lines, timeline{p})
		return p
	}
	c.plan.Close = procedure("close", upTo(len(values)))
	for _, o := range c.objectives {
		o.plan.Closings = c.closingsOf(o.plan.Reports)
		if n := len(o.plan.Closings); 0 < n && len(o.plan.Reports) < len(c.plan.Reports) {
			o.plan.Close = procedure("close"+raised(o.plan.Loss), o.plan.Closings)
		}
	}
	c.plan.Closer = place(lines)
}

// some is the elements of list at some positions.
func some(list []*ir.Node, positions []int) []*ir.Node {
	out := make([]*ir.Node, len(positions))
	for i, k := range positions {
		out[i] = list[k]
	}
	return out
}
