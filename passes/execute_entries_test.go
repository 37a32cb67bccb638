package passes

import (
	"fmt"
	"maps"
	"slices"

	"gradgen.dev/ir"
)

// reported closes the formulas of some reports over what a procedure returns,
// which are the parts listed, and compares with the numbers of the side.
func (r *modelRun) reported(m *machine, p *ir.Procedure, parts, reports []int, side *ir.Side) error {
	e := &ir.Evaluator{Dims: r.env.Dims, Values: map[string]*ir.Tensor{}}
	next := 0
	for _, x := range r.plan.Parts { // a formula of several forms reads them all
		e.Values["arg "+x.Name] = ir.NewTensor(m.dims(x.Node.Type.Shape)...)
	}
	for _, i := range parts {
		x := r.plan.Parts[i]
		v := ir.NewTensor(m.dims(x.Node.Type.Shape)...)
		switch {
		case x.Size != nil:
			v.Data = []float64{float64(m.dim(*x.Size))}
		case x.Node.Type.Rank() > 0:
			v.Data = m.others["output "+ir.PartKey+x.Name].data
		default:
			v.Data = m.memory(p.Results[next]).data
			next++
		}
		e.Values["arg "+x.Name] = v
	}
	if next != len(p.Results) {
		return fmt.Errorf("%d results, want %d", len(p.Results), next)
	}
	if err := r.closed(e, parts, reports); err != nil {
		return err
	}
	want := append(nodesOf(side.Losses), nodesOf(side.Metrics)...)
	for _, i := range reports {
		got, err := e.Eval(r.plan.Reports[i].Value)
		if err != nil {
			return fmt.Errorf("report %s: %w", r.plan.Reports[i].Name, err)
		}
		w, err := r.env.Eval(Strip(r.g, Gradient(r.g, want[i])...)[0])
		if err != nil {
			return err
		}
		if err := r.compareData("report "+r.plan.Reports[i].Name, got.Data, w.Data, want[i].Type.Elem); err != nil {
			return err
		}
	}
	return nil
}

// closed computes what reports read of tensors, of the parts that e has, and
// gives it to e.
func (r *modelRun) closed(e *ir.Evaluator, parts, reports []int) error {
	p, list := r.plan.Close, upTo(len(r.plan.Closings))
	for _, t := range r.plan.Trains {
		if len(reports) < len(r.plan.Reports) && slices.Equal(reports, t.Reports) {
			p, list = t.Close, t.Closings
		}
	}
	if p == nil {
		return nil
	}
	m := newMachine(r.env, r.plan.Closer)
	for _, i := range parts {
		x := r.plan.Parts[i]
		key, data := "input "+ir.PartKey+x.Name, e.Values["arg "+x.Name].Data
		m.others[key] = newMemory(len(data))
		m.others[key].set(&ir.Buffer{Name: x.Name}, data)
	}
	if err := m.run(p); err != nil {
		return err
	}
	for i, k := range list {
		e.Values["arg "+r.plan.Closings[k].Name] = &ir.Tensor{Shape: []int{}, Data: m.memory(p.Results[i]).data}
	}
	return nil
}

func (r *modelRun) exports() error {
	for _, x := range r.plan.Exports {
		e := &modelRun{g: r.g, plan: r.plan, model: r.model, rng: r.rng}
		e.env = &ir.Evaluator{Dims: r.env.Dims, Values: maps.Clone(r.env.Values), Seed: 3, Call: 5}
		if err := e.export(x); err != nil {
			return fmt.Errorf("export %s: %w", x.Export.Name, err)
		}
	}
	return nil
}

// export runs an entry on inputs that are drawn.
func (r *modelRun) export(x *ir.ExportPlan) error {
	if ok, err := r.drawExport(x); err != nil || !ok {
		return err
	}
	mach := r.machine(r.plan.Reader)
	for _, in := range x.Export.Inputs {
		data := r.env.Values[leafKey(unmarked(in.Node))].Data
		mach.others["input "+in.Name] = newMemory(len(data))
		mach.others["input "+in.Name].set(&ir.Buffer{Name: in.Name}, data)
	}
	if err := mach.run(x.Proc); err != nil {
		return err
	}
	for _, o := range x.Export.Results {
		if err := r.compare(mach, "output "+o.Name, o.Node, nil); err != nil {
			return err
		}
	}
	return r.moved(mach, x.Export.Writes, x.Moves)
}

// drawExport gives the inputs of an entry values, and integers such that what
// they index is there; ok is false where none are found, as at some sizes.
func (r *modelRun) drawExport(x *ir.ExportPlan) (ok bool, err error) {
	positions := ir.Positions(nodesOf(x.Export.Results)...)
	for try := 0; try < 100 && !ok; try++ {
		for _, in := range x.Export.Inputs {
			if err := r.set(unmarked(in.Node), func() float64 { return r.rng.NormFloat64() }, 1+try/10); err != nil {
				return false, err
			}
		}
		if ok, err = ir.Admits(positions, r.env.Dims, r.env.Values); err != nil {
			return false, err
		}
	}
	return ok, nil
}

