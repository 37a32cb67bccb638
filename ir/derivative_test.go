package ir_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gradgen.dev/ir"
	"gradgen.dev/ir/irtest"
)

// A derivation is a sample of a row with its derivatives: y is the row's
// result, first is <y, dy> with a random cotangent dy, second is the inner
// product of first's gradient with random tensors.
type derivation struct {
	g       *ir.Graph
	env     *irtest.Env
	sample  irtest.Sample
	args    []*ir.Node
	y, dy   *ir.Node
	wrt     []*ir.Node // floating operands
	vary    []*ir.Node // wrt and dy: what first depends on
	first   *ir.Node
	grads   []*ir.Node // of first by wrt
	second  *ir.Node   // nil where the gradient is zero
	hessian []*ir.Node // of second by vary
}

// derive builds the derivatives of a sample up to order 2.
func derive(t *testing.T, s irtest.Sample) *derivation {
	t.Helper()
	d := &derivation{g: ir.NewGraph(), env: irtest.NewEnv(), sample: s}
	names := "abcdefgh"
	for i, o := range s.Operands {
		x := d.g.Leaf("input", names[i:i+1], o.Type)
		d.args = append(d.args, x)
		if o.Type.Elem.IsFloat() {
			d.wrt = append(d.wrt, x)
		}
	}
	y, err := irtest.Apply(d.g, s, d.args)
	if err != nil {
		t.Fatal(err)
	}
	d.y = y
	if !y.Type.Elem.IsFloat() {
		return d
	}

	// First order.
	d.dy = d.g.Leaf("input", "dy", y.Type)
	d.vary = append(append([]*ir.Node{}, d.wrt...), d.dy)
	d.first = inner(d.g, y, d.dy)
	d.grads = sweep(t, d.g, y, d.dy, d.wrt...)

	// Second order.
	for i, grad := range d.grads {
		if grad != nil {
			r := d.g.Leaf("input", "r"+names[i:i+1], grad.Type)
			d.second = d.g.Add(d.second, inner(d.g, grad, r))
		}
	}
	if d.second != nil {
		d.hessian = sweep(t, d.g, d.second, d.g.Fill(1, d.second.Type), d.vary...)
	}
	return d
}

// roots is everything that derive made.
func (d *derivation) roots() []*ir.Node {
	out := []*ir.Node{d.y}
	for _, n := range append(append([]*ir.Node{d.first, d.second}, d.grads...), d.hessian...) {
		if n != nil {
			out = append(out, n)
		}
	}
	return out
}

// draw gives every leaf a random value.
func (d *derivation) draw(r *rand.Rand) {
	for i, o := range d.sample.Operands {
		d.env.Set(d.args[i], d.env.Draw(o, r))
	}
	for _, n := range ir.Topological(d.roots()...) {
		if n.Is("input") && (n == d.dy || n.Attr.Name[0] == 'r') {
			d.env.Set(n, d.env.Draw(irtest.Operand{Type: n.Type, Lo: -1, Hi: 1}, r))
		}
	}
}

// difference is the derivative of f by element i of x: central differences of
// order 4 with step h.
func (d *derivation) difference(t *testing.T, f, x *ir.Node, i int, h float64) float64 {
	v := d.env.Values["input "+x.Attr.Name].Data
	at := v[i]
	defer func() { v[i] = at }()
	shifted := func(by float64) float64 {
		v[i] = at + by
		return eval(t, d.env.Evaluator(), f)
	}
	return (8*(shifted(h)-shifted(-h)) - (shifted(2*h) - shifted(-2*h))) / (12 * h)
}

// smooth reports whether the differences of f settle, so that they can stand
// for a derivative: no jump, kink or tie is near.
func (d *derivation) smooth(t *testing.T, f *ir.Node) bool {
	for _, x := range d.vary {
		for i := range d.env.Values["input "+x.Attr.Name].Data {
			if coarse, fine := d.difference(t, f, x, i, 2e-3), d.difference(t, f, x, i, 1e-3); !near(coarse, fine, 1e-6) {
				return false
			}
		}
	}
	return true
}

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}

