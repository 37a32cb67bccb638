package dsl

import (
	"gradgen.dev/ir"
)

// evalUnary is -x or !x.
func (e *elaborator) evalUnary(sc *scope, x *Unary) value {
	v := e.eval(sc, x.X)
	if l, ok := v.(list); ok {
		n, ok := e.tensorOf(sc, x.X, l)
		if !ok {
			return poison{}
		}
		v = tensor{n}
	}
	switch v := v.(type) {
	case poison:
		return v
	case truth:
		if x.Op == "!" {
			return !v
		}
	case number:
		if x.Op == "-" && !v.logical {
			return arithmetic(e.g, "-", integer(0), v, e.facts).negated(v)
		}
		if x.Op == "!" && v.logical {
			return combine(e.g, "not", func() (number, bool) { return logical(v.val == 0), v.fixed }, v)
		}
	case tensor:
		isBool := v.node.Type.Elem == ir.Bool
		if x.Op == "-" && !isBool {
			return tensor{e.g.Map("neg", v.node)}
		}
		if x.Op == "!" && isBool {
			return tensor{e.g.Map("not", v.node)}
		}
	}
	want := "a bool"
	if x.Op == "-" {
		want = "numbers"
	}
	return e.fail(sc, x, "type", "%s is %s, want %s after %s", excerptOf(x.X, "this"), typeText(v), want, x.Op)
}

// negated puts right what 0 − x loses: the sign of a zero.
func (n number) negated(of number) number {
	if n.fixed && n.val == 0 && of.fixed {
		n.val = -of.val
	}
	return n
}

// typeText is the type of a tensor, else the kind of the value.
func typeText(v value) string {
	if t, ok := v.(tensor); ok {
		return t.node.Type.String()
	}
	return v.what()
}

// evalBinary is x op y.
func (e *elaborator) evalBinary(sc *scope, x *Binary) value {
	a := e.eval(sc, x.X)
	if t, ok := a.(truth); ok && (x.Op == "&&" && !bool(t) || x.Op == "||" && bool(t)) {
		return t
	}
	b := e.eval(sc, x.Y)
	if isPoison(a, b) {
		return poison{}
	}
	op := operation{sc: sc, at: x, op: x.Op, x: sc.operand(x.X), y: sc.operand(x.Y), a: a, b: b}
	if x.OpSpan.IsValid() {
		op.point = x.OpSpan
	}
	if x.Op == "@" {
		return e.matmul(op)
	}
	return e.binary(op)
}

// operand is an operand as the user wrote it.
func (sc *scope) operand(x Expr) Expr { return sc.asWritten(x).(Expr) }

// An operation is an operator or an elementwise function between two values.
type operation struct {
	sc    *scope
	at    Node
	point Node // where the caret goes, nil for the start
	op    string
	x, y  Expr // operands as written
	a, b  value
}

// fail reports what is wrong with the operation.
func (e *elaborator) failOperation(o operation, code, format string, args ...any) value {
	d := errorAt(o.at, format, args...).code(code)
	if o.point != nil {
		d.at(o.point)
	}
	e.failWith(o.sc, o.at, e.explain(o.sc, d, o.x, o.y))
	return poison{}
}

// binary computes with numbers, with bools or with tensors.
func (e *elaborator) binary(o operation) value {
	if v := e.binaryStatic(o); v != nil {
		return v
	}
	elem, v := e.commonElem(o)
	if v != nil {
		return v
	}
	if v := e.checkOperand(o, elem); v != nil {
		return v
	}
	a, okA := e.nodeOf(o.sc, o.x, o.a, elem)
	b, okB := e.nodeOf(o.sc, o.y, o.b, elem)
	if !okA || !okB {
		return poison{}
	}
	name := opNames[o.op]
	if name == "" {
		name = o.op
	}
	if v := e.intPower(o, a, elem); v != nil {
		return v
	}
	shape, at, ok := broadcastShapes(a.Type.Shape, b.Type.Shape, e.facts)
	if !ok {
		return e.failOperation(o, "shapes", "cannot %s %s and %s: %s", verbOf(o.op), shownIn(o.x, a, "the left operand"), shownIn(o.y, b, "the right operand"), at)
	}
	return tensor{e.g.Map(name, e.broadcast(a, shape), e.broadcast(b, shape))}
}

