package passes

import (
	"maps"
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
	closed  map[*ir.Node]*ir.Node   // what is computed of tensors of sums, over parts
	most    int                     // elements that a part may have, any number where it is 0
	loss    bool                    // fields are losses, not metrics
	newest  bool                    // the field needs a part of the last batch
	other   []ir.Part               // of another cutter: parts of one name combine alike
	bent    map[string]ir.Dim       // reports that are no formula of parts: of sums of a run-time extent
}

func newCutter(g *ir.Graph) *cutter {
	return &cutter{g: g, byKey: map[string]int{}, taken: map[string]bool{}, deep: map[*ir.Node][]*ir.Node{}, truth: map[*ir.Node]*ir.Node{},
		closed: map[*ir.Node]*ir.Node{}, bent: map[string]ir.Dim{}}
}

// field adds the report of the scalar n, called name. A metric that is no
// formula of what adds up is that of the last batch, a loss the mean over the
// batches.
func (c *cutter) field(name, doc string, n *ir.Node) {
	c.nameSum(name, n)
	before := c.mark()
	c.newest = false
	value := c.number(c.cut(name, n))
	if c.loss && c.newest {
		c.reset(before)
		value = c.g.Map("div", c.part(name, "sum", n, nil), c.count(nil))
	}
	c.reports = append(c.reports, ir.ReportField{Name: name, Doc: doc, Value: value})
}

// A mark is what parts there were.
type mark struct {
	parts []ir.Part
	byKey map[string]int
	taken map[string]bool
}

func (c *cutter) mark() mark {
	return mark{slices.Clone(c.parts), maps.Clone(c.byKey), maps.Clone(c.taken)}
}

func (c *cutter) reset(m mark) { c.parts, c.byKey, c.taken = m.parts, m.byKey, m.taken }

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
		return c.combined(name, kind, n)
	case n.Is("written"):
		return c.cut(name, n.Args[0])
	case n.Is("call") && c.accumulates(n):
		return c.cut(name, c.g.Inline(n))
	case n.Is("div") && n.Type.Rank() == 0:
		if x, by := over(n); len(by) > 0 {
			if c.meanOfMeans(n) {
				return c.combined(name, "sum", n)
			}
			return c.g.Map("div", c.cut(name, x), c.count(by))
		}
	}
	if by := extentsOf(n); len(by) > 0 {
		return c.count(by)
	}
	switch {
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
	switch numbers := !c.readsData(n); {
	case numbers:
		return Simplify(c.g, c.close(name, n))[0]
	case c.accumulates(n):
		if out := c.close(name, n); out != nil {
			return out
		}
	}
	return c.combined(name, "last", n)
}

// combined is the part n, which combines over batches as kind says. Where all
// that a sum adds is divided by the extents that it is over, as the gradient of
// a mean is, it is a mean: sums and counts add up, each for itself. Other
// extents, as that of a mean within, are those of each batch.
func (c *cutter) combined(name, kind string, n *ir.Node) *ir.Node {
	c.newest = c.newest || kind == "last" && c.differs(n)
	if kind == "sum" && n.Type.Elem.IsFloat() && c.readsExtents(n) {
		x := Simplify(c.g, n)[0]
		s := newSimplifier(c.g, []*ir.Node{x})
		rest := s.product(x)
		var by []ir.Dim
		rest.factors = slices.Clone(rest.factors)
		free := freeVars(n, rest)
		for i, f := range rest.factors {
			of := extentsOf(f.atom)
			for len(of) > 0 && rest.factors[i].power < 0 && takeVars(free, of) {
				by = append(by, of...)
				rest.factors[i].power++
			}
		}
		rest.factors = slices.DeleteFunc(rest.factors, func(f factor) bool { return f.power == 0 })
		if len(by) > 0 {
			sum := c.part(name, kind, s.buildTerm(rest, x.Type), nil)
			return c.g.Map("div", sum, c.g.Broadcast(c.count(by), sum.Type.Shape))
		}
	}
	return c.part(name, kind, n, nil)
}

// meanOfMeans reports whether n is a sum over a run-time dimension by extents, of
// what is divided by some, too: all of them are counted together.
func (c *cutter) meanOfMeans(n *ir.Node) bool {
	x, by := over(n)
	kind, ok := accumulation(x)
	if len(by) == 0 || !ok || kind != "sum" || !x.Type.Elem.IsFloat() || !c.readsExtents(x) {
		return false
	}
	x = Simplify(c.g, x)[0]
	return slices.ContainsFunc(newSimplifier(c.g, []*ir.Node{x}).product(x).factors, func(f factor) bool {
		return f.power < 0 && len(extentsOf(f.atom)) > 0
	})
}

// readsExtents reports whether an extent lies below n.
func (c *cutter) readsExtents(n *ir.Node) bool {
	return slices.ContainsFunc(c.below(n), func(m *ir.Node) bool { return m.Is("size") })
}

// freeVars is how often each dimension variable may be counted of what divides
// n, whose factors are t: as often as it is in the extents that the sum in t is
// over, or in those that n divides by.
func freeVars(n *ir.Node, t term) map[string]int {
	free := map[string]int{}
	for _, f := range t.factors {
		if kind, ok := accumulation(f.atom); ok && kind == "sum" && f.power == 1 {
			free = summedVars(f.atom)
			break
		}
	}
	_, by := over(n)
	outer := map[string]int{}
	for _, d := range by {
		countVars(outer, d)
	}
	for v, k := range outer {
		free[v] = max(free[v], k)
	}
	return free
}

