package ir_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gradgen.dev/ir"
	"gradgen.dev/ir/irtest"
)

var vector = ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B")}}

// TestEqualNodesAreOne makes every sample twice in one graph.
func TestEqualNodesAreOne(t *testing.T) {
	eachSample(t, ir.Float64, func(t *testing.T, s irtest.Sample, _ *rand.Rand) {
		if s.Body != nil {
			return // its parameters are fresh each time
		}
		g := ir.NewGraph()
		var nodes [2]*ir.Node
		for k := range nodes {
			args := make([]*ir.Node, len(s.Operands))
			for i, o := range s.Operands {
				args[i] = g.Leaf("input", string(rune('a'+i)), o.Type)
			}
			n, err := irtest.Apply(g, s, args)
			if err != nil {
				t.Fatal(err)
			}
			nodes[k] = n
		}
		if nodes[0] != nodes[1] {
			t.Errorf("two nodes for %s", ir.Print(g, nodes[0]))
		}
	})
}

// TestUnequalNodesAreTwo makes nodes that differ in one thing.
func TestUnequalNodesAreTwo(t *testing.T) {
	g := ir.NewGraph()
	x, y := g.Leaf("input", "x", vector), g.Leaf("input", "y", vector)
	square := g.Einsum("i,j->ij", x, y)
	d, zero := ir.DimVar("B"), ir.D(0)
	for what, pair := range map[string][2]*ir.Node{
		"op":                {g.Map("sin", x), g.Map("cos", x)},
		"operands":          {g.Map("sin", x), g.Map("sin", y)},
		"order of operands": {g.Map("sub", x, y), g.Map("sub", y, x)},
		"name":              {x, y},
		"kind of leaf":      {x, g.Leaf("param", "x", vector)},
		"shape":             {x, g.Leaf("input", "x", vector.With(ir.ShapeOf(3)))},
		"element type":      {x, g.Leaf("input", "x", vector.Of(ir.Float32))},
		"value":             {g.Const(1, ir.Float64), g.Const(2, ir.Float64)},
		"sign of zero":      {g.Const(0, ir.Float64), g.Const(math.Copysign(0, -1), ir.Float64)},
		"axes":              {g.Sum(square, []int{0}), g.Sum(square, []int{1})},
		"axis":              {g.Iota(square.Type.Shape, 0, ir.Int32), g.Iota(square.Type.Shape, 1, ir.Int32)},
		"order of axes":     {g.Transpose(square, []int{1, 0}), square},
		"starts":            {g.Slice(x, []ir.Dim{ir.D(1)}, []ir.Dim{d}, []int{1}), g.Slice(x, []ir.Dim{ir.D(2)}, []ir.Dim{d}, []int{1})},
		"limits":            {g.Slice(x, []ir.Dim{zero}, []ir.Dim{ir.D(1)}, []int{1}), g.Slice(x, []ir.Dim{zero}, []ir.Dim{ir.D(2)}, []int{1})},
		"steps":             {g.Slice(x, []ir.Dim{zero}, []ir.Dim{d}, []int{2}), g.Slice(x, []ir.Dim{zero}, []ir.Dim{d}, []int{3})},
		"spec":              {g.Einsum("i,j->ij", x, y), g.Einsum("i,j->ji", x, y)},
		"data": {g.Must("tensor", ir.Attr{Data: []float64{1, 2}, Dims: ir.ShapeOf(2)}),
			g.Must("tensor", ir.Attr{Data: []float64{1, 3}, Dims: ir.ShapeOf(2)})},
		"pin":  {g.Pin(x, "a"), g.Pin(x, "b")},
		"draw": {g.Leaf("uniform", "a", vector), g.Leaf("uniform", "b", vector)},
		"body": {scaled(g, x, 2), scaled(g, x, 3)},
	} {
		if pair[0] == pair[1] {
			t.Errorf("one node for two that differ in %s", what)
		}
	}
	pin, constant := g.Pin(x, "a"), g.Const(math.NaN(), ir.Float64)
	if pin != g.Pin(x, "a") || constant != g.Const(math.NaN(), ir.Float64) {
		t.Error("two nodes for one pin, or for one NaN")
	}
}

