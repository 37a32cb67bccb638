package dsl

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// Diagnostic is one error in a program: its place, what was found and what was
// expected there in the program's own names, and the places that led to it.
type Diagnostic struct {
	Span    Span      // what is underlined
	Point   Span      // within Span, where the caret stands (an operator); zero for the start
	Code    string    // the Name of the kind of error in the table that Codes returns
	Message string    // one line, no capital, no full stop
	Related []Related // other places, in the order in which they explain
}

// Related is a place that helps to explain a Diagnostic, or a remark without one
// between two places.
type Related struct {
	Span    Span
	Message string
}

// errorAt is a diagnostic with a formatted message for the place of a node.
func errorAt(n Node, format string, args ...any) *Diagnostic {
	return &Diagnostic{Span: n.Where(), Message: fmt.Sprintf(format, args...)}
}

// at moves the caret to a place within the diagnostic's span.
func (d *Diagnostic) at(n Node) *Diagnostic {
	d.Point = n.Where()
	return d
}

// code sets the diagnostic's code.
func (d *Diagnostic) code(c string) *Diagnostic {
	d.Code = c
	return d
}

// codeUnless sets the code of a diagnostic that has none.
func (d *Diagnostic) codeUnless(c string) *Diagnostic {
	if d.Code == "" {
		d.code(c)
	}
	return d
}

// related adds a place that helps to explain the diagnostic. A place that the
// diagnostic has already, or stands at itself, explains nothing more.
func (d *Diagnostic) related(n Node, format string, args ...any) *Diagnostic {
	at := n.Where()
	known := at == d.Span || slices.ContainsFunc(d.Related, func(r Related) bool { return r.Span == at })
	if !known {
		d.Related = append(d.Related, Related{at, fmt.Sprintf(format, args...)})
	}
	return d
}

// Place is the place a diagnostic names: its caret.
func (d *Diagnostic) Place() Span {
	if d.Point.IsValid() {
		return d.Point
	}
	return d.Span
}

// String is the diagnostic on one line, `file:line:col: message [E0301]`, without
// the source text and the related places.
func (d *Diagnostic) String() string {
	text := located(d.Place(), d.Message)
	if n := d.Number(); n != "" {
		text += " [" + n + "]"
	}
	return text
}

// Error is String; it makes a diagnostic an error.
func (d *Diagnostic) Error() string { return d.String() }

// located puts a place before a message.
func located(s Span, message string) string {
	if !s.IsValid() {
		return message
	}
	line, column := s.File.Position(s.Start)
	return fmt.Sprintf("%s:%d:%d: %s", s.File.Name, line, column, message)
}

// SortDiagnostics orders diagnostics by file and position, and drops those that
// say the same about the same place. It sorts in place and returns what is left.
func SortDiagnostics(diags []*Diagnostic) []*Diagnostic {
	sort.SliceStable(diags, func(i, j int) bool { return before(diags[i], diags[j]) })
	kept := diags[:0]
	for _, d := range diags {
		if last := len(kept) - 1; last >= 0 && kept[last].Place().same(d.Place()) && kept[last].Message == d.Message {
			continue
		}
		kept = append(kept, d)
	}
	return kept
}

// same reports whether two spans are one place: that of one file, though it was
// read twice.
func (s Span) same(t Span) bool {
	return s.fileName() == t.fileName() && s.Start == t.Start && s.End == t.End
}

// before is the order of diagnostics: file name, position, message.
func before(a, b *Diagnostic) bool {
	p, q := a.Place(), b.Place()
	if m, n := p.fileName(), q.fileName(); m != n {
		return m < n
	}
	if p.Start != q.Start {
		return p.Start < q.Start
	}
	return a.Message < b.Message
}

// fileName is the name of the span's file, empty where it has none.
func (s Span) fileName() string {
	if !s.IsValid() {
		return ""
	}
	return s.File.Name
}

// Render writes diagnostics as a person reads them:
//
//	mnist.dnn:9:16: cannot multiply x [B, 784] by W [512, 10]: … [E0301]
//	  9 |     logits = x @ W + b
//	    |              ~~^~~
//	  mnist.dnn:6:11: W is declared [512, 10] here
//
// It returns the first error of the writer.
func Render(w io.Writer, diags []*Diagnostic) error {
	var b strings.Builder
	for _, d := range diags {
		b.WriteString(d.String() + "\n")
		b.WriteString(excerpt(d.Span, d.Place()))
		for _, r := range d.Related {
			b.WriteString("  " + located(r.Span, r.Message) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// maxExcerpt is the longest source line, in bytes, that an excerpt shows.
const maxExcerpt = 400

// excerpt is the line on which place stands, and below it the part of span that
// is on that line, underlined, with a caret at place.
func excerpt(span, place Span) string {
	if !place.IsValid() {
		return ""
	}
	f := place.File
	number := f.lineOf(place.Start)
	start, end := f.lineBounds(number)
	if end-start > maxExcerpt {
		return ""
	}

	// Cut the span to the line; an empty one still gets its caret.
	caret := min(place.Start, end)
	from := min(max(span.Start, start), caret)
	to := max(min(span.End, end), caret)

	// Repeat the line's tabs below it, so that both lines are equally wide.
	var under strings.Builder
	line := string(f.Src[start:end])
	for i, r := range line {
		under.WriteString(mark(r, start+i, from, caret, to))
	}
	if caret == end {
		under.WriteByte('^')
	}
	gutter := fmt.Sprintf("  %d | ", number)
	blank := strings.Repeat(" ", len(gutter)-2) + "| "
	return gutter + printable(line) + "\n" + blank + strings.TrimRight(under.String(), " \t") + "\n"
}

// mark is what stands below the character r at an offset, where [from, to) is
// underlined and the caret is at caret.
func mark(r rune, offset, from, caret, to int) string {
	switch {
	case offset == caret:
		return "^"
	case from <= offset && offset < to:
		return "~"
	case r == '\t':
		return "\t"
	}
	return " "
}

// printable replaces what would disturb a terminal, keeping the width.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\t') || r == 0x7f || r == utf8.RuneError {
			return '?'
		}
		return r
	}, line)
}

// Position is the line and the column, both from 1, of an offset in the file;
// columns count characters, and a byte order mark is none.
func (f *File) Position(offset int) (line, column int) {
	line = f.lineOf(offset)
	start := f.lines[line-1]
	return line, utf8.RuneCount(f.Src[min(start, offset):offset]) + 1
}

// lineOf is the line (from 1) of an offset.
func (f *File) lineOf(offset int) int {
	return max(1, sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > offset }))
}

// lineBounds is where a line (from 1) starts and ends in the file, without its
// line break.
func (f *File) lineBounds(line int) (start, end int) {
	start, end = f.lines[line-1], len(f.Src)
	if line < len(f.lines) {
		end = f.lines[line] - 1
	}
	if end > start && f.Src[end-1] == '\r' {
		end--
	}
	return start, end
}

// indexLines fills the table of line starts. The first line starts after a byte
// order mark.
func (f *File) indexLines() {
	f.lines = []int{bomLength(f.Src)}
	for i, c := range f.Src {
		if c == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
}

// bomLength is the length of the byte order mark at the start of a file.
func bomLength(src []byte) int {
	if strings.HasPrefix(string(src[:min(3, len(src))]), "\ufeff") {
		return 3
	}
	return 0
}
