package passes

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// traffic is what a step reads and writes.
type traffic struct {
	reads, writes []*ir.Buffer
}

// trafficOf lists the buffers of a step, those it adds to among both.
func trafficOf(step *ir.Step) traffic {
	var t traffic
	var access func(a ir.Access)
	access = func(a ir.Access) {
		t.reads = append(t.reads, a.Buffer)
		for _, i := range a.Index {
			access(i.At)
		}
	}
	switch {
	case step.Product != nil:
		p := step.Product
		t.reads = append(t.reads, p.A.Buffer, p.B.Buffer)
		for _, b := range p.Loads {
			t.reads = append(t.reads, b)
		}
		if v, ok := p.Beta.Literal(); !ok || v != 0 {
			t.reads = append(t.reads, p.C.Buffer)
		}
		t.writes = append(t.writes, p.C.Buffer)
	case step.Scalar != nil:
		for _, a := range step.Scalar.Loads {
			access(a)
		}
		t.writes = append(t.writes, step.Scalar.To)
	case step.Loop != nil:
		t.loop(step.Loop, access)
	}
	return t
}

func (t *traffic) loop(l *ir.LoopStep, access func(ir.Access)) {
	stored := map[*ir.Buffer]bool{}
	for _, s := range l.Stores {
		t.writes = append(t.writes, s.To.Buffer)
		stored[s.To.Buffer] = true
		for _, i := range s.To.Index {
			access(i.At)
		}
		if s.Add {
			t.reads = append(t.reads, s.To.Buffer)
		}
	}
	for n, a := range l.Loads {
		if stored[a.Buffer] && writesOwn(l, n, a.Buffer) {
			continue // it reads back what it has written itself
		}
		access(a)
	}
	for _, f := range l.Folds {
		t.writes = append(t.writes, f.To.Buffer)
		if f.Keep {
			t.reads = append(t.reads, f.To.Buffer)
		}
	}
}

// writesOwn reports whether the loop stores n, or what n looks at, to b.
func writesOwn(l *ir.LoopStep, n *ir.Node, b *ir.Buffer) bool {
	for _, s := range l.Stores {
		if s.To.Buffer == b && (s.Node == n && !l.Copied[n] || n.Is("pick") && n.Args[0] == s.Node) {
			return true
		}
	}
	return false
}

// order sorts the steps so that whatever a step reads has been written, and
// what is updated (parameters, states) has been read by everyone before. Else
// the order stays. Where updates wait for each other, or a step would read what
// it has overwritten, the new value takes a detour.
func (s *scheduler) order() {
	for s.dropUnread() {
	}
	for _, step := range s.proc.Steps {
		for _, b := range trafficOf(step).writes {
			if updated(b) && clobbers(step, b) {
				s.detour(b)
			}
		}
	}
	for {
		sorted, cycle := newSequence(s.proc.Steps).sorted()
		if cycle == nil {
			s.proc.Steps = sorted
			return
		}
		s.detour(cycle)
	}
}

// A sequence is steps with what must come before each.
type sequence struct {
	steps  []*ir.Step
	before [][]wait
}

// wait is an earlier step; one for the sake of an update comes earlier because
// it reads the old value of a buffer.
type wait struct {
	step   int
	update *ir.Buffer
}

// newSequence finds out which steps wait for which, in time linear in what they
// read and write.
func newSequence(steps []*ir.Step) *sequence {
	q := &sequence{steps: steps, before: make([][]wait, len(steps))}
	wrote := map[*ir.Buffer]int{}     // the last step that did
	readers := map[*ir.Buffer][]int{} // since then; of what is updated, all
	after := func(j, i int) {
		if i != j {
			q.before[j] = append(q.before[j], wait{step: i})
		}
	}
	updates := map[*ir.Buffer]int{} // the first step that writes
	var order []*ir.Buffer
	for j, step := range steps {
		t := trafficOf(step)
		for _, r := range t.reads {
			if i, ok := wrote[r]; ok && !updated(r) {
				after(j, i)
			}
			if !updated(r) || !slices.Contains(t.writes, r) {
				readers[r] = append(readers[r], j)
			}
		}
		for _, w := range t.writes {
			if i, ok := wrote[w]; ok {
				after(j, i)
			} else if updated(w) {
				updates[w] = j
				order = append(order, w)
			}
			if !updated(w) {
				for _, i := range readers[w] {
					after(j, i)
				}
				readers[w] = nil
			}
			wrote[w] = j
		}
	}
	for _, b := range order {
		for _, i := range readers[b] {
			if j := updates[b]; i != j {
				q.before[j] = append(q.before[j], wait{i, b})
			}
		}
	}
	for _, w := range q.before {
		slices.SortStableFunc(w, func(x, y wait) int { return x.step - y.step })
	}
	return q
}

