package codegen

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// operands of the values that are tested: two floats in (0, 1), one of them
// with a tie, integers, truth values, indices.
type naiveOperands struct{ a, b, m, i, j, c, ids *ir.Node }

func naiveLeaves(g *ir.Graph) naiveOperands {
	leaf := func(name string, elem ir.DType, shape ...int) *ir.Node {
		return g.Leaf("input", name, ir.Type{Elem: elem, Shape: ir.ShapeOf(shape...)})
	}
	return naiveOperands{
		a: leaf("a", ir.Float64, 3, 4), b: leaf("b", ir.Float64, 3, 4), m: leaf("m", ir.Float64, 4, 2),
		i: leaf("i", ir.Int32, 3, 4), j: leaf("j", ir.Int32, 3, 4), c: leaf("c", ir.Bool, 3, 4), ids: leaf("ids", ir.Int32, 3),
	}
}

// naiveValues is one value for every op of the table, or several.
func naiveValues(g *ir.Graph, x naiveOperands) map[string]*ir.Node {
	out := map[string]*ir.Node{}
	for _, name := range ir.OpNames {
		op := ir.Ops[name]
		if op.Class != ir.Map {
			continue
		}
		for kind, args := range map[string][]*ir.Node{"float": {x.a, x.b}, "int": {x.i, x.j}, "bool": {x.c, g.Map("not", x.c)}} {
			attr := ir.Attr{}
			if name == "cast" {
				attr.Elem = map[string]ir.DType{"float": ir.Int32, "int": ir.Bool, "bool": ir.Float64}[kind]
			}
			if name == "where" {
				args = append([]*ir.Node{x.c}, args...)
			}
			if n, err := g.Make(op, attr, args[:op.Arity]...); err == nil {
				out[name+" "+kind] = n
			}
		}
	}

	// Reductions, over each axis and all.
	for _, name := range []string{"sum", "prod", "reduce_max", "reduce_min", "logsumexp"} {
		for k, axes := range [][]int{{0}, {1}, {0, 1}} {
			out[fmt.Sprint(name, k)] = g.Reduce(name, x.a, axes)
			if name != "logsumexp" {
				out[fmt.Sprint(name, "int", k)] = g.Reduce(name, x.i, axes)
			}
		}
	}
	for k, axes := range [][]int{{0}, {1}} {
		out[fmt.Sprint("any", k)], out[fmt.Sprint("all", k)] = g.Reduce("any", x.c, axes), g.Reduce("all", x.c, axes)
		out[fmt.Sprint("argmax", k)], out[fmt.Sprint("argmin", k)] = g.Reduce("argmax", x.a, axes), g.Reduce("argmin", x.a, axes)
	}

	// What moves elements.
	d := func(n ...int) []ir.Dim { return ir.ShapeOf(n...) }
	out["sum of a constant"] = g.Sum(g.Spread(g.Const(2, ir.Float64), ir.ShapeOf(3), []int{0}), []int{0})
	out["einsum"] = g.Einsum("ij,jk->ik", x.a, x.m)
	out["einsum transposed"] = g.Einsum("ij,ik->kj", x.a, x.b)
	out["einsum scalar"] = g.Einsum("ij,ij->", x.a, x.b)
	out["einsum of numbers"] = g.Einsum("ij,jk->ik", g.Fill(2, x.a.Type), g.Fill(3, x.m.Type))
	out["sum of a spread"] = g.Reduce("sum", g.Spread(g.Sum(x.a, []int{1}), ir.ShapeOf(3, 5), []int{1}), []int{1})
	out["spread"] = g.Spread(g.Sum(x.a, []int{1}), ir.ShapeOf(3, 2, 5), []int{1, 2})
	out["reshape"] = g.Reshape(g.Map("exp", x.a), ir.ShapeOf(2, 6))
	out["transpose"] = g.Transpose(x.a, []int{1, 0})
	out["slice"] = g.Slice(x.a, d(1, 0), d(3, 4), []int{1, 2})
	out["flip"] = g.Must("flip", ir.Attr{Axes: []int{1}}, x.a)
	out["place"] = g.Must("place", ir.Attr{Dims: d(4, 9), Limits: d(1, 1), Steps: []int{1, 2}}, x.a)
	out["concat"] = g.Must("concat", ir.Attr{Axis: 1}, x.a, x.b)
	out["gather"] = g.Must("gather", ir.Attr{Axis: 0}, x.a, x.ids)
	out["gather inner"] = g.Must("gather", ir.Attr{Axis: 1}, x.a, x.ids)
	out["scatter_add"] = g.Must("scatter_add", ir.Attr{Axis: 0, Dims: d(3)}, x.a, x.ids)
	out["scatter_along"] = g.Must("scatter_along", ir.Attr{Dims: d(2)}, x.a, g.Iota(x.a.Type.Shape, 1, ir.Int32)) // two columns of it have no place
	out["pick"] = g.Must("pick", ir.Attr{}, x.a, x.ids)
	out["iota"] = g.Iota(ir.ShapeOf(3, 4), 1, ir.Float64)
	out["tensor"] = g.Must("tensor", ir.Attr{Data: []float64{1, -2, 3.5}, Dims: d(3), Elem: ir.Float64})
	out["size"] = g.Size(ir.DimVar("N"), ir.Float64)
	out["const quotient"] = g.Map("div", g.Const(1, ir.Float64), g.Const(2, ir.Float64))
	out["uniform"] = g.Must("uniform", ir.Attr{Name: "u", Dims: d(2, 3), Elem: ir.Float64})
	out["normal"] = g.Must("normal", ir.Attr{Name: "n", Dims: d(2, 3), Elem: ir.Float64})
	out["stop"] = g.Must("stop_gradient", ir.Attr{}, g.Pin(x.a, "p"))
	return out
}

