package data_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
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
	if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if a, err := data.ReadIDXArrayFile[float32](path); err != nil || len(a.Data) != 12 || a.Data[6] != 255 {
		t.Errorf("read %v, error %v", a, err)
	}
	if _, err := data.ReadIDXFile(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func FuzzReadIDX(f *testing.F) {
	f.Add(images)
	f.Add([]byte("\x00\x00\x0e\x01\x00\x00\x00\x01\x3f\xf0\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x08\x03\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if x, err := data.ReadIDX(bytes.NewReader(file)); err == nil {
			checkArray(t, &data.Array[byte]{Shape: x.Shape, Data: x.Data}, nil)
			var out bytes.Buffer
			if err := data.WriteIDX(&out, x); err != nil || !bytes.HasPrefix(file, out.Bytes()) {
				t.Errorf("written, it is %q, error %v", out.Bytes(), err)
			}
		}
		a, err := data.ReadIDXArray[float32](bytes.NewReader(file))
		checkArray(t, a, err)
	})
}

// TestReadIDXArray reads two elements of every type of the format.
func TestReadIDXArray(t *testing.T) {
	for _, c := range []struct {
		code     byte
		elements string
		want     []float64
	}{
		{0x08, "\x00\xff", []float64{0, 255}},
		{0x09, "\x01\xff", []float64{1, -1}},
		{0x0b, "\x00\x01\x80\x00", []float64{1, -32768}},
		{0x0c, "\x00\x00\x00\x01\xff\xff\xff\xfe", []float64{1, -2}},
		{0x0d, "\x3f\x80\x00\x00\xc0\x00\x00\x00", []float64{1, -2}},
		{0x0e, "\x3f\xf0\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x00", []float64{1, -2}},
	} {
		file := string([]byte{0, 0, c.code, 2, 0, 0, 0, 2, 0, 0, 0, 1}) + c.elements
		a, err := data.ReadIDXArray[float64](strings.NewReader(file))
		if err != nil || !slices.Equal(a.Shape, []int{2, 1}) || !slices.Equal(a.Data, c.want) {
			t.Errorf("type %#02x: read %v, error %v", c.code, a, err)
		}
		_, err = data.ReadIDXArray[float64](strings.NewReader(file[:len(file)-1]))
		checkError(t, err, "cut off")
	}
	_, err := data.ReadIDXArray[uint8](strings.NewReader("\x00\x00\x09\x01\x00\x00\x00\x01\xff"))
	checkError(t, err, "data: IDX: element 0 is -1, which is no uint8")
	_, err = data.ReadIDX(bytes.NewReader(images), data.Limits{Elements: 11})
	checkError(t, err, "elements of shape [2 2 3]: more than the limit, Limits.Elements = 11")
	_, err = data.ReadIDX(bytes.NewReader(images), data.Limits{Bytes: 11})
	checkError(t, err, "bytes: 12 is more than the limit, Limits.Bytes = 11")
	checkPanic(t, "more than one Limits", func() { _, _ = data.ReadIDX(nil, data.Limits{}, data.Limits{}) })
}

// TestIDXMemory: a header that promises 250 MB takes no memory.
func TestIDXMemory(t *testing.T) {
	file := "\x00\x00\x08\x01\x0f\xff\xff\xff"
	wide := "\x00\x00\x0e\x01\x01\xff\xff\xff"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := data.ReadIDX(strings.NewReader(file))
	_, wideErr := data.ReadIDXArray[float64](strings.NewReader(wide))
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; err == nil || wideErr == nil || n > 1<<20 {
		t.Errorf("reading two files of 8 bytes takes %d, errors %v and %v", n, err, wideErr)
	}
}

func TestWriteIDX(t *testing.T) {
	var out bytes.Buffer
	if err := data.WriteIDX(&out, &data.IDX{Shape: []int{2, 2, 3}, Data: images[16:]}); err != nil || !bytes.Equal(out.Bytes(), images) {
		t.Errorf("wrote %v, error %v", out.Bytes(), err)
	}
	for want, x := range map[string]*data.IDX{
		"0 dimensions":      {Data: []byte{1}},
		"9 dimensions":      {Shape: make([]int, 9)},
		"an extent of -1":   {Shape: []int{-1, -1}, Data: []byte{1}},
		"are not of shape":  {Shape: []int{2}, Data: []byte{1}},
		"of shape [1 0 65]": {Shape: []int{1, 0, 65}, Data: []byte{1}},
	} {
		checkError(t, data.WriteIDX(io.Discard, x), want)
	}
}
