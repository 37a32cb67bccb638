package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// passes says in which pass over a row each node of a loop group is computed.
type passes struct {
	f     *fuser
	g     *group
	at    map[*ir.Node]int
	count int
}

// newPasses assigns passes: a reduction along the row is known one pass after
// what it reduces, and what depends on it comes no sooner.
func newPasses(f *fuser, g *group) *passes {
	p := &passes{f: f, g: g, at: map[*ir.Node]int{}}
	for _, n := range g.nodes {
		p.at[n] = p.earliest(n)
		if n.Op.Class == ir.Reduce || n.Is("pick") && f.of[n.Args[0]] == g {
			p.at[n]++ // known once the row is
		}
		p.count = max(p.count, p.at[n]+1)
	}
	for _, x := range p.sinks() {
		p.count = max(p.count, p.pass(x)+1)
	}
	return p
}

// sinks is what folds and puts consume.
func (p *passes) sinks() []*ir.Node {
	var out []*ir.Node
	for _, n := range p.g.folds {
		out = append(out, n.Args[0])
	}
	for _, s := range p.g.puts {
		out = append(out, s.x)
	}
	return out
}

// earliest is the first pass in which the operands of n are known.
func (p *passes) earliest(n *ir.Node) int {
	out := 0
	for _, a := range n.Args {
		out = max(out, p.pass(a))
	}
	return out
}

// pass is that of a, looking through what is inline.
func (p *passes) pass(a *ir.Node) int {
	if at, ok := p.at[a]; ok {
		return at
	}
	if !p.f.inline(a) || a.Type.Rank() == 0 {
		return 0
	}
	return p.earliest(a)
}

// isElement reports whether n is computed at the elements of the domain.
func (p *passes) isElement(n *ir.Node) bool { return n.Type.Shape.Equal(p.g.domain) }

// demanded is the element nodes that pass k computes, in order: what its
// reductions, folds, puts and stores need and is not in memory from before.
func (p *passes) demanded(k int) []*ir.Node {
	want := map[*ir.Node]bool{}
	var need func(a *ir.Node)
	need = func(a *ir.Node) {
		at, mine := p.at[a]
		switch {
		case mine && !p.isElement(a):
		case mine:
			if want[a] || at < k && p.f.memory[a] {
				return
			}
			want[a] = true
			for _, b := range a.Args {
				need(b)
			}
		case p.f.inline(a) && a.Op.Class == ir.Map:
			for _, b := range a.Args {
				need(b)
			}
		}
	}
	for _, n := range p.g.nodes {
		switch {
		case n.Op.Class == ir.Reduce && p.at[n] == k+1:
			need(n.Args[0])
		case n.Op.Class != ir.Reduce && p.isElement(n) && p.at[n] == k && (p.f.memory[n]):
			need(n)
		}
	}
	for _, x := range p.sinks() {
		if p.pass(x) == k {
			need(x)
		}
	}
	var out []*ir.Node
	for _, n := range p.g.nodes {
		if want[n] {
			out = append(out, n)
		}
	}
	return out
}

// keepCostly gives a buffer to elements that a later pass needs again, if
// computing them anew costs more than reading them.
func (p *passes) keepCostly() {
	for k := 1; k < p.count; k++ {
		for again := true; again; {
			again = false
			for _, n := range p.demanded(k) {
				if p.at[n] < k && p.cost(n) > 3 {
					p.f.memory[n] = true
					again = true
					break
				}
			}
		}
	}
}

// cost is the number of operations from memory to n; what is no plain
// arithmetic counts ten.
func (p *passes) cost(n *ir.Node) int {
	if _, mine := p.at[n]; !mine && !p.f.inline(n) || p.f.memory[n] || n.Op.Class != ir.Map {
		return 0
	}
	sum := 10
	switch n.Op.Name {
	case "add", "sub", "mul", "neg", "max", "min", "abs", "where", "cast", "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not":
		sum = 1
	}
	for _, a := range n.Args {
		if p.isElement(a) {
			sum += p.cost(a)
		}
	}
	return sum
}

// A builder turns groups into steps over buffers.
type builder struct {
	f       *fuser
	buffer  map[*ir.Node]*ir.Buffer // of what is in memory
	scalar  func(s *ir.Node) *ir.Buffer
	invalid func(format string, args ...any)
	group   *group // whose loop is built
}

// loop is the step of a loop group.
func (b *builder) loop(g *group) *ir.LoopStep {
	b.group = g
	split := g.split
	if split < 0 {
		split = max(len(g.domain)-1, 0)
	}
	step := &ir.LoopStep{Outer: g.domain[:split], Inner: g.domain[split:], Loads: map[*ir.Node]ir.Access{}, Copied: map[*ir.Node]bool{}}
	p := newPasses(b.f, g)
	for k := range p.count {
		step.Passes = append(step.Passes, ir.Pass{Elements: p.demanded(k)})
	}
	for _, n := range g.nodes {
		if n.Op.Class == ir.Reduce {
			pass := &step.Passes[p.at[n]-1]
			pass.Reduces = append(pass.Reduces, n)
		} else if !p.isElement(n) {
			pass := &step.Passes[p.at[n]]
			pass.Scalars = append(pass.Scalars, n)
		}
		b.operands(step, n)
		if b.f.memory[n] {
			to := b.identity(n)
			step.Stores = append(step.Stores, ir.Store{Node: n, To: to, Pass: p.at[n], Row: !p.isElement(n)})
			if _, view := step.Loads[n]; !view && p.at[n] < p.count-1 {
				step.Loads[n] = to // for later passes
			}
		}
	}
	b.folds(step, p)
	b.puts(step, p)
	return step
}