// composed runs forward and backward for cotangents that are drawn.
func (r *modelRun) composed() error {
	c, m := r.plan.Compose, r.model
	if c == nil {
		return nil
	}
	mach := r.machine(r.plan.Trainer)
	if err := mach.run(c.Forward); err != nil {
		return err
	}
	var sum *ir.Node // whose derivatives are the cotangents of what is wanted
	for _, o := range m.Train.Outputs {
		if err := r.compare(mach, "output "+o.Name, o.Node, nil); err != nil {
			return fmt.Errorf("compose: %w", err)
		}
		if !o.Node.Type.Elem.IsFloat() {
			continue
		}
		dy := r.g.Leaf("input", "d "+o.Name, o.Node.Type)
		if err := r.set(dy, r.rng.NormFloat64, 1); err != nil {
			return err
		}
		data := r.env.Values[leafKey(dy)].Data
		mach.others["input d "+o.Name] = newMemory(len(data))
		mach.others["input d "+o.Name].set(&ir.Buffer{Name: o.Name}, data)
		product := r.g.Cast(r.g.Map("mul", o.Node, dy), ir.Float64)
		sum = r.g.Add(sum, r.g.Sum(product, axes(0, product.Type.Rank())))
	}
	if err := r.moved(mach, m.Train.Step(r.g, "").Writes, append([]*ir.State{}, c.Written...)); err != nil {
		return fmt.Errorf("compose: %w", err)
	}
	if err := mach.run(c.Backward); err != nil {
		return err
	}
	params := trainedBy(m, c.Train)
	want := r.derivatives(sum, slices.Concat(leavesOf(params), nodesOf(c.Inputs)))
	for i, p := range params {
		if err := r.compare(mach, "grad "+p.Path, want[i], nil); err != nil {
			return fmt.Errorf("compose: %w", err)
		}
	}
	for i, x := range c.Inputs {
		if err := r.compare(mach, "output d "+x.Name, want[len(params)+i], nil); err != nil {
			return fmt.Errorf("compose: %w", err)
		}
	}
	return nil
}

// training runs the forward of a loss, then what may follow it.
func (r *modelRun) training(p *ir.TrainPlan) error {
	mach := r.machineOf(p)
	if err := mach.run(p.Forward); err != nil {
		return err
	}
	if err := r.reported(mach, p.Forward, p.Parts, p.Reports, p.Side); err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	if err := r.moved(mach, p.Side.Writes, append([]*ir.State{}, p.Written...)); err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	if p.Gradient == nil {
		return nil
	}
	params := trainedBy(r.model, p.Train)
	grads := r.derivatives(p.Side.Loss(p.Loss), leavesOf(params))
	if err := mach.run(p.Gradient); err != nil {
		return err
	}
	for i, x := range params {
		if err := r.compare(mach, "grad "+x.Path, grads[i], nil); err != nil {
			return fmt.Errorf("gradient: %w", err)
		}
	}
	if p.Backward == nil {
		return nil
	}
	mach = r.machineOf(p)
	if err := mach.runAll(p.Forward, p.Backward); err != nil {
		return err
	}
	of := map[*ir.Node]*ir.Node{}
	for i, u := range p.Train.Updates {
		of[u.Grad] = grads[i]
	}
	if err := r.updated(mach, p.Train, of); err != nil {
		return fmt.Errorf("backward: %w", err)
	}
	return nil
}

// machineOf has those of the model's inputs alone that a loss's plan lists.
func (r *modelRun) machineOf(p *ir.TrainPlan) *machine {
	m := r.machine(r.plan.Trainer)
	for _, x := range r.model.Inputs {
		if !slices.ContainsFunc(p.Inputs, func(in ir.Named) bool { return in.Name == x.Name }) {
			delete(m.others, "input "+x.Name)
		}
	}
	return m
}

// derivatives is those of a loss as it is written.
func (r *modelRun) derivatives(loss *ir.Node, by []*ir.Node) []*ir.Node {
	loss = Gradient(r.g, loss)[0]
	out := sweep(r.g, loss, r.g.Fill(1, loss.Type), by...)
	for i, d := range out {
		out[i] = orZeros(r.g, d, by[i].Type)
	}
	return Strip(r.g, out...)
}

// update runs a train's rules on the gradients that r has drawn.
func (r *modelRun) update(t *ir.Train, p *ir.Procedure) error {
	if p == nil {
		return nil
	}
	mach := r.machine(r.plan.Trainer)
	if err := mach.run(p); err != nil {
		return err
	}
	clipped, err := r.clipped(t)
	if err != nil {
		return err
	}
	if err := clipped.updated(mach, t, nil); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}

// clipped is r where the gradients are as t's clip leaves them.
func (r *modelRun) clipped(t *ir.Train) (*modelRun, error) {
	if t.Clip == nil {
		return r, nil
	}
	limit, err := r.env.Eval(t.Clip.Limit)
	if err != nil {
		return nil, err
	}
	out := *r
	out.env = &ir.Evaluator{Dims: r.env.Dims, Values: maps.Clone(r.env.Values), Seed: 3, Call: 5}
	for _, u := range t.Updates {
		old := r.env.Values[leafKey(u.Grad)]
		grad := ir.NewTensor(old.Shape...)
		for i, v := range old.Data {
			if grad.Data[i] = v * r.env.Values["clip_factor clip_factor"].Data[0]; t.Clip.Kind == "value" {
				grad.Data[i] = max(-limit.Data[0], min(v, limit.Data[0]))
			}
		}
		out.env.Values[leafKey(u.Grad)] = grad
	}
	return &out, nil
}

// updated compares parameters, states and averages with a train's rules, for
// the gradients of r where of is nil.
func (r *modelRun) updated(m *machine, t *ir.Train, of map[*ir.Node]*ir.Node) error {
	kept := map[string]bool{}
	for _, s := range r.plan.States {
		kept[s.Path] = true
	}
	for _, u := range t.Updates {
		if err := r.compare(m, "param "+u.Param.Path, u.Next, of); err != nil {
			return err
		}
		for _, w := range u.States {
			if !kept[w.State.Path] || of != nil {
				continue
			}
			if err := r.compare(m, "state "+w.State.Path, w.Value, of); err != nil {
				return err
			}
		}
		if u.Average != nil {
			if err := r.compare(m, "state "+u.Average.State.Path, u.Average.Value, of); err != nil {
				return err
			}
		}
	}
	return nil
}