// scaled is a call of a function that multiplies by k.
func scaled(g *ir.Graph, x *ir.Node, k float64) *ir.Node {
	a := g.NewArg(x.Type)
	return g.MakeCall("scaled", []*ir.Node{x}, &ir.Region{Params: []*ir.Node{a}, Results: []*ir.Node{g.Map("mul", a, g.Fill(k, x.Type))}})
}

// TestUnusedAttributes: what an op does not use makes no other node.
func TestUnusedAttributes(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", vector)
	if a, b := g.Must("exp", ir.Attr{Axis: 2, Name: "y"}, x), g.Map("exp", x); a != b {
		t.Error("an axis makes another exp")
	}
}

// TestNewArgIsFresh: a parameter is no other's, and none that was read.
func TestNewArgIsFresh(t *testing.T) {
	g, roots, err := ir.Parse(`graph {
		x = input(name: "x", type: [B]float64)
		y = call(x, name: "f") { region(a1 [B]float64) { z = exp(a1) return z } }
		return y }`)
	if err != nil {
		t.Fatal(err)
	}
	read := roots[0].Body[0].Params[0]
	if a, b := g.NewArg(vector), g.NewArg(vector); a == read || a == b {
		t.Error("a new parameter is another one")
	}
}

// TestBuilders: the constructors leave out what does nothing, and Pad and OneHot
// have the values that they promise.
func TestBuilders(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", vector)
	d := ir.DimVar("B")
	for what, n := range map[string]*ir.Node{
		"spread":    g.Spread(x, vector.Shape, nil),
		"sum":       g.Sum(x, nil),
		"reshape":   g.Reshape(x, vector.Shape),
		"transpose": g.Transpose(x, []int{0}),
		"cast":      g.Cast(x, ir.Float64),
		"slice":     g.Slice(x, []ir.Dim{ir.D(0)}, []ir.Dim{d}, []int{1}),
		"add":       g.Add(x, nil),
		"add to":    g.Add(nil, x),
	} {
		if n != x {
			t.Errorf("%s makes a node that does nothing", what)
		}
	}
	ev := &ir.Evaluator{Dims: map[string]int{"B": 2}, Values: map[string]*ir.Tensor{"input x": {Shape: []int{2}, Data: []float64{5, 6}}}}
	ids := g.Must("tensor", ir.Attr{Data: []float64{2, 0}, Dims: ir.ShapeOf(2), Elem: ir.Int32})
	if got := values(t, ev, g.OneHot(ids, ir.D(3), ir.Float64)); !identical(got, []float64{0, 0, 1, 1, 0, 0}) {
		t.Errorf("one-hot it is %v", got)
	}
	if n := g.Size(ir.D(3), ir.Float64); !n.Is("const") || eval(t, ev, g.Size(d, ir.Float64)) != 2 {
		t.Error("size of a constant or of B")
	}
}

// checkOrder: operands come before their users, each node once, all there.
func checkOrder(t *testing.T, order, roots []*ir.Node) {
	t.Helper()
	at := map[*ir.Node]int{}
	for i, n := range order {
		if _, ok := at[n]; ok {
			t.Fatalf("node %d is there twice", n.ID)
		}
		at[n] = i
		for _, a := range n.Operands() {
			if k, ok := at[a]; !ok || k >= i {
				t.Fatalf("operand %d of node %d does not come before it", a.ID, n.ID)
			}
		}
	}
	for _, r := range roots {
		if _, ok := at[r]; !ok {
			t.Fatalf("root %d is not there", r.ID)
		}
	}
}

// TestTopological: the order is right and depends on the graph alone, not on
// when nodes were made.
func TestTopological(t *testing.T) {
	for seed := range uint64(30) {
		_, roots, _ := irtest.Random(seed, irtest.Options{Odd: true})
		order := ir.Topological(roots...)
		checkOrder(t, order, roots)
		if !slices.Equal(order, ir.Topological(roots...)) {
			t.Fatal("the second order is another")
		}

		// Other nodes made before, and a part of it first, change nothing.
		h := ir.NewGraph()
		clone(h, order[len(order)/2:]...)
		for i, n := range ir.Topological(clone(h, roots...)...) {
			if n.Op != order[i].Op || n.Attr.Name != order[i].Attr.Name {
				t.Fatalf("at %d is %s in one graph and %s in the other", i, order[i].Op.Name, n.Op.Name)
			}
		}
	}
}

