package passes

import (
	"fmt"
	"math"
	"strings"

	"gradgen.dev/ir"
)

// A machine runs procedures as the doc comments of ir/plan.go say, in float64:
// what codegen prints, without printing it. The arena is one slice per element
// type, in which buffers of one slot share memory; it holds NaN before
// anything is written, and knows which buffer each element was written as.
type machine struct {
	env    *ir.Evaluator // the values of leaves that are no buffers, and random draws
	arena  map[ir.DType]*memory
	others map[string]*memory // what is no part of the arena, by owner's name
	found  map[*ir.Buffer]*memory

	backwards bool // rows of a loop run from the last one to the first
}

// A memory is a part of some slice.
type memory struct {
	data  []float64
	owner []*ir.Buffer // that wrote an element last; nil where nobody did
}

func newMemory(n int) *memory {
	m := &memory{data: make([]float64, n), owner: make([]*ir.Buffer, n)}
	for i := range m.data {
		m.data[i] = math.NaN()
	}
	return m
}

// part is the elements from start up to end.
func (m *memory) part(start, end int) *memory {
	return &memory{data: m.data[start:end:end], owner: m.owner[start:end:end]}
}

// newMachine has a poisoned arena, and the values of e.
func newMachine(e *ir.Evaluator, arena ir.Arena) *machine {
	m := &machine{env: e, arena: map[ir.DType]*memory{}, others: map[string]*memory{}, found: map[*ir.Buffer]*memory{}}
	for elem, length := range arena.Length {
		m.arena[elem] = newMemory(m.dim(length))
	}
	return m
}

// A planError is a step that does not do what its doc comment allows.
type planError struct{ text string }

func (e *planError) Error() string { return e.text }

func fault(format string, args ...any) { panic(&planError{fmt.Sprintf(format, args...)}) }

// run executes a procedure. The error says which step is wrong.
func (m *machine) run(p *ir.Procedure) (err error) {
	at := 0
	defer func() {
		if e, ok := recover().(*planError); ok {
			err = fmt.Errorf("%s, step %d %q: %w", p.Name, at, p.Steps[at].Formulas, e)
		}
	}()
	for b := range m.found {
		if b.Storage == ir.InLocal {
			delete(m.found, b)
		}
	}
	for i, step := range p.Steps {
		at = i
		m.step(step)
	}
	return nil
}

