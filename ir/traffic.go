package ir

// traffic is the buffers that a step reads and writes.
type traffic struct {
	reads, writes []*Buffer
}

// Traffic is the buffers that a step reads and those that it writes, in no
// certain order; one that it adds to is in both.
func (s *Step) Traffic() (reads, writes []*Buffer) {
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
	case s.Call != nil:
		t.call(s.Call)
	}
	return t.reads, t.writes
}

// call is what the routine reads and write.
func (t *traffic) call(c *CallStep) {
	for _, s := range c.Routine.Steps {
		reads, writes := s.Traffic()
		t.reads, t.writes = append(t.reads, reads...), append(t.writes, writes...)
	}
}

func (t *traffic) product(p *ProductStep) {
	t.reads = append(t.reads, p.A.Buffer, p.B.Buffer)
	for _, b := range p.Loads {
		t.reads = append(t.reads, b)
	}
	if v, ok := p.Beta.Literal(); !ok || v != 0 {
		t.reads = append(t.reads, p.C.Buffer)
	}
	t.writes = append(t.writes, p.C.Buffer)
}

func (t *traffic) loop(l *LoopStep) {
	for _, a := range l.Loads {
		t.access(a)
	}
	for _, s := range l.Stores {
		t.writes = append(t.writes, s.To.Buffer)
		if s.Add {
			t.reads = append(t.reads, s.To.Buffer)
		}
		t.indices(s.To)
	}
	for _, f := range l.Folds {
		t.writes = append(t.writes, f.To.Buffer)
		if f.Keep {
			t.reads = append(t.reads, f.To.Buffer)
		}
		t.indices(f.To)
	}
}

// access is a read, with the indices that it needs.
func (t *traffic) access(a Access) {
	t.reads = append(t.reads, a.Buffer)
	t.indices(a)
}

func (t *traffic) indices(a Access) {
	for _, i := range a.Index {
		t.access(i.At)
	}
}
