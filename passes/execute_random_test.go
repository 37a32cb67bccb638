package passes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gradgen.dev/ir"
	"gradgen.dev/ir/irtest"
)

// planned are the random graphs that planning is tried on.
var planned = []struct {
	name    string
	simple  bool // simplified and lowered before
	options irtest.Options
}{
	{"raw", false, irtest.Options{Size: 25}},
	{"raw large", false, irtest.Options{Size: 60}},
	{"raw continuous", false, irtest.Options{Size: 30, Ops: continuous}},
	{"raw views", false, irtest.Options{Size: 40, Ops: isView}},
	{"raw products", false, irtest.Options{Size: 30, Ops: isProductLike}},
	{"raw moves", false, irtest.Options{Size: 30, Ops: isMove}},
	{"raw rows", false, irtest.Options{Size: 40, Ops: isRowLike}},
	{"raw float32", false, irtest.Options{Size: 25, Float32: true}},
	{"simple", true, irtest.Options{Size: 30, Ops: continuous}},
	{"simple arithmetic", true, irtest.Options{Size: 40, Ops: isRing}},
	{"simple views", true, irtest.Options{Size: 40, Ops: isView}},
	{"simple moves", true, irtest.Options{Size: 30, Ops: isMove}},
	{"simple rows", true, irtest.Options{Size: 40, Ops: isRowLike}},
}

func isProductLike(op *ir.Op) bool {
	switch op.Name {
	case "einsum", "neg", "add", "sub", "mul", "spread", "transpose", "slice", "reshape", "flip", "gather", "sum", "const", "input", "tanh":
		return true
	}
	return false
}

func isMove(op *ir.Op) bool {
	switch op.Name {
	case "place", "concat", "scatter_add", "gather", "pick", "slice", "add", "sub", "neg", "mul", "tanh", "iota", "input", "const", "where", "flip":
		return true
	}
	return false
}

func isRowLike(op *ir.Op) bool {
	switch op.Name {
	case "sum", "reduce_max", "reduce_min", "prod", "spread", "exp", "add", "sub", "mul", "max", "logsumexp", "argmax", "pick", "any", "all", "lt", "where", "cast", "input":
		return true
	}
	return false
}

// sizes are the run-time dimensions that plans are run at; the first are those
// that random graphs are made for.
var sizes = []map[string]int{{"B": 3, "N": 2}, {"B": 1, "N": 1}, {"B": 4, "N": 3}, {"B": 0, "N": 2}, {"B": 2, "N": 0}}

// A planning is one plan of a random graph: what it should compute, and what
// makes it.
type planning struct {
	g      *ir.Graph
	values map[string]*ir.Tensor // of the leaves at sizes[0]; nil where any will do
	want   []*ir.Node            // without pins and calls, as they were made
	roots  []*ir.Node            // the same as they are planned
	rng    *rand.Rand
	leaves []*ir.Node
	simple bool // roots are simplified
	pl     *planner
}

// newPlanning draws a graph and gives its leaves buffers.
func newPlanning(seed uint64, o irtest.Options, simple bool) *planning {
	g, roots, env := irtest.Random(seed, o)
	p := &planning{g: g, values: env.Values, rng: rand.New(rand.NewPCG(seed, 7))}
	return p.of(Strip(g, roots...), simple)
}

// wovenPlanning is the same of a woven graph.
func wovenPlanning(seed uint64, size int, simple bool) *planning {
	g, roots := weave(seed, size)
	p := &planning{g: g, rng: rand.New(rand.NewPCG(seed, 7))}
	return p.of(roots, simple)
}

// of plans roots and some of what lies below them.
func (p *planning) of(roots []*ir.Node, simple bool) *planning {
	p.want = p.more(roots)
	p.simple = simple
	p.roots = p.lowered(p.want)
	p.pl = newTestPlanner(p.g, slices.Concat(p.want, p.roots))
	for _, n := range ir.Topological(p.want...) {
		if n.Op.Class == ir.Leaf && n.Attr.Name != "" {
			p.leaves = append(p.leaves, n)
		}
	}
	return p
}

// more is roots with some of what lies below them: leaves, views, constants.
func (p *planning) more(roots []*ir.Node) []*ir.Node {
	all := ir.Topological(roots...)
	out := slices.Clone(roots)
	for range p.rng.IntN(4) {
		out = append(out, all[p.rng.IntN(len(all))])
	}
	if p.rng.IntN(4) == 0 {
		out = append(out, p.g.Fill(2.5, ir.Type{Elem: ir.Float64, Shape: ir.Shape{ir.DimVar("B"), ir.D(2)}}))
	}
	return out
}

