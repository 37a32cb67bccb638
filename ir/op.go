package ir

import (
	"fmt"
	"slices"
)

// Class says what later stages may do with an op. They switch on the class,
// never on a name.
type Class uint8

// The classes. They are closed.
const (
	Leaf     Class = iota // computed elsewhere: inputs, parameters, constants
	Map                   // elementwise on operands of one shape; fusable
	Reduce                // removes axes
	Product               // multiplies and sums: goes to the BLAS
	View                  // the same elements read in another way
	Index                 // moves elements to other places
	Random                // draws numbers
	Calculus              // derivatives and marks, gone after the gradient pass
)

var classNames = [...]string{"leaf", "map", "reduce", "product", "view", "index", "random", "calculus"}

func (c Class) String() string { return classNames[c] }

// An Op is one row of the op table.
type Op struct {
	Name   string
	Class  Class
	Arity  int      // number of operands; -1 where it varies
	Fields []string // the attributes it uses, as the text form names them
	Doc    string   // one line: what it computes

	// Shape is the type of the node, or why the operands do not fit.
	Shape func(n *Node) (Type, error)

	// Fn is the reference value of a Map, element by element; Eval that of
	// any other op.
	Fn   func(x []float64) float64
	Eval func(e *Evaluator, n *Node, args []*Tensor) (*Tensor, error)

	// VJP is the cotangent of operand arg where dy is that of the result n;
	// nil where there is none. Rules gives it as text, an entry per operand.
	VJP   func(g *Graph, n, dy *Node, arg int) *Node
	Rules []string

	Commutes bool       // operands may be exchanged
	Domain   [2]float64 // of the operands, where derivatives are tested
}

// Ops is the op table by name.
var Ops = map[string]*Op{}

// OpNames is the table's names in the order of their registration.
var OpNames []string

// register adds rows to the table; it panics on a row that is not whole.
func register(rows ...*Op) {
	for _, op := range rows {
		if Ops[op.Name] != nil || op.Shape == nil || op.Doc == "" || (op.Fn == nil && op.Eval == nil) {
			panic("ir: the row of op " + op.Name + " is not whole")
		}
		if op.Domain == [2]float64{} {
			op.Domain = [2]float64{-2, 2}
		}
		Ops[op.Name] = op
		OpNames = append(OpNames, op.Name)
	}
}

// only is a without what op does not use.
func (a Attr) only(op *Op) Attr {
	var out Attr
	for _, field := range op.Fields {
		switch field {
		case "name":
			out.Name = a.Name
		case "spec":
			out.Spec = a.Spec
		case "value":
			out.Value = a.Value
		case "axis":
			out.Axis = a.Axis
		case "axes":
			out.Axes = a.Axes
		case "steps":
			out.Steps = a.Steps
		case "data":
			out.Data = a.Data
		case "within":
			out.Within = a.Within
		case "shape", "dim":
			out.Dims = a.Dims
		case "starts", "limits":
			out.Dims, out.Limits = a.Dims, a.Limits
		case "elem":
			out.Elem = a.Elem
		case "type":
			out.Elem, out.Dims = a.Elem, a.Dims
		default:
			panic("ir: op " + op.Name + " has the unknown field " + field)
		}
	}
	return out
}

// g makes a VJP out of one formula per operand, "" for none. In a formula a, b
// and c are the operands, y is the result and dy its cotangent; numbers take
// the type of dy. It is parsed when it is first used.
func g(rules ...string) ([]string, func(g *Graph, n, dy *Node, arg int) *Node) {
	return rules, func(g *Graph, n, dy *Node, arg int) *Node {
		if arg >= len(rules) || rules[arg] == "" {
			return nil
		}
		env := map[string]*Node{"y": n, "dy": dy}
		for i, a := range n.Args {
			env[string(rune('a'+i))] = a
		}
		out, err := g.Formula(rules[arg], env, dy.Type)
		if err != nil {
			panic("ir: derivative of " + n.Op.Name + ": " + err.Error())
		}
		return out
	}
}

