package dsl

import (
	"math"
	"slices"

	"gradgen.dev/ir"
)

// A number is a scalar made of literals, constants, dimensions,
// hyperparameters, step and steps. It is kept exact, or in float64, until it
// meets a tensor.
//
// Its compile-time reading is dim where whole is set, else val where fixed is
// set. Where node is set, its value at run time is that node, a float64 or
// bool scalar; a compile-time reading beside it stands on the defaults of the
// hyperparameters, and using it makes them compile-time numbers.
type number struct {
	dim     ir.Dim
	whole   bool
	val     float64
	fixed   bool
	logical bool     // it is a bool; val is 0 or 1
	node    *ir.Node // where the value is not known before run time
	floor   ir.Dim   // what it is in a shape, where / is the floor division
	floored bool     // whether floor is set
	named   bool     // a name keeps it, and floor was set before
	hyper   []string // the hyperparameters the compile-time reading stands on
	moving  bool     // it depends on step or steps

	// count is n as an integer, a scalar of type int, where n is made of int
	// parameters of an exported fn; / is the floor division, and rounded says
	// that n is an integer by it alone.
	count   *ir.Node
	rounded bool

	// varying is what n is made of, where that has constants in place of
	// run-time dimensions: a metric is cut as if they were none.
	varying *ir.Node
}

// integer is the number n.
func integer(n int) number { return whole(ir.D(n)) }

// whole is the extent d as a number.
func whole(d ir.Dim) number { return number{dim: d, whole: true} }

// decimal is the number v.
func decimal(v float64) number { return number{val: v, fixed: true} }

// maxExact is the largest integer that is kept as one.
const maxExact = 1 << 53

// known is the compile-time value of n, where it has one: hyperparameters
// count with their defaults.
func (n number) known() (float64, bool) {
	if n.whole {
		v, ok := n.dim.Const()
		return float64(v), ok
	}
	return n.val, n.fixed
}

// extent is n as a dimension: / is the floor division.
func (n number) extent() (ir.Dim, bool) {
	switch {
	case n.logical:
		return ir.Dim{}, false
	case n.floored:
		return n.floor, true
	case n.whole:
		return n.dim, true
	case n.fixed && n.val == math.Trunc(n.val) && math.Abs(n.val) <= maxExact:
		return ir.D(int(n.val)), true
	}
	return ir.Dim{}, false
}

// settled is n as a name keeps it: what it was in a shape is forgotten.
func (n number) settled() number {
	n.named = n.named || n.floored
	n.floored = false
	if n.rounded {
		n.count, n.rounded = nil, false
	}
	return n
}

// scalar is n as a float64 scalar of the graph, or as a bool.
func (n number) scalar(g *ir.Graph) *ir.Node {
	switch {
	case n.node != nil:
		return n.node
	case n.whole:
		return g.Varying(n.dim, ir.Float64)
	case n.varying != nil:
		return n.varying
	case n.logical:
		return g.Const(n.val, ir.Bool)
	}
	return g.Const(n.val, ir.Float64)
}

// as is n rounded once to an element type, as a scalar.
func (n number) as(g *ir.Graph, elem ir.DType) *ir.Node {
	if elem.IsInt() && n.runs() && !n.rounded {
		return g.Cast(n.count, elem)
	}
	if n.node == nil && n.varying == nil {
		if v, ok := n.known(); ok && !n.varies() {
			return g.Const(v, elem)
		}
		if n.whole && elem.IsInt() {
			return g.Varying(n.dim, elem)
		}
	}
	return g.Cast(n.scalar(g), elem)
}

// varies reports whether n is made of run-time dimensions, also where they are
// compiled as constants.
func (n number) varies() bool { return n.varying != nil || n.whole && n.dim.Varies() }

