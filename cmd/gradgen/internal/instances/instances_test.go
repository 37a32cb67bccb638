package instances

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

func TestPaths(t *testing.T) {
	for path, want := range map[string]string{
		"": "", "h": "", "block.attn": "block", "block.0": "", "block.0.attn": "block.0", "a.1.b.2": "a.1", "a.1.2": "",
	} {
		if got := Around(path); got != want {
			t.Errorf("around %q is %q, want %q", path, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{{"h", "", true}, {"h", "h", true}, {"h.q", "h", true}, {"h2", "h", false}, {"h", "h.q", false}, {"", "h", false}} {
		if got := Inside(c.a, c.b); got != c.want {
			t.Errorf("%q in %q: %v", c.a, c.b, got)
		}
	}
	for _, c := range []struct{ a, b, want string }{
		{"g.a", "g.b", "g"}, {"g", "g.b", "g"}, {"g", "h", ""}, {"g.a", "ga", ""}, {"g.0.a", "g.0.b", "g.0"},
	} {
		if got := commonPath(c.a, c.b); got != c.want {
			t.Errorf("around %q and %q: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

// network has named and unnamed nodes, in instances and between them.
const network = `
layer twice(x [B, K]) {
    u = dense(x, 3, act: tanh)
    return exp(dense(u, 3))
}
model M {
    input x [B, 4]
    h = dense(x, 4)
    h = dense(h, 4)
    h = relu(h)
    y = twice(h)
    output y
    loss mean(y^2)*2
    train sgd(lr: 0.1)
}`

// found is the instances of the training side of the model.
func found(t *testing.T) (*ir.Graph, *ir.Side, *Map) {
	t.Helper()
	file, syntax := dsl.Parse("m.dnn", []byte(network))
	p, meaning := dsl.Elaborate(file, dsl.Options{})
	if diags := append(syntax, meaning...); len(diags) > 0 {
		t.Fatal(diags[0].Message)
	}
	side := p.Models[0].Train
	return p.Graph, side, Find(p.Graph, side.Roots()...)
}

// ops is the ops that compute in each instance.
func ops(m *Map) map[string]string {
	list := map[string][]string{}
	for _, n := range m.Order {
		if n.Op.Class != ir.Leaf && n.Op.Class != ir.View && !n.IsMark() && !m.Fixed[n] {
			list[m.Of[n]] = append(list[m.Of[n]], n.Op.Name)
		}
	}
	out := map[string]string{}
	for path, names := range list {
		out[path] = strings.Join(names, " ")
	}
	return out
}

// A node without a name is with the parameter that it reads, else where its
// operands are; one with a name is where that is bound, until Own.
func TestFind(t *testing.T) {
	g, _, m := found(t)
	bound := map[string]string{
		"":        "add add max exp pow sum div mul",
		"h":       "einsum",
		"h2":      "einsum",
		"y.u":     "einsum add",
		"y":       "tanh",
		"y.dense": "einsum add",
	}
	if got := ops(m); !maps.Equal(got, bound) {
		t.Errorf("got  %q\nwant %q", got, bound)
	}

	m.Own(g)
	own := map[string]string{
		"":        "max pow sum div mul",
		"h":       "einsum add",
		"h2":      "einsum add",
		"y.u":     "einsum add tanh",
		"y":       "exp",
		"y.dense": "einsum add",
	}
	if got := ops(m); !maps.Equal(got, own) {
		t.Errorf("after Own\ngot  %q\nwant %q", got, own)
	}
}

// What instances return is read outside of them, or is a root.
func TestReturned(t *testing.T) {
	g, _, m := found(t)
	m.Own(g)
	var got []string
	for _, n := range m.Order {
		if m.Returned(n) && n.Op.Class != ir.Leaf {
			got = append(got, m.Of[n]+" "+n.Op.Name)
		}
	}
	slices.Sort(got)
	want := []string{"h add", "h2 add", "y exp", "y.dense add", "y.u tanh"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is made of constants and extents alone has no instance of its own.
func TestFixed(t *testing.T) {
	_, side, m := found(t)
	fixed, moving := 0, 0
	for _, n := range m.Order {
		leaves := ir.Topological(n)
		moves := slices.ContainsFunc(leaves, func(x *ir.Node) bool { return x.Is("input") || x.Is("param") })
		if m.Fixed[n] == moves {
			t.Errorf("%s of %v: fixed %v", n.Op.Name, n.Type, m.Fixed[n])
		}
		if moves {
			moving++
		} else {
			fixed++
		}
	}
	if fixed == 0 || moving == 0 || m.Fixed[side.Losses[0].Node] {
		t.Errorf("%d nodes are fixed, %d are not", fixed, moving)
	}
}

// A parameter is one in whatever view.
func TestIsParam(t *testing.T) {
	_, _, m := found(t)
	for _, n := range m.Order {
		if n.Op.Class == ir.View {
			base := n
			for base.Op.Class == ir.View {
				base = base.Args[0]
			}
			if IsParam(n) != base.Is("param") {
				t.Errorf("a view of %s: %v", base.Op.Name, IsParam(n))
			}
		}
		if n.Op.Class == ir.Map && IsParam(n) {
			t.Errorf("%s is no parameter", n.Op.Name)
		}
	}
}
