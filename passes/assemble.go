package passes

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A put stores x, computed in the group, at a place of the value to.
type put struct {
	x, to  *ir.Node
	place  func(stored func(*ir.Node) bool) (view, bool) // where in to, as a view of it
	add    bool
	clears bool   // to is set to zero before the first put
	region string // where in to, as formulas write it
}

// assembly handles values that are put together from parts: placed, joined and
// scattered tensors, and sums of placed ones. It reports whether n is one.
func (f *fuser) assembly(n *ir.Node) bool {
	switch n.Op.Name {
	case "concat":
		f.assemble(n, f.concatPuts(n))
	case "scatter_add", "scatter_along":
		f.assemble(n, []put{{x: n.Args[0], to: n, add: true, clears: true, region: "[…]", place: scatterPlace(n)}})
	default:
		if !f.hasPlace(n) {
			return false
		}
		f.assemble(n, f.placePuts(n, f.placedTerms(n)))
	}
	return true
}

// assemble computes the parts and has each group store its own.
func (f *fuser) assemble(n *ir.Node, puts []put) {
	last, after := 0, -1
	if scatters(n) {
		for b := range f.bases(n.Args[1]) {
			after = max(after, f.index(b)) // the indices are known before
		}
	}
	for _, p := range puts {
		g := f.putGroup(p, after)
		g.puts = append(g.puts, p)
		last = max(last, g.index)
		if !p.add && len(puts) > 1 && puts[1].add {
			after = g.index // what is added finds the whole there
		}
	}
	f.of[n] = f.groups[last]
	f.memory[n] = true
}

// putGroup is the group behind the one of index after that computes p.x, or one
// that reads it only to store it.
func (f *fuser) putGroup(p put, after int) *group {
	f.visitAll(p.x)
	if g := f.of[p.x]; g != nil && g.index > after && g.product == nil && !slices.Contains(g.folds, p.x) &&
		!slices.ContainsFunc(g.puts, func(q put) bool { return q.to == p.x }) && g.levelOf(p.x.Type.Shape) == element {
		return g
	}
	g := f.groupFor(p.x, p.x.Type.Shape, func(g *group) bool { return f.operandFits(p.x, g, element) })
	if f.inline(p.x) {
		f.land(p.x, g)
	}
	f.noteReads(g, p.x)
	return g
}

// visitAll visits n and what it needs, as far as that is not done: nodes that
// fusing itself has made, and what they need ahead of its turn.
func (f *fuser) visitAll(n *ir.Node) {
	for _, m := range f.needed([]*ir.Node{n}) {
		for _, a := range m.Args {
			f.uses[a] += choice01(f.uses[a] == 0)
		}
		f.reachable(m)
		f.visit(m)
		f.visited[m] = true
	}
}

func choice01(b bool) int {
	if b {
		return 1
	}
	return 0
}

// placedTerm is a part of a sum of placed tensors: coef · scale · x.
type placedTerm struct {
	coef  float64
	scale []*ir.Node // scalars
	x     *ir.Node
}

// absorbPlaces marks the placed tensors, and their sums, that a larger sum
// takes over.
func (f *fuser) absorbPlaces(order []*ir.Node) {
	for _, n := range slices.Backward(order) {
		if n.Op.Class != ir.Map || !f.hasPlace(n) {
			continue
		}
		for _, a := range n.Args {
			if f.uses[a] == 1 && !f.targets[a] && f.hasPlace(a) {
				f.taken[a] = true
			}
		}
	}
}

// hasPlace reports whether a is a placed tensor, or a sum of which one is a
// part.
func (f *fuser) hasPlace(a *ir.Node) bool {
	placed, known := f.placed[a]
	if known {
		return placed
	}
	own := func(b *ir.Node) bool { return f.uses[b] <= 1 && !f.targets[b] && f.hasPlace(b) }
	switch a.Op.Name {
	case "place":
		placed = true
	case "add", "sub":
		placed = own(a.Args[0]) || own(a.Args[1])
	case "neg":
		placed = own(a.Args[0])
	case "mul":
		k := a.Args[0]
		placed = (k.IsConstant() || k.Is("spread") && k.Args[0].Type.Rank() == 0) && own(a.Args[1])
	}
	f.placed[a] = placed
	return placed
}

// placedTerms splits a sum of placed tensors. What others use too is a term of
// its own.
func (f *fuser) placedTerms(n *ir.Node) []placedTerm {
	var out []placedTerm
	var split func(coef float64, scale []*ir.Node, x *ir.Node)
	split = func(coef float64, scale []*ir.Node, x *ir.Node) {
		if x != n && (f.uses[x] > 1 || f.targets[x]) || !f.hasPlace(x) || x.Is("place") {
			out = append(out, placedTerm{coef, scale, x})
			return
		}
		switch x.Op.Name {
		case "add":
			split(coef, scale, x.Args[0])
			split(coef, scale, x.Args[1])
		case "sub":
			split(coef, scale, x.Args[0])
			split(-coef, scale, x.Args[1])
		case "neg":
			split(-coef, scale, x.Args[0])
		case "mul":
			if v, ok := x.Args[0].Literal(); ok {
				split(coef*v, scale, x.Args[1])
			} else {
				split(coef, append(slices.Clone(scale), x.Args[0].Args[0]), x.Args[1])
			}
		}
	}
	split(1, nil, n)
	return out
}

