package torch

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// An emitted is a sample as Go text.
type emitted struct {
	*sample
	call  *call
	id    string // of its files and functions
	pkg   string
	files []codegen.File
	funcs []function
	err   error
}

// A function is an emitted function that a sample calls.
type function struct {
	name    string // Go's
	kind    string // value, vjp, jvp, grad or hvp
	wrt     []int  // the parameters that it is a derivative by
	outputs []int  // sizes of what it sets, in order
	dims    []int  // extents that it takes besides
	results []bool // for each result, whether it is returned
}

// patience is how long one sample may take to compile.
const patience = 2 * time.Minute

// emit compiles a sample to Go. Whatever goes wrong is kept with it.
func (e *emitted) emit(text func(results int, diff []int) string) {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("panic: %v", r)
			}
		}()
		done <- e.compile(text)
	}()
	select {
	case e.err = <-done:
	case <-time.After(patience):
		e.err = fmt.Errorf("more than %v to compile", patience)
	}
}

// compile runs the compiler on the program that text makes of how many results
// the call has, and which of them are differentiable.
func (e *emitted) compile(text func(results int, diff []int) string) error {
	results, diff, err := e.count()
	if err != nil {
		return err
	}
	program, err := elaborate(e.call.text + text(results, diff))
	if err != nil {
		return err
	}
	plan, err := passes.Compile(program)
	if err != nil {
		return err
	}
	e.files, err = codegen.Generate(plan, codegen.Options{Package: e.pkg, Source: e.id + ".dnn"})
	if err != nil {
		return err
	}
	for _, f := range plan.Funcs {
		for _, entry := range f.Entries {
			e.funcs = append(e.funcs, e.describe(f.Func, entry))
		}
	}
	return nil
}

// count is the number of results of the call, and the positions of those that
// are differentiable: all, where the others are left out.
func (e *emitted) count() (results int, diff []int, err error) {
	if len(e.outputs) == 1 {
		return 1, []int{0}, nil
	}
	value, err := elaborate(e.call.text + fmt.Sprintf("export fn %s(%s) = %s\n", e.id, strings.Join(e.call.params, ", "), e.call.expr))
	if err != nil {
		return 0, nil, err
	}
	results = len(value.Funcs[0].Results)
	switch results {
	case len(e.outputs):
		return results, e.diff, nil
	case len(e.diff):
		for i := range results {
			diff = append(diff, i)
		}
		return results, diff, nil
	}
	return 0, nil, fmt.Errorf("%d results, want %d or the %d that are differentiable", results, len(e.outputs), len(e.diff))
}

// describe is how an entry is called.
func (e *emitted) describe(f *ir.Func, entry *ir.FuncEntry) function {
	out := function{name: strings.ToUpper(f.Name[:1]) + f.Name[1:] + entry.Suffix, kind: entry.Kinds[0], wrt: entry.Params}
	for _, b := range entry.Outputs {
		n, err := b.Type.Shape.Size().Eval(sizes(f.Dims))
		if err != nil {
			panic(err)
		}
		out.outputs = append(out.outputs, n)
	}
	out.dims = e.dims(out.name)
	results := f.Results
	if out.kind != "value" && out.kind != "jvp" {
		results = []*ir.Node{f.Params[out.wrt[0]].Node}
	}
	for _, r := range results {
		out.results = append(out.results, r.Type.Rank() == 0)
	}
	return out
}

// sizes is the values of dimensions that are named by them.
func sizes(dims []ir.RunDim) map[string]int {
	out := map[string]int{}
	for _, d := range dims {
		n, err := strconv.Atoi(strings.TrimPrefix(d.Name, "D"))
		if err != nil {
			panic(err)
		}
		out[d.Name] = n
	}
	return out
}

// dims is the extents that an emitted function takes as arguments, which its
// text tells.
func (e *emitted) dims(name string) []int {
	var out []int
	header := regexp.MustCompile(`(?m)^func ` + name + `\(.*?(D\d+(?:, D\d+)*) int\b`)
	for _, f := range e.files {
		if m := header.FindSubmatch(f.Data); m != nil {
			for _, d := range strings.Split(string(m[1]), ", ") {
				n, err := strconv.Atoi(d[1:])
				if err != nil {
					panic(err)
				}
				out = append(out, n)
			}
		}
	}
	return out
}

// A refusal is the diagnostics of a program.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// elaborate is the meaning of a program; its errors are one, a refusal.
func elaborate(text string) (*ir.Program, error) {
	file, syntax := dsl.Parse("torch.dnn", []byte(text))
	program, meaning := dsl.Elaborate(file, dsl.Options{})
	if diags := append(syntax, meaning...); len(diags) > 0 {
		var b bytes.Buffer
		if err := dsl.Render(&b, diags); err != nil {
			return nil, err
		}
		return nil, &refusal{b.String()}
	}
	return program, nil
}
