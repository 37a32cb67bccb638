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
var programs = []string{"testdata/*.dnn", "../golden/*/model.dnn", "../dsl/testdata/page/*.dnn", "../dsl/testdata/spec/*.dnn", "../codegen/testdata/*.dnn", "../examples/[^m]*/*/*.dnn"}

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
			if strings.HasPrefix(path, "testdata/") {
				t.Fail()
			}
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
	for size := 1; size <= 3 || runs == 0 && size <= 6; size++ {
		r := &modelRun{g: g, plan: plan, model: plan.Model, rng: rand.New(rand.NewPCG(uint64(size), 5))}
		r.env = &ir.Evaluator{Dims: sizesOf(plan.Model.Dims, size), Values: map[string]*ir.Tensor{}, Seed: 3, Call: 5}
		for _, x := range plan.Model.Exports {
			for name, n := range sizesOf(x.Dims, size+1) {
				if _, model := r.env.Dims[name]; !model {
					r.env.Dims[name] = n // of the one arena that a predictor has
				}
			}
		}
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

// sizesOf gives run-time dimensions sizes that differ: rising ones up to a size
// of 3, then falling ones.
func sizesOf(dims []ir.RunDim, size int) map[string]int {
	out := map[string]int{}
	for i, d := range dims {
		switch {
		case size > 3:
			out[d.Name] = size - i
		case i > 0:
			out[d.Name] = size + 1 + i
		default:
			out[d.Name] = size
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
	states := slices.Concat(m.States, m.Carries)
	for _, t := range m.Trains {
		for _, u := range t.Updates {
			if err := r.set(u.Grad, func() float64 { return r.rng.NormFloat64() }, 2); err != nil {
				return err
			}
			for _, w := range u.States {
				states = append(states, w.State)
			}
			if u.Average != nil {
				states = append(states, u.Average.State)
			}
		}
	}
	for _, s := range states {
		if err := r.set(s.Node, func() float64 { return 0.5 + r.rng.Float64() }, 2); err != nil {
			return err
		}
	}
	number := func(v float64) *ir.Tensor { return &ir.Tensor{Shape: []int{}, Data: []float64{v}} }
	for _, h := range m.Hyper {
		r.env.Values[leafKey(h.Node)] = number(h.Default)
	}
	r.env.Values["step step"], r.env.Values["steps steps"] = number(3), number(10)
	r.env.Values["clip_factor clip_factor"] = number(0.25)
	roots := slices.Concat(sideRoots(m.Train), sideRoots(m.Infer))
	for _, n := range Strip(r.g, Gradient(r.g, roots...)...) {
		if _, err := r.env.Eval(n); err != nil {
			return err
		}
	}
	return nil
}

// sideRoots is everything that a side computes.
func sideRoots(s *ir.Side) []*ir.Node { return allOf(formOf(s).lists()) }

func (r *modelRun) set(n *ir.Node, float func() float64, below int) error {
	shape, err := n.Type.Shape.Eval(r.env.Dims)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(shape, func(d int) bool { return d < 0 }) {
		return fmt.Errorf("%v is %v", n.Type.Shape, shape)
	}
	if slices.ContainsFunc(shape, func(d int) bool { return d < 0 }) {
		return fmt.Errorf("a tensor is %v", shape)
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
	for _, s := range r.model.Carries {
		give("carry ", s.Node, s.Path)
	}
	for _, p := range r.model.Params {
		give("param ", p.Node, p.Path)
	}
	for _, t := range r.model.Trains {
		for _, u := range t.Updates {
			give("grad ", u.Grad, u.Param.Path)
			for _, s := range keptBy(u) {
				give("state ", s.Node, s.Path)
			}
		}
	}
	return m
}

// keptBy is the states of an update and its average.
func keptBy(u *ir.Update) []*ir.State {
	var out []*ir.State
	for _, w := range u.States {
		out = append(out, w.State)
	}
	if u.Average != nil {
		out = append(out, u.Average.State)
	}
	return out
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
	p := r.plan
	checks := []func() error{r.initial, r.reset, r.evaluate, r.predict, r.exports, r.composed}
	for _, t := range p.Trains {
		checks = append(checks, func() error { return r.training(t) }, func() error { return r.update(t.Train, t.Update) })
	}
	if c := p.Compose; c != nil {
		checks = append(checks, func() error { return r.update(c.Train, c.Update) })
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (r *modelRun) initial() error {
	if r.plan.Init == nil {
		return nil
	}
	mach := r.machine(r.plan.Trainer)
	if err := mach.run(r.plan.Init); err != nil {
		return err
	}
	for _, x := range r.model.Params {
		if err := r.compare(mach, "param "+x.Path, x.Init, nil); err != nil {
			return fmt.Errorf("init: %w", err)
		}
	}
	return nil
}

// reset runs without an arena.
func (r *modelRun) reset() error {
	if (r.plan.Reset == nil) != (len(r.model.Carries) == 0) {
		return fmt.Errorf("%d carries, and reset is %v", len(r.model.Carries), r.plan.Reset)
	}
	if r.plan.Reset == nil {
		return nil
	}
	mach := r.machine(ir.Arena{})
	if err := mach.run(r.plan.Reset); err != nil {
		return err
	}
	for _, s := range r.model.Carries {
		if err := r.compare(mach, "carry "+s.Path, s.Init, nil); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
	}
	return nil
}

func (r *modelRun) evaluate() error {
	p, m := r.plan.Evaluate, r.model
	if p == nil {
		if len(r.plan.Parts) > 0 && (len(r.plan.Averages) > 0 || len(r.plan.Trains) != 1) {
			return fmt.Errorf("there is no evaluate")
		}
		return nil
	}
	mach := r.machine(r.plan.Trainer)
	if err := mach.run(p); err != nil {
		return err
	}
	if err := r.reported(mach, p, upTo(len(r.plan.Parts)), upTo(len(r.plan.Reports)), m.Infer); err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	return r.moved(mach, m.Infer.Writes, nil)
}

func (r *modelRun) predict() error {
	p, m := r.plan.Predict, r.model
	if p == nil {
		return nil
	}
	mach := r.machine(r.plan.Reader)
	if err := mach.run(p); err != nil {
		return err
	}
	for _, o := range m.Infer.Outputs {
		if err := r.compare(mach, "output "+o.Name, o.Node, nil); err != nil {
			return fmt.Errorf("predict: %w", err)
		}
	}
	return r.moved(mach, m.Infer.Writes, r.plan.Moves)
}

// moved compares the new values of states and carries; listed is what the plan
// says is moved, nil where it does not say.
func (r *modelRun) moved(m *machine, writes []ir.Write, listed []*ir.State) error {
	if listed != nil && len(listed) != len(writes) {
		return fmt.Errorf("%d new values, want %d", len(listed), len(writes))
	}
	for i, w := range writes {
		if listed != nil && listed[i] != w.State {
			return fmt.Errorf("a new value of %s, want %s", listed[i].Path, w.State.Path)
		}
		if err := r.compare(m, w.State.Node.Op.Name+" "+w.State.Path+ir.NextKey, w.Value, nil); err != nil {
			return err
		}
	}
	return nil
}

// compare compares memory outside the arena with a value in which of replaces
// nodes.
func (r *modelRun) compare(m *machine, key string, want *ir.Node, of map[*ir.Node]*ir.Node) error {
	want = Strip(r.g, Gradient(r.g, r.g.Replace(of, want)...)...)[0]
	w, err := r.env.Eval(want)
	if err != nil {
		return err
	}
	mem := m.others[key]
	if mem == nil && len(w.Data) == 0 {
		return nil
	}
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
