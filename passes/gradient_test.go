package passes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gradgen.dev/ir"
	"gradgen.dev/ir/irtest"
)

// A slope is the derivative of one direction: how values move where the leaf x
// moves along v.
type slope struct {
	env  *irtest.Env
	x    *ir.Node
	v    []float64
	base []float64
}

func newSlope(env *irtest.Env, x *ir.Node, rng *rand.Rand) *slope {
	s := &slope{env: env, x: x}
	for _, a := range env.Values[key(x)].Data {
		s.base = append(s.base, a)
		s.v = append(s.v, rng.NormFloat64())
	}
	return s
}

// key is the name of a leaf in an Env.
func key(x *ir.Node) string { return x.Op.Name + " " + x.Attr.Name }

// at is the value of y where x has moved by h·v.
func (s *slope) at(y *ir.Node, h float64) ([]float64, error) {
	old := s.env.Values[key(s.x)]
	moved := ir.NewTensor(old.Shape...)
	for i := range moved.Data {
		moved.Data[i] = s.base[i] + h*s.v[i]
	}
	s.env.Values[key(s.x)] = moved
	defer func() { s.env.Values[key(s.x)] = old }()
	t, err := s.env.Evaluator().Eval(y)
	if err != nil {
		return nil, err
	}
	return t.Data, nil
}

// of is the derivative of the elements of y along v, by central differences.
// An element is NaN where they do not converge: at a jump or a kink.
func (s *slope) of(t *testing.T, y *ir.Node) []float64 {
	t.Helper()
	central := func(h float64) []float64 {
		a, err := s.at(y, h)
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.at(y, -h)
		if err != nil {
			t.Fatal(err)
		}
		d := make([]float64, len(a))
		for i := range d {
			d[i] = (a[i] - b[i]) / (2 * h)
		}
		return d
	}
	fine, coarse := central(1e-5), central(4e-5)
	for i := range fine {
		if !near(fine[i], coarse[i], 1e-5) {
			fine[i] = math.NaN()
		}
	}
	return fine
}

// dot is Σ a·b, NaN where one is.
func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// floatLeaves is the inputs and parameters of floating type below y.
func floatLeaves(y *ir.Node) []*ir.Node {
	var out []*ir.Node
	for _, n := range ir.Topological(y) {
		if (n.Is("input") || n.Is("param")) && n.Type.Elem.IsFloat() {
			out = append(out, n)
		}
	}
	return out
}

// smoothOps leaves out calls, whose random derivative is none of their value,
// and stops.
func smoothOps(op *ir.Op) bool { return op.Name != "call" && op.Name != "stop_gradient" }

// TestReverseRandom holds the cotangents of random graphs against finite
// differences along a random direction, with a random cotangent.
func TestReverseRandom(t *testing.T) {
	compared := 0
	for seed := range uint64(300) {
		g, roots, env := irtest.Random(seed, irtest.Options{Size: 25, Ops: smoothOps})
		y := roots[0]
		if !y.Type.Elem.IsFloat() {
			y = roots[1]
		}
		rng := rand.New(rand.NewPCG(seed, 3))
		w := randomLeaf(g, env, rng, "cotangent", y.Type)
		leaves := floatLeaves(y)
		raw := reverse(g, y, w, leaves...)
		simple := Simplify(g, raw...)
		if err := ir.Check(nonNil(simple)...); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, x := range leaves {
			s := newSlope(env, x, rng)
			want := dot(s.of(t, y), env.Values["input cotangent"].Data)
			if math.IsNaN(want) || math.IsInf(want, 0) {
				continue
			}
			if want != 0 {
				compared++
			}
			for _, dx := range []*ir.Node{raw[i], simple[i]} {
				got := 0.0
				if dx != nil {
					v, err := env.Evaluator().Eval(dx)
					if err != nil {
						t.Fatal(err)
					}
					got = dot(v.Data, s.v)
				}
				if !near(want, got, 1e-5) {
					t.Errorf("seed %d: the derivative by %s along a direction is %v, want %v\n%s", seed, x.Attr.Name, got, want, ir.Print(g, y))
				}
			}
		}
	}
	if compared < 80 {
		t.Errorf("only %d derivatives were compared", compared)
	}
}

func nonNil(nodes []*ir.Node) []*ir.Node {
	var out []*ir.Node
	for _, n := range nodes {
		if n != nil {
			out = append(out, n)
		}
	}
	return out
}

