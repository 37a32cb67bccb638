package main

import (
	"fmt"
	"text/tabwriter"

	"gradgen.dev/ir"
)

// paramsCommand is `gradgen params`.
type paramsCommand struct {
	settings
	Files []string `arg:"" help:"Programs, folders, and trees of folders (./...)."`
}

// Run prints a table of the trained tensors of each model. A tensor's path is
// its name in saved files.
func (c *paramsCommand) Run(std streams) error {
	sources, err := load(std, c.Files, c.settings)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, s := range sources {
		for _, m := range s.program.Models {
			printParams(w, s.path, m)
		}
	}
	return w.Flush()
}

// printParams prints the table of one model.
func printParams(w *tabwriter.Writer, path string, m *ir.Model) {
	fmt.Fprintf(w, "model %s (%s)\n", m.Name, path)
	fmt.Fprintf(w, "path\tshape\tcount\tinitialiser\n")
	total := ir.D(0)
	for _, p := range m.Params {
		shape := p.Node.Type.Shape
		fmt.Fprintf(w, "%s\t%v\t%v\t%s\n", p.Path, shape, shape.Size(), p.Rule)
		total = total.Add(shape.Size())
	}
	fmt.Fprintf(w, "total\t\t%v\n\n", total)
}
