package drive

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"gradgen.dev/golden"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// TestModels trains, evaluates and asks every model of every case.
func TestModels(t *testing.T) {
	for _, name := range cases(t) {
		program, err := golden.Elaborate("..", name)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := golden.Plan("..", name)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range program.Models {
			t.Run(name+"/"+m.Name, func(t *testing.T) {
				d := &modelDriver{T: t, pkg: name, m: m, plan: plan.Models[i]}
				d.expect(program.Graph)
				d.initialisers()
				for k, env := range environments(m.Dims) {
					d.run(env, rand.New(rand.NewPCG(uint64(k), 3)))
				}
			})
		}
	}
}

// seed is what the models are initialised with.
const seed = 5

// A modelDriver compares one emitted model with its meaning.
type modelDriver struct {
	*testing.T
	pkg  string
	m    *ir.Model
	plan *ir.ModelPlan

	train, infer side
	grads        []*ir.Node // by parameter
}

// side is what one specialisation of the model must compute.
type side struct {
	names   []string // loss, then metrics
	reports []*ir.Node
	outputs []*ir.Node
	writes  []*ir.Node // new values of the states
}

// expect builds what the model must compute.
func (d *modelDriver) expect(g *ir.Graph) {
	expand := func(s *ir.Side) side {
		var out side
		if s == nil {
			return out
		}
		if s.Loss != nil {
			out.names, out.reports = []string{"loss"}, []*ir.Node{s.Loss}
		}
		for _, x := range s.Metrics {
			out.names, out.reports = append(out.names, x.Name), append(out.reports, x.Node)
		}
		for _, x := range s.Outputs {
			out.outputs = append(out.outputs, x.Node)
		}
		for _, w := range s.Writes {
			out.writes = append(out.writes, w.Value)
		}
		out.reports = passes.Gradient(g, out.reports...)
		out.outputs = passes.Gradient(g, out.outputs...)
		out.writes = passes.Gradient(g, out.writes...)
		return out
	}
	d.train, d.infer = expand(d.m.Train), expand(d.m.Infer)
	if d.m.Train != nil && d.m.Train.Loss != nil {
		d.grads = passes.Gradient(g, golden.Gradients(g, d.m.Train.Loss, d.m.Params)...)
	}
}

// tolerance is that of the model's element type.
func (d *modelDriver) tolerance() float64 { return toleranceOf(d.m.Elem) }

// eval evaluates nodes; an error ends the test.
func (d *modelDriver) eval(env map[string]int, leaves values, call uint64, nodes []*ir.Node) []*ir.Tensor {
	d.Helper()
	oracle := &ir.Evaluator{Dims: env, Values: leaves, Seed: seed, Call: call}
	out, err := oracle.EvalAll(nodes...)
	if err != nil {
		d.Fatalf("%v: %v", env, err)
	}
	return out
}

// same reports where have is not want.
func (d *modelDriver) same(what string, have []float64, want *ir.Tensor, tolerance float64) {
	d.Helper()
	if text := differ(have, want, tolerance, false); text != "" {
		d.Errorf("%s: %s", what, text)
	}
}

// initialisers compares the first parameters and states, the optimiser's too.
func (d *modelDriver) initialisers() {
	all := environments(d.m.Dims)
	env := all[len(all)-1] // the largest, which every model admits
	tr := newTrainer(d.T, d.pkg, d.m, env)
	tr.call("Init", reflect.ValueOf(uint64(seed)))
	saved := tr.saved()
	for _, p := range d.m.Params {
		want := d.eval(env, nil, 0, []*ir.Node{p.Init})[0]
		d.same("first value of "+p.Path, saved[p.Path], want, d.tolerance())
	}
	for _, s := range d.m.States {
		want := d.eval(env, nil, 0, []*ir.Node{s.Init})[0]
		d.same("first value of "+s.Path, saved[s.Path], want, d.tolerance())
	}
	for _, u := range d.m.Updates {
		for _, w := range u.States {
			have, ok := saved["optimizer/"+w.State.Path]
			if !ok {
				continue // nothing reads it
			}
			want := d.eval(env, nil, 0, []*ir.Node{w.State.Init})[0]
			d.same("first value of "+w.State.Path, have, want, d.tolerance())
		}
	}
}

