package draw

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/cmd/gradgen/internal/instances"
	"gradgen.dev/ir"
)

// An Entry is a graph of a program that is drawn: a side of a model, or the
// value of a function.
type Entry struct {
	Name    string // model MLP
	Results []Result
}

// A Result is what an entry computes.
type Result struct {
	Name string
	Kind Kind
	Node *ir.Node
}

// ModelEntry is a side of a model.
func ModelEntry(m *ir.Model, s *ir.Side) Entry {
	e := Entry{Name: "model " + m.Name}
	add := func(kind Kind, name string, n *ir.Node) { e.Results = append(e.Results, Result{name, kind, n}) }
	for _, o := range s.Outputs {
		add(Output, o.Name, o.Node)
	}
	for _, l := range s.Losses {
		add(Loss, l.Name, l.Node)
	}
	for _, x := range s.Metrics {
		add(Metric, x.Name, x.Node)
	}
	for _, w := range s.Writes {
		add(State, "new "+w.State.Path, w.Value)
	}
	return e
}

// FuncEntry is the value of a function.
func FuncEntry(f *ir.Func) Entry {
	e := Entry{Name: "fn " + f.Name}
	for i, n := range f.Results {
		name := f.Name
		if len(f.Results) > 1 {
			name = fmt.Sprintf("%s %d", f.Name, i+1)
		}
		e.Results = append(e.Results, Result{name, Output, n})
	}
	return e
}

// New is the graph of entries of a program, whose nodes and names are g's.
// Several entries are a group each.
func New(g *ir.Graph, title string, entries []Entry) *Graph {
	out := &Graph{Title: title, Root: &Group{}}
	for _, e := range entries {
		within := out.Root
		if len(entries) > 1 {
			within = &Group{Title: e.Name, Parent: out.Root}
			out.Root.Groups = append(out.Root.Groups, within)
		} else {
			out.Title = e.Name + " of " + title
		}
		newSketch(g, e).draw(out, within)
	}
	out.Root.fold()
	out.Root.unravel(out.edges())
	for _, e := range out.edges() {
		e.from.used = true
	}
	return out
}

// A sketch chooses what of one entry is drawn.
type sketch struct {
	*instances.Map
	g       *ir.Graph
	results map[*ir.Node][]Result // of the entry
	shown   map[*ir.Node]bool     // drawn
}

func newSketch(g *ir.Graph, e Entry) *sketch {
	s := &sketch{g: g, results: map[*ir.Node][]Result{}, shown: map[*ir.Node]bool{}}
	var roots []*ir.Node
	for _, r := range e.Results {
		roots = append(roots, r.Node)
		s.results[r.Node] = append(s.results[r.Node], r)
	}
	s.Map = instances.Find(g, roots...)
	s.choose()
	return s
}

// choose decides which nodes are drawn.
func (s *sketch) choose() {
	for _, n := range s.Order {
		switch {
		case s.results[n] != nil || n.Is("input") || isKept(n):
			s.shown[n] = true
		case n.Op.Class == ir.Leaf || n.IsMark() || s.Fixed[n] || instances.IsParam(n):
		case s.g.Origin(n).Name != "":
			s.shown[n] = true
		default:
			s.shown[n] = s.Returned(n)
		}
	}

	// A product that several values are cut out of is drawn once.
	product := map[*ir.Node]bool{} // lies between the node and what is drawn above
	for _, n := range s.Order {
		product[n] = n.Op.Class == ir.Product ||
			slices.ContainsFunc(n.Operands(), func(a *ir.Node) bool { return !s.shown[a] && product[a] })
		if product[n] && !s.shown[n] && len(s.Users[n]) > 1 && !s.Fixed[n] && !instances.IsParam(n) && len(s.successors(n)) > 1 {
			s.shown[n] = true
		}
	}

	// Of a value that is assigned anew under its name, the last one is drawn,
	// and of an instance that has its name from a value, that value.
	for _, n := range slices.Backward(s.Order) {
		if !s.shown[n] || s.results[n] != nil || n.Op.Class == ir.Leaf {
			continue
		}
		next := s.successors(n)
		if len(next) == 1 && s.becomes(n, next[0]) {
			s.shown[n] = false
		}
	}
}

// isKept reports whether n is what a state or a carry was before the call.
func isKept(n *ir.Node) bool { return n.Is("state") || n.Is("carry") }

// becomes reports whether n is an earlier value of next, or the only value of
// the instance that next has given its name to.
func (s *sketch) becomes(n, next *ir.Node) bool {
	name := s.fullName(n)
	if s.g.Origin(next).Name == "" {
		return false
	}
	if s.g.Origin(n).Name != "" && name == s.fullName(next) {
		return true
	}
	return s.Of[n] != "" && s.Of[n] == s.fullName(next) && s.alone(n)
}

