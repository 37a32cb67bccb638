package dsl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// applyFn inlines a fn. Equal applications outside of random draws are
// elaborated once.
func (e *elaborator) applyFn(sc *scope, at Node, f *function, args []*argument) value {
	d := f.fn
	matched, ok := e.match(sc, at, f, d.Params, args)
	if !ok {
		return poison{}
	}
	inner := newScope(fnScope, f.name, d, e.filesOf(d), sc, at)
	inner.files.used[d] = true
	inner.targets = e.targetsOf(d)
	if sc.kind == constScope {
		maps.Copy(inner.vals, sc.vals) // the run-time dimensions of an exported fn
	}
	drew := false
	inner.drew = &drew
	defer e.enterFile(d)()
	if !e.bindArgs(inner, f, d.Params, matched) {
		return poison{}
	}

	key, cacheable := e.applicationKey(d, inner)
	if v, ok := e.results[key]; ok && cacheable {
		return v
	}
	v := e.fnResult(inner, f, at)
	if drew && sc.drew != nil {
		*sc.drew = true
	}
	if cacheable && !drew && !isPoison(v) {
		e.results[key] = v
	}
	return v
}

// fnResult elaborates the body, with its own derivative where it has one.
func (e *elaborator) fnResult(inner *scope, f *function, at Node) value {
	if f.fn.Grad != nil {
		return e.applyOwnDerivative(inner, f, at)
	}
	e.pinParams(inner, f.fn.Params)
	return e.checkResult(inner, f.fn.Result, e.bodyResult(inner, f.fn.Value, f.fn.Body), at)
}

// applyLayer inlines a layer: a new instance, or the one that f is.
func (e *elaborator) applyLayer(sc *scope, at Node, f *function, args []*argument) value {
	d := f.layer
	matched, ok := e.match(sc, at, f, d.Params, args)
	e.filesOf(d).used[d] = true
	inst := f.inst
	if !ok {
		return poison{}
	}
	if inst == nil {
		switch {
		case sc.kind == entryScope:
			return e.fail(sc, at, "layer-in-fn", "%s is a layer, and an entry of a model makes no instance: it uses those of the model, such as shared %s", f.name, f.name)
		case sc.kind == fnScope || sc.kind == constScope || sc.kind == optimizerScope || e.model == nil:
			return e.fail(sc, at, "layer-in-fn", "%s is a layer, which owns parameters; a fn has none: make the caller a layer", f.name)
		}
		inst = e.newInstance(sc, at, f, matched)
	}

	// Arguments first: they may apply the same instance.
	for _, p := range d.Params {
		if a := matched[p.Name.Name]; a != nil && !e.wantsFunction(f, p) && !e.isFunctionName(a) && isPoison(e.argValue(a)) {
			return poison{}
		}
	}
	inst.use(at)

	// The body, under the path of the instance.
	inner := newScope(layerScope, f.name, d, e.filesOf(d), sc, at)
	inner.enter(inst)
	inner.namer = e.newNamer(inner)
	inner.targets = e.targetsOf(d)
	defer e.enterFile(d)()
	if !e.bindArgs(inner, f, d.Params, matched) {
		return poison{}
	}
	inner.namer.body()
	e.pinParams(inner, d.Params)
	v := e.checkResult(inner, d.Result, e.bodyResult(inner, d.Value, d.Body), at)
	return e.returned(inner.app, v)
}

// bodyResult is the value of an expression or of a block's return.
func (e *elaborator) bodyResult(sc *scope, x Expr, b *Block) value {
	if b == nil {
		return e.eval(sc, x)
	}
	e.block(sc, b)
	if !sc.done {
		if hasReturn(b) {
			return poison{}
		}
		at := sc.call
		if at == nil {
			at = sc.decl
		}
		return e.fail(sc, at, "no-result", "%s returns nothing", sc.name)
	}
	return sc.result
}

// hasReturn reports whether a block has a return or what may have been one.
func hasReturn(b *Block) bool {
	found := false
	walkStmts(b, func(s Stmt) {
		switch s.(type) {
		case *ReturnStmt, *BadStmt:
			found = true
		}
	})
	return found
}

// hasBad reports whether a block has a statement with a syntax error.
func hasBad(b *Block) bool {
	found := false
	walkStmts(b, func(s Stmt) {
		_, bad := s.(*BadStmt)
		found = found || bad
	})
	return found
}

