package draw

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// cellOf is the cell of a vertex or of a group, by its name.
func cellOf(t *testing.T, l *level, name string) *cell {
	t.Helper()
	for _, c := range l.cells {
		if c.vertex != nil && !c.port && c.vertex.Name == name || c.inner != nil && c.inner.group.Title == name {
			return c
		}
	}
	t.Fatalf("no cell %s", name)
	return nil
}

// A vertex is in the layer behind the longest way to it; what nothing leads to
// is next to what it leads to.
func TestLayers(t *testing.T) {
	cases := []struct {
		names, edges string
		ranks        map[string]int
	}{
		{"a b c", "a>b b>c a>c", map[string]int{"a": 0, "b": 1, "c": 2}},
		{"x w a b", "x>a a>b w>b", map[string]int{"x": 0, "a": 1, "w": 1, "b": 2}},
		{"c b a", "a>b b>c", map[string]int{"a": 0, "b": 1, "c": 2}},
		{"a b", "", map[string]int{"a": 0, "b": 0}},
		{"x [g u v] y", "x>u u>v v>y x>y", map[string]int{"x": 0, "g": 1, "y": 2}},
	}
	for _, c := range cases {
		g := sketched(t, c.names, c.edges)
		l := layOut(g.Root, g.edges())
		for name, want := range c.ranks {
			if got := cellOf(t, l, name).rank; got != want {
				t.Errorf("%s: %s is in layer %d, want %d", c.edges, name, got, want)
			}
		}
	}
}

// An edge has a bend in each layer that it passes, and edges of one value share
// them.
func TestBends(t *testing.T) {
	g := sketched(t, "a b c d", "a>b b>c c>d a>c a>d")
	l := layOut(g.Root, g.edges())
	for _, n := range l.nets {
		want := 0
		if n.value.Name == "a" {
			want = 2
		}
		if len(n.bends) != want {
			t.Errorf("edges of %s have %d bends, want %d", n.value.Name, len(n.bends), want)
		}
	}
}

// Inside a group, what comes from outside enters at its upper border, and what
// goes there leaves at the lower one.
func TestPorts(t *testing.T) {
	g := sketched(t, "x [g u v] y", "x>u u>v v>y")
	l := layOut(g.Root, g.edges())
	inner := cellOf(t, l, "g").inner
	in, out := inner.in[g.Vertices[0]], inner.out[g.Vertices[2]]
	if in == nil || out == nil || len(inner.in) != 1 || len(inner.out) != 1 {
		t.Fatalf("ports in %v, out %v", inner.in, inner.out)
	}
	if u, v := cellOf(t, inner, "u"), cellOf(t, inner, "v"); in.rank >= u.rank || u.rank >= v.rank || v.rank >= out.rank {
		t.Errorf("layers %d, %d, %d, %d", in.rank, u.rank, v.rank, out.rank)
	}
}

// unordered is the layers of a graph without groups, in the order in which its
// vertices are listed.
func unordered(g *Graph) *level {
	l := &level{group: g.Root, in: map[*Vertex]*cell{}, out: map[*Vertex]*cell{}}
	holder := map[*Vertex]*cell{}
	for _, v := range g.Vertices {
		c := vertexCell(v)
		l.cells = append(l.cells, c)
		holder[v] = c
	}
	l.connect(g.edges(), holder)
	l.rank()
	l.route()
	l.number()
	return l
}

// Edges that need not cross do not.
func TestCrossings(t *testing.T) {
	cases := []struct {
		names, edges  string
		before, after int
	}{
		{"a b c p q r", "a>r b>q c>p", 3, 0},
		{"a b p q s", "a>q b>p p>s q>s", 1, 0},
		{"a b p q", "a>p a>q b>p b>q", 1, 1}, // two complete pairs cross once in any order
		{"a b c p q r s t", "a>s b>r c>p c>q p>t a>t", 8, 0},
	}
	for _, c := range cases {
		l := unordered(sketched(t, c.names, c.edges))
		before := l.crossings()
		l.arrange()
		if after := l.crossings(); before != c.before || after != c.after {
			t.Errorf("%s: %d crossings become %d, want %d and %d", c.edges, before, after, c.before, c.after)
		}
	}
}

// In random graphs the order has no more crossings than that of the program,
// and fewer in all; cells of a layer do not overlap.
func TestRandomGraphs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	before, after := 0, 0
	for i := range 50 {
		var names, edges strings.Builder
		for v := range 16 {
			fmt.Fprintf(&names, "v%d ", v)
			for u := range v {
				if r.IntN(6) == 0 {
					fmt.Fprintf(&edges, "v%d>v%d ", u, v)
				}
			}
		}
		l := unordered(sketched(t, names.String(), edges.String()))
		n := l.crossings()
		l.arrange()
		m := l.crossings()
		if m > n {
			t.Errorf("graph %d: %d crossings become %d", i, n, m)
		}
		before, after = before+n, after+m
		for rank, layer := range l.layers {
			for k := 1; k < len(layer); k++ {
				a, b := layer[k-1], layer[k]
				if gap := (b.x - b.w/2) - (a.x + a.w/2); gap < gapBetween(a, b)-1e-6 {
					t.Errorf("graph %d: cells %d and %d of layer %d are %g apart", i, k-1, k, rank, gap)
				}
			}
		}
	}
	if after > before/2 {
		t.Errorf("%d crossings in all become %d", before, after)
	}
}

// Cells go where they are wanted if there is room, else as near as they can in
// least squares.
func TestSpread(t *testing.T) {
	a, b := &cell{w: 10}, &cell{w: 10}
	apart := 10 + columnGap
	cases := []struct{ want, weights, places [2]float64 }{
		{[2]float64{0, 100}, [2]float64{1, 1}, [2]float64{0, 100}},
		{[2]float64{0, 0}, [2]float64{1, 1}, [2]float64{-apart / 2, apart / 2}},
		{[2]float64{0, 0}, [2]float64{3, 1}, [2]float64{-apart / 4, 3 * apart / 4}},
	}
	for _, c := range cases {
		spread([]*cell{a, b}, c.want[:], c.weights[:])
		if got := [2]float64{a.x, b.x}; got != c.places {
			t.Errorf("wanted at %v with weights %v: %v, want %v", c.want, c.weights, got, c.places)
		}
	}
}
