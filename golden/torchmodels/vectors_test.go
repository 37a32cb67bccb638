// Package torchmodels compares with PyTorch: the optimisers of golden/optimisers and
// golden/rules step by step and the models of golden/models as wholes, all in
// their emitted packages, and the library's functions one by one, in the
// interpreter. The scripts in testdata made the vectors; the tests read what
// they wrote and need neither Python nor PyTorch.
package torchmodels

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A tensor is one of a file, its elements in float64.
type tensor struct {
	shape []int
	data  []float64
}

// at is the part of t at an index of its first axis.
func (t tensor) at(i int) []float64 {
	n := len(t.data) / t.shape[0]
	return t.data[i*n : (i+1)*n]
}

// vectors is a file of testdata, or one that a model wrote.
type vectors map[string]tensor

// open reads a file of testdata; it is also returned as it is.
func open(t *testing.T, name string) (vectors, []byte) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := parse(file)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v, file
}

// parse reads a safetensors file. It shares no code with the runtime.
func parse(file []byte) (vectors, error) {
	n := binary.LittleEndian.Uint64(file)
	var header map[string]json.RawMessage
	if err := json.Unmarshal(file[8:8+n], &header); err != nil {
		return nil, err
	}
	delete(header, "__metadata__")
	out := vectors{}
	for name, text := range header {
		var entry struct {
			DType   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(text, &entry); err != nil {
			return nil, err
		}
		data, err := decode(entry.DType, file[8+n:][entry.Offsets[0]:entry.Offsets[1]])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = tensor{entry.Shape, data}
	}
	return out, nil
}

// decode is the elements of a type of safetensors.
func decode(dtype string, data []byte) ([]float64, error) {
	var out []float64
	switch dtype {
	case "F64":
		out = make([]float64, len(data)/8)
		return out, binary.Read(bytes.NewReader(data), binary.LittleEndian, out)
	case "I32":
		ints := make([]int32, len(data)/4)
		err := binary.Read(bytes.NewReader(data), binary.LittleEndian, ints)
		for _, i := range ints {
			out = append(out, float64(i))
		}
		return out, err
	}
	return nil, fmt.Errorf("type %s", dtype)
}

// of is the tensors below a name, such as "weights", by the rest of theirs.
func (v vectors) of(kind string) vectors {
	out := vectors{}
	for name, x := range v {
		if rest, ok := strings.CutPrefix(name, kind+"/"); ok {
			out[rest] = x
		}
	}
	return out
}

// at is the input of a step.
func (v vectors) at(name string, step int) []float64 { return v["input/"+name].at(step) }

// ints is the input of a step, of integers.
func (v vectors) ints(name string, step int) []int32 {
	var out []int32
	for _, x := range v.at(name, step) {
		out = append(out, int32(x))
	}
	return out
}

// same reports each tensor of want that have lacks or has with other elements,
// and what have has besides.
func same(t *testing.T, what string, have, want vectors, tolerance float64) {
	t.Helper()
	for _, name := range sorted(want) {
		x, ok := have[name]
		if !ok {
			t.Errorf("%s has no %s", what, name)
			continue
		}
		if text := differ(x.data, want[name].data, tolerance); text != "" {
			t.Errorf("%s %s: %s", what, name, text)
		}
	}
	for _, name := range sorted(have) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: PyTorch has no %s", what, name)
		}
	}
}

func sorted(v vectors) []string {
	var names []string
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// differ says where have is not want, up to tolerance, of elements above 1
// relatively; "" where it is nowhere.
func differ(have, want []float64, tolerance float64) string {
	if len(have) != len(want) {
		return fmt.Sprintf("%d elements, want %d", len(have), len(want))
	}
	for i, w := range want {
		if d := math.Abs(have[i] - w); !(d <= tolerance*max(1, math.Abs(w))) {
			return fmt.Sprintf("element %d is %v, want %v, off by %.3g", i, have[i], w, d)
		}
	}
	return ""
}
