package draw

import "slices"

// The measures of the layout, in pixels.
const (
	lineHeight  = 15.0
	padding     = 8.0  // around the text of a vertex
	margin      = 16.0 // around the content of a group
	headHeight  = 22.0 // of a group, for its title
	columnGap   = 22.0 // between neighbours in a layer
	layerGap    = 48.0 // between layers, with room for the shapes on edges
	portGap     = 14.0 // between the border of a group and its first or last layer
	dummyWidth  = 8.0  // of an edge that passes a layer
	portSpacing = 26.0 // at most, between edges that enter a vertex
)

// A cell is what a layer has: a vertex, a group with its own layout, a port in
// the border of the group that is laid out, or a bend of an edge that passes.
type cell struct {
	vertex *Vertex
	inner  *level
	port   bool
	net    *net // of a bend

	rank, order int
	x, y        float64 // centre, and upper edge
	w, h        float64
}

// A net is the edges of one value that leave one cell: they share their way as
// far as it goes.
type net struct {
	value *Vertex
	from  *cell
	to    []*cell
	bends []*cell // one for each layer that is passed
}

// A hop is a part of a net from a layer to the next one.
type hop struct {
	net      *net
	from, to *cell
}

// A level is the layout of one group: its cells in layers, and the nets between
// them.
type level struct {
	group  *Group
	cells  []*cell
	nets   []*net
	layers [][]*cell
	hops   [][]hop // those that leave each layer
	in     map[*Vertex]*cell
	out    map[*Vertex]*cell
	top    []float64 // the upper edge of each layer
	bottom []float64
	w, h   float64
}

// layOut lays out a group and what is in it.
func layOut(g *Group, edges []edge) *level {
	l := &level{group: g, in: map[*Vertex]*cell{}, out: map[*Vertex]*cell{}}
	holder := map[*Vertex]*cell{} // what holds each vertex of the group
	for _, v := range g.Vertices {
		c := vertexCell(v)
		l.cells = append(l.cells, c)
		holder[v] = c
	}
	for _, sub := range g.Groups {
		inner := layOut(sub, edges)
		c := &cell{inner: inner, w: inner.w, h: inner.h}
		l.cells = append(l.cells, c)
		sub.each(func(v *Vertex) { holder[v] = c })
	}
	l.connect(edges, holder)
	l.rank()
	l.route()
	l.arrange()
	l.place()
	return l
}

// each calls f with every vertex of the group and of those in it.
func (g *Group) each(f func(*Vertex)) {
	for _, v := range g.Vertices {
		f(v)
	}
	for _, c := range g.Groups {
		c.each(f)
	}
}

// vertexCell is a cell as large as the text of v.
func vertexCell(v *Vertex) *cell {
	c := &cell{vertex: v, w: 44, h: 2 * padding}
	for i, line := range v.lines() {
		size := textSize
		if i > 0 || v.title() == "" {
			size = smallSize
		}
		c.w = max(c.w, textWidth(line, size)+2*padding)
		c.h += lineHeight
	}
	return c
}

// connect makes the nets of the group: edges between its cells, and from and to
// ports for what comes from outside and goes there.
func (l *level) connect(edges []edge, holder map[*Vertex]*cell) {
	type origin struct {
		from  *cell
		value *Vertex
	}
	nets := map[origin]*net{}
	for _, e := range edges {
		from, to := holder[e.from], holder[e.to]
		switch {
		case from == nil && to == nil || from == to:
			continue
		case from == nil:
			from = l.portOf(l.in, e.from)
		case to == nil:
			to = l.portOf(l.out, e.from)
		}
		k := origin{from, e.from}
		if nets[k] == nil {
			nets[k] = &net{value: e.from, from: from}
			l.nets = append(l.nets, nets[k])
		}
		if !slices.Contains(nets[k].to, to) {
			nets[k].to = append(nets[k].to, to)
		}
	}
}

// portOf is the port of a value in a side of the group.
func (l *level) portOf(side map[*Vertex]*cell, v *Vertex) *cell {
	if side[v] == nil {
		side[v] = &cell{vertex: v, port: true, w: dummyWidth}
		l.cells = append(l.cells, side[v])
	}
	return side[v]
}

// place gives the layers their heights and the group its size.
func (l *level) place() {
	y := 0.0
	if l.group.Title != "" && len(l.in) == 0 {
		y = headHeight
	}
	if len(l.in) == 0 {
		y += portGap
	}
	for i, layer := range l.layers {
		h := 0.0
		for _, c := range layer {
			h = max(h, c.h)
		}
		for _, c := range layer {
			c.y = y + (h-c.h)/2
			if len(l.nets) == 0 {
				c.y = y
			}
		}
		l.top, l.bottom = append(l.top, y), append(l.bottom, y+h)
		y += h
		if i < len(l.layers)-1 {
			y += l.gapBelow(i)
		}
	}
	if len(l.out) == 0 {
		y += portGap
	}
	l.h = y

	left, right := 0.0, 0.0
	for i, c := range l.cells {
		if i == 0 || c.x-c.w/2 < left {
			left = c.x - c.w/2
		}
		if i == 0 || c.x+c.w/2 > right {
			right = c.x + c.w/2
		}
	}
	l.w = max(right-left+2*margin, textWidth(l.group.Title, textSize)+2*margin)
	shift := (l.w-(right-left))/2 - left
	for _, layer := range l.layers {
		for _, c := range layer {
			c.x += shift
		}
	}
}

// gapBelow is the room between a layer and the next one. Below the ports of what
// comes from outside stands the group's title.
func (l *level) gapBelow(i int) float64 {
	if i == 0 && len(l.in) > 0 {
		return headHeight + portGap
	}
	return layerGap
}

// portX is where in a cell the edges of a value leave it or enter it, from its
// centre.
func (c *cell) portX(value *Vertex, leaving bool) float64 {
	if c.inner == nil {
		return 0
	}
	side := c.inner.in
	if leaving {
		side = c.inner.out
	}
	return side[value].x - c.w/2
}
