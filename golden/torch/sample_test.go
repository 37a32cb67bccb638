package torch

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// A sample is one call of an operator with what PyTorch found.
type sample struct {
	op         string
	input      any
	args       []any
	kwargs     []setting
	outputs    []any
	diff       []int     // the outputs that are differentiable
	cotangents []*tensor // of the differentiable outputs
	grads      []any     // of the tensors with grad set, in order; nil where there is none
	line       []byte    // as it was read
}

// A setting is an argument by name.
type setting struct {
	name  string
	value any
}

// A tensor is a tensor of PyTorch, row by row.
type tensor struct {
	kind   string // float64, int64, …
	shape  []int
	values []float64
	grad   bool // it has a gradient
}

// load reads samples, one JSON object a line.
func load(t *testing.T, path string) []*sample {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	var out []*sample
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		s, err := parse(bytes.Clone(lines.Bytes()))
		if err != nil {
			t.Fatalf("%s, line %d: %v", path, len(out)+1, err)
		}
		out = append(out, s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// parse reads one sample.
func parse(line []byte) (*sample, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	v, err := read(d)
	if err != nil {
		return nil, err
	}
	s := &sample{line: line}
	for _, f := range v.([]setting) {
		switch f.name {
		case "op":
			s.op = f.value.(string)
		case "input":
			s.input = f.value
		case "args":
			s.args = f.value.([]any)
		case "kwargs":
			s.kwargs, _ = f.value.([]setting)
		case "outputs":
			s.outputs = f.value.([]any)
		case "grads":
			s.grads = f.value.([]any)
		case "diff_outputs":
			for _, x := range f.value.([]any) {
				s.diff = append(s.diff, int(number(x)))
			}
		case "cotangents":
			for _, x := range f.value.([]any) {
				s.cotangents = append(s.cotangents, x.(*tensor))
			}
		}
	}
	return s, nil
}

// read is the next value: objects are settings in their order, or what they
// stand for.
func read(d *json.Decoder) (any, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('['):
		out := []any{}
		for d.More() {
			v, err := read(d)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		_, err := d.Token()
		return out, err
	case json.Delim('{'):
		var out []setting
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := read(d)
			if err != nil {
				return nil, err
			}
			out = append(out, setting{name.(string), v})
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		return meaning(out)
	}
	return tok, nil
}

// meaning is what an object stands for: a tensor, a number that JSON lacks, or
// itself.
func meaning(fields []setting) (any, error) {
	has := func(name string) bool {
		return slices.ContainsFunc(fields, func(f setting) bool { return f.name == name })
	}
	switch {
	case has("f"):
		return number(fields[0].value), nil
	case has("t") && has("shape"):
		x := &tensor{}
		for _, f := range fields {
			switch f.name {
			case "t":
				x.kind = f.value.(string)
			case "rg":
				x.grad = f.value.(bool)
			case "shape":
				x.shape = []int{}
				for _, n := range f.value.([]any) {
					x.shape = append(x.shape, int(number(n)))
				}
			case "v":
				list, ok := f.value.([]any)
				if !ok {
					return nil, errors.New("a tensor without a list of values")
				}
				for _, v := range list {
					x.values = append(x.values, number(v))
				}
			}
		}
		if x.size() != len(x.values) {
			return nil, fmt.Errorf("%d values of shape %v", len(x.values), x.shape)
		}
		return x, nil
	}
	return fields, nil
}

// size is the number of elements.
func (x *tensor) size() int {
	n := 1
	for _, d := range x.shape {
		n *= d
	}
	return n
}

// number is a number of JSON, a bool as 0 or 1, or one of nan, inf and -inf.
func number(v any) float64 {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			panic(err)
		}
		return f
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		switch v {
		case "inf":
			return math.Inf(1)
		case "-inf":
			return math.Inf(-1)
		case "nan":
			return math.NaN()
		}
	}
	panic(fmt.Sprintf("%v is no number", v))
}
