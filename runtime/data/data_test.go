package data_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/runtime/data"
)

// images is a file of two images of 2×3.
var images = append([]byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3}, 0, 1, 2, 3, 4, 5, 255, 51, 8, 9, 10, 11)

func TestReadIDX(t *testing.T) {
	r := bytes.NewReader(append(slices.Clone(images), "rest"...))
	x, err := data.ReadIDX(r)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(x.Shape, []int{2, 2, 3}) || !bytes.Equal(x.Data, images[16:]) || x.Width() != 6 {
		t.Errorf("read %+v", x)
	}
	if rest, _ := io.ReadAll(r); string(rest) != "rest" {
		t.Errorf("ReadIDX stopped before %q", rest)
	}
	if got := x.Unit()[6:8]; got[0] != 1 || got[1] != 0.2 {
		t.Errorf("255 and 51 become %v", got)
	}
	if got := x.Labels()[5:7]; got[0] != 5 || got[1] != 255 {
		t.Errorf("5 and 255 become %v", got)
	}
}

func TestReadIDXErrors(t *testing.T) {
	for n := range images {
		if _, err := data.ReadIDX(bytes.NewReader(images[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut off at %d: error is %v", n, err)
		}
	}
	for _, c := range []struct{ file, want string }{
		{"\x00\x01\x08\x01\x00\x00\x00\x00", "not an IDX file"},
		{"\x00\x00\x0d\x01\x00\x00\x00\x00", "elements of type 0x0d"},
		{"\x00\x00\x08\x00", "0 dimensions"},
		{"\x00\x00\x08\xff", "255 dimensions"},
		{"\x00\x00\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff", "more than"},
		{"\x00\x00\x08\x01\x0f\xff\xff\xff", "cut off"},
	} {
		if _, err := data.ReadIDX(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error is %v, want %q", c.file, err, c.want)
		}
	}
}

func TestReadIDXFile(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(images); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	damaged := slices.Clone(packed.Bytes())
	damaged[len(damaged)-8] ^= 1 // in the checksum

	path := filepath.Join(t.TempDir(), "images")
	for _, c := range []struct {
		file []byte
		want string // in the error
	}{
		{images, ""},
		{packed.Bytes(), ""},
		{damaged, "checksum"},
		{packed.Bytes()[:packed.Len()-9], "cut off"},
		{append(slices.Clone(images), 0), "bytes behind"},
		{nil, "cut off"},
	} {
		if err := os.WriteFile(path, c.file, 0o644); err != nil {
			t.Fatal(err)
		}
		x, err := data.ReadIDXFile(path)
		switch {
		case c.want == "" && (err != nil || !bytes.Equal(x.Data, images[16:])):
			t.Errorf("read %v, error %v", x, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path)):
			t.Errorf("error is %v, want %q", err, c.want)
		}
	}
	if _, err := data.ReadIDXFile(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func FuzzReadIDX(f *testing.F) {
	f.Add(images)
	f.Fuzz(func(t *testing.T, file []byte) {
		if x, err := data.ReadIDX(bytes.NewReader(file)); err == nil && x.Shape[0]*x.Width() != len(x.Data) {
			t.Errorf("%d elements of shape %v", len(x.Data), x.Shape)
		}
	})
}

// TestBatches: every epoch has every sample once, epochs differ, and a batch
// depends on its number alone.
func TestBatches(t *testing.T) {
	for _, c := range []struct {
		samples, size, perEpoch int
		keep                    bool
	}{{10, 5, 2, false}, {10, 4, 2, false}, {10, 4, 3, true}, {10, 10, 1, true}, {3, 5, 1, true}, {1, 1, 1, false}} {
		b := data.Batches{Samples: c.samples, Size: c.size, Seed: 7, KeepShort: c.keep}
		if got := b.PerEpoch(); got != c.perEpoch {
			t.Errorf("%+v: %d batches in an epoch", c, got)
			continue
		}
		var all [][]int
		for epoch := range 4 {
			var seen []int
			for i := range c.perEpoch {
				k := uint64(epoch*c.perEpoch + i)
				all = append(all, slices.Clone(b.At(k)))
				seen = append(seen, all[k]...)
			}
			slices.Sort(seen)
			want := min(c.samples, c.perEpoch*c.size)
			if len(slices.Compact(seen)) != want || len(seen) != want || seen[0] < 0 || seen[len(seen)-1] >= c.samples {
				t.Errorf("%+v: epoch %d has samples %v", c, epoch, seen)
			}
		}
		if c.samples > 5 && slices.Equal(all[0], all[c.perEpoch]) {
			t.Errorf("%+v: two epochs begin with %v", c, all[0])
		}

		// The same from the middle on, backwards, with a fresh value.
		fresh := data.Batches{Samples: c.samples, Size: c.size, Seed: 7, KeepShort: c.keep}
		for k := len(all) - 1; k >= 0; k-- {
			if got := fresh.At(uint64(k)); !slices.Equal(got, all[k]) {
				t.Errorf("%+v: batch %d is %v, and was %v", c, k, got, all[k])
			}
		}
	}
}

// TestBatchesChange: fields may be changed between calls.
func TestBatchesChange(t *testing.T) {
	b := data.Batches{Samples: 20, Size: 20, Seed: 1}
	first := slices.Clone(b.At(0))
	b.Seed = 2
	if slices.Equal(b.At(0), first) {
		t.Error("another seed, the same order")
	}
	b.Samples, b.Size, b.Seed = 5, 5, 1
	if got := b.At(0); len(got) != 5 || slices.Max(got) != 4 {
		t.Errorf("of 5 samples, the batch has %v", got)
	}
	b.Size = 6
	defer func() {
		if recover() == nil {
			t.Error("a batch larger than the data does not panic")
		}
	}()
	b.At(0)
}

func TestBatchesAllocations(t *testing.T) {
	b := data.Batches{Samples: 100, Size: 10}
	k := uint64(0)
	if n := testing.AllocsPerRun(100, func() { b.At(k); k += 3 }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

func TestGather(t *testing.T) {
	src := []int32{0, 1, 10, 11, 20, 21}
	got := data.Gather(make([]int32, 8), src, 2, []int{2, 0, 2})
	if want := []int32{20, 21, 0, 1, 20, 21}; !slices.Equal(got, want) {
		t.Errorf("gathered %v, want %v", got, want)
	}
	for name, f := range map[string]func(){
		"a short destination":   func() { data.Gather(make([]int32, 3), src, 2, []int{0, 1}) },
		"an index out of range": func() { data.Gather(make([]int32, 3), src, 2, []int{3}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
}