// randomLeaf is an input with values from the standard normal distribution.
func randomLeaf(g *ir.Graph, env *irtest.Env, rng *rand.Rand, name string, typ ir.Type) *ir.Node {
	n := g.Leaf("input", name, typ)
	shape, err := typ.Shape.Eval(env.Dims)
	if err != nil {
		panic(err)
	}
	v := ir.NewTensor(shape...)
	for i := range v.Data {
		v.Data[i] = rng.NormFloat64()
	}
	env.Set(n, v)
	return n
}

// TestGradientOfEveryOp expands jvp, vjp, jacobian, hessian and a gradient of a
// gradient through every way to apply every op, and compares them with finite
// differences. The jacobian puts every op's derivative through batched.
func TestGradientOfEveryOp(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, name := range ir.OpNames {
		op := ir.Ops[name]
		if op.VJP == nil || name == "call" {
			continue
		}
		samples, err := irtest.Samples(op, rng, ir.Float64)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range samples {
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) { checkDerivatives(t, s, rng) })
		}
	}
}

// checkDerivatives takes derivatives of a sample by each of its operands.
func checkDerivatives(t *testing.T, s irtest.Sample, rng *rand.Rand) {
	g, env := ir.NewGraph(), irtest.NewEnv()
	leaves := make([]*ir.Node, len(s.Operands))
	for i, o := range s.Operands {
		leaves[i] = g.Leaf("input", fmt.Sprint("x", i), o.Type)
		env.Set(leaves[i], env.Draw(o, rng))
	}
	for k, x := range leaves {
		if !x.Type.Elem.IsFloat() {
			continue
		}
		args := append([]*ir.Node{}, leaves...)
		pin := g.Pin(x, "x")
		args[k] = pin
		y, err := irtest.Apply(g, s, args)
		if err != nil {
			t.Fatal(err)
		}
		if !y.Type.Elem.IsFloat() {
			continue
		}
		checkByPin(t, g, env, rng, y, x, pin)
	}
}

// checkByPin compares every kind of derivative of y by pin, which is x.
func checkByPin(t *testing.T, g *ir.Graph, env *irtest.Env, rng *rand.Rand, y, x, pin *ir.Node) {
	t.Helper()
	w := randomLeaf(g, env, rng, "w", y.Type)
	v := randomLeaf(g, env, rng, "v", x.Type)
	scalar := g.Sum(g.Map("mul", w, g.Map("mul", y, y)), axes(0, y.Type.Rank()))

	jacobian := g.Must("jacobian", ir.Attr{}, y, pin)
	grad := g.Must("grad", ir.Attr{}, scalar, pin)
	nodes := []*ir.Node{
		y, scalar,
		g.Must("jvp", ir.Attr{}, y, pin, v),
		g.Must("vjp", ir.Attr{}, y, pin, w),
		jacobian,
		grad,
		g.Must("hessian", ir.Attr{}, scalar, pin),
		g.Must("grad", ir.Attr{}, g.Sum(g.Map("mul", grad, v), axes(0, x.Type.Rank())), pin),
		g.Must("jvp", ir.Attr{}, grad, pin, v),
		g.Must("grad", ir.Attr{}, g.Sum(g.Map("mul", jacobian, jacobian), axes(0, jacobian.Type.Rank())), pin),
	}
	out := Strip(g, Gradient(g, nodes...)...)
	simple := Simplify(g, out...)
	if err := ir.Check(simple...); err != nil {
		t.Fatal(err)
	}
	for _, form := range [][]*ir.Node{out, simple} {
		values, err := env.Evaluator().EvalAll(form...)
		if err != nil {
			t.Fatal(err)
		}
		s := newSlope(env, x, rng)
		s.v = env.Values["input v"].Data
		wv := env.Values["input w"].Data

		// The derivative of y along v, in four ways.
		dy := s.of(t, form[0])
		compareSlopes(t, "jvp", dy, values[2].Data)
		compareSlopes(t, "jacobian", dy, times(values[4].Data, s.v))
		compareSlope(t, "vjp", dot(dy, wv), dot(values[3].Data, s.v))
		compareSlope(t, "grad", dot(s.of(t, form[1]), []float64{1}), dot(values[5].Data, s.v))

		// That of the gradient, in three ways, and of the jacobian's square.
		dg := s.of(t, form[5])
		compareSlopes(t, "hessian", dg, times(values[6].Data, s.v))
		compareSlopes(t, "grad of grad", dg, values[7].Data)
		compareSlopes(t, "jvp of grad", dg, values[8].Data)
		squares := 0.0
		dj := s.of(t, form[4])
		for i, d := range dj {
			squares += 2 * values[4].Data[i] * d
		}
		compareSlope(t, "grad of jacobian", squares, dot(values[9].Data, s.v))
	}
}

