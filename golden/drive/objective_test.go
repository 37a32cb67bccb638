package drive

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"unicode"

	"gradgen.dev/golden"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// An objective is one loss of a model, and how it is minimised.
type objective struct {
	name   string    // of the program, "" of the unnamed
	suffix string    // of its methods: D in StepD
	train  *ir.Train // nil where nothing trains it
	loss   *ir.Node  // as elaborated
	params []*ir.Param
	grads  []*ir.Node // by parameter

	reports []*ir.Node // losses, then metrics, as its step has them
	writes  []write    // that its step makes

	sum map[string][]float64 // of the gradients of the micro-batches so far
}

// objectives is the losses of a model.
func objectives(g *ir.Graph, m *ir.Model) []*objective {
	if m.Train == nil {
		return nil
	}
	var out []*objective
	for _, l := range m.Train.Losses {
		step := m.Train
		if l.Name != "" {
			step = stepOf(m.Train, l)
		}
		step = committed(g, step)
		o := &objective{name: l.Name, suffix: raised(l.Name), loss: step.Loss(l.Name), params: m.Params, reports: expanded(g, slices.Concat(step.Losses, step.Metrics)), writes: expandedWrites(g, step.Writes)}
		for _, t := range m.Trains {
			if t.Loss == l.Name {
				o.train, o.params = t, nil
				for _, u := range t.Updates {
					o.params = append(o.params, u.Param)
				}
			}
		}
		o.grads = passes.Gradient(g, golden.Gradients(g, o.loss, o.params)...)
		out = append(out, o)
	}
	return out
}

// raised is a name with its first letter raised.
func raised(name string) string {
	r := []rune(name)
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}

// accumulate is the micro-batches of an update.
func (o *objective) accumulate() int {
	if o.train == nil {
		return 1
	}
	return max(o.train.Accumulate, 1)
}

// reads reports whether the loss depends on a dimension that is 0.
func (o *objective) reads(env map[string]int) bool {
	for _, n := range ir.Topological(o.loss) {
		if !n.Is("input") {
			continue
		}
		for _, d := range n.Type.Shape {
			if v, err := d.Eval(env); err != nil || v == 0 {
				return true
			}
		}
	}
	return false
}

// step compares Grad, Update and Step with the gradient, the rule and the
// writes, for one micro-batch of an update.
func (o *objective) step(d *modelDriver, tr *trainer, env map[string]int, leaves values, call uint64, micro int) {
	batch := operands(tr.argument("Grad"+o.suffix, 1), d.m.Dims, d.m.Inputs, env, leaves)
	file := tr.checkpoint()

	// The gradient, and the report beside it.
	grad := tr.function("New", "Params").Call(nil)[0]
	results := tr.call("Grad"+o.suffix, grad, batch)
	tr.mustSucceed("Grad"+o.suffix, results)
	o.report(d, "Grad", results[0], env, leaves, call)
	have := tr.tensorsOf(grad)
	for i, want := range d.eval(env, leaves, call, o.grads...) {
		path := o.params[i].Path
		d.same(about(env, "gradient of %s by %s", reportName(o.name), path), have[path], want, d.tolerance())
	}
	for _, p := range d.m.Params {
		if !slices.Contains(o.params, p) && slices.ContainsFunc(have[p.Path], func(v float64) bool { return v != 0 }) {
			d.Errorf("%s", about(env, "Grad%s gives a gradient to %s, which it does not train", o.suffix, p.Path))
		}
	}
	if o.train == nil {
		return
	}

	// The rule for that gradient, by Update.
	tr.call("Update"+o.suffix, grad)
	o.updated(d, "Update", tr, env, o.given(leaves, have), call)
	tr.restore(file)

	// The whole step: only the last micro-batch updates, by the mean.
	if micro == 0 {
		o.sum = map[string][]float64{}
	}
	for path, g := range have {
		if o.sum[path] == nil {
			o.sum[path] = make([]float64, len(g))
		}
		for i, v := range g {
			o.sum[path][i] += v / float64(o.accumulate())
		}
	}
	results = tr.call("Step"+o.suffix, batch)
	tr.mustSucceed("Step"+o.suffix, results)
	o.report(d, "Step", results[0], env, leaves, call)
	if micro == o.accumulate()-1 {
		o.updated(d, "Step", tr, env, o.given(leaves, o.sum), call)
	} else {
		o.unchanged(d, tr, leaves)
	}
	o.written(d, tr, env, leaves, call)
	d.move(leaves, env, call, o.writes)
}

