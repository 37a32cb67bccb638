package passes

import (
	"fmt"
	"testing"
	"time"

	"gradgen.dev/ir"
)

var scales = []struct {
	name string
	make func(g *ir.Graph, n int) []*ir.Node
}{
	{"deep scalar chain", func(g *ir.Graph, n int) []*ir.Node {
		x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64})
		y := x
		for range n {
			y = g.Map("sin", g.Map("add", y, g.Map("mul", y, x)))
		}
		return []*ir.Node{y}
	}},
	{"deep vector chain", func(g *ir.Graph, n int) []*ir.Node {
		x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B")}})
		y := x
		for range n {
			y = g.Map("sin", g.Map("add", y, g.Map("mul", y, x)))
		}
		return []*ir.Node{y}
	}},
	{"bool dag", func(g *ir.Graph, n int) []*ir.Node {
		t := ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B")}}
		x := g.Leaf("input", "x", t)
		a := g.Map("lt", x, g.Fill(0, t))
		b := g.Map("lt", x, g.Fill(1, t))
		for range n {
			a, b = g.Map("or", g.Map("and", a, b), g.Map("lt", g.Map("sin", x), x)), g.Map("and", g.Map("or", a, g.Map("not", b)), b)
		}
		return []*ir.Node{g.Map("where", a, x, g.Fill(2, t))}
	}},
	{"scalar recursion hessian", func(g *ir.Graph, n int) []*ir.Node {
		x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2)})
		at := func(i int) *ir.Node {
			return g.Reshape(g.Slice(x, []ir.Dim{ir.D(i)}, []ir.Dim{ir.D(i + 1)}, []int{1}), ir.Shape{})
		}
		a, b := at(0), at(1)
		for range n {
			a, b = g.Map("add", g.Map("mul", a, b), g.Map("sin", a)), g.Map("sub", b, g.Map("mul", g.Const(0.1, ir.Float64), g.Map("cos", a)))
		}
		return []*ir.Node{g.Map("hessian", g.Map("add", a, b), x)}
	}},
	{"residual blocks grad", func(g *ir.Graph, n int) []*ir.Node {
		t := ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B"), ir.D(16)}}
		x := g.Leaf("input", "x", t)
		h := x
		var grads []*ir.Node
		var ws []*ir.Node
		for i := range n {
			w := g.Leaf("param", fmt.Sprint("w", i), ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(16, 16)})
			b := g.Leaf("param", fmt.Sprint("b", i), ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(16)})
			mean := g.Map("div", g.Sum(h, []int{1}), g.Broadcast(g.Const(16, ir.Float64), ir.Shape{ir.DimVar("B")}))
			c := g.Map("sub", h, g.Spread(mean, t.Shape, []int{1}))
			z := g.Map("add", g.Einsum("ij,jk->ik", c, w), g.Spread(b, t.Shape, []int{0}))
			h = g.Map("add", h, g.Map("mul", z, g.Map("sigmoid", z)))
			ws = append(ws, w, b)
		}
		loss := g.Sum(g.Map("mul", h, h), []int{0, 1})
		for _, w := range ws {
			grads = append(grads, g.Map("grad", loss, w))
		}
		return append(grads, loss)
	}},
	{"wide fan-out", func(g *ir.Graph, n int) []*ir.Node {
		t := ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B"), ir.D(4)}}
		x := g.Map("sin", g.Leaf("input", "x", t))
		var out []*ir.Node
		for i := range n {
			s := g.Leaf("input", fmt.Sprint("s", i), ir.Type{Elem: ir.Float64})
			out = append(out, g.Map("tanh", g.Map("mul", x, g.Broadcast(s, t.Shape))))
		}
		return out
	}},
	{"wide sums", func(g *ir.Graph, n int) []*ir.Node {
		t := ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B"), ir.D(4)}}
		x := g.Map("sin", g.Leaf("input", "x", t))
		var out []*ir.Node
		for i := range n {
			s := g.Leaf("input", fmt.Sprint("s", i), ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(4)})
			out = append(out, g.Sum(g.Map("tanh", g.Map("mul", x, g.Spread(s, t.Shape, []int{0}))), []int{0, 1}))
		}
		return out
	}},
	{"slices of a vector", func(g *ir.Graph, n int) []*ir.Node {
		x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(n + 2)})
		var sum *ir.Node
		at := func(i int) *ir.Node {
			return g.Reshape(g.Slice(x, []ir.Dim{ir.D(i)}, []ir.Dim{ir.D(i + 1)}, []int{1}), ir.Shape{})
		}
		for i := range n {
			sum = g.Add(sum, g.Map("mul", at(i), g.Map("sin", at(i+1))))
		}
		return []*ir.Node{sum, g.Map("grad", sum, x)}
	}},
	{"sum of places", func(g *ir.Graph, n int) []*ir.Node {
		var sum *ir.Node
		for i := range n {
			x := g.Leaf("input", fmt.Sprint("x", i), ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2)})
			p := g.Must("place", ir.Attr{Dims: ir.ShapeOf(2*n + 2), Limits: []ir.Dim{ir.D(2 * i)}, Steps: []int{1}}, g.Map("sin", x))
			sum = g.Add(sum, p)
		}
		return []*ir.Node{sum}
	}},
	{"matrix chain", func(g *ir.Graph, n int) []*ir.Node {
		t := ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(4, 4)}
		x := g.Leaf("input", "x", t)
		y := x
		for range n {
			y = g.Map("tanh", g.Einsum("ij,jk->ik", y, x))
		}
		return []*ir.Node{y, g.Map("grad", g.Sum(y, []int{0, 1}), x)}
	}},
}

func TestZScale(t *testing.T) {
	for _, s := range scales {
		for _, n := range []int{25, 50, 100, 200, 400} {
			g := ir.NewGraph()
			t0 := time.Now()
			roots := s.make(g, n)
			var x []*ir.Node
			_ = x
			roots = Strip(g, Gradient(g, roots...)...)
			t1 := time.Now()
			roots = Simplify(g, roots...)
			t2 := time.Now()
			roots = Lower(g, roots...)
			t3 := time.Now()
			pl := newTestPlanner(g, roots)
			var targets []target
			for i, r := range roots {
				tt := target{node: r}
				if r.Type.Rank() > 0 {
					tt.buffer = &ir.Buffer{Name: fmt.Sprint("out", i), Type: r.Type, Storage: ir.InOutput, Key: fmt.Sprint("out", i)}
				}
				targets = append(targets, tt)
			}
			proc := pl.procedure("all", targets, nil)
			t4 := time.Now()
			place([]timeline{{proc}})
			t5 := time.Now()
			fmt.Printf("%-26s %4d: nodes %6d steps %5d gradient %v simplify %v lower %v procedure %v place %v\n", s.name, n, len(ir.Topological(roots...)), len(proc.Steps),
				t1.Sub(t0).Round(time.Millisecond), t2.Sub(t1).Round(time.Millisecond), t3.Sub(t2).Round(time.Millisecond), t4.Sub(t3).Round(time.Millisecond), t5.Sub(t4).Round(time.Millisecond))
			if t5.Sub(t0) > 5*time.Second {
				break
			}
		}
	}
}
