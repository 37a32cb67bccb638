package dsl

import (
	"slices"

	"gradgen.dev/ir"
)

// running is the number that an int parameter of an exported fn stands for: n is
// a scalar of type int, known at run time only.
func running(g *ir.Graph, n *ir.Node) number {
	return number{node: g.Cast(n, ir.Float64), count: n}
}

// runs reports whether n is made of int parameters of an exported fn, and is an
// integer, in a shape or an index at least.
func (n number) runs() bool { return n.count != nil }

// integral reports whether n is an integer wherever it stands.
func (n number) integral() bool { return n.whole && !n.logical || n.runs() && !n.rounded }

// counted is an integer as a scalar of type int; nil of what is none.
func (n number) counted(g *ir.Graph) *ir.Node {
	switch {
	case n.count != nil:
		return n.count
	case n.node != nil || n.logical:
		return nil
	}
	if d, ok := n.extent(); ok {
		return g.Varying(d, ir.Int)
	}
	return nil
}

// countOps are the operations that make integers of integers, as ops of the
// table on integers. A quotient is rounded down.
var countOps = map[string]string{
	"+": "add", "-": "sub", "*": "mul", "/": "floordiv", "%": "mod", "floordiv": "floordiv", "mod": "mod",
	"max": "max", "min": "min", "abs": "abs", "sign": "sign",
}

// countOf gives out, which is op of the numbers ns, its reading as an integer,
// where there is one.
func countOf(g *ir.Graph, op string, out number, ns ...number) number {
	name, ok := countOps[op]
	args := make([]*ir.Node, len(ns))
	runs, rounded := false, op == "/"
	for i, n := range ns {
		args[i] = n.counted(g)
		ok = ok && args[i] != nil
		runs = runs || n.runs()
		rounded = rounded || n.rounded || !n.integral()
	}
	if !ok || !runs {
		return out
	}
	out.count, out.rounded = g.Map(name, args...), rounded
	if !rounded {
		out.node = g.Cast(out.count, ir.Float64)
	}
	return out
}

// compareCounts is a op b of integers one of which is known at run time only;
// ok is false of other numbers.
func compareCounts(g *ir.Graph, op string, a, b number) (n number, ok bool) {
	if !a.integral() || !b.integral() || !a.runs() && !b.runs() {
		return n, false
	}
	x, y := a.counted(g), b.counted(g)
	if x == nil || y == nil {
		return n, false
	}
	return number{node: g.Map(opNames[op], x, y), logical: true}, true
}

// chosenCount gives out, which is a or b, its reading as an integer.
func chosenCount(g *ir.Graph, cond, out, a, b number) number {
	if !a.integral() || !b.integral() || !a.runs() && !b.runs() || !onlyGiven(cond.scalar(g)) {
		return out
	}
	out.count = g.Map("where", cond.scalar(g), a.counted(g), b.counted(g))
	out.node = g.Cast(out.count, ir.Float64)
	return out
}

// besideInts is the element type in which v is compared with integers of type
// elem: where v is known at run time only, one that holds both.
func besideInts(v value, elem ir.DType) ir.DType {
	if n, ok := v.(number); ok && n.integral() && n.runs() && elem == ir.Int32 {
		return ir.Int
	}
	return elem
}

// runningText says that a role must be known at compile time, and that the
// number written as at is not.
func runningText(role string, at Node) string {
	return role + " must be known at compile time, and " + excerptOf(at, "this") +
		" is known at run time only, as int parameters of an exported fn are; declare a const, or give the parameter a default"
}

// parseElem is the element type that the language calls so.
func parseElem(name string) (ir.DType, bool) {
	t, ok := ir.ParseDType(name)
	return t, ok && t != ir.Int
}

// isGivenAtRunTime reports whether n depends on what a call of an exported fn
// passes.
func isGivenAtRunTime(n *ir.Node) bool {
	return slices.ContainsFunc(ir.Topological(n), func(m *ir.Node) bool { return m.Is("input") })
}

// runningParam is the element type of a parameter of an exported fn that is a
// number or a truth value known at run time: one declared int or bool, without a
// default, which it would keep.
func runningParam(p *Param) (ir.DType, bool) {
	switch {
	case p.Default != nil:
		return 0, false
	case isTypeWord(p.Type, "int"):
		return ir.Int, true
	case isTypeWord(p.Type, "bool"):
		return ir.Bool, true
	}
	return 0, false
}

// runningValue is a scalar of such a parameter as a value.
func runningValue(g *ir.Graph, n *ir.Node) value {
	if n.Type.Elem == ir.Bool {
		return number{node: n, logical: true}
	}
	return running(g, n)
}

// onlyGiven reports whether n is computed of what a call passes, extents and
// constants alone.
func onlyGiven(n *ir.Node) bool {
	return !slices.ContainsFunc(ir.Topological(n), func(m *ir.Node) bool {
		return m.Op.Class == ir.Leaf && !m.Is("input") && !m.Is("size") && !m.Is("const")
	})
}
