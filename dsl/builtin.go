package dsl

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"gradgen.dev/ir"
)

// A primitive is a function that the compiler knows: what the standard library
// is written in.
type primitive struct {
	signature string // as the reference prints it
	doc       string // a line of Markdown
	eval      func(e *elaborator, c *callSite) value
}

// A builtin is a primitive with its signature read.
type builtin struct {
	primitive
	params []builtinParam
}

// A builtinParam is one parameter of a builtin.
type builtinParam struct {
	name     string
	named    bool // it must be named
	optional bool
	variadic bool
}

// A primitiveGroup is primitives that belong together.
type primitiveGroup struct {
	title string
	list  []primitive
}

// primitiveGroups is all primitives, in the order of the reference.
func primitiveGroups() []primitiveGroup {
	return []primitiveGroup{
		{"Element by element", elementwiseTable()},
		{"Reductions", reductionTable},
		{"Shapes and indices", shapeTable},
		{"Tensors of numbers", makingTable},
		{"Random draws", randomTable},
		{"Derivatives", calculusTable},
		{"Known at compile time", staticTable},
		{"For the text of the library", libraryTable},
	}
}

// builtins is the primitives by name. It is filled by init, as their
// evaluation refers to it.
var builtins = map[string]*builtin{}

// notYet is the functions that the language has and the compiler lacks.
var notYet = wordSet(`scatter_add cumsum sort argsort topk conv conv_transpose max_pool avg_pool
	max_pool2d avg_pool2d conv1d conv2d conv3d conv2d_transpose orthogonal`)

func init() {
	for _, group := range primitiveGroups() {
		for _, p := range group.list {
			b := parseSignature(p)
			builtins[b.name()] = b
		}
	}
}

// parseSignature reads `sum(x, axis:, keep: false)`: a colon makes a parameter
// one that must be named and may be left out, = gives a default, and … takes
// any number.
func parseSignature(p primitive) *builtin {
	b := &builtin{primitive: p}
	_, inside, _ := strings.Cut(strings.TrimSuffix(p.signature, ")"), "(")
	for _, p := range strings.Split(inside, ", ") {
		name, _, optional := strings.Cut(p, " = ")
		key, _, named := strings.Cut(name, ":")
		b.params = append(b.params, builtinParam{
			name: strings.TrimSuffix(key, "…"), named: named, optional: named || optional, variadic: strings.HasSuffix(key, "…"),
		})
	}
	return b
}

func (b *builtin) name() string {
	name, _, _ := strings.Cut(b.signature, "(")
	return name
}

// A callSite is one call of a builtin with its arguments by parameter.
type callSite struct {
	e    *elaborator
	sc   *scope
	at   Node
	name string
	args map[string]*argument
	more []*argument // of a variadic parameter
	bad  bool        // something is reported already
}

// applyBuiltin matches the arguments and evaluates.
func (e *elaborator) applyBuiltin(sc *scope, at Node, f *function, args []*argument) value {
	c := &callSite{e: e, sc: sc, at: at, name: f.name, args: map[string]*argument{}}
	if !c.match(f.builtin, args) {
		e.evalAll(args)
		return poison{}
	}
	poisoned := false
	for _, a := range args {
		if isPoison(e.argValue(a)) {
			poisoned = true
		}
	}
	if poisoned {
		return poison{}
	}
	v := f.builtin.eval(e, c)
	if c.bad || v == nil {
		return poison{}
	}
	return v
}

// match finds the argument of each parameter.
func (c *callSite) match(b *builtin, args []*argument) bool {
	next := 0
	for _, a := range args {
		p := (*builtinParam)(nil)
		if a.name != nil {
			for i := range b.params {
				if b.params[i].name == a.name.Name && !b.params[i].variadic {
					p = &b.params[i]
				}
			}
			if p == nil {
				return c.badArgs(a.name, "%s", noParameter(c.name, a.name.Name, b.paramNames()))
			}
		} else {
			for next < len(b.params) && b.params[next].named {
				next++
			}
			if next >= len(b.params) {
				return c.tooMany(b, a)
			}
			p = &b.params[next]
			if p.variadic {
				c.more = append(c.more, a)
				continue
			}
			next++
		}
		if c.args[p.name] != nil {
			return c.badArgs(a.node, "%s is given %s twice", c.name, p.name)
		}
		c.args[p.name] = a
	}
	for _, p := range b.params {
		if !p.optional && !p.variadic && c.args[p.name] == nil {
			return c.badArgs(c.at, "%s lacks its argument %s: %s", c.name, p.name, b.signature)
		}
	}
	return true
}

