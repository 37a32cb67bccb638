package drive

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/golden"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// TestFunctions calls every exported function and derivative of every case.
func TestFunctions(t *testing.T) {
	for _, name := range cases(t) {
		program, err := golden.Elaborate(root(), name)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := golden.Plan(root(), name)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range program.Funcs {
			for _, e := range plan.Funcs[i].Entries {
				t.Run(name+"/"+f.Name+e.Suffix, func(t *testing.T) {
					d := &funcDriver{T: t, pkg: name, g: program.Graph, f: f, e: e}
					d.expect()
					for k, env := range environments(f.Dims) {
						d.call(env, rand.New(rand.NewPCG(uint64(k), 1)), false)
						d.call(env, rand.New(rand.NewPCG(uint64(k), 2)), true)
					}
				})
			}
		}
	}
}

// root is the folder of the cases: another one where the tests of random
// programs say so.
func root() string {
	if dir := os.Getenv("GRADGEN_GOLDEN"); dir != "" {
		return dir
	}
	return ".."
}

func cases(t *testing.T) []string {
	t.Helper()
	names, err := golden.Cases(root())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if registry[name] == nil {
			t.Fatalf("%s is not in the registry; go test ./golden -update puts it there", name)
		}
	}
	return names
}

// A funcDriver compares one emitted function with its meaning.
type funcDriver struct {
	*testing.T
	pkg  string
	g    *ir.Graph
	f    *ir.Func
	e    *ir.FuncEntry
	want []*ir.Node // results in order

	value []*ir.Node // of the function itself
}

// expect builds what the function must compute, out of the program's own
// derivatives.
func (d *funcDriver) expect() {
	y := d.f.Results[0]
	extra := func(k int) *ir.Node {
		p := d.e.Extra[k]
		return d.g.Leaf("input", p.Name, p.Node.Type)
	}
	for _, kind := range d.e.Kinds {
		var moved *ir.Node
		for k, i := range d.e.Params {
			x := d.f.Params[i].Node
			switch kind {
			case "grad", "jacobian", "hessian":
				d.want = append(d.want, d.g.Must(kind, ir.Attr{}, y, x))
			case "vjp":
				d.want = append(d.want, d.g.Must("vjp", ir.Attr{}, y, x, extra(0)))
			case "jvp":
				moved = d.g.Add(moved, d.g.Must("jvp", ir.Attr{}, y, x, extra(k)))
			case "hvp":
				d.want = append(d.want, d.g.Must("jvp", ir.Attr{}, d.g.Must("grad", ir.Attr{}, y, x), x, extra(k)))
			}
		}
		switch {
		case kind == "value":
			d.want = append(d.want, d.f.Results...)
		case moved != nil:
			d.want = append(d.want, moved)
		}
	}
	d.want = passes.Gradient(d.g, d.want...)
	d.value = passes.Gradient(d.g, d.f.Results...)
}

// call compares one call with the interpreter.
func (d *funcDriver) call(env map[string]int, r *rand.Rand, coarse bool) {
	what := fmt.Sprintf("%v, coarse %v", env, coarse)
	leaves := values{}
	var operands []*ir.Tensor
	for _, p := range append(append([]ir.Named{}, d.f.Params...), d.e.Extra...) {
		x, err := tensor(p.Node, env, d.noise(p.Node, env, r, coarse))
		if err != nil {
			return // no such arguments
		}
		leaves["input "+p.Name] = x
		operands = append(operands, x)
	}
	if ints := intsAmong(leaves, paramLeaves(d.f)); len(ints) > 0 {
		positions := ir.Positions(d.f.Results...)
		if drawInts(ints, positions, env, leaves, r, false) {
			if _, panicked := d.invoke(env, operands); panicked == nil || crashed(panicked) {
				d.Errorf("%s: an index out of range by %v panics with %v", what, ints, panicked)
			}
		}
		if !drawInts(ints, positions, env, leaves, r, true) {
			return // no such arguments
		}
	}
	oracle := &ir.Evaluator{Dims: env, Values: leaves}
	want, err := oracle.EvalAll(d.want...)
	if err == nil {
		_, err = oracle.EvalAll(d.value...) // without a value there is no derivative
	}
	have, panicked := d.invoke(env, operands)
	switch {
	case err != nil && strings.Contains(err.Error(), "extent -"):
		if panicked == nil {
			d.Errorf("%s: no panic, where %v", what, err)
		}
		return
	case err != nil:
		return // undefined, as the largest of no element
	case empty(env) && panicked != nil && !crashed(panicked):
		return // lengths of 0 do not tell the dimensions beside them
	case panicked != nil:
		d.Errorf("%s: panic: %v", what, panicked)
		return
	}
	for i, w := range want {
		if empty(env) && slices.ContainsFunc(have[i], math.IsNaN) {
			continue // a mean of nothing, or an extent that lengths do not tell
		}
		tolerance := toleranceOf(d.want[i].Type.Elem)
		if text := differ(have[i], w, tolerance, coarse || empty(env)); text != "" {
			d.Errorf("%s: result %d: %s", what, i, text)
		}
	}
}

