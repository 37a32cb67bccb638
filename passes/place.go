package passes

import (
	"fmt"
	"slices"
	"sort"

	"gradgen.dev/ir"
)

// A timeline is procedures that run one after another on one arena, such as
// forward and gradient. A procedure may be part of several.
type timeline []*ir.Procedure

// live is the steps of one timeline between which a buffer is needed.
type live struct{ first, last int }

// placer lays the arena buffers of several timelines out in memory.
type placer struct {
	lines []timeline
	steps []([]*ir.Step)          // of each timeline, in order
	lives []map[*ir.Buffer]live   // by timeline
	order []*ir.Buffer            // arena buffers by first appearance
	first map[*ir.Buffer]*ir.Step // that writes it
	users map[*ir.Buffer][]*ir.Step
	homes map[*ir.Buffer]*ir.Procedure // the one that uses it; nil where several do
	reads map[*ir.LoopStep]map[*ir.Node]passesOf

	values map[*ir.Buffer]*nameList // that buffers hold, of those that were merged
}

// Place computes in place what can be, gives buffers that are never needed at
// the same time the same memory, and lays them out in one arena.
func place(lines []timeline) ir.Arena {
	p := &placer{lines: lines, reads: map[*ir.LoopStep]map[*ir.Node]passesOf{}, values: map[*ir.Buffer]*nameList{}}
	p.measure()
	p.inPlace()
	for _, line := range lines {
		for _, proc := range line {
			proc.Steps = slices.DeleteFunc(proc.Steps, isIdle)
		}
	}
	p.measure()
	return p.layOut()
}

// isIdle reports whether a step only copies a buffer to itself. Of several
// passes, some read back what they have stored.
func isIdle(step *ir.Step) bool {
	l := step.Loop
	if l == nil || len(l.Folds) > 0 || len(l.Stores) == 0 || len(l.Passes) > 1 {
		return false
	}
	return !slices.ContainsFunc(l.Stores, func(s ir.Store) bool {
		from, ok := l.Loads[s.Node]
		return !ok || s.Add || from.Buffer != s.To.Buffer || !sameAccess(from, s.To)
	})
}

// measure finds out when each buffer is needed.
func (p *placer) measure() {
	p.steps, p.lives, p.order = nil, nil, nil
	p.first, p.users, p.homes = map[*ir.Buffer]*ir.Step{}, map[*ir.Buffer][]*ir.Step{}, map[*ir.Buffer]*ir.Procedure{}
	seen := map[*ir.Buffer]bool{}
	for _, line := range p.lines {
		var steps []*ir.Step
		lives := map[*ir.Buffer]live{}
		for _, proc := range line {
			for _, step := range proc.Steps {
				t := trafficOf(step)
				at := len(steps)
				steps = append(steps, step)
				for _, b := range append(slices.Clone(t.writes), t.reads...) {
					p.users[b] = append(p.users[b], step)
					if home, used := p.homes[b]; !used {
						p.homes[b] = proc
					} else if home != proc {
						p.homes[b] = nil
					}
					if l, ok := lives[b]; ok {
						lives[b] = live{l.first, at}
					} else {
						lives[b] = live{at, at}
						if p.first[b] == nil {
							p.first[b] = step
						}
					}
				}
				for _, b := range append(t.writes, sortedBuffers(t.reads)...) {
					if b.Storage == ir.InArena && !seen[b] {
						seen[b] = true
						p.order = append(p.order, b)
					}
				}
			}
		}
		p.steps = append(p.steps, steps)
		p.lives = append(p.lives, lives)
	}
}

