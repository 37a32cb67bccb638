package irtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gradgen.dev/ir"
)

// Options say what a random graph may hold. The zero value is float64, every
// op that has a value, finite values of moderate size.
type Options struct {
	Size    int               // how many ops are applied, about; 0 is 20
	Ops     func(*ir.Op) bool // which ops may be used beside what adapts shapes; nil: all
	Float32 bool              // floating values are float32, not float64

	// Odd adds constants such as inf, nan, -0 and 1e-300, names that need
	// escaping, and values of any size.
	Odd bool

	// Derivatives adds roots that the gradient pass has to expand. They have no
	// value before.
	Derivatives bool
}

// Random returns a graph, roots in it that have at least one floating tensor,
// and an Env in which all of them have values (but see Options.Derivatives).
// The derivative of a random call is not that of its value. Equal seeds and
// options give equal graphs.
func Random(seed uint64, o Options) (*ir.Graph, []*ir.Node, *Env) {
	b := &builder{
		source: &source{rand.New(rand.NewPCG(seed, 0)), ir.Float64},
		o:      o, g: ir.NewGraph(), env: NewEnv(), value: map[*ir.Node]*ir.Tensor{},
	}
	if o.Float32 {
		b.elem = ir.Float32
	}
	if b.o.Size == 0 {
		b.o.Size = 20
	}
	for _, name := range ir.OpNames {
		op := ir.Ops[name]
		if name != "arg" && !expanded(op) && (o.Ops == nil || o.Ops(op)) {
			b.ops = append(b.ops, op)
		}
	}
	b.leaf(b.float(b.shape(1)))
	for range b.o.Size {
		b.step()
	}
	return b.g, b.roots(), b.env
}

// A builder grows a graph in which every node of the pool has a value.
type builder struct {
	*source
	o      Options
	ops    []*ir.Op
	g      *ir.Graph
	env    *Env
	pool   []*ir.Node // what operands are taken from
	value  map[*ir.Node]*ir.Tensor
	leaves []*ir.Node // whose values are in env
	names  int
}

// step applies one op to what there is.
func (b *builder) step() {
	if b.o.Odd && b.IntN(4) == 0 {
		b.oddConstant()
	}
	op := b.ops[b.IntN(len(b.ops))]
	if op.Name == "call" {
		b.call()
		return
	}
	s, err := One(op, b.Rand, b.elem)
	if err != nil {
		panic("irtest: " + err.Error())
	}
	if op.Class == ir.Leaf || op.Class == ir.Random {
		b.leafOf(s)
		return
	}
	args := make([]*ir.Node, len(s.Operands))
	for i, o := range s.Operands {
		args[i] = b.operand(o, op)
	}
	n, err := Apply(b.g, s, args)
	if err != nil {
		panic(fmt.Sprintf("irtest: %s: %v", op.Name, err))
	}
	b.keep(n)
}

// expanded reports whether op has no value before the gradient pass.
func expanded(op *ir.Op) bool {
	switch op.Name {
	case "grad", "jacobian", "hessian", "vjp", "jvp":
		return true
	}
	return false
}

// keep puts n into the pool if its value is fit to compute with.
func (b *builder) keep(n *ir.Node) {
	if b.value[n] != nil {
		return
	}
	t := b.eval(n)
	if !b.o.Odd && slices.ContainsFunc(t.Data, func(v float64) bool { return !(math.Abs(v) <= 1e3) }) {
		return
	}
	if b.IntN(3) == 0 {
		b.g.SetOrigin(n, ir.Origin{Name: b.name("v")})
	}
	b.pool = append(b.pool, n)
	b.value[n] = t
}

func (b *builder) eval(n *ir.Node) *ir.Tensor {
	t, err := b.env.Evaluator().Eval(n)
	if err != nil {
		panic(fmt.Sprintf("irtest: %v\n%s", err, ir.Print(b.g, n)))
	}
	return t
}

// oddNames are names that the text form has to escape, make unique or avoid.
var oddNames = []string{"", "inf", "return", "a1", "t", "3d", "a b", `"`, "\n", "é", "x.y", "\xff", "region", "#", "nan", "0", "float32", "v_2"}

