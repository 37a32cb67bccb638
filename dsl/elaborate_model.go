package dsl

import (
	"fmt"
	"slices"

	"gradgen.dev/ir"
)

// modelState is a model while it is elaborated: once with training true, once
// with training false, into the same leaves.
type modelState struct {
	decl       *ModelDecl
	scope      *scope // of the body, in training
	out        *ir.Model
	side       *ir.Side
	paramAt    map[string]*ir.Param
	paramPlace map[string]Node      // in the user's text
	keptAt     map[string]*ir.State // states and carries
	standsIn   map[string]string    // of a state that stands for a parameter, the path of the copy
	instanceAt map[string]*instance // of this side
	writers    []*application       // whose text has each write of this side; nil of the model's
	shared     []*instance          // declared by shared, on this side
	mentioned  map[string]bool      // of shared instances: the text uses the name
	inputAt    map[string]*VarStmt
	hyperKey   map[string]string // of each number of Hyper, as static has it
	trains     []*TrainStmt
	lossPlace  *LossStmt            // the first one of this side
	lossNamed  map[string]*LossStmt // of this side
	entries    map[string]*FnDecl   // export fns, by their names in Go
	losses     []*LossStmt          // of training, each once
	averaged   map[*ir.Param]Stmt
	hyperTaken map[string]bool  // the numbers of trains, by their names in Go
	reported   int              // diagnostics before the model
	named      map[string]*Name // outputs and metrics of this side, by kind and name
}

// elaborateModel adds a model to the program.
func (e *elaborator) elaborateModel(d *ModelDecl) {
	e.facts = nil
	m := &modelState{decl: d, paramAt: map[string]*ir.Param{}, paramPlace: map[string]Node{},
		keptAt: map[string]*ir.State{}, standsIn: map[string]string{}, mentioned: map[string]bool{},
		hyperKey: map[string]string{}, entries: map[string]*FnDecl{},
		averaged: map[*ir.Param]Stmt{}, hyperTaken: map[string]bool{}, reported: len(e.diags),
		out: &ir.Model{Name: d.Name.Name, Doc: d.Doc, Pos: position(d.Name.Span), Elem: e.elem}}
	e.model = m
	defer func() { e.model = nil }()

	spent := e.spent
	m.out.Train = e.side(d, true)
	e.spent = spent // the two sides are one program
	m.out.Infer = e.side(d, false)
	e.checkShared(m)
	if !e.stopped {
		e.trainModel(m)
	}
	m.out.Facts = e.facts
	e.checkNames(m)
	e.program.Models = append(e.program.Models, m.out)
}

// side elaborates the model's body with training true or false.
func (e *elaborator) side(d *ModelDecl, training bool) *ir.Side {
	e.reset()
	e.training = training
	defer func() { e.training = false }()
	e.model.side = &ir.Side{}
	e.model.named = map[string]*Name{}
	e.model.inputAt = map[string]*VarStmt{}
	e.model.instanceAt = map[string]*instance{}
	e.model.writers = nil
	e.model.shared = nil
	e.model.lossPlace, e.model.lossNamed = nil, map[string]*LossStmt{}

	sc := newScope(modelScope, d.Name.Name, d, e.user, nil, nil)
	sc.targets = e.targetsOf(d)
	for _, p := range d.Params {
		e.modelParam(sc, p, training)
	}
	sc.namer = e.newNamer(sc)
	sc.namer.body()
	if d.Body != nil {
		e.block(sc, d.Body)
	}
	if training {
		e.model.scope = sc
	}
	for i, app := range e.model.writers {
		if app != nil {
			e.model.side.Writes[i].Of = app.results
		}
	}
	return e.model.side
}

// modelParam binds a parameter of the model: a number is a field of Hyper,
// unless it is needed at compile time.
func (e *elaborator) modelParam(sc *scope, p *Param, training bool) {
	bad := func() { sc.vals[p.Name.Name] = &binding{val: poison{}, place: p.Name.Span, verb: "declared"} }
	switch {
	case p.Type != nil && p.Type.Shape != nil:
		e.fail(sc, p, "model-parameter", "a parameter of a model is a number, a bool, a string or a fn; an input stands in the body: input %s", p.Text())
		bad()
		return
	case p.Default == nil:
		e.fail(sc, p, "model-parameter", "parameter %s of model %s lacks its value, such as %s = 1", p.Name.Name, sc.name, p.Name.Name)
		bad()
		return
	}
	f := &function{name: sc.name}
	a := &argument{node: p.Default, expr: p.Default, sc: sc}
	if e.wantsFunction(f, p) {
		if g := e.functionValue(sc, p.Default); g != nil {
			sc.funcs[p.Name.Name] = g
		}
		return
	}
	v := e.argValue(a)
	if isPoison(v) {
		bad()
		return
	}
	if v = e.fit(sc, f, p, a, v); isPoison(v) {
		bad()
		return
	}
	if n, ok := v.(number); ok && !n.logical && n.node == nil && !isTypeWord(p.Type, "int") {
		key := sc.name + "." + p.Name.Name
		if !e.static[key] {
			n.node = e.hyper(p.Name, p.Name.Name, n, "parameter "+oneLine(p), key, training)
			n.hyper = []string{key}
			v = n
		}
	}
	sc.vals[p.Name.Name] = &binding{val: v, place: p.Name.Span, verb: "declared"}
}