// mapOp is a row of class Map with floating operands and result.
func mapOp(name, doc string, fn func(x []float64) float64, rules ...string) *Op {
	op := &Op{Name: name, Class: Map, Arity: max(len(rules), 1), Doc: doc, Shape: sameFloat, Fn: fn}
	op.Rules, op.VJP = g(rules...)
	return op
}

// on restricts the domain that derivatives are tested on.
func (op *Op) on(lo, hi float64) *Op { op.Domain = [2]float64{lo, hi}; return op }

// commuting marks an op whose operands may be exchanged.
func (op *Op) commuting() *Op { op.Commutes = true; return op }

// with adds fields of Attr that the op uses.
func (op *Op) with(fields ...string) *Op { op.Fields = append(op.Fields, fields...); return op }

// typed replaces the shape rule.
func (op *Op) typed(shape func(n *Node) (Type, error)) *Op { op.Shape = shape; return op }

// operands sets the arity of a row without derivative.
func (op *Op) operands(n int) *Op { op.Arity = n; return op }

// each lifts a function of one number.
func each(f func(float64) float64) func([]float64) float64 {
	return func(x []float64) float64 { return f(x[0]) }
}

// ofNumbers is shape for an operand of any type but bool.
func ofNumbers(shape func(n *Node) (Type, error)) func(n *Node) (Type, error) {
	return func(n *Node) (Type, error) {
		if t := n.Args[0].Type; t.Elem == Bool {
			return t, fmt.Errorf("operand is %v, want numbers", t)
		}
		return shape(n)
	}
}

// same is the type that all operands share.
func same(n *Node) (Type, error) {
	t := n.Args[0].Type
	for _, a := range n.Args[1:] {
		if !a.Type.Equal(t) {
			return t, fmt.Errorf("operands are %v and %v", t, a.Type)
		}
	}
	return t, nil
}

// sameFloat is same, of a floating element type.
func sameFloat(n *Node) (Type, error) {
	t, err := same(n)
	if err == nil && !t.Elem.IsFloat() {
		err = fmt.Errorf("operand is %v, want a floating type", t)
	}
	return t, err
}

// sameNumber is same, of any type but bool.
func sameNumber(n *Node) (Type, error) {
	t, err := same(n)
	if err == nil && t.Elem == Bool {
		err = fmt.Errorf("operand is %v, want numbers", t)
	}
	return t, err
}

// comparison gives bool for operands of one type.
func comparison(n *Node) (Type, error) {
	t, err := same(n)
	return t.Of(Bool), err
}

// logical is same, of type bool.
func logical(n *Node) (Type, error) {
	t, err := same(n)
	if err == nil && t.Elem != Bool {
		err = fmt.Errorf("operand is %v, want bool", t)
	}
	return t, err
}

// axesInRange checks that axes are distinct, ascending and within rank.
func axesInRange(axes []int, rank int) error {
	for i, a := range axes {
		if a < 0 || a >= rank || (i > 0 && axes[i-1] >= a) {
			return fmt.Errorf("axes %v of a tensor of rank %d", axes, rank)
		}
	}
	return nil
}

// reduced drops the axes of the operand.
func reduced(n *Node) (Type, error) {
	t := n.Args[0].Type
	if err := axesInRange(n.Attr.Axes, t.Rank()); err != nil {
		return t, err
	}
	return t.With(t.Shape.Drop(n.Attr.Axes)), nil
}

// infer is the type that n's row gives it. An extent that is known to be
// negative is an error.
func (n *Node) infer() (Type, error) {
	t, err := n.Op.Shape(n)
	if err != nil {
		return t, err
	}
	for _, d := range t.Shape {
		if v, ok := d.Const(); ok && v < 0 {
			return t, fmt.Errorf("extent %d in %v", v, t.Shape)
		}
	}
	return t, nil
}

// leafType is the type that the attributes spell out.
func leafType(n *Node) (Type, error) { return Type{n.Attr.Elem, slices.Clone(n.Attr.Dims)}, nil }
