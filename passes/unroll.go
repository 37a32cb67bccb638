package passes

import (
	"maps"
	"slices"
	"strconv"

	"gradgen.dev/ir"
)

// mostUnrolled is how many elements a reduction may have that is written out
// as a formula of each: those of a confusion matrix of 16 classes.
const mostUnrolled = 256

// unrolled is the scalar n, a reduction over constant extents or an element of
// what works on tensors of sums (a mean over classes), as a formula of the
// single sums. It is nil where n is no such thing.
func (c *cutter) unrolled(name string, n *ir.Node) *ir.Node {
	if n.Type.Rank() > 0 || !c.accumulates(n) {
		return nil
	}
	parts, byKey, taken := slices.Clone(c.parts), maps.Clone(c.byKey), maps.Clone(c.taken)
	u := &unroller{cutter: c, name: name, known: map[string]*ir.Node{}}
	if out := u.find(n, nil); out != nil {
		return out
	}
	c.parts, c.byKey, c.taken = parts, byKey, taken
	return nil
}

// An unroller writes the elements of tensors as formulas over parts. What is
// nil has no such formula.
type unroller struct {
	*cutter
	name  string
	known map[string]*ir.Node // by node and index
}

// folds are the operations that reductions repeat.
var folds = map[string]string{"sum": "add", "prod": "mul", "reduce_max": "max", "reduce_min": "min", "any": "or", "all": "and"}

// element is that of x at an index.
func (u *unroller) element(x *ir.Node, index []int) *ir.Node {
	key := elementKey(x, index)
	if out, ok := u.known[key]; ok {
		return out
	}
	u.known[key] = u.find(x, index)
	return u.known[key]
}

func (u *unroller) find(x *ir.Node, index []int) *ir.Node {
	kind, accumulates := accumulation(x)
	switch {
	case accumulates:
		return u.single(kind, x, index)
	case x.Type.Rank() == 0 && x.Op.Class == ir.Leaf:
		return u.cut(u.name, x)
	case x.Is("call"):
		return u.element(u.g.Inline(x), index)
	case x.Is("tensor"):
		return u.g.Const(x.Attr.Data[position(x.Type.Shape, index)], ir.Float64)
	case x.Is("iota"):
		return u.g.Const(float64(index[x.Attr.Axis]), ir.Float64)
	case x.Op.Class == ir.Map:
		return u.mapped(x, index)
	case x.Is("spread"):
		return u.element(x.Args[0], indexWithout(index, x.Attr.Axes))
	case x.Is("reshape"):
		return u.reshaped(x, index)
	case x.Is("transpose"):
		from := make([]int, len(index))
		for i, k := range x.Attr.Axes {
			from[k] = index[i]
		}
		return u.element(x.Args[0], from)
	case x.Is("slice"):
		return u.sliced(x, index)
	case folds[x.Op.Name] != "":
		return u.reduce(x, index)
	}
	return nil
}

// indexWithout is an index without those of some axes.
func indexWithout(index, axes []int) []int {
	var out []int
	for i, k := range index {
		if !contains(axes, i) {
			out = append(out, k)
		}
	}
	return out
}

func elementKey(x *ir.Node, index []int) string {
	key := []byte{}
	for _, k := range append([]int{x.ID}, index...) {
		key = strconv.AppendInt(append(key, ' '), int64(k), 10)
	}
	return string(key)
}

// single is an element of a reduction over run-time dimensions: a part.
func (u *unroller) single(kind string, x *ir.Node, index []int) *ir.Node {
	if _, ok := constantShape(x.Type.Shape); !ok || x.Type.Elem == ir.Bool {
		return nil
	}
	var starts, limits []ir.Dim
	var steps []int
	for _, k := range index {
		starts, limits, steps = append(starts, ir.D(k)), append(limits, ir.D(k+1)), append(steps, 1)
	}
	if len(index) > 0 {
		x = u.g.Reshape(u.g.Slice(x, starts, limits, steps), nil)
	}
	return u.part(u.name, kind, x, nil)
}

