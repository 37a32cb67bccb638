package dsl

import (
	"fmt"
	"os"
	"testing"

	"gradgen.dev/ir"
)

func TestTry(t *testing.T) {
	name := os.Getenv("TRY")
	if name == "" {
		t.Skip()
	}
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, diags := Parse(name, src)
	p, more := Elaborate(f, Options{})
	Render(os.Stdout, append(diags, more...))
	if p == nil {
		return
	}
	for _, m := range p.Models {
		fmt.Println("model", m.Name, m.Dims, m.Rule)
		for _, h := range m.Hyper {
			fmt.Println("hyper", h.Name, h.Default, h.Doc)
		}
		for i, side := range []*ir.Side{m.Train, m.Infer} {
			fmt.Println("SIDE", i)
			var roots []*ir.Node
			for _, o := range side.Outputs {
				roots = append(roots, o.Node)
			}
			if side.Loss != nil {
				roots = append(roots, side.Loss)
			}
			for _, o := range side.Metrics {
				roots = append(roots, o.Node)
			}
			for _, o := range side.Writes {
				roots = append(roots, o.Value)
			}
			if err := ir.Check(roots...); err != nil {
				t.Error(err)
			}
			fmt.Println(ir.Print(p.Graph, roots...))
		}
		for i, q := range m.Params {
			fmt.Println("PARAM", q.Path, q.Node.Type, q.Rule)
			fmt.Println(ir.Print(p.Graph, q.Init))
			if i == 0 && len(m.Updates) > 0 {
				roots := []*ir.Node{m.Updates[i].Next}
				for _, s := range m.Updates[i].States {
					roots = append(roots, s.Value, s.State.Init)
				}
				fmt.Println(ir.Print(p.Graph, roots...))
			}
		}
	}
	for _, f := range p.Funcs {
		fmt.Println("fn", f.Name, f.Dims, f.Elem, f.Derive)
		fmt.Println(ir.Print(p.Graph, f.Results...))
	}
}
