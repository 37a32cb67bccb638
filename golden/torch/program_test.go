package torch

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"gradgen.dev/dsl"
)

// prefix stands before the names of operators in .dnn text.
const prefix = "torch_"

// static ends the names of parameters that want integers known at compile time,
// where PyTorch has a tensor of them.
const static = "_list"

// A library is the operators that .dnn text defines.
type library struct {
	fns   map[string]*dsl.FnDecl
	texts map[string]string   // of each declaration
	words map[string][]string // the declared names in it
	files map[string]string   // where it stands, such as elementwise
}

// operators reads testdata/ops/*.dnn.
func operators(t *testing.T) *library {
	t.Helper()
	paths, err := filepath.Glob("testdata/ops/*.dnn")
	if err != nil {
		t.Fatal(err)
	}
	lib := &library{fns: map[string]*dsl.FnDecl{}, texts: map[string]string{}, words: map[string][]string{}, files: map[string]string{}}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, diags := dsl.Parse(path, text)
		for _, d := range diags {
			t.Error(d)
		}
		for _, d := range file.Decls {
			name, span := "", d.Where()
			switch d := d.(type) {
			case *dsl.FnDecl:
				name = d.Name.Name
				lib.fns[name] = d
			case *dsl.ConstDecl:
				name = d.Name.Name
			}
			if lib.texts[name] != "" {
				t.Errorf("%s: %s is declared twice", path, name)
			}
			lib.files[name] = strings.TrimSuffix(filepath.Base(path), ".dnn")
			lib.texts[name] = string(text[span.Start:span.End])
		}
	}
	for name, text := range lib.texts {
		for _, w := range word.FindAllString(text, -1) {
			if lib.texts[w] != "" && w != name && !slices.Contains(lib.words[name], w) {
				lib.words[name] = append(lib.words[name], w)
			}
		}
	}
	return lib
}

// word is an identifier.
var word = regexp.MustCompile(`\w+`)

// needed is the text of a declaration and of all that it refers to, sorted.
func (lib *library) needed(name string) string {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, w := range lib.words[name] {
			visit(w)
		}
	}
	visit(name)
	var texts []string
	for name := range seen {
		texts = append(texts, lib.texts[name])
	}
	sort.Strings(texts)
	return strings.Join(texts, "\n") + "\n"
}

