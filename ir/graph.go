package ir

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A Node is one value of a graph: an operation on other values. Nodes are
// immutable and hash-consed: in one Graph, equal operations on equal operands
// are one node, so that common subexpressions need no pass.
type Node struct {
	Op   *Op
	Args []*Node
	Attr Attr
	Body []*Region // of ops that hold graphs: call
	Type Type
	ID   int // order of creation in its graph: every operand has a lower one
}

// Attr has what an operation says beside its operands. Each op uses the
// fields that its row names and leaves the others zero.
type Attr struct {
	Name   string    // leaf: path or name; random: site; pin: binding
	Value  float64   // const
	Axis   int       // gather, scatter_add, concat, iota
	Axes   []int     // reductions: removed; spread: new in the result; transpose: order; flip
	Dims   []Dim     // leaf, reshape, spread, place: the result; slice: starts; size, bounded, scatter_add: one
	Limits []Dim     // slice: ends; place: starts
	Steps  []int     // slice, place
	Spec   string    // einsum
	Elem   DType     // leaf, cast, size, iota, random
	Data   []float64 // tensor
	Within bool      // eq: an index within the extent is compared with each of it; scatter_along: all indices are within
}

// A Region is a graph inside a node. Its parameters are arg nodes; results may
// also use any node outside (captures). It does not change once it is in a node.
type Region struct {
	Params  []*Node
	Results []*Node

	captures []*Node // of a region in a node
	closed   bool    // captures is computed
}

// An Origin says where a node comes from. It lies beside the node, outside its
// hash: it names buffers and formulas and never changes a value.
type Origin struct {
	Name     string // the name the program binds it to
	Instance string // path of the layer instance, loop indices included
	Pos      string // file:line:column
	Scale    *Node  // where not nil, Name is Scale times the node
	Serial   int    // of the value that was named; what it is rewritten to keeps it
	Of       int    // of a derivative by a value: that one's Serial
}

// A Graph creates nodes. The zero Graph is not usable; call NewGraph.
type Graph struct {
	table   map[string]*Node
	origins map[*Node]Origin
	serial  int         // of origins so far
	merged  map[int]int // serials of values that were rewritten to others with a name: theirs
	nodes   int
	args    int    // region parameters made so far
	key     []byte // room for a key
	work    int    // operations made, also those that were there already
	limit   int    // of work; 0 for none
}

// ErrWork is what a graph panics with where making an operation goes beyond the
// limit that LimitWork has set.
var ErrWork = errors.New("ir: a graph takes more work than its limit")

// LimitWork allows n more operations to be made, also such as are there already;
// 0 allows any number. As every rewriting makes operations, this bounds the time
// of all passes, and depends on the program alone.
func (g *Graph) LimitWork(n int) {
	g.limit = n
	if n > 0 {
		g.limit += g.work
	}
}

// Work is the number of operations made so far, also those that were there
// already.
func (g *Graph) Work() int { return g.work }

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	return &Graph{table: map[string]*Node{}, origins: map[*Node]Origin{}, merged: map[int]int{}}
}

// SetOrigin notes where n comes from, unless something is noted already. It
// gives a name that has none its serial.
func (g *Graph) SetOrigin(n *Node, o Origin) {
	if old, ok := g.origins[n]; !ok || old.Name == "" {
		if o.Serial == 0 && o.Name != "" {
			g.serial++
			o.Serial = g.serial
		}
		g.origins[n] = o
	}
}

// Origin is what SetOrigin noted of n.
func (g *Graph) Origin(n *Node) Origin { return g.origins[n] }

// CopyOrigin gives to what from has, where to has nothing of its own.
func (g *Graph) CopyOrigin(to, from *Node) {
	if o, ok := g.origins[from]; ok && to != from {
		g.SetOrigin(to, o)
		if s, t := g.SerialOf(o.Serial), g.SerialOf(g.origins[to].Serial); s != t && s != 0 && t != 0 {
			g.merged[s] = t
		}
	}
}

// SerialOf is the serial of the value that the one with the given serial has
// become.
func (g *Graph) SerialOf(serial int) int {
	for g.merged[serial] != 0 {
		serial = g.merged[serial]
	}
	return serial
}

// Make returns the node of op on args. The error says, in shapes, why the
// operands do not fit.
func (g *Graph) Make(op *Op, attr Attr, args ...*Node) (*Node, error) {
	if op.Arity >= 0 && len(args) != op.Arity {
		return nil, fmt.Errorf("%s takes %d operands, not %d", op.Name, op.Arity, len(args))
	}
	n := &Node{Op: op, Args: args, Attr: attr.only(op)}
	t, err := n.infer()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	n.Type = t
	return g.intern(n), nil
}

