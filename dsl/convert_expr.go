package dsl

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// expr makes the tree of an expression: a pipe, from left to right.
func (p *parser) expr(n *exprG) Expr {
	x := p.cond(n.Head)
	p.checkChain(len(n.Stages), n.Tokens)
	for _, s := range n.Stages {
		span := Span{p.file, n.Tokens[0].Pos.Offset, p.span(s.Tokens).End}
		x = &Pipe{span, p.tokenSpan(s.Op), x, p.stage(s)}
	}
	return x
}

// optional is expr, nil where there is no expression.
func (p *parser) optional(n *exprG) Expr {
	if n == nil {
		return nil
	}
	return p.expr(n)
}

// exprs makes the trees of expressions.
func (p *parser) exprs(list []*exprG) []Expr {
	var exprs []Expr
	for _, n := range list {
		exprs = append(exprs, p.expr(n))
	}
	return exprs
}

// checkChain reports a chain that is longer than the limit: the tree of a chain is
// as deep as the chain is long.
func (p *parser) checkChain(length int, tokens tokensG) {
	if length > maxChain {
		over := p.tokenSpan(tokens[0])
		p.fail(errorAt(over, "expression has a chain of %d operators, more than the limit of %d", length, maxChain).code("text-limit"))
	}
}

// stage makes the call of a stage, without what is piped into it.
func (p *parser) stage(n *stageG) *Call {
	start := n.Name.Token.Pos.Offset
	var f Expr = p.nameOf(n.Name)
	for _, field := range n.Fields {
		name := p.name(field.Token)
		f = &Field{Span{p.file, start, name.End}, f, name}
	}
	p.checkChain(len(n.Fields), n.Tokens)
	return &Call{Span{p.file, start, p.span(n.Tokens).End}, f, p.args(n.Args), p.as(n.As)}
}

// as is the name after `as`, nil where there is none.
func (p *parser) as(n *asG) *Name {
	if n == nil {
		return nil
	}
	return p.nameOf(n.Name)
}

// cond makes the tree of a conditional, or of what binds tighter.
func (p *parser) cond(n *condG) Expr {
	if n.If != nil {
		return &Cond{p.span(n.Tokens), p.expr(n.If), p.expr(n.Then), p.cond(n.Else)}
	}
	p.checkChain(len(n.Chain.Rest), n.Tokens)
	return p.fold(n.Chain)
}

// precedence of the binary operators of a chain, the tightest highest. The power
// binds tighter than all of them and is no part of a chain.
var precedence = map[string]int{
	"||": 1, "&&": 2,
	"==": comparison, "!=": comparison, "<": comparison, "<=": comparison, ">": comparison, ">=": comparison,
	"+": 4, "-": 4,
	"*": 5, "/": 5, "%": 5, "@": 5, "**": 5,
}

// comparison is the precedence of the operators that do not chain.
const comparison = 3

// operand is a tree, and its place with the parentheses around it.
type operand struct {
	tree Expr
	span Span
}

// fold makes the tree of a chain of binary operators, by precedence and from left
// to right.
func (p *parser) fold(n *chainG) Expr {
	operands := []operand{p.operand(n.First)}
	var ops []lexer.Token
	for _, link := range n.Rest {
		op, y := p.link(link)
		for len(ops) > 0 && precedence[ops[len(ops)-1].Value] >= precedence[op.Value] {
			p.checkComparison(ops[len(ops)-1], op)
			operands, ops = p.reduce(operands, ops)
		}
		operands = append(operands, y)
		ops = append(ops, op)
	}
	for len(ops) > 0 {
		operands, ops = p.reduce(operands, ops)
	}
	return operands[0].tree
}

// link makes the operand of a link; its operator <- is < and the sign of the operand.
func (p *parser) link(n *linkG) (op lexer.Token, y operand) {
	y = p.operand(n.X)
	if n.Op.Value != "<-" {
		return n.Op, y
	}
	start := n.Op.Pos.Offset
	y.span.Start = start + 1
	y.tree = &Unary{y.span, "-", y.tree}
	return newToken(tokenOp, "<", start, start+1), y
}

