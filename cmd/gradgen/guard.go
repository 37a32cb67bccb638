package main

import (
	"fmt"
	"runtime/debug"
)

// progress says what the compiler is doing, for the report of a broken
// invariant.
type progress struct {
	stage string // parse, elaborate, compile, generate
	file  string
}

// at notes the stage that starts on a file.
func (p *progress) at(stage, file string) { p.stage, p.file = stage, file }

// guard runs f. A panic is a broken invariant of the compiler: guard says so,
// with the stage and the pass that the panic names, asks for a report, and
// returns exit code 2. Nothing else recovers.
func guard(std streams, f func() int) (code int) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		where := "the command line"
		if std.now.stage != "" {
			where = fmt.Sprintf("stage %s on %s", std.now.stage, std.now.file)
		}
		fmt.Fprintf(std.err, "gradgen: broken invariant in %s: %v\n", where, v)
		fmt.Fprintln(std.err, "This is a defect of gradgen, whatever the program says; nothing was written.")
		fmt.Fprintf(std.err, "Please report it with the program and these lines:\n\n%s", debug.Stack())
		code = exitUsage
	}()
	return f()
}