// MakeCall returns a call node: the regions' parameters stand for args. It
// panics where they do not fit.
func (g *Graph) MakeCall(name string, args []*Node, regions ...*Region) *Node {
	n, err := g.makeCall(name, args, regions)
	if err != nil {
		panic("ir: " + err.Error())
	}
	return n
}

func (g *Graph) makeCall(name string, args []*Node, regions []*Region) (*Node, error) {
	n := &Node{Op: Ops["call"], Args: args, Attr: Attr{Name: name}, Body: regions}
	t, err := n.infer()
	if err != nil {
		return nil, fmt.Errorf("call %q: %w", name, err)
	}
	n.Type = t
	return g.intern(n), nil
}

// NewArg returns a fresh region parameter.
func (g *Graph) NewArg(t Type) *Node {
	for {
		g.args++
		before := g.nodes
		n := g.Must("arg", Attr{Name: "a" + strconv.Itoa(g.args), Dims: t.Shape, Elem: t.Elem})
		if g.nodes > before {
			return n
		}
	}
}

// Must is Make for operands known to fit; it panics otherwise.
func (g *Graph) Must(op string, attr Attr, args ...*Node) *Node {
	row, ok := Ops[op]
	if !ok {
		panic("ir: no op " + op)
	}
	n, err := g.Make(row, attr, args...)
	if err != nil {
		panic("ir: " + err.Error())
	}
	return n
}

// Rebuild is n on other operands.
func (g *Graph) Rebuild(n *Node, args []*Node) *Node {
	if slices.Equal(n.Args, args) {
		return n
	}
	return g.rebuild(n, args, n.Body)
}

// rebuild is n on other operands and regions.
func (g *Graph) rebuild(n *Node, args []*Node, body []*Region) *Node {
	c := &Node{Op: n.Op, Args: args, Attr: n.Attr, Body: body}
	t, err := c.infer()
	if err != nil {
		panic(fmt.Sprintf("ir: rebuilding %s: %v", n.Op.Name, err))
	}
	c.Type = t
	c = g.intern(c)
	g.CopyOrigin(c, n)
	return c
}

// intern returns the node that equals n, n itself where there is none yet.
func (g *Graph) intern(n *Node) *Node {
	if g.work++; g.limit > 0 && g.work > g.limit {
		panic(ErrWork)
	}
	g.key = n.appendKey(g.key[:0])
	if old, ok := g.table[string(g.key)]; ok {
		return old
	}
	n.ID = g.nodes
	g.nodes++
	g.table[string(g.key)] = n
	for _, r := range n.Body {
		r.close()
	}
	return n
}

func (n *Node) key() string { return string(n.appendKey(nil)) }

// appendKey appends what makes a node this node: op, attributes, operands,
// regions.
func (n *Node) appendKey(b []byte) []byte {
	b = append(b, n.Op.Name...)
	for _, a := range n.Args {
		b = strconv.AppendInt(append(b, ' '), int64(a.ID), 10)
	}
	b = n.Attr.appendKey(append(b, '|'))
	b = append(b, n.Type.Elem.String()...)
	for _, r := range n.Body {
		b = append(b, '{')
		for _, list := range [][]*Node{r.Params, r.Results} {
			for _, p := range list {
				b = append(strconv.AppendInt(b, int64(p.ID), 10), ',')
			}
			b = append(b, ':')
		}
		b = append(b, '}')
	}
	return b
}

// appendKey appends the fields that are set, each behind a letter of its own.
func (a Attr) appendKey(b []byte) []byte {
	number := func(letter byte, n int) { b = strconv.AppendInt(append(b, letter), int64(n), 10) }
	numbers := func(letter byte, list []int) {
		for _, n := range list {
			number(letter, n)
		}
	}
	float := func(letter byte, v float64) { b = strconv.AppendUint(append(b, letter), math.Float64bits(v), 10) }
	text := func(letter byte, s string) {
		if s != "" {
			number(letter, len(s))
			b = append(append(b, ':'), s...)
		}
	}
	dims := func(letter byte, list []Dim) {
		for _, d := range list {
			if n, ok := d.Const(); ok {
				number(letter, n)
			} else {
				text(letter, d.String())
			}
		}
	}
	text('n', a.Name)
	float('v', a.Value)
	number('a', a.Axis)
	numbers('x', a.Axes)
	dims('d', a.Dims)
	dims('l', a.Limits)
	numbers('s', a.Steps)
	text('p', a.Spec)
	number('e', int(a.Elem))
	for _, v := range a.Data {
		float('t', v)
	}
	if a.Within {
		b = append(b, 'w')
	}
	return append(b, '|')
}

// Is reports whether n is of the op called name.
func (n *Node) Is(name string) bool { return n.Op.Name == name }

