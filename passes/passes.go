// Package passes turns an elaborated program into a plan: what comes in is the
// model's text as a graph, what goes out is steps over buffers that only have
// to be spelled.
//
//	Gradient   derivatives are expanded by the chain rule
//	Strip      pins, stops and calls, which only derivatives needed, vanish
//	Simplify   one normal form, scalars in front, the identities of the table
//	Lower      the stable formulas of softmax and its kin
//	fuse       groups: products with scales and sums, loops over one domain
//	schedule   the groups as steps, in an order in which reads see their values
//	place      in place where possible, one arena, memory shared by live range
//
// The order is forced: derivatives of simplified graphs would lose the names
// that identities see by; the cut of metrics needs means as they were written,
// so it comes before Simplify; Lower breaks the normal form, so nothing
// algebraic follows it.
package passes

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// An Error is a program that means something which cannot be compiled. Pos is
// file:line:column.
type Error struct {
	Pos     string
	Message string
}

func (e *Error) Error() string { return e.Pos + ": " + e.Message }

// Compile plans every model and exported function of prog. The error is an
// *Error where the program is at fault.
func Compile(prog *ir.Program) (*ir.Plan, error) {
	plan := &ir.Plan{Program: prog}
	for _, m := range prog.Models {
		p, err := compileModel(prog.Graph, m)
		if err != nil {
			return nil, err
		}
		plan.Models = append(plan.Models, p)
	}
	for _, f := range prog.Funcs {
		p, err := compileFunc(prog.Graph, f)
		if err != nil {
			return nil, err
		}
		plan.Funcs = append(plan.Funcs, p)
	}
	return plan, nil
}

// A modelCompiler holds what the stages of one model share.
type modelCompiler struct {
	g    *ir.Graph
	m    *ir.Model
	plan *ir.ModelPlan

	train, infer []*ir.Node // parts of the loss and metrics
	outputs      []*ir.Node
	writes       []*ir.Node // new values of the model's states
	grads        []*ir.Node // by parameter
	next         []*ir.Node // updates from a given gradient
	states       []ir.Write // of the optimiser, with their new values
	folded       []*ir.Node // updates with the gradient put in; nil where not folded
	inits        []*ir.Node
}

func compileModel(g *ir.Graph, m *ir.Model) (*ir.ModelPlan, error) {
	c := &modelCompiler{g: g, m: m, plan: &ir.ModelPlan{Model: m, Empty: emptyDim(m)}}
	steps := []func() error{c.calculus, c.simplify, c.procedures}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c.plan, nil
}

// emptyDim is the product of the run-time dimensions.
func emptyDim(m *ir.Model) ir.Dim {
	d := ir.D(1)
	for _, v := range m.Dims {
		d = d.Mul(ir.DimVar(v.Name))
	}
	return d
}

// calculus expands derivatives, takes the gradient, and cuts loss and metrics.
func (c *modelCompiler) calculus() error {
	g, m := c.g, c.m
	side := func(s *ir.Side) []*ir.Node {
		if s == nil {
			return nil
		}
		out := []*ir.Node{s.Loss}
		for _, x := range s.Metrics {
			out = append(out, x.Node)
		}
		for _, x := range s.Outputs {
			out = append(out, x.Node)
		}
		for _, w := range s.Writes {
			out = append(out, w.Value)
		}
		return out
	}
	train, infer := side(m.Train), side(m.Infer)
	all := Gradient(g, append(slices.Clone(train), infer...)...)
	c.plan.Bounds = bounds(all)
	loss := all[0]
	if loss != nil {
		params := make([]*ir.Node, len(m.Params))
		for i, p := range m.Params {
			params[i] = p.Node
		}
		c.grads = reverse(g, loss, g.Fill(1, loss.Type), params...)
		for i, d := range c.grads {
			if d == nil {
				return &Error{m.Params[i].Pos, fmt.Sprintf("the loss does not depend on parameter %s, so it would never be trained", m.Params[i].Path)}
			}
		}
	}
	roots := Strip(g, append(all, c.grads...)...)
	c.grads = roots[len(all):]
	c.plan.Exact = roots[0]
	return c.cut(roots[:len(train)], roots[len(train):len(all)])
}