// identity is where a value with a buffer of its own lies.
func (b *builder) identity(n *ir.Node) ir.Access {
	return ir.Access{Buffer: b.buffer[n], Strides: rowMajor(n.Type.Shape)}
}

func (b *builder) folds(step *ir.LoopStep, p *passes) {
	for _, n := range p.g.folds {
		x := n.Args[0]
		fold := ir.Fold{Op: n.Op.Name, Node: x, Pass: p.pass(x), Row: !p.isElement(x), To: ir.Access{Buffer: b.buffer[n]}}
		if into, ok := b.f.into[n]; ok {
			fold.Keep, fold.Scale, fold.To.Buffer = into.keep, into.scale, b.buffer[into.target]
			if into.scale != nil {
				b.read(step, into.scale)
			}
		}

		// Along the folded axes the result does not move.
		strides := rowMajor(n.Type.Shape)
		for i := range x.Type.Rank() {
			if contains(n.Attr.Axes, i) {
				fold.To.Strides = append(fold.To.Strides, ir.Dim{})
			} else {
				fold.To.Strides = append(fold.To.Strides, strides[0])
				strides = strides[1:]
			}
		}
		step.Folds = append(step.Folds, fold)
		b.read(step, x)
	}
}

func (b *builder) puts(step *ir.LoopStep, p *passes) {
	for _, s := range p.g.puts {
		v, ok := s.place(b.inMemory)
		if !ok {
			b.invalid("the place of a part of %s cannot be addressed", s.to.Op.Name)
			continue
		}
		step.Stores = append(step.Stores, ir.Store{Node: s.x, To: b.access(v), Pass: p.pass(s.x), Add: s.add})
		b.read(step, s.x)
	}
}

func (b *builder) inMemory(n *ir.Node) bool { return b.f.avail[n] || b.f.memory[n] }

// access is a view in terms of buffers.
func (b *builder) access(v view) ir.Access {
	buf := b.buffer[v.base]
	switch {
	case buf == nil && v.base.Type.Rank() == 0:
		buf = b.scalar(v.base)
	case buf == nil:
		b.invalid("%s has no buffer", v.base.Op.Name)
	}
	a := ir.Access{Buffer: buf, Offset: v.offset, Strides: v.strides}
	for _, i := range v.index {
		a.Index = append(a.Index, ir.Indirect{At: b.access(i.at), Stride: i.stride, Within: i.within})
	}
	return a
}

// operands notes where the operands of n lie.
func (b *builder) operands(step *ir.LoopStep, n *ir.Node) {
	if (n.Op.Class == ir.View || n.Op.Class == ir.Index) && !b.repeatsRow(n) {
		// The node is itself a view: what it looks at is read.
		if v, ok := viewOf(n, func(m *ir.Node) bool { return m != n && b.inMemory(m) }); ok {
			step.Loads[n] = b.access(v)
			step.Copied[n] = true
			return
		}
	}
	for _, a := range n.Args {
		b.read(step, a)
	}
}

// repeatsRow reports whether a repeats what the loop computes for each row.
func (b *builder) repeatsRow(a *ir.Node) bool {
	return a.Is("spread") && b.group != nil && slices.Contains(b.group.nodes, a.Args[0])
}

// read notes where a lies, or what it is computed from where that is inline.
func (b *builder) read(step *ir.LoopStep, a *ir.Node) {
	if _, ok := step.Loads[a]; ok || a.IsConstant() {
		return
	}
	if a.Type.Rank() == 0 {
		step.Loads[a] = ir.Access{Buffer: b.scalar(a)}
		return
	}
	if !b.f.inline(a) && !b.f.avail[a] && !b.f.memory[a] {
		return // a local of the loop
	}
	if a.Is("spread") && a.Args[0].Type.Rank() == 0 && b.f.inline(a) {
		b.read(step, a.Args[0])
		return
	}
	if b.repeatsRow(a) {
		return // a local of the row, also where it is stored besides
	}
	if v, ok := viewOf(a, b.inMemory); ok {
		step.Loads[a] = b.access(v)
		return
	}
	switch {
	case a.Is("spread"):
		b.read(step, a.Args[0])
	case a.Op.Class == ir.Map:
		for _, c := range a.Args {
			b.read(step, c)
		}
	case a.Is("iota"), a.Op.Class == ir.Random:
	default:
		b.invalid("%s of %v cannot be read where it lies", a.Op.Name, a.Type)
	}
}