// crashed reports whether a panic is the machine's, and no message to the
// caller.
func crashed(panicked any) bool {
	_, ok := panicked.(runtime.Error)
	return ok
}

// noise is what an operand is drawn from: indices within their bounds, other
// integers from 1 on, so that they may divide.
func (d *funcDriver) noise(p *ir.Node, env map[string]int, r *rand.Rand, coarse bool) func() float64 {
	if !p.Type.Elem.IsInt() {
		return noise(r, coarse)
	}
	first, extent := 1, 9
	for _, n := range ir.Topological(d.f.Results...) {
		if n.Is("bounded") && n.Args[0] == p {
			v, err := n.Attr.Dims[0].Eval(env)
			if err != nil {
				d.Fatal(err)
			}
			if first == 1 || v < extent {
				first, extent = 0, max(v, 1)
			}
		}
	}
	return func() float64 { return float64(first + r.IntN(extent)) }
}

// invoke calls the emitted function; a panic is a value.
func (d *funcDriver) invoke(env map[string]int, operands []*ir.Tensor) (results [][]float64, panicked any) {
	f, names, ok := find(d.pkg, d.f.Name+d.e.Suffix)
	if !ok {
		d.Fatalf("package %s has no function for %s%s", d.pkg, d.f.Name, d.e.Suffix)
	}
	defer func() { panicked = recover() }()

	// Destinations first, then operands, then the dimensions that lengths do not
	// determine, then scratch memory, which may be nil.
	typ := f.Type()
	var args, outputs []reflect.Value
	for _, b := range d.e.Outputs {
		n, err := b.Type.Shape.Size().Eval(env)
		if err != nil {
			d.Fatal(err)
		}
		out := reflect.MakeSlice(typ.In(len(args)), max(n, 0), max(n, 0))
		for i := range out.Len() {
			out.Index(i).Set(goNumber(7, out.Type().Elem())) // what was there is gone
		}
		args, outputs = append(args, out), append(outputs, out)
	}
	for _, x := range operands {
		args = append(args, goValue(x, typ.In(len(args))))
	}
	for len(args) < typ.NumIn() {
		arg := reflect.Zero(typ.In(len(args)))
		for _, dim := range d.f.Dims {
			if arg.Kind() == reflect.Int && sameName(names[len(args)], dim.Name) {
				arg = reflect.ValueOf(env[dim.Name])
			}
		}
		args = append(args, arg)
	}
	before := copied(args[len(outputs):])
	returned := f.Call(args)
	for i, x := range before {
		if fmt.Sprint(x) != fmt.Sprint(floats(args[len(outputs)+i])) {
			d.Errorf("argument %d is changed", i)
		}
	}

	// Scalars are returned, everything else is in its destination.
	for _, n := range d.want {
		if n.Type.Rank() == 0 {
			results, returned = append(results, floats(returned[0])), returned[1:]
		} else {
			results, outputs = append(results, floats(outputs[0])), outputs[1:]
		}
	}
	return results, nil
}

func copied(args []reflect.Value) [][]float64 {
	var out [][]float64
	for _, a := range args {
		out = append(out, floats(a))
	}
	return out
}
