package dsl

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// scanner cuts a file into tokens and comments.
type scanner struct {
	file   *File
	text   string // the file's source
	offset int
	tokens []lexer.Token
	diags  []*Diagnostic
}

// scan returns the file's tokens without the end of file, keeps its comments in
// file.Comments, and reports what is no token.
func scan(file *File) ([]lexer.Token, []*Diagnostic) {
	s := &scanner{file: file, text: string(file.Src), offset: bomLength(file.Src)}
	s.checkUTF8()
	for s.offset < len(s.text) {
		s.next()
	}
	return s.tokens, s.diags
}

// checkUTF8 reports the first byte that is not UTF-8, wherever it stands.
func (s *scanner) checkUTF8() {
	if utf8.ValidString(s.text) {
		return
	}
	for i, r := range s.text {
		if _, size := utf8.DecodeRuneInString(s.text[i:]); r == utf8.RuneError && size == 1 {
			span := Span{s.file, i, i + 1}
			s.diags = append(s.diags, errorAt(span, "byte 0x%02x is not UTF-8", s.text[i]).code("character"))
			return
		}
	}
}

// next reads one token, comment or run of white space.
func (s *scanner) next() {
	rest := s.text[s.offset:]
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case r == ' ' || r == '\t' || r == '\n' || r == '\r':
		s.offset += size
	case strings.HasPrefix(rest, "//"):
		s.lineComment()
	case strings.HasPrefix(rest, "/*"):
		s.blockComment()
	case r == '_' || unicode.IsLetter(r):
		s.word()
	case isDigit(rest, 0):
		s.number()
	case r == '.' && isDigit(rest, 1) && !s.afterOperand():
		s.bareFraction()
	case r == '"':
		s.quoted()
	default:
		s.operator(r, size)
	}
}

// isDigit reports whether b[i] is a decimal digit.
func isDigit(b string, i int) bool { return i < len(b) && '0' <= b[i] && b[i] <= '9' }

// isWordRune reports whether an identifier can go on with r.
func isWordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// add appends the next length bytes as a token of a kind.
func (s *scanner) add(kind lexer.TokenType, length int) {
	s.addAs(kind, s.text[s.offset:s.offset+length], length)
}

// addAs appends a token whose value is not its text.
func (s *scanner) addAs(kind lexer.TokenType, value string, length int) {
	s.tokens = append(s.tokens, newToken(kind, value, s.offset, s.offset+length))
	s.offset += length
}

// report adds a diagnostic about the next length bytes.
func (s *scanner) report(length int, code, format string, args ...any) {
	span := Span{s.file, s.offset, s.offset + length}
	s.diags = append(s.diags, errorAt(span, format, args...).code(code))
}

// afterOperand reports whether the last token can end an operand, so that a dot
// after it starts a field.
func (s *scanner) afterOperand() bool {
	if len(s.tokens) == 0 {
		return false
	}
	last := s.tokens[len(s.tokens)-1]
	switch last.Value {
	case ")", "]", "}", "'", "*", "**":
		return true
	}
	return last.Type == tokenIdent || last.Type == tokenNumber || last.Type == tokenBad
}

// afterDot reports whether the last token is a dot, so that digits after it are
// a loop index in a path.
func (s *scanner) afterDot() bool {
	return len(s.tokens) > 0 && s.tokens[len(s.tokens)-1].Value == "."
}

// word reads an identifier or a reserved word.
func (s *scanner) word() {
	rest := s.text[s.offset:]
	length := wordLength(rest)
	kind, ok := reserved[rest[:length]]
	if !ok {
		kind = tokenIdent
	}
	s.add(kind, length)
}

// wordLength is the length of the longest run of letters, digits and _.
func wordLength(b string) int {
	n := 0
	for n < len(b) {
		r, size := utf8.DecodeRuneInString(b[n:])
		if !isWordRune(r) {
			break
		}
		n += size
	}
	return n
}

// digits is the length of the run of digits and _ at b[i:].
func digits(b string, i int) int {
	n := i
	for n < len(b) && (isDigit(b, n) || b[n] == '_') {
		n++
	}
	return n - i
}

// number reads a number; after a dot only its digits, as in block.0.1.
func (s *scanner) number() {
	rest := s.text[s.offset:]
	n := digits(rest, 0)
	if !s.afterDot() {
		n = numberLength(rest)
	}

	// What runs on is a mistake of one of these forms.
	tail := wordLength(rest[n:])
	whole := rest[:n+tail]
	switch {
	case strings.HasSuffix(rest[:n], "_"):
		s.report(n, "number", "malformed number %s: _ stands between digits", rest[:n])
	case tail > 0:
		s.report(n+tail, "number", "malformed number %s%s", whole, numberAdvice(whole, n))
		n += tail
	case n < len(rest) && rest[n] == '.' && !strings.HasPrefix(rest[n:], "..") && !s.afterDot():
		s.report(n+1, "number", "malformed number %s.: a digit follows the point, as in %s.0", whole, whole)
		s.addAs(tokenNumber, whole, n+1)
		return
	}
	s.add(tokenNumber, n)
}