// clone makes roots again in another graph.
func clone(g *ir.Graph, roots ...*ir.Node) []*ir.Node {
	made := map[*ir.Node]*ir.Node{}
	var node func(n *ir.Node) *ir.Node
	list := func(nodes []*ir.Node) []*ir.Node {
		out := make([]*ir.Node, len(nodes))
		for i, n := range nodes {
			out[i] = node(n)
		}
		return out
	}
	node = func(n *ir.Node) *ir.Node {
		if made[n] != nil {
			return made[n]
		}
		args := list(n.Args)
		if len(n.Body) == 0 {
			made[n] = g.Must(n.Op.Name, n.Attr, args...)
			return made[n]
		}
		regions := make([]*ir.Region, len(n.Body))
		for i, r := range n.Body {
			regions[i] = &ir.Region{Params: list(r.Params), Results: list(r.Results)}
		}
		made[n] = g.MakeCall(n.Attr.Name, args, regions...)
		return made[n]
	}
	return list(roots)
}

// TestUses counts operands, captures and roots.
func TestUses(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", vector)
	a := g.NewArg(vector)
	call := g.MakeCall("f", []*ir.Node{x}, &ir.Region{Params: []*ir.Node{a}, Results: []*ir.Node{g.Map("add", a, x)}})
	y := g.Map("mul", x, x)
	uses := ir.Uses(call, y, y)
	if uses[x] != 4 || uses[y] != 2 || uses[call] != 1 {
		t.Errorf("x is used %d times, y %d, the call %d", uses[x], uses[y], uses[call])
	}
}

// TestRewriteNothing: a rewrite that changes nothing gives the same nodes.
func TestRewriteNothing(t *testing.T) {
	for seed := range uint64(30) {
		g, roots, _ := irtest.Random(seed, irtest.Options{Odd: true, Derivatives: true})
		if out := g.Rewrite(func(n *ir.Node) *ir.Node { return n }, roots...); !slices.Equal(out, roots) {
			t.Fatalf("seed %d: other nodes\n%s\n%s", seed, ir.Print(g, roots...), ir.Print(g, out...))
		}
	}
	if out := ir.NewGraph().Rewrite(nil, nil, nil); len(out) != 2 || out[0] != nil {
		t.Errorf("absent roots become %v", out)
	}
}

// TestRewriteEverywhere doubles and halves every floating value, inside regions
// too: the values stay, the graph is well-typed, and origins stay with values.
func TestRewriteEverywhere(t *testing.T) {
	for seed := range uint64(30) {
		g, roots, env := irtest.Random(seed, irtest.Options{})
		out := g.Rewrite(func(n *ir.Node) *ir.Node {
			if !n.Type.Elem.IsFloat() || n.Is("arg") {
				return n
			}
			half, two := g.Fill(0.5, n.Type), g.Fill(2, n.Type)
			return g.Map("mul", half, g.Map("mul", two, n))
		}, roots...)
		if err := ir.Check(out...); err != nil {
			t.Fatal(err)
		}
		checkSameValues(t, env, roots, out)
	}
}

// TestReplace puts a copy in a leaf's place: the values stay, and the leaf is
// used nowhere, not in regions either.
func TestReplace(t *testing.T) {
	replaced := 0
	for seed := range uint64(80) {
		g, roots, env := irtest.Random(seed, irtest.Options{})
		for _, n := range ir.Topological(roots...) {
			if !n.Is("input") {
				continue
			}
			replaced++
			copied := g.Leaf("input", n.Attr.Name+" copy", n.Type)
			env.Set(copied, env.Values["input "+n.Attr.Name])
			out := g.Replace(map[*ir.Node]*ir.Node{n: copied}, roots...)
			checkSameValues(t, env, roots, out)
			if slices.Contains(ir.Topological(out...), n) {
				t.Fatalf("seed %d: %s is still there", seed, n.Attr.Name)
			}
		}
	}
	if replaced < 50 {
		t.Errorf("only %d leaves were replaced", replaced)
	}
}

