package codegen

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A loopPrinter prints one loop nest.
type loopPrinter struct {
	b     *body
	c     procContext
	l     *ir.LoopStep
	axes  []loopAxis // after merging
	outer int        // how many of them are outer
	from  [][]int    // the original axes of each

	computed map[*ir.Node]bool // what some pass computes

	keys    map[*ir.Node]string // of random draws
	rows    map[rowKey]string   // slices and hoisted scalars of the current row
	vars    map[*ir.Node]string // values computed
	binds   map[*ir.Node]int    // of values printed in place
	uses    map[*ir.Node]int    // within the current pass
	bests   map[*ir.Node]string // the best value so far of an argmax
	taken   map[string]bool     // locals of this loop
	shared  map[string]bool     // locals of the procedure
	pass    int
	inRow   bool              // what is printed stands outside the inner loop
	pending map[*ir.Node]bool // elements that the current pass computes
}

// loopAxis is one loop.
type loopAxis struct {
	extent ir.Dim
	index  string
}

// rowKey tells accesses of a row apart.
type rowKey struct{ buffer, offset, strides, index string }

// printLoop prints l: its folds' starts, then the nest. keys are the names of
// the procedure's random keys so far.
func printLoop(b *body, c procContext, l *ir.LoopStep, keys map[string]bool) {
	p := &loopPrinter{
		b: b, c: c, l: l, computed: map[*ir.Node]bool{}, keys: map[*ir.Node]string{}, bests: map[*ir.Node]string{},
		taken: maps.Clone(keys), shared: keys,
	}
	for _, pass := range l.Passes {
		for _, n := range slices.Concat(pass.Scalars, pass.Elements, pass.Reduces) {
			p.computed[n] = true
		}
	}
	if p.cleared() {
		return
	}
	p.merge()
	p.start()
	runs := func(axes []loopAxis) bool {
		return slices.ContainsFunc(axes, func(a loopAxis) bool { return a.index != "0" })
	}
	if runs(p.axes[:p.outer]) || p.outer == 0 && runs(p.axes) {
		p.nest(0)
		return
	}

	// A single row, or element: what it has of locals needs a scope.
	before := len(p.taken)
	inside := p.b.inside(func() { p.nest(0) })
	if len(p.taken) == before {
		p.b.code = append(p.b.code, inside...)
		return
	}
	p.b.block("", func() { p.b.code = inside })
}

// cleared prints a loop that only sets a whole buffer to zero.
func (p *loopPrinter) cleared() bool {
	l := p.l
	if len(l.Stores) != 1 || len(l.Folds) > 0 || len(l.Stores[0].To.Index) > 0 {
		return false
	}
	s := l.Stores[0]
	v, ok := s.Node.Literal()
	if !ok || s.Add || !p.whole(s.To) {
		return false
	}
	if v == 0 {
		p.b.stmt("clear(%s)", p.c.buffer(s.To.Buffer))
		return true
	}
	name := p.c.buffer(s.To.Buffer)
	p.b.block("for i := range "+name, func() { p.b.stmt("%s[i] = %s", name, literal(v, s.Node.Type.Elem)) })
	return true
}

// whole reports whether a covers its buffer in order.
func (p *loopPrinter) whole(a ir.Access) bool {
	return a.Offset.IsConst(0) && ir.Shape(a.Strides).Equal(gapless(p.domain())) &&
		a.Buffer.Type.Shape.Size().Equal(p.domain().Size()) && a.Buffer.Storage != ir.InLocal
}

func (p *loopPrinter) domain() ir.Shape { return slices.Concat(p.l.Outer, p.l.Inner) }

func gapless(s ir.Shape) []ir.Dim {
	out := make([]ir.Dim, len(s))
	stride := ir.D(1)
	for i := len(s) - 1; i >= 0; i-- {
		out[i] = stride
		stride = stride.Mul(s[i])
	}
	return out
}

