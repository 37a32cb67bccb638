package passes

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A target is a value that a procedure leaves in a buffer.
type target struct {
	node   *ir.Node
	buffer *ir.Buffer
	leaf   *ir.Node // the leaf whose memory it gets, where it is an update
}

// A planner makes the procedures of one model or function; they share buffers.
type planner struct {
	g      *ir.Graph
	names  *naming
	buffer map[*ir.Node]*ir.Buffer // what is in memory when a procedure starts
	alike  map[*ir.Node]*ir.Buffer // where other procedures leave the same values at other times; nil where that is no matter
	err    error
}

func (pl *planner) fail(format string, args ...any) {
	if pl.err == nil {
		pl.err = fmt.Errorf(format, args...)
	}
}

// withLocals is pl with names that end with the procedure.
func (pl *planner) withLocals() *planner {
	c := *pl
	c.names = pl.names.inProcedure()
	return &c
}

// child is a planner that starts with what pl has in memory.
func (pl *planner) child() *planner {
	c := &planner{g: pl.g, names: pl.names.following(), buffer: map[*ir.Node]*ir.Buffer{}}
	for n, b := range pl.buffer {
		c.buffer[n] = b
	}
	return c
}

// procedure plans the steps that compute targets. What keep lists is left in
// the arena too.
func (pl *planner) procedure(name string, targets []target, keep []*ir.Node) *ir.Procedure {
	avail := map[*ir.Node]bool{}
	for n := range pl.buffer {
		avail[n] = true
	}
	s := &scheduler{planner: pl, outer: pl.names, proc: &ir.Procedure{Name: name}, locals: map[*ir.Node]*ir.Buffer{}, cleared: map[*ir.Node]bool{}, kinds: map[*ir.Node]string{}, sizes: map[*ir.Node]int{}}
	var roots []*ir.Node
	updates := map[*ir.Node]*ir.Node{}
	again := make([]bool, len(targets)) // what is there already
	twice := map[*ir.Node]bool{}
	for i, t := range targets {
		if avail[t.node] || slices.Contains(roots, t.node) || t.node.IsConstant() && t.node.Type.Rank() == 0 {
			again[i] = true
			twice[t.node] = true
			delete(updates, t.node)
			continue
		}
		roots = append(roots, t.node)
		if t.leaf != nil {
			updates[t.node] = t.leaf
		}
	}
	for _, n := range keep {
		if !avail[n] && !slices.Contains(roots, n) {
			roots = append(roots, n)
		}
	}
	s.names.begin(pl.buffer)
	s.f = fuse(pl.g, avail, roots, updates)
	var copies []target
	for i, t := range targets {
		// What others read too is not computed over what earlier steps still
		// read, nor is what has two places: it is copied at the end.
		later := t.leaf != nil && (s.f.reread[t.node] || updates[t.node] == nil) || twice[t.node] && t.buffer != nil && updated(t.buffer)
		if later {
			delete(updates, t.node)
		}
		if later || again[i] {
			copies = append(copies, t)
		}
	}
	s.assign(slices.DeleteFunc(slices.Clone(targets), func(t target) bool {
		return twice[t.node] && t.buffer != nil && updated(t.buffer)
	}), updates)
	s.planner = pl.withLocals()
	s.build()
	for _, t := range copies {
		s.copy(t)
	}
	for _, t := range targets {
		switch {
		case t.node.Type.Rank() > 0:
		case t.buffer == nil:
			s.proc.Results = append(s.proc.Results, s.result(t.node))
		case t.buffer != s.buffer[t.node]:
			s.storeScalar(t)
		}
	}
	for _, n := range keep {
		if n.Type.Rank() == 0 && !avail[n] {
			s.keepScalar(n)
		}
	}
	s.order()
	if pl.err == nil {
		pl.err = s.err
	}
	return s.proc
}

// A scheduler turns the groups of one procedure into ordered steps.
type scheduler struct {
	*planner
	outer   *naming // of all procedures
	f       *fuser
	proc    *ir.Procedure
	locals  map[*ir.Node]*ir.Buffer // scalars
	cleared map[*ir.Node]bool
	kinds   map[*ir.Node]string // names of scalars without one, as far as known
	sizes   map[*ir.Node]int    // of scalar expressions, likewise
}

