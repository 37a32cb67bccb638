package ir_test

import (
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// TestCheckFindsBroken builds broken nodes by hand, one of each kind that Check
// promises to find.
func TestCheckFindsBroken(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", vector)
	ids := g.Leaf("input", "ids", vector.Of(ir.Int32))
	a, b := g.NewArg(vector), g.NewArg(vector)
	exp, add := ir.Ops["exp"], ir.Ops["add"]
	foreign := *exp
	late := &ir.Node{Op: exp, Args: []*ir.Node{x}, Type: vector, ID: 1000}
	body := func(result *ir.Node) []*ir.Region {
		return []*ir.Region{{Params: []*ir.Node{a}, Results: []*ir.Node{result}}}
	}

	for _, c := range []struct {
		what   string
		n      *ir.Node
		reason string
	}{
		{"an op that is not the table's", &ir.Node{Op: &foreign, Args: []*ir.Node{x}, Type: vector, ID: 100}, "not the table's"},
		{"too few operands", &ir.Node{Op: add, Args: []*ir.Node{x}, Type: vector, ID: 100}, "1 operands, not 2"},
		{"too many operands", &ir.Node{Op: exp, Args: []*ir.Node{x, x}, Type: vector, ID: 100}, "2 operands, not 1"},
		{"an absent operand", &ir.Node{Op: add, Args: []*ir.Node{x, nil}, Type: vector, ID: 100}, "operand 1 is absent"},
		{"an operand that comes later", &ir.Node{Op: exp, Args: []*ir.Node{late}, Type: vector, ID: 100}, "operand 1000 comes after it"},
		{"itself as operand", loop(exp), "comes after it"},
		{"a capture that comes later", &ir.Node{Op: ir.Ops["call"], Args: []*ir.Node{x}, Body: body(late), Type: vector, ID: 100}, "operand 1000 comes after it"},
		{"operands that do not fit", &ir.Node{Op: add, Args: []*ir.Node{x, ids}, Type: vector, ID: 100}, "operands are"},
		{"an operand of the wrong element type", &ir.Node{Op: exp, Args: []*ir.Node{ids}, Type: ids.Type, ID: 100}, "floating"},
		{"another shape", &ir.Node{Op: exp, Args: []*ir.Node{x}, Type: vector.With(ir.ShapeOf(3)), ID: 100}, "its operands give [B]float64"},
		{"another element type", &ir.Node{Op: exp, Args: []*ir.Node{x}, Type: vector.Of(ir.Float32), ID: 100}, "its operands give [B]float64"},
		{"a negative extent", &ir.Node{Op: ir.Ops["input"], Attr: ir.Attr{Name: "y", Dims: ir.ShapeOf(-1)}, Type: ir.Type{Shape: ir.ShapeOf(-1)}, ID: 100}, "extent -1"},
		{"an attribute that it does not use", &ir.Node{Op: exp, Args: []*ir.Node{x}, Attr: ir.Attr{Axis: 1}, Type: vector, ID: 100}, "attributes beside"},
		{"a region where none belongs", &ir.Node{Op: exp, Args: []*ir.Node{x}, Body: body(a), Type: vector, ID: 100}, "has regions"},
		{"no region where one belongs", &ir.Node{Op: ir.Ops["call"], Args: []*ir.Node{x}, Type: vector, ID: 100}, "needs a region"},
		{"a region of another number of parameters", &ir.Node{Op: ir.Ops["call"], Args: []*ir.Node{x, x}, Body: body(a), Type: vector, ID: 100}, "1 parameters, not 2"},
		{"a region of other parameters", &ir.Node{Op: ir.Ops["call"], Args: []*ir.Node{ids}, Body: body(a), Type: vector, ID: 100}, "parameter 0"},
		{"a parameter that is none", &ir.Node{Op: ir.Ops["call"], Args: []*ir.Node{x}, Body: []*ir.Region{{Params: []*ir.Node{x}, Results: []*ir.Node{x}}}, Type: vector, ID: 100}, "is input"},
		{"a parameter outside of its region", g.Map("exp", a), "outside of it"},
		{"a parameter of another region", &ir.Node{Op: ir.Ops["call"], Args: []*ir.Node{x}, Body: body(g.Map("add", a, b)), Type: vector, ID: 100}, "outside of it"},
		{"a parameter behind its region", g.Map("add", g.MakeCall("f", []*ir.Node{x}, body(a)...), g.Map("exp", a)), "outside of it"},
		{"too few cotangents", &ir.Node{Op: ir.Ops["call"], Args: []*ir.Node{x}, Body: append(body(a), rule(g)), Type: vector, ID: 100}, "0 cotangents"},
		{"a cotangent of another type", &ir.Node{Op: ir.Ops["call"], Args: []*ir.Node{x}, Body: append(body(a), rule(g, ids)), Type: vector, ID: 100}, "cotangent of operand 0"},
	} {
		err := ir.Check(c.n)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s gives %v, want an error with %q", c.what, err, c.reason)
		}
	}

	// Two nodes that are equal are found where both are reached.
	twin := &ir.Node{Op: exp, Args: []*ir.Node{x}, Type: vector, ID: 100}
	if err := ir.Check(g.Map("exp", x), twin); err == nil || !strings.Contains(err.Error(), "is not that node") {
		t.Errorf("two equal nodes give %v", err)
	}
	if err := ir.Check(); err != nil {
		t.Errorf("no root gives %v", err)
	}
}

// loop is a node that is its own operand.
func loop(op *ir.Op) *ir.Node {
	n := &ir.Node{Op: op, Type: vector, ID: 100}
	n.Args = []*ir.Node{n}
	return n
}

// rule is the derivative of a function of one vector.
func rule(g *ir.Graph, results ...*ir.Node) *ir.Region {
	return &ir.Region{Params: []*ir.Node{g.NewArg(vector), g.NewArg(vector), g.NewArg(vector)}, Results: results}
}

// TestMakeRefuses: Make says why operands do not fit, Must and MakeCall panic.
func TestMakeRefuses(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", vector)
	if _, err := g.Make(ir.Ops["add"], ir.Attr{}, x); err == nil {
		t.Error("add of one operand is made")
	}
	for what, f := range map[string]func(){
		"an op that is not there":        func() { g.Must("foo", ir.Attr{}) },
		"operands that do not fit":       func() { g.Map("add", x, g.Const(1, ir.Float64)) },
		"a call without regions":         func() { g.MakeCall("f", []*ir.Node{x}) },
		"rebuilt operands that mismatch": func() { g.Rebuild(g.Map("add", x, x), []*ir.Node{x, g.Const(1, ir.Float64)}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", what)
				}
			}()
			f()
		}()
	}
}
