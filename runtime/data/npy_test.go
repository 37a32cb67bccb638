package data_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/runtime/data"
)

// counted is 0, 1, … as float64, through f.
func counted(n int, f func(float64) float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = f(float64(i))
	}
	return out
}

func same(v float64) float64 { return v }

// TestReadNPYFile reads what NumPy wrote (testdata/arrays.py).
func TestReadNPYFile(t *testing.T) {
	cube := []int{2, 3, 4}
	for _, c := range []struct {
		file  string
		shape []int
		want  []float64
	}{
		{"c_i8", cube, counted(24, same)},
		{"fortran_f8", cube, counted(24, func(v float64) float64 { return v / 4 })},
		{"big_f4", cube, counted(24, func(v float64) float64 { return v - 7.5 })},
		{"half", []int{10}, []float64{0, math.Copysign(0, -1), 1, -2, 65504, 0x1p-24, 1638.0 / 16384, math.Inf(1), math.Inf(-1), math.NaN()}},
		{"bool", []int{2, 2}, []float64{1, 0, 0, 1}},
		{"u1", []int{3}, []float64{0, 7, 255}},
		{"big_i2", []int{4}, []float64{-32768, -1, 0, 32767}},
		{"u8", []int{3}, []float64{0, 1 << 53, 1 << 64}}, // rounded
		{"scalar", []int{}, []float64{1.5}},
		{"empty", []int{0, 5}, []float64{}},
		{"version2", cube, counted(24, same)},
		{"version3", cube, counted(24, same)},
	} {
		a, err := data.ReadNPYFile[float64](filepath.Join("testdata", c.file+".npy"))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		bits := func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b }
		if !slices.Equal(a.Shape, c.shape) || !slices.EqualFunc(a.Data, c.want, bits) {
			t.Errorf("%s: read %v of shape %v, want %v", c.file, a.Data, a.Shape, c.want)
		}
	}
	for file, want := range map[string]string{
		"complex": `elements of type "<c16" are not read`,
		"text":    `elements of type "<U2" are not read`,
		"object":  `elements of type "|O" are not read`,
		"record":  "records of several fields",
	} {
		path := filepath.Join("testdata", file+".npy")
		if _, err := data.ReadNPYFile[float64](path); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: error is %v, want %q", file, err, want)
		}
	}
}

// npy is a file of version 1.0 with this dictionary and these elements.
func npy(dict, elements string) []byte {
	file := append([]byte("\x93NUMPY\x01\x00"), binary.LittleEndian.AppendUint16(nil, uint16(len(dict)))...)
	return append(append(file, dict...), elements...)
}

func TestReadNPYHeader(t *testing.T) {
	for _, dict := range []string{
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }   \n",
		"{'descr':'<u2','fortran_order':False,'shape':(2,)}",
		`{"shape": (2L,), "fortran_order": True, "descr": "<u2"}`,
		"\n{ 'fortran_order' : False , 'shape' : ( 2 , ) , 'descr' : '<u2' , } ",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2, 1)}",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2, )}",
	} {
		a, err := data.ReadNPY[uint16](bytes.NewReader(npy(dict, "\x01\x00\x00\x02")))
		if err != nil || !slices.Equal(a.Data, []uint16{1, 512}) {
			t.Errorf("%s: read %v, error %v", dict, a, err)
		}
	}
	for dict, want := range map[string]string{
		"": `want "{"`,
		"{'descr': '<u2', 'fortran_order': False}":                                                  "a key is missing",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2,), 'x': 1}":                           `unknown key "x"`,
		"{'descr': '<u2', 'descr': '<u2', 'fortran_order': False, 'shape': (2,)}":                   "descr comes twice",
		"{'descr': '<u2', 'fortran_order': 0, 'shape': (2,)}":                                       `want "False"`,
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2)}":                                    `want ","`,
		"{'descr': '<u2', 'fortran_order': False, 'shape': (-2,)}":                                  "want an extent",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2 2)}":                                  `want ","`,
		"{'descr': '<u2', 'fortran_order': False, 'shape': (,)}":                                    "want an extent",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (99999999999999999999,)}":                "want an extent",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2,)} x":                                 "text behind",
		"{'descr': '<u2, 'fortran_order': False, 'shape': (2,)}":                                    "want",
		"{'descr': '|u2', 'fortran_order': False, 'shape': (2,)}":                                   "no byte order",
		"{'descr': '!u2', 'fortran_order': False, 'shape': (2,)}":                                   "is unknown",
		"{'descr': '', 'fortran_order': False, 'shape': (2,)}":                                      "empty",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (4611686018427387904,8)}":                "more than the limit",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (0,4611686018427387904,8)}":              "more than the limit",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (" + strings.Repeat("1,", 65) + ")}":     "65 dimensions",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (100000000,)}":                           "cut off",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2,), " + strings.Repeat("#", 200) + "}": "…",
	} {
		if _, err := data.ReadNPY[uint16](bytes.NewReader(npy(dict, "\x01\x00\x00\x02"))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: error is %v, want %q", dict, err, want)
		}
	}
	for file, want := range map[string]string{
		"\x93NUMPX\x01\x00":                 "not an NPY file",
		"\x93NUMPY\x04\x00":                 "version 4.0",
		"\x93NUMPY\x01\x01":                 "version 1.1",
		"\x93NUMPY\x02\x00\xff\xff\xff\xff": "a header of 4294967295 bytes",
		"\x93NUMPY\x02\x00\x00\xff\x00\x00": "cut off",
	} {
		if _, err := data.ReadNPY[uint16](strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %q", file, err, want)
		}
	}
}