// failUnbound reports a dimension of a declared result that nothing binds.
func (e *elaborator) failUnbound(sc *scope, s *Shape) bool {
	found := false
	for _, d := range s.Dims {
		walkExpr(d.Expr, func(x Expr) {
			name, ok := x.(*Name)
			if !ok || found || sc.knows(name.Name) || e.special(sc, name.Name) != nil || e.lookupFunction(sc, name.Name) != nil {
				return
			}
			found = true
			e.fail(sc, name, "unknown-name", "no parameter of %s binds the dimension %s: write it in terms of theirs, or leave the shape of the result out", sc.name, name.Name)
		})
	}
	return found
}

// knows reports whether a name may stand for a value here.
func (sc *scope) knows(name string) bool {
	return sc.vals[name] != nil || sc.instances[name] != nil || sc.files.hasConst(name) || sc.files.isBad(name) || sc.files.partial
}

// checkResult checks what a body returns against the type it declares.
func (e *elaborator) checkResult(sc *scope, t *Type, v value, at Node) value {
	if t == nil || isPoison(v) {
		if n, ok := v.(number); ok {
			return n.settled()
		}
		return v
	}
	if _, ok := v.(tuple); ok {
		return e.fail(sc, t, "result", "%s returns several values and declares one", sc.name)
	}
	elem, written := e.elem, false
	if t.Elem != nil {
		parsed, ok := parseElem(t.Elem.Name)
		if !ok {
			return e.fail(sc, t.Elem, "unknown-type", "%s is no type of a result%s", t.Elem.Name, proposal(t.Elem.Name, typeNames[4:]))
		}
		elem, written = parsed, true
	}
	n, ok := e.resultNode(sc, t, v, elem)
	if !ok {
		return poison{}
	}
	if written && n.Type.Elem != elem {
		return e.fail(sc, t, "result", "%s declares its result %v, and it is %v", sc.name, elem, n.Type.Elem)
	}
	if t.Shape != nil {
		if e.failUnbound(sc, t.Shape) {
			return poison{}
		}
		want, ok := e.shape(sc, t.Shape)
		if !ok {
			return poison{}
		}
		if !sameShape(want, n.Type.Shape, e.facts) {
			return e.fail(sc, t, "result", "%s declares its result %v, and it is %v", sc.name, want, n.Type.Shape)
		}
	}
	return tensor{n}
}

// resultNode is a result as a tensor.
func (e *elaborator) resultNode(sc *scope, at Node, v value, elem ir.DType) (*ir.Node, bool) {
	if _, ok := v.(tensor); ok {
		return e.tensorOf(sc, at, v)
	}
	if _, ok := v.(truth); ok {
		elem = ir.Bool
	}
	return e.nodeOf(sc, at, v, elem)
}

