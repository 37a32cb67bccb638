package passes

import (
	"fmt"
	"slices"

	"gradgen.dev/ir"
)

// A fuser cuts what one procedure computes into groups: products, and loop
// nests that compute as much as fits into one pass over memory. Groups are
// executed in the order of the list; an operand's group never comes after its
// user's.
type fuser struct {
	g       *ir.Graph
	avail   map[*ir.Node]bool // in memory before the procedure starts
	targets map[*ir.Node]bool // must be in memory afterwards
	visited map[*ir.Node]bool
	uses    map[*ir.Node]int

	groups []*group
	of     map[*ir.Node]*group // the group that computes a node
	reads  map[*ir.Node][]int  // the loops that read it, by index, in order

	user     map[*ir.Node]*ir.Node // of a node with one user
	floating map[*ir.Node]bool     // cheap to place: computed where its user is

	products map[*ir.Node]*product // by the node whose value the product is
	into     map[*ir.Node]intoFold // reductions added to what they update
	taken    map[*ir.Node]bool     // nodes that a product or fold has taken over

	memory map[*ir.Node]bool // nodes that get a buffer
	reread map[*ir.Node]bool // those that another step reads

	remembered map[reading]bool  // what findMemory has looked at
	copied     map[*ir.Node]bool // views that are copied out
	placed     map[*ir.Node]bool // sums of placed tensors, as far as known
	efforts    map[*ir.Node]int  // likewise, those of comparisons
	edges      map[*ir.Node][]*ir.Node
}

// A group is one step.
type group struct {
	index   int
	domain  ir.Shape
	split   int // number of outer axes; −1 while nothing depends on it
	nodes   []*ir.Node
	folds   []*ir.Node // reductions that are known only after the loop
	puts    []put      // stores into parts of larger values
	product *product
}

// fuse visits everything below roots and returns the groups in order. updates
// says of which leaf a root takes the memory.
func fuse(g *ir.Graph, avail map[*ir.Node]bool, roots []*ir.Node, updates map[*ir.Node]*ir.Node) *fuser {
	f := &fuser{
		g: g, avail: avail, targets: map[*ir.Node]bool{}, visited: map[*ir.Node]bool{},
		of: map[*ir.Node]*group{}, reads: map[*ir.Node][]int{}, memory: map[*ir.Node]bool{}, copied: map[*ir.Node]bool{}, reread: map[*ir.Node]bool{}, remembered: map[reading]bool{},
		placed: map[*ir.Node]bool{}, edges: map[*ir.Node][]*ir.Node{},
		products: map[*ir.Node]*product{}, into: map[*ir.Node]intoFold{}, taken: map[*ir.Node]bool{},
	}
	for _, r := range roots {
		f.targets[r] = true
	}
	order := f.needed(roots)
	f.uses, f.user, f.floating = map[*ir.Node]int{}, map[*ir.Node]*ir.Node{}, map[*ir.Node]bool{}
	for _, n := range order {
		for _, a := range n.Args {
			f.uses[a]++
			f.user[a] = n
		}
	}
	for _, r := range roots {
		f.uses[r]++
	}
	f.absorb(order, updates)
	f.absorbPlaces(order)
	f.layOut(order)
	for _, n := range order {
		f.visit(n)
		f.visited[n] = true
	}
	f.findMemory(roots)
	return f
}

// needed is what lies between roots and what is in memory or visited, operands
// first.
func (f *fuser) needed(roots []*ir.Node) []*ir.Node {
	var order []*ir.Node
	seen := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if seen[n] || f.visited[n] || f.avail[n] {
			return
		}
		seen[n] = true
		for _, a := range n.Args {
			visit(a)
		}
		order = append(order, n)
	}
	for _, r := range roots {
		visit(r)
	}
	return order
}

// inline reports whether n is computed anew wherever it is used: views, draws,
// numbers, and short comparisons with their conversions, which cost less than a
// load.
func (f *fuser) inline(n *ir.Node) bool {
	if f.avail[n] || f.copied[n] || (f.targets[n] && n.Type.Rank() > 0) {
		return false
	}
	switch n.Op.Class {
	case ir.Leaf, ir.View, ir.Random:
		return true
	case ir.Index:
		return n.Is("gather")
	case ir.Map:
		return n.Type.Rank() == 0 || (n.Type.Elem == ir.Bool || n.Is("cast") && f.inline(n.Args[0]) || f.indexArithmetic(n)) && f.effort(n) <= mostEffort
	}
	return false
}

