package dsl

import (
	"strconv"
	"strings"
)

// A namer gives the instances and tensors that a declaration makes their names:
// counted in the text, the defaults of parameters before the body, arguments
// first, whether or not a branch is taken.
type namer struct {
	e     *elaborator
	sc    *scope
	names map[Node]string
	taken map[string]claim

	declared map[string]bool // the names before ( that are instances, so far in the text
}

// A claim is who has a name already.
type claim struct {
	place Node
	as    bool
}

// newNamer is the namer of what the application sc of a declaration makes.
func (e *elaborator) newNamer(sc *scope) *namer {
	return &namer{e: e, sc: sc, names: map[Node]string{}, taken: map[string]claim{}, declared: map[string]bool{}}
}

// body names what the body of the declaration makes.
func (n *namer) body() {
	value, block := bodyOf(n.sc.decl)
	if value != nil {
		n.expr(value, "")
	}
	n.block(block)
}

// fallback names what the default of a parameter makes, whether or not the
// caller gives another value.
func (n *namer) fallback(f *function, p *Param) {
	switch {
	case p.Default == nil:
	case n.e.wantsFunction(f, p):
		n.partial(p.Default)
	default:
		n.expr(p.Default, "")
	}
}

func (n *namer) block(b *Block) {
	if b == nil {
		return
	}
	for _, s := range b.Stmts {
		n.stmt(s)
	}
}

func (n *namer) stmt(s Stmt) {
	hint := ""
	switch s := s.(type) {
	case *VarStmt:
		if s.Kind != Input {
			n.claim(s, s.Name, s.Name.Name, false)
		}
		if isCopy(s) {
			n.declared[s.Name.Name] = true
		}
		return
	case *SharedStmt:
		n.partial(s.Value)
		n.claim(s, s.Name, s.Name.Name, false)
		n.declared[s.Name.Name] = true
		return
	case *AssignStmt:
		if len(s.Names) == 1 {
			hint = s.Names[0].Name
		}
	case *OutputStmt:
		hint = s.Name.Name
	case *LossStmt:
		if s.Name != nil {
			hint = s.Name.Name
		}
	case *ForStmt:
		n.block(s.Body)
		return
	case *IfStmt:
		n.block(s.Then)
		n.block(s.Else)
		return
	}
	for _, x := range stmtExprs(s) {
		n.expr(x, hint)
	}
}

// expr names the calls of layers in x; hint is the name of a call that is the
// whole right side of an assignment.
func (n *namer) expr(x Expr, hint string) {
	switch x := x.(type) {
	case *Call:
		n.args(x, 0)
		n.call(x, hint)
	case *Pipe:
		n.expr(x.X, "")
		n.args(x.Stage, 1)
		n.call(x.Stage, hint)
	case *Scan:
		for _, o := range operandsOf(x) {
			n.expr(o, "")
		}
		n.block(x.Body)
	default:
		for _, o := range operandsOf(x) {
			n.expr(o, "")
		}
	}
}

// args names what is made in the arguments of a call; offset is how many
// arguments stand before them.
func (n *namer) args(x *Call, offset int) {
	f := n.callee(x)
	for i, a := range x.Args {
		if f != nil {
			p := (*Param)(nil)
			if a.Name != nil {
				p = paramNamed(f.params(), a.Name.Name)
			} else if i+offset < len(f.params()) {
				p = f.params()[i+offset]
			}
			if p != nil && n.e.wantsFunction(f, p) {
				n.partial(a.Value)
				continue
			}
		}
		n.expr(a.Value, "")
	}
}

// partial names what is made where a function is expected: that is the
// arguments of a call without its first, and not the call.
func (n *namer) partial(x Expr) {
	switch x := x.(type) {
	case *Call:
		n.args(x, 1)
	case *Cond:
		n.expr(x.Cond, "")
		n.partial(x.Then)
		n.partial(x.Else)
	}
}

func (n *namer) callee(x *Call) *function {
	name, ok := x.Func.(*Name)
	if !ok || n.declared[name.Name] && n.sc.funcs[name.Name] == nil {
		return nil
	}
	return n.e.lookupFunction(n.sc, name.Name)
}

