package dsl

import (
	"strings"

	"gradgen.dev/ir"
)

// trainStmt notes the rule of a model. It is elaborated when all parameters
// are known.
func (e *elaborator) trainStmt(sc *scope, s *TrainStmt) {
	if sc.kind != modelScope {
		e.fail(sc, s, "place", "train stands in a model")
		return
	}
	if !e.training {
		return
	}
	if old := e.model.train; old != nil && old != s {
		d := errorAt(s, "a model without named losses has one train, and this is the second").code("train")
		e.report(d.related(old, "the first is here"))
		return
	}
	if len(sc.loops) > 0 {
		e.fail(sc, s, "place", "train stands outside of loops")
		return
	}
	e.model.train = s
}

// An optimizerRule is a train statement's rule with its numbers.
type optimizerRule struct {
	decl  *OptimizerDecl
	args  map[string]*argument
	decay value // nil where it is not set
	call  *Call
}

// trainModel elaborates the update of every parameter.
func (e *elaborator) trainModel(m *modelState) {
	s := m.train
	if s.Loss != nil {
		e.notCompiled(nil, s.Loss, "train of a named loss")
		return
	}
	if m.lossPlace == nil && !e.broken {
		e.report(errorAt(s, "train has no loss to minimise; the model needs a loss").code("train"))
		return
	}
	if len(s.For) > 0 {
		e.notCompiled(nil, s.For[0], "train for some of the parameters")
		return
	}
	e.training = true
	defer func() { e.training = false }()
	rule := e.rule(m, s)
	if rule == nil {
		return
	}
	train := &ir.Train{Rule: oneLine(s.Rule), Pos: position(s.Span), Accumulate: 1}
	for _, p := range m.out.Params {
		u := e.updateOf(m, rule, p)
		if u == nil {
			return
		}
		u.Rule = train.Rule
		train.Updates = append(train.Updates, u)
	}
	m.out.Trains = []*ir.Train{train}
}

// optimizerNamed is the optimizer of that name, the file's before the library's.
func (e *elaborator) optimizerNamed(name string) *OptimizerDecl {
	if d, ok := e.user.optimizers[name]; ok {
		return d
	}
	return e.library.optimizers[name]
}

// rule reads the optimizer of a train statement and what it is given.
func (e *elaborator) rule(m *modelState, s *TrainStmt) *optimizerRule {
	name, ok := s.Rule.Func.(*Name)
	if !ok {
		e.report(errorAt(s.Rule, "train takes the name of an optimizer").code("unknown-optimizer"))
		return nil
	}
	d := e.optimizerNamed(name.Name)
	if d == nil {
		e.unknownOptimizer(m, name)
		return nil
	}
	e.scopeOf(e.isLibrary(d)).used[d] = true
	f := &function{name: name.Name, fn: &FnDecl{Span: d.Span, Name: d.Name, Params: d.Params}}
	args, ok := e.match(m.scope, s.Rule, f, d.Params, writtenArgs(m.scope, s.Rule))
	if !ok {
		return nil
	}
	rule := &optimizerRule{decl: d, args: args, call: s.Rule}
	for _, p := range d.Params {
		if a := args[p.Name.Name]; a != nil && !e.trainArg(m, f, p, a) {
			return nil
		}
	}
	if s.Body != nil && !e.trainBlock(m, s, rule) {
		return nil
	}
	return rule
}

func (e *elaborator) unknownOptimizer(m *modelState, name *Name) {
	if e.user.bad[name.Name] || e.imports {
		return
	}
	if f := e.lookupFunction(m.scope, name.Name); f != nil {
		e.report(errorAt(name, "%s is a %s, and train takes an optimizer", name.Name, f.kindName()).code("unknown-optimizer"))
		return
	}
	names := append(sortedKeys(e.user.optimizers), sortedKeys(e.library.optimizers)...)
	e.report(errorAt(name, "no optimizer is called %s%s", name.Name, proposal(name.Name, names)).code("unknown-optimizer"))
}

// trainArg evaluates what train gives the rule. A literal number is a field of
// Hyper, unless it is needed at compile time.
func (e *elaborator) trainArg(m *modelState, f *function, p *Param, a *argument) bool {
	if e.wantsFunction(f, p) {
		g := e.functionValue(m.scope, a.expr)
		a.val = g
		return g != nil
	}
	v := e.argValue(a)
	if isPoison(v) {
		return false
	}
	n, ok := v.(number)
	if p.Type == nil && !takes(p, v) {
		e.report(errorAt(a.node, "%s of %s is a number, not %s", p.Name.Name, f.name, v.what()).code("train-number"))
		return false
	}
	if !ok || n.logical || p.Type != nil && !isNumberType(p.Type) {
		return true
	}
	a.val = e.trainNumber(m, a.node, p.Name.Name, n, m.out.Name+".train."+p.Name.Name, oneLine(m.train.Rule))
	return true
}

// takes reports whether a value is of the kind that a parameter without a type
// has by its default: a number unless that is a bool or a string.
func takes(p *Param, v value) bool {
	ok := false
	switch v.(type) {
	case number:
		return true
	case truth:
		_, ok = p.Default.(*Bool)
	case text:
		_, ok = p.Default.(*String)
	}
	return ok
}

