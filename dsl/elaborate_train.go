package dsl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// trainStmt notes a train. It is elaborated when all parameters are known.
func (e *elaborator) trainStmt(sc *scope, s *TrainStmt) {
	switch {
	case len(sc.loops) > 0:
		e.fail(sc, s, "place", "train stands outside of loops")
	case e.training:
		e.model.trains = append(e.model.trains, s)
	}
}

// A training is a train statement while it is elaborated.
type training struct {
	e    *elaborator
	m    *modelState
	stmt *TrainStmt
	out  *ir.Train

	known  bool               // nothing else of the model is wrong: all that it owns is known
	trains map[*ir.Param]bool // what its for selects, all without one
	frozen map[*ir.Param]bool
	uses   []useRule // the default first
	decays []*decayRule
	mean   *number        // of average, nil without
	loops  map[string]int // the variables of the loops around the clause
	first  map[string]Stmt
}

// A useRule is an optimizer and the parameters that it is for, nil for all.
type useRule struct {
	rule *optimizerRule
	of   map[*ir.Param]bool
}

// A decayRule is a weight decay and the parameters that it is for, nil for all.
type decayRule struct {
	rate number
	of   map[*ir.Param]bool
	text string
}

// prefix starts the names of the numbers of a train.
func (t *training) prefix() string {
	if t.out.Loss == "" {
		return ""
	}
	return t.out.Loss + "_"
}

// trainModel elaborates the trains of a model.
func (e *elaborator) trainModel(m *modelState) {
	if len(m.trains) == 0 {
		return
	}
	known := !e.broken && len(e.diags) == m.reported
	sound, whole := e.checkTrains(m)
	e.training = true
	defer func() { e.training = false }()
	frozen := map[*ir.Param]bool{}
	for _, s := range m.trains {
		t := &training{e: e, m: m, stmt: s, out: &ir.Train{Rule: oneLine(s.Rule), Pos: position(s.Span), Accumulate: 1},
			known: known, frozen: map[*ir.Param]bool{}, loops: map[string]int{}, first: map[string]Stmt{}}
		if s.Loss != nil {
			t.out.Loss = s.Loss.Name
		}
		whole = t.elaborate() && (!sound[s] || t.updates()) && whole
		maps.Copy(frozen, t.frozen)
		if e.stopped {
			return
		}
	}
	if whole && known {
		e.checkTrained(m, frozen)
		m.dropUnread()
	}
	slices.SortStableFunc(m.out.Trains, func(a, b *ir.Train) int { return m.lossIndex(a.Loss) - m.lossIndex(b.Loss) })
}

// dropUnread takes the numbers out of Hyper that trains give and no update reads:
// those of a rule that every parameter has another than.
func (m *modelState) dropUnread() {
	var roots []*ir.Node
	for _, t := range m.out.Trains {
		if t.Clip != nil {
			roots = append(roots, t.Clip.Limit)
		}
	}
	for _, u := range m.out.Updates() {
		roots = append(roots, u.Next)
		for _, w := range u.States {
			roots = append(roots, w.Value)
		}
		if u.Average != nil {
			roots = append(roots, u.Average.Value)
		}
	}
	read := ir.Topological(roots...)
	m.out.Hyper = slices.DeleteFunc(m.out.Hyper, func(h ir.Hyper) bool {
		return strings.HasPrefix(m.hyperKey[h.Name], m.out.Name+".train.") && !slices.Contains(read, h.Node)
	})
}

// lossIndex is the place of a loss among those of training.
func (m *modelState) lossIndex(name string) int {
	return slices.IndexFunc(m.out.Train.Losses, func(l ir.Named) bool { return l.Name == name })
}

// checkTrains reports trains that minimise nothing, and losses that nothing
// minimises. It returns the trains that have their loss, and whether all is well.
func (e *elaborator) checkTrains(m *modelState) (sound map[*TrainStmt]bool, ok bool) {
	sound, ok = map[*TrainStmt]bool{}, true
	trained := map[string]*TrainStmt{}
	for _, s := range m.trains {
		name := ""
		if s.Loss != nil {
			name = s.Loss.Name
		}
		if old := trained[name]; old != nil {
			text := "a model without named losses has one train, and this is the second"
			if name != "" {
				text = fmt.Sprintf("loss %s has one train, and this is the second", name)
			}
			e.report(errorAt(s, "%s", text).code("train").related(old, "the first is here"))
			ok = false
			continue
		}
		trained[name] = s
		sound[s] = e.checkTrainLoss(m, s)
		ok = sound[s] && ok
	}
	if e.broken {
		return sound, ok
	}
	for _, l := range m.losses {
		if l.Name != nil && trained[l.Name.Name] == nil && trained[""] == nil {
			e.report(errorAt(l.Name, "loss %s has no train, and others of the model have: train %s rule(…) minimises it; where it is reported only, it is metric %s = …", l.Name.Name, l.Name.Name, l.Name.Name).code("train"))
			ok = false
		}
	}
	return sound, ok
}

