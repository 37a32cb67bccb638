package dsl_test

import (
	"fmt"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

const twoSided = `
// The package's doc.
package two

// What the model is.
model Net {
    // The pictures.
    input x [B, T]
    // The weights.
    param W [4, 3] = zeros
    logits = x[:, :4] @ W
    // What comes out.
    output probs = softmax(logits)
    loss mean(logits)
}

// What the fn is.
export fn f(x [N]) = 2 * x
    derive value
`

// elaboratedWith is elaborated with options.
func elaboratedWith(t *testing.T, src string, opts dsl.Options) *ir.Program {
	t.Helper()
	f, diags := dsl.Parse("two.dnn", []byte(src))
	p, more := dsl.Elaborate(f, opts)
	for _, d := range append(diags, more...) {
		t.Error(d)
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

// TestDocs checks that doc comments, places and dimensions reach the program.
func TestDocs(t *testing.T) {
	p := elaboratedWith(t, twoSided, dsl.Options{})
	m, f := p.Models[0], p.Funcs[0]
	for _, c := range [][2]string{
		{p.Package, "two"}, {p.Source, "two.dnn"}, {p.Doc, "The package's doc."},
		{m.Doc, "What the model is."}, {m.Inputs[0].Doc, "The pictures."}, {m.Params[0].Doc, "The weights."},
		{m.Train.Outputs[0].Doc, "What comes out."}, {f.Doc, "What the fn is."},
		{m.Params[0].Pos, "two.dnn:10:11"}, {m.Params[0].Rule, "zeros"}, {f.Derive[0].Kind, "value"},
		{m.Inputs[0].Node.Type.String(), "[B, T]float32"}, {f.Params[0].Node.Type.String(), "[N]float64"},
	} {
		if strings.TrimSpace(c[0]) != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
	if len(m.Dims) != 2 || m.Dims[0].Name != "B" || m.Dims[1].Name != "T" {
		t.Errorf("the run-time dimensions are %v, want B and T", m.Dims)
	}
}

// TestOptions checks that -dtype overrides everything and -dim makes a
// dimension a constant.
func TestOptions(t *testing.T) {
	double, single := ir.Float64, ir.Float32
	p := elaboratedWith(t, twoSided, dsl.Options{DType: &double, Dims: map[string]int{"T": 4, "N": 7}})
	m, f := p.Models[0], p.Funcs[0]
	if got := m.Inputs[0].Node.Type.String(); got != "[B, 4]float64" {
		t.Errorf("the input is %s, want [B, 4]float64", got)
	}
	if len(m.Dims) != 1 || len(f.Dims) != 0 {
		t.Errorf("the run-time dimensions are %v and %v, want B and none", m.Dims, f.Dims)
	}
	p = elaboratedWith(t, strings.Replace(twoSided, "package two", "package two dtype float64", 1), dsl.Options{DType: &single})
	if got := p.Funcs[0].Elem; got != ir.Float32 {
		t.Errorf("the fn is of type %v, want float32", got)
	}
	file, _ := dsl.Parse("two.dnn", []byte(twoSided))
	_, diags := dsl.Elaborate(file, dsl.Options{Dims: map[string]int{"BB": 3}})
	if len(diags) != 1 || !strings.Contains(diags[0].Message, "no run-time dimension is called BB; did you mean B?") {
		t.Errorf("an unknown dimension gives %v", diags)
	}
}

// TestOrigins checks the names that values carry: of an outer body before those
// of the bodies it calls, with the instance.
func TestOrigins(t *testing.T) {
	src := `layer body(x) {
	    inner = exp(x)
	    return tanh(inner)
	}
	model M {
	    input x [B]
	    h = body(x)
	    for i in 0..2 { h = body(h) as block }
	    output out = h
	    loss mean(h)
	}`
	p := elaboratedWith(t, src, dsl.Options{})
	var got []string
	for _, n := range ir.Topological(p.Models[0].Train.Loss("")) {
		if o := p.Graph.Origin(n); o.Name != "" {
			got = append(got, strings.TrimPrefix(o.Instance+":"+o.Name, ":"))
		}
	}
	want := "x h:inner h block.0:inner h block.1:inner h loss"
	if strings.Join(got, " ") != want {
		t.Errorf("the names are %q, want %q", strings.Join(got, " "), want)
	}
}

// TestDeterminism checks that elaborating twice gives the same graph.
func TestDeterminism(t *testing.T) {
	print := func() string {
		p := elaboratedWith(t, twoSided, dsl.Options{})
		return ir.Print(p.Graph, p.Models[0].Train.Loss(""), p.Models[0].Train.Outputs[0].Node)
	}
	first := print()
	for range 5 {
		if again := print(); again != first {
			t.Fatalf("two elaborations differ:\n%s\n%s", first, again)
		}
	}
}

// TestLibraryLayout checks that the library is laid out as Format does it.
func TestLibraryLayout(t *testing.T) {
	for name, src := range dsl.LibraryFiles() {
		out, diags := dsl.Format(name, src)
		if len(diags) > 0 {
			t.Errorf("%s: %v", name, diags[0])
		} else if string(out) != string(src) {
			t.Errorf("%s is not laid out as dsl.Format lays it out", name)
		}
	}
}

// TestFacts: divisibilities of run-time dimensions that are asserted, in layers
// too, reach the model or function, each once; those that are known do not.
func TestFacts(t *testing.T) {
	p := elaboratedWith(t, `
	layer halves(x [B, T]) {
	    assert T % 2 == 0
	    return reshape(x, [B, T/2, 2])[:, :, 0]
	}
	model M {
	    input x [B, T]
	    assert 6 % 3 == 0
	    loss mean(halves(x)) + mean(halves(2 * x))
	}
	export fn f(x [N]) { assert (N + 1) % 3 == 0 return sum(x) }
	export fn g(x [N]) = sum(x)
	`, dsl.Options{})
	for _, c := range []struct {
		have ir.Facts
		want string
	}{{p.Models[0].Facts, "[T % 2 == 0]"}, {p.Funcs[0].Facts, "[(N + 1) % 3 == 0]"}, {p.Funcs[1].Facts, "[]"}} {
		if got := fmt.Sprint(c.have); got != c.want {
			t.Errorf("facts %s, want %s", got, c.want)
		}
	}
}
