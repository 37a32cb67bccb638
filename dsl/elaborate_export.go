package dsl

import (
	"slices"

	"gradgen.dev/ir"
)

// elaborateExport adds an exported fn to the program: its parameters are pins of
// inputs, so that derivatives can be taken by them.
func (e *elaborator) elaborateExport(d *FnDecl) {
	e.facts = nil
	e.reset()
	out := &ir.Func{Name: d.Name.Name, Doc: d.Doc, Pos: position(d.Name.Span), Elem: e.elem}
	f := &function{name: d.Name.Name, fn: d}
	sc := newScope(constScope, d.Name.Name, d, e.user, nil, nil)
	args := make([]*argument, 0, len(d.Params))
	bad := false
	for _, p := range d.Params {
		a, ok := e.exportParam(sc, out, f, p)
		bad = bad || !ok
		if a != nil {
			args = append(args, a)
		}
	}
	if bad {
		return
	}
	v := e.applyFn(sc, d.Name, f, args)
	known := !isPoison(v) && e.exportResults(sc, d, out, v)
	if !known {
		out.Results = nil
	}
	out.Facts = e.facts
	if e.derivations(d, out) && known {
		e.program.Funcs = append(e.program.Funcs, out)
	}
}

// exportParam makes the input of one parameter. A parameter that is no tensor
// keeps its default.
func (e *elaborator) exportParam(sc *scope, out *ir.Func, f *function, p *Param) (*argument, bool) {
	elem, isRunning := runningParam(p)
	switch {
	case isRunning:
		pin := e.exportInput(out, p, ir.Type{Elem: elem})
		return &argument{name: p.Name, node: p, val: runningValue(e.g, pin), sc: sc}, true
	case p.Type == nil || p.Type.Shape == nil:
		if p.Default != nil {
			return nil, true
		}
		e.failParam(sc, p, f.name)
		return nil, false
	}
	for _, dim := range p.Type.Shape.Dims {
		if dim.Spread {
			e.fail(sc, dim, "export", "an exported fn knows the rank of its parameters; write each dimension")
			return nil, false
		}
	}
	out.Dims = e.declareDims(sc, p.Type.Shape, out.Dims)
	t, ok := e.tensorType(sc, &VarStmt{Span: p.Span, Kind: Input, Name: p.Name, Type: p.Type}, nil)
	if !ok {
		return nil, false
	}
	return &argument{name: p.Name, node: p, val: tensor{e.exportInput(out, p, t)}, sc: sc}, true
}

// failParam reports a parameter of an exported fn that no call can pass.
func (e *elaborator) failParam(sc *scope, p *Param, fn string) {
	name := p.Name.Name
	if isTypeWord(p.Type, "string") || isTypeWord(p.Type, "fn") {
		e.fail(sc, p, "export", "parameter %s of the exported fn %s is a %s, which a call from Go cannot pass; give it a default", name, fn, p.Type.Elem.Name)
		return
	}
	e.fail(sc, p, "export", "parameter %s of the exported fn %s lacks its shape, such as %s [N], or %s [] of a scalar", name, fn, name, name)
}

// exportInput is the pin of the input that a parameter of a type is.
func (e *elaborator) exportInput(out *ir.Func, p *Param, t ir.Type) *ir.Node {
	leaf := e.g.Leaf("input", p.Name.Name, t)
	e.g.SetOrigin(leaf, ir.Origin{Name: p.Name.Name, Pos: position(p.Name.Span)})
	pin := e.g.Pin(leaf, out.Name+" "+p.Name.Name)
	e.g.SetOrigin(pin, ir.Origin{Name: p.Name.Name, Pos: position(p.Name.Span)})
	out.Params = append(out.Params, ir.Named{Name: p.Name.Name, Pos: position(p.Name.Span), Node: pin})
	return pin
}

