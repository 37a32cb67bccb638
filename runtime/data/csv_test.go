package data_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"gradgen.dev/runtime/data"
)

// table reads a CSV text that has to be right.
func table(t *testing.T, c data.CSV, text string) *data.Table {
	t.Helper()
	got, err := c.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// checkError verifies that an error has this text in it, and that "" is none.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
		t.Errorf("error is %v, want %q", err, want)
	}
}

func TestPenguins(t *testing.T) {
	p, err := data.ReadCSVFile("testdata/penguins.csv")
	if err != nil {
		t.Fatal(err)
	}
	want := `27 rows
species: text, 3 categories: "Adelie", "Chinstrap", "Gentoo"
island: text, 3 categories: "Biscoe", "Dream", "Torgersen"
bill_length_mm: float; lacks 2 values, in lines 5, 24
bill_depth_mm: float; lacks 2 values, in lines 5, 24
flipper_length_mm: integer; lacks 2 values, in lines 5, 24
body_mass_g: integer; lacks 2 values, in lines 5, 24
sex: text, 2 categories: "FEMALE", "MALE"; lacks 6 values, in lines 5, 10, 11, 12, …
`
	if p.String() != want {
		t.Errorf("the table is\n%s\nwant\n%s", p, want)
	}

	// Without a policy, missing values are an error at their place.
	_, err = p.Float32s("bill_length_mm", "body_mass_g")
	checkError(t, err, `testdata/penguins.csv:5:18: column "bill_length_mm" lacks 2 values, in lines 5, 24: fill them in (Fill, FillMean, FillText) or leave such rows out (DropMissing)`)
	_, err = p.Int32s("sex")
	checkError(t, err, `testdata/penguins.csv:5:22: column "sex" lacks 6 values`)

	q, err := p.DropMissing("body_mass_g")
	if err != nil || q.Len() != 25 {
		t.Fatalf("%d rows are left, error %v", q.Len(), err)
	}
	x, err := q.Float32s("bill_length_mm", "body_mass_g")
	if err != nil || !slices.Equal(x[4:8], []float32{40.3, 3250, 36.7, 3450}) {
		t.Errorf("the columns are %v, error %v", x, err)
	}
	y, err := q.Int32s("species")
	if err != nil || y[0] != 0 || y[10] != 1 || y[24] != 2 {
		t.Errorf("the species are %v, error %v", y, err)
	}
	_, err = q.Float64s("species")
	checkError(t, err, `testdata/penguins.csv:2:1: column "species" is text of 3 categories, since "Adelie" is no number: Int32s gives their numbers, OneHot a column for each`)
	_, err = q.Float64s("specie")
	checkError(t, err, `testdata/penguins.csv: there is no column "specie", only "species", "island"`)
}

