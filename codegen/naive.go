package codegen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gradgen.dev/ir"
)

// A naive printer writes a graph as plain float64 loops, value by value and
// without any of the compiler's rewriting. It shares nothing with the printer
// of procedures: emitted tests hold one against the other. Integers are int,
// truth values bool.
//
// Views and elementwise values stand where they are used, as expressions of
// the indices there; what is used more than once, or is a sum, gets a slice.
type naive struct {
	b      *body
	helper string // before the names of helper functions
	names  *scope
	origin func(n *ir.Node) string // the program's name of a value, "" where it has none
	dims   func(name string) string

	// leaf is a leaf that the environment gives: a variable, for a tensor a
	// slice. What is frozen is as it was before parameters were moved.
	leaf func(n *ir.Node, frozen bool) (string, bool)

	squares bool // are products: what the printer writes is no check of another

	uses   map[*ir.Node]int
	moves  map[*ir.Node]bool // depends on a parameter
	values map[valueKey]element
	where  bool // the helper function is used
	err    error
}

type valueKey struct {
	node   *ir.Node
	frozen bool
}

// An element is a value as an expression of its indices.
type element func(index []string) string

// expression is the scalar n.
func (e *naive) expression(n *ir.Node) string {
	e.prepare(n)
	return e.value(n, false)(nil)
}

// prepare counts uses and finds out what depends on parameters.
func (e *naive) prepare(n *ir.Node) {
	e.uses, e.moves, e.values = ir.Uses(n), map[*ir.Node]bool{}, map[valueKey]element{}
	for _, m := range ir.Topological(n) {
		e.moves[m] = m.Is("param") || slices.ContainsFunc(m.Args, func(a *ir.Node) bool { return e.moves[a] })

		// What is read again and again is computed once.
		if m.Is("spread") || m.Op.Class == ir.Product {
			for _, a := range m.Args {
				for a.Op.Class == ir.View {
					a = a.Args[0]
				}
				e.uses[a]++
			}
		}
	}
}

func (e *naive) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf("codegen: naive loops: "+format, args...)
	}
}

// value makes n known.
func (e *naive) value(n *ir.Node, frozen bool) element {
	key := valueKey{n, frozen && e.moves[n]}
	if v, ok := e.values[key]; ok {
		return v
	}
	v := e.compute(n, key.frozen)
	e.values[key] = v
	return v
}

// compute makes n known by its class.
func (e *naive) compute(n *ir.Node, frozen bool) element {
	switch n.Op.Class {
	case ir.Leaf:
		return e.leafValue(n, frozen)
	case ir.Map:
		v, ok := e.square(n, frozen)
		if !ok {
			v = e.mapValue(n, frozen)
		}
		if e.uses[n] > 1 {
			return e.keep(n, v)
		}
		return v
	case ir.Reduce:
		return e.reduce(n, frozen)
	case ir.Product:
		return e.product(n, frozen)
	case ir.View:
		return e.view(n, frozen)
	case ir.Index:
		return e.index(n, frozen)
	case ir.Random:
		return e.random(n)
	case ir.Calculus:
		if n.IsMark() {
			return e.value(n.Args[0], frozen || n.Is("stop_gradient"))
		}
	}
	e.fail("no printer for %s", n.Op.Name)
	return func([]string) string { return "0" }
}

// leafValue is what the environment gives, or a literal.
func (e *naive) leafValue(n *ir.Node, frozen bool) element {
	constant := func(text string) element { return func([]string) string { return text } }
	switch n.Op.Name {
	case "const":
		return constant(literal64(n.Attr.Value, n.Type.Elem))
	case "size":
		return constant(wideType(n.Type.Elem) + "(" + e.dim(n.Attr.Dims[0]) + ")")
	case "iota":
		return func(index []string) string { return castText(index[n.Attr.Axis], ir.Int64, n.Type.Elem, e.choose) }
	case "tensor":
		var list []string
		for _, v := range n.Attr.Data {
			list = append(list, literal64(v, n.Type.Elem))
		}
		name := e.name(n)
		e.b.stmt("%s := []%s{%s}", name, wideType(n.Type.Elem), strings.Join(list, ", "))
		return e.at(name, n.Type.Shape)
	}
	text, ok := e.leaf(n, frozen)
	if !ok {
		e.fail("leaf %s %s has no value", n.Op.Name, n.Attr.Name)
	}
	if n.Type.Rank() == 0 {
		return constant(text)
	}
	inner := e.at(text, n.Type.Shape)
	if n.Is("param") || n.Type.Elem == ir.Bool {
		return inner
	}
	return func(index []string) string { return wideType(n.Type.Elem) + "(" + inner(index) + ")" }
}

