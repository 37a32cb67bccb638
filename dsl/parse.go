package dsl

import (
	"sort"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// maxDiagnostics is how many syntax errors of a file are reported.
const maxDiagnostics = 1000

// Parse reads one file; name is what diagnostics call it. It always returns a
// file. Where there are syntax errors, they are returned sorted by position, and
// the tree has a BadDecl or BadStmt in each bad place; beyond a limit (16 MiB,
// nesting of 200) it has no declarations.
func Parse(name string, src []byte) (*File, []*Diagnostic) {
	file := &File{Name: name, Src: src, lines: []int{0}}
	if len(src) > maxFileSize {
		d := errorAt(Span{File: file}, "file has %d bytes, more than the limit of 16 MiB", len(src)).code("text-limit")
		return file, []*Diagnostic{d}
	}
	file.indexLines()

	// Text to tokens, tokens to blocks.
	tokens, diags := scan(file)
	if d := checkNesting(file, tokens); d != nil {
		return file, SortDiagnostics(append(diags, d))
	}
	root, groups, unbalanced := nestBlocks(file, tokens)

	// Blocks to declarations.
	p := &parser{file: file, groups: groups, blocks: map[int]*Block{}, diags: append(diags, unbalanced...)}
	file.Decls = append(p.decls(root), p.nested...)
	for _, d := range file.Decls {
		p.registerOnce(d)
	}
	return file, limitDiagnostics(SortDiagnostics(p.diags))
}

// limitDiagnostics cuts a list that is too long to read, and says so.
func limitDiagnostics(diags []*Diagnostic) []*Diagnostic {
	if len(diags) <= maxDiagnostics {
		return diags
	}
	last := diags[maxDiagnostics]
	last.Message, last.Related = "too many syntax errors: the rest is not shown", nil
	last.code("text-limit")
	return diags[:maxDiagnostics+1]
}

// parser turns the groups of a file into its tree.
type parser struct {
	file   *File
	groups map[int]*group
	blocks map[int]*Block // that are parsed, by the offset of their brace
	diags  []*Diagnostic
	nested []Decl // stand for declarations that stand in a body
	failed bool   // the statement or declaration being converted has an error of its own
}

// report adds a diagnostic.
func (p *parser) report(d *Diagnostic) { p.diags = append(p.diags, d) }

// reportMistake reports a mistake, unless it is at a character that has been reported
// or there are too many already.
func (p *parser) reportMistake(m *mistake) {
	if m.token(m.at).Type != tokenBad && len(p.diags) <= maxDiagnostics {
		p.report(m.diagnostic())
	}
}

// stream is a group that is being parsed.
type stream struct {
	tokens []lexer.Token // of the group, then an end of file
	root   bool          // the group is the file
	lex    *lexer.PeekingLexer
	starts [2]lexer.Checkpoint // where the last two productions started
}

// newStream starts at the beginning of a group.
func newStream(g *group) *stream {
	end := newToken(lexer.EOF, "", g.end, g.end)
	s := &stream{tokens: append(g.tokens, end), root: g.open < 0}
	s.lex, _ = lexer.Upgrade(&replay{tokens: s.tokens})
	return s
}

// replay is a lexer of tokens that exist; it never fails.
type replay struct {
	tokens []lexer.Token
	next   int
}

// Next implements lexer.Lexer.
func (r *replay) Next() (lexer.Token, error) {
	t := r.tokens[r.next]
	r.next++
	return t, nil
}

// cursor is the index of the next token.
func (s *stream) cursor() int { return int(s.lex.RawCursor()) }

// done reports whether all tokens are read.
func (s *stream) done() bool { return s.tokens[s.cursor()].EOF() }

// index is the place of the token at an offset.
func (s *stream) index(offset int) int {
	return sort.Search(len(s.tokens)-1, func(i int) bool { return s.tokens[i].Pos.Offset >= offset })
}

// parse reads one production; on an error the stream stays before it.
func parse[G any](parser *participle.Parser[G], s *stream) (*G, error) {
	s.starts[0], s.starts[1] = s.starts[1], s.lex.MakeCheckpoint()
	node, err := parser.ParseFromLexer(s.lex, participle.AllowTrailing(true))
	if err != nil {
		s.lex.LoadCheckpoint(s.starts[1])
	}
	return node, err
}

// moveTo moves to the token with an index, at the earliest in the production before
// the last.
func (s *stream) moveTo(index int) {
	if index < s.cursor() {
		s.lex.LoadCheckpoint(s.starts[0])
	}
	for s.cursor() < index {
		s.lex.Next()
	}
}

// decls parses the declarations of a file.
func (p *parser) decls(root *group) []Decl {
	var decls []Decl
	s := newStream(root)
	prev := -1
	for !s.done() {
		start := s.cursor()
		node, err := parse(declParser, s)
		if err == nil {
			decls = append(decls, p.decl(node))
			prev = start
			continue
		}

		// The mistake may be in the declaration before.
		m := p.mistake(s, prev, start, err, declarations)
		if m.start < start {
			decls = decls[:len(decls)-1]
		}
		end := m.resync()
		p.reportMistake(m)
		decls = append(decls, p.badDecl(s, m.start, end))
		s.moveTo(end)
		prev = -1
	}
	return decls
}

// stmts parses the statements of a block; what tells a body from a train block.
func (p *parser) stmts(g *group, what production) []Stmt {
	var stmts []Stmt
	s := newStream(g)
	prev := -1
	for !s.done() {
		start := s.cursor()
		stmt, err := p.parseStmt(s, what)
		if err == nil {
			stmts = append(stmts, stmt)
			prev = start
			continue
		}

		// The mistake may be in the statement before.
		m := p.mistake(s, prev, start, err, what)
		if m.start < start {
			stmts = stmts[:len(stmts)-1]
		}
		end := m.resync()
		p.reportMistake(m)
		stmts = append(stmts, p.badStmt(s, m.start, end, what))
		s.moveTo(end)
		prev = -1
	}
	return stmts
}

// parseStmt parses one statement and makes its tree.
func (p *parser) parseStmt(s *stream, what production) (Stmt, error) {
	if what == clauses {
		node, err := parse(clauseParser, s)
		if err != nil {
			return nil, err
		}
		return p.clause(node), nil
	}
	node, err := parse(stmtParser, s)
	if err != nil {
		return nil, err
	}
	return p.stmt(node), nil
}

// block parses the contents of a block token, once: a statement that turns out to be
// bad gives up its blocks to the BadStmt in its place.
func (p *parser) block(t *lexer.Token, what production) *Block {
	if t == nil {
		return nil
	}
	if b := p.blocks[t.Pos.Offset]; b != nil {
		return b
	}
	failed := p.failed
	b := &Block{Span: p.tokenSpan(*t), Stmts: p.stmts(p.groups[t.Pos.Offset], what)}
	p.failed = failed
	p.blocks[t.Pos.Offset] = b
	return b
}

// span is the place of a production.
func (p *parser) span(tokens tokensG) Span {
	return Span{p.file, tokens[0].Pos.Offset, tokenEnd(tokens[len(tokens)-1])}
}

// tokenSpan is the place of a token.
func (p *parser) tokenSpan(t lexer.Token) Span {
	return Span{p.file, t.Pos.Offset, tokenEnd(t)}
}

// registerOnce notes a declaration that a file has once, and reports a second one.
func (p *parser) registerOnce(d Decl) {
	switch d := d.(type) {
	case *PackageDecl:
		if p.file.Package != nil {
			p.report(errorAt(d, "a file has one package line").code("declared-twice").related(p.file.Package, "the first is here"))
			return
		}
		p.file.Package = d
	case *DTypeDecl:
		if p.file.DType != nil {
			p.report(errorAt(d, "a file has one dtype line").code("declared-twice").related(p.file.DType, "the first is here"))
			return
		}
		p.file.DType = d
	}
}
