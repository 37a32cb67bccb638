package dsl_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// TestSpec runs the programs of testdata/spec, which go through the language
// page rule by rule. In a file, programs are separated by lines `---`, and each
// starts with a comment that states its rules. What must hold is written in
// comments of four forms:
//
//	// f(x: [1, 2], y: 3) is [4, 5]        a fn's value; in order of its results
//	// M.loss(x: [1], W: [2]) is 3         a value of a model's training side
//	// M.infer.probs(x: [1]) is [0.5]      the same of its inference side
//	// M owns dense.W [4, 2], dense.b [2]  its parameters, in order
//	// M numbers lr 0.5                    its Hyper, in order
//	// M keeps m [3]                       its states, in order
//	// M carries h [B, 3]                  its carries, in order
//	// M trains W, d b                     what its trains update, with the loss of a named one
//	// M.export.f.result(z: [1]) is [2]    a value of an entry
//	// M.export.f.new.h(z: [1]) is [2]     the value that an entry leaves a carry
//	// M.update.d.W(grad W: 1) is 2        a parameter's new value by the loss d, then its
//	                                       states' and its average's
//	// M.clip.d() is 1                     the limit of a clip
//
// Parameters and states that a call leaves out have their first values of seed
// 1. Values agree within 1e-9 of their size.
func TestSpec(t *testing.T) {
	files, err := filepath.Glob("testdata/spec/*.dnn")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs", err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(src), "\n---\n") {
			t.Run(fmt.Sprintf("%s/%d", strings.TrimSuffix(filepath.Base(name), ".dnn"), i+1), func(t *testing.T) {
				runSpec(t, part)
			})
		}
	}
}

var (
	valueClaim = regexp.MustCompile(`^\s*// (\w[\w.]*)\((.*)\) is (.+)$`)
	listClaim  = regexp.MustCompile(`^\s*// (\w+) (owns|numbers|keeps|carries|trains) (.+)$`)
)

// runSpec elaborates one program and checks its claims.
func runSpec(t *testing.T, src string) {
	p := elaborated(t, "spec.dnn", src)
	if p == nil {
		return
	}
	claims := 0
	for _, line := range strings.Split(src, "\n") {
		if m := valueClaim.FindStringSubmatch(line); m != nil {
			checkValue(t, p, m[1], m[2], m[3])
			claims++
		} else if m := listClaim.FindStringSubmatch(line); m != nil {
			checkList(t, p, m[1], m[2], m[3])
			claims++
		}
	}
	if claims == 0 {
		t.Error("the program claims nothing")
	}
}

// elaborated is the program of a source without errors.
func elaborated(t *testing.T, name, src string) *ir.Program {
	t.Helper()
	f, diags := dsl.Parse(name, []byte(src))
	p, more := dsl.Elaborate(f, dsl.Options{})
	if diags = append(diags, more...); len(diags) > 0 {
		var b strings.Builder
		dsl.Render(&b, diags)
		t.Errorf("unexpected diagnostics:\n%s", b.String())
		return nil
	}
	return p
}

// checkList compares the paths and shapes, or the names and values, of what a
// model has.
func checkList(t *testing.T, p *ir.Program, model, verb, want string) {
	t.Helper()
	m := modelNamed(p, model)
	if m == nil {
		t.Errorf("no model %s", model)
		return
	}
	var have []string
	switch verb {
	case "owns":
		for _, q := range m.Params {
			have = append(have, q.Path+" "+q.Node.Type.Shape.String())
		}
	case "keeps":
		for _, s := range m.States {
			have = append(have, s.Path+" "+s.Node.Type.Shape.String())
		}
	case "carries":
		for _, s := range m.Carries {
			have = append(have, s.Path+" "+s.Node.Type.Shape.String())
		}
	case "trains":
		for _, tr := range m.Trains {
			for _, u := range tr.Updates {
				have = append(have, strings.TrimSpace(tr.Loss+" "+u.Param.Path))
			}
		}
	case "numbers":
		for _, h := range m.Hyper {
			have = append(have, fmt.Sprintf("%s %g", h.Name, h.Default))
		}
	}
	if want == "nothing" {
		want = ""
	}
	if got := strings.Join(have, ", "); got != want {
		t.Errorf("%s %s %s, want %s", model, verb, got, want)
	}
}

