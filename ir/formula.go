package ir

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// An Expr is a formula as text gives it: a number, a name, or an op with
// operands and attributes. Infix operators are ops: a + b is add(a, b).
type Expr struct {
	Op     string // "" for a number or a name
	Name   string
	Number float64
	IsNum  bool
	Args   []*Expr
	Attrs  map[string]attrValue
}

// attrValue is what follows `key:` in a formula.
type attrValue struct {
	kind valueKind
	text string // a string
	elem DType
	dims []Dim     // of a list, or one
	nums []float64 // of a list, or one
}

// valueKind says what an attribute's text may be read as.
type valueKind uint8

const (
	textValue   valueKind = 1 << iota
	elemValue             // an element type, alone or behind a list
	listValue             // values in brackets
	numberValue           // every value is a number
	dimValue              // every value is a dimension
)

// kindOf is what each field of Attr is written as.
var kindOf = map[string]valueKind{
	"name": textValue, "spec": textValue,
	"value": numberValue, "axis": numberValue | dimValue, "dim": dimValue,
	"axes": listValue | numberValue | dimValue, "steps": listValue | numberValue | dimValue, "data": listValue | numberValue,
	"shape": listValue | dimValue, "starts": listValue | dimValue, "limits": listValue | dimValue,
	"within": numberValue,
	"elem":   elemValue, "type": listValue | dimValue | elemValue,
}

// is reports whether v may be read as want: a list where a list is wanted, an
// element type where one is.
func (v attrValue) is(want valueKind) bool {
	const exact = textValue | elemValue | listValue
	return v.kind&want == want && v.kind&exact == want&exact
}

var parsed sync.Map // formulas by their text

// ParseExpr reads a formula such as "dy * (1 - y*y)".
func ParseExpr(text string) (*Expr, error) {
	if e, ok := parsed.Load(text); ok {
		return e.(*Expr), nil
	}
	p := newReader(text)
	e, err := p.whole()
	if err != nil {
		return nil, fmt.Errorf("%w in %q", err, text)
	}
	parsed.Store(text, e)
	return e, nil
}

// Formula builds the nodes of a formula. Names are looked up in env; a number
// takes the type of the operand beside it, want where there is none.
func (g *Graph) Formula(text string, env map[string]*Node, want Type) (*Node, error) {
	e, err := ParseExpr(text)
	if err != nil {
		return nil, err
	}
	return g.BuildExpr(e, env, want)
}

// BuildExpr is Formula of a formula already read.
func (g *Graph) BuildExpr(e *Expr, env map[string]*Node, want Type) (*Node, error) {
	switch {
	case e.IsNum:
		return g.Fill(e.Number, want), nil
	case e.Op == "":
		if n, ok := env[e.Name]; ok {
			return n, nil
		}
		return nil, fmt.Errorf("no value is called %s", e.Name)
	}
	op, ok := Ops[e.Op]
	if !ok {
		return nil, fmt.Errorf("no op is called %s", e.Op)
	}

	// What is no number is built first; it gives the numbers their type.
	args := make([]*Node, len(e.Args))
	for i, a := range e.Args {
		if a.IsNum {
			continue
		}
		n, err := g.BuildExpr(a, env, want)
		if err != nil {
			return nil, err
		}
		args[i] = n
		if op.Class == Map && !(e.Op == "where" && i == 0) {
			want = n.Type
		}
	}
	for i, a := range e.Args {
		if a.IsNum {
			args[i] = g.Fill(a.Number, want)
		}
	}
	attr, err := attrOf(op, e.Attrs)
	if err != nil {
		return nil, err
	}
	return g.Make(op, attr, args...)
}

// attrOf puts the attributes of a formula into the fields that op uses, of which
// only within may be missing.
func attrOf(op *Op, values map[string]attrValue) (Attr, error) {
	var a Attr
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(op.Fields, key) {
			return a, fmt.Errorf("%s has no attribute %s", op.Name, key)
		}
	}
	for _, field := range op.Fields {
		v, ok := values[field]
		switch {
		case !ok && field == "within":
			continue
		case !ok:
			return a, fmt.Errorf("%s lacks the attribute %s", op.Name, field)
		}
		if err := a.set(field, v); err != nil {
			return a, fmt.Errorf("%s: %w", op.Name, err)
		}
	}
	return a, nil
}

