package explain

import (
	"encoding/json"
	"io"
)

// A jsonTopic is a topic as JSON has it.
type jsonTopic struct {
	File      string     `json:"file"`
	Kind      string     `json:"kind"`
	Name      string     `json:"name"`
	Parameter string     `json:"parameter,omitempty"`
	Doc       string     `json:"doc,omitempty"`
	Parts     []jsonPart `json:"parts"`
}

type jsonPart struct {
	Title string     `json:"title"`
	Steps []jsonStep `json:"steps"`
}

type jsonStep struct {
	Formulas []string `json:"formulas"`
	Code     string   `json:"code,omitempty"`
}

// JSON writes the report as an object for each model and function, one a line;
// file is the program's path.
func (r *Report) JSON(w io.Writer, file string) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, t := range r.Topics {
		out := jsonTopic{File: file, Kind: t.Kind, Name: t.Name, Parameter: t.Param, Doc: t.Doc, Parts: []jsonPart{}}
		for _, p := range t.Parts {
			part := jsonPart{Title: p.Title}
			for _, s := range p.Steps {
				part.Steps = append(part.Steps, jsonStep(s))
			}
			out.Parts = append(out.Parts, part)
		}
		if err := encoder.Encode(out); err != nil {
			return err
		}
	}
	return nil
}