func TestKinds(t *testing.T) {
	got := table(t, data.CSV{}, "i,f,b,s,none,big,flag\n"+
		"1, 2.5,true,x,,9223372036854775808,0\n"+
		"-7,1e3,FALSE,true,NA,1,1\n"+
		"+0,.5,True,2,?,1,1\n")
	want := []data.Kind{data.KindInteger, data.KindFloat, data.KindBool, data.KindText, data.KindFloat, data.KindFloat, data.KindInteger}
	for i, c := range got.Columns {
		if c.Kind != want[i] {
			t.Errorf("column %s is %v, want %v", c.Name, c.Kind, want[i])
		}
	}
	x, err := got.Float64s("b", "i", "f", "big")
	if err != nil || !slices.Equal(x, []float64{1, 1, 2.5, 1 << 63, 0, -7, 1000, 1, 1, 0, 0.5, 1}) {
		t.Errorf("the numbers are %v, error %v", x, err)
	}
	if all, err := got.Int32s("s"); err != nil || !slices.Equal(all, []int32{2, 1, 0}) {
		t.Errorf("the categories are %v, error %v", all, err)
	}
	if hot, err := got.OneHot("s"); err != nil || !slices.Equal(hot, []float32{0, 0, 1, 0, 1, 0, 1, 0, 0}) {
		t.Errorf("one-hot is %v, error %v", hot, err)
	}
	_, err = got.OneHot("i")
	checkError(t, err, `column "i" is integer and has no categories; CSV.Kinds makes it text`)
	_, err = got.Int32s("f")
	checkError(t, err, `data: CSV:2: column "f" has 2.5, which is no int32`)
	_, err = got.Float32s()
	checkError(t, err, `column "s" is text of 3 categories, since "x" is no number`)
	if inf := table(t, data.CSV{}, "x\ninf\n-Infinity\n"); inf.Columns[0].Kind != data.KindFloat {
		t.Errorf("infinities are %v", inf.Columns[0].Kind)
	}
	for _, text := range []string{"0x10", "1_000", "0x1p4", "0x1p9999", "1,5", "--1", "1e"} {
		if c := table(t, data.CSV{Comma: ';'}, "x\n"+text+"\n").Columns[0]; c.Kind != data.KindText {
			t.Errorf("%q is %v", text, c.Kind)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		csv  data.CSV
		text string
		want string // names and number of rows
	}{
		{data.CSV{}, "a,b\n1,2\n", "[a b] 1"},
		{data.CSV{}, "\ufeffa,b\n1,2\n", "[a b] 1"},
		{data.CSV{}, " a , \"b\"\r\n1,2\r\n\r\n", "[a b] 1"},
		{data.CSV{}, ",b\n0,2\n", "[c1 b] 1"},
		{data.CSV{}, "5.1,setosa\n4.9,setosa\n", "[c1 c2] 2"},
		{data.CSV{}, "a,a\nb,c\n", "[c1 c2] 2"},
		{data.CSV{}, "true,b\n", "[c1 c2] 1"},
		{data.CSV{}, "b,?\n", "[c1 c2] 1"},
		{data.CSV{}, "1,b", "[c1 c2] 1"},
		{data.CSV{}, "a,b", "[a b] 0"},
		{data.CSV{Skip: 1}, strings.Repeat("\"", 9999) + "\na,b\n1,2\n", "[a b] 1"},
		{data.CSV{Header: data.HeaderAbsent}, "a,b\n", "[c1 c2] 1"},
		{data.CSV{Header: data.HeaderPresent}, "1,2\n3,4\n", "[1 2] 1"},
		{data.CSV{Names: []string{"x", "y"}}, "a,b\n", "[x y] 0"},
		{data.CSV{Names: []string{"x", ""}}, "1,2\n", "[x c2] 1"},
		{data.CSV{Comma: '\t', Comment: '#'}, "# \"\na\tb\n#,\n\t2\n", "[a b] 1"},
	} {
		got := table(t, c.csv, c.text)
		if text := fmt.Sprint(got.Names(), got.Len()); text != c.want {
			t.Errorf("%q: read %s, want %s", c.text, text, c.want)
		}
	}
}

// TestLines: the three kinds of line ends give the same table, with the same
// places; in quotes all of them are \n.
func TestLines(t *testing.T) {
	want := table(t, data.CSV{}, "a,b\n1,\"x\ny\"\n\n,\"say \"\"no\"\"\"\n")
	b, err := want.Column("b")
	if err != nil || want.Len() != 2 || !slices.Equal(b.Categories, []string{`say "no"`, "x\ny"}) {
		t.Fatalf("read %v with %q, error %v", want, b.Categories, err)
	}
	if a, _ := want.Column("a"); !slices.Equal(a.Missing, []data.Place{{Row: 1, Line: 5, Column: 1}}) {
		t.Errorf("missing are %v", a.Missing)
	}
	for _, end := range []string{"\r\n", "\r"} {
		text := strings.ReplaceAll("a,b\n1,\"x\ny\"\n\n,\"say \"\"no\"\"\"\n", "\n", end)
		got := table(t, data.CSV{}, text)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("with %q for line ends the table is %v, want %v", end, got, want)
		}
		skipped, err := data.CSV{Skip: 1}.Read(iotest.OneByteReader(strings.NewReader("title" + end + text)))
		if err != nil || skipped.String() != strings.ReplaceAll(want.String(), "line 5", "line 6") {
			t.Errorf("with %q, behind a title: %v, error %v", end, skipped, err)
		}
	}
}

