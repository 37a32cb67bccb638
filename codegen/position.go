package codegen

import (
	"fmt"
	"slices"
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
			fails:  v + " < " + f.spell(lo) + " || " + v + above(hi, f.spell),
			reason: "is %d, want " + verbFor(lo) + " to " + verbFor(hi),
			args:   append([]string{v}, running(f.spell, lo, hi)...),
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
	last := p.Extent.Sub(ir.D(1))
	verb, at := "is", e.c.local("at")
	if len(labels) > 1 {
		verb = "are"
	}
	return positionCheck{
		input:  strings.Join(labels, ", "),
		fails:  fmt.Sprintf("%s := %s; %s < 0 || %s >= %s", at, text, at, at, f.spell(p.Extent)),
		reason: verb + strings.TrimSuffix(strings.Repeat(" %d,", len(values)), ",") + ", which makes the index %d, want 0 to " + verbFor(last),
		args:   append(append(values, at), running(f.spell, last)...),
	}
}

// above is the condition of being above hi.
func above(hi ir.Dim, spell func(ir.Dim) string) string {
	at, end := spell(hi), spell(hi.Add(ir.D(1)))
	if _, constant := hi.Const(); constant || len(at) < len(end) {
		return " > " + at
	}
	return " >= " + end
}

// verbFor is an extent in a format: itself where it is constant.
func verbFor(d ir.Dim) string {
	if _, constant := d.Const(); constant {
		return d.String()
	}
	return "%d"
}

// running is the extents that are not constant, as Go expressions.
func running(spell func(ir.Dim) string, dims ...ir.Dim) []string {
	var out []string
	for _, d := range dims {
		if _, constant := d.Const(); !constant {
			out = append(out, spell(d))
		}
	}
	return out
}

// Values of int parameters that tests try, in their order.
var sampleInts = []int{2, 1, 3, 0, 4, -1, 5, 6, -2, 7, 8, 9, -3, 10, 12, 16, -4, -8}

// mostSamples is how many combinations of them are tried.
const mostSamples = 4000

// sampled is values of the int parameters among inputs, by their leaves' names,
// that put every position in its axis at all sizes; nil where none are found. The
// truth values beside them are true, as the tests have them.
func sampled(positions []ir.Position, inputs []*ir.Node, envs ...map[string]int) map[string]int {
	var names []string
	values := map[string]*ir.Tensor{}
	for _, in := range inputs {
		if in.Type.Rank() == 0 {
			values["input "+in.Attr.Name] = &ir.Tensor{Shape: []int{}, Data: []float64{1}}
		}
		if in.Type.Elem == ir.Int {
			names = append(names, in.Attr.Name)
		}
	}
	for k := range mostSamples {
		out, rest := map[string]int{}, k
		for _, name := range names {
			out[name] = sampleInts[rest%len(sampleInts)]
			rest /= len(sampleInts)
			values["input "+name].Data[0] = float64(out[name])
		}
		if rest > 0 {
			return nil
		}
		if !slices.ContainsFunc(envs, func(env map[string]int) bool {
			ok, err := ir.Admits(positions, env, values)
			return err != nil || !ok
		}) {
			return out
		}
	}
	return nil
}

// sampleOf is a value of an int parameter of an export, as an expression in the
// test's dims: one that fits at all sizes of the test, or one for each.
func (m *model) sampleOf(of *form, in operand) string {
	var inputs []*ir.Node
	for _, o := range of.operands {
		inputs = append(inputs, o.Node)
	}
	envs := m.environments(m.allNodes())
	if at := sampled(of.positions, inputs, envs...); at != nil {
		return fmt.Sprint(at[in.Node.Attr.Name])
	}
	var entries []string
	for _, env := range envs {
		var fields []string
		for _, d := range m.dims {
			fields = append(fields, fmt.Sprintf("%s: %d", d.field, env[d.Name]))
		}
		entries = append(entries, fmt.Sprintf("{%s}: %d", strings.Join(fields, ", "), sampled(of.positions, inputs, env)[in.Node.Attr.Name]))
	}
	return "map[" + m.public("Dims") + "]int{" + strings.Join(entries, ", ") + "}[dims]"
}
