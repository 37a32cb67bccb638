package dsl

import (
	"strings"
	"unicode"
)

// part is what a path such as enc.block.0.W names: an *instance, or a tensor
// that an instance or a loop of this body owns. It is nil where the path names
// nothing.
func (e *elaborator) part(sc *scope, x *Field) value {
	base, rest := dotted(x)
	if base == nil || e.model == nil {
		return nil
	}
	if unicode.IsDigit([]rune(rest)[0]) {
		if v := e.ownedAt(join(sc.path, base.Name+"."+rest)); v != nil {
			return v
		}
	}
	if inst := e.instanceNamed(sc, base.Name); inst != nil {
		return e.ownedAt(join(inst.path, rest))
	}
	return nil
}

// dotted is the first name of a path and the rest of it; nil where x is no path.
func dotted(x *Field) (*Name, string) {
	parts := []string{x.Name.Name}
	for {
		switch y := x.X.(type) {
		case *Name:
			return y, strings.Join(parts, ".")
		case *Field:
			parts = append([]string{y.Name.Name}, parts...)
			x = y
		default:
			return nil, ""
		}
	}
}

// instanceNamed is the instance that a name means before a dot or an opening
// bracket, nil where it means none.
func (e *elaborator) instanceNamed(sc *scope, name string) *instance {
	if f := sc.funcs[name]; f != nil {
		return f.inst
	}
	return sc.instances[name]
}

// instanceOf is the instance that an expression names as a value, nil where it
// is another value.
func (e *elaborator) instanceOf(sc *scope, x Expr) *instance {
	switch x := x.(type) {
	case *Name:
		if b := sc.vals[x.Name]; b != nil {
			inst, _ := b.val.(*instance)
			return inst
		}
		if sc.files.hasConst(x.Name) {
			return nil
		}
		return e.instanceNamed(sc, x.Name)
	case *Field:
		inst, _ := e.part(sc, x).(*instance)
		return inst
	}
	return nil
}

// ownedAt is the tensor or the instance of the model at a path, nil where there
// is none.
func (e *elaborator) ownedAt(path string) value {
	if p := e.model.paramAt[path]; p != nil {
		return tensor{p.Node}
	}
	if s := e.model.keptAt[path]; s != nil {
		return tensor{e.model.now(s)}
	}
	if inst := e.model.instanceAt[path]; inst != nil {
		return inst
	}
	return nil
}

// field is the value of a path.
func (e *elaborator) field(sc *scope, x *Field) value {
	switch part := e.part(sc, x).(type) {
	case nil:
		return e.failField(sc, x)
	case *instance:
		return e.instanceValue(sc, x, part)
	default:
		return part
	}
}

// partFunction is a path where a function is expected: an instance.
func (e *elaborator) partFunction(sc *scope, x *Field) *function {
	switch part := e.part(sc, x).(type) {
	case nil:
		e.failField(sc, x)
	case *instance:
		return part.function(excerptOf(x, part.name))
	default:
		e.fail(sc, x, "not-a-function", "%s is %s, not a function", excerptOf(x, "this"), part.what())
	}
	return nil
}

// failField reports a path that names nothing. Where its first name is no
// instance it is a mistake of someone who knows another language.
func (e *elaborator) failField(sc *scope, x *Field) value {
	name, rest := dotted(x)
	if name == nil {
		if isPoison(e.eval(sc, x.X)) {
			return poison{}
		}
		return e.fail(sc, x, "field", "only an instance has parts, and %s is none%s", excerptOf(x.X, "this"), e.insteadOfField(sc, x))
	}
	if inst := e.instanceNamed(sc, name.Name); inst != nil {
		return e.failPart(sc, x, inst, rest)
	}
	b := sc.vals[name.Name]
	switch {
	case b == nil && e.lookupFunction(sc, x.Name.Name) != nil:
		return e.fail(sc, x, "field", "no instance is called %s here; a function is called by its name alone: %s(…)", name.Name, x.Name.Name)
	case b == nil:
		return e.fail(sc, name, "field", "no instance is called %s here%s", name.Name, proposal(name.Name, sortedKeys(sc.instances)))
	case isPoison(b.val):
		return poison{}
	}
	return e.fail(sc, x, "field", "%s is %s, and only an instance has parts%s", name.Name, b.val.what(), e.insteadOfField(sc, x))
}

// failPart reports a part that an instance does not have.
func (e *elaborator) failPart(sc *scope, x *Field, inst *instance, rest string) value {
	var names []string
	for _, o := range e.ownedBy(inst) {
		names = append(names, o.rel)
	}
	if len(names) == 0 && inst.first == nil {
		e.failUnapplied(sc, x, inst)
		return poison{}
	}
	near := proposal(rest, names)
	switch {
	case near != "":
	case len(names) == 0:
		near = "; it owns nothing"
	case len(names) <= 8:
		near = "; it owns " + joined(names, "and")
	}
	return e.fail(sc, x, "field", "%s owns no %s%s", inst.name, rest, near)
}
