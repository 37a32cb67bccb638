package passes

import (
	"slices"
	"strconv"
	"strings"

	"gradgen.dev/ir"
)

// A cutter finds in losses and metrics what adds up over a data set: the
// outermost sums, extremes and decisions over run-time dimensions, and the
// extents that means divide by. Around them it keeps the formula.
type cutter struct {
	g       *ir.Graph
	parts   []ir.Part
	reports []ir.ReportField
	byKey   map[string]int // of a part, by its node or extent
	taken   map[string]bool
	deep    map[*ir.Node][]*ir.Node // what lies below a node, as far as known
	truth   map[*ir.Node]*ir.Node   // by what a part of type bool is as one: the part
	other   []ir.Part               // of another cutter: parts of one name combine alike
	bent    []string                // reports that no sum of parts gives
}

func newCutter(g *ir.Graph) *cutter {
	return &cutter{g: g, byKey: map[string]int{}, taken: map[string]bool{}, deep: map[*ir.Node][]*ir.Node{}, truth: map[*ir.Node]*ir.Node{}}
}

// field adds the report of the scalar n, called name.
func (c *cutter) field(name, doc string, n *ir.Node) {
	c.nameSum(name, n)
	c.reports = append(c.reports, ir.ReportField{Name: name, Doc: doc, Value: c.number(c.cut(name, n))})
}

// nameSum lets formulas call the sum of a mean by the name of the mean times
// the number of elements: B·loss.
func (c *cutter) nameSum(name string, n *ir.Node) {
	sum := n
	var size *ir.Node
	if n.Is("div") {
		sum, size = n.Args[0], n.Args[1]
	}
	for size != nil && (size.Is("cast") || size.Is("spread")) {
		size = size.Args[0]
	}
	o := ir.Origin{Name: name}
	switch {
	case sum.Op.Class != ir.Reduce:
		return
	case size != nil && size.Is("size"):
		o.Scale = c.g.Map("div", c.g.Const(1, size.Type.Elem), size)
	case size != nil:
		return
	}
	c.g.SetOrigin(sum, o)
}

var combines = map[string]string{"sum": "sum", "reduce_max": "max", "reduce_min": "min", "any": "any", "all": "all"}

// cut is n as a formula over parts: a bool where n is one, else in float64.
func (c *cutter) cut(name string, n *ir.Node) *ir.Node {
	kind, accumulates := accumulation(n)
	switch {
	case accumulates:
		return c.part(name, kind, n, nil)
	case n.Is("written"):
		return c.cut(name, n.Args[0])
	case n.Is("call") && c.accumulates(n):
		return c.cut(name, c.g.Inline(n))
	case n.Is("size"):
		return c.part("n", "sum", n, &n.Attr.Dims[0])
	case n.Is("const") && n.Type.Elem == ir.Bool:
		return n
	case n.Is("const"):
		return c.g.Const(n.Attr.Value, ir.Float64)
	case n.Is("hyper"):
		return c.part(n.Attr.Name, "last", n, nil)
	case n.Is("step"), n.Is("steps"):
		return c.part(n.Op.Name, "last", n, nil)
	case n.Type.Rank() == 0 && n.Op.Class == ir.Map && c.reaches(n):
		if n.Is("cast") {
			return c.converted(c.cut(name, n.Args[0]), n)
		}
		args := make([]*ir.Node, len(n.Args))
		for i, a := range n.Args {
			args[i] = c.cut(name, a)
		}
		return c.g.Must(n.Op.Name, n.Attr, args...)
	case n.Type.Rank() == 0 && (n.Is("spread") || n.Is("reshape")) && n.Args[0].Type.Rank() == 0:
		return c.cut(name, n.Args[0])
	}
	if inner := c.inwards(n); inner != nil {
		return c.cut(name, inner)
	}
	if out := c.unrolled(name, n); out != nil {
		return out
	}
	if c.accumulates(n) {
		c.bent = append(c.bent, name)
	}
	return c.part(name, "last", n, nil)
}

// converted is x, the formula of a cast's operand, as the cast has it.
func (c *cutter) converted(x, cast *ir.Node) *ir.Node {
	from, to := cast.Args[0].Type.Elem, cast.Type.Elem
	switch {
	case from == to:
		return x
	case from == ir.Bool:
		return c.number(x)
	case to == ir.Bool:
		return c.g.Map("ne", x, c.g.Const(0, ir.Float64))
	case from.IsFloat() && to.IsInt():
		negative := c.g.Map("lt", x, c.g.Const(0, ir.Float64))
		return c.g.Map("where", negative, c.g.Map("ceil", x), c.g.Map("floor", x))
	}
	return x
}

// number is a truth value as 1 or 0, and a number itself.
func (c *cutter) number(x *ir.Node) *ir.Node {
	part, ok := c.truth[x]
	switch {
	case ok:
		return part
	case x.Type.Elem == ir.Bool:
		return c.g.Cast(x, ir.Float64)
	}
	return x
}