// placePuts is the stores of a sum of placed tensors: what is not placed first,
// in whole, then the others added. Parts for one place are added up before;
// parts that do not overlap need no addition at all.
func (f *fuser) placePuts(n *ir.Node, parts []placedTerm) []put {
	var whole *ir.Node
	var places []*ir.Node // one for each region
	sums := map[string]*ir.Node{}
	for _, p := range parts {
		if !p.x.Is("place") {
			whole = f.g.Add(whole, f.scaled(p, p.x))
			continue
		}
		x := f.scaled(p, p.x.Args[0])
		key := region(p.x)
		if sums[key] == nil {
			places = append(places, p.x)
		}
		sums[key] = f.g.Add(sums[key], x)
	}
	disjoint := whole == nil && apart(places)
	clears := whole == nil && !(disjoint && covers(places))
	var puts []put
	if whole != nil {
		puts = append(puts, put{x: whole, to: n, place: wholePlace(n)})
	}
	for _, at := range places {
		puts = append(puts, put{
			x: sums[region(at)], to: n, place: placePlace(n, at), region: regionText(at.Attr.Limits, at.Args[0].Type.Shape, n.Type.Shape, at.Attr.Steps),
			add: !disjoint, clears: clears,
		})
	}
	return puts
}

// regionText is a part of a value as an index: [1:], or [i, 2].
func regionText(starts []ir.Dim, extents, whole ir.Shape, steps []int) string {
	parts := make([]string, len(starts))
	for i, start := range starts {
		end := start.Add(extents[i].Sub(ir.D(1)).Mul(ir.D(steps[i]))).Add(ir.D(1))
		parts[i] = rangeText(start, end, whole[i], steps[i])
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// region says where a place node puts its operand.
func region(at *ir.Node) string {
	return fmt.Sprint(ir.Shape(at.Attr.Limits), at.Attr.Steps, at.Args[0].Type.Shape)
}

// covers reports whether regions that do not overlap fill the whole value.
func covers(places []*ir.Node) bool {
	sum := ir.Dim{}
	for _, at := range places {
		sum = sum.Add(at.Args[0].Type.Shape.Size())
	}
	return sum.Equal(places[0].Type.Shape.Size())
}

// scaled is the scale of a part times x.
func (f *fuser) scaled(p placedTerm, x *ir.Node) *ir.Node {
	s := newSimplifier(f.g, nil)
	t := atomic(x)
	t.coef = p.coef
	for _, k := range p.scale {
		t = t.times(s.product(f.g.Broadcast(k, x.Type.Shape)))
	}
	return s.buildTerm(t, x.Type)
}

func wholePlace(n *ir.Node) func(func(*ir.Node) bool) (view, bool) {
	return func(func(*ir.Node) bool) (view, bool) {
		return view{base: n, strides: rowMajor(n.Type.Shape)}, true
	}
}

func placePlace(to, place *ir.Node) func(func(*ir.Node) bool) (view, bool) {
	return func(func(*ir.Node) bool) (view, bool) {
		v := view{base: to, strides: rowMajor(to.Type.Shape)}
		for i, k := range place.Attr.Steps {
			v.offset = v.offset.Add(place.Attr.Limits[i].Mul(v.strides[i]))
			v.strides[i] = v.strides[i].Mul(ir.D(k))
		}
		return v, true
	}
}

func (f *fuser) concatPuts(n *ir.Node) []put {
	var puts []put
	at := ir.Dim{}
	for _, x := range n.Args {
		start := at
		starts, steps := make([]ir.Dim, n.Type.Rank()), make([]int, n.Type.Rank())
		starts[n.Attr.Axis] = at
		for i := range steps {
			steps[i] = 1
		}
		text := regionText(starts, x.Type.Shape, n.Type.Shape, steps)
		puts = append(puts, put{x: x, to: n, region: text, place: func(func(*ir.Node) bool) (view, bool) {
			v := view{base: n, strides: rowMajor(n.Type.Shape)}
			v.offset = start.Mul(v.strides[n.Attr.Axis])
			return v, true
		}})
		at = at.Add(x.Type.Shape[n.Attr.Axis])
	}
	return puts
}

// scatters reports whether n adds its operand up at indices that are read from
// memory.
func scatters(n *ir.Node) bool { return n.Is("scatter_add") || n.Is("scatter_along") }

// scatterPlace is where what a scatter adds goes: the axis is indexed by
// memory.
func scatterPlace(n *ir.Node) func(func(*ir.Node) bool) (view, bool) {
	return func(stored func(*ir.Node) bool) (view, bool) {
		at, ok := viewOf(n.Args[1], stored)
		if !ok || len(at.index) > 0 {
			return view{}, false
		}
		base := rowMajor(n.Type.Shape)
		if n.Is("scatter_along") {
			last := len(base) - 1
			to := indirect{at: at, stride: base[last], within: &n.Type.Shape[last]}
			return view{base: n, strides: append(base[:last:last], ir.Dim{}), index: []indirect{to}}, true
		}
		axis, ids := n.Attr.Axis, n.Args[1].Type.Rank()
		strides := append(slices.Clone(base[:axis]), make([]ir.Dim, ids)...)
		strides = append(strides, base[axis+1:]...)
		source := make([]ir.Dim, len(strides))
		copy(source[axis:], at.strides)
		at.strides = source
		return view{base: n, strides: strides, index: []indirect{{at: at, stride: base[axis]}}}, true
	}
}