// sorted is the steps in an order in which none comes too early; depth first
// from each step in turn keeps their order where it is free. Where there is
// none, cycle is a buffer whose update waits for itself.
func (q *sequence) sorted() (out []*ir.Step, cycle *ir.Buffer) {
	const open, done = 1, 2
	state := make([]int, len(q.steps))
	var path []wait
	var visit func(i int)
	visit = func(i int) {
		state[i] = open
		for _, w := range q.before[i] {
			path = append(path, w)
			switch {
			case cycle != nil || state[w.step] == done:
			case state[w.step] == open:
				cycle = updateIn(path, w.step)
			default:
				visit(w.step)
			}
			path = path[:len(path)-1]
		}
		state[i] = done
		out = append(out, q.steps[i])
	}
	for i := range q.steps {
		if state[i] == 0 {
			visit(i)
		}
	}
	return out, cycle
}

// updateIn is a buffer that is updated on the way from step i back to it: only
// for the sake of updates is a step before an earlier one.
func updateIn(path []wait, i int) *ir.Buffer {
	for k := len(path) - 1; k >= 0; k-- {
		if path[k].update != nil {
			return path[k].update
		}
	}
	panic("passes: steps wait for each other without an update")
}

// detour computes the new value of b in the arena and copies it at the end.
func (s *scheduler) detour(b *ir.Buffer) {
	to := &ir.Buffer{Name: s.outer.fresh(b.Name + "New"), Type: b.Type, Storage: ir.InArena}
	var steps []*ir.Step
	started := false
	for _, step := range s.proc.Steps {
		t := trafficOf(step)
		if slices.Contains(t.writes, b) {
			if !started && accumulates(step, b) {
				steps = append(steps, s.copyStep(b, to)) // it starts with the old value
			}
			started = true
			redirect(step, b, to)
		}
		steps = append(steps, step)
	}
	s.proc.Steps = append(steps, s.copyStep(to, b))
}

// copyStep copies a buffer to another.
func (s *scheduler) copyStep(from, to *ir.Buffer) *ir.Step {
	x := s.g.NewArg(from.Type)
	step, shape := &ir.Step{}, from.Type.Shape
	step.State(to.Name+" = "+from.Name, shape, nil)
	a := ir.Access{Buffer: from, Strides: rowMajor(shape)}
	if len(shape) == 0 {
		step.Scalar = &ir.ScalarStep{To: to, Value: x, Loads: map[*ir.Node]ir.Access{x: a}}
		return step
	}
	split := len(shape) - 1
	step.Loop = &ir.LoopStep{
		Outer: shape[:split], Inner: shape[split:], Passes: []ir.Pass{{}}, Loads: map[*ir.Node]ir.Access{x: a},
		Stores: []ir.Store{{Node: x, To: ir.Access{Buffer: to, Strides: rowMajor(shape)}}},
	}
	return step
}

// accumulates reports whether the value that a step leaves in b is made of the
// one before.
func accumulates(step *ir.Step, b *ir.Buffer) bool {
	switch {
	case step.Product != nil:
		v, ok := step.Product.Beta.Literal()
		return !ok || v != 0
	case step.Loop != nil:
		return slices.ContainsFunc(step.Loop.Stores, func(x ir.Store) bool { return x.To.Buffer == b && x.Add }) ||
			slices.ContainsFunc(step.Loop.Folds, func(f ir.Fold) bool { return f.To.Buffer == b && f.Keep })
	}
	return false
}

