package passes

import (
	"maps"
	"strconv"
	"strings"
	"unicode"

	"gradgen.dev/ir"
)

// naming gives values the names that formulas and buffers have, after the
// names of the program.
type naming struct {
	g     *ir.Graph
	taken map[string]bool
	next  map[string]int      // the first number that may be free behind a name
	shown map[*ir.Node]string // as formulas write it

	nesting, written int // operations of the formula that is being written
}

func newNaming(g *ir.Graph, taken ...string) *naming {
	n := &naming{g: g, taken: map[string]bool{}, next: map[string]int{}, shown: map[*ir.Node]string{}}
	for _, t := range taken {
		n.taken[t] = true
	}
	return n
}

// base is the program's name of x, with the instance it belongs to before it,
// "" where it has none.
func (n *naming) base(x *ir.Node) string {
	o := n.g.Origin(x)
	name := o.Name
	if name == "" && (x.Op.Class == ir.Leaf || x.Op.Class == ir.Random) {
		name = x.Attr.Name
	}
	if name == "" {
		return ""
	}
	if o.Instance != "" && !strings.HasPrefix(name, o.Instance) {
		return o.Instance + "." + name
	}
	return name
}

// buffer is a fresh Go identifier for the memory of x.
func (n *naming) buffer(x *ir.Node, fallback string) string {
	name := localName(n.base(x))
	if name == "" {
		name = fallback
	}
	return n.fresh(name)
}

// fresh is name, with a number behind it where it is taken.
func (n *naming) fresh(name string) string {
	out := name
	for i := max(n.next[name], 2); n.taken[out]; i++ {
		out = name + strconv.Itoa(i)
		n.next[name] = i + 1
	}
	n.taken[out] = true
	return out
}

// following is a naming that starts with what n shows and takes names from the
// same stock.
func (n *naming) following() *naming {
	c := n.inProcedure()
	c.taken, c.next = n.taken, n.next
	return c
}

// inProcedure is a naming for the locals of one procedure: what it takes does
// not hinder other procedures.
func (n *naming) inProcedure() *naming {
	return &naming{g: n.g, taken: maps.Clone(n.taken), next: maps.Clone(n.next), shown: maps.Clone(n.shown)}
}

// localName is a path as a Go identifier: block.0.h is block0H.
func localName(path string) string {
	var b strings.Builder
	raise := false
	for _, r := range path {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			raise = b.Len() > 0
		case b.Len() == 0 && unicode.IsDigit(r):
			b.WriteString("v")
			b.WriteRune(r)
		case raise:
			b.WriteRune(unicode.ToUpper(r))
			raise = false
		default:
			b.WriteRune(r)
		}
	}
	name := b.String()
	if goWords[name] {
		name += "_"
	}
	return name
}

// goWords may not be the name of a local.
var goWords = map[string]bool{
	"break": true, "case": true, "chan": true, "const": true, "continue": true, "default": true, "defer": true, "else": true,
	"fallthrough": true, "for": true, "func": true, "go": true, "goto": true, "if": true, "import": true, "interface": true,
	"map": true, "package": true, "range": true, "return": true, "select": true, "struct": true, "switch": true, "type": true, "var": true,
	"len": true, "cap": true, "make": true, "new": true, "copy": true, "clear": true, "append": true, "min": true, "max": true,
	"float32": true, "float64": true, "int": true, "int32": true, "int64": true, "bool": true, "string": true, "true": true, "false": true, "nil": true,
	"blas": true, "vec": true, "fault": true, "rng": true, "store": true, "abi": true, "math": true, "fmt": true, "io": true, "bytes": true,
}

// show makes formulas write x as text.
func (n *naming) show(x *ir.Node, text string) { n.shown[x] = text }

// display is how formulas write the value of x where it is computed: its
// name, with the scale that it lacks, such as B·dlogits.
func (n *naming) display(x *ir.Node, buffer string) string {
	name := n.base(x)
	if name == "" {
		name = buffer
	}
	if s := n.g.Origin(x).Scale; s != nil {
		if !plainScale(s) {
			return buffer
		}
		if inverse := n.inverse(s); inverse != "" {
			return inverse + "·" + name
		}
		return n.expr(n.g.Map("div", n.g.Const(1, s.Type.Elem), s), 2) + "·" + name
	}
	return name
}

// plainScale reports whether a scale is made of a few numbers and extents, so
// that it can stand in a name.
func plainScale(s *ir.Node) bool {
	below := ir.Topological(s)
	for _, m := range below {
		if !m.Is("const") && !m.Is("size") && !m.Is("cast") && !m.Is("mul") && !m.Is("div") && !m.Is("neg") {
			return false
		}
	}
	return len(below) < 8
}

// inverse is 1/s where that is a product of names.
func (n *naming) inverse(s *ir.Node) string {
	if s.Is("cast") {
		s = s.Args[0]
	}
	if v, ok := s.Literal(); ok {
		return n.number(1 / v)
	}
	if v, ok := one(s); s.Is("div") && ok {
		if v == 1 {
			return n.expr(s.Args[1], 3)
		}
		return "(" + n.expr(s.Args[1], 3) + "/" + n.number(v) + ")"
	}
	return ""
}

// one is the number that s divides, if it is one.
func one(s *ir.Node) (float64, bool) {
	if len(s.Args) == 0 {
		return 0, false
	}
	return s.Args[0].Literal()
}
