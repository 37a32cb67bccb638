package codegen

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gradgen.dev/ir"
)

// A procContext says how the operands of one procedure are spelled in the
// function that it is printed as. What is asked for is noted, and the function
// starts with the locals for it; so a procedure is printed first, and its
// prologue after it. Copies share what they note.
type procContext struct{ *frame }

// A frame is what the copies of a procContext share.
type frame struct {
	elem   ir.DType                          // of the model's or function's floats
	where  string                            // the function, as errors call it
	bind   func(b *ir.Buffer) (string, bool) // what a buffer's local is set to, "" where it is bound already
	plain  func(b *ir.Buffer) bool           // whether it is a variable and not a slice
	dims   func(name string) string          // what a dimension's local is set to, "" likewise
	hypers func(name string) string          // Hyper's field as an expression
	count  string                            // step: the number of updates made, an expression
	length string                            // steps: the length of the run, an expression
	keys   [2]string                         // seed and call counter of random draws
	factor string                            // clip_factor: an expression
	call   func(b *body, s *ir.CallStep)     // prints the call of a routine; nil where there are none

	scope  *scope
	locals map[*ir.Buffer]string
	names  map[string]string // of the dimensions' locals
	used   []*ir.Buffer
	noted  map[*ir.Buffer]bool
	sizes  []string // dimensions in use, in the order of their use
	err    error

	lengths []int    // statements of each step
	told    []string // what has been commented on

	hyper                          map[string]bool // names of Hyper's numbers that are read
	readsCount, readsLength, draws bool
}

// newFrame returns a frame in which reserved are the names of receiver and
// parameters, and every dimension and buffer has its local.
func newFrame(where string, elem ir.DType, dims []ir.RunDim, list []*ir.Buffer, reserved ...string) *frame {
	f := &frame{where: where, elem: elem, scope: localScope(reserved...),
		locals: map[*ir.Buffer]string{}, names: map[string]string{}, noted: map[*ir.Buffer]bool{}, hyper: map[string]bool{}}
	for _, d := range dims {
		f.names[d.Name] = f.scope.take(d.Name, "Dim")
	}
	for _, b := range list {
		f.name(b)
	}
	return f
}

// part is the frame of a function that has some of the steps of f's. They share
// their names: no frame takes more once f knows all buffers.
func (f *frame) part(where string) *frame {
	return &frame{where: where, elem: f.elem, bind: f.bind, plain: f.plain, dims: f.dims, scope: f.scope,
		locals: f.locals, names: f.names, noted: map[*ir.Buffer]bool{}, hyper: map[string]bool{}}
}

func (f *frame) name(b *ir.Buffer) string {
	if _, ok := f.locals[b]; !ok {
		f.locals[b] = f.scope.take(b.Name, "Buf")
	}
	return f.locals[b]
}

// buffer is the local that stands for b: a slice that starts at b's first
// element and is as long as b is in this call, or, where isScalar, a variable.
func (c procContext) buffer(b *ir.Buffer) string {
	if !c.noted[b] {
		c.noted[b] = true
		c.used = append(c.used, b)
	}
	return c.name(b)
}

// isScalar reports whether b is a plain variable and not a slice: a local, or a
// scalar that a caller gives or that is handed back to him.
func (c procContext) isScalar(b *ir.Buffer) bool { return b.Storage == ir.InLocal || c.plain(b) }

// assigns is the sign that sets a local scalar: it declares the variable, unless
// that is a field.
func (c procContext) assigns(b *ir.Buffer) string {
	if strings.Contains(c.name(b), ".") {
		return "="
	}
	return ":="
}

// local is a name for a local variable of the function that meets no buffer,
// dimension, package or parameter. It is not taken: locals of separate blocks
// may share it.
func (c procContext) local(name string) string { return c.scope.free(name, "Of") }

// dim is d as an expression of type int.
func (c procContext) dim(d ir.Dim) string {
	return spellDim(d, func(name string) string {
		if !slices.Contains(c.sizes, name) {
			c.sizes = append(c.sizes, name)
		}
		return c.names[name]
	})
}

