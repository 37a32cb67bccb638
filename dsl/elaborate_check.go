package dsl

import (
	"strings"
	"unicode"

	"gradgen.dev/ir"
)

// goName is what a name becomes in Go, as far as clashes go: _ is removed and
// the next letter raised, the first letter raised.
func goName(name string) string {
	var b strings.Builder
	raise := true
	for _, r := range name {
		if r == '_' || r == '.' {
			raise = true
			continue
		}
		if raise {
			r = unicode.ToUpper(r)
		}
		raise = false
		b.WriteRune(r)
	}
	return b.String()
}

// checkNames reports parameters whose fields in Go would have one name, and
// metrics that hide the loss.
func (e *elaborator) checkNames(m *modelState) {
	seen := map[string]*ir.Param{}
	for _, p := range m.out.Params {
		field := goName(p.Path)
		old := seen[field]
		if old == nil {
			seen[field] = p
			continue
		}
		d := errorAt(m.paramPlace[p.Path], "parameters %s and %s meet in the Go name %s; as or another name tells them apart", old.Path, p.Path, field).code("go-name")
		e.report(d.related(m.paramPlace[old.Path], "%s is declared here", old.Path))
	}
	e.checkReport(m)
	first := map[string]string{}
	for _, in := range m.out.Inputs {
		name := goName(in.Name)
		if old, ok := first[name]; ok && old != in.Name {
			e.report(meetInGo(m.inputAt[in.Name].Name, "inputs", old, in.Name, "rename one").related(m.inputAt[old].Name, "%s is here", old))
			continue
		}
		first[name] = in.Name
	}
}

// checkReport reports metrics that meet a loss in the report.
func (e *elaborator) checkReport(m *modelState) {
	for _, metric := range m.out.Train.Metrics {
		for _, l := range m.out.Train.Losses {
			switch at := m.named["metric "+goName(metric.Name)]; {
			case l.Name == "" && goName(metric.Name) == "Loss":
				e.report(errorAt(at, "a metric called loss meets the loss in the report; name it otherwise").code("go-name"))
			case l.Name != "" && goName(metric.Name) == goName(l.Name):
				d := errorAt(at, "a metric called %s meets loss %s in the report; name one otherwise", metric.Name, l.Name).code("go-name")
				e.report(d.related(m.lossNamed[goName(l.Name)], "loss %s is here", l.Name))
			}
		}
	}
}

// checkUnused looks at the bodies that nothing applied: their names must exist.
func (e *elaborator) checkUnused() {
	if e.stopped {
		return
	}
	for _, d := range e.file.Decls {
		if e.user.used[d] {
			continue
		}
		switch d := d.(type) {
		case *FnDecl:
			if !d.Export && d.Name.Name != "" {
				e.checkBody(d, d.Name.Name, d.Params, d.Value, d.Body, fnScope)
			}
		case *LayerDecl:
			e.checkBody(d, d.Name.Name, d.Params, d.Value, d.Body, layerScope)
		case *OptimizerDecl:
			e.checkBody(d, d.Name.Name, d.Params, nil, d.Body, optimizerScope)
			e.checkSetsParam(d)
		}
	}
}

// checkSetsParam reports an optimizer without an update of the parameter.
func (e *elaborator) checkSetsParam(d *OptimizerDecl) {
	sets := false
	walkStmts(d.Body, func(s Stmt) {
		u, ok := s.(*UpdateStmt)
		sets = sets || ok && u.Target.Name == "param"
	})
	if !sets {
		e.failNeverSets(d)
	}
}

// failNeverSets reports an optimizer that leaves the parameter alone, unless a
// statement of it that could not be read may set it.
func (e *elaborator) failNeverSets(d *OptimizerDecl) {
	if !hasBad(d.Body) {
		e.report(errorAt(d.Name, "optimizer %s never sets param; param <- … does", d.Name.Name).code("optimizer"))
	}
}

// checkBody reports what is wrong with a body whatever it is applied to: names
// that nothing binds, and statements that may not stand in it.
func (e *elaborator) checkBody(d Decl, name string, params []*Param, value Expr, b *Block, kind scopeKind) {
	sc := newScope(kind, name, d, e.user, nil, nil)
	known := func(n *Name) { sc.vals[n.Name] = &binding{val: truth(true), place: n.Span, verb: "bound"} }
	for _, p := range params {
		known(p.Name)
		if e.wantsFunction(&function{name: name, fn: &FnDecl{Params: params, Span: d.Where()}}, p) {
			sc.funcs[p.Name.Name] = &function{name: p.Name.Name, bad: true}
		}
		if p.Type != nil && p.Type.Shape != nil {
			for _, dim := range p.Type.Shape.Dims {
				walkExpr(dim.Expr, func(x Expr) {
					if n, ok := x.(*Name); ok {
						known(n)
					}
				})
			}
		}
	}
	if kind == optimizerScope {
		for _, word := range []string{"param", "grad", "step", "steps", "decay"} {
			known(&Name{Span: d.Where(), Name: word})
		}
	}
	bindNames(b, known)
	walkBody(value, b, func(x Expr) {
		if c, ok := x.(*Call); ok && c.As != nil {
			known(c.As)
		}
	})
	if kind == layerScope {
		known(&Name{Span: d.Where(), Name: "step"})
		known(&Name{Span: d.Where(), Name: "steps"})
	}
	if t := resultOf(d); t != nil && t.Shape != nil {
		e.failUnbound(sc, t.Shape)
	}
	c := &nameCheck{e: e, sc: sc, states: statesOf(b, kind)}
	if value != nil {
		c.expr(value)
	}
	walkStmts(b, func(s Stmt) {
		if text := misplaced(kind, s); text != "" {
			e.fail(sc, s, "place", "%s", text)
			return
		}
		if u, ok := s.(*UpdateStmt); ok {
			c.target(u)
		}
		for _, x := range stmtExprs(s) {
			c.stmtExpr(s, x)
		}
	})
}

