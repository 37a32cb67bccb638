package scaffold

import (
	"bytes"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/passes"
)

// What a program starts with compiles, and is formatted.
func TestProgram(t *testing.T) {
	for _, kind := range []string{"mlp", "function"} {
		files, err := Program(kind, "example.com/moons")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 2 || files[0].Name != "model.dnn" || files[1].Name != "main.go" {
			t.Fatalf("%s: files %v", kind, files)
		}

		// The program in the language.
		model := files[0].Data
		neat, found := dsl.Format("model.dnn", model)
		if len(found) > 0 || !bytes.Equal(neat, model) {
			t.Errorf("%s: model.dnn is not formatted: %v\n%s", kind, found, neat)
		}
		file, _ := dsl.Parse("model.dnn", model)
		program, found := dsl.Elaborate(file, dsl.Options{})
		if len(found) > 0 {
			t.Fatal(kind, found[0].Message)
		}
		if _, err := passes.Compile(program); err != nil {
			t.Error(kind, err)
		}

		// The program in Go.
		main := files[1].Data
		if _, err := parser.ParseFile(token.NewFileSet(), "main.go", main, parser.ParseComments); err != nil {
			t.Error(kind, err)
		}
		if neat, err := format.Source(main); err != nil || !bytes.Equal(neat, main) {
			t.Errorf("%s: main.go is not formatted: %v", kind, err)
		}
		if !strings.HasPrefix(string(main), "// Command moons ") || bytes.Contains(main, []byte("MODULE")) {
			t.Errorf("%s: main.go does not have the module's name:\n%s", kind, main)
		}

		// In gradgen's own module there is no tool.
		own := Own(files)
		if bytes.Contains(own[1].Data, []byte("go tool")) || !bytes.Contains(own[1].Data, []byte("\n//go:generate go run gradgen.dev/cmd/gradgen compile model.dnn\n")) {
			t.Errorf("%s: main.go in gradgen's module:\n%s", kind, own[1].Data)
		}
		if !bytes.Contains(main, []byte("\n//go:generate go tool gradgen compile model.dnn\n")) {
			t.Errorf("%s: main.go:\n%s", kind, main)
		}
	}
	if _, err := Program("cnn", "m"); err == nil || !strings.Contains(err.Error(), "cnn") {
		t.Errorf("a kind that there is not: %v", err)
	}
}

func TestPublished(t *testing.T) {
	f := Published("example.com/m", "v1.2.3")
	if required, tool := Uses(f.Data); f.Name != "go.mod" || !required || !tool {
		t.Errorf("%s:\n%s", f.Name, f.Data)
	}
	if !bytes.HasPrefix(f.Data, []byte("module example.com/m\n")) || !bytes.Contains(f.Data, []byte("require gradgen.dev v1.2.3\n")) {
		t.Errorf("%s", f.Data)
	}
}

// The module of a clone requires what the clone does, at its versions.
func TestReplaced(t *testing.T) {
	root := filepath.FromSlash("../../../..")
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	cases := []struct{ dir, clone, replace string }{
		{"m", "gradgen", "replace gradgen.dev => ../gradgen\n"},
		{".", "gradgen", "replace gradgen.dev => ./gradgen\n"},
		{"m", "my clone", "replace gradgen.dev => \"../my clone\"\n"},
	}
	for _, c := range cases {
		files, err := Replaced("example.com/m", filepath.Join(base, c.dir), filepath.Join(base, c.clone), mod, []byte("sums"))
		if err != nil {
			t.Fatal(err)
		}
		text := string(files[0].Data)
		if required, tool := Uses(files[0].Data); !required || !tool || !strings.Contains(text, c.replace) {
			t.Errorf("want %s in\n%s", c.replace, text)
		}
		if files[1].Name != "go.sum" || string(files[1].Data) != "sums" {
			t.Errorf("%s: %s", files[1].Name, files[1].Data)
		}
		for line := range strings.Lines(string(mod)) {
			words := strings.Fields(line)
			if len(words) >= 2 && strings.HasPrefix(words[1], "v") && !strings.Contains(text, "\t"+words[0]+" "+words[1]+" // indirect\n") {
				t.Errorf("lacks %s", line)
			}
		}
	}
}

func TestRequirement(t *testing.T) {
	base := t.TempDir()
	for _, c := range []struct{ clone, want string }{
		{"gradgen", "go mod edit -require=gradgen.dev@v0.0.0 -replace=gradgen.dev=../gradgen -tool=gradgen.dev/cmd/gradgen && go mod tidy"},
		{"my clone", `go mod edit -require=gradgen.dev@v0.0.0 "-replace=gradgen.dev=../my clone" -tool=gradgen.dev/cmd/gradgen && go mod tidy`},
	} {
		got, err := Requirement(filepath.Join(base, "m"), filepath.Join(base, c.clone))
		if err != nil || got != c.want {
			t.Errorf("%s, %v, want %s", got, err, c.want)
		}
	}
}

func TestUses(t *testing.T) {
	cases := []struct {
		mod            string
		required, tool bool
	}{
		{"module m\n", false, false},
		{"require gradgen.dev v1.0.0\n", true, false},
		{"require (\n\tother.org/m v1.0.0\n\tgradgen.dev v1.0.0 // indirect\n)\ntool gradgen.dev/cmd/gradgen\n", true, true},
		{"require gradgen.dev v1.0.0\ntool (\n\tgradgen.dev/cmd/gradgen\n)\n", true, true},
		{"tool gradgen.dev/cmd/gradgen\n", false, true},
		{"// require gradgen.dev v1.0.0\n", false, false},
		{"replace gradgen.dev => ../gradgen\n", false, false},
		{"exclude gradgen.dev v1.0.0\n", false, false},
		{"exclude (\n\tgradgen.dev v1.0.0\n)\n", false, false},
		{"require gradgen.dev.evil.org v1.0.0\n", false, false},
	}
	for _, c := range cases {
		if required, tool := Uses([]byte(c.mod)); required != c.required || tool != c.tool {
			t.Errorf("%q: required %v, tool %v", c.mod, required, tool)
		}
	}
}

func TestIsGradgen(t *testing.T) {
	for mod, want := range map[string]bool{
		"module gradgen.dev\n\ngo 1.26.0\n":      true,
		"// A comment.\nmodule gradgen.dev\n":    true,
		"module gradgen.dev/other\n":             false,
		"module m\nrequire gradgen.dev v1.0.0\n": false,
	} {
		if IsGradgen([]byte(mod)) != want {
			t.Errorf("%q: want %v", mod, want)
		}
	}
}