// hasRows reports whether something happens once a row, so that outer and
// inner loops must stay apart.
func (p *loopPrinter) hasRows() bool {
	if len(p.l.Passes) > 1 {
		return true
	}
	for _, pass := range p.l.Passes {
		if len(pass.Scalars)+len(pass.Reduces) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(p.l.Stores, func(s ir.Store) bool { return s.Row }) ||
		slices.ContainsFunc(p.l.Folds, func(f ir.Fold) bool { return f.Row })
}

// merge joins neighbouring axes that everything runs through without gaps, and
// names the loops.
func (p *loopPrinter) merge() {
	domain := p.domain()
	indexed := p.indexedAxes()
	split := len(p.l.Outer)
	for k := range domain {
		last := len(p.from) - 1
		boundary := k == split && p.hasRows()
		if k > 0 && !boundary && !indexed[k] && !indexed[k-1] && p.adjacent(k-1, k) {
			p.from[last] = append(p.from[last], k)
			p.axes[last].extent = p.axes[last].extent.Mul(domain[k])
			continue
		}
		p.from = append(p.from, []int{k})
		p.axes = append(p.axes, loopAxis{extent: domain[k]})
	}
	for i, f := range p.from {
		if f[0] < split {
			p.outer = i + 1
		}
	}
	if !p.hasRows() && len(p.axes) > 0 {
		p.outer = len(p.axes) - 1
	}
	letters := 0
	for i := range p.axes {
		if p.axes[i].extent.IsConst(1) {
			p.axes[i].index = "0"
			continue
		}
		p.axes[i].index = p.c.local(string(rune('i' + letters)))
		p.taken[p.axes[i].index] = true
		letters++
	}
}

// indexedAxes is the axes whose index itself is a value.
func (p *loopPrinter) indexedAxes() map[int]bool {
	out := map[int]bool{}
	seen := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if _, loaded := p.l.Loads[n]; loaded && !p.computed[n] {
			return
		}
		if n.Is("iota") {
			out[n.Attr.Axis] = true
		}
		if n.Op.Class == ir.Reduce && (n.Is("argmax") || n.Is("argmin")) {
			for k := range p.l.Inner {
				out[len(p.l.Outer)+k] = true
			}
		}
		for _, a := range n.Args {
			visit(a)
		}
	}
	for _, pass := range p.l.Passes {
		for _, n := range slices.Concat(pass.Scalars, pass.Elements, pass.Reduces) {
			visit(n)
		}
	}
	for _, s := range p.l.Stores {
		visit(s.Node)
	}
	for _, f := range p.l.Folds {
		visit(f.Node)
	}
	return out
}

// adjacent reports whether every access runs through axes k and m as one.
func (p *loopPrinter) adjacent(k, m int) bool {
	extent := p.domain()[m]
	ok := true
	var check func(a ir.Access)
	check = func(a ir.Access) {
		if len(a.Strides) == 0 && len(a.Index) == 0 {
			return // a scalar
		}
		if k < len(a.Strides) {
			if m >= len(a.Strides) {
				ok = ok && a.Strides[k].IsConst(0)
			} else {
				ok = ok && a.Strides[k].Equal(a.Strides[m].Mul(extent))
			}
		}
		for _, i := range a.Index {
			check(i.At)
		}
	}
	p.eachAccess(check)
	return ok
}

func (p *loopPrinter) eachAccess(visit func(a ir.Access)) {
	for _, a := range p.l.Loads {
		visit(a)
	}
	for _, s := range p.l.Stores {
		visit(s.To)
	}
	for _, f := range p.l.Folds {
		visit(f.To)
	}
}

// strides is an access's along the merged axes.
func (p *loopPrinter) strides(a ir.Access) []ir.Dim {
	out := make([]ir.Dim, len(p.axes))
	for i, f := range p.from {
		if last := f[len(f)-1]; last < len(a.Strides) {
			out[i] = a.Strides[last]
		}
	}
	return out
}