func (c *callSite) badArgs(at Node, format string, args ...any) bool {
	c.e.fail(c.sc, at, "arguments", format, args...)
	return false
}

// tooMany reports an argument too many; an axis is always named.
func (c *callSite) tooMany(b *builtin, a *argument) bool {
	for _, p := range b.params {
		if p.named && p.name == "axis" && c.args["axis"] == nil {
			return c.badArgs(a.node, "the axis of %s is always named: axis: %s", c.name, excerptOf(a.node, "…"))
		}
	}
	for _, p := range b.params {
		if p.named {
			return c.badArgs(a.node, "%s takes no further argument without a name: %s", c.name, b.signature)
		}
	}
	return c.badArgs(a.node, "%s takes %s, and this is one more: %s", c.name, count(len(b.params), "argument"), b.signature)
}

func (b *builtin) paramNames() []string {
	var out []string
	for _, p := range b.params {
		out = append(out, p.name)
	}
	return out
}

// failAt reports an error of the call.
func (c *callSite) failAt(at Node, code, format string, args ...any) value {
	c.bad = true
	return c.e.fail(c.sc, at, code, format, args...)
}

// fail reports an error at the call as a whole.
func (c *callSite) fail(code, format string, args ...any) value {
	return c.failAt(c.at, code, format, args...)
}

// has reports whether an argument is given.
func (c *callSite) has(name string) bool { return c.args[name] != nil }

// value is the value of an argument that is given.
func (c *callSite) value(name string) value { return c.e.argValue(c.args[name]) }

// place is where an argument stands, the call where it is not given.
func (c *callSite) place(name string) Node {
	if a := c.args[name]; a != nil && a.node != nil {
		return c.sc.asWritten(a.node)
	}
	return c.at
}

// rest is the arguments of the variadic parameter.
func (c *callSite) rest(string) []*argument { return c.more }

// node is an argument as a tensor; numbers have the default type.
func (c *callSite) node(name string) (*ir.Node, bool) {
	n, ok := c.e.tensorOf(c.sc, c.place(name), c.value(name))
	c.bad = c.bad || !ok
	return n, ok
}

// floating is an argument as a tensor of a floating type.
func (c *callSite) floating(name string) (*ir.Node, bool) {
	n, ok := c.node(name)
	if ok && !n.Type.Elem.IsFloat() {
		c.failAt(c.place(name), "element-type", "%s wants floating numbers, and %s is %v; float(x) converts", c.name, shownIn(c.place(name), n, "this"), n.Type.Elem)
		return nil, false
	}
	return n, ok
}

// nodes is arguments as tensors of one element type.
func (c *callSite) nodes(args []*argument) ([]*ir.Node, bool) {
	elem, found := ir.DType(0), false
	for _, a := range args {
		if t, ok := elemOf(c.e.argValue(a)); ok {
			if found && t != elem && t.IsInt() && elem.IsInt() {
				t = ir.Int64
			}
			elem, found = t, true
		}
	}
	if !found {
		elem = c.e.elem
	}
	out := make([]*ir.Node, len(args))
	for i, a := range args {
		n, ok := c.e.nodeOf(c.sc, a.node, c.e.argValue(a), elem)
		if !ok {
			c.bad = true
			return nil, false
		}
		out[i] = n
	}
	return out, true
}

// flag is a bool argument known at compile time.
func (c *callSite) flag(name string, otherwise bool) bool {
	if !c.has(name) {
		return otherwise
	}
	switch v := c.value(name).(type) {
	case truth:
		return bool(v)
	case number:
		if v.logical && v.fixed {
			c.e.needStatic(v.hyper)
			return v.val != 0
		}
	}
	c.failAt(c.place(name), "argument", "%s of %s is a bool known at compile time", name, c.name)
	return otherwise
}

// text is a string argument.
func (c *callSite) text(name string) (string, bool) {
	if t, ok := c.value(name).(text); ok {
		return string(t), true
	}
	c.failAt(c.place(name), "argument", "%s of %s is a string, not %s", name, c.name, c.value(name).what())
	return "", false
}

