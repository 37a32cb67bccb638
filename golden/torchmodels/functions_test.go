package torchmodels

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// TestFunctions evaluates the functions of testdata/functions.dnn, which have
// the library's functions and their derivatives in them, and their gradients,
// with the interpreter: as the chain rule leaves them, and simplified.
func TestFunctions(t *testing.T) {
	name := filepath.Join("testdata", "functions.dnn")
	text, err := os.ReadFile(name)
	check(t, err)
	file, syntax := dsl.Parse(name, text)
	program, meaning := dsl.Elaborate(file, dsl.Options{})
	if diags := append(syntax, meaning...); len(diags) > 0 {
		var b strings.Builder
		check(t, dsl.Render(&b, diags))
		t.Fatal(b.String())
	}

	v, _ := open(t, "functions")
	if len(program.Funcs) != len(v) {
		t.Fatalf("%d functions, %d vectors", len(program.Funcs), len(v))
	}
	for _, f := range program.Funcs {
		want, ok := v[strings.TrimPrefix(f.Name, "f_")]
		if !ok {
			t.Errorf("no vector of %s", f.Name)
			continue
		}
		t.Run(f.Name, func(t *testing.T) { function(t, program.Graph, f, want.data) })
	}
}

// function compares one function. want is its value, its argument, and its
// gradient there.
func function(t *testing.T, g *ir.Graph, f *ir.Func, want []float64) {
	x := f.Params[0]
	n := (len(want) - 1) / 2
	shape, err := x.Node.Type.Shape.Eval(nil)
	check(t, err)
	oracle := &ir.Evaluator{Values: map[string]*ir.Tensor{"input " + x.Name: {Shape: shape, Data: want[1 : 1+n]}}}

	y := f.Results[0]
	plain := passes.Gradient(g, y, g.Must("grad", ir.Attr{}, y, x.Node))
	for _, nodes := range [][]*ir.Node{plain, passes.Simplify(g, passes.Strip(g, plain...)...)} {
		have, err := oracle.EvalAll(nodes...)
		check(t, err)
		if text := differ(have[0].Data, want[:1], tolerance); text != "" {
			t.Errorf("value: %s", text)
		}
		if text := differ(have[1].Data, want[1+n:], tolerance); text != "" {
			t.Errorf("gradient: %s", text)
		}
	}
}
