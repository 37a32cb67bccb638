package passes

import (
	"fmt"
	"slices"
	"testing"

	"gradgen.dev/ir"
)

// A chain is procedures that run one after another, with what each must leave
// behind.
type chain struct {
	arena   ir.Arena
	procs   []*ir.Procedure
	targets [][]target
}

// check runs a chain at every size.
func (p *planning) check(c chain) error {
	if err := checkTimeline(c.procs); err != nil {
		return fmt.Errorf("%w\n%s", err, c)
	}
	for _, dims := range sizes {
		for _, backwards := range []bool{false, true} {
			e := p.at(dims)
			if e == nil {
				continue
			}
			m := p.machine(e, c.arena)
			m.backwards = backwards
			for i, proc := range c.procs {
				err := m.run(proc)
				if err == nil {
					err = checkTargets(m, e, proc, c.targets[i])
				}
				if err != nil {
					return fmt.Errorf("at %v: %s: %w\n%s", dims, proc.Name, err, c)
				}
			}
		}
	}
	return nil
}

func (c chain) String() string {
	text := ""
	for _, p := range c.procs {
		text += planText(p)
	}
	return text
}

// one plans the roots as one procedure.
func (p *planning) one() error {
	targets := p.outputs(p.roots, "out")
	pl := p.pl.child()
	proc := pl.procedure("all", targets, nil)
	if pl.err != nil {
		return pl.err
	}
	arena := place([]timeline{{proc}})
	return p.check(chain{arena, []*ir.Procedure{proc}, [][]target{targets}})
}

// pairs plans some of the roots as a forward, and the others as two procedures
// of which either may follow it and read what it has saved.
func (p *planning) pairs() error {
	var parts [3][]*ir.Node
	for i, r := range p.roots {
		k := p.rng.IntN(3)
		if i == 0 {
			k = 0
		}
		parts[k] = append(parts[k], r)
	}
	fw := p.pl.child()
	keep := saved(fw.buffer, parts[0], slices.Concat(parts[1], parts[2]))
	forward := p.outputs(parts[0], "out")
	first := fw.procedure("forward", forward, keep)
	var lines []timeline
	var chains []chain
	for k, name := range []string{"gradient", "backward"} {
		bw := fw.child()
		targets := p.outputs(parts[1+k], name)
		proc := bw.procedure(name, targets, nil)
		if bw.err != nil {
			return bw.err
		}
		lines = append(lines, timeline{first, proc})
		chains = append(chains, chain{procs: lines[k], targets: [][]target{forward, targets}})
	}
	if fw.err != nil {
		return fw.err
	}
	arena := place(lines)
	for _, c := range chains {
		c.arena = arena
		if err := p.check(c); err != nil {
			return err
		}
	}
	return nil
}

// updates plans the roots, and new values for parameters and states in their
// own memory, behind a forward that has saved some.
func (p *planning) updates() error {
	var next []target
	var roots []*ir.Node
	for _, leaf := range p.leaves {
		b := p.pl.buffer[leaf]
		if b == nil || !updated(b) || !leaf.Type.Elem.IsFloat() {
			continue
		}
		n := p.next(leaf)
		if len(next) > 0 && n.Type.Equal(next[0].node.Type) && p.rng.IntN(8) == 0 {
			n = next[0].node
		}
		next, roots = append(next, target{node: n, buffer: b, leaf: leaf}), append(roots, n)
	}
	for i, n := range p.lowered(roots) {
		next[i].node = n
	}
	fw := p.pl.child()
	forward := p.outputs(p.roots[:1], "out")
	keep := saved(fw.buffer, p.roots[:1], append(roots, p.roots[1]))
	first := fw.procedure("forward", forward, keep)
	bw := fw.child()
	targets := append(p.outputs(p.roots[1:2], "other"), next...)
	second := bw.procedure("backward", targets, nil)
	if fw.err != nil || bw.err != nil {
		return fmt.Errorf("%v %v", fw.err, bw.err)
	}
	line := timeline{first, second}
	return p.check(chain{place([]timeline{line}), line, [][]target{forward, targets}})
}

// next is a new value for a leaf: as optimisers have it, or any.
func (p *planning) next(leaf *ir.Node) *ir.Node {
	g, shape := p.g, leaf.Type.Shape
	rate := g.Broadcast(g.Const(0.125, leaf.Type.Elem), shape)
	var like []*ir.Node
	for _, n := range ir.Topological(p.roots...) {
		if n.Type.Equal(leaf.Type) {
			like = append(like, n)
		}
	}
	d := g.Map("tanh", leaf)
	if len(like) > 0 {
		d = like[p.rng.IntN(len(like))]
	}
	switch p.rng.IntN(6) {
	case 0:
		return d
	case 1:
		return g.Map("sub", g.Map("mul", rate, leaf), d)
	case 2:
		return g.Map("add", leaf, d)
	case 3:
		if scalar := p.roots[1]; scalar.Type.Equal(leaf.Type.With(ir.Shape{})) {
			rate = g.Broadcast(scalar, shape)
		}
	}
	return g.Map("sub", leaf, g.Map("mul", rate, d))
}

