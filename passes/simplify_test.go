package passes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gradgen.dev/ir"
	"gradgen.dev/ir/irtest"
)

// steep are the ops whose value jumps, so that one rounding more may change it
// by as much as it likes.
var steep = []string{"sign", "floor", "ceil", "round", "mod", "floordiv", "lt", "le", "gt", "ge", "eq", "ne",
	"isnan", "cast", "argmax", "argmin"}

func continuous(op *ir.Op) bool { return !slices.Contains(steep, op.Name) }

// kinds are the random graphs that Simplify is tried on.
var kinds = []struct {
	name    string
	options irtest.Options
}{
	{"float64", irtest.Options{Size: 30, Ops: continuous}},
	{"float32", irtest.Options{Size: 30, Ops: continuous, Float32: true}},
	{"odd", irtest.Options{Size: 30, Ops: continuous, Odd: true}},
	{"arithmetic", irtest.Options{Size: 40, Ops: isRing}},
	{"views", irtest.Options{Size: 40, Ops: isView}},
	{"all", irtest.Options{Size: 30}},
}

func isRing(op *ir.Op) bool {
	switch op.Name {
	case "add", "sub", "mul", "div", "neg", "sqrt", "rsqrt", "sum", "spread", "einsum", "exp", "log", "logsumexp", "where", "input", "const":
		return true
	}
	return false
}

func isView(op *ir.Op) bool {
	switch op.Name {
	case "sum", "einsum", "mul", "neg", "eq", "cast", "iota", "pick", "gather", "place", "logsumexp", "input":
		return true
	}
	return op.Class == ir.View
}

// TestSimplifyRandom simplifies random graphs and checks all that Simplify
// promises.
func TestSimplifyRandom(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			for seed := range uint64(150) {
				g, raw, env := irtest.Random(seed, kind.options)
				simple := Simplify(g, raw...)
				if err := ir.Check(simple...); err != nil {
					t.Fatalf("seed %d: %v\n%s", seed, err, ir.Print(g, raw...))
				}
				checkSameValues(t, seed, g, env, raw, simple)
				checkIdempotent(t, seed, g, raw, simple)
				checkDeterministic(t, seed, kind.options, g, simple)
			}
		})
	}
}

// checkSameValues compares the values before and after. Where a value before
// is not finite, the one after need not be so either: x − x is 0.
func checkSameValues(t *testing.T, seed uint64, g *ir.Graph, env *irtest.Env, raw, simple []*ir.Node) {
	t.Helper()
	want, err := env.Evaluator().EvalAll(raw...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := env.Evaluator().EvalAll(simple...)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, ir.Print(g, raw...))
	}
	for i := range want {
		for k, w := range want[i].Data {
			if v := got[i].Data[k]; !math.IsNaN(w) && !math.IsInf(w, 0) && !near(w, v, 1e-7) {
				t.Errorf("seed %d: root %d is %v, want %v\n%s\n%s", seed, i, v, w, ir.Print(g, raw[i]), ir.Print(g, simple[i]))
				return
			}
		}
	}
}

// checkIdempotent: what is simple stays as it is, in either kind of round. (That
// Simplify changes nothing would say less: forms that take turns come around.)
func checkIdempotent(t *testing.T, seed uint64, g *ir.Graph, raw, simple []*ir.Node) {
	t.Helper()
	for _, late := range []bool{false, true} {
		for i, again := range round(g, nil, nil, late, simple) {
			if again != simple[i] {
				t.Errorf("seed %d: simplified again, root %d changes from\n%s\nto\n%s\nraw\n%s", seed, i, ir.Print(g, simple[i]), ir.Print(g, again), ir.Print(g, raw[i]))
				return
			}
		}
	}
}

