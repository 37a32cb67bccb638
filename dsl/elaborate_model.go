package dsl

import "gradgen.dev/ir"

// modelState is a model while it is elaborated: once with training true, once
// with training false, into the same leaves.
type modelState struct {
	decl       *ModelDecl
	scope      *scope // of the body, in training
	out        *ir.Model
	side       *ir.Side
	paramAt    map[string]*ir.Param
	paramPlace map[string]*Name
	stateAt    map[string]*ir.State
	inputAt    map[string]*VarStmt
	hyperKey   map[string]string // of each number of Hyper, as static has it
	train      *TrainStmt
	lossPlace  Node
	named      map[string]Node // outputs and metrics of this side, by kind and name
}

// elaborateModel adds a model to the program.
func (e *elaborator) elaborateModel(d *ModelDecl) {
	e.facts = nil
	m := &modelState{decl: d, paramAt: map[string]*ir.Param{}, paramPlace: map[string]*Name{},
		stateAt: map[string]*ir.State{}, hyperKey: map[string]string{},
		out: &ir.Model{Name: d.Name.Name, Doc: d.Doc, Pos: position(d.Name.Span), Elem: e.elem}}
	e.model = m
	defer func() { e.model = nil }()

	spent := e.spent
	m.out.Train = e.side(d, true)
	e.spent = spent // the two sides are one program
	m.out.Infer = e.side(d, false)
	if m.train != nil && !e.stopped {
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
	e.model.named = map[string]Node{}
	e.model.inputAt = map[string]*VarStmt{}
	e.model.lossPlace = nil

	sc := newScope(modelScope, d.Name.Name, d, false, nil, nil)
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
	if sc.kind != modelScope {
		e.fail(sc, s, "place", "input stands in a model")
		e.poisonVar(sc, s)
		return
	}
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
			name, ok := x.(*Name)
			if !ok || sc.vals[name.Name] != nil || e.constValueOf(name.Name, sc.library) {
				return
			}
			e.user.dims[name.Name] = true
			dim := ir.DimVar(name.Name)
			if n, fixed := e.opts.Dims[name.Name]; fixed {
				dim = ir.D(n)
			} else if !hasDim(dims, name.Name) {
				dims = append(dims, ir.RunDim{Name: name.Name})
			}
			sc.vals[name.Name] = &binding{val: whole(dim), place: name.Span, verb: "declared"}
		})
	}
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
	if sc.kind != modelScope {
		e.fail(sc, s, "place", "output stands in a model")
		return
	}
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
		e.failWith(sc, name, d.related(old, "the first is here"))
		return false
	}
	e.model.named[key] = name
	return true
}

// loss adds a scalar to what training minimises.
func (e *elaborator) loss(sc *scope, s *LossStmt) {
	if sc.kind != modelScope {
		e.fail(sc, s, "place", "loss stands in a model; a layer can return what the model minimises")
		return
	}
	v := e.eval(sc, s.Value)
	if s.Name != nil {
		e.notCompiled(sc, s.Name, "a named loss")
		return
	}
	e.model.lossPlace = s
	if isPoison(v) {
		return
	}
	n, ok := e.tensorOf(sc, s.Value, v)
	if !ok {
		return
	}
	if !n.Type.Elem.IsFloat() {
		e.fail(sc, s.Value, "loss-type", "the loss is of type %v, and it must be floating", n.Type.Elem)
		return
	}
	if n.Type.Rank() > 0 {
		d := errorAt(s.Value, "the loss is %v, and it must be a scalar []; mean or sum over it gives one", n.Type.Shape).code("not-scalar")
		e.failWith(sc, s.Value, e.explain(sc, d, s.Value))
		return
	}
	e.addLoss(sc, s, n)
}

// addLoss adds an unnamed loss to the ones before it.
func (e *elaborator) addLoss(sc *scope, s *LossStmt, n *ir.Node) {
	side := e.model.side
	if len(side.Losses) == 0 {
		side.Losses = []ir.Named{{Doc: s.Doc, Pos: position(s.Span), Node: n}}
	} else if sum := side.Losses[0].Node; sum.Type.Elem != n.Type.Elem {
		e.fail(sc, s.Value, "loss-type", "this loss is of type %v and the one before of %v", n.Type.Elem, sum.Type.Elem)
		return
	} else {
		side.Losses[0].Node = e.g.Map("add", sum, n)
	}
	e.name(sc, side.Losses[0].Node, &Name{Span: s.Span, Name: "loss"})
}

// metric adds a number that is reported.
func (e *elaborator) metric(sc *scope, s *MetricStmt) {
	if sc.kind != modelScope {
		e.fail(sc, s, "place", "metric stands in a model")
		return
	}
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
	switch {
	case n.Type.Elem == ir.Bool:
		e.fail(sc, s.Value, "loss-type", "metric %s is a bool; float(x) converts", name.Name)
		return
	case n.Type.Rank() > 0:
		e.fail(sc, s.Value, "not-scalar", "metric %s is %v, and it must be a scalar []; mean or sum over it gives one", name.Name, n.Type.Shape)
		return
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

// write notes the new value of a state; the last one of a step stands.
func (m *modelState) write(s *ir.State, n *ir.Node) {
	for i, w := range m.side.Writes {
		if w.State == s {
			m.side.Writes[i].Value = n
			return
		}
	}
	m.side.Writes = append(m.side.Writes, ir.Write{State: s, Value: n})
}

// keysOf is the key of a number of Hyper.
func (m *modelState) keysOf(leaf *ir.Node) []string { return []string{m.hyperKey[leaf.Attr.Name]} }