func sortedBuffers(set []*ir.Buffer) []*ir.Buffer {
	out := slices.Clone(set)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// inPlace merges pairs of buffers: one that is read for the last time by the
// loop that first writes the other, element by element. The earlier of two
// pairs comes first, so that a buffer may pass through many hands.
func (p *placer) inPlace() {
	age := map[*ir.Buffer]int{}
	for i, b := range p.order {
		age[b] = i
	}
	for _, b := range p.candidates() {
		step := p.first[b]
		if step == nil || step.Loop == nil {
			continue
		}
		t := trafficOf(step)
		used := sortedBuffers(append(t.reads, t.writes...)) // it may read back what it writes
		slices.SortStableFunc(used, func(x, y *ir.Buffer) int { return age[x] - age[y] })
		for _, a := range used {
			if a != b && p.mayBecome(a, b) {
				p.merge(a, b)
				break
			}
		}
	}
}

// candidates is the buffers that may take another one's memory: those of the
// arena, and outputs, which give theirs.
func (p *placer) candidates() []*ir.Buffer {
	out := slices.Clone(p.order)
	seen := map[*ir.Buffer]bool{}
	for _, steps := range p.steps {
		for _, step := range steps {
			for _, b := range trafficOf(step).writes {
				if b.Storage == ir.InOutput && !seen[b] {
					seen[b] = true
					out = append(out, b)
				}
			}
		}
	}
	return out
}

// mayBecome reports whether the steps that are the first to write b, each in
// its timelines, may write it over a.
func (p *placer) mayBecome(a, b *ir.Buffer) bool {
	if a.Storage != ir.InArena || a.Type.Elem != b.Type.Elem {
		return false
	}
	if b.Storage == ir.InOutput && p.homes[a] == nil {
		return false // other procedures are not given the output
	}
	var loops []*ir.LoopStep
	for i, lives := range p.lives {
		la, hasA := lives[a]
		lb, hasB := lives[b]
		switch {
		case hasA && hasB && la.last != lb.first:
			return false
		case hasB && !hasA:
			return false // b starts without a here
		case hasA && !hasB && b.Storage == ir.InOutput:
			return false
		case hasB:
			if l := p.steps[i][lb.first].Loop; !slices.Contains(loops, l) {
				loops = append(loops, l)
			}
		}
	}
	return a.Type.Shape.Size().Equal(b.Type.Shape.Size()) &&
		!slices.ContainsFunc(loops, func(l *ir.LoopStep) bool { return l == nil || !p.overwrites(l, a, b) })
}

// overwrites reports whether the loop reads an element of a only before, and
// where, it writes the same element of b.
func (p *placer) overwrites(l *ir.LoopStep, a, b *ir.Buffer) bool {
	var to *ir.Store
	for i := range l.Stores {
		if s := &l.Stores[i]; s.To.Buffer == b {
			if to != nil || s.Add || len(s.To.Index) > 0 {
				return false
			}
			to = s
		}
	}
	if to == nil {
		return false // written by a fold
	}
	for _, s := range l.Stores {
		if s.To.Buffer == a && (s.Pass >= to.Pass || s.Row != to.Row || s.Add || !sameAccess(s.To, to.To)) {
			return false
		}
		for _, i := range s.To.Index {
			if i.At.Buffer == a {
				return false
			}
		}
	}
	if p.reads[l] == nil {
		p.reads[l] = readsOf(l)
	}
	if !readBefore(l, p.reads[l], a, to) {
		return false
	}
	for _, f := range l.Folds {
		if f.To.Buffer == a {
			return false
		}
	}
	return true
}

func sameAccess(x, y ir.Access) bool {
	return x.Offset.Equal(y.Offset) && ir.Shape(x.Strides).Equal(y.Strides) && len(x.Index) == 0 && len(y.Index) == 0
}

// rowOf reports whether the indexed access x stays in the row that to writes.
func rowOf(x, to ir.Access, outer int) bool {
	return x.Offset.Equal(to.Offset) && len(x.Strides) == outer && ir.Shape(x.Strides).Equal(to.Strides[:outer])
}

// readBefore reports whether l, which reads when reads says, reads an element of
// a only until the store to writes the same one.
func readBefore(l *ir.LoopStep, reads map[*ir.Node]passesOf, a *ir.Buffer, to *ir.Store) bool {
	for n, x := range l.Loads {
		if slices.ContainsFunc(x.Index, func(i ir.Indirect) bool { return i.At.Buffer == a }) {
			return false
		}
		at, read := reads[n]
		switch {
		case x.Buffer != a || !read || a == to.To.Buffer && writesOwn(l, n, a):
		case len(x.Index) > 0:
			// One element of the row, read before the loop that writes it.
			if at.element >= 0 || at.row > to.Pass || to.Row || !rowOf(x, to.To, len(l.Outer)) {
				return false
			}
		case !sameAccess(x, to.To) || at.row > to.Pass || at.element > to.Pass || to.Row && at.element == to.Pass:
			return false
		}
	}
	return true
}

// passesOf is the last passes in which something is read: for a row's scalars,
// its folds and stores, and for elements; −1 for none.
type passesOf struct{ row, element int }

// readsOf says when the values that l finds in memory are read.
func readsOf(l *ir.LoopStep) map[*ir.Node]passesOf {
	r := &loopReads{l: l, out: map[*ir.Node]passesOf{}, known: map[*ir.Node]bool{}}
	for k, pass := range l.Passes {
		// The row's scalars, which stay known.
		r.pass, r.row, r.seen = k, true, map[*ir.Node]bool{}
		for _, n := range pass.Scalars {
			r.computed(n)
		}
		r.written()

		// The elements, which are forgotten when the pass ends.
		r.row, r.seen = false, map[*ir.Node]bool{}
		for _, n := range pass.Elements {
			r.computed(n)
		}
		for _, n := range pass.Reduces {
			r.visit(n.Args[0])
		}
		r.written()
		for _, n := range pass.Elements {
			delete(r.known, n)
		}
		for _, n := range pass.Reduces {
			r.known[n] = true
		}
	}
	return r.out
}

// loopReads is the state of readsOf.
type loopReads struct {
	l     *ir.LoopStep
	out   map[*ir.Node]passesOf
	known map[*ir.Node]bool // locals
	pass  int
	row   bool
	seen  map[*ir.Node]bool
}

// computed notes what computing n reads.
func (r *loopReads) computed(n *ir.Node) {
	if r.l.Copied[n] {
		r.read(n)
	} else {
		for _, a := range n.Args {
			r.visit(a)
		}
	}
	r.known[n] = true
}

// written notes what the stores and folds of the present pass read.
func (r *loopReads) written() {
	for _, s := range r.l.Stores {
		if s.Pass == r.pass && s.Row == r.row {
			r.visit(s.Node)
		}
	}
	for _, f := range r.l.Folds {
		if f.Pass != r.pass || f.Row != r.row {
			continue
		}
		r.visit(f.Node)
		if f.Scale != nil {
			r.visit(f.Scale)
		}
	}
}

// visit notes what is read where n is needed.
func (r *loopReads) visit(n *ir.Node) {
	if r.known[n] || r.seen[n] {
		return
	}
	r.seen[n] = true
	if _, ok := r.l.Loads[n]; ok {
		r.read(n)
		return
	}
	for _, a := range n.Args {
		r.visit(a)
	}
}

func (r *loopReads) read(n *ir.Node) {
	at, ok := r.out[n]
	if !ok {
		at = passesOf{-1, -1}
	}
	if r.row {
		at.row = r.pass
	} else {
		at.element = r.pass
	}
	r.out[n] = at
}

// merge makes a and b one buffer: the output where one of them is one, else
// the older, which then holds both values in turn.
func (p *placer) merge(a, b *ir.Buffer) {
	keep, gone := a, b
	if b.Storage == ir.InOutput {
		keep, gone = b, a
	}
	held := p.valuesOf(a)
	if keep == a && better(b.Name, a.Name) {
		a.Name = b.Name
	}
	for _, v := range p.valuesOf(b).list {
		held.add(v)
	}
	p.values[keep], keep.Values = held, held.list
	for _, step := range p.users[gone] {
		substitute(step, gone, keep)
	}

	// It is needed as long as both, and where both are.
	if p.homes[keep] != p.homes[gone] {
		p.homes[keep] = nil
	}
	p.users[keep] = append(p.users[keep], p.users[gone]...)
	p.first[keep] = p.first[a]
	for _, lives := range p.lives {
		l, ok := lives[gone]
		if !ok {
			continue
		}
		if k, both := lives[keep]; both {
			l = live{min(k.first, l.first), max(k.last, l.last)}
		}
		lives[keep] = l
		delete(lives, gone)
	}
}

// valuesOf is what b holds in turn, so far.
func (p *placer) valuesOf(b *ir.Buffer) *nameList {
	held := p.values[b]
	if held == nil {
		held = &nameList{has: map[string]bool{}}
		if len(b.Values) == 0 {
			held.add(b.Name)
		}
		for _, v := range b.Values {
			held.add(v)
		}
		p.values[b] = held
	}
	return held
}

// A nameList is names without repetitions.
type nameList struct {
	list []string
	has  map[string]bool
}

func (l *nameList) add(name string) {
	if !l.has[name] {
		l.has[name] = true
		l.list = append(l.list, name)
	}
}

// better reports whether name says more than old: a temporary's says nothing.
func better(name, old string) bool {
	return temporary(old) && !temporary(name)
}

func temporary(name string) bool {
	return name[0] == 't' && (len(name) == 1 || name[1] >= '0' && name[1] <= '9')
}

// CheckPlacement proves, on its own, that in every timeline of a plan each
// read is of a value written before, and no write hits memory that holds a
// value still to be read.
func CheckPlacement(plan *ir.Plan) error {
	for _, m := range plan.Models {
		for _, line := range modelTimelines(m) {
			if err := checkTimeline(line); err != nil {
				return fmt.Errorf("model %s: %w", m.Model.Name, err)
			}
		}
	}
	for _, f := range plan.Funcs {
		for _, e := range f.Entries {
			if err := checkTimeline(timeline{e.Proc}); err != nil {
				return fmt.Errorf("function %s%s: %w", f.Func.Name, e.Suffix, err)
			}
		}
	}
	return nil
}

// checkTimeline runs a timeline with owners instead of values: each slot is
// owned by the buffer last written to it.
func checkTimeline(line timeline) error {
	type place struct {
		elem ir.DType
		slot int
	}
	owner := map[place]*ir.Buffer{}
	written := map[*ir.Buffer]bool{}
	for _, proc := range line {
		for k, step := range proc.Steps {
			t := trafficOf(step)
			for _, b := range t.reads {
				switch b.Storage {
				case ir.InArena:
					if !written[b] || owner[place{b.Type.Elem, b.Slot}] != b {
						return fmt.Errorf("%s, step %d reads %s, which holds another value", proc.Name, k, b.Name)
					}
				case ir.InLocal, ir.InOutput:
					if !written[b] {
						return fmt.Errorf("%s, step %d reads %s before it is written", proc.Name, k, b.Name)
					}
				}
			}
			for _, b := range t.writes {
				written[b] = true
				if b.Storage == ir.InArena {
					owner[place{b.Type.Elem, b.Slot}] = b
				}
			}
		}
	}
	return nil
}

// modelTimelines is the ways in which a model's procedures follow one another.
func modelTimelines(m *ir.ModelPlan) []timeline {
	var lines []timeline
	for _, t := range m.Trains {
		lines = append(lines, followed(t.Forward, t.Backward, t.Gradient)...)
		lines = append(lines, followed(t.Update)...)
	}
	if c := m.Compose; c != nil {
		lines = append(lines, followed(c.Forward, c.Backward)...)
		lines = append(lines, followed(c.Update)...)
	}
	for _, proc := range []*ir.Procedure{m.Evaluate, m.Init, m.Reset, m.Predict} {
		lines = append(lines, followed(proc)...)
	}
	for _, x := range m.Exports {
		lines = append(lines, followed(x.Proc)...)
	}
	return lines
}

// followed is first alone, or followed by one of the others, of those that
// there are.
func followed(first *ir.Procedure, others ...*ir.Procedure) []timeline {
	if first == nil {
		return nil
	}
	lines := []timeline{{first}}
	for _, p := range others {
		if p != nil {
			lines = append(lines, timeline{first, p})
		}
	}
	return lines
}
