package passes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

// TestClosed: a metric is made of the sums that it needs, tensors of them where
// it works on tensors; what differs from batch to batch is no such tensor.
func TestClosed(t *testing.T) {
	const model = "model M { input x [B, 3] input y [B, 20] input z [B, N] param w [3] = ones loss mean(x*w) metric m = %s train sgd(lr: 0.1) }"
	for _, c := range []struct {
		metric string
		parts  string // beside those of the loss, by kind and shape
	}{
		{"mean(sum(x, axis: 0)^2)", "sum [3]"},
		{"norm(mean(x, axis: 0))", "sum [3], sum []"}, // with the size of the batch
		{"norm(x)", "sum []"},
		{"max(sum(x, axis: 0) / (1 + sum(abs(x), axis: 0)))", "sum [3], sum [3]"},
		{"sum(exp(x' @ x) * eye(3))", "sum [3, 3]"},
		{"sum(exp(y' @ y))", "sum [20, 20]"},
		{"prod(1 + max(x, axis: 0))", "max [3]"},
		{"sum(where(iota(3) < 2, exp(sum(x, axis: 0)), 0))", "sum [3]"},
		{"sum(exp(sum(x, axis: 0)) @ ones([3, 2]))", "sum [3]"},
		{"float(argmax(sum(x, axis: 0)))", "sum [3]"},
		{"sum(exp(sum(x, axis: 0)) * w)", "sum [3], last [3]"},
		{"mean(sum(x, axis: 0))", "sum []"},
		{"sum(exp(sum(x, axis: 0))) / mean(y)", "sum [3], sum [], sum []"},
		{"float(any(all(x > 0, axis: 0)))", "all [3]"},
		{"prod(mean(z, axis: 0))", "N"},
		{"prod(exp(sum(z)) * z[:, 0])", "B"},
	} {
		plan, err := compileText(t, strings.Replace(model, "%s", c.metric, 1))
		switch {
		case err != nil && len(c.parts) == 1:
			if want := "works on sums over the data of which there are " + c.parts + ", a number that differs"; !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", c.metric, err)
			}
		case err != nil || len(c.parts) == 1:
			t.Errorf("%s: %v", c.metric, err)
		default:
			var got []string
			for _, p := range plan.Models[0].Parts[2:] {
				got = append(got, p.Kind+" "+p.Node.Type.Shape.String())
			}
			if strings.Join(got, ", ") != c.parts {
				t.Errorf("%s has the parts %s beside those of the loss, want %s", c.metric, got, c.parts)
			}
		}
	}
}

// TestFixedDimension: a dimension that is compiled as a constant does not change
// what metrics are made of.
func TestFixedDimension(t *testing.T) {
	const text = "model M { input x [B, T] input y [B]int32 l = x @ ones([T, 3]) param w [] = 1 loss mean(w*x) " +
		"metric a = accuracy(l, y) metric b = sum(x*x)/B metric c = (4/B)*sum(x) metric d = max(mean(x, axis: 1)) " +
		"metric e = mean(sum(one_hot(y, 3), axis: 0)/B^2) metric f = sqrt(mean(x[1:, 0])) metric g = sum(x)/sqrt(B*T) train sgd(lr: 0.1) }"
	describe := func(fixed, at map[string]int) string {
		file, syntax := dsl.Parse("m.dnn", []byte(text))
		program, meaning := dsl.Elaborate(file, dsl.Options{Dims: fixed})
		if len(syntax)+len(meaning) > 0 {
			t.Fatal(append(syntax, meaning...)[0])
		}
		plan, err := Compile(program)
		if err != nil {
			t.Fatal(err)
		}
		// Extents are compared as the dimensions at hand have them.
		value := func(name string) (ir.Dim, bool) { return ir.D(at[name]), at[name] > 0 }
		m, n := plan.Models[0], newNaming(program.Graph)
		var b strings.Builder
		for i, p := range m.Parts {
			text := fmt.Sprint(p.Kind, " of ", p.Name, p.Node.Type.Shape)
			if p.Size != nil {
				text = "size " + p.Size.Subst(value).String()
			}
			n.show(program.Graph.Leaf("arg", m.Parts[i].Name, p.Node.Type.Of(ir.Float64)), "{"+text+"}")
		}
		for _, r := range m.Reports {
			fmt.Fprintln(&b, r.Name, n.expr(r.Value, 0))
		}
		for _, c := range m.Closings {
			fmt.Fprintln(&b, c.Name, n.expr(c.Value, 0))
		}
		return b.String()
	}
	for _, fixed := range []map[string]int{{"B": 4}, {"B": 1}, {"B": 2, "T": 3}, {"T": 1}} {
		if got, want := describe(fixed, fixed), describe(nil, fixed); got != want {
			t.Errorf("%v: the metrics are\n%s\nwithout it\n%s", fixed, got, want)
		}
	}
}

