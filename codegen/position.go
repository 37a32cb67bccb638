package codegen

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// A positionCheck is how the check of an index that is computed of int
// parameters is spelled.
type positionCheck struct {
	input  string   // the parameter that is to blame; several with commas between them
	fails  string   // the condition under which it is out of range, with a statement before it
	reason string   // a format
	args   []string // of the format
}

// text is the reason, with a text before it, as a Go expression.
func (p positionCheck) text(before string) string {
	return fmt.Sprintf("fmt.Sprintf(%q, %s)", before+p.reason, strings.Join(p.args, ", "))
}

// check spells the check of a position; name is the Go expression of an int
// parameter by its leaf, label what messages call it.
func (f *frame) check(p ir.Position, name, label func(leaf *ir.Node) string) positionCheck {
	if x, lo, hi, ok := p.Range(); ok {
		v := name(x)
		return positionCheck{
			input:  label(x),
			fails:  v + " < " + grouped(f.spell(lo)) + " || " + v + " > " + f.spell(hi),
			reason: "is %d, want %d to %d", args: []string{v, f.spell(lo), f.spell(hi)},
		}
	}

	// The position is computed as the function computes it.
	loads := map[*ir.Node]ir.Access{}
	var labels, values []string
	for _, n := range ir.Topological(p.Index) {
		leaf := n
		for leaf.IsMark() {
			leaf = leaf.Args[0]
		}
		if !leaf.Is("input") {
			continue
		}
		b := &ir.Buffer{Name: leaf.Attr.Name, Type: leaf.Type, Storage: ir.InLocal}
		f.locals[b] = name(leaf)
		loads[n] = ir.Access{Buffer: b}
		if n == leaf && leaf.Type.Elem == ir.Int {
			labels, values = append(labels, label(leaf)), append(values, name(leaf))
		}
	}
	e := &scalarExpr{c: procContext{f}, loads: loads}
	text, _ := e.value(p.Index, ir.Int)
	verb, at := "is", e.c.local("at")
	if len(labels) > 1 {
		verb = "are"
	}
	return positionCheck{
		input:  strings.Join(labels, ", "),
		fails:  fmt.Sprintf("%s := %s; %s < 0 || %s >= %s", at, text, at, at, f.spell(p.Extent)),
		reason: verb + strings.TrimSuffix(strings.Repeat(" %d,", len(values)), ",") + ", which makes the index %d, want 0 to %d",
		args:   append(values, at, f.spell(p.Extent.Sub(ir.D(1)))),
	}
}
