package codegen_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/passes"
)

// generate compiles a program of testdata to the files of its package.
func generate(t *testing.T, name, pkg string) []codegen.File {
	t.Helper()
	return generateInto(t, name, codegen.Options{Package: pkg, Source: name + ".dnn", Tests: true})
}

func generateInto(t *testing.T, name string, opts codegen.Options) []codegen.File {
	t.Helper()
	path := filepath.Join("testdata", name+".dnn")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return generateText(t, path, text, opts)
}

func generateText(t *testing.T, path string, text []byte, opts codegen.Options) []codegen.File {
	t.Helper()
	file, syntax := dsl.Parse(path, text)
	program, meaning := dsl.Elaborate(file, dsl.Options{})
	for _, d := range append(syntax, meaning...) {
		t.Error(d)
	}
	if t.Failed() {
		t.FailNow()
	}
	plan, err := passes.Compile(program)
	if err != nil {
		t.Fatal(err)
	}
	files, err := codegen.Generate(plan, opts)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// emit puts the package of a program, with its client's test, into its folder.
func emit(t *testing.T, dir, name string) {
	t.Helper()
	files := generate(t, name, name)
	if client, err := os.ReadFile("testdata/client/" + name + "_test.go"); err == nil {
		files = append(files, codegen.File{Name: "client_test.go", Data: client})
	}
	write(t, filepath.Join(dir, name), files)
}

// write puts files into dir.
func write(t *testing.T, dir string, files []codegen.File) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// module makes dir a module beside the runtime.
func module(t *testing.T, dir string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	mod := "module example.com/emitted\n\ngo 1.26\n\nrequire gradgen.dev v0.0.0\n\nreplace gradgen.dev => " + root + "\n"
	for name, data := range map[string][]byte{"go.mod": []byte(mod), "go.sum": sum} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// emitTogether puts several programs into one package that is the user's own
// otherwise: it has a doc comment and a file that uses two of the models.
func emitTogether(t *testing.T, dir string) {
	t.Helper()
	const pkg = "together"
	files := []codegen.File{
		{Name: "doc.go", Data: []byte("// Package together has two models and a fn.\npackage together\n")},
		{Name: "own.go", Data: []byte(`package together

// Both trains one model and asks another.
func Both(x []float32) (float64, error) {
	report, err := NewSoftmax(SoftmaxDims{B: 1}).Step(SoftmaxBatch{})
	if err != nil {
		return 0, err
	}
	return report.Loss + Energy([]float64{1, 2}), NewStream(StreamDims{B: 1}).Evaluate(new(StreamTotals), StreamBatch{})
}
`)},
	}
	for _, name := range []string{"energy", "gan", "norm", "softmax", "stream"} {
		for _, f := range generateInto(t, name, codegen.Options{Package: pkg, Source: name + ".dnn", Tests: true, Documented: true}) {
			if bytes.Contains(f.Data, []byte("// Package together")) {
				t.Errorf("%s has a doc comment of the package, which has one", f.Name)
			}
			files = append(files, f)
		}
	}
	write(t, filepath.Join(dir, pkg), files)
}

// long is a program whose procedures are too long for one function: a scalar
// crosses from block to block.
const long = `package long

model Long {
    input x [B, 3]
    input t [B]
    h = x
    for i in 0..LAYERS {
        h = block(h) as block
    }
    y = (h |> dense(1) as head)[:, 0]
    output y
    metric largest = max(y)
    loss mean((y - t)^2)
    train adam(lr: 1e-3) {
        clip norm 1.0
        use sgd(lr: 0.1) for head.**
    }
}

layer block(x [B, D]) = x + 0.1*dense(x, D, act: tanh)*rsqrt(mean(x^2) + 1)
`

// emitLong emits a deep network, in which no function of the package may have
// more than 400 statements.
func emitLong(t *testing.T, dir string) {
	t.Helper()
	text := strings.ReplaceAll(long, "LAYERS", "24")
	files := generateText(t, "long.dnn", []byte(text), codegen.Options{Package: "long", Source: "long.dnn", Tests: true})
	parts := 0
	for _, f := range files {
		if strings.HasSuffix(f.Name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name, f.Data, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := statements(fn); n > 400 {
				t.Errorf("%s: %s has %d statements", f.Name, fn.Name.Name, n)
			}
			if strings.HasPrefix(fn.Name.Name, "gradient") {
				parts++
			}
		}
	}
	if parts < 3 {
		t.Errorf("the gradient is in %d functions, which tests nothing", parts)
	}
	write(t, filepath.Join(dir, "long"), files)
}

// statements counts those of a function, in blocks too, but the blocks
// themselves.
func statements(fn *ast.FuncDecl) int {
	n := 0
	ast.Inspect(fn.Body, func(x ast.Node) bool {
		switch x.(type) {
		case *ast.BlockStmt:
		case ast.Stmt:
			n++
		}
		return true
	})
	return n
}

// Every program of testdata becomes a package that vet accepts, whose own test
// passes, and that does what its client in testdata/client expects.
func TestPipeline(t *testing.T) {
	programs, err := filepath.Glob("testdata/*.dnn")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	module(t, dir)
	for _, path := range programs {
		name := strings.TrimSuffix(filepath.Base(path), ".dnn")
		t.Run(name, func(t *testing.T) { emit(t, dir, name) })
	}
	emitTogether(t, dir)
	emitLong(t, dir)
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", args[0], err, out)
		}
	}
}

// The same program gives the same bytes.
func TestDeterminism(t *testing.T) {
	for _, name := range []string{"attend", "clip", "gan", "hand", "seq", "stream", "vae"} {
		first := generate(t, name, name)
		for range 3 {
			for i, f := range generate(t, name, name) {
				if f.Name != first[i].Name || !bytes.Equal(f.Data, first[i].Data) {
					t.Fatalf("%s differs from run to run", f.Name)
				}
			}
		}
	}
}

var update = flag.Bool("update", false, "rewrite testdata/softmax_dnn_api.golden")

// The plumbing of a small model, to the byte.
func TestGolden(t *testing.T) {
	for _, f := range generate(t, "softmax", "softmax") {
		if f.Name != "softmax_dnn_api.go" {
			continue
		}
		const golden = "testdata/softmax_dnn_api.golden"
		if *update {
			if err := os.WriteFile(golden, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Data, want) {
			t.Errorf("%s differs from %s; go test -update rewrites it:\n%s", f.Name, golden, f.Data)
		}
		return
	}
	t.Error("there is no API file")
}