// countVars counts the variables of d.
func countVars(in map[string]int, d ir.Dim) {
	vars := map[string]bool{}
	d.Vars(vars)
	for v := range vars {
		in[v]++
	}
}

// summedVars is in how many of the extents that n, a sum or a sum of products,
// is over each dimension variable is.
func summedVars(n *ir.Node) map[string]int {
	out := map[string]int{}
	if !n.Is("einsum") {
		for _, k := range n.Attr.Axes {
			countVars(out, n.Args[0].Type.Shape[k])
		}
		return out
	}
	a, b, kept := ir.SplitSpec(n.Attr.Spec)
	seen := kept
	for k, letters := range []string{a, b} {
		for i, d := range n.Args[k].Type.Shape {
			if strings.IndexByte(seen, letters[i]) < 0 {
				seen += letters[i : i+1]
				countVars(out, d)
			}
		}
	}
	return out
}

// takeVars takes the dimension variables of extents out of those that are free,
// each once for every extent; it is false, and takes none, where there are not
// enough.
func takeVars(free map[string]int, of []ir.Dim) bool {
	need := map[string]int{}
	for _, d := range of {
		countVars(need, d)
	}
	left := maps.Clone(free)
	for v, k := range need {
		if left[v] -= k; left[v] < 0 {
			return false
		}
	}
	maps.Copy(free, left)
	return true
}

// count is a product of extents over parts. Those of different dimensions are
// counted together: the mean over samples and their length, which may differ
// from batch to batch, is over the elements that there were. No extent counts
// batches.
func (c *cutter) count(of []ir.Dim) *ir.Node {
	var counts []ir.Dim
	for _, d := range of {
		k := slices.IndexFunc(counts, func(e ir.Dim) bool { return !sharesVar(d, e) })
		if k < 0 {
			counts = append(counts, d)
		} else {
			counts[k] = counts[k].Mul(d)
		}
	}
	part := func(d ir.Dim) *ir.Node { return c.part("n", "sum", c.g.Size(d, ir.Float64), &d) }
	if len(counts) == 0 {
		return part(ir.D(1))
	}
	out := part(counts[0])
	for _, d := range counts[1:] {
		out = c.g.Map("mul", out, part(d))
	}
	return out
}

// sharesVar reports whether a dimension variable is in both.
func sharesVar(a, b ir.Dim) bool {
	of, shared := map[string]bool{}, map[string]bool{}
	a.Vars(of)
	b.Vars(shared)
	for v := range of {
		if shared[v] {
			return true
		}
	}
	return false
}

// extentsOf is the extents whose product n is; nil where it is none.
func extentsOf(n *ir.Node) []ir.Dim {
	switch {
	case n.Is("size"):
		return n.Attr.Dims[:1]
	case n.Is("cast"), n.Is("spread"):
		return extentsOf(n.Args[0])
	case n.Is("mul"):
		if a, b := extentsOf(n.Args[0]), extentsOf(n.Args[1]); a != nil && b != nil {
			return slices.Concat(a, b)
		}
	}
	return nil
}

// over takes the extents off that n is divided by.
func over(n *ir.Node) (x *ir.Node, by []ir.Dim) {
	if n.Is("div") {
		if d := extentsOf(n.Args[1]); d != nil {
			x, by = over(n.Args[0])
			return x, append(by, d...)
		}
	}
	return n, nil
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

// readsData reports whether n depends on more than numbers.
func (c *cutter) readsData(n *ir.Node) bool {
	return slices.ContainsFunc(c.below(n), func(m *ir.Node) bool {
		return m.Op.Class == ir.Random || m.Is("input") || m.Is("param") || m.Is("state") || m.Is("carry")
	})
}

// differs reports whether n differs between batches while the parameters stay.
func (c *cutter) differs(n *ir.Node) bool {
	return slices.ContainsFunc(c.below(n), func(m *ir.Node) bool {
		return m.Op.Class == ir.Random || m.Is("input") || m.Is("carry")
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
	if n.Is("einsum") {
		a, _, out := ir.SplitSpec(n.Attr.Spec)
		for i, d := range n.Args[0].Type.Shape {
			ok = ok || d.Varies() && strings.IndexByte(out, a[i]) < 0
		}
		return "sum", ok
	}
	if kind, ok = combines[n.Op.Name]; !ok {
		return "", false
	}
	return kind, slices.ContainsFunc(n.Attr.Axes, func(k int) bool { return n.Args[0].Type.Shape[k].Varies() })
}

// part is the leaf that stands for a part of any shape, in float64, or whether
// it is not 0 for one of type bool; equal parts are one.
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
			return slices.ContainsFunc(c.other, func(p ir.Part) bool { return p.Name == name && !alike(p, kind, n.Type.Shape, size) })
		}
		called := c.fresh(localName(name))
		for clash(called) {
			called = c.fresh(localName(name))
		}
		value := n
		if n.Type.Rank() > 0 {
			value = c.g.Cast(n, ir.Float64) // what adds up over batches, element by element
		}
		c.parts = append(c.parts, ir.Part{Name: called, Kind: kind, Node: value, Size: size})
	}
	leaf := c.g.Leaf("arg", c.parts[i].Name, n.Type.Of(ir.Float64))
	if n.Type.Elem != ir.Bool {
		return leaf
	}
	truth := c.g.Map("ne", leaf, c.g.Fill(0, leaf.Type))
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
