package ir_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gradgen.dev/ir"
	"gradgen.dev/ir/irtest"
)

// checkRoundTrip: what Print writes, Parse reads back into a graph that passes
// Check and prints the same.
func checkRoundTrip(t *testing.T, g *ir.Graph, roots []*ir.Node) []*ir.Node {
	t.Helper()
	text := ir.Print(g, roots...)
	h, again, err := ir.Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := ir.Check(again...); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got := ir.Print(h, again...); got != text {
		t.Fatalf("printed\n%s\nand after parsing\n%s", text, got)
	}
	return again
}

// checkSameValues: both lists have the same values exactly, NaN for NaN and -0
// for -0.
func checkSameValues(t *testing.T, env *irtest.Env, a, b []*ir.Node) {
	t.Helper()
	ea, eb := env.Evaluator(), env.Evaluator()
	for i := range a {
		if x, y := values(t, ea, a[i]), values(t, eb, b[i]); fmt.Sprint(x) != fmt.Sprint(y) {
			t.Fatalf("root %d is %v and after parsing %v", i, x, y)
		}
	}
}

// TestPrintParse takes random graphs over the whole table through the text form
// and back, and compares text and values.
func TestPrintParse(t *testing.T) {
	for _, o := range []irtest.Options{{}, {Odd: true}, {Float32: true, Odd: true, Size: 50}} {
		for seed := range uint64(80) {
			g, roots, env := irtest.Random(seed, o)
			checkSameValues(t, env, roots, checkRoundTrip(t, g, roots))
		}
	}
	for seed := range uint64(40) {
		g, roots, _ := irtest.Random(seed, irtest.Options{Odd: true, Derivatives: true})
		checkRoundTrip(t, g, roots)
	}
}

// TestPrintParseSamples takes every sample of every row through the text form.
func TestPrintParseSamples(t *testing.T) {
	eachSample(t, ir.Float64, func(t *testing.T, s irtest.Sample, _ *rand.Rand) {
		d := derive(t, s)
		checkRoundTrip(t, d.g, d.roots())
	})
}

// attention is a text as Print writes it: literals beside tensors, attributes,
// a region with a capture.
const attention = `graph {
    q = param(name: "q", type: [B, 4]float32)
    k = param(name: "k", type: [B, 4]float32)
    t = einsum(q, k, spec: "ij,kj->ik")
    scores = t * 0.5
    m = reduce_max(scores, axes: [1])
    t_2 = spread(m, shape: [B, B], axes: [1])
    f = call(scores, name: "f") {
        region(a1 [B, B]float32) {
            t_3 = a1 - t_2
            t_4 = exp(t_3)
            return t_4
        }
    }
    t_5 = iota(axis: 0, type: [2*B - 1]int32)
    return f, t_5
}
`

// TestText reads and prints a text by hand.
func TestText(t *testing.T) {
	g, roots, err := ir.Parse(attention)
	if err != nil {
		t.Fatal(err)
	}
	if got := ir.Print(g, roots...); got != attention {
		t.Errorf("printed\n%s\nwant\n%s", got, attention)
	}
	if got := g.Origin(roots[0].Args[0]).Name; got != "scores" {
		t.Errorf("the name scores came back as %q", got)
	}
}

// TestPrintScopes prints nodes that two regions share, and constants that only
// regions need by name: a name ends with its region.
func TestPrintScopes(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(2)})
	a := g.NewArg(x.Type)
	shared := g.Map("exp", a)
	zeros := g.Fill(0, x.Type)
	sum := g.Sum(zeros, []int{0})
	y, dy := g.NewArg(x.Type), g.NewArg(x.Type)
	call := g.MakeCall("f", []*ir.Node{x},
		&ir.Region{Params: []*ir.Node{a}, Results: []*ir.Node{g.Map("add", shared, g.Broadcast(sum, x.Type.Shape))}},
		&ir.Region{Params: []*ir.Node{a, y, dy}, Results: []*ir.Node{g.Map("add", g.Map("mul", shared, dy), zeros)}})
	checkRoundTrip(t, g, []*ir.Node{call, g.Map("mul", call, zeros), zeros})

	// A parameter's name may be taken outside.
	z := g.Map("neg", x)
	g.SetOrigin(z, ir.Origin{Name: a.Attr.Name})
	checkRoundTrip(t, g, []*ir.Node{z, call})
}

