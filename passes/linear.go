package passes

import "gradgen.dev/ir"

// pull lets scalars out of linear ops, and out of a sum what does not change
// along its axes.
func (s *simplifier) pull(n *ir.Node) *ir.Node {
	if !n.Type.Elem.IsFloat() || len(n.Args) == 0 {
		return nil
	}
	switch n.Op.Name {
	case "sum":
		return s.pullSum(n)
	case "logsumexp":
		return s.pullLogSumExp(n)
	case "reshape", "transpose", "slice", "flip", "place", "gather", "scatter_add", "scatter_along", "pick":
		return s.pullFrom(n, 0)
	case "cast":
		if n.Args[0].Type.Elem.IsFloat() && n.Type.Rank() > 0 {
			return s.pullFrom(n, 0)
		}
	case "einsum":
		if out := s.pullFrom(n, 0); out != nil {
			return out
		}
		return s.pullFrom(n, 1)
	case "where":
		return s.pullWhere(n)
	}
	return nil
}

// scalarPart splits x into a scalar term, of what it repeats, and the rest; ok
// is false where the scalar is 1 or the value is one constant.
func (s *simplifier) scalarPart(x *ir.Node) (scalar, rest term, ok bool) {
	if x.Is("add") || x.Is("sub") || x.Type.Rank() == 0 {
		return scalar, rest, false
	}
	scalar, rest = scalarFactors(s.product(x))
	scalar = s.unrepeated(scalar, x.Type.Shape, axes(0, x.Type.Rank()))
	return scalar, rest, (scalar.coef != 1 || len(scalar.factors) > 0) && len(rest.factors) > 0
}

// pullFrom is n, linear in operand k, with that operand's scalar in front.
func (s *simplifier) pullFrom(n *ir.Node, k int) *ir.Node {
	scalar, rest, ok := s.scalarPart(n.Args[k])
	if !ok {
		return nil
	}
	args := append([]*ir.Node{}, n.Args...)
	args[k] = s.buildTerm(rest, n.Args[k].Type)
	s.scaledOrigin(args[k], n.Args[k], scalar)
	inner := s.g.Must(n.Op.Name, n.Attr, args...)
	scalar = s.scalarIn(scalar, n.Type.Elem)
	s.scaledOrigin(inner, n, scalar)
	return s.inFront(scalar, inner, n.Type)
}

// scaledOrigin names part after whole, which is scalar times it.
func (s *simplifier) scaledOrigin(part, whole *ir.Node, scalar term) {
	o := s.g.Origin(whole)
	if o.Name == "" || part.Op.Class == ir.Leaf || part.IsConstant() || s.g.Origin(part).Name != "" {
		return
	}
	k := s.buildTerm(scalar, ir.Type{Elem: whole.Type.Elem})
	if o.Scale != nil {
		k = s.build([]term{s.product(k).times(s.product(o.Scale))}, k.Type)
	}
	o.Scale = k
	s.g.SetOrigin(part, o)
}

// scalarIn is a scalar term in an element type, which differs where the term
// comes out of a cast.
func (s *simplifier) scalarIn(scalar term, t ir.DType) term {
	out := term{coef: scalar.coef}
	for _, f := range scalar.factors {
		out.factors = append(out.factors, factor{s.g.Cast(f.atom, t), f.power})
	}
	return out
}

// inFront is scalar·x, both in x's type.
func (s *simplifier) inFront(scalar term, x *ir.Node, t ir.Type) *ir.Node {
	if t.Rank() == 0 {
		return s.buildTerm(scalar.times(s.product(x)), t)
	}
	return s.scale(scalar, x, t)
}
