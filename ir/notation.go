package ir

import (
	"fmt"
	"strings"
	"unicode"
)

// A notation is a formula in mathematical spelling, as plans have it and
// emitted code shows it, taken apart:
//
//	equation = sum ("=" | "←" | "+=") relation
//	relation = sum { ("=" | "≠" | "<" | "≤" | ">" | "≥" | "∧" | "∨") sum }
//	sum      = term { ("+" | "−") term }
//	term     = factor { ("·" | "⊙" | "*" | "/") factor }
//	factor   = "−" factor | "¬" factor | "√" postfix | ("Σ" | "Π") [axis] term ["by" sum]
//	         | ("max" | "argmax" | …) factor | postfix
//	postfix  = primary { "²" | "ᵀ" | "^" factor | "[" ranges "]" }
//	primary  = number | name | name "(" list ")" | "(" relation ")" | "[" relation "]"
//	         | "|" sum "|" | "⌊" sum "⌋" | "⌈" sum "⌉"
//
// An index, and the parenthesis of a call, follow what they belong to without a
// space.
type notation struct {
	kind notationKind
	text string // a number, a name, an operator, or what is not taken apart
	args []*notation
}

// notationKind says what a notation is.
type notationKind uint8

const (
	numberPart    notationKind = iota
	namePart                   // text is the name
	rawPart                    // text is LaTeX already
	callPart                   // text(args…)
	equationPart               // args[0] text args[1]
	relationPart               // args[0] text args[1]
	sumPart                    // args[0] text args[1]
	productPart                // args[0] text args[1]
	quotientPart               // args[0]/args[1]
	negPart                    // −args[0]
	notPart                    // ¬args[0]
	rootPart                   // √args[0]
	bigPart                    // Σ or Π with an axis, "" for none, over args[0]; by args[1] where there are two
	prefixPart                 // text args[0]
	powerPart                  // args[0]^args[1]
	transposePart              // args[0]ᵀ
	indexPart                  // args[0][args[1:]…]
	rangePart                  // args[0]:args[1]:args[2], nil for what is left out
	fencePart                  // args[0] between the signs of text
)

// prefixes are the reductions that are written before their operand.
var prefixes = map[string]bool{"max": true, "min": true, "any": true, "all": true, "argmax": true, "argmin": true}

// relations are the signs of comparisons and of logic.
var relations = map[string]bool{"=": true, "≠": true, "<": true, "≤": true, ">": true, "≥": true, "∧": true, "∨": true}

// A glyph is a token of a formula.
type glyph struct {
	text   string
	spaced bool // behind a space
}

// glyphs splits a formula. Names keep their paths, numbers their exponents,
// strings their quotes.
func glyphs(text string) []glyph {
	var out []glyph
	runes := []rune(text)
	spaced := false
	for i := 0; i < len(runes); {
		start := i
		switch r := runes[i]; {
		case unicode.IsSpace(r):
			i, spaced = i+1, true
			continue
		case startsName(runes[i:]):
			i += nameLength(runes[i:])
		case r >= '0' && r <= '9':
			i += numberLength(runes[i:])
		case r == '"':
			for i++; i < len(runes) && runes[i] != '"'; i++ {
			}
			i = min(i+1, len(runes))
		case r == '+' && i+1 < len(runes) && runes[i+1] == '=':
			i += 2
		default:
			i++
		}
		out = append(out, glyph{string(runes[start:i]), spaced})
		spaced = false
	}
	return out
}

// isNameRune reports whether r may stand in a name. The letters that are signs
// of the notation may not.
func isNameRune(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_') && !strings.ContainsRune("ᵀᵢⱼ", r)
}

// startsName reports whether a name begins here; Σ and Π alone are signs.
func startsName(runes []rune) bool {
	r := runes[0]
	if !isNameRune(r) || unicode.IsDigit(r) {
		return false
	}
	return r != 'Σ' && r != 'Π' || len(runes) > 1 && isNameRune(runes[1])
}

// nameLength is the length of a name with the parts of its path.
func nameLength(runes []rune) int {
	n := 0
	for n < len(runes) && (isNameRune(runes[n]) || runes[n] == '.' && n+1 < len(runes) && isNameRune(runes[n+1])) {
		n++
	}
	return n
}

