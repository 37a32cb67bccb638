package ir

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Print is the text form of the graph below roots, one node a line, under the
// names that the program gives them. Parse reads it back.
func Print(g *Graph, roots ...*Node) string {
	p := &printer{g: g, names: map[*Node]string{}, taken: maps.Clone(reserved)}
	p.line("graph {")
	p.block(roots)
	p.line("}")
	return p.out.String()
}

// reserved is the words that no value is called.
var reserved = map[string]bool{"inf": true, "nan": true, "graph": true, "return": true, "region": true}

type printer struct {
	g      *Graph
	out    strings.Builder
	names  map[*Node]string // of what is in scope
	taken  map[string]bool
	indent int
}

func (p *printer) line(format string, args ...any) {
	p.out.WriteString(strings.Repeat("    ", p.indent))
	fmt.Fprintf(&p.out, format, args...)
	p.out.WriteByte('\n')
}

// block prints what roots need and has no name yet, then returns them.
func (p *printer) block(roots []*Node) {
	p.indent++
	order := Topological(roots...)
	literals := inlined(order, roots)
	for _, n := range order {
		if p.names[n] == "" && !literals[n] {
			p.node(n)
		}
	}
	results := make([]string, len(roots))
	for i, r := range roots {
		results[i] = p.names[r]
	}
	p.line("%s", strings.TrimSpace("return "+strings.Join(results, ", ")))
	p.indent--
}

// inlined is the constants that need no line: no root, and written as a
// literal wherever they are used.
func inlined(order, roots []*Node) map[*Node]bool {
	named := map[*Node]bool{}
	for _, r := range roots {
		named[r] = true
	}
	literals := map[*Node]bool{}
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		if n.IsConstant() && !named[n] {
			literals[n] = true
			continue
		}
		for k, a := range n.Args {
			named[a] = named[a] || !literalOperand(n, k)
		}
	}
	return literals
}

// literalOperand reports whether operand i of n may be written as a number:
// another operand beside it gives the type.
func literalOperand(n *Node, i int) bool {
	if n.Op.Class != Map || !n.Args[i].IsConstant() || (n.Is("where") && i == 0) {
		return false
	}
	for k, a := range n.Args {
		if k != i && !a.IsConstant() && !(n.Is("where") && k == 0) {
			return true
		}
	}
	return false
}

func (p *printer) node(n *Node) {
	name := p.name(n)
	text := p.expr(n)
	if len(n.Body) == 0 {
		p.line("%s = %s", name, text)
		return
	}
	p.line("%s = %s {", name, text)
	p.indent++
	for _, r := range n.Body {
		p.region(r)
	}
	p.indent--
	p.line("}")
}

// region prints r; what it names is not in scope behind it.
func (p *printer) region(r *Region) {
	around := maps.Clone(p.names)
	params := make([]string, len(r.Params))
	for i, a := range r.Params {
		params[i] = fmt.Sprintf("%s %v", p.name(a), a.Type)
	}
	p.line("region(%s) {", strings.Join(params, ", "))
	p.block(r.Results)
	p.line("}")
	p.names = around
}

// name gives n the name that the program has for it, made unique.
func (p *printer) name(n *Node) string {
	base := p.g.Origin(n).Name
	if base == "" {
		base = n.Attr.Name
	}
	base = identifier(base)
	if base == "" {
		base = "t"
	}
	name := base
	for i := 2; p.taken[name]; i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	p.taken[name] = true
	p.names[n] = name
	return name
}

// identifier is text with everything else than letters, digits, _ and . left
// out; it starts with a letter.
func identifier(text string) string {
	out := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '.' {
			return r
		}
		return -1
	}, text)
	if out != "" && !isWord(out) {
		out = "t" + out
	}
	return out
}

