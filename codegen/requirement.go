package codegen

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// A requirement is a condition on run-time dimensions without which a call makes
// no sense: a polynomial that may not be negative, or else a fact that the
// program asserts.
type requirement struct {
	least ir.Dim
	fact  *ir.Divides
}

// requirements is what the nodes and the facts of a program demand. Polynomials
// that are negative for no dimensions demand nothing.
func requirements(nodes []*ir.Node, facts ir.Facts) []requirement {
	var out []requirement
	for _, d := range fragile(nodes) {
		out = append(out, requirement{least: d})
	}
	for i := range facts {
		out = append(out, requirement{fact: &facts[i]})
	}
	return out
}

// fragile is the polynomials that have to be at least 0 for the nodes to make
// sense and may be less: extents, and what slices leave of an axis.
func fragile(nodes []*ir.Node) []ir.Dim {
	var out []ir.Dim
	add := func(d ir.Dim) {
		if !d.Covers(ir.Dim{}) && !slices.ContainsFunc(out, d.Equal) {
			out = append(out, d)
		}
	}
	for _, n := range nodes {
		for _, d := range n.Type.Shape {
			add(d)
		}
		if !n.Is("slice") {
			continue
		}
		for i, d := range n.Args[0].Type.Shape {
			if !n.Type.Shape[i].IsConst(0) {
				last := n.Attr.Dims[i].Add(n.Type.Shape[i].Sub(ir.D(1)).Mul(ir.D(n.Attr.Steps[i])))
				add(d.Sub(last).Sub(ir.D(1)))
				add(n.Attr.Dims[i])
			}
		}
	}
	return out
}

// dims is those of the dimensions that the requirement is about.
func (r requirement) dims(all []ir.RunDim) []ir.RunDim {
	set := map[string]bool{}
	r.least.Vars(set)
	if r.fact != nil {
		r.fact.Num.Vars(set)
		r.fact.Den.Vars(set)
	}
	var out []ir.RunDim
	for _, d := range all {
		if set[d.Name] {
			out = append(out, d)
		}
	}
	return out
}

// fails is the condition in Go under which the requirement is not met; spell
// writes a polynomial.
func (r requirement) fails(spell func(ir.Dim) string) string {
	if r.fact == nil {
		return spell(r.least) + " < 0"
	}
	num, den := factor(spell(r.fact.Num)), factor(spell(r.fact.Den))
	uneven := num + "%" + den + " != 0"
	if _, ok := r.fact.Den.Const(); !ok {
		return den + " == 0 || " + uneven // 0 divides nothing
	}
	return uneven
}

// conjunct puts a condition that has alternatives in parentheses.
func conjunct(condition string) string {
	if strings.Contains(condition, "||") {
		return "(" + condition + ")"
	}
	return condition
}

// factor puts what is no single word in parentheses.
func factor(text string) string {
	if strings.ContainsAny(text, "+-*/ ") {
		return "(" + text + ")"
	}
	return text
}

// String is what must hold, as messages say it: a bound where that is one on a
// single dimension.
func (r requirement) String() string {
	if r.fact != nil {
		return r.fact.String()
	}
	name, slope, rest, ok := line(r.least)
	switch {
	case !ok:
		return r.least.String() + " ≥ 0"
	case slope < 0:
		return fmt.Sprintf("%s ≤ %d", name, floorDiv(rest, -slope))
	}
	return fmt.Sprintf("%s ≥ %d", name, -floorDiv(rest, slope))
}

// line is d as slope·name + rest, where it is that for one dimension.
func line(d ir.Dim) (name string, slope, rest int, ok bool) {
	set := map[string]bool{}
	d.Vars(set)
	if len(set) != 1 {
		return "", 0, 0, false
	}
	for name = range set {
	}
	at0, err0 := d.Eval(map[string]int{name: 0})
	at1, err1 := d.Eval(map[string]int{name: 1})
	slope = at1 - at0
	ok = err0 == nil && err1 == nil && slope != 0 && d.Equal(ir.DimVar(name).Mul(ir.D(slope)).Add(ir.D(at0)))
	return name, slope, at0, ok
}

// floorDiv is the largest integer that is at most a/b, for b > 0.
func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// metByNone reports whether dimensions of which any is 0 meet the requirement:
// every term of the number that is divided has one.
func (r requirement) metByNone() bool {
	if r.fact == nil {
		return false
	}
	vars := map[string]bool{}
	r.fact.Num.Vars(vars)
	_, constant := r.fact.Den.Const()
	return constant && len(vars) == 1 && r.met(map[string]int{slices.Collect(maps.Keys(vars))[0]: 0})
}

// met reports whether dimensions of the given values meet the requirement.
func (r requirement) met(env map[string]int) bool {
	if r.fact != nil {
		return r.fact.Holds(env)
	}
	v, err := r.least.Eval(env)
	return err == nil && v >= 0
}