// name is a new name that starts with base.
func (b *builder) name(base string) string {
	if b.o.Odd && b.IntN(3) == 0 {
		return oddNames[b.IntN(len(oddNames))]
	}
	b.names++
	return fmt.Sprint(base, b.names)
}

// leafOf makes a leaf, under a name of its own where it has one.
func (b *builder) leafOf(s Sample) {
	named := slices.Contains(s.Op.Fields, "name")
	if named {
		s.Attr.Name = b.name(s.Op.Name)
	}
	if s.Op.Class == ir.Leaf && (named || len(s.Op.Fields) == 1) {
		b.setLeaf(s.Op.Name, s.Attr, Operand{Type: ir.Type{Elem: s.Attr.Elem, Shape: s.Attr.Dims}, Lo: -2, Hi: 2})
		return
	}
	b.keep(b.g.Must(s.Op.Name, s.Attr))
}

// setLeaf makes a leaf and draws its value. A leaf that another type has already
// gets another name.
func (b *builder) setLeaf(op string, attr ir.Attr, o Operand) *ir.Node {
	for taken := true; taken; {
		taken = false
		for _, other := range b.leaves {
			if other.Is(op) && other.Attr.Name == attr.Name {
				taken, attr.Name = true, fmt.Sprint(op, " ", len(b.leaves))
			}
		}
	}
	n := b.g.Must(op, attr)
	if slices.Contains(b.leaves, n) {
		return n
	}
	b.env.Set(n, b.env.Draw(o, b.Rand))
	b.leaves = append(b.leaves, n)
	b.keep(n)
	return n
}

// leaf is an input or a parameter that is as o says.
func (b *builder) leaf(o Operand) *ir.Node {
	op := []string{"input", "param"}[b.IntN(2)]
	return b.setLeaf(op, ir.Attr{Name: b.name(op), Dims: o.Type.Shape, Elem: o.Type.Elem}, o)
}

// oddConstant adds a constant that printers and rewriters may stumble over.
func (b *builder) oddConstant() {
	values := []float64{math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), 1e-300, 1, 0, -1, 0.1, 1 << 60}
	b.keep(b.g.Fill(values[b.IntN(len(values))], ir.Type{Elem: b.elem, Shape: b.shape(0)}))
}

// operand is a node that is as o says, of what there is where that fits; op's
// domain bounds its values.
func (b *builder) operand(o Operand, op *ir.Op) *ir.Node {
	var fit []*ir.Node
	for _, n := range b.pool {
		if n.Type.Equal(o.Type) && (o.Below == nil || b.below(n, *o.Below)) {
			fit = append(fit, n)
		}
	}
	var n *ir.Node
	switch {
	case len(fit) > 0 && b.IntN(4) > 0:
		n = fit[b.IntN(len(fit))]
	case o.Below == nil && !o.Type.Elem.IsInt() && b.IntN(2) == 0:
		n = b.adapt(b.pool[b.IntN(len(b.pool))], o.Type)
	default:
		n = b.leaf(o)
	}
	if o.Below == nil && o.Type.Elem.IsFloat() && !b.o.Odd {
		return b.within(n, op.Domain)
	}
	return n
}

// below reports whether every element of n is an index below an extent.
func (b *builder) below(n *ir.Node, extent ir.Dim) bool {
	limit, err := extent.Eval(b.env.Dims)
	for _, v := range b.value[n].Data {
		if err != nil || !(v >= 0 && v < float64(limit)) {
			return false
		}
	}
	return true
}

// within is n, squashed into a domain where its values leave it.
func (b *builder) within(n *ir.Node, domain [2]float64) *ir.Node {
	if !slices.ContainsFunc(b.eval(n).Data, func(v float64) bool { return !(domain[0] <= v && v <= domain[1]) }) {
		return n
	}
	width := b.g.Fill(domain[1]-domain[0], n.Type)
	scaled := b.g.Map("mul", width, b.g.Map("sigmoid", n))
	return b.g.Map("add", scaled, b.g.Fill(domain[0], n.Type))
}

