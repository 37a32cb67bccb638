package golden

import (
	"os"
	"path/filepath"
	"testing"

	"gradgen.dev/dsl"
)

// TestLibrary demands that some program here uses each function, layer and
// optimizer of the standard library, or that one it uses is made of it.
func TestLibrary(t *testing.T) {
	used := map[string]bool{}
	for _, name := range cases(t) {
		path := filepath.Join(name, source)
		text, err := os.ReadFile(path)
		check(t, err)
		file, diags := dsl.Parse(path, text)
		for _, d := range diags {
			t.Error(d)
		}
		for _, d := range file.Decls {
			addNames(used, d)
		}
	}

	// What the library's declarations are made of counts with them.
	bodies := map[string]dsl.Node{}
	for name, text := range dsl.LibraryFiles() {
		file, diags := dsl.Parse(name, text)
		for _, d := range diags {
			t.Error(d)
		}
		for _, d := range file.Decls {
			if name := declared(d); name != nil {
				bodies[name.Name] = d
			}
		}
	}
	for again := true; again; {
		again = false
		for name, body := range bodies {
			if used[name] {
				delete(bodies, name)
				addNames(used, body)
				again = true
			}
		}
	}
	for name := range bodies {
		t.Errorf("no golden program uses %s", name)
	}
}

// addNames adds every name below n to used.
func addNames(used map[string]bool, n dsl.Node) {
	dsl.Visit(n, func(n dsl.Node) bool {
		if name, ok := n.(*dsl.Name); ok {
			used[name.Name] = true
		}
		return true
	})
}

// declared is the name of a library's declaration.
func declared(n dsl.Node) *dsl.Name {
	switch d := n.(type) {
	case *dsl.FnDecl:
		return d.Name
	case *dsl.LayerDecl:
		return d.Name
	case *dsl.OptimizerDecl:
		return d.Name
	}
	return nil
}
