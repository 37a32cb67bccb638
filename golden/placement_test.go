package golden

import (
	"fmt"
	"maps"
	"slices"

	"gradgen.dev/ir"
)

// checkArenas runs the procedures of a plan with the owner of every element of
// every arena: a read must find all elements of its buffer owned by it. Unlike
// passes.CheckPlacement it goes by offsets, at sizes that are primes.
func checkArenas(plan *ir.Plan) error {
	for _, m := range plan.Models {
		dims := primes(m.Model.Dims)
		if !admits(m, dims) {
			back := slices.Clone(m.Model.Dims)
			slices.Reverse(back)
			dims = primes(back)
		}
		for _, e := range m.Model.Exports {
			maps.Copy(dims, primes(e.Dims))
		}
		for _, line := range timelines(m) {
			arena := m.Trainer
			if read := func(e *ir.ExportPlan) bool { return e.Proc == line[0] }; line[0] == m.Predict || slices.ContainsFunc(m.Exports, read) {
				arena = m.Reader
			}
			if err := checkOwners(line, arena, dims); err != nil {
				return fmt.Errorf("model %s: %w", m.Model.Name, err)
			}
		}
	}
	for _, f := range plan.Funcs {
		for _, e := range f.Entries {
			if err := checkOwners([]*ir.Procedure{e.Proc}, e.Arena, primes(f.Func.Dims)); err != nil {
				return fmt.Errorf("function %s%s: %w", f.Func.Name, e.Suffix, err)
			}
		}
	}
	return nil
}

// admits reports whether no tensor of the arenas has a negative extent.
func admits(m *ir.ModelPlan, dims map[string]int) bool {
	for _, b := range slices.Concat(m.Trainer.Buffers, m.Reader.Buffers) {
		for _, d := range b.Type.Shape {
			if n, err := d.Eval(dims); err == nil && n < 0 {
				return false
			}
		}
	}
	return true
}

// primes gives the run-time dimensions different sizes.
func primes(dims []ir.RunDim) map[string]int {
	sizes := map[string]int{}
	for i, d := range dims {
		sizes[d.Name] = []int{7, 11, 13, 17, 19}[i%5]
	}
	return sizes
}

// timelines is the procedures of a model that follow one another on one arena.
func timelines(m *ir.ModelPlan) [][]*ir.Procedure {
	var out [][]*ir.Procedure
	add := func(line ...*ir.Procedure) {
		if !slices.Contains(line, nil) {
			out = append(out, line)
		}
	}
	for _, t := range m.Trains {
		add(t.Forward, t.Backward)
		add(t.Forward, t.Gradient)
		add(t.Update)
	}
	if c := m.Compose; c != nil {
		add(c.Forward, c.Backward)
		add(c.Update)
	}
	add(m.Init)
	add(m.Evaluate)
	add(m.Predict)
	for _, e := range m.Exports {
		add(e.Proc)
	}
	return out
}

// checkOwners runs a timeline.
func checkOwners(line []*ir.Procedure, arena ir.Arena, dims map[string]int) error {
	owners := map[ir.DType][]*ir.Buffer{}
	for elem, length := range arena.Length {
		n, err := length.Eval(dims)
		if err != nil {
			return err
		}
		owners[elem] = make([]*ir.Buffer, n)
	}
	for _, p := range line {
		for k, step := range p.Steps {
			reads, writes := traffic(step)
			for _, b := range reads {
				part, err := partOf(owners, b, dims)
				if err != nil {
					return fmt.Errorf("%s, step %d: %w", p.Name, k, err)
				}
				for i, owner := range part {
					if owner != b {
						return fmt.Errorf("%s, step %d reads element %d of %s, which belongs to another value", p.Name, k, i, b.Name)
					}
				}
			}
			for _, b := range writes {
				part, err := partOf(owners, b, dims)
				if err != nil {
					return fmt.Errorf("%s, step %d: %w", p.Name, k, err)
				}
				for i := range part {
					part[i] = b
				}
			}
		}
	}
	return nil
}

// partOf is a buffer's part of its arena; nil where it lies elsewhere.
func partOf(owners map[ir.DType][]*ir.Buffer, b *ir.Buffer, dims map[string]int) ([]*ir.Buffer, error) {
	if b.Storage != ir.InArena {
		return nil, nil
	}
	start, err := b.Offset.Eval(dims)
	if err != nil {
		return nil, err
	}
	size, err := b.Type.Shape.Size().Eval(dims)
	if err != nil {
		return nil, err
	}
	all := owners[b.Type.Elem]
	if start < 0 || start+size > len(all) {
		return nil, fmt.Errorf("%s lies at %d to %d of an arena of %d", b.Name, start, start+size, len(all))
	}
	return all[start : start+size], nil
}

// traffic is the buffers that a step reads before it writes, and those that it
// writes.
func traffic(step *ir.Step) (reads, writes []*ir.Buffer) {
	switch {
	case step.Product != nil:
		p := step.Product
		reads = append(reads, p.A.Buffer, p.B.Buffer)
		if beta, ok := p.Beta.Literal(); !ok || beta != 0 {
			reads = append(reads, p.C.Buffer)
		}
		writes = append(writes, p.C.Buffer)
	case step.Scalar != nil:
		for _, a := range step.Scalar.Loads {
			reads = append(reads, accessed(a)...)
		}
		writes = append(writes, step.Scalar.To)
	case step.Call != nil:
		for _, s := range step.Call.Routine.Steps {
			r, w := traffic(s)
			reads, writes = append(reads, r...), append(writes, w...)
		}
	default:
		return loopTraffic(step.Loop)
	}
	return reads, writes
}

// loopTraffic leaves out reads of what the loop itself writes element by
// element: they find what it wrote.
func loopTraffic(l *ir.LoopStep) (reads, writes []*ir.Buffer) {
	stored := map[*ir.Buffer]map[*ir.Node]bool{}
	for _, s := range l.Stores {
		if s.Add {
			reads = append(reads, s.To.Buffer)
		}
		for _, i := range s.To.Index {
			reads = append(reads, accessed(i.At)...)
		}
		writes = append(writes, s.To.Buffer)
		if stored[s.To.Buffer] == nil {
			stored[s.To.Buffer] = map[*ir.Node]bool{}
		}
		stored[s.To.Buffer][s.Node] = true
	}
	for _, f := range l.Folds {
		if f.Keep {
			reads = append(reads, f.To.Buffer)
		}
		writes = append(writes, f.To.Buffer)
	}
	for n, a := range l.Loads {
		own := stored[a.Buffer][n] || n.Is("pick") && stored[a.Buffer][n.Args[0]]
		if !own || len(a.Index) > 0 && !n.Is("pick") {
			reads = append(reads, a.Buffer)
		}
		for _, i := range a.Index {
			reads = append(reads, accessed(i.At)...)
		}
	}
	return reads, writes
}

// accessed is the buffers that reading a touches.
func accessed(a ir.Access) []*ir.Buffer {
	out := []*ir.Buffer{a.Buffer}
	for _, i := range a.Index {
		out = append(out, accessed(i.At)...)
	}
	return out
}
