package draw

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"gradgen.dev/ir"
)

// longestText is how long the text of a vertex may be, in characters. What is
// longer is cut short where it is deepest.
const longestText = 38

// mostCuts is how many parts of a text may be cut out.
const mostCuts = 3

// text is how n follows from what is drawn and from parameters, much as the
// program writes it.
func (s *sketch) text(n *ir.Node) string {
	for depth := 12; depth > 1; depth-- {
		p := &speller{s, n, s.Of[n]}
		if out := p.operation(n, 0, depth); utf8.RuneCountInString(out) <= longestText && strings.Count(out, "…") <= mostCuts {
			return out
		}
	}
	return functionName(n) + "(…)"
}

// A speller writes the expression of a drawn node, within its instance.
type speller struct {
	*sketch
	node   *ir.Node
	within string
}

// infix is the operators with how tight they bind.
var infix = map[string]struct {
	sign  string
	level int
}{
	"or": {"||", 1}, "and": {"&&", 2}, "lt": {"<", 3}, "le": {"<=", 3}, "gt": {">", 3}, "ge": {">=", 3}, "eq": {"==", 3}, "ne": {"!=", 3},
	"add": {"+", 4}, "sub": {"-", 4}, "mul": {"*", 5}, "div": {"/", 5}, "pow": {"^", 7},
}

// operand is x, by its name where it has one here. It is in parentheses where
// it binds looser than level.
func (p *speller) operand(x *ir.Node, level, depth int) string {
	switch {
	case x.Is("param") || isKept(x) || x.Is("input"):
		return p.localName(x, p.node)
	case x.Is("hyper"):
		return x.Attr.Name
	case p.shown[x]:
		return p.nameOf(x)
	}
	if depth == 0 {
		if v, ok := x.Literal(); ok {
			return number(v)
		}
		return "…"
	}
	return p.operation(x, level, depth)
}

// nameOf is a drawn value: what an instance returns has its name, a value in
// the middle of one none.
func (p *speller) nameOf(x *ir.Node) string {
	o := p.g.Origin(x)
	switch {
	case o.Name != "" && (o.Instance == p.within || o.Instance == ""):
		return o.Name
	case o.Name != "":
		return o.Instance + "." + o.Name
	case p.Of[x] != p.within && p.Of[x] != "":
		return p.Of[x]
	}
	return "…"
}

// operation is x spelled by its op.
func (p *speller) operation(x *ir.Node, level, depth int) string {
	if v, ok := x.Literal(); ok {
		return number(v)
	}
	if out, own := p.pattern(x, depth); out != "" {
		return enclosed(out, own < level)
	}
	arg := func(i, level int) string { return p.operand(x.Args[i], level, depth-1) }
	if op, ok := infix[x.Op.Name]; ok {
		return enclosed(arg(0, op.level)+" "+op.sign+" "+arg(1, op.level+1), op.level < level)
	}
	switch x.Op.Name {
	case "spread", "reshape", "bounded", "pin", "stop_gradient", "written":
		return p.operand(x.Args[0], level, depth)
	case "cast":
		return p.operand(x.Args[0], level, depth)
	case "size":
		return x.Attr.Dims[0].String()
	case "iota":
		return string(rune('i' + x.Attr.Axis))
	case "step", "steps":
		return x.Op.Name
	case "neg":
		return enclosed("-"+arg(0, 6), level > 6)
	case "not":
		return enclosed("!"+arg(0, 6), level > 6)
	case "einsum":
		return p.product(x, level, depth)
	case "transpose":
		return arg(0, 8) + "'"
	case "slice":
		return arg(0, 8) + sliceText(x)
	case "gather", "pick":
		return arg(0, 8) + "[" + arg(1, 0) + "]"
	}
	return p.call(x, depth)
}

