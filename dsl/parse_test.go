package dsl

import (
	"path/filepath"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// parseGood parses a program without errors.
func parseGood(t *testing.T, src string) *File {
	t.Helper()
	file, diags := Parse("test.dnn", []byte(src))
	if len(diags) > 0 {
		t.Fatalf("%s\nin\n%s", diags[0], src)
	}
	return file
}

// TestParsePage parses the programs of the language page.
func TestParsePage(t *testing.T) {
	files, err := filepath.Glob("testdata/page/*.dnn")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs", err)
	}
	for _, name := range files {
		if _, diags := Parse(name, readFile(t, name)); len(diags) > 0 {
			t.Errorf("%s", rendered(t, diags))
		}
	}
}

// TestLineEnds checks that CRLF is read as LF, and that a byte order mark is no text.
func TestLineEnds(t *testing.T) {
	src := string(readFile(t, "testdata/page/sampler.dnn"))
	want := parseGood(t, src)
	got := parseGood(t, "\ufeff"+strings.ReplaceAll(src, "\n", "\r\n"))
	if d := lineDiff(dump(want.Decls), dump(got.Decls)); d != "" {
		t.Error(d)
	}
	if d := lineDiff(commentTexts(want), commentTexts(got)); d != "" {
		t.Error(d)
	}
}

// TestDocs checks which comments document what.
func TestDocs(t *testing.T) {
	file := parseGood(t, `// The file's first comment.

// Softmax regression,
//   in two lines.
model M {        // not this
    // The image.
    input x [B]  // nor this
    input y [B]

    // A stray comment.

    /* The weight,
     * in a block. */
    param W [B] = zeros
    // What it says.
    output p = x
    /* not this */ loss p
}

// hand moves.
export fn hand(q [2]) = q
const c = 1
`)
	m := file.Decls[0].(*ModelDecl)
	docs := []struct{ got, want string }{
		{m.Doc, "Softmax regression,\n  in two lines."},
		{m.Body.Stmts[0].(*VarStmt).Doc, "The image."},
		{m.Body.Stmts[1].(*VarStmt).Doc, ""},
		{m.Body.Stmts[2].(*VarStmt).Doc, "The weight,\nin a block."},
		{m.Body.Stmts[3].(*OutputStmt).Doc, "What it says."},
		{m.Body.Stmts[4].(*LossStmt).Doc, ""},
		{file.Decls[1].(*FnDecl).Doc, "hand moves."},
		{file.Decls[2].(*ConstDecl).Doc, ""},
	}
	for i, doc := range docs {
		if doc.got != doc.want {
			t.Errorf("doc %d is %q, want %q", i, doc.got, doc.want)
		}
	}
}

// TestOncePerFile checks what a file has once.
func TestOncePerFile(t *testing.T) {
	file := parseGood(t, "package mlp dtype float64")
	if file.Package.Name.Name != "mlp" || file.DType.Elem.Name != "float64" || len(file.Decls) != 2 {
		t.Errorf("package %v, dtype %v", file.Package, file.DType)
	}
	if file = parseGood(t, ""); file.Package != nil || file.DType != nil || len(file.Decls) != 0 {
		t.Error("an empty file has declarations")
	}
}

// TestElseIf checks that an else if is an if in an else.
func TestElseIf(t *testing.T) {
	file := parseGood(t, "fn f(x) { if a { y = 1 } else if b { y = 2 } else { y = 3 } return y }")
	first := file.Decls[0].(*FnDecl).Body.Stmts[0].(*IfStmt)
	second := first.Else.Stmts[0].(*IfStmt)
	if got := second.Where().Text(); got != "if b { y = 2 } else { y = 3 }" {
		t.Errorf("the second if is %q", got)
	}
	if second.Else == nil || second.Else.Where().Text() != "{ y = 3 }" {
		t.Error("the last else is lost")
	}
}

// TestContextualWords checks that words which mean something in one place are names
// in all others, whatever stands around them.
func TestContextualWords(t *testing.T) {
	file := parseGood(t, `fn f(x) {
    hs = scan t in 0..T { emit h }
    with = g(x)
    as = with |> k
    along = 2
    e = scan t in 0..T { emit h along 1 }
    until, derive = split(x, 2)
    grad = reverse
    in = clip + freeze
    return in
}
model M { x = f(y) export fn q(z [B]) = z derive value derive = 3 decay = 4 }`)
	if n := len(file.Decls[0].(*FnDecl).Body.Stmts); n != 9 {
		t.Errorf("the fn has %d statements, want 9", n)
	}
	if n := len(file.Decls[1].(*ModelDecl).Body.Stmts); n != 4 {
		t.Errorf("the model has %d statements, want 4", n)
	}
}

