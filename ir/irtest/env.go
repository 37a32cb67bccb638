package irtest

import (
	"math/rand/v2"

	"gradgen.dev/ir"
)

// An Env is what a graph needs to have a value: the run-time dimensions, the
// leaves, and the seed of random draws.
type Env struct {
	Dims   map[string]int
	Values map[string]*ir.Tensor
	Seed   uint64
	Call   uint64
}

// NewEnv returns an Env with values for the run-time dimensions that samples and
// random graphs use: B is 3 and N is 2.
func NewEnv() *Env {
	return &Env{Dims: map[string]int{"B": 3, "N": 2}, Values: map[string]*ir.Tensor{}, Seed: 1, Call: 2}
}

// Evaluator returns a reference interpreter over e that knows no value yet.
func (e *Env) Evaluator() *ir.Evaluator {
	return &ir.Evaluator{Dims: e.Dims, Values: e.Values, Seed: e.Seed, Call: e.Call}
}

// Set gives leaf its value.
func (e *Env) Set(leaf *ir.Node, t *ir.Tensor) {
	name := leaf.Attr.Name
	if name == "" {
		name = leaf.Op.Name
	}
	e.Values[leaf.Op.Name+" "+name] = t
}

// Draw returns random elements for an operand: fixed values, indices below a
// bound, truth values, small integers, or numbers between Lo and Hi.
func (e *Env) Draw(o Operand, r *rand.Rand) *ir.Tensor {
	shape, err := o.Type.Shape.Eval(e.Dims)
	if err != nil {
		panic("irtest: " + err.Error())
	}
	t := ir.NewTensor(shape...)
	for i := range t.Data {
		t.Data[i] = e.element(o, i, r)
	}
	return t
}

func (e *Env) element(o Operand, i int, r *rand.Rand) float64 {
	switch {
	case o.Values != nil:
		return o.Values[i%len(o.Values)]
	case o.Below != nil:
		n, err := o.Below.Eval(e.Dims)
		if err != nil {
			panic("irtest: " + err.Error())
		}
		return float64(r.IntN(n))
	case o.Type.Elem == ir.Bool:
		return float64(r.IntN(2))
	case o.Type.Elem.IsInt():
		return float64(r.IntN(9) - 4)
	}
	return o.Lo + (o.Hi-o.Lo)*r.Float64()
}
