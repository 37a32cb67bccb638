package codegen_test

import (
	"os"
	"os/exec"
	"path/filepath"
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

// write puts files in a module of their own beside the runtime.
func write(t *testing.T, dir string, files []codegen.File) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files,
		codegen.File{Name: "go.sum", Data: sum},
		codegen.File{Name: "go.mod", Data: []byte("module example.com/emitted\n\ngo 1.26\n\nrequire gradgen.dev v0.0.0\n\nreplace gradgen.dev => " + root + "\n")})
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Every program of testdata becomes a package that vet accepts and whose own
// test passes.
func TestPipeline(t *testing.T) {
	for _, name := range []string{"softmax", "mlp", "energy"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if keep := os.Getenv("KEEP"); keep != "" {
				dir = filepath.Join(keep, name)
				os.MkdirAll(dir, 0o755)
			}
			write(t, dir, generate(t, name, name))
			for _, args := range [][]string{{"vet", "."}, {"test", "."}} {
				cmd := exec.Command("go", args...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("go %s: %v\n%s", args[0], err, out)
				}
			}
		})
	}
}