// shownIn is shown for a node.
func shownIn(x Node, n *ir.Node, otherwise string) string { return shown(x, tensor{n}, otherwise) }

// verbOf is what an operator does to its operands.
func verbOf(op string) string {
	switch op {
	case "+":
		return "add"
	case "-":
		return "subtract"
	case "*":
		return "multiply element by element"
	case "/", "%", "floordiv", "mod":
		return "divide"
	case "^", "pow":
		return "raise to a power"
	case "&&", "||":
		return "combine"
	case "<", "<=", ">", ">=", "==", "!=":
		return "compare"
	}
	return "apply " + op + " to"
}

// binaryStatic computes what no tensor takes part in; nil where one does.
func (e *elaborator) binaryStatic(o operation) value {
	// Strings and bools can be compared, bools combined.
	if a, ok := o.a.(text); ok {
		b, ok := o.b.(text)
		if ok && (o.op == "==" || o.op == "!=") {
			return truth((a == b) == (o.op == "=="))
		}
		return e.failOperation(o, "type", "cannot %s a string and %s", verbOf(o.op), o.b.what())
	}
	a, okA := asNumber(o.a)
	b, okB := asNumber(o.b)
	if !okA || !okB {
		return nil
	}
	if a.logical || b.logical {
		return e.binaryLogical(o, a, b)
	}
	switch o.op {
	case "+", "-", "*", "/", "%", "^":
		return arithmetic(e.g, o.op, a, b, e.facts)
	case "<", "<=", ">", ">=", "==", "!=":
		return compare(e.g, o.op, a, b)
	case "&&", "||":
		return e.failOperation(o, "type", "%s combines bools, not numbers", o.op)
	}
	return e.numberFunction(o.op, a, b)
}

// asNumber is a number, or a truth as one.
func asNumber(v value) (number, bool) {
	switch v := v.(type) {
	case number:
		return v, true
	case truth:
		return logical(bool(v)), true
	}
	return number{}, false
}

// binaryLogical combines and compares bools.
func (e *elaborator) binaryLogical(o operation, a, b number) value {
	name := opNames[o.op]
	ok := o.op == "&&" || o.op == "||" || o.op == "==" || o.op == "!="
	if !ok || !a.logical || !b.logical {
		return e.failOperation(o, "type", "cannot %s %s and %s", verbOf(o.op), a.what(), b.what())
	}
	n := combine(e.g, name, func() (number, bool) {
		return logical(ir.Ops[name].Fn([]float64{a.val, b.val}) != 0), a.fixed && b.fixed
	}, a, b)
	if n.node == nil {
		return truth(n.val != 0)
	}
	return n
}

// commonElem is the element type that both operands of o get.
func (e *elaborator) commonElem(o operation) (ir.DType, value) {
	a, okA := elemOf(o.a)
	b, okB := elemOf(o.b)
	switch {
	case okA && okB && a != b:
		if a.IsInt() && b.IsInt() {
			return ir.Int64, nil
		}
		if o.op == "&&" || o.op == "||" {
			if a == ir.Bool {
				a = b
			}
			return 0, e.failOperation(o, "type", "%s combines bools, not %v", o.op, a)
		}
		return 0, e.failOperation(o, "element-type", "%s is of type %v and %s of type %v: they do not mix; %v(…) converts",
			excerptOf(o.x, "the left operand"), a, excerptOf(o.y, "the right operand"), b, floatOf(a, b))
	case okA && isComparison(o.op):
		return besideInts(o.b, a), nil
	case okB && isComparison(o.op):
		return besideInts(o.a, b), nil
	case okA:
		return a, nil
	case okB:
		return b, nil
	}
	return e.elem, nil
}

// isComparison reports whether an operator compares.
func isComparison(op string) bool {
	switch op {
	case "<", "<=", ">", ">=", "==", "!=":
		return true
	}
	return false
}

