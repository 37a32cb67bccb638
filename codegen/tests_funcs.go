package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// funcSizes are the extents that functions are tested at.
var funcSizes = []int{1, 2, 7, 8, 9, 17}

// printTests prints the test of an exported function: each derivative is the
// slope of the one below it, and nothing allocates.
func (f *function) printTests(out *file) {
	envs := slices.DeleteFunc(environments(f.ir.Dims, ir.Topological(f.ir.Results...), f.ir.Facts, funcSizes, 0),
		func(env map[string]int) bool { return f.ints(env) == nil })
	if len(envs) == 0 {
		out.note("There are no tests of %s: no dimensions from 1 to %d fit its shapes.", f.name, funcSizes[len(funcSizes)-1]+mostMore)
		return
	}
	if f.tested() {
		out.fn("Each derivative is the slope of the one below it.", "Test"+f.name+"Derivatives(t *testing.T)", func(b *body) {
			f.eachSize(b, envs, func() { f.printDerivativeChecks(b) })
		})
	}
	steady := f.steady()
	switch {
	case len(steady) > 0:
	case !f.tested():
		out.note("There are no tests of %s: it has no derivative that a difference quotient tells, and each call allocates.", f.name)
		return
	default:
		return
	}
	out.fn("", "Test"+f.name+"Allocations(t *testing.T)", func(b *body) {
		f.printArguments(b, envs[len(envs)-1:])
		for _, e := range steady {
			f.printMake(b, e, "")
		}
		b.stmt("n := testing.AllocsPerRun(5, func() {")
		for _, e := range steady {
			ignored := strings.Join(slices.Repeat([]string{"_"}, len(e.Proc.Results)), ", ")
			if ignored != "" {
				ignored += " = "
			}
			b.stmt("%s%s", ignored, f.call(e, "", nil))
		}
		b.stmt("})")
		b.block("if n != 0", func() { b.stmt("t.Errorf(\"%%v allocations\", n)") })
	})
}

// steady is the entries that allocate nothing: all their scratch memory lies
// in work or on the stack.
func (f *function) steady() []*entry {
	return slices.DeleteFunc(slices.Clone(f.entries), func(e *entry) bool {
		return slices.ContainsFunc(e.Arena.Buffers, func(b *ir.Buffer) bool { return b.Type.Elem != f.ir.Elem && !e.onStack(b) })
	})
}

// tested reports whether there is a derivative and the value below it.
func (f *function) tested() bool {
	return f.value() != nil && slices.ContainsFunc(f.entries, func(e *entry) bool { return f.checkable(e) })
}

// value is the entry of the function itself, where its result is one number or
// one tensor of floats.
func (f *function) value() *entry {
	for _, e := range f.entries {
		if slices.Equal(e.Kinds, []string{"value"}) && len(f.ir.Results) == 1 && f.ir.Results[0].Type.Elem.IsFloat() {
			return e
		}
	}
	return nil
}

// checkable reports whether e is a derivative by one parameter, whose
// difference quotient is at hand.
func (f *function) checkable(e *entry) bool {
	if len(e.FuncEntry.Params) != 1 || slices.Contains(e.Kinds, "value") || f.ownDerivative() {
		return false
	}
	switch e.Kinds[0] {
	case "hessian", "hvp":
		return f.gradOf(e) != nil
	}
	return true
}

// ownDerivative reports whether the program gives or stops a derivative.
func (f *function) ownDerivative() bool {
	return slices.ContainsFunc(ir.Topological(f.ir.Results...), func(n *ir.Node) bool { return n.Is("call") || n.Is("stop_gradient") })
}

// gradOf is the entry of the gradient by the same parameter as e.
func (f *function) gradOf(e *entry) *entry {
	for _, g := range f.entries {
		if slices.Equal(g.Kinds, []string{"grad"}) && slices.Equal(g.FuncEntry.Params, e.FuncEntry.Params) {
			return g
		}
	}
	return nil
}

