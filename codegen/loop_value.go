package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// longExpression is how long an expression may grow before it gets a variable.
const longExpression = 56

// compute makes n known: as a local variable where it is used more than once
// or Go has no expression for it, else as an expression.
func (p *loopPrinter) compute(n *ir.Node, variable bool) {
	delete(p.pending, n)
	text, bind, ok := p.expression(n)
	switch {
	case !ok:
		text = p.choose(n)
		bind = bindUnary
	case variable || len(text) > longExpression:
		name := p.local(p.nameOf(n))
		if n.IsConstant() {
			text = converted(text, ir.Bool, n.Type.Elem)
		}
		p.b.stmt("%s := %s", name, text)
		text, bind = name, bindUnary
	}
	p.vars[n], p.binds[n] = text, bind
}

// nameOf is the local that n would like.
func (p *loopPrinter) nameOf(n *ir.Node) string {
	if name := p.l.Names[n]; name != "" {
		return name
	}
	switch n.Op.Name {
	case "argmax", "argmin":
		return "top"
	case "pick":
		return "chosen"
	case "cast":
		return "hit"
	case "exp":
		return "e"
	case "sub":
		return "d"
	case "sum":
		return "total"
	case "prod":
		return "product"
	case "reduce_max":
		return "most"
	case "reduce_min":
		return "least"
	case "mul", "div":
		return "u"
	}
	return "v"
}

// value is n as an expression of its type.
func (p *loopPrinter) value(n *ir.Node) (string, int) {
	if text, ok := p.vars[n]; ok {
		return text, p.binds[n]
	}
	if v, ok := n.Literal(); ok {
		return literal(v, n.Type.Elem), literalBind(v)
	}
	if p.inMemory(n) {
		return p.load(n, p.l.Loads[n]), bindUnary
	}
	switch n.Op.Name {
	case "spread", "reshape":
		return p.value(n.Args[0])
	}
	text, bind, ok := p.expression(n)
	if !ok {
		text, bind = p.choose(n), bindUnary
		p.vars[n], p.binds[n] = text, bind
		if !p.inRow {
			p.vars[n] = text
		}
	}
	return text, bind
}

// inMemory reports whether n is read from memory.
func (p *loopPrinter) inMemory(n *ir.Node) bool {
	_, ok := p.l.Loads[n]
	return ok && (!p.pending[n] || p.l.Copied[n])
}

// expression is n's own operation; ok is false where it needs statements.
func (p *loopPrinter) expression(n *ir.Node) (text string, bind int, ok bool) {
	switch n.Op.Class {
	case ir.View, ir.Index:
		if a, found := p.l.Loads[n]; found && !(n.Is("spread") && p.storedAt(n, a)) {
			return p.load(n, a), bindUnary, true
		}
		text, bind = p.value(n.Args[0])
		return text, bind, true
	case ir.Random:
		return p.draw(n), bindUnary, true
	case ir.Leaf:
		if n.Is("iota") {
			return converted(p.axisIndex(n.Attr.Axis), ir.Bool, n.Type.Elem), bindUnary, true
		}
		text, _ = p.c.number(n)
		return text, bindUnary, true
	}
	if p.adjusted(n) {
		return "", 0, false
	}
	if text, ok := p.indexComparison(n); ok {
		return text, bindCompare, true
	}
	if n.Is("where") || n.Is("max") || n.Is("min") || n.Is("cast") && n.Args[0].Type.Elem == ir.Bool {
		return "", 0, false
	}
	args, binds := make([]string, len(n.Args)), make([]int, len(n.Args))
	for i, a := range n.Args {
		args[i], binds[i] = p.value(a)
	}
	return operation(n, n.Type.Elem, args, binds)
}

// storedAt reports whether a is where the loop itself stores n.
func (p *loopPrinter) storedAt(n *ir.Node, a ir.Access) bool {
	return slices.ContainsFunc(p.l.Stores, func(s ir.Store) bool {
		return s.Node == n && s.To.Buffer == a.Buffer && s.To.Offset.Equal(a.Offset) && ir.Shape(s.To.Strides).Equal(a.Strides)
	})
}

// indexComparison compares an index of the loop with an integer: as int, which
// needs no conversion of the index.
func (p *loopPrinter) indexComparison(n *ir.Node) (string, bool) {
	sign, ok := goInfix[n.Op.Name]
	if !ok || sign.bind != bindCompare || !n.Args[0].Type.Elem.IsInt() {
		return "", false
	}
	var sides [2]string
	found := false
	for i, a := range n.Args {
		text, isIndex := p.asInt(a)
		found = found || isIndex
		sides[i] = text
	}
	return sides[0] + sign.sign + sides[1], found
}