// cut splits loss and metrics of both sides into parts.
func (c *modelCompiler) cut(train, infer []*ir.Node) error {
	m := c.m
	fields := func(s *ir.Side, roots []*ir.Node) ([]ir.ReportField, *cutter) {
		cut := newCutter(c.g)
		var out []ir.ReportField
		if roots[0] != nil {
			out = append(out, cut.field("loss", "the loss", roots[0]))
		}
		for i, x := range s.Metrics {
			out = append(out, cut.field(x.Name, x.Doc, roots[1+i]))
		}
		return out, cut
	}
	if m.Train != nil {
		reports, cut := fields(m.Train, train)
		c.plan.Reports, c.plan.Parts = reports, cut.parts
		c.train = partNodes(cut)
		c.writes = train[len(train)-len(m.Train.Writes):]
	}
	if m.Infer != nil {
		reports, cut := fields(m.Infer, infer)
		if m.Train == nil {
			c.plan.Reports, c.plan.Parts = reports, cut.parts
		} else if !slices.EqualFunc(c.plan.Parts, cut.parts, samePart) || !slices.EqualFunc(c.plan.Reports, reports, sameReport) {
			return &Error{m.Pos, "the loss or a metric has another form in training than in inference: let the difference lie inside its means"}
		}
		c.infer = partNodes(cut)
		first := 1 + len(m.Infer.Metrics)
		c.outputs = infer[first : first+len(m.Infer.Outputs)]
	}
	return nil
}

func samePart(a, b ir.Part) bool {
	return a.Name == b.Name && a.Kind == b.Kind && (a.Size == nil) == (b.Size == nil)
}
func sameReport(a, b ir.ReportField) bool { return a.Name == b.Name && a.Value == b.Value }

// partNodes is the values of the parts that are no extents.
func partNodes(c *cutter) []*ir.Node {
	var out []*ir.Node
	for _, p := range c.parts {
		if p.Size == nil {
			out = append(out, p.Node)
		}
	}
	return out
}

// bounds collects the inputs whose elements must be within an extent.
func bounds(roots []*ir.Node) []ir.Bound {
	var out []ir.Bound
	for _, n := range ir.Topological(roots...) {
		if !n.Is("bounded") {
			continue
		}
		x := n.Args[0]
		for x.Is("pin") || x.Is("reshape") {
			x = x.Args[0]
		}
		if !x.Is("input") {
			continue
		}
		b := ir.Bound{Input: x, Extent: n.Attr.Dims[0], Ignore: int64(n.Attr.Value), HasIgnore: n.Attr.Value != -1}
		same := func(o ir.Bound) bool { return o.Input == b.Input && o.Extent.Equal(b.Extent) && o.Ignore == b.Ignore }
		if !slices.ContainsFunc(out, same) {
			out = append(out, b)
		}
	}
	return out
}

// simplify brings everything to its final form.
func (c *modelCompiler) simplify() error {
	g := c.g
	for _, u := range c.m.Updates {
		c.next = append(c.next, u.Next)
		c.states = append(c.states, u.States...)
	}
	for _, p := range c.m.Params {
		c.inits = append(c.inits, p.Init)
	}
	stateValues := c.stateValues()
	lists := []*[]*ir.Node{&c.train, &c.infer, &c.outputs, &c.writes, &c.grads, &c.next, &stateValues, &c.inits}
	simplifyAll(g, Simplify, lists)

	// An update that only adds a multiple of the gradient is folded into the
	// product that makes it.
	if len(c.next) > 0 && c.foldable() {
		c.folded = make([]*ir.Node, len(c.next))
		for i, u := range c.m.Updates {
			c.folded[i] = g.Replace(map[*ir.Node]*ir.Node{u.Grad: c.gradOf(u.Param)}, c.next[i])[0]
		}
		c.folded = Simplify(g, c.folded...)
		lists = append(lists, &c.folded)
	}
	c.dropDead(&stateValues)
	simplifyAll(g, Lower, lists)
	for i := range c.states {
		c.states[i].Value = stateValues[i]
	}
	return nil
}