// operand makes the tree of one operand of a chain.
func (p *parser) operand(n *unaryG) operand {
	return operand{p.unary(n), p.span(n.Tokens)}
}

// checkComparison reports a comparison of a comparison.
func (p *parser) checkComparison(left, right lexer.Token) {
	if precedence[left.Value] == comparison && precedence[right.Value] == comparison {
		p.fail(errorAt(p.tokenSpan(right), "comparisons do not chain: write a %s b && b %s c", left.Value, right.Value).code("operator"))
	}
}

// reduce applies the last operator to the last two operands.
func (p *parser) reduce(operands []operand, ops []lexer.Token) ([]operand, []lexer.Token) {
	x, y, op := operands[len(operands)-2], operands[len(operands)-1], ops[len(ops)-1]
	span := Span{p.file, x.span.Start, y.span.End}
	tree := &Binary{span, op.Value, p.tokenSpan(op), x.tree, y.tree}
	if op.Value == "**" {
		p.fail(errorAt(tree.OpSpan, "a power is written ^").code("operator"))
		tree.Op = "^"
	}
	operands = append(operands[:len(operands)-2], operand{tree, span})
	return operands, ops[:len(ops)-1]
}

// unary makes the tree of signs, a postfix expression and its power: -x^2 is the
// negative of a square.
func (p *parser) unary(n *unaryG) Expr {
	end := p.span(n.Tokens).End
	x := p.postfix(n.X)
	if h := n.Hat; h != nil {
		start := n.Tokens[len(n.Signs)].Pos.Offset
		x = &Binary{Span{p.file, start, end}, "^", p.tokenSpan(h.Op), x, p.unary(h.Exp)}
	}
	for i := len(n.Signs) - 1; i >= 0; i-- {
		sign := n.Signs[i].Token
		x = &Unary{Span{p.file, sign.Pos.Offset, end}, sign.Value, x}
	}
	return x
}

// postfix makes the tree of calls, indices, fields and transposes.
func (p *parser) postfix(n *postfixG) Expr {
	x := p.primary(n.Primary)
	p.checkChain(len(n.Suffixes), n.Primary.Tokens)
	for _, s := range n.Suffixes {
		span := Span{p.file, n.Primary.Tokens[0].Pos.Offset, p.span(s.Tokens).End}
		switch {
		case s.Args != nil:
			x = &Call{span, x, p.args(s.Args), p.as(s.As)}
		case s.Items != nil:
			x = &Index{span, x, p.items(s.Items)}
		case s.Field != nil:
			p.checkField(x, s.Field.Token)
			x = &Field{span, x, p.name(s.Field.Token)}
		default:
			x = &Transpose{span, x}
		}
	}
	return x
}

// checkField reports a field of a literal.
func (p *parser) checkField(x Expr, field lexer.Token) {
	switch x.(type) {
	case *Number, *String, *Bool, *List:
		p.fail(errorAt(p.tokenSpan(field), "a literal has no field %s", field.Value).code("field"))
	}
}

// args makes the trees of arguments; there may be no list at all.
func (p *parser) args(n *argsG) []*Arg {
	if n == nil {
		return nil
	}
	var args []*Arg
	named := map[string]*Arg{}
	for _, a := range n.List {
		arg := &Arg{p.span(a.Tokens), p.nameOf(a.Name), p.expr(a.Value)}
		args = append(args, arg)
		if arg.Name == nil {
			p.checkPositional(args)
			continue
		}
		if first := named[arg.Name.Name]; first != nil {
			p.fail(errorAt(arg.Name, "argument %s is given twice", arg.Name.Name).code("arguments").related(first, "the first is here"))
		}
		named[arg.Name.Name] = arg
	}
	return args
}