// asInt is an integer value as an int; isIndex where it is an index of the
// loop, or one with a number added.
func (p *loopPrinter) asInt(a *ir.Node) (text string, isIndex bool) {
	switch {
	case a.Is("cast") && a.Type.Elem != ir.Int32 && a.Args[0].Is("iota"):
		return p.asInt(a.Args[0])
	case a.Is("iota"):
		return p.axisIndex(a.Attr.Axis), true
	case a.Is("add") && a.Args[0].Is("iota"):
		if v, ok := a.Args[1].Literal(); ok && p.axisIndex(a.Args[0].Attr.Axis) != "0" {
			return p.axisIndex(a.Args[0].Attr.Axis) + "+" + literal(v, ir.Int64), true
		}
	case a.IsConstant():
		v, _ := a.Literal()
		return literal(v, ir.Int64), false
	}
	text, _ = p.value(a)
	return indexText(text, a.Type.Elem), false
}

// axisIndex is the loop variable of an axis of the domain.
func (p *loopPrinter) axisIndex(axis int) string {
	for i, f := range p.from {
		if f[0] == axis {
			return p.axes[i].index
		}
	}
	return "0"
}

// draw is one number of a random node, at the element's index in row-major
// order.
func (p *loopPrinter) draw(n *ir.Node) string {
	at := position(p.c, ir.Dim{}, p.strides(ir.Access{Strides: gapless(n.Type.Shape)}), p.indices())
	name := map[string]string{"uniform": "Uniform", "normal": "Normal"}[n.Op.Name]
	bits := "32"
	if n.Type.Elem == ir.Float64 {
		bits = "64"
	}
	return fmt.Sprintf("rng.%s%s(%s, uint64(%s))", name, bits, p.keys[n], at)
}

// adjusted reports whether n adds a truth value to a number, or subtracts it:
// x − [c] is x, less 1 where c holds. What is in memory is a number.
func (p *loopPrinter) adjusted(n *ir.Node) bool {
	if !n.Is("add") && !n.Is("sub") || !isTruth(n.Args[1]) {
		return false
	}
	_, loaded := p.l.Loads[n.Args[1]]
	return !loaded || p.pending[n.Args[1]] && !p.l.Copied[n.Args[1]]
}

// onlyAdjusts reports whether all that reads the truth value n is sums and
// differences that it adjusts.
func (p *loopPrinter) onlyAdjusts(n *ir.Node) bool {
	found := false
	for _, pass := range p.l.Passes {
		if slices.Contains(pass.Reduces, n) {
			return false
		}
		for _, m := range slices.Concat(pass.Scalars, pass.Elements, pass.Reduces) {
			for i, a := range m.Args {
				direct := a == n
				for a.Op.Class == ir.View && a != n {
					a = a.Args[0]
				}
				switch {
				case a != n:
				case direct && i == 1 && p.adjusted(m):
					found = true
				default:
					return false
				}
			}
		}
	}
	stored := func(s ir.Store) bool { return s.Node == n }
	folded := func(f ir.Fold) bool { return f.Node == n }
	return found && !slices.ContainsFunc(p.l.Stores, stored) && !slices.ContainsFunc(p.l.Folds, folded)
}

func isTruth(n *ir.Node) bool { return n.Is("cast") && n.Args[0].Type.Elem == ir.Bool }

// choose prints statements that compute n, and returns the variable.
func (p *loopPrinter) choose(n *ir.Node) string {
	name := p.local(p.nameOf(n))
	declare := func(x *ir.Node) {
		text, _ := p.value(x)
		typed := strings.HasPrefix(text, goType(x.Type.Elem)+"(") || strings.HasPrefix(text, "math.") && x.Type.Elem == ir.Float64
		if x.IsConstant() && x.Type.Elem != ir.Bool && !typed {
			text = goType(x.Type.Elem) + "(" + text + ")"
		}
		p.b.stmt("%s := %s", name, text)
	}
	switch {
	case p.adjusted(n):
		declare(n.Args[0])
		cond, _ := p.value(n.Args[1].Args[0])
		sign := map[bool]string{true: "++", false: "--"}[n.Is("add")]
		p.b.block("if "+cond, func() { p.b.stmt("%s%s", name, sign) })
	case n.Is("where"):
		p.where(n, name, declare)
	case n.Is("cast"):
		p.b.stmt("%s := %s", name, goType(n.Type.Elem)+"(0)")
		cond, _ := p.value(n.Args[0])
		p.b.block("if "+cond, func() { p.b.stmt("%s = 1", name) })
	default:
		p.extreme(n, name, declare)
	}
	return name
}

