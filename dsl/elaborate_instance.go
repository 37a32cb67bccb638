package dsl

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// An instance is an application of a layer that the program can name: it owns
// parameters, and applied again it uses the same ones.
type instance struct {
	name     string // in the text
	path     string
	layer    *function // with its arguments but the first
	place    Node      // where it is declared, or the call that makes it
	first    Node      // its first application on this side, nil before
	count    int       // its applications on this side
	base     string    // applied of the body around it
	copy     *copied   // where its tensors stand for those of another instance
	from     *instance // that one
	declared bool      // by shared or state
}

// An application is one run of the body of an instance.
type application struct {
	inst    *instance
	writes  bool       // its own text sets a state or a carry
	results []*ir.Node // what it returns, marked, where it does
}

func (*instance) what() string { return "an instance" }

// function is the instance where a function is expected.
func (inst *instance) function(name string) *function {
	f := *inst.layer
	f.name, f.inst = name, inst
	return &f
}

// use notes an application.
func (inst *instance) use(at Node) {
	if inst.count++; inst.first == nil {
		inst.first = at
	}
}

// returned is what an application returns. Where it writes, it is marked: a step
// makes the writes if it computes one of the marks.
func (e *elaborator) returned(app *application, v value) value {
	if !app.writes {
		return v
	}
	switch v := v.(type) {
	case tensor:
		n := e.mark(v.node, "result of "+app.inst.path)
		app.results = append(app.results, n)
		return tensor{n}
	case tuple:
		out := make(tuple, len(v))
		for i, part := range v {
			out[i] = e.returned(app, part)
		}
		return out
	}
	return v
}

// enter makes sc the body of an application of inst.
func (sc *scope) enter(inst *instance) {
	sc.inst, sc.path, sc.copy, sc.applied = inst, inst.path, inst.copy, inst.base
	sc.app = &application{inst: inst}
	if inst.count > 1 {
		sc.again = true
		sc.applied = fmt.Sprintf("%s#%d", inst.base, inst.count)
	}
}

// newInstance is the instance that a call of a layer makes.
func (e *elaborator) newInstance(sc *scope, at Node, f *function, args map[string]*argument) *instance {
	layer := &function{name: f.name, layer: f.layer, written: f.name}
	for i, p := range f.layer.Params {
		if a := args[p.Name.Name]; a != nil && i > 0 {
			given := *a
			given.name = p.Name
			layer.bound = append(layer.bound, &given)
		}
	}
	inst := &instance{name: sc.nameOf(at, f.name), path: sc.pathOf(at, f.name), layer: layer, place: at, base: sc.applied, copy: sc.copy}
	sc.instances[inst.name] = inst
	e.model.instanceAt[inst.path] = inst
	return inst
}

// shared declares an instance that is not applied yet.
func (e *elaborator) shared(sc *scope, s *SharedStmt) {
	sc.vals[s.Name.Name] = &binding{val: poison{}, place: s.Name.Span, verb: "declared"}
	f := e.functionValue(sc, s.Value)
	switch {
	case f == nil || f.bad:
		return
	case f.inst != nil:
		e.fail(sc, s.Value, "shared", "%s is an instance already; it can be applied as it is", f.name)
		return
	case f.layer == nil:
		e.fail(sc, s.Value, "shared", "shared declares an instance of a layer, and %s is a %s", f.name, f.kindName())
		return
	}
	inst := &instance{name: s.Name.Name, path: sc.pathOf(s, s.Name.Name), layer: f, place: s, base: sc.applied, copy: sc.copy}
	e.declare(sc, s, s.Name, inst)
	e.model.shared = append(e.model.shared, inst)
	e.model.mentioned[inst.path] = e.model.mentioned[inst.path] || mentioned(sc.decl, s.Name)
}

// declare binds the name of an instance that shared or state declares.
func (e *elaborator) declare(sc *scope, s Node, name *Name, inst *instance) {
	inst.declared = true
	sc.instances[name.Name] = inst
	sc.instances[sc.nameOf(s, name.Name)] = inst
	e.model.instanceAt[inst.path] = inst
	sc.vals[name.Name] = &binding{val: inst, place: name.Span, verb: "declared"}
}

// mentioned reports whether a body uses a name.
func mentioned(d Node, name *Name) bool {
	found := false
	value, block := bodyOf(d)
	look := func(x Expr) {
		switch x := x.(type) {
		case *Name:
			found = found || x.Name == name.Name
		case *Call:
			f, ok := x.Func.(*Name)
			found = found || ok && f.Name == name.Name
		}
	}
	walkBody(value, block, look)
	walkStmts(block, func(s Stmt) {
		if d, ok := s.(*FnDecl); ok {
			walkBody(d.Value, d.Body, look)
		}
	})
	return found
}

