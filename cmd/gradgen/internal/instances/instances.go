// Package instances says which layer instance each node of a program belongs
// to. Elaboration notes it of nodes with a name alone; the others follow from
// what they read.
package instances

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A Map is the instances of the nodes below some roots.
type Map struct {
	Order []*ir.Node              // operands first
	Users map[*ir.Node][]*ir.Node // who reads a node
	Of    map[*ir.Node]string     // the path of its instance, "" for the model itself
	Fixed map[*ir.Node]bool       // made of constants and extents alone
	roots map[*ir.Node]bool
}

// Find is the instances of the nodes below roots, whose names are g's.
func Find(g *ir.Graph, roots ...*ir.Node) *Map {
	m := &Map{ir.Topological(roots...), map[*ir.Node][]*ir.Node{}, map[*ir.Node]string{}, map[*ir.Node]bool{}, map[*ir.Node]bool{}}
	for _, n := range roots {
		m.roots[n] = true
	}
	for _, n := range m.Order {
		m.Fixed[n] = m.isFixed(n)
		m.Of[n] = m.instance(g, n)
		for _, a := range n.Operands() {
			m.Users[a] = append(m.Users[a], n)
		}
	}
	return m
}

// IsParam reports whether n is a parameter, seen in whatever way.
func IsParam(n *ir.Node) bool {
	for n.Op.Class == ir.View || n.IsMark() {
		n = n.Args[0]
	}
	return n.Is("param")
}

// isFixed reports whether n is made of constants and extents alone.
func (m *Map) isFixed(n *ir.Node) bool {
	switch {
	case n.Is("const") || n.Is("tensor") || n.Is("size") || n.Is("iota"):
		return true
	case len(n.Args) == 0:
		return false
	}
	return !slices.ContainsFunc(n.Operands(), func(a *ir.Node) bool { return !m.Fixed[a] })
}

// instance is the instance of n. A node without a name is with the parameter
// that it reads, else where all its operands are.
func (m *Map) instance(g *ir.Graph, n *ir.Node) string {
	if o := g.Origin(n); o.Name != "" || n.Op.Class == ir.Leaf {
		return o.Instance
	}
	path, found := "", false
	for _, a := range n.Operands() {
		if IsParam(a) {
			return m.Of[a]
		}
		if m.Fixed[a] || a.Op.Class == ir.Random {
			continue
		}
		if p := m.Of[a]; !found {
			path, found = p, true
		} else {
			path = commonPath(path, p)
		}
	}
	return path
}

// Returned reports whether n is what its instance returns.
func (m *Map) Returned(n *ir.Node) bool { return m.Of[n] != "" && m.Leaves(n, m.Of[n]) }

// Leaves reports whether n, which is in the instance of a path, is what that
// returns: something outside of it reads n, or n is a root.
func (m *Map) Leaves(n *ir.Node, path string) bool {
	return m.roots[n] || slices.ContainsFunc(m.Users[n], func(u *ir.Node) bool { return !Inside(m.Of[u], path) })
}

// Own moves what an instance returns from where it is bound to the instance that
// computes it, as far as that can be told: by a parameter that it reads, or by
// its name, where that is the instance's own too, as h in h = dense(x, 3).
func (m *Map) Own(g *ir.Graph) {
	moved := map[string]bool{} // a later value of the name is computed outside
	for _, n := range m.Order {
		o := g.Origin(n)
		if o.Name == "" || n.Op.Class == ir.Leaf {
			continue
		}
		name := strings.TrimPrefix(o.Instance+"."+o.Name, ".")
		for _, a := range n.Operands() {
			if IsParam(a) {
				m.Of[n] = m.Of[a]
			}
			if path := m.named(a, name); path != "" && !moved[path] {
				m.Of[n], moved[path] = path, true
				break
			}
		}
	}
}

// named is the instance around a that has its name from a value: the name, and
// a number behind it where others have it too.
func (m *Map) named(a *ir.Node, name string) string {
	for path := m.Of[a]; path != ""; path = Around(path) {
		if number, ok := strings.CutPrefix(path, name); ok && strings.Trim(number, "0123456789") == "" {
			return path
		}
	}
	return ""
}

// commonPath is the instance around two others.
func commonPath(a, b string) string {
	p, q := strings.Split(a, "."), strings.Split(b, ".")
	n := 0
	for n < len(p) && n < len(q) && p[n] == q[n] {
		n++
	}
	return strings.Join(p[:n], ".")
}

// Inside reports whether the instance of path a is b or in it.
func Inside(a, b string) bool {
	return a == b || b == "" || strings.HasPrefix(a, b+".")
}

// Around is the path of the instance around another; the number of an iteration
// is part of the instance's name: block.0 is in the model itself.
func Around(path string) string {
	for {
		dot := strings.LastIndexByte(path, '.')
		if dot < 0 {
			return ""
		}
		last := path[dot+1:]
		path = path[:dot]
		if last[0] < '0' || last[0] > '9' {
			return path
		}
	}
}
