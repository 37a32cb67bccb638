package ir

import "fmt"

// A Tensor is a value of the reference interpreter: every element type is held
// in float64, row-major.
type Tensor struct {
	Shape []int
	Data  []float64
}

// NewTensor returns zeros of the shape.
func NewTensor(shape ...int) *Tensor { return newTensor(shape) }

func newTensor(shape []int) *Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return &Tensor{Shape: shape, Data: make([]float64, n)}
}

func scalar(v float64) *Tensor { return &Tensor{Shape: []int{}, Data: []float64{v}} }

// at is the position of an index in Data.
func (t *Tensor) at(index []int) int {
	at := 0
	for i, k := range index {
		at = at*t.Shape[i] + k
	}
	return at
}

// holds reports an index that t does not have.
func (t *Tensor) holds(index []int) error {
	for i, k := range index {
		if k < 0 || k >= t.Shape[i] {
			return fmt.Errorf("index %d of an extent of %d", k, t.Shape[i])
		}
	}
	return nil
}

// each calls f with every position and its index, in order. f must not keep
// the index.
func (t *Tensor) each(f func(at int, index []int)) {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	index := make([]int, len(t.Shape))
	for at := range n {
		f(at, index)
		for k := len(index) - 1; k >= 0; k-- {
			if index[k]++; index[k] < t.Shape[k] {
				break
			}
			index[k] = 0
		}
	}
}

// An Evaluator is the reference interpreter: plain float64 arithmetic, the
// oracle that everything else is held against. It is also what folds
// constants, then rounding to the element type.
type Evaluator struct {
	Dims   map[string]int     // run-time dimensions
	Values map[string]*Tensor // leaves by op and name: "param dense.W", "step step"
	Seed   uint64             // of the random draws
	Call   uint64             // their call counter
	Round  bool               // round every result to its element type

	done map[*Node]*Tensor
}

// Eval is the value of n. Values are kept: the fields must not change after
// the first call.
func (e *Evaluator) Eval(n *Node) (*Tensor, error) {
	if e.done == nil {
		e.done = map[*Node]*Tensor{}
	}
	if e.done[n] != nil {
		return e.done[n], nil
	}
	for _, a := range n.Operands() {
		if _, err := e.Eval(a); err != nil {
			return nil, err
		}
	}
	if err := e.evalOne(n); err != nil {
		return nil, err
	}
	return e.done[n], nil
}

// EvalAll is the values of nodes, in order.
func (e *Evaluator) EvalAll(nodes ...*Node) ([]*Tensor, error) {
	out := make([]*Tensor, len(nodes))
	for i, n := range nodes {
		t, err := e.Eval(n)
		if err != nil {
			return nil, err
		}
		out[i] = t
	}
	return out, nil
}

// evalOne computes m, whose operands have values already. What lies inside a
// region is left to its node.
func (e *Evaluator) evalOne(m *Node) error {
	args := make([]*Tensor, len(m.Args))
	for i, a := range m.Args {
		args[i] = e.done[a]
	}
	var out *Tensor
	var err error
	if m.Op.Class == Map && m.Op.Eval == nil {
		out = mapEval(m, args)
	} else {
		out, err = m.Op.Eval(e, m, args)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.Op.Name, err)
	}
	if e.Round && m.Type.Elem == Float32 {
		rounded := newTensor(out.Shape)
		for i, v := range out.Data {
			rounded.Data[i] = float64(float32(v))
		}
		out = rounded
	}
	e.done[m] = out
	return nil
}

func mapEval(m *Node, args []*Tensor) *Tensor {
	out, x := newTensor(args[0].Shape), make([]float64, len(args))
	for i := range out.Data {
		for k, a := range args {
			x[k] = a.Data[i]
		}
		out.Data[i] = m.Op.Fn(x)
	}
	return out
}

// region is the first result of r with args for its parameters. Captured
// values must have been computed.
func (e *Evaluator) region(r *Region, args []*Tensor) (*Tensor, error) {
	inner := &Evaluator{Dims: e.Dims, Values: e.Values, Seed: e.Seed, Call: e.Call, Round: e.Round, done: map[*Node]*Tensor{}}
	for _, c := range r.Captures() {
		inner.done[c] = e.done[c]
	}
	for i, p := range r.Params {
		inner.done[p] = args[i]
	}
	return inner.Eval(r.Results[0])
}

// extents is n's shape where the dimensions have their values.
func (e *Evaluator) extents(n *Node) ([]int, error) {
	shape, err := n.Type.Shape.Eval(e.Dims)
	if err != nil {
		return nil, err
	}
	for _, d := range shape {
		if d < 0 {
			return nil, fmt.Errorf("extent %d in %v", d, n.Type.Shape)
		}
	}
	return shape, nil
}

// alloc is zeros of n's shape.
func (e *Evaluator) alloc(n *Node) (*Tensor, error) {
	shape, err := e.extents(n)
	if err != nil {
		return nil, err
	}
	return newTensor(shape), nil
}

// reindex is a tensor of n's shape whose element at index to is x's at from;
// an index that x does not have is an error.
func (e *Evaluator) reindex(n *Node, x *Tensor, source func(to, from []int)) (*Tensor, error) {
	out, err := e.alloc(n)
	if err != nil {
		return nil, err
	}
	from := make([]int, len(x.Shape))
	out.each(func(at int, index []int) {
		if err != nil {
			return
		}
		source(index, from)
		if err = x.holds(from); err == nil {
			out.Data[at] = x.Data[x.at(from)]
		}
	})
	return out, err
}
