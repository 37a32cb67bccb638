package dsl

// lookupFunction finds a name among functions: parameters, the instances that
// shared and state declare, the file's declarations, the library's, builtins, and
// last the instances that calls made, so that h = block(h) as block leaves block
// the layer. An entry of a model makes no instances, and those of the model go
// before fns and layers in it. It is nil where there is none.
func (e *elaborator) lookupFunction(sc *scope, name string) *function {
	if f, ok := sc.funcs[name]; ok {
		return f
	}
	inst := sc.instances[name]
	if inst != nil && (inst.declared || sc.kind == entryScope) {
		return inst.function(name)
	}
	for _, s := range sc.files.visible() {
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
	if inst != nil {
		return inst.function(name)
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
	if sc.files.optimizer(name.Name) != nil {
		return e.fail(sc, name, "not-a-function", "%s is an optimizer; only train uses it", name.Name)
	}
	if e.user.models[name.Name] != nil {
		return e.fail(sc, name, "not-a-function", "%s is a model, not a function", name.Name)
	}
	if sc.files.partial {
		return poison{}
	}
	if hint := sc.files.behindImport(name.Name); hint != "" {
		return e.fail(sc, name, "unknown-function", "no function is called %s here%s", name.Name, hint)
	}
	if hint := borrowedFunctions[name.Name]; hint != "" {
		return e.fail(sc, name, "unknown-function", "no function is called %s; %s", name.Name, hint)
	}
	near := nearest(name.Name, e.functionNames(sc))
	d := errorAt(name, "no function is called %s%s", name.Name, question(near)).code("unknown-function")
	e.failWith(sc, name, e.relateDeclared(sc, d, near))
	return poison{}
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
	files := e.user
	if d := f.decl(); d != nil {
		files = e.filesOf(d)
	}
	if files.hasConst(name.Name) {
		return false
	}
	for _, q := range f.params() {
		if q.Name.Name == name.Name {
			return false
		}
	}
	return e.lookupFunction(newScope(constScope, "", nil, files, nil, nil), name.Name) != nil
}

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
				f := e.partFunction(sc, part)
				if f == nil {
					return nil
				}
				return e.partial(sc, f, writtenArgs(sc, x))
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
	case *Field:
		return e.partFunction(sc, x)
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
