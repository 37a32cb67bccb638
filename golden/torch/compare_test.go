package torch

import (
	"fmt"
	"math"
)

// tolerance is the largest relative error: 1e-9, and where PyTorch was given
// numbers of float32, or gave them, what is left of those.
func (e *emitted) tolerance() float64 {
	for _, x := range e.call.inputs {
		if x.kind == "float32" {
			return 1e-6
		}
	}
	for _, o := range e.outputs {
		if o.(*tensor).kind == "float32" {
			return 1e-6
		}
	}
	return 1e-9
}

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
		case f.kind == "value":
			if text := e.compareValues(w); text != "" {
				return text
			}
		case f.kind == "vjp" && grads[f.wrt[0]] != nil:
			if text := differ(w.Results[0], grads[f.wrt[0]].values, e.tolerance()); text != "" {
				return fmt.Sprintf("gradient by argument %d: %s", f.wrt[0], text)
			}
		}
	}
	return e.compareForward(done)
}

// compareForward holds forward mode against reverse mode: wᵀ·(J·v) is (Jᵀ·w)ᵀ·v,
// w being the cotangents.
func (e *emitted) compareForward(done []*work) string {
	var forward, reverse, size float64
	add := func(to *float64, a, b []float64) {
		for i := range a {
			*to += a[i] * b[i]
			size += math.Abs(a[i] * b[i])
		}
	}
	for i, f := range e.funcs {
		switch f.kind {
		case "vjp":
			x := f.wrt[0]
			add(&reverse, done[i].Results[0], direction(x, e.call.inputs[x].size()))
		case "jvp":
			add(&forward, done[i].Results[0], e.cotangent())
		}
	}
	if math.Abs(forward-reverse) > e.tolerance()*size+noise {
		return fmt.Sprintf("forward mode: %v, reverse mode: %v", forward, reverse)
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
		if text := differ(w.Results[i], x.values, e.tolerance()); text != "" {
			return fmt.Sprintf("result %d: %s", i, text)
		}
	}
	return ""
}

// differ is the largest difference beyond the tolerance.
func differ(have, want []float64, tolerance float64) string {
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
