package ir

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The reductions and the product.
func init() {
	register(
		reduction("sum", "sum", 0, func(acc, x float64) float64 { return acc + x }, "spread(dy)"),
		reduction("prod", "product", 1, func(acc, x float64) float64 { return acc * x }, "spread(dy) * others(a)"),
		reduction("reduce_max", "largest element, NaN where one is", math.Inf(-1), pick2(Ops["max"]), "where(a == y, dy / count, 0)"),
		reduction("reduce_min", "smallest element, NaN where one is", math.Inf(1), pick2(Ops["min"]), "where(a == y, dy / count, 0)"),
		reduction("any", "whether one holds", 0, func(acc, x float64) float64 { return truth(acc != 0 || x != 0) }),
		reduction("all", "whether all hold", 1, func(acc, x float64) float64 { return truth(acc != 0 && x != 0) }),
		argExtreme("argmax", "index of the first largest element", func(a, b float64) bool { return a > b || a != a && b == b }),
		argExtreme("argmin", "index of the first smallest element", func(a, b float64) bool { return a < b || a != a && b == b }),
		&Op{Name: "logsumexp", Class: Reduce, Arity: 1, Fields: []string{"axes"}, Doc: "log Σ e^a, without overflow",
			Shape: reducedFloat, Eval: evalLogSumExp, Rules: []string{"spread(dy) * exp(a - spread(y))"}, VJP: logSumExpVJP},
		&Op{Name: "einsum", Class: Product, Arity: 2, Fields: []string{"spec"}, Doc: "products summed over the letters that the result lacks",
			Shape: einsumShape, Eval: evalEinsum, Rules: []string{"einsum(out,b->a; dy, b)", "einsum(a,out->b; a, dy)"}, VJP: einsumVJP},
	)
	Ops["any"].Shape, Ops["all"].Shape = reducedBool, reducedBool
	for _, name := range []string{"sum", "prod", "reduce_max", "reduce_min", "einsum"} {
		Ops[name].Shape = ofNumbers(Ops[name].Shape)
	}
	Ops["sum"].VJP = func(g *Graph, n, dy *Node, _ int) *Node { return spreadBack(g, n, dy) }
	Ops["prod"].VJP = prodVJP
	Ops["reduce_max"].VJP = extremeVJP
	Ops["reduce_min"].VJP = extremeVJP
}

func pick2(op *Op) func(a, b float64) float64 {
	return func(a, b float64) float64 { return op.Fn([]float64{a, b}) }
}

// reduction is a row that folds its axes with f from a start value.
func reduction(name, doc string, start float64, f func(acc, x float64) float64, rules ...string) *Op {
	return &Op{Name: name, Class: Reduce, Arity: 1, Fields: []string{"axes"}, Doc: doc, Shape: reduced, Rules: rules,
		Eval: func(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
			out, err := e.alloc(n)
			if err != nil {
				return nil, err
			}
			for i := range out.Data {
				out.Data[i] = start
			}
			keep, to := kept(len(args[0].Shape), n.Attr.Axes), make([]int, len(out.Shape))
			args[0].each(func(at int, index []int) {
				for i, k := range keep {
					to[i] = index[k]
				}
				o := out.at(to)
				out.Data[o] = f(out.Data[o], args[0].Data[at])
			})
			return out, nil
		}}
}

func reducedBool(n *Node) (Type, error) {
	if t := n.Args[0].Type; t.Elem != Bool {
		return t, fmt.Errorf("operand is %v, want bool", t)
	}
	return reduced(n)
}

func reducedFloat(n *Node) (Type, error) {
	if t := n.Args[0].Type; !t.Elem.IsFloat() {
		return t, fmt.Errorf("operand is %v, want a floating type", t)
	}
	return reduced(n)
}

// argExtreme gives int32 indices along its one axis.
func argExtreme(name, doc string, before func(a, b float64) bool) *Op {
	op := &Op{Name: name, Class: Reduce, Arity: 1, Fields: []string{"axes"}, Doc: doc}
	op.Shape = func(n *Node) (Type, error) {
		t, err := reduced(n)
		if err == nil && len(n.Attr.Axes) != 1 {
			err = fmt.Errorf("%d axes, want one", len(n.Attr.Axes))
		}
		return t.Of(Int32), err
	}
	op.Eval = func(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
		out, err := e.alloc(n)
		if err != nil {
			return nil, err
		}
		axis := n.Attr.Axes[0]
		if args[0].Shape[axis] == 0 && len(out.Data) > 0 {
			return nil, fmt.Errorf("%s over no element", name)
		}
		best := map[int]float64{}
		keep, to := kept(len(args[0].Shape), n.Attr.Axes), make([]int, len(out.Shape))
		args[0].each(func(at int, index []int) {
			for i, k := range keep {
				to[i] = index[k]
			}
			o, v := out.at(to), args[0].Data[at]
			if old, ok := best[o]; !ok || before(v, old) {
				best[o] = v
				out.Data[o] = float64(index[axis])
			}
		})
		return out, nil
	}
	return op
}

// spreadBack gives a value of the result's shape the operand's.
func spreadBack(g *Graph, n, x *Node) *Node {
	return g.Spread(x, n.Args[0].Type.Shape, n.Attr.Axes)
}

