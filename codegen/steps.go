package codegen

import (
	"slices"
	"strings"
	"unicode"

	"gradgen.dev/ir"
)

// procedure prints the steps of p: a paragraph each, under its formulas.
func procedure(b *body, c procContext, p *ir.Procedure) {
	keys := map[string]bool{}
	for i, s := range p.Steps {
		before := b.statements
		if i > 0 && !oneParagraph(p.Steps[i-1], s) {
			b.blank()
		}
		for _, f := range s.Formulas {
			b.comment("%s%s", f, c.place(s, f))
		}
		switch {
		case s.Product != nil:
			printProduct(b, c, s.Product)
		case s.Scalar != nil:
			printScalar(b, c, s.Scalar)
		case s.Loop != nil:
			printLoop(b, c, s.Loop, keys)
		case s.Call != nil:
			c.call(b, s.Call)
		}
		c.lengths = append(c.lengths, b.statements-before)
	}
}

// place says where the value of a formula lies, where that has another name:
// computed in place of another, or in memory that the whole model shares.
func (c procContext) place(s *ir.Step, formula string) string {
	at := s.Places[formula]
	if at == nil || at.Storage != ir.InArena && at.Storage != ir.InOutput {
		return ""
	}
	name, _ := halves(formula)
	name = name[strings.LastIndexByte(name, ' ')+1:]
	if factor := strings.LastIndex(name, "·"); factor >= 0 {
		name = name[factor+len("·"):]
	}
	local := c.name(at)
	if strings.EqualFold(letters(name), letters(local)) {
		return ""
	}
	return "  (in " + local + ")"
}

// letters is the letters and digits of a name.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, name)
}

// What a function says once of code that needs a word.
const (
	nanTold   = "x != x holds for NaN alone, which is the result wherever it occurs."
	emptyTold = "min: where an extent is 0, what is cut here is empty."
)

// tell comments on what follows, the first time in a function.
func (c procContext) tell(b *body, text string) {
	if !slices.Contains(c.told, text) {
		c.told = append(c.told, text)
		b.comment("%s", text)
	}
}

// oneParagraph reports whether two steps stand in one paragraph: scalars, and
// calls.
func oneParagraph(a, b *ir.Step) bool {
	return a.Scalar != nil && b.Scalar != nil || a.Call != nil && b.Call != nil
}

// printScalar sets a scalar.
func printScalar(b *body, c procContext, s *ir.ScalarStep) {
	e := &scalarExpr{c: c, loads: s.Loads}
	as := s.To.Type.Elem
	if s.To.Wide {
		as = ir.Float64
	}
	to := c.buffer(s.To)
	value, _ := e.value(s.Value, as)
	switch {
	case s.To.Storage == ir.InLocal:
		if isUntyped(s.Value) {
			value = converted(value, ir.Bool, as)
		}
		b.stmt("%s %s %s", to, c.assigns(s.To), value)
	case c.isScalar(s.To):
		b.stmt("%s = %s", to, value)
	default:
		b.stmt("%s[0] = %s", to, value)
	}
}

// isUntyped reports whether n is a literal, which would give a variable Go's
// default type.
func isUntyped(n *ir.Node) bool { return n.IsConstant() }

// printProduct is a call of the BLAS, in loops over the batch where there is
// one.
func printProduct(b *body, c procContext, p *ir.ProductStep) {
	elem := p.C.Buffer.Type.Elem
	name, bits := "blas.Sgemm", "32"
	if elem == ir.Float64 {
		name, bits = "blas.Dgemm", "64"
	}
	scalars := &scalarExpr{c: c, loads: map[*ir.Node]ir.Access{}}
	for n, buf := range p.Loads {
		scalars.loads[n] = ir.Access{Buffer: buf}
	}
	alpha, _ := scalars.value(p.Alpha, elem)
	beta, _ := scalars.value(p.Beta, elem)

	var call func(axis int)
	indices := make([]string, len(p.Batch))
	call = func(axis int) {
		if axis < len(p.Batch) {
			if single(p, axis) {
				indices[axis] = "0"
				call(axis + 1)
				return
			}
			indices[axis] = c.local(string(rune('i' + axis)))
			b.block("for "+indices[axis]+" := range "+c.dim(p.Batch[axis]), func() {
				if axis == len(p.Batch)-1 && slices.ContainsFunc([]ir.Matrix{p.A, p.B, p.C}, func(m ir.Matrix) bool {
					return outside(m.Buffer, m.Offset, m.BatchStride, p.Batch)
				}) {
					c.tell(b, emptyTold)
				}
				call(axis + 1)
			})
			return
		}
		b.stmt("%s(%s,\n%s,\n%s,\n%s, %s)", name, alpha,
			matrix(c, p.A, bits, p.Batch, indices), matrix(c, p.B, bits, p.Batch, indices), beta, matrix(c, p.C, bits, p.Batch, indices))
	}
	call(0)
}

