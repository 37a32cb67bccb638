// Package golden holds programs with the packages that they become. Each folder
// with a model.dnn is a case: the program, the emitted files, and in stages.txt
// how large it is after each stage.
//
// The tests here compile every program anew and compare; with -update they
// write what they found. The tests of [gradgen.dev/golden/drive] run the
// emitted packages against the reference interpreter, those of
// [gradgen.dev/golden/torch] and [gradgen.dev/golden/torchmodels] against PyTorch.
package golden

import (
	"os"
	"path/filepath"
	"sort"
	"strings"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// source is the name of every case's program.
const source = "model.dnn"

// Cases is the names of the cases below dir, sorted.
func Cases(dir string) ([]string, error) {
	programs, err := filepath.Glob(filepath.Join(dir, "*", source))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range programs {
		names = append(names, filepath.Base(filepath.Dir(p)))
	}
	sort.Strings(names)
	return names, nil
}

// Elaborate is the meaning of a case's program. Errors in it are an error, as
// gradgen prints them.
func Elaborate(dir, name string) (*ir.Program, error) {
	text, err := os.ReadFile(filepath.Join(dir, name, source))
	if err != nil {
		return nil, err
	}
	file, syntax := dsl.Parse(name+"/"+source, text)
	open := func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, path)) }
	program, meaning := dsl.Elaborate(file, dsl.Options{Open: open})
	if diags := append(syntax, meaning...); len(diags) > 0 {
		var b strings.Builder
		if err := dsl.Render(&b, diags); err != nil {
			return nil, err
		}
		return nil, &programError{b.String()}
	}
	return program, nil
}

// programError is the diagnostics of a program.
type programError struct{ text string }

func (e *programError) Error() string { return e.text }

// Plan compiles a case's program to its plan.
func Plan(dir, name string) (*ir.Plan, error) {
	program, err := Elaborate(dir, name)
	if err != nil {
		return nil, err
	}
	return passes.Compile(program)
}

// generate is the files of a plan's package.
func generate(plan *ir.Plan, name string) ([]codegen.File, error) {
	return codegen.Generate(plan, codegen.Options{Package: name, Source: source, Tests: true})
}

// Gradients is the derivative of a loss by each parameter, as the language
// means it: grad of the loss by a binding of the parameter.
func Gradients(g *ir.Graph, loss *ir.Node, params []*ir.Param) []*ir.Node {
	pins := map[*ir.Node]*ir.Node{}
	for _, p := range params {
		pins[p.Node] = g.Pin(p.Node, "gradient "+p.Path)
	}
	bound := g.Replace(pins, loss)[0]
	var out []*ir.Node
	for _, p := range params {
		out = append(out, g.Must("grad", ir.Attr{}, bound, pins[p.Node]))
	}
	return out
}
