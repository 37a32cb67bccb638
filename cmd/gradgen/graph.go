package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"gradgen.dev/cmd/gradgen/internal/draw"
	"gradgen.dev/ir"
)

// graphCommand is `gradgen graph`.
type graphCommand struct {
	reporting
	settings
	Format *string `name:"format" enum:"dot,svg" placeholder:"FORM" help:"Write a picture as svg, or dot for Graphviz; default is what the name of the output ends in, else svg."`
	Side   string  `name:"side" enum:"training,inference" default:"training" placeholder:"SIDE" help:"Draw models as in training, with loss and metrics, or in inference."`
	Out    string  `name:"o" placeholder:"FILE" help:"Write to a file; default is standard output."`
	File   string  `arg:"" help:"The program."`
	Name   string  `arg:"" optional:"" help:"A model or fn; default is all of them."`
}

// Help gives examples.
func (c *graphCommand) Help() string {
	return "Drawn are inputs, named values and what layer instances return; instances are boxes. " + examples(
		"gradgen graph model.dnn -o model.svg", "a picture of the models and functions",
		"gradgen graph -side inference model.dnn MLP > mlp.svg", "the model MLP as a predictor computes it",
		"gradgen graph -format dot model.dnn | dot -Tpdf -o model.pdf", "the same by Graphviz")
}

// Run draws the program.
func (c *graphCommand) Run(std streams) error {
	s, err := loadOne(std, c.File, c.settings)
	if err != nil {
		return err
	}
	std.now.at("graph", s.path)
	entries, err := c.entries(s)
	if err != nil {
		return err
	}
	g := draw.New(s.program.Graph, s.program.Source, entries)
	var b bytes.Buffer
	if c.format() == "dot" {
		err = g.DOT(&b)
	} else {
		err = g.SVG(&b)
	}
	switch {
	case err != nil:
		return err
	case c.Out != "":
		return writeOutput(c.Out, b.Bytes())
	}
	_, err = std.out.Write(b.Bytes())
	return err
}

// format is that of the flag, else that of the output's name.
func (c *graphCommand) format() string {
	if c.Format != nil {
		return *c.Format
	}
	if ext := filepath.Ext(c.Out); ext == ".dot" || ext == ".gv" {
		return "dot"
	}
	return "svg"
}

// entries is the models and functions to draw.
func (c *graphCommand) entries(s source) ([]draw.Entry, error) {
	var out []draw.Entry
	var have []string
	for _, m := range s.program.Models {
		have = append(have, m.Name)
		side := m.Train.Step(s.program.Graph, "")
		if s := m.Infer; s != nil && (c.Side == "inference" || side == nil) {
			side = &ir.Side{Outputs: s.Outputs, Writes: s.Writes}
		}
		if side != nil && (c.Name == "" || c.Name == m.Name) {
			out = append(out, draw.ModelEntry(m, side))
		}
	}
	for _, f := range s.program.Funcs {
		have = append(have, f.Name)
		if c.Name == "" || c.Name == f.Name {
			out = append(out, draw.FuncEntry(f))
		}
	}
	if len(out) == 0 && c.Name != "" {
		return nil, fmt.Errorf("%s has no model or fn called %s; it has %s", s.path, c.Name, listed(have))
	}
	return out, nil
}

// writeOutput writes a whole file or none.
func writeOutput(path string, data []byte) error {
	c := change{path: path, new: data}
	old, err := os.ReadFile(path)
	switch {
	case err == nil:
		c.old = old
	case !os.IsNotExist(err):
		return err
	}
	return apply([]change{c})
}