// assign gives every value in memory its buffer: that of its target, but of an
// update only where it is in place.
func (s *scheduler) assign(targets []target, inPlace map[*ir.Node]*ir.Node) {
	for _, t := range targets {
		if s.buffer[t.node] == nil && t.node.Type.Rank() > 0 && !t.node.Is("const") && (t.leaf == nil || inPlace[t.node] != nil) {
			s.buffer[t.node] = t.buffer
		}
	}

	// Names of the program go to values in the order in which formulas set them.
	for _, g := range s.f.groups {
		list := slices.Concat(g.nodes, g.folds)
		if g.product != nil {
			list = append(list, g.product.result)
		}
		for _, n := range list {
			b := s.buffer[n]
			if b == nil {
				s.lendName(n)
			}
			if s.names.base(n) != "" && (b == nil || b.Storage == ir.InArena) {
				s.names.display(n, "")
			}
		}
	}

	for _, n := range s.f.inOrder() {
		if s.buffer[n] == nil && !s.f.isLocal(n) {
			s.buffer[n] = s.scratch(n)
		}
	}

	// Formulas call a value in memory by its name from here on.
	for _, n := range s.f.inOrder() {
		switch b := s.buffer[n]; {
		case b == nil:
		case updated(b):
			s.names.show(n, storedName(b))
		case b.Storage == ir.InGrad:
			s.names.show(n, "d"+b.Key)
		case b.Storage == ir.InOutput:
			s.names.show(n, b.Name)
		default:
			s.names.show(n, s.names.display(n, b.Name))
			b.Values = []string{s.names.shown[n]}
		}
	}
}

// scratch is the part of the arena for the value n: that which it has in other
// procedures that compute it alike.
func (s *scheduler) scratch(n *ir.Node) *ir.Buffer {
	if b := s.alike[n]; b != nil {
		return b
	}
	b := &ir.Buffer{Name: s.names.buffer(n, "t"), Type: n.Type, Storage: ir.InArena}
	if s.alike != nil {
		s.alike[n] = b
	}
	return b
}

// lendName calls a product without a name after the value that it becomes.
func (s *scheduler) lendName(n *ir.Node) {
	user := s.f.user[n]
	if user == nil || s.f.products[n] == nil || s.names.base(n) != "" || s.f.uses[n] != 1 || user.Op.Class != ir.Map || !user.Type.Equal(n.Type) {
		return
	}
	if o := s.g.Origin(user); o.Scale == nil {
		s.g.SetOrigin(n, o)
	}
}

// isLocal reports whether n is a scalar that a loop adds up in a local variable.
func (f *fuser) isLocal(n *ir.Node) bool {
	return n.Type.Rank() == 0 && n.Op.Class == ir.Reduce && f.into[n].target == nil
}

