package dsl

import (
	"maps"
	"slices"
	"strconv"

	"gradgen.dev/ir"
)

// entry adds an export fn of a model: a further entry of its inference form,
// over the instances, parameters and constants that the body has bound so far.
func (e *elaborator) entry(sc *scope, s *FnDecl) {
	if !e.entryPlace(sc, s) || e.training {
		return
	}
	m := e.model
	out := &ir.Export{Name: s.Name.Name, Doc: s.Doc, Pos: position(s.Name.Span)}

	// What it moves and asserts is its own.
	side, facts, results := m.side, e.facts, e.results
	m.side, e.facts, e.results = &ir.Side{}, slices.Clone(e.facts), map[string]value{}
	defer func() { m.side, e.facts, e.results = side, facts, results }()

	inner := e.entryScope(sc, s)
	if !e.entryParams(inner, s, out) {
		return
	}
	v := e.checkResult(inner, s.Result, e.bodyResult(inner, s.Value, s.Body), s.Name)
	if isPoison(v) || !e.entryResults(inner, s, out, v) {
		return
	}
	out.Writes = m.side.Writes
	out.Facts = factsAbout(e.facts, out.Dims)
	if e.checkEntry(s, out) {
		m.out.Exports = append(m.out.Exports, out)
	}
}

// entryPlace checks where a fn in a body stands and what it has beside its body.
func (e *elaborator) entryPlace(sc *scope, s *FnDecl) bool {
	switch {
	case !s.Export:
		e.fail(sc, s.Name, "place", "a fn stands at the top level of a file; in a model export fn adds an entry")
		return false
	case sc.kind != modelScope || len(sc.loops) > 0:
		e.fail(sc, s.Name, "place", "export fn stands at the top level of a file, or in a model and outside of loops")
		return false
	case len(s.Derive) > 0:
		e.fail(sc, s.Derive[0], "derive", "an entry of a model has no derived forms; an export fn outside of the model has, and grad(y, x) is an expression")
		return false
	case s.Grad != nil:
		e.fail(sc, s.Grad, "grad-clause", "an entry of a model carries no derivative; a fn outside of the model does")
		return false
	}
	key := goName(s.Name.Name)
	if old := e.model.entries[key]; old != nil && old != s {
		d := errorAt(s.Name, "two entries are called %s; rename one", s.Name.Name).code("declared-twice")
		if old.Name.Name != s.Name.Name {
			d = meetInGo(s.Name, "entries", old.Name.Name, s.Name.Name, "rename one")
		}
		e.failWith(sc, s.Name, d.related(old.Name, "%s is here", theFirst(old.Name.Name, s.Name.Name)))
		return false
	}
	e.model.entries[key] = s
	return true
}

// entryScope is the body of an entry: it sees what the model has bound, with
// states and carries as they are before a call.
func (e *elaborator) entryScope(sc *scope, s *FnDecl) *scope {
	inner := newScope(entryScope, s.Name.Name, s, sc.files, nil, nil)
	inner.site = s.Name.Name
	inner.targets = e.targetsOf(s)
	inner.funcs, inner.instances = maps.Clone(sc.funcs), maps.Clone(sc.instances)
	for _, name := range sortedKeys(sc.vals) {
		b := *sc.vals[name]
		if _, ok := b.val.(tensor); ok && b.state != nil {
			b.val = tensor{b.state.state.Node}
		}
		inner.vals[name] = &b
	}
	return inner
}

// entryParams makes the inputs of an entry. A parameter that is no tensor keeps
// its default.
func (e *elaborator) entryParams(sc *scope, s *FnDecl, out *ir.Export) bool {
	f := &function{name: s.Name.Name, fn: s}
	e.checkParams(s.Params)
	ok := true
	for _, p := range s.Params {
		elem, isRunning := runningParam(p)
		switch {
		case isRunning:
			leaf := e.entryLeaf(p, out, ir.Type{Elem: elem})
			sc.vals[p.Name.Name] = &binding{val: runningValue(e.g, leaf), place: p.Name.Span, verb: "declared"}
		case p.Type == nil || p.Type.Shape == nil:
			if p.Default == nil {
				e.failParam(sc, p, f.name)
			}
			ok = p.Default != nil && e.bindArgs(sc, f, []*Param{p}, nil) && ok
		default:
			ok = e.entryInput(sc, p, out) && ok
		}
	}
	e.pinParams(sc, s.Params)
	return ok
}

