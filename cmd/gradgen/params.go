package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"gradgen.dev/cmd/gradgen/internal/summary"
	"gradgen.dev/ir"
)

// paramsCommand is `gradgen params`.
type paramsCommand struct {
	writing
	settings
	Files []string `arg:"" help:"Programs, folders, and trees of folders (./...)."`
}

// Help gives examples.
func (c *paramsCommand) Help() string {
	return "The rule is the optimiser that updates a tensor, frozen where none does. " + examples(
		"gradgen params model.dnn", "path, shape, type, count, bytes, initialiser, rule and weight decay",
		"gradgen params ./...", "of every model below this folder",
		"gradgen params -json model.dnn", "an object for each tensor")
}

// Run prints a table of the trained tensors of each model. A tensor's path is
// its name in saved files.
func (c *paramsCommand) Run(std streams) error {
	sources, err := load(std, c.Files, c.settings)
	if err != nil {
		return err
	}
	if c.JSON {
		return printParamsJSON(std.out, sources)
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
	fmt.Fprintf(w, "path\tshape\ttype\tcount\tbytes\tinitialiser\trule\tdecay\n")
	var total, trained amount
	for _, p := range m.Params {
		t := p.Node.Type
		rule, decay := updateOf(m, p)
		fmt.Fprintf(w, "%s\t%v\t%v\t%v\t%v\t%s\t%s\t%s\n", p.Path, t.Shape, t.Elem, t.Shape.Size(), summary.Bytes(t), p.Rule, rule, decay)
		total.add(t)
		if rule != frozen {
			trained.add(t)
		}
	}
	fmt.Fprintf(w, "total\t\t\t%v\t%v\n", total.count, total.bytes)
	if !trained.count.Equal(total.count) {
		fmt.Fprintf(w, "trained\t\t\t%v\t%v\n", trained.count, trained.bytes)
	}
	fmt.Fprintln(w)
}

// A jsonParam is a trained tensor as -json writes it.
type jsonParam struct {
	File  string      `json:"file"`
	Model string      `json:"model"`
	Path  string      `json:"path"`
	Shape []int       `json:"shape"`
	Count int         `json:"count"`
	Type  string      `json:"type"`
	Init  string      `json:"init"`
	Train []jsonTrain `json:"train"` // none where it is frozen or the model is not trained
	Doc   string      `json:"doc,omitempty"`
}

type jsonTrain struct {
	Loss  string `json:"loss,omitempty"` // "" for the unnamed
	Rule  string `json:"rule"`
	Decay string `json:"decay,omitempty"`
}

// printParamsJSON prints an object for each trained tensor.
func printParamsJSON(w io.Writer, sources []source) error {
	var list []jsonParam
	for _, s := range sources {
		for _, m := range s.program.Models {
			for _, p := range m.Params {
				list = append(list, jsonParamOf(s, m, p))
			}
		}
	}
	return writeLines(w, list...)
}

func jsonParamOf(s source, m *ir.Model, p *ir.Param) jsonParam {
	t := p.Node.Type
	out := jsonParam{File: pathForTools(s.path), Model: m.Name, Path: p.Path, Shape: []int{}, Count: 1,
		Type: t.Elem.String(), Init: p.Rule, Train: []jsonTrain{}, Doc: p.Doc}
	for _, d := range t.Shape {
		n, _ := d.Const() // a parameter has no run-time dimension
		out.Shape = append(out.Shape, n)
		out.Count *= n
	}
	for _, t := range m.Trains {
		for _, u := range t.Updates {
			if u.Param == p {
				out.Train = append(out.Train, jsonTrain{t.Loss, u.Rule, u.Decay})
			}
		}
	}
	return out
}

// An amount is the elements and bytes of tensors.
type amount struct{ count, bytes ir.Dim }

func (a *amount) add(t ir.Type) {
	a.count, a.bytes = a.count.Add(t.Shape.Size()), a.bytes.Add(summary.Bytes(t))
}

// frozen stands in the table for the rule of a parameter that no train updates.
const frozen = "frozen"

// updateOf is the optimiser and the weight decay of a parameter, as written; of
// several losses each behind the loss's name. A model that is not trained has
// none.
func updateOf(m *ir.Model, p *ir.Param) (rule, decay string) {
	if len(m.Trains) == 0 {
		return "none", ""
	}
	var rules, decays []string
	for _, t := range m.Trains {
		for _, u := range t.Updates {
			if u.Param != p {
				continue
			}
			prefix := ""
			if t.Loss != "" {
				prefix = t.Loss + ": "
			}
			rules = append(rules, prefix+u.Rule)
			if u.Decay != "" {
				decays = append(decays, prefix+u.Decay)
			}
		}
	}
	if len(rules) == 0 {
		return frozen, ""
	}
	return strings.Join(rules, "; "), strings.Join(decays, "; ")
}
