package ir

import "slices"

// Step is s as the step of a loss has it: what reads a write that the step does
// not make reads the state as the write before left it. A state has one write,
// the last that is made, and the marks of writes and applications are gone. The
// step of the unnamed loss, and what is no step of a loss, makes all writes.
func (s *Side) Step(g *Graph, loss string) *Side {
	if s == nil {
		return nil
	}
	made := func(Write) bool { return true }
	if loss != "" {
		made = s.scope(s.Loss(loss)).makes
	}

	// Writes in their order: each reads the ones before it.
	rw := &rewriter{g: g, f: s.unmark(g), done: map[*Node]*Node{}}
	last := map[*State]*Node{}
	var states []*State
	for _, w := range s.Writes {
		if made(w) {
			if last[w.State] == nil {
				states = append(states, w.State)
			}
			last[w.State] = rw.node(w.Value)
		}
		if w.Read != nil {
			rw.done[w.Read] = w.State.Node
			if v := last[w.State]; v != nil {
				rw.done[w.Read] = v
			}
		}
	}
	list := func(values []Named) []Named {
		out := slices.Clone(values)
		for i := range out {
			out[i].Node = rw.node(out[i].Node)
		}
		return out
	}
	out := &Side{Outputs: list(s.Outputs), Losses: list(s.Losses), Metrics: list(s.Metrics)}
	for _, state := range states {
		out.Writes = append(out.Writes, Write{State: state, Value: last[state]})
	}
	return out
}

// unmark puts the operands of the marks of applications in their places.
func (s *Side) unmark(g *Graph) func(*Node) *Node {
	marks := map[string]bool{}
	for _, w := range s.Writes {
		for _, n := range w.Of {
			marks[n.Attr.Name] = true
		}
	}
	return func(n *Node) *Node {
		if n.Is("pin") && marks[n.Attr.Name] {
			g.CopyOrigin(n.Args[0], n)
			return n.Args[0]
		}
		return n
	}
}

// Runs reports whether the step of a loss runs every application of a write
// that n is computed by: a metric of another application is not reported.
func (s *Side) Runs(loss string, n *Node) bool {
	if loss == "" {
		return true
	}
	step, needed := s.scope(s.Loss(loss)), s.scope(n)
	return !slices.ContainsFunc(s.Writes, func(w Write) bool { return needed.makes(w) && !step.makes(w) })
}

// A scope is what a step computes of a side. A write that it reads it need not
// make.
type scope struct {
	computed map[*Node]bool
	reads    map[*Node]bool // of the writes: what lies below one is not looked at
}

// scope is all that a step must compute for root: the writes that stand in the
// model, those of the applications that it runs, and what these take in turn.
func (s *Side) scope(root *Node) *scope {
	out := &scope{map[*Node]bool{}, map[*Node]bool{}}
	for _, w := range s.Writes {
		out.reads[w.Read] = true
	}
	out.visit(root)
	made := make([]bool, len(s.Writes))
	for again := true; again; {
		again = false
		for i, w := range s.Writes {
			if !made[i] && out.makes(w) {
				made[i], again = true, true
				out.visit(w.Value)
			}
		}
	}
	return out
}

// visit adds n and what it is computed of.
func (s *scope) visit(n *Node) {
	if s.computed[n] || s.reads[n] {
		return
	}
	s.computed[n] = true
	for _, a := range n.Operands() {
		s.visit(a)
	}
}

// makes reports whether the write is made: it stands in the model, or its
// application is run.
func (s *scope) makes(w Write) bool {
	return len(w.Of) == 0 || slices.ContainsFunc(w.Of, func(n *Node) bool { return s.computed[n] })
}
