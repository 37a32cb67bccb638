package dsl

import (
	"slices"
	"strconv"

	"gradgen.dev/ir"
)

// An argument is what a call passes: an expression of the caller's, or a value
// that is known already.
type argument struct {
	name *Name // nil for a positional one
	node Node  // its place
	expr Expr  // nil where val is set
	val  value
	sc   *scope // where expr is evaluated
}

// evalPipe is x |> f(b), which is f(x, b).
func (e *elaborator) evalPipe(sc *scope, x *Pipe) value {
	first := &argument{node: x.X, expr: x.X, sc: sc}
	return e.callWith(sc, x.Stage, first)
}

// evalCall is f(args).
func (e *elaborator) evalCall(sc *scope, x *Call) value { return e.callWith(sc, x, nil) }

// callWith is a call with an argument before the written ones.
func (e *elaborator) callWith(sc *scope, x *Call, first *argument) value {
	var args []*argument
	if first != nil {
		args = append(args, first)
	}
	args = append(args, writtenArgs(sc, x)...)
	name, ok := x.Func.(*Name)
	if !ok {
		if part, ok := x.Func.(*Field); ok {
			return e.callPart(sc, x, part, args)
		}
		e.evalAll(args)
		return e.fail(sc, x.Func, "not-a-function", "%s is no function; a call starts with its name", excerptOf(x.Func, "this"))
	}
	if elem, ok := elementType(e, name.Name); ok {
		return e.convert(sc, x, args, elem)
	}
	f := e.lookupFunction(sc, name.Name)
	if f == nil {
		e.evalUnknown(args)
		return e.unknownFunction(sc, name)
	}
	e.checkAs(sc, x, f)
	return e.apply(sc, x, f, args)
}

// callPart is a call of an instance inside another.
func (e *elaborator) callPart(sc *scope, x *Call, part *Field, args []*argument) value {
	f := e.partFunction(sc, part)
	if f == nil {
		e.evalUnknown(args)
		return poison{}
	}
	e.checkAs(sc, x, f)
	return e.apply(sc, x, f, args)
}

// checkAs reports an `as` behind what makes no instance.
func (e *elaborator) checkAs(sc *scope, x *Call, f *function) {
	switch {
	case x.As == nil || f.bad:
	case f.inst != nil:
		e.fail(sc, x.As, "as", "as names a new instance of a layer, and %s is an instance already", f.name)
	case f.layer == nil:
		e.fail(sc, x.As, "as", "as names an instance of a layer, and %s is a %s", f.name, f.kindName())
	}
}

// writtenArgs is the arguments of a call as they are written.
func writtenArgs(sc *scope, x *Call) []*argument {
	args := make([]*argument, len(x.Args))
	for i, a := range x.Args {
		args[i] = &argument{name: a.Name, node: a.Value, expr: a.Value, sc: sc}
	}
	return args
}

// evalAll evaluates arguments for the errors in them.
func (e *elaborator) evalAll(args []*argument) {
	for _, a := range args {
		e.argValue(a)
	}
}

// evalUnknown evaluates the arguments of a function that does not exist, but for
// those that may stand for functions.
func (e *elaborator) evalUnknown(args []*argument) {
	for _, a := range args {
		name, isName := a.expr.(*Name)
		if a.name == nil && !(isName && e.lookupFunction(a.sc, name.Name) != nil) {
			e.argValue(a)
		}
	}
}

// argValue is the value of an argument.
func (e *elaborator) argValue(a *argument) value {
	if a.val == nil {
		a.val = e.eval(a.sc, a.expr)
	}
	return a.val
}

// elementType is the type that a conversion such as float32(x) is called by.
func elementType(e *elaborator, name string) (ir.DType, bool) {
	if name == "float" {
		return e.elem, true
	}
	return parseElem(name)
}

// apply calls a function from the scope sc.
func (e *elaborator) apply(sc *scope, at Node, f *function, args []*argument) value {
	if f.bad {
		e.evalAll(args)
		return poison{}
	}
	if len(f.bound) > 0 {
		args = append(append([]*argument{}, args...), f.bound...)
	}
	if e.spent.calls++; e.spent.calls > maxCalls {
		return e.stop(sc, at, "this program needs more than the limit of %d inlined calls", maxCalls)
	}
	if d := f.decl(); d != nil && e.runaway[d] {
		return poison{}
	}
	if sc.depth >= maxDepth {
		return e.tooDeep(sc, at, f)
	}
	switch {
	case f.builtin != nil:
		return e.applyBuiltin(sc, at, f, args)
	case f.layer != nil:
		return e.applyLayer(sc, at, f, args)
	}
	return e.applyFn(sc, at, f, args)
}

