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
		c, err := lib.call(s, false)
		switch {
		case err != nil:
			found[s] = err.Error()
		case c != nil:
			e := &emitted{sample: s, call: c, id: fmt.Sprintf("s%d", i), pkg: fmt.Sprintf("p%d", len(all)/packageSize)}
			e.emit(func(results int, diff []int) string { return c.program(e.id, results, diff) })
			if e.err != nil {
				found[s] = c.expr + ": " + e.err.Error()
				continue
			}
			all = append(all, e)
		}
	}
	calls := map[*emitted][]*work{}
	for _, e := range all {
		calls[e] = e.works()
	}
	run(t, all, calls)
	for _, e := range all {
		if e.err != nil {
			found[e.sample] = e.err.Error()
			continue
		}
		found[e.sample] = e.compare(calls[e])
	}
	return found
}

// selected is the whole set of samples, in the file that TORCH_VECTORS names, or
// those of the operators in TORCH_ONLY, names with commas between; all is true of
// the whole set. Without a file the test is skipped.
func selected(t *testing.T) (list []*sample, all bool) {
	t.Helper()
	path := os.Getenv("TORCH_VECTORS")
	if path == "" {
		t.Skip("TORCH_VECTORS names no file")
	}
	list = load(t, path)
	only := os.Getenv("TORCH_ONLY")
	if only == "" {
		return list, true
	}
	names := strings.Split(only, ",")
	return slices.DeleteFunc(list, func(s *sample) bool { return !slices.Contains(names, s.op) }), false
}

// TestVectors runs the whole set of samples and holds the table of README.md
// against what comes of it.
func TestVectors(t *testing.T) {
	list, all := selected(t)
	lib := operators(t)
	found := check(t, lib, list)
	for _, s := range list {
		if text := found[s]; text != "" {
			t.Logf("%s: %s", s.op, text)
		}
	}
	rows := tabulate(list, found, reasons(t))
	t.Log(sums(rows))
	if !all {
		return
	}
	before, between, after, _ := table(t)
	if *update {
		write(t, tableFile, []byte(before+tableBegin+print(rows)+tableEnd+after))
		write(t, excerptFile, excerpt(t, lib, list, found))
	} else if between != print(rows) {
		t.Errorf("%s is not what came of the samples: -update writes it", tableFile)
	}
}
