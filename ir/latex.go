package ir

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A TeX writes formulas in mathematical spelling, as steps of a plan have them,
// as LaTeX for amsmath's environments. Values are the names of the program:
// a name that starts with d and goes on as one of them is a differential.
type TeX struct {
	Values map[string]bool
}

// Formula is a formula as LaTeX, with an & before the sign of an equation. The
// error says what of the text is no formula.
func (t TeX) Formula(text string) (string, error) {
	n, err := readNotation(text)
	if err != nil {
		return "", err
	}
	return t.write(n), nil
}

// The signs of LaTeX for those of the notation.
var signs = map[string]string{
	"=": "=", "≠": `\neq`, "<": "<", "≤": `\leq`, ">": ">", "≥": `\geq`, "∧": `\wedge`, "∨": `\vee`,
	"←": `\leftarrow`, "+=": `\mathrel{+}=`, "·": `\cdot`, "⊙": `\odot`, "*": `\,`, "+": "+", "−": "-", "-": "-",
	"()": `\left(%s\right)`, "[]": `\left[%s\right]`, "||": `\left|%s\right|`, "⌊⌋": `\left\lfloor %s\right\rfloor`, "⌈⌉": `\left\lceil %s\right\rceil`,
	"∞": `\infty`, "…": `\dots`, "Σ": `\sum`, "Π": `\prod`,
}

// write is the LaTeX of n.
func (t TeX) write(n *notation) string {
	arg := func(i int) string { return t.write(n.args[i]) }
	switch n.kind {
	case numberPart:
		return numberTeX(n.text)
	case namePart:
		return t.name(n.text)
	case rawPart:
		return n.text
	case callPart:
		return t.call(n)
	case equationPart:
		return arg(0) + " &" + signs[n.text] + " " + t.right(n.args[1])
	case relationPart, sumPart, productPart:
		return arg(0) + " " + signs[n.text] + " " + arg(1)
	case quotientPart:
		return `\frac{` + t.write(bare(n.args[0])) + "}{" + t.write(bare(n.args[1])) + "}"
	case negPart:
		return "-" + arg(0)
	case notPart:
		return `\neg ` + arg(0)
	case rootPart:
		return `\sqrt{` + arg(0) + "}"
	case bigPart:
		return t.big(n)
	case prefixPart:
		return functionTeX(n.text) + " " + arg(0)
	case powerPart:
		return t.base(n.args[0]) + "^{" + arg(1) + "}"
	case transposePart:
		return t.base(n.args[0]) + `^{\top}`
	case indexPart:
		return t.index(n)
	case rangePart:
		return t.axisRange(n)
	}
	return fmt.Sprintf(signs[n.text], arg(0))
}

// right is the right side of an equation. A choice stands there as cases; as an
// operand it is written as a function, which needs no fence around it.
func (t TeX) right(n *notation) string {
	if n.kind == callPart && n.text == "where" && len(n.args) == 3 {
		return fmt.Sprintf(`\begin{cases} %s & \text{if } %s \\ %s & \text{otherwise} \end{cases}`,
			t.write(n.args[1]), t.write(n.args[0]), t.write(n.args[2]))
	}
	return t.broken(n)
}

// widest is how many symbols of a right side stand on one line where it can be
// broken: a text width of an A4 page.
const widest = 80

// broken is a right side, with a new line before a term that would not fit on
// the line.
func (t TeX) broken(n *notation) string {
	if n.kind != sumPart {
		return t.write(n)
	}
	left, term := t.broken(n.args[0]), t.write(n.args[1])
	sign := signs[n.text] + " "
	if symbols(left[strings.LastIndex(left, newLine)+1:])+symbols(term) > widest {
		sign = newLine + sign
	}
	return left + " " + sign + term
}

// newLine goes on with a formula on a line below, right of its sign.
const newLine = `\\ &\quad `

