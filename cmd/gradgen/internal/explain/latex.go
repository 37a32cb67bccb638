package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gradgen.dev/ir"
)

// LaTeX writes the report as a document for pdflatex, xelatex or lualatex. It
// needs amsmath and geometry, which every distribution has.
func (r *Report) LaTeX(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\\section*{%s}\n", ir.EscapeTeX(r.Source))
	texParagraph(&b, r.Doc)
	for _, t := range r.Topics {
		fmt.Fprintf(&b, "\n\\subsection*{%s}\n", ir.EscapeTeX(capital(t.title())))
		texParagraph(&b, t.Doc)
		for _, p := range t.Parts {
			fmt.Fprintf(&b, "\n\\subsubsection*{%s}\n", ir.EscapeTeX(capital(p.Title)))
			for _, g := range groups(p.Steps) {
				fmt.Fprintf(&b, "\\begin{align*}\n%s\\end{align*}\n", r.lines(g.Formulas))
				if g.Code != "" {
					fmt.Fprintf(&b, "\\begin{verbatim}\n%s\n\\end{verbatim}\n", strings.ReplaceAll(g.Code, "\t", "    "))
				}
			}
		}
	}
	_, err := fmt.Fprintf(w, "%s\n\\begin{document}\n%s\\end{document}\n", preamble(b.String()), b.String())
	return err
}

func texParagraph(b *strings.Builder, doc string) {
	if doc != "" {
		fmt.Fprintf(b, "%s\n", ir.EscapeTeX(doc))
	}
}

// lines is formulas as lines that are aligned at their signs. What cannot be
// read as a formula stands as text.
func (r *Report) lines(formulas []string) string {
	var b strings.Builder
	for i, f := range formulas {
		text, err := r.tex.Formula(f)
		if err != nil {
			text = `\text{` + ir.EscapeTeX(f) + "}"
		}
		if !strings.Contains(text, " &") {
			text = "&" + text
		}
		if i < len(formulas)-1 {
			text += ` \\`
		}
		b.WriteString("    " + text + "\n")
	}
	return b.String()
}

// preamble is the head of the document, with a spelling for each character of
// its text that pdfTeX's fonts do not have.
func preamble(body string) string {
	var b strings.Builder
	b.WriteString(`\documentclass[a4paper]{article}
\usepackage{amsmath}
\usepackage[margin=2cm]{geometry}
\allowdisplaybreaks
\setlength{\parindent}{0pt}`)
	for _, c := range undeclared(body) {
		fmt.Fprintf(&b, "\n\\ifdefined\\DeclareUnicodeCharacter\\DeclareUnicodeCharacter{%04X}{%s}\\fi", c, spelled(c))
	}
	return b.String()
}

// latinLetters are the letters beyond ASCII that every LaTeX sets as they are.
const latinLetters = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœŒłŁćĆčČńŃřŘśŚšŠźŹžŽěĚůŮ"

// undeclared is the characters of text that LaTeX may not know, in order.
func undeclared(text string) []rune {
	seen := map[rune]bool{}
	for _, c := range text {
		if c > unicode.MaxASCII && !strings.ContainsRune(latinLetters, c) {
			seen[c] = true
		}
	}
	var out []rune
	for c := range seen {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

// spelled is a character in ASCII: a Greek letter or a sign as in formulas,
// another by its number.
func spelled(c rune) string {
	if text, ok := ir.SymbolTeX(c); ok {
		return `\ensuremath{` + text + "}"
	}
	return fmt.Sprintf(`\texttt{U+%04X}`, c)
}

// capital is text with its first letter raised.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
