package codegen

import (
	"fmt"
	"slices"

	"gradgen.dev/ir"
)

// An intake is the checks of the batch that an entry of the trainer starts with:
// of what the entry reads, and no more.
type intake struct {
	name   string // of the method: take, takeD
	inputs []operand
	nodes  []*ir.Node // what is computed of them
	empty  ir.Dim     // 0 where there is nothing to do
	idle   ir.Dim     // 0 where every entry that starts with it does nothing
}

// chooseIntakes settles which entry checks what. Entries that read the same
// share one method.
func (m *model) chooseIntakes() {
	losses := m.trains
	for _, t := range losses {
		nodes := m.trainingNodes()
		if len(losses) > 1 {
			nodes = m.nodesOf(t)
		}
		t.intake = m.intake("take"+t.suffix, nodes, t.Forward, t.Gradient, t.Backward)
	}
	if c := m.compose; c != nil {
		m.compose.intake = m.intake("takeForward", m.outputNodes(m.ir.Train), c.Forward, c.Backward)
	}
	if m.evaluates() && m.measured() {
		p := m.plan.Evaluate
		if p == nil && len(losses) > 0 {
			p = losses[0].Forward
		}
		m.evalIn = m.intake("takeAll", m.trainingNodes(), p)
	}
	if len(m.intakes) > 0 {
		m.intakes[0].name = "take"
	}
}

// intake is that of an entry which computes nodes by the procedures.
func (m *model) intake(name string, nodes []*ir.Node, procedures ...*ir.Procedure) *intake {
	buffers := buffersOf(procedures...)
	sizes := map[string]bool{}
	for _, b := range buffers {
		for _, d := range b.Type.Shape {
			d.Vars(sizes)
		}
	}
	for _, n := range nodes {
		for _, d := range slices.Concat(n.Type.Shape, n.Attr.Dims) {
			d.Vars(sizes)
		}
	}

	// What is read, and what alone tells a dimension.
	in, told := &intake{name: name, nodes: nodes, empty: ir.D(1)}, map[string]bool{}
	read := func(o operand) bool {
		return slices.ContainsFunc(buffers, func(b *ir.Buffer) bool { return b.Storage == ir.InInput && b.Key == o.Name })
	}
	tells := func(o operand) bool {
		return slices.ContainsFunc(openDims(m.runDims, o.Node.Type.Shape, told), func(d string) bool { return sizes[d] })
	}
	chosen := map[string]bool{}
	for _, needed := range []func(operand) bool{read, tells} {
		for _, o := range m.batch.operands {
			if !chosen[o.Name] && needed(o) {
				chosen[o.Name] = true
				for _, d := range o.Node.Type.Shape {
					d.Vars(told)
				}
			}
		}
	}
	for _, o := range m.batch.operands {
		if chosen[o.Name] {
			in.inputs = append(in.inputs, o)
		}
	}
	for _, d := range m.runDims {
		if told[d.Name] {
			in.empty = in.empty.Mul(ir.DimVar(d.Name))
		}
	}

	in.idle = in.empty
	if m.compose != nil {
		in.idle = ir.D(1) // a Forward has outputs for nothing
	}

	// One method for all that read the same.
	same := func(o *intake) bool {
		return slices.EqualFunc(o.inputs, in.inputs, func(a, b operand) bool { return a.field == b.field }) && m.demands(o) == m.demands(in)
	}
	if k := slices.IndexFunc(m.intakes, same); k >= 0 {
		return m.intakes[k]
	}
	m.intakes = append(m.intakes, in)
	return in
}

// demands is what an intake requires of the dimensions, as text.
func (m *model) demands(in *intake) string {
	sizes, out := map[string]bool{}, ""
	for _, n := range in.nodes {
		for _, d := range slices.Concat(n.Type.Shape, n.Attr.Dims) {
			d.Vars(sizes)
		}
	}
	for _, d := range m.runDims {
		out += fmt.Sprint(sizes[d.Name], " ")
	}
	for _, r := range requirements(in.nodes, m.ir.Facts) {
		out += r.String() + "; "
	}
	return out
}

// unread is the fields of Batch that an entry leaves alone.
func (m *model) unread(in *intake) []string {
	var out []string
	for _, o := range m.batch.operands {
		if o.Node.Type.Rank() > 0 && !slices.ContainsFunc(in.inputs, func(r operand) bool { return r.field == o.field }) {
			out = append(out, o.field)
		}
	}
	return out
}

// trainingNodes is every value of the model in training and in its evaluation.
func (m *model) trainingNodes() []*ir.Node {
	var roots []*ir.Node
	for _, side := range []*ir.Side{m.ir.Train, m.ir.Infer} {
		if side == nil {
			continue
		}
		for _, n := range slices.Concat(side.Losses, side.Metrics) {
			roots = append(roots, n.Node)
		}
	}
	return ir.Topological(roots...)
}

// nodesOf is every value that a step of one of several losses computes.
func (m *model) nodesOf(t *training) []*ir.Node {
	roots := []*ir.Node{t.Side.Loss(t.Loss)}
	for _, i := range t.Reports {
		for _, n := range t.Side.Metrics {
			if n.Name == m.plan.Reports[i].Name {
				roots = append(roots, n.Node)
			}
		}
	}
	for _, w := range t.Side.Writes {
		roots = append(roots, w.Value)
	}
	return ir.Topological(roots...)
}

// outputNodes is every value that the outputs of a side depend on, and in
// inference the carries that a predictor moves on.
func (m *model) outputNodes(side *ir.Side) []*ir.Node {
	var roots []*ir.Node
	for _, n := range side.Outputs {
		roots = append(roots, n.Node)
	}
	if side == m.ir.Infer {
		for _, w := range side.Writes {
			if slices.Contains(m.plan.Moves, w.State) {
				roots = append(roots, w.Value)
			}
		}
	}
	return ir.Topological(roots...)
}
