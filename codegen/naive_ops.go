package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// naiveCalls is the elementwise functions of one float64.
var naiveCalls = map[string]string{
	"exp": "math.Exp", "expm1": "math.Expm1", "log": "math.Log", "log1p": "math.Log1p", "sqrt": "math.Sqrt",
	"tanh": "math.Tanh", "sigmoid": "vec.Sigmoid64", "softplus": "vec.Softplus64", "erf": "math.Erf",
	"sin": "math.Sin", "cos": "math.Cos", "tan": "math.Tan", "asin": "math.Asin", "acos": "math.Acos", "atan": "math.Atan",
	"sinh": "math.Sinh", "cosh": "math.Cosh", "abs": "math.Abs", "sign": "vec.Sign64",
	"floor": "math.Floor", "ceil": "math.Ceil", "round": "math.RoundToEven",
	"pow": "math.Pow", "atan2": "math.Atan2", "max": "math.Max", "min": "math.Min", "isnan": "math.IsNaN", "mod": "vec.Mod64", "floordiv": "vec.FloorDiv64",
}

// naiveInts is those of integers.
var naiveInts = map[string]string{"max": "max", "min": "min", "mod": "vec.ModInt", "floordiv": "vec.FloorDivInt"}

// naiveSigns is the operators.
var naiveSigns = map[string]string{
	"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "and": "&&", "or": "||",
}

// mapValue is an elementwise operation.
func (e *naive) mapValue(n *ir.Node, frozen bool) element {
	args := make([]element, len(n.Args))
	for i, a := range n.Args {
		args[i] = e.value(a, frozen)
	}
	return func(index []string) string {
		text := make([]string, len(args))
		for i, a := range args {
			text[i] = a(index)
		}
		return e.operation(n, text)
	}
}

// square is a scalar x^2 as x*x, and the square of a root as what the root is of,
// where squares are to be products.
func (e *naive) square(n *ir.Node, frozen bool) (element, bool) {
	if !e.squares || !n.Is("pow") || n.Type.Rank() > 0 {
		return nil, false
	}
	if power, ok := n.Args[1].Literal(); !ok || power != 2 {
		return nil, false
	}
	if root := n.Args[0]; root.Is("sqrt") {
		return e.value(root.Args[0], frozen), true
	}
	x := e.value(n.Args[0], frozen)(nil)
	if strings.ContainsAny(x, " (") {
		name := e.name(n.Args[0])
		e.b.stmt("%s := %s", name, outermost(x))
		x = name
	}
	return func([]string) string { return "(" + x + " * " + x + ")" }, true
}

// operation is n on operands that are in parentheses where they need to be.
func (e *naive) operation(n *ir.Node, a []string) string {
	of := n.Args[0].Type.Elem
	calls := map[ir.DType]map[string]string{ir.Float32: naiveCalls, ir.Float64: naiveCalls, ir.Int32: naiveInts, ir.Int64: naiveInts, ir.Int: naiveInts}[of]
	if of == ir.Bool && strings.Contains("lt le gt ge", n.Op.Name) {
		a[0], a[1] = e.choose(a[0], "1", "0"), e.choose(a[1], "1", "0")
	}
	if sign, ok := naiveSigns[n.Op.Name]; ok {
		return "(" + a[0] + " " + sign + " " + a[1] + ")"
	}
	if call, ok := calls[n.Op.Name]; ok {
		for i := range a {
			a[i] = outermost(a[i])
		}
		return call + "(" + strings.Join(a, ", ") + ")"
	}
	switch n.Op.Name {
	case "neg":
		return "(-" + a[0] + ")"
	case "rsqrt":
		return "(1 / math.Sqrt(" + outermost(a[0]) + "))"
	case "not":
		return "(!" + a[0] + ")"
	case "isnan":
		return "(" + a[0] + " != " + a[0] + ")" // neither integers nor truth values are
	case "where":
		return e.choose(a[0], a[1], a[2])
	case "cast":
		return castText(a[0], of, n.Type.Elem, e.choose)
	case "abs":
		return e.choose(a[0]+" < 0", "-"+a[0], a[0])
	case "sign":
		return "(" + e.choose(a[0]+" > 0", "1", "0") + " - " + e.choose(a[0]+" < 0", "1", "0") + ")"
	}
	e.fail("no printer for %s of %v", n.Op.Name, of)
	return "0"
}

