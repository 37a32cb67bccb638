package irtest

import (
	"fmt"
	"math"
	"slices"

	"gradgen.dev/ir"
)

// drawn is how the ops are sampled whose class does not say enough.
var drawn = map[string]func(s *source, op *ir.Op) Sample{
	"const": func(s *source, _ *ir.Op) Sample {
		return Sample{Attr: ir.Attr{Value: math.Round(8*s.NormFloat64()) / 4, Elem: s.elem}}
	},
	"tensor": func(s *source, _ *ir.Op) Sample {
		data := make([]float64, 6)
		for i := range data {
			data[i] = math.Round(8*s.NormFloat64()) / 4
		}
		return Sample{Attr: ir.Attr{Data: data, Dims: ir.ShapeOf(2, 3), Elem: s.elem}}
	},
	"size": func(s *source, _ *ir.Op) Sample {
		return Sample{Attr: ir.Attr{Dims: []ir.Dim{dims[s.IntN(len(dims))]}, Elem: s.elem}}
	},
	"iota": func(s *source, _ *ir.Op) Sample {
		shape := s.shape(1)
		elem := []ir.DType{s.elem, ir.Int32}[s.IntN(2)]
		return Sample{Attr: ir.Attr{Dims: shape, Axis: s.IntN(len(shape)), Elem: elem}}
	},

	"where": func(s *source, op *ir.Op) Sample {
		shape := s.shape(0)
		return Sample{Operands: []Operand{{Type: ir.Type{Elem: ir.Bool, Shape: shape}}, s.float(shape), s.float(shape)}}
	},
	"cast": func(s *source, _ *ir.Op) Sample {
		elems := []ir.DType{ir.Float64, ir.Float32, ir.Int32, ir.Bool}
		return Sample{Operands: []Operand{s.float(s.shape(0))}, Attr: ir.Attr{Elem: elems[s.IntN(len(elems))]}}
	},

	"spread": func(s *source, _ *ir.Op) Sample {
		shape := s.shape(1)
		axes := s.subset(len(shape))
		return Sample{Operands: []Operand{s.float(shape.Drop(axes))}, Attr: ir.Attr{Dims: shape, Axes: axes}}
	},
	"reshape": func(s *source, _ *ir.Op) Sample {
		b, n := ir.DimVar("B"), ir.DimVar("N")
		pairs := [][2]ir.Shape{
			{{b, n}, {n, b}}, {{b, n}, {b.Mul(n)}}, {{b, ir.D(4)}, {b, ir.D(2), ir.D(2)}},
			{{ir.D(2), b}, {b.Mul(ir.D(2))}}, {{}, {ir.D(1), ir.D(1)}}, {{ir.D(2), ir.D(3)}, {ir.D(3), ir.D(2)}},
		}
		p, k := pairs[s.IntN(len(pairs))], s.IntN(2)
		return Sample{Operands: []Operand{s.float(p[k])}, Attr: ir.Attr{Dims: p[1-k]}}
	},
	"transpose": func(s *source, _ *ir.Op) Sample {
		shape := s.shape(0)
		return Sample{Operands: []Operand{s.float(shape)}, Attr: ir.Attr{Axes: s.Perm(len(shape))}}
	},
	"flip": func(s *source, _ *ir.Op) Sample {
		shape := s.shape(0)
		return Sample{Operands: []Operand{s.float(shape)}, Attr: ir.Attr{Axes: s.subset(len(shape))}}
	},
	"slice": drawSlice,
	"place": drawPlace,
	"concat": func(s *source, _ *ir.Op) Sample {
		shape := s.shape(1)
		axis := s.IntN(len(shape))
		operands := make([]Operand, 1+s.IntN(3))
		for i := range operands {
			part := slices.Clone(shape)
			part[axis] = dims[s.IntN(len(dims))]
			operands[i] = s.float(part)
		}
		return Sample{Operands: operands, Attr: ir.Attr{Axis: axis}}
	},
	"gather": func(s *source, _ *ir.Op) Sample {
		shape, ids := s.shape(1), s.shape(0)
		axis := s.IntN(len(shape))
		return Sample{Operands: []Operand{s.float(shape), s.indices(ids, shape[axis])}, Attr: ir.Attr{Axis: axis}}
	},
	"scatter_add": func(s *source, _ *ir.Op) Sample {
		shape := s.shape(0)
		axis := s.IntN(len(shape) + 1)
		ids := shape[axis : axis+s.IntN(len(shape)-axis+1)]
		extent := dims[s.IntN(len(dims))]
		return Sample{Operands: []Operand{s.float(shape), s.indices(ids, extent)}, Attr: ir.Attr{Axis: axis, Dims: []ir.Dim{extent}}}
	},
	"scatter_along": func(s *source, _ *ir.Op) Sample {
		shape, extent := s.shape(1), dims[s.IntN(len(dims))]
		return Sample{Operands: []Operand{s.float(shape), s.indices(shape, extent)}, Attr: ir.Attr{Dims: []ir.Dim{extent}}}
	},
	"pick": func(s *source, _ *ir.Op) Sample {
		shape := s.shape(1)
		last := len(shape) - 1
		return Sample{Operands: []Operand{s.float(shape), s.indices(shape[:last], shape[last])}}
	},
	"einsum": func(s *source, _ *ir.Op) Sample { return s.einsum(einsums[s.IntN(len(einsums))]) },

	"pin": func(s *source, _ *ir.Op) Sample {
		return Sample{Operands: []Operand{s.float(s.shape(0))}, Attr: ir.Attr{Name: "x"}}
	},
	"stop_gradient": func(s *source, _ *ir.Op) Sample { return Sample{Operands: []Operand{s.float(s.shape(0))}} },
	"written":       func(s *source, _ *ir.Op) Sample { return Sample{Operands: []Operand{s.float(s.shape(0))}} },
	"bounded": func(s *source, _ *ir.Op) Sample {
		below := ir.DimVar("N")
		return Sample{Operands: []Operand{s.indices(s.shape(0), below)}, Attr: ir.Attr{Dims: []ir.Dim{below}, Value: -100}}
	},
	"grad": func(s *source, _ *ir.Op) Sample {
		return Sample{Operands: []Operand{s.float(ir.Shape{}), s.pin()}}
	},
	"hessian":  func(s *source, _ *ir.Op) Sample { return Sample{Operands: []Operand{s.float(ir.Shape{}), s.pin()}} },
	"jacobian": func(s *source, _ *ir.Op) Sample { return Sample{Operands: []Operand{s.float(s.shape(0)), s.pin()}} },
	"vjp": func(s *source, _ *ir.Op) Sample {
		y := s.float(s.shape(0))
		return Sample{Operands: []Operand{y, s.pin(), y}}
	},
	"jvp": func(s *source, _ *ir.Op) Sample {
		x := s.pin()
		return Sample{Operands: []Operand{s.float(s.shape(0)), x, s.float(x.Type.Shape)}}
	},
}