// mostEffort is how many operations a comparison may take that is computed anew
// wherever it is used.
const mostEffort = 16

// effort is the number of operations that computing the comparison or
// conversion n takes where it is used. What takes too many counts nothing for
// its users, as it is kept.
func (f *fuser) effort(n *ir.Node) int {
	switch {
	case n.Type.Rank() == 0:
		return 0
	case n.Op.Class == ir.View || n.Is("gather"):
		return f.effort(n.Args[0])
	case n.Op.Class != ir.Map || n.Type.Elem.IsFloat() && !n.Is("cast"):
		return 0
	}
	if effort, known := f.efforts[n]; known {
		return effort
	}
	effort := 1
	for _, a := range n.Args {
		if e := f.effort(a); e <= mostEffort {
			effort += e
		}
	}
	if f.efforts == nil {
		f.efforts = map[*ir.Node]int{}
	}
	f.efforts[n] = effort
	return effort
}

// indexArithmetic reports whether n is integers computed from indices alone.
func (f *fuser) indexArithmetic(n *ir.Node) bool {
	if !n.Type.Elem.IsInt() || n.Op.Class != ir.Map || f.effort(n) > mostEffort {
		return false
	}
	for _, a := range n.Args {
		if !a.Is("iota") && !a.IsConstant() && !(a.Is("spread") && a.Args[0].Type.Rank() == 0) && !f.indexArithmetic(a) {
			return false
		}
	}
	return true
}

// bases is the nodes with a group of their own, or in memory, that nodes are or
// depend on through what is inline or waits for its user.
func (f *fuser) bases(nodes ...*ir.Node) map[*ir.Node]bool {
	out := map[*ir.Node]bool{}
	var add func(n *ir.Node)
	add = func(n *ir.Node) {
		if !f.floating[n] {
			out[n] = true
			return
		}
		for _, a := range n.Args {
			for _, b := range f.edge(a) {
				add(b)
			}
		}
	}
	for _, n := range nodes {
		for _, b := range f.edge(n) {
			add(b)
		}
	}
	return out
}

// edge is the nodes that a is, or depends on through what is inline. It does
// not change once it is laid out what is inline.
func (f *fuser) edge(a *ir.Node) []*ir.Node {
	if !f.inline(a) {
		return []*ir.Node{a}
	}
	if edge, known := f.edges[a]; known {
		return edge
	}
	var edge []*ir.Node
	seen := map[*ir.Node]bool{}
	for _, b := range a.Args {
		for _, c := range f.edge(b) {
			if !seen[c] {
				seen[c] = true
				edge = append(edge, c)
			}
		}
	}
	f.edges[a] = edge
	return edge
}

// float reports whether n waits for its user's group: it reads memory alone,
// and one elementwise node or reduction reads it.
func (f *fuser) float(n *ir.Node) bool {
	user := f.user[n]
	if n.Op.Class != ir.Map || f.uses[n] != 1 || f.targets[n] || user == nil || f.taken[user] || f.copied[user] {
		return false
	}
	if user.Op.Class != ir.Map && user.Op.Class != ir.Reduce || f.products[user] != nil || f.hasPlace(user) {
		return false
	}
	for b := range f.bases(n.Args...) {
		if f.of[b] != nil {
			return false
		}
	}
	return true
}

// ground gives the operands that wait for n groups of their own.
func (f *fuser) ground(n *ir.Node) {
	for _, a := range n.Args {
		switch {
		case a.Type.Rank() == 0 || len(f.floating) == 0:
		case f.floating[a]:
			delete(f.floating, a)
			f.addMap(a)
		case f.inline(a) && (a.Op.Class == ir.Map || a.Is("spread")):
			f.ground(a)
		}
	}
}

