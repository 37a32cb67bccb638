package dsl

import (
	"embed"
	"sort"
	"sync"

	"gradgen.dev/ir"
)

// A fileScope is the declarations of a file, or of the library, by name.
type fileScope struct {
	library    bool
	imports    []*fileScope // of the files it imports, in order
	std        *fileScope   // the library's, nil in itself
	partial    bool         // an import failed: names may come from a file that is not known
	consts     map[string]*constant
	fns        map[string]*FnDecl
	layers     map[string]*LayerDecl
	optimizers map[string]*OptimizerDecl
	models     map[string]*ModelDecl
	bad        map[string]bool // names that declarations with syntax errors seem to have
	dims       map[string]bool // run-time dimensions met so far
	used       map[Node]bool   // declarations that were elaborated
	twice      []*Diagnostic   // declarations of one name
}

// A constant is a const declaration and, once it is used, its value.
type constant struct {
	decl   *ConstDecl
	files  *fileScope
	val    value
	active bool // it is being evaluated
}

func newFileScope(files ...*File) *fileScope {
	s := &fileScope{
		consts: map[string]*constant{}, fns: map[string]*FnDecl{}, layers: map[string]*LayerDecl{},
		optimizers: map[string]*OptimizerDecl{}, models: map[string]*ModelDecl{},
		bad: map[string]bool{}, dims: map[string]bool{}, used: map[Node]bool{},
	}
	first := map[string]*Name{}
	for _, f := range files {
		for _, d := range f.Decls {
			s.declare(d, first)
		}
	}
	return s
}

// declare adds one declaration. Fns and layers share their names, and so do
// models and exported fns, which meet in the Go package.
func (s *fileScope) declare(d Decl, first map[string]*Name) {
	switch d := d.(type) {
	case *ConstDecl:
		if s.once("const ", d.Name, first) {
			s.consts[d.Name.Name] = &constant{decl: d, files: s}
		}
	case *FnDecl:
		if s.once("fn ", d.Name, first) {
			s.fns[d.Name.Name] = d
		}
	case *LayerDecl:
		if s.once("fn ", d.Name, first) {
			s.layers[d.Name.Name] = d
		}
	case *OptimizerDecl:
		if s.once("optimizer ", d.Name, first) {
			s.optimizers[d.Name.Name] = d
		}
	case *ModelDecl:
		if s.once("model ", d.Name, first) {
			s.models[d.Name.Name] = d
		}
	case *BadDecl:
		for _, n := range d.Names {
			s.bad[n.Name] = true
		}
	}
}

// once notes a name of a space; it reports the second declaration of one.
func (s *fileScope) once(space string, name *Name, first map[string]*Name) bool {
	old, ok := first[space+name.Name]
	if !ok {
		first[space+name.Name] = name
		return true
	}
	d := errorAt(name, "%s is declared twice", name.Name).code("declared-twice")
	s.twice = append(s.twice, d.related(old, "%s is declared here first", name.Name))
	return false
}

// visible is whose declarations the text of a file sees, the nearest first: its
// own, those of the files it imports, the library's.
func (s *fileScope) visible() []*fileScope {
	out := append([]*fileScope{s}, s.imports...)
	if s.std != nil {
		out = append(out, s.std)
	}
	return out
}

// constant is the const of that name that the text sees, nil where there is
// none. The library's are its own.
func (s *fileScope) constant(name string) *constant {
	for _, f := range s.visible() {
		if c := f.consts[name]; c != nil && (s.library || !f.library) {
			return c
		}
	}
	return nil
}

// hasConst reports whether the text sees a const of that name.
func (s *fileScope) hasConst(name string) bool { return s.constant(name) != nil }

// optimizer is the optimizer of that name that the text sees, nil where there
// is none.
func (s *fileScope) optimizer(name string) *OptimizerDecl {
	for _, f := range s.visible() {
		if d := f.optimizers[name]; d != nil {
			return d
		}
	}
	return nil
}

// isBad reports whether a declaration of that name has a syntax error.
func (s *fileScope) isBad(name string) bool {
	for _, f := range s.visible() {
		if f.bad[name] {
			return true
		}
	}
	return false
}