// TestBeyond: a number that is no float64 is an error among numbers alone, and one
// that is no float32 where it is asked for as such.
func TestBeyond(t *testing.T) {
	got := table(t, data.CSV{Missing: []string{"1e999"}}, "s,n,f\n1e9999,1e999,1e39\nx,2,-1e-999\n")
	s, _ := got.Column("s")
	if n, _ := got.Column("n"); s.Kind != data.KindText || n.Kind != data.KindInteger || len(n.Missing) != 1 {
		t.Errorf("the table is %v", got)
	}
	if f, err := got.Float64s("f"); err != nil || !slices.Equal(f, []float64{1e39, 0}) {
		t.Errorf("f is %v, error %v", f, err)
	}
	_, err := got.Float32s("f")
	checkError(t, err, `data: CSV:2: column "f" has 1e+39, which is beyond the range of float32; Float64s gives it`)
	if inf, err := table(t, data.CSV{}, "x\ninf\n-Infinity\n").Float32s("x"); err != nil || !math.IsInf(float64(inf[1]), -1) {
		t.Errorf("infinities are %v, error %v", inf, err)
	}
}

func TestCSVErrors(t *testing.T) {
	train := table(t, data.CSV{}, "n,f,s\n1,1.5,a\n2,2,b\n")
	for _, c := range []struct {
		csv        data.CSV
		text, want string
	}{
		{data.CSV{}, "", "data: CSV: 1:1: the table has no line"},
		{data.CSV{}, "\ufeff", "data: CSV: 1:1: the table has no line"},
		{data.CSV{}, "\r\n\n\r", "data: CSV: 1:1: the table has no line"},
		{data.CSV{}, "a,b\n1,2,3\n", "data: CSV: 2:1: the line has not the 2 fields of the first"},
		{data.CSV{}, "a,b\r1,2\r3\r", "data: CSV: 3:1: the line has not the 2 fields of the first"},
		{data.CSV{}, "a,b\r\n1,\"x\r\ny\"\r\n3\r\n", "data: CSV: 4:1: the line has not"},
		{data.CSV{}, "\xff\xfea\x00,\x00b\x00\n\x00", "data: CSV: 1:1: the file is UTF-16: convert it to UTF-8"},
		{data.CSV{}, "\xfe\xff\x00a", "data: CSV: 1:1: the file is UTF-16"},
		{data.CSV{}, "\x00a\x00,\x00b\x00\n", `data: CSV: 1:1: "\x00a\x00" has a NUL byte: the file is no text, or it is UTF-16`},
		{data.CSV{}, "a,b\n1,2\n3,4\x00\n", `data: CSV: 3:3: column "b": "4\x00" has a NUL byte`},
		{data.CSV{}, "place,n\nCaf\xe9,2\n", `data: CSV: 2:1: column "place": the byte 0xe9 in "Caf\xe9" is no UTF-8: the file has to be converted from Latin-1`},
		{data.CSV{}, "a,\"b\xff\"\n", `data: CSV: 1:3: the byte 0xff in "b\xff" is no UTF-8`},
		{data.CSV{}, "a,b\n1,2\n3,1e999\n5,-1e999\n", `data: CSV: 3:3: column "b": "1e999" is beyond the range of float64, ±1.8e+308; with CSV.Kinds the column can be text`},
		{data.CSV{}, "a\n-1" + strings.Repeat("0", 400) + "\n", `data: CSV: 2:1: column "a": "-1000`},
		{data.CSV{Kinds: map[string]data.Kind{"a": data.KindFloat}}, "a\n1e999\n", `2:1: column "a": "1e999" is beyond`},
		{data.CSV{Like: train}, "s,n,f\na,1,1\na,1e999,1\n", `3:3: column "n": "1e999" is beyond`},
		{data.CSV{}, "a,b\n1,2\n3\n", "data: CSV: 3:1: the line has not the 2 fields of the first; CSV.Skip leaves out lines before the table"},
		{data.CSV{Skip: 2}, "one\ntwo\na,b\n1\n", "data: CSV: 4:1: the line"},
		{data.CSV{Skip: 1, Limits: data.Limits{Columns: 1}}, "one\na,b\n", "data: CSV: 2:2: columns: 2"},
		{data.CSV{Skip: 2}, "one\n", "data: CSV: CSV.Skip leaves out 2 lines: the file is cut off"},
		{data.CSV{Skip: 1}, "one\n", "data: CSV: 2:1: the table has no line"},
		{data.CSV{}, "a,b\n1,x\"y\n", `2:4: bare " in non-quoted-field: a field that has a quote in it stands in quotes`},
		{data.CSV{}, "a,b\n1,\"y\n", `extraneous or missing "`},
		{data.CSV{Header: data.HeaderPresent}, "ab,c,ab\n", `1:6: two columns are named "ab"; CSV.Names gives others`},
		{data.CSV{Names: []string{"a"}}, "1,2\n", "the line has 2 fields, but CSV.Names has 1 names"},
		{data.CSV{Comma: '→'}, "a", "have to be ASCII"},
		{data.CSV{Comma: '"'}, "a", "invalid"},
		{data.CSV{Kinds: map[string]data.Kind{"c": data.KindText}}, "a,b\n", `there is no column "c" of CSV.Kinds; the file has "a", "b"`},
		{data.CSV{Kinds: map[string]data.Kind{"a": 9}}, "a,b\n", "unknown Kind(9)"},
		{data.CSV{Kinds: map[string]data.Kind{"b": data.KindInteger}}, "a,b\n1,2\n1,2.5\n", `3:3: column "b": "2.5" is no integer`},
		{data.CSV{Like: train}, "s,n\na,1\n", `there is no column "f", which the table in CSV.Like has`},
		{data.CSV{Like: train}, "s,n,f\na,1,1\nc,1,1\n", `3:1: column "s": "c" is none of the categories of CSV.Like, which are "a", "b"`},
		{data.CSV{Like: train}, "s,n,f\na,x,1\n", `2:3: column "n": "x" is no number`},
		{data.CSV{Like: train}, "s,n,f\na,1,x\n", `2:5: column "f": "x" is no float`},
		{data.CSV{Limits: data.Limits{Columns: 2}}, "a,b,c\n", "data: CSV: 1:4: columns: 3 is more than the limit, Limits.Columns = 2"},
		{data.CSV{Limits: data.Limits{Rows: 1}}, "a\n1\n2\n", "3:1: rows: 2 is more than the limit, Limits.Rows = 1"},
		{data.CSV{Limits: data.Limits{Elements: 3}}, "a,b\n1,2\n2,3\n", "3:1: elements: 4 is more than the limit, Limits.Elements = 3"},
		{data.CSV{Limits: data.Limits{Bytes: 5}}, "a,b\n1,2\n", "Limits.Bytes = 5"},
	} {
		_, err := c.csv.Read(strings.NewReader(c.text))
		checkError(t, err, c.want)
	}
	if _, err := data.ReadCSVFile("testdata/none.csv"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: error is %v", err)
	}
}