// alone reports whether nothing else of n's instance is drawn.
func (s *sketch) alone(n *ir.Node) bool {
	for m, path := range s.Of {
		if m != n && s.shown[m] && instances.Inside(path, s.Of[n]) {
			return false
		}
	}
	return true
}

// fullName is the name of n behind its instance.
func (s *sketch) fullName(n *ir.Node) string {
	o := s.g.Origin(n)
	return strings.TrimPrefix(o.Instance+"."+o.Name, ".")
}

// successors is the drawn nodes that n leads to over others.
func (s *sketch) successors(n *ir.Node) []*ir.Node {
	var out []*ir.Node
	seen := map[*ir.Node]bool{}
	var visit func(*ir.Node)
	visit = func(m *ir.Node) {
		for _, u := range s.Users[m] {
			if seen[u] {
				continue
			}
			seen[u] = true
			if s.shown[u] {
				out = append(out, u)
			} else {
				visit(u)
			}
		}
	}
	visit(n)
	return out
}

// draw adds what was chosen to a graph.
func (s *sketch) draw(to *Graph, within *Group) {
	vertex := map[*ir.Node]*Vertex{}
	groups := map[string]*Group{"": within}
	for _, n := range s.Order {
		if !s.shown[n] {
			continue
		}
		v := &Vertex{Name: s.g.Origin(n).Name, Shape: shapeOf(n), Group: instanceGroup(groups, s.Of[n])}
		s.describe(v, n)
		s.sources(n, func(a *ir.Node) {
			switch {
			case a.Is("param"):
				v.Params = append(v.Params, s.localName(a, n)+" "+shapeOf(a))
			case vertex[a] != nil:
				v.From = append(v.From, vertex[a])
			}
		})
		vertex[n] = v
		v.Group.Vertices = append(v.Group.Vertices, v)
		to.Vertices = append(to.Vertices, v)
	}
}

// describe is the kind of the vertex of n, and how it is computed.
func (s *sketch) describe(v *Vertex, n *ir.Node) {
	v.Kind = Value
	switch {
	case n.Is("input"):
		v.Kind, v.Name = Input, n.Attr.Name
		return
	case isKept(n):
		v.Kind, v.Name = State, n.Attr.Name
		return
	}
	var names []string
	for _, r := range s.results[n] {
		v.Kind = r.Kind
		names = append(names, r.Name)
	}
	if len(names) > 0 && (v.Kind != State || v.Name == "") {
		v.Name = strings.TrimSpace(strings.Join(names, ", "))
	}
	v.Text = s.text(n)
}

// sources calls f with the drawn nodes and the parameters that n is computed
// from, each once.
func (s *sketch) sources(n *ir.Node, f func(*ir.Node)) {
	seen := map[*ir.Node]bool{}
	var visit func(*ir.Node)
	visit = func(m *ir.Node) {
		for _, a := range m.Operands() {
			if seen[a] {
				continue
			}
			seen[a] = true
			if s.shown[a] || a.Is("param") {
				f(a)
			} else {
				visit(a)
			}
		}
	}
	visit(n)
}

// instanceGroup is the group of an instance, made with those around it where it
// is new.
func instanceGroup(groups map[string]*Group, path string) *Group {
	if g := groups[path]; g != nil {
		return g
	}
	around := instances.Around(path)
	title := strings.TrimPrefix(path[len(around):], ".")
	parent := instanceGroup(groups, around)
	g := &Group{Title: title, Path: path, Parent: parent}
	parent.Groups = append(parent.Groups, g)
	groups[path] = g
	return g
}

// fold puts groups of one vertex into the group around them: the vertex has the
// instance's name then.
func (g *Group) fold() {
	kept := g.Groups[:0]
	for _, c := range g.Groups {
		c.fold()
		if c.Path == "" || len(c.Groups) > 0 || len(c.Vertices) != 1 {
			kept = append(kept, c)
			continue
		}
		v := c.Vertices[0]
		v.Group, v.Name = g, joined(c.Title, v.Name)
		g.Vertices = append(g.Vertices, v)
	}
	g.Groups = kept
}

// joined is a name behind that of the instance around it.
func joined(around, name string) string {
	if name == "" {
		return around
	}
	return around + "." + name
}

// shapeOf is the shape of n, with the element type where it does not float.
func shapeOf(n *ir.Node) string {
	if n.Type.Elem.IsFloat() {
		return n.Type.Shape.String()
	}
	return n.Type.String()
}

// localName is the name of a parameter or state, seen from n: without the
// instance of n, or the one that n has given its name to.
func (s *sketch) localName(leaf, n *ir.Node) string {
	for _, path := range []string{s.fullName(n), s.Of[n]} {
		if rest, ok := strings.CutPrefix(leaf.Attr.Name, path+"."); ok && path != "" {
			return rest
		}
	}
	return leaf.Attr.Name
}
