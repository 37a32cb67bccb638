package ir

import (
	"fmt"
	"math"
)

// The leaves, the random draws and the marks of derivatives.
func init() {
	register(
		leaf("input", "what a call is given", "name", "type"),
		leaf("param", "a trained tensor", "name", "type"),
		leaf("state", "a tensor kept between steps, as it was before this one", "name", "type"),
		leaf("carry", "a tensor kept from call to call, as it was before this one", "name", "type"),
		leaf("clip_factor", "what the gradient of this update is multiplied by to bound its norm", "type"),
		leaf("hyper", "a number of Hyper", "name", "type"),
		leaf("step", "the number of the update, 1 for the first", "type"),
		leaf("steps", "the length of the run", "type"),
		leaf("arg", "the parameter of a region", "name", "type"),
		&Op{Name: "const", Class: Leaf, Fields: []string{"value", "elem"}, Doc: "a literal", Shape: leafType,
			Eval: func(_ *Evaluator, n *Node, _ []*Tensor) (*Tensor, error) { return scalar(n.Attr.Value), nil }},
		&Op{Name: "tensor", Class: Leaf, Fields: []string{"data", "type"}, Doc: "a tensor of literals", Shape: tensorShape,
			Eval: func(e *Evaluator, n *Node, _ []*Tensor) (*Tensor, error) {
				shape, err := e.extents(n)
				return &Tensor{Shape: shape, Data: n.Attr.Data}, err
			}},
		&Op{Name: "size", Class: Leaf, Fields: []string{"dim", "elem"}, Doc: "an extent as a number", Eval: evalSize,
			Shape: func(n *Node) (Type, error) { return Type{Elem: n.Attr.Elem}, oneDim(n) }},
		&Op{Name: "iota", Class: Leaf, Fields: []string{"axis", "type"}, Doc: "the index along an axis", Shape: iotaShape, Eval: evalIota},
		random("uniform", "independent draws from [0, 1)", uniformAt),
		random("normal", "independent draws from the standard normal distribution", normalAt),

		identityOp("pin", "a binding that derivatives are taken by", "name"),
		identityOp("stop_gradient", "a, constant to derivatives"),
		identityOp("written", "a, computed as it is written"),
		&Op{Name: "bounded", Class: Calculus, Arity: 1, Fields: []string{"dim", "value"},
			Doc: "a, every element of which must be from 0 to the extent, or the value", Eval: evalIdentity, Rules: []string{"dy"},
			Shape: func(n *Node) (Type, error) { return n.Args[0].Type, oneDim(n) }},
		derivative("grad", "derivative of the scalar a by the pin b", 2, gradType),
		derivative("jacobian", "derivatives of every element of a by the pin b", 2, jacobianType),
		derivative("hessian", "second derivatives of the scalar a by the pin b", 2, hessianType),
		derivative("vjp", "cotangent of the pin b where c is that of a", 3, func(n *Node) (Type, error) {
			return n.Args[1].Type, agree("cotangent", n.Args[2].Type, n.Args[0].Type)
		}),
		derivative("jvp", "derivative of a where the pin b moves along c", 3, func(n *Node) (Type, error) {
			return n.Args[0].Type, agree("tangent", n.Args[2].Type, n.Args[1].Type)
		}),
		&Op{Name: "call", Class: Calculus, Arity: -1, Fields: []string{"name"},
			Doc:   "a function with its own derivative: region 0 is its value, region 1 the cotangents of its operands",
			Shape: callShape, Eval: evalCall, Rules: []string{"region 1"}},
	)
	Ops["pin"].Rules = Ops["bounded"].Rules
	Ops["pin"].VJP = func(_ *Graph, _, dy *Node, _ int) *Node { return dy }
	Ops["bounded"].VJP = Ops["pin"].VJP
	Ops["written"].Rules, Ops["written"].VJP = Ops["pin"].Rules, Ops["pin"].VJP
	Ops["call"].VJP = callVJP
}

// leaf is a row without operands whose value the environment gives.
func leaf(name, doc string, fields ...string) *Op {
	return &Op{Name: name, Class: Leaf, Fields: fields, Doc: doc, Shape: leafType, Eval: evalLeaf}
}