// unionHyper is the hyperparameters of all numbers, sorted.
func unionHyper(ns ...number) []string {
	var out []string
	for _, n := range ns {
		out = append(out, n.hyper...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// combine is the op of the table on numbers: the compile-time reading where
// fold gives one, and the node where a number is known at run time only.
func combine(g *ir.Graph, op string, fold func() (number, bool), ns ...number) number {
	out, ok := fold()
	if !ok {
		out = number{}
	}
	running, varies := false, false
	for _, n := range ns {
		running, varies = running || n.node != nil, varies || n.varies()
		out.moving = out.moving || n.moving
	}
	if ok && !running && (!varies || out.whole || out.logical) {
		return out
	}
	args := make([]*ir.Node, len(ns))
	for i, n := range ns {
		args[i] = n.scalar(g)
	}
	if ok && !running {
		out.varying = g.Map(op, args...)
		return out
	}
	out.node = g.Map(op, args...)
	out.logical = out.node.Type.Elem == ir.Bool
	if ok {
		out.hyper = unionHyper(ns...)
	}
	return out
}

// opNames are the ops of the table that operators stand for.
var opNames = map[string]string{
	"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "^": "pow",
	"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne", "&&": "and", "||": "or",
}

// arithmetic is a op b. The readings as a real number and as a dimension are
// carried side by side.
func arithmetic(g *ir.Graph, op string, a, b number, facts ir.Facts) number {
	out := combine(g, opNames[op], func() (number, bool) { return foldArithmetic(op, a, b, facts) }, a, b)
	da, okA := a.extent()
	db, okB := b.extent()
	if d, ok := dimArithmetic(op, da, db); ok && okA && okB && !(out.whole && out.dim.Equal(d)) {
		out.floor, out.floored = normalDim(facts, d), true
		out.hyper = unionHyper(a, b)
	}
	return countOf(g, op, out, a, b)
}

// foldArithmetic is the compile-time reading of a op b.
func foldArithmetic(op string, a, b number, facts ir.Facts) (number, bool) {
	if a.whole && b.whole {
		// A quotient by a constant in place of a run-time dimension is a number,
		// even if it comes out even for that constant.
		_, constant := b.dim.Const()
		even := !(constant && b.dim.Varies()) && divides(b.dim, a.dim, facts)
		if d, ok := dimArithmetic(op, a.dim, b.dim); ok && (op != "/" || even) {
			return whole(normalDim(facts, d)), true
		}
	}
	x, okX := a.known()
	y, okY := b.known()
	if !okX || !okY {
		return number{}, false
	}
	return decimal(ir.Ops[opNames[op]].Fn([]float64{x, y})), true
}

// divides reports whether d/e comes out even.
func divides(e, d ir.Dim, facts ir.Facts) bool {
	return !e.IsConst(0) && normalDim(facts, d.Mod(e)).IsConst(0)
}

// dimArithmetic is a op b of dimensions, / being the floor division. It is not
// ok where the result is no dimension or too large to keep.
func dimArithmetic(op string, a, b ir.Dim) (ir.Dim, bool) {
	x, constA := a.Const()
	y, constB := b.Const()
	if constA && constB {
		d, ok := intArithmetic(op, x, y)
		return d.From(a, b), ok
	}
	switch op {
	case "+":
		return a.Add(b), true
	case "-":
		return a.Sub(b), true
	case "*":
		if a.Terms()*b.Terms() > maxTerms || a.Degree()+b.Degree() > maxDegree {
			return ir.Dim{}, false
		}
		return a.Mul(b), true
	case "/":
		if b.IsConst(0) || a.Terms()*b.Terms() > maxTerms {
			return ir.Dim{}, false
		}
		return a.Div(b), true
	case "%":
		if b.IsConst(0) || a.Terms()*b.Terms() > maxTerms {
			return ir.Dim{}, false
		}
		return a.Mod(b), true
	case "^":
		return dimPower(a, y, constB)
	}
	return ir.Dim{}, false
}

// The largest polynomial that stands for a dimension.
const (
	maxTerms  = 256
	maxDegree = 32
)

// dimPower is a^n of a polynomial a.
func dimPower(a ir.Dim, n int, isConst bool) (ir.Dim, bool) {
	if !isConst || n < 0 || n > 8 || a.Terms() > 2 || n*a.Degree() > maxDegree {
		return ir.Dim{}, false
	}
	out := ir.D(1)
	for range n {
		out = out.Mul(a)
	}
	return out, true
}

// intArithmetic is a op b of integers, where the result is one that is kept.
func intArithmetic(op string, a, b int) (ir.Dim, bool) {
	x, y := float64(a), float64(b)
	if (op == "/" || op == "%") && b == 0 || op == "^" && b < 0 {
		return ir.Dim{}, false
	}
	if op == "/" {
		op = "//"
	}
	v := math.Inf(1)
	switch op {
	case "+":
		v = x + y
	case "-":
		v = x - y
	case "*":
		v = x * y
	case "^":
		v = math.Pow(x, y)
	case "//":
		v = math.Floor(x / y)
	case "%":
		v = x - y*math.Floor(x/y)
	}
	if math.Abs(v) > maxExact {
		return ir.Dim{}, false
	}
	return ir.D(int(v)), true
}

// compare is a op b: a truth where it is known, a logical number elsewhere.
func compare(g *ir.Graph, op string, a, b number) value {
	if n, ok := compareCounts(g, op, a, b); ok {
		return n
	}
	n := combine(g, opNames[op], func() (number, bool) {
		v, ok := foldCompare(op, a, b)
		return logical(v), ok
	}, a, b)
	if n.node == nil {
		return truth(n.val != 0)
	}
	return n
}

// logical is a bool as a number.
func logical(v bool) number {
	n := number{fixed: true, logical: true}
	if v {
		n.val = 1
	}
	return n
}

// foldCompare decides a op b where constants or polynomials do.
func foldCompare(op string, a, b number) (holds, ok bool) {
	if a.whole && b.whole {
		if v, ok := a.dim.Sub(b.dim).Const(); ok {
			return ir.Ops[opNames[op]].Fn([]float64{float64(v), 0}) != 0, true
		}
		return false, false
	}
	x, okX := a.known()
	y, okY := b.known()
	if !okX || !okY {
		return false, false
	}
	return ir.Ops[opNames[op]].Fn([]float64{x, y}) != 0, true
}