func (p *loopPrinter) indices() []string {
	out := make([]string, len(p.axes))
	for i, a := range p.axes {
		out[i] = a.index
	}
	return out
}

// foldStarts are what the reductions begin with.
func foldStart(op string, t ir.DType) string {
	switch op {
	case "prod":
		return literal(1, t)
	case "reduce_max":
		return lowest(t, -1)
	case "reduce_min":
		return lowest(t, 1)
	case "any":
		return "false"
	case "all":
		return "true"
	}
	return literal(0, t)
}

// lowest is −∞ or +∞ of t, or its last integer.
func lowest(t ir.DType, sign int) string {
	switch {
	case t == ir.Int32 && sign < 0:
		return "math.MinInt32"
	case t == ir.Int32:
		return "math.MaxInt32"
	case t == ir.Int64 && sign < 0:
		return "math.MinInt64"
	case t == ir.Int64:
		return "math.MaxInt64"
	case t == ir.Int && sign < 0:
		return "math.MinInt"
	case t == ir.Int:
		return "math.MaxInt"
	}
	return converted(fmt.Sprintf("math.Inf(%d)", sign), ir.Float64, t)
}

// start prints what comes before the loops: the starts of folds, and the keys
// of random draws.
func (p *loopPrinter) start() {
	for _, f := range p.l.Folds {
		to := f.To.Buffer
		switch {
		case f.Keep:
		case to.Storage == ir.InLocal:
			t := typeOf(to)
			p.b.stmt("%s %s %s", p.c.buffer(to), p.c.assigns(to), typedStart(f.Op, t))
		case foldStart(f.Op, to.Type.Elem) == "0" || foldStart(f.Op, to.Type.Elem) == "false":
			p.b.stmt("clear(%s)", p.c.buffer(to))
		default:
			name := p.c.buffer(to)
			p.b.block("for i := range "+name, func() { p.b.stmt("%s[i] = %s", name, foldStart(f.Op, to.Type.Elem)) })
		}
	}
	for _, n := range p.draws() {
		key := p.local("key")
		p.b.stmt("%s := %s", key, p.c.key(n.Attr.Name))
		p.keys[n] = key
		p.shared[key] = true
	}
}

func typedStart(op string, t ir.DType) string {
	text := foldStart(op, t)
	switch {
	case t == ir.Bool || strings.Contains(text, "("):
		return text
	case t == ir.Float64:
		return text + ".0"
	}
	return goType(t) + "(" + text + ")"
}

// draws is the random nodes of the loop.
func (p *loopPrinter) draws() []*ir.Node {
	var out []*ir.Node
	seen := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if _, loaded := p.l.Loads[n]; loaded && (p.l.Copied[n] || !p.computed[n]) {
			return
		}
		if n.Op.Class == ir.Random {
			out = append(out, n)
		}
		for _, a := range n.Args {
			visit(a)
		}
	}
	for _, pass := range p.l.Passes {
		for _, n := range slices.Concat(pass.Scalars, pass.Elements, pass.Reduces) {
			visit(n)
		}
	}
	for _, s := range p.l.Stores {
		visit(s.Node)
	}
	for _, f := range p.l.Folds {
		visit(f.Node)
	}
	return out
}

// local is a fresh local of this loop.
func (p *loopPrinter) local(base string) string {
	name := p.c.local(base)
	for i := 2; p.taken[name]; i++ {
		name = p.c.local(fmt.Sprint(base, i))
	}
	p.taken[name] = true
	return name
}

// nest prints the outer loops, and the row inside them.
func (p *loopPrinter) nest(axis int) {
	if axis == p.outer {
		p.row()
		return
	}
	a := p.axes[axis]
	if a.index == "0" {
		p.nest(axis + 1)
		return
	}
	p.b.block(p.header(axis, p.c.dim(a.extent)), func() { p.nest(axis + 1) })
}

