// Package summary adds up what models and functions take: parameters,
// floating-point operations and memory, for each layer instance and in total.
//
// In come a program and its plan. Every number is a formula in the run-time
// dimensions; those that have a value are put in.
package summary

import (
	"slices"

	"gradgen.dev/cmd/gradgen/internal/instances"
	"gradgen.dev/codegen"
	"gradgen.dev/ir"
)

// A Row is a layer instance with all that is in it.
type Row struct {
	Path   string // "" for what the model computes itself
	Depth  int    // how many instances are around it
	Output string // the shapes of what it returns
	Params ir.Dim // elements of its parameters
	Flops  ir.Dim // of the forward
}

// A Total is a line below the table: an amount of something.
type Total struct {
	Name  string
	Value ir.Dim
	Unit  string // bytes, flops, or an element type
	Note  string // what it is made of
}

// A Table is the summary of a model, or of a function.
type Table struct {
	Kind   string // model or fn
	Name   string
	Source string // path of the program, "" where it is not told
	Rows   []Row
	Totals []Total
}

// Model is the summary of a model.
func Model(g *ir.Graph, p *ir.ModelPlan) Table {
	side := p.Model.Train
	if side == nil {
		side = p.Model.Infer
	}
	m := instances.Find(g, side.Roots()...)
	m.Own(g)
	return Table{Kind: "model", Name: p.Model.Name, Rows: rows(p.Model, m), Totals: modelTotals(p)}
}

// Func is the summary of a function: the work of each of its forms.
func Func(p *ir.FuncPlan) Table {
	t := Table{Kind: "fn", Name: p.Func.Name}
	for _, e := range p.Entries {
		name := codegen.FuncName(p.Func, e)
		t.Totals = append(t.Totals, Total{name + " products", stepFlops(e.Proc), "flops", ""})
		t.Totals = append(t.Totals, arena(name+" work", e.Arena)...)
	}
	return t
}

// rows is the model itself, then its instances in the order of the forward.
func rows(model *ir.Model, m *instances.Map) []Row {
	var paths []string
	add := func(path string) {
		for at := len(paths); path != ""; path = instances.Around(path) {
			if !slices.Contains(paths, path) {
				paths = slices.Insert(paths, at, path)
			}
		}
	}
	for _, n := range m.Order {
		add(m.Of[n])
	}
	own := Row{Params: ir.D(0), Flops: ir.D(0)}
	out := []Row{own}
	for _, path := range paths {
		row := Row{Path: path, Params: ir.D(0), Flops: ir.D(0)}
		for around := instances.Around(path); around != ""; around = instances.Around(around) {
			row.Depth++
		}
		out = append(out, row)
	}

	// An instance counts what is in it too; the model's row is without them.
	count := func(path string, f func(*Row)) {
		for i := range out {
			if i == 0 && path == "" || i > 0 && instances.Inside(path, out[i].Path) {
				f(&out[i])
			}
		}
	}
	for _, n := range m.Order {
		if m.Fixed[n] {
			continue
		}
		count(m.Of[n], func(r *Row) { r.Flops = r.Flops.Add(Flops(n)) })
		if n.Op.Class == ir.Leaf {
			continue
		}
		for path := m.Of[n]; path != "" && m.Leaves(n, path); path = instances.Around(path) {
			i := slices.IndexFunc(out, func(r Row) bool { return r.Path == path })
			out[i].Output = appended(out[i].Output, n.Type.Shape.String())
		}
	}
	for _, p := range model.Params {
		path := m.Of[p.Node]
		count(path, func(r *Row) { r.Params = r.Params.Add(p.Node.Type.Shape.Size()) })
	}
	slices.SortStableFunc(out[1:], func(a, b Row) int { return slices.Index(paths, a.Path) - slices.Index(paths, b.Path) })
	return nested(out)
}

// nested puts rows behind the row of the instance around them.
func nested(rows []Row) []Row {
	below := map[string][]Row{}
	for _, r := range rows[1:] {
		around := instances.Around(r.Path)
		below[around] = append(below[around], r)
	}
	out := rows[:1:1]
	var put func(path string)
	put = func(path string) {
		for _, r := range below[path] {
			out = append(out, r)
			put(r.Path)
		}
	}
	put("")
	return out
}

// appended is a list of shapes with one more, unless it is the last.
func appended(list, shape string) string {
	if list == "" || list == shape {
		return shape
	}
	return list + ", " + shape
}
