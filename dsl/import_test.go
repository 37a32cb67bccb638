package dsl_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

// importing elaborates the file of the first name among files, whose imports are
// read from files.
func importing(name string, files map[string]string, opts dsl.Options) (*ir.Program, []*dsl.Diagnostic) {
	opts.Open = func(path string) ([]byte, error) {
		src, ok := files[path]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return []byte(src), nil
	}
	f, diags := dsl.Parse(name, []byte(files[name]))
	p, more := dsl.Elaborate(f, opts)
	return p, append(diags, more...)
}

// TestImport: layers, fns, optimizers and consts of an imported file, which sees
// its own declarations and imports; own declarations hide imported ones, and
// those the library's. Paths are relative to the importing file.
func TestImport(t *testing.T) {
	files := map[string]string{
		"models/main.dnn": `
import "../lib/blocks.dnn"
import "own.dnn"
fn scale(x) = 100 * x
model M {
    input x [B, width]
    y = block(x) as b
    output z = scale(y) + half(x)
    output h = hidden(x)
    output s = sigmoid(x)
    loss mean(z)
    train plain(lr: 0.5)
}`,
		"lib/blocks.dnn": `
import "deep/lin.dnn"
const width = 2
fn scale(x) = 7 * x
fn hidden(x) = scale(x)
layer block(x [B, K]) = scale(lin(x, width))
optimizer plain(lr) { param <- param - lr * grad }
// Neither imported nor emitted.
model Other { input x [B] loss mean(x) }`,
		"lib/deep/lin.dnn": `
layer lin(x [..., K], n int) { param W [K, n] = ones  return x @ W }
fn half(x) = 1000 * x`,
		"models/own.dnn": `
fn half(x) = 0.5 * x
fn sigmoid(x) = x`,
	}
	p, diags := importing("models/main.dnn", files, dsl.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if len(p.Models) != 1 || p.Models[0].Name != "M" {
		t.Fatalf("the program has %d models, want M", len(p.Models))
	}
	checkList(t, p, "M", "owns", "b.lin.W [2, 2]")
	checkValue(t, p, "M.z", "x: [[1, 2]]", "[[2100.5, 2101]]")
	checkValue(t, p, "M.h", "x: [[1, 2]]", "[[7, 14]]")
	checkValue(t, p, "M.s", "x: [[1, 2]]", "[[1, 2]]")
	checkValue(t, p, "M.update.b.lin.W", "grad b.lin.W: [[1, 1], [2, 2]]", "[[0.5, 0.5], [0, 0]]")
}

// TestImportDType: a dtype line holds for the text of its file.
func TestImportDType(t *testing.T) {
	files := map[string]string{
		"a.dnn": "import \"b.dnn\" model M { input x [B] y = own(x) loss mean(x) }",
		"b.dnn": "dtype float64 layer own(x [B]) { param w [] = 1  return w * float64(x) }",
	}
	p, diags := importing("a.dnn", files, dsl.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if got := p.Models[0].Params[0].Node.Type.Elem; got != ir.Float64 {
		t.Errorf("the parameter is of type %v, want float64", got)
	}
	single := ir.Float32
	if _, diags = importing("a.dnn", files, dsl.Options{DType: &single}); len(diags) != 1 || !strings.Contains(diags[0].Message, "do not mix") {
		t.Errorf("with -dtype float32 the diagnostics are %v, want one that float32 and float64 do not mix", diags)
	}
}

// TestImportErrors: what is wrong with imports, at the place of the import or in
// the imported file.
func TestImportErrors(t *testing.T) {
	const use = " model M { input x [B] loss mean(f(x)) }"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"missing": {map[string]string{"a.dnn": `import "b.dnn"` + use}, []string{
			"a.dnn:1:8: cannot import b.dnn: file does not exist"}},
		"missing behind": {map[string]string{"a.dnn": `import "b.dnn"` + use, "b.dnn": `import "c.dnn" fn f(x) = g(x)`}, []string{
			"b.dnn:1:8: cannot import c.dnn: file does not exist"}},
		"itself": {map[string]string{"a.dnn": `import "a.dnn"` + use}, []string{
			"a.dnn:1:8: a.dnn imports itself"}},
		"cycle": {map[string]string{"a.dnn": `import "s/b.dnn"` + use, "s/b.dnn": `import "../c.dnn" fn f(x) = x`, "c.dnn": `import "s/b.dnn"`}, []string{
			"c.dnn:1:8: the imports of b.dnn lead back to it"}},
		"cycle of the root": {map[string]string{"a.dnn": `import "b.dnn"` + use, "b.dnn": `import "a.dnn" fn f(x) = x`}, []string{
			"b.dnn:1:8: the imports of a.dnn lead back to it"}},
		"twice": {map[string]string{"a.dnn": `import "b.dnn" import "./b.dnn"` + use, "b.dnn": `fn f(x) = x`}, []string{
			"a.dnn:1:16: ./b.dnn is imported twice"}},
		"one name of two": {map[string]string{"a.dnn": `import "b.dnn" import "c.dnn"` + use, "b.dnn": `fn f(x) = x const k = 1 optimizer o(lr) { param <- grad }`,
			"c.dnn": `layer f(x) = x const k = 1 optimizer o(lr) { param <- grad }`}, []string{
			"a.dnn:1:16: two imported files declare f, k and o: rename one of each, or declare it in this file"}},
		"absolute": {map[string]string{"a.dnn": `import "/b.dnn"` + use}, []string{
			"a.dnn:1:8: the path of an import is relative to the folder of its file, and /b.dnn is absolute"}},
		"extension": {map[string]string{"a.dnn": `import "b"` + use}, []string{
			"a.dnn:1:8: an import names a .dnn file, and b does not end in .dnn"}},
		"syntax": {map[string]string{"a.dnn": `import "b.dnn"` + use, "b.dnn": "fn f(x) = x\nfn g(x = "}, []string{
			"b.dnn:2:9: "}},
		"meaning": {map[string]string{"a.dnn": `import "b.dnn"` + use, "b.dnn": "\nfn f(x) = x @ [[1, 2]]"}, []string{
			"b.dnn:2:13: cannot multiply x [B] by [[1, 2]] [1, 2]"}},
		"not handed on": {map[string]string{"a.dnn": `import "b.dnn"` + use, "b.dnn": `import "c.dnn"`, "c.dnn": "fn f(x) = x"}, []string{
			"a.dnn:1:48: no function is called f here; it is declared in c.dnn, which this file does not import"}},
		"declared twice": {map[string]string{"a.dnn": `import "b.dnn"` + use, "b.dnn": "fn f(x) = x fn f(x) = x"}, []string{
			"b.dnn:1:16: f is declared twice"}},
	} {
		_, diags := importing("a.dnn", c.files, dsl.Options{})
		if len(diags) != len(c.want) {
			t.Errorf("%s: the diagnostics are %v, want %q", name, diags, c.want)
			continue
		}
		for i, d := range diags {
			if !strings.HasPrefix(d.String(), c.want[i]) {
				t.Errorf("%s: %s, want %s", name, d, c.want[i])
			}
		}
	}
}

// TestImportTrace: an error in an imported fn says where it is called.
func TestImportTrace(t *testing.T) {
	files := map[string]string{
		"a.dnn": "import \"b.dnn\" model M { input x [B] loss mean(f(x)) }",
		"b.dnn": "fn f(x) = x @ [[1, 2]]",
	}
	_, diags := importing("a.dnn", files, dsl.Options{})
	if len(diags) != 1 || len(diags[0].Related) == 0 {
		t.Fatalf("the diagnostics are %v, want one with the call", diags)
	}
	last := diags[0].Related[len(diags[0].Related)-1]
	if last.Span.File.Name != "a.dnn" || last.Message != "in f, called here" {
		t.Errorf("the last place is %q of %s, want the call in a.dnn", last.Message, last.Span.File.Name)
	}
}

// TestImportLimits: a chain of more files than the limit, and files that are too
// large in all, are errors; other errors of reading are told.
func TestImportLimits(t *testing.T) {
	files := map[string]string{}
	for i := range 1100 {
		files[fmt.Sprintf("f%d.dnn", i)] = fmt.Sprintf("import \"f%d.dnn\"", i+1)
	}
	_, diags := importing("f0.dnn", files, dsl.Options{})
	if len(diags) != 1 || !strings.Contains(diags[0].Message, "more than the limit of 1000 files") {
		t.Errorf("a long chain gives %v", diags)
	}

	large := map[string]string{"a.dnn": ""}
	body := "//" + strings.Repeat(" ", 15<<20)
	for i := range 6 {
		name := fmt.Sprintf("f%d.dnn", i)
		large["a.dnn"] += fmt.Sprintf("import %q\n", name)
		large[name] = body
	}
	_, diags = importing("a.dnn", large, dsl.Options{})
	if len(diags) == 0 || !strings.Contains(diags[0].Message, "more than the limit of 64 MiB in all") {
		t.Errorf("large files give %v", diags)
	}

	f, _ := dsl.Parse("a.dnn", []byte("import \"b.dnn\""))
	_, diags = dsl.Elaborate(f, dsl.Options{Open: func(string) ([]byte, error) { return nil, errors.New("no luck") }})
	if len(diags) != 1 || diags[0].Message != "cannot import b.dnn: no luck" {
		t.Errorf("an error of reading gives %v", diags)
	}
	if _, diags = dsl.Elaborate(f, dsl.Options{}); len(diags) != 1 || !strings.Contains(diags[0].Message, "there are no files to import from") {
		t.Errorf("without files the diagnostics are %v", diags)
	}
}
