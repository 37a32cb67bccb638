package passes

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"gradgen.dev/ir"
)

// compileFunc plans an exported function: one procedure for the value and one
// for each derivative.
func compileFunc(g *ir.Graph, f *ir.Func) (*ir.FuncPlan, error) {
	plan := &ir.FuncPlan{Func: f}
	f = simplified(g, f)
	for _, e := range funcEntries(g, f) {
		if err := e.compile(g, f); err != nil {
			return nil, err
		}
		plan.Entries = append(plan.Entries, e.FuncEntry)
	}
	return plan, nil
}

// simplified is f with its results simplified, so that value and derivatives
// speak of the same values.
func simplified(g *ir.Graph, f *ir.Func) *ir.Func {
	out := *f
	out.Results = Simplify(g, Gradient(g, AsWritten(g, f.Results...)...)...)
	return &out
}

// funcEntry is an entry while it is planned: its results under their names.
type funcEntry struct {
	*ir.FuncEntry
	values []*ir.Node
	names  []string
}

// funcEntries lists the Go functions that a derive clause asks for.
func funcEntries(g *ir.Graph, f *ir.Func) []*funcEntry {
	var out []*funcEntry
	count := map[string]int{}
	for _, d := range f.Derive {
		count[d.Kind]++
	}
	value := len(f.Derive) == 0
	for _, d := range f.Derive {
		value = value || d.Kind == "value"
	}
	if value {
		e := &funcEntry{FuncEntry: &ir.FuncEntry{Kinds: []string{"value"}}, values: f.Results}
		for i := range f.Results {
			e.names = append(e.names, numbered("out", i))
		}
		out = append(out, e)
	}
	for _, d := range f.Derive {
		if d.Kind == "value" {
			continue
		}
		e := derived(g, f, d)
		if count[d.Kind] > 1 {
			for _, i := range d.Params {
				e.Suffix += raised(f.Params[i].Name)
			}
		}
		out = append(out, e)
		if d.Kind == "grad" && value {
			both := *e.FuncEntry
			both.Suffix, both.Kinds = "Value"+e.Suffix, []string{"value", "grad"}
			out = append(out, &funcEntry{FuncEntry: &both, values: append(slices.Clone(f.Results), e.values...), names: append([]string{"out"}, e.names...)})
		}
	}
	return out
}

func numbered(name string, i int) string {
	if i == 0 {
		return name
	}
	return fmt.Sprint(name, i+1)
}

// raised is a name behind another in Go: its first letter raised, with an X in
// front where the script has no case.
func raised(name string) string {
	name = localName(name)
	first, size := utf8.DecodeRuneInString(name)
	if upper := unicode.ToUpper(first); unicode.IsUpper(upper) {
		return string(upper) + name[size:]
	}
	return "X" + name
}

// derived is the entry of one derivation.
func derived(g *ir.Graph, f *ir.Func, d ir.Derivation) *funcEntry {
	e := &funcEntry{FuncEntry: &ir.FuncEntry{Kinds: []string{d.Kind}, Params: d.Params}}
	y := f.Results[0]
	vector := func(name string, t ir.Type) *ir.Node {
		if slices.ContainsFunc(f.Params, func(p ir.Named) bool { return p.Name == name }) {
			name += "_along" // a parameter is called so
		}
		n := g.Leaf("input", name, t)
		e.Extra = append(e.Extra, ir.Named{Name: name, Node: n})
		return n
	}
	single := len(d.Params) == 1
	name := func(short, long string, p ir.Named) string {
		if single {
			return short
		}
		return long + raised(p.Name)
	}
	for _, i := range d.Params {
		p := f.Params[i]
		x := p.Node
		switch d.Kind {
		case "grad":
			e.Suffix = "Grad"
			e.add(g.Must("grad", ir.Attr{}, y, x), name("grad", "grad", p))
		case "jacobian":
			e.Suffix = "Jacobian"
			e.add(g.Must("jacobian", ir.Attr{}, y, x), name("jac", "jac", p))
		case "hessian":
			e.Suffix = "Hessian"
			e.add(g.Must("hessian", ir.Attr{}, y, x), name("hess", "hess", p))
		case "vjp":
			e.Suffix = "VJP"
			if len(e.Extra) == 0 {
				vector("w", y.Type)
			}
			e.add(g.Must("vjp", ir.Attr{}, y, x, e.Extra[0].Node), "d"+p.Name)
		case "jvp":
			e.Suffix = "JVP"
			e.add(g.Must("jvp", ir.Attr{}, y, x, vector(name("v", "v", p), x.Type)), "dout")
		case "hvp":
			e.Suffix = "HVP"
			grad := g.Must("grad", ir.Attr{}, y, x)
			e.add(g.Must("jvp", ir.Attr{}, grad, x, vector(name("v", "v", p), x.Type)), name("hv", "hv", p))
		}
	}
	if d.Kind == "jvp" && len(e.values) > 1 {
		// The value moves along all parameters at once.
		sum := e.values[0]
		for _, v := range e.values[1:] {
			sum = g.Add(sum, v)
		}
		e.values, e.names = []*ir.Node{sum}, e.names[:1]
	}
	return e
}

func (e *funcEntry) add(n *ir.Node, name string) {
	e.values = append(e.values, n)
	e.names = append(e.names, name)
}

func (e *funcEntry) compile(g *ir.Graph, f *ir.Func) error {
	values := Lower(g, Simplify(g, Strip(g, Gradient(g, e.values...)...)...)...)
	names := newNaming(g)
	for _, d := range f.Dims {
		names.taken[d.Name] = true
	}
	pl := &planner{g: g, names: names, buffer: map[*ir.Node]*ir.Buffer{}}
	for _, p := range append(slices.Clone(f.Params), e.Extra...) {
		leaf := p.Node
		for leaf.Is("pin") || leaf.Is("bounded") {
			leaf = leaf.Args[0]
		}
		pl.buffer[leaf] = &ir.Buffer{Name: names.fresh(localName(p.Name)), Type: leaf.Type, Storage: ir.InInput, Key: p.Name}
		names.show(leaf, p.Name)
	}
	tables(pl, values)
	var targets []target
	for i, v := range values {
		t := target{node: v}
		if v.Type.Rank() > 0 {
			t.buffer = &ir.Buffer{Name: names.fresh(localName(e.names[i])), Type: v.Type, Storage: ir.InOutput, Key: e.names[i]}
			e.Outputs = append(e.Outputs, t.buffer)
		}
		targets = append(targets, t)
	}
	e.Proc = pl.procedure(localName(f.Name)+e.Suffix, targets, nil)
	if pl.err != nil {
		return &Error{f.Pos, "function " + f.Name + e.Suffix + ": " + pl.err.Error(), "not-compiled"}
	}
	e.Arena = place([]timeline{{e.Proc}})
	if len(e.Proc.Results) > 0 {
		e.Returns = e.Proc.Results[0]
	}
	return nil
}