// special is samples beside the drawn ones.
var special = map[string]func(s *source) []Sample{
	"einsum": func(s *source) []Sample {
		var out []Sample
		for _, spec := range einsums {
			out = append(out, s.einsum(spec))
		}
		return out
	},
	"sum":        everyAxes,
	"prod":       func(s *source) []Sample { return append(everyAxes(s), s.prodOfZeros()...) },
	"others":     func(s *source) []Sample { return append(everyAxes(s), s.prodOfZeros()...) },
	"reduce_max": everyAxes,
	"reduce_min": everyAxes,
	"logsumexp":  everyAxes,
	"call":       func(s *source) []Sample { return []Sample{s.customDerivative()} },

	"spread": func(s *source) []Sample {
		out := everyAxes(s)
		for i, a := range out {
			out[i].Attr.Dims = cube
			out[i].Operands = []Operand{s.float(cube.Drop(a.Attr.Axes))}
		}
		return out
	},
	"flip": everyAxes,
	"transpose": func(s *source) []Sample {
		var out []Sample
		for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			out = append(out, Sample{Name: fmt.Sprint("order ", order), Operands: []Operand{s.float(cube)}, Attr: ir.Attr{Axes: order}})
		}
		return out
	},
	"slice": func(s *source) []Sample {
		b := ir.DimVar("B")
		return []Sample{{Name: "by steps", Operands: []Operand{s.float(ir.Shape{ir.D(7), b.Add(ir.D(2))})},
			Attr: ir.Attr{Dims: []ir.Dim{ir.D(1), ir.D(1)}, Limits: []ir.Dim{ir.D(7), b.Add(ir.D(1))}, Steps: []int{3, 2}}}}
	},
	"place": func(s *source) []Sample {
		b := ir.DimVar("B")
		return []Sample{{Name: "by steps", Operands: []Operand{s.float(ir.Shape{ir.D(2), b})},
			Attr: ir.Attr{Dims: []ir.Dim{ir.D(5), b.Mul(ir.D(2)).Add(ir.D(1))}, Limits: []ir.Dim{ir.D(1), ir.D(2)}, Steps: []int{3, 2}}}}
	},
	"concat": func(s *source) []Sample {
		var out []Sample
		for axis := range 3 {
			var operands []Operand
			for _, d := range []ir.Dim{ir.D(2), ir.DimVar("B"), ir.D(1)} {
				part := slices.Clone(cube)
				part[axis] = d
				operands = append(operands, s.float(part))
			}
			out = append(out, Sample{Name: fmt.Sprint("three along ", axis), Operands: operands, Attr: ir.Attr{Axis: axis}})
		}
		return out
	},
	"gather": func(s *source) []Sample {
		var out []Sample
		for axis, d := range cube {
			for rank := range 3 {
				out = append(out, Sample{Name: fmt.Sprintf("axis %d by indices of rank %d", axis, rank),
					Operands: []Operand{s.float(cube), s.indices(ir.ShapeOf(3, 2)[:rank], d)}, Attr: ir.Attr{Axis: axis}})
			}
		}
		return out
	},
	"scatter_add": func(s *source) []Sample {
		var out []Sample
		for axis := range 3 {
			for rank := range 4 - axis {
				out = append(out, Sample{Name: fmt.Sprintf("axis %d by indices of rank %d", axis, rank),
					Operands: []Operand{s.float(cube), s.indices(cube[axis:axis+rank], ir.D(4))},
					Attr:     ir.Attr{Axis: axis, Dims: []ir.Dim{ir.D(4)}}})
			}
		}
		return out
	},
	"scatter_along": func(s *source) []Sample {
		return []Sample{{Name: "rank 3", Operands: []Operand{s.float(cube), s.indices(cube, ir.D(3))}, Attr: ir.Attr{Dims: []ir.Dim{ir.D(3)}}}}
	},
	"pick": func(s *source) []Sample {
		return []Sample{{Name: "rank 3", Operands: []Operand{s.float(cube), s.indices(cube[:2], cube[2])}}}
	},
}

