package ir_test

import (
	"fmt"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// TestOpTable prints the op table (go test -run OpTable -v) and checks that it
// has each row once, in the table's order, and every rule.
func TestOpTable(t *testing.T) {
	text := ir.OpTable()
	t.Log("\n" + text)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 2+len(ir.OpNames) {
		t.Fatalf("%d lines for %d ops", len(lines), len(ir.OpNames))
	}
	for i, name := range ir.OpNames {
		op, line := ir.Ops[name], lines[i+2]
		if !strings.HasPrefix(line, fmt.Sprintf("| `%s` | %v | ", name, op.Class)) {
			t.Errorf("line %d is %s, want the row of %s", i+3, line, name)
		}
		if cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") - 1; cells != 4 {
			t.Errorf("%s has %d cells", name, cells)
		}
		for _, rule := range op.Rules {
			if !strings.Contains(line, rule) {
				t.Errorf("%s lacks the rule %s", name, rule)
			}
		}
	}
}

// TestRulesAreWritten: a row has a derivative and its text, or neither.
func TestRulesAreWritten(t *testing.T) {
	for _, name := range ir.OpNames {
		op := ir.Ops[name]
		if len(op.Rules) > 0 && op.VJP == nil {
			t.Errorf("%s has the text of a derivative and none", name)
		}
		if op.VJP == nil || len(op.Rules) > 0 || op.Arity < 0 {
			continue
		}
		g := ir.NewGraph()
		n := &ir.Node{Op: op}
		for range op.Arity {
			n.Args = append(n.Args, g.Leaf("input", "x", ir.Type{Elem: ir.Float64}))
		}
		for i := range op.Arity {
			if op.VJP(g, n, n.Args[0], i) != nil {
				t.Errorf("%s has a derivative by operand %d and no text of it", name, i)
			}
		}
	}
}

// TestClasses: what later stages take from a class holds for its rows.
func TestClasses(t *testing.T) {
	for _, name := range ir.OpNames {
		op := ir.Ops[name]
		switch op.Class {
		case ir.Leaf, ir.Random:
			if op.Arity != 0 {
				t.Errorf("%s is a %v with operands", name, op.Class)
			}
		case ir.Map:
			if op.Fn == nil && op.Eval == nil || op.Arity < 1 {
				t.Errorf("%s is a map without function or operands", name)
			}
		case ir.Reduce:
			if fmt.Sprint(op.Fields) != "[axes]" {
				t.Errorf("%s is a reduction with the fields %v", name, op.Fields)
			}
		}
	}
}

// TestCommuting: rows that say so give the same for exchanged operands.
func TestCommuting(t *testing.T) {
	for _, name := range ir.OpNames {
		op := ir.Ops[name]
		if !op.Commutes {
			continue
		}
		numbers := []float64{-inf, -2, -0.5, 0, 1, 3, inf, nan}
		for _, x := range numbers {
			for _, y := range numbers {
				a, b := op.Fn([]float64{x, y}), op.Fn([]float64{y, x})
				if !identical([]float64{a}, []float64{b}) {
					t.Errorf("%s of %v and %v is %v, exchanged %v", name, x, y, a, b)
				}
			}
		}
	}
}