func evalLeaf(e *Evaluator, n *Node, _ []*Tensor) (*Tensor, error) {
	key := n.Attr.Name
	if key == "" {
		key = n.Op.Name
	}
	t, ok := e.Values[n.Op.Name+" "+key]
	if !ok {
		return nil, fmt.Errorf("%s %q has no value", n.Op.Name, key)
	}
	want, err := n.Type.Shape.Eval(e.Dims)
	if err != nil {
		return nil, err
	}
	if fmt.Sprint(want) != fmt.Sprint(t.Shape) {
		return nil, fmt.Errorf("%s %q has shape %v, want %v", n.Op.Name, key, t.Shape, want)
	}
	return t, nil
}

func evalSize(e *Evaluator, n *Node, _ []*Tensor) (*Tensor, error) {
	v, err := n.Attr.Dims[0].Eval(e.Dims)
	return scalar(float64(v)), err
}

// oneDim checks that n has the one dimension that it is about.
func oneDim(n *Node) error {
	if len(n.Attr.Dims) != 1 {
		return fmt.Errorf("%d dimensions, want one", len(n.Attr.Dims))
	}
	return nil
}

// tensorShape is leafType of constant extents, as many as there are data.
func tensorShape(n *Node) (Type, error) {
	t, err := leafType(n)
	if size, ok := t.Shape.Size().Const(); !ok || size != len(n.Attr.Data) {
		return t, fmt.Errorf("%d elements for %v", len(n.Attr.Data), t.Shape)
	}
	return t, err
}

func iotaShape(n *Node) (Type, error) {
	t, err := leafType(n)
	if n.Attr.Axis < 0 || n.Attr.Axis >= t.Rank() {
		return t, fmt.Errorf("axis %d of %v", n.Attr.Axis, t.Shape)
	}
	return t, err
}

func evalIota(e *Evaluator, n *Node, _ []*Tensor) (*Tensor, error) {
	out, err := e.alloc(n)
	if err != nil {
		return nil, err
	}
	out.each(func(at int, index []int) { out.Data[at] = float64(index[n.Attr.Axis]) })
	return out, nil
}

// identityOp is a mark: its value is its operand's.
func identityOp(name, doc string, fields ...string) *Op {
	return &Op{Name: name, Class: Calculus, Arity: 1, Fields: fields, Doc: doc, Shape: same, Eval: evalIdentity}
}

func evalIdentity(_ *Evaluator, _ *Node, args []*Tensor) (*Tensor, error) { return args[0], nil }

// derivative is an op that the gradient pass expands; it has no value before.
func derivative(name, doc string, arity int, shape func(n *Node) (Type, error)) *Op {
	return &Op{Name: name, Class: Calculus, Arity: arity, Doc: doc, Shape: shape,
		Eval: func(*Evaluator, *Node, []*Tensor) (*Tensor, error) {
			return nil, fmt.Errorf("%s must be expanded before it is evaluated", name)
		}}
}

func gradType(n *Node) (Type, error) {
	if n.Is("grad") && n.Args[0].Type.Rank() != 0 {
		return Type{}, fmt.Errorf("the derivative is of %v, want a scalar", n.Args[0].Type)
	}
	return n.Args[1].Type, nil
}

// agree checks that what a derivative is contracted with has the type of what
// it stands for.
func agree(what string, t, want Type) error {
	if !t.Equal(want) {
		return fmt.Errorf("the %s is %v, want %v", what, t, want)
	}
	return nil
}

func jacobianType(n *Node) (Type, error) {
	y, x := n.Args[0].Type, n.Args[1].Type
	return y.With(append(append(Shape{}, y.Shape...), x.Shape...)), nil
}

func hessianType(n *Node) (Type, error) {
	x := n.Args[1].Type
	return x.With(append(append(Shape{}, x.Shape...), x.Shape...)), nil
}