// given is leaves with a gradient in them, clipped as the train says.
func (o *objective) given(leaves values, grads map[string][]float64) values {
	out := maps.Clone(leaves)
	squares := 0.0
	for _, p := range o.params {
		for _, v := range grads[p.Path] {
			squares += v * v
		}
	}
	for _, p := range o.params {
		g := &ir.Tensor{Shape: leaves["param "+p.Path].Shape, Data: slices.Clone(grads[p.Path])}
		if c := o.train.Clip; c != nil {
			oracle := &ir.Evaluator{Values: leaves}
			limit, err := oracle.Eval(c.Limit)
			if err != nil {
				panic(err)
			}
			clip(g.Data, c.Kind, limit.Data[0], math.Sqrt(squares))
		}
		out["input grad "+p.Path] = g
	}
	return out
}

// clip bounds a part of a gradient of a norm.
func clip(g []float64, kind string, limit, norm float64) {
	for i, v := range g {
		switch {
		case kind == "value":
			g[i] = min(max(v, -limit), limit)
		case norm > limit:
			g[i] = v * limit / norm
		}
	}
}

// report compares what an entry reports. A step of a named loss leaves at 0
// what it does not compute.
func (o *objective) report(d *modelDriver, entry string, r reflect.Value, env map[string]int, leaves values, call uint64) {
	d.Helper()
	have := report(r)
	if o.name == "" {
		d.reports(entry, have, d.train, env, leaves, call)
		return
	}
	for i, want := range d.eval(env, leaves, call, o.reports...) {
		name := d.train.names[i]
		if v := have[name]; v != 0 || name == o.name {
			d.same(about(env, "%s%s: %s", entry, o.suffix, name), []float64{v}, want, d.tolerance())
		}
	}
}

// updated compares the trainer's parameters and what the rules keep after an
// update.
func (o *objective) updated(d *modelDriver, what string, tr *trainer, env map[string]int, leaves values, call uint64) {
	d.Helper()
	saved := tr.saved()
	check := func(name, key string, want *ir.Node) {
		if have, ok := saved[key]; ok {
			d.same(about(env, "%s%s: %s after call %d", what, o.suffix, name, call+1), have, d.eval(env, leaves, call, want)[0], toleranceOf(want.Type.Elem))
		}
	}
	for _, u := range o.train.Updates {
		check(u.Param.Path, u.Param.Path, u.Next)
		for _, w := range states(u) {
			check(w.State.Path, "optimizer/"+w.State.Path, w.Value)
		}
	}
	for _, p := range d.m.Params {
		if !slices.Contains(o.params, p) {
			d.same(about(env, "%s%s: %s, which it does not train", what, o.suffix, p.Path), saved[p.Path], leaves["param "+p.Path], 0)
		}
	}
}

// unchanged demands that a micro-batch leaves the parameters.
func (o *objective) unchanged(d *modelDriver, tr *trainer, leaves values) {
	d.Helper()
	saved := tr.saved()
	for _, p := range d.m.Params {
		d.same("a micro-batch: "+p.Path, saved[p.Path], leaves["param "+p.Path], 0)
	}
}

// written compares the model's own states after a step.
func (o *objective) written(d *modelDriver, tr *trainer, env map[string]int, leaves values, call uint64) {
	d.Helper()
	saved := tr.saved()
	written := map[string]bool{}
	for _, w := range o.writes {
		written[w.Path] = true
		if have, ok := saved[w.Path]; ok && w.Node.Is("state") {
			d.same(about(env, "Step%s: %s", o.suffix, w.Path), have, d.eval(env, leaves, call, w.value)[0], d.tolerance())
		}
	}
	for _, s := range d.m.States {
		if have, ok := saved[s.Path]; ok && !written[s.Path] {
			d.same(about(env, "Step%s: %s, which it does not write", o.suffix, s.Path), have, leaves["state "+s.Path], 0)
		}
	}
}
