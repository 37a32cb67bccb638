package dsl

import (
	"strings"
	"testing"
)

// rendered renders diagnostics to a string.
func rendered(t *testing.T, diags []*Diagnostic) string {
	t.Helper()
	var b strings.Builder
	if err := Render(&b, diags); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// find is the place of a text in a file.
func find(t *testing.T, f *File, text string) Span {
	t.Helper()
	i := strings.Index(string(f.Src), text)
	if i < 0 {
		t.Fatalf("no %q in the file", text)
	}
	return Span{f, i, i + len(text)}
}

// TestRender checks the example of the language page.
func TestRender(t *testing.T) {
	src := "\n\n\n\n\n    param W [512, 10] = zeros\n\n\n    logits = x @ W + b\n"
	f, _ := Parse("mnist.dnn", []byte("model M {"+src+"}"))
	product := find(t, f, "x @ W")
	d := errorAt(product, "cannot multiply x [B, 784] by W [512, 10]: inner dimensions 784 and 512 differ").
		at(find(t, f, "@")).
		code("shapes").
		related(find(t, f, "W"), "W is declared [512, 10] here")
	want := `mnist.dnn:9:16: cannot multiply x [B, 784] by W [512, 10]: inner dimensions 784 and 512 differ [E0301]
  9 |     logits = x @ W + b
    |              ~~^~~
  mnist.dnn:6:11: W is declared [512, 10] here
`
	if got := rendered(t, []*Diagnostic{d}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRenderUnderlines checks what is underlined, with tabs, wide text and spans that
// are empty or go over several lines.
func TestRenderUnderlines(t *testing.T) {
	tests := []struct {
		src, mark, want string
	}{
		{"\tσ = αβγ + x", "αβγ", "f:1:6: m\n  1 | \tσ = αβγ + x\n    | \t    ^~~\n"},
		{"a\tb\tc", "b\tc", "f:1:3: m\n  1 | a\tb\tc\n    |  \t^~~\n"},
		{"a\r\nbc\r\nd", "bc\r\nd", "f:2:1: m\n  2 | bc\n    | ^~\n"},
		{"\ufeffab", "b", "f:1:2: m\n  1 | ab\n    |  ^\n"},
		{"a\x1b[31mb", "b", "f:1:7: m\n  1 | a?[31mb\n    |       ^\n"},
	}
	for _, test := range tests {
		f, _ := Parse("f", []byte(test.src))
		d := errorAt(find(t, f, test.mark), "m")
		if got := rendered(t, []*Diagnostic{d}); got != test.want {
			t.Errorf("%q:\n%s\nwant\n%s", test.src, got, test.want)
		}
	}

	// After the last character there is still a place for the caret.
	f, _ := Parse("f", []byte("ab"))
	end := errorAt(Span{f, 2, 2}, "m")
	if got, want := rendered(t, []*Diagnostic{end}), "f:1:3: m\n  1 | ab\n    |   ^\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRenderWithoutPlace checks a diagnostic that is about no file.
func TestRenderWithoutPlace(t *testing.T) {
	d := &Diagnostic{Message: "no such file"}
	if got := rendered(t, []*Diagnostic{d}); got != "no such file\n" {
		t.Errorf("got %q", got)
	}
}

// TestSortDiagnostics checks the order and that repetitions go.
func TestSortDiagnostics(t *testing.T) {
	a, _ := Parse("a", []byte("x y"))
	b, _ := Parse("b", []byte("x y"))
	diags := []*Diagnostic{
		errorAt(Span{b, 0, 1}, "first"),
		errorAt(Span{a, 2, 3}, "second"),
		errorAt(Span{a, 0, 1}, "third"),
		errorAt(Span{a, 2, 3}, "second"),
		errorAt(Span{a, 2, 3}, "fourth"),
	}
	var got []string
	for _, d := range SortDiagnostics(diags) {
		got = append(got, d.Error())
	}
	want := "a:1:1: third\na:1:3: fourth\na:1:3: second\nb:1:1: first"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
}

// TestSuggest checks which names are near enough to be proposed.
func TestSuggest(t *testing.T) {
	candidates := []string{"softmax", "log_softmax", "sum", "relu", "dense", "dropout", "σ"}
	tests := []struct{ name, want string }{
		{"sofmax", "softmax"},
		{"Softmax", "softmax"},
		{"softmxa", "softmax"},
		{"rleu", "relu"},
		{"dens", "dense"},
		{"dropuot", "dropout"},
		{"su", "sum"},
		{"softmax", ""},
		{"conv2d", ""},
		{"xyz", ""},
		{"", ""},
	}
	for _, test := range tests {
		if got := suggest(test.name, candidates); got != test.want {
			t.Errorf("suggest(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}

// TestEditDistance checks the distance and its symmetry.
func TestEditDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "ABC", 0},
		{"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abcd", "acbd", 1}, {"αβ", "αγ", 1},
	}
	for _, test := range tests {
		if got, back := editDistance(test.a, test.b), editDistance(test.b, test.a); got != test.want || back != test.want {
			t.Errorf("from %q to %q it is %d, back %d, want %d", test.a, test.b, got, back, test.want)
		}
	}
}
