package dsl

import (
	"sort"
	"strings"
)

// advices are the known mistakes with the code of each, the more particular first.
// Each returns nil where the mistake is another one.
var advices = []struct {
	code   string
	advise func(*mistake) *Diagnostic
}{
	{"text-limit", adviseLimit},
	{"pipe-stage", adviseStage},
	{"shape-place", adviseShape},
	{"brace", adviseBlock},
	{"unfinished", adviseNext},
	{"reserved-name", adviseReservedName},
	{"range", adviseRange},
	{"operator", adviseEqual},
	{"shape-place", adviseColon},
	{"operator", adviseWordOperator},
	{"conditional", adviseConditional},
	{"string", adviseQuote},
	{"range", adviseStep},
	{"output-name", adviseOutput},
	{"unknown-type", adviseElementType},
	{"operand", adviseOperand},
	{"declaration", adviseTopLevel},
	{"place", adviseDeclaration},
	{"statement", adviseClause},
	{"statement", adviseKeyword},
	{"element-assigned", adviseElementAssigned},
	{"statement", adviseStatement},
	{"conditional", adviseElse},
}

// adviseLimit is for a list that participle has given up on.
func adviseLimit(m *mistake) *Diagnostic {
	if m.err == nil || !strings.Contains(m.err.Message(), "too many iterations") {
		return nil
	}
	return m.errorAt(m.at, "list has more than the limit of %d elements", maxElements)
}

// adviseStage is for what cannot be a stage of a pipe, or follows one.
func adviseStage(m *mistake) *Diagnostic {
	const rule = "a stage of a pipe is a name with or without arguments"
	if m.value(m.at-1) == "|>" && !m.token(m.at).EOF() {
		return m.errorAt(m.at, "%s, not %s: put the rest in parentheses or in a fn", rule, m.found(m.at))
	}
	switch m.value(m.at) {
	case "[", "'", "^", "*", "/", "%", "@", "+", "-", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "**", "(":
		if m.pipeBefore() {
			return m.errorAt(m.at, "%s; for %s, put the pipe in parentheses: (x |> f)%s", rule, m.value(m.at), m.value(m.at))
		}
	}
	return nil
}

// pipeBefore reports whether a pipe stands before the mistake, in the same brackets
// and in the same or the last statement.
func (m *mistake) pipeBefore() bool {
	depth := 0
	for i := m.at - 1; i >= 0; i-- {
		switch m.value(i) {
		case ")", "]":
			depth++
		case "(", "[":
			if depth == 0 {
				return false
			}
			depth--
		case "|>":
			if depth == 0 {
				return true
			}
		case "=", "<-", ",":
			if depth == 0 {
				return false
			}
		}
	}
	return false
}

// adviseBlock is for a declaration or statement that lacks the { of its block: what
// should be in the block stands below it.
func adviseBlock(m *mistake) *Diagnostic {
	if !m.lacksBlock() {
		return nil
	}
	last := m.at - 1
	d := m.errorAt(last, "missing %s after %s", m.expected(), m.value(last))
	d.Point = Span{m.parser.file, d.Span.End, d.Span.End}
	return d
}

// adviseNext is for a statement that ends too early: the next one has begun.
func adviseNext(m *mistake) *Diagnostic {
	if m.at == m.start || !m.first(m.at) || !m.startsAt(m.at) {
		return nil
	}
	last := m.at - 1
	if m.openBracket() >= 0 {
		d := m.errorAt(last, "missing %s after %s", m.closing(), m.value(last)).code("bracket")
		d.Point = Span{m.parser.file, d.Span.End, d.Span.End}
		return m.relateBracket(d)
	}
	d := m.errorAt(last, "expected %s after %s, found the next statement", m.expected(), m.value(last))
	if m.what == declarations {
		d.Message = "expected " + m.expected() + " after " + m.value(last) + ", found the next declaration"
	}
	return d
}

// closing is the bracket that closes the innermost open one.
func (m *mistake) closing() string {
	if m.value(m.openBracket()) == "[" {
		return "]"
	}
	return ")"
}