// random is the draws of the call, as the trainer makes them.
func (e *naive) random(n *ir.Node) element {
	key := e.names.take("key", "Of")
	e.b.stmt("%s := rng.Key(m.seed, %#x, m.calls)", key, siteHash(n.Attr.Name))
	name := map[string]string{"uniform": "rng.Uniform", "normal": "rng.Normal"}[n.Op.Name]
	return func(index []string) string {
		at := "uint64(" + e.flat(index, n.Type.Shape) + ")"
		if n.Type.Elem == ir.Float32 {
			return "float64(" + name + "32(" + key + ", " + at + "))"
		}
		return name + "64(" + key + ", " + at + ")"
	}
}

// at is the elements of a slice in row-major order.
func (e *naive) at(slice string, shape ir.Shape) element {
	return func(index []string) string { return slice + "[" + e.flat(index, shape) + "]" }
}

// flat is the position of an index in row-major order.
func (e *naive) flat(index []string, shape ir.Shape) string {
	text := ""
	for i, k := range index {
		stride := shape[i+1:].Size()
		term := k
		switch {
		case k == "0":
			continue
		case stride.IsConst(1):
			term = grouped(k)
		default:
			term = grouped(k) + "*" + grouped(e.dim(stride))
		}
		if text != "" {
			text += " + "
		}
		text += term
	}
	if text == "" {
		return "0"
	}
	return text
}

// grouped puts what is no single operand in parentheses.
func grouped(text string) string {
	if text != outermost(text) || !strings.ContainsAny(text, "+-* ") || strings.HasSuffix(text, "]") && !strings.Contains(text, " ") {
		return text
	}
	return "(" + text + ")"
}

func (e *naive) dim(d ir.Dim) string { return spellDim(d, e.dims) }

// name is a variable for n.
func (e *naive) name(n *ir.Node) string {
	name := ""
	if e.origin != nil {
		name = e.origin(n)
	}
	if name == "" {
		name = map[string]string{"reduce_max": "largest", "reduce_min": "least", "scatter_add": "scattered", "scatter_along": "scattered", "einsum": "product"}[n.Op.Name]
	}
	if name == "" {
		name = unexported(n.Op.Name)
	}
	return e.names.take(name, "Of")
}

// keep stores a value whose elements v gives.
func (e *naive) keep(n *ir.Node, v element) element {
	name := e.name(n)
	if n.Type.Rank() == 0 {
		e.b.stmt("%s := %s", name, outermost(v(nil)))
		return func([]string) string { return name }
	}
	e.allocate(name, n)
	e.loop(n.Type.Shape, 0, func(index []string) {
		e.b.stmt("%s[%s] = %s", name, e.flat(index, n.Type.Shape), outermost(v(index)))
	})
	return e.at(name, n.Type.Shape)
}

func (e *naive) allocate(name string, n *ir.Node) {
	e.b.stmt("%s := make([]%s, %s)", name, wideType(n.Type.Elem), e.dim(n.Type.Shape.Size()))
}

// loop is a nest over a shape; the first indices have been used outside.
func (e *naive) loop(shape ir.Shape, used int, fill func(index []string)) {
	index := make([]string, len(shape))
	var nest func(axis int)
	nest = func(axis int) {
		if axis == len(shape) {
			fill(index)
			return
		}
		if shape[axis].IsConst(1) {
			index[axis] = "0"
			nest(axis + 1)
			return
		}
		index[axis] = indexName(used + axis)
		e.b.loop(index[axis], e.dim(shape[axis]), func() { nest(axis + 1) })
	}
	nest(0)
}

// indexName is the loop variable of an axis.
func indexName(axis int) string {
	if axis < 6 {
		return string(rune('i' + axis))
	}
	return "i" + strconv.Itoa(axis)
}

// indexNames may not be the names of values.
func indexNames() []string {
	var out []string
	for i := range 32 {
		out = append(out, indexName(i))
	}
	return out
}

// choose is a where c holds, else b.
func (e *naive) choose(c, a, b string) string {
	e.where = true
	return e.helper + "Where(" + outermost(c) + ", " + outermost(a) + ", " + outermost(b) + ")"
}

// wideType is the Go type of an element in naive loops.
func wideType(t ir.DType) string {
	switch {
	case t == ir.Bool:
		return "bool"
	case t.IsInt():
		return "int"
	}
	return "float64"
}

// literal64 is v as an operand: a float that no division takes for an integer.
func literal64(v float64, t ir.DType) string {
	if t.IsFloat() {
		t = ir.Float64
	}
	text := literal(v, t)
	if t.IsFloat() && !strings.ContainsAny(text, ".eI N") {
		text += ".0"
	}
	if strings.HasPrefix(text, "-") {
		return "(" + text + ")"
	}
	return text
}