// simplifyAll runs a pass over all lists at once, so that they share.
func simplifyAll(g *ir.Graph, pass func(*ir.Graph, ...*ir.Node) []*ir.Node, lists []*[]*ir.Node) {
	var all []*ir.Node
	for _, l := range lists {
		all = append(all, *l...)
	}
	all = pass(g, all...)
	for _, l := range lists {
		n := len(*l)
		*l = all[:n:n]
		all = all[n:]
	}
}

func (c *modelCompiler) gradOf(p *ir.Param) *ir.Node {
	for i, q := range c.m.Params {
		if q == p {
			return c.grads[i]
		}
	}
	panic("passes: an update of " + p.Path + ", which is no parameter")
}

// foldable reports whether every update is a scalar times the parameter plus a
// scalar times the gradient.
func (c *modelCompiler) foldable() bool {
	s := newSimplifier(c.g, nil)
	for i, u := range c.m.Updates {
		for _, n := range ir.Topological(c.next[i]) {
			if n.Is("state") {
				return false
			}
		}
		for _, t := range s.terms(c.next[i]) {
			linear := 0
			for _, f := range t.factors {
				switch {
				case f.atom == u.Param.Node || f.atom == u.Grad:
					linear += f.power
				case !f.atom.Is("spread") || f.atom.Args[0].Type.Rank() > 0:
					return false
				}
			}
			if linear != 1 {
				return false
			}
		}
	}
	return true
}

// dropDead removes optimiser states that no update reads.
func (c *modelCompiler) dropDead(values *[]*ir.Node) {
	for {
		read := map[*ir.Node]bool{}
		for _, n := range ir.Topological(append(slices.Clone(c.next), *values...)...) {
			read[n] = n.Is("state")
		}
		var states []ir.Write
		var kept []*ir.Node
		for i, w := range c.states {
			if read[w.State.Node] && !onlySelf(w.State.Node, i, *values, c.next) {
				states, kept = append(states, w), append(kept, (*values)[i])
			}
		}
		if len(states) == len(c.states) {
			return
		}
		c.states, *values = states, kept
	}
}

// onlySelf reports whether a state is read by its own new value alone.
func onlySelf(state *ir.Node, at int, values, next []*ir.Node) bool {
	others := slices.Clone(next)
	for i, v := range values {
		if i != at {
			others = append(others, v)
		}
	}
	return !slices.Contains(ir.Topological(others...), state)
}

// procedures plans the model's procedures and its memory.
func (c *modelCompiler) procedures() error {
	m, plan := c.m, c.plan
	names := newNaming(c.g, "B")
	pl := &planner{g: c.g, names: names, buffer: map[*ir.Node]*ir.Buffer{}}
	for _, d := range m.Dims {
		names.taken[d.Name] = true
	}
	c.leaves(pl)

	planners := []*planner{pl}
	child := func(of *planner) *planner {
		p := of.child()
		planners = append(planners, p)
		return p
	}
	var lines []timeline
	if len(c.train) > 0 {
		fw := child(pl)
		backward := append(slices.Clone(c.grads), c.folded...)
		plan.Forward = fw.procedure("forward", append(results(c.train), c.writeTargets(names)...),
			saved(fw.buffer, append(slices.Clone(c.train), c.writes...), backward))
		plan.Gradient = child(fw).procedure("gradient", c.gradTargets(), nil)
		lines = append(lines, timeline{plan.Forward, plan.Gradient})
		if c.folded != nil {
			plan.Backward = child(fw).procedure("backward", c.updateTargets(pl, c.folded, true), nil)
			lines = append(lines, timeline{plan.Forward, plan.Backward})
		}
	}
	if len(c.next) > 0 {
		up := child(pl)
		targets := c.updateTargets(pl, c.next, false)
		targets = append(targets, c.stateTargets(pl)...)
		if f := c.flatten(c.stateValues()); f != nil {
			targets = f.bind(up)
			c.states = f.byName(c.states)
		}
		for _, u := range m.Updates {
			up.buffer[u.Grad] = &ir.Buffer{Name: names.fresh("d" + localName(u.Param.Path)), Type: u.Grad.Type, Storage: ir.InGrad, Key: u.Param.Path}
			up.names.show(u.Grad, "d"+u.Param.Path)
		}
		plan.Update = up.procedure("update", targets, nil)
		lines = append(lines, timeline{plan.Update})
	}
	if (!slices.Equal(c.infer, c.train) || len(c.writes) > 0) && len(c.infer) > 0 {
		plan.Evaluate = child(pl).procedure("evaluate", results(c.infer), nil)
		lines = append(lines, timeline{plan.Evaluate})
	}
	if len(c.inits) > 0 {
		plan.Init = child(pl).procedure("init", c.initTargets(pl), nil)
		lines = append(lines, timeline{plan.Init})
	}
	plan.Trainer = place(lines)
	if len(c.outputs) > 0 {
		plan.Predict = child(pl).procedure("predict", c.outputTargets(), nil)
		plan.Reader = place([]timeline{{plan.Predict}})
	}
	for _, w := range c.states {
		plan.States = append(plan.States, w.State)
	}
	plan.States = append(plan.States, m.States...)
	plan.Draws = draws(append(slices.Clone(c.train), c.grads...))
	for _, p := range planners {
		if p.err != nil {
			return &Error{m.Pos, "model " + m.Name + ": " + p.err.Error()}
		}
	}
	return nil
}