// land puts the operands that wait for n into its group.
func (f *fuser) land(n *ir.Node, g *group) {
	for _, a := range n.Args {
		switch {
		case a.Type.Rank() == 0 || len(f.floating) == 0:
		case f.floating[a]:
			delete(f.floating, a)
			f.land(a, g)
			f.join(a, g)
			g.nodes = append(g.nodes, a)
		case f.inline(a) && (a.Op.Class == ir.Map || a.Is("spread")):
			f.land(a, g)
		}
	}
}

// visit gives n a group.
func (f *fuser) visit(n *ir.Node) {
	if f.of[n] != nil || f.taken[n] {
		return
	}
	if f.inline(n) {
		return
	}
	switch {
	case f.products[n] != nil:
		f.addProduct(n)
	case f.assembly(n):
	case n.Op.Class == ir.Reduce:
		f.addReduce(n)
	case f.float(n):
		f.floating[n] = true
	default:
		f.addMap(n)
	}
}

// reachable makes sure that the view n can be read where its elements lie, and
// the indices of a scatter where it stores: what it looks at is copied where
// that cannot be.
func (f *fuser) reachable(n *ir.Node) {
	stored := func(m *ir.Node) bool { return !f.inline(m) }
	looksAt := n.Args
	switch {
	case scatters(n):
		looksAt = n.Args[1:]
	case n.Op.Class != ir.View && !n.Is("gather") && !n.Is("pick"), n.Is("spread") && f.computedInPlace(n):
		return
	default:
		below := func(m *ir.Node) bool { return m != n && stored(m) }
		if _, ok := viewOf(n, below); ok {
			return
		}

		// An index that is computed is kept; that may be all there is to do.
		if n.Is("gather") && n.Args[1].Type.Rank() == 0 && f.inline(n.Args[1]) {
			f.copied[n.Args[1]] = true
			if _, ok := viewOf(n, below); ok {
				return
			}
		}
	}
	for _, a := range looksAt {
		if v, ok := viewOf(a, stored); !ok || len(v.index) > 0 || f.inline(a) && n.Is("reshape") {
			f.copied[a] = true
		}
	}
}

// computedInPlace reports whether what n repeats is computed where n is read: a
// scalar, or what is cheap, once a row.
func (f *fuser) computedInPlace(n *ir.Node) bool {
	x := n.Args[0]
	return x.Type.Rank() == 0 || f.inline(x) && x.Op.Class == ir.Map && trailing(n)
}

// trailing reports whether a spread's new axes are its last ones.
func trailing(n *ir.Node) bool {
	return slices.Equal(n.Attr.Axes, axes(n.Args[0].Type.Rank(), n.Type.Rank()))
}

// index is that of a node's group: −1 for what is in memory already.
func (f *fuser) index(n *ir.Node) int {
	if g := f.of[n]; g != nil {
		return g.index
	}
	return -1
}

// newGroup appends an empty loop over domain.
func (f *fuser) newGroup(domain ir.Shape) *group {
	g := &group{index: len(f.groups), domain: domain, split: -1}
	f.groups = append(f.groups, g)
	return g
}

// groupFor is a new group over domain that is fit for n. Operands that wait for
// n do not, where they and n cut rows in different ways.
func (f *fuser) groupFor(n *ir.Node, domain ir.Shape, fits func(*group) bool) *group {
	g := f.newGroup(domain)
	if fits(g) {
		return g
	}
	f.groups = f.groups[:g.index]
	f.ground(n)
	g = f.newGroup(domain)
	if !fits(g) {
		panic("passes: no loop can compute " + n.Op.Name + " of " + n.Type.String())
	}
	return g
}

// mostNodes is how many nodes a loop computes, so that its body stays readable
// and within what a function may have of statements.
const mostNodes = 128

// addMap puts an elementwise node (or a copied view) into the first group
// that can compute it, or a new one.
func (f *fuser) addMap(n *ir.Node) {
	fits := func(g *group) bool { return len(g.nodes) < mostNodes && f.fits(n, g) }
	g := f.choose(n, fits)
	if g == nil {
		g = f.groupFor(n, n.Type.Shape, fits)
	}
	f.land(n, g)
	f.join(n, g)
	g.nodes = append(g.nodes, n)
}

