package torch

import (
	"bytes"
	"encoding/json"
	"flag"
	"slices"
	"sort"
	"testing"
)

// excerptFile has small samples of the operators that pass.
const excerptFile = "excerpt.jsonl"

// largest is how long a line of the excerpt may be, in bytes.
const largest = 2600

// excerpt is the smallest sample of each operator that passes, sorted by their
// names; those whose smallest is too large are left out.
func excerpt(t *testing.T, lib *library, list []*sample, found map[*sample]string) []byte {
	t.Helper()
	best := map[string][]byte{}
	for _, s := range list {
		if text, ok := found[s]; !ok || text != "" {
			continue
		}
		line := s.line
		if len(line) > largest {
			line = cropped(t, lib, s)
		}
		if old := best[s.op]; len(line) <= largest && (old == nil || better(line, old)) {
			best[s.op] = line
		}
	}
	var out bytes.Buffer
	for _, op := range sortedKeys(best) {
		out.Write(best[op])
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// better reports whether a sample says more than another, or as much in less
// space: those of tensors before those of a scalar or of nothing.
func better(line, old []byte) bool {
	rich := func(l []byte) bool { return bytes.Count(l, []byte(",")) > 28 }
	if rich(line) != rich(old) {
		return rich(line)
	}
	return len(line) < len(old)
}

// cropped is a sample of an operator that works element by element with the
// first row alone; what is not of one shape throughout stays as it is.
func cropped(t *testing.T, lib *library, s *sample) []byte {
	t.Helper()
	x, ok := s.input.(*tensor)
	if !ok || len(x.shape) == 0 || len(s.args) > 0 || !slices.Contains([]string{"elementwise", "special", "activations"}, lib.files[fnName(s.op)]) {
		return s.line
	}
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(s.line))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		t.Fatal(err)
	}
	size := x.size() / x.shape[0]
	var crop func(v any)
	crop = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				crop(e)
			}
		case map[string]any:
			if list, ok := v["v"].([]any); ok && len(list) == x.size() {
				v["v"], v["shape"] = list[:size], append([]any{1}, v["shape"].([]any)[1:]...)
			}
		}
	}
	for _, key := range []string{"input", "outputs", "cotangents", "grads"} {
		crop(fields[key])
	}
	line, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// every says how much of the excerpt runs.
var every = flag.Int("every", 4, "run every n-th sample of the excerpt")

// TestExcerpt runs samples of the excerpt: all of them take a minute.
func TestExcerpt(t *testing.T) {
	list := load(t, excerptFile)
	for i := range list {
		if i%*every != 0 {
			list[i] = nil
		}
	}
	list = slices.DeleteFunc(list, func(s *sample) bool { return s == nil })
	found := check(t, operators(t), list)
	if len(found) < len(list) {
		t.Errorf("%d of %d samples are calls of an operator that is defined", len(found), len(list))
	}
	sort.Slice(list, func(i, j int) bool { return list[i].op < list[j].op })
	for _, s := range list {
		if text := found[s]; text != "" {
			t.Errorf("%s: %s", s.op, text)
		}
	}
}