// names is the operators that are defined, without the number of tensors that
// some end in.
func (lib *library) names() []string {
	var out []string
	for name := range lib.fns {
		if strings.HasPrefix(name, prefix) {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

// fnName is the name of an operator in .dnn text.
func fnName(op string) string {
	return prefix + strings.Trim(strings.ReplaceAll(op, ".", "_"), "_")
}

// A call is a sample as .dnn text.
type call struct {
	expr   string // the call of the operator
	text   string // the declarations that it needs
	params []string
	inputs []*tensor // of the parameters, in order
	listed int       // tensors that were passed one by one
	named  bool      // extents of more than 1 are run-time dimensions, D5 for 5
}

// call is the text of a sample's call; nil where the operator is not defined.
func (lib *library) call(s *sample, named bool) (*call, error) {
	c := &call{named: named}
	name := fnName(s.op)

	// Lists of tensors, and any number of them, are passed one by one.
	positional := slices.Concat(tensorsOrSelf(s.input), s.args)
	for _, a := range positional {
		if _, ok := a.(*tensor); ok {
			c.listed++
		}
	}
	f := lib.fns[name]
	if f == nil {
		f = lib.fns[name+"_"+strconv.Itoa(c.listed)]
	}
	if f == nil {
		return nil, nil
	}
	positional = gathered(positional, len(f.Params))
	var args []string
	add := func(p *dsl.Param, v any) error {
		text, err := c.argument(p, v)
		if err == nil && text != "" {
			args = append(args, p.Name.Name+": "+text)
		}
		return err
	}
	for i, v := range positional {
		if i >= len(f.Params) && v == nil {
			continue
		}
		if i >= len(f.Params) {
			return nil, fmt.Errorf("%s has no parameter for argument %d", f.Name.Name, i)
		}
		p := f.Params[i]
		if _, ok := v.(bool); ok && p.Name.Name == "dim" {
			p = f.Params[i+1] // std(x, unbiased) beside std(x, dim, unbiased)
		}
		if err := add(p, v); err != nil {
			return nil, err
		}
	}
	for _, k := range s.kwargs {
		i := slices.IndexFunc(f.Params, func(p *dsl.Param) bool {
			return p.Name.Name == k.name || p.Name.Name == k.name+static
		})
		if i < 0 {
			if k.value == nil {
				continue
			}
			if _, ok := k.value.([]setting); ok {
				continue // dtype: float64, which all is
			}
			return nil, fmt.Errorf("%s has no parameter %s", f.Name.Name, k.name)
		}
		if err := add(f.Params[i], k.value); err != nil {
			return nil, err
		}
	}
	c.text = lib.needed(f.Name.Name)
	c.expr = f.Name.Name + "(" + strings.Join(args, ", ") + ")"
	return c, nil
}

// tensorsOrSelf is the elements of a list of tensors, or the value.
func tensorsOrSelf(v any) []any {
	if list, ok := v.([]any); ok && len(list) > 0 {
		if _, ok := list[0].(*tensor); ok {
			return list
		}
	}
	return []any{v}
}

// gathered is arguments with numbers at the end that are too many, such as those
// of sum_to_size(1, 1), made one list.
func gathered(args []any, params int) []any {
	if len(args) <= params || params == 0 {
		return args
	}
	rest := args[params-1:]
	for _, v := range rest {
		if _, ok := v.(json.Number); !ok {
			return args
		}
	}
	return append(slices.Clone(args[:params-1]), any(slices.Clone(rest)))
}

// argument is the text of an argument, "" of none. A tensor is a parameter of
// the exported fn, unless the operator wants what it holds.
func (c *call) argument(p *dsl.Param, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case *tensor:
		if strings.HasSuffix(p.Name.Name, static) {
			return literals(v.values), nil
		}
		return c.parameter(v)
	case bool:
		return strconv.FormatBool(v), nil
	case string:
		return strconv.Quote(v), nil
	case float64:
		if p.Type != nil && p.Type.Text() == "string" {
			return strconv.Quote(literal(v)), nil // one of several names
		}
		return literal(v), nil
	case json.Number:
		return literal(number(v)), nil
	case []any:
		if len(v) == 0 && p.Default != nil {
			return "", nil // as if it were not given
		}
		list := make([]string, len(v))
		for i, x := range v {
			if x == nil {
				list[i] = "-1" // an extent that stays
				continue
			}
			text, err := c.argument(p, x)
			if err != nil {
				return "", err
			}
			list[i] = text
		}
		return "[" + strings.Join(list, ", ") + "]", nil
	case []setting:
		if len(v) == 1 && v[0].name == "dtype" {
			return "", nil
		}
	}
	return "", fmt.Errorf("%s: no text for %v", p.Name.Name, v)
}

// parameter adds a parameter of the exported fn.
func (c *call) parameter(x *tensor) (string, error) {
	elem := ""
	switch x.kind {
	case "float64", "float32":
	case "bool", "int64", "int32":
		elem = x.kind
	default:
		return "", fmt.Errorf("a tensor of %s", x.kind)
	}
	name := "x" + strconv.Itoa(len(c.inputs))
	var dims []string
	for _, d := range x.shape {
		text := strconv.Itoa(d)
		if c.named && d > 1 {
			text = "D" + text
		}
		dims = append(dims, text)
	}
	c.params = append(c.params, name+" ["+strings.Join(dims, ", ")+"]"+elem)
	c.inputs = append(c.inputs, x)
	return name, nil
}

// literals is a list of numbers.
func literals(values []float64) string {
	var list []string
	for _, v := range values {
		list = append(list, literal(v))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// literal is a number as .dnn text.
func literal(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(v, 'g', -1, 64)), "+")
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// wrt is the parameters that have a gradient, by position.
func (c *call) wrt() []int {
	var out []int
	for i, x := range c.inputs {
		if x.grad {
			out = append(out, i)
		}
	}
	return out
}

// program is the exported fns of a call: value for all results; where there are
// several, a second fn of the differentiable ones behind one another.
func (c *call) program(id string, results int, diff []int) string {
	var vjps, moved []string
	for _, i := range c.wrt() {
		vjps = append(vjps, fmt.Sprintf("vjp(x%d)", i))
		moved = append(moved, fmt.Sprintf("x%d", i))
	}
	if len(moved) > 0 {
		vjps = append(vjps, "jvp("+strings.Join(moved, ", ")+")")
	}
	params := strings.Join(c.params, ", ")
	if results == 1 {
		return fmt.Sprintf("export fn %s(%s) = %s\n    derive %s\n", id, params, c.expr, strings.Join(append([]string{"value"}, vjps...), ", "))
	}
	text := fmt.Sprintf("export fn %s(%s) = %s\n", id, params, c.expr)
	if len(vjps) == 0 {
		return text
	}
	var names, flat []string
	for i := range results {
		names = append(names, fmt.Sprintf("r%d", i))
	}
	for _, i := range diff {
		flat = append(flat, fmt.Sprintf("reshape(r%d, [-1])", i))
	}
	return text + fmt.Sprintf("export fn %sd(%s) {\n    %s = %s\n    return concat(%s)\n}\n    derive %s\n",
		id, params, strings.Join(names, ", "), c.expr, strings.Join(flat, ", "), strings.Join(vjps, ", "))
}
