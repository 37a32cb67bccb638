package dsl

import (
	"fmt"
	"path/filepath"
	"sort"

	"gradgen.dev/ir"
)

// Options change what a program means without changing its text.
type Options struct {
	// DType is the default element type, before the file's own; nil leaves
	// float32 in models and float64 in exported fns.
	DType *ir.DType

	// Dims makes run-time dimensions constants: B is 64 where Dims["B"] is.
	Dims map[string]int

	// Open reads a file that an import names, by its path: the folder of the
	// importing file's Name joined with what is written. Where it is nil no
	// file can be imported.
	Open func(path string) ([]byte, error)
}

// The limits of elaboration.
const (
	maxIterations = 100_000   // iterations of static loops in all
	maxCalls      = 200_000   // inlined calls in all
	maxDepth      = 200       // calls within one another
	maxExprs      = 2_000_000 // expressions evaluated in all
	maxRank       = 16
	maxTensorSize = 1 << 31 // of a tensor of constant extents
)

// Elaborate gives a parsed file its meaning. The file may have syntax errors:
// what a bad part would have bound is unknown then, and nothing that depends on
// it is reported. The program is nil where there is a diagnostic, and where
// the file has syntax errors. Diagnostics are sorted by position.
func Elaborate(f *File, opts Options) (*ir.Program, []*Diagnostic) {
	static := map[string]bool{}
	imports := loadImports(f, opts.Open)
	for {
		e := newElaborator(f, opts, static, imports)
		e.run()

		// A number that turned out to be needed at compile time is no
		// hyperparameter: start again with what is known now.
		if e.again {
			continue
		}
		if len(e.diags) > 0 || e.broken {
			return nil, SortDiagnostics(e.diags)
		}
		return e.program, nil
	}
}

// elaborator is the state of one elaboration.
type elaborator struct {
	opts    Options
	file    *File
	user    *fileScope
	library *fileScope
	files   map[*File]*fileScope // of the file and of those it imports; the library's are not there
	program *ir.Program
	g       *ir.Graph

	diags    []*Diagnostic
	reported map[place]bool
	broken   bool // a declaration has a syntax error
	stopped  bool // a limit is reached

	static map[string]bool // hyperparameters that must be compile-time numbers
	again  bool            // static has grown

	runaway map[Node]bool // fns and layers that call themselves without end

	spent    spending
	elem     ir.DType // the default element type here
	training bool
	model    *modelState // the model being elaborated, nil outside
	origins  map[*ir.Node]origin
	marks    map[*ir.Node]bool // of writes, and of what applications return
	pins     map[string]int
	results  map[string]value // of fns already applied, by their arguments
	regions  map[string]*ownDerivative
	checked  map[*ir.Node]bool // tensors within the limits
	places   map[Node]map[*Call]string
	targets  map[Node]map[string]bool
	facts    ir.Facts
	inInit   bool   // an initialiser is being elaborated
	mapped   string // in an update of an instance, the path below it of the tensor that is updated
}

// spending counts what the limits are on.
type spending struct{ iterations, calls, exprs int }

// place is where a diagnostic stands.
type place struct {
	file  *File
	start int
}

func newElaborator(f *File, opts Options, static map[string]bool, imports *importSet) *elaborator {
	g := ir.NewGraph()
	e := &elaborator{
		opts: opts, file: f, g: g, static: static, library: library(),
		program:  &ir.Program{Source: filepath.Base(f.Name), Graph: g},
		reported: map[place]bool{}, origins: map[*ir.Node]origin{}, marks: map[*ir.Node]bool{}, runaway: map[Node]bool{},
		checked: map[*ir.Node]bool{}, places: map[Node]map[*Call]string{}, targets: map[Node]map[string]bool{},
		elem: ir.Float32,
	}
	e.files = imports.scopes(e.library)
	e.user = e.files[f]
	for _, d := range imports.diags {
		e.report(d)
	}
	e.broken = imports.broken
	e.reset()
	return e
}

// reset forgets what belongs to one side of a model or one function.
func (e *elaborator) reset() {
	e.pins = map[string]int{}
	e.results = map[string]value{}
	e.regions = map[string]*ownDerivative{}
}

// run elaborates every model and every exported fn of the file.
func (e *elaborator) run() {
	e.header()
	e.checkDeclarations()
	for _, d := range e.file.Decls {
		switch d := d.(type) {
		case *ModelDecl:
			e.elem = e.defaultElem(ir.Float32)
			e.elaborateModel(d)
		case *FnDecl:
			if d.Export {
				e.elem = e.defaultElem(ir.Float64)
				e.elaborateExport(d)
			}
		}
	}
	e.elem = e.defaultElem(ir.Float32)
	e.checkUnused()
	e.checkOptionDims()
	e.flushOrigins()
}

// header reads what the file says about itself.
func (e *elaborator) header() {
	if p := e.file.Package; p != nil {
		e.program.Doc = p.Doc
		if p.Name != nil {
			e.program.Package = p.Name.Name
		}
	}
	if d := e.file.DType; d != nil && d.Elem != nil {
		if t, ok := ir.ParseDType(d.Elem.Name); !ok || !t.IsFloat() {
			e.report(errorAt(d.Elem, "the default element type is float32 or float64, not %s", d.Elem.Name).code("dtype"))
		}
	}
}

