package torch

import (
	"fmt"
	"math"
)

// tolerance is the largest relative error.
const tolerance = 1e-9

// noise is the largest absolute error, in parts of the largest element and 1:
// what cancels in a sum is right to the rounding of its parts.
const noise = 1e-12

// compare is what differs between a sample and what its functions computed, ""
// where all agrees.
func (e *emitted) compare(done []*work) string {
	grads := map[int]*tensor{}
	k := 0
	for i, x := range e.call.inputs {
		if x.grad {
			if g, ok := e.grads[k].(*tensor); ok {
				grads[i] = g
			}
			k++
		}
	}
	for i, f := range e.funcs {
		w := done[i]
		switch {
		case w.Panic != "":
			return fmt.Sprintf("%s panics: %s", f.name, w.Panic)
		case f.wrt < 0:
			if text := e.compareValues(w); text != "" {
				return text
			}
		case grads[f.wrt] != nil:
			if text := differ(w.Results[0], grads[f.wrt].values); text != "" {
				return fmt.Sprintf("gradient by argument %d: %s", f.wrt, text)
			}
		}
	}
	return ""
}

// compareValues holds results against outputs: all of them, or the
// differentiable ones.
func (e *emitted) compareValues(w *work) string {
	var want []*tensor
	for _, o := range e.outputs {
		want = append(want, o.(*tensor))
	}
	if len(w.Results) == len(e.diff) {
		want = nil
		for _, i := range e.diff {
			want = append(want, e.outputs[i].(*tensor))
		}
	}
	if len(w.Results) != len(want) {
		return fmt.Sprintf("%d results, want %d", len(w.Results), len(want))
	}
	for i, x := range want {
		if text := differ(w.Results[i], x.values); text != "" {
			return fmt.Sprintf("result %d: %s", i, text)
		}
	}
	return ""
}

// differ is the largest difference beyond the tolerance.
func differ(have, want []float64) string {
	if len(have) != len(want) {
		return fmt.Sprintf("%d elements, want %d", len(have), len(want))
	}
	largest := 1.0
	for _, w := range want {
		if !math.IsInf(w, 0) && math.Abs(w) > largest {
			largest = math.Abs(w)
		}
	}
	worst, text := 0.0, ""
	for i, w := range want {
		h := have[i]
		if h == w || math.IsNaN(h) && math.IsNaN(w) {
			continue
		}
		d := math.Abs(h-w) / (tolerance*math.Abs(w) + noise*largest)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			d = math.MaxFloat64
		}
		if d > 1 && d > worst {
			worst, text = d, fmt.Sprintf("element %d is %v, want %v", i, h, w)
		}
	}
	return text
}