// numberLength is the length of the number at the start of b.
func numberLength(b string) int {
	n := digits(b, 0)
	if n < len(b) && b[n] == '.' && isDigit(b, n+1) {
		n += 1 + digits(b, n+1)
	}
	if n < len(b) && (b[n] == 'e' || b[n] == 'E') {
		sign := n + 1
		if sign < len(b) && (b[sign] == '+' || b[sign] == '-') {
			sign++
		}
		if isDigit(b, sign) {
			n = sign + digits(b, sign)
		}
	}
	return n
}

// numberAdvice says what a word that starts with n bytes of a number may mean.
func numberAdvice(word string, n int) string {
	number, tail := word[:n], word[n:]
	switch {
	case number == "0" && strings.ContainsAny(tail[:1], "xXbBoO"):
		return ": numbers are decimal"
	case tail == "e" || tail == "E":
		return ": digits follow the e"
	}
	return ": write " + number + "*" + tail + " for a product; a name starts with a letter"
}

// bareFraction reads `.5`, which lacks its zero.
func (s *scanner) bareFraction() {
	rest := s.text[s.offset:]
	n := 1 + digits(rest, 1)
	s.report(n, "number", "malformed number %s: a digit stands before the point, as in 0%s", rest[:n], rest[:n])
	s.addAs(tokenNumber, "0"+rest[:n], n)
}

// quoted reads a string, which ends on its line.
func (s *scanner) quoted() {
	rest := s.text[s.offset:]
	for n := 1; n < len(rest) && rest[n] != '\n'; n++ {
		switch rest[n] {
		case '"':
			s.add(tokenString, n+1)
			return
		case '\\':
			n++
		}
	}

	// Without an end, the string goes as far as the line.
	n := lineLength(rest)
	s.report(n, "string", "string is not closed: missing \" before the end of the line")
	s.addAs(tokenString, `""`, n)
}

// lineLength is the length of the text before the line break.
func lineLength(b string) int {
	line, _, _ := strings.Cut(b, "\n")
	return len(strings.TrimRight(line, "\r"))
}

// lineComment reads a // comment.
func (s *scanner) lineComment() { s.comment(lineLength(s.text[s.offset:])) }

// blockComment reads a /* */ comment.
func (s *scanner) blockComment() {
	rest := s.text[s.offset:]
	if i := strings.Index(rest[2:], "*/"); i >= 0 {
		s.comment(i + 4)
		return
	}
	s.report(2, "comment", "comment is not closed: missing */")
	s.comment(len(rest))
}

// comment keeps the next length bytes as a comment.
func (s *scanner) comment(length int) {
	span := Span{s.file, s.offset, s.offset + length}
	s.file.Comments = append(s.file.Comments, &Comment{span, strings.ReplaceAll(span.Text(), "\r", "")})
	s.offset += length
}

// operator reads punctuation, or reports what is none.
func (s *scanner) operator(r rune, size int) {
	rest := s.text[s.offset:]
	for _, p := range foreign {
		if strings.HasPrefix(rest, p.text) && !startsOperator(rest, len(p.text)) {
			s.report(len(p.text), "operator", "%s", p.advice)
			s.foreign(p.text, p.meant)
			return
		}
	}
	for _, p := range punctuation {
		if strings.HasPrefix(rest, p) {
			s.add(punctuationKind(p), len(p))
			return
		}
	}
	s.stray(r, size)
}

// startsOperator reports whether the text starts with an operator longer than n,
// which is then what is meant: `|>`, `&&`.
func startsOperator(rest string, n int) bool {
	for _, p := range punctuation {
		if len(p) > n && strings.HasPrefix(rest, p) {
			return true
		}
	}
	return false
}

// foreign reads a foreign spelling as what it means.
func (s *scanner) foreign(text, meant string) {
	switch {
	case text == "#":
		s.offset += lineLength(s.text[s.offset:])
	case meant == "":
		s.offset += len(text)
	default:
		s.addAs(punctuationKind(meant), meant, len(text))
	}
}

// stray reports a character that means nothing. Of bytes that are not UTF-8 the
// first has been reported.
func (s *scanner) stray(r rune, size int) {
	switch {
	case r == utf8.RuneError && size == 1:
	case unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b':
		s.report(size, "character", "character U+%04X is no white space here: use a space", r)
		s.offset += size
		return
	case r == '?':
		s.report(size, "character", "unexpected character ?; a conditional is if c then a else b")
	case unicode.IsPrint(r):
		s.report(size, "character", "unexpected character %c", r)
	default:
		s.report(size, "character", "unexpected character U+%04X", r)
	}
	s.add(tokenBad, size)
}