// TestNPYConversion: a number that a type cannot hold is an error that names the
// element.
func TestNPYConversion(t *testing.T) {
	file := func(elements ...float64) io.Reader {
		var out bytes.Buffer
		if err := data.WriteNPY(&out, &data.Array[float64]{Shape: []int{len(elements)}, Data: elements}); err != nil {
			t.Fatal(err)
		}
		return &out
	}
	check := func(err error, want string) {
		t.Helper()
		if err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	_, err := data.ReadNPY[int8](file(-128, 127))
	check(err, "")
	_, err = data.ReadNPY[int8](file(0, 128))
	check(err, "element 1 is 128, which is no int8")
	_, err = data.ReadNPY[int8](file(-129))
	check(err, "element 0 is -129, which is no int8")
	_, err = data.ReadNPY[int32](file(0.5))
	check(err, "element 0 is 0.5, which is no int32")
	_, err = data.ReadNPY[int64](file(math.NaN()))
	check(err, "is NaN, which is no int64")
	_, err = data.ReadNPY[int64](file(-1<<63, 1<<62))
	check(err, "")
	_, err = data.ReadNPY[int64](file(1 << 63))
	check(err, "which is no int64")
	_, err = data.ReadNPY[uint64](file(1 << 63))
	check(err, "")
	_, err = data.ReadNPY[uint64](file(-1))
	check(err, "element 0 is -1, which is no uint64")
	_, err = data.ReadNPY[uint64](file(1 << 64))
	check(err, "which is no uint64")
	_, err = data.ReadNPY[bool](file(0, 1, 2))
	check(err, "element 2 is 2, which is no bool")
	_, err = data.ReadNPYFile[uint16]("testdata/big_i2.npy")
	check(err, "element 0 is -32768, which is no uint16")
	_, err = data.ReadNPYFile[int64]("testdata/u8.npy")
	check(err, "element 2 is 18446744073709551615, which is no int64")
	_, err = data.ReadNPY[float32](bytes.NewReader(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", "\x02")))
	check(err, "element 0 is 2")
}

// roundTrip writes and reads one array.
func roundTrip[T data.Element](t *testing.T, shape []int, elements ...T) {
	t.Helper()
	var out bytes.Buffer
	if err := data.WriteNPY(&out, &data.Array[T]{Shape: shape, Data: elements}); err != nil {
		t.Fatal(err)
	}
	out.WriteString("rest")
	a, err := data.ReadNPY[T](&out)
	if err != nil || !slices.Equal(a.Shape, shape) || !slices.Equal(a.Data, elements) || out.String() != "rest" {
		t.Errorf("wrote %v, read %v, error %v, left %q", elements, a, err, out.String())
	}
}

func TestNPYRoundTrip(t *testing.T) {
	roundTrip(t, []int{2}, true, false)
	roundTrip(t, []int{2}, int8(-128), 127)
	roundTrip(t, []int{2}, uint8(0), 255)
	roundTrip(t, []int{2}, int16(math.MinInt16), math.MaxInt16)
	roundTrip(t, []int{2}, uint16(0), math.MaxUint16)
	roundTrip(t, []int{2}, int32(math.MinInt32), math.MaxInt32)
	roundTrip(t, []int{2}, uint32(0), math.MaxUint32)
	roundTrip(t, []int{1, 2, 1}, int64(math.MinInt64), math.MaxInt64)
	roundTrip(t, []int{2}, uint64(0), math.MaxUint64)
	roundTrip(t, []int{2, 2}, float32(1), -0.1, math.MaxFloat32, math.SmallestNonzeroFloat32)
	roundTrip(t, nil, math.Pi)
	roundTrip(t, []int{100, 300}, make([]float64, 30000)...)
}

// TestWriteNPY compares a file with NumPy's, byte for byte.
func TestWriteNPY(t *testing.T) {
	want, err := os.ReadFile("testdata/c_i8.npy")
	if err != nil {
		t.Fatal(err)
	}
	a, err := data.ReadNPY[int64](bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := data.WriteNPY(&out, a); err != nil || !bytes.Equal(out.Bytes(), want) {
		t.Errorf("wrote %q, want %q, error %v", out.Bytes(), want, err)
	}
	for _, shape := range [][]int{{3}, {-1, -2}, {1 << 62, 4}, make([]int, 65)} {
		if err := data.WriteNPY(io.Discard, &data.Array[int8]{Shape: shape, Data: []int8{1, 2}}); err == nil {
			t.Errorf("an array of shape %v is written", shape)
		}
	}
}

func TestNPZ(t *testing.T) {
	for _, file := range []string{"plain", "packed"} {
		z, err := data.OpenNPZ("testdata/" + file + ".npz")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(z.Names, []string{"x", "y"}) {
			t.Errorf("the archive has %q", z.Names)
		}
		x, err := data.ReadNPZArray[float32](z, "x")
		if err != nil || !slices.Equal(x.Shape, []int{2, 3, 4}) || x.Data[23] != 23 || x.Width() != 12 {
			t.Errorf("x is %v, error %v", x, err)
		}
		y, err := data.ReadNPZArray[int32](z, "y")
		if err != nil || !slices.Equal(y.Data, []int32{1, 0}) {
			t.Errorf("y is %v, error %v", y, err)
		}
		if _, err := data.ReadNPZArray[int32](z, "z"); err == nil || !strings.Contains(err.Error(), file+`.npz: data: NPZ: array "z": there is none; the archive has "x", "y"`) {
			t.Errorf("error is %v", err)
		}
		if err := z.Close(); err != nil {
			t.Error(err)
		}
	}
}

// npz writes an archive.
func npz(t testing.TB, packed bool, zeros int) []byte {
	t.Helper()
	var out bytes.Buffer
	w := data.NewNPZWriter(&out, packed)
	if err := data.WriteNPZArray(w, "zeros", &data.Array[float32]{Shape: []int{zeros}, Data: make([]float32, zeros)}); err != nil {
		t.Fatal(err)
	}
	if err := data.WriteNPZArray(w, "folder/flags", &data.Array[bool]{Shape: []int{2}, Data: []bool{true, false}}); err != nil {
		t.Fatal(err)
	}
	if err := data.WriteNPZArray(w, "zeros", &data.Array[bool]{Shape: []int{0}}); err == nil {
		t.Error("a name is written twice")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestNPZRoundTrip(t *testing.T) {
	for _, packed := range []bool{false, true} {
		file := npz(t, packed, 1000)
		if again := npz(t, packed, 1000); !bytes.Equal(file, again) {
			t.Error("the same arrays give other bytes")
		}
		z, err := data.NewNPZ(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		zeros, err := data.ReadNPZArray[float64](z, "zeros")
		if err != nil || len(zeros.Data) != 1000 {
			t.Errorf("read %v, error %v", zeros, err)
		}
		flags, err := data.ReadNPZArray[bool](z, "folder/flags")
		if err != nil || !slices.Equal(flags.Data, []bool{true, false}) {
			t.Errorf("read %v, error %v", flags, err)
		}
	}
}

func TestNPZHostile(t *testing.T) {
	// A bomb: a million zeros in a few thousand bytes.
	bomb := npz(t, true, 1e6)
	if len(bomb) > 10_000 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	_, err := data.NewNPZ(bytes.NewReader(bomb), int64(len(bomb)), data.Limits{Bytes: 1 << 20})
	if !errors.Is(err, data.ErrLimit) || !strings.Contains(err.Error(), "Limits.Bytes = 1048576") {
		t.Errorf("a bomb: error is %v", err)
	}
	if _, err := data.NewNPZ(bytes.NewReader(bomb), int64(len(bomb)), data.Limits{Files: 1}); !errors.Is(err, data.ErrLimit) {
		t.Errorf("two files, one allowed: error is %v", err)
	}
	z, err := data.NewNPZ(bytes.NewReader(bomb), int64(len(bomb)), data.Limits{Elements: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.ReadNPZArray[int8](z, "zeros"); !errors.Is(err, data.ErrLimit) {
		t.Errorf("a million elements, 1000 allowed: error is %v", err)
	}

	// Damage in the content is found by the checksum.
	plain := npz(t, false, 10)
	at := bytes.Index(plain, []byte("(10,)")) + 100
	plain[at] ^= 1
	z, err = data.NewNPZ(bytes.NewReader(plain), int64(len(plain)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.ReadNPZArray[float32](z, "zeros"); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("a damaged archive: error is %v", err)
	}
	if _, err := data.OpenNPZ("testdata/c_i8.npy"); err == nil || !strings.Contains(err.Error(), "testdata/c_i8.npy: data: NPZ") {
		t.Errorf("no archive: error is %v", err)
	}
}

// TestNPZContent: archives that are no NPZ.
func TestNPZContent(t *testing.T) {
	array := string(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", "ab"))
	for want, files := range map[string][][2]string{
		`data: NPZ: the archive has "x.txt", want names that end in .npy`: {{"x.npy", array}, {"x.txt", ""}},
		`data: NPZ: the archive has "x.npy" twice`:                        {{"x.npy", array}, {"x.npy", array}},
		`data: NPZ: array "x": there are bytes behind the array`:          {{"x.npy", array + "c"}},
		`data: NPZ: array "x": the file is cut off`:                       {{"x.npy", array[:len(array)-1]}},
		`data: NPZ: array "x": not an NPY file`:                           {{"x.npy", "PK\x03\x04xxxx"}},
		`data: NPZ: array "x": there is none; the archive has nothing`:    {},
	} {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for _, f := range files {
			entry, err := w.Create(f[0])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(entry, f[1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		z, err := data.NewNPZ(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err == nil {
			_, err = data.ReadNPZArray[uint8](z, "x")
		}
		checkError(t, err, want)
	}
}

// seedFiles adds all files of testdata with an ending to a fuzz target.
func seedFiles(f *testing.F, ending string) {
	paths, err := filepath.Glob("testdata/*" + ending)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds %q, error %v", ending, err)
	}
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
}

// checkArray verifies that the elements are as many as the shape says.
func checkArray[T data.Element](t *testing.T, a *data.Array[T], err error) {
	t.Helper()
	if err != nil {
		return
	}
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	if n != len(a.Data) {
		t.Errorf("%d elements of shape %v", len(a.Data), a.Shape)
	}
}

func FuzzReadNPY(f *testing.F) {
	seedFiles(f, ".npy")
	f.Fuzz(func(t *testing.T, file []byte) {
		small := data.Limits{Elements: 1 << 16}
		a, err := data.ReadNPY[float64](bytes.NewReader(file), small)
		checkArray(t, a, err)
		b, err := data.ReadNPY[int16](bytes.NewReader(file), small)
		checkArray(t, b, err)
		if err == nil {
			roundTrip(t, b.Shape, b.Data...)
		}
	})
}

func FuzzReadNPZ(f *testing.F) {
	seedFiles(f, ".npz")
	f.Add(npz(f, true, 100))
	f.Fuzz(func(t *testing.T, file []byte) {
		z, err := data.NewNPZ(bytes.NewReader(file), int64(len(file)), data.Limits{Bytes: 1 << 20, Files: 16})
		if err != nil {
			return
		}
		for _, name := range z.Names {
			a, err := data.ReadNPZArray[float32](z, name)
			checkArray(t, a, err)
		}
	})
}
