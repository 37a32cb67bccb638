package explain

import (
	"fmt"
	"io"
	"strings"
)

// Text writes the report as plain text; the Go of each step stands indented
// below its formulas.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	for _, t := range r.Topics {
		fmt.Fprintf(&b, "%s\n", t.title())
		for _, p := range t.Parts {
			fmt.Fprintf(&b, "  %s\n", p.Title)
			for _, s := range p.Steps {
				for _, f := range s.Formulas {
					fmt.Fprintf(&b, "    %s\n", f)
				}
				if s.Code != "" {
					fmt.Fprintf(&b, "\n%s\n\n", indented(s.Code))
				}
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// title is what the topic is: model MLP, or model MLP, parameter h1.W.
func (t Topic) title() string {
	out := t.Kind + " " + t.Name
	if t.Param != "" {
		out += ", parameter " + t.Param
	}
	return out
}

// indented is code behind eight spaces; empty lines stay so.
func indented(code string) string {
	lines := strings.Split(code, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = "        " + line
		}
	}
	return strings.Join(lines, "\n")
}
