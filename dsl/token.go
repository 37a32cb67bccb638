package dsl

import (
	"errors"
	"io"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// The kinds of tokens. A tokenBlock is a whole `{ … }`, made by nestBlocks; its
// contents are parsed on their own, so that an error in them is not one around
// them. A tokenBad matches nothing in the grammar and has been reported.
const (
	tokenIdent lexer.TokenType = lexer.EOF - 1 - iota
	tokenKeyword
	tokenElem
	tokenNumber
	tokenString
	tokenOp    // a binary operator, or what is spelt like one
	tokenPunct // all other punctuation
	tokenBlock
	tokenBad
)

// reserved are the words that cannot be names, with the kind of their token.
var reserved = reservedWords(
	"package import const fn layer model optimizer export input param state carry "+
		"shared output loss metric train for if then else scan emit assert return "+
		"true false inf nan",
	"float32 float64 int32 int64 bool")

// reservedWords makes the table of keywords and element types.
func reservedWords(keywords, elems string) map[string]lexer.TokenType {
	words := map[string]lexer.TokenType{}
	for _, w := range strings.Fields(keywords) {
		words[w] = tokenKeyword
	}
	for _, w := range strings.Fields(elems) {
		words[w] = tokenElem
	}
	return words
}

// punctuation lists the operators, the longer before those they begin with.
var punctuation = []string{
	"...", "..", "|>", "<-", "<=", ">=", "==", "!=", "&&", "||", "**",
	"+", "-", "*", "/", "%", "@", "!", "^", "'", "=", "<", ">",
	"(", ")", "[", "]", "{", "}", ",", ":", ".",
}

// operators are the punctuation that can stand between two operands of a chain.
var operators = wordSet("|| && == != <= >= < > <- + - * / % @ **")

// punctuationKind is the kind of the token that some punctuation makes.
func punctuationKind(text string) lexer.TokenType {
	if operators[text] {
		return tokenOp
	}
	return tokenPunct
}

// foreign are spellings from other languages and from typeset mathematics. Each
// is reported once and read as the token that was meant (none where it is empty).
var foreign = []struct{ text, meant, advice string }{
	{":=", "=", "a name is given its value with ="},
	{"+=", "=", "there is no +=: write x = x + …"},
	{"-=", "=", "there is no -=: write x = x - …"},
	{"*=", "=", "there is no *=: write x = x * …"},
	{"/=", "=", "there is no /=: write x = x / …"},
	{"->", "", "there is no ->: the type of a result stands directly after the parameters"},
	{"=>", "", "there is no =>: the value of a fn stands after ="},
	{"<>", "!=", "unequal is written !="},
	{"&", "&&", "and is written &&"},
	{"|", "||", "or is written ||, a pipe |>"},
	{";", "", "statements need no separator"},
	{"#", "", "a comment starts with //"},
	{"~", "!", "not is written !"},
	{"−", "-", "minus is written -"},
	{"–", "-", "minus is written -"},
	{"×", "*", "times is written *"},
	{"·", "*", "times is written *"},
	{"÷", "/", "divided by is written /"},
	{"≤", "<=", "at most is written <="},
	{"≥", ">=", "at least is written >="},
	{"≠", "!=", "unequal is written !="},
	{"←", "<-", "an update is written <-"},
	{"…", "...", "an ellipsis is written ..."},
	{"’", "'", "the transpose is written '"},
	{"“", "", `a string stands in "straight" quotes`},
	{"”", "", `a string stands in "straight" quotes`},
}

// newToken makes a token of a range of bytes. Its end is kept as the column of its
// position, which nothing else uses: a value need not be as long as its text.
func newToken(kind lexer.TokenType, value string, start, end int) lexer.Token {
	return lexer.Token{Type: kind, Value: value, Pos: lexer.Position{Offset: start, Column: end}}
}

// tokenEnd is where the text of a token ends.
func tokenEnd(t lexer.Token) int { return t.Pos.Column }

// symbols is the lexer as the grammar knows it: only the names of its tokens.
// The tokens themselves come from scan, so that every part of a file can be
// parsed alone.
type symbols struct{}

// Symbols implements lexer.Definition: the names of the kinds of tokens.
func (symbols) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{
		"EOF":     lexer.EOF,
		"Ident":   tokenIdent,
		"Keyword": tokenKeyword,
		"Elem":    tokenElem,
		"Number":  tokenNumber,
		"String":  tokenString,
		"Op":      tokenOp,
		"Punct":   tokenPunct,
		"Block":   tokenBlock,
		"Bad":     tokenBad,
	}
}

// Lex implements lexer.Definition; the parsers are never given text to lex.
func (symbols) Lex(string, io.Reader) (lexer.Lexer, error) {
	return nil, errors.New("dsl: tokens come from scan")
}

// startsStmt and startsDecl are the words that no expression can contain.
var (
	startsStmt = wordSet("input output param state carry shared loss metric train for emit assert return export")
	startsDecl = wordSet("package import const fn layer model optimizer export")
)

// wordSet is the set of the words in a string.
func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}