// exportResults notes what the fn returns.
func (e *elaborator) exportResults(sc *scope, d *FnDecl, out *ir.Func, v value) bool {
	results := tuple{v}
	if t, ok := v.(tuple); ok {
		results = t
	}
	for _, r := range results {
		n, ok := e.tensorOf(sc, d.Name, r)
		if !ok {
			return false
		}
		e.name(sc, n, d.Name)
		out.Results = append(out.Results, n)
	}
	return true
}

// The forms of a derive clause, and those that want a scalar result.
var (
	deriveForms = []string{"value", "grad", "jacobian", "hessian", "vjp", "jvp", "hvp"}
	scalarForms = []string{"grad", "hessian", "hvp"}
)

// derivations checks the derive clause; results that are not known can be
// anything.
func (e *elaborator) derivations(d *FnDecl, out *ir.Func) bool {
	ok := true
	seen := map[string]bool{}
	for _, x := range d.Derive {
		form := x.Form.Name
		switch {
		case !slices.Contains(deriveForms, form):
			near := proposal(form, deriveForms)
			if near == "" {
				near = "; the forms are " + joined(deriveForms, "and")
			}
			e.report(errorAt(x.Form, "derive has no form %s%s", form, near).code("derive"))
			ok = false
			continue
		case form == "value":
			if len(x.Args) > 0 {
				e.report(errorAt(x, "value takes no parameter").code("derive"))
				ok = false
			}
		case out.Results == nil:
		case len(out.Results) != 1:
			e.report(errorAt(x, "%s returns %s, and a derivative is of one", d.Name.Name, count(len(out.Results), "value")).code("derive-result"))
			ok = false
			continue
		case !out.Results[0].Type.Elem.IsFloat():
			e.report(errorAt(x, "%s is of type %v, and a derivative is of floating values", d.Name.Name, out.Results[0].Type.Elem).code("derive-result"))
			ok = false
			continue
		case slices.Contains(scalarForms, form) && out.Results[0].Type.Rank() > 0:
			e.report(errorAt(x, "%s wants a scalar result, and %s is %v; jacobian, vjp and jvp take any shape", form, d.Name.Name, out.Results[0].Type.Shape).code("derive-result"))
			ok = false
			continue
		}
		params, fine := e.deriveParams(d, out, x)
		if !fine {
			ok = false
			continue
		}
		if seen[x.Text()] {
			e.report(errorAt(x, "%s is derived twice", x.Text()).code("derive"))
			ok = false
			continue
		}
		seen[x.Text()] = true
		out.Derive = append(out.Derive, ir.Derivation{Kind: form, Params: params, Pos: position(x.Span)})
	}
	return ok
}

// deriveParams is the positions of the parameters that a form is taken by;
// without names it is the only one there is.
func (e *elaborator) deriveParams(d *FnDecl, out *ir.Func, x *Derive) ([]int, bool) {
	if x.Form.Name == "value" {
		return nil, true
	}
	var floating, names []string
	for _, p := range out.Params {
		names = append(names, p.Name)
		if p.Node.Type.Elem.IsFloat() {
			floating = append(floating, p.Name)
		}
	}
	if len(x.Args) == 0 {
		if len(floating) != 1 {
			e.report(errorAt(x, "%s needs the name of the parameter it is taken by: %s", x.Form.Name, orList(names)).code("derive-parameter"))
			return nil, false
		}
		return []int{slices.Index(names, floating[0])}, true
	}
	var params []int
	for _, a := range x.Args {
		i := slices.Index(names, a.Name)
		switch {
		case i < 0:
			e.report(errorAt(a, "%s has no parameter %s to derive by%s", d.Name.Name, a.Name, proposal(a.Name, names)).code("derive-parameter"))
			return nil, false
		case !out.Params[i].Node.Type.Elem.IsFloat():
			e.report(errorAt(a, "%s is of type %v, and a derivative is by floating values", a.Name, out.Params[i].Node.Type.Elem).code("derive-parameter"))
			return nil, false
		case slices.Contains(params, i):
			e.report(errorAt(a, "%s is named twice", a.Name).code("derive-parameter"))
			return nil, false
		}
		params = append(params, i)
	}
	return params, true
}
