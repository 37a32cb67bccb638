package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/runtime/fault"
	"gradgen.dev/runtime/store"
)

// sample has a tensor of every type, among them a scalar and an empty one.
func sample() []store.Tensor {
	return []store.Tensor{
		{Name: "flags", Shape: []int{3}, Data: []bool{true, false, true}},
		{Name: "block.0.W", Shape: []int{2, 3}, Data: []float32{1, -2, float32(math.Inf(1)), 4, 5e-45, 6}},
		{Name: "lr", Shape: []int{}, Data: []float64{0.125}},
		{Name: "nothing", Shape: []int{0, 7}, Data: []float32{}},
		{Name: "y", Shape: []int{2}, Data: []int32{-1, math.MaxInt32}},
		{Name: "z", Shape: []int{1, 2}, Data: []int64{math.MinInt64, 7}},
		{Name: "step<1>", Shape: nil, Data: []uint64{math.MaxUint64}},
	}
}

// blank has the same tensors as sample, with zeros in them.
func blank() []store.Tensor {
	list := sample()
	for i := range list {
		list[i].Data = reflect.MakeSlice(reflect.TypeOf(list[i].Data), reflect.ValueOf(list[i].Data).Len(), reflect.ValueOf(list[i].Data).Len()).Interface()
	}
	return list
}

func write(t *testing.T, meta map[string]string, tensors ...store.Tensor) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := store.Write(&out, meta, tensors...); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	meta := map[string]string{"model": "mlp <x & y> “é”\n", "a": ""}
	file := write(t, meta, sample()...)
	in := bytes.NewReader(append(slices.Clone(file), "what follows the file"...))
	got := blank()
	m, err := store.Read(in, got...)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(m, meta) {
		t.Errorf("metadata is %v, want %v", m, meta)
	}
	if !reflect.DeepEqual(got, sample()) {
		t.Errorf("read %v, want %v", got, sample())
	}
	if rest, _ := io.ReadAll(in); string(rest) != "what follows the file" {
		t.Errorf("Read stopped before %q", rest)
	}
}

func TestWriteGolden(t *testing.T) {
	file := write(t, map[string]string{"z": "1", "a": "2"},
		store.Tensor{Name: "w", Shape: []int{2}, Data: []float32{1, 2}},
		store.Tensor{Name: "n", Shape: []int{}, Data: []uint64{3}})
	header := `{"__metadata__":{"a":"2","z":"1"},"n":{"dtype":"U64","shape":[],"data_offsets":[0,8]},` +
		`"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	want = append(want, header...)
	want = append(want, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40)
	if !bytes.Equal(file, want) {
		t.Errorf("wrote\n%q\nwant\n%q", file, want)
	}
}

func TestReadMismatch(t *testing.T) {
	file := write(t, nil, sample()...)
	change := func(i int, f func(*store.Tensor)) []store.Tensor {
		list := blank()
		f(&list[i])
		return list
	}
	cases := []struct {
		tensors []store.Tensor
		want    string
	}{
		{blank()[1:], `it has "flags", which the model has not`},
		{append(blank(), store.Tensor{Name: "V", Data: []float32{0}}), `it lacks "V"`},
		{change(1, func(t *store.Tensor) { t.Name = "W" }), `it lacks "W"; it has "block.0.W", which`},
		{change(1, func(t *store.Tensor) { t.Shape = []int{3, 2} }), `tensor "block.0.W" is F32[2 3], want F32[3 2]`},
		{change(2, func(t *store.Tensor) { t.Data = []int64{0} }), `tensor "lr" is F64[], want I64[]`},
		{nil, `it has "block.0.W", "flags", "lr", "nothing", 3 more, which`},
	}
	for _, c := range cases {
		_, err := store.Read(bytes.NewReader(file), c.tensors...)
		if !errors.Is(err, fault.ErrMismatch) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %q, want %q", err, c.want)
		}
	}
}

// TestReadChangesNothing cuts a file off at every length.
func TestReadChangesNothing(t *testing.T) {
	file := write(t, map[string]string{"k": "v"}, sample()...)
	for n := range file {
		got := blank()
		meta, err := store.Read(bytes.NewReader(file[:n]), got...)
		if !errors.Is(err, store.ErrDamaged) || meta != nil {
			t.Fatalf("cut off at %d of %d: error is %v", n, len(file), err)
		}
		if !reflect.DeepEqual(got, blank()) {
			t.Fatalf("cut off at %d of %d: tensors have changed", n, len(file))
		}
	}
}

// TestReaderError tells a failing disk from a damaged file.
func TestReaderError(t *testing.T) {
	broken := errors.New("disk on fire")
	file := write(t, nil, sample()...)
	for _, n := range []int{0, 4, 20, len(file) - 1} {
		r := io.MultiReader(bytes.NewReader(file[:n]), iotestErr{broken})
		if _, err := store.Read(r, blank()...); !errors.Is(err, broken) || errors.Is(err, store.ErrDamaged) {
			t.Errorf("after %d bytes: error is %v", n, err)
		}
	}
}

type iotestErr struct{ err error }

func (e iotestErr) Read([]byte) (int, error) { return 0, e.err }

// raw is a file with this header and data.
func raw(header, data string) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), data...)
}

var hostile = map[string][]byte{
	"a header beyond the file":    append(binary.LittleEndian.AppendUint64(nil, 90_000_000), "{}"...),
	"a header beyond memory":      append(binary.LittleEndian.AppendUint64(nil, 1<<63), "{}"...),
	"no object":                   raw(`[]`, ""),
	"text behind the object":      raw(`{}{}`, ""),
	"a tensor twice":              raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "xy"),
	"a key twice":                 raw(`{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "x"),
	"metadata twice":              raw(`{"__metadata__":{"k":"1","k":"2"}}`, ""),
	"metadata that is no string":  raw(`{"__metadata__":{"k":1}}`, ""),
	"an unknown key":              raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}`, "x"),
	"a negative extent":           raw(`{"a":{"dtype":"U8","shape":[-1,-1],"data_offsets":[0,1]}}`, "x"),
	"a fractional extent":         raw(`{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}`, "x"),
	"a shape that is null":        raw(`{"a":{"dtype":"U8","shape":null,"data_offsets":[0,1]}}`, "x"),
	"an overflowing shape":        raw(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, ""),
	"an offset before the data":   raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}`, "x"),
	"an end before its beginning": raw(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,-1]}}`, "x"),
	"three offsets":               raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}`, "x"),
	"overlapping tensors":         raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, "xyz"),
	"a gap":                       raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "xy"),
	"a length that is no shape's": raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, "xxxx"),
	"deep nesting":                raw(`{"a":{"shape":`+strings.Repeat("[", 20000)+`}}`, ""),
	"nothing":                     {},
}

