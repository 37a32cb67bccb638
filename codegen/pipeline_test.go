package codegen_test

import (
	"bytes"
	"flag"
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
	path := filepath.Join("testdata", name+".dnn")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
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
	files, err := codegen.Generate(plan, codegen.Options{Package: pkg, Source: name + ".dnn", Tests: true})
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
	if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, name, f.Name), f.Data, 0o644); err != nil {
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
	for _, name := range []string{"attend", "hand", "seq"} {
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
