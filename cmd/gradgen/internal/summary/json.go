package summary

import (
	"encoding/json"
	"io"

	"gradgen.dev/ir"
)

// A jsonTable is a table as JSON has it. An amount is a number, or a string with
// a formula in the run-time dimensions.
type jsonTable struct {
	File      string      `json:"file,omitempty"`
	Kind      string      `json:"kind"`
	Name      string      `json:"name"`
	Instances []jsonRow   `json:"instances,omitempty"`
	Totals    []jsonTotal `json:"totals"`
}

type jsonRow struct {
	Path       string `json:"path"`
	Output     string `json:"output,omitempty"`
	Parameters any    `json:"parameters"`
	Flops      any    `json:"flops"`
}

type jsonTotal struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
	Unit  string `json:"unit"`
	Note  string `json:"note,omitempty"`
}

// JSON writes the table as one object on a line. Dimensions that values has are
// put in. The instance "" is what the model computes itself.
func (t Table) JSON(w io.Writer, values map[string]int) error {
	out := jsonTable{File: t.Source, Kind: t.Kind, Name: t.Name, Totals: []jsonTotal{}}
	show := func(d ir.Dim) any {
		d = put(d, values)
		if n, ok := d.Const(); ok {
			return n
		}
		return d.String()
	}
	for _, r := range t.Rows {
		out.Instances = append(out.Instances, jsonRow{r.Path, r.Output, show(r.Params), show(r.Flops)})
	}
	for _, x := range t.Totals {
		out.Totals = append(out.Totals, jsonTotal{x.Name, show(x.Value), x.Unit, x.Note})
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(out)
}
