package store_test

import (
	"bytes"
	"errors"
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

// views asks for the tensors of a list; into points to what is found.
func views(list []store.Tensor) (v []store.View, into []any) {
	for _, t := range list {
		p := reflect.New(reflect.TypeOf(t.Data)).Interface()
		v, into = append(v, store.View{Name: t.Name, Shape: t.Shape, Into: p}), append(into, p)
	}
	return v, into
}

// parsed are the tensors of a list with the data that Parse has set.
func parsed(list []store.Tensor, into []any) []store.Tensor {
	out := slices.Clone(list)
	for i := range out {
		out[i].Data = reflect.ValueOf(into[i]).Elem().Interface()
	}
	return out
}

func TestParse(t *testing.T) {
	meta := map[string]string{"k": "v"}
	var checked bytes.Buffer
	if err := store.WriteChecked(&checked, meta, sample()...); err != nil {
		t.Fatal(err)
	}
	for _, file := range [][]byte{write(t, meta, sample()...), checked.Bytes()} {
		// At every alignment, as bytes and as a string.
		room := make([]byte, len(file)+8)
		for shift := range 8 {
			copy(room[shift:], file)
			v, into := views(sample())
			got, err := store.Parse(room[shift:][:len(file)], v...)
			if err != nil || !maps.Equal(got, meta) || !reflect.DeepEqual(parsed(sample(), into), sample()) {
				t.Errorf("%d bytes from alignment, parsed %v, metadata %v, error %v", shift, parsed(sample(), into), got, err)
			}
			v, into = views(sample())
			if _, err := store.Parse(string(file), v...); err != nil || !reflect.DeepEqual(parsed(sample(), into), sample()) {
				t.Errorf("of a string, parsed %v, error %v", parsed(sample(), into), err)
			}
		}
	}
}

// TestParseViews: what is aligned is not copied.
func TestParseViews(t *testing.T) {
	if runtime.GOARCH == "s390x" || strings.HasSuffix(runtime.GOARCH, "ppc64") {
		t.Skip("a big-endian machine copies")
	}
	big := make([]float32, 1<<20)
	file := write(t, nil, store.Tensor{Name: "W", Shape: []int{1 << 20}, Data: big})
	var W []float32
	view := store.View{Name: "W", Shape: []int{1 << 20}, Into: &W}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := store.Parse(file, view); err != nil {
		t.Fatal(err)
	}
	text := string(file)
	runtime.ReadMemStats(&before)
	if _, err := store.Parse(text, view); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<16 {
		t.Errorf("4 MB take %d bytes", n)
	}

	// What changes in the file changes in the view, and no further.
	if _, err := store.Parse(file, view); err != nil {
		t.Fatal(err)
	}
	file[len(file)-1], file[len(file)-2] = 0x3f, 0x80
	if W[1<<20-1] != 1 || cap(W) != len(W) {
		t.Errorf("the last element is %v, the capacity %d", W[1<<20-1], cap(W))
	}
}

func TestParseErrors(t *testing.T) {
	check := func(name string, file []byte, v []store.View, want error, text string) {
		t.Helper()
		_, err := store.Parse(file, v...)
		if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error is %v, want %v with %q", name, err, want, text)
		}
	}
	for name, file := range hostile {
		check(name, file, nil, store.ErrDamaged, "")
	}
	file := write(t, nil, sample()...)
	v, into := views(sample())
	for n := range file {
		check("cut off", file[:n], v, store.ErrDamaged, "")
	}
	check("too long", append(slices.Clone(file), 0), v, store.ErrDamaged, "there are 1 bytes behind the tensors")
	check("one too few", file, v[1:], fault.ErrMismatch, `it has "flags", which the model has not`)
	check("one too many", file, append(slices.Clone(v), store.View{Name: "V", Into: new([]float32)}), fault.ErrMismatch, `it lacks "V"`)
	check("twice", file, append(slices.Clone(v), v[0]), nil, `tensor "flags" is asked for twice`)
	other := slices.Clone(v)
	other[1].Shape = []int{3, 2}
	check("another shape", file, other, fault.ErrMismatch, `tensor "block.0.W" is F32[2 3], want F32[3 2]`)
	other[1].Into = new([]string)
	check("another type", file, other, nil, "a *[]string cannot be set")
	other[1].Into, other[1].Shape = new([]int32), []int{math.MaxInt, 4}
	check("a huge shape", file, other, nil, "a shape of [")
	flags := raw(`{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}`, "x")
	check("a bool of 120", flags, []store.View{{Name: "a", Shape: []int{1}, Into: new([]bool)}}, store.ErrDamaged, "neither 0 nor 1")
	if !reflect.DeepEqual(parsed(blank(), into), parsed(blank(), func() []any { _, e := views(blank()); return e }())) {
		t.Error("slices have changed")
	}
}

// TestParseChecked flips every bit of a checked file.
func TestParseChecked(t *testing.T) {
	var out bytes.Buffer
	if err := store.WriteChecked(&out, nil, sample()...); err != nil {
		t.Fatal(err)
	}
	for i := range 8 * out.Len() {
		file := slices.Clone(out.Bytes())
		file[i/8] ^= 1 << (i % 8)
		v, _ := views(sample())
		if _, err := store.Parse(file, v...); err == nil {
			t.Fatalf("bit %d flipped: no error", i)
		}
	}
}

// FuzzParse compares Parse with Read on arbitrary files: both give the same
// tensors, or an error each.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		list := blank()
		r := bytes.NewReader(file)
		wantMeta, readErr := store.Read(r, list...)
		v, into := views(sample())
		meta, err := store.Parse(file, v...)
		if (err == nil) != (readErr == nil && r.Len() == 0) {
			t.Fatalf("Parse says %v, Read %v with %d bytes left", err, readErr, r.Len())
		}
		if err != nil {
			return
		}

		// Compared as bytes, since NaN differs from itself.
		if a, b := write(t, nil, list...), write(t, nil, parsed(sample(), into)...); !bytes.Equal(a, b) || !maps.Equal(meta, wantMeta) {
			t.Errorf("parsed %q, read %q", b, a)
		}
	})
}
