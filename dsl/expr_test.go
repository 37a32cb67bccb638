package dsl

import (
	"fmt"
	"strings"
	"testing"
)

// parseExpr parses an expression, which may hold line breaks.
func parseExpr(t *testing.T, text string) (Expr, []*Diagnostic) {
	t.Helper()
	file, diags := Parse("expr.dnn", []byte("const c = "+text))
	if len(diags) > 0 {
		return nil, diags
	}
	if len(file.Decls) != 1 {
		t.Fatalf("%s: %d declarations", text, len(file.Decls))
	}
	return file.Decls[0].(*ConstDecl).Value, nil
}

// sexpr writes a tree with all its parentheses.
func sexpr(x Expr) string {
	switch x := x.(type) {
	case nil:
		return ""
	case *Name:
		return x.Name
	case *Number:
		return x.Text
	case *String:
		return fmt.Sprintf("%q", x.Value)
	case *Bool:
		return fmt.Sprint(x.Value)
	case *List:
		return "[" + sexprs(x.Elems) + "]"
	case *Unary:
		return "(" + x.Op + sexpr(x.X) + ")"
	case *Binary:
		return "(" + sexpr(x.X) + " " + x.Op + " " + sexpr(x.Y) + ")"
	case *Pipe:
		return "(" + sexpr(x.X) + " |> " + sexpr(x.Stage) + ")"
	case *Cond:
		return "(if " + sexpr(x.Cond) + " then " + sexpr(x.Then) + " else " + sexpr(x.Else) + ")"
	case *Call:
		return sexpr(x.Func) + "(" + sexprArgs(x.Args) + ")" + sexprAs(x.As)
	case *Index:
		return sexpr(x.X) + "[" + sexprItems(x.Items) + "]"
	case *Field:
		return sexpr(x.X) + "." + x.Name.Name
	case *Transpose:
		return sexpr(x.X) + "'"
	case *Scan:
		return sexprScan(x)
	}
	panic(fmt.Sprintf("sexpr of %T", x))
}

// sexprs writes expressions.
func sexprs(list []Expr) string {
	var parts []string
	for _, x := range list {
		parts = append(parts, sexpr(x))
	}
	return strings.Join(parts, ", ")
}