func draws(roots []*ir.Node) bool {
	for _, n := range ir.Topological(roots...) {
		if n.Op.Class == ir.Random {
			return true
		}
	}
	return false
}

// leaves gives every leaf in memory its buffer.
func (c *modelCompiler) leaves(pl *planner) {
	add := func(n *ir.Node, name string, storage ir.Storage, key string) {
		b := &ir.Buffer{Name: pl.names.fresh(localName(name)), Type: n.Type, Storage: storage, Key: key}
		pl.buffer[n] = b
		pl.names.show(n, name)
	}
	for _, x := range c.m.Inputs {
		add(x.Node, x.Name, ir.InInput, x.Name)
	}
	for _, p := range c.m.Params {
		add(p.Node, p.Path, ir.InParam, p.Path)
	}
	for _, s := range c.m.States {
		add(s.Node, s.Path, ir.InState, s.Path)
	}
	for _, w := range c.states {
		add(w.State.Node, w.State.Path, ir.InState, w.State.Path)
	}
	roots := slices.Concat(c.train, c.infer, c.outputs, c.writes, c.grads, c.next, c.folded, c.inits)
	tables(pl, roots)
}

// tables gives literal tensors their buffers.
func tables(pl *planner, roots []*ir.Node) {
	for _, n := range ir.Topological(roots...) {
		if n.Is("tensor") {
			pl.buffer[n] = &ir.Buffer{Name: pl.names.buffer(n, "table"), Type: n.Type, Storage: ir.InTable, Data: n.Attr.Data}
			pl.names.show(n, pl.buffer[n].Name)
		}
	}
}

func results(nodes []*ir.Node) []target {
	out := make([]target, len(nodes))
	for i, n := range nodes {
		out[i] = target{node: n}
	}
	return out
}

// saved is what the forward computes and the backward reads.
func saved(avail map[*ir.Node]*ir.Buffer, forward, backward []*ir.Node) []*ir.Node {
	f := &fuser{avail: map[*ir.Node]bool{}}
	for n := range avail {
		f.avail[n] = true
	}
	computed := map[*ir.Node]bool{}
	for _, n := range f.needed(forward) {
		computed[n] = true
	}
	var out []*ir.Node
	seen := map[*ir.Node]bool{}
	var visit func(n *ir.Node)
	visit = func(n *ir.Node) {
		if seen[n] || f.avail[n] {
			return
		}
		seen[n] = true
		if computed[n] && !f.inline(n) {
			out = append(out, n)
			return
		}
		for _, a := range n.Args {
			visit(a)
		}
	}
	for _, n := range backward {
		visit(n)
	}
	return out
}

// gradTargets is the gradients in the buffers of a Params, the last layer
// first.
func (c *modelCompiler) gradTargets() []target {
	var out []target
	for i, p := range slices.Backward(c.m.Params) {
		out = append(out, target{node: c.grads[i], buffer: &ir.Buffer{
			Name: "d" + localName(p.Path), Type: p.Node.Type, Storage: ir.InGrad, Key: p.Path,
		}})
	}
	return out
}