// checkShared reports instances that are declared and never used.
func (e *elaborator) checkShared(m *modelState) {
	for _, inst := range m.shared {
		if !m.mentioned[inst.path] {
			e.report(errorAt(inst.place, "shared %s is never applied; %s(x) applies it", inst.name, inst.name).code("shared-unused"))
		}
	}
}

// repeated is the nearest body around sc, itself included, that is a further
// application of an instance; nil where there is none.
func (sc *scope) repeated() *scope {
	for s := sc; s != nil; s = s.up {
		if s.again {
			return s
		}
	}
	return nil
}

// failRepeated reports that a further application of an instance makes
// something else of it than the first.
func (e *elaborator) failRepeated(sc *scope, s *VarStmt, problem string) {
	r := sc.repeated()
	d := errorAt(r.call, "%s is applied again here, and %s: an instance has one set of tensors", r.inst.name, problem).code("shared-shape")
	d.related(r.inst.first, "the first application of %s is here", r.inst.name)
	if !e.isLibrary(s) {
		d.related(s.Name, "%s is declared here", s.Name.Name)
	}
	e.failWith(r.up, r.call, d)
}

// An owned is a tensor of an instance.
type owned struct {
	rel     string // its path below the instance
	node    *ir.Node
	state   *ir.State // nil of a parameter
	trained bool      // it is a parameter, or stands for one in a copy
}

// ownedBy is the tensors of an instance: parameters in their order, then states,
// with the values they have at this point.
func (e *elaborator) ownedBy(inst *instance) []owned {
	var out, states []owned
	for _, p := range e.model.out.Params {
		if rel, ok := strings.CutPrefix(p.Path, inst.path+"."); ok {
			out = append(out, owned{rel, p.Node, nil, true})
		}
	}
	for _, s := range e.model.out.States {
		if rel, ok := strings.CutPrefix(s.Path, inst.path+"."); ok {
			o := owned{rel, e.model.now(s), s, inst.within(e.model.standsIn[s.Path])}
			if o.trained {
				out = append(out, o)
			} else {
				states = append(states, o)
			}
		}
	}
	return append(out, states...)
}

// parametersOf is the parameters of an instance, or what stands for them. None
// is an error.
func (e *elaborator) parametersOf(sc *scope, at Node, inst *instance) ([]*ir.Node, bool) {
	var out []*ir.Node
	for _, o := range e.ownedBy(inst) {
		if o.trained {
			out = append(out, o.node)
		}
	}
	switch {
	case len(out) > 0:
	case inst.first == nil:
		e.failUnapplied(sc, at, inst)
		return nil, false
	default:
		e.fail(sc, at, "instance", "%s owns no parameters", inst.name)
		return nil, false
	}
	return out, true
}

// failUnapplied reports that an instance has no tensors yet.
func (e *elaborator) failUnapplied(sc *scope, at Node, inst *instance) {
	d := errorAt(at, "%s is not applied yet, and its first application says what its parameters are", inst.name).code("instance")
	e.failWith(sc, at, d.related(inst.place, "it is declared here"))
}

// instanceValue is an instance as a value: its parameters as one vector. In an
// update of an instance it is the tensor that is being updated.
func (e *elaborator) instanceValue(sc *scope, at Node, inst *instance) value {
	if e.mapped != "" {
		for _, o := range e.ownedBy(inst) {
			if o.rel == e.mapped {
				return tensor{o.node}
			}
		}
		if inst.first == nil && len(e.ownedBy(inst)) == 0 {
			e.failUnapplied(sc, at, inst)
			return poison{}
		}
		return e.fail(sc, at, "instance", "%s has no tensor %s, and the instance that is updated has", inst.name, e.mapped)
	}
	parts, ok := e.parametersOf(sc, at, inst)
	if !ok {
		return poison{}
	}
	return tensor{e.vector(parts)}
}

// vectorElem is the element type of tensors as one vector: theirs, or the
// default type where they differ.
func (e *elaborator) vectorElem(parts []*ir.Node) ir.DType {
	for _, p := range parts {
		if p.Type.Elem != parts[0].Type.Elem {
			return e.elem
		}
	}
	return parts[0].Type.Elem
}

// vector is tensors, flattened, behind one another.
func (e *elaborator) vector(parts []*ir.Node) *ir.Node {
	flat, elem := make([]*ir.Node, len(parts)), e.vectorElem(parts)
	for i, p := range parts {
		flat[i] = e.g.Cast(e.reshape(p, ir.Shape{p.Type.Shape.Size()}), elem)
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return e.g.Must("concat", ir.Attr{Axis: 0}, flat...)
}
