package passes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

// programs are the texts that are planned and run.
var programs = []string{"../golden/*/model.dnn", "../dsl/testdata/page/*.dnn", "../dsl/testdata/spec/*.dnn", "../codegen/testdata/*.dnn", "../examples/[^m]*/*/*.dnn"}

// TestPlanPrograms runs every procedure of every program and compares with the
// values of the program as it was written.
func TestPlanPrograms(t *testing.T) {
	for _, pattern := range programs {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Errorf("%s: %v: no program", pattern, err)
		}
		for _, path := range paths {
			t.Run(strings.TrimPrefix(path, "../"), func(t *testing.T) { checkProgram(t, path) })
		}
	}
}

func checkProgram(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	programs := strings.Split(string(text), "\n---\n")
	for i, text := range programs {
		name := path
		if len(programs) > 1 {
			name = fmt.Sprintf("%s:%d", path, i)
		}
		file, syntax := dsl.Parse(name, []byte(text))
		program, meaning := dsl.Elaborate(file, dsl.Options{})
		if len(syntax)+len(meaning) > 0 {
			t.Log("it is no program: ", append(syntax, meaning...)[0])
			continue
		}
		checkCompiled(t, program)
	}
}

// checkCompiled compiles a program and runs the plan.
func checkCompiled(t *testing.T, program *ir.Program) {
	plan, err := Compile(program)
	if err != nil {
		t.Log(err)
		return
	}
	if err := CheckPlacement(plan); err != nil {
		t.Fatal(err)
	}
	for _, m := range plan.Models {
		t.Run(m.Model.Name, func(t *testing.T) { checkModel(t, program.Graph, m) })
	}
	for _, f := range plan.Funcs {
		t.Run(f.Func.Name, func(t *testing.T) { checkFunc(t, program.Graph, f) })
	}
}

// A modelRun is a model at one size, with values for everything it is given.
type modelRun struct {
	g     *ir.Graph
	plan  *ir.ModelPlan
	model *ir.Model
	env   *ir.Evaluator
	rng   *rand.Rand
}

func checkModel(t *testing.T, g *ir.Graph, plan *ir.ModelPlan) {
	runs := 0
	for size := 1; size <= 3; size++ {
		r := &modelRun{g: g, plan: plan, model: plan.Model, rng: rand.New(rand.NewPCG(uint64(size), 5))}
		r.env = &ir.Evaluator{Dims: sizesOf(plan.Model.Dims, size), Values: map[string]*ir.Tensor{}, Seed: 3, Call: 5}
		if !holds(plan.Model.Facts, r.env.Dims) {
			continue
		}
		if err := r.draw(); err != nil {
			continue // some program needs other sizes
		}
		runs++
		if err := r.check(); err != nil {
			t.Fatalf("at %v: %v", r.env.Dims, err)
		}
	}
	if runs == 0 {
		t.Error("the model has no value at any size")
	}
}

// sizesOf gives run-time dimensions sizes that differ.
func sizesOf(dims []ir.RunDim, size int) map[string]int {
	out := map[string]int{}
	for i, d := range dims {
		out[d.Name] = size
		if i > 0 {
			out[d.Name] = size + 1 + i
		}
	}
	return out
}

// holds reports whether sizes have the divisibilities that a program asserts.
func holds(facts ir.Facts, dims map[string]int) bool {
	return !slices.ContainsFunc(facts, func(f ir.Divides) bool {
		rest, err := f.Num.Mod(f.Den).Eval(dims)
		return err != nil || rest != 0
	})
}

// draw gives every leaf a value, and fails where the program has none.
func (r *modelRun) draw() error {
	m := r.model
	for _, x := range m.Inputs {
		below := 2
		for _, b := range r.plan.Bounds {
			if b.Input == x.Node {
				n, err := b.Extent.Eval(r.env.Dims)
				if err != nil || n < 1 {
					return fmt.Errorf("no label: %v", err)
				}
				below = n
			}
		}
		if err := r.set(x.Node, func() float64 { return r.rng.NormFloat64() }, below); err != nil {
			return err
		}
	}
	for _, p := range m.Params {
		if err := r.set(p.Node, func() float64 { return 0.5 * r.rng.NormFloat64() }, 2); err != nil {
			return err
		}
	}
	states := slices.Clone(m.States)
	for _, u := range updatesOf(m) {
		if err := r.set(u.Grad, func() float64 { return r.rng.NormFloat64() }, 2); err != nil {
			return err
		}
		for _, w := range u.States {
			states = append(states, w.State)
		}
	}
	for _, s := range states {
		if err := r.set(s.Node, func() float64 { return 0.5 + r.rng.Float64() }, 2); err != nil {
			return err
		}
	}
	for _, h := range m.Hyper {
		r.env.Values[leafKey(h.Node)] = &ir.Tensor{Shape: []int{}, Data: []float64{h.Default}}
	}
	r.env.Values["step step"] = &ir.Tensor{Shape: []int{}, Data: []float64{3}}
	r.env.Values["steps steps"] = &ir.Tensor{Shape: []int{}, Data: []float64{10}}
	roots := slices.Concat(sideRoots(m.Train), sideRoots(m.Infer))
	for _, n := range Strip(r.g, Gradient(r.g, roots...)...) {
		if n == nil {
			continue
		}
		if _, err := r.env.Eval(n); err != nil {
			return err
		}
	}
	return nil
}