// match finds the argument of each parameter.
func (e *elaborator) match(sc *scope, at Node, f *function, params []*Param, args []*argument) (map[string]*argument, bool) {
	out, ok, next := map[string]*argument{}, true, 0
	for _, a := range args {
		var p *Param
		if a.name == nil {
			if next >= len(params) {
				d := errorAt(a.node, "%s takes %s, and this is one more", f.name, count(len(params), "argument")).code("arguments")
				e.failWith(sc, a.node, e.declaredAt(d, f))
				e.argValue(a)
				return nil, false
			}
			p = params[next]
			next++
			if reducedAxis(p) {
				e.fail(sc, a.node, "arguments", "the axis of %s is always named: axis: %s", f.name, excerptOf(a.node, "…"))
				e.argValue(a)
				return nil, false
			}
		} else if p = paramNamed(params, a.name.Name); p == nil {
			d := errorAt(a.name, "%s", noParameter(f.name, a.name.Name, paramNames(params))).code("arguments")
			e.failWith(sc, a.name, e.declaredAt(d, f))
			ok = false
			continue
		}
		if old := out[p.Name.Name]; old != nil && f.inst != nil && slices.Contains(f.bound, a) {
			d := errorAt(old.node, "%s has its %s already, from where it is declared", f.name, p.Name.Name).code("arguments")
			e.failWith(sc, old.node, d.related(f.inst.place, "it is declared here"))
			ok = false
			continue
		}
		if out[p.Name.Name] != nil {
			e.fail(sc, a.node, "arguments", "%s is given %s twice", f.name, p.Name.Name)
			ok = false
			continue
		}
		out[p.Name.Name] = a
	}
	for _, p := range params {
		if p.Default == nil && out[p.Name.Name] == nil && ok {
			d := errorAt(at, "%s lacks its argument %s%s", f.name, p.Name.Name, stepFirst(f, params, out)).code("arguments")
			e.failWith(sc, at, e.declaredAt(d, f))
			ok = false
		}
	}
	if !ok {
		for _, a := range args {
			if a.expr != nil && !e.expectsFunction(f, params, a) {
				e.argValue(a)
			}
		}
	}
	return out, ok
}

// stepFirst reminds of the step that a schedule starts with, where something
// else stands in its place.
func stepFirst(f *function, params []*Param, given map[string]*argument) string {
	if len(params) == 0 || params[0].Name.Name != "step" || given["step"] == nil {
		return ""
	}
	if name, ok := given["step"].expr.(*Name); ok && name.Name == "step" {
		return ""
	}
	return "; it is an expression of the step, which comes first: " + f.name + "(step, …)"
}

// noParameter says that a function lacks a parameter, and which one is meant or
// which there are.
func noParameter(function, name string, names []string) string {
	text := function + " has no parameter " + name
	switch near := proposal(name, names); {
	case near != "":
		return text + near
	case len(names) == 0:
		return text + "; it has none"
	}
	return text + "; it has " + joined(names, "and")
}

// reducedAxis reports whether a parameter is the axis of a reduction: one that
// is every axis unless it is given.
func reducedAxis(p *Param) bool {
	c, ok := p.Default.(*Call)
	if !ok || p.Name.Name != "axis" {
		return false
	}
	name, ok := c.Func.(*Name)
	return ok && name.Name == "axes"
}

// expectsFunction reports whether an argument may stand for a fn parameter.
func (e *elaborator) expectsFunction(f *function, params []*Param, a *argument) bool {
	if a.name != nil {
		p := paramNamed(params, a.name.Name)
		return p == nil || e.wantsFunction(f, p)
	}
	for _, p := range params {
		if e.wantsFunction(f, p) {
			return true
		}
	}
	return false
}

// declaredAt adds the place of a user's declaration.
func (e *elaborator) declaredAt(d *Diagnostic, f *function) *Diagnostic {
	switch {
	case f.fn != nil && !e.isLibrary(f.fn.Name):
		d.related(f.fn.Name, "%s is declared here", f.name)
	case f.layer != nil && !e.isLibrary(f.layer.Name):
		d.related(f.layer.Name, "%s is declared here", f.name)
	}
	return d
}

func paramNamed(params []*Param, name string) *Param {
	for _, p := range params {
		if p.Name.Name == name {
			return p
		}
	}
	return nil
}

func paramNames(params []*Param) []string {
	out := make([]string, len(params))
	for i, p := range params {
		out[i] = p.Name.Name
	}
	return out
}

// isLibrary reports whether text is the library's.
func (e *elaborator) isLibrary(n Node) bool { return e.files[n.Where().File] == nil }

// filesOf is the declarations that the text of n sees.
func (e *elaborator) filesOf(n Node) *fileScope {
	if s := e.files[n.Where().File]; s != nil {
		return s
	}
	return e.library
}

// paramNames is the names of the parameters of any function.
func (f *function) paramNames() []string {
	if f.builtin != nil {
		names := make([]string, len(f.builtin.params))
		for i, p := range f.builtin.params {
			names[i] = p.name
		}
		return names
	}
	return paramNames(f.params())
}

// count is `1 axis`, `2 axes`.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if noun == "axis" {
		return strconv.Itoa(n) + " axes"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