// numberLength is the length of a number such as 1e−05.
func numberLength(runes []rune) int {
	n := 0
	for n < len(runes) {
		r := runes[n]
		exponent := n > 0 && runes[n-1] == 'e' && strings.ContainsRune("+-−", r)
		digit := r >= '0' && r <= '9'
		power := r == 'e' && n+1 < len(runes) && strings.ContainsRune("+-−0123456789", runes[n+1])
		if !digit && !exponent && !power && r != '.' {
			break
		}
		n++
	}
	return n
}

// A notationReader reads a formula, glyph by glyph.
type notationReader struct {
	glyphs []glyph
	at     int
	depth  int
	err    error
}

// readNotation takes a formula apart. The error says what does not belong.
func readNotation(text string) (*notation, error) {
	p := &notationReader{glyphs: glyphs(text)}
	n := p.sum()
	if sign := p.peek(); sign == "=" || sign == "←" || sign == "+=" {
		p.at++
		n = &notation{equationPart, sign, []*notation{n, p.relation()}}
	}
	if p.peek() != "" {
		p.fail("%q is left over", p.peek())
	}
	if p.err != nil {
		return nil, fmt.Errorf("%w in %q", p.err, text)
	}
	return n, nil
}

func (p *notationReader) peek() string {
	if p.at < len(p.glyphs) {
		return p.glyphs[p.at].text
	}
	return ""
}

// joined reports whether the next glyph is t, without a space before it.
func (p *notationReader) joined(t string) bool {
	return p.peek() == t && !p.glyphs[p.at].spaced
}

func (p *notationReader) accept(t string) bool {
	if p.peek() != t {
		return false
	}
	p.at++
	return true
}

func (p *notationReader) expect(t string) {
	if !p.accept(t) {
		p.fail("found %q where %q belongs", p.peek(), t)
	}
}

func (p *notationReader) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *notationReader) relation() *notation {
	left := p.sum()
	for p.err == nil && relations[p.peek()] {
		sign := p.peek()
		p.at++
		left = &notation{relationPart, sign, []*notation{left, p.sum()}}
	}
	return left
}

func (p *notationReader) sum() *notation {
	left := p.term()
	for p.err == nil && (isMinus(p.peek()) || p.peek() == "+") {
		sign := p.peek()
		p.at++
		left = &notation{sumPart, sign, []*notation{left, p.term()}}
	}
	return left
}

// isMinus reports whether t is a minus; extents have ASCII's.
func isMinus(t string) bool { return t == "−" || t == "-" }

func (p *notationReader) term() *notation {
	left := p.factor()
	for p.err == nil {
		sign := p.peek()
		switch sign {
		case "·", "⊙", "*":
			p.at++
			left = &notation{productPart, sign, []*notation{left, p.factor()}}
		case "/":
			p.at++
			left = &notation{kind: quotientPart, args: []*notation{left, p.factor()}}
		default:
			return left
		}
	}
	return left
}

