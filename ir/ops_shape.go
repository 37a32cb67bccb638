package ir

import (
	"fmt"
	"slices"
	"strings"
)

// The views, and the ops that move elements.
func init() {
	register(
		&Op{Name: "spread", Class: View, Arity: 1, Fields: []string{"shape", "axes"}, Doc: "a repeated along new axes",
			Shape: spreadShape, Eval: evalSpread, Rules: []string{"sum(dy, axes)"},
			VJP: func(g *Graph, n, dy *Node, _ int) *Node { return g.Sum(dy, n.Attr.Axes) }},
		&Op{Name: "reshape", Class: View, Arity: 1, Fields: []string{"shape"}, Doc: "the elements of a in order, in another shape",
			Shape: reshapeShape, Eval: evalReshape, Rules: []string{"reshape(dy)"},
			VJP: func(g *Graph, n, dy *Node, _ int) *Node { return g.Reshape(dy, n.Args[0].Type.Shape) }},
		&Op{Name: "transpose", Class: View, Arity: 1, Fields: []string{"axes"}, Doc: "axis axes[i] of a as axis i",
			Shape: transposeShape, Eval: evalTranspose, Rules: []string{"transpose(dy, inverse)"},
			VJP: func(g *Graph, n, dy *Node, _ int) *Node { return g.Transpose(dy, inverse(n.Attr.Axes)) }},
		&Op{Name: "slice", Class: View, Arity: 1, Fields: []string{"starts", "limits", "steps"}, Doc: "a part of a along each axis",
			Shape: sliceShape, Eval: evalSlice, Rules: []string{"place(dy, starts, steps)"},
			VJP: func(g *Graph, n, dy *Node, _ int) *Node {
				return g.Must("place", Attr{Dims: n.Args[0].Type.Shape, Limits: n.Attr.Dims, Steps: n.Attr.Steps}, dy)
			}},
		&Op{Name: "flip", Class: View, Arity: 1, Fields: []string{"axes"}, Doc: "a in reverse along axes",
			Shape: flipShape, Eval: evalFlip, Rules: []string{"flip(dy)"},
			VJP: func(g *Graph, n, dy *Node, _ int) *Node { return g.Must("flip", Attr{Axes: n.Attr.Axes}, dy) }},
		&Op{Name: "place", Class: Index, Arity: 1, Fields: []string{"shape", "starts", "steps"},
			Doc: "zeros of a shape with a put in from starts on, by steps", Shape: placeShape, Eval: evalPlace,
			Rules: []string{"slice(dy, starts, steps)"}, VJP: placeVJP},
		&Op{Name: "concat", Class: Index, Arity: -1, Fields: []string{"axis"}, Doc: "the operands behind one another along an axis",
			Shape: concatShape, Eval: evalConcat, Rules: []string{"slice(dy)"}, VJP: concatVJP},
		&Op{Name: "gather", Class: Index, Arity: 2, Fields: []string{"axis"}, Doc: "the slices of a along an axis at the indices b",
			Shape: gatherShape, Eval: evalGather, Rules: []string{"scatter_add(dy, b)", ""},
			VJP: func(g *Graph, n, dy *Node, arg int) *Node {
				if arg > 0 {
					return nil
				}
				x := n.Args[0].Type.Shape
				return g.Must("scatter_add", Attr{Axis: n.Attr.Axis, Dims: []Dim{x[n.Attr.Axis]}}, dy, n.Args[1])
			}},
		&Op{Name: "scatter_add", Class: Index, Arity: 2, Fields: []string{"dim", "axis"},
			Doc: "zeros to which the slices of a are added at the indices b", Shape: scatterShape, Eval: evalScatter,
			Rules: []string{"gather(dy, b)", ""},
			VJP: func(g *Graph, n, dy *Node, arg int) *Node {
				if arg > 0 {
					return nil
				}
				return g.Must("gather", Attr{Axis: n.Attr.Axis}, dy, n.Args[1])
			}},
		&Op{Name: "scatter_along", Class: Index, Arity: 2, Fields: []string{"dim"},
			Doc:   "of each row of a, zeros to which its elements are added at the indices that b has for them; what is no index adds nothing",
			Shape: scatterAlongShape, Eval: evalScatterAlong, Rules: []string{"sum(spread(dy) * one_hot(b))", ""}, VJP: scatterAlongVJP},
		&Op{Name: "pick", Class: Index, Arity: 2, Doc: "of each row of a the element at the index that b has for it",
			Shape: pickShape, Eval: evalPick, Rules: []string{"spread(dy) * one_hot(b)", ""}, VJP: pickVJP},
	)
}