// adviseReservedName is for a reserved word where a name belongs.
func adviseReservedName(m *mistake) *Diagnostic {
	i := m.at
	if m.at == m.start+1 && m.what == body && (m.value(m.at) == "=" || m.value(m.at) == "<-") {
		i = m.start
	} else if m.at == m.start || m.expected() != "a name" && !m.firstInList() {
		return nil
	}
	t := m.token(i)
	if t.Type != tokenKeyword && t.Type != tokenElem {
		return nil
	}
	return m.errorAt(i, "%s is a reserved word and cannot be a name; %s_ could be one", t.Value, t.Value)
}

// firstInList reports whether the mistake is where a parameter or an argument
// begins.
func (m *mistake) firstInList() bool {
	before := m.value(m.at - 1)
	return m.expected() == "a comma or )" && (before == "(" || before == ",")
}

// adviseTopLevel is for what does not start a declaration at the top level.
func adviseTopLevel(m *mistake) *Diagnostic {
	if m.what != declarations || m.at != m.start {
		return nil
	}
	t := m.token(m.at)
	switch {
	case t.Type == tokenKeyword && (startsStmt[t.Value] || t.Value == "if"):
		return m.errorAt(m.at, "%s stands in the body of a model, layer or fn, not at the top level", t.Value)
	case t.Type == tokenIdent && m.assigns(m.at):
		return m.errorAt(m.at, "%s = … stands outside a model, layer or fn; a compile-time value is const %s = …", t.Value, t.Value)
	case t.Type == tokenIdent:
		words := append(sortedWords(startsDecl), "dtype")
		return m.errorAt(m.at, "expected a declaration, found %s%s", t.Value, m.nearWord(t.Value, words))
	}
	return m.errorAt(m.at, "expected a declaration (fn, layer, model, …), found %s", m.found(m.at))
}

// adviseDeclaration is for a declaration in a body.
func adviseDeclaration(m *mistake) *Diagnostic {
	first := m.token(m.start)
	if m.what == declarations || m.at > m.start+1 || first.Type != tokenKeyword || !startsDecl[first.Value] || startsStmt[first.Value] || first.Value == "fn" {
		return nil
	}
	return m.errorAt(m.start, "%s stands at the top level of a file: move it out of this block", first.Value)
}

// adviseClause is for a clause of training that lacks its word, and for one that
// stands outside of the block of train.
func adviseClause(m *mistake) *Diagnostic {
	first, second := m.token(m.start), m.token(m.start+1)
	if first.Type != tokenIdent || !clauseWords[first.Value] || m.at > m.start+1 {
		return nil
	}
	own := first.Value == "use" && second.Value == "(" && strings.Contains(m.line(), " for ") // of the train's own rule
	switch {
	case m.what == clauses && first.Value == "clip" && second.Type == tokenNumber:
		return m.errorAt(m.start, "clip bounds the norm of the whole gradient or each of its values: clip norm %s, or clip value %s", second.Value, second.Value).code("train-clause")
	case m.what == clauses && first.Value == "average" && second.Type == tokenNumber:
		return m.errorAt(m.start, "average names its rule: average ema(%s)", second.Value).code("train-clause")
	case m.what != body || second.EOF():
	case second.Type == tokenIdent, second.Type == tokenNumber, own:
		return m.errorAt(m.start, "%s is a clause of training and stands in the block of train: train rule(…) { %s }", first.Value, m.line()).code("train-clause")
	}
	return nil
}

// line is the rest of the line of the statement, up to what ends its block.
func (m *mistake) line() string {
	start, end := m.token(m.start), m.start+1
	for !m.token(end).EOF() && !m.first(end) && m.value(end) != "}" {
		end++
	}
	last := m.token(end - 1)
	text := m.parser.file.Src[start.Pos.Offset : last.Pos.Offset+len(last.Value)]
	return strings.Join(strings.Fields(string(text)), " ")
}

// adviseKeyword is for a body statement that starts with a misspelt or a foreign
// word.
func adviseKeyword(m *mistake) *Diagnostic {
	first, second := m.token(m.start), m.token(m.start+1)
	if first.Type != tokenIdent || m.at > m.start+1 || m.what == declarations {
		return nil
	}
	if m.what == clauses {
		words := append(sortedWords(clauseWords), "for", "if")
		return m.errorAt(m.start, "expected a statement of a train block (%s), found %s%s",
			strings.Join(words, ", "), first.Value, didYouMean(first.Value, words)).code("train-clause")
	}
	if second.Type != tokenIdent || second.EOF() {
		return nil
	}
	words := append(sortedWords(startsStmt), "if", "scan")
	if near := m.nearWord(first.Value, words); near != "" {
		return m.errorAt(m.start, "no statement starts with %s%s", first.Value, near)
	}
	return nil
}

