package dsl

import (
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
		e.evalAll(args)
		if part, ok := x.Func.(*Field); ok {
			return e.field(sc, part, "a call of a part of an instance")
		}
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
	if x.As != nil && f.layer == nil && !f.bad {
		e.fail(sc, x.As, "as", "as names an instance of a layer, and %s is a %s", name.Name, f.kindName())
	}
	return e.apply(sc, x, f, args)
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
	return ir.ParseDType(name)
}

// lookupFunction finds a name among functions: parameters, the file's
// declarations, the library's, builtins. It is nil where there is none.
func (e *elaborator) lookupFunction(sc *scope, name string) *function {
	if f, ok := sc.funcs[name]; ok {
		return f
	}
	scopes := []*fileScope{e.user, e.library}
	if sc.library {
		scopes = scopes[1:]
	}
	for _, s := range scopes {
		if d, ok := s.fns[name]; ok {
			return &function{name: name, fn: d}
		}
		if d, ok := s.layers[name]; ok {
			return &function{name: name, layer: d}
		}
		if s.bad[name] {
			return &function{name: name, bad: true}
		}
	}
	if b, ok := builtins[name]; ok {
		return &function{name: name, builtin: b}
	}
	return nil
}

// unknownFunction reports a call of what is no function.
func (e *elaborator) unknownFunction(sc *scope, name *Name) value {
	if notYet[name.Name] {
		return e.notCompiled(sc, name, name.Name)
	}
	if b, ok := sc.vals[name.Name]; ok {
		if isPoison(b.val) {
			return poison{}
		}
		return e.fail(sc, name, "not-a-function", "%s is %s, not a function", name.Name, b.val.what())
	}
	if e.optimizerNamed(name.Name) != nil {
		return e.fail(sc, name, "not-a-function", "%s is an optimizer; only train uses it", name.Name)
	}
	if e.user.models[name.Name] != nil {
		return e.fail(sc, name, "not-a-function", "%s is a model, not a function", name.Name)
	}
	if e.imports && !sc.library {
		return poison{}
	}
	if hint := borrowedFunctions[name.Name]; hint != "" {
		return e.fail(sc, name, "unknown-function", "no function is called %s; %s", name.Name, hint)
	}
	near := nearest(name.Name, e.functionNames(sc))
	d := errorAt(name, "no function is called %s%s", name.Name, question(near)).code("unknown-function")
	e.failWith(sc, name, e.relateDeclared(sc, d, near))
	return poison{}
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
	if sc.depth >= maxDepth {
		return e.stopWith(sc, at, "recursion", "calls are nested deeper than the limit of %d here%s", maxDepth, sc.recursive(f))
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
		if out[p.Name.Name] != nil {
			e.fail(sc, a.node, "arguments", "%s is given %s twice", f.name, p.Name.Name)
			ok = false
			continue
		}
		out[p.Name.Name] = a
	}
	for _, p := range params {
		if p.Default == nil && out[p.Name.Name] == nil && ok {
			d := errorAt(at, "%s lacks its argument %s", f.name, p.Name.Name).code("arguments")
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
	case f.fn != nil && f.fn.Name.File == e.file:
		d.related(f.fn.Name, "%s is declared here", f.name)
	case f.layer != nil && f.layer.Name.File == e.file:
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

// wantsFunction reports whether a parameter is declared fn, or has no type and
// a function for its default.
func (e *elaborator) wantsFunction(f *function, p *Param) bool {
	if p.Type != nil {
		return isTypeWord(p.Type, "fn")
	}
	name, ok := p.Default.(*Name)
	if !ok {
		return false
	}
	library := f.decl() != nil && e.isLibrary(f.decl())
	if e.constValueOf(name.Name, library) {
		return false
	}
	for _, q := range f.params() {
		if q.Name.Name == name.Name {
			return false
		}
	}
	return e.lookupFunction(newScope(constScope, "", nil, library, nil, nil), name.Name) != nil
}

// constValueOf reports whether a const has that name.
func (e *elaborator) constValueOf(name string, library bool) bool {
	return e.scopeOf(library).consts[name] != nil
}

// isLibrary reports whether a declaration is the library's.
func (e *elaborator) isLibrary(n Node) bool { return n.Where().File != e.file }

// isTypeWord reports whether a type is one bare word.
func isTypeWord(t *Type, word string) bool {
	return t != nil && t.Shape == nil && t.Elem != nil && t.Elem.Name == word
}

// functionValue is an expression where a function is expected: a name, or a
// call without its first arguments.
func (e *elaborator) functionValue(sc *scope, x Expr) *function {
	f := e.functionOf(sc, x)
	if f == nil || f.written != "" {
		return f
	}
	out := *f
	out.written = oneLine(x)
	return &out
}

func (e *elaborator) functionOf(sc *scope, x Expr) *function {
	switch x := x.(type) {
	case *Name:
		f := e.lookupFunction(sc, x.Name)
		if f == nil {
			e.unknownFunction(sc, x)
		}
		return f
	case *Call:
		name, ok := x.Func.(*Name)
		if !ok {
			if part, ok := x.Func.(*Field); ok {
				e.field(sc, part, "a part of an instance as a function")
				return nil
			}
			break
		}
		f := e.lookupFunction(sc, name.Name)
		if f == nil {
			e.evalUnknown(writtenArgs(sc, x))
			e.unknownFunction(sc, name)
			return nil
		}
		return e.partial(sc, f, writtenArgs(sc, x))
	case *Cond:
		holds, ok := e.condition(sc, x.Cond)
		if !ok {
			return nil
		}
		if holds {
			return e.functionValue(sc, x.Then)
		}
		return e.functionValue(sc, x.Else)
	}
	e.fail(sc, x, "not-a-function", "%s is no function, and one is expected here", excerptOf(x, "this"))
	return nil
}

// partial is a function with arguments for all but its first parameter.
func (e *elaborator) partial(sc *scope, f *function, args []*argument) *function {
	out := *f
	out.bound = append([]*argument{}, f.bound...)
	names := f.paramNames()
	for i, a := range args {
		b := *a
		if a.name == nil {
			if i+1 >= len(names) {
				e.fail(sc, a.node, "arguments", "%s takes %s, the first of which is left out where a function is expected; this is one more", f.name, count(len(names), "argument"))
				return nil
			}
			b.name = &Name{Span: a.node.Where(), Name: names[i+1]}
		}
		if p := paramNamed(f.params(), b.name.Name); p == nil || !e.wantsFunction(f, p) {
			if isPoison(e.argValue(&b)) {
				return nil
			}
		}
		out.bound = append(out.bound, &b)
	}
	return &out
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
