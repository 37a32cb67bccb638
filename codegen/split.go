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
	cheap   []int // the steps that again has
	outputs bool  // scalars that are handed back are variables

	variables   []*ir.Buffer       // in the order in which they are set
	first, last map[*ir.Buffer]int // steps that set a variable, and use it last
	live, bound []int              // how many variables cross each cut, and how many of them the caller gets
}

// newSplit is a split of p, whose steps have lengths. Where outputs is set,
// scalars that are handed back are variables until the end.
func newSplit(p *ir.Procedure, lengths []int, outputs bool) *split {
	s := &split{p: p, lengths: lengths, again: cheap(p), outputs: outputs, first: map[*ir.Buffer]int{}, last: map[*ir.Buffer]int{}}
	for i, step := range p.Steps {
		s.memory = append(s.memory, buffersOf(&ir.Procedure{Steps: []*ir.Step{step}}))
		if s.isAgain(step) {
			s.cheap = append(s.cheap, i)
		}
		for _, b := range s.variablesOf(step) {
			if _, ok := s.first[b]; !ok {
				s.variables, s.first[b] = append(s.variables, b), i
			}
			s.last[b] = i
		}
	}
	for _, b := range p.Results {
		if s.isVariable(b) {
			s.last[b] = len(p.Steps)
		}
	}
	return s
}

// isVariable reports whether b is no memory: a local scalar, or one that is
// handed to the caller at the end.
func (s *split) isVariable(b *ir.Buffer) bool {
	return b.Storage == ir.InLocal || s.outputs && b.Storage == ir.InOutput && b.Type.Rank() == 0
}

// variablesOf is the variables that a step uses or sets.
func (s *split) variablesOf(step *ir.Step) []*ir.Buffer {
	return slices.DeleteFunc(buffersOf(&ir.Procedure{Steps: []*ir.Step{step}}), func(b *ir.Buffer) bool { return !s.isVariable(b) })
}

// mostAgain is how many statements it may take to make a scalar again.
const mostAgain = 4

// cheap is the steps that set local scalars from numbers, inputs and a few such
// scalars: they may be made again.
func cheap(p *ir.Procedure) map[*ir.Buffer]*ir.Step {
	out, cost := map[*ir.Buffer]*ir.Step{}, map[*ir.Buffer]int{}
	for _, s := range p.Steps {
		if s.Scalar == nil || s.Scalar.To.Storage != ir.InLocal {
			continue
		}
		fixed, c := true, 1
		for _, from := range s.Scalar.Loads {
			b := from.Buffer
			fixed = fixed && (out[b] != nil || b.Storage == ir.InInput || b.Storage == ir.InTable)
			c += cost[b]
		}
		if fixed && c <= mostAgain {
			out[s.Scalar.To], cost[s.Scalar.To] = s, c
		}
	}
	return out
}

// end is where the stretch that starts with step from ends: as late as its
// length allows, but, unless that halves it, where no variable is handed on.
func (s *split) end(from int) int {
	if s.live == nil {
		s.count()
	}
	end, clean, length := len(s.p.Steps), 0, 0
	used := map[*ir.Buffer]bool{}
	again := map[*ir.Buffer]bool{}
	for to := from + 1; to <= len(s.p.Steps); to++ {
		length += s.lengths[to-1]
		for _, b := range s.memory[to-1] {
			used[b] = true // a line of the prologue
		}
		length += s.anew(s.p.Steps[to-1], from, again)
		if s.bound[to] > 0 {
			continue // the function that sets it hands it to the caller
		}
		if length+len(used) > mostStatements && end < len(s.p.Steps) {
			break
		}
		if end = to; s.live[to] == 0 && 2*(length+len(used)) > mostStatements {
			clean = to
		}
	}
	if clean > 0 && end < len(s.p.Steps) {
		return clean
	}
	return end
}

// count finds how many variables cross each cut, the one before step i at i.
func (s *split) count() {
	n := len(s.p.Steps)
	s.live, s.bound = make([]int, n+2), make([]int, n+2)
	for _, b := range s.variables {
		if s.again[b] != nil {
			continue
		}
		for _, of := range [][]int{s.live, s.bound} {
			of[s.first[b]+1]++
			of[s.last[b]+1]--
			if b.Storage != ir.InOutput {
				break // counts as live alone
			}
		}
	}
	for i := range n + 1 {
		s.live[i+1] += s.live[i]
		s.bound[i+1] += s.bound[i]
	}
}

// anew is how many scalars from before from have to be made again for a step,
// beside those that are.
func (s *split) anew(step *ir.Step, from int, have map[*ir.Buffer]bool) int {
	n := 0
	for _, b := range s.variablesOf(step) {
		if s.again[b] != nil && s.first[b] < from && !have[b] {
			have[b] = true
			n += 1 + s.anew(s.again[b], from, have)
		}
	}
	return n
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
		for _, b := range s.variablesOf(step) {
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
	take := func(step *ir.Step, again bool) {
		if again && !need[step.Scalar.To] {
			return
		}
		for _, b := range s.variablesOf(step) {
			need[b] = true
		}
		out = append(out, step)
	}
	for _, step := range slices.Backward(s.p.Steps[from:to]) {
		take(step, s.isAgain(step))
	}
	before, _ := slices.BinarySearch(s.cheap, from)
	for _, i := range slices.Backward(s.cheap[:before]) {
		take(s.p.Steps[i], true)
	}
	slices.Reverse(out)
	return out
}

// isAgain reports whether a step sets a scalar that may be made again.
func (s *split) isAgain(step *ir.Step) bool {
	return step.Scalar != nil && s.again[step.Scalar.To] == step
}
