package dsl

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// deep are programs that nest n deep, in every way a program can.
var deep = map[string]func(n int) string{
	"parentheses": func(n int) string { return "const c = " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) },
	"lists":       func(n int) string { return "const c = " + strings.Repeat("[", n) + strings.Repeat("]", n) },
	"calls":       func(n int) string { return "const c = " + strings.Repeat("f(", n) + "1" + strings.Repeat(")", n) },
	"signs":       func(n int) string { return "const c = " + strings.Repeat("-", n) + "1" },
	"negations":   func(n int) string { return "const c = " + strings.Repeat("!", n) + "a" },
	"powers":      func(n int) string { return "const c = a" + strings.Repeat("^a", n) },
	"conditions":  func(n int) string { return "const c = " + strings.Repeat("if a then b else ", n) + "d" },
	"middles": func(n int) string {
		return "const c = " + strings.Repeat("if a then b |> f else if inf then ", n) + "d" + strings.Repeat(" else e", n)
	},
	"blocks": func(n int) string {
		return "fn f(x) {" + strings.Repeat("for i in 0..1 {", n) + strings.Repeat("}", n) + "}"
	},
	"scan heads": func(n int) string {
		return "const c = " + strings.Repeat("scan t in 0..1 with h = if a then b else ", n) + "d" + strings.Repeat("{}", n)
	},
	"else ifs": func(n int) string { return "fn f(x) { if a {}" + strings.Repeat(" else if a {}", n) + "}" },
}

// TestNestingLimit checks that what is nested a hundred deep is read, and that what
// is nested deeper than the limit is an error that names it, even where a recursive
// reading would exhaust the stack.
func TestNestingLimit(t *testing.T) {
	for name, program := range deep {
		if _, diags := Parse(name, []byte(program(90))); len(diags) > 0 {
			t.Errorf("%s, 90 deep: %s", name, diags[0])
		}
		for _, n := range []int{250, 20_000} {
			_, diags := Parse(name, []byte(program(n)))
			if len(diags) == 0 || diags[0].Code != "text-limit" || !strings.Contains(diags[0].Message, "limit of 200") {
				t.Errorf("%s, %d deep: %v", name, n, diags)
			}
		}
	}
}

// TestNoFalseNesting checks that a long program that does not nest is none that nests
// deeply.
func TestNoFalseNesting(t *testing.T) {
	line := "    y = -x^-2 * !a + (if a then -b else c^d) |> f(-1, k: -2)\n    z = if a then b else -c\n    param W [-1] = -z\n"
	src := "layer f(x) {\n" + strings.Repeat(line, 1000) + "}\n"
	if _, diags := Parse("long.dnn", []byte(src)); len(diags) > 0 {
		t.Error(diags[0])
	}
}

// TestChainLimit checks the limit of operators in a row.
func TestChainLimit(t *testing.T) {
	for _, link := range []string{" + a", " |> f", "[0]", "'", "(b)", ".c"} {
		if _, diags := Parse("chain", []byte("const c = a"+strings.Repeat(link, 1000))); len(diags) > 0 {
			t.Errorf("1000 × %q: %s", link, diags[0])
		}
		for _, n := range []int{1001, 5_000} {
			_, diags := Parse("chain", []byte("const c = a"+strings.Repeat(link, n)))
			if len(diags) == 0 || diags[0].Code != "text-limit" || !strings.Contains(diags[0].Message, "limit of 1000") {
				t.Errorf("%d × %q: %v", n, link, diags)
			}
		}
	}
}

// TestElementLimit checks the limit of what is in one list.
func TestElementLimit(t *testing.T) {
	_, diags := Parse("list", []byte("fn f(x) { a"+strings.Repeat(",a", maxElements+10)+" = x }"))
	if len(diags) != 1 || diags[0].Code != "text-limit" || !strings.Contains(diags[0].Message, "limit of 100000 elements") {
		t.Errorf("got %v", diags)
	}
}

// TestFileLimit checks the limit of a file's size.
func TestFileLimit(t *testing.T) {
	if _, diags := Parse("spaces", bytes.Repeat([]byte(" "), maxFileSize)); len(diags) > 0 {
		t.Error(diags[0])
	}
	_, diags := Parse("spaces", bytes.Repeat([]byte(" "), maxFileSize+1))
	if len(diags) != 1 || diags[0].Code != "text-limit" || !strings.Contains(diags[0].Message, "limit of 16 MiB") {
		t.Errorf("got %v", diags)
	}
	checkPlaces(t, diags, maxFileSize+1)
}

// TestErrorLimit checks that a file full of errors ends with one that says so.
func TestErrorLimit(t *testing.T) {
	_, diags := Parse("bad", []byte("fn f(x) {\n"+strings.Repeat("y = = 1\n", 5000)+"}"))
	if len(diags) != maxDiagnostics+1 || diags[maxDiagnostics].Code != "text-limit" {
		t.Errorf("%d diagnostics", len(diags))
	}
}

// hostile are texts of about n bytes that could take more than linear time.
var hostile = map[string]func(n int) string{
	"open blocks":    func(n int) string { return strings.Repeat("{", n) },
	"open brackets":  func(n int) string { return "fn f(x) {" + strings.Repeat("y = f(a\n", n/8) },
	"comments":       func(n int) string { return strings.Repeat("/* */", n/5) },
	"one long line":  func(n int) string { return "const c = [" + strings.Repeat("1,", n/2) + "]" },
	"open comments":  func(n int) string { return strings.Repeat("/*", n/2) },
	"quotes":         func(n int) string { return strings.Repeat("\"", n) },
	"operators":      func(n int) string { return "const c = " + strings.Repeat("=", n) },
	"names":          func(n int) string { return strings.Repeat("a ", n/2) },
	"names in lines": func(n int) string { return "fn f(x) {\n" + strings.Repeat("a,\n", n/3) },
	"merges":         func(n int) string { return "fn f(x) {\n" + strings.Repeat("y = a b\n", n/8) + "}" },
	"pipes":          func(n int) string { return "fn f(x) {\n" + strings.Repeat("y = a |> f + 1\n", n/15) + "}" },
	"bytes":          func(n int) string { return strings.Repeat("\xff\x00", n/2) },
	"docs":           func(n int) string { return strings.Repeat("// c\n", n/5) + "const c = 1" },
}

// TestHostileTexts checks that the time for such texts grows about linearly: four
// times the text takes less than sixteen times as long, or is fast all the same.
func TestHostileTexts(t *testing.T) {
	for name, text := range hostile {
		small, large := parseTime(text(10_000)), parseTime(text(40_000))
		if large > 16*small && large > 2*time.Second {
			t.Errorf("%s: %v, then %v for four times the text", name, small, large)
		}
	}
}

// parseTime is the time Parse takes.
func parseTime(text string) time.Duration {
	start := time.Now()
	Parse("hostile", []byte(text))
	return time.Since(start)
}
