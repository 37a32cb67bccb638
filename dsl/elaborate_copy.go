package dsl

import (
	"strings"

	"gradgen.dev/ir"
)

// copied says that the tensors below the path to stand for those below from.
type copied struct {
	from, to string
	up       *copied // of from, where that is a copy itself
}

// original is the path of the tensor that the one at path started as.
func (c *copied) original(path string) string {
	if c == nil {
		return path
	}
	return c.up.original(c.from + strings.TrimPrefix(path, c.to))
}

// isCopy reports whether a state may be a copy of an instance: it has no shape,
// and a name or a path for its first value.
func isCopy(s *VarStmt) bool {
	if s.Kind != State || s.Type != nil {
		return false
	}
	switch s.Init.(type) {
	case *Name, *Field:
		return true
	}
	return false
}

// copyInstance is `state target = enc`: an instance of the same layer whose
// tensors are states that start as those of enc.
func (e *elaborator) copyInstance(sc *scope, s *VarStmt, from *instance) {
	path := sc.pathOf(s, s.Name.Name)
	inst := &instance{name: s.Name.Name, path: path, layer: from.layer, place: s, base: sc.applied,
		copy: &copied{from: from.path, to: path, up: from.copy}, from: from}
	e.declare(sc, s, s.Name, inst)
	e.copyTensors(inst, s)
}

// copyTensors gives a copy what its original has so far. The original may be
// applied after the copy is declared.
func (e *elaborator) copyTensors(inst *instance, s Node) {
	from, path := inst.from, inst.path
	for _, at := range sortedKeys(e.model.instanceAt) {
		if rel, ok := strings.CutPrefix(at, from.path+"."); ok {
			if e.model.instanceAt[join(path, rel)] != nil {
				continue
			}
			part := *e.model.instanceAt[at]
			part.path, part.place, part.copy = join(path, rel), s, inst.copy
			part.first, part.count = nil, 0
			e.model.instanceAt[part.path] = &part
		}
	}
	for _, p := range e.model.out.Params {
		if rel, ok := strings.CutPrefix(p.Path, from.path+"."); ok {
			e.copyTensor(&ir.State{Path: join(path, rel), Doc: p.Doc, Node: p.Node, Init: p.Init}, path, State)
		}
	}
	for _, kept := range []struct {
		list []*ir.State
		kind VarKind
	}{{e.model.out.States, State}, {e.model.out.Carries, Carry}} {
		for _, o := range kept.list {
			rel, ok := strings.CutPrefix(o.Path, from.path+".")
			if !ok {
				continue
			}
			of := e.model.standsIn[o.Path]
			if from.within(of) {
				of = path
			} else if of != "" {
				of = path + strings.TrimPrefix(of, from.path)
			}
			e.copyTensor(&ir.State{Path: join(path, rel), Doc: o.Doc, Node: o.Node, Init: o.Init}, of, kept.kind)
		}
	}
}

// within reports whether inst is the instance at a path or inside of it.
func (inst *instance) within(path string) bool {
	return path != "" && (inst.path == path || strings.HasPrefix(inst.path, path+"."))
}

// copyTensor adds a state of the type and the first value of another tensor,
// which stands for a parameter in the copy of.
func (e *elaborator) copyTensor(s *ir.State, of string, kind VarKind) {
	if e.model.keptAt[s.Path] != nil {
		return
	}
	s.Node = e.g.Leaf(string(kind), s.Path, s.Node.Type)
	e.model.keep(s, kind)
	e.model.standsIn[s.Path] = of
}

// updateInstance is `target <- value` of an instance: the value is taken once
// for each of its tensors.
func (e *elaborator) updateInstance(sc *scope, s *UpdateStmt, inst *instance) {
	if inst.copy == nil {
		d := errorAt(s.Target, "%s is trained, and <- sets what is not; a copy that is not trained is state target = %s", inst.name, inst.name).code("update")
		e.failWith(sc, s.Target, d.related(inst.place, "%s is declared here", inst.name))
		return
	}
	if !e.training {
		return
	}
	if inst.from != nil {
		e.copyTensors(inst, inst.place)
	}
	var targets []owned
	for _, o := range e.ownedBy(inst) {
		if o.state != nil {
			targets = append(targets, o)
		}
	}
	if len(targets) == 0 {
		e.failUnapplied(sc, s.Target, inst)
		return
	}

	// All right sides see the tensors as they were.
	values := make([]*ir.Node, len(targets))
	for i, o := range targets {
		n, ok := e.mappedValue(sc, s, o)
		if !ok {
			return
		}
		values[i] = n
	}
	for i, o := range targets {
		e.write(sc, o.state, values[i])
	}
}

// mappedValue is the right side of an update of an instance for one tensor.
func (e *elaborator) mappedValue(sc *scope, s *UpdateStmt, o owned) (*ir.Node, bool) {
	outer := e.mapped
	e.mapped = o.rel
	defer func() { e.mapped = outer }()
	v := e.eval(sc, s.Value)
	if isPoison(v) {
		return nil, false
	}
	return e.newValue(sc, s, s.Target.Name+"."+o.rel, o.node.Type, v)
}

// copyStmt reads `state target = enc`; it reports whether s is one.
func (e *elaborator) copyStmt(sc *scope, s *VarStmt) bool {
	if s.Kind != State {
		return false
	}
	var from *instance
	switch x := s.Init.(type) {
	case *Name:
		from = e.instanceNamed(sc, x.Name)
		if from != nil && s.Type != nil && !from.declared && e.lookupFunction(sc, x.Name).inst == nil {
			from = nil
		}
	case *Field:
		from, _ = e.part(sc, x).(*instance)
	}
	switch {
	case from == nil:
		return false
	case s.Type != nil:
		e.fail(sc, s.Type, "init", "a copy of the instance %s has the shapes of its tensors: state %s = %s", from.name, s.Name.Name, excerptOf(s.Init, from.name))
		e.poisonVar(sc, s)
	default:
		e.copyInstance(sc, s, from)
	}
	return true
}

// copyRoot is the body of the copied instance that sc is in.
func (sc *scope) copyRoot() *scope {
	root := sc
	for s := sc; s != nil; s = s.up {
		if s.inst != nil && s.inst.copy != nil {
			root = s
		}
	}
	return root
}
