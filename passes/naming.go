package passes

import (
	"maps"
	"slices"
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

	scaled map[*ir.Node]scaled // those that are shown with a factor before their name

	holder map[string]*ir.Node // the newest value of a name in this listing
	given  map[*ir.Node]string // names that values have got, without a factor
	suffix map[int]string      // what stands behind the names of values, by their serial

	nesting, written int // operations of the formula that is being written
}

func newNaming(g *ir.Graph, taken ...string) *naming {
	n := &naming{g: g, taken: map[string]bool{}, next: map[string]int{}, shown: map[*ir.Node]string{}, scaled: map[*ir.Node]scaled{},
		holder: map[string]*ir.Node{}, given: map[*ir.Node]string{}, suffix: map[int]string{}}
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
	name := localName(n.called(x))
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
	return &naming{g: n.g, taken: maps.Clone(n.taken), next: maps.Clone(n.next), shown: maps.Clone(n.shown), scaled: maps.Clone(n.scaled),
		holder: maps.Clone(n.holder), given: maps.Clone(n.given), suffix: maps.Clone(n.suffix)}
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

// isName reports whether a formula is nothing but the name of a value.
func isName(formula string) bool {
	for i, r := range formula {
		if !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r) && r != '_' && r != '.') || r == 'ᵀ' {
			return false
		}
	}
	return formula != ""
}

// begin starts a listing, in which no two values have one name, unless one is
// made of the other. It begins with what is in memory.
func (n *naming) begin(memory map[*ir.Node]*ir.Buffer) {
	n.holder = map[string]*ir.Node{}
	for x := range memory {
		if name := n.shown[x]; name != "" && (n.holder[name] == nil || x.ID > n.holder[name].ID) {
			n.holder[name] = x
		}
	}
}

// called is the name of x in formulas, without a factor; "" where it has none.
func (n *naming) called(x *ir.Node) string {
	if name, ok := n.given[x]; ok {
		return name
	}
	return n.base(x)
}

// display is how formulas write the value of x where it is computed: its
// name, with the scale that it lacks, such as B·dlogits. Of several values that
// have one name by the program, those behind the first get a number, but not
// those that are made of the one before: these set it anew. A derivative has the
// number of the value that it is by.
func (n *naming) display(x *ir.Node, buffer string) string {
	base := n.base(x)
	if base == "" {
		base = buffer
	}
	if base == "" {
		return ""
	}
	origin, factor := n.g.Origin(x), ""
	if s := origin.Scale; s != nil {
		f, ok := scaleOf(s)
		if !ok {
			return buffer
		}
		n.scaled[x] = scaled{f.inverse(), base}
		factor = n.scaleText(f.inverse())
	}
	if name, ok := n.given[x]; ok {
		return factor + name
	}
	name := base + n.suffix[n.g.SerialOf(origin.Of)]
	for i := 2; n.holds(factor+name, x); i++ {
		name = base + strconv.Itoa(i)
	}
	if origin.Serial != 0 {
		n.suffix[n.g.SerialOf(origin.Serial)] = strings.TrimPrefix(name, base)
	}
	n.holder[factor+name], n.given[x] = x, name
	if s, ok := n.scaled[x]; ok {
		n.scaled[x] = scaled{s.scale, name}
	}
	return factor + name
}

// holds reports whether a name is another value's, of which x is not made.
func (n *naming) holds(name string, x *ir.Node) bool {
	y := n.holder[name]
	return y != nil && y != x && !n.madeOf(x, y, map[*ir.Node]bool{})
}

// madeOf reports whether the formula of x reads y.
func (n *naming) madeOf(x, y *ir.Node, seen map[*ir.Node]bool) bool {
	return slices.ContainsFunc(x.Args, func(a *ir.Node) bool {
		if a == y {
			return true
		}
		if seen[a] || n.shown[a] != "" || n.given[a] != "" {
			return false
		}
		seen[a] = true
		return n.madeOf(a, y, seen)
	})
}
