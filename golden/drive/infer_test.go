package drive

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"

	"gradgen.dev/ir"
)

// reports compares a Report with a side's loss and metrics.
func (d *modelDriver) reports(what string, have map[string]float64, s side, env map[string]int, leaves values, call uint64) {
	d.Helper()
	for i, want := range d.eval(env, leaves, call, s.reports...) {
		v, ok := have[s.names[i]]
		if !ok {
			d.Errorf("%s lacks %s", what, s.names[i])
		}
		d.same(fmt.Sprintf("%v: %s: %s", env, what, s.names[i]), []float64{v}, want, d.tolerance())
	}
}

// evaluate compares Evaluate with the inference side.
func (d *modelDriver) evaluate(tr *trainer, env map[string]int, leaves values, call uint64) {
	totals := reflect.New(tr.argument("Evaluate", 0).Elem())
	tr.mustSucceed("Evaluate", tr.call("Evaluate", totals, operands(tr.argument("Evaluate", 1), d.m.Dims, d.m.Inputs, env, leaves)))
	d.reports("Evaluate", report(totals.MethodByName("Report").Call(nil)[0]), d.infer, env, d.averaged(leaves), call)
	moved := d.averaged(leaves)
	d.move(moved, env, call, d.infer.writes)
	for _, c := range d.m.Carries {
		leaves["carry "+c.Path] = moved["carry "+c.Path]
	}
}

// combine compares Evaluate of two batches with that of both as one, where
// every number adds up.
func (d *modelDriver) combine(tr *trainer, env map[string]int, leaves values, r *rand.Rand) {
	adds := !slices.ContainsFunc(d.plan.Parts, func(p ir.Part) bool { return p.Kind == "last" || countsBatches(p) })
	if len(d.m.Dims) != 1 || !adds || draws(d.infer.reports) || mixes(d.infer.reports) {
		return
	}
	dim := d.m.Dims[0].Name
	other, both := maps.Clone(leaves), maps.Clone(leaves)
	rest := map[string]int{dim: 4}
	d.inputs(other, rest, r)
	for _, in := range d.m.Inputs {
		shape := in.Node.Type.Shape
		if len(shape) == 0 || !shape[0].Equal(ir.DimVar(dim)) {
			return
		}
		a, b := leaves["input "+in.Name], other["input "+in.Name]
		extents := append([]int{env[dim] + 4}, a.Shape[1:]...)
		both["input "+in.Name] = &ir.Tensor{Shape: extents, Data: slices.Concat(a.Data, b.Data)}
	}
	larger := newTrainer(d.T, d.pkg, d.m, map[string]int{dim: env[dim] + 4})
	larger.restore(tr.checkpoint())
	totals := reflect.New(tr.argument("Evaluate", 0).Elem())
	for _, part := range []struct {
		env    map[string]int
		leaves values
	}{{env, leaves}, {rest, other}} {
		larger.mustSucceed("Evaluate", larger.call("Evaluate", totals, operands(tr.argument("Evaluate", 1), d.m.Dims, d.m.Inputs, part.env, part.leaves)))
	}
	d.readStates(larger, both)
	d.reports("Evaluate of two batches", report(totals.MethodByName("Report").Call(nil)[0]), d.infer,
		map[string]int{dim: env[dim] + 4}, d.averaged(both), 0)
}

// countsBatches reports whether p is how many batches there were, which a loss
// that is no formula of sums is divided by.
func countsBatches(p ir.Part) bool { return p.Size != nil && p.Size.IsConst(1) }

func draws(nodes []*ir.Node) bool {
	return slices.ContainsFunc(ir.Topological(nodes...), func(n *ir.Node) bool { return n.Op.Class == ir.Random })
}

// mixes reports whether what some node sums up over a run-time dimension
// depends on other elements along one: a variance, or rows of other samples.
func mixes(nodes []*ir.Node) bool {
	runTime := func(n *ir.Node) map[string]bool {
		vars := map[string]bool{}
		for _, d := range n.Type.Shape {
			d.Vars(vars)
		}
		return vars
	}
	reduces := func(n *ir.Node) bool {
		kept := runTime(n)
		return slices.ContainsFunc(n.Args, func(a *ir.Node) bool {
			return slices.ContainsFunc(slices.Collect(maps.Keys(runTime(a))), func(v string) bool { return !kept[v] })
		})
	}
	for _, n := range ir.Topological(nodes...) {
		if n.Is("gather") && len(runTime(n.Args[0])) > 0 && n.Attr.Axis == 0 || n.Is("slice") && partial(n) {
			return true
		}
		if reduces(n) && slices.ContainsFunc(ir.Topological(n.Args...), reduces) {
			return true
		}
	}
	return false
}

// partial reports whether a slice leaves out some of a run-time extent.
func partial(slice *ir.Node) bool {
	for i, d := range slice.Args[0].Type.Shape {
		if _, constant := d.Const(); !constant && !slice.Type.Shape[i].Equal(d) {
			return true
		}
	}
	return false
}

// predict compares two calls of a predictor, and one of Weights, with the
// outputs.
func (d *modelDriver) predict(tr *trainer, env map[string]int, leaves values) {
	leaves = d.averaged(leaves)
	d.reset(leaves, env)
	w := tr.call("Snapshot")[0]
	maker := tr.function("New", "Predictor")
	p := maker.Call([]reflect.Value{w, capacity(maker.Type().In(1), roomy(withExports(env, d.m)))})[0]
	method := p.MethodByName("Predict")
	in := operands(method.Type().In(1), d.m.Dims, d.m.Inputs, env, leaves)
	out := reflect.New(method.Type().In(0).Elem())
	for call := range uint64(2) {
		tr.mustSucceed("Predict", method.Call([]reflect.Value{out, in}))
		d.outputs("Predictor.Predict", out.Elem(), env, leaves, call)
		if !empty(env) {
			d.move(leaves, env, call, d.infer.writes)
		}
	}
	results := w.MethodByName("Predict").Call([]reflect.Value{in})
	tr.mustSucceed("Weights.Predict", results)
	d.reset(leaves, env)
	d.outputs("Weights.Predict", results[0], env, leaves, 0)
}

func (d *modelDriver) outputs(what string, out reflect.Value, env map[string]int, leaves values, call uint64) {
	d.Helper()
	for i, n := range d.infer.outputs {
		oracle := &ir.Evaluator{Dims: env, Values: leaves, Seed: seed, Call: call}
		want, err := oracle.Eval(n)
		switch {
		case err != nil && empty(env):
			continue // undefined, as the largest of no element
		case err != nil:
			d.Fatalf("%v: %v", env, err)
		}
		name := fmt.Sprintf("%v: %s: %s", env, what, d.m.Infer.Outputs[i].Name)
		if text := differ(floats(out.Field(i)), want, max(toleranceOf(n.Type.Elem), d.tolerance()), empty(env)); text != "" {
			d.Errorf("%s: %s", name, text)
		}
	}
}
