package passes

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// planText is a procedure with everything that is decided about it.
func planText(p *ir.Procedure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.Name)
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "%d: %q\n", i, s.Formulas)
		switch {
		case s.Product != nil:
			productText(&b, s.Product)
		case s.Scalar != nil:
			fmt.Fprintf(&b, "  %s = %s\n", bufferText(s.Scalar.To), nodeText(s.Scalar.Value))
			loadsText(&b, s.Scalar.Loads)
		case s.Loop != nil:
			loopText(&b, s.Loop)
		case s.Call != nil:
			callText(&b, s.Call)
		}
	}
	for _, r := range p.Results {
		fmt.Fprintf(&b, "return %s\n", bufferText(r))
	}
	return b.String()
}

func callText(b *strings.Builder, c *ir.CallStep) {
	fmt.Fprintf(b, "  %s(", c.Routine.Name)
	for _, p := range c.Run {
		fmt.Fprintf(b, "%s ", p.Path)
	}
	for _, a := range slices.Concat(c.Routine.Args, c.Routine.Takes) {
		fmt.Fprintf(b, ", %s", bufferText(a))
	}
	fmt.Fprintf(b, ")\n%s", planText(&ir.Procedure{Name: c.Routine.Text, Steps: c.Routine.Steps}))
}

func bufferText(b *ir.Buffer) string {
	if b == nil {
		return "nil"
	}
	return fmt.Sprintf("%s(%d %s %v@%v/%d %v)", b.Name, b.Storage, b.Key, b.Type, b.Offset, b.Slot, b.Values)
}

func nodeText(n *ir.Node) string {
	args := make([]string, len(n.Args))
	for i, a := range n.Args {
		args[i] = fmt.Sprintf("n%d", a.ID)
	}
	return fmt.Sprintf("n%d:%s(%s)%v", n.ID, n.Op.Name, strings.Join(args, " "), n.Type)
}

func nodesText(list []*ir.Node) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = nodeText(n)
	}
	return strings.Join(out, ", ")
}

func accessText(a ir.Access) string {
	text := fmt.Sprintf("%s[%v + %v", bufferText(a.Buffer), a.Offset, ir.Shape(a.Strides))
	for _, i := range a.Index {
		text += fmt.Sprintf(" + %v*%s", i.Stride, accessText(i.At))
	}
	return text + "]"
}

func loadsText(b *strings.Builder, loads map[*ir.Node]ir.Access) {
	var nodes []*ir.Node
	for n := range loads {
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b *ir.Node) int { return a.ID - b.ID })
	for _, n := range nodes {
		fmt.Fprintf(b, "  load %s from %s\n", nodeText(n), accessText(loads[n]))
	}
}

func productText(b *strings.Builder, p *ir.ProductStep) {
	matrix := func(m ir.Matrix) string {
		return fmt.Sprintf("%s %v×%v at %v by %v, %v, batch %v", bufferText(m.Buffer), m.Rows, m.Cols, m.Offset, m.RowStride, m.ColStride, ir.Shape(m.BatchStride))
	}
	fmt.Fprintf(b, "  batch %v\n  A %s\n  B %s\n  C %s\n  alpha %s beta %s\n", p.Batch, matrix(p.A), matrix(p.B), matrix(p.C), nodeText(p.Alpha), nodeText(p.Beta))
}

func loopText(b *strings.Builder, l *ir.LoopStep) {
	fmt.Fprintf(b, "  over %v then %v\n", l.Outer, l.Inner)
	for k, p := range l.Passes {
		fmt.Fprintf(b, "  pass %d scalars %s; elements %s; reduces %s\n", k, nodesText(p.Scalars), nodesText(p.Elements), nodesText(p.Reduces))
	}
	loadsText(b, l.Loads)
	for _, s := range l.Stores {
		fmt.Fprintf(b, "  store %s to %s pass %d row %v add %v\n", nodeText(s.Node), accessText(s.To), s.Pass, s.Row, s.Add)
	}
	for _, f := range l.Folds {
		scale := ""
		if f.Scale != nil {
			scale = nodeText(f.Scale)
		}
		fmt.Fprintf(b, "  fold %s %s to %s pass %d row %v keep %v scale %s\n", f.Op, nodeText(f.Node), accessText(f.To), f.Pass, f.Row, f.Keep, scale)
	}
}
