package passes

import (
	"testing"

	"gradgen.dev/ir"
)

// A curvature is what the page on derivations says of a second derivative by
// x: what it is, and the most that it needs beside the value and gradient.
type curvature struct {
	line     string
	leaves   []string
	forward  string
	hessian  string // in terms of leaves
	products int
	reduces  int
	maps     int // elementwise
}

var curvatures = []curvature{
	{
		line: "quadratic form", leaves: []string{"x [N]", "A [N, N]", "b [N]"},
		forward: `y = 0.5 * sum(x * einsum(A, x, spec: "ij,j->i"), axes: [0]) - sum(b * x, axes: [0])`,
		hessian: `h = 0.5 * (A + transpose(A, axes: [1, 0]))`,
		maps:    2,
	},
	{
		line: "logistic regression", leaves: []string{"x [N]", "X [M, N]", "t [M]"},
		forward: `z = einsum(X, x, spec: "ij,j->i")
			y = sum(softplus(z) - t * z, axes: [0]) / size(dim: M, elem: float64)`,
		hessian: `z = einsum(X, x, spec: "ij,j->i")
			s = sigmoid(z) * (1 - sigmoid(z)) / spread(size(dim: M, elem: float64), shape: [M], axes: [0])
			h = einsum(X, spread(s, shape: [M, N], axes: [1]) * X, spec: "ki,kj->ij")`,
		products: 1,
		maps:     5,
	},
	{
		line: "logsumexp", leaves: []string{"x [N]"},
		forward: `y = logsumexp(x, axes: [0])`,
		hessian: `p = exp(x - spread(logsumexp(x, axes: [0]), shape: [N], axes: [0]))
			i = cast(iota(axis: 0, type: [N, N]int32) == iota(axis: 1, type: [N, N]int32), elem: float64)
			h = spread(p, shape: [N, N], axes: [1]) * (i - spread(p, shape: [N, N], axes: [0]))`,
		maps: 4,
	},
	{
		line: "sum of squares", leaves: []string{"x [N]"},
		forward: `y = sum(x * x, axes: [0])`,
		hessian: `h = 2 * cast(iota(axis: 0, type: [N, N]int32) == iota(axis: 1, type: [N, N]int32), elem: float64)`,
		maps:    3,
	},
	{
		line: "least squares", leaves: []string{"x [N]", "X [M, N]", "t [M]"},
		forward:  `y = sum(pow(einsum(X, x, spec: "ij,j->i") - t, 2), axes: [0])`,
		hessian:  `h = 2 * einsum(X, X, spec: "ki,kj->ij")`,
		products: 1,
		maps:     1,
	},
	{
		line: "Rosenbrock", leaves: []string{"x [4]"},
		forward: `a = slice(x, starts: [1], limits: [4], steps: [1])
			b = slice(x, starts: [0], limits: [3], steps: [1])
			y = sum(100 * pow(a - pow(b, 2), 2) + pow(1 - b, 2), axes: [0])`,
		hessian: `a = slice(x, starts: [1], limits: [4], steps: [1])
			b = slice(x, starts: [0], limits: [3], steps: [1])
			i = cast(iota(axis: 0, type: [3, 3]int32) == iota(axis: 1, type: [3, 3]int32), elem: float64)
			d = 1200 * b * b - 400 * a + 2
			h = place(i * spread(d, shape: [3, 3], axes: [1]), shape: [4, 4], starts: [0, 0], steps: [1, 1]) + place(200 * i, shape: [4, 4], starts: [1, 1], steps: [1, 1]) + place(-400 * i * spread(b, shape: [3, 3], axes: [1]), shape: [4, 4], starts: [0, 1], steps: [1, 1]) + place(-400 * i * spread(b, shape: [3, 3], axes: [1]), shape: [4, 4], starts: [1, 0], steps: [1, 1])`,
		maps: 40,
	},
}

// TestCurvatures checks the Hessians of the page.
func TestCurvatures(t *testing.T) {
	for _, c := range curvatures {
		t.Run(c.line, func(t *testing.T) {
			d := derivation{leaves: c.leaves, forward: []string{c.forward}}
			g, env := d.parse(t, 0)
			x := env["x"]
			pin := g.Pin(x, "x")
			y := g.Replace(map[*ir.Node]*ir.Node{x: pin}, env["y"])[0]
			raw := []*ir.Node{y, g.Must("grad", ir.Attr{}, y, pin), g.Must("hessian", ir.Attr{}, y, pin)}
			simple := Simplify(g, Strip(g, Gradient(g, raw...)...)...)

			formulas(t, g, env, c.hessian)
			e := randomEvaluator(1, testDims, append(simple, env["h"])...)
			compareValues(t, e, env["h"], simple[2])
			cost := backwardCost(g.Must("concat", ir.Attr{}, g.Reshape(simple[0], ir.ShapeOf(1)), g.Reshape(g.Sum(simple[1], []int{0}), ir.ShapeOf(1))), simple[2:], nil)
			if cost.products > c.products || cost.reduces > c.reduces || cost.maps > c.maps {
				t.Errorf("products %d, reductions %d, elementwise %d; want %d, %d, %d\n%s",
					cost.products, cost.reduces, cost.maps, c.products, c.reduces, c.maps, ir.Print(g, simple...))
			}
		})
	}
}

// TestSecondDerivativesOfActivations: the derivative of an activation's
// derivative is an expression of its result, or of what its line saves.
func TestSecondDerivativesOfActivations(t *testing.T) {
	for _, d := range derivations {
		switch d.line {
		case "tanh", "sigmoid", "elu", "exp", "softplus", "silu", "gelu", "relu":
		default:
			continue
		}
		for i := range d.forward {
			g, env := d.parse(t, i)
			y, x, dy := env["y"], env["x"], env["dy"]
			first := reverse(g, y, dy, x)[0]
			v := g.Leaf("input", "v", x.Type)
			second := reverse(g, first, v, x)
			raw := append([]*ir.Node{y, first}, nonNil(second)...)
			simple := Simplify(g, raw...)
			e := randomEvaluator(2, testDims, append(simple, v)...)
			for k := range raw {
				compareValues(t, e, raw[k], simple[k])
			}
			c := backwardCost(simple[0], simple[2:], map[*ir.Node]bool{x: true})
			if len(c.saved) > max(d.saved, 1) || c.reduces+c.products > 0 {
				t.Errorf("%s saves %d values\n%s", d.forward[i], len(c.saved), ir.Print(g, simple...))
			}
			if t.Failed() {
				return
			}
		}
	}
}