func spreadShape(n *Node) (Type, error) {
	t, shape := n.Args[0].Type, Shape(n.Attr.Dims)
	if err := axesInRange(n.Attr.Axes, len(shape)); err != nil {
		return t, err
	}
	if kept := shape.Drop(n.Attr.Axes); !kept.Equal(t.Shape) {
		return t, fmt.Errorf("%v cannot become %v along new axes %v", t.Shape, shape, n.Attr.Axes)
	}
	return t.With(shape), nil
}

func evalSpread(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	keep := kept(n.Type.Rank(), n.Attr.Axes)
	return e.reindex(n, args[0], func(to, from []int) {
		for i, k := range keep {
			from[i] = to[k]
		}
	})
}

// kept is the axes below rank that are not in axes.
func kept(rank int, axes []int) []int {
	var out []int
	for i := range rank {
		if !hasAxis(axes, i) {
			out = append(out, i)
		}
	}
	return out
}

func reshapeShape(n *Node) (Type, error) {
	t, shape := n.Args[0].Type, Shape(n.Attr.Dims)
	if !t.Shape.Size().Equal(shape.Size()) {
		return t, fmt.Errorf("%v has %v elements, %v has %v", t.Shape, t.Shape.Size(), shape, shape.Size())
	}
	return t.With(shape), nil
}

func evalReshape(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	shape, err := e.extents(n)
	return &Tensor{Shape: shape, Data: args[0].Data}, err
}

func transposeShape(n *Node) (Type, error) {
	t, order := n.Args[0].Type, n.Attr.Axes
	sorted := slices.Clone(order)
	slices.Sort(sorted)
	if !slices.Equal(sorted, sequence(0, t.Rank())) {
		return t, fmt.Errorf("%v is no order of the axes of %v", order, t.Shape)
	}
	shape := make(Shape, len(order))
	for i, a := range order {
		shape[i] = t.Shape[a]
	}
	return t.With(shape), nil
}

func inverse(order []int) []int {
	out := make([]int, len(order))
	for i, a := range order {
		out[a] = i
	}
	return out
}

func evalTranspose(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	return e.reindex(n, args[0], func(to, from []int) {
		for i, a := range n.Attr.Axes {
			from[a] = to[i]
		}
	})
}

func sliceShape(n *Node) (Type, error) {
	t, a := n.Args[0].Type, n.Attr
	if len(a.Dims) != t.Rank() || len(a.Limits) != t.Rank() || len(a.Steps) != t.Rank() {
		return t, fmt.Errorf("a slice of %v needs starts, limits and steps for each axis", t.Shape)
	}
	shape := make(Shape, t.Rank())
	for i := range shape {
		if a.Steps[i] < 1 {
			return t, fmt.Errorf("step %d", a.Steps[i])
		}
		shape[i] = a.Limits[i].Sub(a.Dims[i]).Add(D(a.Steps[i] - 1)).Div(D(a.Steps[i]))
		if v, ok := shape[i].Const(); ok && v < 0 {
			return t, fmt.Errorf("%v to %v along axis %d is negative", a.Dims[i], a.Limits[i], i)
		}
		if err := inside(a.Dims[i], shape[i], a.Steps[i], t.Shape[i]); err != nil {
			return t, fmt.Errorf("axis %d: %w", i, err)
		}
	}
	return t.With(shape), nil
}

// inside checks that count indices from start on by step lie in an extent, as
// far as constants show it.
func inside(start, count Dim, step int, extent Dim) error {
	if count.IsConst(0) {
		return nil
	}
	first, known := start.Const()
	if known && first < 0 {
		return fmt.Errorf("it starts at %d", first)
	}
	last := start.Add(count.Sub(D(1)).Mul(D(step)))
	if left, ok := extent.Sub(last).Const(); ok && left < 1 {
		return fmt.Errorf("index %v of an extent of %v", last, extent)
	}
	return nil
}

func evalSlice(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	starts, err := Shape(n.Attr.Dims).Eval(e.Dims)
	if err != nil {
		return nil, err
	}
	return e.reindex(n, args[0], func(to, from []int) {
		for i := range to {
			from[i] = starts[i] + to[i]*n.Attr.Steps[i]
		}
	})
}

