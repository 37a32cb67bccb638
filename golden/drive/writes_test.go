package drive

import (
	"slices"

	"gradgen.dev/ir"
)

// What a step of a named loss does, told once more and in another way than
// [ir.Side.Step] tells it: the list of the writes that are made grows until it
// has all that the loss and the list itself need; then each mark is read.

// stepOf is a side with the writes alone that the step of a loss makes. The
// marks of the others stay.
func stepOf(s *ir.Side, loss ir.Named) *ir.Side {
	out := *s
	out.Writes = nil
	for {
		needed := above([]*ir.Node{loss.Node}, s.Writes, out.Writes)
		var made []ir.Write
		for _, w := range s.Writes {
			if len(w.Of) == 0 || slices.ContainsFunc(w.Of, func(n *ir.Node) bool { return needed[n] }) {
				made = append(made, w)
			}
		}
		if len(made) == len(out.Writes) {
			break
		}
		out.Writes = made
	}
	for _, w := range s.Writes {
		if !slices.ContainsFunc(out.Writes, func(o ir.Write) bool { return o.Read == w.Read }) {
			out.Writes = append(out.Writes, ir.Write{State: w.State, Read: w.Read}) // without a value: not made
		}
	}
	slices.SortStableFunc(out.Writes, func(a, b ir.Write) int { return position(s.Writes, a) - position(s.Writes, b) })
	return &out
}

// position is where a write stands among others.
func position(writes []ir.Write, w ir.Write) int {
	return slices.IndexFunc(writes, func(o ir.Write) bool { return o.Read == w.Read })
}

// above is what roots and the values of writes are computed of, down to the
// marks of all writes.
func above(roots []*ir.Node, all, made []ir.Write) map[*ir.Node]bool {
	for _, w := range made {
		roots = append(roots, w.Value)
	}
	out := map[*ir.Node]bool{}
	for len(roots) > 0 {
		n := roots[0]
		roots = roots[1:]
		if out[n] || slices.ContainsFunc(all, func(w ir.Write) bool { return w.Read == n }) {
			continue
		}
		out[n] = true
		roots = append(roots, n.Operands()...)
	}
	return out
}

// committed is a side that writes every state once. A write without a value is
// not made: who reads it reads the one before, or the state.
func committed(g *ir.Graph, s *ir.Side) *ir.Side {
	if s == nil {
		return nil
	}
	now := map[*ir.State]*ir.Node{}
	reads := map[*ir.Node]*ir.Node{}
	var order []*ir.State
	for _, w := range s.Writes {
		if w.Value != nil {
			if now[w.State] == nil {
				order = append(order, w.State)
			}
			now[w.State] = g.Replace(reads, w.Value)[0]
		}
		if reads[w.Read] = now[w.State]; reads[w.Read] == nil {
			reads[w.Read] = w.State.Node
		}
	}
	read := func(list []ir.Named) []ir.Named {
		list = slices.Clone(list)
		for i, x := range list {
			list[i].Node = g.Replace(reads, x.Node)[0]
		}
		return list
	}
	out := &ir.Side{Outputs: read(s.Outputs), Losses: read(s.Losses), Metrics: read(s.Metrics)}
	for _, state := range order {
		out.Writes = append(out.Writes, ir.Write{State: state, Value: now[state]})
	}
	return out
}
