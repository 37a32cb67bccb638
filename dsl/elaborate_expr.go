package dsl

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// eval is the value of an expression.
func (e *elaborator) eval(sc *scope, x Expr) value {
	if e.stopped {
		return poison{}
	}
	if e.spent.exprs++; e.spent.exprs > maxExprs {
		return e.stop(sc, x, "this program evaluates more than the limit of %d expressions", maxExprs)
	}
	v := e.evalAny(sc, x)
	if t, ok := v.(tensor); ok && !e.checked[t.node] {
		v = e.checkSize(sc, x, t)
		e.checked[t.node] = !isPoison(v)
	}
	return v
}

// checkSize keeps tensors within the limits.
func (e *elaborator) checkSize(sc *scope, at Node, t tensor) value {
	if r := t.node.Type.Rank(); r > maxRank {
		return e.fail(sc, at, "tensor-limit", "this tensor has rank %d, more than the limit of %d", r, maxRank)
	}
	if !manageable(t.node.Type.Shape) {
		return e.fail(sc, at, "tensor-limit", "the extents of this tensor are polynomials of too many terms")
	}
	size := 1.0
	for _, d := range t.node.Type.Shape {
		n, ok := d.Const()
		if !ok {
			return t
		}
		if n < 0 {
			return e.fail(sc, at, "negative", "this tensor is %v: an extent is negative", t.node.Type.Shape)
		}
		size *= float64(n)
	}
	if size > maxTensorSize {
		return e.fail(sc, at, "tensor-limit", "this tensor is %v and has more elements than the limit of 2^31", t.node.Type.Shape)
	}
	return t
}

// manageable reports whether the polynomials of a shape can be multiplied.
func manageable(s ir.Shape) bool {
	terms, degree := 1, 0
	for _, d := range s {
		if d.Terms() > maxTerms {
			return false
		}
		terms *= max(d.Terms(), 1)
		degree += d.Degree()
		if terms > 16*maxTerms || degree > 4*maxDegree {
			return false
		}
	}
	return true
}

func (e *elaborator) evalAny(sc *scope, x Expr) value {
	switch x := x.(type) {
	case *Name:
		return e.evalName(sc, x)
	case *Number:
		if x.Whole && x.Int <= maxExact {
			return integer(int(x.Int))
		}
		return decimal(x.Value)
	case *String:
		return text(x.Value)
	case *Bool:
		return truth(x.Value)
	case *List:
		return e.evalList(sc, x)
	case *Unary:
		return e.evalUnary(sc, x)
	case *Binary:
		return e.evalBinary(sc, x)
	case *Cond:
		return e.evalCond(sc, x)
	case *Pipe:
		return e.evalPipe(sc, x)
	case *Call:
		return e.evalCall(sc, x)
	case *Index:
		return e.evalIndex(sc, x)
	case *Field:
		return e.field(sc, x)
	case *Transpose:
		return e.evalTranspose(sc, x)
	case *Scan:
		return e.notCompiled(sc, x, "scan")
	}
	return poison{}
}

// evalName looks a name up among values.
func (e *elaborator) evalName(sc *scope, x *Name) value {
	if b, ok := sc.vals[x.Name]; ok {
		if inst, ok := b.val.(*instance); ok {
			return e.instanceValue(sc, x, inst)
		}
		return b.val
	}
	if v := e.constValue(x.Name, sc.files); v != nil {
		return v
	}
	if v := e.special(sc, x.Name); v != nil {
		return v
	}
	if inst := sc.instances[x.Name]; inst != nil {
		return e.instanceValue(sc, x, inst)
	}
	if sc.files.isBad(x.Name) || sc.files.partial {
		return poison{}
	}
	if f := e.lookupFunction(sc, x.Name); f != nil {
		return e.fail(sc, x, "not-a-value", "%s is a %s, not a value; a call of it is one", x.Name, f.kindName())
	}
	if e.user.models[x.Name] != nil || sc.files.optimizer(x.Name) != nil {
		return e.fail(sc, x, "not-a-value", "%s is no value but a declaration", x.Name)
	}
	if (x.Name == "step" || x.Name == "steps") && sc.kind == fnScope && e.model != nil {
		return e.fail(sc, x, "unknown-name", "a fn knows no %s: pass it as an argument", x.Name)
	}
	near := nearest(x.Name, e.valueNames(sc))
	d := errorAt(x, "no value is called %s here%s", x.Name, question(near)).code("unknown-name")
	e.failWith(sc, x, e.relateDeclared(sc, d, near))
	return poison{}
}

