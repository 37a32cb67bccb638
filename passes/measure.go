package passes

import (
	"fmt"
	"slices"

	"gradgen.dev/ir"
)

// cut splits losses and metrics of all forms into parts.
func (c *modelCompiler) cut() error {
	var all []*cutter // of the forms of training, then of inference
	var known []ir.Part
	for _, f := range append(slices.Clone(c.trains), c.infer) {
		cut, err := c.cutForm(f, known)
		if err != nil {
			return err
		}
		all, known = append(all, cut), append(known, cut.parts...)
	}
	first, last := all[0], all[len(all)-1]
	switch {
	case c.m.Infer == nil:
		all[len(all)-1] = first
	case c.m.Train == nil:
		first, all[0] = last, last
	}
	c.plan.Reports, c.plan.Parts = first.reports, first.parts
	if slices.ContainsFunc(all, func(x *cutter) bool { return !x.same(first) }) {
		c.unite(all)
	}
	c.closings(first)
	return nil
}

// same reports whether two forms have the same parts and reports.
func (c *cutter) same(o *cutter) bool {
	return slices.EqualFunc(c.parts, o.parts, samePart) && slices.EqualFunc(c.reports, o.reports, sameReport)
}

// unite makes one list of parts, and of reports, of those of forms that differ,
// inference the last of them. A part that a form lacks is 0 there; a report of
// several formulas takes that of the form that ran, which a part of its own
// says.
func (c *modelCompiler) unite(all []*cutter) {
	number := func(v float64) *ir.Node { return c.g.Const(v, ir.Float64) }
	first, n := all[0], len(all)-1
	parts := slices.Clone(first.parts)
	for _, x := range all[1:] {
		for _, p := range x.parts {
			if !slices.ContainsFunc(parts, func(q ir.Part) bool { return samePart(p, q) }) {
				p.Node = c.g.Fill(0, p.Node.Type)
				parts = append(parts, p)
				first.taken[p.Name] = true
			}
		}
	}

	// The value of each part in each form; 0 says that inference ran.
	form := c.g.Must("arg", ir.Attr{Name: first.fresh("training"), Elem: ir.Float64})
	for k, x := range all {
		f, ran := c.infer, 0
		if k < n {
			f, ran = c.trains[k], 1+slices.IndexFunc(all, x.same)
		}
		f.parts = nil
		for _, p := range parts {
			i := slices.IndexFunc(x.parts, func(q ir.Part) bool { return samePart(p, q) })
			switch {
			case p.Size != nil:
			case i >= 0:
				f.parts = append(f.parts, x.parts[i].Node)
			default:
				f.parts = append(f.parts, c.g.Fill(0, p.Node.Type))
			}
		}
		f.parts = append(f.parts, number(float64(ran)))
	}
	c.plan.Parts = append(parts, ir.Part{Name: form.Attr.Name, Kind: "last", Node: c.trains[0].parts[len(c.trains[0].parts)-1]})

	// Each report that has several formulas.
	for i := range c.plan.Reports {
		value := all[n].reports[i].Value
		for k, newest := 0, value; k < n; k++ {
			if v := all[k].reports[i].Value; v != newest {
				value, newest = c.g.Map("where", c.g.Map("gt", form, number(float64(k))), v, value), v
			}
		}
		c.plan.Reports[i].Value = value
	}
}

// cutForm splits the losses and metrics of a form. Its parts that are called as
// some of the others combine as those.
func (c *modelCompiler) cutForm(f *form, other []ir.Part) (*cutter, error) {
	cut, s := newCutter(c.g), f.side
	cut.other, cut.most, cut.loss = other, mostOfLoss, true
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
	f.parts, f.reports = computed(cut.parts), slices.Clone(cut.reports)
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

// partsAt is the values in a form of some of the parts, of those that are no
// extents.
func (c *modelCompiler) partsAt(f *form, parts []int) []*ir.Node {
	var out []*ir.Node
	for i, n := range c.nodesOfParts(f) {
		if n != nil && slices.Contains(parts, i) {
			out = append(out, n)
		}
	}
	return out
}

// nodesOfParts is the values of all parts in a form, nil of extents.
func (c *modelCompiler) nodesOfParts(f *form) []*ir.Node {
	out, at := make([]*ir.Node, len(c.plan.Parts)), 0
	for i, p := range c.plan.Parts {
		if p.Size == nil {
			out[i] = f.parts[at]
			at++
		}
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