// TestLike: a second file has the categories of the first.
func TestLike(t *testing.T) {
	train := table(t, data.CSV{FirstSeen: true}, "n,s,b\n1,z,true\n2,a,false\n")
	test := table(t, data.CSV{Like: train}, "b,s,n\ntrue,a,1.5\n,,\n")
	s, err := test.Column("s")
	if err != nil || !slices.Equal(s.Categories, []string{"z", "a"}) || len(s.Missing) != 1 || s.Missing[0] != (data.Place{Row: 1, Line: 3, Column: 2}) {
		t.Errorf("the column is %+v, error %v", s, err)
	}
	if got, err := test.Rows([]int{0}).Float32s("n", "b"); err != nil || !slices.Equal(got, []float32{1.5, 1}) {
		t.Errorf("the numbers are %v, error %v", got, err)
	}
	if got, err := test.Rows([]int{0}).Int32s("s"); err != nil || got[0] != 1 {
		t.Errorf("the categories are %v, error %v", got, err)
	}
}

func TestFill(t *testing.T) {
	csv := data.CSV{Missing: []string{"-"}}
	got := table(t, csv, "i,f,b,s,none\n1,0.5,true,NA,-\n-,,-,-,-\n4,1.5,false,x,-\n")
	if c, _ := got.Column("s"); !slices.Equal(c.Categories, []string{"NA", "x"}) {
		t.Errorf("the categories are %q", c.Categories)
	}

	filled, err := got.Fill("i", 7)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := filled.Column("i"); c.Kind != data.KindInteger || len(c.Missing) > 0 {
		t.Errorf("column i is %v and lacks %v", c.Kind, c.Missing)
	}
	if filled, err = filled.FillMean("i", "f", "b"); err != nil {
		t.Fatal(err)
	}
	if x, err := filled.Float64s("i", "f", "b"); err != nil || !slices.Equal(x, []float64{1, 0.5, 1, 7, 1, 0.5, 4, 1.5, 0}) {
		t.Errorf("filled in: %v, error %v", x, err)
	}
	for category, want := range map[string]int32{"x": 1, "unknown": 2} {
		filled, err := got.FillText("s", category)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := filled.Int32s("s"); err != nil || !slices.Equal(s, []int32{0, want, 1}) {
			t.Errorf("filled in with %q: %v, error %v", category, s, err)
		}
		if c, _ := filled.Column("s"); c.Categories[want] != category {
			t.Errorf("the categories are %q", c.Categories)
		}
	}

	// The table that was filled in has not changed.
	if _, err := got.Float64s("i"); err == nil {
		t.Error("Fill has changed its table")
	}
	if c, _ := got.Column("s"); len(c.Categories) != 2 {
		t.Error("FillText has changed its table")
	}
	if mean, err := got.Mean("i"); err != nil || mean != 2.5 {
		t.Errorf("the mean is %v, error %v", mean, err)
	}
	for _, c := range []struct {
		f    func() error
		want string
	}{
		{func() error { _, err := got.Fill("s", 1); return err }, `column "s" is text: FillText fills it in`},
		{func() error { _, err := got.FillText("i", "x"); return err }, `column "i" is integer: Fill and FillMean fill it in`},
		{func() error { _, err := got.FillMean("none"); return err }, `column "none" has no value and so no mean`},
		{func() error { _, err := got.FillMean("s"); return err }, `column "s" is text and has no mean`},
		{func() error { _, err := got.Fill("x", 1); return err }, `no column "x"`},
		{func() error { _, err := got.FillText("x", ""); return err }, `no column "x"`},
		{func() error { _, err := got.DropMissing("x"); return err }, `no column "x"`},
	} {
		checkError(t, c.f(), c.want)
	}
	if none, err := got.DropMissing(); err != nil || none.Len() != 0 {
		t.Errorf("%d rows are left, error %v", none.Len(), err)
	}
}

