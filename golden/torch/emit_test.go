package torch

import (
	"bytes"
	"errors"
	"fmt"
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
	kind    string // value, vjp or jvp
	wrt     []int  // the parameters that it is a derivative by
	outputs []int  // sizes of what it sets, in order
	results []bool // for each result, whether it is returned
}

// patience is how long one sample may take to compile.
const patience = 2 * time.Minute

// emit compiles a sample to Go. Whatever goes wrong is kept with it.
func emit(s *sample, c *call, id, pkg string) *emitted {
	e := &emitted{sample: s, call: c, id: id, pkg: pkg}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("panic: %v", r)
			}
		}()
		done <- e.compile()
	}()
	select {
	case e.err = <-done:
	case <-time.After(patience):
		e.err = fmt.Errorf("more than %v to compile", patience)
	}
	return e
}

// compile runs the compiler.
func (e *emitted) compile() error {
	results := 1
	if len(e.outputs) > 1 {
		value, err := elaborate(e.call.text + fmt.Sprintf("export fn %s(%s) = %s\n", e.id, strings.Join(e.call.params, ", "), e.call.expr))
		if err != nil {
			return err
		}
		results = len(value.Funcs[0].Results)
	}
	diff := e.diff
	if results < len(e.outputs) && results != len(diff) {
		return fmt.Errorf("%d results, want %d or the %d that are differentiable", results, len(e.outputs), len(diff))
	}
	if results == len(diff) {
		diff = nil // the others are left out
		for i := range results {
			diff = append(diff, i)
		}
	}
	program, err := elaborate(e.call.text + e.call.program(e.id, results, diff))
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

// describe is how an entry is called.
func (e *emitted) describe(f *ir.Func, entry *ir.FuncEntry) function {
	out := function{name: strings.ToUpper(f.Name[:1]) + f.Name[1:] + entry.Suffix, kind: entry.Kinds[0], wrt: entry.Params}
	for _, b := range entry.Outputs {
		n, _ := b.Type.Shape.Size().Const()
		out.outputs = append(out.outputs, n)
	}
	results := f.Results
	if out.kind == "vjp" {
		results = []*ir.Node{f.Params[out.wrt[0]].Node}
	}
	for _, r := range results {
		out.results = append(out.results, r.Type.Rank() == 0)
	}
	return out
}

// elaborate is the meaning of a program; its errors are one.
func elaborate(text string) (*ir.Program, error) {
	file, syntax := dsl.Parse("torch.dnn", []byte(text))
	program, meaning := dsl.Elaborate(file, dsl.Options{})
	if diags := append(syntax, meaning...); len(diags) > 0 {
		var b bytes.Buffer
		if err := dsl.Render(&b, diags); err != nil {
			return nil, err
		}
		return nil, errors.New(b.String())
	}
	return program, nil
}