// where prints a choice. What the chosen side needs is computed before, as
// both sides are values of the program.
func (p *loopPrinter) where(n *ir.Node, name string, declare func(*ir.Node)) {
	cond, _ := p.value(n.Args[0])
	text, _ := p.value(n.Args[1])
	declare(n.Args[2])
	p.b.block("if "+cond, func() { p.b.stmt("%s = %s", name, text) })
}

// extreme prints max or min; a NaN on either side is the result.
func (p *loopPrinter) extreme(n *ir.Node, name string, declare func(*ir.Node)) {
	a, b := n.Args[0], n.Args[1]
	if a.IsConstant() {
		a, b = b, a
	}
	declare(a)
	sign := map[bool]string{true: " < ", false: " > "}[n.Is("max")]
	other, bind := p.value(b)
	cond := name + sign + other
	if !b.IsConstant() && n.Type.Elem.IsFloat() {
		if !isName(other) {
			v := p.local("other")
			p.b.stmt("%s := %s", v, tight(other, bind, bindOr))
			other, cond = v, name+sign+v
		}
		cond += " || " + other + " != " + other
		p.tellNaN()
	}
	p.b.block("if "+cond, func() { p.b.stmt("%s = %s", name, other) })
}

// load is a value in memory.
func (p *loopPrinter) load(n *ir.Node, a ir.Access) string {
	if p.c.isScalar(a.Buffer) {
		return converted(p.c.buffer(a.Buffer), typeOf(a.Buffer), n.Type.Elem)
	}
	if n.Is("pick") && len(a.Index) > 0 {
		return p.pick(n, a)
	}
	return p.element(a) // a pick without an index is in memory itself
}

// pick is one element of a row, cut out so that an index outside of the row
// panics and does not read another one.
func (p *loopPrinter) pick(n *ir.Node, a ir.Access) string {
	row := a
	row.Index = nil
	width := n.Args[0].Type.Shape[n.Args[0].Type.Rank()-1]
	text := p.c.buffer(a.Buffer)
	if at := p.at(row); at != "0" {
		text += "[" + at + ":]"
	}
	index := indexText(p.element(a.Index[0].At), a.Index[0].At.Buffer.Type.Elem)
	if !a.Index[0].Stride.IsConst(1) {
		return p.element(a)
	}
	return text + "[:" + p.c.dim(width) + "][" + index + "]"
}

// element is the expression for an access at the present indices.
func (p *loopPrinter) element(a ir.Access) string {
	key, kind := p.rowKey(a)
	if text, ok := p.rows[key]; ok && !p.inRow {
		if kind == "row" {
			return text + "[" + p.axes[len(p.axes)-1].index + "]"
		}
		return text
	}
	if p.c.isScalar(a.Buffer) {
		return p.c.buffer(a.Buffer)
	}
	return p.c.buffer(a.Buffer) + "[" + p.at(a) + "]"
}

// at is the position of an access.
func (p *loopPrinter) at(a ir.Access) string {
	text := position(p.c, a.Offset, p.strides(a), p.indices())
	for _, i := range a.Index {
		term := indexText(p.element(i.At), i.At.Buffer.Type.Elem)
		if !i.Stride.IsConst(1) {
			term = factorText(p.c.dim(i.Stride)) + "*" + term
		}
		if text == "0" {
			text = term
		} else {
			text += "+" + term
		}
	}
	return text
}

// rowKey says how an access looks from inside the row: a slice that the inner
// loop runs through ("row"), one number ("one"), or neither ("").
func (p *loopPrinter) rowKey(a ir.Access) (rowKey, string) {
	strides := p.strides(a)
	kind := ""
	inner := strides[p.outer:]
	switch {
	case len(a.Index) > 0 && !p.indexFixed(a):
	case len(p.axes) == p.outer || allZero(inner):
		kind = "one"
	case inner[len(inner)-1].IsConst(1) && allZero(inner[:len(inner)-1]) && p.axes[len(p.axes)-1].index != "0":
		kind = "row"
	}
	key := rowKey{buffer: p.c.buffer(a.Buffer), offset: a.Offset.String(), strides: kind, index: ir.Shape(strides).String()}
	for _, i := range a.Index {
		k, _ := p.rowKey(i.At)
		key.index += fmt.Sprint(k, i.Stride)
	}
	return key, kind
}

// indexFixed reports whether what indexes a is the same all along the row.
func (p *loopPrinter) indexFixed(a ir.Access) bool {
	for _, i := range a.Index {
		if !allZero(p.strides(i.At)[p.outer:]) {
			return false
		}
	}
	return true
}

