package dsl

import (
	"fmt"

	"gradgen.dev/ir"
)

// varStmt declares an input, a parameter, a state or a carry.
func (e *elaborator) varStmt(sc *scope, s *VarStmt) {
	switch s.Kind {
	case Input:
		e.input(sc, s)
	case Parameter:
		e.param(sc, s)
	case State, Carry:
		e.state(sc, s)
	}
}

// poisonVar binds a declaration that is wrong.
func (e *elaborator) poisonVar(sc *scope, s *VarStmt) {
	sc.vals[s.Name.Name] = &binding{val: poison{}, place: s.Name.Span, verb: "declared"}
}

// bindVar binds the name of a declaration to its value at this point: its leaf,
// unless that is a state that has been written.
func (e *elaborator) bindVar(sc *scope, s *VarStmt, now *ir.Node, v *stateVar) {
	if now.Op.Class == ir.Leaf {
		e.g.SetOrigin(now, ir.Origin{Name: s.Name.Name, Instance: sc.path, Pos: position(s.Name.Span)})
	}
	e.bind(sc, s.Name, tensor{now}, "declared")
	b := sc.vals[s.Name.Name]
	b.place, b.state = s.Span, v
	if s.Type != nil && s.Type.IsValid() {
		b.place = s.Name.Span
	}
}

// param declares a trained tensor of the model.
func (e *elaborator) param(sc *scope, s *VarStmt) {
	path := sc.pathOf(s, s.Name.Name)
	t, ok := e.tensorType(sc, s, nil)
	if !ok {
		e.poisonVar(sc, s)
		return
	}
	if !t.Elem.IsFloat() {
		e.fail(sc, s.Type, "param-type", "param %s is of type %v, and a trained tensor is float32 or float64; state %s keeps what is not trained", s.Name.Name, t.Elem, s.Name.Name)
		e.poisonVar(sc, s)
		return
	}
	init, rule, ok := e.initial(sc, s, t, sc.copy.original(path))
	if !ok {
		e.poisonVar(sc, s)
		return
	}
	if sc.copy != nil {
		v := e.kept(sc, s, &ir.State{Path: path, Doc: s.Doc, Node: e.g.Leaf("state", path, t), Init: init}, State)
		e.model.standsIn[path] = sc.copy.to
		e.bindVar(sc, s, e.model.now(v), nil)
		return
	}
	leaf := e.g.Leaf("param", path, t)
	e.addParam(sc, s, &ir.Param{Path: path, Doc: s.Doc, Pos: position(s.Name.Span), Node: leaf, Init: init, Rule: rule})
	e.bindVar(sc, s, leaf, nil)
}

// addParam adds a parameter to the model, unless an earlier application of its
// instance, or the other side, did.
func (e *elaborator) addParam(sc *scope, s *VarStmt, p *ir.Param) {
	m, again := e.model, sc.repeated() != nil
	old := m.paramAt[p.Path]
	switch {
	case old == nil && again:
		e.failRepeated(sc, s, "needs a param "+s.Name.Name+" that the first application lacks")
	case old == nil:
		m.paramAt[p.Path] = p
		m.out.Params = append(m.out.Params, p)
		m.paramPlace[p.Path], _ = sc.userSite(s.Name)
	case !old.Node.Type.Equal(p.Node.Type) && again:
		e.failRepeated(sc, s, differing("param", s, p.Node.Type, old.Node.Type))
	case !old.Node.Type.Equal(p.Node.Type):
		e.fail(sc, s, "sides", "param %s is %v in training and %v in inference", s.Name.Name, old.Node.Type, p.Node.Type)
	}
}

// differing says in what a tensor of a further application is not that of the
// first: in its shape, or in its element type.
func differing(kind string, s *VarStmt, would, is ir.Type) string {
	if would.Elem == is.Elem {
		return fmt.Sprintf("its %s %s would be %v and is %v", kind, s.Name.Name, would.Shape, is.Shape)
	}
	return fmt.Sprintf("its %s %s would be %v and is %v", kind, s.Name.Name, would, is)
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
		case "size":
			if _, fixed := x.Attr.Dims[0].Const(); fixed || s.Kind == Carry {
				continue
			}
			e.fail(sc, s.Init, "init", "the first value of %s must not depend on the run-time dimension %v", s.Name.Name, x.Attr.Dims[0])
			return false
		case "input", "param", "state", "carry", "step", "steps":
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

// wholeCall reports whether a call passes all that its fn takes, the first
// argument included: log(10) is a number, and no initialiser.
func (e *elaborator) wholeCall(sc *scope, x *Call) bool {
	name, ok := x.Func.(*Name)
	if !ok {
		return false
	}
	f := e.lookupFunction(sc, name.Name)
	if f == nil || f.layer != nil || f.bad {
		return false
	}
	positional := 0
	for _, a := range x.Args {
		if a.Name == nil {
			positional++
		}
	}
	return positional > 0 && positional+len(f.bound) >= len(f.paramNames()) && e.numeric(x.Args)
}

// numeric reports whether arguments are made of numbers: a list is a shape.
func (e *elaborator) numeric(args []*Arg) bool {
	for _, a := range args {
		switch a.Value.(type) {
		case *List, *String, *Bool:
			return false
		}
	}
	return true
}

// isNumber reports whether v is a number.
func isNumber(v value) bool {
	_, ok := v.(number)
	return ok
}

// initialValue is the value of the right side of a param or state.
func (e *elaborator) initialValue(sc *scope, s *VarStmt, t ir.Type, path string) (value, string) {
	rule := oneLine(s.Init)
	switch x := s.Init.(type) {
	case *Name:
		if e.lookupFunction(sc, x.Name) == nil && (sc.vals[x.Name] != nil || sc.files.hasConst(x.Name)) {
			return e.eval(sc, s.Init), rule
		}
	case *Call:
		if e.wholeCall(sc, x) {
			if v := e.eval(sc, x); isPoison(v) || isNumber(v) {
				return v, rule
			}
		}
	case *Cond:
	default:
		return e.eval(sc, s.Init), rule
	}
	f := e.functionValue(sc, s.Init)
	if f == nil {
		return poison{}, ""
	}
	inner := newScope(fnScope, s.Name.Name, s, sc.files, sc, s.Init)
	inner.site = path
	return e.apply(inner, s.Init, f, []*argument{{node: s.Init, val: listOfShape(t.Shape)}}), f.written
}
