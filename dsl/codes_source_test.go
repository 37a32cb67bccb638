package dsl

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCodesOfSource reads the sources of the compiler: every error that they make
// has a code of the table, and every code of the table is one of an error.
func TestCodesOfSource(t *testing.T) {
	c := &codeChecker{t: t, files: token.NewFileSet(), used: map[string]bool{}, coded: map[ast.Node]bool{}}
	for _, pattern := range []string{"*.go", "../passes/*.go", "../cmd/gradgen/*.go"} {
		for _, path := range sourceFiles(t, pattern) {
			file, err := goparser.ParseFile(c.files, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, c.visit)
		}
	}
	for _, code := range Codes() {
		if !c.used[code.Name] {
			t.Errorf("no error has the code %s", code.Name)
		}
	}
}

// sourceFiles are the Go files of a pattern that are not tests.
func sourceFiles(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	files = slices.DeleteFunc(files, func(path string) bool { return strings.HasSuffix(path, "_test.go") })
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	return files
}

// codeChecker checks where errors are made and given codes.
type codeChecker struct {
	t     *testing.T
	files *token.FileSet
	used  map[string]bool   // names of codes
	coded map[ast.Node]bool // calls to whose result a code is given
}

// visit checks one node. Of a mistake, whose code stands with its advice, and of the
// function that makes the plain diagnostic, errorAt needs none.
func (c *codeChecker) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Name.Name != "errorAt"
	case *ast.CallExpr:
		c.call(n)
	case *ast.CompositeLit:
		c.literal(n)
	}
	return true
}

// call checks a call that makes an error or takes a code.
func (c *codeChecker) call(n *ast.CallExpr) {
	name := ""
	switch f := n.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
		if name == "code" {
			c.mark(f.X)
		}
	}
	if _, isFunc := n.Fun.(*ast.Ident); isFunc && name == "errorAt" && !c.coded[n] {
		c.t.Errorf("%s: a diagnostic without a code", c.files.Position(n.Pos()))
	}
	if i := codeIndex(name, n.Args); i >= 0 {
		c.code(n.Args[i])
	}
}

// codeIndex is which of the arguments of a function is a code, -1 where none is.
func codeIndex(function string, args []ast.Expr) int {
	switch {
	case function == "code" && len(args) == 1, function == "codeUnless", function == "coded":
		return 0
	case function == "fail" && len(args) > 1 && isText(args[0]) && isText(args[1]):
		return 0
	case function == "fail" && isText(args[0]):
		return -1 // of a plan that is not whole, with a format alone
	case function == "failAt", function == "failOperation", function == "diagnostic" && len(args) == 3:
		return 1
	case function == "report" && len(args) > 1:
		return 1
	case function == "fail" && len(args) > 3, function == "stopWith":
		return 2
	}
	return -1
}

// isText reports whether an expression is a string literal.
func isText(x ast.Expr) bool {
	lit, ok := x.(*ast.BasicLit)
	return ok && lit.Kind == token.STRING
}

// mark notes the calls of a chain, on the last of which code is called.
func (c *codeChecker) mark(x ast.Expr) {
	for {
		call, ok := x.(*ast.CallExpr)
		if !ok {
			return
		}
		c.coded[call] = true
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return
		}
		x = f.X
	}
}

// literal checks an error that is written as a literal, and the codes of the advices.
func (c *codeChecker) literal(n *ast.CompositeLit) {
	switch f := n.Type.(type) {
	case nil:
		if len(n.Elts) == 2 && strings.HasPrefix(nameOf(n.Elts[1]), "advise") {
			c.code(n.Elts[0])
		}
	case *ast.Ident:
		if f.Name == "Error" {
			c.field(n, 2)
		}
	case *ast.SelectorExpr:
		if f.Sel.Name == "Diagnostic" {
			c.field(n, 2)
		}
	}
}

// field checks the field Code of a literal, which is its i-th.
func (c *codeChecker) field(n *ast.CompositeLit, i int) {
	for k, x := range n.Elts {
		if pair, ok := x.(*ast.KeyValueExpr); ok && nameOf(pair.Key) == "Code" {
			c.code(pair.Value)
			return
		} else if !ok && k == i {
			c.code(x)
			return
		}
	}
	c.t.Errorf("%s: an error without a code", c.files.Position(n.Pos()))
}

// code checks an expression for a code: the name of one, or a variable that is
// called so and has been checked where it is set.
func (c *codeChecker) code(x ast.Expr) {
	place := c.files.Position(x.Pos())
	if !isText(x) {
		if name := strings.ToLower(nameOf(x)); name != "code" && name != "c" {
			c.t.Errorf("%s: the code is neither a name of the table nor a variable code", place)
		}
		return
	}
	text, err := strconv.Unquote(x.(*ast.BasicLit).Value)
	if _, ok := LookupCode(text); !ok || err != nil || text != strings.ToLower(text) {
		c.t.Errorf("%s: the table has no code %q", place, text)
	}
	c.used[text] = true
}

// nameOf is the last name in an identifier or selector.
func nameOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}