// leaves draws parameters, inputs, and the numbers of Hyper; ok is false where
// some shape does not admit the sizes.
func (d *modelDriver) leaves(env map[string]int, r *rand.Rand) (leaves values, ok bool) {
	for _, n := range ir.Topological(slices.Concat(d.train.reports, d.infer.outputs)...) {
		for _, e := range n.Type.Shape {
			if v, err := e.Eval(env); err != nil || v < 0 {
				return nil, false
			}
		}
	}
	for _, b := range d.plan.Bounds {
		extent, err := b.Extent.Eval(env)
		size, sizeErr := b.Input.Type.Shape.Size().Eval(env)
		if err != nil || sizeErr != nil || extent == 0 && size > 0 {
			return nil, false
		}
	}
	leaves = values{"steps steps": {Shape: []int{}, Data: []float64{7}}}
	for _, h := range d.m.Hyper {
		leaves["hyper "+h.Name] = &ir.Tensor{Shape: []int{}, Data: []float64{h.Default * 0.9}}
	}
	draw := noise(r, false)
	for _, p := range d.m.Params {
		leaves["param "+p.Path] = d.tensor(p.Node, env, func() float64 { return draw() / 2 })
	}
	d.inputs(leaves, env, r)
	return leaves, true
}

// inputs draws the inputs, labels within their bounds.
func (d *modelDriver) inputs(leaves values, env map[string]int, r *rand.Rand) {
	draw := noise(r, false)
	for _, in := range d.m.Inputs {
		scale := 1.0
		if in.Node.Type.Elem.IsInt() {
			scale = 3
		}
		x := d.tensor(in.Node, env, func() float64 { return scale * draw() })
		for _, b := range d.plan.Bounds {
			if b.Input.Attr.Name != in.Name {
				continue
			}
			extent, err := b.Extent.Eval(env)
			if err != nil {
				d.Fatal(err)
			}
			for i := range x.Data {
				x.Data[i] = float64(r.IntN(max(extent, 1)))
				if b.HasIgnore && i > 0 && r.IntN(4) == 0 {
					x.Data[i] = float64(b.Ignore)
				}
			}
		}
		leaves["input "+in.Name] = x
	}
}

func (d *modelDriver) tensor(n *ir.Node, env map[string]int, draw func() float64) *ir.Tensor {
	d.Helper()
	x, err := tensor(n, env, draw)
	if err != nil {
		d.Fatal(err)
	}
	return x
}

// run drives the model at one size.
func (d *modelDriver) run(env map[string]int, r *rand.Rand) {
	leaves, ok := d.leaves(env, r)
	if !ok {
		return // no such inputs
	}
	tr := newTrainer(d.T, d.pkg, d.m, env)
	tr.call("Init", reflect.ValueOf(uint64(seed)))
	tr.setParams(leaves)
	tr.setHyper(leaves)
	if empty(env) {
		d.runEmpty(tr, env, leaves)
		return
	}
	for step := range 3 {
		d.readStates(tr, leaves, step)
		if tr.has("Evaluate") {
			d.evaluate(tr, env, leaves, uint64(step))
		}
		if len(d.infer.outputs) > 0 {
			d.predict(tr, env, leaves)
		}
		if tr.has("Grad") {
			d.step(tr, env, leaves, uint64(step))
			d.inputs(leaves, env, r)
		}
	}
	if tr.has("Evaluate") {
		d.combine(tr, env, leaves, r)
	}
}

func empty(env map[string]int) bool { return slices.Contains(slices.Collect(maps.Values(env)), 0) }