// integer is an integer argument known at compile time.
func (c *callSite) integer(name string, otherwise int) (int, bool) {
	if !c.has(name) {
		return otherwise, true
	}
	n, ok := c.e.constInt(c.sc, c.place(name), c.value(name), name+" of "+c.name)
	c.bad = c.bad || !ok
	return n, ok
}

// dim is an argument as an extent.
func (c *callSite) dim(name string) (ir.Dim, bool) {
	d, ok := c.e.dimension(c.sc, c.place(name), c.value(name))
	c.bad = c.bad || !ok
	return d, ok
}

// number is a numeric argument.
func (c *callSite) number(name string, otherwise float64) (number, bool) {
	if !c.has(name) {
		return decimal(otherwise), true
	}
	if n, ok := c.value(name).(number); ok && !n.logical {
		return n.settled(), true
	}
	c.failAt(c.place(name), "argument", "%s of %s is a number, not %s", name, c.name, c.value(name).what())
	return number{}, false
}

// shape is a list argument as extents.
func (c *callSite) shape(name string) (ir.Shape, bool) {
	l, ok := c.value(name).(list)
	if !ok {
		c.failAt(c.place(name), "argument", "%s of %s is a shape such as [2, 3], not %s", name, c.name, c.value(name).what())
		return nil, false
	}
	return c.dims(c.place(name), l)
}

// dims is a list as extents; a list in it is spliced in.
func (c *callSite) dims(at Node, l list) (ir.Shape, bool) {
	out := ir.Shape{}
	for i, v := range l {
		if inner, ok := v.(list); ok {
			part, ok := c.dims(at, inner)
			if !ok {
				return nil, false
			}
			out = append(out, part...)
			continue
		}
		place := at
		if x, ok := at.(*List); ok && i < len(x.Elems) {
			place = x.Elems[i]
		}
		d, ok := c.e.dimension(c.sc, place, v)
		if !ok {
			c.bad = true
			return nil, false
		}
		out = append(out, d)
	}
	if !manageable(out) {
		c.failAt(at, "tensor-limit", "the extents of this shape are polynomials of too many terms")
		return nil, false
	}
	return out, true
}

// axis is one axis of n; negative ones count from the end. rank is how many
// there are to choose from.
func (c *callSite) axis(name string, otherwise, rank int) (int, bool) {
	i, ok := c.integer(name, otherwise)
	if !ok {
		return 0, false
	}
	if i < -rank || i >= rank {
		c.failAt(c.place(name), "axis", "axis %d of %s, where there %s", i, c.name, areAxes(rank))
		return 0, false
	}
	if i < 0 {
		i += rank
	}
	return i, true
}

// areAxes is `are 2 axes`.
func areAxes(rank int) string {
	if rank == 1 {
		return "is 1 axis"
	}
	return "are " + count(rank, "axis")
}

// axes is one axis or a list of them, ascending; all where none is named.
func (c *callSite) axes(n *ir.Node) ([]int, bool) {
	rank := n.Type.Rank()
	if !c.has("axis") {
		return axesFrom(0, rank), true
	}
	l, ok := c.value("axis").(list)
	if !ok {
		a, ok := c.axis("axis", 0, rank)
		return []int{a}, ok
	}
	out := []int{}
	for _, v := range l {
		a, ok := c.e.constInt(c.sc, c.place("axis"), v, "axis of "+c.name)
		if !ok {
			c.bad = true
			return nil, false
		}
		if a < -rank || a >= rank {
			c.failAt(c.place("axis"), "axis", "axis %d of %s, where there %s", a, c.name, areAxes(rank))
			return nil, false
		}
		out = append(out, (a+rank)%rank)
	}
	sort.Ints(out)
	for i := 1; i < len(out); i++ {
		if out[i] == out[i-1] {
			c.failAt(c.place("axis"), "axis", "%s is given axis %d twice", c.name, out[i])
			return nil, false
		}
	}
	return out, true
}

// number2text is a number as the language writes it.
func number2text[T int | float64](v T) string {
	if f := float64(v); f != float64(int64(f)) || f > 1e15 || f < -1e15 {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return fmt.Sprintf("%d", int64(v))
}