// defaultElem is the element type of what has none written.
func (e *elaborator) defaultElem(otherwise ir.DType) ir.DType {
	if e.opts.DType != nil {
		return *e.opts.DType
	}
	if d := e.file.DType; d != nil && d.Elem != nil {
		if t, ok := ir.ParseDType(d.Elem.Name); ok && t.IsFloat() {
			return t
		}
	}
	return otherwise
}

// report adds a diagnostic; one place has only its first.
func (e *elaborator) report(d *Diagnostic) {
	if !e.hides(d) {
		e.reported[place{d.Place().File, d.Place().Start}] = true
		e.diags = append(e.diags, d)
	}
}

// hides reports whether a diagnostic would not be added.
func (e *elaborator) hides(d *Diagnostic) bool {
	return e.stopped || e.reported[place{d.Place().File, d.Place().Start}]
}

// fail reports that n, in sc, is wrong; what is wrong inside the library is
// reported where the user's text calls it. It returns poison.
func (e *elaborator) fail(sc *scope, n Node, code, format string, args ...any) value {
	e.failWith(sc, n, errorAt(n, format, args...).code(code))
	return poison{}
}

// failWith is fail with a diagnostic that is ready but for the calls.
func (e *elaborator) failWith(sc *scope, n Node, d *Diagnostic) {
	if sc != nil && sc.library {
		d = e.outsideLibrary(sc, n, d)
	}
	if !e.hides(d) {
		d.relateCalls(sc)
		e.report(d)
	}
}

// outsideLibrary is d, about n in the library's scope sc, at the user's call that
// leads there, or at n where that is the user's own text.
func (e *elaborator) outsideLibrary(sc *scope, n Node, d *Diagnostic) *Diagnostic {
	inside := sc
	for inside.up != nil && inside.up.library {
		inside = inside.up
	}
	user, caller := sc.userSite(n)
	if !e.isLibrary(n) {
		user = n
	}
	out := errorAt(user, "%s: %s", inside.name, d.Message).code(d.Code).related(n, "found here")
	for _, r := range d.Related {
		if !e.isLibrary(r.Span) {
			out.related(r.Span, "%s", r.Message)
		}
	}
	if x, ok := user.(Expr); ok && caller != nil {
		e.explain(caller, out, x)
	}
	return out
}

// notCompiled refuses what the language has and the compiler does not have yet.
func (e *elaborator) notCompiled(sc *scope, n Node, what string) value {
	return e.fail(sc, n, "not-compiled", "%s is not compiled yet", what)
}

// stop reports that a limit on the work is reached; nothing else is reported
// after it.
func (e *elaborator) stop(sc *scope, n Node, format string, args ...any) value {
	return e.stopWith(sc, n, "work-limit", format, args...)
}

// stopWith is stop with another code.
func (e *elaborator) stopWith(sc *scope, n Node, code, format string, args ...any) value {
	e.fail(sc, n, code, format, args...)
	e.stopped = true
	return poison{}
}

// needStatic notes that numbers are needed at compile time.
func (e *elaborator) needStatic(hyper []string) {
	for _, h := range hyper {
		if !e.static[h] {
			e.static[h] = true
			e.again = true
		}
	}
}

// checkOptionDims reports a dimension of the options that the program lacks.
func (e *elaborator) checkOptionDims() {
	known := map[string]bool{}
	for name := range e.user.dims {
		known[name] = true
	}
	var names, wanted []string
	for name := range known {
		names = append(names, name)
	}
	for name := range e.opts.Dims {
		if !known[name] {
			wanted = append(wanted, name)
		}
	}
	sort.Strings(names)
	sort.Strings(wanted)
	if len(wanted) > 0 && !e.broken {
		at := Span{File: e.file}
		e.report(errorAt(at, "no run-time dimension is called %s%s", wanted[0], proposal(wanted[0], names)).code("dim-option"))
	}
}

// An origin is what names a node, and how deep in calls it was bound.
type origin struct {
	ir.Origin
	depth   int
	library bool
}

// name notes that the program binds n to a name. What is bound in an outer
// body wins over what is bound in the bodies it calls, else the first.
func (e *elaborator) name(sc *scope, n *ir.Node, at *Name) {
	if e.marks[n] {
		e.name(sc, n.Args[0], at)
		return
	}
	if n.IsConstant() || n.Op.Class == ir.Leaf && !n.Is("tensor") {
		return
	}
	o := origin{ir.Origin{Name: at.Name, Instance: sc.path, Pos: position(at.Span)}, sc.depth, sc.library}
	if old, ok := e.origins[n]; !ok || o.depth < old.depth {
		e.origins[n] = o
	}
}

// flushOrigins hands the names over to the graph, in the order of the nodes.
func (e *elaborator) flushOrigins() {
	nodes := make([]*ir.Node, 0, len(e.origins))
	for n := range e.origins {
		nodes = append(nodes, n)
	}
	sort.Slice(nodes, func(i, j int) bool { return nodes[i].ID < nodes[j].ID })
	for _, n := range nodes {
		e.g.SetOrigin(n, e.origins[n].Origin)
	}
}

// position is file:line:column of the start of s.
func position(s Span) string {
	if !s.IsValid() {
		return ""
	}
	line, column := s.File.Position(s.Start)
	return fmt.Sprintf("%s:%d:%d", filepath.Base(s.File.Name), line, column)
}
