package dsl

import "gradgen.dev/ir"

// A stateVar is a state of a body: the tensor kept between steps and what has
// been written to it so far.
type stateVar struct {
	state   *ir.State
	decl    *VarStmt
	written bool
}

// varStmt declares an input, a parameter or a state.
func (e *elaborator) varStmt(sc *scope, s *VarStmt) {
	switch s.Kind {
	case Input:
		e.input(sc, s)
	case Parameter:
		e.param(sc, s)
	case State:
		e.state(sc, s)
	default:
		e.notCompiled(sc, s, string(s.Kind))
		e.poisonVar(sc, s)
	}
}

// poisonVar binds a declaration that is wrong.
func (e *elaborator) poisonVar(sc *scope, s *VarStmt) {
	sc.vals[s.Name.Name] = &binding{val: poison{}, place: s.Name.Span, verb: "declared"}
}

// bindVar binds the name of a declaration to its leaf.
func (e *elaborator) bindVar(sc *scope, s *VarStmt, leaf *ir.Node, v *stateVar) {
	e.g.SetOrigin(leaf, ir.Origin{Name: s.Name.Name, Instance: sc.path, Pos: position(s.Name.Span)})
	e.bind(sc, s.Name, tensor{leaf}, "declared")
	b := sc.vals[s.Name.Name]
	b.place, b.state = s.Span, v
	if s.Type != nil && s.Type.IsValid() {
		b.place = s.Name.Span
	}
}

// param declares a trained tensor of the model.
func (e *elaborator) param(sc *scope, s *VarStmt) {
	if e.model == nil || sc.kind != modelScope && sc.kind != layerScope {
		e.fail(sc, s, "place", "param stands in a model or a layer; a %s owns none", sc.kindName())
		e.poisonVar(sc, s)
		return
	}
	path := sc.pathOf(s, s.Name.Name)
	t, ok := e.tensorType(sc, s, nil)
	if !ok {
		e.poisonVar(sc, s)
		return
	}
	if !t.Elem.IsFloat() {
		e.fail(sc, s.Type, "param-type", "param %s is of type %v, and a trained tensor is floating", s.Name.Name, t.Elem)
		e.poisonVar(sc, s)
		return
	}
	init, rule, ok := e.initial(sc, s, t, path)
	if !ok {
		e.poisonVar(sc, s)
		return
	}
	leaf := e.g.Leaf("param", path, t)
	if old := e.model.paramAt[path]; old == nil {
		p := &ir.Param{Path: path, Doc: s.Doc, Pos: position(s.Name.Span), Node: leaf, Init: init, Rule: rule}
		e.model.paramAt[path] = p
		e.model.out.Params = append(e.model.out.Params, p)
		e.model.paramPlace[path] = s.Name
	} else if !old.Node.Type.Equal(t) {
		e.fail(sc, s, "sides", "param %s is %v in training and %v in inference", s.Name.Name, old.Node.Type, t)
	}
	e.bindVar(sc, s, leaf, nil)
}

// kindName is the word for the body of a scope.
func (sc *scope) kindName() string {
	switch sc.kind {
	case modelScope:
		return "model"
	case layerScope:
		return "layer"
	case optimizerScope:
		return "optimizer"
	}
	return "fn"
}

// state declares a tensor kept between steps.
func (e *elaborator) state(sc *scope, s *VarStmt) {
	var like *ir.Type
	switch {
	case sc.kind == optimizerScope:
		t := sc.vals["param"].val.(tensor).node.Type
		like = &t
	case e.model == nil || sc.kind != modelScope && sc.kind != layerScope:
		e.fail(sc, s, "place", "state stands in a model, a layer or an optimizer")
		e.poisonVar(sc, s)
		return
	}
	if name, isName := s.Init.(*Name); isName && s.Type == nil && like == nil && e.lookupFunction(sc, name.Name) == nil {
		e.notCompiled(sc, s, "a copy of an instance")
		e.poisonVar(sc, s)
		return
	}
	path := sc.pathOf(s, s.Name.Name)
	t, ok := e.tensorType(sc, s, like)
	if !ok {
		e.poisonVar(sc, s)
		return
	}
	init, _, ok := e.initial(sc, s, t, path)
	if !ok {
		e.poisonVar(sc, s)
		return
	}
	leaf := e.g.Leaf("state", path, t)
	v := &stateVar{decl: s}
	if v.state = e.model.stateAt[path]; v.state == nil || sc.kind == optimizerScope {
		v.state = &ir.State{Path: path, Doc: s.Doc, Node: leaf, Init: init}
		if sc.kind != optimizerScope {
			e.model.stateAt[path] = v.state
			e.model.out.States = append(e.model.out.States, v.state)
		}
	}
	sc.states = append(sc.states, v)
	e.bindVar(sc, s, leaf, v)
}