func (a *Attr) set(field string, v attrValue) error {
	if !v.is(kindOf[field]) {
		return fmt.Errorf("%s: is not what belongs there", field)
	}
	switch field {
	case "name":
		a.Name = v.text
	case "spec":
		a.Spec = v.text
	case "value":
		a.Value = v.nums[0]
	case "axis":
		a.Axis = int(v.nums[0])
	case "axes":
		a.Axes = ints(v.nums)
	case "steps":
		a.Steps = ints(v.nums)
	case "data":
		a.Data = v.nums
	case "shape", "dim":
		a.Dims = v.dims
	case "starts":
		a.starts(v.dims)
	case "limits":
		a.Limits = v.dims
	case "elem":
		a.Elem = v.elem
	case "within":
		a.Within = v.nums[0] != 0
	case "type":
		a.Elem, a.Dims = v.elem, v.dims
	}
	return nil
}

// starts are the first field of a slice, and the second of a place, which has
// the shape of the result before them.
func (a *Attr) starts(dims []Dim) {
	if a.Dims == nil {
		a.Dims = dims
	} else {
		a.Limits = dims
	}
}

func ints(values []float64) []int {
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = int(v)
	}
	return out
}

// A reader reads the text form, token by token.
type reader struct {
	tokens []string
	at     int
	depth  int
	err    error
}

// maxDepth bounds how deep formulas, dimensions and regions nest.
const maxDepth = 1000

// enter counts a level of nesting; each call has its leave.
func (p *reader) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail("nesting deeper than %d", maxDepth)
	}
}

func (p *reader) leave() { p.depth-- }

func newReader(text string) *reader { return &reader{tokens: tokens(text)} }

// tokens splits text; strings keep their quotes. Comments run from # to the
// end of the line.
func tokens(text string) []string {
	var out []string
	runes := []rune(text)
	for i := 0; i < len(runes); {
		r, start := runes[i], i
		switch {
		case unicode.IsSpace(r):
			i++
			continue
		case r == '#':
			for i < len(runes) && runes[i] != '\n' {
				i++
			}
			continue
		case unicode.IsLetter(r) || r == '_':
			for i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]) || runes[i] == '_' || runes[i] == '.') {
				i++
			}
		case unicode.IsDigit(r):
			for i < len(runes) && (unicode.IsDigit(runes[i]) || runes[i] == '.' || runes[i] == 'e' || (strings.ContainsRune("+-", runes[i]) && runes[i-1] == 'e')) {
				i++
			}
		case r == '"':
			for i++; i < len(runes) && runes[i] != '"'; i++ {
				if runes[i] == '\\' {
					i++
				}
			}
			i = min(i+1, len(runes))
		default:
			i++
			if i < len(runes) && strings.Contains(" <= >= == != -> ", " "+string(runes[start:i+1])+" ") {
				i++
			}
		}
		out = append(out, string(runes[start:i]))
	}
	return out
}

func (p *reader) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *reader) take() string {
	t := p.peek()
	p.at++
	return t
}

func (p *reader) accept(t string) bool {
	if p.peek() == t {
		p.at++
		return true
	}
	return false
}

func (p *reader) expect(t string) {
	if !p.accept(t) {
		p.fail("found %q where %q belongs", p.peek(), t)
	}
}

func (p *reader) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *reader) whole() (*Expr, error) {
	e := p.expr()
	if p.err == nil && p.peek() != "" {
		p.fail("%q is left over", p.peek())
	}
	return e, p.err
}

// The operators from loose to tight.
var infix = []map[string]string{
	{"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"},
	{"+": "add", "-": "sub"},
	{"*": "mul", "/": "div", "%": "mod"},
}

func (p *reader) expr() *Expr { return p.binary(0) }

func (p *reader) binary(level int) *Expr {
	if level == len(infix) {
		return p.unary()
	}
	left := p.binary(level + 1)
	for p.err == nil {
		op, ok := infix[level][p.peek()]
		if !ok {
			break
		}
		p.take()
		left = &Expr{Op: op, Args: []*Expr{left, p.binary(level + 1)}}
	}
	return left
}

func (p *reader) unary() *Expr {
	p.enter()
	defer p.leave()
	if p.err != nil {
		return &Expr{}
	}
	if !p.accept("-") {
		return p.primary()
	}
	e := p.unary()
	if e.IsNum {
		return &Expr{Number: -e.Number, IsNum: true}
	}
	return &Expr{Op: "neg", Args: []*Expr{e}}
}

func (p *reader) primary() *Expr {
	t := p.take()
	switch {
	case t == "(":
		e := p.expr()
		p.expect(")")
		return e
	case t == "inf":
		return &Expr{Number: math.Inf(1), IsNum: true}
	case t == "nan":
		return &Expr{Number: math.NaN(), IsNum: true}
	case t != "" && unicode.IsDigit(rune(t[0])):
		v, err := strconv.ParseFloat(t, 64)
		if err != nil {
			p.fail("%q is no number", t)
		}
		return &Expr{Number: v, IsNum: true}
	case isWord(t):
		if p.peek() == "(" {
			return p.call(t)
		}
		return &Expr{Name: t}
	}
	p.fail("found %q where a value belongs", t)
	return &Expr{}
}