// TestRecovery checks what is left of a program with errors: the good parts, and in
// each bad place the names that are bound there.
func TestRecovery(t *testing.T) {
	file, diags := Parse("test.dnn", []byte(`
layer bad(x [N] y) { z = 1 }
model M {
    a = 1 +
    b = 2
    q, k = split(x 2)
    param W [3 = zeros
    for i on 0..3 { c = i }
    h = f(scan t in 0..T { emit t t }, 2)
    d = a |> f[0]
    if a < b < c { e = 1 } else { g = 2 }
    output p = h
    ouput r = h
}
fn good(x) = x
`))
	if len(diags) != 9 {
		t.Errorf("%d errors:\n%s", len(diags), rendered(t, diags))
	}
	want := `bad decl bad
bad a
AssignStmt b
bad q k
bad W
bad c
AssignStmt h
bad d
bad e g
OutputStmt p
bad
AssignStmt r
fn good`
	if got := outline(file); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// outline lists the declarations of a file and the statements of its models, a line
// each, with the names they bind.
func outline(file *File) string {
	var lines []string
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *BadDecl:
			lines = append(lines, "bad decl"+spelled(d.Names))
		case *FnDecl:
			lines = append(lines, "fn"+spelled(declNames(d)))
		case *ModelDecl:
			for _, s := range d.Body.Stmts {
				lines = append(lines, kindOf(s)+spelled(stmtNames(s)))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// kindOf is the type of a statement.
func kindOf(s Stmt) string {
	switch s.(type) {
	case *BadStmt:
		return "bad"
	case *AssignStmt:
		return "AssignStmt"
	case *OutputStmt:
		return "OutputStmt"
	}
	return "other"
}

// spelled writes names, each after a space.
func spelled(names []*Name) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString(" " + n.Name)
	}
	return b.String()
}

// TestInvalidUTF8 checks that the first byte that is not UTF-8 is reported, wherever it
// stands, and only that.
func TestInvalidUTF8(t *testing.T) {
	for _, src := range []string{"// caf\xe9 \xff\nconst c = 1", "const c = \"caf\xe9\"", "const c = /* \xe9 */ 1"} {
		_, diags := Parse("test.dnn", []byte(src))
		if len(diags) != 1 || diags[0].Message != "byte 0xe9 is not UTF-8" && diags[0].Message != "byte 0xff is not UTF-8" {
			t.Errorf("%q: %v", src, diags)
		}
	}
	_, diags := Parse("test.dnn", []byte("const c = \xe9"))
	if len(diags) == 0 || diags[0].String() != "test.dnn:1:11: byte 0xe9 is not UTF-8 [E0102]" {
		t.Errorf("got %v", diags)
	}
}

// TestResults writes several results behind = and in a block, at the top level
// and in a model.
func TestResults(t *testing.T) {
	write := func(open, end string) string {
		return strings.NewReplacer("<", open, ">", end).Replace(`
layer both(x [B, D]) <x, 2 * x>
fn halves(a, b) <a / 2, b / 2>
export fn ends(v [N]) <v[0], v[-1]>
    derive value
model M {
    input x [B, 3]
    shared net = dense(units: 2)
    h, twice = both(x)
    output y = net(h) + net(twice)
    loss mean(y^2)
    train sgd(lr: 0.1)
    export fn ask(z [B, 3]) <net(z), 2 * z>
}`)
	}
	program := func(src string) string {
		file := parseGood(t, src)
		p, diags := Elaborate(file, Options{})
		if len(diags) > 0 {
			t.Fatalf("%s", rendered(t, diags))
		}
		roots := rootsOf(p)
		for _, x := range p.Models[0].Exports {
			for _, r := range x.Results {
				roots = append(roots, r.Node)
			}
		}
		return ir.Print(p.Graph, roots...)
	}
	if d := lineDiff(program(write("{ return ", " }")), program(write("= ", ""))); d != "" {
		t.Error(d)
	}
}
