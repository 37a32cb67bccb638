package draw

import "slices"

// unravel takes groups apart that cannot be drawn as one box: a value leaves
// them, and what is computed from it comes back. Each such group is dissolved in
// the one around it, until what is left has an order.
func (g *Group) unravel(edges []edge) {
	for {
		tangled := g.tangled(edges)
		if len(tangled) == 0 {
			break
		}
		for _, c := range tangled {
			g.dissolve(c)
		}
	}
	for _, c := range g.Groups {
		c.unravel(edges)
	}
}

// tangled is the groups in g that lie on a cycle of what g holds.
func (g *Group) tangled(edges []edge) []*Group {
	holder := map[*Vertex]any{} // the vertex itself, or the group in g
	for _, v := range g.Vertices {
		holder[v] = v
	}
	for _, c := range g.Groups {
		c.each(func(v *Vertex) { holder[v] = c })
	}
	after := map[any][]any{}
	for _, e := range edges {
		from, to := holder[e.from], holder[e.to]
		if from != nil && to != nil && from != to {
			after[from] = append(after[from], to)
		}
	}
	var out []*Group
	for _, c := range g.Groups {
		if reaches(after, c) {
			out = append(out, c)
		}
	}
	return out
}

// reaches reports whether c can be reached from itself.
func reaches(after map[any][]any, c any) bool {
	seen := map[any]bool{}
	stack := slices.Clone(after[c])
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if at == c {
			return true
		}
		if !seen[at] {
			seen[at] = true
			stack = append(stack, after[at]...)
		}
	}
	return false
}

// dissolve puts what c holds into g; names and titles have c's before them.
func (g *Group) dissolve(c *Group) {
	g.Groups = slices.DeleteFunc(g.Groups, func(d *Group) bool { return d == c })
	for _, v := range c.Vertices {
		v.Group, v.Name = g, joined(c.Title, v.Name)
		g.Vertices = append(g.Vertices, v)
	}
	for _, d := range c.Groups {
		d.Parent, d.Title = g, joined(c.Title, d.Title)
		g.Groups = append(g.Groups, d)
	}
}
