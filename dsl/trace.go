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
