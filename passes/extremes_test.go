package passes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

// TestExtremes: simplification never makes a finite result non-finite, nor far
// from what it is. Each formula of testdata/extremes.txt and its vector-Jacobian
// products are evaluated in float32 as they are written and as they are
// emitted, at points of all magnitudes; where what is written is accurate, what
// is emitted must be so, too.
func TestExtremes(t *testing.T) {
	text, err := os.ReadFile("testdata/extremes.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		t.Run(line, func(t *testing.T) { checkExtremes(t, line) })
	}
}

// formulaOf is the formula `shape: text` of parameters as an exported function.
func formulaOf(t *testing.T, params, line string) (*ir.Graph, *ir.Func) {
	t.Helper()
	shape, text, _ := strings.Cut(line, ": ")
	source := fmt.Sprintf("package p\ndtype float32\nexport fn f(%s) %s = %s\n    derive value\n", params, shape, text)
	file, syntax := dsl.Parse("f.dnn", []byte(source))
	program, meaning := dsl.Elaborate(file, dsl.Options{})
	if len(syntax)+len(meaning) > 0 {
		t.Fatal(append(syntax, meaning...)[0])
	}
	return program.Graph, program.Funcs[0]
}

func checkExtremes(t *testing.T, line string) {
	line, plain := strings.CutPrefix(line, "~")
	g, f := formulaOf(t, "x [2, 3], y [2, 3], w [3], v [2], c [], d [], k [2]int32", line)
	raw, emitted := writtenDerivatives(g, f), emittedDerivatives(g, f)
	for seed := range uint64(300) {
		values := extremeValues(seed, f, plain)
		in32 := func(nodes []*ir.Node, round bool) []*ir.Tensor {
			e := &ir.Evaluator{Values: values, Round: round}
			out, err := e.EvalAll(nodes...)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		truth, written, got := in32(raw, false), in32(raw, true), in32(emitted, true)
		for i := range truth {
			for k, want := range truth[i].Data {
				w, v := written[i].Data[k], got[i].Data[k]
				if !extremelyNear(want, w, 1e-4, 1e-30) || extremelyNear(want, v, 1e-2, 1e-2) {
					continue
				}
				name := "value"
				if i > 0 {
					name = "d" + f.Params[i-1].Name
				}
				t.Fatalf("%s is %v, want %v; as it is written %v\n%s\n%s", name, v, want, w, describe(f, values), ir.Print(g, emitted[i]))
			}
		}
	}
}

// extremelyNear reports whether v is the number want, up to a relative and an
// absolute tolerance; want is finite, and not near the end of the range.
func extremelyNear(want, v, relative, absolute float64) bool {
	const most = 1e33
	return math.Abs(want) < most && math.Abs(v-want) <= relative*math.Abs(want)+absolute
}

// writtenDerivatives is the value of f and its cotangents, with no node
// simplified.
func writtenDerivatives(g *ir.Graph, f *ir.Func) []*ir.Node {
	y := Gradient(g, f.Results[0])[0]
	dy := g.Fill(1, y.Type)
	out := []*ir.Node{y}
	for _, p := range f.Params {
		if p.Node.Type.Elem.IsFloat() {
			out = append(out, orZeros(g, sweep(g, y, dy, p.Node)[0], p.Node.Type))
		}
	}
	return Strip(g, out...)
}

// emittedDerivatives is the same as the package computes it.
func emittedDerivatives(g *ir.Graph, f *ir.Func) []*ir.Node {
	f = simplified(g, f)
	y := f.Results[0]
	out := []*ir.Node{y}
	for _, p := range f.Params {
		if p.Node.Type.Elem.IsFloat() {
			out = append(out, g.Must("vjp", ir.Attr{}, y, p.Node, g.Fill(1, y.Type)))
		}
	}
	return Lower(g, Simplify(g, Strip(g, Gradient(g, out...)...)...)...)
}

// extremeValues draws a point: each tensor has one magnitude, or each of its
// elements has.
func extremeValues(seed uint64, f *ir.Func, plain bool) map[string]*ir.Tensor {
	rng := rand.New(rand.NewPCG(seed, 21))
	odd := []float64{0, math.Copysign(0, -1), 1, -1, 88, -88, 200, math.MaxFloat32}
	powers := []int{0, 0, 1, 5, 10, 12, 15, 19, 20, 25, 30, 36}
	if plain {
		powers, odd = powers[:6], odd[:6]
	}
	scale := func() float64 {
		p := powers[rng.IntN(len(powers))]
		return math.Pow(10, float64(p-2*p*rng.IntN(2)))
	}
	common := scale()
	values := map[string]*ir.Tensor{}
	for _, p := range f.Params {
		leaf := p.Node
		for leaf.IsMark() {
			leaf = leaf.Args[0]
		}
		shape, _ := leaf.Type.Shape.Eval(nil)
		v := ir.NewTensor(shape...)
		own, mixed := scale(), rng.IntN(3)
		if rng.IntN(3) == 0 {
			own = common
		}
		for i := range v.Data {
			switch {
			case !leaf.Type.Elem.IsFloat():
				v.Data[i] = float64(rng.IntN(3))
			case mixed == 0 && rng.IntN(4) == 0:
				v.Data[i] = odd[rng.IntN(len(odd))]
			case mixed == 0:
				v.Data[i] = scale() * rng.NormFloat64()
			default:
				v.Data[i] = own * rng.NormFloat64()
			}
			v.Data[i] = float64(float32(v.Data[i]))
		}
		values[leaf.Op.Name+" "+leaf.Attr.Name] = v
	}
	return values
}

// describe is the values of the parameters.
func describe(f *ir.Func, values map[string]*ir.Tensor) string {
	var b strings.Builder
	for _, p := range f.Params {
		fmt.Fprintf(&b, "%s = %v  ", p.Name, values["input "+p.Name].Data)
	}
	return b.String()
}

// TestAsWritten: what the text cancels is computed as it is written, and so is
// its derivative by the rules of sums and quotients.
func TestAsWritten(t *testing.T) {
	const big = 1 << 24
	for _, c := range []struct {
		formula            string
		x, y, value, dx, c float64
	}{
		{formula: "[]: (x + c) - c", x: 0.75, c: big, value: 0, dx: 1},
		{formula: "[]: (x + 1e8) - 1e8", x: 1, value: 0, dx: 1},
		{formula: "[]: x - x", x: math.Inf(1), value: math.NaN()},
		{formula: "[]: x / x", x: 0, value: math.NaN(), dx: math.NaN()},
		{formula: "[]: x / x", x: 2, value: 1},
		{formula: "[]: x * y / y", x: 3, y: 0, value: math.NaN(), dx: 1},
		{formula: "[]: ((y + x) - y) - x", x: 1.5, y: big, value: 0.5},
		{formula: "[]: (y - (y + x - ((y + x) - y))) + (x - ((y + x) - y))", x: 1.5, y: big, value: -0.5},
		{formula: "[]: float(isnan(x - x))", x: math.Inf(-1), value: 1},
		{formula: "[]: 2 * ((x + c) - c)", x: 1.5, c: big, value: 4, dx: 2},
		{formula: "[]: exp((x - y) + (y - x))", x: 1, y: big, value: 1},
		{formula: "[]: x * 0.1 * 10", x: 7, value: 7, dx: 1},
		{formula: "[]: x * c - y * c", x: 7, y: 5, c: 3, value: 6, dx: 3},
	} {
		g, f := formulaOf(t, "x [], y [], c []", c.formula)
		scalar := func(v float64) *ir.Tensor { return &ir.Tensor{Shape: []int{}, Data: []float64{v}} }
		e := &ir.Evaluator{Round: true, Values: map[string]*ir.Tensor{"input x": scalar(c.x), "input y": scalar(c.y), "input c": scalar(c.c)}}
		got, err := e.EvalAll(emittedDerivatives(g, f)...)
		if err != nil {
			t.Fatal(err)
		}
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		if v, dx := got[0].Data[0], got[1].Data[0]; !same(v, c.value) || !same(dx, c.dx) {
			t.Errorf("%s is %v with the derivative %v, want %v, %v\n%s", c.formula, v, dx, c.value, c.dx, ir.Print(g, f.Results[0]))
		}
	}
}