// join notes that g computes n, which fits.
func (f *fuser) join(n *ir.Node, g *group) {
	f.of[n] = g
	if len(n.Type.Shape) > len(g.domain) {
		g.split, g.domain = len(g.domain), n.Type.Shape
	}
	f.noteReads(g, n.Args...)
}

// rowExpression reports whether a repeats along rows what is computed inline
// for each row.
func (f *fuser) rowExpression(a *ir.Node) bool {
	return a.Is("spread") && a.Args[0].Op.Class == ir.Map && a.Args[0].Type.Rank() > 0 && f.inline(a.Args[0])
}

// choose is the first group from the operands' last one on that has something
// to do with n and is fit for it.
func (f *fuser) choose(n *ir.Node, fits func(*group) bool) *group {
	bases := f.bases(n.Args...)
	first := 0
	for b := range bases {
		first = max(first, f.index(b))
	}
	if scale := f.into[n].scale; scale != nil {
		for b := range f.bases(scale) {
			first = max(first, f.index(b)+1)
		}
	}
	for _, k := range f.related(bases, first) {
		if g := f.groups[k]; g.product == nil && g.tried(fits) {
			return g
		}
	}
	return nil
}

// noteReads notes that g reads what nodes depend on.
func (f *fuser) noteReads(g *group, nodes ...*ir.Node) {
	for b := range f.bases(nodes...) {
		list := f.reads[b]
		if at, known := slices.BinarySearch(list, g.index); !known {
			f.reads[b] = slices.Insert(list, at, g.index)
		}
	}
}

