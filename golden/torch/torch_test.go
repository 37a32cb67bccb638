package torch

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "with TORCH_VECTORS, rewrite the table of README.md and excerpt.jsonl")

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

// TestVectors runs the whole set of samples, in the file that TORCH_VECTORS
// names, and holds the table of README.md against what comes of it. TORCH_ONLY
// has names of operators, with commas between, to run alone.
func TestVectors(t *testing.T) {
	path := os.Getenv("TORCH_VECTORS")
	if path == "" {
		t.Skip("TORCH_VECTORS names no file")
	}
	lib, list := operators(t), load(t, path)
	if only := os.Getenv("TORCH_ONLY"); only != "" {
		names := strings.Split(only, ",")
		list = slices.DeleteFunc(list, func(s *sample) bool { return !slices.Contains(names, s.op) })
		for s, text := range check(t, lib, list) {
			if text != "" {
				t.Errorf("%s: %s", s.op, text)
			}
		}
		return
	}

	found := check(t, lib, list)
	for _, s := range list {
		if text := found[s]; text != "" {
			t.Logf("%s: %s", s.op, text)
		}
	}
	rows := tabulate(list, found, reasons(t))
	before, between, after, _ := table(t)
	if *update {
		write(t, tableFile, []byte(before+tableBegin+print(rows)+tableEnd+after))
		write(t, excerptFile, excerpt(t, lib, list, found))
	} else if between != print(rows) {
		t.Errorf("%s is not what came of the samples: -update writes it", tableFile)
	}
	t.Log(sums(rows))
}
