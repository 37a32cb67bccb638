package passes

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gradgen.dev/ir"
)

// expr is x in mathematical spelling, in parentheses where it binds looser
// than level (0 sum, 1 term, 2 factor, 3 operand). Repetition, conversion and
// shape are not written; values with a name stand under it.
func (n *naming) expr(x *ir.Node, level int) string {
	if name, ok := n.shown[x]; ok {
		if strings.ContainsAny(name, "·/ −") && level > 1 || strings.HasPrefix(name, "−") && level > 0 {
			return "(" + name + ")"
		}
		return name
	}
	return n.body(x, level)
}

// longest is the number of operations after which a formula breaks off: what
// shares much is written once for each use.
const longest = 100

// body is x's own operation, whatever its name.
func (n *naming) body(x *ir.Node, level int) string {
	if n.nesting == 0 {
		n.written = 0
	}
	if n.written++; n.written > longest {
		return "…"
	}
	n.nesting++
	defer func() { n.nesting-- }()
	if v, ok := x.Literal(); ok {
		text := n.number(v)
		if v < 0 && level > 0 {
			return "(" + text + ")"
		}
		return text
	}
	text, own := n.operation(x)
	if own < level {
		return "(" + text + ")"
	}
	return text
}

// operation is the text of x and how tight it binds.
func (n *naming) operation(x *ir.Node) (string, int) {
	arg := func(i, level int) string { return n.expr(x.Args[i], level) }
	switch x.Op.Name {
	case "add":
		right := arg(1, 0)
		if rest, negative := strings.CutPrefix(right, "−"); negative {
			return arg(0, 0) + " − " + rest, 0
		}
		return arg(0, 0) + " + " + right, 0
	case "sub":
		right := arg(1, 1)
		if rest, negative := strings.CutPrefix(right, "−"); negative {
			return arg(0, 0) + " + " + rest, 0
		}
		return arg(0, 0) + " − " + right, 0
	case "neg":
		return "−" + arg(0, 2), 1
	case "mul":
		return n.product(x), 1
	case "div":
		return n.leftFactor(x.Args[0]) + "/" + arg(1, 3), 1
	case "lt", "le", "gt", "ge", "eq", "ne":
		sign := map[string]string{"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "eq": "=", "ne": "≠"}[x.Op.Name]
		return arg(0, 0) + " " + sign + " " + arg(1, 0), -1
	case "and":
		return arg(0, 0) + " ∧ " + arg(1, 0), -1
	case "or":
		return arg(0, 0) + " ∨ " + arg(1, 0), -1
	case "not":
		return "¬" + arg(0, 3), 2
	case "abs":
		return "|" + arg(0, 0) + "|", 3
	case "sqrt":
		return "√" + arg(0, 3), 3
	case "rsqrt":
		return "1/√" + arg(0, 3), 1
	case "floor":
		return "⌊" + arg(0, 0) + "⌋", 3
	case "ceil":
		return "⌈" + arg(0, 0) + "⌉", 3
	case "sigmoid":
		return "σ(" + arg(0, 0) + ")", 3
	case "pow":
		return arg(0, 3) + "^" + arg(1, 3), 2
	case "spread", "reshape", "place", "pin", "stop_gradient", "bounded", "written":
		return n.transparent(x.Args[0])
	case "cast":
		if index, ok := oneHot(x); ok {
			return "onehot(" + n.expr(index, 0) + ")", 3
		}
		if isIdentity(x) {
			return "I", 3
		}
		if x.Args[0].Type.Elem == ir.Bool {
			return "[" + n.expr(x.Args[0], -1) + "]", 3
		}
		return n.transparent(x.Args[0])
	case "transpose":
		return arg(0, 3) + "ᵀ", 3
	case "slice":
		return n.slice(x), 3
	case "flip":
		return "flip(" + arg(0, 0) + ")", 3
	case "sum":
		return "Σ" + sumIndex(x) + " " + inner(arg(0, 1)), 1
	case "prod":
		return "Π" + sumIndex(x) + " " + inner(arg(0, 1)), 1
	case "reduce_max":
		return "max " + arg(0, 3), 1
	case "reduce_min":
		return "min " + arg(0, 3), 1
	case "any", "all", "argmax", "argmin":
		return x.Op.Name + " " + arg(0, 3), 1
	case "gather", "pick":
		return arg(0, 3) + "[" + arg(1, 0) + "]", 3
	case "scatter_add", "scatter_along":
		return "Σ " + inner(arg(0, 1)) + " by " + arg(1, 0), 1
	case "einsum":
		return n.einsum(x)
	case "size":
		return dimText(x.Attr.Dims[0])
	case "iota":
		return string(rune('i' + x.Attr.Axis)), 3
	case "step", "steps", "hyper", "param", "input", "state", "carry", "clip_factor":
		if x.Attr.Name == "" {
			return x.Op.Name, 3
		}
		return strings.TrimPrefix(x.Attr.Name, "grad "), 3
	case "uniform", "normal":
		return drawText(x), 3
	case "where":
		return "where(" + n.expr(x.Args[0], -1) + ", " + arg(1, 0) + ", " + arg(2, 0) + ")", 3
	}
	args := make([]string, len(x.Args))
	for i := range args {
		args[i] = arg(i, 0)
	}
	return x.Op.Name + "(" + strings.Join(args, ", ") + ")", 3
}

// inner is a term behind another sign: in parentheses where it is negative.
func inner(text string) string {
	if strings.HasPrefix(text, "−") {
		return "(" + text + ")"
	}
	return text
}

// drawText names a draw after its place, so that a mask drawn again in the
// backward reads as the one of the forward; those of initialisers have none.
func drawText(x *ir.Node) string {
	letter := map[string]string{"uniform": "U", "normal": "N"}[x.Op.Name]
	if at := strings.LastIndexByte(x.Attr.Name, '/'); at > 0 {
		return letter + "(" + x.Attr.Name[:at] + ")"
	}
	return map[string]string{"U": "U[0,1)", "N": "N(0,1)"}[letter]
}

// transparent is what is not written: the text is the operand's.
func (n *naming) transparent(x *ir.Node) (string, int) {
	if name, ok := n.shown[x]; ok {
		if strings.ContainsAny(name, "·/ ") {
			return name, 1
		}
		return name, 3
	}
	if v, ok := x.Literal(); ok {
		if v < 0 {
			return n.number(v), 0
		}
		return n.number(v), 3
	}
	return n.operation(x)
}

// product writes squares as powers, and ⊙ between two tensors.
func (n *naming) product(x *ir.Node) string {
	a, b := x.Args[0], x.Args[1]
	if a == b {
		return n.expr(a, 3) + "²"
	}
	if text, ok := n.folded(a, b); ok {
		return text
	}
	if d := n.reciprocal(a); d != nil {
		return n.leftFactor(b) + "/" + n.expr(d, 3)
	}
	sign := " ⊙ "
	if a.IsConstant() || a.Is("spread") || a.Type.Rank() == 0 || b.Is("spread") || b.IsConstant() {
		sign = "·"
	}
	left := n.leftFactor(a)
	if v, ok := a.Literal(); ok && n.shown[a] == "" {
		left = n.number(v) // a sign that stands first needs no parentheses
	}
	return left + sign + inner(n.expr(b, 1))
}

// folded is a·b where one of the two is a number and the other is shown with a
// number before it: 0.5·(2·B·x) is B·x.
func (n *naming) folded(a, b *ir.Node) (string, bool) {
	for range 2 {
		k, ok := literalOf(a)
		if s, scaled := n.scaled[n.seenThrough(b)]; ok && scaled && n.shown[n.seenThrough(b)] != "" {
			return n.scaleText(s.times(k)) + s.name, true
		}
		a, b = b, a
	}
	return "", false
}

// seenThrough is what x is written as, below what formulas do not write.
func (n *naming) seenThrough(x *ir.Node) *ir.Node {
	for n.shown[x] == "" && (x.Is("spread") || x.Is("reshape") || x.Is("place") || x.Is("pin") || x.Is("cast") && x.Args[0].Type.Elem.IsFloat()) {
		x = x.Args[0]
	}
	return x
}

// literalOf is the value of a literal, repeated or not.
func literalOf(a *ir.Node) (float64, bool) {
	for a.Is("spread") || a.Is("cast") {
		a = a.Args[0]
	}
	return a.Literal()
}

// leftFactor is x before a sign of multiplication or division: in parentheses
// where what follows would read as part of it, as in (Σ x)·y.
func (n *naming) leftFactor(x *ir.Node) string {
	if n.endsOpen(x) {
		return "(" + n.expr(x, 1) + ")"
	}
	return n.expr(x, 1)
}

// endsOpen reports whether the text of x, as a term, ends in the operand of a
// reduction, which extends over the factors behind it.
func (n *naming) endsOpen(x *ir.Node) bool {
	if _, named := n.shown[x]; named {
		return false
	}
	switch x.Op.Name {
	case "sum", "prod", "reduce_max", "reduce_min", "any", "all", "argmax", "argmin", "scatter_add", "scatter_along":
		return true
	case "mul":
		a, b := x.Args[0], x.Args[1]
		return a != b && n.reciprocal(a) == nil && n.endsOpen(b)
	case "spread", "reshape", "place", "pin", "stop_gradient", "bounded", "written":
		return n.endsOpen(x.Args[0])
	case "cast":
		_, hot := oneHot(x)
		return !hot && !isIdentity(x) && x.Args[0].Type.Elem != ir.Bool && n.endsOpen(x.Args[0])
	}
	return false
}

// reciprocal is d where a is 1/d, repeated or not, and has no name.
func (n *naming) reciprocal(a *ir.Node) *ir.Node {
	for n.shown[a] == "" && (a.Is("spread") || a.Is("cast")) {
		a = a.Args[0]
	}
	if v, ok := one(a); n.shown[a] == "" && a.Is("div") && ok && v == 1 {
		return a.Args[1]
	}
	return nil
}

// sumIndex names the axis of a sum of matrices, the first or the last.
func sumIndex(x *ir.Node) string {
	rank := x.Args[0].Type.Rank()
	switch {
	case rank < 2 || len(x.Attr.Axes) != 1:
		return ""
	case x.Attr.Axes[0] == 0:
		return "ᵢ"
	case x.Attr.Axes[0] == rank-1:
		return "ⱼ"
	}
	return ""
}

// einsum writes products of matrices and vectors as such.
func (n *naming) einsum(x *ir.Node) (string, int) {
	a, b, out := ir.SplitSpec(x.Attr.Spec)
	p, q := n.expr(x.Args[0], 2), n.expr(x.Args[1], 2)
	switch {
	case len(a) == 2 && len(b) == 2 && len(out) == 2:
		left, right := p, q
		first, second := a, b
		if strings.IndexByte(b, out[0]) >= 0 {
			left, right, first, second = q, p, b, a
		}
		if first[0] != out[0] {
			left += "ᵀ"
		}
		if second[1] != out[1] {
			right += "ᵀ"
		}
		return left + "·" + right, 1
	case len(a) == 2 && len(b) == 1 && len(out) == 1:
		if a[0] != out[0] {
			p += "ᵀ"
		}
		return p + "·" + q, 1
	case len(a) == 1 && len(b) == 2 && len(out) == 1:
		if b[1] == out[0] {
			q += "ᵀ"
		}
		return q + "·" + p, 1
	}
	if text, ok := rowsProduct(a, b, out, p, q); ok {
		return text, 1
	}
	return fmt.Sprintf("einsum(%q, %s, %s)", x.Attr.Spec, n.expr(x.Args[0], 0), n.expr(x.Args[1], 0)), 3
}

// rowsProduct writes a product of a matrix with a tensor whose front axes are
// its rows: p·q, p·qᵀ and pᵀ·q.
func rowsProduct(a, b, out, p, q string) (string, bool) {
	if len(a) < 2 || len(b) < 2 || len(out) < 2 {
		return "", false
	}
	front, k := a[:len(a)-1], a[len(a)-1:]
	n := out[len(out)-1:]
	switch {
	case out[:len(out)-1] == front && b == k+n:
		return p + "·" + q, true
	case out[:len(out)-1] == front && b == n+k:
		return p + "·" + q + "ᵀ", true
	case b == front+n && out == k+n:
		return p + "ᵀ·" + q, true
	case b == front+n && out == n+k:
		return q + "ᵀ·" + p, true
	}
	return "", false
}

// slice writes x[1:] and the like.
func (n *naming) slice(x *ir.Node) string {
	parts := make([]string, x.Type.Rank())
	for i, d := range x.Args[0].Type.Shape {
		parts[i] = rangeText(x.Attr.Dims[i], x.Attr.Limits[i], d, x.Attr.Steps[i])
	}
	return n.expr(x.Args[0], 3) + "[" + strings.Join(parts, ", ") + "]"
}

// dimText is an extent as formulas write it, and how tight that binds.
func dimText(d ir.Dim) (string, int) {
	text := d.Formula()
	switch {
	case strings.Contains(text, " "):
		return text, 0
	case strings.ContainsAny(text, "·/−"):
		return text, 1
	}
	return text, 3
}

// indexText is an extent inside an index: N−K+1.
func indexText(d ir.Dim) string { return strings.ReplaceAll(d.Formula(), " ", "") }

// rangeText is a range of an axis of extent d as an index.
func rangeText(start, limit, d ir.Dim, step int) string {
	if limit.Sub(start).IsConst(1) && !d.IsConst(1) {
		return indexText(start)
	}
	from, to := indexText(start), indexText(limit)
	if start.IsConst(0) {
		from = ""
	}
	if limit.Equal(d) {
		to = ""
	} else if k, ok := limit.Sub(d).Const(); ok && k < 0 {
		to = "−" + strconv.Itoa(-k)
	}
	text := from + ":" + to
	if step != 1 {
		text += ":" + strconv.Itoa(step)
	}
	return text
}

// number is v as one writes it: short, with − and ∞.
func (n *naming) number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "∞"
	case math.IsInf(v, -1):
		return "−∞"
	}
	// A reciprocal of a whole number is shown as such.
	if r := 1 / v; v != 0 && math.Abs(v) < 1 && r == math.Trunc(r) && math.Abs(r) < 1e6 && len(strconv.FormatFloat(v, 'g', -1, 64)) > 5 {
		return strings.Replace("1/"+strconv.FormatFloat(r, 'g', -1, 64), "1/-", "−1/", 1)
	}
	text := strings.Replace(strconv.FormatFloat(v, 'g', -1, 32), "e-0", "e-", 1)
	return strings.Replace(text, "-", "−", 1)
}

// one is the number that s divides, if it is one.
func one(s *ir.Node) (float64, bool) {
	if len(s.Args) == 0 {
		return 0, false
	}
	return s.Args[0].Literal()
}
