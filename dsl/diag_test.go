package dsl

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// expectation is one `// ERROR "regexp"` comment: a diagnostic on its line, or on
// the line that `// ERROR -1 "regexp"` counts from it.
type expectation struct {
	line   int
	regexp *regexp.Regexp
}

var (
	errorComment = regexp.MustCompile(`// ERROR (.*)$`)
	errorItem    = regexp.MustCompile("^\\s*([-+]\\d+)?\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)")
)

// checkDiagnostics runs diagnose on every program of the files that match pattern,
// and checks that each diagnostic is expected on its line and each expectation met.
// In a file, programs are separated by lines `---`; a line keeps its number in the
// file. A comment may hold several expectations.
func checkDiagnostics(t *testing.T, pattern string, diagnose func(name string, src []byte) []*Diagnostic) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, chunk := range chunks(string(src)) {
			checkChunk(t, name, chunk, diagnose)
		}
	}
}

// chunks cuts a file at its lines `---`, each part with as many empty lines before
// it as there were lines.
func chunks(src string) []string {
	var parts []string
	lines := 0
	for _, part := range strings.Split(src, "\n---\n") {
		parts = append(parts, strings.Repeat("\n", lines)+part+"\n")
		lines += strings.Count(part, "\n") + 2
	}
	return parts
}

// checkChunk checks one program.
func checkChunk(t *testing.T, name, src string, diagnose func(string, []byte) []*Diagnostic) {
	t.Helper()
	expected := expectations(t, name, src)
	for _, d := range diagnose(name, []byte(src)) {
		if d.Number() == "" {
			t.Errorf("%s: the table has no code %q", d, d.Code)
		}
		line, _ := d.Place().File.Position(d.Place().Start)
		if !takeExpectation(expected, line, d.Message) {
			var b strings.Builder
			Render(&b, []*Diagnostic{d})
			t.Errorf("unexpected diagnostic:\n%s", b.String())
		}
	}
	for _, e := range expected {
		if e.regexp != nil {
			t.Errorf("%s:%d: no diagnostic matches %q", name, e.line, e.regexp)
		}
	}
}

// takeExpectation removes the first expectation that a message on a line meets.
func takeExpectation(expected []expectation, line int, message string) bool {
	for i, e := range expected {
		if e.regexp != nil && e.line == line && e.regexp.MatchString(message) {
			expected[i].regexp = nil
			return true
		}
	}
	return false
}

// expectations reads the ERROR comments of a program.
func expectations(t *testing.T, name, src string) []expectation {
	t.Helper()
	var list []expectation
	for i, line := range strings.Split(src, "\n") {
		m := errorComment.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for rest := m[1]; strings.TrimSpace(rest) != ""; {
			item := errorItem.FindStringSubmatch(rest)
			if item == nil {
				t.Fatalf("%s:%d: malformed ERROR comment", name, i+1)
			}
			list = append(list, newExpectation(t, fmt.Sprintf("%s:%d", name, i+1), i+1, item))
			rest = rest[len(item[0]):]
		}
	}
	return list
}

// newExpectation reads one expectation of a comment.
func newExpectation(t *testing.T, place string, line int, item []string) expectation {
	t.Helper()
	text, err := strconv.Unquote(item[2])
	if err != nil {
		t.Fatalf("%s: %v", place, err)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", place, err)
	}
	offset, _ := strconv.Atoi(item[1])
	return expectation{line + offset, re}
}

// TestSyntaxDiagnostics checks the errors that Parse reports.
func TestSyntaxDiagnostics(t *testing.T) {
	checkDiagnostics(t, "testdata/diag/syntax*.dnn", func(name string, src []byte) []*Diagnostic {
		_, diags := Parse(name, src)
		return diags
	})
}