// entryInput makes one input of an entry.
func (e *elaborator) entryInput(sc *scope, p *Param, out *ir.Export) bool {
	for _, dim := range p.Type.Shape.Dims {
		if dim.Spread {
			e.fail(sc, dim, "export", "an exported fn knows the rank of its parameters; write each dimension")
			return false
		}
	}
	e.declareDims(sc, p.Type.Shape, nil)
	t, ok := e.tensorType(sc, &VarStmt{Span: p.Span, Kind: Input, Name: p.Name, Type: p.Type}, nil)
	if !ok {
		return false
	}
	vars := map[string]bool{}
	for _, d := range t.Shape {
		d.Vars(vars)
	}
	for _, name := range sortedKeys(vars) {
		if !hasDim(out.Dims, name) {
			out.Dims = append(out.Dims, ir.RunDim{Name: name})
		}
	}
	sc.vals[p.Name.Name] = &binding{val: tensor{e.entryLeaf(p, out, t)}, place: p.Name.Span, verb: "declared"}
	return true
}

// entryLeaf is the leaf of the input that a parameter of a type is.
func (e *elaborator) entryLeaf(p *Param, out *ir.Export, t ir.Type) *ir.Node {
	leaf := e.g.Leaf("input", out.Name+"."+p.Name.Name, t)
	e.g.SetOrigin(leaf, ir.Origin{Name: p.Name.Name, Instance: out.Name, Pos: position(p.Name.Span)})
	out.Inputs = append(out.Inputs, ir.Named{Name: p.Name.Name, Pos: position(p.Name.Span), Node: leaf})
	return leaf
}

// entryResults names what an entry returns, numbered where two are called alike.
func (e *elaborator) entryResults(sc *scope, s *FnDecl, out *ir.Export, v value) bool {
	results := tuple{v}
	if t, ok := v.(tuple); ok {
		results = t
	}
	written := returned(s)
	taken := map[string]bool{}
	for i, r := range results {
		n, ok := e.tensorOf(sc, s.Name, r)
		if !ok {
			return false
		}
		word := "result"
		if i < len(written) {
			word = e.resultName(sc, written[i], len(written))
		}
		name := word
		for k := 2; taken[goName(name)]; k++ {
			name = word + strconv.Itoa(k)
		}
		taken[goName(name)] = true
		e.name(sc, n, &Name{Span: s.Name.Span, Name: name})
		out.Results = append(out.Results, ir.Named{Name: name, Pos: position(s.Name.Span), Node: n})
	}
	return true
}

// resultName is the name of one of n results of an entry: of a variable its own,
// of a call of an instance, among several results, the instance's, else result.
func (e *elaborator) resultName(sc *scope, x Expr, n int) string {
	if name, ok := x.(*Name); ok {
		return name.Name
	}
	if name := calledName(x); n > 1 && name != nil && e.instanceNamed(sc, name.Name) != nil {
		return name.Name
	}
	return "result"
}

// returned is the expressions that a fn returns, of its only return.
func returned(s *FnDecl) []Expr {
	if s.Body == nil {
		return []Expr{s.Value}
	}
	var found [][]Expr
	walkStmts(s.Body, func(s Stmt) {
		if r, ok := s.(*ReturnStmt); ok {
			found = append(found, r.Values)
		}
	})
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// factsAbout is the facts that are about dims alone.
func factsAbout(facts ir.Facts, dims []ir.RunDim) ir.Facts {
	var out ir.Facts
	for _, f := range facts {
		vars := map[string]bool{}
		f.Num.Vars(vars)
		f.Den.Vars(vars)
		about := true
		for name := range vars {
			about = about && hasDim(dims, name)
		}
		if about {
			out = append(out, f)
		}
	}
	return out
}

// checkEntry reports what an entry uses and no call gives: an input of the
// model, or a dimension that no parameter has.
func (e *elaborator) checkEntry(s *FnDecl, out *ir.Export) bool {
	own := map[*ir.Node]bool{}
	for _, in := range out.Inputs {
		own[in.Node] = true
	}
	var roots []*ir.Node
	for _, r := range out.Results {
		roots = append(roots, r.Node)
	}
	for _, w := range out.Writes {
		roots = append(roots, w.Value)
	}
	vars := map[string]bool{}
	for _, n := range ir.Topological(roots...) {
		if n.Is("input") && !own[n] {
			d := errorAt(s.Name, "%s depends on %s, an input of the model, and has only its own parameters: make %s one of them", out.Name, n.Attr.Name, n.Attr.Name).code("entry")
			if in := e.model.inputAt[n.Attr.Name]; in != nil {
				d.related(in.Name, "%s is declared here", n.Attr.Name)
			}
			e.report(d)
			return false
		}
		for _, d := range n.Type.Shape {
			d.Vars(vars)
		}
		if n.Is("size") {
			n.Attr.Dims[0].Vars(vars)
		}
	}
	for _, name := range sortedKeys(vars) {
		if !hasDim(out.Dims, name) {
			e.report(errorAt(s.Name, "%s depends on the run-time dimension %s, and none of its parameters has it in its shape", out.Name, name).code("entry"))
			return false
		}
	}
	return true
}
