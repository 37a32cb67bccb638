package passes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// planUpdate plans a train's step for a given gradient. Parameters that share a
// rule are updated by one loop: over all of them where they lie one after
// another and nothing else is updated, else in a function that is called with
// each run of them.
func (c *modelCompiler) planUpdate(r *rules, name string) *ir.Procedure {
	shared, alone := c.classes(r)
	if len(shared) > 0 {
		if p := c.planShared(r, name, shared, alone); p != nil {
			r.sortStates()
			return p
		}
	}
	up := c.child(c.root)
	bindGrads(up, r, upTo(len(r.train.Updates)))
	return up.procedure(name, slices.Concat(c.updateTargets(r, r.next), c.stateTargets(r)), nil)
}

// bindGrads gives the gradients of some updates their buffers.
func bindGrads(pl *planner, r *rules, updates []int) {
	for _, i := range updates {
		u := r.train.Updates[i]
		pl.buffer[u.Grad] = gradBuffer(u.Param)
		pl.names.show(u.Grad, "d"+u.Param.Path)
	}
}

// planShared plans an update by classes. It is nil where a class with several
// runs needs scratch memory.
func (c *modelCompiler) planShared(r *rules, name string, shared []*class, alone []int) *ir.Procedure {
	up := c.child(c.root)
	bindGrads(up, r, alone)
	var targets []target
	for _, i := range alone {
		targets = append(targets, c.targetsOf(r, i)...)
	}
	inPlace := len(shared) == 1 && len(alone) == 0 && len(shared[0].runs) == 1
	taken := map[string]bool{}
	for i, x := range shared {
		shape, key := ir.Shape{}, ""
		var rule *ir.Routine
		if inPlace {
			shape = append(shape, x.runs[0].Size())
		} else {
			rule = newRule(r.train.Updates[x.updates[0]], taken, up.names.fresh("n"))
			shape, key = append(shape, ir.DimVar(rule.Size)), fmt.Sprint(i)
		}
		x = x.over(r, shape, key)
		x.rule = rule
		targets = append(targets, x.bind(up)...)
		shared[i] = x
	}
	p := up.procedure(name, targets, nil)
	if !inPlace && !c.extract(p, shared) {
		return nil
	}
	return p
}

// targetsOf is what one update sets.
func (c *modelCompiler) targetsOf(r *rules, i int) []target {
	u := r.train.Updates[i]
	out := c.updateTargets(r, r.next)[i : i+1]
	for _, t := range c.stateTargets(r) {
		if u.Average != nil && t.leaf == u.Average.State.Node || slices.ContainsFunc(u.States, func(w ir.Write) bool { return w.State.Node == t.leaf }) {
			out = append(out, t)
		}
	}
	return out
}

// newRule is the function of a class to which u belongs, called after the
// optimiser and its decay.
func newRule(u *ir.Update, taken map[string]bool, size string) *ir.Routine {
	base, _, _ := strings.Cut(u.Rule, "(")
	base, text := localName(base), u.Rule
	if u.Decay != "" {
		base, text = base+"Decay", text+", decay "+u.Decay
	}
	name := base
	for i := 2; taken[name]; i++ {
		name = fmt.Sprint(base, i)
	}
	taken[name] = true
	return &ir.Routine{Name: name, Text: text, Size: size}
}

// extract moves the steps of each class into its rule, and calls the rules at
// the end, in the order of the parameters. It reports whether the rules need no
// scratch memory: what they read is their own, or scalars.
func (c *modelCompiler) extract(p *ir.Procedure, shared []*class) bool {
	var rest []*ir.Step
	for _, s := range p.Steps {
		k := slices.IndexFunc(shared, func(x *class) bool { return x.uses(s) })
		if k < 0 {
			rest = append(rest, s)
			continue
		}
		if !shared[k].take(s) {
			return false
		}
	}
	type call struct {
		at   int
		step *ir.Step
	}
	set := map[*ir.Buffer]int{}
	for i, s := range rest {
		if s.Scalar != nil {
			set[s.Scalar.To] = i
		}
	}
	var calls []call
	for _, x := range shared {
		slices.SortFunc(x.rule.Takes, func(a, b *ir.Buffer) int { return set[a] - set[b] })
		x.rule.Args, x.rule.Runs = x.args, x.runs
		for _, run := range x.runs {
			calls = append(calls, call{slices.Index(c.m.Params, run[0]), &ir.Step{Call: &ir.CallStep{Routine: x.rule, Run: run}}})
		}
	}
	slices.SortFunc(calls, func(a, b call) int { return cmp.Compare(a.at, b.at) })
	p.Steps = rest
	for _, x := range calls {
		p.Steps = append(p.Steps, x.step)
	}
	return true
}

// uses reports whether a step works on the buffers of the class.
func (x *class) uses(s *ir.Step) bool {
	reads, writes := s.Traffic()
	return slices.ContainsFunc(slices.Concat(reads, writes), func(b *ir.Buffer) bool { return slices.Contains(x.args, b) })
}

// take moves a step into the rule; false where it needs other memory.
func (x *class) take(s *ir.Step) bool {
	reads, writes := s.Traffic()
	for _, b := range reads {
		switch {
		case slices.Contains(x.args, b), slices.Contains(x.rule.Takes, b):
		case b.Storage == ir.InLocal:
			x.rule.Takes = append(x.rule.Takes, b)
		default:
			return false
		}
	}
	x.rule.Steps = append(x.rule.Steps, s)
	return !slices.ContainsFunc(writes, func(b *ir.Buffer) bool { return !slices.Contains(x.args, b) })
}

// sortStates sorts the states of a train by the name that their rule gives
// them, then by parameter, so that each state of a run is one slice.
func (r *rules) sortStates() {
	var names []string
	place := map[*ir.State][2]int{}
	for at, u := range r.train.Updates {
		for _, w := range u.States {
			name := strings.TrimPrefix(w.State.Path, u.Param.Path)
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			place[w.State] = [2]int{slices.Index(names, name), at}
		}
	}
	r.states = slices.Clone(r.states)
	slices.SortStableFunc(r.states, func(a, b *ir.State) int {
		x, y := place[a], place[b]
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]))
	})
}