// call is the op as a function.
func (p *speller) call(x *ir.Node, depth int) string {
	name := functionName(x)
	if x.Op.Class == ir.Random {
		return name
	}
	args := make([]string, len(x.Args))
	for i, a := range x.Args {
		args[i] = p.operand(a, 0, depth-1)
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// functionName is what the program calls the op of x, or the function that x is
// a call of.
func functionName(x *ir.Node) string {
	if x.Is("call") && x.Attr.Name != "" {
		return x.Attr.Name
	}
	return strings.TrimPrefix(x.Op.Name, "reduce_")
}

// pattern spells what the library's functions have become as their calls. own
// is how tight the text binds.
func (p *speller) pattern(x *ir.Node, depth int) (out string, own int) {
	arg := func(a *ir.Node) string { return p.operand(a, 0, depth-1) }
	switch x.Op.Name {
	case "exp":
		if a := logSoftmax(x.Args[0]); a != nil && !p.shown[x.Args[0]] {
			return "softmax(" + arg(a) + ")", 8
		}
	case "sub":
		if a := logSoftmax(x); a != nil {
			return "log_softmax(" + arg(a) + ")", 8
		}
	case "max":
		if v, ok := x.Args[1].Literal(); ok && v == 0 {
			return "relu(" + arg(x.Args[0]) + ")", 8
		}
	case "where":
		if site := drawSite(x.Args[0]); site != "" {
			return site + "(" + p.kept(x, depth) + ")", 8
		}
	case "div":
		if d := x.Args[0]; d.Is("sum") && !p.shown[d] && p.Fixed[x.Args[1]] {
			return "mean(" + arg(d.Args[0]) + ")", 8
		}
	}
	return "", 0
}

// kept is the operand of a choice by a draw that is not constant: what dropout
// keeps, without its scale.
func (p *speller) kept(x *ir.Node, depth int) string {
	a := x.Args[2]
	if p.Fixed[a] {
		a = x.Args[1]
	}
	for !p.shown[a] && (a.Is("div") || a.Is("mul")) && p.Fixed[a.Args[1]] {
		a = a.Args[0]
	}
	return p.operand(a, 0, depth-1)
}

// logSoftmax is a where x is a - logsumexp(a).
func logSoftmax(x *ir.Node) *ir.Node {
	if !x.Is("sub") {
		return nil
	}
	sum := x.Args[1]
	for sum.Is("spread") || sum.Is("reshape") {
		sum = sum.Args[0]
	}
	if sum.Is("logsumexp") && sum.Args[0] == x.Args[0] {
		return x.Args[0]
	}
	return nil
}

// drawSite is the instance whose draw a condition compares: dropout.
func drawSite(n *ir.Node) string {
	for len(n.Args) > 0 && !n.Is("uniform") {
		n = n.Args[0]
	}
	if !n.Is("uniform") {
		return ""
	}
	parts := strings.FieldsFunc(n.Attr.Name, func(r rune) bool { return r == '/' || r == '.' })
	if len(parts) < 2 {
		return ""
	}
	return parts[len(parts)-2]
}

// product writes products of matrices with @, others as the sum they are.
func (p *speller) product(x *ir.Node, level, depth int) string {
	a, b, out := ir.SplitSpec(x.Attr.Spec)
	q, r := x.Args[0], x.Args[1]
	if isMatrixProduct(b, a, out) && !isMatrixProduct(a, b, out) {
		a, b, q, r = b, a, r, q
	}
	if isMatrixProduct(a, b, out) {
		return enclosed(p.operand(q, 5, depth-1)+" @ "+p.operand(r, 6, depth-1), level > 5)
	}
	return "einsum(" + p.operand(q, 0, depth-1) + ", " + p.operand(r, 0, depth-1) + ")"
}

// isMatrixProduct reports whether the rows of a are multiplied by the matrices
// of b, as @ does, or by their transposes.
func isMatrixProduct(a, b, out string) bool {
	if len(a) == 0 || len(b) == 0 || len(b) > 2 {
		return false
	}
	inner := a[len(a)-1]
	rest := strings.Replace(b, string(inner), "", 1)
	return rest != b && a[:len(a)-1]+rest == out
}

// sliceText is the index of a slice; whole axes at its end are left out.
func sliceText(x *ir.Node) string {
	var parts []string
	last := 0
	for i, d := range x.Args[0].Type.Shape {
		from, to := x.Attr.Dims[i], x.Attr.Limits[i]
		text := ":"
		switch {
		case from.IsConst(0) && to.Equal(d) && x.Attr.Steps[i] == 1:
		case to.Sub(from).IsConst(1):
			text = from.String()
		default:
			text = rangeText(from, to, d, x.Attr.Steps[i])
		}
		if text != ":" {
			last = i + 1
		}
		parts = append(parts, text)
	}
	return "[" + strings.Join(parts[:last], ", ") + "]"
}

// rangeText is from:to:step without what it need not say.
func rangeText(from, to, extent ir.Dim, step int) string {
	out := ":"
	if !from.IsConst(0) {
		out = from.String() + out
	}
	if !to.Equal(extent) {
		out += to.String()
	}
	if step != 1 {
		out += ":" + strconv.Itoa(step)
	}
	return out
}

func enclosed(text string, yes bool) string {
	if yes {
		return "(" + text + ")"
	}
	return text
}

// number is a literal, short.
func number(v float64) string {
	return strings.NewReplacer("e-0", "e-", "+Inf", "inf", "-Inf", "-inf", "NaN", "nan").Replace(strconv.FormatFloat(v, 'g', 4, 64))
}
