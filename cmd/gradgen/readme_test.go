package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/tabwriter"

	"gradgen.dev/dsl"
)

var update = flag.Bool("update", false, "rewrite what README.md prints from the sources")

// section matches a part of README.md that is printed from the sources.
var section = regexp.MustCompile(`(?s)(<!-- begin: (\w+) -->\n).*?(<!-- end: (\w+) -->)`)

// The parts of README.md between markers are what the sources print: programs,
// emitted code, errors, and what commands print.
func TestREADME(t *testing.T) {
	const path = "../../README.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	printed := map[string]func(*testing.T) string{
		"program": func(t *testing.T) string {
			return fenced("", readFile(t, "../../examples/softmax/softmax/softmax.dnn"))
		},
		"emitted": func(t *testing.T) string { return fenced("go", emittedExcerpt(t)) },
		"error":   func(t *testing.T) string { return fenced("", errorExcerpt(t)) },
		"json":    func(t *testing.T) string { return fenced("json", jsonExcerpt(t)) },
		"help":    func(t *testing.T) string { return fenced("", helpExcerpt(t)) },
		"summary": func(t *testing.T) string {
			return fenced("", printedBy(t, exitOK, "summary", "-dim", "B=128", "../../examples/mnist/mlp/mlp.dnn"))
		},
		"formulas": func(t *testing.T) string {
			return fenced("", printedBy(t, exitOK, "explain", "../../examples/rosenbrock/objective/objective.dnn"))
		},
	}

	seen := 0
	want := section.ReplaceAllStringFunc(string(text), func(part string) string {
		m := section.FindStringSubmatch(part)
		of, ok := printed[m[2]]
		if !ok || m[2] != m[4] {
			t.Fatalf("README.md has a section %s that ends as %s", m[2], m[4])
		}
		seen++
		return m[1] + strings.TrimRight(of(t), "\n") + "\n" + m[3]
	})
	if seen != len(printed) {
		t.Fatalf("README.md has %d sections, want %d", seen, len(printed))
	}

	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("README.md is stale: go test ./cmd/gradgen -run README -update")
	}
	if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
		t.Fatal(err)
	}
}

// fenced is text as a block of Markdown.
func fenced(language, text string) string {
	return "```" + language + "\n" + strings.TrimRight(text, "\n") + "\n```\n"
}

// readFile is the text of a file.
func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// emittedExcerpt is the type's documentation and the backward method of the
// example softmax.
func emittedExcerpt(t *testing.T) string {
	text := readFile(t, "../../examples/softmax/softmax/softmax_dnn.go")
	return declaration(t, text, "// Softmax ", "\n}\n") + "\n" + declaration(t, text, "// backward ", "\n}\n")
}

// declaration is the lines of text from the one that starts with start to the
// first end behind it.
func declaration(t *testing.T, text, start, end string) string {
	t.Helper()
	_, from, ok := strings.Cut(text, "\n"+start)
	body, _, closed := strings.Cut(from, end)
	if !ok || !closed {
		t.Fatalf("the emitted file has no declaration under %q", start)
	}
	return start + body + end
}

// wrongProgram is a program whose shapes do not fit.
func wrongProgram(t *testing.T) string {
	return strings.Replace(readFile(t, "../../examples/softmax/softmax/softmax.dnn"), "W [784, 10]", "W [512, 10]", 1)
}

// errorExcerpt is what check prints for the wrong program.
func errorExcerpt(t *testing.T) string {
	file, _ := dsl.Parse("softmax.dnn", []byte(wrongProgram(t)))
	_, diags := dsl.Elaborate(file, dsl.Options{})
	if len(diags) == 0 {
		t.Fatal("a product of unequal dimensions is no error")
	}
	var b bytes.Buffer
	if err := dsl.Render(&b, diags); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// jsonExcerpt is what check -json prints for the wrong program, up to the places
// that the error is related to.
func jsonExcerpt(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "softmax.dnn")
	if err := os.WriteFile(path, []byte(wrongProgram(t)), 0o666); err != nil {
		t.Fatal(err)
	}
	text, _, related := strings.Cut(printedBy(t, exitFound, "check", "-json", path), `,"related":`)
	if !related {
		t.Fatalf("an error without related places:\n%s", text)
	}
	return text + `,"related":[…]}`
}

// printedBy is what a command prints to standard output, the last argument
// without its folder.
func printedBy(t *testing.T, exit int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(args, streams{in: strings.NewReader(""), out: &out, err: &errs, now: &progress{}, form: &form{}}); code != exit {
		t.Fatalf("%q: exit code %d, want %d\n%s", args, code, exit, errs.String())
	}
	path := args[len(args)-1]
	text := strings.ReplaceAll(out.String(), filepath.ToSlash(path), filepath.Base(path))
	return strings.ReplaceAll(text, path, filepath.Base(path))
}

// helpExcerpt is a line for each command, as the help has it.
func helpExcerpt(t *testing.T) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, c := range newParser(streams{}).Model.Children {
		fmt.Fprintf(w, "gradgen %s\t%s\n", c.Name, c.Help)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
