// Package drive runs the golden packages against the reference interpreter, on
// the programs as they were elaborated: nothing is simplified, and derivatives
// come from the chain rule alone.
package drive

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"

	"gradgen.dev/ir"
)

// sizes is what every run-time dimension takes in turn: nothing, one, and what
// lies around the widths of vectors and tiles.
var sizes = []int{0, 1, 7, 8, 9, 17, 33}

// environments is the sizes of the run-time dimensions to test at: each takes
// all sizes, while the others stay small.
func environments(dims []ir.RunDim) []map[string]int {
	if len(dims) == 0 {
		return []map[string]int{{}}
	}
	var out []map[string]int
	for i := range dims {
		for _, n := range sizes {
			env := map[string]int{}
			for k, d := range dims {
				env[d.Name] = []int{3, 5, 2}[k%3]
			}
			env[dims[i].Name] = n
			out = append(out, env)
		}
	}
	return out
}

// values is the leaves of a run by the interpreter's names, such as "param W".
type values map[string]*ir.Tensor

// tensor makes a tensor of n's shape, its elements from draw.
func tensor(n *ir.Node, env map[string]int, draw func() float64) (*ir.Tensor, error) {
	shape, err := n.Type.Shape.Eval(env)
	if err != nil {
		return nil, err
	}
	for _, d := range shape {
		if d < 0 {
			return nil, fmt.Errorf("extent %d", d)
		}
	}
	t := ir.NewTensor(shape...)
	for i := range t.Data {
		t.Data[i] = rounded(draw(), n.Type.Elem)
	}
	return t, nil
}

// rounded is v in an element type.
func rounded(v float64, t ir.DType) float64 {
	switch {
	case t == ir.Float32:
		return float64(float32(v))
	case t == ir.Bool:
		return float64(int(math.Abs(v)*8) % 2)
	case t.IsInt():
		return math.Round(v)
	}
	return v
}

// noise draws from the normal distribution; coarse noise is in halves, so that
// values tie and meet the corners of functions.
func noise(r *rand.Rand, coarse bool) func() float64 {
	return func() float64 {
		v := r.NormFloat64()
		if coarse {
			v = math.Round(2*v) / 2
		}
		return v
	}
}

// differ says where have is not want, up to tolerance times the largest element
// of want; "" where it is nowhere. What want leaves undefined may be anything
// where lax.
func differ(have []float64, want *ir.Tensor, tolerance float64, lax bool) string {
	if len(have) != len(want.Data) {
		return fmt.Sprintf("%d elements, want %d", len(have), len(want.Data))
	}
	scale := 1.0
	for _, v := range want.Data {
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			scale = max(scale, math.Abs(v))
		}
	}
	for i, w := range want.Data {
		h := have[i]
		switch {
		case h == w, math.IsNaN(w) && (lax || math.IsNaN(h)), lax && math.IsInf(w, 0): // undefined
		case math.Abs(h-w) <= tolerance*scale:
		default:
			return fmt.Sprintf("element %d of %v is %v, want %v", i, want.Shape, h, w)
		}
	}
	return ""
}

// toleranceOf is how exact a package of an element type has to be.
func toleranceOf(t ir.DType) float64 {
	if t == ir.Float32 {
		return 1e-4
	}
	return 1e-9
}

// sameName reports whether the Go name is the program's name: case and _ and
// the periods of paths do not count.
func sameName(goName, name string) bool {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", ".", "").Replace(s))
	}
	return plain(goName) == plain(name) || plain(goName) == "x"+plain(name)
}

// A function is an entry of the registry.
type function struct {
	value      any
	parameters string // their names, with spaces between
}

// find is the exported function of a case by its name in the program.
func find(pkg, name string) (f reflect.Value, parameters []string, ok bool) {
	for goName, entry := range registry[pkg] {
		if sameName(goName, name) {
			return reflect.ValueOf(entry.value), strings.Fields(entry.parameters), true
		}
	}
	return f, nil, false
}

// goValue is t as what emitted code takes for type typ: a slice, or a number.
func goValue(t *ir.Tensor, typ reflect.Type) reflect.Value {
	if typ.Kind() != reflect.Slice {
		return goNumber(t.Data[0], typ)
	}
	s := reflect.MakeSlice(typ, len(t.Data), len(t.Data))
	for i, v := range t.Data {
		s.Index(i).Set(goNumber(v, typ.Elem()))
	}
	return s
}

func goNumber(v float64, typ reflect.Type) reflect.Value {
	if typ.Kind() == reflect.Bool {
		return reflect.ValueOf(v != 0)
	}
	return reflect.ValueOf(v).Convert(typ)
}

// floats is a slice or number of emitted code in float64.
func floats(v reflect.Value) []float64 {
	if v.Kind() != reflect.Slice {
		return []float64{float(v)}
	}
	out := make([]float64, v.Len())
	for i := range out {
		out[i] = float(v.Index(i))
	}
	return out
}

func float(v reflect.Value) float64 {
	switch {
	case v.Kind() != reflect.Bool:
		return v.Convert(reflect.TypeFor[float64]()).Float()
	case v.Bool():
		return 1
	}
	return 0
}