// malformed is texts that are no graph, and a part of the reason.
var malformed = []struct{ text, reason string }{
	{``, `"graph"`},
	{`graph`, `"{"`},
	{`graph {`, `name`},
	{`graph { return x }`, `no value is called x`},
	{`graph { x = }`, `where a value belongs`},
	{`graph { x = y return x }`, `no value is called y`},
	{`graph { 5 = input(name: "x", type: []int32) return x }`, `where a name belongs`},
	{`graph { return = 5 }`, `value`},
	{`graph { x = 1 x = 2 return x }`, `already`},
	{`graph { x = foo(1) return x }`, `no op is called foo`},
	{`graph { x = exp(1, 2) return x }`, `1 operands`},
	{`graph { x = exp(a: 1) return x }`, `exp has no attribute a`},
	{`graph { x = const(value: 1) return x }`, `lacks the attribute elem`},
	{`graph { x = const(value: B, elem: float32) return x }`, `value:`},
	{`graph { x = const(value: "1", elem: float32) return x }`, `value:`},
	{`graph { x = const(value: 1, value: 2, elem: float32) return x }`, `twice`},
	{`graph { x = const(value: 1, elem: [2]float32) return x }`, `elem:`},
	{`graph { x = const(value: 1e, elem: float32) return x }`, `no number`},
	{`graph { x = input(name: x, type: []float32) return x }`, `name:`},
	{`graph { x = input(name: "x, type: []float32) return x }`, `no string`},
	{`graph { x = input(name: "x", type: float32) return x }`, `type:`},
	{`graph { x = input(name: "x", type: [0.5]float32) return x }`, `type:`},
	{`graph { x = input(name: "x", type: [-1]float32) return x }`, `extent -1`},
	{`graph { x = input(name: "x", type: [B/0]float32) return x }`, `division by 0`},
	{`graph { x = input(name: "x", type: [99999999999999999999]float32) return x }`, `no extent`},
	{`graph { x = size(dim: "B", elem: int32) return x }`, `dim:`},
	{`graph { x = size(dim: 0.5, elem: int32) return x }`, `dim:`},
	{`graph { x = iota(axis: 1, type: [2]int32) return x }`, `axis 1`},
	{`graph { x = iota(axis: B, type: [2]int32) return x }`, `axis:`},
	{`graph { x = tensor(data: [1, 2], type: [3]float32) return x }`, `2 elements`},
	{`graph { x = tensor(data: [1, B], type: [2]float32) return x }`, `data:`},
	{`graph { x = sum(1, axes: [0]) return x }`, `axes`},
	{`graph { x = sum(1, axes: [0.5]) return x }`, `axes:`},
	{`graph { x = concat(axis: 0) return x }`, `no operand`},
	{`graph { x = spread(1, shape: [2], axes: [0, 0]) return x }`, `axes`},
	{`graph { x = spread(1, shape: [-2], axes: [0]) return x }`, `extent -2`},
	{`graph { x = reshape(1, shape: [-1, -1]) return x }`, `extent -1`},
	{`graph { x = reshape(1, shape: [2]) return x }`, `elements`},
	{`graph { x = transpose(1, axes: [0]) return x }`, `order`},
	{`graph { a = iota(axis: 0, type: [3]int32) x = slice(a, starts: [1], limits: [4], steps: [1]) return x }`, `extent of 3`},
	{`graph { a = iota(axis: 0, type: [3]int32) x = slice(a, starts: [-1], limits: [2], steps: [1]) return x }`, `starts at -1`},
	{`graph { a = iota(axis: 0, type: [3]int32) x = slice(a, starts: [2], limits: [1], steps: [1]) return x }`, `negative`},
	{`graph { a = iota(axis: 0, type: [3]int32) x = slice(a, starts: [0], limits: [1], steps: [0]) return x }`, `step 0`},
	{`graph { a = iota(axis: 0, type: [3]int32) x = place(a, shape: [3], starts: [1], steps: [1]) return x }`, `extent of 3`},
	{`graph { a = iota(axis: 0, type: [3]int32) x = place(a, shape: [3], starts: [0], steps: [0]) return x }`, `step 0`},
	{`graph { x = einsum(1, 2, spec: "i,i->") return x }`, `on`},
	{`graph { a = iota(axis: 0, type: [3]float32) x = einsum(a, a, spec: "i,j->i") return x }`, `one operand alone`},
	{`graph { a = iota(axis: 0, type: [3]float32) x = einsum(a, a, spec: "1,1->") return x }`, `no letter`},
	{`graph { a = iota(axis: 0, type: [3]float32) x = gather(a, a, axis: 0) return x }`, `integer`},
	{`graph { x = call(1, name: "f") { } return x }`, `no name`},
	{`graph { a = 1 x = call(a, name: "f") { } return x }`, `region`},
	{`graph { a = 1 x = call(a) { region(b []float32) { return b } } return x }`, `lacks the attribute name`},
	{`graph { a = 1 x = call(a, name: "f") { region() { return a } } return x }`, `0 parameters`},
	{`graph { a = 1 x = call(a, name: "f") { region(b []int32) { return b } } return x }`, `want []float32`},
	{`graph { a = 1 x = call(a, name: "f") { region(a []float32) { return a } } return x }`, `already`},
	{`graph { a = 1 x = call(a, name: "f") { region(b 5) { return b } } return x }`, `type:`},
	{`graph { a = 1 x = call(a, name: "f") { region(b []float32) { c = b return c } } return c }`, `no value is called c`},
	{`graph { a = 1 x = neg(call(a, name: "f")) return x }`, `region`},
	{`graph { x = 1 return x } x`, `left over`},
	{`graph { x = ` + strings.Repeat("(", 1e5) + `1 return x }`, `nesting`},
	{`graph { x = ` + strings.Repeat("-", 1e5) + `1 return x }`, `nesting`},
	{`graph { x = input(name: "x", type: [` + strings.Repeat("(", 1e5) + `B]float32) return x }`, `nesting`},
	{`graph { x = input(name: "x", type: [` + sums(40) + `]float32) return x }`, `terms`},
}

// sums is a product of n sums, whose normal form has 2^n terms.
func sums(n int) string {
	factors := make([]string, n)
	for i := range factors {
		factors[i] = fmt.Sprintf("(a%d + b%d)", i, i)
	}
	return strings.Join(factors, "*")
}

// TestMalformed: a text that is no graph gives an error that says why.
func TestMalformed(t *testing.T) {
	for _, c := range malformed {
		_, _, err := ir.Parse(c.text)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%.120s\ngives %v, want an error with %s", c.text, err, c.reason)
		}
	}
}

// FuzzParse: Parse never panics, and what it accepts passes Check and the round
// trip.
func FuzzParse(f *testing.F) {
	f.Add(attention)
	for _, c := range malformed {
		if len(c.text) < 1000 {
			f.Add(c.text)
		}
	}
	for seed := range uint64(20) {
		g, roots, _ := irtest.Random(seed, irtest.Options{Odd: true, Derivatives: seed%2 == 0, Size: 10})
		f.Add(ir.Print(g, roots...))
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, roots, err := ir.Parse(text)
		if err != nil {
			return
		}
		if err := ir.Check(roots...); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		checkRoundTrip(t, g, roots)
	})
}
