package main

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// explainCommand is `gradgen explain`.
type explainCommand struct {
	settings
	codeFlags
	Files []string `arg:"" optional:"" help:"Programs, folders, and trees of folders (./...), or codes of errors (E0301)."`
}

// Run prints the formulas of forward, each gradient and the update of every
// model, and of every form of every exported function. They are those that
// stand above the emitted code.
func (c *explainCommand) Run(std streams) error {
	if applies, err := c.explainCodes(std, c.Files); applies {
		return err
	}
	sources, err := load(std, c.Files, c.settings)
	if err != nil {
		return err
	}
	plans, err := plan(std, sources)
	if err != nil {
		return err
	}
	for _, p := range plans {
		if _, err := fmt.Fprint(std.out, explain(p)); err != nil {
			return err
		}
	}
	return nil
}

// explain is the formulas of a plan.
func explain(p *ir.Plan) string {
	var b strings.Builder
	for _, m := range p.Models {
		fmt.Fprintf(&b, "model %s\n", m.Model.Name)
		for _, t := range m.Trains {
			of := ""
			if t.Loss != "" {
				of = " of " + t.Loss
			}
			explainProcedure(&b, "forward"+of, t.Forward)
			explainProcedure(&b, "gradient"+of, t.Gradient)
			if t.Train != nil {
				explainProcedure(&b, "update"+of+", "+t.Train.Rule, t.Update)
			}
		}
		explainProcedure(&b, "inference", m.Predict)
		b.WriteByte('\n')
	}
	for _, f := range p.Funcs {
		fmt.Fprintf(&b, "fn %s\n", f.Func.Name)
		for _, e := range f.Entries {
			explainProcedure(&b, strings.Join(e.Kinds, " and "), e.Proc)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// explainProcedure prints the formulas of a procedure under a title.
func explainProcedure(b *strings.Builder, title string, p *ir.Procedure) {
	if p == nil || len(p.Steps) == 0 {
		return
	}
	fmt.Fprintf(b, "  %s\n", title)
	for _, s := range p.Steps {
		for _, f := range s.Formulas {
			fmt.Fprintf(b, "    %s\n", strings.ReplaceAll(f, "\n", "\n    "))
		}
	}
}