// related is the groups from first on, in order, that compute or read some of
// bases.
func (f *fuser) related(bases map[*ir.Node]bool, first int) []int {
	var out []int
	for b := range bases {
		list := f.reads[b]
		at, _ := slices.BinarySearch(list, first)
		out = append(out, list[at:]...)
		if k := f.index(b); k >= first {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// level says where a value of the given shape stands in g: at its elements, at
// its rows, or above g's present domain.
type level int

const (
	noLevel level = iota
	element
	row
	above // g becomes the rows of a larger domain
)

func (g *group) levelOf(shape ir.Shape) level {
	k, d := len(shape), len(g.domain)
	switch {
	case shape.Equal(g.domain):
		return element
	case k > 0 && k < d && shape.Equal(g.domain[:k]) && (g.split == k || g.split < 0):
		return row
	case k > d && d > 0 && g.split < 0 && len(g.puts) == 0 && ir.Shape(shape[:d]).Equal(g.domain):
		return above
	}
	return noLevel
}

// cutInto reports whether the rows of g have k axes, and makes it so where
// nothing has depended on it yet.
func (g *group) cutInto(k int) bool {
	if g.split < 0 {
		g.split = k
	}
	return g.split == k
}

// tried is fits(g); where that is false, it has not cut g either.
func (g *group) tried(fits func(*group) bool) bool {
	split := g.split
	if !fits(g) {
		g.split = split
		return false
	}
	return true
}

// fits reports whether g can compute the elementwise node n, and cuts g into
// the rows that n needs.
func (f *fuser) fits(n *ir.Node, g *group) bool {
	lv := g.levelOf(n.Type.Shape)
	switch lv {
	case noLevel:
		return false
	case row:
		return g.cutInto(n.Type.Rank()) && f.fitsAt(n, g, lv)
	case above:
		return f.fitsAt(n, g, lv) && g.split < 0
	}
	return f.fitsAt(n, g, lv)
}

// fitsAt reports whether g can compute n at a level.
func (f *fuser) fitsAt(n *ir.Node, g *group, lv level) bool {
	switch {
	case n.Is("pick"):
		return f.pickFits(n, g, lv)
	case n.Op.Class == ir.View || n.Op.Class == ir.Index:
		return f.viewFits(n, g, lv)
	}
	return f.operandsFit(n, g, lv)
}

// viewFits reports whether g can read the view n: it looks at nothing that g
// computes, unless it repeats that along the row.
func (f *fuser) viewFits(n *ir.Node, g *group, lv level) bool {
	if n.Is("spread") && (f.rowExpression(n) || f.touches(n.Args[0], g)) {
		return f.repeatsRow(n, g, lv)
	}
	return !slices.ContainsFunc(n.Args, func(a *ir.Node) bool { return f.touches(a, g) })
}

// repeatsRow reports whether the spread a, read at a level of g, repeats along
// the row what g has for each row.
func (f *fuser) repeatsRow(a *ir.Node, g *group, lv level) bool {
	x := a.Args[0]
	k := x.Type.Rank()
	switch {
	case lv == row || !trailing(a):
		return false
	case lv == above:
		return k == len(g.domain) && f.operandFits(x, g, element)
	}
	return g.cutInto(k) && f.operandFits(x, g, row)
}

// pickFits reports whether g can read one element of each of its rows: of a
// row that it computes itself, once that is in memory, or of another.
func (f *fuser) pickFits(n *ir.Node, g *group, lv level) bool {
	x := n.Args[0]
	if f.touches(n.Args[1], g) {
		return false
	}
	if f.of[x] == g {
		return lv == row && f.direct(x, g, element)
	}
	return !f.touches(x, g)
}

// operandsFit reports whether each operand of n is before g, or in g at a level
// that n can read.
func (f *fuser) operandsFit(n *ir.Node, g *group, lv level) bool {
	for _, a := range n.Args {
		if !f.operandFits(a, g, lv) {
			return false
		}
	}
	return true
}

func (f *fuser) operandFits(a *ir.Node, g *group, lv level) bool {
	if f.of[a] == g {
		return f.direct(a, g, lv)
	}
	if !f.inline(a) && !f.floating[a] {
		return true // in an earlier group, or in memory
	}
	switch {
	case a.Type.Rank() == 0:
		return !f.touches(a, g)
	case a.Op.Class == ir.Map:
		return f.operandsFit(a, g, lv)
	case a.Op.Class == ir.View || a.Op.Class == ir.Index:
		return f.viewFits(a, g, lv)
	}
	return !f.touches(a, g)
}

// direct reports whether a, computed in g, is at the level of its user.
func (f *fuser) direct(a *ir.Node, g *group, lv level) bool {
	if slices.Contains(g.folds, a) || slices.ContainsFunc(g.puts, func(p put) bool { return p.to == a }) {
		return false
	}
	have := g.levelOf(a.Type.Shape)
	if a.Type.Shape.Equal(g.domain) && lv == above {
		return false // needs a spread between them
	}
	return have == lv
}

// touches reports whether a depends on g through what is inline.
func (f *fuser) touches(a *ir.Node, g *group) bool {
	for b := range f.bases(a) {
		if f.of[b] == g {
			return true
		}
	}
	return false
}

// addReduce puts a reduction into a group that computes or reads its operand:
// along rows where its axes are the last ones, else as a fold.
func (f *fuser) addReduce(n *ir.Node) {
	x := n.Args[0]
	shape, k := x.Type.Shape, n.Type.Rank()
	trailing := slices.Equal(n.Attr.Axes, axes(k, len(shape)))
	asRow := func(g *group) bool {
		return trailing && k > 0 && k < len(g.domain) && g.levelOf(shape) == element && g.cutInto(k) && f.operandFits(x, g, element)
	}
	asFold := func(g *group) bool {
		if n.Is("argmax") || n.Is("argmin") {
			return false
		}
		lv := g.levelOf(shape)
		return (lv == element || lv == row && g.split == len(shape)) && f.operandFits(x, g, lv)
	}
	fits := func(g *group) bool { return g.tried(asRow) || asFold(g) }
	g := f.choose(n, fits)
	if g == nil {
		g = f.groupFor(n, shape, fits)
	}
	rowWise := asRow(g)
	f.land(n, g)
	f.of[n] = g
	if to, ok := f.into[n]; ok {
		f.of[to.target] = g
	}
	if rowWise && f.into[n].target == nil {
		g.nodes = append(g.nodes, n)
	} else {
		g.folds = append(g.folds, n)
	}
	f.noteReads(g, n.Args...)
}

func (g *group) String() string {
	return fmt.Sprintf("group %d over %v, split %d, %d nodes, %d folds", g.index, g.domain, g.split, len(g.nodes), len(g.folds))
}
