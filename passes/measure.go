package passes

import (
	"fmt"
	"slices"

	"gradgen.dev/ir"
)

// cut splits losses and metrics of both sides into parts.
func (c *modelCompiler) cut() error {
	m, plan := c.m, c.plan
	cut, err := c.cutSide(m.Train, c.train)
	if err != nil {
		return err
	}
	plan.Reports, plan.Parts = cut.reports, cut.parts
	if m.Infer == nil {
		return nil
	}
	infer, err := c.cutSide(m.Infer, c.infer)
	switch {
	case err != nil:
		return err
	case m.Train == nil:
		plan.Reports, plan.Parts = infer.reports, infer.parts
	case !slices.EqualFunc(cut.parts, infer.parts, samePart) || !slices.EqualFunc(cut.reports, infer.reports, sameReport):
		return &Error{m.Pos, "the loss or a metric has another form in training than in inference: let the difference lie inside its means", "sides"}
	}
	return nil
}

// cutSide splits the losses and metrics of a side.
func (c *modelCompiler) cutSide(s *ir.Side, f *form) (*cutter, error) {
	cut := newCutter(c.g)
	if s == nil {
		return cut, nil
	}
	for i, x := range s.Losses {
		switch {
		case x.Name == "":
			cut.field("loss", "the loss", f.losses[i])
		case x.Doc == "":
			cut.field(x.Name, "the loss "+x.Name, f.losses[i])
		default:
			cut.field(x.Name, x.Doc, f.losses[i])
		}
	}
	cut.bent = nil // a loss need not be a formula of sums
	for i, x := range s.Metrics {
		cut.field(x.Name, x.Doc, f.metrics[i])
	}
	if len(cut.bent) > 0 {
		return nil, &Error{c.m.Pos, fmt.Sprintf("metric %s is no formula of sums over the data, which a metric must be to be reported of several batches; a nonlinear function of a tensor of sums is not compiled yet", cut.bent[0]), "metric-form"}
	}
	f.parts = cut.nodes()
	return cut, nil
}

func samePart(a, b ir.Part) bool {
	return a.Name == b.Name && a.Kind == b.Kind && (a.Size == nil) == (b.Size == nil)
}
func sameReport(a, b ir.ReportField) bool { return a.Name == b.Name && a.Value == b.Value }

// nodes is the values of the parts that are no extents.
func (c *cutter) nodes() []*ir.Node {
	var out []*ir.Node
	for _, p := range c.parts {
		if p.Size == nil {
			out = append(out, p.Node)
		}
	}
	return out
}

// partsAt is those of values, which are of the parts that are no extents, that
// belong to some of the model's parts.
func (c *modelCompiler) partsAt(values []*ir.Node, parts []int) []*ir.Node {
	var out []*ir.Node
	at := 0
	for i, p := range c.plan.Parts {
		if p.Size != nil {
			continue
		}
		if slices.Contains(parts, i) {
			out = append(out, values[at])
		}
		at++
	}
	return out
}