// floatOf is the type that a conversion of two that differ would go to.
func floatOf(a, b ir.DType) ir.DType {
	if a.IsFloat() {
		return a
	}
	if b.IsFloat() {
		return b
	}
	return max(a, ir.Int32)
}

// elemOf is the element type of a tensor, a list with tensors, or a bool.
func elemOf(v value) (ir.DType, bool) {
	switch v := v.(type) {
	case tensor:
		return v.node.Type.Elem, true
	case list:
		return elemOfList(v)
	case truth:
		return ir.Bool, true
	case number:
		return ir.Bool, v.logical
	}
	return 0, false
}

// checkOperand reports an element type that the operator does not take.
func (e *elaborator) checkOperand(o operation, elem ir.DType) value {
	switch o.op {
	case "&&", "||":
		if elem != ir.Bool {
			return e.failOperation(o, "type", "%s combines bools, not %v", o.op, elem)
		}
		return nil
	case "==", "!=":
		return nil
	}
	switch {
	case elem == ir.Bool:
		return e.failOperation(o, "element-type", "cannot %s bools; float(x) and int32(x) convert them", verbOf(o.op))
	case elem.IsInt() && o.op == "/":
		return e.failOperation(o, "integer-division", "/ is real division and these are integers: write floordiv(%s, %s), or convert with float(x)",
			excerptOf(o.x, "a"), excerptOf(o.y, "b"))
	case elem.IsInt() && (o.op == "pow" || o.op == "atan2"):
		return e.failOperation(o, "element-type", "%s wants floating numbers, not %v; float(x) converts", o.op, elem)
	}
	return nil
}

// intPower is a power of integers: a product, where the exponent is a small
// literal; nil of anything else.
func (e *elaborator) intPower(o operation, a *ir.Node, elem ir.DType) value {
	if o.op != "^" || !elem.IsInt() {
		return nil
	}
	n, ok := o.b.(number)
	k, constant := n.dim.Const()
	if !ok || !n.whole || n.node != nil || !constant || k < 1 || k > 8 {
		return e.failOperation(o, "element-type", "the exponent of an integer is a literal from 1 to 8; float(x) converts")
	}
	out := a
	for range k - 1 {
		out = e.g.Map("mul", out, a)
	}
	return tensor{out}
}

// numberFunction is an op of the table, by its name, on numbers.
func (e *elaborator) numberFunction(op string, ns ...number) value {
	return countOf(e.g, op, combine(e.g, op, func() (number, bool) { return foldFunction(op, ns) }, ns...), ns...)
}

// foldFunction is the compile-time reading of an op on numbers: exact of
// integers where the op keeps them.
func foldFunction(op string, ns []number) (number, bool) {
	if len(ns) == 2 && ns[0].whole && ns[1].whole {
		operator := map[string]string{"floordiv": "/", "mod": "%"}[op]
		if d, ok := dimArithmetic(operator, ns[0].dim, ns[1].dim); ok {
			return whole(d), true
		}
	}
	x := make([]float64, len(ns))
	integers := true
	for i, n := range ns {
		v, ok := n.known()
		if !ok {
			return number{}, false
		}
		x[i] = v
		integers = integers && n.whole
	}
	v := ir.Ops[op].Fn(x)
	switch op {
	case "abs", "sign", "max", "min", "floor", "ceil", "round":
		if integers || op == "floor" || op == "ceil" || op == "round" {
			if d, ok := decimal(v).extent(); ok {
				return whole(d), true
			}
		}
	}
	return decimal(v), true
}

// evalTranspose is x'.
func (e *elaborator) evalTranspose(sc *scope, x *Transpose) value {
	v := e.eval(sc, x.X)
	if isPoison(v) {
		return v
	}
	n, ok := e.tensorOf(sc, x.X, v)
	if !ok {
		return poison{}
	}
	r := n.Type.Rank()
	if r < 2 {
		return e.fail(sc, x, "rank", "%s has no two dimensions for ' to exchange", shownIn(x.X, n, "this"))
	}
	order := axesFrom(0, r)
	order[r-2], order[r-1] = r-1, r-2
	return tensor{e.g.Transpose(n, order)}
}