// row prints the passes over one row.
func (p *loopPrinter) row() {
	p.rows, p.vars, p.binds = map[rowKey]string{}, map[*ir.Node]string{}, map[*ir.Node]int{}
	for k := range p.l.Passes {
		p.pass = k
		p.printPass(p.l.Passes[k])
	}
}

// printPass prints the row's scalars, then one loop over its elements.
func (p *loopPrinter) printPass(pass ir.Pass) {
	p.inRow, p.pending = true, map[*ir.Node]bool{}
	p.countUses(pass)
	for _, n := range pass.Scalars {
		p.compute(n, p.uses[n] != 1 || !p.onceInRow(n, pass))
	}
	for _, f := range p.l.Folds {
		if f.Pass == p.pass && f.Row {
			p.fold(f)
		}
	}
	for _, s := range p.l.Stores {
		if s.Pass == p.pass && s.Row {
			p.store(s)
		}
	}
	if !p.hasElements(pass) {
		return
	}

	// What the loop reads of the row is cut out before it, and sums start.
	for _, n := range pass.Elements {
		p.pending[n] = true
		delete(p.vars, n)
	}
	p.hoist(pass)
	for _, n := range pass.Reduces {
		p.startReduce(n)
	}
	p.inRow = false
	known := maps.Clone(p.vars) // what becomes known inside the loop ends with it
	p.inner(p.outer, func() { p.elements(pass) })
	p.vars = known
	p.inRow = true
}

// onceInRow reports whether the row's scalar n is read by one other scalar of
// this pass, and by nothing later.
func (p *loopPrinter) onceInRow(n *ir.Node, pass ir.Pass) bool {
	readers := 0
	known := map[*ir.Node]bool{}
	for k, q := range p.l.Passes {
		for _, m := range slices.Concat(q.Scalars, q.Elements, q.Reduces) {
			if !readsInline(m, n, known) {
				continue
			}
			if readers++; k != p.pass || !slices.Contains(pass.Scalars, m) {
				return false
			}
		}
	}
	for _, s := range p.l.Stores {
		if s.Node == n {
			return false
		}
	}
	return readers <= 1
}

// readsInline reports whether m reads n, also through what is printed in place.
// known is what it has found out about n. Operands are older than what they make.
func readsInline(m, n *ir.Node, known map[*ir.Node]bool) bool {
	if m.ID <= n.ID {
		return false
	}
	if reads, ok := known[m]; ok {
		return reads
	}
	known[m] = slices.ContainsFunc(m.Args, func(a *ir.Node) bool {
		return a == n || (a.Op.Class == ir.Map || a.Op.Class == ir.View) && readsInline(a, n, known)
	})
	return known[m]
}

func (p *loopPrinter) hasElements(pass ir.Pass) bool {
	at := func(pass int, row bool) bool { return pass == p.pass && !row }
	return len(pass.Elements)+len(pass.Reduces) > 0 ||
		slices.ContainsFunc(p.l.Stores, func(s ir.Store) bool { return at(s.Pass, s.Row) }) ||
		slices.ContainsFunc(p.l.Folds, func(f ir.Fold) bool { return at(f.Pass, f.Row) })
}

// inner prints the loops over the row.
func (p *loopPrinter) inner(axis int, fill func()) {
	if axis == len(p.axes) {
		fill()
		return
	}
	a := p.axes[axis]
	if a.index == "0" {
		p.inner(axis+1, fill)
		return
	}
	p.b.block(p.header(axis, p.rangeOf(axis)), func() { p.inner(axis+1, fill) })
}