// applicationKey is what makes two applications of a fn equal: the fn, its
// arguments, and where that matters the side that is elaborated.
func (e *elaborator) applicationKey(d *FnDecl, sc *scope) (string, bool) {
	if len(sc.funcs) > 0 {
		return "", false
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%p %v", d, e.elem)
	for _, name := range sortedKeys(sc.vals) {
		fmt.Fprintf(&b, " %s=", name)
		if !writeKey(&b, sc.vals[name].val) {
			return "", false
		}
	}
	for _, name := range sortedKeys(sc.given) {
		if sc.given[name] {
			fmt.Fprintf(&b, " +%s", name)
		}
	}
	return b.String(), true
}

// writeKey writes what tells a value from others.
func writeKey(b *strings.Builder, v value) bool {
	switch v := v.(type) {
	case tensor:
		fmt.Fprintf(b, "t%d", v.node.ID)
	case number:
		fmt.Fprintf(b, "n%v/%v/%x/%v/%v/%v/%v/%v", v.dim, v.whole, v.val, v.fixed, v.logical, v.floor, v.floored, v.hyper)
		for _, n := range []*ir.Node{v.node, v.count} {
			if n != nil {
				fmt.Fprintf(b, "@%d", n.ID)
			}
		}
	case truth:
		fmt.Fprintf(b, "b%v", bool(v))
	case text:
		fmt.Fprintf(b, "s%q", string(v))
	case list:
		b.WriteByte('[')
		for _, x := range v {
			if !writeKey(b, x) {
				return false
			}
			b.WriteByte(',')
		}
		b.WriteByte(']')
	default:
		return false
	}
	return true
}

// An ownDerivative is the regions of a fn with a grad clause, made once for
// equal types and static arguments.
type ownDerivative struct {
	value, rule *ir.Region
}

// applyOwnDerivative makes a call node: region 0 is the value, region 1 the
// cotangents of the tensor operands.
func (e *elaborator) applyOwnDerivative(sc *scope, f *function, at Node) value {
	d := f.fn
	var operands []*Param
	var args []*ir.Node
	for _, p := range d.Params {
		if b := sc.vals[p.Name.Name]; b != nil {
			if t, ok := b.val.(tensor); ok {
				operands, args = append(operands, p), append(args, t.node)
			}
		}
	}
	if len(d.Grad.Values) != len(d.Params) {
		return e.fail(sc, d.Grad, "grad-clause", "%s has %s, and its grad clause %s: one for each", f.name, count(len(d.Params), "parameter"), count(len(d.Grad.Values), "expression"))
	}
	if len(args) == 0 {
		return e.checkResult(sc, d.Result, e.bodyResult(sc, d.Value, d.Body), at)
	}

	key, cacheable := e.regionKey(d, sc, args)
	own, ok := e.regions[key]
	if !ok || !cacheable {
		if own = e.ownRegions(sc, f, operands, args, at); own == nil {
			return poison{}
		}
		if cacheable && !*sc.drew {
			e.regions[key] = own
		}
	}
	return tensor{e.g.MakeCall(f.name, args, own.value, own.rule)}
}

// regionKey is what makes two applications share their regions.
func (e *elaborator) regionKey(d *FnDecl, sc *scope, args []*ir.Node) (string, bool) {
	outer := sc.vals
	defer func() { sc.vals = outer }()
	sc.vals = map[string]*binding{}
	for name, b := range outer {
		if t, ok := b.val.(tensor); ok {
			b = &binding{val: text(t.node.Type.String())}
		}
		sc.vals[name] = b
	}
	return e.applicationKey(d, sc)
}

// ownRegions elaborates the value and the grad clause on fresh parameters.
func (e *elaborator) ownRegions(sc *scope, f *function, operands []*Param, args []*ir.Node, at Node) *ownDerivative {
	d := f.fn
	params := make([]*ir.Node, len(args))
	for i, a := range args {
		params[i] = e.g.NewArg(a.Type)
		sc.vals[operands[i].Name.Name] = &binding{val: tensor{params[i]}, place: operands[i].Name.Span, verb: "declared"}
	}
	outer := maps.Clone(sc.vals)
	e.pinParams(sc, d.Params)
	v := e.checkResult(sc, d.Result, e.bodyResult(sc, d.Value, d.Body), at)
	if isPoison(v) {
		return nil
	}
	result, ok := e.tensorOf(sc, d, v)
	if !ok {
		return nil
	}

	// In the clause the parameters, the result and its cotangent are in scope.
	sc.vals = outer
	y, dy := e.g.NewArg(result.Type), e.g.NewArg(result.Type)
	sc.vals[f.name] = &binding{val: tensor{y}, place: d.Name.Span, verb: "declared"}
	if c := d.Grad.Cotangent; c != nil {
		sc.vals[c.Name] = &binding{val: tensor{dy}, place: c.Span, verb: "declared"}
	}
	cotangents := make([]*ir.Node, len(args))
	for i, p := range operands {
		x := d.Grad.Values[slices.Index(d.Params, p)]
		n, ok := e.cotangent(sc, p, x, params[i].Type)
		if !ok {
			return nil
		}
		cotangents[i] = n
	}
	return &ownDerivative{
		value: &ir.Region{Params: params, Results: []*ir.Node{result}},
		rule:  &ir.Region{Params: append(slices.Clone(params), y, dy), Results: cotangents},
	}
}

// cotangent is one expression of a grad clause, in the type of its parameter.
func (e *elaborator) cotangent(sc *scope, p *Param, x Expr, t ir.Type) (*ir.Node, bool) {
	v := e.eval(sc, x)
	if isPoison(v) {
		return nil, false
	}
	n, ok := e.nodeOf(sc, x, v, t.Elem)
	if !ok {
		return nil, false
	}
	if _, isNumber := v.(number); isNumber {
		n = e.broadcast(n, t.Shape)
	}
	if !sameShape(n.Type.Shape, t.Shape, e.facts) {
		e.fail(sc, x, "grad-clause", "the derivative for %s is %v, and %s is %v", p.Name.Name, n.Type.Shape, p.Name.Name, t.Shape)
		return nil, false
	}
	return n, true
}
