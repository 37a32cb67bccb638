package passes

import (
	"slices"

	"gradgen.dev/ir"
)

// share says what the step of each loss has beside the loss. The step of a
// single loss has everything; that of one of several has the metrics whose
// operands it computes anyway, and the writes of the instances that it
// computes.
func (c *modelCompiler) share() {
	if len(c.objectives) == 1 {
		o := c.objectives[0]
		o.plan.Parts, o.plan.Reports = upTo(len(c.plan.Parts)), upTo(len(c.plan.Reports))
		o.writes = upTo(len(c.train.writes))
		return
	}
	for i, o := range c.objectives {
		s := c.scopeOf(i)
		for k, w := range c.m.Train.Writes {
			if s.makes(w) {
				o.writes = append(o.writes, k)
				s.add(c.train.writes[k])
			}
		}
		c.shareReports(o, i, s)
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
func (c *modelCompiler) shareReports(o *objective, i int, s *scope) {
	has := map[int]bool{}
	for k, r := range c.plan.Reports {
		parts := c.partsOf(r)
		metric := k >= len(c.objectives)
		outside := func(p int) bool { return !s.computes(c.plan.Parts[p]) }
		if k != i && (!metric || slices.ContainsFunc(parts, outside)) {
			continue
		}
		o.plan.Reports = append(o.plan.Reports, k)
		for _, p := range parts {
			has[p] = true
		}
	}
	for p := range c.plan.Parts {
		if has[p] {
			o.plan.Parts = append(o.plan.Parts, p)
		}
	}
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

// A scope is what the step of a loss computes.
type scope struct {
	written map[*ir.Node]bool // nodes of the loss as it is elaborated
	nodes   map[*ir.Node]bool // the same without derivatives, and what the step writes
	dims    map[string]bool   // of the inputs among them
}

// scopeOf is the scope of loss i alone.
func (c *modelCompiler) scopeOf(i int) *scope {
	s := &scope{written: map[*ir.Node]bool{}, nodes: map[*ir.Node]bool{}, dims: map[string]bool{}}
	for _, n := range ir.Topological(c.m.Train.Losses[i].Node) {
		s.written[n] = true
	}
	s.add(c.train.losses[i])
	return s
}

func (s *scope) add(root *ir.Node) {
	for _, n := range ir.Topological(root) {
		s.nodes[n] = true
		if n.Is("input") {
			shapeVars(n.Type.Shape, s.dims)
		}
	}
}

// makes reports whether a step makes the write: it computes the instance that
// has it, or there is none.
func (s *scope) makes(w ir.Write) bool {
	return len(w.Of) == 0 || slices.ContainsFunc(w.Of, func(n *ir.Node) bool { return s.written[n] })
}

// computes reports whether the operands of a part are in the scope.
func (s *scope) computes(p ir.Part) bool {
	if p.Size == nil {
		return s.hasOperands(p.Node)
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
