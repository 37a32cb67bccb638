package draw

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The sizes of text, in pixels.
const (
	textSize  = 13.0
	smallSize = 11.0
	labelSize = 10.0 // of shapes on edges
	labelRoom = 15.0 // below a layer, where edges do not bend yet
)

// A paint is the colours of a vertex.
type paint struct{ fill, line string }

// palette is the colours of each kind.
var palette = [...]paint{
	Input:  {"#dbeafe", "#2563eb"},
	State:  {"#ede9fe", "#7c3aed"},
	Value:  {"#ffffff", "#64748b"},
	Output: {"#dcfce7", "#16a34a"},
	Loss:   {"#fee2e2", "#dc2626"},
	Metric: {"#fef9c3", "#ca8a04"},
}

// groupFills are the colours of groups by how deep they are.
var groupFills = []string{"#f8fafc", "#f1f5f9", "#e7edf4", "#dde5ee"}

// SVG writes the graph as a picture of its own.
func (g *Graph) SVG(w io.Writer) error {
	l := layOut(g.Root, g.edges())
	width, height := max(l.w, textWidth(g.Title, textSize)+2*margin), l.h+headHeight+margin
	p := &painter{}
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="%[3]s">`+"\n",
		pixels(width), pixels(height), pixels(textSize))
	fmt.Fprintf(&p.b, "<title>%s</title>\n", escaped(g.Title))
	p.b.WriteString(`<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#475569"/></marker></defs>` + "\n")
	p.b.WriteString(`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	p.text(margin, margin+4, textSize, "bold", "#0f172a", g.Title)

	// What lies above comes last: boxes, edges, vertices, the shapes on edges.
	x, y := (width-l.w)/2, headHeight
	p.boxes(l, x, y)
	p.edges(l, x, y)
	p.vertices(l, x, y)
	p.b.WriteString(p.labels.String())
	p.b.WriteString("</svg>\n")
	_, err := io.WriteString(w, p.b.String())
	return err
}

// A painter writes the elements of a picture.
type painter struct {
	b, labels strings.Builder
}

// boxes draws the groups in l, whose upper left corner is at x, y.
func (p *painter) boxes(l *level, x, y float64) {
	for _, c := range l.cells {
		if c.inner == nil {
			continue
		}
		left, top := x+c.x-c.w/2, y+c.y
		fill := groupFills[min(c.inner.group.depth(), len(groupFills))-1]
		fmt.Fprintf(&p.b, `<rect x="%s" y="%s" width="%s" height="%s" rx="8" fill="%s" stroke="#cbd5e1"/>`+"\n", pixels(left), pixels(top), pixels(c.w), pixels(c.h), fill)
		p.haloed(left+10, top+16, smallSize+1, "bold", "#334155", c.inner.group.Title)
		p.boxes(c.inner, left, top)
	}
}

// vertices draws the vertices of l and of the groups in it, with the shape of
// each beside the edges that leave it.
func (p *painter) vertices(l *level, x, y float64) {
	for _, c := range l.cells {
		switch {
		case c.inner != nil:
			p.vertices(c.inner, x+c.x-c.w/2, y+c.y)
		case !c.port:
			p.vertex(c, x+c.x, y+c.y)
		}
	}
}

// vertex draws one vertex, its centre at x and its upper edge at y.
func (p *painter) vertex(c *cell, x, y float64) {
	v := c.vertex
	colours := palette[v.Kind]
	fmt.Fprintf(&p.b, `<rect x="%s" y="%s" width="%s" height="%s" rx="6" fill="%s" stroke="%s"/>`+"\n",
		pixels(x-c.w/2), pixels(y), pixels(c.w), pixels(c.h), colours.fill, colours.line)
	base := y + padding + lineHeight - 4
	for i, line := range v.lines() {
		size, weight, colour := smallSize, "normal", "#334155"
		switch {
		case i == 0 && v.title() != "":
			size, weight, colour = textSize, "bold", "#0f172a"
		case slices.Contains(v.Params, line):
			colour = "#2563eb"
		case line == v.Shape:
			colour = "#64748b"
		}
		p.centred(x, base, size, weight, colour, line)
		base += lineHeight
	}
	if v.used {
		p.haloed(x+6, y+c.h+13, labelSize, "normal", "#475569", v.Shape)
	}
}

// edges draws the nets of l and of the groups in it.
func (p *painter) edges(l *level, x, y float64) {
	entries := l.entries()
	for r, hops := range l.hops {
		for _, h := range hops {
			p.hop(l, h, r, x, y, entries)
		}
	}
	for _, c := range l.cells {
		if c.inner != nil {
			p.edges(c.inner, x+c.x-c.w/2, y+c.y)
		}
	}
}

// hop draws a net from a layer to the next: straight within the layers, curved
// between them, with a head where it ends at a vertex.
func (p *painter) hop(l *level, h hop, r int, x, y float64, entries map[hop]float64) {
	x1 := x + h.from.x + h.from.portX(h.net.value, true)
	x2 := x + h.to.x + h.to.portX(h.net.value, false) + entries[h]
	start, upper, lower, end := y+h.from.y+h.from.h, y+l.bottom[r], y+l.top[r+1], y+h.to.y
	if h.from.net != nil {
		start = y + l.top[r]
	} else if h.from.vertex != nil && !h.from.port {
		upper += labelRoom
	}
	head := ""
	if h.to.net == nil && !h.to.port && h.to.inner == nil {
		head = ` marker-end="url(#head)"`
	}
	if h.to.net != nil {
		end = lower
	}
	middle := (upper + lower) / 2
	fmt.Fprintf(&p.b, `<path d="M%s %sV%sC%s %s %s %s %s %sV%s" fill="none" stroke="#475569" stroke-width="1.2"%s/>`+"\n",
		pixels(x1), pixels(start), pixels(upper), pixels(x1), pixels(middle), pixels(x2), pixels(middle), pixels(x2), pixels(lower), pixels(end), head)
}

// entries is where hops enter a vertex, from its centre: beside one another,
// in the order in which they come.
func (l *level) entries() map[hop]float64 {
	into := map[*cell][]hop{}
	for _, hops := range l.hops {
		for _, h := range hops {
			if h.to.net == nil && !h.to.port && h.to.inner == nil {
				into[h.to] = append(into[h.to], h)
			}
		}
	}
	out := map[hop]float64{}
	for to, hops := range into {
		at := func(h hop) float64 { return h.from.x + h.from.portX(h.net.value, true) }
		slices.SortStableFunc(hops, func(a, b hop) int {
			switch {
			case at(a) < at(b):
				return -1
			case at(a) > at(b):
				return 1
			}
			return 0
		})
		step := min(portSpacing, to.w/float64(len(hops)+1))
		for i, h := range hops {
			out[h] = (float64(i) - float64(len(hops)-1)/2) * step
		}
	}
	return out
}

// text writes a line that starts at x.
func (p *painter) text(x, y, size float64, weight, colour, line string) {
	fmt.Fprintf(&p.b, `<text x="%s" y="%s" font-size="%s" font-weight="%s" fill="%s">%s</text>`+"\n",
		pixels(x), pixels(y), pixels(size), weight, colour, escaped(line))
}

// centred writes a line whose middle is at x.
func (p *painter) centred(x, y, size float64, weight, colour, line string) {
	fmt.Fprintf(&p.b, `<text x="%s" y="%s" font-size="%s" font-weight="%s" fill="%s" text-anchor="middle">%s</text>`+"\n",
		pixels(x), pixels(y), pixels(size), weight, colour, escaped(line))
}

// haloed writes a line above edges, which it hides around itself.
func (p *painter) haloed(x, y, size float64, weight, colour, line string) {
	for _, style := range []string{`fill="none" stroke="#ffffff" stroke-width="3" stroke-opacity="0.8"`, `fill="` + colour + `"`} {
		fmt.Fprintf(&p.labels, `<text x="%s" y="%s" font-size="%s" font-weight="%s" %s>%s</text>`+"\n",
			pixels(x), pixels(y), pixels(size), weight, style, escaped(line))
	}
}

// escaped is text as the content of an element; what XML has no way to write is
// U+FFFD.
func escaped(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text)) // a Builder has no errors
	return b.String()
}

// pixels is a length with at most one digit behind the point.
func pixels(x float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0") }

// textWidth is about how wide text is in a sans serif face; it is rather too
// large than too small.
func textWidth(text string, size float64) float64 {
	w := 0.0
	for _, r := range text {
		switch {
		case strings.ContainsRune("il.,:;|'!jtfr()[]I ", r):
			w += 0.4
		case strings.ContainsRune("mwMW@—…", r):
			w += 0.95
		case r >= 'A' && r <= 'Z':
			w += 0.72
		default:
			w += 0.62
		}
	}
	return w * size
}
