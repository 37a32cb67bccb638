package draw

import "slices"

// rank puts the cells into layers: each behind the longest way to it, ports at
// the border; what nothing leads to comes down to what it leads to.
func (l *level) rank() {
	order := l.topological()
	after := map[*cell][]*cell{}
	entered := map[*cell]bool{}
	for _, n := range l.nets {
		for _, to := range n.to {
			after[n.from] = append(after[n.from], to)
			entered[to] = true
		}
	}
	first := min(len(l.in), 1)
	for _, c := range order {
		if !c.port {
			c.rank = max(c.rank, first)
		}
		for _, d := range after[c] {
			d.rank = max(d.rank, c.rank+1)
		}
	}

	// From below: what can move down without lengthening other edges does.
	for _, c := range slices.Backward(order) {
		if c.port || entered[c] || len(after[c]) == 0 {
			continue
		}
		lowest := after[c][0].rank
		for _, d := range after[c] {
			lowest = min(lowest, d.rank)
		}
		c.rank = max(c.rank, lowest-1)
	}
	last := 0
	for _, c := range l.cells {
		if !c.port {
			last = max(last, c.rank)
		}
	}
	for _, v := range l.group.outward(l.out) {
		l.out[v].rank = last + 1
	}
}

// outward is the values that have a port, in the order of the graph's edges.
func (g *Group) outward(ports map[*Vertex]*cell) []*Vertex {
	var out []*Vertex
	g.each(func(v *Vertex) {
		if ports[v] != nil {
			out = append(out, v)
		}
	})
	return out
}

// topological is the cells in an order in which nets lead forward.
func (l *level) topological() []*cell {
	before := map[*cell][]*cell{}
	for _, n := range l.nets {
		for _, to := range n.to {
			before[to] = append(before[to], n.from)
		}
	}
	var out []*cell
	seen := map[*cell]bool{}
	var visit func(*cell)
	visit = func(c *cell) {
		if seen[c] {
			return
		}
		seen[c] = true
		for _, b := range before[c] {
			visit(b)
		}
		out = append(out, c)
	}
	for _, c := range l.cells {
		visit(c)
	}
	return out
}

// route gives nets a bend in each layer that they pass, and lists the hops
// between layers.
func (l *level) route() {
	depth := 0
	for _, c := range l.cells {
		depth = max(depth, c.rank+1)
	}
	l.layers, l.hops = make([][]*cell, depth), make([][]hop, depth)
	for _, c := range l.cells {
		l.layers[c.rank] = append(l.layers[c.rank], c)
	}
	for _, n := range l.nets {
		farthest := 0
		for _, to := range n.to {
			farthest = max(farthest, to.rank)
		}
		at := []*cell{n.from} // where the net is in each layer from its own on
		for r := n.from.rank + 1; r < farthest; r++ {
			bend := &cell{net: n, rank: r, w: dummyWidth}
			l.layers[r] = append(l.layers[r], bend)
			l.hops[r-1] = append(l.hops[r-1], hop{n, at[len(at)-1], bend})
			at = append(at, bend)
		}
		n.bends = at[1:]
		for _, to := range n.to {
			r := to.rank - 1
			l.hops[r] = append(l.hops[r], hop{n, at[r-n.from.rank], to})
		}
	}
}