// eachSize runs what fill prints at every size.
func (f *function) eachSize(b *body, envs []map[string]int, fill func()) {
	if len(f.ir.Dims) == 0 {
		f.printInts(b, envs[0])
		f.printArguments(b, nil)
		fill()
		return
	}
	var types, rows []string
	for _, d := range f.ir.Dims {
		types = append(types, f.testDim(d.Name))
	}
	ints := f.intParams()
	for _, p := range ints {
		types = append(types, f.testArg(p.Name))
	}
	for _, env := range envs {
		var values []string
		for _, d := range f.ir.Dims {
			values = append(values, fmt.Sprint(env[d.Name]))
		}
		at := f.ints(env)
		for _, p := range ints {
			values = append(values, fmt.Sprint(at[p.Name]))
		}
		rows = append(rows, "{"+strings.Join(values, ", ")+"}")
	}
	b.stmt("for _, size := range []struct{%s int}{%s} {", strings.Join(types, ", "), strings.Join(rows, ", "))
	for _, d := range f.ir.Dims {
		b.stmt("%s := size.%s", f.testDim(d.Name), f.testDim(d.Name))
	}
	for _, p := range ints {
		b.stmt("%s := size.%s", f.testArg(p.Name), f.testArg(p.Name))
	}
	f.printArguments(b, nil)
	fill()
	b.stmt("}")
}

// Locals of the test: arguments have the names of the parameters with a
// capital behind, which meet nothing else.
func (f *function) testArg(name string) string { return unexported(name) + "At" }
func (f *function) testDim(name string) string { return "dim" + exported(name) }

func (f *function) spell(d ir.Dim) string { return spellDim(d, f.testDim) }

// printArguments makes an argument for every parameter; envs is the one size
// where dimensions have no value yet.
func (f *function) printArguments(b *body, envs []map[string]int) {
	for _, env := range envs {
		for _, d := range f.ir.Dims {
			b.stmt("%s := %d", f.testDim(d.Name), env[d.Name])
			b.stmt("_ = %s", f.testDim(d.Name))
		}
		f.printInts(b, env)
	}
	for i, p := range f.ir.Params {
		t, name := p.Node.Type, f.testArg(p.Name)
		if t.Elem == ir.Int {
			continue
		}
		element := f.randomArgument(p, i+2)
		if t.Rank() == 0 {
			b.stmt("%s := %s", name, strings.ReplaceAll(element, "uint64(i)", "0"))
			continue
		}
		b.stmt("%s := make([]%s, %s)", name, goType(t.Elem), f.spell(t.Shape.Size()))
		b.block("for i := range "+name, func() { b.stmt("%s[i] = %s", name, element) })
	}
}

// intParams is the int parameters.
func (f *function) intParams() []ir.Named {
	return slices.DeleteFunc(slices.Clone(f.ir.Params), func(p ir.Named) bool { return p.Node.Type.Elem != ir.Int })
}

// ints is values of the int parameters at a size; nil where none fit.
func (f *function) ints(env map[string]int) map[string]int {
	var leaves []*ir.Node
	for _, p := range f.ir.Params {
		leaf := p.Node
		for leaf.IsMark() {
			leaf = leaf.Args[0]
		}
		leaves = append(leaves, leaf)
	}
	return sampled(ir.Positions(f.ir.Results...), leaves, env)
}

// printInts makes the arguments of int parameters at one size.
func (f *function) printInts(b *body, env map[string]int) {
	at := f.ints(env)
	for _, p := range f.intParams() {
		b.stmt("%s := %d", f.testArg(p.Name), at[p.Name])
	}
}

// randomArgument is an element of a parameter; an index is within all its bounds.
func (f *function) randomArgument(p ir.Named, stream int) string {
	in, bounds := operand{Named: p}, f.boundsOf(p.Name)
	if len(bounds) > 0 {
		in.bound = &bounds[0]
	}
	text := randomElement(in, fmt.Sprint(stream), f.testDim)
	for _, b := range bounds[min(1, len(bounds)):] {
		text += " % " + goType(p.Node.Type.Elem) + "(" + spellDim(b.Extent, f.testDim) + ")"
	}
	return text
}

// boundsOf is the bounds on an index parameter, each once.
func (f *function) boundsOf(name string) []ir.Bound {
	var out []ir.Bound
	for _, n := range ir.Topological(f.ir.Results...) {
		if !n.Is("bounded") {
			continue
		}
		x := n.Args[0]
		for x.Is("pin") || x.Is("reshape") {
			x = x.Args[0]
		}
		extent := n.Attr.Dims[0]
		if x.Is("input") && x.Attr.Name == name && !slices.ContainsFunc(out, func(b ir.Bound) bool { return b.Extent.Equal(extent) }) {
			out = append(out, ir.Bound{Extent: extent})
		}
	}
	return out
}

// local is a variable of the test for a destination or vector of e.
func (e *entry) local(name, suffix string) string {
	return unexported(e.name) + exported(name) + suffix
}

