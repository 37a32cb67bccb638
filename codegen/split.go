package codegen

import (
	"slices"

	"gradgen.dev/ir"
)

// A split cuts a procedure into stretches that are printed as functions. Memory
// is there for all of them; variables are computed again where that is cheap,
// and handed on where it is not.
type split struct {
	p       *ir.Procedure
	lengths []int          // statements of each step
	memory  [][]*ir.Buffer // what each step uses
	again   map[*ir.Buffer]*ir.Step

	variables   []*ir.Buffer       // in the order in which they are set
	first, last map[*ir.Buffer]int // steps that set a variable, and use it last
	open, bound []int              // how many variables cross into each step; those for the caller
}

func newSplit(p *ir.Procedure, lengths []int) *split {
	s := &split{p: p, lengths: lengths, again: cheap(p), first: map[*ir.Buffer]int{}, last: map[*ir.Buffer]int{}}
	for i, step := range p.Steps {
		s.memory = append(s.memory, buffersOf(&ir.Procedure{Steps: []*ir.Step{step}}))
		for _, b := range variablesOf(step) {
			if _, ok := s.first[b]; !ok {
				s.variables, s.first[b] = append(s.variables, b), i
			}
			s.last[b] = i
		}
	}
	for _, b := range p.Results {
		if isVariable(b) {
			s.last[b] = len(p.Steps)
		}
	}
	s.countCrossing()
	return s
}

// countCrossing counts what crossing lists, for all steps at once.
func (s *split) countCrossing() {
	s.open, s.bound = make([]int, len(s.p.Steps)+2), make([]int, len(s.p.Steps)+2)
	for _, b := range s.variables {
		counts := [][]int{s.open}
		switch {
		case s.again[b] != nil:
			continue
		case b.Storage == ir.InOutput:
			counts = append(counts, s.bound)
		}
		for _, c := range counts {
			c[s.first[b]+1]++
			c[s.last[b]+1]--
		}
	}
	for at := 1; at < len(s.open); at++ {
		s.open[at] += s.open[at-1]
		s.bound[at] += s.bound[at-1]
	}
}

// isVariable reports whether b is no memory: a local scalar, or one that is
// handed to the caller at the end.
func isVariable(b *ir.Buffer) bool {
	return b.Storage == ir.InLocal || b.Storage == ir.InOutput && b.Type.Rank() == 0
}

// variablesOf is the variables that a step uses or sets.
func variablesOf(step *ir.Step) []*ir.Buffer {
	return slices.DeleteFunc(buffersOf(&ir.Procedure{Steps: []*ir.Step{step}}), func(b *ir.Buffer) bool { return !isVariable(b) })
}

// cheap is the steps that set local scalars from numbers, inputs and each other:
// they may be made again.
func cheap(p *ir.Procedure) map[*ir.Buffer]*ir.Step {
	out := map[*ir.Buffer]*ir.Step{}
	for _, s := range p.Steps {
		if s.Scalar == nil || s.Scalar.To.Storage != ir.InLocal {
			continue
		}
		fixed := true
		for _, from := range s.Scalar.Loads {
			b := from.Buffer
			fixed = fixed && (out[b] != nil || b.Storage == ir.InInput || b.Storage == ir.InTable)
		}
		if fixed {
			out[s.Scalar.To] = s
		}
	}
	return out
}

// end is where the stretch that starts with step from ends: as late as its
// length allows, but, unless that halves it, where no variable is handed on.
func (s *split) end(from int) int {
	end, clean, length := len(s.p.Steps), 0, 0
	used := map[*ir.Buffer]bool{}
	for to := from + 1; to <= len(s.p.Steps); to++ {
		length += s.lengths[to-1]
		for _, b := range s.memory[to-1] {
			used[b] = true // a line of the prologue
		}
		if s.bound[to] > 0 {
			continue // the function that sets it hands it to the caller
		}
		if length+len(used) > mostStatements && end < len(s.p.Steps) {
			break
		}
		if end = to; s.open[to] == 0 && 2*(length+len(used)) > mostStatements {
			clean = to
		}
	}
	if clean > 0 && end < len(s.p.Steps) {
		return clean
	}
	return end
}

// crossing is the variables that are set before step at, used from there on, and
// not made again.
func (s *split) crossing(at int) []*ir.Buffer {
	return slices.DeleteFunc(slices.Clone(s.variables), func(b *ir.Buffer) bool {
		return s.first[b] >= at || s.last[b] < at || s.again[b] != nil
	})
}

// takes is the variables that the steps from from to to, and behind the last the
// results, need of those before.
func (s *split) takes(from, to int) []*ir.Buffer {
	need := map[*ir.Buffer]bool{}
	for _, step := range s.p.Steps[from:to] {
		for _, b := range variablesOf(step) {
			need[b] = true
		}
	}
	return slices.DeleteFunc(s.crossing(from), func(b *ir.Buffer) bool {
		return !need[b] && !(to == len(s.p.Steps) && s.last[b] == to)
	})
}

// gives is the variables that the steps from from to to set and later ones use.
func (s *split) gives(from, to int) []*ir.Buffer {
	if to == len(s.p.Steps) {
		return nil
	}
	return slices.DeleteFunc(s.crossing(to), func(b *ir.Buffer) bool { return s.first[b] < from })
}

// steps is those from from to to, behind the scalars from before that they need,
// made again, and without those that only later ones need.
func (s *split) steps(from, to int) []*ir.Step {
	var needed []*ir.Buffer
	if to == len(s.p.Steps) {
		needed = s.p.Results
	}
	need := map[*ir.Buffer]bool{}
	for _, b := range needed {
		need[b] = true
	}
	var out []*ir.Step
	for i, step := range slices.Backward(s.p.Steps[:to]) {
		again := step.Scalar != nil && s.again[step.Scalar.To] == step
		if again && !need[step.Scalar.To] || !again && i < from {
			continue
		}
		for _, b := range variablesOf(step) {
			need[b] = true
		}
		out = append(out, step)
	}
	slices.Reverse(out)
	return out
}
