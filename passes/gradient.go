package passes

import "gradgen.dev/ir"

// Gradient expands every derivative below roots by the chain rule. In come
// graphs with grad, jacobian, hessian, vjp and jvp nodes, out go graphs
// without; pins stay, so that what is expanded later may still refer to them.
func Gradient(g *ir.Graph, roots ...*ir.Node) []*ir.Node {
	return g.Rewrite(func(n *ir.Node) *ir.Node {
		if n.Op.Class != ir.Calculus {
			return n
		}
		switch n.Op.Name {
		case "grad":
			return orZeros(g, reverse(g, n.Args[0], g.Fill(1, n.Args[0].Type), n.Args[1])[0], n.Type)
		case "vjp":
			return orZeros(g, reverse(g, n.Args[0], n.Args[2], n.Args[1])[0], n.Type)
		case "jvp":
			return forward(g, n.Args[0], n.Args[1], n.Args[2])
		case "jacobian":
			return jacobian(g, n.Args[0], n.Args[1])
		case "hessian":
			y, x := n.Args[0], n.Args[1]
			return jacobian(g, orZeros(g, reverse(g, y, g.Fill(1, y.Type), x)[0], x.Type), x)
		}
		return n
	}, roots...)
}

// Strip takes out what only derivatives needed: pins, stop_gradient and
// bounds vanish, calls and the like become their value.
func Strip(g *ir.Graph, roots ...*ir.Node) []*ir.Node {
	var strip func(n *ir.Node) *ir.Node
	strip = func(n *ir.Node) *ir.Node {
		switch n.Op.Name {
		case "pin", "stop_gradient", "bounded":
			g.CopyOrigin(n.Args[0], n)
			return n.Args[0]
		case "call", "others":
			return g.Rewrite(strip, g.Inline(n))[0]
		}
		return n
	}
	return g.Rewrite(strip, roots...)
}

// stripMarks takes pins and bounds out, and leaves what a further derivative
// heeds.
func stripMarks(g *ir.Graph, roots ...*ir.Node) []*ir.Node {
	return g.Rewrite(func(n *ir.Node) *ir.Node {
		if n.Is("pin") || n.Is("bounded") {
			g.CopyOrigin(n.Args[0], n)
			return n.Args[0]
		}
		return n
	}, roots...)
}

// reverse is the cotangents of each of wrt where dy is that of y; nil where y
// does not depend on it. What is swept is y simplified: a derivative is as good
// as the form it is taken of.
func reverse(g *ir.Graph, y, dy *ir.Node, wrt ...*ir.Node) []*ir.Node {
	if keep, ok := marks(ir.Topological(y), wrt); ok {
		y = simplify(g, keep, nil, []*ir.Node{y})[0]
	}
	return sweep(g, y, dy, wrt...)
}

// sweep is reverse of y as it is.
func sweep(g *ir.Graph, y, dy *ir.Node, wrt ...*ir.Node) []*ir.Node {
	return sweepAll(g, []*ir.Node{y}, []*ir.Node{dy}, wrt...)
}

// sweepAll is the cotangents of each of wrt where dys are those of ys: one
// sweep from all of them down, each node once.
func sweepAll(g *ir.Graph, ys, dys []*ir.Node, wrt ...*ir.Node) []*ir.Node {
	order := ir.Topological(ys...)
	active := map[*ir.Node]bool{}
	for _, x := range wrt {
		active[x] = true
	}
	for _, n := range order {
		for _, a := range n.Args {
			if active[a] {
				active[n] = true
			}
		}
	}

	// A node's cotangent is complete when all its users have been met.
	cotangent := map[*ir.Node]*ir.Node{}
	for i, y := range ys {
		if active[y] {
			cotangent[y] = g.Add(cotangent[y], dys[i])
		}
	}
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		dn := cotangent[n]
		if dn == nil || n.Op.VJP == nil {
			continue
		}
		name(g, dn, n)
		for k, a := range n.Args {
			if !active[a] {
				continue
			}
			if da := n.Op.VJP(g, n, dn, k); da != nil {
				cotangent[a] = g.Add(cotangent[a], da)
			}
		}
	}
	out := make([]*ir.Node, len(wrt))
	for i, x := range wrt {
		out[i] = cotangent[x]
		if out[i] != nil {
			name(g, out[i], x)
		}
	}
	return out
}

