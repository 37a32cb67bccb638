package main

import (
	"fmt"
	"io"
	"strings"

	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// A dumpStage is a stage whose result can be printed.
type dumpStage struct {
	name  string
	print func(std streams, s source) (string, error)
}

// dumpStages are the stages in their order.
var dumpStages = []dumpStage{
	{"elaborate", func(std streams, s source) (string, error) { return dumpGraphs(s.program, nil), nil }},
	{"gradient", func(std streams, s source) (string, error) { return dumpGraphs(s.program, expand), nil }},
	{"simplify", func(std streams, s source) (string, error) { return dumpGraphs(s.program, simplify), nil }},
	{"plan", dumpPlan},
}

// dump prints what each file is after a stage, or after all of them.
func dump(std streams, sources []source, which string) error {
	stages := chosenStages(which)
	if len(stages) == 0 {
		return fmt.Errorf("-dump %s: want elaborate, gradient, simplify, plan or all", which)
	}
	for _, s := range sources {
		for _, stage := range stages {
			std.now.at("dump "+stage.name, s.path)
			text, err := stage.print(std, s)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(std.out, "== %s after %s ==\n%s\n", s.path, stage.name, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// chosenStages is the stages that the flag names.
func chosenStages(which string) []dumpStage {
	if which == "all" {
		return dumpStages
	}
	for _, s := range dumpStages {
		if s.name == which {
			return []dumpStage{s}
		}
	}
	return nil
}

// expand is the graph after the chain rule.
func expand(g *ir.Graph, roots []*ir.Node) []*ir.Node { return passes.Gradient(g, roots...) }

// simplify is the graph after simplification too.
func simplify(g *ir.Graph, roots []*ir.Node) []*ir.Node {
	return passes.Simplify(g, passes.Strip(g, passes.Gradient(g, roots...)...)...)
}

// dumpGraphs prints the graph of each entry of the program, after a pass where
// it is not nil.
func dumpGraphs(p *ir.Program, pass func(*ir.Graph, []*ir.Node) []*ir.Node) string {
	var b strings.Builder
	for _, m := range p.Models {
		for _, e := range modelEntries(p.Graph, m) {
			dumpGraph(&b, p.Graph, m.Name+" "+e.name, e.roots, pass)
		}
	}
	for _, f := range p.Funcs {
		for _, e := range funcEntries(p.Graph, f) {
			dumpGraph(&b, p.Graph, f.Name+" "+e.name, e.roots, pass)
		}
	}
	return b.String()
}

// dumpGraph prints one graph under its title.
func dumpGraph(w io.Writer, g *ir.Graph, title string, roots []*ir.Node, pass func(*ir.Graph, []*ir.Node) []*ir.Node) {
	if len(roots) == 0 {
		return
	}
	if pass != nil {
		roots = pass(g, roots)
	}
	fmt.Fprintf(w, "// %s\n%s", title, ir.Print(g, roots...))
}
