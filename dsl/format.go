package dsl

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// The canonical layout: blocks are indented by four spaces, and a line that could be
// broken before its |> has at most maxWidth characters.
const (
	indentWidth = 4
	maxWidth    = 100
)

// Format lays a program out in the canonical way, or returns its syntax errors. The
// result has the same tokens and comments in the same order, and the same tree;
// formatting it again does not change it.
//
// Line breaks inside a statement are the author's, as in gofmt, and so is the space
// around + - * / % @, which shows how a formula is read; but an operator never
// stands closer to its operands than the operators inside them. Aligned = and
// comments on consecutive lines stay aligned.
func Format(name string, src []byte) ([]byte, []*Diagnostic) {
	file, diags := Parse(name, src)
	if len(diags) > 0 {
		return nil, diags
	}
	f := newFormatter(file)
	f.markRoles()
	f.breakLines()
	f.breakLongPipes()
	f.align()
	return f.print(), nil
}

// piece is a token or a comment.
type piece struct {
	text       string
	start, end int  // in the source
	comment    bool // rather than a token
	column     int  // in the source, from 0
	breaks     int  // line breaks before it in the source

	glued   bool    // no space before it
	head    Node    // the declaration or statement that starts with it
	block   *braces // whose { or } it is
	newline int     // line breaks before it in the layout
	pad     int     // spaces before it for alignment
	indent  int     // where newline > 0: the column of the line
}

// braces is a block of the layout.
type braces struct {
	open, close int // indices of the pieces
	inline      bool
}

// formatter is a program between its source and its layout.
type formatter struct {
	file   *File
	pieces []*piece
	tokens map[int]int // index of a token's piece by its offset
	tight  map[*Binary]bool
}

// newFormatter cuts a file into pieces.
func newFormatter(file *File) *formatter {
	copied := &File{Name: file.Name, Src: file.Src}
	tokens, _ := scan(copied)
	f := &formatter{file: file, tokens: map[int]int{}, tight: map[*Binary]bool{}}
	for _, c := range copied.Comments {
		for len(tokens) > 0 && tokens[0].Pos.Offset < c.Start {
			f.addToken(tokens[0])
			tokens = tokens[1:]
		}
		f.add(&piece{text: strings.TrimRight(c.Text, " \t"), start: c.Start, end: c.End, comment: true})
	}
	for _, t := range tokens {
		f.addToken(t)
	}
	return f
}

// addToken adds the piece of a token.
func (f *formatter) addToken(t lexer.Token) {
	f.tokens[t.Pos.Offset] = len(f.pieces)
	f.add(&piece{text: t.Value, start: t.Pos.Offset, end: tokenEnd(t)})
}

// add adds a piece, and finds its place in the source.
func (f *formatter) add(p *piece) {
	from, column := bomLength(f.file.Src), 0
	if len(f.pieces) > 0 {
		last := f.pieces[len(f.pieces)-1]
		from, column = last.end, columnAfter(last.column, string(f.file.Src[last.start:last.end]))
	}
	gap := string(f.file.Src[from:p.start])
	p.breaks = strings.Count(gap, "\n")
	p.column = columnAfter(column, gap)
	f.pieces = append(f.pieces, p)
}

// columnAfter is the column after a text that starts at a column.
func columnAfter(column int, text string) int {
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		return utf8.RuneCountInString(text[i+1:])
	}
	return column + utf8.RuneCountInString(text)
}

// isLineComment reports whether a piece is a // comment, which ends its line.
func (p *piece) isLineComment() bool { return p.comment && strings.HasPrefix(p.text, "//") }

// space is the number of spaces before the i-th piece where it does not start a line.
func (f *formatter) space(i int) int {
	p, before := f.pieces[i], f.pieces[i-1]
	if p.comment || before.comment {
		return 1
	}
	if p.glued {
		return 0
	}
	switch p.text {
	case ",", ")", "]", "'", ".", "..":
		return 0
	}
	switch before.text {
	case "(", "[", ".", "..":
		return 0
	}
	return 1
}

// print writes the layout.
func (f *formatter) print() []byte {
	var b bytes.Buffer
	for i, p := range f.pieces {
		switch {
		case i == 0:
		case p.newline > 0:
			b.WriteString(strings.Repeat("\n", p.newline))
			b.WriteString(strings.Repeat(" ", p.indent))
		default:
			b.WriteString(strings.Repeat(" ", f.space(i)+p.pad))
		}
		b.WriteString(p.text)
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	return b.Bytes()
}
