package ir

import "math"

// The elementwise ops. A derivative goes through the result y where that is
// cheaper.
func init() {
	register(
		mapOp("neg", "−a", each(func(x float64) float64 { return -x }), "-dy").typed(sameNumber),
		mapOp("exp", "e^a", each(math.Exp), "dy * y"),
		mapOp("expm1", "e^a − 1", each(math.Expm1), "dy * (y + 1)"),
		mapOp("log", "natural logarithm", each(math.Log), "dy / a").on(0.2, 3),
		mapOp("log1p", "log(1 + a)", each(math.Log1p), "dy / (1 + a)").on(-0.7, 3),
		mapOp("sqrt", "square root", each(math.Sqrt), "dy / (2 * y)").on(0.2, 3),
		mapOp("rsqrt", "1/√a", each(func(x float64) float64 { return 1 / math.Sqrt(x) }), "-0.5 * dy * y * y * y").on(0.2, 3),
		mapOp("tanh", "hyperbolic tangent", each(math.Tanh), "dy * (1 - y * y)"),
		mapOp("sigmoid", "1/(1 + e^−a)", each(sigmoid), "dy * y * (1 - y)"),
		mapOp("softplus", "log(1 + e^a)", each(softplus), "dy * sigmoid(a)"),
		mapOp("erf", "error function", each(math.Erf), "dy * 1.1283791670955126 * exp(-(a * a))"),
		mapOp("sin", "sine", each(math.Sin), "dy * cos(a)"),
		mapOp("cos", "cosine", each(math.Cos), "-(dy * sin(a))"),
		mapOp("tan", "tangent", each(math.Tan), "dy * (1 + y * y)").on(-1, 1),
		mapOp("asin", "inverse sine", each(math.Asin), "dy * rsqrt(1 - a * a)").on(-0.8, 0.8),
		mapOp("acos", "inverse cosine", each(math.Acos), "-(dy * rsqrt(1 - a * a))").on(-0.8, 0.8),
		mapOp("atan", "inverse tangent", each(math.Atan), "dy / (1 + a * a)"),
		mapOp("sinh", "hyperbolic sine", each(math.Sinh), "dy * cosh(a)"),
		mapOp("cosh", "hyperbolic cosine", each(math.Cosh), "dy * sinh(a)"),
		mapOp("abs", "absolute value", each(math.Abs), "dy * sign(a)").typed(sameNumber),
		mapOp("sign", "−1, 0 or 1", each(sign)).typed(sameNumber),
		mapOp("floor", "largest integer ≤ a", each(math.Floor)),
		mapOp("ceil", "smallest integer ≥ a", each(math.Ceil)),
		mapOp("round", "nearest integer, halves to even", each(math.RoundToEven)),

		mapOp("add", "a + b", func(x []float64) float64 { return x[0] + x[1] }, "dy", "dy").typed(sameNumber).commuting(),
		mapOp("sub", "a − b", func(x []float64) float64 { return x[0] - x[1] }, "dy", "-dy").typed(sameNumber),
		mapOp("mul", "a · b", func(x []float64) float64 { return x[0] * x[1] }, "dy * b", "dy * a").typed(sameNumber).commuting(),
		mapOp("div", "a / b", func(x []float64) float64 { return x[0] / x[1] }, "dy / b", "-(dy * y / b)").on(0.4, 2),
		mapOp("pow", "a^b", func(x []float64) float64 { return math.Pow(x[0], x[1]) },
			"dy * b * pow(where(b == 0, where(a == 0, 1, a), a), b - 1)",
			"where(a == 0, 0, dy * y * log(where(a == 0, 1, a)))").on(0.3, 2),
		mapOp("atan2", "angle of (b, a)", func(x []float64) float64 { return math.Atan2(x[0], x[1]) },
			"dy * b / (a * a + b * b)", "-(dy * a / (a * a + b * b))").on(0.3, 2),
		mapOp("mod", "a − b·⌊a/b⌋", func(x []float64) float64 { return x[0] - x[1]*math.Floor(x[0]/x[1]) },
			"dy", "-(dy * floor(a / b))").typed(sameNumber).on(0.3, 0.9),
		mapOp("floordiv", "⌊a/b⌋", func(x []float64) float64 { return math.Floor(x[0] / x[1]) }).typed(sameNumber).operands(2),
		extreme("max", "the larger of a and b; NaN where one is", func(a, b float64) bool { return a > b }, "gt"),
		extreme("min", "the smaller of a and b; NaN where one is", func(a, b float64) bool { return a < b }, "lt"),

		compare("lt", "a < b", func(a, b float64) bool { return a < b }),
		compare("le", "a ≤ b", func(a, b float64) bool { return a <= b }),
		compare("gt", "a > b", func(a, b float64) bool { return a > b }),
		compare("ge", "a ≥ b", func(a, b float64) bool { return a >= b }),
		compare("eq", "a = b", func(a, b float64) bool { return a == b }).commuting().with("within"),
		compare("ne", "a ≠ b", func(a, b float64) bool { return a != b }).commuting(),
		compare("isnan", "a is not a number", func(a, _ float64) bool { return a != a }).operands(1),
		compare("and", "a and b", func(a, b float64) bool { return a != 0 && b != 0 }).typed(logical).commuting(),
		compare("or", "a or b", func(a, b float64) bool { return a != 0 || b != 0 }).typed(logical).commuting(),
		compare("not", "not a", func(a, _ float64) bool { return a == 0 }).typed(logical).operands(1),

		whereOp(), castOp(),
	)
}

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// compare is a row that gives bool and has no derivative.
func compare(name, doc string, holds func(a, b float64) bool) *Op {
	return &Op{Name: name, Class: Map, Arity: 2, Doc: doc, Shape: comparison, Fn: func(x []float64) float64 {
		return truth(holds(x[0], x[len(x)-1]))
	}}
}