// special is the value of a name that the compiler binds; nil of another.
func (e *elaborator) special(sc *scope, name string) value {
	switch {
	case name == "training" && sc.kind != constScope:
		return truth(e.training)
	case (name == "step" || name == "steps") && e.model != nil && sc.kind != constScope && sc.kind != fnScope:
		return number{node: e.g.Leaf(name, "", ir.Type{Elem: ir.Float64, Shape: ir.Shape{}}), moving: true}
	}
	return nil
}

func (e *elaborator) evalList(sc *scope, x *List) value {
	out := make(list, len(x.Elems))
	bad := false
	for i, elem := range x.Elems {
		out[i] = e.eval(sc, elem)
		bad = bad || isPoison(out[i])
	}
	if bad {
		return poison{}
	}
	return out
}

// evalCond chooses by a condition known at compile time.
func (e *elaborator) evalCond(sc *scope, x *Cond) value {
	holds, ok := e.condition(sc, x.Cond)
	switch {
	case !ok:
		return poison{}
	case holds:
		return e.eval(sc, x.Then)
	}
	return e.eval(sc, x.Else)
}

// condition is the truth of what must be known at compile time.
func (e *elaborator) condition(sc *scope, x Expr) (holds, ok bool) {
	switch v := e.eval(sc, x).(type) {
	case truth:
		return bool(v), true
	case number:
		if v.logical && v.fixed {
			e.needStatic(v.hyper)
			return v.val != 0, true
		}
		if v.logical {
			e.fail(sc, x, "condition", "%s is not known at compile time%s", excerptOf(x, "this condition"), e.whyRunning(v))
			return false, false
		}
		e.fail(sc, x, "condition", "this condition is a number, want a bool")
	case tensor:
		e.fail(sc, x, "condition", "this condition is a tensor, known at run time only; where(c, a, b) chooses element by element")
	case poison:
	default:
		e.fail(sc, x, "condition", "this condition is %s, want a bool", v.what())
	}
	return false, false
}

// whyRunning says what a number waits for.
func (e *elaborator) whyRunning(n number) string {
	if n.moving {
		return ": it depends on step; where(c, a, b) chooses at run time"
	}
	vars := map[string]bool{}
	for _, m := range ir.Topological(n.node) {
		if m.Is("input") {
			return ": it depends on the parameter " + e.g.Origin(m).Name + " of an exported fn, known at run time only; where(c, a, b) chooses at run time"
		}
		if m.Is("size") {
			m.Attr.Dims[0].Vars(vars)
		}
	}
	if names := sortedKeys(vars); len(names) > 0 {
		return ": it depends on the run-time dimension " + strings.Join(names, ", ")
	}
	return ""
}

// excerptOf is the text of an expression where it is short, else a word for it.
func excerptOf(n Node, otherwise string) string {
	t := n.Where().Text()
	if t == "" || len(t) > 40 || strings.ContainsAny(t, "\n\r") {
		return otherwise
	}
	return t
}

// shown is an operand as messages name it: its text and its shape.
func shown(n Node, v value, otherwise string) string {
	name := excerptOf(n, otherwise)
	if t, ok := v.(tensor); ok {
		return name + " " + t.node.Type.Shape.String()
	}
	return name
}

// maxExplained is how many names of an error are explained.
const maxExplained = 6

// explain adds where the tensors come from that are named in operands.
func (e *elaborator) explain(sc *scope, d *Diagnostic, operands ...Expr) *Diagnostic {
	for _, name := range namesIn(operands) {
		s := sc
		for s.library && s.up != nil && !e.isLibrary(name) {
			s = s.up
		}
		b := s.vals[name.Name]
		if b == nil || !b.place.IsValid() {
			continue
		}
		if t, ok := b.val.(tensor); ok {
			d.related(b.place, "%s is %s %v here", name.Name, b.verb, t.node.Type.Shape)
		}
	}
	return d
}

// namesIn are the first names in expressions, each once.
func namesIn(operands []Expr) []*Name {
	var names []*Name
	for _, x := range operands {
		walkExpr(x, func(x Expr) {
			name, ok := x.(*Name)
			known := func(n *Name) bool { return n.Name == name.Name }
			if ok && len(names) < maxExplained && !slices.ContainsFunc(names, known) {
				names = append(names, name)
			}
		})
	}
	return names
}

// scalarOf is the node of a number, bool or scalar of literals in an element
// type; nodeOf is any value as a tensor of it.
func (e *elaborator) nodeOf(sc *scope, at Node, v value, elem ir.DType) (*ir.Node, bool) {
	switch v := v.(type) {
	case tensor:
		if v.node.Type.Elem == elem {
			return v.node, true
		}
		if v.node.Type.Elem.IsInt() && (elem == ir.Int64 || elem == ir.Int) {
			return e.g.Cast(v.node, elem), true
		}
		e.failElem(sc, at, v.node.Type.Elem, elem)
		return nil, false
	case number:
		return e.numberNode(sc, at, v, elem)
	case truth:
		if elem == ir.Bool {
			return e.g.Const(logical(bool(v)).val, elem), true
		}
		e.fail(sc, at, "type", "%s is a bool, want %v; float(x) and int32(x) convert", excerptOf(at, "this"), elem)
	case list:
		return e.literal(sc, at, v, elem)
	case poison:
	default:
		e.fail(sc, at, "type", "%s is %s, want a tensor or a number", excerptOf(at, "this"), v.what())
	}
	return nil, false
}