func TestHostile(t *testing.T) {
	for name, file := range hostile {
		if _, err := store.Read(bytes.NewReader(file)); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: error is %v", name, err)
		}
		if _, _, err := store.ReadPartial(bytes.NewReader(file), nil); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: partially: error is %v", name, err)
		}
	}
	bad := raw(`{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}`, "x")
	flag := []bool{false}
	if _, err := store.Read(bytes.NewReader(bad), store.Tensor{Name: "a", Shape: []int{1}, Data: flag}); !errors.Is(err, store.ErrDamaged) || flag[0] {
		t.Errorf("a bool of 120: error is %v", err)
	}
}

// TestHostileMemory lets a header of a few bytes promise 90 MB.
func TestHostileMemory(t *testing.T) {
	file := hostile["a header beyond the file"]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := store.Read(bytes.NewReader(file)); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 100_000 {
		t.Errorf("reading a file of %d bytes takes %d bytes", len(file), n)
	}
}

func TestWriteRefuses(t *testing.T) {
	one := []float32{1}
	cases := map[string][]store.Tensor{
		"a name twice":            {{Name: "a", Data: one}, {Name: "a", Data: one}},
		"the metadata's name":     {{Name: "__metadata__", Data: one}},
		"another length":          {{Name: "a", Shape: []int{2}, Data: one}},
		"a negative shape":        {{Name: "a", Shape: []int{-1, -1}, Data: one}},
		"a type that is not here": {{Name: "a", Shape: []int{1}, Data: []string{"x"}}},
		"a name beyond UTF-8":     {{Name: "\xff", Data: one}},
	}
	for name, tensors := range cases {
		var out bytes.Buffer
		if err := store.Write(&out, nil, tensors...); err == nil || out.Len() > 0 {
			t.Errorf("%s: error is %v, %d bytes are written", name, err, out.Len())
		}
	}
	if err := store.Write(io.Discard, map[string]string{"k": "\xff"}); err == nil {
		t.Error("metadata beyond UTF-8 is written")
	}
}

