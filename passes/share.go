package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// share says what the step of each loss reports. The step of a single loss
// reports everything; that of one of several the metrics whose operands it
// computes anyway.
func (c *modelCompiler) share() {
	for i, o := range c.objectives {
		if len(c.objectives) == 1 {
			o.plan.Parts, o.plan.Reports = upTo(len(c.plan.Parts)), upTo(len(c.plan.Reports))
			return
		}
		c.shareReports(o, i)
	}
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// shareReports finds the parts and the reports of loss i.
func (c *modelCompiler) shareReports(o *objective, i int) {
	s := &scope{nodes: map[*ir.Node]bool{}, dims: map[string]bool{}}
	s.add(o.form.losses[i])
	for _, n := range o.form.writes {
		s.add(n)
	}
	nodes := c.nodesOfParts(o.form)
	has := map[int]bool{}
	for k, r := range o.form.reports {
		parts := c.partsOf(r)
		outside := func(p int) bool { return !s.computes(c.plan.Parts[p], nodes[p]) }
		if k != i && (k < len(c.objectives) || slices.ContainsFunc(parts, outside) || !c.runsFor(o, k)) {
			continue
		}
		o.plan.Reports = append(o.plan.Reports, k)
		for _, p := range parts {
			has[p] = true
		}

		// What says which of several formulas holds is the last part.
		if last := len(c.plan.Parts) - 1; slices.Contains(c.partsOf(c.plan.Reports[k]), last) {
			has[last] = true
		}
	}
	for p := range c.plan.Parts {
		if has[p] {
			o.plan.Parts = append(o.plan.Parts, p)
		}
	}
}

// runsFor reports whether the step of a loss runs the applications that write of
// those that report k, a metric, is computed by.
func (c *modelCompiler) runsFor(o *objective, k int) bool {
	written := c.plan.Model.Train
	return written.Runs(o.plan.Loss, written.Metrics[k-len(c.objectives)].Node)
}

// partsOf is the parts that the formula of r reads.
func (c *modelCompiler) partsOf(r ir.ReportField) []int {
	roots := []*ir.Node{r.Value}
	for _, n := range ir.Topological(r.Value) {
		for _, closing := range c.plan.Closings {
			if n.Is("arg") && n.Attr.Name == closing.Name {
				roots = append(roots, closing.Value)
			}
		}
	}
	var out []int
	for _, n := range ir.Topological(roots...) {
		if k := slices.IndexFunc(c.plan.Parts, func(p ir.Part) bool { return n.Is("arg") && p.Name == n.Attr.Name }); k >= 0 {
			out = append(out, k)
		}
	}
	return out
}

// A scope is what the step of a loss computes, without derivatives.
type scope struct {
	nodes map[*ir.Node]bool
	dims  map[string]bool // of the inputs among them
}

func (s *scope) add(root *ir.Node) {
	for _, n := range ir.Topological(root) {
		s.nodes[n] = true
		if n.Is("input") {
			shapeVars(n.Type.Shape, s.dims)
		}
	}
}

// computes reports whether the operands of a part, which is n, are in the
// scope.
func (s *scope) computes(p ir.Part, n *ir.Node) bool {
	if p.Size == nil {
		return s.hasOperands(n)
	}
	vars := map[string]bool{}
	p.Size.Vars(vars)
	for v := range vars {
		if !s.dims[v] {
			return false
		}
	}
	return true
}

// hasOperands reports whether n only works on what the scope has, or on
// weights alone. What lets weights act on data is a part of the model, which is
// not computed for n's sake.
func (s *scope) hasOperands(n *ir.Node) bool {
	type reach struct{ data, weights bool }
	known := map[*ir.Node]reach{}
	ok := true
	var visit func(n *ir.Node) reach
	visit = func(n *ir.Node) reach {
		if r, seen := known[n]; seen {
			return r
		}
		var r reach
		switch {
		case n.Is("param"), n.Is("state"), n.Is("carry"):
			r.weights = true
		case s.nodes[n]:
			r.data = n.Op.Class != ir.Leaf && !n.IsConstant() || n.Is("input")
		case n.Is("input"):
			ok = false
		}
		if !s.nodes[n] {
			for _, a := range n.Operands() {
				below := visit(a)
				r.data, r.weights = r.data || below.data, r.weights || below.weights
			}
			ok = ok && !(r.data && r.weights)
		}
		known[n] = r
		return r
	}
	visit(n)
	return ok
}