func (r *modelRun) set(n *ir.Node, float func() float64, below int) error {
	shape, err := n.Type.Shape.Eval(r.env.Dims)
	if err != nil {
		return err
	}
	v := ir.NewTensor(shape...)
	for i := range v.Data {
		if v.Data[i] = float(); !n.Type.Elem.IsFloat() {
			v.Data[i] = float64(r.rng.IntN(below))
		}
	}
	r.env.Values[leafKey(n)] = v
	return nil
}

// machine is one in which every buffer of the caller's has its value.
func (r *modelRun) machine(arena ir.Arena) *machine {
	m := newMachine(r.env, arena)
	give := func(kind string, n *ir.Node, key string) []float64 {
		data := r.env.Values[leafKey(n)].Data
		m.others[kind+key] = &memory{data: slices.Clone(data), owner: make([]*ir.Buffer, len(data))}
		for i := range data {
			m.others[kind+key].owner[i] = &ir.Buffer{Name: key}
		}
		return data
	}
	for _, x := range r.model.Inputs {
		give("input ", x.Node, x.Name)
	}
	for _, s := range r.model.States {
		give("state ", s.Node, s.Path)
	}
	var params, grads []*memory
	states := map[string][]*memory{}
	for _, p := range r.model.Params {
		give("param ", p.Node, p.Path)
	}
	for _, u := range updatesOf(r.model) {
		give("grad ", u.Grad, u.Param.Path)
		params, grads = append(params, m.others["param "+u.Param.Path]), append(grads, m.others["grad "+u.Param.Path])
		for _, w := range u.States {
			give("state ", w.State.Node, w.State.Path)
			name := strings.TrimPrefix(w.State.Path, u.Param.Path+".")
			states[name] = append(states[name], m.others["state "+w.State.Path])
		}
	}

	// All of a kind are one slice, too.
	m.others["param *"], m.others["grad *"] = joinMemory(params), joinMemory(grads)
	for name, parts := range states {
		m.others["state *."+name] = joinMemory(parts)
	}
	return m
}

// joinMemory puts parts behind one another; they become views of the whole.
func joinMemory(parts []*memory) *memory {
	all := &memory{}
	for _, p := range parts {
		all.data, all.owner = append(all.data, p.data...), append(all.owner, p.owner...)
	}
	at := 0
	for _, p := range parts {
		*p = *all.part(at, at+len(p.data))
		at += len(p.data)
	}
	return all
}

// check runs all procedures in the ways in which they follow one another.
func (r *modelRun) check() error {
	p, m := r.plan, r.model
	if p.Init != nil {
		mach := r.machine(p.Trainer)
		if err := mach.run(p.Init); err != nil {
			return err
		}
		for _, x := range m.Params {
			if err := r.compare(mach, "param "+x.Path, x.Init, nil); err != nil {
				return fmt.Errorf("init: %w", err)
			}
		}
	}
	if len(p.Trains) > 0 {
		if err := r.training(); err != nil {
			return err
		}
	}
	if len(p.Trains) > 0 && p.Trains[0].Update != nil {
		mach := r.machine(p.Trainer)
		if err := mach.run(p.Trains[0].Update); err != nil {
			return err
		}
		if err := r.updated(mach, nil); err != nil {
			return fmt.Errorf("update: %w", err)
		}
	}
	if p.Evaluate != nil {
		mach := r.machine(p.Trainer)
		if err := mach.run(p.Evaluate); err != nil {
			return err
		}
		if err := r.results(mach, p.Evaluate, r.inferParts()); err != nil {
			return fmt.Errorf("evaluate: %w", err)
		}
	}
	if p.Predict != nil {
		mach := r.machine(p.Reader)
		if err := mach.run(p.Predict); err != nil {
			return err
		}
		for _, o := range m.Infer.Outputs {
			if err := r.compare(mach, "output "+o.Name, Gradient(r.g, o.Node)[0], nil); err != nil {
				return fmt.Errorf("predict: %w", err)
			}
		}
	}
	return nil
}