// readStates takes parameters, states and the step's number from the trainer.
func (d *modelDriver) readStates(tr *trainer, leaves values, step int) {
	leaves["step step"] = &ir.Tensor{Shape: []int{}, Data: []float64{float64(step + 1)}}
	saved := tr.saved()
	take := func(key, name string, n *ir.Node) {
		x := d.tensor(n, nil, func() float64 { return 0 })
		if have, ok := saved[name]; ok {
			x.Data = have
		}
		leaves[key] = x
	}
	for _, p := range d.m.Params {
		take("param "+p.Path, p.Path, p.Node)
	}
	for _, s := range d.m.States {
		take("state "+s.Node.Attr.Name, s.Path, s.Node)
	}
	for _, u := range d.m.Updates {
		for _, w := range u.States {
			take("state "+w.State.Node.Attr.Name, "optimizer/"+w.State.Path, w.State.Node)
		}
	}
}

// step compares Grad, Update and Step with the gradient, the rule and the
// writes.
func (d *modelDriver) step(tr *trainer, env map[string]int, leaves values, call uint64) {
	batch := operands(tr.argument("Grad", 1), d.m, env, leaves)
	file := tr.checkpoint()

	// The gradient, and the report beside it.
	grad := tr.function("New", "Params").Call(nil)[0]
	results := tr.call("Grad", grad, batch)
	tr.mustSucceed("Grad", results)
	d.reports("Grad", report(results[0]), d.train, env, leaves, call)
	have := tr.tensorsOf(grad)
	for i, want := range d.eval(env, leaves, call, d.grads) {
		d.same(fmt.Sprintf("%v: gradient of %s", env, d.m.Params[i].Path), have[d.m.Params[i].Path], want, d.tolerance())
	}
	if !tr.has("Step") {
		return
	}

	// The rule for that gradient, by Update and by Step.
	for path, g := range have {
		leaves["input grad "+path] = &ir.Tensor{Shape: leaves["param "+path].Shape, Data: g}
	}
	tr.call("Update", grad)
	d.updated("Update", tr, env, leaves, call)
	tr.restore(file)
	results = tr.call("Step", batch)
	tr.mustSucceed("Step", results)
	d.reports("Step", report(results[0]), d.train, env, leaves, call)
	d.updated("Step", tr, env, leaves, call)
}

// updated compares the trainer's parameters and states after an update.
func (d *modelDriver) updated(what string, tr *trainer, env map[string]int, leaves values, call uint64) {
	d.Helper()
	saved := tr.saved()
	check := func(name, key string, want *ir.Node) {
		if have, ok := saved[key]; ok {
			d.same(fmt.Sprintf("%v: %s %s after step %d", env, what, name, call+1), have, d.eval(env, leaves, call, []*ir.Node{want})[0], d.tolerance())
		}
	}
	for _, u := range d.m.Updates {
		check(u.Param.Path, u.Param.Path, u.Next)
		for _, w := range u.States {
			check(w.State.Path, "optimizer/"+w.State.Path, w.Value)
		}
	}
	for i, w := range d.m.Train.Writes {
		check(w.State.Path, w.State.Path, d.train.writes[i])
	}
}

// runEmpty checks that an empty batch is no step and reports zeros.
func (d *modelDriver) runEmpty(tr *trainer, env map[string]int, leaves values) {
	d.readStates(tr, leaves, 0)
	if len(d.infer.outputs) > 0 {
		d.predict(tr, env, leaves)
	}
	if !tr.has("Grad") {
		return
	}
	batch := operands(tr.argument("Grad", 1), d.m, env, leaves)
	before := tr.checkpoint()
	grad := tr.function("New", "Params").Call(nil)[0]
	results := tr.call("Grad", grad, batch)
	tr.mustSucceed("Grad", results)
	for path, g := range tr.tensorsOf(grad) {
		if slices.ContainsFunc(g, func(v float64) bool { return v != 0 }) {
			d.Errorf("%v: the gradient of %s is not 0", env, path)
		}
	}
	if tr.has("Step") {
		results = tr.call("Step", batch)
		tr.mustSucceed("Step", results)
	}
	for name, v := range report(results[0]) {
		if v != 0 {
			d.Errorf("%v: %s is %v", env, name, v)
		}
	}
	if string(before) != string(tr.checkpoint()) {
		d.Errorf("%v: an empty batch changes the trainer", env)
	}
}
