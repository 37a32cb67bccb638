package passes

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"gradgen.dev/ir"
)

// hand is a loop built by hand over [B] rows of 4, that reads a and others and
// writes b.
type hand struct {
	g              *ir.Graph
	a, b           *ir.Buffer
	x, y, n        *ir.Node // loaded from a, loaded from an input, computed
	perRow         *ir.Node // of a row
	loop           *ir.LoopStep
	whole, rows    []ir.Dim
	bRow, aRow, in *ir.Buffer
	ids            *ir.Buffer
}

func newHand() *hand {
	g := ir.NewGraph()
	shape := ir.Shape{ir.DimVar("B"), ir.D(4)}
	typ := ir.Type{Elem: ir.Float64, Shape: shape}
	rowType := typ.With(shape[:1])
	buffer := func(name string, t ir.Type, s ir.Storage) *ir.Buffer {
		return &ir.Buffer{Name: name, Type: t, Storage: s}
	}
	h := &hand{
		g: g, a: buffer("a", typ, ir.InArena), b: buffer("b", typ, ir.InArena),
		aRow: buffer("aRow", rowType, ir.InArena), bRow: buffer("bRow", rowType, ir.InArena),
		in: buffer("in", typ, ir.InInput), ids: buffer("ids", rowType.Of(ir.Int32), ir.InArena),
		whole: rowMajor(shape), rows: rowMajor(shape[:1]),
	}
	h.x, h.y = g.Leaf("input", "x", typ), g.Leaf("input", "y", typ)
	h.n = g.Map("add", h.x, h.y)
	h.perRow = g.Sum(h.n, []int{1})
	h.loop = &ir.LoopStep{
		Outer: shape[:1], Inner: shape[1:], Copied: map[*ir.Node]bool{},
		Passes: []ir.Pass{{Elements: []*ir.Node{h.n}}},
		Loads:  map[*ir.Node]ir.Access{h.x: {Buffer: h.a, Strides: h.whole}, h.y: {Buffer: h.in, Strides: h.whole}},
		Stores: []ir.Store{{Node: h.n, To: ir.Access{Buffer: h.b, Strides: h.whole}}},
	}
	return h
}

// overwriteCases are changes to the loop of a hand, which by itself may write
// b over a.
var overwriteCases = []struct {
	name   string
	change func(h *hand)
	want   bool
}{
	{"element by element", func(h *hand) {}, true},
	{"reads backwards", func(h *hand) {
		h.loop.Loads[h.x] = ir.Access{Buffer: h.a, Offset: ir.D(3), Strides: []ir.Dim{ir.D(4), ir.D(-1)}}
	}, false},
	{"reads columns as rows", func(h *hand) {
		h.loop.Loads[h.x] = ir.Access{Buffer: h.a, Strides: []ir.Dim{ir.D(1), ir.DimVar("B")}}
	}, false},
	{"reads one row for all", func(h *hand) {
		h.loop.Loads[h.x] = ir.Access{Buffer: h.a, Strides: []ir.Dim{{}, ir.D(1)}}
	}, false},
	{"reads from an offset", func(h *hand) {
		h.loop.Loads[h.x] = ir.Access{Buffer: h.a, Offset: ir.D(1), Strides: h.whole}
	}, false},
	{"gathers", func(h *hand) {
		h.loop.Loads[h.x] = ir.Access{Buffer: h.a, Strides: []ir.Dim{{}, ir.D(1)},
			Index: []ir.Indirect{{At: ir.Access{Buffer: h.ids, Strides: []ir.Dim{ir.D(1), {}}}, Stride: ir.D(4)}}}
	}, false},
	{"gathers by it", func(h *hand) {
		h.loop.Loads[h.y] = ir.Access{Buffer: h.in, Strides: []ir.Dim{{}, ir.D(1)},
			Index: []ir.Indirect{{At: ir.Access{Buffer: h.a, Strides: h.whole}, Stride: ir.D(4)}}}
	}, false},
	{"scatters", func(h *hand) {
		h.loop.Stores[0].To = ir.Access{Buffer: h.b, Strides: []ir.Dim{{}, ir.D(1)},
			Index: []ir.Indirect{{At: ir.Access{Buffer: h.ids, Strides: []ir.Dim{ir.D(1), {}}}, Stride: ir.D(4)}}}
	}, false},
	{"adds to what is there", func(h *hand) { h.loop.Stores[0].Add = true }, false},
	{"stores twice", func(h *hand) { h.loop.Stores = append(h.loop.Stores, h.loop.Stores[0]) }, false},
	{"reads again in a later pass", func(h *hand) {
		h.loop.Passes = append(h.loop.Passes, ir.Pass{Reduces: []*ir.Node{h.g.Sum(h.x, []int{1})}})
	}, false},
	{"writes in the later pass", func(h *hand) {
		h.loop.Passes = append([]ir.Pass{{Reduces: []*ir.Node{h.g.Sum(h.x, []int{1})}}}, h.loop.Passes...)
		h.loop.Stores[0].Pass = 1
	}, true},
	{"reads in place behind a comparison, later", func(h *hand) {
		hit := h.g.Cast(h.g.Map("lt", h.x, h.y), ir.Float64)
		h.loop.Passes = append(h.loop.Passes, ir.Pass{Reduces: []*ir.Node{h.g.Sum(hit, []int{1})}})
	}, false},
	{"folds it later", func(h *hand) {
		h.loop.Passes = append(h.loop.Passes, ir.Pass{})
		h.loop.Folds = []ir.Fold{{Op: "sum", Node: h.x, Pass: 1, To: ir.Access{Buffer: h.bRow, Strides: []ir.Dim{{}, {}}}}}
	}, false},
	{"folds it in the same pass", func(h *hand) {
		h.loop.Folds = []ir.Fold{{Op: "sum", Node: h.x, To: ir.Access{Buffer: h.bRow, Strides: []ir.Dim{ir.D(1), {}}}}}
	}, true},
	{"folds into it", func(h *hand) {
		h.loop.Folds = []ir.Fold{{Op: "sum", Node: h.y, To: ir.Access{Buffer: h.a, Strides: h.whole}}}
	}, false},
	{"is a fold", func(h *hand) {
		h.loop.Folds = []ir.Fold{{Op: "sum", Node: h.n, To: h.loop.Stores[0].To}}
		h.loop.Stores = nil
	}, false},
	{"picks of the row before it is written", func(h *hand) { h.pick(0) }, true},
	{"picks of the row after it is written", func(h *hand) { h.pick(1) }, false},
	{"picks of another row", func(h *hand) {
		h.pick(0)
		for n, a := range h.loop.Loads {
			if n.Is("pick") {
				a.Strides = []ir.Dim{{}}
				h.loop.Loads[n] = a
			}
		}
	}, false},
	{"a row's value", func(h *hand) { h.byRows() }, true},
	{"a row's value that elements read too", func(h *hand) {
		h.byRows()
		r := h.g.Leaf("input", "r", h.aRow.Type)
		spread := h.g.Spread(r, h.in.Type.Shape, []int{1})
		h.loop.Passes[0].Elements = []*ir.Node{h.g.Map("mul", spread, h.y)}
	}, false},
}