// hyper is the leaf of a number of Hyper.
func (e *elaborator) hyper(at Node, name string, n number, doc, key string, add bool) *ir.Node {
	leaf := e.g.Leaf("hyper", name, ir.Type{Elem: ir.Float64, Shape: ir.Shape{}})
	e.model.hyperKey[name] = key
	if !add {
		return leaf
	}
	for _, h := range e.model.out.Hyper {
		if goName(h.Name) == goName(name) {
			e.report(errorAt(at, "two numbers of model %s are called %s in Hyper; rename the model's parameter", e.model.out.Name, name).code("go-name"))
			return leaf
		}
	}
	v, _ := n.known()
	e.model.out.Hyper = append(e.model.out.Hyper, ir.Hyper{Name: name, Default: v, Doc: doc, Node: leaf})
	return leaf
}

// input declares a run-time input; names in its shape that are not known are
// run-time dimensions.
func (e *elaborator) input(sc *scope, s *VarStmt) {
	if len(sc.loops) > 0 {
		e.fail(sc, s, "place", "input stands outside of loops")
		e.poisonVar(sc, s)
		return
	}
	if old := e.model.inputAt[s.Name.Name]; old != nil && old != s {
		d := errorAt(s.Name, "input %s is declared twice", s.Name.Name).code("declared-twice")
		e.report(d.related(old.Name, "%s is declared here first", s.Name.Name))
	}
	e.model.inputAt[s.Name.Name] = s
	if s.Type == nil || s.Type.Shape == nil {
		e.fail(sc, s, "shape", "input %s lacks its shape, such as [B, 10], or [] of a scalar", s.Name.Name)
		e.poisonVar(sc, s)
		return
	}
	e.model.out.Dims = e.declareDims(sc, s.Type.Shape, e.model.out.Dims)
	t, ok := e.tensorType(sc, s, nil)
	if !ok {
		e.poisonVar(sc, s)
		return
	}
	leaf := e.g.Leaf("input", s.Name.Name, t)
	if e.training {
		e.model.out.Inputs = append(e.model.out.Inputs, ir.Named{Name: s.Name.Name, Doc: s.Doc, Pos: position(s.Name.Span), Node: leaf})
	}
	e.bindVar(sc, s, leaf, nil)
}

// declareDims declares the names in a shape that are not known as run-time
// dimensions, and adds them to dims.
func (e *elaborator) declareDims(sc *scope, s *Shape, dims []ir.RunDim) []ir.RunDim {
	for _, d := range s.Dims {
		if d.Expr == nil || d.Spread {
			continue
		}
		walkExpr(d.Expr, func(x Expr) {
			if name, ok := x.(*Name); ok {
				dims = e.declareDim(sc, name, dims)
			}
		})
	}
	return dims
}

// declareDim declares a name, where it is not known, as a run-time dimension, and
// adds it to dims.
func (e *elaborator) declareDim(sc *scope, name *Name, dims []ir.RunDim) []ir.RunDim {
	if sc.vals[name.Name] != nil || sc.files.hasConst(name.Name) {
		return dims
	}
	e.user.dims[name.Name] = true
	dim := ir.DimVar(name.Name)
	if n, fixed := e.opts.Dims[name.Name]; fixed {
		dim = ir.Fixed(n)
	} else if !hasDim(dims, name.Name) {
		dims = append(dims, ir.RunDim{Name: name.Name})
	}
	sc.vals[name.Name] = &binding{val: whole(dim), place: name.Span, verb: "declared"}
	return dims
}

func hasDim(dims []ir.RunDim, name string) bool {
	for _, d := range dims {
		if d.Name == name {
			return true
		}
	}
	return false
}

// output adds a value to what the forward function returns.
func (e *elaborator) output(sc *scope, s *OutputStmt) {
	var v value
	if s.Value != nil {
		e.bindAssigned(sc, s.Name, s.Value, e.eval(sc, s.Value))
		v = sc.vals[s.Name.Name].val
	} else {
		v = e.evalName(sc, s.Name)
	}
	if isPoison(v) || !e.once(sc, "output", s.Name) {
		return
	}
	n, ok := e.tensorOf(sc, s.Name, v)
	if !ok {
		return
	}
	e.model.side.Outputs = append(e.model.side.Outputs, ir.Named{Name: s.Name.Name, Doc: s.Doc, Pos: position(s.Name.Span), Node: n})
}

