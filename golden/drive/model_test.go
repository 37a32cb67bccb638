package drive

import (
	"fmt"
	"maps"
	"math"
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
		program, err := golden.Elaborate(root(), name)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := golden.Plan(root(), name)
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
	losses       []*objective
	compose      *composition // nil in a model with a loss
	exports      []side       // by export: outputs and writes
}

// side is what one specialisation of the model must compute.
type side struct {
	names   []string // losses, then metrics
	reports []*ir.Node
	outputs []*ir.Node
	writes  []write
}

// A write is the new value of a state or carry.
type write struct {
	*ir.State
	value *ir.Node
}

// expanded is nodes with the derivatives in them taken.
func expanded(g *ir.Graph, values []ir.Named) []*ir.Node {
	var out []*ir.Node
	for _, x := range values {
		out = append(out, x.Node)
	}
	return passes.Gradient(g, out...)
}

// expandedWrites is the values of writes likewise.
func expandedWrites(g *ir.Graph, list []ir.Write) []write {
	var out []write
	for _, w := range list {
		out = append(out, write{w.State, passes.Gradient(g, w.Value)[0]})
	}
	return out
}

// expect builds what the model must compute.
func (d *modelDriver) expect(g *ir.Graph) {
	expand := func(s *ir.Side) side {
		if s == nil {
			return side{}
		}
		reports := slices.Concat(s.Losses, s.Metrics)
		out := side{reports: expanded(g, reports), outputs: expanded(g, s.Outputs), writes: expandedWrites(g, s.Writes)}
		for _, x := range reports {
			out.names = append(out.names, reportName(x.Name))
		}
		return out
	}
	d.train, d.infer = expand(committed(g, d.m.Train)), expand(d.m.Infer)
	d.losses = objectives(g, d.m)
	if len(d.losses) == 0 {
		d.compose = composed(g, d.m)
	}
	for _, x := range d.m.Exports {
		d.exports = append(d.exports, side{outputs: expanded(g, x.Results), writes: expandedWrites(g, x.Writes)})
	}
}

// reportName is what a report calls a loss or metric.
func reportName(name string) string {
	if name == "" {
		return "loss"
	}
	return name
}

// tolerance is that of the coarsest element type of the model and its
// parameters.
func (d *modelDriver) tolerance() float64 {
	tolerance := toleranceOf(d.m.Elem)
	for _, p := range d.m.Params {
		tolerance = max(tolerance, toleranceOf(p.Node.Type.Elem))
	}
	return tolerance
}

// eval evaluates nodes; an error ends the test.
func (d *modelDriver) eval(env map[string]int, leaves values, call uint64, nodes ...*ir.Node) []*ir.Tensor {
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
	check := func(key, name string, init *ir.Node) {
		if have, ok := saved[key]; ok {
			d.same("first value of "+name, have, d.eval(env, nil, 0, init)[0], toleranceOf(init.Type.Elem))
		}
	}
	for _, p := range d.m.Params {
		check(p.Path, p.Path, p.Init)
	}
	for _, s := range d.m.States {
		check(s.Path, s.Path, s.Init)
	}
	for _, u := range d.m.Updates() {
		for _, w := range u.States {
			check("optimizer/"+w.State.Path, w.State.Path, w.State.Init)
		}
		if u.Average != nil {
			check("optimizer/"+u.Average.State.Path, u.Average.State.Path, u.Param.Init)
		}
	}
}