// callShape checks that region 0 takes the operands and gives one value, and
// that region 1 takes the operands, the value and its cotangent and gives the
// cotangents of the operands. That of an operand that is no float is not used.
func callShape(n *Node) (Type, error) {
	if len(n.Body) < 1 || len(n.Body) > 2 || len(n.Body[0].Results) != 1 {
		return Type{}, fmt.Errorf("a call needs a region with one result, and at most one more region")
	}
	takes := make([]Type, len(n.Args))
	for i, a := range n.Args {
		takes[i] = a.Type
	}
	t := n.Body[0].Results[0].Type
	if err := n.Body[0].fits(takes); err != nil {
		return t, err
	}
	if len(n.Body) == 1 {
		return t, nil
	}

	// The derivative.
	rule := n.Body[1]
	if err := rule.fits(append(takes, t, t)); err != nil {
		return t, fmt.Errorf("the derivative: %w", err)
	}
	if len(rule.Results) != len(n.Args) {
		return t, fmt.Errorf("%d cotangents for %d operands", len(rule.Results), len(n.Args))
	}
	for i, d := range rule.Results {
		if want := n.Args[i].Type; want.Elem.IsFloat() && !d.Type.Equal(want) {
			return t, fmt.Errorf("the cotangent of operand %d is %v, want %v", i, d.Type, want)
		}
	}
	return t, nil
}

// fits checks the parameters of r against what it is given.
func (r *Region) fits(takes []Type) error {
	if len(r.Params) != len(takes) {
		return fmt.Errorf("a region has %d parameters, not %d", len(r.Params), len(takes))
	}
	for i, p := range r.Params {
		if !p.Is("arg") || !p.Type.Equal(takes[i]) {
			return fmt.Errorf("parameter %d of a region is %s of %v, want %v", i, p.Op.Name, p.Type, takes[i])
		}
	}
	return nil
}

// evalCall evaluates region 0 with its parameters bound to the operands.
func evalCall(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	return e.region(n.Body[0], args)
}

// callVJP puts the call's own derivative in place: region 1 has the operands,
// the result and its cotangent as parameters.
func callVJP(g *Graph, n, dy *Node, arg int) *Node {
	if len(n.Body) < 2 {
		panic("ir: a call without derivative must be inlined before the gradient")
	}
	rule := n.Body[1]
	bind := map[*Node]*Node{}
	for i, a := range n.Args {
		bind[rule.Params[i]] = a
	}
	bind[rule.Params[len(n.Args)]] = n
	bind[rule.Params[len(n.Args)+1]] = dy
	return g.Replace(bind, rule.Results[arg])[0]
}

// Inline is the value of a call, or of others, as ordinary nodes.
func (g *Graph) Inline(n *Node) *Node {
	if n.Is("others") {
		return g.inlineOthers(n)
	}
	bind := map[*Node]*Node{}
	for i, a := range n.Args {
		bind[n.Body[0].Params[i]] = a
	}
	return g.Replace(bind, n.Body[0].Results[0])[0]
}

// random is a row whose elements are drawn at (seed, site, call, index); the
// site is the name attribute.
func random(name, doc string, draw func(key, i uint64) float64) *Op {
	return &Op{Name: name, Class: Random, Fields: []string{"name", "type"}, Doc: doc, Shape: leafType,
		Eval: func(e *Evaluator, n *Node, _ []*Tensor) (*Tensor, error) {
			out, err := e.alloc(n)
			if err != nil {
				return nil, err
			}
			key := randomKey(e.Seed, hashSite(n.Attr.Name), e.Call)
			for i := range out.Data {
				out.Data[i] = draw(key, uint64(i))
				if n.Attr.Elem == Float32 && name == "uniform" {
					out.Data[i] = math.Floor(out.Data[i]*(1<<24)) / (1 << 24)
				}
			}
			return out, nil
		}}
}

// The generator is counter-based: SplitMix64's finaliser (Steele, Lea, Flood
// 2014) over a key and a counter, so that a draw depends on nothing else.

const golden = 0x9e3779b97f4a7c15

func mix(z uint64) uint64 {
	z ^= z >> 30
	z *= 0xbf58476d1ce4e5b9
	z ^= z >> 27
	z *= 0x94d049bb133111eb
	return z ^ z>>31
}

func randomKey(seed, site, call uint64) uint64 {
	return mix(mix(mix(seed+golden)^site) + call*0xd1342543de82ef95)
}

func hashSite(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func uniformAt(key, i uint64) float64 { return float64(mix(key+(i+1)*golden)>>11) / (1 << 53) }

// normalAt is one half of a Box–Muller pair.
func normalAt(key, i uint64) float64 {
	u, v := 1-uniformAt(key, 2*i), uniformAt(key, 2*i+1)
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}
