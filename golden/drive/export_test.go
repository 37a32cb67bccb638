package drive

import (
	"maps"
	"math/rand/v2"
	"reflect"

	"gradgen.dev/ir"
)

// callExports compares the further entries of the predictor and of Weights.
func (d *modelDriver) callExports(tr *trainer, env map[string]int, leaves values) {
	if len(d.m.Exports) == 0 {
		return
	}
	env = withExports(env, d.m)
	leaves = d.averaged(leaves)
	w := tr.call("Snapshot")[0]
	for i, x := range d.m.Exports {
		maker := tr.function("New", "Predictor")
		p := maker.Call([]reflect.Value{w, capacity(maker.Type().In(1), roomy(env))})[0]
		method := p.MethodByName(raised(x.Name))
		out := reflect.New(method.Type().In(0).Elem())
		d.drawExport(tr, x, method, out, env, leaves)
		in := operands(method.Type().In(1), x.Dims, x.Inputs, env, leaves)
		mine := maps.Clone(leaves)
		d.reset(mine, env)
		for call := range uint64(2) {
			tr.mustSucceed(x.Name, method.Call([]reflect.Value{out, in}))
			d.results("Predictor."+x.Name, out.Elem(), d.exports[i].outputs, env, mine, call)
			d.move(mine, env, call, d.exports[i].writes)
		}
		results := w.MethodByName(raised(x.Name)).Call([]reflect.Value{in})
		tr.mustSucceed("Weights."+x.Name, results)
		d.reset(mine, env)
		d.results("Weights."+x.Name, results[0], d.exports[i].outputs, env, mine, 0)
	}
}

// results compares what an export returned.
func (d *modelDriver) results(what string, out reflect.Value, want []*ir.Node, env map[string]int, leaves values, call uint64) {
	d.Helper()
	for i, w := range d.eval(env, leaves, call, want...) {
		d.same(about(env, "%s: result %d", what, i), floats(out.Field(i)), w, max(toleranceOf(want[i].Type.Elem), d.tolerance()))
	}
}

// drawExport draws the int parameters of an export, after a call with some that
// make an index out of range, which must be an error.
func (d *modelDriver) drawExport(tr *trainer, x *ir.Export, method, out reflect.Value, env map[string]int, leaves values) {
	d.Helper()
	var inputs, roots []*ir.Node
	for _, in := range x.Inputs {
		inputs = append(inputs, in.Node)
	}
	for _, r := range x.Results {
		roots = append(roots, r.Node)
	}
	ints := intsAmong(leaves, inputs)
	if len(ints) == 0 {
		return
	}
	r := rand.New(rand.NewPCG(3, 4))
	positions := ir.Positions(roots...)
	if drawInts(ints, positions, env, leaves, r, false) {
		results := method.Call([]reflect.Value{out, operands(method.Type().In(1), x.Dims, x.Inputs, env, leaves)})
		if err, _ := results[len(results)-1].Interface().(error); err == nil {
			d.Errorf("%s: no error, where an index is out of range", x.Name)
		}
	}
	if !drawInts(ints, positions, env, leaves, r, true) {
		d.Fatalf("%s: no int parameters fit", x.Name)
	}
}