// castText is x, of type from, in type to.
func castText(x string, from, to ir.DType, choose func(c, a, b string) string) string {
	switch {
	case wideType(from) == wideType(to):
		return x
	case to == ir.Bool:
		return "(" + x + " != 0)"
	case from == ir.Bool && to.IsFloat():
		return choose(x, "1.0", "0.0")
	case from == ir.Bool:
		return choose(x, "1", "0")
	}
	return wideType(to) + "(" + outermost(x) + ")"
}

// view reads the operand at another index.
func (e *naive) view(n *ir.Node, frozen bool) element {
	arg := n.Args[0]
	if n.Is("reshape") {
		return e.reshape(n, frozen)
	}
	inner := e.value(arg, frozen)
	return func(index []string) string { return inner(e.source(n, index)) }
}

// source is the index of a view's operand.
func (e *naive) source(n *ir.Node, index []string) []string {
	var from []string
	switch n.Op.Name {
	case "spread":
		for i, k := range index {
			if !slices.Contains(n.Attr.Axes, i) {
				from = append(from, k)
			}
		}
	case "transpose":
		from = make([]string, len(index))
		for i, axis := range n.Attr.Axes {
			from[axis] = index[i]
		}
	case "slice":
		for i, k := range index {
			from = append(from, e.shifted(n.Attr.Dims[i], k, n.Attr.Steps[i]))
		}
	case "flip":
		from = slices.Clone(index)
		for _, axis := range n.Attr.Axes {
			from[axis] = "(" + e.dim(n.Type.Shape[axis].Sub(ir.D(1))) + " - " + index[axis] + ")"
		}
	default:
		e.fail("no printer for the view %s", n.Op.Name)
	}
	return from
}

// shifted is start + index·step.
func (e *naive) shifted(start ir.Dim, index string, step int) string {
	if step != 1 && index != "0" {
		index = grouped(index) + "*" + e.dim(ir.D(step))
	}
	switch {
	case start.IsConst(0):
		return index
	case index == "0":
		return grouped(e.dim(start))
	}
	return "(" + e.dim(start) + " + " + index + ")"
}

// reshape reads a slice in another shape; what is none becomes one.
func (e *naive) reshape(n *ir.Node, frozen bool) element {
	arg := n.Args[0]
	inner := e.value(arg, frozen)
	if arg.Type.Rank() == 0 {
		return func([]string) string { return inner(nil) }
	}
	if from, ok := unitAxes(arg.Type.Shape, n.Type.Shape); ok {
		return func(index []string) string {
			at := make([]string, len(from))
			for i, k := range from {
				at[i] = "0"
				if k >= 0 {
					at[i] = index[k]
				}
			}
			return inner(at)
		}
	}
	name := e.name(n)
	e.allocate(name, n)
	e.loop(arg.Type.Shape, 0, func(index []string) {
		e.b.stmt("%s[%s] = %s", name, e.flat(index, arg.Type.Shape), outermost(inner(index)))
	})
	return e.at(name, n.Type.Shape)
}

// unitAxes says, for each axis of a shape, which axis of another one it is,
// negative for none, where the two differ in axes of extent 1 alone.
func unitAxes(of, other ir.Shape) (from []int, ok bool) {
	k := 0
	for _, d := range of {
		if d.IsConst(1) {
			from = append(from, -1)
			continue
		}
		for k < len(other) && other[k].IsConst(1) {
			k++
		}
		if k == len(other) || !other[k].Equal(d) {
			return nil, false
		}
		from = append(from, k)
		k++
	}
	return from, true
}

