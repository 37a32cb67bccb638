package ir

// The product of the others, which the derivative of prod is made of. It is an
// op of its own so that derivatives of any order are right where elements are
// 0: its value is computed by a division, its derivative is not.
func init() {
	register(&Op{Name: "others", Class: Calculus, Arity: 1, Fields: []string{"axes"}, Doc: "product of the other elements along the axes",
		Shape: othersShape, Eval: evalOthers, Rules: []string{"Σ where(same element, 0, dy * others of a with dy's element as 1)"}})
	Ops["others"].VJP = othersVJP // which makes nodes of the row
}

func othersShape(n *Node) (Type, error) {
	_, err := reducedFloat(n)
	return n.Args[0].Type, err
}

// evalOthers multiplies what is before an element and what is behind it.
func evalOthers(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error) {
	a := args[0]
	out := newTensor(a.Shape)
	keep, rows := kept(len(a.Shape), n.Attr.Axes), map[int][]int{}
	a.each(func(at int, index []int) {
		row := 0
		for _, k := range keep {
			row = row*a.Shape[k] + index[k]
		}
		rows[row] = append(rows[row], at)
	})
	for _, row := range rows {
		before := 1.0
		for _, at := range row {
			out.Data[at] = before
			before *= a.Data[at]
		}
		behind := 1.0
		for i := len(row) - 1; i >= 0; i-- {
			out.Data[row[i]] *= behind
			behind *= a.Data[row[i]]
		}
	}
	return out, nil
}

// inlineOthers is the product of all elements that are not 0, over the element
// where that is not 0; where one element is 0, only it has others without 0.
func (g *Graph) inlineOthers(n *Node) *Node {
	a := n.Args[0]
	back := func(x *Node) *Node { return g.Spread(x, a.Type.Shape, n.Attr.Axes) }
	zero, one := g.Fill(0, a.Type), g.Fill(1, a.Type)
	isZero := g.Map("eq", a, zero)
	zeros := back(g.Sum(g.Cast(isZero, a.Type.Elem), n.Attr.Axes))
	filled := g.Map("where", isZero, one, a)
	rest := back(g.Reduce("prod", filled, n.Attr.Axes))
	single := g.Map("where", g.Map("and", isZero, g.Map("eq", zeros, one)), rest, zero)
	return g.Map("where", g.Map("eq", zeros, zero), g.Map("div", rest, filled), single)
}

// othersVJP: the product of those other than i changes with element k ≠ i by
// the product of those other than both, which are the others of k where element
// i is 1. All i are computed at once, along new axes behind a's.
func othersVJP(g *Graph, n, dy *Node, _ int) *Node {
	a, axes := n.Args[0], n.Attr.Axes
	if len(axes) == 0 {
		return nil // there are no others
	}
	rank := a.Type.Rank()
	shape := append(Shape{}, a.Type.Shape...)
	for _, k := range axes {
		shape = append(shape, a.Type.Shape[k])
	}
	var same *Node // whether k is i
	for j, k := range axes {
		same = both(g, same, g.Map("eq", g.Iota(shape, k, Int32), g.Iota(shape, rank+j, Int32)))
	}
	t := a.Type.With(shape)
	wide := g.Map("where", same, g.Fill(1, t), g.Spread(a, shape, sequence(rank, rank+len(axes))))
	rest := g.Must("others", Attr{Axes: axes}, wide)

	// dy has i where rest has it behind.
	order := append(kept(rank, axes), axes...)
	dys := g.Spread(g.Transpose(dy, order), shape, axes)
	change := g.Map("where", same, g.Fill(0, t), g.Map("mul", dys, rest))
	return g.Sum(change, sequence(rank, rank+len(axes)))
}

// both is a and b, and b where there is no a.
func both(g *Graph, a, b *Node) *Node {
	if a == nil {
		return b
	}
	return g.Map("and", a, b)
}
