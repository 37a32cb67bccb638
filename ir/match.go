package ir

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"strings"
)

// A Rule is a law `left = right`. In both sides a lower-case name stands for
// any value and an upper-case name behind an attribute's colon for any
// attribute; operands of what commutes match in either order.
type Rule struct {
	Text        string
	Left, Right *Expr
}

// ParseRule reads a law.
func ParseRule(text string) (*Rule, error) {
	left, right, ok := strings.Cut(text, " = ")
	if !ok {
		return nil, fmt.Errorf("%q has no ` = `", text)
	}
	l, err := ParseExpr(left)
	if err != nil {
		return nil, err
	}
	r, err := ParseExpr(right)
	if err != nil {
		return nil, err
	}
	return &Rule{Text: text, Left: l, Right: r}, nil
}

// A Match is what the names of a pattern stand for.
type Match struct {
	Nodes map[string]*Node
	attrs map[string]any
}

// NewMatch returns a match without bindings.
func NewMatch() *Match { return &Match{Nodes: map[string]*Node{}} }

func (m *Match) clone() *Match { return &Match{Nodes: maps.Clone(m.Nodes), attrs: maps.Clone(m.attrs)} }

// Node matches n against e and adds to m what the names stand for; where it
// fails, m is as it was.
func (m *Match) Node(e *Expr, n *Node) bool {
	switch {
	case e.IsNum || e.Op == "":
		return m.leaf(e, n)
	case n.Op.Name != e.Op:
		return false
	}
	c := m.clone()
	if !c.solve([]goal{{e, n}}) {
		return false
	}
	*m = *c
	return true
}

// A goal is a pattern that a node has to match.
type goal struct {
	e *Expr
	n *Node
}

// solve reaches every goal, with m's bindings and new ones. An order of
// commuting operands is given up where a later goal fails under it.
func (m *Match) solve(goals []goal) bool {
	for len(goals) > 0 {
		e, n := goals[0].e, goals[0].n
		goals = goals[1:]
		if e.IsNum || e.Op == "" {
			if !m.leaf(e, n) {
				return false
			}
			continue
		}
		if n.Op.Name != e.Op || len(n.Args) != len(e.Args) || !m.fields(e, n) {
			return false
		}
		if len(e.Args) == 2 && n.Op.Commutes {
			c := m.clone()
			if c.solve(append([]goal{{e.Args[0], n.Args[0]}, {e.Args[1], n.Args[1]}}, goals...)) {
				*m = *c
				return true
			}
			goals = append([]goal{{e.Args[0], n.Args[1]}, {e.Args[1], n.Args[0]}}, goals...)
			continue
		}
		inner := make([]goal, len(e.Args), len(e.Args)+len(goals))
		for i, a := range e.Args {
			inner[i] = goal{a, n.Args[i]}
		}
		goals = append(inner, goals...)
	}
	return true
}

// leaf matches a number, or a name that stands for n from here on.
func (m *Match) leaf(e *Expr, n *Node) bool {
	if e.IsNum {
		v, ok := n.Literal()
		return ok && (v == e.Number || math.IsNaN(v) && math.IsNaN(e.Number))
	}
	if old, ok := m.Nodes[e.Name]; ok {
		return old == n
	}
	m.Nodes[e.Name] = n
	return true
}

// fields matches the attributes that e names.
func (m *Match) fields(e *Expr, n *Node) bool {
	for field, want := range e.Attrs {
		if !m.attr(want, n.Attr.value(field, n.Op)) {
			return false
		}
	}
	return true
}

// attr matches an attribute against a name for it.
func (m *Match) attr(want attrValue, got any) bool {
	name := want.variable()
	if name == "" {
		return false
	}
	if old, ok := m.attrs[name]; ok {
		return reflect.DeepEqual(fmt.Sprint(old), fmt.Sprint(got))
	}
	if m.attrs == nil {
		m.attrs = map[string]any{}
	}
	m.attrs[name] = got
	return true
}

// variable is the name that an attribute of a pattern is, if it is one.
func (v attrValue) variable() string {
	if v.kind == dimValue {
		return v.dims[0].String()
	}
	return ""
}

// value is the attribute called field.
func (a *Attr) value(field string, op *Op) any {
	switch field {
	case "axes":
		return a.Axes
	case "shape":
		return Shape(a.Dims)
	case "axis":
		return a.Axis
	case "elem":
		return a.Elem
	}
	panic("ir: no pattern may name the attribute " + field + " of " + op.Name)
}

// Build makes the right side of a rule under m; numbers beside nothing take
// type want.
func (m *Match) Build(g *Graph, e *Expr, want Type) (*Node, error) {
	return g.BuildExpr(m.resolved(e), m.Nodes, want)
}

// resolved is e with the attributes that m knows in place of their names.
func (m *Match) resolved(e *Expr) *Expr {
	out := *e
	out.Args = make([]*Expr, len(e.Args))
	for i, a := range e.Args {
		out.Args[i] = m.resolved(a)
	}
	if e.Attrs != nil {
		out.Attrs = map[string]attrValue{}
		for field, v := range e.Attrs {
			if got, ok := m.attrs[v.variable()]; ok {
				v = attrOfValue(got)
			}
			out.Attrs[field] = v
		}
	}
	return &out
}

func attrOfValue(v any) attrValue {
	switch v := v.(type) {
	case []int:
		out := attrValue{kind: listValue | numberValue | dimValue, nums: make([]float64, len(v))}
		for i, a := range v {
			out.nums[i] = float64(a)
		}
		return out
	case Shape:
		return attrValue{kind: listValue | dimValue, dims: v}
	case int:
		return attrValue{kind: numberValue | dimValue, nums: []float64{float64(v)}}
	case DType:
		return attrValue{kind: elemValue, elem: v}
	}
	panic("ir: attribute of an unknown kind")
}