// index moves elements to other places.
func (e *naive) index(n *ir.Node, frozen bool) element {
	args := make([]element, len(n.Args))
	for i, a := range n.Args {
		args[i] = e.value(a, frozen)
	}
	switch n.Op.Name {
	case "gather":
		axis, rank := n.Attr.Axis, n.Args[1].Type.Rank()
		return func(index []string) string {
			at := args[1](index[axis : axis+rank])
			return args[0](slices.Concat(index[:axis], []string{at}, index[axis+rank:]))
		}
	case "pick":
		return func(index []string) string {
			return args[0](append(slices.Clone(index), args[1](index)))
		}
	}

	// The others write where the operands' elements go.
	name := e.name(n)
	e.allocate(name, n)
	put := func(arg int, sign string, to func(index []string) []string) {
		e.loop(n.Args[arg].Type.Shape, 0, func(index []string) {
			e.b.stmt("%s[%s] %s %s", name, e.flat(to(index), n.Type.Shape), sign, outermost(args[arg](index)))
		})
	}
	switch n.Op.Name {
	case "place":
		put(0, "=", func(index []string) []string {
			to := make([]string, len(index))
			for i, k := range index {
				to[i] = e.shifted(n.Attr.Limits[i], k, n.Attr.Steps[i])
			}
			return to
		})
	case "concat":
		base := ir.Dim{}
		for i, a := range n.Args {
			put(i, "=", func(index []string) []string {
				to := slices.Clone(index)
				to[n.Attr.Axis] = e.shifted(base, index[n.Attr.Axis], 1)
				return to
			})
			base = base.Add(a.Type.Shape[n.Attr.Axis])
		}
	case "scatter_along":
		last := n.Type.Rank() - 1
		e.loop(n.Args[0].Type.Shape, 0, func(index []string) {
			at := outermost(args[1](index))
			e.b.block(fmt.Sprintf("if 0 <= %s && %s < %s", at, at, e.dim(n.Type.Shape[last])), func() {
				to := append(slices.Clone(index[:last]), at)
				e.b.stmt("%s[%s] += %s", name, e.flat(to, n.Type.Shape), outermost(args[0](index)))
			})
		})
	case "scatter_add":
		axis, rank := n.Attr.Axis, n.Args[1].Type.Rank()
		put(0, "+=", func(index []string) []string {
			at := args[1](index[axis : axis+rank])
			return slices.Concat(index[:axis], []string{at}, index[axis+rank:])
		})
	default:
		e.fail("no printer for %s", n.Op.Name)
	}
	return e.at(name, n.Type.Shape)
}

// product sums over the letters that the result lacks.
func (e *naive) product(n *ir.Node, frozen bool) element {
	a, b, out := ir.SplitSpec(n.Attr.Spec)
	left, right := e.value(n.Args[0], frozen), e.value(n.Args[1], frozen)
	extent := map[rune]ir.Dim{}
	letters := []rune(out)
	for k, of := range []string{a, b} {
		for i, l := range of {
			extent[l] = n.Args[k].Type.Shape[i]
			if !slices.Contains(letters, l) {
				letters = append(letters, l)
			}
		}
	}
	summed := ir.Shape{}
	for _, l := range letters[len(out):] {
		summed = append(summed, extent[l])
	}
	pick := func(of string, index []string) []string {
		var at []string
		for _, l := range of {
			at = append(at, index[slices.Index(letters, l)])
		}
		return at
	}
	zero := "0.0"
	if n.Type.Elem.IsInt() {
		zero = "0"
	}
	return e.fold(n, summed, zero, nil, func(acc string, outer, inner []string) {
		index := slices.Concat(outer, inner)
		e.b.stmt("%s += %s * %s", acc, left(pick(a, index)), right(pick(b, index)))
	})
}

