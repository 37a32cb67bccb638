package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/runtime/fault"
	"gradgen.dev/runtime/store"
)

// readers are all ways to read the tensors of a list.
var readers = map[string]func(file []byte, list []store.Tensor) (map[string]string, error){
	"Read": func(file []byte, list []store.Tensor) (map[string]string, error) {
		return store.Read(bytes.NewReader(file), list...)
	},
	"ReadChecked": func(file []byte, list []store.Tensor) (map[string]string, error) {
		return store.ReadChecked(bytes.NewReader(file), list...)
	},
	"ReadPartial": func(file []byte, list []store.Tensor) (map[string]string, error) {
		_, _, err := store.ReadPartial(bytes.NewReader(file), nil, list...)
		return map[string]string{"k": "v"}, err
	},
}

// TestSeal: every reader verifies a seal and keeps it to itself; a single bit
// that is flipped anywhere is an error, and nothing has changed.
func TestSeal(t *testing.T) {
	var out bytes.Buffer
	meta := map[string]string{"k": "v"}
	if err := store.WriteChecked(&out, meta, sample()...); err != nil {
		t.Fatal(err)
	}
	for name, read := range readers {
		got := blank()
		m, err := read(out.Bytes(), got)
		if err != nil || !reflect.DeepEqual(got, sample()) || !maps.Equal(m, meta) {
			t.Fatalf("%s: read %v, metadata %v, error %v", name, got, m, err)
		}
		for i := range 8 * out.Len() {
			file := slices.Clone(out.Bytes())
			file[i/8] ^= 1 << (i % 8)
			got := blank()
			_, err := read(file, got)

			// For ReadPartial, a tensor whose name has changed is missing, which is
			// no error of its own, but the sum differs.
			if !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrVersion) && !errors.Is(err, fault.ErrMismatch) {
				t.Fatalf("%s: bit %d flipped: error is %v", name, i, err)
			}
			if !reflect.DeepEqual(got, blank()) {
				t.Fatalf("%s: bit %d flipped: tensors have changed", name, i)
			}
		}
	}
	if _, err := store.ReadChecked(bytes.NewReader(write(t, nil))); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a file without a checksum: error is %v", err)
	}
}

// TestVersion reads files of other versions of the format.
func TestVersion(t *testing.T) {
	for version, want := range map[string]error{
		"1": store.ErrDamaged, // without a checksum
		"2": store.ErrVersion, "10": store.ErrVersion, strings.Repeat("9", 30): store.ErrVersion,
		"0": store.ErrDamaged, "": store.ErrDamaged, "-1": store.ErrDamaged, "1.0": store.ErrDamaged,
	} {
		file := raw(fmt.Sprintf(`{"__metadata__":{"gradgen.version":%q}}`, version), "")
		if _, err := store.Read(bytes.NewReader(file)); !errors.Is(err, want) {
			t.Errorf("version %q: error is %v, want %v", version, err, want)
		}
		if _, err := store.Parse(file); !errors.Is(err, want) {
			t.Errorf("version %q: in memory, error is %v, want %v", version, err, want)
		}
	}
	_, err := store.Read(bytes.NewReader(raw(`{"__metadata__":{"gradgen.version":"2"}}`, "")))
	if want := "store: file of a later version: it has version 2 of the format, this runtime reads up to 1: go get gradgen.dev@latest"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %q", err, want)
	}
}

// TestSealRewritten: a program that changes a file and keeps its metadata is told
// what is wrong.
func TestSealRewritten(t *testing.T) {
	file := raw(`{"__metadata__":{"gradgen.crc64": "0123456789abcdef","gradgen.version":"1"}}`, "")
	_, err := store.Read(bytes.NewReader(file))
	if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), `the file says "0123456789abcdef" (a program that changes a file has to leave out its metadata gradgen.*`) {
		t.Errorf("error is %v", err)
	}
	for _, key := range []string{"gradgen.crc64", "gradgen.version"} {
		for _, write := range []func(io.Writer, map[string]string, ...store.Tensor) error{store.Write, store.WriteChecked} {
			if err := write(io.Discard, map[string]string{key: "1"}); err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("metadata %q is written, error %v", key, err)
			}
		}
	}
}
