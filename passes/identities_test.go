package passes

import (
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// A law is an identity with its attributes filled in, on leaves: tensors of
// 3 by 4, reduced along the last axis.
type law struct {
	*Identity
	g           *ir.Graph
	left, right *ir.Node
	given       *ir.Node // what must be there already, if anything
	vars        map[string]*ir.Node
}

// instance builds both sides of id.
func instance(t *testing.T, id *Identity) law {
	t.Helper()
	attributes := strings.NewReplacer("axes: A", "axes: [1]", "shape: S", "shape: [3, 4]", "elem: E", "elem: float64")
	rule, err := ir.ParseRule(attributes.Replace(id.Law))
	if err != nil {
		t.Fatal(err)
	}
	l := law{Identity: id, g: ir.NewGraph(), vars: map[string]*ir.Node{}}
	typ := ir.Type{Elem: ir.Float64, Shape: ir.ShapeOf(3, 4)}
	l.declare(rule.Left, typ)
	if l.left, err = l.g.BuildExpr(rule.Left, l.vars, typ); err != nil {
		t.Fatal(err)
	}
	if id.given != nil {
		y, err := l.g.BuildExpr(id.given.Right, l.vars, typ)
		if err != nil {
			t.Fatal(err)
		}
		l.given, l.vars = y, maps.Clone(l.vars)
		l.vars[id.given.Left.Name] = y
	}
	if l.right, err = l.g.BuildExpr(rule.Right, l.vars, l.left.Type); err != nil {
		t.Fatal(err)
	}
	return l
}

// declare makes a leaf of each variable of e, of bool where it is a condition.
func (l law) declare(e *ir.Expr, typ ir.Type) {
	if e.Op == "" && !e.IsNum && l.vars[e.Name] == nil {
		l.vars[e.Name] = l.g.Leaf("input", e.Name, typ)
	}
	for i, a := range e.Args {
		if e.Op == "not" || e.Op == "where" && i == 0 {
			l.declare(a, typ.Of(ir.Bool))
		} else {
			l.declare(a, typ.Of(ir.Float64))
		}
	}
}

// draw is values for the variables; floats come from f.
func (l law) draw(rng *rand.Rand, f func() float64) map[string]*ir.Tensor {
	values := map[string]*ir.Tensor{}
	for name, x := range l.vars {
		if x == l.given {
			continue
		}
		v := ir.NewTensor(3, 4)
		for i := range v.Data {
			v.Data[i] = f()
			if x.Type.Elem == ir.Bool {
				v.Data[i] = float64(rng.IntN(2))
			}
		}
		values["input "+name] = v
	}
	return values
}

// sides is the values of both sides.
func (l law) sides(t *testing.T, values map[string]*ir.Tensor) (left, right []float64) {
	t.Helper()
	e := &ir.Evaluator{Values: values}
	v, err := e.EvalAll(l.left, l.right)
	if err != nil {
		t.Fatal(err)
	}
	return v[0].Data, v[1].Data
}

// TestIdentities evaluates both sides of every line at random points of its
// domain, in float64 and with 200 bits.
func TestIdentities(t *testing.T) {
	for _, id := range Identities {
		t.Run(id.ID, func(t *testing.T) {
			l, rng := instance(t, id), rand.New(rand.NewPCG(1, 1))
			for range 20 {
				values := l.draw(rng, func() float64 { return id.Lo + (id.Hi-id.Lo)*rng.Float64() })
				left, right := l.sides(t, values)
				for i := range left {
					if !near(left[i], right[i], 1e-12) {
						t.Fatalf("%s: %v and %v in float64", id.Law, left[i], right[i])
					}
				}
				b := bigEvaluator{values: values, done: map[*ir.Node][]*big.Float{}}
				wide, simple := b.eval(l.left), b.eval(l.right)
				for i := range wide {
					if !b.near(wide[i], simple[i]) {
						t.Fatalf("%s: %.50g and %.50g with 200 bits", id.Law, wide[i], simple[i])
					}
				}
			}
		})
	}
}

// TestExactIdentities compares the bits of both sides of the group Exact, at
// all magnitudes, NaN, infinities and both zeros.
func TestExactIdentities(t *testing.T) {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1, -1, math.MaxFloat64, 5e-324}
	for _, id := range Identities {
		if id.Group != Exact {
			continue
		}
		l, rng := instance(t, id), rand.New(rand.NewPCG(2, 2))
		for range 200 {
			left, right := l.sides(t, l.draw(rng, func() float64 {
				if rng.IntN(2) == 0 {
					return odd[rng.IntN(len(odd))]
				}
				return rng.NormFloat64() * math.Pow(10, float64(rng.IntN(40)-20))
			}))
			for i := range left {
				a, b := left[i], right[i]
				if math.Float64bits(a) != math.Float64bits(b) && !(math.IsNaN(a) && math.IsNaN(b)) {
					t.Fatalf("%s: %v and %v", id.ID, a, b)
				}
			}
		}
	}
}