// number is a leaf that is no tensor in memory, as an expression of its element
// type: a literal, hyper, step, steps or size. Others report false.
func (c procContext) number(n *ir.Node) (string, bool) {
	switch n.Op.Name {
	case "const":
		return literal(n.Attr.Value, n.Type.Elem), true
	case "hyper":
		c.hyper[n.Attr.Name] = true
		return converted(c.hypers(n.Attr.Name), ir.Float64, n.Type.Elem), true
	case "step":
		c.readsCount = true
		return goType(n.Type.Elem) + "(" + c.count + " + 1)", true
	case "clip_factor":
		return converted(c.factor, ir.Float64, n.Type.Elem), c.factor != ""
	case "steps":
		c.readsLength = true
		return goType(n.Type.Elem) + "(" + c.length + ")", true
	case "size":
		return goType(n.Type.Elem) + "(" + c.dim(n.Attr.Dims[0]) + ")", true
	}
	return "", false
}

// key is the key of the random draws at a site, in this call.
func (c procContext) key(site string) string {
	c.draws = true
	return fmt.Sprintf("rng.Key(%s, %#x, %s)", c.keys[0], siteHash(site), c.keys[1])
}

// siteHash is FNV-1a, as rng.Hash has it.
func siteHash(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}

// rank is the order in which a prologue lists buffers: what is given, what is
// kept, what is scratch, what is written.
var rank = map[ir.Storage]int{ir.InInput: 0, ir.InTable: 1, ir.InParam: 2, ir.InState: 3, ir.InCarry: 4, ir.InArena: 5, ir.InGrad: 6, ir.InOutput: 7}

// prologue is the locals for what has been asked for.
func (c procContext) prologue() *body {
	var cuts body
	used := slices.Clone(c.used)
	slices.SortStableFunc(used, func(a, b *ir.Buffer) int { return rank[a.Storage] - rank[b.Storage] })
	for _, b := range used {
		if b.Storage == ir.InLocal {
			continue
		}
		from, ok := c.bind(b)
		switch {
		case !ok:
			c.fail("%s uses buffer %s, which it cannot reach", c.where, b.Name)
		case b.Storage == ir.InOutput && c.isScalar(b):
			cuts.stmt("var %s %s", c.name(b), goType(b.Type.Elem))
		case from != "":
			cuts.stmt("%s := %s", c.name(b), from)
		}
	}

	// The cuts may have asked for dimensions, so these come last and stand first.
	var out body
	for _, name := range c.sizes {
		if from := c.dims(name); from != "" {
			out.stmt("%s := %s", c.names[name], from)
		}
	}
	out.code = append(out.code, cuts.code...)
	out.statements += cuts.statements
	return &out
}

// epilogue hands scalars back.
func (c procContext) epilogue(b *body) {
	for _, u := range c.used {
		if u.Storage != ir.InOutput || !c.isScalar(u) {
			continue
		}
		if to, _ := c.bind(u); to != "" {
			b.stmt("%s = %s", to, c.name(u))
		}
	}
}

// fail notes that the plan is not whole; the first such error counts.
func (f *frame) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("codegen: "+format, args...)
	}
}

// spellDim is d as a Go expression of type int, with variables as of says.
func spellDim(d ir.Dim, of func(name string) string) string {
	return d.Spell(ir.DimSpeller{Var: of, Mul: "*", Div: func(num, den string) string {
		if strings.Contains(num, "-") {
			return "vec.FloorDivInt(" + num + ", " + den + ")" // Go's / rounds towards 0
		}
		return num + "/" + den
	}})
}

// goType is an element type in Go.
func goType(t ir.DType) string { return t.String() }

// converted is the expression x of type from in type to.
func converted(x string, from, to ir.DType) string {
	if from == to {
		return x
	}
	return goType(to) + "(" + x + ")"
}

// indexText is an integer x of a type as an index.
func indexText(x string, t ir.DType) string { return converted(x, t, ir.Int) }

// literal is v as an expression that has type t where a type is needed: the
// shortest that reads back.
func literal(v float64, t ir.DType) string {
	switch {
	case t == ir.Bool:
		return strconv.FormatBool(v != 0)
	case t.IsInt():
		return strconv.FormatInt(int64(v), 10)
	case math.IsNaN(v):
		return converted("math.NaN()", ir.Float64, t)
	case math.IsInf(v, 1):
		return converted("math.Inf(1)", ir.Float64, t)
	case math.IsInf(v, -1):
		return converted("math.Inf(-1)", ir.Float64, t)
	}
	return strings.Replace(strconv.FormatFloat(v, 'g', -1, bits(t)), "e-0", "e-", 1)
}

func bits(t ir.DType) int {
	if t == ir.Float32 {
		return 32
	}
	return 64
}