func TestReadPartial(t *testing.T) {
	file := write(t, nil,
		store.Tensor{Name: "old.W", Shape: []int{2}, Data: []float32{1, 2}},
		store.Tensor{Name: "head", Shape: []int{1}, Data: []float32{3}},
		store.Tensor{Name: "b", Shape: []int{1}, Data: []float32{4}})
	W, b, extra := make([]float32, 2), make([]float32, 1), []float32{9}
	rename := func(s string) string {
		if s == "head" {
			return ""
		}
		return strings.TrimPrefix(s, "old.")
	}
	missing, unused, err := store.ReadPartial(bytes.NewReader(file), rename,
		store.Tensor{Name: "W", Shape: []int{2}, Data: W},
		store.Tensor{Name: "b", Shape: []int{1}, Data: b},
		store.Tensor{Name: "extra", Shape: []int{1}, Data: extra})
	if err != nil || !slices.Equal(missing, []string{"extra"}) || !slices.Equal(unused, []string{"head"}) {
		t.Errorf("missing %q, unused %q, error %v", missing, unused, err)
	}
	if W[1] != 2 || b[0] != 4 || extra[0] != 9 {
		t.Errorf("read %v %v %v", W, b, extra)
	}

	_, _, err = store.ReadPartial(bytes.NewReader(file), nil, store.Tensor{Name: "b", Shape: []int{2}, Data: W})
	if !errors.Is(err, fault.ErrMismatch) {
		t.Errorf("another shape: error is %v", err)
	}
}

// seed adds good and hostile files to a fuzz target.
func seed(f *testing.F) {
	meta := map[string]string{"k": "v"}
	for _, write := range []func(io.Writer, map[string]string, ...store.Tensor) error{store.Write, store.WriteChecked} {
		var out bytes.Buffer
		if err := write(&out, meta, sample()...); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	for _, name := range slices.Sorted(maps.Keys(hostile)) {
		f.Add(hostile[name])
	}
}

// FuzzRead feeds arbitrary files to the readers: no panic, and nothing changes
// on error.
func FuzzRead(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, read := range []func(io.Reader, ...store.Tensor) error{
			func(r io.Reader, list ...store.Tensor) error { _, err := store.Read(r, list...); return err },
			func(r io.Reader, list ...store.Tensor) error { _, err := store.ReadChecked(r, list...); return err },
			func(r io.Reader, list ...store.Tensor) error {
				_, _, err := store.ReadPartial(r, nil, list...)
				return err
			},
		} {
			got := blank()
			if err := read(bytes.NewReader(file), got...); err != nil && !reflect.DeepEqual(got, blank()) {
				t.Errorf("tensors have changed after %v", err)
			}
		}
	})
}

// TestBelow: a number that is not below the bound of its tensor is an error, before
// anything changes.
func TestBelow(t *testing.T) {
	file := write(t, nil, store.Tensor{Name: "a", Shape: []int{1}, Data: []float32{1}}, store.Tensor{Name: "n", Shape: []int{2}, Data: []uint64{4, 5}})
	for below, want := range map[uint64]string{0: "", 6: "", 5: `store: file does not match the model: tensor "n" has 5, want at most 4`, 1: `has 4, want at most 0`} {
		a, n := []float32{0}, []uint64{0, 0}
		_, err := store.Read(bytes.NewReader(file), store.Tensor{Name: "a", Shape: []int{1}, Data: a}, store.Tensor{Name: "n", Shape: []int{2}, Data: n, Below: below})
		switch {
		case want == "" && (err != nil || n[1] != 5):
			t.Errorf("below %d: read %v, error %v", below, n, err)
		case want != "" && (!errors.Is(err, fault.ErrMismatch) || !strings.Contains(err.Error(), want) || a[0] != 0 || n[0] != 0):
			t.Errorf("below %d: read %v and %v, error %v, want %q", below, a, n, err, want)
		}
	}
}

// TestOpenExtents: where a tensor leaves extents open, the file's are taken, as
// far as there is memory.
func TestOpenExtents(t *testing.T) {
	var file bytes.Buffer
	if err := store.Write(&file, nil, store.Tensor{Name: "h", Shape: []int{3, 2}, Data: []float32{1, 2, 3, 4, 5, 6}}); err != nil {
		t.Fatal(err)
	}
	read := func(data []float32, shape ...int) error {
		_, err := store.Read(bytes.NewReader(file.Bytes()), store.Tensor{Name: "h", Shape: shape, Data: data})
		return err
	}
	got := []float32{9, 9, 9, 9, 9, 9, 9, 9}
	if err := read(got, -1, 2); err != nil || !slices.Equal(got, []float32{1, 2, 3, 4, 5, 6, 9, 9}) {
		t.Errorf("read %v, error %v", got, err)
	}
	for _, shape := range [][]int{{-1, 3}, {-1}, {-1, 2, 1}} {
		if err := read(make([]float32, 8), shape...); !errors.Is(err, fault.ErrMismatch) {
			t.Errorf("shape %v: error %v", shape, err)
		}
	}
	small := []float32{7, 7, 7, 7}
	if err := read(small, -1, 2); !errors.Is(err, fault.ErrMismatch) || small[0] != 7 {
		t.Errorf("too little memory: error %v, read %v", err, small)
	}
}