// cube is a shape of rank 3 whose axes differ.
var cube = ir.Shape{ir.DimVar("N"), ir.DimVar("B"), ir.D(4)}

func (s *source) pin() Operand {
	o := s.float(s.shape(0))
	o.Pin = true
	return o
}

// einsums has products, batches, outer products, contractions over several
// letters, and results in other orders.
var einsums = []string{
	"ij,jk->ik", "ij,kj->ik", "ji,jk->ki", "bij,bjk->bik", "bij,jk->bik", "bhid,bhjd->bhij", "ib,jb->ij",
	"i,i->", "i,j->ij", "i,j->ji", ",->", ",i->i", "ij,->ji", "ij,ij->ij", "ij,ij->i", "ij,ij->j", "ij,ij->",
	"ij,j->i", "j,ij->i", "ij,j->ij", "abc,cb->a", "abc,bd->dac", "abc,bcd->ad", "Ab,bC->AC",
}

func (s *source) einsum(spec string) Sample {
	extent := map[byte]ir.Dim{}
	operand := func(letters string) Operand {
		shape := ir.Shape{}
		for i := range len(letters) {
			if _, ok := extent[letters[i]]; !ok {
				extent[letters[i]] = dims[s.IntN(len(dims))]
			}
			shape = append(shape, extent[letters[i]])
		}
		return s.float(shape)
	}
	a, b, _ := ir.SplitSpec(spec)
	return Sample{Name: spec, Operands: []Operand{operand(a), operand(b)}, Attr: ir.Attr{Spec: spec}}
}