// clobbers reports whether a step that writes b may read an element of b after
// it has written there.
func clobbers(step *ir.Step, b *ir.Buffer) bool {
	switch {
	case step.Product != nil:
		return step.Product.A.Buffer == b || step.Product.B.Buffer == b
	case step.Loop == nil:
		return false
	}
	l := step.Loop
	reads := false
	for n, a := range l.Loads {
		reads = reads || a.Buffer == b && !writesOwn(l, n, b)
	}
	if !reads {
		return false
	}
	var to *ir.Store
	for i := range l.Stores {
		if s := &l.Stores[i]; s.To.Buffer == b {
			if to != nil || s.Add || len(s.To.Index) > 0 {
				return true
			}
			to = s
		}
	}
	return to == nil || !readBefore(l, readsOf(l), b, to)
}

// dropUnread removes scalars that no step and no caller reads: what needed them
// has found them elsewhere.
func (s *scheduler) dropUnread() bool {
	read := map[*ir.Buffer]bool{}
	for _, b := range s.proc.Results {
		read[b] = true
	}
	for _, step := range s.proc.Steps {
		for _, b := range trafficOf(step).reads {
			read[b] = true
		}
	}
	before := len(s.proc.Steps)
	s.proc.Steps = slices.DeleteFunc(s.proc.Steps, func(step *ir.Step) bool {
		return step.Scalar != nil && step.Scalar.To.Storage == ir.InLocal && !read[step.Scalar.To]
	})
	return len(s.proc.Steps) < before
}

// updated reports whether reads of b mean its value from before the procedure.
func updated(b *ir.Buffer) bool {
	return b.Storage == ir.InParam || b.Storage == ir.InState && !strings.HasSuffix(b.Key, ir.NextKey)
}

// redirect makes a step write to another buffer instead of from; what it reads
// back of that moves along.
func redirect(step *ir.Step, from, to *ir.Buffer) {
	swap := func(b **ir.Buffer) {
		if *b == from {
			*b = to
		}
	}
	for formula, b := range step.Places {
		if b == from {
			step.Places[formula] = to
		}
	}
	switch {
	case step.Product != nil:
		swap(&step.Product.C.Buffer)
	case step.Scalar != nil:
		swap(&step.Scalar.To)
	case step.Loop != nil:
		l := step.Loop
		for n, a := range l.Loads {
			if a.Buffer == from && writesOwn(l, n, from) {
				a.Buffer = to
				l.Loads[n] = a
			}
		}
		for i := range l.Stores {
			swap(&l.Stores[i].To.Buffer)
		}
		for i := range l.Folds {
			swap(&l.Folds[i].To.Buffer)
		}
	}
}

// substitute makes a step use another buffer instead of from.
func substitute(step *ir.Step, from, to *ir.Buffer) {
	swap := func(b **ir.Buffer) {
		if *b == from {
			*b = to
		}
	}
	for formula, b := range step.Places {
		if b == from {
			step.Places[formula] = to
		}
	}
	var access func(a *ir.Access)
	access = func(a *ir.Access) {
		swap(&a.Buffer)
		for i := range a.Index {
			access(&a.Index[i].At)
		}
	}
	switch {
	case step.Product != nil:
		p := step.Product
		swap(&p.A.Buffer)
		swap(&p.B.Buffer)
		swap(&p.C.Buffer)
	case step.Scalar != nil:
		swap(&step.Scalar.To)
		for n, a := range step.Scalar.Loads {
			access(&a)
			step.Scalar.Loads[n] = a
		}
	case step.Loop != nil:
		l := step.Loop
		for n, a := range l.Loads {
			access(&a)
			l.Loads[n] = a
		}
		for i := range l.Stores {
			access(&l.Stores[i].To)
		}
		for i := range l.Folds {
			access(&l.Folds[i].To)
		}
	}
}