// printMake makes what e writes, and its extra vectors.
func (f *function) printMake(b *body, e *entry, suffix string) {
	for i, out := range e.Outputs {
		b.stmt("%s := make([]%s, %s)", e.local(e.outputs[i], suffix), goType(out.Type.Elem), f.spell(out.Type.Shape.Size()))
	}
	if suffix != "" {
		return
	}
	for i, x := range e.Extra {
		name := e.local(x.Name, "")
		element := fmt.Sprintf("%s(2*rng.Uniform64(%d, uint64(i)) - 1)", goType(x.Node.Type.Elem), 31+i)
		if x.Node.Type.Rank() == 0 {
			b.stmt("%s := %s", name, strings.ReplaceAll(element, "uint64(i)", "0"))
			continue
		}
		b.stmt("%s := make([]%s, %s)", name, goType(x.Node.Type.Elem), f.spell(x.Node.Type.Shape.Size()))
		b.block("for i := range "+name, func() { b.stmt("%s[i] = %s", name, element) })
	}
	if e.work != "" {
		b.stmt("%s := make([]%s, %sWork(%s))", e.local("work", ""), goType(f.ir.Elem), f.name, strings.Join(f.testDims(), ", "))
	}
}

func (f *function) testDims() []string {
	var out []string
	for _, d := range f.ir.Dims {
		out = append(out, f.testDim(d.Name))
	}
	return out
}

// call is a call of e, with parameters that moved replaces.
func (f *function) call(e *entry, suffix string, moved map[int]string) string {
	var args []string
	for i := range e.Outputs {
		args = append(args, e.local(e.outputs[i], suffix))
	}
	for i, p := range f.ir.Params {
		if to, ok := moved[i]; ok {
			args = append(args, to)
		} else {
			args = append(args, f.testArg(p.Name))
		}
	}
	for _, x := range e.Extra {
		args = append(args, e.local(x.Name, ""))
	}
	for _, d := range f.explicit {
		args = append(args, f.testDim(d))
	}
	if e.work != "" {
		if suffix == "" {
			args = append(args, e.local("work", ""))
		} else {
			args = append(args, "nil")
		}
	}
	return e.name + "(" + strings.Join(args, ", ") + ")"
}

// printDerivativeChecks checks every derivative at one size.
func (f *function) printDerivativeChecks(b *body) {
	h, tolerance := "1e-5", "1e-5"
	if f.narrow() {
		h, tolerance = "1e-2", "2e-2"
	}
	b.stmt("const h, tolerance = %s, %s", h, tolerance)
	for _, e := range f.entries {
		if !f.checkable(e) {
			if slices.Equal(e.Kinds, []string{"value", "grad"}) && len(f.value().Outputs) == 0 && len(e.Proc.Results) == 1 {
				b.blank()
				b.block("", func() { f.printValueCheck(b, e) })
			}
			continue
		}
		below := f.value()
		if k := e.Kinds[0]; k == "hessian" || k == "hvp" {
			below = f.gradOf(e)
		}
		b.blank()
		b.block("", func() { f.printSlopeCheck(b, e, below) })
	}
}

// narrow reports whether some number that a difference quotient is made of has
// the precision of float32.
func (f *function) narrow() bool {
	for _, p := range f.ir.Params {
		if p.Node.Type.Elem == ir.Float32 {
			return true
		}
	}
	return slices.ContainsFunc(f.ir.Results, func(n *ir.Node) bool { return n.Type.Elem == ir.Float32 })
}

// printValueCheck checks that an entry that also returns the value returns the
// same.
func (f *function) printValueCheck(b *body, e *entry) {
	below := f.value()
	b.comment("%s returns what %s does.", e.name, below.name)
	f.printMake(b, e, "")
	f.printMake(b, below, "")
	b.block(fmt.Sprintf("if got, want := float64(%s), float64(%s); math.Abs(got-want) > 1e-6*(1+math.Abs(want))", f.call(e, "", nil), f.call(below, "", nil)), func() {
		b.stmt("t.Errorf(\"%s is %%v, %s %%v\", got, want)", e.name, below.name)
	})
}

