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
	uses    map[*ir.Node]int

	groups []*group
	of     map[*ir.Node]*group // the group that computes a node

	user     map[*ir.Node]*ir.Node // of a node with one user
	floating map[*ir.Node]bool     // cheap to place: computed where its user is

	products map[*ir.Node]*product // by the node whose value the product is
	into     map[*ir.Node]intoFold // reductions added to what they update
	taken    map[*ir.Node]bool     // nodes that a product or fold has taken over

	memory map[*ir.Node]bool // nodes that get a buffer
	reread map[*ir.Node]bool // those that another step reads

	remembered map[reading]bool  // what findMemory has looked at
	copied     map[*ir.Node]bool // views that are copied out
}

// A group is one step.
type group struct {
	index   int
	domain  ir.Shape
	split   int // number of outer axes; −1 while nothing depends on it
	nodes   []*ir.Node
	folds   []*ir.Node // reductions that are known only after the loop
	puts    []put      // stores into parts of larger values
	reads   map[*ir.Node]bool
	product *product
}

// A put stores x, computed in the group, at a place of the value to.
type put struct {
	x, to  *ir.Node
	place  func(stored func(*ir.Node) bool) (view, bool) // where in to, as a view of it
	add    bool
	clears bool // to is set to zero before the first put
}

// fuse visits everything below roots and returns the groups in order. updates
// says of which leaf a root takes the memory.
func fuse(g *ir.Graph, avail map[*ir.Node]bool, roots []*ir.Node, updates map[*ir.Node]*ir.Node) *fuser {
	f := &fuser{
		g: g, avail: avail, targets: map[*ir.Node]bool{},
		of: map[*ir.Node]*group{}, memory: map[*ir.Node]bool{}, copied: map[*ir.Node]bool{}, reread: map[*ir.Node]bool{}, remembered: map[reading]bool{},
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
	}
	f.findMemory(roots)
	return f
}

// needed is what lies between roots and what is in memory, operands first.
func (f *fuser) needed(roots []*ir.Node) []*ir.Node {
	var order []*ir.Node
	seen := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if seen[n] || f.avail[n] {
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
// numbers, and comparisons with their conversions, which cost less than a load.
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
		return n.Type.Rank() == 0 || n.Type.Elem == ir.Bool || n.Is("cast") && f.inline(n.Args[0]) || f.indexArithmetic(n)
	}
	return false
}