// sexprArgs writes arguments.
func sexprArgs(args []*Arg) string {
	var parts []string
	for _, a := range args {
		text := sexpr(a.Value)
		if a.Name != nil {
			text = a.Name.Name + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// sexprAs writes the name of an instance.
func sexprAs(name *Name) string {
	if name == nil {
		return ""
	}
	return " as " + name.Name
}

// sexprItems writes the entries of an index.
func sexprItems(items []*IndexItem) string {
	var parts []string
	for _, i := range items {
		switch i.Kind {
		case IndexAt:
			parts = append(parts, sexpr(i.At))
		case IndexSlice:
			parts = append(parts, sexpr(i.Lo)+":"+sexpr(i.Hi))
		case IndexEllipsis:
			parts = append(parts, "...")
		case IndexNew:
			parts = append(parts, "<new>")
		}
	}
	return strings.Join(parts, ", ")
}

// sexprScan writes the head of a scan and counts its statements.
func sexprScan(s *Scan) string {
	head := "scan " + s.Var.Name
	if s.Reverse {
		head += " reversed"
	}
	head += " " + sexpr(s.Lo) + ".." + sexpr(s.Hi)
	for _, c := range s.With {
		head += " " + c.Name.Name + "=" + sexpr(c.Init)
	}
	if s.Until != nil {
		head += " until " + sexpr(s.Until)
	}
	return fmt.Sprintf("(%s {%d})", head, len(s.Body.Stmts))
}

// TestExpressions checks the trees of expressions: what binds tighter, and to which
// side.
func TestExpressions(t *testing.T) {
	tests := []struct{ text, tree string }{
		// Precedence, from loose to tight.
		{"a |> f |> g(b)", "((a |> f()) |> g(b))"},
		{"a || b |> f", "((a || b) |> f())"},
		{"a || b && c", "(a || (b && c))"},
		{"a && b == c", "(a && (b == c))"},
		{"a < b + c", "(a < (b + c))"},
		{"a + b * c - d", "((a + (b * c)) - d)"},
		{"a * b / c % d @ e", "((((a * b) / c) % d) @ e)"},
		{"a - b - c", "((a - b) - c)"},
		{"-a * b", "((-a) * b)"},
		{"!a && b", "((!a) && b)"},
		{"- - a", "(-(-a))"},

		// The power binds tighter than a sign, to the right, and takes a sign itself.
		{"-a^2", "(-(a ^ 2))"},
		{"a^b^c", "(a ^ (b ^ c))"},
		{"a^-b^c", "(a ^ (-(b ^ c)))"},
		{"2 * a^-1 * b", "((2 * (a ^ (-1))) * b)"},
		{"a'^2", "(a' ^ 2)"},
		{"(a + b)^2", "((a + b) ^ 2)"},

		// A conditional ends before a pipe; its middle is delimited.
		{"if a then b else c |> f", "((if a then b else c) |> f())"},
		{"if a then b |> f else c", "(if a then (b |> f()) else c)"},
		{"if a then b else if c then d else e", "(if a then b else (if c then d else e))"},
		{"if a then b else c + d", "(if a then b else (c + d))"},
		{"1 + (if a then b else c)", "(1 + (if a then b else c))"},

		// Inside an expression <- is < and -.
		{"a <-b", "(a < (-b))"},
		{"a<-b*c + d", "(a < (((-b) * c) + d))"},
		{"a<-b^2 && c", "((a < (-(b ^ 2))) && c)"},

		// Postfix.
		{"f(a, b: c + 1) as d", "f(a, b: (c + 1)) as d"},
		{"f(g(x) as h, y)", "f(g(x) as h, y)"},
		{"x |> f(1) as a |> g as b", "((x |> f(1) as a) |> g() as b)"},
		{"x |> enc.head(1)", "(x |> enc.head(1))"},
		{"f(x)(y)[z].w'", "f(x)(y)[z].w'"},
		{"block.0.attn.W", "block.0.attn.W"},
		{"G.1.5", "G.1.5"},
		{"x[:, t, 1:3]", "x[:, t, 1:3]"},
		{"x[..., -1]", "x[..., (-1)]"},
		{"x[:, new, 1:, :-1]", "x[:, <new>, 1:, :(-1)]"},
		{"x[new + 1]", "x[(new + 1)]"},
		{"A' @ b'", "(A' @ b')"},

		// Literals.
		{"[[0, 0.1], [1, 2]]", "[[0, 0.1], [1, 2]]"},
		{"[]", "[]"},
		{"[1, 2,]", "[1, 2]"},
		{"-inf", "(-inf)"},
		{"1_000.5e-3", "1_000.5e-3"},
		{`"a \"b\""`, `"a \"b\""`},
		{"float32(x)", "float32(x)"},

		// Contextual words are names where nothing else is expected.
		{"with + until * along", "(with + (until * along))"},
		{"as(x, in: 3)", "as(x, in: 3)"},
		{"reverse[new]", "reverse[<new>]"},
		{"derive |> grad(step)", "(derive |> grad(step))"},

		// Scans.
		{"scan t in 0..T { emit t }", "(scan t 0..T {1})"},
		{"scan t in reverse 0..T with h = a, c = b |> f until all(d) { }", "(scan t reversed 0..T h=a c=(b |> f()) until all(d) {0})"},
		{"scan t in reverse..n { emit t }", "(scan t reverse..n {1})"},
		{"scan t in 1..2*n+1 {} + 1", "((scan t 1..((2 * n) + 1) {0}) + 1)"},
		{"f(scan t in 0..T { emit t }, 3)", "f((scan t 0..T {1}), 3)"},
	}
	for _, test := range tests {
		x, diags := parseExpr(t, test.text)
		if len(diags) > 0 {
			t.Errorf("%s: %s", test.text, diags[0])
			continue
		}
		if got := sexpr(x); got != test.tree {
			t.Errorf("%s is read as\n%s, want\n%s", test.text, got, test.tree)
		}
	}
}

// TestExpressionSpans checks the places of nodes: without the parentheses around
// them, with those of their operands.
func TestExpressionSpans(t *testing.T) {
	x, _ := parseExpr(t, "((a + b) * c[0] |> f(d))")
	pipe := x.(*Pipe)
	product := pipe.X.(*Binary)
	tests := []struct {
		node Node
		text string
	}{
		{pipe, "(a + b) * c[0] |> f(d)"},
		{pipe.OpSpan, "|>"},
		{pipe.Stage, "f(d)"},
		{product, "(a + b) * c[0]"},
		{product.X, "a + b"},
		{product.OpSpan, "*"},
		{product.Y, "c[0]"},
	}
	for _, test := range tests {
		if got := test.node.Where().Text(); got != test.text {
			t.Errorf("%T has the text %q, want %q", test.node, got, test.text)
		}
	}
}

// TestNumbers checks the values of literals.
func TestNumbers(t *testing.T) {
	tests := []struct {
		text  string
		value float64
		whole bool
		n     int64
	}{
		{"0", 0, true, 0},
		{"1_000", 1000, true, 1000},
		{"0.5", 0.5, false, 0},
		{"1e-3", 1e-3, false, 0},
		{"2E+10", 2e10, false, 0},
		{"1e3", 1000, false, 0},
		{"9223372036854775807", 9223372036854775807, true, 9223372036854775807},
		{"007", 7, true, 7},
	}
	for _, test := range tests {
		x, diags := parseExpr(t, test.text)
		if len(diags) > 0 {
			t.Errorf("%s: %s", test.text, diags[0])
			continue
		}
		n := x.(*Number)
		if n.Value != test.value || n.Whole != test.whole || n.Int != test.n {
			t.Errorf("%s is %v, whole %v, %d", test.text, n.Value, n.Whole, n.Int)
		}
	}
}
