package codegen

import (
	"errors"
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// runtimePath is where emitted code finds the runtime.
const runtimePath = "gradgen.dev/runtime"

// Options say what a package is called and which files it gets.
type Options struct {
	Package string // Go package name
	Source  string // base name of the program, such as mlp.dnn
	Tests   bool   // emit a test beside the package

	// Documented says that a file of the package that is not emitted has its doc
	// comment; then no emitted one has.
	Documented bool
}

// A File is one emitted file.
type File struct {
	Name string
	Data []byte
}

// Generate prints plan as the files of a package, in the order of their names.
// Where two names of the program meet in Go, the error is one [NameError] for
// each, joined; any other error is a plan that is not whole.
func Generate(plan *ir.Plan, opts Options) ([]File, error) {
	p := &printer{opts: opts, plan: plan, base: strings.TrimSuffix(opts.Source, ".dnn") + "_dnn", names: newPackageNames(), helpers: map[string]bool{}}
	for _, mp := range plan.Models {
		p.models = append(p.models, newModel(p, mp))
	}
	for _, fp := range plan.Funcs {
		p.funcs = append(p.funcs, newFunction(p, fp))
	}
	if err := errors.Join(p.clashes...); err != nil {
		return nil, err
	}

	// What one reads, the plumbing, the test.
	p.newFile(".go", func(f *file) {
		p.packageDoc(f)
		for _, m := range p.models {
			m.printReading(f)
		}
		p.printFuncs(f)
	})
	if len(p.models) > 0 {
		p.newFile("_api.go", func(f *file) {
			f.decl("This file needs version 1 of gradgen's runtime, or a later one.", "const _ = abi.RuntimeIsAtLeastV1")
			for _, m := range p.models {
				m.printPlumbing(f)
			}
		})
	}
	if opts.Tests {
		p.newFile("_test.go", p.printTests)
	}
	return p.files, p.err
}

// A printer is the state of one call of Generate.
type printer struct {
	opts    Options
	plan    *ir.Plan
	base    string // of the files' names
	names   *packageNames
	models  []*model
	funcs   []*function
	clashes []error
	helpers map[string]bool // prefixes of the helper functions that are printed
	files   []File
	err     error
}

// newFile prints a file; the first error counts.
func (p *printer) newFile(suffix string, fill func(f *file)) {
	if p.err != nil {
		return
	}
	f := newFile(p.opts.Package, p.opts.Source)
	fill(f)
	data, err := f.render()
	if err != nil {
		p.err = fmt.Errorf("%s%s: %w", p.base, suffix, err)
		return
	}
	p.files = append(p.files, File{Name: p.base + suffix, Data: data})
}

// packageDoc prints the program's doc comment of its package line; a package
// of functions alone has one in any case.
func (p *printer) packageDoc(f *file) {
	switch doc := p.plan.Program.Doc; {
	case p.opts.Documented:
	case doc != "":
		f.packageDoc(documented("Package "+p.opts.Package, doc, ""))
	case len(p.models) == 0:
		f.packageDoc(fmt.Sprintf("Package %s has functions and their derivatives, compiled from %s.", p.opts.Package, p.opts.Source))
	}
}

// clash notes a NameError.
func (p *printer) clash(pos, format string, args ...any) {
	p.clashes = append(p.clashes, &NameError{Pos: pos, Text: fmt.Sprintf(format, args...)})
}

// fail notes that the plan is not whole; the first such error counts.
func (p *printer) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("codegen: "+format, args...)
	}
}
