package codegen

import (
	"strings"

	"gradgen.dev/ir"
)

// How tight an expression binds, as in Go.
const (
	bindOr = iota + 1
	bindAnd
	bindCompare
	bindSum
	bindProduct
	bindUnary
)

// tight is text in parentheses, unless it binds at least as tight as level.
func tight(text string, have, level int) string {
	if have < level {
		return "(" + text + ")"
	}
	return text
}

var goInfix = map[string]struct {
	sign string
	bind int
}{
	"add": {" + ", bindSum}, "sub": {" - ", bindSum}, "mul": {"*", bindProduct}, "div": {"/", bindProduct},
	"lt": {" < ", bindCompare}, "le": {" <= ", bindCompare}, "gt": {" > ", bindCompare}, "ge": {" >= ", bindCompare},
	"eq": {" == ", bindCompare}, "ne": {" != ", bindCompare}, "and": {" && ", bindAnd}, "or": {" || ", bindOr},
}

// vec32 and vec64 are the functions of the elementwise ops.
var vec32 = map[string]string{
	"exp": "vec.Exp", "expm1": "vec.Expm1", "log": "vec.Log", "log1p": "vec.Log1p", "sqrt": "vec.Sqrt", "rsqrt": "vec.Rsqrt",
	"tanh": "vec.Tanh", "sigmoid": "vec.Sigmoid", "softplus": "vec.Softplus", "erf": "vec.Erf", "sin": "vec.Sin", "cos": "vec.Cos",
	"tan": "vec.Tan", "asin": "vec.Asin", "acos": "vec.Acos", "atan": "vec.Atan", "atan2": "vec.Atan2", "sinh": "vec.Sinh",
	"cosh": "vec.Cosh", "abs": "vec.Abs", "sign": "vec.Sign", "floor": "vec.Floor", "ceil": "vec.Ceil", "round": "vec.Round",
	"pow": "vec.Pow", "mod": "vec.Mod", "floordiv": "vec.FloorDiv",
}

var vec64 = map[string]string{
	"exp": "math.Exp", "expm1": "math.Expm1", "log": "math.Log", "log1p": "math.Log1p", "sqrt": "math.Sqrt", "rsqrt": "vec.Rsqrt64",
	"tanh": "math.Tanh", "sigmoid": "vec.Sigmoid64", "softplus": "vec.Softplus64", "erf": "math.Erf", "sin": "math.Sin", "cos": "math.Cos",
	"tan": "math.Tan", "asin": "math.Asin", "acos": "math.Acos", "atan": "math.Atan", "atan2": "math.Atan2", "sinh": "math.Sinh",
	"cosh": "math.Cosh", "abs": "math.Abs", "sign": "vec.Sign64", "floor": "math.Floor", "ceil": "math.Ceil", "round": "math.RoundToEven",
	"pow": "math.Pow", "mod": "vec.Mod64", "floordiv": "vec.FloorDiv64",
}

var vecInt = map[string]string{"mod": "vec.ModInt", "floordiv": "vec.FloorDivInt", "abs": "vec.AbsInt", "sign": "vec.SignInt"}

// operation is an elementwise op on operands already printed, as an
// expression; ok is false for those that Go has no expression for (where, max,
// min, conversion of bool).
func operation(n *ir.Node, elem ir.DType, args []string, binds []int) (text string, bind int, ok bool) {
	switch n.Op.Name {
	case "neg":
		x := tight(args[0], binds[0], bindUnary)
		if strings.HasPrefix(x, "-") {
			x = "(" + x + ")" // -- is another sign
		}
		return "-" + x, bindUnary, true
	case "not":
		return "!" + tight(args[0], binds[0], bindUnary), bindUnary, true
	case "isnan":
		return tight(args[0], binds[0], bindCompare+1) + " != " + tight(args[0], binds[0], bindCompare+1), bindCompare, true
	case "where", "max", "min":
		return "", 0, false
	case "cast":
		from := n.Args[0].Type.Elem
		switch {
		case n.Type.Elem == ir.Bool:
			return tight(args[0], binds[0], bindCompare+1) + " != 0", bindCompare, true
		case from == ir.Bool:
			return "", 0, false
		case from == elem:
			return args[0], binds[0], true
		}
		return goType(elem) + "(" + args[0] + ")", bindUnary, true
	}
	if op, found := goInfix[n.Op.Name]; found {
		left, right := op.bind, op.bind+1
		if n.Op.Name == "add" || n.Op.Name == "and" || n.Op.Name == "or" {
			right = op.bind
		}
		return tight(args[0], binds[0], left) + op.sign + tight(args[1], binds[1], right), op.bind, true
	}
	table := vec32
	switch {
	case elem == ir.Float64:
		table = vec64
	case elem.IsInt():
		table = vecInt
	}
	return table[n.Op.Name] + "(" + strings.Join(args, ", ") + ")", bindUnary, true
}