// TestCaptures: a region captures the outermost nodes that do not depend on its
// parameters, each once.
func TestCaptures(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", vector)
	deep := g.Map("exp", g.Map("sin", x))
	a := g.NewArg(vector)
	r := &ir.Region{Params: []*ir.Node{a}, Results: []*ir.Node{g.Map("add", g.Map("mul", a, deep), deep), x}}
	if got := r.Captures(); !slices.Equal(got, []*ir.Node{deep, x}) {
		t.Errorf("it captures %d nodes:\n%s", len(got), ir.Print(g, got...))
	}
}

// TestNestedRegions: an inner region sees the parameters of the outer one, also
// through nodes between them, and a deep nest is no more work than a flat one.
func TestNestedRegions(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", vector)
	ev := &ir.Evaluator{Dims: map[string]int{"B": 1}, Values: map[string]*ir.Tensor{"input x": {Shape: []int{1}, Data: []float64{1}}}}
	outer, inner := g.NewArg(vector), g.NewArg(vector)
	captured := g.Map("neg", outer)
	within := g.MakeCall("inner", []*ir.Node{outer}, &ir.Region{Params: []*ir.Node{inner}, Results: []*ir.Node{g.Map("add", inner, g.Map("add", captured, captured))}})
	call := g.MakeCall("outer", []*ir.Node{x}, &ir.Region{Params: []*ir.Node{outer}, Results: []*ir.Node{within}})
	if err := ir.Check(call); err != nil {
		t.Fatal(err)
	}
	if got := eval(t, ev, call); got != -1 {
		t.Errorf("x − 2x at 1 is %v", got)
	}
	if got := eval(t, ev, g.Inline(call)); got != -1 {
		t.Errorf("inlined it is %v", got)
	}

	// Forty levels, each in the region of the one before.
	n := g.Map("exp", outer)
	for range 40 {
		a := g.NewArg(vector)
		n = g.MakeCall("level", []*ir.Node{outer}, &ir.Region{Params: []*ir.Node{a}, Results: []*ir.Node{g.Map("add", a, n)}})
	}
	deep := g.MakeCall("deep", []*ir.Node{x}, &ir.Region{Params: []*ir.Node{outer}, Results: []*ir.Node{n}})
	if err := ir.Check(deep); err != nil {
		t.Fatal(err)
	}
	if got := eval(t, ev, deep); !near(got, 40+math.E, 1e-15) {
		t.Errorf("forty levels give %v", got)
	}
}

// withCalls allows few ops, so that many of them are calls.
func withCalls(op *ir.Op) bool {
	return slices.Contains([]string{"call", "sin", "mul", "sum", "spread", "normal"}, op.Name)
}

// TestInline: a call inlined has the call's value.
func TestInline(t *testing.T) {
	inlined := 0
	for seed := range uint64(100) {
		g, roots, env := irtest.Random(seed, irtest.Options{Ops: withCalls})
		out := g.Rewrite(func(n *ir.Node) *ir.Node {
			if n.Is("call") {
				inlined++
				return g.Inline(n)
			}
			return n
		}, roots...)
		checkSameValues(t, env, roots, out)
	}
	if inlined < 50 {
		t.Errorf("only %d calls", inlined)
	}
}

// TestOrigins: the first name stays, and a rewritten node takes that of the node
// it stands for.
func TestOrigins(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", vector)
	y := g.Map("exp", x)
	g.SetOrigin(y, ir.Origin{Pos: "a.dnn:1:1"})
	g.SetOrigin(y, ir.Origin{Name: "y"})
	g.SetOrigin(y, ir.Origin{Name: "z"})
	if got := g.Origin(y).Name; got != "y" {
		t.Errorf("the name is %q", got)
	}
	out := g.Replace(map[*ir.Node]*ir.Node{x: g.Map("sin", x)}, y)[0]
	if got := g.Origin(out).Name; got != "y" {
		t.Errorf("rewritten, the name is %q", got)
	}
}