func allZero(dims []ir.Dim) bool {
	for _, d := range dims {
		if !d.IsConst(0) {
			return false
		}
	}
	return true
}

// hoist cuts rows out of what the inner loop reads and writes, and reads what
// does not change along the row once.
func (p *loopPrinter) hoist(pass ir.Pass) {
	if p.outer == len(p.axes) || p.outer == 0 {
		return
	}
	for _, n := range p.readBy(pass) {
		p.hoistAccess(p.l.Loads[n], n)
	}
	for _, s := range p.l.Stores {
		if s.Pass == p.pass && !s.Row {
			p.hoistAccess(s.To, nil)
		}
	}
	for _, f := range p.l.Folds {
		if f.Pass == p.pass && !f.Row {
			p.hoistAccess(f.To, nil)
		}
	}
}

// readBy is the loads of a pass, in order of appearance.
func (p *loopPrinter) readBy(pass ir.Pass) []*ir.Node {
	var out []*ir.Node
	seen := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if _, known := p.vars[n]; known {
			return
		}
		if _, ok := p.l.Loads[n]; ok && !p.pending[n] {
			out = append(out, n)
			return
		}
		for _, a := range n.Args {
			visit(a)
		}
	}
	for _, n := range pass.Elements {
		if _, loaded := p.l.Loads[n]; loaded && n.Op.Class == ir.View {
			out = append(out, n)
			continue
		}
		for _, a := range n.Args {
			visit(a)
		}
	}
	for _, n := range pass.Reduces {
		visit(n.Args[0])
	}
	for _, f := range p.l.Folds {
		if f.Pass == p.pass && !f.Row {
			visit(f.Node)
		}
	}
	for _, s := range p.l.Stores {
		if s.Pass == p.pass && !s.Row {
			visit(s.Node)
		}
	}
	return out
}

// extents is those of the loops.
func (p *loopPrinter) extents() []ir.Dim {
	out := make([]ir.Dim, len(p.axes))
	for i, a := range p.axes {
		out[i] = a.extent
	}
	return out
}

func (p *loopPrinter) hoistAccess(a ir.Access, n *ir.Node) {
	if p.c.isScalar(a.Buffer) {
		return
	}
	for _, i := range a.Index {
		p.hoistAccess(i.At, nil)
	}
	key, kind := p.rowKey(a)
	if _, done := p.rows[key]; done {
		return
	}
	switch kind {
	case "row":
		p.rows[key] = p.cut(a)
	case "one":
		if n == nil {
			return // written, or read as part of an index
		}
		name := p.local(p.c.buffer(a.Buffer) + "Of" + strings.ToUpper(p.axes[max(p.outer-1, 0)].index))
		p.b.stmt("%s := %s[%s]", name, p.c.buffer(a.Buffer), p.at(a))
		p.rows[key] = name
	}
}

// cut is a slice of the row that a runs through. Rows of constant width are
// array pointers, which need no bounds checks.
func (p *loopPrinter) cut(a ir.Access) string {
	buffer := p.c.buffer(a.Buffer)
	width := p.axes[len(p.axes)-1].extent
	at := position(p.c, a.Offset, p.strides(a)[:p.outer], p.indices()[:p.outer])
	for _, i := range a.Index {
		term := indexText(p.element(i.At), i.At.Buffer.Type.Elem)
		if !i.Stride.IsConst(1) {
			term = factorText(p.c.dim(i.Stride)) + "*" + term
		}
		if at == "0" {
			at = term
		} else {
			at += "+" + term
		}
	}
	if at == "0" && a.Buffer.Type.Shape.Size().Equal(width) {
		return buffer
	}
	if len(a.Index) == 0 && outside(a.Buffer, a.Offset, p.strides(a)[:p.outer], p.extents()[:p.outer]) {
		at = "min(" + at + ", len(" + buffer + "))"
		p.c.tell(p.b, emptyTold)
	}
	name := p.local(buffer + "Row")
	if _, ok := width.Const(); ok {
		if at != "0" {
			buffer += "[" + at + ":]"
		}
		p.b.stmt("%s := (*[%s]%s)(%s)", name, p.c.dim(width), goType(a.Buffer.Type.Elem), buffer)
		return name
	}
	if at == "0" {
		p.b.stmt("%s := %s[:%s]", name, buffer, p.c.dim(width))
		return name
	}
	p.b.stmt("%s := %s[%s:][:%s]", name, buffer, at, p.c.dim(width))
	return name
}