// Every op, printed as naive loops and run, gives what the interpreter gives.
func TestNaive(t *testing.T) {
	g := ir.NewGraph()
	x := naiveLeaves(g)
	values := naiveValues(g, x)
	data := map[string]*ir.Tensor{}
	set := func(n *ir.Node, f func(k int) float64) {
		shape, _ := n.Type.Shape.Eval(nil)
		tensor := ir.NewTensor(shape...)
		for k := range tensor.Data {
			tensor.Data[k] = f(k)
		}
		data["input "+n.Attr.Name] = tensor
	}
	set(x.a, func(k int) float64 { return float64(k*7%12+1) / 16 })
	set(x.b, func(k int) float64 { return float64(k*5%12+1) / 16 })
	set(x.m, func(k int) float64 { return float64(k-3) / 4 })
	set(x.i, func(k int) float64 { return float64(k*7%12 - 5) })
	set(x.j, func(k int) float64 { return float64(k*5%3 + 1) })
	set(x.c, func(k int) float64 { return float64(k * 7 % 12 % 2) })
	set(x.ids, func(k int) float64 { return float64(k * 2 % 3) })

	got := runNaive(t, values, data)
	for name, n := range values {
		e := ir.Evaluator{Dims: map[string]int{"N": 5}, Values: data, Seed: 11, Call: 3}
		want, err := e.Eval(n)
		if err != nil {
			t.Fatal(name, err)
		}
		if len(got[name]) != len(want.Data) {
			t.Errorf("%s: %d elements, want %d", name, len(got[name]), len(want.Data))
			continue
		}
		for k, v := range want.Data {
			if math.Abs(got[name][k]-v) > 1e-12*(1+math.Abs(v)) {
				t.Errorf("%s[%d] is %v, want %v", name, k, got[name][k], v)
			}
		}
	}
}

