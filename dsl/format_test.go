package dsl

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// programs are the files with programs that parse.
func programs(t testing.TB) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"testdata/page/*.dnn", "testdata/format/*.in"} {
		list, err := filepath.Glob(pattern)
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: no files (%v)", pattern, err)
		}
		files = append(files, list...)
	}
	return files
}

// readFile reads a file of the test data.
func readFile(t testing.TB, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestFormatPage formats the programs of the language page, which are laid out well
// already: nothing may change.
func TestFormatPage(t *testing.T) {
	files, _ := filepath.Glob("testdata/page/*.dnn")
	for _, name := range files {
		src := readFile(t, name)
		got, diags := Format(name, src)
		if len(diags) > 0 {
			t.Fatal(diags[0])
		}
		if d := lineDiff(string(src), string(got)); d != "" {
			t.Errorf("%s changed:\n%s", name, d)
		}
	}
}

// TestFormatGolden formats testdata/format/*.in and compares with *.dnn.
func TestFormatGolden(t *testing.T) {
	files, _ := filepath.Glob("testdata/format/*.in")
	for _, name := range files {
		got, diags := Format(name, readFile(t, name))
		if len(diags) > 0 {
			t.Fatal(diags[0])
		}
		golden := strings.TrimSuffix(name, ".in") + ".dnn"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if d := lineDiff(string(readFile(t, golden)), string(got)); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

// TestFormatProperties checks what Format promises about every program there is.
func TestFormatProperties(t *testing.T) {
	for _, name := range programs(t) {
		if err := checkFormat(readFile(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// checkFormat checks that a program, if it parses, keeps its tree, its tokens and its
// comments when it is formatted, and does not change when it is formatted twice.
func checkFormat(src []byte) error {
	before, diags := Parse("before", src)
	if len(diags) > 0 {
		return nil
	}
	once, diags := Format("before", src)
	if len(diags) > 0 {
		return diags[0]
	}
	after, diags := Parse("after", once)
	if len(diags) > 0 {
		return fmt.Errorf("%w in\n%s", diags[0], once)
	}
	if d := lineDiff(dump(before.Decls), dump(after.Decls)); d != "" {
		return fmt.Errorf("the tree changes:\n%s\nin\n%s", d, once)
	}
	if a, b := commentTexts(before), commentTexts(after); a != b {
		return fmt.Errorf("comments change from\n%s\nto\n%s", a, b)
	}
	twice, _ := Format("after", once)
	if !bytes.Equal(once, twice) {
		return fmt.Errorf("not idempotent:\n%s", lineDiff(string(once), string(twice)))
	}
	return nil
}

// commentTexts are the comments of a file, without the space at the ends of lines.
func commentTexts(f *File) string {
	var b strings.Builder
	for _, c := range f.Comments {
		b.WriteString(strings.TrimRight(c.Text, " \t") + "\n")
	}
	return b.String()
}

// lineDiff is the first line in which two texts differ.
func lineDiff(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := 0; i < len(a) || i < len(b); i++ {
		x, y := "(no line)", "(no line)"
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return fmt.Sprintf("line %d:\n- %s\n+ %s", i+1, x, y)
		}
	}
	return ""
}

// dump writes a tree without its spans, a line for each value.
func dump(tree any) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(tree), 0)
	return b.String()
}

// dumpValue writes a value at a depth.
func dumpValue(b *strings.Builder, v reflect.Value, depth int) {
	indent := strings.Repeat(" ", depth)
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			b.WriteString(indent + "nil\n")
			return
		}
		dumpValue(b, v.Elem(), depth)
	case reflect.Slice:
		fmt.Fprintf(b, "%s%d items\n", indent, v.Len())
		for i := range v.Len() {
			dumpValue(b, v.Index(i), depth+1)
		}
	case reflect.Struct:
		b.WriteString(indent + v.Type().Name() + "\n")
		for i := range v.NumField() {
			if v.Field(i).Type() != reflect.TypeFor[Span]() {
				dumpValue(b, v.Field(i), depth+1)
			}
		}
	case reflect.Float64:
		fmt.Fprintf(b, "%s%x\n", indent, math.Float64bits(v.Float()))
	default:
		fmt.Fprintf(b, "%s%#v\n", indent, v.Interface())
	}
}