func TestTableRows(t *testing.T) {
	got := table(t, data.CSV{}, "x,y\n1,a\n,b\n3,a\n").Rows([]int{2, 1, 2, 1})
	c, _ := got.Column("x")
	want := []data.Place{{Row: 1, Line: 3, Column: 1}, {Row: 3, Line: 3, Column: 1}}
	if !slices.Equal(c.Missing, want) {
		t.Errorf("missing are %v, want %v", c.Missing, want)
	}
	if y, err := got.Int32s("y"); err != nil || !slices.Equal(y, []int32{0, 1, 0, 1}) {
		t.Errorf("y is %v, error %v", y, err)
	}
}

// TestCSVGzip: a packed file is read as the plain one is, with its places; a
// bomb is stopped at the limit.
func TestCSVGzip(t *testing.T) {
	dir := t.TempDir()
	pack := func(name, text string) string {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = io.WriteString(z, text)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if got, err := data.ReadCSVFile(pack("a.csv.gz", "x\n1\n")); err != nil || got.Len() != 1 {
		t.Errorf("read %v, error %v", got, err)
	}
	path := pack("b.csv.gz", "x,y\n1\n")
	_, err := data.ReadCSVFile(path)
	checkError(t, err, path+":2:1: the line")
	bomb := pack("bomb.gz", "x\n"+strings.Repeat("1\n", 1<<20))
	_, err = data.CSV{Limits: data.Limits{Bytes: 1 << 20}}.ReadFile(bomb)
	if !errors.Is(err, data.ErrLimit) {
		t.Errorf("a bomb: error is %v", err)
	}
}

// TestCSVMemory: a line of very many fields is refused before there is room for
// them; quotes and comments do not hide it.
func TestCSVMemory(t *testing.T) {
	many := strings.Repeat(",", 1<<20)
	for _, text := range []string{many, "a\n\"x,\ny\"\n\"\"" + many, "#\"\n" + many} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := data.CSV{Comment: '#', Limits: data.Limits{Columns: 100}}.Read(strings.NewReader(text))
		runtime.ReadMemStats(&after)
		if !errors.Is(err, data.ErrLimit) {
			t.Errorf("error is %v", err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("a line of a million fields takes %d bytes", n)
		}
	}
	quoted := "\"" + many + "\"\n"
	if _, err := (data.CSV{Limits: data.Limits{Columns: 1}}).Read(strings.NewReader(quoted)); err != nil {
		t.Errorf("commas in quotes: %v", err)
	}
}

func FuzzReadCSV(f *testing.F) {
	penguins, err := os.ReadFile("testdata/penguins.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(penguins)
	f.Add([]byte("a;b\n1;\"x;\"\"y\"\n?;true\n"))
	f.Add([]byte("a,b\r1e999,\xe9\r\r\n\"\r\",\x00\r"))
	f.Add([]byte("\ufeff\"a\nb\",c\r\n-1e5,inf\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, c := range []data.CSV{{}, {Comma: ';', Header: data.HeaderAbsent, FirstSeen: true, Limits: data.Limits{Columns: 4}}} {
			got, err := c.Read(bytes.NewReader(file))
			if err != nil {
				continue
			}
			for _, col := range got.Columns {
				checkColumn(t, got, col)
			}
		}
	})
}

// checkColumn verifies that values are as many as rows, that none is NaN or
// beyond its categories, and that the ones not missing are what is left.
func checkColumn(t *testing.T, all *data.Table, col *data.Column) {
	t.Helper()
	rest, err := all.DropMissing(col.Name)
	if err != nil || rest.Len() != all.Len()-len(col.Missing) {
		t.Fatalf("%d of %d rows are left without the %d missing, error %v", rest.Len(), all.Len(), len(col.Missing), err)
	}
	if col.Kind == data.KindText {
		ids, err := rest.Int32s(col.Name)
		if err != nil || len(ids) != rest.Len() {
			t.Fatalf("%d of %d categories, error %v", len(ids), rest.Len(), err)
		}
		for _, id := range ids {
			if id < 0 || int(id) >= len(col.Categories) {
				t.Errorf("category %d of %q", id, col.Categories)
			}
		}
		return
	}
	x, err := rest.Float64s(col.Name)
	if err != nil || len(x) != rest.Len() || slices.ContainsFunc(x, math.IsNaN) {
		t.Errorf("%v in %d rows, error %v", x, rest.Len(), err)
	}
}