// runAll executes procedures one after another.
func (m *machine) runAll(list ...*ir.Procedure) error {
	for _, p := range list {
		if err := m.run(p); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) step(s *ir.Step) {
	kinds := 0
	if s.Product != nil {
		kinds++
		m.product(s.Product)
	}
	if s.Scalar != nil {
		kinds++
		m.scalar(s.Scalar)
	}
	if s.Loop != nil {
		kinds++
		newLoopRun(m, s.Loop).run()
	}
	if s.Call != nil {
		kinds++
		m.call(s.Call)
	}
	if kinds != 1 {
		fault("it is %d kinds of step", kinds)
	}
}

// call runs a routine on one of its runs.
func (m *machine) call(c *ir.CallStep) {
	m.env.Dims[c.Routine.Size] = m.dim(c.Run.Size())
	for _, b := range c.Routine.Args {
		m.found[b] = m.joined(b, c.Run)
	}
	for _, s := range c.Routine.Steps {
		m.step(s)
	}
	delete(m.env.Dims, c.Routine.Size)
}

// joined is what a run has in the buffers whose keys have the parameters' paths
// in place of b's *, as one slice.
func (m *machine) joined(b *ir.Buffer, run ir.Run) *memory {
	var parts []*memory
	for _, p := range run {
		of := *b
		of.Key, of.Run, of.Type = strings.Replace(b.Key, "*", p.Path, 1), nil, b.Type.With(p.Node.Type.Shape)
		part := m.others[ownedName(&of)]
		if part == nil {
			fault("%s has no memory", of.Key)
		}
		parts = append(parts, part)
	}
	return joinMemory(parts)
}

func (m *machine) dim(d ir.Dim) int {
	if n, ok := d.Const(); ok {
		return n
	}
	n, err := d.Eval(m.env.Dims)
	if err != nil {
		fault("%v", err)
	}
	return n
}

func (m *machine) dims(list []ir.Dim) []int {
	out := make([]int, len(list))
	for i, d := range list {
		out[i] = m.dim(d)
	}
	return out
}

// memory is where b lies.
func (m *machine) memory(b *ir.Buffer) *memory {
	if b == nil {
		fault("there is no buffer")
	}
	if m.found[b] == nil {
		m.found[b] = m.find(b)
	}
	return m.found[b]
}

func (m *machine) find(b *ir.Buffer) *memory {
	size := m.dim(b.Type.Shape.Size())
	switch b.Storage {
	case ir.InArena:
		start, all := m.dim(b.Offset), m.arena[b.Type.Elem]
		if all == nil || start < 0 || start+size > len(all.data) {
			fault("%s lies outside the arena", b.Name)
		}
		return all.part(start, start+size)
	case ir.InLocal:
		return newMemory(1)
	}
	if b.Run != nil {
		return m.joined(b, b.Run)
	}
	key := ownedName(b)
	if m.others[key] == nil {
		m.others[key] = newMemory(size)
		if b.Storage == ir.InTable {
			m.others[key].set(b, b.Data)
		}
	}
	if got := len(m.others[key].data); got != size {
		fault("%s has %d elements, not %d", key, got, size)
	}
	return m.others[key]
}

// ownedName tells memory outside the arena apart: buffers of one key are one.
func ownedName(b *ir.Buffer) string {
	kinds := map[ir.Storage]string{ir.InParam: "param ", ir.InGrad: "grad ", ir.InState: "state ", ir.InCarry: "carry ", ir.InInput: "input ",
		ir.InOutput: "output ", ir.InTable: "table "}
	if b.Key == "" {
		return kinds[b.Storage] + b.Name // which is unique, as the arena's
	}
	return kinds[b.Storage] + b.Key
}

// set fills b from outside.
func (m *machine) set(b *ir.Buffer, values []float64) { m.memory(b).set(b, values) }

func (m *memory) set(b *ir.Buffer, values []float64) {
	if len(m.data) != len(values) {
		fault("%s has %d elements, not %d", b.Name, len(m.data), len(values))
	}
	for i, v := range values {
		m.data[i], m.owner[i] = v, b
	}
}

// load is element i of b. Of the arena, the element must have been written as
// b's; of others, it must have been written.
func (m *machine) load(b *ir.Buffer, i int) float64 {
	mem := m.memory(b)
	if i < 0 || i >= len(mem.data) {
		fault("element %d of %s is read, which has %d", i, b.Name, len(mem.data))
	}
	switch owner := mem.owner[i]; {
	case owner == nil:
		fault("element %d of %s is read before it is written", i, b.Name)
	case b.Storage == ir.InArena && owner != b:
		fault("element %d of %s is read, but %s lies there", i, b.Name, owner.Name)
	}
	return mem.data[i]
}

func (m *machine) store(b *ir.Buffer, i int, v float64) {
	if b.Storage == ir.InInput || b.Storage == ir.InTable {
		fault("%s is written, which is the caller's", b.Name)
	}
	mem := m.memory(b)
	if i < 0 || i >= len(mem.data) {
		fault("element %d of %s is written, which has %d", i, b.Name, len(mem.data))
	}
	mem.data[i], mem.owner[i] = v, b
}

// scalar runs a scalar step.
func (m *machine) scalar(s *ir.ScalarStep) {
	if s.Value.Type.Rank() != 0 || s.To.Type.Rank() != 0 {
		fault("a scalar step sets %v to %v", s.To.Type, s.Value.Type)
	}
	if s.To.Storage == ir.InLocal && m.memory(s.To).owner[0] != nil {
		fault("the local %s is set twice", s.To.Name)
	}
	known := map[*ir.Node]float64{}
	var value func(n *ir.Node) float64
	value = func(n *ir.Node) float64 {
		if v, ok := known[n]; ok {
			return v
		}
		known[n] = m.scalarValue(s, n, value)
		return known[n]
	}
	m.store(s.To, 0, value(s.Value))
}

func (m *machine) scalarValue(s *ir.ScalarStep, n *ir.Node, value func(*ir.Node) float64) float64 {
	if a, ok := s.Loads[n]; ok {
		if len(a.Strides) > 0 && n.Type.Rank() == 0 {
			fault("a scalar is read by strides")
		}
		return m.load(a.Buffer, m.position(a, nil))
	}
	if n.Type.Rank() != 0 {
		fault("a scalar step computes %s of %v", n.Op.Name, n.Type)
	}
	if n.Is("reshape") && n.Args[0].Type.Rank() == 0 {
		return value(n.Args[0])
	}
	return m.own(n, value)
}

// own is the value of an elementwise node or of a number.
func (m *machine) own(n *ir.Node, value func(*ir.Node) float64) float64 {
	switch {
	case n.Op.Class == ir.Map:
		args := make([]float64, len(n.Args))
		for i, a := range n.Args {
			args[i] = value(a)
		}
		if n.Is("cast") {
			return castTo(args[0], n.Type.Elem)
		}
		return n.Op.Fn(args)
	case n.Op.Class == ir.Leaf && n.Type.Rank() == 0:
		switch n.Op.Name {
		case "const", "size", "hyper", "step", "steps", "clip_factor":
			return m.constant(n).Data[0]
		}
	}
	fault("%s of %v is nowhere", n.Op.Name, n.Type)
	return 0
}

// castTo is v in type t; floats are not rounded.
func castTo(v float64, t ir.DType) float64 {
	switch {
	case t == ir.Bool && v != 0:
		return 1
	case t.IsInt():
		return math.Trunc(v)
	}
	return v
}

// constant is the value of a node without operands.
func (m *machine) constant(n *ir.Node) *ir.Tensor {
	t, err := m.env.Eval(n)
	if err != nil {
		fault("%v", err)
	}
	return t
}

// position is the element that a means at an index of its loop.
func (m *machine) position(a ir.Access, index []int) int {
	if len(a.Strides) > len(index) {
		fault("%s is read by %d strides in a loop of %d axes", a.Buffer.Name, len(a.Strides), len(index))
	}
	at := m.dim(a.Offset)
	for i, s := range a.Strides {
		at += index[i] * m.dim(s)
	}
	for _, i := range a.Index {
		at += int(m.load(i.At.Buffer, m.position(i.At, index))) * m.dim(i.Stride)
	}
	return at
}