// TestIdentitiesInOrder checks that no line is hidden by one before it, that
// each lowers the measure, and that each rewrites its own left side.
func TestIdentitiesInOrder(t *testing.T) {
	for i, id := range Identities {
		l := instance(t, id)
		for _, earlier := range Identities[:i] {
			if hides(earlier, l.left) {
				t.Errorf("%s is hidden by %s", id.ID, earlier.ID)
			}
		}
		if before, after := measure(id.rule.Left), measure(id.rule.Right); before <= after {
			t.Errorf("%s goes from %d to %d", id.ID, before, after)
		}
		fired := map[string]int{}
		left := simplify(l.g, nil, fired, []*ir.Node{l.left, l.given})
		if right := Simplify(l.g, l.right); fired[id.ID] == 0 || left[0] != right[0] {
			t.Errorf("%s fires %d times on its own left side and leaves\n%s", id.ID, fired[id.ID], ir.Print(l.g, left[0], right[0]))
		}
	}
}

// hides reports whether id applies to n. A quotient of a number is one of any
// factor above.
func hides(id *Identity, n *ir.Node) bool {
	left := id.rule.Left
	if left.Op == "div" && left.Args[0].IsNum && n.Is("div") {
		return ir.NewMatch().Node(left.Args[1], n.Args[1])
	}
	return ir.NewMatch().Node(left, n)
}

// idle is the lines that fire on no derivation, and what programs need them.
var idle = map[string]string{
	"where-same":  "a choice whose ways have become the same, as in the derivative of a product of none",
	"where-then":  "a mask that is applied twice",
	"where-else":  "a mask that is applied twice",
	"exp-log":     "a scale that is kept as its logarithm",
	"sqrt-square": "the length of one number",
}

// TestIdentitiesFire simplifies every derivation, its derivative and that of
// its derivative, and lists the lines of the table that nothing there needs.
func TestIdentitiesFire(t *testing.T) {
	fired := map[string]int{}
	for _, d := range derivations {
		for i := range d.forward {
			g, env := d.parse(t, i)
			simplify(g, nil, fired, []*ir.Node{env["y"]})
			x := env[d.targets()[0]]
			first := reverse(g, env["y"], env["dy"], x)[0]
			second := reverse(g, first, g.Leaf("input", "v", x.Type), x)[0]
			simplify(g, nil, fired, []*ir.Node{env["y"], first, second})
		}
	}
	for _, id := range Identities {
		if _, known := idle[id.ID]; known == (fired[id.ID] > 0) {
			t.Errorf("%s fires %d times", id.ID, fired[id.ID])
		}
	}
}