// pick adds a pick of the row in a, computed before the loop of a pass.
func (h *hand) pick(pass int) {
	n := h.g.Must("pick", ir.Attr{}, h.x, h.g.Leaf("input", "ids", h.ids.Type))
	h.loop.Loads[n] = ir.Access{Buffer: h.a, Strides: h.whole[:1], Index: []ir.Indirect{{At: ir.Access{Buffer: h.ids, Strides: h.rows}, Stride: ir.D(1)}}}
	h.loop.Copied[n] = true
	h.loop.Passes = append(h.loop.Passes, ir.Pass{})
	h.loop.Passes[pass].Scalars = []*ir.Node{n}
}

// byRows makes the loop compute one value a row from one a row.
func (h *hand) byRows() {
	r := h.g.Leaf("input", "r", h.aRow.Type)
	h.a, h.b = h.aRow, h.bRow
	n := h.g.Map("sin", r)
	h.loop.Passes = []ir.Pass{{Scalars: []*ir.Node{n}}}
	h.loop.Loads = map[*ir.Node]ir.Access{r: {Buffer: h.a, Strides: h.rows}, h.y: {Buffer: h.in, Strides: h.whole}}
	h.loop.Stores = []ir.Store{{Node: n, Row: true, To: ir.Access{Buffer: h.b, Strides: h.rows}}}
}