// borrowed are words of other languages and what is written here.
var borrowed = map[string]string{
	"let": "write x = … alone", "var": "write x = … alone", "val": "write x = … alone", "auto": "write x = … alone",
	"def": "a function is fn f(x) = …", "func": "a function is fn f(x) = …", "function": "a function is fn f(x) = …",
	"while": "a loop is for i in 0..n { … } or a scan", "elif": "write else if",
	"class": "a network is a model or a layer", "struct": "a network is a model or a layer", "network": "a network is a model or a layer", "module": "a network is a model or a layer",
	"print": "a value is shown by output or metric", "from": "write import \"file.dnn\"",
	"include": "write import \"file.dnn\"", "use": "write import \"file.dnn\"",
}

// nearWord is the end of a message about a word that starts nothing.
func (m *mistake) nearWord(word string, words []string) string {
	if advice := borrowed[word]; advice != "" {
		return "; " + advice
	}
	return didYouMean(word, words)
}

// sortedWords are the words of a set in order.
func sortedWords(set map[string]bool) []string {
	var words []string
	for w := range set {
		words = append(words, w)
	}
	sort.Strings(words)
	return words
}

// adviseElementAssigned is for `x[i] = v` and `x.y = v`.
func adviseElementAssigned(m *mistake) *Diagnostic {
	if m.at != m.start+1 || m.token(m.start).Type != tokenIdent || m.what != body {
		return nil
	}
	name := m.value(m.start)
	switch m.value(m.at) {
	case "[":
		return m.errorAt(m.at, "an element of %s cannot be assigned: write %s = set(%s, i, value)", name, name, name)
	case ".":
		return m.errorAt(m.at, "a field of %s cannot be assigned: names are bound to whole values", name)
	}
	return nil
}

// adviseStatement is for an expression that is no statement.
func adviseStatement(m *mistake) *Diagnostic {
	if m.what != body || m.at > m.start+1 {
		return nil
	}
	first, next := m.token(m.start), m.value(m.start+1)
	switch {
	case m.at == m.start && m.value(m.at) == "}":
		return nil
	case m.at == m.start && (first.Value == "else" || first.Value == "then"):
		return m.errorAt(m.at, "%s without its if", first.Value)
	case m.at == m.start:
		return m.errorAt(m.at, "expected a statement, found %s", m.found(m.at))
	case first.Type != tokenIdent:
		return nil
	case next == "==":
		return m.errorAt(m.at, "== compares; a name is given its value with =")
	case next == ":":
		return m.errorAt(m.at, "a name is given its value with =, and a shape stands directly after a name")
	}
	return m.errorAt(m.at, "an expression is no statement: give it a name, as in y = %s…, or write output, loss or return before it", first.Value)
}

// adviseElse is for an if without its then or else, and for elif.
func adviseElse(m *mistake) *Diagnostic {
	switch m.expected() {
	case "then":
		if m.value(m.at) == "{" {
			return m.errorAt(m.at, "a conditional inside an expression is if c then a else b; one with blocks is a statement")
		}
		return m.errorAt(m.at, "expected then, found %s: a conditional is if c then a else b", m.found(m.at))
	case "else":
		return m.errorAt(m.at, "expected else, found %s: a conditional is if c then a else b", m.found(m.at))
	}
	return nil
}

// adviseRange is for a loop without a range.
func adviseRange(m *mistake) *Diagnostic {
	if m.expected() == "in" {
		return m.errorAt(m.at, "expected in, found %s: a loop is for i in 0..n", m.found(m.at))
	}
	if m.expected() != ".." {
		return nil
	}
	if m.value(m.at) == ":" {
		return m.errorAt(m.at, "a range is written 0..n, with two dots")
	}
	return m.errorAt(m.at, "expected .., found %s: a range is written 0..n", m.found(m.at))
}

// adviseEqual is for = where == or : is meant.
func adviseEqual(m *mistake) *Diagnostic {
	if m.value(m.at) != "=" {
		return nil
	}
	switch open := m.openBracket(); {
	case open > 0 && m.value(open) == "(" && m.token(m.at-1).Type == tokenIdent:
		return m.errorAt(m.at, "a named argument is written %s: value, with a colon", m.value(m.at-1))
	case open > 0 && m.value(open) == "[":
		return nil
	}
	return m.errorAt(m.at, "= gives a name its value and is no part of an expression; equal is written ==")
}