// training plans a loss made of the roots, and behind it its gradient, or the
// update of every parameter with the gradient folded in.
func (p *planning) training() error {
	g := p.g
	var loss *ir.Node
	for _, r := range p.want {
		if r.Type.Elem.IsFloat() {
			bent := g.Map("tanh", g.Cast(r, ir.Float64))
			loss = g.Add(loss, g.Sum(bent, axes(0, r.Type.Rank())))
		}
	}
	var leaves []*ir.Node
	for _, leaf := range p.leaves {
		if leaf.Type.Elem.IsFloat() && p.pl.buffer[leaf] != nil {
			leaves = append(leaves, leaf)
		}
	}
	if loss == nil {
		return nil
	}
	grads := Strip(g, sweep(g, loss, g.Fill(1, loss.Type), leaves...)...)
	all := []*ir.Node{loss}
	for i, d := range grads {
		d = orZeros(g, d, leaves[i].Type)
		rate := g.Broadcast(g.Const(0.25, d.Type.Elem), d.Type.Shape)
		all = append(all, d, g.Map("sub", leaves[i], g.Map("mul", rate, d)))
	}
	all = p.lowered(all)
	fw := p.pl.child()
	tables(fw, all)
	forward := results(all[:1])
	first := fw.procedure("forward", forward, saved(fw.buffer, all[:1], all[1:]))
	var gradient, folded []target
	for i, leaf := range leaves {
		gradient = append(gradient, target{node: all[1+2*i], buffer: &ir.Buffer{Name: fmt.Sprint("d", i), Type: leaf.Type, Storage: ir.InGrad, Key: leafKey(leaf)}})
		if b := p.pl.buffer[leaf]; updated(b) {
			folded = append(folded, target{node: all[2+2*i], buffer: b, leaf: leaf})
		}
	}
	g1, b1 := fw.child(), fw.child()
	second, third := g1.procedure("gradient", gradient, nil), b1.procedure("backward", folded, nil)
	if fw.err != nil || g1.err != nil || b1.err != nil {
		return fmt.Errorf("%v, %v, %v", fw.err, g1.err, b1.err)
	}
	arena := place([]timeline{{first, second}, {first, third}})
	if err := p.check(chain{arena, timeline{first, second}, [][]target{forward, gradient}}); err != nil {
		return err
	}
	return p.check(chain{arena, timeline{first, third}, [][]target{forward, folded}})
}

// lowered is nodes in the form that is planned.
func (p *planning) lowered(nodes []*ir.Node) []*ir.Node {
	if p.simple {
		nodes = Simplify(p.g, nodes...)
	}
	return Lower(p.g, nodes...)
}

// TestPlanRandom plans random graphs as one procedure, as pairs of which the
// second reads what the first has saved, with updates in place, and as losses
// that are trained; it runs the plans and compares with the graphs' values.
func TestPlanRandom(t *testing.T) {
	for _, kind := range planned {
		t.Run(kind.name, func(t *testing.T) {
			for seed := range uint64(150) {
				p := newPlanning(seed, kind.options, kind.simple)
				checkPlans(t, seed, p)
			}
		})
	}
}

// TestPlanWoven does the same with woven graphs.
func TestPlanWoven(t *testing.T) {
	for seed := range uint64(1000) {
		p := wovenPlanning(seed, 6+int(seed%3)*5, seed%2 == 0)
		checkPlans(t, seed, p)
	}
}

func checkPlans(t *testing.T, seed uint64, p *planning) {
	t.Helper()
	for _, plan := range []func() error{p.one, p.pairs, p.updates, p.training} {
		if err := plan(); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, ir.Print(p.g, p.roots...))
		}
	}
}

// TestPlanDeterministic plans equal graphs twice.
func TestPlanDeterministic(t *testing.T) {
	for seed := range uint64(300) {
		var text [2]string
		for i := range text {
			p := wovenPlanning(seed, 20, seed%2 == 0)
			var next []target
			for _, leaf := range p.leaves {
				if b := p.pl.buffer[leaf]; updated(b) && leaf.Type.Elem.IsFloat() {
					next = append(next, target{node: p.next(leaf), buffer: b, leaf: leaf})
				}
			}
			proc := p.pl.procedure("all", append(p.outputs(p.roots, "out"), next...), nil)
			place([]timeline{{proc}})
			text[i] = planText(proc)
		}
		if text[0] != text[1] {
			t.Fatalf("seed %d:\n%s\nand\n%s", seed, text[0], text[1])
		}
	}
}