// inOrder is the values in memory, in the order in which they are computed.
func (f *fuser) inOrder() []*ir.Node {
	var out []*ir.Node
	seen := map[*ir.Node]bool{}
	add := func(n *ir.Node) {
		if f.memory[n] && !seen[n] && !f.avail[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	for _, g := range f.groups {
		if g.product != nil {
			add(g.product.result)
		}
		for _, n := range g.nodes {
			add(n)
		}
		for _, n := range g.folds {
			add(n)
			if to, ok := f.into[n]; ok {
				add(to.target)
			}
		}
		for _, p := range g.puts {
			add(p.to)
		}
	}
	return out
}

// build makes the steps, group by group, then the scalars that are targets.
func (s *scheduler) build() {
	b := &builder{f: s.f, buffer: s.buffer, scalar: s.scalar, invalid: s.fail}
	for _, g := range s.f.groups {
		if g.product != nil {
			s.product(g.product)
			continue
		}
		for _, n := range g.folds {
			if s.f.isLocal(n) {
				s.local(n, true)
				s.buffer[n] = s.locals[n]
			}
		}
		step := b.loop(g)
		for _, p := range g.puts {
			if p.clears && !s.cleared[p.to] {
				s.cleared[p.to] = true
				s.clear(p.to)
			}
		}
		step.Names = map[*ir.Node]string{}
		to := &ir.Step{Loop: step}
		s.formulas(g, to)
		for _, n := range slices.Concat(g.nodes, g.folds) {
			step.Names[n] = localName(s.names.called(n))
		}
		s.add(to)
		for _, n := range g.folds {
			if n.Type.Rank() == 0 {
				delete(s.buffer, n)
			}
		}
	}
}

// state adds a step whose formula sets the whole of n.
func (s *scheduler) state(step *ir.Step, formula string, n *ir.Node) {
	step.State(formula, n.Type.Shape, s.buffer[n])
	s.add(step)
}

func (s *scheduler) add(step *ir.Step) { s.proc.Steps = append(s.proc.Steps, step) }

// local is a fresh local variable for the scalar n.
func (s *scheduler) local(n *ir.Node, wide bool) *ir.Buffer {
	if b := s.locals[n]; b != nil {
		return b
	}
	b := &ir.Buffer{Name: s.names.buffer(n, s.scalarName(n)), Type: n.Type, Storage: ir.InLocal, Wide: wide && n.Type.Elem.IsFloat()}
	s.locals[n] = b
	s.names.show(n, s.names.display(n, b.Name))
	return b
}

// scalarName is what a scalar without a name of its own is called: a rate where
// the learning rate is in it, a scale where it is made of scalars alone.
func (s *scheduler) scalarName(n *ir.Node) string {
	if name, known := s.kinds[n]; known {
		return name
	}
	name := "scale"
	if strings.HasPrefix(s.proc.Name, "update") {
		name = "coef"
	}
	switch {
	case n.Is("hyper") && n.Attr.Name == "lr":
		name = "rate"
	case n.Op.Class != ir.Leaf && n.Op.Class != ir.Map:
		name = "s"
	}
	for _, a := range n.Args {
		switch kind := s.scalarName(a); {
		case kind == "rate" || name == "rate":
			name = "rate"
		case kind == "s":
			name = "s"
		}
	}
	s.kinds[n] = name
	return name
}

// scalar is where the scalar n can be read; what is not there yet is computed
// in a step of its own.
func (s *scheduler) scalar(n *ir.Node) *ir.Buffer {
	if b := s.buffer[n]; b != nil {
		return b
	}
	if b := s.locals[n]; b != nil {
		return b
	}
	step := &ir.ScalarStep{Value: n, Loads: map[*ir.Node]ir.Access{}}
	s.scalarLoads(step, n)
	formula := s.names.body(n, 0)
	if base := s.names.base(n); isName(formula) && (base == "" || base == formula) && !s.isStored(formula) {
		step.To = s.alias(n, formula)
		s.add(&ir.Step{Scalar: step})
		return step.To
	}
	step.To = s.local(n, false)
	s.state(&ir.Step{Scalar: step}, s.names.shown[n]+" = "+formula, n)
	return step.To
}

// alias is a local variable for the scalar n that is another value, converted:
// formulas call it by that one's name, and need not say so.
func (s *scheduler) alias(n *ir.Node, name string) *ir.Buffer {
	local := localName(name)
	if leaf := bare(n); leaf.Is("size") {
		local = "size"
	}
	b := &ir.Buffer{Name: s.names.fresh(local), Type: n.Type, Storage: ir.InLocal}
	s.locals[n] = b
	s.names.show(n, name)
	return b
}

// isStored reports whether formulas call a parameter or a state so.
func (s *scheduler) isStored(name string) bool {
	for _, b := range s.buffer {
		if updated(b) && storedName(b) == name {
			return true
		}
	}
	return false
}

// bare is n without conversions.
func bare(n *ir.Node) *ir.Node {
	for n.Is("cast") {
		n = n.Args[0]
	}
	return n
}

// result is the local that the procedure returns for n, in float64 where n
// floats.
func (s *scheduler) result(n *ir.Node) *ir.Buffer {
	if b := s.locals[n]; b != nil && (b.Wide || !n.Type.Elem.IsFloat()) {
		return b
	}
	step := &ir.ScalarStep{Value: n, Loads: map[*ir.Node]ir.Access{}}
	if s.locals[n] != nil || s.buffer[n] != nil {
		step.Loads[n] = ir.Access{Buffer: s.scalar(n)}
	} else {
		s.scalarLoads(step, n)
	}
	formula := s.names.body(n, 0)
	step.To = &ir.Buffer{Name: s.names.buffer(n, "result"), Type: n.Type, Storage: ir.InLocal, Wide: n.Type.Elem.IsFloat()}
	if formula == step.To.Name {
		s.add(&ir.Step{Scalar: step})
		return step.To
	}
	s.state(&ir.Step{Scalar: step}, step.To.Name+" = "+formula, n)
	return step.To
}

// storeScalar leaves a scalar in the buffer of its target.
func (s *scheduler) storeScalar(t target) {
	step := &ir.ScalarStep{To: t.buffer, Value: t.node, Loads: map[*ir.Node]ir.Access{}}
	if b := s.locals[t.node]; b != nil || s.buffer[t.node] != nil {
		step.Loads[t.node] = ir.Access{Buffer: s.scalar(t.node)}
	} else {
		s.scalarLoads(step, t.node)
	}
	name, sign := t.buffer.Name, " = "
	if updated(t.buffer) {
		name, sign = storedName(t.buffer), " ← "
	}
	s.state(&ir.Step{Scalar: step}, name+sign+s.names.expr(t.node, 0), t.node)
}

// keepScalar leaves the scalar n in the arena, for a later procedure.
func (s *scheduler) keepScalar(n *ir.Node) {
	from := s.scalar(n)
	to := &ir.Buffer{Name: s.outer.fresh(from.Name + "Kept"), Type: n.Type, Storage: ir.InArena}
	s.add(&ir.Step{Scalar: &ir.ScalarStep{To: to, Value: n, Loads: map[*ir.Node]ir.Access{n: {Buffer: from}}}})
	s.buffer[n] = to
}

// scalarLoads notes what the expression n reads; subexpressions that others
// use too become locals first.
func (s *scheduler) scalarLoads(step *ir.ScalarStep, n *ir.Node) {
	if n.Op.Class == ir.View || n.Op.Class == ir.Index {
		s.memoryLoad(step, n)
		return
	}
	for _, a := range n.Args {
		switch {
		case a.IsConstant():
		case s.buffer[a] != nil || s.locals[a] != nil:
			step.Loads[a] = ir.Access{Buffer: s.scalar(a)}
		case a.Op.Class == ir.Leaf:
		case a.Op.Class == ir.Map && (s.f.uses[a] > 1 || s.size(a) >= mostScalar):
			step.Loads[a] = ir.Access{Buffer: s.scalar(a)}
		case a.Op.Class == ir.Map:
			s.scalarLoads(step, a)
		default:
			s.memoryLoad(step, a)
		}
	}
}

// mostScalar bounds the operations of one scalar expression, as far as its
// operands have fewer: what is larger is computed in several steps, as Go's
// parser and printer bound the depth of an expression and take long for a wide
// one.
const mostScalar = 256

// size is the number of operations of the scalar expression n, without those
// of operands that are computed before.
func (s *scheduler) size(n *ir.Node) int {
	if size, known := s.sizes[n]; known {
		return size
	}
	size := 1
	for _, a := range n.Args {
		if a.Op.Class == ir.Map && s.f.uses[a] <= 1 {
			if k := s.size(a); k < mostScalar {
				size += k
			}
		}
	}
	s.sizes[n] = size
	return size
}

// memoryLoad notes where the scalar a, a view, lies.
func (s *scheduler) memoryLoad(step *ir.ScalarStep, a *ir.Node) {
	v, ok := viewOf(a, func(m *ir.Node) bool { return s.buffer[m] != nil || s.locals[m] != nil })
	if !ok {
		s.fail("the scalar %s cannot be read where it lies", a.Op.Name)
		return
	}
	b := &builder{f: s.f, buffer: s.buffer, scalar: s.scalar, invalid: s.fail}
	step.Loads[a] = b.access(v)
}

// product adds the step of a product, behind the scalars it needs.
func (s *scheduler) product(p *product) {
	step, ok := s.f.productStep(p)
	if !ok {
		s.fail("the product %s cannot be laid out as matrices", p.einsum.Attr.Spec)
		return
	}
	stored := func(n *ir.Node) bool { return s.f.avail[n] || s.f.memory[n] }
	a, _ := viewOf(p.a, stored)
	b, _ := viewOf(p.b, stored)
	step.A.Buffer, step.B.Buffer, step.C.Buffer = s.buffer[a.base], s.buffer[b.base], s.buffer[p.result]
	if p.onto != nil && s.buffer[p.onto] != step.C.Buffer {
		s.merge(p.onto, p.result)
		step.C.Buffer = s.buffer[p.result]
	}
	step.Loads = map[*ir.Node]*ir.Buffer{}
	for _, k := range []*ir.Node{step.Alpha, step.Beta} {
		if !k.IsConstant() {
			step.Loads[k] = s.scalar(k)
		}
	}
	s.state(&ir.Step{Product: step}, s.assignment(p.result, p.onto), p.result)
}

// merge gives the value n the memory of onto, which it replaces.
func (s *scheduler) merge(onto, n *ir.Node) {
	from, to := s.buffer[n], s.buffer[onto]
	if from.Storage != ir.InArena {
		from, to = to, from
	}
	for m, b := range s.buffer {
		if b == from {
			s.buffer[m] = to
		}
	}
	for _, step := range s.proc.Steps {
		substitute(step, from, to)
	}
}

// clear sets the value of n to zeros.
func (s *scheduler) clear(n *ir.Node) {
	shape := n.Type.Shape
	zero := s.g.Fill(0, n.Type)
	split := max(len(shape)-1, 0)
	s.state(&ir.Step{Loop: &ir.LoopStep{
		Outer: shape[:split], Inner: shape[split:],
		Passes: []ir.Pass{{}}, Loads: map[*ir.Node]ir.Access{},
		Stores: []ir.Store{{Node: zero, To: ir.Access{Buffer: s.buffer[n], Strides: rowMajor(shape)}}},
	}}, s.names.shown[n]+" = 0", n)
}

// copy leaves a value that is in memory, or a constant, in another buffer too.
func (s *scheduler) copy(t target) {
	if t.buffer == nil || s.buffer[t.node] == t.buffer || t.leaf == t.node && t.leaf != nil {
		return
	}
	if t.node.Type.Rank() == 0 {
		return // results are read where they are
	}
	shape := t.node.Type.Shape
	split := max(len(shape)-1, 0)
	step := &ir.LoopStep{Outer: shape[:split], Inner: shape[split:], Passes: []ir.Pass{{}}, Loads: map[*ir.Node]ir.Access{}}
	if b := s.buffer[t.node]; b != nil {
		step.Loads[t.node] = ir.Access{Buffer: b, Strides: rowMajor(shape)}
	}
	step.Stores = []ir.Store{{Node: t.node, To: ir.Access{Buffer: t.buffer, Strides: rowMajor(shape)}}}
	s.state(&ir.Step{Loop: step}, t.buffer.Name+" = "+s.names.expr(t.node, 0), t.node)
}

// formulas states in step what a loop group computes, a line a value that has
// a name or a place in memory.
func (s *scheduler) formulas(g *group, step *ir.Step) {
	set := func(n *ir.Node) { step.State(s.assignment(n, nil), n.Type.Shape, s.buffer[n]) }
	for _, n := range g.nodes {
		if s.buffer[n] == nil && s.names.base(n) == "" {
			continue
		}
		name := s.names.display(n, "")
		if s.buffer[n] == nil && name == "" {
			continue
		}
		set(n)
		if s.buffer[n] == nil {
			s.names.show(n, name)
		}
	}
	for _, n := range g.folds {
		if to, ok := s.f.into[n]; ok {
			set(to.target)
			continue
		}
		set(n)
	}
	for _, p := range g.puts {
		sign := " = "
		if p.add {
			sign = " += "
		}
		step.Formulas = append(step.Formulas, s.names.shown[p.to]+p.region+sign+s.names.expr(p.x, 0))
	}
	step.Formulas = slices.Compact(step.Formulas)
}

// storedName is what formulas call a parameter or state; where the buffer is
// all of them, what the optimiser's text calls one.
func storedName(b *ir.Buffer) string {
	if b.Key == "*" {
		return "param"
	}
	return strings.TrimPrefix(b.Key, "*.")
}

// assignment is `name = formula`.
func (s *scheduler) assignment(n, onto *ir.Node) string {
	name := s.names.display(n, "")
	if b := s.buffer[n]; b != nil {
		name = s.names.shown[n]
	} else if b := s.locals[n]; b != nil {
		name = s.names.display(n, b.Name)
	}
	sign := " = "
	if b := s.buffer[n]; b != nil && updated(b) {
		name, sign = storedName(b), " ← "
	}
	return name + sign + s.names.body(n, 0)
}