// extremeVJP splits the derivative evenly among equal extremes.
func extremeVJP(g *Graph, n, dy *Node, _ int) *Node {
	a := n.Args[0]
	hit := g.Map("eq", a, spreadBack(g, n, n))
	count := g.Sum(g.Cast(hit, a.Type.Elem), n.Attr.Axes)
	share := spreadBack(g, n, g.Map("div", dy, count))
	return g.Map("where", hit, share, g.Fill(0, a.Type))
}

// prodVJP is the product of the others, right where elements are 0.
func prodVJP(g *Graph, n, dy *Node, _ int) *Node {
	return g.Map("mul", spreadBack(g, n, dy), g.Must("others", Attr{Axes: n.Attr.Axes}, n.Args[0]))
}

func evalLogSumExp(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	g := NewGraph()
	x := g.Must("arg", Attr{Name: "x", Dims: n.Args[0].Type.Shape, Elem: n.Args[0].Type.Elem})
	top := g.Reduce("reduce_max", x, n.Attr.Axes)
	inner := Evaluator{Dims: e.Dims, Values: map[string]*Tensor{"arg x": args[0]}}
	found, err := inner.Eval(top)
	if err != nil {
		return nil, err
	}

	// An infinite peak is not subtracted: Inf − Inf is NaN.
	peak := &Tensor{Shape: found.Shape, Data: slices.Clone(found.Data)}
	for i, v := range peak.Data {
		if math.IsInf(v, 0) {
			peak.Data[i] = 0
		}
	}
	inner.Values["arg peak"] = peak
	p := g.Must("arg", Attr{Name: "peak", Dims: n.Type.Shape, Elem: n.Type.Elem})
	shifted := g.Map("sub", x, g.Spread(p, x.Type.Shape, n.Attr.Axes))
	return inner.Eval(g.Map("add", p, g.Map("log", g.Sum(g.Map("exp", shifted), n.Attr.Axes))))
}

func logSumExpVJP(g *Graph, n, dy *Node, _ int) *Node {
	a := n.Args[0]
	share := g.Map("exp", g.Map("sub", a, spreadBack(g, n, n)))
	return g.Map("mul", spreadBack(g, n, dy), share)
}

// einsumShape: every letter stands for one extent, once in an operand, and in
// at least two of the operands and the result.
func einsumShape(n *Node) (Type, error) {
	a, b, out := SplitSpec(n.Attr.Spec)
	t, u := n.Args[0].Type, n.Args[1].Type
	if t.Elem != u.Elem {
		return t, fmt.Errorf("operands are %v and %v", t, u)
	}
	if len(a) != t.Rank() || len(b) != u.Rank() {
		return t, fmt.Errorf("%q on %v and %v", n.Attr.Spec, t.Shape, u.Shape)
	}
	extent := map[byte]Dim{}
	for k, letters := range []string{a, b} {
		for i := range len(letters) {
			l, d := letters[i], n.Args[k].Type.Shape[i]
			if !('a' <= l && l <= 'z' || 'A' <= l && l <= 'Z') {
				return t, fmt.Errorf("%q in %q is no letter", l, n.Attr.Spec)
			}
			if strings.IndexByte(letters, l) != i {
				return t, fmt.Errorf("letter %c twice in one operand of %q", l, n.Attr.Spec)
			}
			if old, ok := extent[l]; ok && !old.Equal(d) {
				return t, fmt.Errorf("letter %c of %q is %v and %v", l, n.Attr.Spec, old, d)
			}
			extent[l] = d
			if strings.Count(a+b+out, string(l)) < 2 {
				return t, fmt.Errorf("letter %c of %q is in one operand alone", l, n.Attr.Spec)
			}
		}
	}
	shape := make(Shape, len(out))
	for i := range len(out) {
		d, ok := extent[out[i]]
		if !ok || strings.IndexByte(out, out[i]) != i {
			return t, fmt.Errorf("letter %c of the result of %q", out[i], n.Attr.Spec)
		}
		shape[i] = d
	}
	return t.With(shape), nil
}

func evalEinsum(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	out, err := e.alloc(n)
	if err != nil {
		return nil, err
	}
	a, b, o := SplitSpec(n.Attr.Spec)
	summed := ""
	for _, l := range a {
		if !strings.ContainsRune(o, l) {
			summed += string(l)
		}
	}
	letters := o + summed
	domain := &Tensor{Shape: make([]int, len(letters))}
	for i := range len(letters) {
		if k := strings.IndexByte(a, letters[i]); k >= 0 {
			domain.Shape[i] = args[0].Shape[k]
		} else {
			domain.Shape[i] = args[1].Shape[strings.IndexByte(b, letters[i])]
		}
	}
	pickIndex := func(of string, index []int) []int {
		at := make([]int, len(of))
		for i := range len(of) {
			at[i] = index[strings.IndexByte(letters, of[i])]
		}
		return at
	}
	domain.each(func(_ int, index []int) {
		x := args[0].Data[args[0].at(pickIndex(a, index))]
		y := args[1].Data[args[1].at(pickIndex(b, index))]
		out.Data[out.at(index[:len(o)])] += x * y
	})
	return out, nil
}

func einsumVJP(g *Graph, n, dy *Node, arg int) *Node {
	a, b, out := SplitSpec(n.Attr.Spec)
	if arg == 0 {
		return g.Einsum(out+","+b+"->"+a, dy, n.Args[1])
	}
	return g.Einsum(a+","+out+"->"+b, n.Args[0], dy)
}
