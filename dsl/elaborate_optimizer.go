package dsl

import (
	"strconv"
	"strings"

	"gradgen.dev/ir"
)

// An optimizerRule is an optimizer with its numbers.
type optimizerRule struct {
	decl *OptimizerDecl
	args map[string]*argument
	call Node
	text string // as written
}

// optimizerOf finds the optimizer that a train or use names.
func (e *elaborator) optimizerOf(m *modelState, name *Name) *OptimizerDecl {
	d := m.scope.files.optimizer(name.Name)
	if d == nil {
		e.unknownOptimizer(m, name)
		return nil
	}
	e.filesOf(d).used[d] = true
	return d
}

func (e *elaborator) unknownOptimizer(m *modelState, name *Name) {
	files := m.scope.files
	if files.isBad(name.Name) || files.partial {
		return
	}
	if f := e.lookupFunction(m.scope, name.Name); f != nil {
		e.report(errorAt(name, "%s is a %s, and train takes an optimizer", name.Name, f.kindName()).code("unknown-optimizer"))
		return
	}
	var names []string
	for _, s := range files.visible() {
		names = append(names, sortedKeys(s.optimizers)...)
	}
	hint := files.behindImport(name.Name)
	if hint == "" {
		hint = proposal(name.Name, names)
	}
	e.report(errorAt(name, "no optimizer is called %s%s", name.Name, hint).code("unknown-optimizer"))
}

// rule reads an optimizer with what it is given. A number that is not given is
// that of base, where base is the same optimizer.
func (t *training) rule(at Node, d *OptimizerDecl, given []*argument, base *optimizerRule, prefix, text string) *optimizerRule {
	e, m := t.e, t.m
	f := &function{name: d.Name.Name, fn: &FnDecl{Span: d.Span, Name: d.Name, Params: d.Params}}
	written := map[string]bool{}
	for i, a := range given {
		switch {
		case a.name != nil:
			written[a.name.Name] = true
		case i < len(d.Params):
			written[d.Params[i].Name.Name] = true
		}
	}
	args := given
	if base != nil {
		for _, p := range d.Params {
			if a := base.args[p.Name.Name]; a != nil && !written[p.Name.Name] {
				inherited := *a
				inherited.name = p.Name
				args = append(args, &inherited)
			}
		}
	}
	matched, ok := e.match(m.scope, at, f, d.Params, args)
	if !ok {
		return nil
	}
	for _, p := range d.Params {
		if a := matched[p.Name.Name]; a != nil && written[p.Name.Name] && !t.arg(f, p, a, prefix, text) {
			return nil
		}
	}
	return &optimizerRule{decl: d, args: matched, call: at, text: text}
}

// arg evaluates what an optimizer is given. A literal number is a field of
// Hyper, unless it is needed at compile time.
func (t *training) arg(f *function, p *Param, a *argument, prefix, text string) bool {
	e, m := t.e, t.m
	if e.wantsFunction(f, p) {
		g := e.functionValue(m.scope, a.expr)
		if g != nil {
			a.val = g
		}
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
	a.val = t.number(a.node, prefix+p.Name.Name, n, text)
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

// number is a number of a train: a field of Hyper, unless it is a schedule or
// needed at compile time. Its name is the next one that is free behind name.
func (t *training) number(at Node, name string, n number, doc string) number {
	e, m := t.e, t.m
	name = m.freeHyper(t.prefix() + name)

	// Numbers of the model inside a schedule are compile-time numbers.
	if n.moving {
		e.needStatic(hyperLeaves(m, n))
		return n
	}
	key := m.out.Name + ".train." + name
	if _, known := n.known(); known && n.node == nil && !e.static[key] {
		n.node = e.hyper(at, name, n, doc, key, true)
		n.hyper = []string{key}
	}
	return n
}

// freeHyper is a name that no other number of the trains has.
func (m *modelState) freeHyper(name string) string {
	free := name
	for k := 2; m.hyperTaken[goName(free)]; k++ {
		free = name + strconv.Itoa(k)
	}
	m.hyperTaken[goName(free)] = true
	return free
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
	elem, ok := parseElem(t.Elem.Name)
	return ok && elem.IsFloat()
}

// updateOf elaborates the rule for one parameter. decay is nil where there is
// none.
func (t *training) updateOf(rule *optimizerRule, decay *decayRule, p *ir.Param) *ir.Update {
	e, d := t.e, rule.decl
	u := &ir.Update{Param: p, Grad: e.g.Leaf("input", "grad "+p.Path, p.Node.Type), Rule: rule.text}
	outer := e.elem
	e.elem = p.Node.Type.Elem // the rule is in the parameter's type
	defer func() { e.elem = outer }()
	sc := newScope(optimizerScope, d.Name.Name, d, e.filesOf(d), t.m.scope, rule.call)
	sc.path = p.Path
	if t.out.Loss != "" {
		sc.path = join(p.Path, t.out.Loss)
	}
	f := &function{name: d.Name.Name, fn: &FnDecl{Span: d.Span, Name: d.Name, Params: d.Params}}
	if !e.bindArgs(sc, f, d.Params, rule.args) {
		return nil
	}
	target := &binding{val: tensor{p.Node}, place: d.Name.Span, verb: "declared"}
	sc.vals["param"] = target
	grad, rate := u.Grad, value(integer(0))
	if decay != nil {
		u.Decay, rate = decay.text, decay.rate
		if !mentions(d, "decay") {
			grad = e.decayed(grad, p.Node, decay.rate)
		}
	}
	sc.vals["grad"] = &binding{val: tensor{grad}, place: d.Name.Span, verb: "declared"}
	sc.vals["decay"] = &binding{val: rate, place: d.Name.Span, verb: "declared"}
	sc.namer = e.newNamer(sc)
	sc.namer.body()
	if d.Body != nil {
		e.block(sc, d.Body)
	}
	if e.stopped || isPoison(target.val) {
		return nil
	}
	if target.verb != "updated" {
		e.failNeverSets(d)
		return nil
	}
	u.Next = target.val.(tensor).node
	if !optimizerStates(sc, u) {
		return nil
	}
	return u
}

// optimizerStates adds the states of an optimizer's body, with their new values.
func optimizerStates(sc *scope, u *ir.Update) bool {
	for _, v := range sc.states {
		w := ir.Write{State: v.state, Value: v.state.Node}
		if b := sc.vals[v.decl.Name.Name]; b != nil && b.state == v {
			t, ok := b.val.(tensor)
			if !ok {
				return false
			}
			w.Value = t.node
		}
		u.States = append(u.States, w)
	}
	return true
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
