package drive

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"gradgen.dev/golden"
	"gradgen.dev/ir"
)

// TestBounds gives the models indices outside of what their losses and metrics
// index: it must be an error of the call, whose step changes nothing.
func TestBounds(t *testing.T) {
	tried := 0
	for _, name := range cases(t) {
		plan, err := golden.Plan(root(), name)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range plan.Program.Models {
			bounds := plan.Models[i].Bounds
			if len(bounds) == 0 || m.Train == nil || len(m.Train.Losses) == 0 {
				continue
			}
			t.Run(name+"/"+m.Name, func(t *testing.T) {
				d := &modelDriver{T: t, pkg: name, m: m, plan: plan.Models[i]}
				env := map[string]int{}
				for _, dim := range m.Dims {
					env[dim.Name] = 8
				}
				leaves, ok := d.leaves(env, rand.New(rand.NewPCG(1, 2)))
				if !ok {
					t.Fatalf("no inputs of size 8")
				}
				for _, b := range bounds {
					if !measures(m, b.Input) {
						continue
					}
					extent, err := b.Extent.Eval(env)
					if err != nil {
						t.Fatal(err)
					}
					d.refuse(env, leaves, b.Input, float64(extent))
					if !b.HasIgnore {
						d.refuse(env, leaves, b.Input, -1)
					}
					tried++
				}
			})
		}
	}
	if tried == 0 && root() == ".." {
		t.Error("no model has indices")
	}
}

// measures tells whether a loss or a metric reads the input. Only outputs read
// the others, and neither a step nor Evaluate computes those.
func measures(m *ir.Model, input *ir.Node) bool {
	var roots []*ir.Node
	for _, side := range []*ir.Side{m.Train, m.Infer} {
		if side == nil {
			continue
		}
		for _, n := range slices.Concat(side.Losses, side.Metrics) {
			roots = append(roots, n.Node)
		}
	}
	return slices.Contains(ir.Topological(roots...), input)
}

// refuse puts v among the elements of an input.
func (d *modelDriver) refuse(env map[string]int, leaves values, input *ir.Node, v float64) {
	d.Helper()
	x := leaves["input "+input.Attr.Name]
	last := len(x.Data) - 1
	kept := x.Data[last]
	x.Data[last] = v
	defer func() { x.Data[last] = kept }()

	tr := newTrainer(d.T, d.pkg, d.m, env)
	before := tr.checkpoint()
	for _, method := range []string{"Grad", "Step", "Evaluate"} {
		if !tr.has(method) {
			continue
		}
		typ := tr.argument(method, tr.value.MethodByName(method).Type().NumIn()-1)
		args := []reflect.Value{operands(typ, d.m.Dims, d.m.Inputs, env, leaves)}
		switch method {
		case "Grad":
			args = append([]reflect.Value{tr.function("New", "Params").Call(nil)[0]}, args...)
		case "Evaluate":
			args = append([]reflect.Value{reflect.New(tr.argument(method, 0).Elem())}, args...)
		}
		results := tr.call(method, args...)
		if err, _ := results[len(results)-1].Interface().(error); err == nil {
			d.Errorf("%s takes %v among the elements of %s", method, v, input.Attr.Name)
		}
	}
	if string(before) != string(tr.checkpoint()) {
		d.Errorf("%v among the elements of %s changes the model", v, input.Attr.Name)
	}
}
