package explain

import (
	"os"
	"path/filepath"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/passes"
)

// Every formula of every golden program can be written as LaTeX.
func TestGoldenFormulas(t *testing.T) {
	paths, err := filepath.Glob("../../../../golden/*/*.dnn")
	if err != nil || len(paths) == 0 {
		t.Fatal("no golden programs", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, _ := dsl.Parse(path, text)
		program, found := dsl.Elaborate(file, dsl.Options{Open: os.ReadFile})
		if len(found) > 0 {
			t.Fatal(path, found[0].Message)
		}
		plan, err := passes.Compile(program)
		if err != nil {
			t.Fatal(err)
		}
		r, err := New(plan, nil, Selection{})
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range r.Topics {
			for _, p := range topic.Parts {
				for _, s := range p.Steps {
					for _, f := range s.Formulas {
						if _, err := r.tex.Formula(f); err != nil {
							t.Error(path, err)
						}
					}
				}
			}
		}
	}
}
