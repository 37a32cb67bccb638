package passes

import (
	"fmt"
	"testing"
	"time"

	"gradgen.dev/ir"
)

// large are graphs of n like parts that a careless planner takes quadratic or
// exponential time for.
var large = []struct {
	name string
	make func(g *ir.Graph, n int) []*ir.Node
}{
	{"scalar chain", func(g *ir.Graph, n int) []*ir.Node { return chained(g, n, ir.Shape{}) }},
	{"vector chain", func(g *ir.Graph, n int) []*ir.Node { return chained(g, n, ir.Shape{ir.DimVar("B")}) }},
	{"comparisons of comparisons", func(g *ir.Graph, n int) []*ir.Node {
		t := ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B")}}
		x := g.Leaf("input", "x", t)
		a, b := g.Map("lt", x, g.Fill(0, t)), g.Map("lt", x, g.Fill(1, t))
		for range n {
			a, b = g.Map("or", g.Map("and", a, b), g.Map("lt", g.Map("sin", x), x)), g.Map("and", g.Map("or", a, g.Map("not", b)), b)
		}
		return []*ir.Node{g.Map("where", a, x, g.Fill(2, t))}
	}},
	{"Hessian of a scalar recursion", func(g *ir.Graph, n int) []*ir.Node {
		x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2)})
		a, b := elementOf(g, x, 0), elementOf(g, x, 1)
		for range n {
			a, b = g.Map("add", g.Map("mul", a, b), g.Map("sin", a)), g.Map("sub", b, g.Map("mul", g.Const(0.1, ir.Float64), g.Map("cos", a)))
		}
		return []*ir.Node{g.Map("hessian", g.Map("add", a, b), x)}
	}},
	{"residual blocks", residualBlocks},
	{"users of one value", func(g *ir.Graph, n int) []*ir.Node {
		t := ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B"), ir.D(4)}}
		x := g.Map("sin", g.Leaf("input", "x", t))
		var out []*ir.Node
		for i := range n {
			row := g.Leaf("input", fmt.Sprint("s", i), t.With(t.Shape[1:]))
			y := g.Map("tanh", g.Map("mul", x, g.Spread(row, t.Shape, []int{0})))
			out = append(out, y, g.Sum(y, []int{0, 1}))
		}
		return out
	}},
	{"elements of a vector", func(g *ir.Graph, n int) []*ir.Node {
		x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(n + 1)})
		var sum *ir.Node
		for i := range n {
			sum = g.Add(sum, g.Map("mul", elementOf(g, x, i), g.Map("sin", elementOf(g, x, i+1))))
		}
		return []*ir.Node{sum, g.Map("grad", sum, x)}
	}},
	{"sum of placed tensors", func(g *ir.Graph, n int) []*ir.Node {
		var sum *ir.Node
		for i := range n {
			x := g.Map("sin", g.Leaf("input", fmt.Sprint("x", i), ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2)}))
			sum = g.Add(sum, g.Must("place", ir.Attr{Dims: ir.ShapeOf(2 * n), Limits: []ir.Dim{ir.D(2 * i)}, Steps: []int{1}}, x))
		}
		return []*ir.Node{sum}
	}},
	{"products one after another", func(g *ir.Graph, n int) []*ir.Node {
		x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(4, 4)})
		y := x
		for range n {
			y = g.Map("tanh", g.Einsum("ij,jk->ik", y, x))
		}
		return []*ir.Node{y, g.Map("grad", g.Sum(y, []int{0, 1}), x)}
	}},
}

// chained is a recursion that uses each value twice.
func chained(g *ir.Graph, n int, shape ir.Shape) []*ir.Node {
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: shape})
	y := x
	for range n {
		y = g.Map("add", g.Map("sin", y), g.Map("mul", g.Map("cos", y), x))
	}
	return []*ir.Node{y}
}

func elementOf(g *ir.Graph, x *ir.Node, i int) *ir.Node {
	return g.Reshape(g.Slice(x, []ir.Dim{ir.D(i)}, []ir.Dim{ir.D(i + 1)}, []int{1}), ir.Shape{})
}

// residualBlocks is h ← h + silu(norm(h)·W + b), n times, with its gradient.
func residualBlocks(g *ir.Graph, n int) []*ir.Node {
	t := ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B"), ir.D(16)}}
	h := g.Leaf("input", "x", t)
	var params []*ir.Node
	for i := range n {
		w := g.Leaf("param", fmt.Sprint("w", i), t.With(ir.ShapeOf(16, 16)))
		b := g.Leaf("param", fmt.Sprint("b", i), t.With(ir.ShapeOf(16)))
		mean := g.Map("div", g.Sum(h, []int{1}), g.Fill(16, t.With(t.Shape[:1])))
		centred := g.Map("sub", h, g.Spread(mean, t.Shape, []int{1}))
		z := g.Map("add", g.Einsum("ij,jk->ik", centred, w), g.Spread(b, t.Shape, []int{0}))
		h = g.Map("add", h, g.Map("mul", z, g.Map("sigmoid", z)))
		params = append(params, w, b)
	}
	loss := g.Sum(g.Map("mul", h, h), []int{0, 1})
	return append(sweep(g, loss, g.Fill(1, loss.Type), params...), loss)
}

// TestPlanLarge plans graphs of 200 parts. Each takes a fraction of a second;
// of what grows with the square or worse, a multiple of the limit.
func TestPlanLarge(t *testing.T) {
	const limit = 3 * time.Second
	for _, c := range large {
		t.Run(c.name, func(t *testing.T) {
			g := ir.NewGraph()
			roots := Lower(g, Simplify(g, Strip(g, Gradient(g, c.make(g, 200)...)...)...)...)
			start := time.Now()
			pl := newTestPlanner(g, roots)
			var targets []target
			for i, r := range roots {
				x := target{node: r}
				if r.Type.Rank() > 0 {
					x.buffer = &ir.Buffer{Name: fmt.Sprint("out", i), Type: r.Type, Storage: ir.InOutput}
				}
				targets = append(targets, x)
			}
			proc := pl.procedure("all", targets, nil)
			place([]timeline{{proc}})
			if took := time.Since(start); took > limit {
				t.Errorf("planning took %v", took)
			} else {
				t.Logf("%d nodes, %d steps in %v", len(ir.Topological(roots...)), len(proc.Steps), took)
			}
		})
	}
}
