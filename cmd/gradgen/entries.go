package main

import (
	"strings"

	"gradgen.dev/ir"
)

// An entry is a graph that is compiled as one.
type entry struct {
	name  string
	roots []*ir.Node
}

// modelEntries is what a model computes: outputs, losses and metrics, the
// gradients of each loss by each parameter, the updates, the inference form, and
// its further entries.
func modelEntries(g *ir.Graph, m *ir.Model) []entry {
	entries := []entry{{"training", m.Train.Step(g, "").Roots()}}
	for _, l := range m.Train.Losses {
		loss := m.Train.Step(g, l.Name).Loss(l.Name)
		grads := entry{name: strings.TrimSpace("gradient " + l.Name)}
		for _, p := range m.Params {
			grads.roots = append(grads.roots, g.Must("grad", ir.Attr{}, loss, p.Node))
		}
		entries = append(entries, grads)
	}
	updates := entry{name: "update"}
	for _, u := range m.Updates() {
		updates.roots = append(append(updates.roots, u.Next), writeRoots(u.States)...)
		if u.Average != nil {
			updates.roots = append(updates.roots, u.Average.Value)
		}
	}
	entries = append(entries, updates, entry{"inference", m.Infer.Roots()})
	for _, x := range m.Exports {
		entries = append(entries, entry{"export " + x.Name, append(namedRoots(x.Results), writeRoots(x.Writes)...)})
	}
	return entries
}

// writeRoots is the values that states and carries are left with.
func writeRoots(writes []ir.Write) []*ir.Node {
	var roots []*ir.Node
	for _, w := range writes {
		roots = append(roots, w.Value)
	}
	return roots
}

// namedRoots is the nodes of named values.
func namedRoots(values []ir.Named) []*ir.Node {
	var roots []*ir.Node
	for _, v := range values {
		roots = append(roots, v.Node)
	}
	return roots
}

// funcEntries is an exported function's values and each of its derived forms.
// Cotangents and tangents are inputs called w and v.
func funcEntries(g *ir.Graph, f *ir.Func) []entry {
	entries := []entry{{"value", f.Results}}
	for _, d := range f.Derive {
		e := entry{name: d.Kind}
		for _, p := range d.Params {
			e.roots = append(e.roots, derived(g, d.Kind, f.Results, f.Params[p].Node)...)
		}
		if d.Kind != "value" {
			entries = append(entries, e)
		}
	}
	return entries
}

// derived is one form of the derivatives of ys by x.
func derived(g *ir.Graph, kind string, ys []*ir.Node, x *ir.Node) []*ir.Node {
	var out []*ir.Node
	for _, y := range ys {
		switch kind {
		case "grad", "jacobian", "hessian":
			out = append(out, g.Must(kind, ir.Attr{}, y, x))
		case "vjp":
			out = append(out, g.Must("vjp", ir.Attr{}, y, x, g.Leaf("input", "w", y.Type)))
		case "jvp":
			out = append(out, g.Must("jvp", ir.Attr{}, y, x, g.Leaf("input", "v", x.Type)))
		case "hvp":
			grad := g.Must("grad", ir.Attr{}, y, x)
			out = append(out, g.Must("jvp", ir.Attr{}, grad, x, g.Leaf("input", "v", x.Type)))
		}
	}
	return out
}