// everyAxes applies an op to a tensor of rank 3 along every set of axes.
func everyAxes(s *source) []Sample {
	var out []Sample
	for set := range 8 {
		axes := []int{}
		for i := range cube {
			if set>>i&1 == 1 {
				axes = append(axes, i)
			}
		}
		out = append(out, Sample{Name: fmt.Sprint("axes ", axes), Operands: []Operand{s.float(cube)}, Attr: ir.Attr{Axes: axes}})
	}
	return out
}

// prodOfZeros has rows with no, one and two zeros.
func (s *source) prodOfZeros() []Sample {
	o := s.float(ir.ShapeOf(3, 3))
	o.Values = []float64{2, -3, 0.5, 4, 0, -1.5, 0, 0, 7}
	return []Sample{
		{Name: "zeros in rows", Operands: []Operand{o}, Attr: ir.Attr{Axes: []int{1}}},
		{Name: "zeros in columns", Operands: []Operand{o}, Attr: ir.Attr{Axes: []int{0}}},
	}
}

// customDerivative is f(a, b) = a·tanh(b) with its derivative written through
// the result: dy·y/a and dy·(a − y²/a).
func (s *source) customDerivative() Sample {
	a := Operand{Type: ir.Type{Elem: s.elem, Shape: s.shape(1)}, Lo: 0.5, Hi: 2}
	body := func(g *ir.Graph) []*ir.Region {
		build := func(text string, names []string, args []*ir.Node) *ir.Node {
			env := map[string]*ir.Node{}
			for i, name := range names {
				env[name] = args[i]
			}
			n, err := g.Formula(text, env, a.Type)
			if err != nil {
				panic("irtest: " + err.Error())
			}
			return n
		}
		names := []string{"a", "b", "y", "dy"}
		args := []*ir.Node{g.NewArg(a.Type), g.NewArg(a.Type), g.NewArg(a.Type), g.NewArg(a.Type)}
		value := []*ir.Node{g.NewArg(a.Type), g.NewArg(a.Type)}
		return []*ir.Region{
			{Params: value, Results: []*ir.Node{build("a * tanh(b)", names[:2], value)}},
			{Params: args, Results: []*ir.Node{build("dy * y / a", names, args), build("dy * (a - y * y / a)", names, args)}},
		}
	}
	return Sample{Name: "own derivative", Operands: []Operand{a, a}, Attr: ir.Attr{Name: "f"}, Body: body}
}

// drawSlice takes some of each axis, by steps; an axis may come out empty.
func drawSlice(s *source, _ *ir.Op) Sample {
	var shape ir.Shape
	var attr ir.Attr
	for range s.IntN(3) {
		start, step := s.IntN(3), 1+s.IntN(3)
		if s.IntN(2) == 0 {
			shape = append(shape, ir.DimVar("B").Add(ir.D(start)))
			attr.Limits = append(attr.Limits, ir.DimVar("B").Add(ir.D(s.IntN(start+1))))
			attr.Dims = append(attr.Dims, ir.D(s.IntN(2)))
		} else {
			shape = append(shape, ir.D(6))
			attr.Limits = append(attr.Limits, ir.D(start+s.IntN(7-start)))
			attr.Dims = append(attr.Dims, ir.D(start))
		}
		attr.Steps = append(attr.Steps, step)
	}
	return Sample{Operands: []Operand{s.float(shape)}, Attr: attr}
}

// drawPlace puts a tensor into one that has more room on both sides.
func drawPlace(s *source, _ *ir.Op) Sample {
	shape := s.shape(0)
	attr := ir.Attr{Dims: []ir.Dim{}}
	for _, d := range shape {
		start, step, end := ir.D(s.IntN(3)), 1+s.IntN(3), ir.D(s.IntN(2))
		attr.Limits = append(attr.Limits, start)
		attr.Steps = append(attr.Steps, step)
		attr.Dims = append(attr.Dims, start.Add(d.Sub(ir.D(1)).Mul(ir.D(step))).Add(ir.D(1)).Add(end))
	}
	return Sample{Operands: []Operand{s.float(shape)}, Attr: attr}
}
