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
		if s.To.Buffer == b && (s.Node == n || n.Is("pick") && n.Args[0] == s.Node) {
			return true
		}
	}
	return false
}

// order sorts the steps so that whatever a step reads has been written, and
// what is updated (parameters, states) has been read by everyone before. Else
// the order stays.
func (s *scheduler) order() {
	for s.dropUnread() {
	}
	steps := s.proc.Steps
	flow := make([]traffic, len(steps))
	for i, step := range steps {
		flow[i] = trafficOf(step)
	}
	before := make([][]int, len(steps)) // steps that must come first
	for i := range steps {
		for j := range steps {
			if i != j && s.precedes(flow, i, j) {
				before[j] = append(before[j], i)
			}
		}
	}

	// Depth first from each step in turn keeps the order where it is free.
	var sorted []*ir.Step
	state := make([]int, len(steps))
	var visit func(i int)
	visit = func(i int) {
		if state[i] != 0 {
			if state[i] == 1 {
				s.fail("the steps of %s wait for each other", s.proc.Name)
			}
			return
		}
		state[i] = 1
		for _, j := range before[i] {
			visit(j)
		}
		state[i] = 2
		sorted = append(sorted, steps[i])
	}
	for i := range steps {
		visit(i)
	}
	s.proc.Steps = sorted
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

// precedes reports whether step i must come before step j.
func (s *scheduler) precedes(flow []traffic, i, j int) bool {
	for _, w := range flow[j].writes {
		for _, r := range flow[i].reads {
			if r != w {
				continue
			}
			if updated(w) || i < j {
				return !updated(w) || !contains2(flow[i].writes, w) || i < j
			}
		}
		for _, v := range flow[i].writes {
			if v == w && i < j {
				return true
			}
		}
	}
	for _, r := range flow[j].reads {
		for _, w := range flow[i].writes {
			if r == w && !updated(w) && i < j {
				return true
			}
		}
	}
	return false
}

// updated reports whether reads of b mean its value from before the procedure.
func updated(b *ir.Buffer) bool {
	return b.Storage == ir.InParam || b.Storage == ir.InState && !strings.HasSuffix(b.Key, ir.NextKey)
}

func contains2(set []*ir.Buffer, b *ir.Buffer) bool {
	for _, x := range set {
		if x == b {
			return true
		}
	}
	return false
}

// substitute makes a step use another buffer instead of from.
func substitute(step *ir.Step, from, to *ir.Buffer) {
	swap := func(b **ir.Buffer) {
		if *b == from {
			*b = to
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