// training runs the forward, then what may follow it.
func (r *modelRun) training() error {
	p, m := r.plan.Trains[0], r.model
	mach := r.machine(r.plan.Trainer)
	if err := mach.run(p.Forward); err != nil {
		return err
	}
	var parts []*ir.Node
	for _, x := range r.plan.Parts {
		if x.Size == nil {
			parts = append(parts, x.Node)
		}
	}
	if err := r.results(mach, p.Forward, parts); err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	for _, w := range m.Train.Writes {
		if err := r.compare(mach, "state "+w.State.Path+ir.NextKey, Gradient(r.g, w.Value)[0], nil); err != nil {
			return fmt.Errorf("forward: %w", err)
		}
	}
	if p.Gradient == nil {
		return nil
	}
	grads := r.gradients()
	if err := mach.run(p.Gradient); err != nil {
		return err
	}
	for i, x := range m.Params {
		if err := r.compare(mach, "grad "+x.Path, grads[i], nil); err != nil {
			return fmt.Errorf("gradient: %w", err)
		}
	}
	if p.Backward == nil {
		return nil
	}
	mach = r.machine(r.plan.Trainer)
	if err := mach.runAll(p.Forward, p.Backward); err != nil {
		return err
	}
	if err := r.updated(mach, grads); err != nil {
		return fmt.Errorf("backward: %w", err)
	}
	return nil
}

// gradients is the derivatives of the loss as it is written, by parameter.
func (r *modelRun) gradients() []*ir.Node {
	loss := Gradient(r.g, r.model.Train.Losses[0].Node)[0]
	var params []*ir.Node
	for _, p := range r.model.Params {
		params = append(params, p.Node)
	}
	out := sweep(r.g, loss, r.g.Fill(1, loss.Type), params...)
	for i, d := range out {
		out[i] = orZeros(r.g, d, params[i].Type)
	}
	return Strip(r.g, out...)
}

// updated compares parameters and states with the optimiser's rule, for given
// gradients or for those that r has drawn.
func (r *modelRun) updated(m *machine, grads []*ir.Node) error {
	of := map[*ir.Node]*ir.Node{}
	for i, p := range r.model.Params {
		for _, u := range updatesOf(r.model) {
			if u.Param == p && grads != nil {
				of[u.Grad] = grads[i]
			}
		}
	}
	kept := map[string]bool{}
	for _, s := range r.plan.States {
		kept[s.Path] = true
	}
	for _, u := range updatesOf(r.model) {
		if err := r.compare(m, "param "+u.Param.Path, u.Next, of); err != nil {
			return err
		}
		for _, w := range u.States {
			if !kept[w.State.Path] || grads != nil {
				continue
			}
			if err := r.compare(m, "state "+w.State.Path, w.Value, of); err != nil {
				return err
			}
		}
	}
	return nil
}

// inferParts is what Evaluate returns, cut out of the inference as written.
func (r *modelRun) inferParts() []*ir.Node {
	roots := stripMarks(r.g, Gradient(r.g, sideRoots(r.model.Infer)...))
	cut := newCutter(r.g)
	if roots[0] != nil {
		cut.field("loss", "", roots[0])
	}
	for i, x := range r.model.Infer.Metrics {
		cut.field(x.Name, "", roots[1+i])
	}
	return partNodes(cut)
}

// results compares what a procedure returns.
func (r *modelRun) results(m *machine, p *ir.Procedure, want []*ir.Node) error {
	if len(p.Results) != len(want) {
		return fmt.Errorf("%d results, want %d", len(p.Results), len(want))
	}
	for i, b := range p.Results {
		w, err := r.env.Eval(want[i])
		if err != nil {
			return err
		}
		if err := r.compareData(b.Name, m.memory(b).data, w.Data, want[i].Type.Elem); err != nil {
			return err
		}
	}
	return nil
}

// compare compares memory outside the arena with a value in which of replaces
// nodes.
func (r *modelRun) compare(m *machine, key string, want *ir.Node, of map[*ir.Node]*ir.Node) error {
	want = Strip(r.g, r.g.Replace(of, want)...)[0]
	w, err := r.env.Eval(want)
	if err != nil {
		return err
	}
	mem := m.others[key]
	if mem == nil {
		return fmt.Errorf("%s is not written", key)
	}
	for _, o := range mem.owner {
		if o == nil {
			return fmt.Errorf("%s is not written", key)
		}
	}
	return r.compareData(key, mem.data, w.Data, want.Type.Elem)
}

// compareData allows for constants that are folded in the element type.
func (r *modelRun) compareData(name string, got, want []float64, elem ir.DType) error {
	tol := 1e-7
	if elem == ir.Float32 || r.model != nil && r.model.Elem == ir.Float32 {
		tol = 2e-4
	}
	if len(got) != len(want) {
		return fmt.Errorf("%s has %d elements, want %d", name, len(got), len(want))
	}
	scale := 0.0
	for _, w := range want {
		scale = max(scale, math.Abs(w))
	}
	for i, w := range want {
		if !near(w, got[i], tol) && math.Abs(w-got[i]) > tol*scale {
			return fmt.Errorf("element %d of %s is %v, want %v", i, name, got[i], w)
		}
	}
	return nil
}

// updatesOf is the rules of a model's trains.
func updatesOf(m *ir.Model) []*ir.Update {
	var out []*ir.Update
	for _, t := range m.Trains {
		out = append(out, t.Updates...)
	}
	return out
}
