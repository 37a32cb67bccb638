package ir_test

import (
	"math"
	"testing"

	"gradgen.dev/ir"
)

// TestStep: two applications of one instance write a state m, each half of m and
// its input; each loss needs one of them. What the other has no part in reads
// the state without it, in the order of the text.
func TestStep(t *testing.T) {
	g := ir.NewGraph()
	scalar := ir.Type{Elem: ir.Float64, Shape: ir.Shape{}}
	m := &ir.State{Path: "m", Node: g.Leaf("state", "m", scalar)}
	side := &ir.Side{}
	half := g.Const(0.5, ir.Float64)
	now := m.Node
	apply := func(name string) *ir.Node {
		x := g.Leaf("input", name, scalar)
		value := g.Map("add", g.Map("mul", half, now), x)
		now = g.Pin(value, "write "+name)
		result := g.Pin(g.Map("sub", x, now), "result "+name)
		side.Writes = append(side.Writes, ir.Write{State: m, Value: value, Read: now, Of: []*ir.Node{result}})
		return result
	}
	first, second, third := apply("a"), apply("b"), apply("c")
	side.Losses = []ir.Named{{Name: "d", Node: g.Map("add", first, third)}, {Name: "g", Node: second}, {Name: "n", Node: g.Const(1, ir.Float64)}}
	side.Metrics = []ir.Named{{Name: "level", Node: now}}

	// By hand: m is 8 and a, b, c are 1, 2, 3.
	values := map[string]*ir.Tensor{}
	for name, v := range map[string]float64{"state m": 8, "input a": 1, "input b": 2, "input c": 3} {
		values[name] = &ir.Tensor{Shape: []int{}, Data: []float64{v}}
	}
	for _, want := range []struct {
		loss         string
		value, level float64
		writes       int
	}{
		{"d", (1 - 5) + (3 - 5.5), 5.5, 1}, // 8, then 5 of a, then 5.5 of c
		{"g", 2 - 6, 6, 1},                 // 8, then 6 of b
		{"n", 1, 8, 0},
		{"", math.NaN(), 5.25, 1}, // 8, then 5, 4.5, 5.25
	} {
		step := side.Step(g, want.loss)
		e := &ir.Evaluator{Values: values}
		check := func(what string, n *ir.Node, want float64) {
			if have, err := e.Eval(n); err != nil || have.Data[0] != want {
				t.Errorf("%s is %v, %v, want %v", what, have, err, want)
			}
		}
		if want.loss != "" {
			check("loss "+want.loss, step.Loss(want.loss), want.value)
		}
		check("level in the step of "+want.loss, step.Metrics[0].Node, want.level)
		if len(step.Writes) != want.writes {
			t.Fatalf("the step of %q has %d writes, want %d", want.loss, len(step.Writes), want.writes)
		}
		for _, w := range step.Writes {
			check("the new m of "+want.loss, w.Value, want.level)
		}
		for _, n := range ir.Topological(step.Roots()...) {
			if n.Is("pin") && want.loss == "" {
				t.Errorf("a mark %s is left", n.Attr.Name)
			}
		}
	}

	// Only the steps of d and g run the applications of their metrics.
	if !side.Runs("d", first) || side.Runs("d", second) || !side.Runs("g", second) || side.Runs("n", third) || !side.Runs("n", now) {
		t.Error("a step runs other applications than its loss needs")
	}
}