// mapped is an elementwise operation; of a choice that is known, the way that
// is taken alone.
func (u *unroller) mapped(x *ir.Node, index []int) *ir.Node {
	if x.Is("where") {
		if c := u.element(x.Args[0], index); c != nil && c.IsConstant() {
			v, _ := c.Literal()
			if v != 0 {
				return u.element(x.Args[1], index)
			}
			return u.element(x.Args[2], index)
		}
	}
	if x.Is("mul") {
		// What is multiplied by 0, off a diagonal, is not needed.
		for i, a := range x.Args {
			switch k := u.numberAt(a, index); {
			case k == nil:
			case isNumber(k, 0):
				return k
			case isNumber(k, 1):
				return u.element(x.Args[1-i], index)
			}
		}
	}
	args, numbers := make([]*ir.Node, len(x.Args)), true
	for i, a := range x.Args {
		if args[i] = u.element(a, index); args[i] == nil {
			return nil
		}
		numbers = numbers && args[i].IsConstant()
	}
	if x.Is("cast") && x.Type.Elem.IsInt() && x.Args[0].Type.Elem.IsFloat() {
		return nil // it truncates, which no operation on floats does
	}
	out, err := u.operation(x, args)
	switch {
	case err != nil:
		return nil
	case numbers:
		return Simplify(u.g, out)[0]
	}
	return out
}

// operation is x's on args, which are in float64.
func (u *unroller) operation(x *ir.Node, args []*ir.Node) (*ir.Node, error) {
	if x.Is("cast") {
		return u.g.Cast(args[0], ir.Float64), nil
	}
	return u.g.Make(x.Op, x.Attr, args...)
}

// numberAt is the element of a tensor of numbers.
func (u *unroller) numberAt(x *ir.Node, index []int) *ir.Node {
	if u.accumulates(x) {
		return nil
	}
	if e := u.element(x, index); e != nil && e.IsConstant() {
		return e
	}
	return nil
}

// sliced is the element that a slice of constant bounds has at an index.
func (u *unroller) sliced(x *ir.Node, index []int) *ir.Node {
	from := make([]int, len(index))
	for i, k := range index {
		start, ok := x.Attr.Dims[i].Const()
		if !ok {
			return nil
		}
		from[i] = start + k*x.Attr.Steps[i]
	}
	return u.element(x.Args[0], from)
}

// reshaped is the element at the same position.
func (u *unroller) reshaped(x *ir.Node, index []int) *ir.Node {
	from, ok := constantShape(x.Args[0].Type.Shape)
	if _, to := constantShape(x.Type.Shape); !ok || !to {
		return nil
	}
	at := position(x.Type.Shape, index)
	old := make([]int, len(from))
	for i := len(from) - 1; i >= 0; i-- {
		old[i], at = at%from[i], at/from[i]
	}
	return u.element(x.Args[0], old)
}

// reduce is an element of a reduction over constant extents.
func (u *unroller) reduce(x *ir.Node, index []int) *ir.Node {
	op := folds[x.Op.Name]
	shape, ok := constantShape(x.Args[0].Type.Shape)
	if !ok || op == "" {
		return nil
	}
	size := 1
	for _, k := range x.Attr.Axes {
		size *= shape[k]
	}
	if size < 1 || size > mostUnrolled {
		return nil
	}

	// The axes that are kept have their index, the others go round.
	from, next := make([]int, len(shape)), 0
	for i := range shape {
		if !contains(x.Attr.Axes, i) {
			from[i] = index[next]
			next++
		}
	}
	var out *ir.Node
	for at := range size {
		for i := len(x.Attr.Axes) - 1; i >= 0; i-- {
			k := x.Attr.Axes[i]
			from[k], at = at%shape[k], at/shape[k]
		}
		e := u.element(x.Args[0], from)
		if e == nil {
			return nil
		}
		if out = u.folded(op, out, e); out == nil {
			return nil
		}
	}
	return out
}

// folded is a and b in one; b where there is no a, and what a sum is of where
// the other is 0.
func (u *unroller) folded(op string, a, b *ir.Node) *ir.Node {
	switch {
	case a == nil:
		return b
	case op == "add" && isNumber(a, 0):
		return b
	case op == "add" && isNumber(b, 0):
		return a
	}
	out, err := u.g.Make(ir.Ops[op], ir.Attr{}, a, b)
	if err != nil {
		return nil
	}
	return out
}

func isNumber(n *ir.Node, want float64) bool {
	v, ok := n.Literal()
	return ok && v == want
}

// constantShape is the extents of a shape without run-time dimensions.
func constantShape(s ir.Shape) ([]int, bool) {
	out := make([]int, len(s))
	for i, d := range s {
		n, ok := d.Const()
		if !ok {
			return nil, false
		}
		out[i] = n
	}
	return out, true
}

// position is where an index lies in a tensor of constant extents.
func position(s ir.Shape, index []int) int {
	at := 0
	for i, d := range s {
		n, _ := d.Const()
		at = at*n + index[i]
	}
	return at
}
