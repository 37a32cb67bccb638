package dsl

import (
	"fmt"

	"gradgen.dev/ir"
)

// pin is n marked as a binding that derivatives are taken by.
func (e *elaborator) pin(sc *scope, name string, n *ir.Node) *ir.Node {
	key := join(sc.path, name)
	if sc.kind == fnScope {
		key = join(sc.path, sc.name+"."+name)
	}
	e.pins[key]++
	if k := e.pins[key]; k > 1 {
		key = fmt.Sprintf("%s#%d", key, k)
	}
	return e.g.Pin(n, key)
}

// pinParams pins the parameters of a body that derivatives are taken by.
func (e *elaborator) pinParams(sc *scope, params []*Param) {
	for _, p := range params {
		b := sc.vals[p.Name.Name]
		if b == nil || !sc.targets[p.Name.Name] {
			continue
		}
		if t, ok := b.val.(tensor); ok && t.node.Type.Elem.IsFloat() {
			sc.vals[p.Name.Name] = &binding{val: tensor{e.pin(sc, p.Name.Name, t.node)}, place: b.place, verb: b.verb}
		}
	}
}

// targetsOf is the names that the body of d takes derivatives by, with the
// names that are plain aliases of them.
func (e *elaborator) targetsOf(d Node) map[string]bool {
	if t, ok := e.targets[d]; ok {
		return t
	}
	value, block := bodyOf(d)
	targets := map[string]bool{}
	walkBody(value, block, func(x Expr) {
		if p, ok := x.(*Pipe); ok {
			noteTarget(targets, p.Stage, 0)
		} else if c, ok := x.(*Call); ok {
			noteTarget(targets, c, 1)
		}
	})
	for changed := true; changed; {
		changed = false
		walkStmts(block, func(s Stmt) {
			a, ok := s.(*AssignStmt)
			if !ok || len(a.Names) != 1 || !targets[a.Names[0].Name] {
				return
			}
			if name, ok := a.Value.(*Name); ok && !targets[name.Name] {
				targets[name.Name], changed = true, true
			}
		})
	}
	e.targets[d] = targets
	return targets
}

// noteTarget notes the argument x of a call of a derivative, which stands at
// position k unless it is named.
func noteTarget(targets map[string]bool, c *Call, k int) {
	f, ok := c.Func.(*Name)
	if !ok {
		return
	}
	switch f.Name {
	case "grad", "jacobian", "hessian", "jvp":
	default:
		return
	}
	for i, a := range c.Args {
		if a.Name == nil && i != k || a.Name != nil && a.Name.Name != "x" {
			continue
		}
		if name, ok := a.Value.(*Name); ok {
			targets[name.Name] = true
		}
	}
}