// initial is the first value of a parameter or state, and how it is written: an
// initialiser called with the shape, or a literal.
func (e *elaborator) initial(sc *scope, s *VarStmt, t ir.Type, path string) (*ir.Node, string, bool) {
	if s.Init == nil {
		e.fail(sc, s, "init", "%s %s lacks its initialiser, such as = zeros", s.Kind, s.Name.Name)
		return nil, "", false
	}
	elem, inInit := e.elem, e.inInit
	e.elem, e.inInit = t.Elem, true
	defer func() { e.elem, e.inInit = elem, inInit }()
	v, rule := e.initialValue(sc, s, t, path)
	if isPoison(v) {
		return nil, "", false
	}
	n, ok := e.nodeOf(sc, s.Init, v, t.Elem)
	if !ok {
		return nil, "", false
	}
	if n.Type.Rank() == 0 {
		n = e.broadcast(n, t.Shape)
	}
	if !sameShape(n.Type.Shape, t.Shape, e.facts) {
		e.fail(sc, s.Init, "init", "%s %s is %v, and its first value is %v", s.Kind, s.Name.Name, t.Shape, n.Type.Shape)
		return nil, "", false
	}
	return n, rule, e.initialKnown(sc, s, n)
}

// initialKnown checks that a first value needs nothing but the seed; numbers of
// Hyper in it are compile-time numbers.
func (e *elaborator) initialKnown(sc *scope, s *VarStmt, n *ir.Node) bool {
	for _, x := range ir.Topological(n) {
		switch x.Op.Name {
		case "hyper":
			e.needStatic(e.model.keysOf(x))
		case "input", "param", "state", "step", "steps", "size":
			name := x.Attr.Name
			if name == "" {
				name = x.Op.Name
			}
			e.fail(sc, s.Init, "init", "the first value of %s must not depend on %s, which is known at run time only", s.Name.Name, name)
			return false
		}
	}
	return true
}

// initialValue is the value of the right side of a param or state.
func (e *elaborator) initialValue(sc *scope, s *VarStmt, t ir.Type, path string) (value, string) {
	rule := oneLine(s.Init)
	switch x := s.Init.(type) {
	case *Name:
		if e.lookupFunction(sc, x.Name) == nil && (sc.vals[x.Name] != nil || e.constValueOf(x.Name, sc.library)) {
			return e.eval(sc, s.Init), rule
		}
	case *Call, *Cond:
	default:
		return e.eval(sc, s.Init), rule
	}
	f := e.functionValue(sc, s.Init)
	if f == nil {
		return poison{}, ""
	}
	inner := newScope(fnScope, s.Name.Name, s, sc.library, sc, s.Init)
	inner.site = path
	return e.apply(inner, s.Init, f, []*argument{{node: s.Init, val: listOfShape(t.Shape)}}), f.written
}

// update is `target <- value`.
func (e *elaborator) update(sc *scope, s *UpdateStmt) {
	b := sc.vals[s.Target.Name]
	switch {
	case b == nil:
		e.eval(sc, s.Value)
		e.fail(sc, s.Target, "unknown-name", "no state is called %s here%s", s.Target.Name, proposal(s.Target.Name, stateNames(sc)))
		return
	case isPoison(b.val):
		e.eval(sc, s.Value)
		return
	case b.state == nil && !(sc.kind == optimizerScope && s.Target.Name == "param"):
		e.eval(sc, s.Value)
		d := errorAt(s.Target, "%s is no state, and <- sets states; = binds a name", s.Target.Name).code("update")
		e.failWith(sc, s.Target, d.related(b.place, "%s is %s here", s.Target.Name, b.verb))
		return
	}
	if !e.training && sc.kind != optimizerScope {
		return
	}
	t := b.val.(tensor).node.Type
	v := e.eval(sc, s.Value)
	if isPoison(v) {
		b.val = poison{}
		return
	}
	n, ok := e.nodeOf(sc, s.Value, v, t.Elem)
	if !ok {
		b.val = poison{}
		return
	}
	if n.Type.Rank() == 0 {
		n = e.broadcast(n, t.Shape)
	}
	if !sameShape(n.Type.Shape, t.Shape, e.facts) {
		d := errorAt(s, "%s is %v, and its new value is %v", s.Target.Name, t.Shape, n.Type.Shape).code("shapes")
		e.failWith(sc, s, d.related(b.place, "%s is declared here", s.Target.Name))
		b.val = poison{}
		return
	}
	e.written(sc, s, b, n)
}

// written notes the new value of a state, or of the parameter that an optimizer
// updates.
func (e *elaborator) written(sc *scope, s *UpdateStmt, b *binding, n *ir.Node) {
	name := *s.Target
	b.val = tensor{n}
	if v := b.state; v != nil {
		v.written = true
		if sc.kind != optimizerScope {
			e.model.write(v.state, n)
		}
	} else {
		b.verb = "updated"
	}
	name.Name = "new_" + name.Name
	e.name(sc, n, &name)
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