// inwards moves a sum over constant extents, or the choice of one element,
// nearer to the sum over a run-time dimension that it is of: past quotients by
// a scalar, sums, and the sum itself. It is nil where n is no such thing.
func (c *cutter) inwards(n *ir.Node) *ir.Node {
	if !n.Is("sum") && !n.Is("slice") && !n.Is("reshape") || !c.accumulates(n) {
		return nil
	}
	x := n.Args[0]
	outer := func(a *ir.Node) *ir.Node { return c.g.Must(n.Op.Name, n.Attr, a) }
	scalar := func(a *ir.Node) *ir.Node {
		if a.Is("spread") && a.Args[0].Type.Rank() == 0 {
			return c.g.Broadcast(a.Args[0], n.Type.Shape)
		}
		return nil
	}
	switch {
	case x.Is("div") && scalar(x.Args[1]) != nil:
		return c.g.Map("div", outer(x.Args[0]), scalar(x.Args[1]))
	case x.Is("mul") && scalar(x.Args[0]) != nil:
		return c.g.Map("mul", scalar(x.Args[0]), outer(x.Args[1]))
	case x.Is("neg"), x.Is("add"), x.Is("sub"):
		args := make([]*ir.Node, len(x.Args))
		for i, a := range x.Args {
			args[i] = outer(a)
		}
		return c.g.Must(x.Op.Name, x.Attr, args...)
	case n.Is("sum") && x.Is("sum"):
		return c.g.Sum(x.Args[0], mergedAxes(n, x))
	case n.Is("reshape") && x.Is("sum") && n.Type.Rank() == 0:
		return c.g.Sum(x.Args[0], axes(0, x.Args[0].Type.Rank())) // of extents of 1
	case n.Is("slice") && x.Is("sum"):
		return c.sliceInside(n, x)
	case x.Is("slice"), x.Is("reshape"):
		if inner := c.inwards(x); inner != nil {
			return outer(inner)
		}
	}
	return nil
}

// sliceInside is a slice of a sum as the sum of a slice.
func (c *cutter) sliceInside(n, sum *ir.Node) *ir.Node {
	x := sum.Args[0]
	var starts, limits []ir.Dim
	var steps []int
	next := 0
	for i, d := range x.Type.Shape {
		start, limit, step := ir.Dim{}, d, 1
		if !contains(sum.Attr.Axes, i) {
			start, limit, step = n.Attr.Dims[next], n.Attr.Limits[next], n.Attr.Steps[next]
			next++
		}
		starts, limits, steps = append(starts, start), append(limits, limit), append(steps, step)
	}
	return c.g.Sum(c.g.Slice(x, starts, limits, steps), sum.Attr.Axes)
}

// below is what n depends on, within calls too.
func (c *cutter) below(n *ir.Node) []*ir.Node {
	if c.deep[n] == nil {
		var inline func(n *ir.Node) *ir.Node
		inline = func(n *ir.Node) *ir.Node {
			if n.Is("call") {
				return c.g.Rewrite(inline, c.g.Inline(n))[0]
			}
			return n
		}
		c.deep[n] = ir.Topological(c.g.Rewrite(inline, n)...)
	}
	return c.deep[n]
}

// accumulates reports whether a reduction over a run-time dimension lies below
// n.
func (c *cutter) accumulates(n *ir.Node) bool {
	return slices.ContainsFunc(c.below(n), func(m *ir.Node) bool {
		_, ok := accumulation(m)
		return ok
	})
}

// reaches reports whether a part other than the newest value lies below n, or
// nothing but numbers does.
func (c *cutter) reaches(n *ir.Node) bool {
	numbers := true
	for _, m := range c.below(n) {
		if _, ok := accumulation(m); ok || m.Is("size") {
			return true
		}
		numbers = numbers && m.Type.Rank() == 0 && (m.Op.Class == ir.Map || m.Op.Class == ir.Leaf)
	}
	return numbers
}

// accumulation is how n combines over batches: it is a reduction, or a sum of
// products, over a run-time dimension.
func accumulation(n *ir.Node) (kind string, ok bool) {
	runTime := func(d ir.Dim) bool {
		_, constant := d.Const()
		return !constant
	}
	if n.Is("einsum") {
		a, _, out := ir.SplitSpec(n.Attr.Spec)
		for i, d := range n.Args[0].Type.Shape {
			ok = ok || runTime(d) && strings.IndexByte(out, a[i]) < 0
		}
		return "sum", ok
	}
	if kind, ok = combines[n.Op.Name]; !ok {
		return "", false
	}
	return kind, slices.ContainsFunc(n.Attr.Axes, func(k int) bool { return runTime(n.Args[0].Type.Shape[k]) })
}

// part is the leaf that stands for a part, or whether it is not 0 for one of
// type bool; equal parts are one.
func (c *cutter) part(name, kind string, n *ir.Node, size *ir.Dim) *ir.Node {
	key := kind + strconv.Itoa(n.ID)
	if size != nil {
		key = "size " + size.String()
	}
	i, ok := c.byKey[key]
	if !ok {
		i = len(c.parts)
		c.byKey[key] = i
		clash := func(name string) bool {
			return slices.ContainsFunc(c.other, func(p ir.Part) bool { return p.Name == name && !alike(p, kind, size) })
		}
		called := c.fresh(localName(name))
		for clash(called) {
			called = c.fresh(localName(name))
		}
		c.parts = append(c.parts, ir.Part{Name: called, Kind: kind, Node: n, Size: size})
	}
	leaf := c.g.Must("arg", ir.Attr{Name: c.parts[i].Name, Elem: ir.Float64})
	if n.Type.Elem != ir.Bool {
		return leaf
	}
	truth := c.g.Map("ne", leaf, c.g.Const(0, ir.Float64))
	c.truth[truth] = leaf
	return truth
}

func (c *cutter) fresh(name string) string {
	out := name
	for i := 2; c.taken[out]; i++ {
		out = name + strconv.Itoa(i)
	}
	c.taken[out] = true
	return out
}
