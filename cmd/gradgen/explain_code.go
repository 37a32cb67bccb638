package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/passes"
)

// codeFlags are the flags of `gradgen explain` for the codes of errors.
type codeFlags struct {
	List bool `name:"list" help:"List the codes of errors; explain E0301 is about one."`
}

// codeNumber matches what can only be meant as the number of a code.
var codeNumber = regexp.MustCompile(`^[eE][0-9]+$`)

// explainCodes prints the list of codes, or what the table says of the codes that
// args name by number or name. It does not apply where args name programs.
func (c codeFlags) explainCodes(std streams, args []string, asJSON bool) (applies bool, err error) {
	var b bytes.Buffer
	list, one := listCodes, explainCode
	if asJSON {
		list, one = listCodesJSON, explainCodeJSON
	}
	switch {
	case c.List && len(args) > 0:
		return true, fmt.Errorf("explain -list: no program and no code goes with it")
	case c.List:
		list(&b)
	case len(args) == 0:
		return true, fmt.Errorf("explain: want programs, folders or codes of errors, such as E0301")
	case !isCode(args[0]):
		return false, nil
	default:
		for i, arg := range args {
			code, ok := dsl.LookupCode(arg)
			if !ok {
				return true, unknownCode(arg)
			}
			if i > 0 && !asJSON {
				b.WriteString("\n")
			}
			one(&b, code)
		}
	}
	_, err = std.out.Write(b.Bytes())
	return true, err
}

// isCode reports whether an argument means a code; where there is a file or folder
// of the name, it means that.
func isCode(arg string) bool {
	_, known := dsl.LookupCode(arg)
	if !known && !codeNumber.MatchString(arg) {
		return false
	}
	_, err := os.Stat(arg)
	return err != nil
}

// unknownCode says that no error has a code, and proposes those near it.
func unknownCode(arg string) error {
	var near []string
	for _, c := range dsl.NearCodes(arg) {
		near = append(near, c.Number+" ("+c.Title+")")
	}
	proposal := ""
	if len(near) > 0 {
		proposal = "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("explain: no error has the code %s%s\ngradgen explain -list shows all codes", arg, proposal)
}

// listCodes prints number, name and title of every code.
func listCodes(b *bytes.Buffer) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, c := range dsl.Codes() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Number, c.Name, c.Title)
	}
	w.Flush()
}

// explainCode prints all that the table says of a code.
func explainCode(b *bytes.Buffer, c dsl.Code) {
	fmt.Fprintf(b, "%s (%s): %s\n\n%s\n\n", c.Number, c.Name, c.Title, wrapped(c.Text))
	fmt.Fprintf(b, "Example%s:\n\n%s\n\n", withDims(c.Dims), indented(c.Example))
	if !c.Command {
		fmt.Fprintf(b, "%s\n", indented(reported(c)))
	}
	fmt.Fprintf(b, "Remedy:\n\n%s\n\n%s\n", wrapped(c.Remedy), indented(c.Fixed))
}

// A jsonCode is a code as -json writes it.
type jsonCode struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Title   string `json:"title"`
	Text    string `json:"text"`
	Example string `json:"example"`
	Remedy  string `json:"remedy"`
	Fixed   string `json:"fixed"`
}

// explainCodeJSON is explainCode as an object on a line.
func explainCodeJSON(b *bytes.Buffer, c dsl.Code) {
	_ = writeLines(b, jsonCode{c.Number, c.Name, c.Title, c.Text, c.Example, c.Remedy, c.Fixed}) // to memory
}

// listCodesJSON is explainCodeJSON of every code.
func listCodesJSON(b *bytes.Buffer) {
	for _, c := range dsl.Codes() {
		explainCodeJSON(b, c)
	}
}

// withDims is the flags that give dimensions, after a comma; "" where there are none.
func withDims(dims map[string]int) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(dims)) {
		text += fmt.Sprintf(", with -dim %s=%d", name, dims[name])
	}
	return text
}

// emissionErrors is what the stages after elaboration find wrong with a source.
func emissionErrors(s source) []*dsl.Diagnostic {
	p, err := passes.Compile(s.program)
	if err != nil {
		return s.diagnostics(err)
	}
	_, err = codegen.Generate(p, codegen.Options{Package: "example", Source: s.path})
	return s.diagnostics(err)
}

// reported is what the compiler says of the example of a code.
func reported(c dsl.Code) string {
	file, diags := dsl.Parse("example.dnn", []byte(c.Example))
	program, more := dsl.Elaborate(file, dsl.Options{Dims: c.Dims})
	diags = append(diags, more...)
	if len(diags) == 0 {
		diags = emissionErrors(source{path: "example.dnn", file: file, program: program})
	}
	var b strings.Builder
	dsl.Render(&b, dsl.SortDiagnostics(diags))
	return b.String()
}