// printSlopeCheck compares e along a direction with the difference quotient of
// what it is the derivative of.
func (f *function) printSlopeCheck(b *body, e, below *entry) {
	at := e.FuncEntry.Params[0]
	p := f.ir.Params[at]
	elem := goType(p.Node.Type.Elem)
	scalar := p.Node.Type.Rank() == 0
	b.comment("%s, along a random direction.", e.name)
	f.printMake(b, e, "")
	f.printMake(b, below, "Up")
	f.printMake(b, below, "Down")

	// The direction: the entry's own vector where it has one along x.
	direction := "direction"
	if k := e.Kinds[0]; (k == "jvp" || k == "hvp") && len(e.Extra) == 1 {
		direction = e.local(e.Extra[0].Name, "")
	} else if scalar {
		b.stmt("direction := %s(1)", elem)
	} else {
		b.stmt("direction := make([]%s, len(%s))", elem, f.testArg(p.Name))
		b.block("for i := range direction", func() { b.stmt("direction[i] = %s(2*rng.Uniform64(17, uint64(i)) - 1)", elem) })
	}
	if scalar {
		b.stmt("up, down := %s+h*%s, %s-h*%s", f.testArg(p.Name), direction, f.testArg(p.Name), direction)
	} else {
		b.stmt("up, down := slices.Clone(%s), slices.Clone(%s)", f.testArg(p.Name), f.testArg(p.Name))
		b.block("for i, d := range "+direction, func() {
			b.stmt("up[i] += h * d")
			b.stmt("down[i] -= h * d")
		})
	}
	higher, lower := f.call(below, "Up", map[int]string{at: "up"}), f.call(below, "Down", map[int]string{at: "down"})
	result := f.call(e, "", nil)
	if len(e.Outputs) > 0 {
		b.stmt("%s", result)
		result = e.local(e.outputs[0], "")
	}
	if len(below.Outputs) == 0 {
		b.stmt("want := float64(%s-%s) / (2 * h)", higher, lower)
		f.printScalarSlope(b, e, result, direction, scalar)
		return
	}
	b.stmt("%s", higher)
	b.stmt("%s", lower)
	f.printVectorSlope(b, e, below, result, direction, scalar)
}

// printScalarSlope compares with the slope of a number.
func (f *function) printScalarSlope(b *body, e *entry, result, direction string, scalar bool) {
	switch k := e.Kinds[0]; {
	case k == "jvp" || k == "hvp":
		b.stmt("got := float64(%s)", indexed(result, len(e.Outputs) > 0, "0"))
	case scalar:
		b.stmt("got := float64(%s)", indexed(result, len(e.Outputs) > 0, "0"))
		if k == "vjp" {
			b.stmt("want *= float64(%s)", e.local(e.Extra[0].Name, ""))
		}
	default:
		b.stmt("got := 0.0")
		b.block("for i, d := range "+direction, func() { b.stmt("got += float64(%s[i] * d)", result) })
		if k == "vjp" {
			b.stmt("want *= float64(%s)", e.local(e.Extra[0].Name, ""))
		}
	}
	b.block("if math.Abs(got-want) > tolerance*(1+math.Abs(want))", func() {
		b.stmt("t.Errorf(\"%s: slope %%v, want %%v\", got, want)", e.name)
	})
}

func indexed(x string, slice bool, at string) string {
	if slice {
		return x + "[" + at + "]"
	}
	return x
}

// printVectorSlope compares with the slopes of the elements of a tensor.
func (f *function) printVectorSlope(b *body, e, below *entry, result, direction string, scalar bool) {
	up, down := below.local(below.outputs[0], "Up"), below.local(below.outputs[0], "Down")
	if e.Kinds[0] == "vjp" {
		w := e.local(e.Extra[0].Name, "")
		b.stmt("got, want := 0.0, 0.0")
		b.block("for i, u := range "+up, func() { b.stmt("want += float64(%s[i]) * float64(u-%s[i]) / (2 * h)", w, down) })
		if scalar {
			b.stmt("got = float64(%s)", indexed(result, len(e.Outputs) > 0, "0"))
		} else {
			b.block("for i, d := range "+direction, func() { b.stmt("got += float64(%s[i] * d)", result) })
		}
		b.block("if math.Abs(got-want) > tolerance*(1+math.Abs(want))", func() {
			b.stmt("t.Errorf(\"%s: slope %%v, want %%v\", got, want)", e.name)
		})
		return
	}
	b.block("for i, u := range "+up, func() {
		b.stmt("want := float64(u-%s[i]) / (2 * h)", down)
		switch k := e.Kinds[0]; {
		case k == "jvp" || k == "hvp" || scalar:
			b.stmt("got := float64(%s[i])", result)
		default:
			b.stmt("got := 0.0")
			b.block("for j, d := range "+direction, func() { b.stmt("got += float64(%s[i*len(%s)+j] * d)", result, direction) })
		}
		b.block("if math.Abs(got-want) > tolerance*(1+math.Abs(want))", func() {
			b.stmt("t.Errorf(\"%s: slope of element %%d is %%v, want %%v\", i, got, want)", e.name)
		})
	})
}