var infixOf = map[string]string{"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%",
	"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}

// expr is n as a formula of its operands.
func (p *printer) expr(n *Node) string {
	args := make([]string, 0, len(n.Args))
	for i, a := range n.Args {
		if literalOperand(n, i) && p.names[a] == "" {
			v, _ := a.Literal()
			args = append(args, number(v))
		} else {
			args = append(args, p.names[a])
		}
	}
	if sign, ok := infixOf[n.Op.Name]; ok && !n.Attr.Within {
		return args[0] + " " + sign + " " + args[1]
	}
	for _, field := range n.Op.Fields {
		if field == "within" && !n.Attr.Within {
			continue
		}
		args = append(args, field+": "+n.Attr.field(field, n.Op))
	}
	return n.Op.Name + "(" + strings.Join(args, ", ") + ")"
}

// field is an attribute as the text form writes it.
func (a *Attr) field(field string, op *Op) string {
	switch field {
	case "name":
		return strconv.Quote(a.Name)
	case "spec":
		return strconv.Quote(a.Spec)
	case "value":
		return number(a.Value)
	case "axis":
		return strconv.Itoa(a.Axis)
	case "axes":
		return numbers(a.Axes)
	case "steps":
		return numbers(a.Steps)
	case "data":
		parts := make([]string, len(a.Data))
		for i, v := range a.Data {
			parts[i] = number(v)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case "shape":
		return Shape(a.Dims).String()
	case "dim":
		return a.Dims[0].String()
	case "starts":
		if op.Name == "place" {
			return Shape(a.Limits).String()
		}
		return Shape(a.Dims).String()
	case "limits":
		return Shape(a.Limits).String()
	case "elem":
		return a.Elem.String()
	case "within":
		return "1"
	case "type":
		return Type{a.Elem, a.Dims}.String()
	}
	panic("ir: op " + op.Name + " has no field " + field)
}

func numbers(values []int) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = strconv.Itoa(v)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// number is the shortest text that reads back as v.
func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	case math.IsNaN(v):
		return "nan"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Parse reads what Print wrote into a graph of its own.
func Parse(text string) (*Graph, []*Node, error) {
	p := newReader(text)
	g := NewGraph()
	p.expect("graph")
	roots := p.block(g, map[string]*Node{})
	if p.err == nil && p.peek() != "" {
		p.fail("%q is left over", p.peek())
	}
	if p.err != nil {
		return nil, nil, p.err
	}
	return g, roots, nil
}

// block is `{ name = formula … return name, … }`.
func (p *reader) block(g *Graph, env map[string]*Node) []*Node {
	p.enter()
	defer p.leave()
	p.expect("{")
	for p.err == nil && p.peek() != "return" {
		name := p.newName(env)
		p.expect("=")
		e := p.expr()
		if p.err != nil {
			return nil
		}
		n, err := p.build(g, e, env)
		if err != nil {
			p.fail("%s: %v", name, err)
			return nil
		}
		env[name] = n
		g.SetOrigin(n, Origin{Name: name})
	}
	p.expect("return")
	var roots []*Node
	for p.err == nil && p.peek() != "}" {
		n, ok := env[p.peek()]
		if !ok {
			p.fail("no value is called %s", p.peek())
		}
		roots = append(roots, n)
		p.take()
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return roots
}

// build makes the node of a line, with the regions that follow a call.
func (p *reader) build(g *Graph, e *Expr, env map[string]*Node) (*Node, error) {
	if e.Op != "call" {
		return g.BuildExpr(e, env, Type{})
	}
	args := make([]*Node, len(e.Args))
	for i, a := range e.Args {
		n, ok := env[a.Name]
		if a.Op != "" || a.IsNum || !ok {
			return nil, fmt.Errorf("operand %d of a call is no name of a value", i)
		}
		args[i] = n
	}
	attr, err := attrOf(Ops["call"], e.Attrs)
	if err != nil {
		return nil, err
	}
	p.expect("{")
	var regions []*Region
	for p.err == nil && p.accept("region") {
		regions = append(regions, p.region(g, env))
	}
	p.expect("}")
	if p.err != nil {
		return nil, p.err
	}
	return g.makeCall(attr.Name, args, regions)
}

// region is `(name type, …)` and a block that sees the names in env.
func (p *reader) region(g *Graph, env map[string]*Node) *Region {
	r, inner := &Region{}, maps.Clone(env)
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		name := p.newName(inner)
		attr := Attr{Name: name}
		if err := attr.set("type", p.attr()); err != nil {
			p.fail("parameter %s: %v", name, err)
			break
		}
		a, err := g.Make(Ops["arg"], attr)
		if err != nil {
			p.fail("parameter %s: %v", name, err)
			break
		}
		inner[name] = a
		r.Params = append(r.Params, a)
		if p.peek() != ")" {
			p.expect(",")
		}
	}
	r.Results = p.block(g, inner)
	return r
}

// newName takes a name that env does not have.
func (p *reader) newName(env map[string]*Node) string {
	name := p.take()
	switch {
	case !isWord(name) || reserved[name]:
		p.fail("found %q where a name belongs", name)
	case env[name] != nil:
		p.fail("a value is called %s already", name)
	}
	return name
}