// checkGradient: grads is what differences of f say, zero where it is nil.
func (d *derivation) checkGradient(t *testing.T, order string, f *ir.Node, wrt, grads []*ir.Node) {
	t.Helper()
	for k, x := range wrt {
		got := make([]float64, len(d.env.Values["input "+x.Attr.Name].Data))
		if grads[k] != nil {
			got = values(t, d.env.Evaluator(), grads[k])
		}
		for i := range got {
			if want := d.difference(t, f, x, i, 1e-3); !near(got[i], want, 1e-7) {
				t.Errorf("%s derivative by element %d of %s is %v, differences say %v\n%s",
					order, i, x.Attr.Name, got[i], want, ir.Print(d.g, d.y))
				return
			}
		}
	}
}

// constant is the rows that are constant to derivatives although their value is
// not.
var constant = map[string]bool{"stop_gradient": true}

// eachSample runs f on every sample of every row of the table. Left out are the
// rows that the gradient pass expands, which have no value before, and arg,
// which only regions may hold.
func eachSample(t *testing.T, elem ir.DType, f func(t *testing.T, s irtest.Sample, r *rand.Rand)) {
	without := map[string]bool{"grad": true, "jacobian": true, "hessian": true, "vjp": true, "jvp": true, "arg": true}
	for _, name := range ir.OpNames {
		if without[name] {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(11, 7))
			samples, err := irtest.Samples(ir.Ops[name], r, elem)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range samples {
				t.Run(s.Name, func(t *testing.T) { f(t, s, r) })
			}
		})
	}
}

// TestDerivatives holds every row of the op table against central differences in
// float64, with random cotangents, to order 2. A row or an operand without
// derivative must be one whose differences are zero.
func TestDerivatives(t *testing.T) {
	eachSample(t, ir.Float64, func(t *testing.T, s irtest.Sample, r *rand.Rand) {
		d := derive(t, s)
		if d.first == nil || len(d.wrt) == 0 || constant[s.Op.Name] {
			return
		}
		for range 2 {
			d.settle(t, r)
			d.checkGradient(t, "first", d.first, d.wrt, d.grads)
			if d.second != nil {
				d.checkGradient(t, "second", d.second, d.vary, d.hessian)
			}
		}
	})
}

// settle draws values until no jump, kink or tie is near.
func (d *derivation) settle(t *testing.T, r *rand.Rand) {
	t.Helper()
	for range 50 {
		d.draw(r)
		if d.smooth(t, d.first) && (d.second == nil || d.smooth(t, d.second)) {
			return
		}
	}
	t.Fatal("no draw is away from jumps, kinks and ties")
}

// TestDerivativesAreWellTyped builds every row's derivatives to order 2, in
// float32, and checks the graph: the rules use ops of the table only, and their
// results have the operands' types (sweep checks that).
func TestDerivativesAreWellTyped(t *testing.T) {
	eachSample(t, ir.Float32, func(t *testing.T, s irtest.Sample, _ *rand.Rand) {
		d := derive(t, s)
		if err := ir.Check(d.roots()...); err != nil {
			t.Fatalf("%v\n%s", err, ir.Print(d.g, d.roots()...))
		}
	})
}

// TestStopGradient: what is behind it is a constant.
func TestStopGradient(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64})
	y := g.Map("mul", g.Map("stop_gradient", x), g.Map("sin", x))
	dx := sweep(t, g, y, g.Fill(1, y.Type), x)[0]
	ev := &ir.Evaluator{Values: map[string]*ir.Tensor{"input x": {Shape: []int{}, Data: []float64{0.7}}}}
	if got, want := eval(t, ev, dx), 0.7*math.Cos(0.7); !near(got, want, 1e-15) {
		t.Errorf("derivative of stop(x)·sin(x) is %v, want %v", got, want)
	}
}