// call names one call, where it is one of a layer.
func (n *namer) call(x *Call, hint string) {
	f := n.callee(x)
	if f == nil || f.layer == nil || f.inst != nil {
		return
	}
	switch {
	case x.As != nil:
		n.claim(x, x.As, x.As.Name, true)
	case hint != "":
		n.claim(x, x, hint, false)
	default:
		n.claim(x, x, f.name, false)
	}
}

// claim takes a name, or the next one that is free behind it. Only a clash with
// an `as` is an error.
func (n *namer) claim(node, at Node, name string, as bool) {
	old, clash := n.taken[name]
	if clash && (as || old.as) {
		d := errorAt(at, "the instance name %s is taken; as gives another", name).code("as-clash")
		n.e.failWith(n.sc, at, d.related(old.place, "it is taken here"))
	}
	free := name
	for i := 2; clash; i++ {
		free = name + strconv.Itoa(i)
		if _, clash = n.taken[free]; !clash {
			break
		}
	}
	n.taken[free] = claim{at, as}
	n.names[node] = free
}

// nameOf is the name that a statement or call of the body gives what it makes.
func (sc *scope) nameOf(node Node, otherwise string) string {
	if sc.namer != nil && sc.namer.names[node] != "" {
		return sc.namer.names[node]
	}
	return otherwise
}

// pathOf is the path of what a statement or call of the body makes: the
// body's, the name, and the indices of the loops around it.
func (sc *scope) pathOf(node Node, otherwise string) string {
	name := sc.nameOf(node, otherwise)
	for _, i := range sc.loops {
		name += "." + strconv.Itoa(i)
	}
	return join(sc.path, name)
}

// join puts a dot between two parts of a path.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// siteOf is where a random draw of the call at stands: the path of the instance,
// then the calls in the text that lead to it, with the loops around each.
func (e *elaborator) siteOf(sc *scope, at Node) string {
	var parts []string
	for s := sc; s != nil; s = s.up {
		if p := e.placeOf(s, at); p != "" {
			parts = append([]string{p}, parts...)
		}
		if s.kind != fnScope || s.site != "" {
			root := s.path + s.applied
			if s.site != "" {
				root = s.site
			}
			if root != "" {
				parts = append([]string{root}, parts...)
			}
			return strings.Join(parts, "/")
		}
		at = s.call
	}
	return strings.Join(parts, "/")
}

// placeOf is a call's place in the text of a body: its function's name, counted,
// with the indices of the loops around it.
func (e *elaborator) placeOf(sc *scope, at Node) string {
	x, ok := at.(*Call)
	if !ok {
		return ""
	}
	if e.places[sc.decl] == nil {
		e.places[sc.decl] = countCalls(sc.decl)
	}
	name := e.places[sc.decl][x]
	if name == "" {
		name = x.Func.Where().Text()
	}
	for _, i := range sc.loops {
		name += "." + strconv.Itoa(i)
	}
	return name
}

// countCalls numbers the calls of each function in a declaration, in the order
// of its text.
func countCalls(d Node) map[*Call]string {
	out, seen := map[*Call]string{}, map[string]int{}
	number := func(x Expr) {
		c, ok := x.(*Call)
		if !ok {
			return
		}
		name := "call"
		if f, ok := c.Func.(*Name); ok {
			name = f.Name
		}
		seen[name]++
		out[c] = name
		if k := seen[name]; k > 1 {
			out[c] = name + strconv.Itoa(k)
		}
	}

	// The defaults of parameters, the body, the derivative of a fn's own.
	if decl, ok := d.(Decl); ok {
		for _, p := range paramsOf(decl) {
			walkBody(p.Default, nil, number)
		}
	}
	value, block := bodyOf(d)
	walkBody(value, block, number)
	if f, ok := d.(*FnDecl); ok && f.Grad != nil {
		for _, x := range f.Grad.Values {
			walkBody(x, nil, number)
		}
	}
	return out
}

// bodyOf is the expression or the block of a declaration.
func bodyOf(d Node) (Expr, *Block) {
	switch d := d.(type) {
	case *FnDecl:
		return d.Value, d.Body
	case *LayerDecl:
		return d.Value, d.Body
	case *ModelDecl:
		return nil, d.Body
	case *OptimizerDecl:
		return nil, d.Body
	}
	return nil, nil
}
