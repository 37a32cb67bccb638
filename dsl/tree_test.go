package dsl

import (
	"io"
	"strings"
	"testing"
)

// checkSpans checks that every node lies within its parent and has a text.
func checkSpans(t *testing.T, file *File) {
	t.Helper()
	for _, d := range file.Decls {
		Visit(d, func(n Node) bool {
			outer := n.Where()
			if outer.File != file || outer.Start >= outer.End || outer.End > len(file.Src) {
				t.Errorf("%T has the span [%d, %d)", n, outer.Start, outer.End)
			}
			for _, child := range children(n) {
				if inner := child.Where(); inner.Start < outer.Start || inner.End > outer.End {
					t.Errorf("%T [%d, %d) is not within %T [%d, %d)", child, inner.Start, inner.End, n, outer.Start, outer.End)
				}
			}
			return true
		})
	}
}

// checkPlaces checks that diagnostics lie in the file, in order, and can be rendered.
func checkPlaces(t *testing.T, diags []*Diagnostic, size int) {
	t.Helper()
	last := 0
	for _, d := range diags {
		if at := d.Place(); at.Start < last || at.Start > at.End || at.End > size {
			t.Errorf("%s at [%d, %d)", d.Message, at.Start, at.End)
		}
		last = d.Place().Start
		if d.Message == "" || strings.Contains(d.Message, "\n") {
			t.Errorf("message %q", d.Message)
		}
	}
	if err := Render(io.Discard, diags); err != nil {
		t.Error(err)
	}
}

// TestSpansOfPage checks the spans of the page's programs.
func TestSpansOfPage(t *testing.T) {
	for _, name := range programs(t) {
		file, _ := Parse(name, readFile(t, name))
		checkSpans(t, file)
	}
}
