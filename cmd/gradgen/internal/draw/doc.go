// Package draw draws what a program computes: as DOT, for Graphviz, and as SVG
// that it lays out itself.
//
// In come the graphs of models and functions. [New] keeps what a reader knows
// by name, inputs, named values, results and what layer instances return, and
// says of each in a line how it follows from others; the nodes between them
// vanish. Instances are groups, nested as their paths are. [Graph.SVG] lays
// every group out by itself, in layers, and then as one vertex of the group
// around it.
//
// The same program is drawn in the same bytes.
package draw

import "strings"

// Kind says what a vertex is to the program.
type Kind uint8

// The kinds of vertices.
const (
	Input Kind = iota
	State
	Value
	Output
	Loss
	Metric
)

var kindNames = [...]string{"input", "state", "", "output", "loss", "metric"}

func (k Kind) String() string { return kindNames[k] }

// A Vertex is a value that is drawn.
type Vertex struct {
	Name   string   // within its group; "" for what an instance returns without a name
	Text   string   // how it follows from others
	Params []string // the parameters in it, with their shapes
	Shape  string
	Kind   Kind
	Group  *Group
	From   []*Vertex // what it is computed from, in the order of its text
	used   bool      // another vertex is computed from it
}

// title is what stands first in a vertex: what it is, and its name.
func (v *Vertex) title() string {
	return strings.TrimSpace(v.Kind.String() + " " + v.Name)
}

// A Group is a layer instance, or a model or function among several.
type Group struct {
	Title    string
	Path     string // of the instance
	Parent   *Group // nil for the whole
	Groups   []*Group
	Vertices []*Vertex
}

// depth is how many groups are around g.
func (g *Group) depth() int {
	n := 0
	for ; g.Parent != nil; g = g.Parent {
		n++
	}
	return n
}

// A Graph is what is drawn.
type Graph struct {
	Title    string
	Root     *Group
	Vertices []*Vertex // operands first
}

// edge is a use of a value.
type edge struct{ from, to *Vertex }

func (g *Graph) edges() []edge {
	var out []edge
	for _, v := range g.Vertices {
		for _, u := range v.From {
			out = append(out, edge{u, v})
		}
	}
	return out
}
