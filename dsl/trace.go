package dsl

import "fmt"

// Of the calls that lead to an error, those nearest to it and those that start
// the chain are shown.
const (
	nearCalls  = 4
	outerCalls = 2
)

// relateCalls adds the calls in the user's text that lead to sc, the innermost
// first. Of many, those in the middle are only counted.
func (d *Diagnostic) relateCalls(sc *scope) {
	first := len(d.Related)
	for s := sc; s != nil && s.call != nil; s = s.up {
		if !s.library && s.up != nil && !s.up.library && s.up.kind != constScope {
			d.related(s.call, "in %s, called here", s.name)
		}
	}
	calls := d.Related[first:]
	hidden := len(calls) - nearCalls - outerCalls
	if hidden < 2 {
		return
	}
	gap := Related{Message: fmt.Sprintf("… %d calls between", hidden)}
	outer := calls[len(calls)-outerCalls:]
	d.Related = append(append(d.Related[:first+nearCalls:first+nearCalls], gap), outer...)
}

// recursive is the end of a message that says so where a call of f in sc is within
// another call of it.
func (sc *scope) recursive(f *function) string {
	for s := sc; s != nil; s = s.up {
		if f.fn != nil && s.decl == Node(f.fn) || f.layer != nil && s.decl == Node(f.layer) {
			return "; " + f.name + " calls itself"
		}
	}
	return ""
}

// tooDeep reports calls that are nested too deep. Where fns or layers call
// themselves, they have no value from there on, and the rest of the program is
// checked; other calls end the elaboration.
func (e *elaborator) tooDeep(sc *scope, at Node, f *function) value {
	times := map[Node]int{}
	for s := sc; s != nil; s = s.up {
		times[s.decl]++
	}
	repeated := false
	for d, n := range times {
		if n > 1 {
			e.runaway[d], repeated = true, true
		}
	}
	const format = "calls are nested deeper than the limit of %d here%s"
	if !repeated {
		return e.stopWith(sc, at, "recursion", format, maxDepth, "")
	}
	return e.fail(sc, at, "recursion", format, maxDepth, sc.recursive(f))
}