// A scalarExpr prints formulas over scalars.
type scalarExpr struct {
	c     procContext
	loads map[*ir.Node]ir.Access
}

// value is n as an expression of type as, computed in that type throughout.
func (e *scalarExpr) value(n *ir.Node, as ir.DType) (string, int) {
	if a, ok := e.loads[n]; ok {
		return e.load(a, as)
	}
	if v, ok := n.Literal(); ok {
		return literal(v, as), literalBind(v)
	}
	switch n.Op.Name {
	case "spread", "reshape":
		return e.value(n.Args[0], as)
	case "cast":
		from := n.Args[0].Type.Elem
		if from == ir.Bool {
			break
		}
		if n.Type.Elem.IsFloat() && from.IsFloat() {
			if as == ir.Float64 || from == as {
				return e.value(n.Args[0], as)
			}
		}
		text, _ := e.value(n.Args[0], from)
		return converted(text, from, as), bindUnary
	}
	if text, ok := e.c.number(n); ok {
		return e.leaf(n, text, as)
	}
	args, binds := make([]string, len(n.Args)), make([]int, len(n.Args))
	for i, a := range n.Args {
		args[i], binds[i] = e.value(a, operandType(n, a, as))
	}
	if text, bind, ok := operation(n, as, args, binds); ok {
		return text, bind
	}
	return e.call(n, as, args), bindUnary
}

// operandType is the type in which operand a of n is computed, where n is
// computed as the type as: a comparison's operands keep their own.
func operandType(n, a *ir.Node, as ir.DType) ir.DType {
	if a.Type.Elem != n.Type.Elem {
		return a.Type.Elem
	}
	return as
}

// leaf is a number of the environment, converted.
func (e *scalarExpr) leaf(n *ir.Node, text string, as ir.DType) (string, int) {
	if n.Is("size") || n.Is("step") || n.Is("steps") {
		inner := strings.TrimSuffix(strings.TrimPrefix(text, goType(n.Type.Elem)+"("), ")")
		if n.Is("size") && as == ir.Int {
			if strings.ContainsAny(inner, " +-*/") {
				return inner, bindSum
			}
			return inner, bindUnary
		}
		return goType(as) + "(" + inner + ")", bindUnary
	}
	return converted(text, n.Type.Elem, as), bindUnary
}

func (e *scalarExpr) load(a ir.Access, as ir.DType) (string, int) {
	text := e.c.buffer(a.Buffer)
	if !e.c.isScalar(a.Buffer) {
		text += "[" + e.offset(a) + "]"
	}
	return converted(text, typeOf(a.Buffer), as), bindUnary
}

// offset is where a scalar lies, with what is read from memory.
func (e *scalarExpr) offset(a ir.Access) string {
	at := position(e.c, a.Offset, nil, nil)
	for _, i := range a.Index {
		index, _ := e.load(i.At, i.At.Buffer.Type.Elem)
		term := indexText(index, i.At.Buffer.Type.Elem)
		if !i.Stride.IsConst(1) {
			term = factorText(e.c.dim(i.Stride)) + "*" + term
		}
		if at == "0" {
			at = term
		} else {
			at += "+" + term
		}
	}
	return at
}

// call is a choice between scalars, as a call of the runtime.
func (e *scalarExpr) call(n *ir.Node, as ir.DType, args []string) string {
	switch n.Op.Name {
	case "cast":
		return "vec.Truth[" + goType(as) + "](" + args[0] + ")"
	case "where":
		return "vec.Where(" + args[0] + ", " + converted2(args[1], n.Args[1], as) + ", " + args[2] + ")"
	case "max":
		return "vec.Max(" + converted2(args[0], n.Args[0], as) + ", " + args[1] + ")"
	}
	return "vec.Min(" + converted2(args[0], n.Args[0], as) + ", " + args[1] + ")"
}

// converted2 gives a literal its type.
func converted2(text string, n *ir.Node, as ir.DType) string {
	if n.IsConstant() && as != ir.Bool {
		return goType(as) + "(" + text + ")"
	}
	return text
}

func literalBind(v float64) int {
	if v < 0 {
		return bindUnary - 1
	}
	return bindUnary
}