// adapt makes a value of type t, a floating one or bool, out of n: it is read in
// another shape where that has as many elements, else summed up and spread.
func (b *builder) adapt(n *ir.Node, t ir.Type) *ir.Node {
	float := t
	if !t.Elem.IsFloat() {
		float.Elem = b.elem
	}
	n = b.g.Cast(n, float.Elem)
	switch {
	case n.Type.Shape.Equal(t.Shape):
	case n.Type.Shape.Size().Equal(t.Shape.Size()):
		n = b.g.Reshape(n, t.Shape)
	default:
		axes := make([]int, n.Type.Rank())
		for i := range axes {
			axes[i] = i
		}
		n = b.g.Broadcast(b.g.Sum(n, axes), t.Shape)
	}
	if t.Elem == ir.Bool {
		return b.g.Map("gt", n, b.g.Fill(0, float))
	}
	return n
}

// call puts a random part of the graph into a region: some steps that start from
// one or two values, with these values made parameters. What else the steps use is
// captured. Half of the calls have a second region.
func (b *builder) call() {
	args := []*ir.Node{b.pool[b.IntN(len(b.pool))]}
	if second := b.pool[b.IntN(len(b.pool))]; second != args[0] && b.IntN(2) == 0 {
		args = append(args, second)
	}
	around := b.pool
	b.pool = append([]*ir.Node{}, args...)
	if b.IntN(2) == 0 {
		b.pool = append(b.pool, around[b.IntN(len(around))])
	}
	for range 1 + b.IntN(4) {
		b.step()
	}
	y := b.pool[len(b.pool)-1]
	b.pool = around

	// The region is the part below y, its starting points replaced.
	params, bind := make([]*ir.Node, len(args)), map[*ir.Node]*ir.Node{}
	for i, a := range args {
		params[i] = b.g.NewArg(a.Type)
		bind[a] = params[i]
	}
	regions := []*ir.Region{{Params: params, Results: b.g.Replace(bind, y)}}
	if b.IntN(2) == 0 && y.Type.Elem.IsFloat() {
		regions = append(regions, b.derivative(args, y.Type))
	}
	b.keep(b.g.MakeCall(b.name("f"), args, regions...))
}

// derivative is a region of the types that that of a call has.
func (b *builder) derivative(args []*ir.Node, t ir.Type) *ir.Region {
	r := &ir.Region{}
	for _, a := range args {
		r.Params = append(r.Params, b.g.NewArg(a.Type))
	}
	y, dy := b.g.NewArg(t), b.g.NewArg(t)
	for i, a := range args {
		d := r.Params[i]
		if a.Type.Elem.IsFloat() {
			d = b.g.Map("mul", d, b.adapt(b.g.Map("mul", y, dy), a.Type))
		}
		r.Results = append(r.Results, d)
	}
	r.Params = append(r.Params, y, dy)
	return r
}

// roots is the last value, a floating one, and some others.
func (b *builder) roots() []*ir.Node {
	last := b.pool[len(b.pool)-1]
	roots := []*ir.Node{last, b.adapt(last, ir.Type{Elem: b.elem})}
	for range b.IntN(3) {
		roots = append(roots, b.pool[b.IntN(len(b.pool))])
	}
	if b.o.Derivatives {
		roots = append(roots, b.derivatives()...)
	}
	return roots
}

// derivatives is one node of each op that the gradient pass expands, of values
// that depend on the pin where there are such.
func (b *builder) derivatives() []*ir.Node {
	at := b.pool[0]
	for _, n := range b.pool {
		if n.Type.Elem.IsFloat() && n.Type.Rank() < 2 {
			at = n
		}
	}
	pin := b.g.Pin(at, b.name("p"))
	y := b.adapt(b.g.Map("tanh", pin), ir.Type{Elem: b.elem})
	if users := b.g.Replace(map[*ir.Node]*ir.Node{at: pin}, b.pool[len(b.pool)-1]); users[0].Type.Elem.IsFloat() {
		y = b.g.Add(y, b.adapt(users[0], y.Type))
	}
	return []*ir.Node{
		b.g.Map("grad", y, pin), b.g.Map("jacobian", pin, pin), b.g.Map("hessian", y, pin),
		b.g.Map("vjp", y, pin, y), b.g.Map("jvp", y, pin, at),
	}
}
