package passes

import (
	"slices"
	"testing"

	"gradgen.dev/ir"
)

// An update is new values for the parameters V, W and X, square matrices, and
// how many steps it takes: more than one a value where the old one is still
// needed.
var updateCases = []struct {
	name  string
	next  func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node
	steps int
}{
	{"each by itself", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		return [3]*ir.Node{g.Map("sin", v), g.Map("cos", w), g.Map("tanh", x)}
	}, 3},
	{"read by the next one", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		return [3]*ir.Node{g.Map("sin", v), g.Einsum("ij,jk->ik", g.Transpose(v, []int{1, 0}), w), x}
	}, 3},
	{"read by the one before", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		return [3]*ir.Node{g.Einsum("ij,jk->ik", w, x), g.Map("sin", w), x}
	}, 2},
	{"round", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node { return [3]*ir.Node{w, x, v} }, 4},
	{"two exchanged by products", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		return [3]*ir.Node{g.Einsum("ij,jk->ik", w, x), g.Einsum("ij,jk->ik", v, x), x}
	}, 3},
	{"its own transpose", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		return [3]*ir.Node{g.Transpose(v, []int{1, 0}), w, x}
	}, 2},
	{"its own product", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		return [3]*ir.Node{g.Map("sub", v, g.Einsum("ij,jk->ik", v, w)), w, x}
	}, 3},
	{"less a product of others", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		return [3]*ir.Node{g.Map("sub", v, g.Einsum("ij,jk->ik", w, x)), w, x}
	}, 1},
	{"less the sum of its rows", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		return [3]*ir.Node{g.Map("sub", v, g.Spread(g.Sum(v, []int{1}), v.Type.Shape, []int{1})), w, x}
	}, 1},
	{"less the sum of its columns", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		return [3]*ir.Node{g.Map("sub", v, g.Spread(g.Sum(v, []int{0}), v.Type.Shape, []int{0})), w, x}
	}, 2},
	{"one for two", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		n := g.Map("sub", v, w)
		return [3]*ir.Node{n, n, x}
	}, 3},
	{"a new value read by others", func(g *ir.Graph, v, w, x *ir.Node) [3]*ir.Node {
		n := g.Map("sub", v, g.Einsum("ij,jk->ik", w, x))
		return [3]*ir.Node{n, g.Einsum("ij,jk->ik", n, n), x}
	}, 4},
}

// TestUpdatesInPlace runs updates of parameters in their own memory.
func TestUpdatesInPlace(t *testing.T) {
	for _, c := range updateCases {
		t.Run(c.name, func(t *testing.T) {
			g := ir.NewGraph()
			square := ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B"), ir.DimVar("B")}}
			v, w, x := g.Leaf("param", "v", square), g.Leaf("param", "w", square), g.Leaf("param", "x", square)
			next := c.next(g, v, w, x)
			p := &planning{g: g, leaves: []*ir.Node{v, w, x}, want: next[:], roots: next[:]}
			p.rng = (&weaver{}).Rand
			p.pl = newTestPlanner(g, slices.Concat(p.leaves, p.want))
			var targets []target
			for i, leaf := range p.leaves {
				targets = append(targets, target{node: next[i], buffer: p.pl.buffer[leaf], leaf: leaf})
			}
			pl := p.pl.child()
			proc := pl.procedure("update", targets, nil)
			arena := place([]timeline{{proc}})
			if len(proc.Steps) != c.steps {
				t.Errorf("%d steps, want %d\n%s", len(proc.Steps), c.steps, planText(proc))
			}
			e := &ir.Evaluator{Dims: map[string]int{"B": 3}, Values: map[string]*ir.Tensor{}}
			for k, leaf := range p.leaves {
				fill(t, e, leaf, func(i int) float64 { return float64((i*i+k)%5) - 1.5 })
			}
			m := p.machine(e, arena)
			err := m.run(proc)
			if err == nil {
				err = checkTargets(m, e, proc, targets)
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, planText(proc))
			}
		})
	}
}

// TestOrderKeeps: steps that are in order stay so.
func TestOrderKeeps(t *testing.T) {
	g := ir.NewGraph()
	s := &scheduler{planner: &planner{g: g, names: newNaming(g)}, proc: &ir.Procedure{}}
	typ := ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(4)}
	buffer := func(name string, storage ir.Storage) *ir.Buffer {
		return &ir.Buffer{Name: name, Type: typ, Storage: storage}
	}
	in, w, a, b := buffer("in", ir.InInput), buffer("w", ir.InParam), buffer("a", ir.InArena), buffer("b", ir.InArena)
	want := []*ir.Step{s.copyStep(in, a), s.copyStep(w, b), s.copyStep(a, w), s.copyStep(b, a)}
	s.proc.Steps = slices.Clone(want)
	s.outer = s.names
	s.order()
	if !slices.Equal(s.proc.Steps, want) {
		t.Error("the order has changed")
	}

	// A read of the old value behind its update comes before it.
	late := []*ir.Step{s.copyStep(in, a), s.copyStep(a, w), s.copyStep(w, b)}
	s.proc.Steps = slices.Clone(late)
	s.order()
	if !slices.Equal(s.proc.Steps, []*ir.Step{late[0], late[2], late[1]}) {
		t.Error("the old value is read after it was overwritten")
	}
}