// once reports a second output or metric of one name.
func (e *elaborator) once(sc *scope, kind string, name *Name) bool {
	key := kind + " " + goName(name.Name)
	if old, ok := e.model.named[key]; ok {
		d := errorAt(name, "two %ss are called %s; %s name = … gives one another name", kind, name.Name, kind).code("declared-twice")
		if old.Name != name.Name {
			d = meetInGo(name, kind+"s", old.Name, name.Name, fmt.Sprintf("%s name = … gives one another name", kind))
		}
		e.failWith(sc, name, d.related(old, "%s is here", theFirst(old.Name, name.Name)))
		return false
	}
	e.model.named[key] = name
	return true
}

// meetInGo reports two names of the program that are one name in Go.
func meetInGo(at Node, kind, a, b, remedy string) *Diagnostic {
	return errorAt(at, "%s %s and %s meet in the Go name %s; %s", kind, a, b, goName(a), remedy).code("go-name")
}

// theFirst is what a note calls the first of two declarations.
func theFirst(old, name string) string {
	if old == name {
		return "the first"
	}
	return old
}

// metric adds a number that is reported.
func (e *elaborator) metric(sc *scope, s *MetricStmt) {
	name := s.Name
	if name == nil {
		name = calledName(s.Value)
	}
	v := e.eval(sc, s.Value)
	if name == nil {
		e.fail(sc, s.Value, "metric-name", "this metric needs a name: metric name = %s", excerptOf(s.Value, "…"))
		return
	}
	if isPoison(v) || !e.once(sc, "metric", name) {
		return
	}
	n, ok := e.tensorOf(sc, s.Value, v)
	if !ok {
		return
	}
	if n.Type.Rank() > 0 {
		e.fail(sc, s.Value, "not-scalar", "metric %s is %v, and it must be a scalar []; %s over it gives one", name.Name, n.Type.Shape, reducing(n.Type.Elem))
		return
	}
	if n.Type.Elem == ir.Bool {
		n = e.g.Cast(n, e.elem)
	}
	e.name(sc, n, name)
	e.model.side.Metrics = append(e.model.side.Metrics, ir.Named{Name: name.Name, Doc: s.Doc, Pos: position(name.Span), Node: n})
}

// calledName is the name of the function that an expression calls last.
func calledName(x Expr) *Name {
	switch x := x.(type) {
	case *Call:
		name, _ := x.Func.(*Name)
		return name
	case *Pipe:
		return calledName(x.Stage)
	}
	return nil
}

// reducing is the reductions that make a scalar of a tensor.
func reducing(t ir.DType) string {
	if t == ir.Bool {
		return "any or all"
	}
	return "mean or sum"
}

// keep adds a state or a carry.
func (m *modelState) keep(s *ir.State, kind VarKind) {
	m.keptAt[s.Path] = s
	if kind == Carry {
		m.out.Carries = append(m.out.Carries, s)
	} else {
		m.out.States = append(m.out.States, s)
	}
}

// now is the value of a state or a carry at this point of this side.
func (m *modelState) now(s *ir.State) *ir.Node {
	for _, w := range slices.Backward(m.side.Writes) {
		switch {
		case w.State != s:
		case w.Read != nil:
			return w.Read
		default:
			return w.Value
		}
	}
	return s.Node
}

// write notes a new value of a state or carry, and returns what reads it. In
// training each write is one of its application; in inference, where all
// applications run, the last one stands.
func (e *elaborator) write(sc *scope, s *ir.State, n *ir.Node) *ir.Node {
	m := e.model
	w := ir.Write{State: s, Value: n}
	if e.training {
		w.Read = e.mark(n, "write of "+s.Path)
		if m.writers = append(m.writers, sc.app); sc.app != nil {
			sc.app.writes = true
		}
		m.side.Writes = append(m.side.Writes, w)
		return w.Read
	}
	for i, old := range m.side.Writes {
		if old.State == s {
			m.side.Writes[i] = w
			return n
		}
	}
	m.side.Writes = append(m.side.Writes, w)
	return n
}

// mark is n as a node that nothing else is. A name given to it is that of n.
func (e *elaborator) mark(n *ir.Node, name string) *ir.Node {
	marked := e.g.Pin(n, fmt.Sprintf("%s, mark %d", name, len(e.marks)+1))
	e.marks[marked] = true
	return marked
}

// keysOf is the key of a number of Hyper.
func (m *modelState) keysOf(leaf *ir.Node) []string { return []string{m.hyperKey[leaf.Attr.Name]} }
