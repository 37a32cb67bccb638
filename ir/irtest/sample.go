package irtest

import (
	"fmt"
	"math/rand/v2"

	"gradgen.dev/ir"
)

// A Sample is one way to apply an op.
type Sample struct {
	Name     string // what is particular about it
	Op       *ir.Op
	Operands []Operand
	Attr     ir.Attr
	Body     func(g *ir.Graph) []*ir.Region // of a call
}

// An Operand says what an operand of a sample may be.
type Operand struct {
	Type   ir.Type
	Lo, Hi float64   // of numbers
	Below  *ir.Dim   // of indices: from 0 to this extent, excluded
	Values []float64 // fixed elements, repeated
	Pin    bool      // it has to be a pin
}

// A source draws what samples are made of.
type source struct {
	*rand.Rand
	elem ir.DType // of floating operands
}

// Samples returns ways to apply op: the special ones that samples.go lists, and
// some drawn from r. Floating operands are of type elem where op lets them. The
// error names a row that nothing is known of.
func Samples(op *ir.Op, r *rand.Rand, elem ir.DType) ([]Sample, error) {
	src := &source{r, elem}
	var out []Sample
	if list, ok := special[op.Name]; ok {
		out = append(out, list(src)...)
	}
	draw, err := drawer(op)
	if err != nil && len(out) == 0 {
		return nil, err
	}
	for i := 0; err == nil && i < 4; i++ {
		out = append(out, draw(src, op))
	}
	for i := range out {
		out[i].Op = op
		if out[i].Name == "" {
			out[i].Name = fmt.Sprint("drawn ", i)
		}
	}
	return out, nil
}

// One returns a way to apply op, drawn from r.
func One(op *ir.Op, r *rand.Rand, elem ir.DType) (Sample, error) {
	draw, err := drawer(op)
	if err == nil {
		s := draw(&source{r, elem}, op)
		s.Op = op
		return s, nil
	}
	all, err := Samples(op, r, elem)
	if err != nil {
		return Sample{}, err
	}
	return all[r.IntN(len(all))], nil
}

// Apply returns the node of s on args.
func Apply(g *ir.Graph, s Sample, args []*ir.Node) (*ir.Node, error) {
	if s.Body != nil {
		return g.MakeCall(s.Attr.Name, args, s.Body(g)...), nil
	}
	return g.Make(s.Op, s.Attr, args...)
}

// drawer is how op is sampled: by its own entry, or by its class.
func drawer(op *ir.Op) (func(*source, *ir.Op) Sample, error) {
	if draw, ok := drawn[op.Name]; ok {
		return draw, nil
	}
	fields := fmt.Sprint(op.Fields)
	switch {
	case op.Class == ir.Map && (len(op.Fields) == 0 || fields == "[within]"):
		return drawMap, nil
	case op.Class == ir.Reduce && fields == "[axes]":
		return drawReduce, nil
	case (op.Class == ir.Leaf || op.Class == ir.Random) && (fields == "[name type]" || fields == "[type]"):
		return drawLeaf, nil
	}
	return nil, fmt.Errorf("op %s has no sample: add one to samples.go", op.Name)
}

// dims are the extents that shapes are drawn from.
var dims = []ir.Dim{ir.DimVar("B"), ir.DimVar("N"), ir.D(1), ir.D(2), ir.D(3), ir.DimVar("B").Add(ir.D(1))}

// shapes are few, so that random graphs meet the same one again.
var shapes = []ir.Shape{
	{}, {ir.DimVar("B")}, {ir.D(3)}, {ir.DimVar("B"), ir.DimVar("N")}, {ir.D(2), ir.D(3)},
	{ir.DimVar("B"), ir.D(3)}, {ir.DimVar("N"), ir.DimVar("B"), ir.D(2)}, {ir.D(1), ir.DimVar("B")},
}

// shape is one of at least some rank.
func (s *source) shape(rank int) ir.Shape {
	for {
		if out := shapes[s.IntN(len(shapes))]; len(out) >= rank {
			return out
		}
	}
}

// subset is some of the axes of a rank, in order.
func (s *source) subset(rank int) []int {
	out := []int{}
	for i := range rank {
		if s.IntN(2) == 0 {
			out = append(out, i)
		}
	}
	return out
}

func (s *source) float(shape ir.Shape) Operand {
	return Operand{Type: ir.Type{Elem: s.elem, Shape: shape}, Lo: -2, Hi: 2}
}

// indices is an operand whose elements are below an extent.
func (s *source) indices(shape ir.Shape, below ir.Dim) Operand {
	elem := []ir.DType{ir.Int32, ir.Int64}[s.IntN(2)]
	return Operand{Type: ir.Type{Elem: elem, Shape: shape}, Below: &below}
}

// fits reports whether op takes the operands.
func fits(op *ir.Op, attr ir.Attr, operands []Operand) bool {
	args := make([]*ir.Node, len(operands))
	for i, o := range operands {
		args[i] = &ir.Node{Op: ir.Ops["input"], Type: o.Type}
	}
	_, err := op.Shape(&ir.Node{Op: op, Attr: attr, Args: args})
	return err == nil
}

// drawMap is operands of one shape, of the first element type that op takes:
// floating, or by chance an integer type.
func drawMap(s *source, op *ir.Op) Sample {
	shape := s.shape(0)
	elems := []ir.DType{s.elem, ir.Bool, ir.Int32}
	if s.IntN(4) == 0 {
		elems = []ir.DType{ir.Int32, s.elem, ir.Bool}
	}
	for _, elem := range elems {
		operands := make([]Operand, op.Arity)
		for i := range operands {
			operands[i] = Operand{Type: ir.Type{Elem: elem, Shape: shape}, Lo: op.Domain[0], Hi: op.Domain[1]}
		}
		if fits(op, ir.Attr{}, operands) {
			return Sample{Operands: operands}
		}
	}
	panic("irtest: op " + op.Name + " takes no operands of one type: add an entry to samples.go")
}

// drawReduce is a reduction over some axes.
func drawReduce(s *source, op *ir.Op) Sample {
	for range 1000 {
		shape := s.shape(1)
		attr := ir.Attr{Axes: s.subset(len(shape))}
		for _, elem := range []ir.DType{s.elem, ir.Bool} {
			operands := []Operand{{Type: ir.Type{Elem: elem, Shape: shape}, Lo: op.Domain[0], Hi: op.Domain[1]}}
			if fits(op, attr, operands) {
				return Sample{Attr: attr, Operands: operands}
			}
		}
	}
	panic("irtest: op " + op.Name + " takes no axes: add an entry to samples.go")
}

// drawLeaf is a leaf under a name of its own, a scalar where there is one alone.
func drawLeaf(s *source, op *ir.Op) Sample {
	if len(op.Fields) == 1 {
		return Sample{Attr: ir.Attr{Dims: []ir.Dim{}, Elem: s.elem}}
	}
	return Sample{Attr: ir.Attr{Name: fmt.Sprintf("%s%d", op.Name, s.IntN(1000)), Dims: s.shape(0), Elem: s.elem}}
}
