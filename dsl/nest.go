package dsl

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// group is the contents of one block, or of a file: its tokens, with each block
// in it folded into one tokenBlock. end is the place just after the contents.
type group struct {
	tokens []lexer.Token
	open   int // offset of the {
	end    int // offset of the }, or of what was found in its place
}

// nester folds blocks.
type nester struct {
	file   *File
	groups map[int]*group // closed blocks by the offset of their {
	stack  []*group       // open blocks, the file first
	braces []bool         // open { within the innermost blocks; true for a pattern's
	strict bool           // judge by indentation too, because braces do not match
	diags  []*Diagnostic
}

// nestBlocks folds the blocks of a file's tokens and returns the group of the
// file; groups holds the contents of every block by the offset of its brace.
// Where braces do not match, it does so again with an eye on the indentation, so
// that the error names the block that lacks its brace.
func nestBlocks(file *File, tokens []lexer.Token) (root *group, groups map[int]*group, diags []*Diagnostic) {
	n := newNester(file, false)
	root = n.fold(tokens)
	if len(n.diags) > 0 {
		n = newNester(file, true)
		root = n.fold(tokens)
	}
	return root, n.groups, n.diags
}

// newNester starts with the group of the file.
func newNester(file *File, strict bool) *nester {
	return &nester{
		file:   file,
		groups: map[int]*group{},
		stack:  []*group{{open: -1, end: len(file.Src)}},
		strict: strict,
	}
}

// fold folds all tokens.
func (n *nester) fold(tokens []lexer.Token) *group {
	for i, t := range tokens {
		switch {
		case t.Value == "{":
			n.openBrace(t, i > 0 && tokens[i-1].Value == ".")
		case t.Value == "}":
			n.closeBrace(t)
		case len(n.stack) > 1 && n.nextDecl(tokens, i):
			n.closeAll(t)
			n.push(t)
		default:
			n.push(t)
		}
	}
	n.closeAll(newToken(lexer.EOF, "", len(n.file.Src), len(n.file.Src)))
	return n.stack[0]
}

// push appends a token to the innermost open block.
func (n *nester) push(t lexer.Token) {
	top := n.stack[len(n.stack)-1]
	top.tokens = append(top.tokens, t)
}

// openBrace opens a block, or the braces of a pattern, which are plain tokens.
func (n *nester) openBrace(t lexer.Token, pattern bool) {
	n.braces = append(n.braces, pattern)
	if pattern {
		n.push(t)
		return
	}
	n.stack = append(n.stack, &group{open: t.Pos.Offset})
}

// closeBrace closes the innermost braces. Where braces do not match, one that stands
// first on its line closes no pattern.
func (n *nester) closeBrace(t lexer.Token) {
	first := n.strict && n.file.firstOnLine(t.Pos.Offset)
	for first && n.innermostIsPattern() {
		n.braces = n.braces[:len(n.braces)-1]
	}
	if n.innermostIsPattern() {
		n.braces = n.braces[:len(n.braces)-1]
		n.push(t)
		return
	}
	if len(n.stack) == 1 {
		n.diags = append(n.diags, errorAt(n.span(t), "unexpected }: no block is open here").code("brace"))
		return
	}
	if first {
		n.closeInner(t)
	}
	n.closeBlock(t.Pos.Offset, tokenEnd(t))
}

// innermostIsPattern reports whether the innermost open brace is a pattern's.
func (n *nester) innermostIsPattern() bool {
	return len(n.braces) > 0 && n.braces[len(n.braces)-1]
}

// closeInner closes, as lacking their brace, the blocks within the one that the
// brace t is in line with.
func (n *nester) closeInner(t lexer.Token) {
	indent := n.file.indentOf(t.Pos.Offset)
	for i := len(n.stack) - 1; i > 0; i-- {
		if n.file.indentOf(n.stack[i].open) != indent {
			continue
		}
		for len(n.stack)-1 > i {
			n.missing(t)
		}
		return
	}
}

// closeBlock folds the innermost block, which ends at the bytes [end, after).
func (n *nester) closeBlock(end, after int) {
	top := n.stack[len(n.stack)-1]
	top.end = end
	n.groups[top.open] = top
	n.stack = n.stack[:len(n.stack)-1]
	for n.innermostIsPattern() {
		n.braces = n.braces[:len(n.braces)-1]
	}
	n.braces = n.braces[:len(n.braces)-1]
	n.push(newToken(tokenBlock, "{", top.open, after))
}

// closeAll closes, as lacking its brace, every open block before t.
func (n *nester) closeAll(t lexer.Token) {
	for len(n.stack) > 1 {
		n.missing(t)
	}
}

// missing reports that the innermost block lacks its brace before t, and closes it.
func (n *nester) missing(t lexer.Token) {
	top := n.stack[len(n.stack)-1]
	after := top.open + 1
	if len(top.tokens) > 0 {
		after = tokenEnd(top.tokens[len(top.tokens)-1])
	}
	open := Span{n.file, top.open, top.open + 1}
	d := errorAt(open, "block is not closed: missing }").code("brace")
	if t.Type != lexer.EOF {
		d.related(n.span(t), "it should end before this")
	} else {
		d.related(Span{n.file, after, after}, "the text ends here")
	}
	n.diags = append(n.diags, d)
	n.closeBlock(after, after)
}

// span is the place of a token.
func (n *nester) span(t lexer.Token) Span { return Span{n.file, t.Pos.Offset, tokenEnd(t)} }

// nextDecl reports whether tokens[i], met in a block where braces do not match, can
// only start the next declaration: a keyword that no statement has, first on its
// line and followed by what it declares, or an fn that is not indented. Where
// braces match, a declaration in a block is one that does not belong there.
func (n *nester) nextDecl(tokens []lexer.Token, i int) bool {
	t := tokens[i]
	if !n.strict || t.Type != tokenKeyword || i+1 == len(tokens) || !n.file.firstOnLine(t.Pos.Offset) {
		return false
	}
	next := tokens[i+1]
	switch t.Value {
	case "layer", "model", "optimizer", "const", "package":
		return next.Type == tokenIdent
	case "import":
		return next.Type == tokenString
	case "fn":
		return next.Type == tokenIdent && n.file.indentOf(t.Pos.Offset) == 0
	case "export":
		return next.Value == "fn" && n.file.indentOf(t.Pos.Offset) == 0
	}
	return false
}

// firstOnLine reports whether only white space stands before an offset on its line.
func (f *File) firstOnLine(offset int) bool {
	for i := offset - 1; i >= bomLength(f.Src); i-- {
		switch f.Src[i] {
		case '\n':
			return true
		case ' ', '\t', '\r':
		default:
			return false
		}
	}
	return true
}

// indentOf is the width of the white space that the line of an offset starts with,
// a tab counting as four.
func (f *File) indentOf(offset int) int {
	start, end := f.lineBounds(f.lineOf(offset))
	text := string(f.Src[start:end])
	space := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	return len(strings.ReplaceAll(space, "\t", "    "))
}
