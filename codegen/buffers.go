package codegen

import (
	"slices"

	"gradgen.dev/ir"
)

// buffersOf is every buffer that the procedures use, in the order of their
// appearance.
func buffersOf(list ...*ir.Procedure) []*ir.Buffer {
	w := &walker{seen: map[*ir.Buffer]bool{}}
	for _, p := range list {
		if p == nil {
			continue
		}
		for _, s := range p.Steps {
			w.step(s)
		}
		for _, b := range p.Results {
			w.add(b)
		}
	}
	return w.list
}

type walker struct {
	list []*ir.Buffer
	seen map[*ir.Buffer]bool
}

func (w *walker) add(b *ir.Buffer) {
	if b != nil && !w.seen[b] {
		w.seen[b] = true
		w.list = append(w.list, b)
	}
}

func (w *walker) step(s *ir.Step) {
	switch {
	case s.Product != nil:
		w.add(s.Product.A.Buffer)
		w.add(s.Product.B.Buffer)
		w.add(s.Product.C.Buffer)
		for _, n := range byID(s.Product.Loads) {
			w.add(s.Product.Loads[n])
		}
	case s.Loop != nil:
		for _, n := range byID(s.Loop.Loads) {
			w.access(s.Loop.Loads[n])
		}
		for _, to := range s.Loop.Stores {
			w.access(to.To)
		}
		for _, f := range s.Loop.Folds {
			w.access(f.To)
		}
	case s.Call != nil:
		for _, b := range s.Call.Routine.Takes {
			w.add(b)
		}
	case s.Scalar != nil:
		for _, n := range byID(s.Scalar.Loads) {
			w.access(s.Scalar.Loads[n])
		}
		w.add(s.Scalar.To)
	}
}

func (w *walker) access(a ir.Access) {
	w.add(a.Buffer)
	for _, i := range a.Index {
		w.access(i.At)
	}
}

// byID is the nodes of a map in the order of their creation.
func byID[T any](of map[*ir.Node]T) []*ir.Node {
	out := make([]*ir.Node, 0, len(of))
	for n := range of {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b *ir.Node) int { return a.ID - b.ID })
	return out
}
