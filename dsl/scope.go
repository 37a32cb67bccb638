package dsl

import (
	"sort"
	"strings"
)

// A scopeKind says what body a scope elaborates.
type scopeKind int

const (
	constScope scopeKind = iota
	modelScope
	entryScope // an export fn of a model
	layerScope
	fnScope
	optimizerScope
)

// A binding is what a name stands for.
type binding struct {
	val   value
	place Span   // where the name is bound
	verb  string // how it is bound: "declared" or "bound"
	state *stateVar
	arg   *argument // what the caller passed, of a parameter
}

// A scope is one application of a body: the names bound so far, and where the
// body stands among instances, loops and calls.
type scope struct {
	kind    scopeKind
	name    string // of the declaration
	decl    Node
	files   *fileScope // the declarations that its text sees
	library bool       // its text is the library's
	vals    map[string]*binding
	funcs   map[string]*function
	given   map[string]bool // parameters that the caller gave
	targets map[string]bool // names that a derivative is taken by

	path  string // the instance's
	namer *namer // of the instances and tensors that it makes; nil in a fn
	loops []int  // values of the loops around the current statement
	site  string // of random draws, where it is not made of the calls

	states []*stateVar // in the order of declaration

	instances map[string]*instance // by the names they have in this body
	inst      *instance            // the instance whose body this is, nil outside of layers
	app       *application         // which of its applications this is
	again     bool                 // it has been applied before, on this side of the model
	applied   string               // what tells its draws from those of its first application
	copy      *copied              // where the tensors stand for those of another instance

	up     *scope // the frame of the call
	call   Node   // the call in it
	depth  int
	result value
	done   bool // a return was met
	drew   *bool
}

// newScope is a scope below up.
func newScope(kind scopeKind, name string, decl Node, files *fileScope, up *scope, call Node) *scope {
	sc := &scope{kind: kind, name: name, decl: decl, files: files, library: files.library, up: up, call: call,
		vals: map[string]*binding{}, funcs: map[string]*function{}, given: map[string]bool{}, instances: map[string]*instance{}}
	if up != nil {
		sc.depth = up.depth + 1
		sc.path, sc.applied, sc.copy = up.path, up.applied, up.copy
	}
	return sc
}

// userSite is the nearest place in the user's own text: n itself, or the call
// that leads from there into the library.
func (sc *scope) userSite(n Node) (Node, *scope) {
	for f := sc; f != nil; f = f.up {
		if !f.library {
			return n, f
		}
		if f.call == nil {
			return n, f
		}
		n = f.call
	}
	return n, nil
}

// asWritten is what the user wrote for at: where at is a parameter of the
// library, the argument in the user's text.
func (sc *scope) asWritten(at Node) Node {
	for s, n := sc, at; s.library; {
		name, ok := n.(*Name)
		if !ok || s.vals[name.Name] == nil {
			break
		}
		a := s.vals[name.Name].arg
		if a == nil || a.expr == nil || a.sc == nil || a.sc == s {
			break
		}
		if n, s = a.node, a.sc; !s.library {
			return n
		}
	}
	return at
}

// valueNames is the names that an expression of the scope may use as values.
func (e *elaborator) valueNames(sc *scope) []string {
	var names []string
	for name, b := range sc.vals {
		if !isPoison(b.val) {
			names = append(names, name)
		}
	}
	for _, s := range sc.files.visible() {
		if s.library && !sc.library {
			continue
		}
		for name := range s.consts {
			names = append(names, name)
		}
	}
	for _, name := range [...]string{"training", "step", "steps"} {
		if e.special(sc, name) != nil {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// functionNames is the names that an expression of the scope may call.
func (e *elaborator) functionNames(sc *scope) []string {
	var names []string
	for name := range sc.funcs {
		names = append(names, name)
	}
	for name := range sc.instances {
		names = append(names, name)
	}
	for _, s := range sc.files.visible() {
		for name := range s.fns {
			names = append(names, name)
		}
		for name := range s.layers {
			names = append(names, name)
		}
	}
	for name := range builtins {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// proposal is a question for the nearest of names.
func proposal(name string, names []string) string { return question(nearest(name, names)) }

// nearest is suggest among names that have more in common with name than their
// length, or are the name with one more character.
func nearest(name string, names []string) string {
	var near []string
	for _, n := range names {
		length := len([]rune(name))
		if editDistance(name, n) < length || strings.HasPrefix(n, name) && len([]rune(n)) == length+1 {
			near = append(near, n)
		}
	}
	return suggest(name, near)
}

// relateDeclared adds where the program binds or declares a name.
func (e *elaborator) relateDeclared(sc *scope, d *Diagnostic, name string) *Diagnostic {
	if b := sc.vals[name]; b != nil && b.place.IsValid() && !sc.library {
		return d.related(b.place, "%s is %s here", name, b.verb)
	}
	var at *Name
	for _, s := range sc.files.visible() {
		switch {
		case at != nil || s.library:
		case s.consts[name] != nil:
			at = s.consts[name].decl.Name
		case s.fns[name] != nil:
			at = s.fns[name].Name
		case s.layers[name] != nil:
			at = s.layers[name].Name
		}
	}
	if at != nil && !sc.library {
		d.related(at, "%s is declared here", name)
	}
	return d
}
