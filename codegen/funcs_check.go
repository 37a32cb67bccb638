package codegen

import (
	"fmt"
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// printChecks prints how dimensions follow from lengths, and what panics. It
// returns the statements of dimensions that no length checks, by their variables.
func (e *entry) printChecks(b *body) (doubtful map[string]int) {
	doubtful = map[string]int{}
	known, checked := setOf(e.explicit...), map[string]bool{}
	for {
		i := slices.IndexFunc(e.ir.Params, func(p ir.Named) bool { return e.determined(p, known) != "" })
		if i < 0 {
			break
		}
		p := e.ir.Params[i]
		dim := e.determined(p, known)
		known[dim] = true
		doubtful[dim] = len(b.code)
		checked[e.params[i]] = e.printDim(b, dim, e.params[i], p.Node.Type.Shape)
	}

	// What dimensions have to be comes first, so that no length is wanted that
	// none can have.
	e.printFit(b)
	length := func(x string, s ir.Shape) {
		e.printLength(b, x, s)
		vars := map[string]bool{}
		s.Size().Vars(vars)
		for v := range vars {
			delete(doubtful, v)
		}
	}
	for i, out := range e.Outputs {
		length(e.outputs[i], out.Type.Shape)
	}
	for i, p := range e.operands() {
		if p.Node.Type.Rank() > 0 && !checked[e.params[i]] {
			length(e.params[i], p.Node.Type.Shape)
		}
	}
	e.printBounds(b)

	named := map[string]int{}
	for dim, at := range doubtful {
		named[e.ctx.names[dim]] = at
	}
	return named
}

// printDim infers a dimension from the length of x; exact where that needs no
// check.
func (e *entry) printDim(b *body, dim, x string, s ir.Shape) (exact bool) {
	name := e.ctx.names[dim]
	axis := plainAxis(s, dim)
	if axis < 0 {
		b.stmt("%s := 0", name)
		b.block("for "+e.ctx.spell(s.Size())+" < len("+x+")", func() { b.stmt("%s++", name) })
		return false
	}
	width := s.Drop([]int{axis}).Size()
	if width.IsConst(1) {
		b.stmt("%s := len(%s)", name, x)
		return true
	}
	if n, ok := width.Const(); ok && n > 0 {
		b.stmt("%s := len(%s) / %d", name, x, n)
		return false
	}
	b.stmt("%s := 0", name)
	b.block("if n := "+e.ctx.spell(width)+"; n > 0", func() { b.stmt("%s = len(%s) / n", name, x) })
	return false
}

// printLength checks a length.
func (e *entry) printLength(b *body, x string, s ir.Shape) {
	want := e.ctx.spell(s.Size())
	b.block(fmt.Sprintf("if len(%s) != %s", x, want), func() {
		b.stmt("panic(fmt.Sprintf(%q, len(%s), %s))", e.label+e.name+": len("+x+") is %d, want %d", x, want)
	})
}

// printFit checks what the function requires of its dimensions.
func (e *entry) printFit(b *body) {
	for _, r := range requirements(ir.Topological(e.ir.Results...), e.ir.Facts) {
		var names []string
		for _, dim := range r.dims(e.ir.Dims) {
			names = append(names, e.ctx.names[dim.Name])
		}
		b.block("if "+r.fails(e.ctx.spell), func() {
			b.stmt("panic(fmt.Sprintf(%q, %s))", fmt.Sprintf("%s%s: %s is %s, but %s does not hold", e.label, e.name,
				strings.Join(names, ", "), strings.TrimSuffix(strings.Repeat("%d, ", len(names)), ", "), strings.ReplaceAll(r.String(), "%", "%%")), strings.Join(names, ", "))
		})
	}
}

// printBounds checks the arguments that are used as indices.
func (e *entry) printBounds(b *body) {
	e.printPositions(b)
	seen := map[string]bool{}
	for _, n := range ir.Topological(e.ir.Results...) {
		if !n.Is("bounded") || n.Type.Elem == ir.Int {
			continue
		}
		x := n.Args[0]
		for x.Is("pin") || x.Is("reshape") {
			x = x.Args[0]
		}
		i := slices.IndexFunc(e.ir.Params, func(p ir.Named) bool { return x.Is("input") && p.Name == x.Attr.Name })
		if i < 0 {
			continue
		}
		name, extent := e.params[i], e.ctx.spell(n.Attr.Dims[0])
		if seen[name+" "+extent] {
			continue
		}
		seen[name+" "+extent] = true
		if x.Type.Rank() == 0 {
			b.block(fmt.Sprintf("if %s < 0 || int(%s) >= %s", name, name, extent), func() {
				b.stmt("panic(fmt.Sprintf(%q, %s, %s))", e.label+e.name+": "+name+" is %d, want 0 to %d less one", name, extent)
			})
			continue
		}
		check := fmt.Sprintf("fault.Labels(%q, %q, %s, %s)", strings.TrimSuffix(e.label, ": ")+"."+e.name, name, name, extent)
		b.block("if err := "+check+"; err != nil", func() { b.stmt("panic(err)") })
	}
}

// printPositions checks the indices that are computed of int parameters.
func (e *entry) printPositions(b *body) {
	name := func(leaf *ir.Node) string {
		return e.params[slices.IndexFunc(e.ir.Params, func(p ir.Named) bool { return p.Name == leaf.Attr.Name })]
	}
	for _, p := range ir.Positions(e.ir.Results...) {
		check := e.ctx.check(p, name, name)
		b.block("if "+check.fails, func() { b.stmt("panic(%s)", check.text(e.label+e.name+": "+check.input+" ")) })
	}
}