// IsMark reports whether n is a mark whose value is its operand's: a pin, a
// stop_gradient, a bound, or what is computed as it is written.
func (n *Node) IsMark() bool {
	return n.Is("pin") || n.Is("stop_gradient") || n.Is("bounded") || n.Is("written")
}

// Operands is what n depends on directly: its arguments, then what its regions
// capture.
func (n *Node) Operands() []*Node {
	if len(n.Body) == 0 {
		return n.Args
	}
	out := slices.Clone(n.Args)
	for _, r := range n.Body {
		out = append(out, r.Captures()...)
	}
	return out
}

// Topological is every node that roots depend on, operands first, regions'
// captures included. The order depends on the graph alone.
func Topological(roots ...*Node) []*Node {
	var order []*Node
	seen := map[*Node]bool{}
	var visit func(n *Node)
	visit = func(n *Node) {
		if n == nil || seen[n] {
			return
		}
		seen[n] = true
		for _, a := range n.Operands() {
			visit(a)
		}
		order = append(order, n)
	}
	for _, r := range roots {
		visit(r)
	}
	return order
}

// Captures is what a region uses of the graph around it: the outermost nodes
// that do not depend on its parameters.
func (r *Region) Captures() []*Node {
	if r.closed {
		return r.captures
	}
	return r.findCaptures()
}

// close computes the captures once: nodes with regions ask for them each time
// they are visited.
func (r *Region) close() {
	if !r.closed {
		r.captures, r.closed = r.findCaptures(), true
	}
}

func (r *Region) findCaptures() []*Node {
	inside := map[*Node]bool{}
	for _, p := range r.Params {
		inside[p] = true
	}
	all := Topological(r.Results...)
	for _, n := range all {
		for _, a := range n.Operands() {
			if inside[a] {
				inside[n] = true
			}
		}
	}
	var out []*Node
	seen := map[*Node]bool{}
	note := func(n *Node) {
		if !inside[n] && !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	for _, n := range all {
		if inside[n] {
			for _, a := range n.Operands() {
				note(a)
			}
		}
	}
	for _, n := range r.Results {
		note(n)
	}
	return out
}

// Rewrite rebuilds roots bottom-up: f is given each node with its operands
// already rewritten and returns what stands in its place. Regions are
// rewritten with the same function; it may give their parameters another type,
// and must leave them parameters.
func (g *Graph) Rewrite(f func(n *Node) *Node, roots ...*Node) []*Node {
	rw := &rewriter{g: g, f: f, done: map[*Node]*Node{}}
	out := make([]*Node, len(roots))
	for i, r := range roots {
		if r != nil {
			out[i] = rw.node(r)
		}
	}
	return out
}

type rewriter struct {
	g    *Graph
	f    func(n *Node) *Node
	done map[*Node]*Node
}

func (rw *rewriter) node(n *Node) *Node {
	if out, ok := rw.done[n]; ok {
		return out
	}
	args := make([]*Node, len(n.Args))
	for i, a := range n.Args {
		args[i] = rw.node(a)
	}
	body := make([]*Region, len(n.Body))
	changed := false
	for i, r := range n.Body {
		body[i] = rw.region(r)
		changed = changed || body[i] != r
	}
	out := n
	if changed || !slices.Equal(n.Args, args) {
		out = rw.g.rebuild(n, args, body)
	}
	out = rw.f(out)
	if out != n {
		rw.g.CopyOrigin(out, n)
	}
	rw.done[n] = out
	return out
}

func (rw *rewriter) region(r *Region) *Region {
	out := &Region{Params: make([]*Node, len(r.Params)), Results: make([]*Node, len(r.Results))}
	for i, n := range r.Params {
		out.Params[i] = rw.node(n)
		if !out.Params[i].Is("arg") {
			panic("ir: a region's parameter is rewritten to " + out.Params[i].Op.Name)
		}
	}
	for i, n := range r.Results {
		out.Results[i] = rw.node(n)
	}
	if slices.Equal(out.Params, r.Params) && slices.Equal(out.Results, r.Results) {
		return r
	}
	return out
}

// Replace rebuilds roots with every node that of maps replaced.
func (g *Graph) Replace(of map[*Node]*Node, roots ...*Node) []*Node {
	rw := &rewriter{g: g, f: func(n *Node) *Node { return n }, done: map[*Node]*Node{}}
	for from, to := range of {
		rw.done[from] = to
	}
	out := make([]*Node, len(roots))
	for i, r := range roots {
		if r != nil {
			out[i] = rw.node(r)
		}
	}
	return out
}

// Uses counts how often each node below roots is an operand; each root counts
// as one use.
func Uses(roots ...*Node) map[*Node]int {
	uses := map[*Node]int{}
	for _, n := range Topological(roots...) {
		for _, a := range n.Operands() {
			uses[a]++
		}
	}
	for _, r := range roots {
		if r != nil {
			uses[r]++
		}
	}
	return uses
}