// header is the for clause of an axis. What is the same all along it needs no
// index.
func (p *loopPrinter) header(axis int, over string) string {
	used := len(p.draws()) > 0 || slices.ContainsFunc(p.from[axis], func(k int) bool { return p.indexedAxes()[k] })
	var look func(a ir.Access)
	look = func(a ir.Access) {
		used = used || !p.strides(a)[axis].IsConst(0)
		for _, i := range a.Index {
			look(i.At)
		}
	}
	p.eachAccess(look)
	if !used {
		return "for range " + over
	}
	return "for " + p.axes[axis].index + " := range " + over
}

// rangeOf is what the loop over axis ranges over: a slice of the row, where
// one is there, so that the compiler knows its bounds.
func (p *loopPrinter) rangeOf(axis int) string {
	if axis == len(p.axes)-1 {
		for _, key := range p.sortedRows() {
			if key.strides == "row" {
				return p.rows[key]
			}
		}
	}
	return p.c.dim(p.axes[axis].extent)
}

func (p *loopPrinter) sortedRows() []rowKey {
	var keys []rowKey
	for k := range p.rows {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b rowKey) int {
		return cmp.Or(strings.Compare(a.buffer, b.buffer), strings.Compare(a.offset, b.offset), strings.Compare(a.strides, b.strides), strings.Compare(a.index, b.index))
	})
	return keys
}

// elements prints the body of the inner loop: values, then reductions and
// folds, stores last, so that nothing is read after it has been overwritten.
func (p *loopPrinter) elements(pass ir.Pass) {
	var stores []ir.Store
	for _, s := range p.l.Stores {
		if s.Pass == p.pass && !s.Row {
			stores = append(stores, s)
		}
	}
	busy := len(stores) + len(pass.Reduces)
	for _, f := range p.l.Folds {
		if f.Pass == p.pass && !f.Row {
			busy++
		}
	}
	sole := busy == 1 && len(stores) == 1
	for _, n := range pass.Elements {
		if sole && n == stores[0].Node && p.uses[n] == 1 {
			continue // printed where it is stored
		}
		if isTruth(n) && p.onlyAdjusts(n) {
			continue // its condition is printed there
		}
		stored := slices.ContainsFunc(stores, func(s ir.Store) bool { return s.Node == n })
		p.compute(n, p.uses[n] > 1 || stored && busy > 1)
	}
	if sole && p.pending[stores[0].Node] && p.assignOp(stores[0]) {
		return
	}
	values := make([]string, len(stores))
	for i, s := range stores {
		text, bind := p.value(s.Node)
		if len(stores) > 1 && !isName(text) && bind != 0 && !s.Node.IsConstant() {
			name := p.local("v")
			p.b.stmt("%s := %s", name, text)
			text = name
		}
		values[i] = text
	}
	for _, n := range pass.Reduces {
		p.reduce(n)
	}
	for _, f := range p.l.Folds {
		if f.Pass == p.pass && !f.Row {
			p.fold(f)
		}
	}
	for i, s := range stores {
		p.assign(s, values[i])
	}
}

func isName(text string) bool {
	return !strings.ContainsAny(text, " ()[]+-*/.")
}

// countUses counts how often the values that the loop computes are needed
// within a pass.
func (p *loopPrinter) countUses(pass ir.Pass) {
	p.uses = map[*ir.Node]int{}
	var use func(a *ir.Node)
	use = func(a *ir.Node) {
		p.uses[a]++
		_, loaded := p.l.Loads[a]
		switch {
		case a.Is("spread"):
			use(a.Args[0])
		case p.uses[a] == 1 && a.Op.Class == ir.Map && !p.computed[a] && !loaded:
			for _, x := range a.Args {
				use(x)
			}
		}
	}
	for _, n := range slices.Concat(pass.Scalars, pass.Elements, pass.Reduces) {
		for _, a := range n.Args {
			use(a)
		}
	}
	for _, s := range p.l.Stores {
		if s.Pass == p.pass {
			use(s.Node)
		}
	}
	for _, f := range p.l.Folds {
		if f.Pass == p.pass {
			use(f.Node)
		}
	}
}
