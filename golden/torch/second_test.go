package torch

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// Second derivatives are compared with difference quotients of first ones, of
// this step; they may differ by as much, in parts of the largest element, as the
// third derivatives near poles make them.
const (
	step = 1e-5
	near = 1e-3
)

// second is the exported fn of the sum of w times all differentiable results,
// with its first and second derivatives by each parameter.
func (c *call) second(id string, results int, diff []int, size int) string {
	var names, flat, derive []string
	for i := range results {
		names = append(names, fmt.Sprintf("r%d", i))
	}
	for _, i := range diff {
		flat = append(flat, fmt.Sprintf("reshape(r%d, [-1])", i))
	}
	for _, i := range c.wrt() {
		derive = append(derive, fmt.Sprintf("grad(x%d), hvp(x%d)", i, i))
	}
	params := append(slices.Clone(c.params), fmt.Sprintf("w [%d]", size))
	return fmt.Sprintf("export fn %s(%s) [] {\n    %s = %s\n    return sum(w * concat(%s))\n}\n    derive %s\n",
		id, strings.Join(params, ", "), strings.Join(names, ", "), c.expr, strings.Join(flat, ", "), strings.Join(derive, ", "))
}

// smooth reports whether second derivatives of a sample are compared: not where
// it stands on a kink, and not of whole matrices, whose text is long.
func smooth(lib *library, s *sample) bool {
	return s.op != "linalg.norm.subgradients_at_zero" && s.op != "float" && lib.files[fnName(s.op)] != "matrices" && len(s.line) < 9000
}

// TestSecond holds the Hessian times a direction against difference quotients of
// the gradient along it, for two samples of each operator.
func TestSecond(t *testing.T) {
	list, _ := selected(t)
	lib := operators(t)
	var all []*emitted
	calls, taken := map[*emitted][]*work{}, map[string]int{}
	for i, s := range list {
		c, err := lib.call(s, false)
		if err != nil || c == nil || len(c.wrt()) == 0 || !smooth(lib, s) || taken[s.op] == 2 {
			continue
		}
		taken[s.op]++
		e := &emitted{sample: s, call: c, id: fmt.Sprintf("s%d", i), pkg: fmt.Sprintf("p%d", len(all)/packageSize)}
		e.emit(func(results int, diff []int) string { return c.second(e.id, results, diff, len(e.cotangent())) })
		if e.err != nil {
			t.Errorf("%s: %s: %v", s.op, c.expr, e.err)
			continue
		}
		all = append(all, e)
		calls[e] = e.quotients()
	}
	run(t, all, calls)
	for _, e := range all {
		if e.err != nil {
			t.Errorf("%s: %s: %v", e.op, e.call.expr, e.err)
			continue
		}
		for w := range slices.Chunk(calls[e], 3) {
			if text := compareSecond(w[0], w[1], w[2]); text != "" {
				t.Errorf("%s: %s: %s: %s", e.op, e.call.expr, w[2].Name, text)
			}
		}
	}
}

// quotients is three calls for each parameter: the gradient a step ahead and a
// step back, and the Hessian times the direction.
func (e *emitted) quotients() []*work {
	var out []*work
	for k := 0; k+1 < len(e.funcs); k += 2 {
		grad, hvp := e.funcs[k], e.funcs[k+1]
		x := grad.wrt[0]
		v := direction(x, e.call.inputs[x].size())
		for _, h := range []float64{step, -step} {
			w := e.work(grad, e.cotangent())
			w.Args[x] = slices.Clone(w.Args[x])
			for i := range v {
				w.Args[x][i] += h * v[i]
			}
			out = append(out, w)
		}
		out = append(out, e.work(hvp, e.cotangent(), v))
	}
	return out
}

// compareSecond is how a Hessian times a direction differs from the quotient of
// gradients, "" where it does not.
func compareSecond(ahead, back, have *work) string {
	for _, w := range []*work{ahead, back, have} {
		if w.Panic != "" {
			return "panic: " + w.Panic
		}
	}
	want, largest := []float64{}, 1.0
	for i, a := range ahead.Results[0] {
		q := (a - back.Results[0][i]) / (2 * step)
		want = append(want, q)
		if !math.IsNaN(q) {
			largest = max(largest, math.Abs(q), math.Abs(a))
		}
	}
	for i, q := range want {
		if h := have.Results[0][i]; !math.IsNaN(q) && !(math.Abs(h-q) <= near*largest) {
			return fmt.Sprintf("element %d is %v, want about %v", i, h, q)
		}
	}
	return ""
}