// resultOf is the type that a declaration gives its result, nil without.
func resultOf(d Decl) *Type {
	switch d := d.(type) {
	case *FnDecl:
		return d.Result
	case *LayerDecl:
		return d.Result
	}
	return nil
}

// bindNames calls bind for every name that a block binds.
func bindNames(b *Block, bind func(*Name)) {
	walkStmts(b, func(s Stmt) {
		switch s := s.(type) {
		case *VarStmt:
			bind(s.Name)
		case *SharedStmt:
			bind(s.Name)
		case *OutputStmt:
			bind(s.Name)
		case *ForStmt:
			bind(s.Var)
		case *AssignStmt:
			for _, n := range s.Names {
				bind(n)
			}
		case *BadStmt:
			for _, n := range s.Names {
				bind(n)
			}
		}
	})
}

// statesOf is the names that <- may set in a body of a kind. What a statement
// with a syntax error binds may be a state.
func statesOf(b *Block, kind scopeKind) map[string]bool {
	out := map[string]bool{}
	walkStmts(b, func(s Stmt) {
		switch s := s.(type) {
		case *VarStmt:
			out[s.Name.Name] = out[s.Name.Name] || s.Kind == State || s.Kind == Carry
		case *SharedStmt:
			out[s.Name.Name] = true
		case *BadStmt:
			for _, n := range s.Names {
				out[n.Name] = true
			}
		}
	})
	if kind == optimizerScope {
		out["param"] = true
	}
	return out
}

// nameCheck looks up the names of a body without elaborating it.
type nameCheck struct {
	e      *elaborator
	sc     *scope
	states map[string]bool // that <- may set
}

// target checks what an update sets.
func (c *nameCheck) target(s *UpdateStmt) {
	name := s.Target.Name
	if c.states[name] {
		return
	}
	b := c.sc.vals[name]
	if b == nil {
		c.e.failNoState(c.sc, s, sortedKeys(c.states))
		return
	}
	c.e.failNotState(c.sc, s, b)
}

// stmtExpr checks an expression of a statement; an initialiser is a function.
func (c *nameCheck) stmtExpr(s Stmt, x Expr) {
	if _, ok := s.(*VarStmt); ok {
		if name, isName := x.(*Name); isName {
			if c.sc.vals[name.Name] == nil && !c.sc.files.hasConst(name.Name) {
				c.function(name)
			}
			return
		}
	}
	c.expr(x)
}

func (c *nameCheck) expr(x Expr) {
	switch x := x.(type) {
	case nil:
	case *Name:
		c.value(x)
	case *Call:
		c.call(x, 0)
	case *Pipe:
		c.expr(x.X)
		c.call(x.Stage, 1)
	case *Field:
		// The parts of an instance are known where it is made.
		if base, _ := dotted(x); base == nil {
			c.expr(x.X)
		}
	case *Scan:
		return
	default:
		for _, o := range operandsOf(x) {
			c.expr(o)
		}
	}
}

// value looks a name up among values.
func (c *nameCheck) value(x *Name) {
	if c.sc.vals[x.Name] == nil {
		c.e.evalName(c.sc, x)
	}
}

// function looks a name up among functions.
func (c *nameCheck) function(x *Name) *function {
	if _, ok := elementType(c.e, x.Name); ok {
		return nil
	}
	f := c.e.lookupFunction(c.sc, x.Name)
	if f == nil && c.sc.vals[x.Name] == nil {
		c.e.unknownFunction(c.sc, x)
	}
	return f
}

// call checks a call: arguments where a function is expected are left alone.
func (c *nameCheck) call(x *Call, offset int) {
	name, ok := x.Func.(*Name)
	if !ok {
		return
	}
	f := c.function(name)
	for i, a := range x.Args {
		if f != nil {
			var p *Param
			if a.Name != nil {
				p = paramNamed(f.params(), a.Name.Name)
			} else if i+offset < len(f.params()) {
				p = f.params()[i+offset]
			}
			if f.bad || p != nil && c.e.wantsFunction(f, p) {
				continue
			}
		}
		c.expr(a.Value)
	}
}