// trainNumber is a number given to train.
func (e *elaborator) trainNumber(m *modelState, at Node, name string, n number, key, rule string) number {
	// Numbers of the model inside a schedule are compile-time numbers.
	if n.moving {
		e.needStatic(hyperLeaves(m, n))
		return n
	}
	if _, known := n.known(); known && n.node == nil && !e.static[key] {
		n.node = e.hyper(at, name, n, rule, key, true)
		n.hyper = []string{key}
	}
	return n
}

// hyperLeaves is the model's own numbers that a number depends on.
func hyperLeaves(m *modelState, n number) []string {
	var out []string
	for _, x := range ir.Topological(n.node) {
		if x.Is("hyper") {
			out = append(out, m.keysOf(x)...)
		}
	}
	return out
}

// isNumberType reports whether a type is a bare floating element type.
func isNumberType(t *Type) bool {
	if t.Shape != nil || t.Elem == nil {
		return false
	}
	elem, ok := ir.ParseDType(t.Elem.Name)
	return ok && elem.IsFloat()
}

// trainBlock reads the block of train.
func (e *elaborator) trainBlock(m *modelState, s *TrainStmt, rule *optimizerRule) bool {
	ok := true
	for _, item := range s.Body.Stmts {
		switch item := item.(type) {
		case *DecayStmt:
			if len(item.For) > 0 {
				e.notCompiled(nil, item, "decay for some of the parameters")
				ok = false
				continue
			}
			ok = e.trainDecay(m, item, rule) && ok
		case *BadStmt:
			e.broken, ok = true, false
		case *ClipStmt:
			e.notCompiled(nil, item, "clip")
			ok = false
		case *FreezeStmt:
			e.notCompiled(nil, item, "freeze")
			ok = false
		case *UseStmt:
			e.notCompiled(nil, item, "use")
			ok = false
		case *AverageStmt:
			e.notCompiled(nil, item, "average")
			ok = false
		case *AccumulateStmt:
			e.notCompiled(nil, item, "accumulate")
			ok = false
		case *CheckStmt:
			e.notCompiled(nil, item, "check gradients")
			ok = false
		default:
			e.notCompiled(nil, item, "a loop or a branch in the block of train")
			ok = false
		}
	}
	return ok
}

// trainDecay is `decay 0.1`.
func (e *elaborator) trainDecay(m *modelState, s *DecayStmt, rule *optimizerRule) bool {
	v := e.eval(m.scope, s.Value)
	if isPoison(v) {
		return false
	}
	n, ok := v.(number)
	if !ok || n.logical {
		e.report(errorAt(s.Value, "decay is %s, want a number", v.what()).code("train-number"))
		return false
	}
	rule.decay = e.trainNumber(m, s, "decay", n, m.out.Name+".train.decay", oneLine(s))
	return true
}

// updateOf elaborates the rule for one parameter.
func (e *elaborator) updateOf(m *modelState, rule *optimizerRule, p *ir.Param) *ir.Update {
	d := rule.decl
	t := p.Node.Type
	u := &ir.Update{Param: p, Grad: e.g.Leaf("input", "grad "+p.Path, t)}
	sc := newScope(optimizerScope, d.Name.Name, d, e.isLibrary(d), m.scope, rule.call)
	sc.path = p.Path
	f := &function{name: d.Name.Name, fn: &FnDecl{Span: d.Span, Name: d.Name, Params: d.Params}}
	if !e.bindArgs(sc, f, d.Params, rule.args) {
		return nil
	}
	target := &binding{val: tensor{p.Node}, place: d.Name.Span, verb: "declared"}
	sc.vals["param"] = target
	decay, grad := value(integer(0)), u.Grad
	if rule.decay != nil {
		decay = rule.decay
		if !mentions(d, "decay") {
			grad = e.decayed(grad, p.Node, decay.(number))
		}
	}
	sc.vals["grad"] = &binding{val: tensor{grad}, place: d.Name.Span, verb: "declared"}
	sc.vals["decay"] = &binding{val: decay, place: d.Name.Span, verb: "declared"}
	sc.namer = e.newNamer(sc)
	sc.namer.body()
	if d.Body != nil {
		e.block(sc, d.Body)
	}
	if e.stopped || isPoison(target.val) {
		return nil
	}
	if target.verb != "updated" {
		if hasBad(d.Body) {
			return nil
		}
		e.report(errorAt(d.Name, "optimizer %s never sets param; param <- … does", d.Name.Name).code("optimizer"))
		return nil
	}
	u.Next = target.val.(tensor).node
	for _, v := range sc.states {
		w := ir.Write{State: v.state, Value: v.state.Node}
		if b := sc.vals[v.decl.Name.Name]; b != nil && b.state == v {
			t, ok := b.val.(tensor)
			if !ok {
				return nil
			}
			w.Value = t.node
		}
		u.States = append(u.States, w)
	}
	return u
}

// decayed is grad + decay·param.
func (e *elaborator) decayed(grad, param *ir.Node, decay number) *ir.Node {
	rate := e.broadcast(decay.as(e.g, param.Type.Elem), param.Type.Shape)
	return e.g.Map("add", grad, e.g.Map("mul", rate, param))
}

// mentions reports whether the body of an optimizer uses a name.
func mentions(d *OptimizerDecl, word string) bool {
	found := false
	walkBody(nil, d.Body, func(x Expr) {
		if n, ok := x.(*Name); ok && n.Name == word {
			found = true
		}
	})
	return found
}

// oneLine is the text of a node on one line.
func oneLine(n Node) string { return strings.Join(strings.Fields(n.Where().Text()), " ") }