func modelNamed(p *ir.Program, name string) *ir.Model {
	for _, m := range p.Models {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// checkValue evaluates one claim about a value.
func checkValue(t *testing.T, p *ir.Program, what, args, want string) {
	t.Helper()
	e := &ir.Evaluator{Dims: map[string]int{}, Values: map[string]*ir.Tensor{}, Seed: 1}
	given := map[string]*ir.Tensor{}
	for _, a := range splitTop(args) {
		name, text, _ := strings.Cut(a, ":")
		given[strings.TrimSpace(name)] = parseTensor(t, text)
	}
	roots, err := rootsOf(p, e, what, given)
	if err != nil {
		t.Errorf("%s(%s): %v", what, args, err)
		return
	}
	if err := ir.Check(roots...); err != nil {
		t.Errorf("%s(%s): %v", what, args, err)
		return
	}
	got, err := e.EvalAll(passes.Gradient(p.Graph, roots...)...)
	if err != nil {
		t.Errorf("%s(%s): %v", what, args, err)
		return
	}
	for i, text := range splitTop(want) {
		if i >= len(got) {
			t.Errorf("%s(%s): more values claimed than the %d there are", what, args, len(got))
			break
		}
		if err := compare(got[i], parseTensor(t, text), 1e-9); err != nil {
			t.Errorf("%s(%s) is %v of shape %v: %v", what, args, got[i].Data, got[i].Shape, err)
		}
	}
}

// rootsOf finds what a claim is about and gives the leaves their values.
func rootsOf(p *ir.Program, e *ir.Evaluator, what string, given map[string]*ir.Tensor) ([]*ir.Node, error) {
	parts := strings.Split(what, ".")
	for _, f := range p.Funcs {
		if f.Name == parts[0] && len(parts) == 1 {
			for _, in := range f.Params {
				if err := setLeaf(e, "input", in.Name, in.Node.Type.Shape, given); err != nil {
					return nil, err
				}
			}
			return f.Results, nil
		}
	}
	m := modelNamed(p, parts[0])
	if m == nil || len(parts) < 2 {
		return nil, fmt.Errorf("nothing is called %s", what)
	}
	if err := setModel(e, m, given); err != nil {
		return nil, err
	}
	return modelRoots(m, parts[1:])
}

// setModel gives the leaves of a model their values.
func setModel(e *ir.Evaluator, m *ir.Model, given map[string]*ir.Tensor) error {
	for _, in := range m.Inputs {
		if err := setLeaf(e, "input", in.Name, in.Node.Type.Shape, given); err != nil {
			return err
		}
	}
	for _, h := range m.Hyper {
		e.Values["hyper "+h.Name] = &ir.Tensor{Shape: []int{}, Data: []float64{h.Default}}
	}
	for _, name := range []string{"step", "steps"} {
		if v := given[name]; v != nil {
			e.Values[name+" "+name] = v
		}
	}
	for _, q := range m.Params {
		if err := setInitial(e, "param", q.Path, q.Node, q.Init, given); err != nil {
			return err
		}
	}
	for _, s := range m.States {
		if err := setInitial(e, "state", s.Path, s.Node, s.Init, given); err != nil {
			return err
		}
	}
	for _, x := range m.Exports {
		for _, in := range x.Inputs {
			if err := setLeaf(e, "input", x.Name+"."+in.Name, in.Node.Type.Shape, prefixed(given, x.Name, in.Name)); err != nil {
				return err
			}
		}
	}
	for _, s := range m.Carries {
		// Without a dimension of its own an entry does not need the carry.
		if err := setInitial(e, "carry", s.Path, s.Node, s.Init, given); err != nil {
			delete(e.Values, "carry "+s.Path)
		}
	}
	for _, u := range m.Updates() {
		if g := given["grad "+u.Param.Path]; g != nil {
			e.Values["input grad "+u.Param.Path] = g
		}
		for _, w := range u.States {
			if err := setInitial(e, "state", w.State.Path, w.State.Node, w.State.Init, given); err != nil {
				return err
			}
		}
		if a := u.Average; a != nil {
			if err := setInitial(e, "state", a.State.Path, a.State.Node, a.State.Init, given); err != nil {
				return err
			}
		}
	}
	return nil
}

// prefixed is given with the value of an entry's input under its leaf's name too.
func prefixed(given map[string]*ir.Tensor, entry, name string) map[string]*ir.Tensor {
	if v := given[name]; v != nil {
		return map[string]*ir.Tensor{entry + "." + name: v}
	}
	return given
}

// setInitial gives a tensor its given value, or its first.
func setInitial(e *ir.Evaluator, op, path string, leaf, init *ir.Node, given map[string]*ir.Tensor) error {
	if v := given[path]; v != nil {
		e.Values[op+" "+path] = v
		return nil
	}
	first := &ir.Evaluator{Seed: e.Seed, Dims: e.Dims}
	v, err := first.Eval(init)
	e.Values[op+" "+path] = v
	return err
}

// setLeaf gives an input its value, and the dimensions in its shape theirs.
func setLeaf(e *ir.Evaluator, op, name string, shape ir.Shape, given map[string]*ir.Tensor) error {
	v := given[name]
	if v == nil {
		return nil
	}
	if len(v.Shape) != len(shape) {
		return fmt.Errorf("%s is %v, want %v", name, v.Shape, shape)
	}
	for i, d := range shape {
		vars := map[string]bool{}
		d.Vars(vars)
		if len(vars) == 1 && vars[d.String()] {
			e.Dims[d.String()] = v.Shape[i]
		}
	}
	e.Values[op+" "+name] = v
	return nil
}

// modelRoots finds a value of a model by its name.
func modelRoots(m *ir.Model, path []string) ([]*ir.Node, error) {
	side := m.Train
	if path[0] == "infer" {
		side, path = m.Infer, path[1:]
	}
	if path[0] == "export" {
		return exportRoots(m, path[1], strings.Join(path[2:], "."))
	}
	name := strings.Join(path, ".")
	if name == "loss" {
		return []*ir.Node{side.Loss("")}, nil
	}
	for _, list := range [][]ir.Named{side.Outputs, side.Losses, side.Metrics} {
		for _, o := range list {
			if o.Name == name {
				return []*ir.Node{o.Node}, nil
			}
		}
	}
	for _, w := range slices.Backward(side.Writes) {
		if "new."+w.State.Path == name {
			return []*ir.Node{w.Value}, nil
		}
	}
	for _, q := range m.Params {
		if "init."+q.Path == name {
			return []*ir.Node{q.Init}, nil
		}
	}
	for _, tr := range m.Trains {
		of := ""
		if tr.Loss != "" {
			of = "." + tr.Loss
		}
		if name == "clip"+of && tr.Clip != nil {
			return []*ir.Node{tr.Clip.Limit}, nil
		}
		for _, u := range tr.Updates {
			if "update"+of+"."+u.Param.Path == name {
				return updateRoots(u), nil
			}
		}
	}
	return nil, fmt.Errorf("the model has no %s", name)
}

// updateRoots is the new values of a parameter, of its states and of its average.
func updateRoots(u *ir.Update) []*ir.Node {
	roots := []*ir.Node{u.Next}
	for _, w := range u.States {
		roots = append(roots, w.Value)
	}
	if u.Average != nil {
		roots = append(roots, u.Average.Value)
	}
	return roots
}

// exportRoots finds a value of an entry by its name.
func exportRoots(m *ir.Model, entry, name string) ([]*ir.Node, error) {
	for _, x := range m.Exports {
		if x.Name != entry {
			continue
		}
		for _, r := range x.Results {
			if r.Name == name {
				return []*ir.Node{r.Node}, nil
			}
		}
		for _, w := range x.Writes {
			if "new."+w.State.Path == name {
				return []*ir.Node{w.Value}, nil
			}
		}
	}
	return nil, fmt.Errorf("no entry %s has %s", entry, name)
}

// splitTop cuts a text at the commas outside of brackets.
func splitTop(text string) []string {
	var out []string
	depth, start := 0, 0
	for i, r := range text {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case r == ',' && depth == 0:
			out = append(out, text[start:i])
			start = i + 1
		}
	}
	if strings.TrimSpace(text[start:]) != "" {
		out = append(out, text[start:])
	}
	return out
}

// parseTensor reads a number or nested lists of numbers.
func parseTensor(t *testing.T, text string) *ir.Tensor {
	t.Helper()
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "[") {
		return &ir.Tensor{Shape: []int{}, Data: []float64{parseNumber(t, text)}}
	}
	out := &ir.Tensor{Shape: []int{0}}
	for i, part := range splitTop(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")) {
		p := parseTensor(t, part)
		if i == 0 {
			out.Shape = append(out.Shape, p.Shape...)
		}
		out.Shape[0]++
		out.Data = append(out.Data, p.Data...)
	}
	return out
}

func parseNumber(t *testing.T, text string) float64 {
	t.Helper()
	switch text {
	case "true":
		return 1
	case "false":
		return 0
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%q is no number", text)
	}
	return v
}

// compare reports how two tensors differ by more than a tolerance relative to
// their size.
func compare(got, want *ir.Tensor, tolerance float64) error {
	if fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
		return fmt.Errorf("the shape is %v, want %v", got.Shape, want.Shape)
	}
	for i, w := range want.Data {
		g := got.Data[i]
		if math.IsNaN(w) && math.IsNaN(g) || g == w {
			continue
		}
		if !(math.Abs(g-w) <= tolerance*(1+math.Abs(w))) {
			return fmt.Errorf("element %d is %v, want %v", i, g, w)
		}
	}
	return nil
}
