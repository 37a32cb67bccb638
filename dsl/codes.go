package dsl

import (
	"fmt"
	"slices"
	"strings"
)

// A Code is a kind of error. The table of all kinds is what a Diagnostic's Code
// is a name of, what `gradgen explain E0301` prints, and what reference.md lists.
// Other kinds of errors get numbers of their own; a number keeps its meaning.
type Code struct {
	Number  string         // E and four digits, the first two of which are the area
	Name    string         // as in Diagnostic.Code: words joined by hyphens
	Title   string         // one line, no capital, no full stop
	Text    string         // what the error means and when it comes up
	Remedy  string         // what to do about it
	Example string         // a program with the error; of a command, a command line
	Fixed   string         // the example without the error
	Dims    map[string]int // dimensions that the example is compiled with, as by -dim
	Command bool           // the error is of the command line, not of a program
}

// An area is a hundred of codes.
type area struct {
	prefix string // the letters and digits that its codes start with
	title  string
	codes  []Code
}

// areas is the table of errors.
var areas = []area{
	{"E01", "Syntax", syntaxCodes},
	{"E02", "Names", nameCodes},
	{"E03", "Types and shapes", typeCodes},
	{"E04", "Calls and statements", callCodes},
	{"E05", "Models", modelCodes},
	{"E06", "Derivatives", derivativeCodes},
	{"E07", "Training", trainCodes},
	{"E08", "Limits", limitCodes},
	{"E09", "What is emitted", outputCodes},
}

// Codes is the table of errors, in the order of their numbers.
func Codes() []Code {
	var all []Code
	for _, a := range areas {
		all = append(all, a.codes...)
	}
	return all
}

// LookupCode finds a code by its number or name; case does not matter.
func LookupCode(text string) (Code, bool) {
	for _, a := range areas {
		for _, c := range a.codes {
			if strings.EqualFold(text, c.Number) || strings.EqualFold(text, c.Name) {
				return c, true
			}
		}
	}
	return Code{}, false
}

// NearCodes are codes that a number or name that is none may have meant: the one
// with the name nearest to it, or those of its area with the nearest numbers.
func NearCodes(text string) []Code {
	names := make([]string, 0, len(areas))
	for _, c := range Codes() {
		names = append(names, c.Name)
	}
	if near := suggest(text, names); near != "" {
		c, _ := LookupCode(near)
		return []Code{c}
	}

	// The last number of the area below it, and the first above it.
	upper := strings.ToUpper(text)
	for _, a := range areas {
		if !strings.HasPrefix(upper, a.prefix) {
			continue
		}
		above := slices.IndexFunc(a.codes, func(c Code) bool { return c.Number > upper })
		if above < 0 {
			above = len(a.codes)
		}
		return a.codes[max(above-1, 0):min(above+1, len(a.codes))]
	}
	return nil
}

// Number is the number of the diagnostic's code, such as E0301; "" where it has
// none.
func (d *Diagnostic) Number() string {
	c, _ := LookupCode(d.Code)
	return c.Number
}

// CodeTable is the table of errors in Markdown: number, name and title.
func CodeTable() string {
	var b strings.Builder
	b.WriteString("| code | name | error |\n| --- | --- | --- |\n")
	for _, a := range areas {
		fmt.Fprintf(&b, "| **%s** | | |\n", a.title)
		for _, c := range a.codes {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Number, c.Name, c.Title)
		}
	}
	return b.String()
}