// marks is the pins of a graph, which must stay the nodes that they are; ok is
// false where a derivative is by a node that rewriting could look through.
func marks(order, wrt []*ir.Node) (pins []*ir.Node, ok bool) {
	for _, x := range wrt {
		if x.Op.Class != ir.Leaf && !x.Is("pin") {
			return nil, false
		}
	}
	for _, n := range order {
		if n.Is("pin") {
			pins = append(pins, n)
		}
	}
	return pins, true
}

// name calls the cotangent of n by n's name with a d before it.
func name(g *ir.Graph, dn, n *ir.Node) {
	o := g.Origin(n)
	if o.Name == "" && n.Op.Class == ir.Leaf {
		o.Name = n.Attr.Name
	}
	if o.Name != "" && dn.Type.Rank() > 0 && dn.Op.Class != ir.Leaf && !dn.IsConstant() {
		if o.Instance != "" {
			o.Name = o.Instance + "." + o.Name
		}
		o.Name, o.Instance = "d"+o.Name, ""
		o.Serial, o.Of = 0, o.Serial
		if o.Scale != nil {
			// n lacks a scale that its name has; its cotangent has one too many.
			o.Scale = g.Map("div", g.Const(1, o.Scale.Type.Elem), o.Scale)
		}
		g.SetOrigin(dn, o)
	}
}

func orZeros(g *ir.Graph, n *ir.Node, t ir.Type) *ir.Node {
	if n == nil {
		return g.Fill(0, t)
	}
	return n
}

// forward is the derivative of y where x moves along v: that of the vjp, which
// is linear in its cotangent, with respect to the cotangent.
func forward(g *ir.Graph, y, x, v *ir.Node) *ir.Node {
	u := g.NewArg(y.Type)
	w := reverse(g, y, u, x)[0]
	if w == nil {
		return g.Fill(0, y.Type)
	}
	slope := g.Sum(g.Map("mul", w, v), axes(0, w.Type.Rank()))
	out := orZeros(g, reverse(g, slope, g.Fill(1, slope.Type), u)[0], y.Type)
	return g.Replace(map[*ir.Node]*ir.Node{u: g.Fill(0, y.Type)}, out)[0]
}

// jacobian has the vjp of each unit cotangent as its rows, all at once: the
// vjp batched over a new front axis, or several, on which the cotangent is the
// identity.
func jacobian(g *ir.Graph, y, x *ir.Node) *ir.Node {
	shape := append(append(ir.Shape{}, y.Type.Shape...), x.Type.Shape...)
	u := g.NewArg(y.Type)
	w := reverse(g, y, u, x)[0]
	if w == nil {
		return g.Fill(0, y.Type.With(shape))
	}
	return g.Cast(batched(g, w, u, identity(g, y.Type), y.Type.Shape), y.Type.Elem)
}

// identity is 1 of shape S ++ S where the two indices agree.
func identity(g *ir.Graph, t ir.Type) *ir.Node {
	shape := append(append(ir.Shape{}, t.Shape...), t.Shape...)
	rank := t.Rank()
	if rank == 0 {
		return g.Fill(1, t)
	}
	var hit *ir.Node
	for i := range rank {
		same := g.Map("eq", g.Iota(shape, i, ir.Int32), g.Iota(shape, rank+i, ir.Int32))
		if hit == nil {
			hit = same
		} else {
			hit = g.Map("and", hit, same)
		}
	}
	return g.Cast(hit, t.Elem)
}
