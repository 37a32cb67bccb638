package dsl

import (
	"fmt"

	"gradgen.dev/ir"
)

// A stateVar is a state of a body: the tensor kept between steps and what has
// been written to it so far.
type stateVar struct {
	state   *ir.State
	decl    *VarStmt
	written bool
}

// state declares a tensor kept between steps, or from call to call.
func (e *elaborator) state(sc *scope, s *VarStmt) {
	var like *ir.Type
	switch {
	case sc.kind == optimizerScope && s.Kind == State:
		t := sc.vals["param"].val.(tensor).node.Type
		like = &t
	case e.copyStmt(sc, s):
		return
	}
	path := sc.pathOf(s, s.Name.Name)
	t, ok := e.tensorType(sc, s, like)
	if !ok {
		e.poisonVar(sc, s)
		return
	}
	init, _, ok := e.initial(sc, s, t, sc.copy.original(path))
	if !ok {
		e.poisonVar(sc, s)
		return
	}
	k := &ir.State{Path: path, Doc: s.Doc, Node: e.g.Leaf(string(s.Kind), path, t), Init: init}
	v := &stateVar{decl: s, state: k}
	now := k.Node
	if sc.kind != optimizerScope {
		v.state = e.kept(sc, s, k, s.Kind)
		now = e.model.now(v.state)
	}
	sc.states = append(sc.states, v)
	e.bindVar(sc, s, now, v)
}

// kept is the model's state or carry at the path of k, which is k where there
// is none yet.
func (e *elaborator) kept(sc *scope, s *VarStmt, k *ir.State, kind VarKind) *ir.State {
	m, again := e.model, sc.repeated() != nil
	old := m.keptAt[k.Path]
	switch {
	case old == nil && again:
		e.failRepeated(sc, s, fmt.Sprintf("needs a %s %s that the first application lacks", s.Kind, s.Name.Name))
	case old == nil:
		m.keep(k, kind)
		return k
	case old.Node.Type.Equal(k.Node.Type):
		return old
	case again:
		e.failRepeated(sc, s, differing(string(s.Kind), s, k.Node.Type, old.Node.Type))
	case sc.copy != nil:
		inst := sc.copyRoot()
		d := errorAt(inst.call, "%s is a copy, and its %s would be %v where the original's is %v", inst.inst.name, s.Name.Name, k.Node.Type.Shape, old.Node.Type.Shape).code("shared-shape")
		e.failWith(inst.up, inst.call, d.related(inst.inst.place, "it is copied here"))
	default:
		e.fail(sc, s, "sides", "%s %s is %v in training and %v in inference", s.Kind, s.Name.Name, old.Node.Type, k.Node.Type)
	}
	return k
}

// update is `target <- value`.
func (e *elaborator) update(sc *scope, s *UpdateStmt) {
	b := sc.vals[s.Target.Name]
	if b != nil {
		if inst, ok := b.val.(*instance); ok {
			e.updateInstance(sc, s, inst)
			return
		}
	}
	switch {
	case b == nil:
		e.eval(sc, s.Value)
		e.failNoState(sc, s, stateNames(sc))
		return
	case isPoison(b.val):
		e.eval(sc, s.Value)
		return
	case b.state == nil && !(sc.kind == optimizerScope && s.Target.Name == "param"):
		e.eval(sc, s.Value)
		e.failNotState(sc, s, b)
		return
	}
	if !e.training && sc.kind != optimizerScope && b.state.decl.Kind == State {
		return
	}
	v := e.eval(sc, s.Value)
	n, ok := (*ir.Node)(nil), false
	if !isPoison(v) {
		n, ok = e.newValue(sc, s, s.Target.Name, b.val.(tensor).node.Type, v)
	}
	if !ok {
		b.val = poison{}
		return
	}
	e.written(sc, s, b, n)
}

// failNoState reports an update of a name that nothing binds.
func (e *elaborator) failNoState(sc *scope, s *UpdateStmt, states []string) {
	e.fail(sc, s.Target, "unknown-name", "no state is called %s here%s", s.Target.Name, proposal(s.Target.Name, states))
}

// failNotState reports an update of what is no state.
func (e *elaborator) failNotState(sc *scope, s *UpdateStmt, b *binding) {
	d := errorAt(s.Target, "%s is no state, and <- sets states; = binds a name", s.Target.Name).code("update")
	e.failWith(sc, s.Target, d.related(b.place, "%s is %s here", s.Target.Name, b.verb))
}

// newValue is the right side of an update, in the type of what it sets.
func (e *elaborator) newValue(sc *scope, s *UpdateStmt, name string, t ir.Type, v value) (*ir.Node, bool) {
	n, ok := e.nodeOf(sc, s.Value, v, t.Elem)
	if !ok {
		return nil, false
	}
	if n.Type.Rank() == 0 {
		n = e.broadcast(n, t.Shape)
	}
	if !sameShape(n.Type.Shape, t.Shape, e.facts) {
		d := errorAt(s, "%s is %v, and its new value is %v", name, t.Shape, n.Type.Shape).code("shapes")
		if b := sc.vals[s.Target.Name]; b != nil {
			d.related(b.place, "%s is declared here", s.Target.Name)
		}
		e.failWith(sc, s, d)
		return nil, false
	}
	return n, true
}

// written notes the new value of a state, or of the parameter that an optimizer
// updates.
func (e *elaborator) written(sc *scope, s *UpdateStmt, b *binding, n *ir.Node) {
	name := *s.Target
	name.Name = "new_" + name.Name
	e.name(sc, n, &name)
	v := b.state
	switch {
	case v == nil:
		b.verb = "updated"
	case sc.kind == optimizerScope:
		v.written = true
	default:
		v.written = true
		n = e.write(sc, v.state, n)
	}
	b.val = tensor{n}
}

// stateNames is the names of the states of a body.
func stateNames(sc *scope) []string {
	var out []string
	for _, name := range sortedKeys(sc.vals) {
		if sc.vals[name].state != nil {
			out = append(out, name)
		}
	}
	if sc.kind == optimizerScope {
		out = append(out, "param")
	}
	return out
}
