package explain

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the report as Markdown with formulas between $$, as GitHub
// and Pandoc read them.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", escapeMarkdown(r.Source))
	paragraph(&b, r.Doc)
	for _, t := range r.Topics {
		fmt.Fprintf(&b, "\n## %s\n", escapeMarkdown(t.title()))
		paragraph(&b, t.Doc)
		for _, p := range t.Parts {
			fmt.Fprintf(&b, "\n### %s\n", escapeMarkdown(capital(p.Title)))
			for _, g := range groups(p.Steps) {
				fmt.Fprintf(&b, "\n$$\n\\begin{aligned}\n%s\\end{aligned}\n$$\n", r.lines(g.Formulas))
				if g.Code != "" {
					fmt.Fprintf(&b, "\n```go\n%s\n```\n", g.Code)
				}
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// paragraph is a comment of the program, where it has one.
func paragraph(b *strings.Builder, doc string) {
	if doc != "" {
		fmt.Fprintf(b, "\n%s\n", escapeMarkdown(doc))
	}
}

// escapeMarkdown is text whose marks are no markup.
func escapeMarkdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "_", `\_`, "*", `\*`, "`", "\\`", "[", `\[`, "]", `\]`, "<", "&lt;", "$", `\$`).Replace(text)
}

// groups joins steps without code of their own with those behind them.
func groups(steps []Step) []Step {
	var out []Step
	open := false
	for _, s := range steps {
		if open {
			last := &out[len(out)-1]
			last.Formulas = append(last.Formulas, s.Formulas...)
			last.Code = s.Code
		} else {
			out = append(out, Step{append([]string(nil), s.Formulas...), s.Code})
		}
		open = s.Code == ""
	}
	return out
}