// updateTargets is the new parameters in the parameters' own buffers.
func (c *modelCompiler) updateTargets(pl *planner, next []*ir.Node, backward bool) []target {
	var out []target
	for i := range next {
		if backward {
			i = len(next) - 1 - i
		}
		leaf := c.m.Updates[i].Param.Node
		out = append(out, target{node: next[i], buffer: pl.buffer[leaf], leaf: leaf})
	}
	return out
}

// writeTargets is the new values of the model's own states, beside the old
// ones: a step commits them.
func (c *modelCompiler) writeTargets(names *naming) []target {
	var out []target
	for i, v := range c.writes {
		state := c.m.Train.Writes[i].State
		out = append(out, target{node: v, buffer: &ir.Buffer{
			Name: names.fresh(localName(state.Path) + "Next"), Type: v.Type, Storage: ir.InState, Key: state.Path + ir.NextKey,
		}})
		c.plan.Written = append(c.plan.Written, state)
	}
	return out
}

func (c *modelCompiler) stateValues() []*ir.Node {
	out := make([]*ir.Node, len(c.states))
	for i, w := range c.states {
		out[i] = w.Value
	}
	return out
}

func (c *modelCompiler) stateTargets(pl *planner) []target {
	var out []target
	for _, w := range c.states {
		out = append(out, target{node: w.Value, buffer: pl.buffer[w.State.Node], leaf: w.State.Node})
	}
	return out
}

func (c *modelCompiler) initTargets(pl *planner) []target {
	var out []target
	for i, p := range c.m.Params {
		out = append(out, target{node: c.inits[i], buffer: pl.buffer[p.Node]})
	}
	return out
}

func (c *modelCompiler) outputTargets() []target {
	var out []target
	for i, o := range c.m.Infer.Outputs {
		out = append(out, target{node: c.outputs[i], buffer: &ir.Buffer{
			Name: localName(o.Name), Type: o.Node.Type, Storage: ir.InOutput, Key: o.Name,
		}})
	}
	return out
}

// compileFunc plans an exported function: one procedure for the value and one
// for each derivative.
func compileFunc(g *ir.Graph, f *ir.Func) (*ir.FuncPlan, error) {
	plan := &ir.FuncPlan{Func: f}
	for _, e := range funcEntries(g, f) {
		if err := e.compile(g, f); err != nil {
			return nil, err
		}
		plan.Entries = append(plan.Entries, e.FuncEntry)
	}
	return plan, nil
}

// funcEntry is an entry while it is planned: its results under their names.
type funcEntry struct {
	*ir.FuncEntry
	values []*ir.Node
	names  []string
}

// funcEntries lists the Go functions that a derive clause asks for.
func funcEntries(g *ir.Graph, f *ir.Func) []*funcEntry {
	var out []*funcEntry
	count := map[string]int{}
	for _, d := range f.Derive {
		count[d.Kind]++
	}
	value := len(f.Derive) == 0
	for _, d := range f.Derive {
		value = value || d.Kind == "value"
	}
	if value {
		e := &funcEntry{FuncEntry: &ir.FuncEntry{Kinds: []string{"value"}}, values: f.Results}
		for i := range f.Results {
			e.names = append(e.names, numbered("out", i))
		}
		out = append(out, e)
	}
	for _, d := range f.Derive {
		if d.Kind == "value" {
			continue
		}
		e := derived(g, f, d)
		if count[d.Kind] > 1 {
			for _, i := range d.Params {
				e.Suffix += raised(f.Params[i].Name)
			}
		}
		out = append(out, e)
		if d.Kind == "grad" && value {
			both := *e.FuncEntry
			both.Suffix, both.Kinds = "Value"+e.Suffix, []string{"value", "grad"}
			out = append(out, &funcEntry{FuncEntry: &both, values: append(slices.Clone(f.Results), e.values...), names: append([]string{"out"}, e.names...)})
		}
	}
	return out
}

func numbered(name string, i int) string {
	if i == 0 {
		return name
	}
	return fmt.Sprint(name, i+1)
}