func isWord(t string) bool {
	for _, r := range t {
		return unicode.IsLetter(r) || r == '_'
	}
	return false
}

func (p *reader) call(op string) *Expr {
	e := &Expr{Op: op}
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		if isWord(p.peek()) && p.at+1 < len(p.tokens) && p.tokens[p.at+1] == ":" {
			key := p.take()
			p.take()
			if e.Attrs == nil {
				e.Attrs = map[string]attrValue{}
			}
			if _, ok := e.Attrs[key]; ok {
				p.fail("%s: twice", key)
			}
			e.Attrs[key] = p.attr()
		} else {
			e.Args = append(e.Args, p.expr())
		}
		if p.peek() != ")" {
			p.expect(",")
		}
	}
	return e
}

// attr is a string, an element type, a number, a dimension, or a list with or
// without an element type behind it.
func (p *reader) attr() attrValue {
	t := p.peek()
	switch {
	case strings.HasPrefix(t, `"`):
		text, err := strconv.Unquote(p.take())
		if err != nil {
			p.fail("%s is no string", t)
		}
		return attrValue{kind: textValue, text: text}
	case t == "[":
		v := p.list()
		if elem, ok := ParseDType(p.peek()); ok {
			p.take()
			v.kind, v.elem = v.kind|elemValue, elem
		}
		return v
	}
	if elem, ok := ParseDType(t); ok {
		p.take()
		return attrValue{kind: elemValue, elem: elem}
	}
	d, num, kind := p.dimOrNumber()
	return attrValue{kind: kind, dims: []Dim{d}, nums: []float64{num}}
}

// list is the values between brackets, as dimensions and as numbers.
func (p *reader) list() attrValue {
	v, kind := attrValue{dims: []Dim{}, nums: []float64{}}, numberValue|dimValue
	p.expect("[")
	for p.err == nil && !p.accept("]") {
		d, num, k := p.dimOrNumber()
		v.dims = append(v.dims, d)
		v.nums = append(v.nums, num)
		kind &= k
		if p.peek() != "]" {
			p.expect(",")
		}
	}
	v.kind = listValue | kind
	return v
}

// dimOrNumber reads a dimension, or a number that is no integer. An integer is
// both, and -0 keeps its sign as a number.
func (p *reader) dimOrNumber() (d Dim, num float64, kind valueKind) {
	start := p.at
	minus := p.accept("-")
	t := p.peek()
	if t == "inf" || t == "nan" || (t != "" && unicode.IsDigit(rune(t[0])) && strings.ContainsAny(t, ".e")) {
		num = p.primary().Number
		if minus {
			num = -num
		}
		return Dim{}, num, numberValue
	}
	p.at = start
	d = p.dim()
	n, ok := d.Const()
	switch {
	case !ok:
		return d, 0, dimValue
	case minus && n == 0:
		return d, math.Copysign(0, -1), numberValue | dimValue
	}
	return d, float64(n), numberValue | dimValue
}

// maxTerms bounds the polynomial that a product in a text may become.
const maxTerms = 1000

func (p *reader) dim() Dim {
	d := p.dimTerm()
	for p.err == nil {
		switch {
		case p.accept("+"):
			d = d.Add(p.dimTerm())
		case p.accept("-"):
			d = d.Sub(p.dimTerm())
		default:
			return d
		}
	}
	return d
}

func (p *reader) dimTerm() Dim {
	d := p.dimFactor()
	for p.err == nil {
		switch {
		case p.accept("*"):
			e := p.dimFactor()
			if len(d.terms)*len(e.terms) > maxTerms {
				p.fail("a dimension of more than %d terms", maxTerms)
				return d
			}
			d = d.Mul(e)
		case p.accept("/"):
			den := p.dimFactor()
			if den.IsConst(0) {
				p.fail("division by 0 in a dimension")
				return d
			}
			d = d.Div(den)
		default:
			return d
		}
	}
	return d
}

func (p *reader) dimFactor() Dim {
	p.enter()
	defer p.leave()
	if p.err != nil {
		return Dim{}
	}
	t := p.take()
	switch {
	case t == "-":
		return p.dimFactor().Neg()
	case t == "(":
		d := p.dim()
		p.expect(")")
		return d
	case t != "" && unicode.IsDigit(rune(t[0])):
		n, err := strconv.Atoi(t)
		if err != nil {
			p.fail("%q is no extent", t)
		}
		return D(n)
	case isWord(t):
		return DimVar(t)
	}
	p.fail("found %q where a dimension belongs", t)
	return Dim{}
}
