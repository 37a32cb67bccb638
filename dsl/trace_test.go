package dsl

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// callChain is a program in which n functions call one another in turn, the last of
// them with an error.
func callChain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fn f%d(x) = f%d(x)\n", i, i+1)
	}
	fmt.Fprintf(&b, "fn f%d(x) = x + nope\nexport fn g(x [N]) = f0(x)\n", n)
	return b.String()
}

// TestCallsOfError checks which of the calls that lead to an error are shown.
func TestCallsOfError(t *testing.T) {
	for n, want := range map[int]string{
		6: `c:7:16: no value is called nope here [E0201]
  7 | fn f6(x) = x + nope
    |                ^~~~
  c:6:12: in f6, called here
  c:5:12: in f5, called here
  c:4:12: in f4, called here
  c:3:12: in f3, called here
  c:2:12: in f2, called here
  c:1:12: in f1, called here
  c:8:22: in f0, called here
`,
		100: `c:101:18: no value is called nope here [E0201]
  101 | fn f100(x) = x + nope
      |                  ^~~~
  c:100:13: in f100, called here
  c:99:13: in f99, called here
  c:98:13: in f98, called here
  c:97:13: in f97, called here
  … 95 calls between
  c:1:12: in f1, called here
  c:102:22: in f0, called here
`,
	} {
		file, _ := Parse("c", []byte(callChain(n)))
		_, diags := Elaborate(file, Options{})
		got := rendered(t, diags)
		if got != want {
			t.Errorf("%d calls: got\n%s\nwant\n%s", n, got, want)
		}
	}
}

// TestRecursionNamed checks that only a function that calls itself is said to.
func TestRecursionNamed(t *testing.T) {
	for src, itself := range map[string]bool{
		callChain(250): false,
		"fn a(x) = b(x)\nfn b(x) = a(x)\nexport fn g(x [N]) = a(x)":                       true,
		"layer a(x) = b(x)\nlayer b(x) = a(x)\nmodel M { input x [N]\n output y = a(x) }": true,
		"fn a(f fn, x) = f(x)\nfn b(x) = a(b, x)\nexport fn g(x [N]) = b(x)":              true,
	} {
		file, _ := Parse("c", []byte(src))
		_, diags := Elaborate(file, Options{})
		again := func(d *Diagnostic) bool { return d.Code == "recursion" }
		if len(diags) == 0 || slices.ContainsFunc(diags[1:], again) || diags[0].Code != "recursion" || strings.Contains(diags[0].Message, "calls itself") != itself {
			t.Errorf("%v\nof\n%.200s", diags, src)
		}
	}
}