// adviseColon is for : where = or a type is meant.
func adviseColon(m *mistake) *Diagnostic {
	if m.value(m.at) != ":" || m.token(m.at-1).Type != tokenIdent {
		return nil
	}
	name := m.value(m.at - 1)
	if m.what == declarations {
		return m.errorAt(m.at, "a type stands directly after its parameter and a default after =: %s [N] or %s = 1", name, name)
	}
	if open := m.openBracket(); open < 0 {
		return m.errorAt(m.at, "a shape stands directly after its name, without a colon: %s [B, 10]", name)
	}
	return nil
}

// adviseWordOperator is for `and`, `or`, `not` and their kin.
func adviseWordOperator(m *mistake) *Diagnostic {
	operators := map[string]string{"and": "&&", "or": "||", "not": "!", "mod": "%", "div": "floordiv(a, b)", "is": "=="}
	for _, i := range []int{m.at, m.at - 1} {
		if op := operators[m.value(i)]; op != "" && i > 0 {
			return m.errorAt(i, "%s is written %s", m.value(i), op)
		}
	}
	return nil
}

// adviseConditional is for an if after an operator.
func adviseConditional(m *mistake) *Diagnostic {
	if m.value(m.at) != "if" || m.at == m.start {
		return nil
	}
	return m.errorAt(m.at, "a conditional inside a larger expression stands in parentheses: (if c then a else b)")
}

// adviseQuote is for strings in single quotes.
func adviseQuote(m *mistake) *Diagnostic {
	if m.value(m.at) != "'" {
		return nil
	}
	return m.errorAt(m.at, "a string stands in double quotes; ' after a value is its transpose")
}

// adviseStep is for a slice with a step.
func adviseStep(m *mistake) *Diagnostic {
	if open := m.openBracket(); m.value(m.at) != ":" || open < 0 || m.value(open) != "[" {
		return nil
	}
	return m.errorAt(m.at, "a slice is from:to; it has no step")
}

// adviseOutput is for an output that is no plain name.
func adviseOutput(m *mistake) *Diagnostic {
	if m.value(m.start) != "output" {
		return nil
	}
	if m.at == m.start+1 {
		return m.errorAt(m.at, "an output that is not a plain name needs one: output name = …")
	}
	if m.at == m.start+2 {
		if m.value(m.at) == "," {
			return m.errorAt(m.at, "an output has one name: write one output for each")
		}
		return m.errorAt(m.at, "an output that is not a plain name needs one: output name = %s%s…", m.value(m.at-1), m.value(m.at))
	}
	return nil
}

// adviseShape is for an input, or a layer's parameter, with a shape in parentheses.
func adviseShape(m *mistake) *Diagnostic {
	if m.at == m.start || m.expected() != nouns["TypeG"] {
		return nil
	}
	name := m.value(m.at - 1)
	return m.errorAt(m.at-1, "expected a shape after %s, as in %s [B, 10] ([] for a scalar), found %s", name, name, m.found(m.at))
}

// adviseOperand is for what follows a complete declaration or statement.
func adviseOperand(m *mistake) *Diagnostic {
	if !m.merged {
		return nil
	}
	return m.errorAt(m.at, "unexpected %s after %s", withoutArticle(m.found(m.at)), m.value(m.at-1))
}

// withoutArticle is `comma` for `a comma`, `end of the file` for `the end of the
// file`.
func withoutArticle(found string) string {
	return strings.TrimPrefix(strings.TrimPrefix(found, "a "), "the ")
}

// elementWords are the element types of other languages.
var elementWords = wordSet(`int uint long short byte float double half real string str boolean
	int8 int16 uint8 uint16 uint32 uint64 float16 bfloat16 f16 f32 f64 i32 i64 u8 complex64 complex128`)

// adviseElementType is for an element type of another language behind a shape.
func adviseElementType(m *mistake) *Diagnostic {
	if m.value(m.at-1) != "]" || !elementWords[m.value(m.at)] {
		return nil
	}
	return m.errorAt(m.at, "no element type is called %s; there are %s", m.value(m.at), joined(elementTypes, "and"))
}