// leaves draws parameters, inputs, and the numbers of Hyper; ok is false where
// some shape does not admit the sizes.
func (d *modelDriver) leaves(env map[string]int, r *rand.Rand) (leaves values, ok bool) {
	needed := slices.Clone(d.infer.outputs) // of an empty batch nothing else is computed
	if !empty(env) {
		needed = append(needed, d.train.reports...)
	}
	for _, in := range d.m.Inputs {
		needed = append(needed, in.Node)
	}
	for _, n := range ir.Topological(needed...) {
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
	leaves = values{"steps steps": number(7)}
	for _, h := range d.m.Hyper {
		leaves["hyper "+h.Name] = number(h.Default * 0.9)
	}
	draw := noise(r, false)
	for _, p := range d.m.Params {
		leaves["param "+p.Path] = d.tensor(p.Node, env, func() float64 { return draw() / 2 })
	}
	d.inputs(leaves, env, r)
	d.reset(leaves, env)
	return leaves, true
}

// number is a scalar.
func number(v float64) *ir.Tensor { return &ir.Tensor{Shape: []int{}, Data: []float64{v}} }

// reset gives the carries their first values.
func (d *modelDriver) reset(leaves values, env map[string]int) {
	d.Helper()
	for _, c := range d.m.Carries {
		leaves["carry "+c.Path] = d.eval(env, leaves, 0, c.Init)[0]
	}
}

// move gives the carries the values that a call leaves.
func (d *modelDriver) move(leaves values, env map[string]int, call uint64, writes []write) {
	d.Helper()
	next := values{}
	for _, w := range writes {
		if w.Node.Is("carry") {
			next["carry "+w.Path] = d.eval(env, leaves, call, w.value)[0]
		}
	}
	maps.Copy(leaves, next)
}

// inputs draws the inputs, those of exports too, labels within their bounds.
func (d *modelDriver) inputs(leaves values, env map[string]int, r *rand.Rand) {
	draw := noise(r, false)
	list := d.m.Inputs
	for _, x := range d.m.Exports {
		list = slices.Concat(list, x.Inputs)
	}
	for _, in := range list {
		scale := 1.0
		if in.Node.Type.Elem.IsInt() {
			scale = 3
		}
		x := d.tensor(in.Node, withExports(env, d.m), func() float64 { return scale * draw() })
		d.label(x, in.Node, withExports(env, d.m), r)
		leaves["input "+in.Node.Attr.Name] = x
	}
}

// label draws the elements of x where they are indices, within all bounds.
func (d *modelDriver) label(x *ir.Tensor, input *ir.Node, env map[string]int, r *rand.Rand) {
	d.Helper()
	extent, ignored, bound := math.MaxInt, true, ir.Bound{}
	bounds := slices.Clone(d.plan.Bounds)
	for _, x := range d.plan.Exports {
		bounds = append(bounds, x.Bounds...)
	}
	for _, b := range bounds {
		if b.Input.Attr.Name != input.Attr.Name {
			continue
		}
		n, err := b.Extent.Eval(env)
		if err != nil {
			d.Fatal(err)
		}
		ignored = ignored && b.HasIgnore && (!bound.HasIgnore || b.Ignore == bound.Ignore)
		extent, bound = min(extent, n), b
	}
	if extent == math.MaxInt {
		return
	}
	for i := range x.Data {
		x.Data[i] = float64(r.IntN(max(extent, 1)))
		if ignored && i > 0 && r.IntN(4) == 0 {
			x.Data[i] = float64(bound.Ignore)
		}
	}
}

// withExports is env with sizes for the dimensions that exports alone have.
func withExports(env map[string]int, m *ir.Model) map[string]int {
	out := maps.Clone(env)
	for _, x := range m.Exports {
		for i, dim := range x.Dims {
			if _, ok := out[dim.Name]; !ok {
				out[dim.Name] = []int{4, 2, 6}[i%3]
			}
		}
	}
	return out
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
	tr := newTrainer(d.T, d.pkg, d.m, roomy(env))
	tr.call("Init", reflect.ValueOf(uint64(seed)))
	tr.setParams(leaves)
	tr.setHyper(leaves)
	if empty(env) {
		d.runEmpty(tr, env, leaves)
		return
	}
	updates := map[string]int{} // made so far, by loss
	call := uint64(0)
	for range 3 {
		d.readStates(tr, leaves)
		d.count(leaves, updates)
		if tr.has("Evaluate") {
			d.evaluate(tr, env, leaves, call)
		}
		if len(d.infer.outputs) > 0 {
			d.predict(tr, env, leaves)
		}
		d.callExports(tr, env, leaves)
		for _, o := range d.losses {
			if !tr.has("Grad" + o.suffix) {
				continue // without parameters
			}
			for micro := range o.accumulate() {
				leaves["step step"] = number(float64(updates[o.name] + 1))
				d.readStates(tr, leaves)
				o.step(d, tr, env, leaves, call, micro)
				d.inputs(leaves, env, r)
				call++
			}
			updates[o.name]++
		}
		if d.compose != nil && d.plan.Compose != nil {
			d.compose.step(d, tr, env, leaves, call)
			d.move(leaves, env, call, d.train.writes)
			d.inputs(leaves, env, r)
			call++
			if len(d.m.Trains) > 0 {
				updates[""]++
			}
		}
	}
	if tr.has("Evaluate") && len(d.m.Carries) == 0 {
		d.readStates(tr, leaves)
		d.count(leaves, updates)
		d.combine(tr, env, leaves, r)
	}
}

// roomy is capacities for sizes: the largest of them for every dimension.
func roomy(env map[string]int) map[string]int {
	out := map[string]int{}
	for name := range env {
		out[name] = slices.Max(slices.Collect(maps.Values(env)))
	}
	return out
}

// count sets the number of the update as Evaluate and Predict see it: that of
// the first loss.
func (d *modelDriver) count(leaves values, updates map[string]int) {
	leaves["step step"] = number(float64(updates[""] + 1))
	if len(d.losses) > 0 {
		leaves["step step"] = number(float64(updates[d.losses[0].name] + 1))
	}
}

func empty(env map[string]int) bool { return slices.Contains(slices.Collect(maps.Values(env)), 0) }

// readStates takes parameters and states from the trainer.
func (d *modelDriver) readStates(tr *trainer, leaves values) {
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
	for _, u := range d.m.Updates() {
		for _, w := range states(u) {
			take("state "+w.State.Node.Attr.Name, "optimizer/"+w.State.Path, w.State.Node)
		}
	}
}

// states is what an update keeps: the rule's states and the average.
func states(u *ir.Update) []ir.Write {
	if u.Average == nil {
		return u.States
	}
	return append(slices.Clone(u.States), *u.Average)
}

// averaged is leaves with those parameters that have an average replaced by
// it, as inference sees them.
func (d *modelDriver) averaged(leaves values) values {
	out := maps.Clone(leaves)
	for _, u := range d.m.Updates() {
		if u.Average != nil {
			out["param "+u.Param.Path] = leaves["state "+u.Average.State.Node.Attr.Name]
		}
	}
	return out
}

// defined reports whether nodes can be computed: at some sizes, shapes make no
// sense.
func (d *modelDriver) defined(env map[string]int, leaves values, nodes ...*ir.Node) bool {
	for _, n := range ir.Topological(nodes...) {
		for _, e := range n.Type.Shape {
			if v, err := e.Eval(env); err != nil || v < 0 {
				return false
			}
		}
	}
	for _, n := range nodes {
		oracle := &ir.Evaluator{Dims: env, Values: leaves, Seed: seed}
		if _, err := oracle.Eval(n); err != nil {
			return false
		}
	}
	return true
}

// runEmpty checks that an empty batch is no step and reports zeros; it may be
// refused only where what is computed makes no sense.
func (d *modelDriver) runEmpty(tr *trainer, env map[string]int, leaves values) {
	d.readStates(tr, leaves)
	d.count(leaves, nil)
	if len(d.infer.outputs) > 0 {
		d.predict(tr, env, leaves)
	}
	before := tr.checkpoint()
	if tr.has("Evaluate") {
		totals := reflect.New(tr.argument("Evaluate", 0).Elem())
		results := tr.call("Evaluate", totals, operands(tr.argument("Evaluate", 1), d.m.Dims, d.m.Inputs, env, leaves))
		if results[0].IsNil() || d.defined(env, leaves, d.infer.reports...) {
			tr.mustSucceed("Evaluate", results)
		}
	}
	for _, o := range d.losses {
		if !o.reads(env) || !tr.has("Grad"+o.suffix) {
			continue // of another dimension, or without parameters
		}
		batch := operands(tr.argument("Grad"+o.suffix, 1), d.m.Dims, d.m.Inputs, env, leaves)
		grad := tr.function("New", "Params").Call(nil)[0]
		results := tr.call("Grad"+o.suffix, grad, batch)
		if !results[1].IsNil() && !d.defined(env, leaves, d.train.reports...) {
			continue
		}
		tr.mustSucceed("Grad"+o.suffix, results)
		for path, g := range tr.tensorsOf(grad) {
			if slices.ContainsFunc(g, func(v float64) bool { return v != 0 }) {
				d.Errorf("%v: the gradient of %s is not 0", env, path)
			}
		}
		if o.train != nil {
			results = tr.call("Step"+o.suffix, batch)
			tr.mustSucceed("Step"+o.suffix, results)
		}
		for name, v := range report(results[0]) {
			if v != 0 {
				d.Errorf("%v: %s is %v", env, name, v)
			}
		}
	}
	if string(before) != string(tr.checkpoint()) {
		d.Errorf("%v: an empty batch changes the trainer", env)
	}
}

// about prefixes what a test is about with the sizes.
func about(env map[string]int, format string, args ...any) string {
	return fmt.Sprintf("%v: ", env) + fmt.Sprintf(format, args...)
}
