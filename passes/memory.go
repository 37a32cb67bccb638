package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// findMemory decides which values get a buffer: targets, what a product or
// another group reads, and what is read in another way than it is computed.
func (f *fuser) findMemory(roots []*ir.Node) {
	for _, r := range roots {
		if !f.avail[r] {
			f.memory[r] = true
		}
		if f.inline(r) {
			f.rememberOperands(r, nil) // a scalar of its own
		}
	}
	for _, g := range f.groups {
		if g.product != nil {
			f.memory[g.product.result] = true
			for _, x := range []*ir.Node{g.product.a, g.product.b, g.product.alpha, g.product.beta} {
				f.remember(x, nil)
			}
			continue
		}
		for _, n := range g.nodes {
			if n.Is("pick") {
				f.remember(n.Args[0], nil)
				f.remember(n.Args[1], nil)
				continue
			}
			f.rememberOperands(n, g)
		}
		for _, n := range g.folds {
			f.rememberOperands(n, g)
			f.remember(f.into[n].scale, g)
			f.memory[n] = f.into[n].target == nil
		}
		for _, p := range g.puts {
			f.remember(p.x, g)
			if scatters(p.to) {
				f.remember(p.to.Args[1], g)
			}
		}
	}

	// What a later pass over the row reads again is kept if it costs much.
	for _, g := range f.groups {
		if g.product == nil {
			f.prune(g)
			newPasses(f, g).keepCostly()
		}
	}
}

// prune drops the nodes of g that nothing needs: a product or a sum of parts
// has taken over what their users were.
func (f *fuser) prune(g *group) {
	live := map[*ir.Node]bool{}
	var need func(n *ir.Node)
	need = func(n *ir.Node) {
		if live[n] {
			return
		}
		live[n] = true
		for _, a := range n.Args {
			if f.of[a] == g || f.inline(a) {
				need(a)
			}
		}
	}
	for _, n := range g.nodes {
		if f.memory[n] {
			need(n)
		}
	}
	for _, n := range g.folds {
		need(n)
	}
	for _, p := range g.puts {
		need(p.x)
	}
	g.nodes = slices.DeleteFunc(g.nodes, func(n *ir.Node) bool { return !live[n] })
}

// reading is a value that a group reads.
type reading struct {
	node *ir.Node
	by   *group
}

func (f *fuser) rememberOperands(n *ir.Node, g *group) {
	for _, a := range n.Args {
		f.remember(a, g)
	}
}

// remember gives a buffer to what g reads of other groups, and to what it reads
// of itself by index; nothing is read of nil.
func (f *fuser) remember(a *ir.Node, g *group) {
	key := reading{a, g}
	if f.remembered[key] {
		return
	}
	f.remembered[key] = true
	switch {
	case a == nil || f.avail[a]:
	case !f.inline(a):
		if g == nil || f.of[a] != g {
			f.memory[a] = true
			f.reread[a] = true
		}
	case a.Is("gather"):
		f.remember(a.Args[0], nil)
		f.remember(a.Args[1], nil)
	default:
		f.rememberOperands(a, g)
	}
}