// symbols is about how many symbols wide LaTeX sets text.
func symbols(text string) int {
	n := 0
	macro := false
	for _, r := range text {
		switch {
		case r == '\\':
			macro = true
			n++
		case macro && unicode.IsLetter(r):
		default:
			macro = false
			n += btoi(!strings.ContainsRune("{} ^_", r))
		}
	}
	return n
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// big is a sum or product over an axis, or by the index that says where each
// term goes.
func (t TeX) big(n *notation) string {
	runes := []rune(n.text)
	out := signs[string(runes[:1])]
	switch {
	case len(n.args) == 2:
		out += "_{" + t.write(n.args[1]) + "}"
	case len(runes) == 2:
		out += "_{" + string(runes[1:]) + "}"
	}
	return out + " " + t.write(n.args[0])
}

// base is what a power, a transpose or an index is put behind: in braces where
// it has one already.
func (t TeX) base(n *notation) string {
	text := t.write(n)
	switch n.kind {
	case namePart, numberPart, fencePart:
		if !strings.ContainsAny(text, "_^") {
			return text
		}
	}
	return "{" + text + "}"
}

// index is a subscript, or an index in brackets where it has a range or the base
// has a subscript already.
func (t TeX) index(n *notation) string {
	ranges := false
	var parts []string
	for _, a := range n.args[1:] {
		ranges = ranges || a.kind == rangePart
		parts = append(parts, t.write(a))
	}
	list := strings.Join(parts, `,\,`)
	if base := t.base(n.args[0]); !ranges && !strings.HasPrefix(base, "{") {
		return base + "_{" + list + "}"
	}
	return t.write(n.args[0]) + "[" + list + "]"
}

// axisRange is from:to:step. Braces keep TeX from spacing the colon as a
// relation.
func (t TeX) axisRange(n *notation) string {
	part := func(i int) string {
		if n.args[i] == nil {
			return ""
		}
		return "{" + t.write(n.args[i]) + "}"
	}
	out := part(0) + "{:}" + part(1)
	if n.args[2] != nil {
		out += "{:}" + part(2)
	}
	return out
}

// call is a function of its arguments.
func (t TeX) call(n *notation) string {
	args := n.args
	head := functionTeX(n.text)
	switch {
	case n.text == "σ" && len(args) == 1:
		head = `\sigma`
	case n.text == "onehot":
		head = `\operatorname{one\,hot}`
	case n.text == "einsum" && len(args) > 0:
		head += `_{` + strings.ReplaceAll(args[0].text, "->", `\to `) + "}"
		args = args[1:]
	}
	var list []string
	for _, a := range args {
		list = append(list, t.write(a))
	}
	return head + `\left(` + strings.Join(list, `,\, `) + `\right)`
}

// texFunctions are the functions that LaTeX has names for; others are
// operators under their own.
var texFunctions = map[string]string{
	"exp": `\exp`, "log": `\log`, "sin": `\sin`, "cos": `\cos`, "tan": `\tan`, "sinh": `\sinh`, "cosh": `\cosh`, "tanh": `\tanh`,
	"asin": `\arcsin`, "acos": `\arccos`, "atan": `\arctan`, "max": `\max`, "min": `\min`,
	"argmax": `\operatorname*{arg\,max}`, "argmin": `\operatorname*{arg\,min}`, "mod": `\operatorname{mod}`,
}

func functionTeX(name string) string {
	if text, ok := texFunctions[name]; ok {
		return text
	}
	return `\operatorname{` + EscapeTeX(name) + "}"
}

// numberTeX is a number, with a power of ten for its exponent.
func numberTeX(text string) string {
	mantissa, exponent, ok := strings.Cut(text, "e")
	if !ok {
		return text
	}
	exponent = strings.TrimPrefix(strings.ReplaceAll(exponent, "−", "-"), "+")
	power := "10^{" + exponent + "}"
	if mantissa == "1" {
		return power
	}
	return mantissa + ` \cdot ` + power
}

// name is a name of the program: a path part by part, a differential behind an
// upright d.
func (t TeX) name(name string) string {
	if rest, ok := strings.CutPrefix(name, "d"); ok && !t.Values[name] && t.isValue(rest) {
		return `\mathrm{d}` + t.name(rest)
	}
	if sign, ok := signs[name]; ok {
		return strings.NewReplacer(`\sum`, `\Sigma`, `\prod`, `\Pi`).Replace(sign)
	}
	parts := strings.Split(name, ".")
	for i, p := range parts {
		parts[i] = identifierTeX(p)
	}
	return strings.Join(parts, ".")
}

// isValue reports whether a name is one of the program's, or the differential
// of one.
func (t TeX) isValue(name string) bool {
	rest, ok := strings.CutPrefix(name, "d")
	return t.Values[name] || ok && rest != "" && t.isValue(rest)
}

// identifierTeX is a name without path: its last digits are its index, and so is
// what stands behind the underscore of a symbol, as in w_in; layer_norm is one
// word.
func identifierTeX(name string) string {
	stem, rest, _ := strings.Cut(name, "_")
	if stem == "" || !isSymbol(stem) {
		stem, rest = name, ""
	}
	var index []string
	letters := strings.TrimRight(stem, "0123456789")
	if letters != "" && letters != stem {
		index = append(index, stem[len(letters):])
		stem = strings.TrimRight(letters, "_")
	}
	for _, part := range strings.Split(rest, "_") {
		if part != "" {
			index = append(index, wordTeX(part))
		}
	}
	if len(index) == 0 {
		return wordTeX(stem)
	}
	return wordTeX(stem) + "_{" + strings.Join(index, ",") + "}"
}

// isSymbol reports whether a name is a letter, maybe a Greek one by its name,
// with or without digits behind it.
func isSymbol(name string) bool {
	letters := strings.TrimRight(name, "0123456789")
	return utf8.RuneCountInString(letters) == 1 || greekWords[letters] != ""
}

// wordTeX is letters and digits: a Greek letter by its name, runs of others in
// italics as one word.
func wordTeX(s string) string {
	if symbol, ok := greekWords[s]; ok {
		return symbol
	}
	var b strings.Builder
	run := ""
	flush := func() {
		b.WriteString(runTeX(run))
		run = ""
	}
	for _, r := range s {
		if symbol, ok := greekRunes[r]; ok {
			flush()
			b.WriteString(symbol)
			continue
		}
		run += string(r)
	}
	flush()
	return strings.TrimSpace(b.String())
}

// runTeX is letters without Greek ones. Letters beyond ASCII are text, which
// mathematical fonts do not have.
func runTeX(run string) string {
	switch {
	case len(run) <= 1:
		return run
	case isDigits(run):
		return run
	case isASCII(run):
		return `\mathit{` + EscapeTeX(run) + "}"
	}
	return `\text{\itshape ` + EscapeTeX(run) + "}"
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

var texEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, "_", `\_`, "&", `\&`, "%", `\%`, "#", `\#`, "$", `\$`, "{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`)

// EscapeTeX is text with the characters that are special to LaTeX escaped.
func EscapeTeX(text string) string { return texEscapes.Replace(text) }

// greekNames are the Greek letters that LaTeX has macros for; capitals whose
// shape is Latin have none and are set upright.
var greekNames = []struct {
	name         string
	small, large rune
}{
	{"alpha", 'α', 0}, {"beta", 'β', 0}, {"gamma", 'γ', 'Γ'}, {"delta", 'δ', 'Δ'}, {"epsilon", 'ε', 0}, {"zeta", 'ζ', 0},
	{"eta", 'η', 0}, {"theta", 'θ', 'Θ'}, {"iota", 'ι', 0}, {"kappa", 'κ', 0}, {"lambda", 'λ', 'Λ'}, {"mu", 'μ', 0},
	{"nu", 'ν', 0}, {"xi", 'ξ', 'Ξ'}, {"pi", 'π', 'Π'}, {"rho", 'ρ', 0}, {"sigma", 'σ', 'Σ'}, {"tau", 'τ', 0},
	{"upsilon", 'υ', 'Υ'}, {"phi", 'φ', 'Φ'}, {"chi", 'χ', 0}, {"psi", 'ψ', 'Ψ'}, {"omega", 'ω', 'Ω'},
}

// greekWords and greekRunes are the macros by the name and by the letter.
var greekWords, greekRunes = greek()

func greek() (map[string]string, map[rune]string) {
	words := map[string]string{}
	runes := map[rune]string{'ο': "o ", 'ς': `\varsigma `, 'ϵ': `\epsilon `, 'ϑ': `\vartheta `, 'ϕ': `\phi `, 'µ': `\mu `}
	for latin, r := range map[string]rune{"A": 'Α', "B": 'Β', "E": 'Ε', "Z": 'Ζ', "H": 'Η', "I": 'Ι', "K": 'Κ', "M": 'Μ', "N": 'Ν', "O": 'Ο', "P": 'Ρ', "T": 'Τ', "X": 'Χ'} {
		runes[r] = `\mathrm{` + latin + "}"
	}
	for _, g := range greekNames {
		small := `\` + g.name
		if g.name == "epsilon" || g.name == "phi" {
			small = `\var` + g.name
		}
		words[g.name], runes[g.small] = small, small+" "
		if g.large != 0 {
			large := strings.ToUpper(g.name[:1]) + g.name[1:]
			words[large], runes[g.large] = `\`+large, `\`+large+" "
		}
	}
	return words, runes
}

// SymbolTeX is the LaTeX of a Greek letter or of a sign of formulas, for where
// it stands in other text; ok is false for any other character.
func SymbolTeX(r rune) (text string, ok bool) {
	if text, ok := greekRunes[r]; ok {
		return strings.TrimSpace(text), true
	}
	extra := map[rune]string{'ᵀ': `{}^{\top}`, '²': `{}^{2}`, 'ᵢ': `{}_{i}`, 'ⱼ': `{}_{j}`, '√': `\surd`, '×': `\times`, '¬': `\neg`}
	if text, ok := extra[r]; ok {
		return text, true
	}
	text, ok = signs[string(r)]
	return text, ok && r > unicode.MaxASCII
}