func flipShape(n *Node) (Type, error) {
	t := n.Args[0].Type
	return t, axesInRange(n.Attr.Axes, t.Rank())
}

func evalFlip(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	return e.reindex(n, args[0], func(to, from []int) {
		copy(from, to)
		for _, a := range n.Attr.Axes {
			from[a] = args[0].Shape[a] - 1 - to[a]
		}
	})
}

func placeShape(n *Node) (Type, error) {
	t, a := n.Args[0].Type, n.Attr
	if len(a.Dims) != t.Rank() || len(a.Limits) != t.Rank() || len(a.Steps) != t.Rank() {
		return t, fmt.Errorf("to place %v needs a shape, starts and steps for each axis", t.Shape)
	}
	for i, d := range t.Shape {
		if a.Steps[i] < 1 {
			return t, fmt.Errorf("step %d", a.Steps[i])
		}
		if err := inside(a.Limits[i], d, a.Steps[i], a.Dims[i]); err != nil {
			return t, fmt.Errorf("axis %d: %w", i, err)
		}
	}
	return t.With(a.Dims), nil
}

func evalPlace(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	out, err := e.alloc(n)
	if err != nil {
		return nil, err
	}
	starts, err := Shape(n.Attr.Limits).Eval(e.Dims)
	if err != nil {
		return nil, err
	}
	to := make([]int, len(starts))
	args[0].each(func(at int, index []int) {
		for i := range to {
			to[i] = starts[i] + index[i]*n.Attr.Steps[i]
		}
		if err == nil {
			err = out.holds(to)
		}
		if err == nil {
			out.Data[out.at(to)] = args[0].Data[at]
		}
	})
	return out, err
}

func placeVJP(g *Graph, n, dy *Node, _ int) *Node {
	x, a := n.Args[0].Type.Shape, n.Attr
	limits := make([]Dim, len(x))
	for i, d := range x {
		limits[i] = a.Limits[i].Add(d.Sub(D(1)).Mul(D(a.Steps[i]))).Add(D(1))
	}
	return g.Slice(dy, a.Limits, limits, a.Steps)
}

func concatShape(n *Node) (Type, error) {
	if len(n.Args) == 0 {
		return Type{}, fmt.Errorf("no operand")
	}
	t, axis := n.Args[0].Type, n.Attr.Axis
	if axis < 0 || axis >= t.Rank() {
		return t, fmt.Errorf("axis %d of %v", axis, t.Shape)
	}
	shape := slices.Clone(t.Shape)
	for _, a := range n.Args[1:] {
		u := a.Type
		if u.Elem != t.Elem || u.Rank() != t.Rank() || !u.Shape.Drop([]int{axis}).Equal(t.Shape.Drop([]int{axis})) {
			return t, fmt.Errorf("%v and %v differ beside axis %d", t, u, axis)
		}
		shape[axis] = shape[axis].Add(u.Shape[axis])
	}
	return t.With(shape), nil
}

func evalConcat(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	out, err := e.alloc(n)
	if err != nil {
		return nil, err
	}
	base, to := 0, make([]int, len(out.Shape))
	for _, a := range args {
		a.each(func(at int, index []int) {
			copy(to, index)
			to[n.Attr.Axis] += base
			out.Data[out.at(to)] = a.Data[at]
		})
		base += a.Shape[n.Attr.Axis]
	}
	return out, nil
}

func concatVJP(g *Graph, n, dy *Node, arg int) *Node {
	rank, axis := n.Type.Rank(), n.Attr.Axis
	starts, limits, steps := make([]Dim, rank), slices.Clone(n.Type.Shape), make([]int, rank)
	for i := range steps {
		steps[i] = 1
	}
	for _, a := range n.Args[:arg] {
		starts[axis] = starts[axis].Add(a.Type.Shape[axis])
	}
	limits[axis] = starts[axis].Add(n.Args[arg].Type.Shape[axis])
	return g.Slice(dy, starts, limits, steps)
}

// indices checks that b is an integer tensor.
func indices(n *Node) error {
	if t := n.Args[1].Type; !t.Elem.IsInt() {
		return fmt.Errorf("the indices are %v, want an integer type", t)
	}
	return nil
}

func gatherShape(n *Node) (Type, error) {
	t, axis, ids := n.Args[0].Type, n.Attr.Axis, n.Args[1].Type.Shape
	if axis < 0 || axis >= t.Rank() {
		return t, fmt.Errorf("axis %d of %v", axis, t.Shape)
	}
	shape := slices.Concat(t.Shape[:axis], ids, t.Shape[axis+1:])
	return t.With(shape), indices(n)
}

