package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// compileCommand is `gradgen compile`.
type compileCommand struct {
	reporting
	settings
	Out    string   `name:"o" placeholder:"DIR" help:"Folder of the package; default is each program's own."`
	Pkg    string   `name:"pkg" placeholder:"NAME" help:"Name of the package; default is the program's package line, else that of the folder's Go files, else $GOPACKAGE, else the folder's name."`
	Tests  bool     `name:"tests" default:"true" help:"Emit a test beside the package; -tests=false leaves it out."`
	NoAsm  bool     `name:"noasm" help:"Emit Go alone and no assembly, for a package that uses cgo, which can hold none. So far no assembly is emitted in any case."`
	Stdout bool     `name:"stdout" xor:"mode" help:"Print the files, each after a line -- name --, and write nothing."`
	Check  bool     `name:"check" xor:"mode" help:"List the files that are not up to date, exit with 1 if there are any, and write nothing."`
	Diff   bool     `name:"diff" xor:"mode" help:"Print what would change, exit with 1 if anything would, and write nothing."`
	Dump   string   `name:"dump" xor:"mode" placeholder:"PASS" help:"Print the graphs after elaborate, gradient or simplify, or the plan; all prints each. Writes nothing."`
	Files  []string `arg:"" help:"Programs, folders, and trees of folders (./...)."`
}

// Help describes what becomes of existing files, and gives examples.
func (c *compileCommand) Help() string {
	return "All files are written, or none is. A file that gradgen has not emitted is never overwritten. " +
		"Files that were emitted from the same program and are no longer needed are removed. " + examples(
		"gradgen compile model.dnn", "model_dnn.go, model_dnn_api.go and model_dnn_test.go beside the program",
		"gradgen compile -check ./...", "whether all packages below this folder are up to date",
		"gradgen compile -dim B=64 -dtype float64 -o dense model.dnn", "batches of 64, in double precision, in the folder dense",
		"gradgen compile -diff model.dnn", "what a change of the program changes")
}

// Run compiles all files, and writes only if all of them compile.
func (c *compileCommand) Run(std streams) error {
	sources, err := load(std, c.Files, c.settings)
	if err != nil {
		return err
	}
	if c.Dump != "" {
		return dump(std, sources, c.Dump)
	}
	sets, err := c.emit(std, sources)
	if err != nil {
		return err
	}
	if c.Stdout {
		return printSets(std.out, sets)
	}

	// Everything else compares with what is there.
	changes, err := allChanges(sets)
	switch {
	case err != nil:
		return err
	case c.Check:
		return printStale(std.out, changes)
	case c.Diff:
		return printDiff(std.out, changes)
	}
	if err := noteNothing(std.err, sources, sets); err != nil {
		return err
	}
	return apply(changes)
}

// noteNothing tells who compiles programs of which none becomes a package.
func noteNothing(w io.Writer, sources []source, sets []fileSet) error {
	for _, s := range sets {
		if len(s.files) > 0 {
			return nil
		}
	}
	_, err := fmt.Fprintf(w, "gradgen: %s: neither a model nor an exported fn, so no package is written\n", sources[0].path)
	return err
}

// emit compiles the sources to the files of their packages. A program that has
// neither a model nor an exported fn, such as one of layers alone, has none.
func (c *compileCommand) emit(std streams, sources []source) ([]fileSet, error) {
	plans, err := plan(std, sources)
	if err != nil {
		return nil, err
	}
	names := packageNames{flag: c.Pkg, of: map[string]named{}}
	var sets []fileSet
	var diags []*dsl.Diagnostic
	for i, s := range sources {
		set := fileSet{source: filepath.Base(s.path), dir: filepath.Dir(s.path)}
		if c.Out != "" {
			set.dir = filepath.Clean(c.Out)
		}
		if len(s.program.Models)+len(s.program.Funcs) > 0 {
			pkg, err := names.find(s, set.dir)
			if err != nil {
				return nil, err
			}
			std.now.at("generate", s.path)
			set.files, err = codegen.Generate(plans[i], codegen.Options{Package: pkg, Source: set.source, Tests: c.Tests, Documented: documented(set.dir)})
			diags = append(diags, s.diagnostics(err)...)
		}
		sets = append(sets, set)
	}
	if len(diags) > 0 {
		return nil, printFound(std, diags)
	}
	return sets, nil
}

// plan runs the passes on each source. All errors are printed together.
func plan(std streams, sources []source) ([]*ir.Plan, error) {
	plans := make([]*ir.Plan, len(sources))
	var diags []*dsl.Diagnostic
	for i, s := range sources {
		std.now.at("compile", s.path)
		p, err := passes.Compile(s.program)
		plans[i] = p
		diags = append(diags, s.diagnostics(err)...)
	}
	if len(diags) > 0 {
		return nil, printFound(std, diags)
	}
	return plans, nil
}

// allChanges compares all sets with the disk. Two sources may not emit one
// file.
func allChanges(sets []fileSet) ([]change, error) {
	var out []change
	owner := map[string]fileSet{}
	for _, s := range sets {
		for _, f := range s.files {
			path := filepath.Join(s.dir, f.Name)
			if other, ok := owner[path]; ok {
				return nil, coded("file-clash", path, fmt.Errorf("%s: two programs called %s and %s emit this file", path, other.source, s.source))
			}
			owner[path] = s
		}
		changes, err := s.changes()
		if err != nil {
			return nil, err
		}
		out = append(out, changes...)
	}
	return out, nil
}

// printSets prints the files in the manner of a txtar archive.
func printSets(w io.Writer, sets []fileSet) error {
	var b bytes.Buffer
	for _, s := range sets {
		for _, f := range s.files {
			fmt.Fprintf(&b, "-- %s --\n%s", filepath.ToSlash(filepath.Join(s.dir, f.Name)), f.Data)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// printStale lists the files that changes would change; its error is errFound
// where there are any.
func printStale(w io.Writer, changes []change) error {
	for _, c := range changes {
		if _, err := fmt.Fprintf(w, "%s: %s\n", c.path, c.verb()); err != nil {
			return err
		}
	}
	return foundAny(changes)
}

// printDiff prints changes as unified diffs; its error is errFound where there
// are any.
func printDiff(w io.Writer, changes []change) error {
	for _, c := range changes {
		if _, err := w.Write(c.diff()); err != nil {
			return err
		}
	}
	return foundAny(changes)
}

// foundAny is errFound where there are changes.
func foundAny(changes []change) error {
	if len(changes) > 0 {
		return errFound
	}
	return nil
}