// TestScattered: a sum of one-hots by their index is a scatter, of the same
// value, also where an index has no place.
func TestScattered(t *testing.T) {
	g := ir.NewGraph()
	b, k := ir.DimVar("B"), ir.D(4)
	leaf := func(name string, e ir.DType, shape ...ir.Dim) *ir.Node {
		return g.Leaf("input", name, ir.Type{Elem: e, Shape: shape})
	}
	x, wide := leaf("x", ir.Float64, b), leaf("wide", ir.Float64, b, ir.D(3), ir.D(2))
	i, j := leaf("i", ir.Int32, b), leaf("j", ir.Int32, b, ir.D(3), ir.D(2))
	times := func(x, index *ir.Node) *ir.Node {
		hot := g.OneHot(index, k, ir.Float64)
		return g.Map("mul", g.Spread(x, hot.Type.Shape, []int{hot.Type.Rank() - 1}), hot)
	}
	e := &ir.Evaluator{Dims: map[string]int{"B": 3}, Values: map[string]*ir.Tensor{
		"input x": {Shape: []int{3}, Data: []float64{1, 2, 4}}, "input i": {Shape: []int{3}, Data: []float64{3, -1, 3}},
		"input matrix": ir.NewTensor(3, 4), "input wide": ir.NewTensor(3, 3, 2), "input j": ir.NewTensor(3, 3, 2),
	}}
	for n := range e.Values["input wide"].Data {
		e.Values["input wide"].Data[n] = float64(1 + n*n)
		e.Values["input j"].Data[n] = float64(n*7%5 - n%2) // some are -1 or 4
	}
	for _, c := range []struct {
		n    *ir.Node
		want bool
	}{
		{g.Sum(times(x, i), []int{0}), true},
		{g.Sum(g.OneHot(i, k, ir.Float64), []int{0}), true},
		{g.Sum(times(wide, j), []int{0}), true},
		{g.Sum(times(wide, j), []int{1}), true},
		{g.Sum(times(wide, j), []int{0, 2}), true},
		{g.Sum(times(wide, j), []int{0, 1, 2}), true},
		{g.Sum(g.Transpose(times(wide, j), []int{0, 3, 1, 2}), []int{2}), true},
		{g.Sum(g.Map("mul", times(x, i), g.Spread(leaf("v", ir.Float64, k), ir.Shape{b, k}, []int{0})), []int{0}), true},
		{g.Sum(g.Map("mul", g.OneHot(i, k, ir.Float64), leaf("matrix", ir.Float64, b, k)), []int{0}), false},
	} {
		e.Values["input v"] = &ir.Tensor{Shape: []int{4}, Data: []float64{1, 2, 3, 5}}
		out := Simplify(g, c.n)[0]
		got := false
		for _, m := range ir.Topological(out) {
			got = got || m.Is("scatter_along")
		}
		a, err := e.Eval(c.n)
		z, errOut := e.Eval(out)
		if err != nil || errOut != nil || fmt.Sprint(a.Data) != fmt.Sprint(z.Data) {
			t.Errorf("%v is %v (%v), simplified %v (%v)", c.n, a, err, z, errOut)
		}
		if got != c.want {
			t.Errorf("%v: a scatter: %v, want %v", c.n, got, c.want)
		}
	}
}

// TestCounts counts together what a mean of means is divided by, and leaves the
// extent of a mean whose square is added up to each batch.
func TestCounts(t *testing.T) {
	g := ir.NewGraph()
	b, n := ir.DimVar("B"), ir.DimVar("T")
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: ir.Shape{b, n, ir.D(4)}})
	mean := func(x *ir.Node, axis int) *ir.Node {
		sum := g.Sum(x, []int{axis})
		return g.Map("div", sum, g.Broadcast(g.Size(x.Type.Shape[axis], ir.Float64), sum.Type.Shape))
	}
	each := mean(x, 1)
	for _, c := range []struct {
		what  string
		n     *ir.Node
		sizes []string
	}{
		{"a mean over time of means over samples", g.Must("reduce_max", ir.Attr{Axes: []int{0}}, mean(mean(x, 0), 0)), []string{"B*T"}},
		{"the mean of squares of means over time", g.Must("reduce_max", ir.Attr{Axes: []int{0}}, mean(g.Map("mul", each, each), 0)), []string{"B"}},
	} {
		cut := newCutter(g)
		cut.field("m", "", c.n)
		var sizes []string
		for _, p := range cut.parts {
			if p.Size != nil {
				sizes = append(sizes, p.Size.String())
			}
		}
		if !slices.Equal(sizes, c.sizes) {
			t.Errorf("%s: counts %v, want %v", c.what, sizes, c.sizes)
		}
	}
}
