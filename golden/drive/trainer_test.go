package drive

import (
	"bytes"
	"io"
	"reflect"
	"testing"

	"gradgen.dev/ir"
)

// A trainer is an emitted model behind reflection.
type trainer struct {
	t     *testing.T
	pkg   string
	model *ir.Model
	value reflect.Value // *Model
}

// newTrainer calls the package's New.
func newTrainer(t *testing.T, pkg string, m *ir.Model, env map[string]int) *trainer {
	t.Helper()
	tr := &trainer{t: t, pkg: pkg, model: m}
	f := tr.function("New", "")
	tr.value = f.Call([]reflect.Value{capacity(f.Type().In(0), withExports(env, m))})[0]
	return tr
}

// function is the package's function of a name around the model's, which is
// left out where the package has it.
func (tr *trainer) function(before, after string) reflect.Value {
	tr.t.Helper()
	for _, name := range []string{before + tr.model.Name + after, before + after} {
		if f, _, ok := find(tr.pkg, name); ok {
			return f
		}
	}
	tr.t.Fatalf("package %s has no %s%s%s", tr.pkg, before, tr.model.Name, after)
	return reflect.Value{}
}

// capacity is a Dims of a package with the sizes of env.
func capacity(typ reflect.Type, env map[string]int) reflect.Value {
	out := reflect.New(typ).Elem()
	for name, n := range env {
		for i := range typ.NumField() {
			if sameName(typ.Field(i).Name, name) {
				out.Field(i).SetInt(int64(n))
			}
		}
	}
	return out
}

// has reports whether the model has a method.
func (tr *trainer) has(method string) bool { return tr.value.MethodByName(method).IsValid() }

// call calls a method of the model.
func (tr *trainer) call(method string, args ...reflect.Value) []reflect.Value {
	return tr.value.MethodByName(method).Call(args)
}

// argument is the type of an argument of a method.
func (tr *trainer) argument(method string, i int) reflect.Type {
	return tr.value.MethodByName(method).Type().In(i)
}

// operands fills a Batch or Input: its dimensions, and those inputs that it
// has fields for.
func operands(typ reflect.Type, dims []ir.RunDim, inputs []ir.Named, env map[string]int, leaves values) reflect.Value {
	out := reflect.New(typ).Elem()
	if typ.NumField() > 0 && typ.Field(0).Anonymous {
		mine := map[string]int{}
		for _, d := range dims {
			mine[d.Name] = env[d.Name]
		}
		out.Field(0).Set(capacity(typ.Field(0).Type, mine))
	}
	for i := range typ.NumField() {
		for _, in := range inputs {
			if !typ.Field(i).Anonymous && sameName(typ.Field(i).Name, in.Name) {
				out.Field(i).Set(goValue(leaves["input "+in.Node.Attr.Name], typ.Field(i).Type))
			}
		}
	}
	return out
}

// setParams sets the parameters from leaves.
func (tr *trainer) setParams(leaves values) {
	p := tr.call("Params")[0].Elem()
	for i, param := range tr.model.Params {
		field := p.Field(i)
		reflect.Copy(field, goValue(leaves["param "+param.Path], field.Type()))
	}
}

// tensorsOf is the fields of a *Params by path.
func (tr *trainer) tensorsOf(params reflect.Value) map[string][]float64 {
	out := map[string][]float64{}
	for i, p := range tr.model.Params {
		out[p.Path] = floats(params.Elem().Field(i))
	}
	return out
}

// setHyper sets the numbers of Hyper from leaves, and the length of the run.
func (tr *trainer) setHyper(leaves values) {
	h := tr.value.Elem().FieldByName("Hyper")
	if !h.IsValid() {
		return
	}
	for i, x := range tr.model.Hyper {
		h.Field(i).SetFloat(leaves["hyper "+x.Name].Data[0])
	}
	if steps := h.FieldByName("Steps"); steps.IsValid() {
		steps.SetInt(int64(leaves["steps steps"].Data[0]))
	}
}

// checkpoint is what Checkpoint writes.
func (tr *trainer) checkpoint() []byte {
	tr.t.Helper()
	var b bytes.Buffer
	tr.mustSucceed("Checkpoint", tr.call("Checkpoint", reflect.ValueOf(io.Writer(&b))))
	return b.Bytes()
}

// restore reads what Checkpoint wrote.
func (tr *trainer) restore(file []byte) {
	tr.t.Helper()
	tr.mustSucceed("Restore", tr.call("Restore", reflect.ValueOf(io.Reader(bytes.NewReader(file)))))
}

// saved is all that a checkpoint holds, by name.
func (tr *trainer) saved() map[string][]float64 {
	tr.t.Helper()
	out, err := readCheckpoint(tr.checkpoint())
	if err != nil {
		tr.t.Fatal(err)
	}
	return out
}

// mustSucceed ends the test where the last result is an error.
func (tr *trainer) mustSucceed(what string, results []reflect.Value) {
	tr.t.Helper()
	if err, _ := results[len(results)-1].Interface().(error); err != nil {
		tr.t.Fatalf("%s: %v", what, err)
	}
}

// report is a Report by the names of its numbers.
func report(r reflect.Value) map[string]float64 {
	out := map[string]float64{}
	r.MethodByName("Each").Call([]reflect.Value{reflect.ValueOf(func(name string, v float64) { out[name] = v })})
	return out
}
