package main

import (
	"fmt"
	"io"

	"gradgen.dev/cmd/gradgen/internal/summary"
)

// summaryCommand is `gradgen summary`.
type summaryCommand struct {
	writing
	Dim   map[string]int `name:"dim" placeholder:"B=64" help:"Put 64 for run-time dimension B. May be repeated."`
	DType string         `name:"dtype" placeholder:"TYPE" help:"Default element type, float32 or float64, in place of the file's."`
	Files []string       `arg:"" help:"Programs, folders, and trees of folders (./...)."`
}

// Help says what is counted.
func (c *summaryCommand) Help() string {
	return "Flops are those of the program as it is written, an elementwise function counting as one; " +
		"those of products and all memory are of the emitted code. An instance counts what is in it. " + examples(
		"gradgen summary model.dnn", "numbers as formulas in the run-time dimensions",
		"gradgen summary -dim B=64 model.dnn", "for batches of 64",
		"gradgen summary -json model.dnn", "an object for each model and function: instances and totals")
}

// Run prints a table for each model and exported function.
func (c *summaryCommand) Run(std streams) error {
	if _, err := (settings{Dim: c.Dim}).options(); err != nil {
		return err
	}
	sources, err := load(std, c.Files, settings{DType: c.DType})
	if err != nil {
		return err
	}
	if err := c.knownDims(sources); err != nil {
		return err
	}
	plans, err := plan(std, sources)
	if err != nil {
		return err
	}
	for i, p := range plans {
		std.now.at("summary", sources[i].path)
		var tables []summary.Table
		for _, m := range p.Models {
			tables = append(tables, summary.Model(p.Program.Graph, m))
		}
		for _, f := range p.Funcs {
			tables = append(tables, summary.Func(f))
		}
		for _, t := range tables {
			if err := c.write(std.out, t, sources[i].path); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes a table of the program at path, as text or as JSON.
func (c *summaryCommand) write(w io.Writer, t summary.Table, path string) error {
	if t.Source = path; !c.JSON {
		return t.Text(w, c.Dim)
	}
	t.Source = pathForTools(path)
	return t.JSON(w, c.Dim)
}

// knownDims checks that each dimension of the flags is one of a program.
func (c *summaryCommand) knownDims(sources []source) error {
	known := map[string]bool{}
	var list []string
	add := func(name string) {
		if !known[name] {
			list = append(list, name)
		}
		known[name] = true
	}
	for _, s := range sources {
		for _, m := range s.program.Models {
			for _, d := range m.Dims {
				add(d.Name)
			}
		}
		for _, f := range s.program.Funcs {
			for _, d := range f.Dims {
				add(d.Name)
			}
		}
	}
	for _, name := range sortedKeys(c.Dim) {
		if !known[name] {
			return fmt.Errorf("-dim %s=%d: no run-time dimension is called %s; there are %s", name, c.Dim[name], name, listed(list))
		}
	}
	return nil
}
