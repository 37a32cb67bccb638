package passes

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// A batcher adds front axes to all that depends on one node.
type batcher struct {
	g      *ir.Graph
	prefix ir.Shape
	done   map[*ir.Node]*ir.Node // batched values
	needs  map[*ir.Node]bool
}

// batched is root with u replaced by to, whose type is u's behind the axes of
// prefix; root gets the same front axes.
func batched(g *ir.Graph, root, u, to *ir.Node, prefix ir.Shape) *ir.Node {
	b := &batcher{g: g, prefix: prefix, done: map[*ir.Node]*ir.Node{u: to}, needs: map[*ir.Node]bool{u: true}}
	var inline func(n *ir.Node) *ir.Node
	inline = func(n *ir.Node) *ir.Node {
		if n.Is("call") && dependsOn(n, u) {
			return g.Rewrite(inline, g.Inline(n))[0]
		}
		return n
	}
	root = g.Rewrite(inline, root)[0]
	for _, n := range ir.Topological(root) {
		for _, a := range n.Args {
			b.needs[n] = b.needs[n] || b.needs[a]
		}
		if b.needs[n] && n != u {
			b.done[n] = b.node(n)
			g.CopyOrigin(b.done[n], n)
		}
	}
	return b.value(root)
}

func dependsOn(n, u *ir.Node) bool {
	for _, m := range ir.Topological(n) {
		if m == u {
			return true
		}
	}
	return false
}

// value is n with the front axes: repeated along them where it has none.
func (b *batcher) value(n *ir.Node) *ir.Node {
	if out, ok := b.done[n]; ok {
		return out
	}
	return b.g.Spread(n, b.shape(n.Type.Shape), axes(0, len(b.prefix)))
}

func (b *batcher) shape(s ir.Shape) ir.Shape { return append(append(ir.Shape{}, b.prefix...), s...) }

func (b *batcher) shift(axes []int) []int {
	out := make([]int, len(axes))
	for i, a := range axes {
		out[i] = a + len(b.prefix)
	}
	return out
}

// node is n on operands with front axes.
func (b *batcher) node(n *ir.Node) *ir.Node {
	k, at := len(b.prefix), n.Attr
	zeros, ones := make([]ir.Dim, k), make([]int, k)
	for i := range ones {
		ones[i] = 1
	}
	switch n.Op.Name {
	case "einsum":
		return b.einsum(n)
	case "pin", "stop_gradient", "bounded":
		return b.value(n.Args[0])
	case "written":
		return b.g.Map("written", b.value(n.Args[0]))
	case "spread":
		at.Dims, at.Axes = b.shape(at.Dims), b.shift(at.Axes)
	case "reshape":
		at.Dims = b.shape(at.Dims)
	case "transpose":
		at.Axes = append(axes(0, k), b.shift(at.Axes)...)
	case "slice":
		at.Dims, at.Limits, at.Steps = append(zeros, at.Dims...), b.shape(at.Limits), append(ones, at.Steps...)
	case "place":
		at.Dims, at.Limits, at.Steps = b.shape(at.Dims), append(zeros, at.Limits...), append(ones, at.Steps...)
	case "gather", "scatter_add":
		at.Axis += k
		return b.g.Must(n.Op.Name, at, b.value(n.Args[0]), n.Args[1])
	default:
		at.Axis += k
		if at.Axes != nil {
			at.Axes = b.shift(at.Axes)
		}
		if n.Op.Class == ir.Map {
			at = n.Attr
		}
	}
	args := make([]*ir.Node, len(n.Args))
	for i, a := range n.Args {
		args[i] = b.value(a)
	}
	return b.g.Must(n.Op.Name, at, args...)
}

// einsum gives the front axes letters of their own.
func (b *batcher) einsum(n *ir.Node) *ir.Node {
	in, in2, out := ir.SplitSpec(n.Attr.Spec)
	front := freshLetters(in+in2+out, len(b.prefix))
	args := [2]*ir.Node{n.Args[0], n.Args[1]}
	letters := [2]string{in, in2}
	for i, a := range n.Args {
		if v, ok := b.done[a]; ok {
			args[i], letters[i] = v, front+letters[i]
		}
	}
	return b.g.Einsum(letters[0]+","+letters[1]+"->"+front+out, args[0], args[1])
}

// freshLetters is n letters that used has not.
func freshLetters(used string, n int) string {
	out := ""
	for c := 'a'; len(out) < n; c++ {
		if c == 'z'+1 {
			c = 'A'
		}
		if c > 'Z' && c < 'a' {
			panic(fmt.Sprintf("passes: %q leaves no letter for another axis", used))
		}
		if !strings.ContainsRune(used, c) {
			out += string(c)
		}
	}
	return out
}