func (p *notationReader) factor() *notation {
	if p.depth++; p.depth > maxDepth {
		p.fail("nesting deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	if p.err != nil {
		return &notation{}
	}
	switch t := p.peek(); {
	case isMinus(t):
		p.at++
		return &notation{kind: negPart, args: []*notation{p.factor()}}
	case t == "¬":
		p.at++
		return &notation{kind: notPart, args: []*notation{p.factor()}}
	case t == "√":
		p.at++
		return p.suffixes(&notation{kind: rootPart, args: []*notation{bare(p.primary())}})
	case (t == "Σ" || t == "Π") && p.operandFollows():
		return p.big()
	case prefixes[t] && p.operandFollows():
		p.at++
		return &notation{prefixPart, t, []*notation{p.factor()}}
	}
	return p.suffixes(p.primary())
}

// operandFollows reports whether the glyph behind the next starts an operand,
// apart from it: max x, but neither max(x, y) nor the name max + x.
func (p *notationReader) operandFollows() bool {
	if p.at+1 >= len(p.glyphs) {
		return false
	}
	g := p.glyphs[p.at+1]
	first := []rune(g.text)[0]
	return g.text == "ᵢ" || g.text == "ⱼ" ||
		g.spaced && g.text != "by" && (isNameRune(first) || strings.ContainsRune("([|⌊⌈√¬ΣΠ∞…", first))
}

// big is a sum or product over an axis.
func (p *notationReader) big() *notation {
	n := &notation{kind: bigPart, text: p.peek()}
	p.at++
	for sign, axis := range map[string]string{"ᵢ": "i", "ⱼ": "j"} {
		if p.accept(sign) {
			n.text += axis
		}
	}
	n.args = append(n.args, p.term())
	if p.accept("by") {
		n.args = append(n.args, p.sum())
	}
	return n
}

// suffixes is what stands behind an operand.
func (p *notationReader) suffixes(n *notation) *notation {
	for p.err == nil {
		switch {
		case p.accept("²"):
			n = &notation{kind: powerPart, args: []*notation{n, {kind: numberPart, text: "2"}}}
		case p.accept("ᵀ"):
			n = &notation{kind: transposePart, args: []*notation{n}}
		case p.accept("^"):
			n = &notation{kind: powerPart, args: []*notation{n, bare(p.exponent())}}
		case p.joined("["):
			n = p.index(n)
		default:
			return n
		}
	}
	return n
}

// exponent is a primary, maybe below a minus.
func (p *notationReader) exponent() *notation {
	if isMinus(p.peek()) {
		p.at++
		return &notation{kind: negPart, args: []*notation{p.primary()}}
	}
	return p.primary()
}

// index is n with an index or a range for each axis.
func (p *notationReader) index(n *notation) *notation {
	out := &notation{kind: indexPart, args: []*notation{n}}
	p.expect("[")
	for p.err == nil && !p.accept("]") {
		out.args = append(out.args, p.axisRange())
		if p.peek() != "]" {
			p.expect(",")
		}
	}
	return out
}

// axisRange is an index, or from:to:step with any of the three left out.
func (p *notationReader) axisRange() *notation {
	part := func() *notation {
		if t := p.peek(); t == ":" || t == "," || t == "]" {
			return nil
		}
		return p.sum()
	}
	first := part()
	if p.peek() != ":" {
		if first == nil {
			p.fail("an index is left out")
		}
		return first
	}
	n := &notation{kind: rangePart, args: []*notation{first, nil, nil}}
	for i := 1; i < 3 && p.accept(":"); i++ {
		n.args[i] = part()
	}
	return n
}

// fences are what stands between signs: the opening, and with it the closing.
var fences = map[string]string{"(": ")", "[": "]", "|": "|", "⌊": "⌋", "⌈": "⌉"}

func (p *notationReader) primary() *notation {
	t := p.peek()
	p.at++
	switch {
	case t == "":
		p.fail("the formula ends where a value belongs")
	case fences[t] != "":
		n := &notation{fencePart, t + fences[t], []*notation{p.relation()}}
		p.expect(fences[t])
		return n
	case t[0] >= '0' && t[0] <= '9':
		return &notation{kind: numberPart, text: t}
	case t[0] == '"':
		return &notation{kind: namePart, text: strings.Trim(t, `"`)}
	case strings.Contains("∞…ΣΠ", t):
		return &notation{kind: namePart, text: t}
	case startsName([]rune(t)):
		return p.named(t)
	default:
		p.fail("found %q where a value belongs", t)
	}
	return &notation{}
}

// named is a name, a call, or a draw from a distribution.
func (p *notationReader) named(name string) *notation {
	if (name == "U" || name == "N") && (p.joined("(") || p.joined("[")) {
		if n := p.draw(name); n != nil {
			return n
		}
	}
	if !p.joined("(") {
		return &notation{kind: namePart, text: name}
	}
	n := &notation{kind: callPart, text: name}
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		n.args = append(n.args, p.relation())
		if p.peek() != ")" {
			p.expect(",")
		}
	}
	return n
}

// draw is U[0,1), N(0,1), or the same at a place of the program: U(dropout).
// It is nil for the index of a value called U or N.
func (p *notationReader) draw(letter string) *notation {
	var inside strings.Builder
	opening := p.peek()
	for i := p.at + 1; i < len(p.glyphs); i++ {
		t := p.glyphs[i].text
		if t != ")" {
			inside.WriteString(t)
			continue
		}
		place := inside.String()
		if opening == "[" && place != "0,1" {
			return nil
		}
		p.at = i + 1
		if place == "0,1" {
			return &notation{kind: rawPart, text: `\mathcal{` + letter + "}" + opening + `0,\,1)`}
		}
		return &notation{kind: rawPart, text: `\mathcal{` + letter + `}_{\text{` + EscapeTeX(place) + `}}`}
	}
	return nil
}

// bare is n without the parentheses around it.
func bare(n *notation) *notation {
	if n != nil && n.kind == fencePart && n.text == "()" {
		return n.args[0]
	}
	return n
}
