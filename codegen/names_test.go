package codegen

import (
	"errors"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ name, exported, unexported string }{
		{"W", "W", "w"},
		{"u_t", "UT", "uT"},
		{"hidden_size", "HiddenSize", "hiddenSize"},
		{"lr", "LR", "lr"},
		{"base_lr", "BaseLR", "baseLR"},
		{"block.0.attn.W", "Block0AttnW", "block0AttnW"},
		{"σ", "Σ", "σ"},
		{"学習", "X学習", "x学習"},
		{"MLP", "MLP", "mlp"},
		{"LeNet", "LeNet", "leNet"},
		{"id", "ID", "id"},
	} {
		if got := exported(c.name); got != c.exported {
			t.Errorf("exported %s is %s, want %s", c.name, got, c.exported)
		}
		if got := unexported(c.name); got != c.unexported {
			t.Errorf("unexported %s is %s, want %s", c.name, got, c.unexported)
		}
	}
}

func TestSamePackage(t *testing.T) {
	for _, c := range []struct {
		model, pkg string
		same       bool
	}{{"Softmax", "softmax", true}, {"LeNet", "le_net", true}, {"Enc", "vae", false}} {
		if samePackage(c.model, c.pkg) != c.same {
			t.Errorf("model %s, package %s: want %v", c.model, c.pkg, c.same)
		}
	}
}

// A local meets no keyword, package or predeclared name, and no other local.
func TestScope(t *testing.T) {
	s := localScope("m")
	for _, c := range []struct{ name, want string }{
		{"x", "x"}, {"x", "xBuf"}, {"x", "xBuf2"}, {"vec", "vecBuf"}, {"range", "rangeBuf"}, {"len", "lenBuf"}, {"m", "mBuf"},
	} {
		if got := s.take(c.name, "Buf"); got != c.want {
			t.Errorf("%s became %s, want %s", c.name, got, c.want)
		}
	}
}

// Names that meet in Go are errors with a place and a proposal, all at once.
func TestClashes(t *testing.T) {
	g := ir.NewGraph()
	leaf := func(name string) ir.Named {
		return ir.Named{Name: name, Pos: "a.dnn:3:5", Node: g.Leaf("input", name, ir.Type{Shape: ir.ShapeOf(2)})}
	}
	model := func(name string, inputs ...ir.Named) *ir.ModelPlan {
		return &ir.ModelPlan{Model: &ir.Model{Name: name, Pos: "a.dnn:1:1", Inputs: inputs}}
	}
	plan := &ir.Plan{
		Program: &ir.Program{Graph: g},
		Models:  []*ir.ModelPlan{model("A", leaf("u_t"), leaf("uT")), model("a")},
	}
	_, err := Generate(plan, Options{Package: "p", Source: "a.dnn"})
	var clash *NameError
	if !errors.As(err, &clash) || clash.Pos != "a.dnn:3:5" {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{"input u_t", "ABatch.UT", "uT2", "model a needs the Go name A"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

// Exports whose methods or types are taken are errors that propose a name.
func TestExportClashes(t *testing.T) {
	g := ir.NewGraph()
	x := g.Leaf("input", "x", ir.Type{Shape: ir.ShapeOf(2)})
	export := func(name string) *ir.ExportPlan {
		return &ir.ExportPlan{Export: &ir.Export{Name: name, Pos: "a.dnn:5:3", Results: []ir.Named{{Name: "result", Node: x}}}}
	}
	plan := &ir.Plan{
		Program: &ir.Program{Graph: g},
		Models: []*ir.ModelPlan{
			{Model: &ir.Model{Name: "A", Pos: "a.dnn:1:1"}, Exports: []*ir.ExportPlan{export("reset"), export("go_on"), export("goOn")}},
			{Model: &ir.Model{Name: "AGoOnOutput", Pos: "a.dnn:9:1"}},
		},
	}
	_, err := Generate(plan, Options{Package: "p", Source: "a.dnn"})
	var clash *NameError
	if !errors.As(err, &clash) || clash.Pos != "a.dnn:5:3" {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{
		"export fn reset needs the Go method Reset, which every predictor and all weights have; give it another name, such as reset2",
		"export fn goOn needs the Go method GoOn, which export fn go_on has",
		"a.dnn:9:1: model AGoOnOutput needs the Go name AGoOnOutput, which export fn go_on has",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}
