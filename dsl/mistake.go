package dsl

import (
	"errors"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// production says what a parser was reading.
type production int

const (
	declarations production = iota // the top level of a file
	body                           // statements of a model, fn, layer, optimizer or scan
	clauses                        // statements of a train block
)

// mistake is a place where a declaration or statement could not be read on.
type mistake struct {
	parser *parser
	tokens []lexer.Token // of the group, then an end of file
	root   bool          // the group is the file
	what   production
	start  int  // index of the first token of the declaration or statement
	at     int  // index of the token that does not fit
	merged bool // the declaration or statement was read, but goes on with the token
	err    participle.Error
}

// mistake locates an error of a parser that started at a token. Where that token
// starts nothing, the mistake is in what stands before it, which starts at prev, if
// prev is not negative.
func (p *parser) mistake(s *stream, prev, start int, err error, what production) *mistake {
	m := &mistake{parser: p, tokens: s.tokens, root: s.root, what: what, start: start, at: start}
	if errors.As(err, &m.err) {
		m.at = max(start, s.index(m.err.Position().Offset))
	}
	if m.at == start+1 && m.continuesAt(start) && !m.startsAt(start) {
		m.at = start
	}

	// A statement that lacks its end has eaten the first name of the next one.
	if eaten := m.at - 1; eaten > max(prev, 0) && eaten != start && m.first(eaten) && m.startsAt(eaten) {
		m.at = eaten
	}
	if prev >= 0 && (m.at < start || m.at == start && m.continuesAt(start)) {
		m.start, m.merged = prev, true
	}
	m.at = max(m.at, m.start)
	return m
}

// token is the i-th token, the end of the group beyond it.
func (m *mistake) token(i int) lexer.Token {
	if i < 0 || i >= len(m.tokens) {
		return m.tokens[len(m.tokens)-1]
	}
	return m.tokens[i]
}

// value is the text of the i-th token.
func (m *mistake) value(i int) string { return m.token(i).Value }

// first reports whether the i-th token is the first on its line.
func (m *mistake) first(i int) bool {
	return m.parser.file.firstOnLine(m.token(i).Pos.Offset)
}

// continuesAt reports whether the i-th token looks like a continuation of what stands
// before it: an operator, or a word on the same line.
func (m *mistake) continuesAt(i int) bool {
	t := m.token(i)
	if i == 0 {
		return false
	}
	switch t.Type {
	case tokenPunct, tokenOp, tokenNumber, tokenString, tokenElem, tokenBlock, tokenBad:
		return true
	}
	return t.Type == tokenIdent && !m.first(i)
}

// resync is the index of the token at which parsing goes on: the next one that
// starts a declaration or statement, at least one after the first.
func (m *mistake) resync() int {
	depth := m.depth(m.at)
	for i := max(m.at, m.start+1); ; i++ {
		depth = max(0, depth)
		if m.token(i).EOF() || m.startsAt(i) || depth == 0 && !m.lacksBlock() && m.startsLine(i) {
			return i
		}
		depth += bracket(m.value(i))
	}
}

// lacksBlock reports whether a line ends before the { of a block.
func (m *mistake) lacksBlock() bool {
	return m.at > m.start && !m.merged && m.first(m.at) && !m.token(m.at).EOF() && strings.HasSuffix(m.expected(), "{")
}

// depth counts the brackets that are open at the i-th token.
func (m *mistake) depth(i int) int {
	depth := 0
	for _, t := range m.tokens[m.start:i] {
		depth = max(0, depth+bracket(t.Value))
	}
	return depth
}

// bracket is 1 for an opening bracket and -1 for a closing one.
func bracket(text string) int {
	switch text {
	case "(", "[":
		return 1
	case ")", "]":
		return -1
	}
	return 0
}

// startsLine reports whether the i-th token, outside brackets, can only be the start
// of something new: a word at the start of a line after a complete expression.
func (m *mistake) startsLine(i int) bool {
	t := m.token(i)
	if !m.first(i) || !m.ended(i) {
		return false
	}
	if t.Type == tokenIdent {
		return !clauseJoins[t.Value]
	}
	return t.Type == tokenKeyword && (startsStmt[t.Value] || startsDecl[t.Value] || t.Value == "if")
}

// clauseJoins are the words with which a statement can go on.
var clauseJoins = wordSet("with until along as grad derive reverse")

// ended reports whether an expression can have ended before the i-th token.
func (m *mistake) ended(i int) bool {
	return i > 0 && (endsOperand(m.token(i-1)) || m.token(i-1).Type == tokenBlock)
}

// startsAt reports whether the i-th token, even inside open brackets, seems to start
// a declaration or statement.
func (m *mistake) startsAt(i int) bool {
	t, next := m.token(i), m.token(i+1)
	switch {
	case !m.first(i) && !m.ended(i):
		return false
	case m.what == declarations:
		return startsDecl[t.Value] && (t.Value != "fn" || m.value(i-1) != "export" && next.Type == tokenIdent)
	case t.Type == tokenKeyword:
		return m.keywordStarts(i)
	case t.Type == tokenIdent && m.what == clauses:
		return m.first(i) && clauseWords[t.Value]
	}
	return t.Type == tokenIdent && m.assigns(i)
}

// clauseWords start the statements of a train block.
var clauseWords = wordSet("clip decay freeze use average accumulate check")

// keywordStarts is startsAt for a keyword.
func (m *mistake) keywordStarts(i int) bool {
	t, next := m.token(i), m.token(i+1)
	switch t.Value {
	case "param":
		return next.Type == tokenIdent || next.Value == "<-"
	case "state", "carry", "input", "output", "shared":
		return next.Type == tokenIdent
	case "for":
		return next.Type == tokenIdent && (m.value(i+2) == "in" || m.first(i) && m.value(i+2) != ".")
	case "if", "fn":
		return m.first(i)
	}
	return startsStmt[t.Value]
}

// maxTargets is how many names before an = are looked at.
const maxTargets = 100

// assigns reports whether names and then = or <- stand at the i-th token.
func (m *mistake) assigns(i int) bool {
	for n := 0; n < maxTargets && m.token(i).Type == tokenIdent && m.value(i+1) == ","; n++ {
		i += 2
	}
	return m.token(i).Type == tokenIdent && (m.value(i+1) == "=" || m.value(i+1) == "<-")
}

// diagnostic is what is said about the mistake: advice where the mistake is a known
// one, otherwise what was expected and found.
func (m *mistake) diagnostic() *Diagnostic {
	for _, a := range advices {
		if d := a.advise(m); d != nil {
			return d.codeUnless(a.code)
		}
	}
	d := m.errorAt(m.at, "expected %s, found %s", m.expected(), m.found(m.at))
	if m.token(m.at).EOF() && m.openBracket() >= 0 {
		d.code("bracket")
	}
	return m.relateBracket(d.codeUnless("syntax"))
}

// errorAt is a diagnostic about the i-th token; the end of the group has its place
// after the last token.
func (m *mistake) errorAt(i int, format string, args ...any) *Diagnostic {
	span := m.parser.tokenSpan(m.token(i))
	if m.token(i).EOF() && i > 0 {
		end := tokenEnd(m.token(i - 1))
		span.Start, span.End = end, end
	}
	return errorAt(span, format, args...)
}

// found describes the i-th token.
func (m *mistake) found(i int) string {
	t := m.token(i)
	switch {
	case t.EOF() && m.root:
		return "the end of the file"
	case t.EOF():
		return "the end of the block"
	case m.first(i) && m.startsAt(i):
		return "the next statement"
	case t.Type == tokenKeyword || t.Type == tokenElem:
		return "the reserved word " + t.Value
	case t.Type == tokenString:
		return "the string " + t.Value
	case t.Value == ",":
		return "a comma"
	}
	return t.Value
}

// nouns say what the productions of the grammar are, or start with; the others are or
// start with an expression.
var nouns = map[string]string{
	"<ident>":  "a name",
	"<string>": "a string in double quotes",
	"<elem>":   "an element type such as float64",
	"<block>":  "{",
	"<number>": "a number",
	`","`:      "a comma",
	`"="`:      "=",
	`"param"`:  "an expression", // the last of its alternatives

	"NameG":      "a name",
	"ConstG":     "a name",
	"LayerG":     "a name",
	"ModelG":     "a name",
	"OptimizerG": "a name",
	"InputG":     "a name",
	"OutputG":    "a name",
	"ForG":       "a name",
	"CarriedG":   "a name",
	"TargetG":    "a name",
	"FormG":      "a name",
	"ClipG":      "norm or value",
	"TypeG":      "a shape such as [B, 10]",
	"DimG":       "a dimension",
	"ParamsG":    "parameters in parentheses",
	"ParamG":     "a parameter",
	"ArgsG":      "arguments in parentheses",
	"UseG":       "arguments in parentheses",
	"TrainG":     "a rule such as adam(lr: 1e-3)",
	"RuleG":      "a rule such as adam(lr: 1e-3)",
	"PatternG":   "a pattern such as encoder.**",
	"SegmentG":   "a segment such as * or a name",
}

// expected describes what the grammar wanted at the mistake. participle has it as
// text: the rest of a sequence in EBNF, of which the first item counts.
func (m *mistake) expected() string {
	if m.err == nil || m.merged {
		return "an expression"
	}
	_, rest, ok := strings.Cut(m.err.Message(), "(expected ")
	if !ok {
		return "an expression"
	}
	head := strings.Fields(strings.TrimSuffix(rest, ")"))[0]
	switch {
	case strings.HasPrefix(rest, `("=" | `+`"<-")`):
		return "= or <-"
	case strings.HasPrefix(rest, `(("=" ExprG`):
		return "= or {"
	case head == `")"` || head == `"]"`:
		return "a comma or " + strings.Trim(head, `"`)
	case nouns[strings.TrimRight(head, "?*")] != "":
		return nouns[strings.TrimRight(head, "?*")]
	case strings.HasPrefix(head, `"`):
		return strings.Trim(head, `"`)
	}
	return "an expression"
}

// relateBracket adds the place of the innermost open bracket where it is on another
// line.
func (m *mistake) relateBracket(d *Diagnostic) *Diagnostic {
	i := m.openBracket()
	if i < 0 {
		return d
	}
	file, open := m.parser.file, m.parser.tokenSpan(m.token(i))
	if file.lineOf(open.Start) != file.lineOf(m.token(m.at).Pos.Offset) {
		d.related(open, "the %s is here", m.value(i))
	}
	return d
}

// openBracket is the index of the innermost bracket that is open at the mistake,
// -1 where there is none.
func (m *mistake) openBracket() int {
	depth := 0
	for i := m.at - 1; i >= m.start; i-- {
		switch m.value(i) {
		case ")", "]":
			depth++
		case "(", "[":
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}