// checkDeterministic: the same graph built again becomes the same text.
func checkDeterministic(t *testing.T, seed uint64, o irtest.Options, g *ir.Graph, simple []*ir.Node) {
	t.Helper()
	h, raw, _ := irtest.Random(seed, o)
	if a, b := ir.Print(g, simple...), ir.Print(h, Simplify(h, raw...)...); a != b {
		t.Errorf("seed %d: simplified in two graphs\n%s\nand\n%s", seed, a, b)
	}
}

// TestSimplifyShuffled makes the nodes of random graphs in another order, which
// may change the form but not the value.
func TestSimplifyShuffled(t *testing.T) {
	for seed := range uint64(100) {
		_, raw, env := irtest.Random(seed, irtest.Options{Size: 30, Ops: continuous})
		h, shuffled := rebuiltShuffled(seed, raw)
		checkSameValues(t, seed, h, env, raw, Simplify(h, shuffled...))
	}
}

// rebuiltShuffled is roots in a graph of their own, whose nodes are made in a
// random order that the operands allow.
func rebuiltShuffled(seed uint64, roots []*ir.Node) (*ir.Graph, []*ir.Node) {
	rng := rand.New(rand.NewPCG(seed, 1))
	h, made := ir.NewGraph(), map[*ir.Node]*ir.Node{}
	todo := ir.Topological(roots...)
	for len(todo) > 0 {
		i := rng.IntN(len(todo))
		n := todo[i]
		args, ready := make([]*ir.Node, len(n.Args)), true
		for k, a := range n.Args {
			args[k] = made[a]
			ready = ready && made[a] != nil
		}
		for _, a := range n.Operands() {
			ready = ready && made[a] != nil
		}
		if !ready {
			continue
		}
		todo = slices.Delete(todo, i, i+1)
		if len(n.Body) > 0 {
			made[n] = h.MakeCall(n.Attr.Name, args, rebuiltRegions(h, n, made)...)
			continue
		}
		made[n] = h.Must(n.Op.Name, n.Attr, args...)
	}
	out := make([]*ir.Node, len(roots))
	for i, r := range roots {
		out[i] = made[r]
	}
	return h, out
}

// rebuiltRegions is the regions of n in graph h, what they capture replaced.
func rebuiltRegions(h *ir.Graph, n *ir.Node, made map[*ir.Node]*ir.Node) []*ir.Region {
	var out []*ir.Region
	for _, r := range n.Body {
		inner := map[*ir.Node]*ir.Node{}
		for k, v := range made {
			inner[k] = v
		}
		c := &ir.Region{}
		for _, p := range r.Params {
			inner[p] = h.NewArg(p.Type)
			c.Params = append(c.Params, inner[p])
		}
		for _, m := range ir.Topological(r.Results...) {
			if inner[m] != nil {
				continue
			}
			args := make([]*ir.Node, len(m.Args))
			for i, a := range m.Args {
				args[i] = inner[a]
			}
			if len(m.Body) > 0 {
				inner[m] = h.MakeCall(m.Attr.Name, args, rebuiltRegions(h, m, inner)...)
			} else {
				inner[m] = h.Must(m.Op.Name, m.Attr, args...)
			}
		}
		for _, m := range r.Results {
			c.Results = append(c.Results, inner[m])
		}
		out = append(out, c)
	}
	return out
}

