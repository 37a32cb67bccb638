package draw

import (
	"strings"
	"testing"
)

// outline is a group with the names in it: a [g b c].
func outline(g *Group) string {
	var words []string
	for _, v := range g.Vertices {
		words = append(words, v.Name)
	}
	for _, c := range g.Groups {
		words = append(words, "["+c.Title+" "+outline(c)+"]")
	}
	return strings.Join(words, " ")
}

// A group that a value leaves and comes back to is taken apart, and no other.
func TestUnravel(t *testing.T) {
	cases := []struct{ name, names, edges, want string }{
		{"in order", "x [g u v] y", "x>u u>v v>y", "x y [g u v]"},
		{"returns", "[g u v] m", "u>m m>v", "m g.u g.v"},
		{"returns by another group", "[g u v] [h m n]", "u>m m>n n>v", "g.u g.v h.m h.n"},
		{"neighbour", "[g u v] [h a b] m", "u>m m>v v>a a>b", "m g.u g.v [h a b]"},
		{"nested in one in order", "x [g [i u v] m] y", "x>u u>m m>v v>y", "x y [g m i.u i.v]"},
		{"nested in one that returns", "[g a [i u v]] m", "a>m m>u u>v", "m g.a [g.i u v]"},
		{"nested, both return", "[g a [i u v]] m", "u>m m>v a>u", "m g.a g.i.u g.i.v"},
	}
	for _, c := range cases {
		g := sketched(t, c.names, c.edges)
		g.Root.unravel(g.edges())
		if got := outline(g.Root); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		checkHolders(t, g.Root)
		both(t, g) // has an order of layers now
	}
}

// checkHolders checks that vertices and groups know what they are in.
func checkHolders(t *testing.T, g *Group) {
	t.Helper()
	for _, v := range g.Vertices {
		if v.Group != g {
			t.Errorf("%s is in %q and not in %q", v.Name, g.Title, v.Group.Title)
		}
	}
	for _, c := range g.Groups {
		if c.Parent != g {
			t.Errorf("group %s is in %q", c.Title, g.Title)
		}
		checkHolders(t, c)
	}
}

// The model reads a value of an instance before the instance goes on: it is no
// box, while the one that only returns is.
func TestInstanceThatIsReadBetween(t *testing.T) {
	g := drawn(program(t, "m.dnn", `
layer pair(x [B, K]) {
    param W [K, 3] = he_normal
    u = x @ W
    v = u^2
    return v, v*u
}
layer line(x [B, K]) {
    param W [K, 3] = he_normal
    u = x @ W
    v = u^2
    return v*u
}
model M {
    input x [B, 4]
    p, q = pair(x)
    r      = line(x)
    loss   sum((p - q)^2 + r)
    train  sgd(lr: 0.1)
}`))
	loss := "" // has no name
	if got, want := outline(g.Root), "x p q r "+loss+" pair.u [r u v]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
