package dsl_test

import (
	"regexp"
	"strings"
	"testing"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/passes"
)

// codesOf compiles a program as gradgen does and returns the names of the codes
// of its errors.
func codesOf(t *testing.T, src string, opts dsl.Options) []string {
	t.Helper()
	file, diags := dsl.Parse("example.dnn", []byte(src))
	program, more := dsl.Elaborate(file, opts)
	var names []string
	for _, d := range append(diags, more...) {
		names = append(names, d.Code)
		t.Log(d)
	}
	if program == nil {
		return names
	}
	plan, err := passes.Compile(program)
	if err != nil {
		t.Log(err)
		return append(names, err.(*passes.Error).Code)
	}
	if len(program.Models)+len(program.Funcs) > 0 {
		if _, err = codegen.Generate(plan, codegen.Options{Package: "example", Source: "example.dnn"}); err != nil {
			t.Log(err)
			names = append(names, "go-name")
		}
	}
	return names
}

// TestCodeExamples compiles the example of every code, which has errors of that code
// alone, and the example without the error.
func TestCodeExamples(t *testing.T) {
	for _, c := range dsl.Codes() {
		if c.Command {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			opts := dsl.Options{Dims: c.Dims}
			found := codesOf(t, c.Example, opts)
			if len(found) == 0 {
				t.Error("the example compiles")
			}
			for _, name := range found {
				if name != c.Name {
					t.Errorf("the example has an error %q", name)
				}
			}
			if found := codesOf(t, c.Fixed, opts); len(found) > 0 {
				t.Errorf("without the error, it has %q", found)
			}
		})
	}
}

// TestCodes checks the form and the order of the table.
func TestCodes(t *testing.T) {
	number := regexp.MustCompile(`^E0[1-9][0-9]{2}$`)
	name := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	names, last := map[string]bool{}, ""
	for _, c := range dsl.Codes() {
		switch {
		case !number.MatchString(c.Number), c.Number <= last:
			t.Errorf("%s after %s", c.Number, last)
		case !name.MatchString(c.Name), names[c.Name]:
			t.Errorf("%s: name %q", c.Number, c.Name)
		case c.Title == "", strings.HasSuffix(c.Title, "."), strings.Contains(c.Title, "\n"), strings.Contains(c.Title, "|"):
			t.Errorf("%s: title %q", c.Number, c.Title)
		case !strings.HasSuffix(c.Text, "."), !strings.HasSuffix(c.Remedy, "."):
			t.Errorf("%s: text or remedy has no end", c.Number)
		case c.Example == "", c.Fixed == "", c.Example == c.Fixed:
			t.Errorf("%s: no example, or no remedy of it", c.Number)
		}
		names[c.Name], last = true, c.Number
		for _, text := range []string{c.Number, c.Name, strings.ToLower(c.Number)} {
			if found, ok := dsl.LookupCode(text); !ok || found.Number != c.Number {
				t.Errorf("%s is %v", text, found)
			}
		}
	}
}

// TestNearCodes checks what is proposed for a code that is none.
func TestNearCodes(t *testing.T) {
	for text, want := range map[string]string{
		"shape-s":         "shapes",
		"unknown-nam":     "unknown-name",
		"E0199":           "output-name",
		"E0399":           "einsum",
		"e0300":           "shapes",
		"E9999":           "",
		"something else!": "",
	} {
		var got []string
		for _, c := range dsl.NearCodes(text) {
			got = append(got, c.Name)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("near %s: %q, want %q", text, s, want)
		}
	}
}
