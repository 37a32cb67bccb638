package summary

import (
	"strings"

	"gradgen.dev/ir"
)

// Flops is how many floating-point operations the node n takes by itself, as a
// formula in the run-time dimensions: two for each multiplication and addition
// of a product, one for each element that an elementwise function computes or a
// reduction adds up, whatever the function. Conversions, views and moves of
// elements take none.
func Flops(n *ir.Node) ir.Dim {
	switch n.Op.Class {
	case ir.Product:
		return productFlops(n)
	case ir.Map:
		if n.Is("cast") {
			return ir.D(0)
		}
		return n.Type.Shape.Size()
	case ir.Reduce:
		return n.Args[0].Type.Shape.Size()
	}
	return ir.D(0)
}

// productFlops is twice the product of the extents of all letters.
func productFlops(n *ir.Node) ir.Dim {
	a, b, _ := ir.SplitSpec(n.Attr.Spec)
	flops := ir.D(2)
	seen := ""
	for i, letters := range []string{a, b} {
		for axis, letter := range letters {
			if !strings.ContainsRune(seen, letter) {
				seen += string(letter)
				flops = flops.Mul(n.Args[i].Type.Shape[axis])
			}
		}
	}
	return flops
}

// stepFlops is those of the products of a procedure.
func stepFlops(p *ir.Procedure) ir.Dim {
	sum := ir.D(0)
	if p == nil {
		return sum
	}
	for _, s := range p.Steps {
		if m := s.Product; m != nil {
			sum = sum.Add(m.Batch.Size().Mul(m.A.Rows).Mul(m.A.Cols).Mul(m.B.Cols).Mul(ir.D(2)))
		}
	}
	return sum
}