// times is a matrix, row by row, times v.
func times(m, v []float64) []float64 {
	out := make([]float64, 0, len(m)/max(len(v), 1))
	for i := 0; i+len(v) <= len(m) && len(v) > 0; i += len(v) {
		out = append(out, dot(m[i:i+len(v)], v))
	}
	return out
}

func compareSlopes(t *testing.T, what string, want, got []float64) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s has %d elements, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		compareSlope(t, what, want[i], got[i])
	}
}

// compareSlope compares a derivative with the finite difference, where there
// is one.
func compareSlope(t *testing.T, what string, want, got float64) {
	t.Helper()
	if !math.IsNaN(want) && !near(want, got, 2e-4) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// TestGradientRandom expands the derivatives that random graphs ask for, and
// checks that none is left, that Check is content after each pass, and that
// Simplify keeps their values.
func TestGradientRandom(t *testing.T) {
	for seed := range uint64(60) {
		g, raw, env := irtest.Random(seed, irtest.Options{Size: 10, Derivatives: true, Ops: continuous})
		graphs := [][]*ir.Node{Gradient(g, raw...)}
		graphs = append(graphs, Strip(g, graphs[0]...))
		graphs = append(graphs, Simplify(g, graphs[1]...))
		for _, roots := range graphs {
			if err := ir.Check(roots...); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		for _, n := range ir.Topological(graphs[1]...) {
			if n.Op.Class == ir.Calculus && !n.Is("written") { // which Lower takes out
				t.Fatalf("seed %d leaves %s", seed, n.Op.Name)
			}
		}
		checkSameValues(t, seed, g, env, graphs[1], graphs[2])
	}
}

// TestGradientTwice: derivatives nest, and a binding that an inner one names
// is still there for the outer one.
func TestGradientTwice(t *testing.T) {
	g, env := ir.NewGraph(), irtest.NewEnv()
	rng := rand.New(rand.NewPCG(7, 7))
	typ := ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(3)}
	x := randomLeaf(g, env, rng, "x", typ)
	w := randomLeaf(g, env, rng, "w", typ)
	pin := g.Pin(g.Map("add", x, g.Map("sub", w, w)), "x") // what it binds is simplified
	u := g.Map("sin", g.Map("mul", w, pin))
	ux := g.Must("grad", ir.Attr{}, g.Sum(u, []int{0}), pin)
	uxx := g.Must("grad", ir.Attr{}, g.Sum(ux, []int{0}), pin)
	uxxx := g.Must("grad", ir.Attr{}, g.Sum(uxx, []int{0}), pin)
	out := Simplify(g, Strip(g, Gradient(g, uxxx)...)...)

	got, err := env.Evaluator().Eval(out[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got.Data {
		a, b := env.Values["input x"].Data[i], env.Values["input w"].Data[i]
		if want := -b * b * b * math.Cos(a*b); !near(v, want, 1e-12) {
			t.Errorf("the third derivative is %v, want %v", v, want)
		}
	}
}

// TestPins: a derivative counts what flows through its binding alone, also
// where an equal expression stands beside it.
func TestPins(t *testing.T) {
	g, env := ir.NewGraph(), irtest.NewEnv()
	rng := rand.New(rand.NewPCG(8, 8))
	x := randomLeaf(g, env, rng, "x", ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(3)})
	p, q := g.Pin(g.Map("exp", x), "p"), g.Pin(g.Map("exp", x), "q")
	y := g.Sum(g.Map("mul", g.Map("log", p), g.Map("mul", q, g.Map("exp", x))), []int{0})
	raw := []*ir.Node{
		g.Must("grad", ir.Attr{}, y, p), g.Must("grad", ir.Attr{}, y, q),
		g.Must("grad", ir.Attr{}, g.Map("mul", y, g.Must("stop_gradient", ir.Attr{}, y)), q),
	}
	out := Simplify(g, Strip(g, Gradient(g, raw...)...)...)
	values, err := env.Evaluator().EvalAll(append(out, y)...)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range env.Values["input x"].Data {
		e := math.Exp(v)
		for k, want := range []float64{e, v * e, v * e * values[3].Data[0]} {
			if got := values[k].Data[i]; !near(got, want, 1e-12) {
				t.Errorf("derivative %d is %v, want %v", k, got, want)
			}
		}
	}
}
