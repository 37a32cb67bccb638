package explain

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A predicate chooses buffers.
type predicate func(*ir.Buffer) bool

// holds chooses the buffers of a storage that hold what path names, alone or as
// one of all.
func holds(storage ir.Storage, path string) predicate {
	return func(b *ir.Buffer) bool { return b.Storage == storage && (b.Key == path || b.Key == "*") }
}

// updates chooses a parameter and the states of the optimiser that belong to
// it.
func updates(path string) predicate {
	param := holds(ir.InParam, path)
	return func(b *ir.Buffer) bool {
		return param(b) || b.Storage == ir.InState && (strings.HasPrefix(b.Key, path+".") || strings.HasPrefix(b.Key, "*."))
	}
}

// reading is the steps that read one of the buffers.
func reading(steps []*ir.Step, of predicate) []*ir.Step {
	var out []*ir.Step
	for _, s := range steps {
		if slices.ContainsFunc(trafficOf(s).reads, of) {
			out = append(out, s)
		}
	}
	return out
}

// needed is the steps that the final content of the buffers depends on, in
// their order.
func needed(steps []*ir.Step, of predicate) []*ir.Step {
	var out []*ir.Step
	live := map[*ir.Buffer]bool{}
	for _, s := range slices.Backward(steps) {
		t := trafficOf(s)
		if !slices.ContainsFunc(t.writes, func(b *ir.Buffer) bool { return live[b] || of(b) }) {
			continue
		}
		out = append(out, s)
		for _, b := range t.reads {
			if b.Storage == ir.InArena || b.Storage == ir.InLocal {
				live[b] = true
			}
		}
	}
	slices.Reverse(out)
	return out
}

// traffic is the buffers that a step reads and writes.
type traffic struct {
	reads, writes []*ir.Buffer
}

func trafficOf(s *ir.Step) traffic {
	var t traffic
	switch {
	case s.Product != nil:
		t.product(s.Product)
	case s.Loop != nil:
		t.loop(s.Loop)
	case s.Scalar != nil:
		t.writes = append(t.writes, s.Scalar.To)
		for _, a := range s.Scalar.Loads {
			t.access(a)
		}
	}
	return t
}

func (t *traffic) product(p *ir.ProductStep) {
	t.reads = append(t.reads, p.A.Buffer, p.B.Buffer)
	for _, b := range p.Loads {
		t.reads = append(t.reads, b)
	}
	if v, ok := p.Beta.Literal(); !ok || v != 0 {
		t.reads = append(t.reads, p.C.Buffer)
	}
	t.writes = append(t.writes, p.C.Buffer)
}

func (t *traffic) loop(l *ir.LoopStep) {
	for _, a := range l.Loads {
		t.access(a)
	}
	for _, s := range l.Stores {
		t.writes = append(t.writes, s.To.Buffer)
		t.indices(s.To)
	}
	for _, f := range l.Folds {
		t.writes = append(t.writes, f.To.Buffer)
		t.indices(f.To)
	}
}

// access is a read, with the indices that it needs.
func (t *traffic) access(a ir.Access) {
	t.reads = append(t.reads, a.Buffer)
	t.indices(a)
}

func (t *traffic) indices(a ir.Access) {
	for _, i := range a.Index {
		t.access(i.At)
	}
}