// TestSoftmaxOfNone: the sum of a softmax is 1, but 0 over no classes.
func TestSoftmaxOfNone(t *testing.T) {
	g := ir.NewGraph()
	shape := ir.Shape{ir.DimVar("B"), ir.DimVar("K")}
	x := g.Leaf("input", "x", ir.Type{Elem: ir.Float64, Shape: shape})
	p := g.Map("exp", g.Map("sub", x, g.Spread(g.Reduce("logsumexp", x, []int{1}), shape, []int{1})))
	sum := g.Sum(p, []int{1})
	roots := Simplify(g, sum, g.Map("mul", p, g.Spread(sum, shape, []int{1})))
	if roots[1] != Simplify(g, p)[0] {
		t.Errorf("the sum stays:\n%s", ir.Print(g, roots[1]))
	}
	for k := range 3 {
		e := &ir.Evaluator{Dims: map[string]int{"B": 2, "K": k}, Values: map[string]*ir.Tensor{"input x": ir.NewTensor(2, k)}}
		got, err := e.Eval(roots[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range got.Data {
			if want := float64(min(k, 1)); math.Abs(v-want) > 1e-12 {
				t.Errorf("over %d classes it is %v, want %v", k, v, want)
			}
		}
	}
}

// A bigEvaluator computes with 200 bits what the laws are made of.
type bigEvaluator struct {
	values map[string]*ir.Tensor
	done   map[*ir.Node][]*big.Float
}

const bits = 200

func number(v float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(v) }

func newBig() *big.Float { return new(big.Float).SetPrec(bits) }

// near reports whether x and y agree to 45 digits.
func (b bigEvaluator) near(x, y *big.Float) bool {
	scale := newBig().Add(newBig().Abs(x), newBig().Abs(y))
	scale.Add(scale, number(1))
	return newBig().Abs(newBig().Sub(x, y)).Cmp(scale.Mul(scale, number(1e-45))) <= 0
}

func (b bigEvaluator) eval(n *ir.Node) []*big.Float {
	if out, ok := b.done[n]; ok {
		return out
	}
	var out []*big.Float
	switch n.Op.Name {
	case "input":
		for _, v := range b.values["input "+n.Attr.Name].Data {
			out = append(out, number(v))
		}
	case "const":
		out = []*big.Float{number(n.Attr.Value)}
	case "spread":
		x := b.eval(n.Args[0])
		for i := range 12 {
			out = append(out, x[i*len(x)/12])
		}
	case "sum", "logsumexp":
		x := b.eval(n.Args[0])
		for row := range 3 {
			sum := newBig()
			for _, v := range x[4*row : 4*row+4] {
				if n.Is("logsumexp") {
					v = bigExp(v)
				}
				sum.Add(sum, v)
			}
			if n.Is("logsumexp") {
				sum = bigLog(sum)
			}
			out = append(out, sum)
		}
	default:
		args := make([][]*big.Float, len(n.Args))
		for k, a := range n.Args {
			args[k] = b.eval(a)
		}
		for i := range args[0] {
			x := make([]*big.Float, len(args))
			for k := range args {
				x[k] = args[k][i]
			}
			out = append(out, bigMap(n.Op.Name, x))
		}
	}
	b.done[n] = out
	return out
}

// bigMap is an elementwise op of the table, by its definition.
func bigMap(op string, x []*big.Float) *big.Float {
	one := number(1)
	truth := func(b bool) *big.Float {
		if b {
			return one
		}
		return newBig()
	}
	switch a := x[0]; op {
	case "neg":
		return newBig().Neg(a)
	case "abs":
		return newBig().Abs(a)
	case "add":
		return newBig().Add(a, x[1])
	case "sub":
		return newBig().Sub(a, x[1])
	case "mul":
		return newBig().Mul(a, x[1])
	case "div":
		return newBig().Quo(a, x[1])
	case "sqrt":
		return newBig().Sqrt(a)
	case "exp":
		return bigExp(a)
	case "expm1":
		return newBig().Sub(bigExp(a), one)
	case "log":
		return bigLog(a)
	case "log1p":
		return bigLog(newBig().Add(a, one))
	case "softplus":
		return bigLog(newBig().Add(bigExp(a), one))
	case "sigmoid":
		return newBig().Quo(one, newBig().Add(bigExp(newBig().Neg(a)), one))
	case "tanh":
		e := bigExp(newBig().Add(a, a))
		return newBig().Quo(newBig().Sub(e, one), newBig().Add(e, one))
	case "cos":
		return bigCos(a)
	case "max":
		return x[choose(a.Cmp(x[1]) < 0)]
	case "min":
		return x[choose(a.Cmp(x[1]) > 0)]
	case "gt":
		return truth(a.Cmp(x[1]) > 0)
	case "ge":
		return truth(a.Cmp(x[1]) >= 0)
	case "lt":
		return truth(a.Cmp(x[1]) < 0)
	case "le":
		return truth(a.Cmp(x[1]) <= 0)
	case "not":
		return truth(a.Sign() == 0)
	case "cast":
		return a
	case "where":
		return x[1+choose(a.Sign() == 0)]
	}
	panic("no value with 200 bits of " + op)
}

func choose(second bool) int {
	if second {
		return 1
	}
	return 0
}

// bigExp is e^x: the series at x/2^64, squared 64 times. The bits that
// squaring loses are carried along.
func bigExp(x *big.Float) *big.Float {
	const halvings, guard = 64, 80
	r := new(big.Float).SetPrec(bits+guard).SetMantExp(x, -halvings)
	sum, power := new(big.Float).SetPrec(bits+guard).SetFloat64(1), new(big.Float).SetPrec(bits+guard).SetFloat64(1)
	for k := range 12 {
		power.Quo(power.Mul(power, r), number(float64(k+1)))
		sum.Add(sum, power)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return newBig().Set(sum)
}

// bigLog is log x by Halley's iteration y + 2(x − e^y)/(x + e^y), whose error
// is cubed in each step.
func bigLog(x *big.Float) *big.Float {
	approx, _ := x.Float64()
	y := number(math.Log(approx))
	for range 4 {
		e := bigExp(y)
		step := newBig().Quo(newBig().Sub(x, e), newBig().Add(x, e))
		y.Add(y, step.Add(step, step))
	}
	return y
}

// bigCos is the series of cos; |x| is at most 20.
func bigCos(x *big.Float) *big.Float {
	square := newBig().Mul(x, x)
	sum, power := number(1), number(1)
	for k := 1; k < 240; k += 2 {
		power.Quo(power.Mul(power, square), number(-float64(k)*float64(k+1)))
		sum.Add(sum, power)
	}
	return sum
}