// failElem reports an element type that does not fit.
func (e *elaborator) failElem(sc *scope, at Node, have, want ir.DType) {
	e.fail(sc, at, "element-type", "%s is of type %v, want %v; %v(…) converts", excerptOf(at, "this"), have, want, want)
}

// numberNode is a number where it meets a tensor of an element type.
func (e *elaborator) numberNode(sc *scope, at Node, n number, elem ir.DType) (*ir.Node, bool) {
	switch {
	case n.logical != (elem == ir.Bool):
		if n.logical {
			e.fail(sc, at, "type", "%s is a bool, want %v; float(x) and int32(x) convert", excerptOf(at, "this"), elem)
		} else {
			e.fail(sc, at, "type", "%s is a number, want a bool", excerptOf(at, "this"))
		}
		return nil, false
	case elem.IsInt() && !n.integral():
		e.fail(sc, at, "element-type", "%s is no integer and does not fit a tensor of type %v; float(x) converts the tensor", excerptOf(at, "this number"), elem)
		return nil, false
	case elem.IsInt() && len(n.hyper) > 0:
		e.needStatic(n.hyper)
		n.node = nil
	}
	return n.as(e.g, elem), true
}

// tensorOf is a value as a tensor: numbers and literals are of the default
// type, bools are bool.
func (e *elaborator) tensorOf(sc *scope, at Node, v value) (*ir.Node, bool) {
	switch v := v.(type) {
	case tensor:
		return v.node, true
	case truth:
		return e.nodeOf(sc, at, v, ir.Bool)
	case number:
		if v.logical {
			return e.nodeOf(sc, at, v, ir.Bool)
		}
	case list:
		if elem, ok := elemOfList(v); ok {
			return e.nodeOf(sc, at, v, elem)
		}
	}
	return e.nodeOf(sc, at, v, e.elem)
}

// elemOfList is the element type of the tensors in a list.
func elemOfList(l list) (ir.DType, bool) {
	for _, v := range l {
		switch v := v.(type) {
		case tensor:
			return v.node.Type.Elem, true
		case truth:
			return ir.Bool, true
		case list:
			if elem, ok := elemOfList(v); ok {
				return elem, true
			}
		}
	}
	return 0, false
}

// literal is a list as a tensor: of numbers it is a constant, else the
// elements are stacked.
func (e *elaborator) literal(sc *scope, at Node, l list, elem ir.DType) (*ir.Node, bool) {
	if data, shape, ok := flatNumbers(l, elem); ok {
		return e.g.Must("tensor", ir.Attr{Data: data, Dims: shape, Elem: elem}), true
	}
	parts := make([]*ir.Node, len(l))
	for i, v := range l {
		n, ok := e.nodeOf(sc, at, v, elem)
		if !ok {
			return nil, false
		}
		parts[i] = n
		if !n.Type.Equal(parts[0].Type) {
			e.fail(sc, at, "shapes", "the parts of this list have shapes %v and %v", parts[0].Type.Shape, n.Type.Shape)
			return nil, false
		}
	}
	if len(parts) == 0 {
		return e.g.Must("tensor", ir.Attr{Data: []float64{}, Dims: ir.ShapeOf(0), Elem: elem}), true
	}
	return e.stack(parts, 0), true
}

// flatNumbers is the elements of a list of constant numbers, row-major.
func flatNumbers(l list, elem ir.DType) (data []float64, shape ir.Shape, ok bool) {
	if len(l) == 0 {
		return nil, nil, false
	}
	var inner ir.Shape
	for i, v := range l {
		switch v := v.(type) {
		case number:
			x, known := v.known()
			if !known || v.node != nil || i > 0 && len(inner) > 0 || elem.IsInt() && !v.whole || v.logical {
				return nil, nil, false
			}
			data = append(data, x)
		case truth:
			if elem != ir.Bool || i > 0 && len(inner) > 0 {
				return nil, nil, false
			}
			data = append(data, logical(bool(v)).val)
		case list:
			part, s, ok := flatNumbers(v, elem)
			if !ok || i > 0 && !s.Equal(inner) {
				return nil, nil, false
			}
			data, inner = append(data, part...), s
		default:
			return nil, nil, false
		}
	}
	return data, append(ir.ShapeOf(len(l)), inner...), true
}
