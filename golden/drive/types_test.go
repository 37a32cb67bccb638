package drive

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/golden/mixed"
	"gradgen.dev/runtime/fault"
	"gradgen.dev/runtime/store"
)

// scaled is a model of parameters of two types after some steps, and a batch.
func scaled(t *testing.T) (*mixed.Scaled, mixed.ScaledBatch) {
	t.Helper()
	m := mixed.NewScaled(mixed.ScaledDims{B: 2})
	m.Init(3)
	batch := mixed.ScaledBatch{X: []float32{1, -2, 0.5, 0.25, -1, 0.75, 2, -0.5}, Y: []float32{1, 0, -1, 0.5, 2, -2}}
	for range 3 {
		if _, err := m.Step(batch); err != nil {
			t.Fatal(err)
		}
	}
	return m, batch
}

// dtypes is the element types of the tensors of a safetensors file.
func dtypes(t *testing.T, file []byte) map[string]string {
	t.Helper()
	var header map[string]struct {
		DType string `json:"dtype"`
	}
	if err := json.Unmarshal(file[8:8+binary.LittleEndian.Uint64(file)], &header); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for name, e := range header {
		out[name] = e.DType
	}
	return out
}

// TestTypesOfFiles has each tensor, and what an optimiser and an average keep of
// it, in its own type.
func TestTypesOfFiles(t *testing.T) {
	m, _ := scaled(t)
	var weights, checkpoint bytes.Buffer
	if err := errors.Join(m.Save(&weights), m.Checkpoint(&checkpoint)); err != nil {
		t.Fatal(err)
	}
	inWeights, inCheckpoint := dtypes(t, weights.Bytes()), dtypes(t, checkpoint.Bytes())
	for name, want := range map[string]string{"s": "F64", "W": "F32", "enc.g": "F64", "enc.h": "F32"} {
		if have := inWeights[name]; have != want {
			t.Errorf("Save writes %s as %s, want %s", name, have, want)
		}
		for _, key := range []string{name, "optimizer/" + name + ".m", "optimizer/" + name + ".v", "optimizer/" + name + ".average", "trainer/sum/" + name} {
			if have := inCheckpoint[key]; have != want {
				t.Errorf("Checkpoint writes %s as %q, want %s", key, have, want)
			}
		}
	}
	if have := inWeights["target.g"]; have != "F64" {
		t.Errorf("Save writes the copy target.g as %s, want F64", have)
	}

	// A file with another type says which tensor differs, and changes nothing.
	var narrow, before, after bytes.Buffer
	err := errors.Join(store.Write(&narrow, nil, store.Tensor{Name: "s", Shape: []int{3}, Data: []float32{1, 2, 3}}), m.Checkpoint(&before))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = m.LoadPartial(&narrow, nil)
	if !errors.Is(err, fault.ErrMismatch) || !strings.Contains(err.Error(), `tensor "s" is F32[3], want F64[3]`) {
		t.Errorf("LoadPartial of another type: error %v", err)
	}
	if err := m.Checkpoint(&after); err != nil || !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Errorf("LoadPartial of another type changes the model, error %v", err)
	}

	// What a file lacks stays, of both types.
	var part bytes.Buffer
	if err := store.Write(&part, nil, store.Tensor{Name: "s", Shape: []int{3}, Data: []float64{1, 2, 1 + 1e-12}}); err != nil {
		t.Fatal(err)
	}
	w := slices.Clone(m.Params().W)
	missing, _, err := m.LoadPartial(&part, nil)
	if err != nil || !slices.Contains(missing, "W") || !slices.Equal(m.Params().W, w) || !slices.Equal(m.Params().S, []float64{1, 2, 1 + 1e-12}) {
		t.Errorf("LoadPartial gives %v and %v, lacks %v, error %v", m.Params().S, m.Params().W, missing, err)
	}
}

// TestTypesOfParams has both types in the norm, and a Params without memory
// refused.
func TestTypesOfParams(t *testing.T) {
	m, batch := scaled(t)
	grad := mixed.NewScaledParams()
	report, err := m.Grad(grad, batch)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range grad.Flat() {
		sum += float64(v) * float64(v)
	}
	narrow := sum
	for _, v := range grad.Flat64() {
		sum += v * v
	}
	if narrow == 0 || narrow == sum || math.Abs(report.GradNorm-math.Sqrt(sum)) > 1e-12*report.GradNorm {
		t.Errorf("the norm is %v, want %v, of which float32 has %v", report.GradNorm, math.Sqrt(sum), math.Sqrt(narrow))
	}
	var wrong *fault.InputError
	if _, err := m.Grad(&mixed.ScaledParams{}, batch); !errors.As(err, &wrong) {
		t.Errorf("Grad into a Params without memory: error %v", err)
	}

	// All of a model may be of the other type than its default.
	wide := mixed.NewWideParams()
	if len(wide.Flat()) != 0 || len(wide.Flat64()) != len(wide.V)+len(wide.B) {
		t.Errorf("Flat has %d elements and Flat64 %d, want 0 and %d", len(wide.Flat()), len(wide.Flat64()), len(wide.V)+len(wide.B))
	}
	trainer := mixed.NewWide(mixed.WideDims{B: 1})
	if _, err := trainer.Grad(&mixed.WideParams{}, mixed.WideBatch{X: make([]float32, 4)}); !errors.As(err, &wrong) {
		t.Errorf("Grad into a Params without memory: error %v", err)
	}
}