// TestOverwrites asks which loops may write their result over an operand.
func TestOverwrites(t *testing.T) {
	for _, c := range overwriteCases {
		h := newHand()
		c.change(h)
		p := &placer{reads: map[*ir.LoopStep]map[*ir.Node]passesOf{}}
		if got := p.overwrites(h.loop, h.a, h.b); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestInPlaceAsks: a buffer that is needed again, in some timeline, or that has
// another size or type, is not written over.
func TestInPlaceAsks(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(h *hand) (then *ir.Step)
		want   bool
	}{
		{"nothing in the way", func(h *hand) *ir.Step { return nil }, true},
		{"needed later", func(h *hand) *ir.Step { return copied(h, h.a, "again") }, false},
		{"of another size", func(h *hand) *ir.Step {
			h.b.Type.Shape = ir.Shape{ir.DimVar("B"), ir.D(5)}
			return nil
		}, false},
		{"of another type", func(h *hand) *ir.Step { h.b.Type.Elem = ir.Float32; return nil }, false},
		{"the caller's", func(h *hand) *ir.Step { h.a.Storage = ir.InInput; return nil }, false},
		{"an output", func(h *hand) *ir.Step { h.b.Storage = ir.InOutput; return nil }, true},
	} {
		for _, late := range []bool{false, true} {
			h := newHand()
			first := copied(h, h.in, "a")
			first.Loop.Stores[0].To.Buffer = h.a
			then := c.change(h)
			steps := []*ir.Step{first, {Loop: h.loop}, copied(h, h.b, "used")}
			lines := []timeline{{{Name: "one", Steps: steps}}}
			switch {
			case then != nil && late:
				// Another procedure that follows the first step needs it.
				lines = []timeline{
					{{Steps: steps[:1]}, {Steps: steps[1:]}},
					{{Steps: steps[:1]}, {Steps: []*ir.Step{then}}},
				}
			case then != nil:
				lines[0][0].Steps = append(steps, then)
			}
			want := c.want
			if then != nil && late {
				want = true // the two never follow each other
			}
			place(lines)
			if got := h.loop.Stores[0].To.Buffer == h.loop.Loads[h.x].Buffer; got != want {
				t.Errorf("%s, in another timeline %v: %v, want %v", c.name, late, got, want)
			}
		}
	}
}

// copied is a step that copies a buffer to one called name.
func copied(h *hand, from *ir.Buffer, name string) *ir.Step {
	s := &scheduler{planner: &planner{g: h.g}}
	to := &ir.Buffer{Name: name, Type: from.Type, Storage: ir.InOutput}
	return s.copyStep(from, to)
}

// TestArena lays buffers with random lives out: none overlap whose lives do, in
// any timeline, and the arena is as long as their slots.
func TestArena(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 17))
		lines := randomTimelines(rng)
		arena := place(lines)
		dims := map[string]int{"B": 5, "N": 3}
		for _, line := range lines {
			checkApart(t, seed, line, dims)
		}
		for _, b := range arena.Buffers {
			start, _ := b.Offset.Eval(dims)
			size, _ := b.Type.Shape.Size().Eval(dims)
			length, _ := arena.Length[b.Type.Elem].Eval(dims)
			if start < 0 || start+size > length {
				t.Fatalf("seed %d: %s lies at %d to %d of %d", seed, b.Name, start, start+size, length)
			}
		}
	}
}

// randomTimelines is a procedure that fills some buffers, and two that may
// follow it and read them; all products, which nothing is written over by.
func randomTimelines(rng *rand.Rand) []timeline {
	g := ir.NewGraph()
	one, zero := g.Const(1, ir.Float32), g.Const(0, ir.Float32)
	var made []*ir.Buffer
	in := &ir.Buffer{Name: "in", Type: ir.Type{Shape: ir.ShapeOf(100)}, Storage: ir.InInput}
	proc := func(name string) *ir.Procedure {
		p := &ir.Procedure{Name: name}
		mine := slices.Clone(made)
		for range 3 + rng.IntN(8) {
			from := in
			if len(mine) > 0 && rng.IntN(4) > 0 {
				from = mine[rng.IntN(len(mine))]
			}
			shape := ir.Shape{[]ir.Dim{ir.DimVar("B"), ir.DimVar("N"), ir.D(4), ir.D(7)}[rng.IntN(4)], ir.D(1 + rng.IntN(3))}
			to := &ir.Buffer{Name: fmt.Sprint(name, len(mine)), Type: ir.Type{Shape: shape}, Storage: ir.InArena}
			mine = append(mine, to)
			p.Steps = append(p.Steps, &ir.Step{Product: &ir.ProductStep{A: ir.Matrix{Buffer: from}, B: ir.Matrix{Buffer: in}, C: ir.Matrix{Buffer: to}, Alpha: one, Beta: zero}})
		}
		if name == "forward" {
			made = mine
		}
		return p
	}
	forward := proc("forward")
	return []timeline{{forward, proc("gradient")}, {forward, proc("backward")}}
}

// checkApart fails where two buffers share elements while both are needed.
func checkApart(t *testing.T, seed uint64, line timeline, dims map[string]int) {
	t.Helper()
	type span struct{ start, end, first, last int }
	spans := map[*ir.Buffer]*span{}
	var order []*ir.Buffer
	at := 0
	for _, p := range line {
		for _, s := range p.Steps {
			for _, b := range []*ir.Buffer{s.Product.A.Buffer, s.Product.C.Buffer} {
				if b.Storage != ir.InArena {
					continue
				}
				if spans[b] == nil {
					start, _ := b.Offset.Eval(dims)
					size, _ := b.Type.Shape.Size().Eval(dims)
					spans[b] = &span{start, start + size, at, at}
					order = append(order, b)
				}
				spans[b].last = at
			}
			at++
		}
	}
	for i, b := range order {
		for _, c := range order[:i] {
			x, y := spans[b], spans[c]
			if x.first <= y.last && y.first <= x.last && x.start < y.end && y.start < x.end {
				t.Fatalf("seed %d: %s and %s are needed at once and share elements", seed, b.Name, c.Name)
			}
		}
	}
}