// indexArithmetic reports whether n is integers computed from indices alone.
func (f *fuser) indexArithmetic(n *ir.Node) bool {
	if !n.Type.Elem.IsInt() || n.Op.Class != ir.Map {
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
// depend on through what is inline.
func (f *fuser) bases(nodes ...*ir.Node) map[*ir.Node]bool {
	out, seen := map[*ir.Node]bool{}, map[*ir.Node]bool{}
	var visit func(a *ir.Node)
	visit = func(a *ir.Node) {
		if seen[a] {
			return
		}
		seen[a] = true
		if !f.inline(a) && !f.floating[a] {
			out[a] = true
			return
		}
		for _, b := range a.Args {
			visit(b)
		}
	}
	for _, n := range nodes {
		visit(n)
	}
	return out
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
	case n.Is("scatter_add"):
		looksAt = n.Args[1:]
	case n.Op.Class != ir.View && !n.Is("gather") && !n.Is("pick"), n.Is("spread") && f.computedInPlace(n):
		return
	default:
		if _, ok := viewOf(n, func(m *ir.Node) bool { return m != n && stored(m) }); ok {
			return
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
	g := &group{index: len(f.groups), domain: domain, split: -1, reads: map[*ir.Node]bool{}}
	f.groups = append(f.groups, g)
	return g
}

// addMap puts an elementwise node (or a copied view) into the first group
// that can compute it, or a new one.
func (f *fuser) addMap(n *ir.Node) {
	g := f.choose(n, n.Type.Shape, func(g *group) bool { return f.fits(n, g) })
	if g == nil {
		g = f.newGroup(n.Type.Shape)
	}
	f.land(n, g)
	f.join(n, g)
	g.nodes = append(g.nodes, n)
}

// join notes that g computes n.
func (f *fuser) join(n *ir.Node, g *group) {
	f.of[n] = g
	if k := len(n.Type.Shape); n.Op.Class != ir.Reduce && !n.Type.Shape.Equal(g.domain) {
		if k > len(g.domain) {
			g.split, g.domain = len(g.domain), n.Type.Shape
		} else {
			g.split = k
		}
	}
	f.settleSplit(n, g)
	for b := range f.bases(n.Args...) {
		g.reads[b] = true
	}
}

// settleSplit fixes the split where n repeats a row's value along the row.
func (f *fuser) settleSplit(n *ir.Node, g *group) {
	if g.split >= 0 {
		return
	}
	settle := func(a *ir.Node) {
		if a.Is("spread") && a.Args[0].Type.Rank() > 0 && (f.of[a.Args[0]] == g || f.rowExpression(a)) && a.Type.Shape.Equal(g.domain) {
			g.split = a.Args[0].Type.Rank()
		}
	}
	settle(n)
	f.eachOperand(n, settle)
}

// eachOperand calls visit with the operands of n and those of its inline
// elementwise operands.
func (f *fuser) eachOperand(n *ir.Node, visit func(a *ir.Node)) {
	for _, a := range n.Args {
		visit(a)
		if a.Type.Rank() == 0 {
			continue
		}
		if f.inline(a) && a.Op.Class == ir.Map {
			f.eachOperand(a, visit)
		}
		if a.Is("spread") && f.inline(a.Args[0]) && a.Args[0].Op.Class == ir.Map {
			f.eachOperand(a.Args[0], visit)
		}
	}
}

// rowExpression reports whether a repeats along rows what is computed inline
// for each row.
func (f *fuser) rowExpression(a *ir.Node) bool {
	x := a.Args[0]
	return a.Is("spread") && x.Op.Class == ir.Map && x.Type.Rank() > 0 && f.inline(x)
}

// choose is the first group from the operands' last one on that fits and has
// something to do with n.
func (f *fuser) choose(n *ir.Node, shape ir.Shape, fits func(*group) bool) *group {
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
	for _, g := range f.groups[first:] {
		if g.product == nil && f.related(g, bases) && fits(g) {
			return g
		}
	}
	return nil
}

// related reports whether g computes or reads an operand.
func (f *fuser) related(g *group, bases map[*ir.Node]bool) bool {
	for b := range bases {
		if f.of[b] == g || g.reads[b] {
			return true
		}
	}
	return false
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

// fits reports whether g can compute the elementwise node n.
func (f *fuser) fits(n *ir.Node, g *group) bool {
	lv := g.levelOf(n.Type.Shape)
	if lv == noLevel || lv == row && !f.rowsFit(g, len(n.Type.Shape)) {
		return false
	}
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
	return (g.split == k || g.split < 0) && f.operandFits(x, g, row)
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

// rowsFit reports whether g may have rows of k axes: what it computes so far
// is at its elements.
func (f *fuser) rowsFit(g *group, k int) bool { return g.split == k || g.split < 0 }

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
		return trailing && k > 0 && g.levelOf(shape) == element && (g.split == k || g.split < 0) &&
			f.rowReducible(g, k) && f.operandFits(x, g, element)
	}
	asFold := func(g *group) bool {
		if n.Is("argmax") || n.Is("argmin") {
			return false
		}
		lv := g.levelOf(shape)
		return (lv == element || lv == row && g.split == len(shape)) && f.operandFits(x, g, lv)
	}
	g := f.choose(n, shape, func(g *group) bool { return asRow(g) || asFold(g) })
	if g == nil {
		g = f.newGroup(shape)
	}
	rowWise := asRow(g)
	f.land(n, g)
	f.of[n] = g
	if to, ok := f.into[n]; ok {
		f.of[to.target] = g
	}
	if rowWise && f.into[n].target == nil {
		g.split = k
		g.nodes = append(g.nodes, n)
	} else {
		g.folds = append(g.folds, n)
	}
	f.settleSplit(n, g)
	for b := range f.bases(n.Args...) {
		g.reads[b] = true
	}
}

// rowReducible reports whether g may be cut into rows of k outer axes.
func (f *fuser) rowReducible(g *group, k int) bool { return k < len(g.domain) }

// assembly handles values that are put together from parts: placed, joined and
// scattered tensors, and sums of placed ones. It reports whether n is one.
func (f *fuser) assembly(n *ir.Node) bool {
	switch n.Op.Name {
	case "concat":
		f.assemble(n, f.concatPuts(n))
	case "scatter_add":
		f.assemble(n, []put{{x: n.Args[0], to: n, add: true, clears: true, place: scatterPlace(n)}})
	default:
		parts, placed := f.placedTerms(n, 1, nil)
		if !placed || !n.Is("place") && len(parts) == 0 {
			return false
		}
		f.assemble(n, f.placePuts(n, parts))
	}
	return true
}

// assemble computes the parts and has each group store its own.
func (f *fuser) assemble(n *ir.Node, puts []put) {
	last, after := 0, -1
	if n.Is("scatter_add") {
		for b := range f.bases(n.Args[1]) {
			after = max(after, f.index(b)) // the indices are known before
		}
	}
	for _, p := range puts {
		g := f.putGroup(p, after)
		g.puts = append(g.puts, p)
		last = max(last, g.index)
		if !p.add && len(puts) > 1 && puts[1].add {
			after = g.index // what is added finds the whole there
		}
	}
	f.of[n] = f.groups[last]
	f.memory[n] = true
}

// putGroup is the group behind the one of index after that computes p.x, or one
// that reads it only to store it.
func (f *fuser) putGroup(p put, after int) *group {
	f.visitAll(p.x)
	if g := f.of[p.x]; g != nil && g.index > after && g.product == nil && !slices.Contains(g.folds, p.x) &&
		!slices.ContainsFunc(g.puts, func(q put) bool { return q.to == p.x }) && g.levelOf(p.x.Type.Shape) == element {
		return g
	}
	g := f.newGroup(p.x.Type.Shape)
	if f.inline(p.x) {
		f.land(p.x, g)
	}
	for b := range f.bases(p.x) {
		g.reads[b] = true
	}
	return g
}

// visitAll visits n and what it needs: nodes that fusing itself has made.
func (f *fuser) visitAll(n *ir.Node) {
	for _, m := range f.needed([]*ir.Node{n}) {
		for _, a := range m.Args {
			f.uses[a] += choice01(f.uses[a] == 0)
		}
		f.reachable(m)
		f.visit(m)
	}
}

func choice01(b bool) int {
	if b {
		return 1
	}
	return 0
}

// placedTerm is a part of a sum of placed tensors: coef · scale · x.
type placedTerm struct {
	coef  float64
	scale []*ir.Node // scalars
	x     *ir.Node
}

// absorbPlaces marks the placed tensors, and their sums, that a larger sum
// takes over.
func (f *fuser) absorbPlaces(order []*ir.Node) {
	for _, n := range slices.Backward(order) {
		if f.taken[n] || n.Op.Class != ir.Map {
			continue
		}
		parts, placed := f.placedTerms(n, 1, nil)
		if !placed {
			continue
		}
		ends := map[*ir.Node]bool{}
		for _, p := range parts {
			ends[p.x] = !p.x.Is("place")
		}
		var take func(m *ir.Node)
		take = func(m *ir.Node) {
			for _, a := range m.Args {
				if !ends[a] && f.uses[a] == 1 && !f.targets[a] && (a.Is("place") || a.Op.Class == ir.Map) && f.hasPlace(a) {
					f.taken[a] = true
					if !a.Is("place") {
						take(a)
					}
				}
			}
		}
		take(n)
	}
}

func (f *fuser) hasPlace(a *ir.Node) bool {
	_, placed := f.placedTerms(a, 1, nil)
	return placed
}

// placedTerms splits a sum of placed tensors; placed is false where none is.
// What others use too is a term of its own.
func (f *fuser) placedTerms(n *ir.Node, coef float64, scale []*ir.Node) (out []placedTerm, placed bool) {
	return f.placedBelow(n, coef, scale, true)
}

func (f *fuser) placedBelow(n *ir.Node, coef float64, scale []*ir.Node, top bool) (out []placedTerm, placed bool) {
	whole := []placedTerm{{coef, scale, n}}
	if !top && (f.uses[n] > 1 || f.targets[n]) {
		return whole, false
	}
	switch n.Op.Name {
	case "place":
		return whole, true
	case "add", "sub":
		a, placedA := f.placedBelow(n.Args[0], coef, scale, false)
		if n.Is("sub") {
			coef = -coef
		}
		b, placedB := f.placedBelow(n.Args[1], coef, scale, false)
		if placedA || placedB {
			return append(a, b...), true
		}
	case "neg":
		if out, placed = f.placedBelow(n.Args[0], -coef, scale, false); placed {
			return out, true
		}
	case "mul":
		k, x := n.Args[0], n.Args[1]
		if v, ok := k.Literal(); ok {
			if out, placed = f.placedBelow(x, coef*v, scale, false); placed {
				return out, true
			}
		} else if k.Is("spread") && k.Args[0].Type.Rank() == 0 {
			if out, placed = f.placedBelow(x, coef, append(slices.Clone(scale), k.Args[0]), false); placed {
				return out, true
			}
		}
	}
	return whole, false
}

// placePuts is the stores of a sum of placed tensors: what is not placed first,
// in whole, then the others added. Parts for one place are added up before;
// parts that do not overlap need no addition at all.
func (f *fuser) placePuts(n *ir.Node, parts []placedTerm) []put {
	var whole *ir.Node
	var places []*ir.Node // one for each region
	sums := map[string]*ir.Node{}
	for _, p := range parts {
		if !p.x.Is("place") {
			whole = f.g.Add(whole, f.scaled(p, p.x))
			continue
		}
		x := f.scaled(p, p.x.Args[0])
		key := region(p.x)
		if sums[key] == nil {
			places = append(places, p.x)
		}
		sums[key] = f.g.Add(sums[key], x)
	}
	disjoint := whole == nil && apart(places)
	var puts []put
	if whole != nil {
		puts = append(puts, put{x: whole, to: n, place: wholePlace(n)})
	}
	for _, at := range places {
		puts = append(puts, put{
			x: sums[region(at)], to: n, place: placePlace(n, at),
			add: !disjoint, clears: whole == nil && !(disjoint && covers(places)),
		})
	}
	return puts
}

// region says where a place node puts its operand.
func region(at *ir.Node) string {
	return fmt.Sprint(ir.Shape(at.Attr.Limits), at.Attr.Steps, at.Args[0].Type.Shape)
}

// apart reports whether the regions are boxes of constant size that do not
// overlap.
func apart(places []*ir.Node) bool {
	for i, a := range places {
		for _, b := range places[:i] {
			if !separate(a, b) {
				return false
			}
		}
	}
	return true
}

// separate reports whether along some axis one region ends before the other.
func separate(a, b *ir.Node) bool {
	for axis := range a.Type.Rank() {
		for _, pair := range [2][2]*ir.Node{{a, b}, {b, a}} {
			first, second := pair[0], pair[1]
			if first.Attr.Steps[axis] != 1 {
				continue
			}
			end := first.Attr.Limits[axis].Add(first.Args[0].Type.Shape[axis])
			if gap, ok := second.Attr.Limits[axis].Sub(end).Const(); ok && gap >= 0 {
				return true
			}
		}
	}
	return false
}

// covers reports whether regions that do not overlap fill the whole value.
func covers(places []*ir.Node) bool {
	sum := ir.Dim{}
	for _, at := range places {
		sum = sum.Add(at.Args[0].Type.Shape.Size())
	}
	return sum.Equal(places[0].Type.Shape.Size())
}

// scaled is the scale of a part times x.
func (f *fuser) scaled(p placedTerm, x *ir.Node) *ir.Node {
	s := newSimplifier(f.g, nil)
	t := s.product(x)
	t.coef *= p.coef
	for _, k := range p.scale {
		t = t.times(s.product(f.g.Broadcast(k, x.Type.Shape)))
	}
	return s.buildTerm(t, x.Type)
}

func wholePlace(n *ir.Node) func(func(*ir.Node) bool) (view, bool) {
	return func(func(*ir.Node) bool) (view, bool) {
		return view{base: n, strides: rowMajor(n.Type.Shape)}, true
	}
}

func placePlace(to, place *ir.Node) func(func(*ir.Node) bool) (view, bool) {
	return func(func(*ir.Node) bool) (view, bool) {
		v := view{base: to, strides: rowMajor(to.Type.Shape)}
		for i, k := range place.Attr.Steps {
			v.offset = v.offset.Add(place.Attr.Limits[i].Mul(v.strides[i]))
			v.strides[i] = v.strides[i].Mul(ir.D(k))
		}
		return v, true
	}
}

func (f *fuser) concatPuts(n *ir.Node) []put {
	var puts []put
	at := ir.Dim{}
	for _, x := range n.Args {
		start := at
		puts = append(puts, put{x: x, to: n, place: func(func(*ir.Node) bool) (view, bool) {
			v := view{base: n, strides: rowMajor(n.Type.Shape)}
			v.offset = start.Mul(v.strides[n.Attr.Axis])
			return v, true
		}})
		at = at.Add(x.Type.Shape[n.Attr.Axis])
	}
	return puts
}

// scatterPlace is where the slices of a scatter_add go: the axis is indexed by
// memory.
func scatterPlace(n *ir.Node) func(func(*ir.Node) bool) (view, bool) {
	return func(stored func(*ir.Node) bool) (view, bool) {
		at, ok := viewOf(n.Args[1], stored)
		if !ok || len(at.index) > 0 {
			return view{}, false
		}
		axis, ids := n.Attr.Axis, n.Args[1].Type.Rank()
		base := rowMajor(n.Type.Shape)
		strides := append(slices.Clone(base[:axis]), make([]ir.Dim, ids)...)
		strides = append(strides, base[axis+1:]...)
		source := make([]ir.Dim, len(strides))
		copy(source[axis:], at.strides)
		at.strides = source
		return view{base: n, strides: strides, index: []indirect{{at: at, stride: base[axis]}}}, true
	}
}

// findMemory decides which values get a buffer: targets, what a product or
// another group reads, and what is read in another way than it is computed.
func (f *fuser) findMemory(roots []*ir.Node) {
	for _, r := range roots {
		if !f.avail[r] {
			f.memory[r] = true
		}
		if f.inline(r) {
			f.rememberOperands(r, nil) // a scalar of its own
		}
	}
	for _, g := range f.groups {
		if g.product != nil {
			f.memory[g.product.result] = true
			for _, x := range []*ir.Node{g.product.a, g.product.b, g.product.alpha, g.product.beta} {
				f.remember(x, nil)
			}
			continue
		}
		for _, n := range g.nodes {
			if n.Is("pick") {
				f.remember(n.Args[0], nil)
				f.remember(n.Args[1], nil)
				continue
			}
			f.rememberOperands(n, g)
		}
		for _, n := range g.folds {
			f.rememberOperands(n, g)
			f.remember(f.into[n].scale, g)
			f.memory[n] = f.into[n].target == nil
		}
		for _, p := range g.puts {
			f.remember(p.x, g)
			if p.to.Is("scatter_add") {
				f.remember(p.to.Args[1], g)
			}
		}
	}

	// What a later pass over the row reads again is kept if it costs much.
	for _, g := range f.groups {
		if g.product == nil {
			f.prune(g)
			newPasses(f, g).keepCostly()
		}
	}
}

// prune drops the nodes of g that nothing needs: a product or a sum of parts
// has taken over what their users were.
func (f *fuser) prune(g *group) {
	live := map[*ir.Node]bool{}
	var need func(n *ir.Node)
	need = func(n *ir.Node) {
		if live[n] {
			return
		}
		live[n] = true
		for _, a := range n.Args {
			if f.of[a] == g || f.inline(a) {
				need(a)
			}
		}
	}
	for _, n := range g.nodes {
		if f.memory[n] {
			need(n)
		}
	}
	for _, n := range g.folds {
		need(n)
	}
	for _, p := range g.puts {
		need(p.x)
	}
	g.nodes = slices.DeleteFunc(g.nodes, func(n *ir.Node) bool { return !live[n] })
}

// reading is a value that a group reads.
type reading struct {
	node *ir.Node
	by   *group
}

func (f *fuser) rememberOperands(n *ir.Node, g *group) {
	for _, a := range n.Args {
		f.remember(a, g)
	}
}

// remember gives a buffer to what g reads of other groups, and to what it reads
// of itself by index; nothing is read of nil.
func (f *fuser) remember(a *ir.Node, g *group) {
	key := reading{a, g}
	if f.remembered[key] {
		return
	}
	f.remembered[key] = true
	switch {
	case a == nil || f.avail[a]:
	case !f.inline(a):
		if g == nil || f.of[a] != g {
			f.memory[a] = true
			f.reread[a] = true
		}
	case a.Is("gather"):
		f.remember(a.Args[0], nil)
		f.remember(a.Args[1], nil)
	default:
		f.rememberOperands(a, g)
	}
}

func (g *group) String() string {
	return fmt.Sprintf("group %d over %v, split %d, %d nodes, %d folds", g.index, g.domain, g.split, len(g.nodes), len(g.folds))
}
