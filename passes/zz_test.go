package passes

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
	"gradgen.dev/ir/irtest"
)

func TestZZ(t *testing.T) {
	files, _ := filepath.Glob("../codegen/testdata/*.dnn")
	more, _ := filepath.Glob("../examples/*/*/*.dnn")
	files = append(files, more...)
	for _, file := range files {
		src, _ := os.ReadFile(file)
		f, diags := dsl.Parse(file, src)
		if len(diags) > 0 {
			t.Log(file, diags[0])
			continue
		}
		prog, diags := dsl.Elaborate(f, dsl.Options{})
		if len(diags) > 0 {
			t.Log(file, diags[0])
			continue
		}
		g := prog.Graph
		for _, m := range prog.Models {
			if m.Train == nil || m.Train.Loss == nil {
				continue
			}
			rng := rand.New(rand.NewPCG(1, 1))
			env := irtest.NewEnv()
			env.Dims = map[string]int{}
			for _, d := range m.Dims {
				env.Dims[d.Name] = 3
			}
			loss := Gradient(g, m.Train.Loss)[0]
			for _, n := range ir.Topological(loss) {
				if n.Op.Class == ir.Leaf && (n.Attr.Name != "" || n.Is("step") || n.Is("steps")) {
					shape, err := n.Type.Shape.Eval(env.Dims)
					if err != nil {
						t.Fatal(err)
					}
					v := ir.NewTensor(shape...)
					for i := range v.Data {
						v.Data[i] = rng.NormFloat64()
						if n.Type.Elem.IsInt() {
							v.Data[i] = float64(rng.IntN(3))
						}
					}
					env.Set(n, v)
				}
			}
			var leaves []*ir.Node
			for _, p := range m.Params {
				leaves = append(leaves, p.Node)
			}
			raw := reverse(g, loss, g.Fill(1, loss.Type), leaves...)
			all := Strip(g, append([]*ir.Node{loss}, raw...)...)
			simple := Simplify(g, all...)
			checkSameValues(t, 0, g, env, nonNil(all), nonNil(simple))
			for i, x := range leaves {
				if raw[i] == nil {
					continue
				}
				s := newSlope(env, x, rng)
				want := s.of(t, all[0])[0]
				for k, dx := range []*ir.Node{all[i+1], simple[i+1]} {
					v, err := env.Evaluator().Eval(dx)
					if err != nil {
						t.Fatal(err)
					}
					got := dot(v.Data, s.v)
					if !(want != want) && !near(want, got, 1e-4) {
						t.Errorf("%s %s form %d: %v want %v", file, x.Attr.Name, k, got, want)
					}
					if want != want {
						t.Log(file, x.Attr.Name, "no slope", got)
					}
				}
			}
			if filepath.Base(file) == "seq.dnn" {
				t.Log(ir.Print(g, nonNil(simple)...))
			}
			t.Log(file, m.Name, len(leaves), len(ir.Topological(simple...)))
		}
	}
}
