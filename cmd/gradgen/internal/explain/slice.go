package explain

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A predicate chooses buffers.
type predicate func(*ir.Buffer) bool

// holds chooses the buffers of a storage that hold what path names, alone or as
// one of all.
func holds(storage ir.Storage, path string) predicate {
	return func(b *ir.Buffer) bool {
		return b.Storage == storage && (b.Key == path || b.Key == "*" && (b.Run == nil || b.Run.Has(path)))
	}
}

// updates chooses a parameter and the states of the optimiser that belong to
// it.
func updates(path string) predicate {
	param := holds(ir.InParam, path)
	return func(b *ir.Buffer) bool {
		return param(b) || b.Storage == ir.InState &&
			(strings.HasPrefix(b.Key, path+".") || strings.HasPrefix(b.Key, "*.") && (b.Run == nil || b.Run.Has(path)))
	}
}

// reading is the steps that read one of the buffers.
func reading(steps []*ir.Step, of predicate) []*ir.Step {
	var out []*ir.Step
	for _, s := range steps {
		if reads, _ := s.Traffic(); slices.ContainsFunc(reads, of) {
			out = append(out, s)
		}
	}
	return out
}

// needed is the steps that the final content of the buffers depends on, in
// their order.
func needed(steps []*ir.Step, of predicate) []*ir.Step {
	var out []*ir.Step
	live := map[*ir.Buffer]bool{}
	for _, s := range slices.Backward(steps) {
		reads, writes := s.Traffic()
		if !slices.ContainsFunc(writes, func(b *ir.Buffer) bool { return live[b] || of(b) }) {
			continue
		}
		out = append(out, s)
		for _, b := range reads {
			if b.Storage == ir.InArena || b.Storage == ir.InLocal {
				live[b] = true
			}
		}
	}
	slices.Reverse(out)
	return out
}