// runNaive prints the values as a program and runs it.
func runNaive(t *testing.T, values map[string]*ir.Node, data map[string]*ir.Tensor) map[string][]float64 {
	t.Helper()
	f := newFile("main", "naive_test.go")
	f.fn("", "main()", func(b *body) {
		b.stmt("m := struct{ seed, calls uint64 }{11, 3}")
		b.stmt("_ = m")
		for name, n := range values {
			b.block("", func() { printNaiveValue(t, b, name, n, data) })
		}
	})
	f.fn("", "testWhere[T any](c bool, a, b T) T", func(b *body) {
		b.block("if c", func() { b.stmt("return a") })
		b.stmt("return b")
	})
	src, err := f.render()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("testdata", "naive")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), src, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "run", "./"+dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	// A line a value: its name, then its elements.
	got := map[string][]float64{}
	for line := range bytes.Lines(out) {
		name, list, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
		for word := range strings.FieldsSeq(strings.Trim(list, " []")) {
			v, err := strconv.ParseFloat(map[string]string{"true": "1", "false": "0"}[word]+strings.Trim(word, "truefals"), 64)
			if err != nil {
				t.Fatal(err)
			}
			got[name] = append(got[name], v)
		}
	}
	return got
}

// printNaiveValue prints the computation of n and its output.
func printNaiveValue(t *testing.T, b *body, name string, n *ir.Node, data map[string]*ir.Tensor) {
	var leaves, inner body
	known := map[string]bool{}
	e := &naive{b: &inner, helper: "test", names: localScope(append(indexNames(), "acc", "m", "N")...), dims: func(string) string { return "5" }}
	e.leaf = func(n *ir.Node, _ bool) (string, bool) {
		local := "in" + n.Attr.Name
		if !known[local] {
			known[local] = true
			var list []string
			for _, v := range data["input "+n.Attr.Name].Data {
				list = append(list, literal64(v, n.Type.Elem))
			}
			leaves.stmt("%s := []%s{%s}", local, wideType(n.Type.Elem), strings.Join(list, ", "))
		}
		return local, true
	}
	e.prepare(n)
	v := e.value(n, false)
	e.names.taken["result"] = true
	result := "result"
	if n.Type.Rank() == 0 {
		inner.stmt("result := %s", v(nil))
	} else {
		e.origin = func(*ir.Node) string { return "kept" }
		result = strings.SplitN(e.keep(n, v)(make([]string, n.Type.Rank())), "[", 2)[0]
	}
	if e.err != nil {
		t.Fatal(name, e.err)
	}
	b.code = append(append(b.code, leaves.code...), inner.code...)
	b.stmt("fmt.Println(%q, %s)", name+":", result)
}

// Formulas of reports write squares as products.
func TestSquares(t *testing.T) {
	g := ir.NewGraph()
	scalar := ir.Type{Elem: ir.Float64, Shape: ir.Shape{}}
	a, b, two := g.Leaf("arg", "a", scalar), g.Leaf("arg", "b", scalar), g.Fill(2, scalar)
	for want, n := range map[string]*ir.Node{
		"(t.a * t.a)":                  g.Map("pow", a, two),
		"t.b":                          g.Map("pow", g.Map("sqrt", b), two),
		"(div * div) div := t.a / t.b": g.Map("pow", g.Map("div", a, b), two),
		"math.Pow(t.a, 3.0)":           g.Map("pow", a, g.Fill(3, scalar)),
		"math.Sqrt(t.a * t.a)":         g.Map("sqrt", g.Map("pow", a, two)),
	} {
		e := &naive{squares: true, b: &body{}, names: localScope("t"), leaf: func(n *ir.Node, _ bool) (string, bool) {
			return "t." + n.Attr.Name, n.Is("arg")
		}}
		got := e.expression(n)
		for _, s := range e.b.code {
			got += fmt.Sprintf(" %#v", s)
		}
		if got != want || e.err != nil {
			t.Errorf("%s, error %v; want %s", got, e.err, want)
		}
	}
}