// single reports whether a batch needs no loop along an axis: its extent is 1, or
// the matrices of all its indices are one, which is empty.
func single(p *ir.ProductStep, axis int) bool {
	return p.Batch[axis].IsConst(1) ||
		p.A.BatchStride[axis].IsConst(0) && p.B.BatchStride[axis].IsConst(0) && p.C.BatchStride[axis].IsConst(0)
}

// matrix is a view of a buffer as the BLAS takes it.
func matrix(c procContext, m ir.Matrix, bits string, batch []ir.Dim, indices []string) string {
	data := c.buffer(m.Buffer)
	if offset := position(c, m.Offset, m.BatchStride, indices); offset != "0" {
		if outside(m.Buffer, m.Offset, m.BatchStride, batch) {
			offset = "min(" + offset + ", len(" + data + "))"
		}
		data += "[" + offset + ":]"
	}
	rows, cols, stride, transposed := m.Rows, m.Cols, m.RowStride, ""
	if !m.ColStride.IsConst(1) {
		rows, cols, stride, transposed = m.Cols, m.Rows, m.ColStride, ".T()"
	}
	if stride.Equal(cols) || rows.IsConst(1) {
		return "blas.View" + bits + "(" + data + ", " + c.dim(rows) + ", " + c.dim(cols) + ")" + transposed
	}
	return "blas.Strided" + bits + "(" + data + ", " + c.dim(rows) + ", " + c.dim(cols) + ", " + c.dim(stride) + ")" + transposed
}

// outside reports whether offset + Σ index·stride may lie behind the end of b:
// where a dimension is 0 that b's size has and no loop around has, b is empty,
// but the loops run.
func outside(b *ir.Buffer, offset ir.Dim, strides, loops []ir.Dim) bool {
	vars := map[string]bool{}
	size := b.Type.Shape.Size()
	size.Vars(vars)
	for v := range vars {
		vanishes := func(d ir.Dim) bool {
			return d.Subst(func(name string) (ir.Dim, bool) { return ir.D(0), name == v }).IsConst(0)
		}
		if vanishes(size) && !slices.ContainsFunc(loops, vanishes) &&
			!(vanishes(offset) && !slices.ContainsFunc(strides, func(d ir.Dim) bool { return !vanishes(d) })) {
			return true
		}
	}
	return false
}

// position is offset + Σ index·stride as an expression.
func position(c procContext, offset ir.Dim, strides []ir.Dim, indices []string) string {
	var parts []string
	for i, s := range strides {
		index := indices[i]
		switch {
		case s.IsConst(0) || index == "0":
		case s.IsConst(1):
			parts = append(parts, index)
		default:
			parts = append(parts, factorText(c.dim(s))+"*"+index)
		}
	}
	if len(parts) == 0 {
		return c.dim(offset)
	}
	text := strings.Join(parts, "+")
	text = strings.ReplaceAll(text, "+-", "-")
	switch k, ok := offset.Const(); {
	case ok && k == 0:
	case ok && k < 0:
		text += c.dim(offset)
	default:
		text += "+" + c.dim(offset)
	}
	return text
}

// factorText puts a sum in parentheses.
func factorText(text string) string {
	if strings.ContainsAny(text, " +") || strings.Contains(strings.TrimPrefix(text, "-"), "-") {
		return "(" + text + ")"
	}
	return text
}

// typeOf is the Go type of b's elements, float64 for what is added up wide.
func typeOf(b *ir.Buffer) ir.DType {
	if b.Wide {
		return ir.Float64
	}
	return b.Type.Elem
}