// newTestPlanner is a planner with every leaf that lies in memory.
func newTestPlanner(g *ir.Graph, roots []*ir.Node) *planner {
	storages := map[string]ir.Storage{"input": ir.InInput, "param": ir.InParam, "state": ir.InState, "carry": ir.InCarry, "hyper": ir.InInput, "arg": ir.InInput}
	pl := &planner{g: g, names: newNaming(g, "B", "N"), buffer: map[*ir.Node]*ir.Buffer{}}
	for _, n := range ir.Topological(roots...) {
		storage, ok := storages[n.Op.Name]
		if !ok || n.Is("hyper") && n.Type.Rank() == 0 {
			continue
		}
		pl.buffer[n] = &ir.Buffer{Name: pl.names.fresh(localName(n.Op.Name)), Type: n.Type, Storage: storage, Key: leafKey(n)}
		pl.names.show(n, leafKey(n))
	}
	tables(pl, roots)
	return pl
}

func leafKey(n *ir.Node) string { return n.Op.Name + " " + n.Attr.Name }

// outputs makes targets of nodes: tensors get a buffer of their own, scalars
// one by chance.
func (p *planning) outputs(nodes []*ir.Node, prefix string) []target {
	var out []target
	for i, n := range nodes {
		t := target{node: n}
		if n.Type.Rank() > 0 || p.rng.IntN(3) == 0 {
			t.buffer = &ir.Buffer{Name: fmt.Sprint(prefix, i), Type: n.Type, Storage: ir.InOutput, Key: fmt.Sprint(prefix, i)}
		}
		out = append(out, t)
	}
	return out
}

// at is values for the leaves at other sizes; nil where the graph has no value
// there.
func (p *planning) at(dims map[string]int) *ir.Evaluator {
	e := &ir.Evaluator{Dims: dims, Values: map[string]*ir.Tensor{}, Seed: 1, Call: 2}
	if p.values != nil && dims["B"] == sizes[0]["B"] && dims["N"] == sizes[0]["N"] {
		e.Values = p.values
		return e
	}
	for _, n := range p.leaves {
		shape, err := n.Type.Shape.Eval(dims)
		if err != nil {
			panic(err)
		}
		v := ir.NewTensor(shape...)
		for i := range v.Data {
			switch {
			case n.Type.Elem.IsFloat():
				v.Data[i] = 4*p.rng.Float64() - 2
			case n.Type.Elem == ir.Bool:
				v.Data[i] = float64(p.rng.IntN(2))
			}
		}
		e.Values[leafKey(n)] = v
	}
	for _, n := range ir.Topological(p.want...) {
		if _, err := e.Eval(n); err != nil {
			return nil
		}
	}
	return e
}

// machine has the leaves' values.
func (p *planning) machine(e *ir.Evaluator, arena ir.Arena) *machine {
	m := newMachine(e, arena)
	for n, b := range p.pl.buffer {
		if !n.Is("tensor") {
			m.set(b, m.constant(n).Data)
		}
	}
	return m
}

// checkTargets compares what a procedure left behind with the values of its
// targets.
func checkTargets(m *machine, e *ir.Evaluator, proc *ir.Procedure, targets []target) error {
	results := 0
	for i, t := range targets {
		w, err := e.Eval(t.node)
		if err != nil {
			return err
		}
		b := t.buffer
		if b == nil {
			b = proc.Results[results]
			results++
		}
		var got []float64
		if err := guarded(func() {
			for k := range w.Data {
				got = append(got, m.load(b, k))
			}
		}); err != nil {
			return fmt.Errorf("target %d: %w", i, err)
		}
		for k, v := range w.Data {
			if !near(v, got[k], 1e-9) && !math.IsNaN(v) && !math.IsInf(v, 0) {
				return fmt.Errorf("element %d of target %d is %v, want %v", k, i, got[k], v)
			}
		}
	}
	if results != len(proc.Results) {
		return fmt.Errorf("%d results, want %d", len(proc.Results), results)
	}
	return nil
}

// guarded is the planError that f stops with.
func guarded(f func()) (err error) {
	defer func() {
		if e, ok := recover().(*planError); ok {
			err = e
		}
	}()
	f()
	return nil
}