// checkTrainLoss reports a train of a loss that the model does not have.
func (e *elaborator) checkTrainLoss(m *modelState, s *TrainStmt) bool {
	var names []string
	for _, l := range m.losses {
		if l.Name != nil {
			names = append(names, l.Name.Name)
		}
	}
	switch {
	case e.broken:
		return true
	case len(m.losses) == 0 && (s.Loss != nil || len(m.out.Train.Outputs) == 0):
		e.report(errorAt(s, "train has no loss to minimise; the model needs a loss").code("train"))
		return false
	case s.Loss == nil && len(names) > 0:
		e.report(errorAt(s, "the losses of this model have names, and each has its train: train %s %s", names[0], oneLine(s.Rule)).code("train"))
		return false
	case s.Loss != nil && len(names) == 0:
		e.report(errorAt(s.Loss, "the loss of this model has no name: write train %s, or loss %s = …", oneLine(s.Rule), s.Loss.Name).code("train"))
		return false
	case s.Loss != nil && !slices.Contains(names, s.Loss.Name):
		near := proposal(s.Loss.Name, names)
		if near == "" {
			near = "; there is " + joined(names, "and")
		}
		e.report(errorAt(s.Loss, "no loss is called %s%s", s.Loss.Name, near).code("train"))
		return false
	}
	return true
}

// elaborate reads the rule, the for and the block.
func (t *training) elaborate() bool {
	e, m, s := t.e, t.m, t.stmt
	name, isName := s.Rule.Func.(*Name)
	if !isName {
		e.report(errorAt(s.Rule, "train takes the name of an optimizer").code("unknown-optimizer"))
		return false
	}
	var rule *optimizerRule
	if d := e.optimizerOf(m, name); d != nil {
		rule = t.rule(s.Rule, d, writtenArgs(m.scope, s.Rule), nil, "", oneLine(s.Rule))
	}

	// What stands behind a wrong rule may be wrong, too.
	t.uses = []useRule{{rule: rule}}
	of, ok := t.selected(s.For)
	t.trains = of
	if s.Body != nil {
		ok = t.clauses(s.Body) && ok
	}
	return ok && rule != nil
}

// updates adds the train to the model, its rules written out for each parameter
// that is trained.
func (t *training) updates() bool {
	reached := t.reached()
	for _, p := range t.m.out.Params {
		if t.frozen[p] || t.trains != nil && !t.trains[p] || t.trains == nil && reached != nil && !reached[p.Node] {
			continue
		}
		rule := t.uses[0].rule
		for _, u := range t.uses {
			if u.of == nil || u.of[p] {
				rule = u.rule
			}
		}
		var decay *decayRule
		for _, d := range t.decays {
			if d.of == nil || d.of[p] {
				decay = d
			}
		}
		u := t.updateOf(rule, decay, p)
		if u == nil || !t.average(u) {
			return false
		}
		t.out.Updates = append(t.out.Updates, u)
	}
	t.m.out.Trains = append(t.m.out.Trains, t.out)
	return true
}

// reached is what a named loss is computed from, but for what stop_gradient
// hides: without a for it trains the parameters among it. It is nil for an
// unnamed loss, which trains all.
func (t *training) reached() map[*ir.Node]bool {
	if t.out.Loss == "" || t.m.out.Train.Loss(t.out.Loss) == nil {
		return nil
	}
	loss := t.m.out.Train.Step(t.e.g, t.out.Loss).Loss(t.out.Loss)
	out := map[*ir.Node]bool{loss: true}
	for todo := []*ir.Node{loss}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, a := range n.Args {
			if !out[a] && !n.Is("stop_gradient") {
				out[a] = true
				todo = append(todo, a)
			}
		}
	}
	return out
}

// average adds the moving mean of a parameter.
func (t *training) average(u *ir.Update) bool {
	if t.mean == nil {
		return true
	}
	e, p := t.e, u.Param
	path := join(p.Path, "average")
	if t.out.Loss != "" {
		path = join(join(p.Path, t.out.Loss), "average")
	}
	at := t.first["average"]
	if old := t.m.averaged[p]; old != nil {
		e.report(errorAt(at, "two losses average %s, and inference reads one mean: leave one average out", p.Path).code("train-clause").related(old, "the other is here"))
		return false
	}
	for _, w := range u.States {
		if w.State.Path == path {
			e.report(errorAt(at, "optimizer %s has a state called average, which meets the mean of %s; rename it", u.Rule, p.Path).code("train-clause"))
			return false
		}
	}
	t.m.averaged[p] = at

	// d·mean + (1 − d)·new, both factors rounded once.
	spread := func(n number) *ir.Node { return e.broadcast(n.as(e.g, p.Node.Type.Elem), p.Node.Type.Shape) }
	s := &ir.State{Path: path, Node: e.g.Leaf("state", path, p.Node.Type), Init: p.Init}
	kept := e.g.Map("mul", spread(*t.mean), s.Node)
	added := e.g.Map("mul", spread(arithmetic(e.g, "-", integer(1), *t.mean, nil)), u.Next)
	u.Average = &ir.Write{State: s, Value: e.g.Map("add", kept, added)}
	return true
}

// checkTrained reports parameters that nothing trains and nothing freezes.
func (e *elaborator) checkTrained(m *modelState, frozen map[*ir.Param]bool) {
	trained := map[*ir.Param]bool{}
	for _, u := range m.out.Updates() {
		trained[u.Param] = true
	}
	var left []*ir.Param
	for _, p := range m.out.Params {
		if !trained[p] && !frozen[p] {
			left = append(left, p)
		}
	}
	if len(left) == 0 {
		return
	}
	p, more := left[0], ""
	if n := len(left) - 1; n > 0 {
		more = fmt.Sprintf(" (nor is it %d more)", n)
	}
	d := errorAt(m.paramPlace[p.Path], "param %s is trained by no loss and not frozen%s: add it to the patterns of a train that its loss depends on, or write freeze %s in the block of one", p.Path, more, p.Path).code("untrained")
	e.report(d.related(m.trains[0], "train is here"))
}
