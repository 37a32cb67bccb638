package dsl

import "gradgen.dev/ir"

// tensorType is the type that a declaration writes; like is what holds where it
// writes none.
func (e *elaborator) tensorType(sc *scope, s *VarStmt, like *ir.Type) (ir.Type, bool) {
	t := ir.Type{Elem: e.elem}
	if like != nil {
		t = *like
	}
	if s.Type != nil && s.Type.Elem != nil {
		elem, ok := parseElem(s.Type.Elem.Name)
		if !ok {
			e.fail(sc, s.Type.Elem, "unknown-type", "%s is no element type%s", s.Type.Elem.Name, proposal(s.Type.Elem.Name, elementTypes))
			return t, false
		}
		t.Elem = elem
	}
	if s.Type == nil || s.Type.Shape == nil {
		if like == nil {
			e.fail(sc, s, "shape", "%s %s lacks its shape, such as [10], or [] of a scalar", s.Kind, s.Name.Name)
			return t, false
		}
		return t, true
	}
	shape, ok := e.shape(sc, s.Type.Shape)
	if !ok {
		return t, false
	}
	t.Shape = shape
	if s.Kind != Input && s.Kind != Carry && like == nil {
		vars := map[string]bool{}
		for i, d := range shape {
			if d.Vars(vars); len(vars) > 0 {
				at := Node(s.Type.Shape)
				if len(s.Type.Shape.Dims) == len(shape) {
					at = s.Type.Shape.Dims[i]
				}
				hint := ""
				if s.Kind == State {
					hint = "; a carry may have it"
				}
				e.fail(sc, at, "not-static", "%s %s has the extent %v, which is known at run time only%s", s.Kind, s.Name.Name, d, hint)
				return t, false
			}
		}
	}
	return t, !isPoison(e.checkSize(sc, s.Type, tensor{e.g.Leaf("input", "", t)}))
}

// elementTypes is the element types of the language.
var elementTypes = []string{"float32", "float64", "int32", "int64", "bool"}

// shape is the extents of a written shape.
func (e *elaborator) shape(sc *scope, s *Shape) (ir.Shape, bool) {
	out := ir.Shape{}
	for _, d := range s.Dims {
		if d.Expr == nil {
			e.fail(sc, d, "shape", "... without a name stands in the shape of a parameter")
			return nil, false
		}
		v := e.eval(sc, d.Expr)
		if isPoison(v) {
			return nil, false
		}
		if d.Spread {
			l, ok := v.(list)
			part, isShape := shapeOfList(l)
			if !ok || !isShape {
				e.fail(sc, d, "shape", "%s is %s, not several dimensions", excerptOf(d.Expr, "this"), v.what())
				return nil, false
			}
			out = append(out, part...)
			continue
		}
		if l, ok := v.(list); ok {
			if part, ok := shapeOfList(l); ok {
				out = append(out, part...)
				continue
			}
		}
		dim, ok := e.dimension(sc, d, v)
		if !ok {
			return nil, false
		}
		out = append(out, dim)
	}
	if !manageable(out) {
		e.fail(sc, s, "tensor-limit", "the extents of this shape are polynomials of too many terms")
		return nil, false
	}
	return out, true
}

// dimension is a value as an extent.
func (e *elaborator) dimension(sc *scope, at Node, v value) (ir.Dim, bool) {
	n, isNumber := v.(number)
	d, ok := n.extent()
	if n.runs() {
		e.fail(sc, at, "not-static", "%s", runningText("a dimension", at))
		return d, false
	}
	if !isNumber || !ok {
		e.fail(sc, at, "not-an-integer", "%s", wantsInteger("a dimension", at, v))
		return d, false
	}
	e.needStatic(n.hyper)
	d = normalDim(e.facts, d)
	if i, isConst := d.Const(); isConst && i < 0 {
		e.fail(sc, at, "negative", "a dimension is not negative: %s", excerptIs(at, number2text(i)))
		return d, false
	} else if isConst && i > maxTensorSize {
		e.fail(sc, at, "tensor-limit", "an extent of %d is more than the limit of 2^31 elements", i)
		return d, false
	}
	return d, true
}
