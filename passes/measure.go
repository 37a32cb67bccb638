package passes

import (
	"fmt"
	"slices"

	"gradgen.dev/ir"
)

// cut splits losses and metrics of both sides into parts.
func (c *modelCompiler) cut() error {
	m, plan := c.m, c.plan
	train, err := c.cutSide(m.Train, c.train, nil)
	if err != nil {
		return err
	}
	infer, err := c.cutSide(m.Infer, c.infer, train.parts)
	switch {
	case err != nil:
		return err
	case m.Infer == nil:
		infer = train
	case m.Train == nil:
		train = infer
	}
	plan.Reports, plan.Parts = train.reports, train.parts
	if !slices.EqualFunc(train.parts, infer.parts, samePart) || !slices.EqualFunc(train.reports, infer.reports, sameReport) {
		c.unite(train, infer)
	}
	c.closings(train)
	return nil
}

// unite makes one list of parts, and of reports, of those of two sides that
// differ. A part that a side lacks is 0 there; a report of two formulas takes
// that of the side that ran, which a part of its own says.
func (c *modelCompiler) unite(train, infer *cutter) {
	number := func(v float64) *ir.Node { return c.g.Const(v, ir.Float64) }
	values := slices.Clone(train.parts) // by part, in inference
	for i, p := range values {
		k := slices.IndexFunc(infer.parts, func(q ir.Part) bool { return samePart(p, q) })
		switch {
		case k >= 0:
			values[i] = infer.parts[k]
		case p.Size == nil:
			values[i].Node = c.g.Fill(0, p.Node.Type)
		}
	}
	add := func(name, kind string, size *ir.Dim, training, inference *ir.Node) {
		c.plan.Parts = append(c.plan.Parts, ir.Part{Name: name, Kind: kind, Size: size, Node: training})
		values = append(values, ir.Part{Size: size, Node: inference})
	}
	for _, q := range infer.parts {
		if !slices.ContainsFunc(train.parts, func(p ir.Part) bool { return samePart(p, q) }) {
			add(q.Name, q.Kind, q.Size, c.g.Fill(0, q.Node.Type), q.Node)
			train.taken[q.Name] = true
		}
	}

	// Each report that has two formulas.
	side := c.g.Must("arg", ir.Attr{Name: train.fresh("training"), Elem: ir.Float64})
	add(side.Attr.Name, "last", nil, number(1), number(0))
	for i, r := range infer.reports {
		if old := &c.plan.Reports[i]; !sameReport(*old, r) {
			old.Value = c.g.Map("where", c.g.Map("gt", side, number(0)), old.Value, r.Value)
		}
	}
	c.train.parts, c.infer.parts = computed(c.plan.Parts), computed(values)
}

// cutSide splits the losses and metrics of a side. Its parts that are called as
// some of the other side combine as those.
func (c *modelCompiler) cutSide(s *ir.Side, f *form, other []ir.Part) (*cutter, error) {
	cut := newCutter(c.g)
	cut.other, cut.most, cut.loss = other, mostOfLoss, true
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
	clear(cut.bent) // a loss need not be a formula of sums
	cut.most, cut.loss = 0, false
	for i, x := range s.Metrics {
		cut.field(x.Name, x.Doc, f.metrics[i])
		if d, bent := cut.bent[x.Name]; bent {
			return nil, &Error{x.Pos, fmt.Sprintf("metric %s works on sums over the data of which there are %v, a number that differs from batch to batch, so that those of several batches do not add up: reduce over that dimension by sum, mean, max, min, any or all", x.Name, d), "metric-form"}
		}
	}
	f.parts = computed(cut.parts)
	return cut, nil
}

func samePart(a, b ir.Part) bool {
	return a.Name == b.Name && alike(a, b.Kind, b.Node.Type.Shape, b.Size)
}

// alike reports whether p combines in a way: it is of the kind and shape, and
// of the extent where it is one.
func alike(p ir.Part, kind string, shape ir.Shape, size *ir.Dim) bool {
	return p.Kind == kind && p.Node.Type.Shape.Equal(shape) && (p.Size == nil) == (size == nil) && (size == nil || p.Size.Equal(*size))
}

func sameReport(a, b ir.ReportField) bool { return a.Name == b.Name && a.Value == b.Value }

// computed is the values of the parts that are no extents.
func computed(parts []ir.Part) []*ir.Node {
	var out []*ir.Node
	for _, p := range parts {
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

// partTargets is where the values of some of the model's parts go: scalars are
// results, tensors have their memory.
func (c *modelCompiler) partTargets(values []*ir.Node, parts []int) []target {
	targets := results(values)
	at := 0
	for i, p := range c.plan.Parts {
		if p.Size != nil || !slices.Contains(parts, i) {
			continue
		}
		if t := values[at].Type; t.Rank() > 0 {
			if c.sums[i] == nil {
				c.sums[i] = &ir.Buffer{Name: c.root.names.fresh(p.Name), Type: t, Storage: ir.InOutput, Key: ir.PartKey + p.Name}
			}
			targets[at].buffer = c.sums[i]
		}
		at++
	}
	return targets
}
