package passes

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gradgen.dev/ir"
)

// checkFunc runs the entries of a function.
func checkFunc(t *testing.T, g *ir.Graph, plan *ir.FuncPlan) {
	raw := funcEntries(g, plan.Func)
	if len(raw) != len(plan.Entries) {
		t.Fatalf("%d entries, want %d", len(plan.Entries), len(raw))
	}
	for i, e := range plan.Entries {
		runs := 0
		for _, size := range []int{0, 1, 2, 3, 6, 10} {
			r := &modelRun{g: g, model: &ir.Model{Elem: plan.Func.Elem}, rng: rand.New(rand.NewPCG(uint64(size), 5))}
			r.env = &ir.Evaluator{Dims: sizesOf(plan.Func.Dims, size), Values: map[string]*ir.Tensor{}, Seed: 3, Call: 5}
			if !holds(plan.Func.Facts, r.env.Dims) {
				continue
			}
			values := Strip(g, Gradient(g, raw[i].values...)...)
			ok := r.entry(e, plan.Func, values)
			if !ok {
				continue
			}
			runs++
			if err := r.checkEntry(e, values); err != nil {
				t.Fatalf("%s at %v: %v", e.Suffix, r.env.Dims, err)
			}
		}
		if runs == 0 {
			t.Errorf("%s has no value at any size", e.Suffix)
		}
	}
}

// entry draws what an entry is given; ok is false where it has no value then.
func (r *modelRun) entry(e *ir.FuncEntry, f *ir.Func, values []*ir.Node) (ok bool) {
	for _, p := range slices.Concat(f.Params, e.Extra) {
		leaf := p.Node
		for leaf.IsMark() {
			leaf = leaf.Args[0]
		}
		if r.set(leaf, func() float64 { return 0.2 + r.rng.Float64() }, 2) != nil {
			return false
		}
	}
	all, err := r.env.EvalAll(values...)
	if err != nil {
		return false
	}
	outputs := e.Outputs
	for i, v := range values {
		if v.Type.Rank() == 0 {
			continue
		}
		if want, _ := outputs[0].Type.Shape.Eval(r.env.Dims); !slices.Equal(all[i].Shape, want) {
			return false // what the program asserts of its dimensions is not so
		}
		outputs = outputs[1:]
	}
	return true
}

func (r *modelRun) checkEntry(e *ir.FuncEntry, values []*ir.Node) error {
	m := newMachine(r.env, e.Arena)
	for _, b := range inputsOf(e.Proc) {
		for key, v := range r.env.Values {
			if key == "input "+b.Key {
				m.set(b, v.Data)
			}
		}
	}
	if err := m.run(e.Proc); err != nil {
		return err
	}
	outputs, results := e.Outputs, e.Proc.Results
	for _, v := range values {
		w, err := r.env.Eval(v)
		if err != nil {
			return err
		}
		var b *ir.Buffer
		if v.Type.Rank() > 0 {
			b, outputs = outputs[0], outputs[1:]
		} else {
			b, results = results[0], results[1:]
		}
		if err := r.compareData(b.Name, m.memory(b).data, w.Data, v.Type.Elem); err != nil {
			return err
		}
	}
	return nil
}

// inputsOf is what a procedure reads of the caller's.
func inputsOf(p *ir.Procedure) []*ir.Buffer {
	var out []*ir.Buffer
	for _, s := range p.Steps {
		for _, b := range trafficOf(s).reads {
			if b.Storage == ir.InInput && !slices.Contains(out, b) {
				out = append(out, b)
			}
		}
	}
	return out
}