func raised(name string) string {
	name = localName(name)
	return strings.ToUpper(name[:1]) + name[1:]
}

// derived is the entry of one derivation.
func derived(g *ir.Graph, f *ir.Func, d ir.Derivation) *funcEntry {
	e := &funcEntry{FuncEntry: &ir.FuncEntry{Kinds: []string{d.Kind}, Params: d.Params}}
	y := f.Results[0]
	vector := func(name string, t ir.Type) *ir.Node {
		n := g.Leaf("input", name, t)
		e.Extra = append(e.Extra, ir.Named{Name: name, Node: n})
		return n
	}
	single := len(d.Params) == 1
	name := func(short, long string, p ir.Named) string {
		if single {
			return short
		}
		return long + raised(p.Name)
	}
	for _, i := range d.Params {
		p := f.Params[i]
		x := p.Node
		switch d.Kind {
		case "grad":
			e.Suffix = "Grad"
			e.add(g.Must("grad", ir.Attr{}, y, x), name("grad", "grad", p))
		case "jacobian":
			e.Suffix = "Jacobian"
			e.add(g.Must("jacobian", ir.Attr{}, y, x), name("jac", "jac", p))
		case "hessian":
			e.Suffix = "Hessian"
			e.add(g.Must("hessian", ir.Attr{}, y, x), name("hess", "hess", p))
		case "vjp":
			e.Suffix = "VJP"
			if len(e.Extra) == 0 {
				vector("w", y.Type)
			}
			e.add(g.Must("vjp", ir.Attr{}, y, x, e.Extra[0].Node), "d"+p.Name)
		case "jvp":
			e.Suffix = "JVP"
			e.add(g.Must("jvp", ir.Attr{}, y, x, vector(name("v", "v", p), x.Type)), "dout")
		case "hvp":
			e.Suffix = "HVP"
			grad := g.Must("grad", ir.Attr{}, y, x)
			e.add(g.Must("jvp", ir.Attr{}, grad, x, vector(name("v", "v", p), x.Type)), name("hv", "hv", p))
		}
	}
	if d.Kind == "jvp" && len(e.values) > 1 {
		// The value moves along all parameters at once.
		sum := e.values[0]
		for _, v := range e.values[1:] {
			sum = g.Add(sum, v)
		}
		e.values, e.names = []*ir.Node{sum}, e.names[:1]
	}
	return e
}

func (e *funcEntry) add(n *ir.Node, name string) {
	e.values = append(e.values, n)
	e.names = append(e.names, name)
}

func (e *funcEntry) compile(g *ir.Graph, f *ir.Func) error {
	values := Lower(g, Simplify(g, Strip(g, Gradient(g, e.values...)...)...)...)
	names := newNaming(g)
	for _, d := range f.Dims {
		names.taken[d.Name] = true
	}
	pl := &planner{g: g, names: names, buffer: map[*ir.Node]*ir.Buffer{}}
	for _, p := range append(slices.Clone(f.Params), e.Extra...) {
		leaf := p.Node
		for leaf.Is("pin") || leaf.Is("bounded") {
			leaf = leaf.Args[0]
		}
		pl.buffer[leaf] = &ir.Buffer{Name: names.fresh(localName(p.Name)), Type: leaf.Type, Storage: ir.InInput, Key: p.Name}
		names.show(leaf, p.Name)
	}
	tables(pl, values)
	var targets []target
	for i, v := range values {
		t := target{node: v}
		if v.Type.Rank() > 0 {
			t.buffer = &ir.Buffer{Name: names.fresh(localName(e.names[i])), Type: v.Type, Storage: ir.InOutput, Key: e.names[i]}
			e.Outputs = append(e.Outputs, t.buffer)
		}
		targets = append(targets, t)
	}
	e.Proc = pl.procedure(localName(f.Name)+e.Suffix, targets, nil)
	e.Arena = place([]timeline{{e.Proc}})
	if pl.err != nil {
		return &Error{f.Pos, "function " + f.Name + e.Suffix + ": " + pl.err.Error()}
	}
	if len(e.Proc.Results) > 0 {
		e.Returns = e.Proc.Results[0]
	}
	return nil
}
