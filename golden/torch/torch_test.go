package torch

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// packageSize is how many samples go into one package.
const packageSize = 40

// check runs samples and tells what is wrong with each, "" of those that pass;
// samples of operators that are not defined are left out.
func check(t *testing.T, lib *library, list []*sample) map[*sample]string {
	t.Helper()
	found := map[*sample]string{}
	var all []*emitted
	for i, s := range list {
		c, err := lib.call(s)
		switch {
		case err != nil:
			found[s] = err.Error()
		case c != nil:
			e := emit(s, c, fmt.Sprintf("s%d", i), fmt.Sprintf("p%d", len(all)/packageSize))
			if e.err != nil {
				found[s] = c.expr + ": " + e.err.Error()
				continue
			}
			all = append(all, e)
		}
	}
	results := run(t, all)
	for _, e := range all {
		if e.err != nil {
			found[e.sample] = e.err.Error()
			continue
		}
		found[e.sample] = e.compare(results[e])
	}
	return found
}

// The whole set, where it is named.
func TestVectors(t *testing.T) {
	path := os.Getenv("TORCH_VECTORS")
	if path == "" {
		t.Skip("TORCH_VECTORS names no file")
	}
	lib := operators(t)
	list := load(t, path)
	if only := os.Getenv("TORCH_ONLY"); only != "" {
		names := map[string]bool{}
		for _, n := range strings.Split(only, ",") {
			names[n] = true
		}
		var some []*sample
		for _, s := range list {
			if names[s.op] {
				some = append(some, s)
			}
		}
		list = some
	}
	found := check(t, lib, list)
	ops := map[string]bool{}
	pass := 0
	for _, s := range list {
		text, ok := found[s]
		if !ok {
			continue
		}
		if text == "" {
			pass++
			if _, seen := ops[s.op]; !seen {
				ops[s.op] = true
			}
			continue
		}
		ops[s.op] = false
		t.Errorf("%s: %s", s.op, text)
	}
	good := 0
	for _, ok := range ops {
		if ok {
			good++
		}
	}
	t.Logf("%d of %d operators, %d of %d samples pass", good, len(ops), pass, len(found))
}
