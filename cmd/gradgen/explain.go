package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gradgen.dev/cmd/gradgen/internal/explain"
	"gradgen.dev/codegen"
	"gradgen.dev/ir"
)

// explainCommand is `gradgen explain`.
type explainCommand struct {
	writing
	settings
	codeFlags
	Format string   `name:"format" enum:"text,latex,markdown" default:"text" placeholder:"FORM" help:"Write text, a document in latex, or markdown."`
	Code   *bool    `name:"code" help:"Print the emitted Go below the formulas that it computes; default is where a model or fn is named."`
	What   []string `arg:"" optional:"" placeholder:"<what>" help:"Programs, folders, and trees of folders (./...); then the name of a model or fn, then the path of a parameter. Or codes of errors (E0301)."`
}

// Help gives examples.
func (c *explainCommand) Help() string {
	return examples(
		"gradgen explain model.dnn", "all formulas",
		"gradgen explain model.dnn MLP", "those of the model MLP, and the Go that computes them",
		"gradgen explain model.dnn MLP h1.W", "where h1.W is read, what its gradient needs, what updates it",
		"gradgen explain -format latex model.dnn > model.tex", "a document for pdflatex",
		"gradgen explain -json model.dnn", "an object for each model and function, with its parts and their formulas",
		"gradgen explain E0301", "what a code of an error means")
}

// Run prints the formulas of forward, each gradient and the update of every
// model, and of every form of every exported function. They are those that
// stand above the emitted code.
func (c *explainCommand) Run(std streams) error {
	if applies, err := c.explainCodes(std, c.What, bool(c.JSON)); applies {
		return err
	}
	files, want, err := explained(c.What)
	if err != nil {
		return err
	}
	sources, err := load(std, files, c.settings)
	if err != nil {
		return err
	}
	plans, err := plan(std, sources)
	if err != nil {
		return err
	}
	code := want.Name != ""
	if c.Code != nil {
		code = *c.Code
	}
	if c.JSON && c.Format != "text" {
		return fmt.Errorf("explain -json -format %s: want one of the two", c.Format)
	}
	if c.Format == "latex" && len(plans) != 1 {
		return fmt.Errorf("explain -format latex: want one program, found %d", len(plans))
	}
	for i, p := range plans {
		std.now.at("explain", sources[i].path)
		report, err := reportOn(std, sources[i], p, want, code)
		if err != nil {
			return err
		}
		if err := c.write(report, std.out, sources[i].path); err != nil {
			return err
		}
	}
	return nil
}

// explained splits the arguments into programs and what is wanted of them. A
// program, or a folder of programs, is what ends in .dnn or ..., has a slash,
// or is there.
func explained(args []string) (files []string, want explain.Selection, err error) {
	n := 0
	for n < len(args) && isSource(args[n]) {
		n++
	}
	files, names := args[:n], args[n:]
	switch {
	case n == 0:
		return nil, want, fmt.Errorf("explain %s: the first argument names no program; want a .dnn file or a folder", args[0])
	case len(names) > 2:
		return nil, want, fmt.Errorf("explain: %s is left over behind a model or fn and a parameter", names[2])
	case len(names) > 0:
		want.Name = names[0]
	}
	if len(names) == 2 {
		want.Param = names[1]
	}
	return files, want, nil
}

// isSource reports whether an argument names programs.
func isSource(arg string) bool {
	if filepath.Ext(arg) == ".dnn" || strings.HasSuffix(arg, "...") || strings.ContainsAny(arg, `/\`) {
		return true
	}
	_, err := os.Stat(arg)
	return err == nil
}

// reportOn is the report on one program, with the Go that compile would emit
// where code is wanted.
func reportOn(std streams, s source, p *ir.Plan, want explain.Selection, code bool) (*explain.Report, error) {
	var files []codegen.File
	if code && len(p.Models)+len(p.Funcs) > 0 {
		base := filepath.Base(s.path)
		var err error
		files, err = codegen.Generate(p, codegen.Options{Package: packageOf(s), Source: base})
		if found := s.diagnostics(err); len(found) > 0 {
			return nil, printFound(std, found)
		}
	}
	return explain.New(p, files, want)
}

// packageOf is a name for the package of a program that is not written.
func packageOf(s source) string {
	if s.program.Package != "" {
		return s.program.Package
	}
	return packageFromFolder(strings.TrimSuffix(filepath.Base(s.path), ".dnn"))
}

// write writes the report on the program at path in the format that is asked for.
func (c *explainCommand) write(r *explain.Report, w io.Writer, path string) error {
	switch {
	case bool(c.JSON):
		return r.JSON(w, pathForTools(path))
	case c.Format == "latex":
		return r.LaTeX(w)
	case c.Format == "markdown":
		return r.Markdown(w)
	}
	return r.Text(w)
}