func evalGather(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	axis, ids := n.Attr.Axis, args[1]
	return e.reindex(n, args[0], func(to, from []int) {
		copy(from[:axis], to[:axis])
		copy(from[axis+1:], to[axis+len(ids.Shape):])
		from[axis] = int(ids.Data[ids.at(to[axis:axis+len(ids.Shape)])])
	})
}

func scatterShape(n *Node) (Type, error) {
	t, axis, ids := n.Args[0].Type, n.Attr.Axis, n.Args[1].Type.Shape
	if err := oneDim(n); err != nil {
		return t, err
	}
	if axis < 0 || axis+len(ids) > t.Rank() || !Shape(t.Shape[axis:axis+len(ids)]).Equal(ids) {
		return t, fmt.Errorf("the indices %v do not lie at axis %d of %v", ids, axis, t.Shape)
	}
	shape := slices.Concat(t.Shape[:axis], n.Attr.Dims, t.Shape[axis+len(ids):])
	return t.With(shape), indices(n)
}

func evalScatter(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	out, err := e.alloc(n)
	if err != nil {
		return nil, err
	}
	axis, ids, to := n.Attr.Axis, args[1], make([]int, len(out.Shape))
	args[0].each(func(at int, index []int) {
		copy(to[:axis], index[:axis])
		copy(to[axis+1:], index[axis+len(ids.Shape):])
		to[axis] = int(ids.Data[ids.at(index[axis:axis+len(ids.Shape)])])
		if err == nil {
			err = out.holds(to)
		}
		if err == nil {
			out.Data[out.at(to)] += args[0].Data[at]
		}
	})
	return out, err
}

func scatterAlongShape(n *Node) (Type, error) {
	t := n.Args[0].Type
	if err := oneDim(n); err != nil {
		return t, err
	}
	if ids := n.Args[1].Type.Shape; t.Rank() == 0 || !t.Shape.Equal(ids) {
		return t, fmt.Errorf("the indices are %v for rows of %v", ids, t.Shape)
	}
	return t.With(append(slices.Clone(t.Shape[:t.Rank()-1]), n.Attr.Dims[0])), indices(n)
}

func evalScatterAlong(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	out, err := e.alloc(n)
	if err != nil {
		return nil, err
	}
	last := len(out.Shape) - 1
	to := make([]int, last+1)
	args[0].each(func(at int, index []int) {
		copy(to, index)
		to[last] = int(args[1].Data[at])
		if 0 <= to[last] && to[last] < out.Shape[last] {
			out.Data[out.at(to)] += args[0].Data[at]
		}
	})
	return out, nil
}

func scatterAlongVJP(g *Graph, n, dy *Node, arg int) *Node {
	if arg > 0 {
		return nil
	}
	last := dy.Type.Rank() - 1
	wide := append(slices.Clone(n.Args[1].Type.Shape), n.Attr.Dims[0])
	hot := g.OneHot(n.Args[1], n.Attr.Dims[0], dy.Type.Elem)
	return g.Sum(g.Map("mul", g.Spread(dy, wide, []int{last}), hot), []int{last + 1})
}

func pickShape(n *Node) (Type, error) {
	t, ids := n.Args[0].Type, n.Args[1].Type.Shape
	if t.Rank() == 0 || !Shape(t.Shape[:t.Rank()-1]).Equal(ids) {
		return t, fmt.Errorf("the indices are %v for rows of %v", ids, t.Shape)
	}
	return t.With(ids), indices(n)
}

func evalPick(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	ids := args[1]
	return e.reindex(n, args[0], func(to, from []int) {
		copy(from, to)
		from[len(from)-1] = int(ids.Data[ids.at(to)])
	})
}

func pickVJP(g *Graph, n, dy *Node, arg int) *Node {
	if arg > 0 {
		return nil
	}
	x := n.Args[0].Type
	last := x.Rank() - 1
	return g.Map("mul", g.Spread(dy, x.Shape, []int{last}), g.OneHot(n.Args[1], x.Shape[last], x.Elem))
}

// SplitSpec is the letters of an einsum: those of each operand and of the
// result.
func SplitSpec(spec string) (a, b, out string) {
	in, out, _ := strings.Cut(spec, "->")
	a, b, _ = strings.Cut(in, ",")
	return a, b, out
}