// extreme is max or min. Against a constant the derivative is that of the
// result (none at a tie); of two tensors each has half at a tie.
func extreme(name, doc string, before func(a, b float64) bool, cmp string) *Op {
	toA := "where(" + cmp + "(a, b), dy, where(a == b, 0.5 * dy, 0))"
	toB := "where(" + cmp + "(b, a), dy, where(a == b, 0.5 * dy, 0))"
	op := &Op{Name: name, Class: Map, Arity: 2, Doc: doc, Shape: sameNumber, Commutes: true, Rules: []string{toA, toB}}
	op.Fn = func(x []float64) float64 {
		if x[0] != x[0] || before(x[0], x[1]) {
			return x[0]
		}
		return x[1]
	}
	op.VJP = func(g *Graph, n, dy *Node, arg int) *Node {
		env := map[string]*Node{"a": n.Args[0], "b": n.Args[1], "y": n, "dy": dy}
		rule := op.Rules[arg]
		if other := n.Args[1-arg]; other.IsConstant() {
			env["c"] = other
			rule = "where(" + cmp + "(y, c), dy, 0)"
		}
		out, err := g.Formula(rule, env, dy.Type)
		if err != nil {
			panic("ir: derivative of " + name + ": " + err.Error())
		}
		return out
	}
	return op
}

// IsConstant reports whether n is a literal, spread or not.
func (n *Node) IsConstant() bool {
	return n.Is("const") || (n.Is("spread") && n.Args[0].Is("const"))
}

// Literal is the number of a constant.
func (n *Node) Literal() (v float64, ok bool) {
	if n.Is("spread") {
		n = n.Args[0]
	}
	return n.Attr.Value, n.Is("const")
}

// where chooses element by element.
func whereOp() *Op {
	op := &Op{Name: "where", Class: Map, Arity: 3, Doc: "b where a holds, else c", Fn: func(x []float64) float64 {
		if x[0] != 0 {
			return x[1]
		}
		return x[2]
	}}
	op.Shape = func(n *Node) (Type, error) {
		t, err := same(&Node{Args: n.Args[1:]})
		if err == nil && !n.Args[0].Type.Equal(t.Of(Bool)) {
			_, err = same(&Node{Args: []*Node{n.Args[0], {Type: t.Of(Bool)}}})
		}
		return t, err
	}
	op.Rules, op.VJP = g("", "where(a, dy, 0)", "where(a, 0, dy)")
	return op
}

// cast converts elements. To an integer type it cuts off the fraction; to bool
// it is a ≠ 0.
func castOp() *Op {
	op := &Op{Name: "cast", Class: Map, Arity: 1, Fields: []string{"elem"}, Doc: "a in another element type"}
	op.Shape = func(n *Node) (Type, error) { return n.Args[0].Type.Of(n.Attr.Elem), nil }
	op.Rules = []string{"cast(dy)"}
	op.VJP = func(g *Graph, n, dy *Node, _ int) *Node {
		if from := n.Args[0].Type.Elem; from.IsFloat() && n.Type.Elem.IsFloat() {
			return g.Cast(dy, from)
		}
		return nil
	}
	op.Eval = func(_ *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
		out := newTensor(args[0].Shape)
		for i, v := range args[0].Data {
			out.Data[i] = convert(v, n.Attr.Elem)
		}
		return out, nil
	}
	return op
}

// convert is v in element type t, floats unrounded.
func convert(v float64, t DType) float64 {
	switch {
	case t == Bool:
		return truth(v != 0)
	case t.IsInt():
		return math.Trunc(v)
	}
	return v
}