// nasty are graphs that a careless rewriting blows up on.
var nasty = []struct {
	name  string
	nodes int // the most that may be left
	make  func(g *ir.Graph, x, y *ir.Node) *ir.Node
}{
	{"sum of 2000", 4001, func(g *ir.Graph, x, _ *ir.Node) *ir.Node {
		sum := x
		for i := range 2000 {
			sum = g.Map("add", sum, g.Leaf("input", fmt.Sprint("a", i), x.Type))
		}
		return sum
	}},
	{"product of 2000", 4001, func(g *ir.Graph, x, _ *ir.Node) *ir.Node {
		p := x
		for i := range 2000 {
			p = g.Map("mul", p, g.Leaf("input", fmt.Sprint("a", i), x.Type))
		}
		return p
	}},
	{"power 2000", 200, func(g *ir.Graph, x, _ *ir.Node) *ir.Node {
		p := x
		for range 2000 {
			p = g.Map("mul", p, x)
		}
		return p
	}},
	{"squares of squares", 300, func(g *ir.Graph, x, _ *ir.Node) *ir.Node {
		for range 200 {
			x = g.Map("mul", x, x)
		}
		return x
	}},
	{"sums of itself", 300, func(g *ir.Graph, x, y *ir.Node) *ir.Node {
		for range 50 {
			x = g.Map("add", x, g.Map("mul", x, y))
		}
		return x
	}},
	{"residual tower", 502, func(g *ir.Graph, x, y *ir.Node) *ir.Node {
		for i := range 100 {
			w := g.Leaf("param", fmt.Sprint("w", i), x.Type)
			x = g.Map("add", x, g.Map("tanh", g.Map("mul", w, g.Map("sub", x, y))))
		}
		return x
	}},
	{"unrolled gates", 502, func(g *ir.Graph, x, y *ir.Node) *ir.Node {
		total := y
		for i := range 100 {
			gate := g.Map("sigmoid", g.Leaf("input", fmt.Sprint("g", i), x.Type))
			x = g.Map("mul", x, gate)
			total = g.Map("add", total, g.Map("exp", x))
		}
		return total
	}},
	{"products of sums", 122, func(g *ir.Graph, x, y *ir.Node) *ir.Node {
		p := x
		for i := range 40 {
			p = g.Map("mul", p, g.Map("add", y, g.Leaf("input", fmt.Sprint("a", i), x.Type)))
		}
		return p
	}},
	{"continued fraction", 204, func(g *ir.Graph, x, y *ir.Node) *ir.Node {
		for range 100 {
			x = g.Map("div", y, g.Map("add", x, g.Fill(1, x.Type)))
		}
		return x
	}},
	{"quotients of quotients", 70, func(g *ir.Graph, x, y *ir.Node) *ir.Node {
		for i := range 12 {
			x, y = g.Map("div", y, x), g.Map("mul", x, g.Leaf("input", fmt.Sprint("a", i), x.Type))
		}
		return x
	}},
}

// TestSimplifyNasty checks that the graphs above do not grow, and that few
// nodes are tried on the way, which is what time goes into.
func TestSimplifyNasty(t *testing.T) {
	for _, n := range nasty {
		t.Run(n.name, func(t *testing.T) {
			g := ir.NewGraph()
			typ := ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2)}
			root := n.make(g, g.Leaf("input", "x", typ), g.Leaf("input", "y", typ))
			before := len(ir.Topological(root))
			out := Simplify(g, root)
			if after := len(ir.Topological(out...)); after > n.nodes {
				t.Errorf("%d nodes became %d, want %d at most", before, after, n.nodes)
			}
			if tried := g.Leaf("input", "last", typ).ID; tried > 30*before {
				t.Errorf("%d nodes were made of %d", tried, before)
			}
			checkIdempotent(t, 0, g, []*ir.Node{root}, out)
		})
	}
}

// TestSimplifyNastyDerivatives: nor do their derivatives.
func TestSimplifyNastyDerivatives(t *testing.T) {
	for _, n := range nasty {
		t.Run(n.name, func(t *testing.T) {
			g := ir.NewGraph()
			typ := ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2)}
			x, y := g.Leaf("input", "x", typ), g.Leaf("input", "y", typ)
			root := n.make(g, x, y)
			before := len(ir.Topological(root))
			d := reverse(g, root, g.Leaf("input", "d", typ), x, y)
			out := Simplify(g, append(nonNil(d), root)...)
			if after := len(ir.Topological(out...)); after > 8*before {
				t.Errorf("%d nodes and their derivative became %d", before, after)
			}
			if tried := g.Leaf("input", "last", typ).ID; tried > 150*before {
				t.Errorf("%d nodes were made of %d", tried, before)
			}
			checkIdempotent(t, 0, g, append(nonNil(d), root), out)
		})
	}
}