// checkPositional reports a last argument that is positional after a named one.
func (p *parser) checkPositional(args []*Arg) {
	if len(args) < 2 || args[len(args)-2].Name == nil {
		return
	}
	last := args[len(args)-1]
	p.fail(errorAt(last, "positional argument after a named one").code("arguments").related(args[len(args)-2], "the named argument is here"))
}

// items makes the trees of the entries of an index.
func (p *parser) items(list []*itemG) []*IndexItem {
	var items []*IndexItem
	for _, n := range list {
		items = append(items, p.item(n))
	}
	return items
}

// item makes the tree of one entry of an index.
func (p *parser) item(n *itemG) *IndexItem {
	item := &IndexItem{Span: p.span(n.Tokens)}
	switch {
	case n.Ellipsis:
		item.Kind = IndexEllipsis
	case n.Open != nil:
		item.Kind, item.Hi = IndexSlice, p.optional(n.Open.Hi)
	case n.Slice != nil:
		item.Kind, item.Lo, item.Hi = IndexSlice, p.expr(n.At), p.optional(n.Slice.Hi)
	default:
		item.At = p.expr(n.At)
		if name, ok := item.At.(*Name); ok && name.Name == "new" {
			item.Kind, item.At = IndexNew, nil
		}
	}
	return item
}

// primary makes the tree of a scan, a list, a literal, a name, or of what stands in
// parentheses.
func (p *parser) primary(n *primaryG) Expr {
	switch {
	case n.Scan != nil:
		return p.scan(n.Scan, p.span(n.Tokens))
	case n.Paren != nil:
		return p.expr(n.Paren)
	case n.List != nil:
		return &List{p.span(n.Tokens), p.exprs(n.List.Elems)}
	case n.Param != nil:
		return p.name(*n.Param)
	}
	return p.atom(*n.Atom)
}

// scan makes the tree of a scan.
func (p *parser) scan(n *scanG, span Span) *Scan {
	s := &Scan{Span: span, Var: p.nameOf(n.Name), Reverse: n.Reverse, Lo: p.expr(n.Lo), Hi: p.expr(n.Hi)}
	for _, c := range n.With {
		s.With = append(s.With, &Carried{p.span(c.Tokens), p.nameOf(c.Name), p.expr(c.Init)})
	}
	s.Until = p.optional(n.Until)
	s.Body = p.block(n.Block, body)
	return s
}

// atom makes the tree of a literal or a name.
func (p *parser) atom(t lexer.Token) Expr {
	span := p.tokenSpan(t)
	switch {
	case t.Type == tokenNumber:
		return p.number(t)
	case t.Type == tokenString:
		return p.stringOf(t)
	case t.Value == "inf":
		return &Number{Span: span, Text: t.Value, Value: math.Inf(1)}
	case t.Value == "nan":
		return &Number{Span: span, Text: t.Value, Value: math.NaN()}
	case t.Value == "true" || t.Value == "false":
		return &Bool{span, t.Value == "true"}
	}
	return p.name(t)
}

// number makes the tree of a number; malformed ones have been reported.
func (p *parser) number(t lexer.Token) *Number {
	n := &Number{Span: p.tokenSpan(t), Text: t.Value}
	digits := strings.ReplaceAll(t.Value, "_", "")
	value, err := strconv.ParseFloat(digits, 64)
	n.Value = value
	n.Whole = !strings.ContainsAny(digits, ".eE")
	if n.Whole && err == nil {
		n.Int, err = strconv.ParseInt(digits, 10, 64)
	}
	switch {
	case errors.Is(err, strconv.ErrRange):
		p.fail(errorAt(n, "number %s is out of range", t.Value).code("number-range"))
	case err != nil:
		p.failed = true
	}
	return n
}

// stringOf makes the tree of a string.
func (p *parser) stringOf(t lexer.Token) *String {
	s := &String{Span: p.tokenSpan(t)}
	value, err := strconv.Unquote(t.Value)
	if err != nil {
		p.fail(errorAt(s, `string %s has an escape that is none: those of Go are known, as \" and \n`, t.Value).code("string"))
	}
	s.Value = value
	return s
}