// fold stores a value whose elements are accumulated over the shape summed.
func (e *naive) fold(n *ir.Node, summed ir.Shape, start string, finish func(acc string) string, add func(acc string, outer, inner []string)) element {
	name := e.name(n)
	rank := n.Type.Rank()
	if rank == 0 {
		e.b.stmt("%s := %s", name, start)
		e.loop(summed, 0, func(index []string) { add(name, nil, index) })
		if finish != nil {
			e.b.stmt("%s = %s", name, finish(name))
		}
		return func([]string) string { return name }
	}
	e.allocate(name, n)
	e.loop(n.Type.Shape, 0, func(outer []string) {
		const acc = "acc"
		e.b.stmt("%s := %s", acc, start)
		e.loop(summed, rank, func(inner []string) { add(acc, outer, inner) })
		result := acc
		if finish != nil {
			result = finish(acc)
		}
		e.b.stmt("%s[%s] = %s", name, e.flat(outer, n.Type.Shape), result)
	})
	return e.at(name, n.Type.Shape)
}

// reduce folds the axes that vanish.
func (e *naive) reduce(n *ir.Node, frozen bool) element {
	arg := n.Args[0]
	inner := e.value(arg, frozen)
	summed := ir.Shape{}
	for _, axis := range n.Attr.Axes {
		summed = append(summed, arg.Type.Shape[axis])
	}
	element := func(outer, folded []string) string {
		index := make([]string, arg.Type.Rank())
		o, f := 0, 0
		for i := range index {
			if slices.Contains(n.Attr.Axes, i) {
				index[i] = folded[f]
				f++
			} else {
				index[i] = outer[o]
				o++
			}
		}
		return inner(index)
	}
	isInt := n.Type.Elem.IsInt()
	number := func(v string) string {
		if isInt {
			return v
		}
		return v + ".0"
	}
	switch n.Op.Name {
	case "sum":
		return e.fold(n, summed, number("0"), nil, func(acc string, o, f []string) { e.b.stmt("%s += %s", acc, outermost(element(o, f))) })
	case "prod":
		return e.fold(n, summed, number("1"), nil, func(acc string, o, f []string) { e.b.stmt("%s *= %s", acc, element(o, f)) })
	case "any":
		return e.fold(n, summed, "false", nil, func(acc string, o, f []string) { e.b.stmt("%s = %s || %s", acc, acc, element(o, f)) })
	case "all":
		return e.fold(n, summed, "true", nil, func(acc string, o, f []string) { e.b.stmt("%s = %s && %s", acc, acc, element(o, f)) })
	case "logsumexp":
		finish := func(acc string) string { return "math.Log(" + acc + ")" }
		return e.fold(n, summed, "0.0", finish, func(acc string, o, f []string) { e.b.stmt("%s += math.Exp(%s)", acc, outermost(element(o, f))) })
	case "reduce_max", "reduce_min":
		return e.extreme(n, summed, element)
	case "argmax", "argmin":
		sign := map[string]string{"argmax": " > ", "argmin": " < "}[n.Op.Name]
		return e.fold(n, summed, "0", nil, func(acc string, o, f []string) {
			e.b.block("if "+element(o, f)+sign+element(o, []string{acc}), func() { e.b.stmt("%s = %s", acc, f[0]) })
		})
	}
	e.fail("no printer for %s", n.Op.Name)
	return inner
}

// extreme is the largest or smallest element.
func (e *naive) extreme(n *ir.Node, summed ir.Shape, of func(outer, folded []string) string) element {
	call, start := "math.Max", "math.Inf(-1)"
	if n.Is("reduce_min") {
		call, start = "math.Min", "math.Inf(1)"
	}
	if n.Type.Elem.IsInt() {
		call, start = "max", "math.MinInt"
		if n.Is("reduce_min") {
			call, start = "min", "math.MaxInt"
		}
	}
	return e.fold(n, summed, start, nil, func(acc string, o, f []string) {
		e.b.stmt("%s = %s(%s, %s)", acc, call, acc, outermost(of(o, f)))
	})
}