// checkDeclarations reports what is wrong with the declarations as such.
func (e *elaborator) checkDeclarations() {
	for _, f := range e.user.withImports() {
		for _, d := range f.twice {
			e.report(d)
		}
	}
	for _, d := range e.file.Decls {
		switch d := d.(type) {
		case *BadDecl:
			e.broken = true
		case *ConstDecl:
			e.constValue(d.Name.Name, e.user)
		}
		e.checkParams(paramsOf(d))
		_, block := bodyOf(d)
		walkStmts(block, func(s Stmt) {
			_, bad := s.(*BadStmt)
			e.broken = e.broken || bad
		})
	}
}

// enterFile makes the default element type that of the file of a declaration,
// where that has one of its own, and returns what undoes it. In an initialiser
// the type is that of the tensor.
func (e *elaborator) enterFile(d Node) func() {
	outer := e.elem
	f := d.Where().File
	if f == e.file || e.inInit || e.opts.DType != nil || e.files[f] == nil {
		return func() {}
	}
	if d := f.DType; d != nil && d.Elem != nil {
		if t, ok := ir.ParseDType(d.Elem.Name); ok && t.IsFloat() {
			e.elem = t
		}
	}
	return func() { e.elem = outer }
}

// paramsOf is the parameters of a declaration that has some.
func paramsOf(d Decl) []*Param {
	switch d := d.(type) {
	case *FnDecl:
		return d.Params
	case *LayerDecl:
		return d.Params
	case *ModelDecl:
		return d.Params
	case *OptimizerDecl:
		return d.Params
	}
	return nil
}

// checkParams reports a parameter that is declared twice.
func (e *elaborator) checkParams(params []*Param) {
	first := map[string]*Name{}
	for _, p := range params {
		if old, ok := first[p.Name.Name]; ok {
			d := errorAt(p.Name, "parameter %s is declared twice", p.Name.Name).code("declared-twice")
			e.report(d.related(old, "%s is declared here first", p.Name.Name))
			continue
		}
		first[p.Name.Name] = p.Name
	}
}

// constValue is the value of a const that the text sees, nil where there is none.
func (e *elaborator) constValue(name string, s *fileScope) value {
	c := s.constant(name)
	if c == nil {
		return nil
	}
	if c.val != nil {
		return c.val
	}
	if c.active {
		e.report(errorAt(c.decl.Name, "const %s is defined by itself", name).code("const-cycle"))
		c.val = poison{}
		return c.val
	}
	c.active = true
	sc := newScope(constScope, name, c.decl, c.files, nil, nil)
	v := e.eval(sc, c.decl.Value)
	if c.val == nil {
		c.val = e.checkConst(c.decl, v)
	}
	return c.val
}

// checkConst accepts a compile-time number, string or bool.
func (e *elaborator) checkConst(d *ConstDecl, v value) value {
	switch v := v.(type) {
	case number:
		if v.node == nil {
			return v.settled()
		}
	case truth, text, poison:
		return v
	}
	return e.fail(nil, d.Value, "const", "const %s is %s, want a number, a string or a bool known at compile time", d.Name.Name, v.what())
}

//go:embed std/*.dnn
var standard embed.FS

// LibraryFiles is the source of the standard library, by file name.
func LibraryFiles() map[string][]byte {
	out := map[string][]byte{}
	entries, _ := standard.ReadDir("std")
	for _, entry := range entries {
		src, _ := standard.ReadFile("std/" + entry.Name())
		out[entry.Name()] = src
	}
	return out
}

// libraryFiles is the parsed library. It is part of the compiler: an error in
// it is a broken invariant.
var libraryFiles = sync.OnceValue(func() []*File {
	sources := LibraryFiles()
	var names []string
	for name := range sources {
		names = append(names, name)
	}
	sort.Strings(names)
	var files []*File
	for _, name := range names {
		f, diags := Parse("std/"+name, sources[name])
		if len(diags) > 0 {
			panic("dsl: the library does not parse: " + diags[0].String())
		}
		files = append(files, f)
	}
	return files
})

// library is the scope of the standard library, with constants of its own.
func library() *fileScope {
	s := newFileScope(libraryFiles()...)
	s.library = true
	return s
}
