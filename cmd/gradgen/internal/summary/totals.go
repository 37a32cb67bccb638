package summary

import (
	"slices"
	"strings"

	"gradgen.dev/ir"
)

// modelTotals is what a model takes as a whole.
func modelTotals(p *ir.ModelPlan) []Total {
	params, paramBytes := ir.D(0), ir.D(0)
	for _, x := range p.Model.Params {
		params = params.Add(x.Node.Type.Shape.Size())
		paramBytes = paramBytes.Add(Bytes(x.Node.Type))
	}
	states, stateBytes := optimiserStates(p.Model)
	own := ir.D(0)
	for _, s := range slices.Concat(p.Model.States, p.Model.Carries) {
		own = own.Add(Bytes(s.Node.Type))
	}
	out := []Total{{"parameters", params, "elements", paramTypes(p.Model)}}
	for _, t := range p.Trains {
		of := strings.TrimSuffix(" of "+t.Loss, " of ")
		out = append(out, Total{"products of forward" + of, stepFlops(t.Forward), "flops", ""})
		if t.Gradient != nil {
			out = append(out, Total{"products of gradient" + of, stepFlops(t.Gradient), "flops", ""})
		}
	}
	if len(p.Model.Trains) > 0 {
		out = append(out, Total{"optimiser state", states, "elements", ""})
	}

	// Memory: what a trainer keeps, and what a predictor adds to the weights.
	folded := len(p.Trains) > 0
	for _, t := range p.Trains {
		out = append(out, saved(p.Trainer, t)...)
		folded = folded && t.Backward != nil
	}
	out = append(out, arena("arena of a trainer", p.Trainer)...)
	out = append(out, arena("arena of a predictor", p.Reader)...)
	if len(p.Trains) > 0 || p.Compose != nil {
		trainer := paramBytes.Add(own).Add(stateBytes).Add(arenaBytes(p.Trainer))
		note := "parameters, optimiser state, arena"
		if !folded {
			trainer = trainer.Add(paramBytes)
			note = "parameters, gradients, optimiser state, arena"
		}
		out = append(out, Total{"memory of a trainer", trainer, "bytes", note})
	}
	if p.Predict != nil {
		out = append(out, Total{"memory of a predictor", paramBytes.Add(own).Add(arenaBytes(p.Reader)), "bytes", "weights, arena"})
	}
	return out
}

// paramTypes is the bytes of the parameters of each element type.
func paramTypes(m *ir.Model) string {
	var parts []string
	for _, t := range []ir.DType{ir.Float32, ir.Float64} {
		bytes := ir.D(0)
		for _, p := range m.Params {
			if p.Node.Type.Elem == t {
				bytes = bytes.Add(Bytes(p.Node.Type))
			}
		}
		if !bytes.IsConst(0) {
			parts = append(parts, bytes.String()+" bytes "+t.String())
		}
	}
	return strings.Join(parts, ", ")
}

// optimiserStates is the elements and bytes of what the optimisers keep, moving
// means included. A state that several updates write counts once.
func optimiserStates(m *ir.Model) (elements, bytes ir.Dim) {
	elements, bytes = ir.D(0), ir.D(0)
	seen := map[*ir.State]bool{}
	for _, u := range m.Updates() {
		kept := u.States
		if u.Average != nil {
			kept = append(slices.Clone(kept), *u.Average)
		}
		for _, w := range kept {
			if !seen[w.State] {
				seen[w.State] = true
				elements = elements.Add(w.State.Node.Type.Shape.Size())
				bytes = bytes.Add(Bytes(w.State.Node.Type))
			}
		}
	}
	return elements, bytes
}

// saved is what the forward leaves in the arena for the backward to read, with
// the names of the values.
func saved(trainer ir.Arena, t *ir.TrainPlan) []Total {
	backward := t.Backward
	if backward == nil {
		backward = t.Gradient
	}
	if t.Forward == nil || backward == nil {
		return nil
	}
	written, read := map[*ir.Buffer]bool{}, map[*ir.Buffer]bool{}
	for _, s := range t.Forward.Steps {
		_, writes := s.Traffic()
		for _, b := range writes {
			written[b] = true
		}
	}
	for _, s := range backward.Steps {
		reads, _ := s.Traffic()
		for _, b := range reads {
			read[b] = true
		}
	}
	size := ir.D(0)
	var names []string
	for _, b := range trainer.Buffers {
		if written[b] && read[b] {
			size = size.Add(Bytes(b.Type))
			names = append(names, b.Name)
		}
	}
	return []Total{{"saved activations" + strings.TrimSuffix(" of "+t.Loss, " of "), size, "bytes", strings.Join(names, ", ")}}
}

// arena is the lengths of an arena, one for each element type.
func arena(name string, a ir.Arena) []Total {
	var types []ir.DType
	for t := range a.Length {
		types = append(types, t)
	}
	slices.Sort(types)
	var out []Total
	for _, t := range types {
		if n := a.Length[t]; !n.IsConst(0) {
			out = append(out, Total{name, n, t.String(), ""})
		}
	}
	return out
}

// arenaBytes is the memory of an arena.
func arenaBytes(a ir.Arena) ir.Dim {
	sum := ir.D(0)
	for t, n := range a.Length {
		sum = sum.Add(n.Mul(ir.D(elementBytes(t))))
	}
	return sum
}

// Bytes is the memory of a tensor in emitted code.
func Bytes(t ir.Type) ir.Dim { return t.Shape.Size().Mul(ir.D(elementBytes(t.Elem))) }

// elementBytes is the memory of an element in emitted code.
func elementBytes(t ir.DType) int {
	switch t {
	case ir.Float64, ir.Int64, ir.Int:
		return 8
	case ir.Bool:
		return 1
	}
	return 4
}
