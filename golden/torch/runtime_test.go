package torch

import (
	"errors"
	"fmt"
	"testing"
)

// least is how many samples of the whole set are calls of what works with run-time
// dimensions; the others need their extents at compile time, as static loops do.
const least = 900

// TestRunTime runs the samples of the operators that pass with run-time
// dimensions: all extents of one size, but 1, are one dimension.
func TestRunTime(t *testing.T) {
	list, whole := selected(t)
	lib := operators(t)
	pass := map[string]bool{}
	_, _, _, rows := table(t)
	for _, r := range rows {
		pass[r.op] = r.pass == r.samples
	}
	var all []*emitted
	calls := map[*emitted][]*work{}
	for i, s := range list {
		c, err := lib.call(s, true)
		if err != nil || c == nil || !pass[s.op] {
			continue
		}
		e := &emitted{sample: s, call: c, id: fmt.Sprintf("s%d", i), pkg: fmt.Sprintf("p%d", len(all)/packageSize)}
		e.emit(func(results int, diff []int) string { return c.program(e.id, results, diff) })
		var refused *refusal
		switch {
		case errors.As(e.err, &refused):
			continue
		case e.err != nil:
			t.Errorf("%s: %s: %v", s.op, c.expr, e.err)
			continue
		}
		all = append(all, e)
		calls[e] = e.works()
	}
	run(t, all, calls)
	for _, e := range all {
		text := ""
		if e.err != nil {
			text = e.err.Error()
		} else {
			text = e.compare(calls[e])
		}
		if text != "" {
			t.Errorf("%s: %s: %s", e.op, e.call.expr, text)
		}
	}
	if whole && len(all) < least {
		t.Errorf("%d samples have run-time dimensions, want %d or more", len(all), least)
	}
}
