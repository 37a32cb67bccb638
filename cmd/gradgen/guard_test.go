package main

import (
	"strings"
	"testing"
)

// A panic of a pass is reported with the stage, the file and the pass, asks for
// a report, and is exit code 2.
func TestGuardReportsBrokenInvariant(t *testing.T) {
	var stderr strings.Builder
	std := streams{err: &stderr, now: &progress{}}
	code := guard(std, func() int {
		std.now.at("compile", "net.dnn")
		panic("passes: simplify: the measure went up")
	})
	if code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	for _, want := range []string{
		"gradgen: broken invariant in stage compile on net.dnn: passes: simplify: the measure went up",
		"Please report it with the program",
		"TestGuardReportsBrokenInvariant", // the stack
	} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, &stderr)
		}
	}
}

// Without a panic, guard returns what f returns.
func TestGuardKeepsExitCode(t *testing.T) {
	if code := guard(streams{now: &progress{}}, func() int { return exitFound }); code != exitFound {
		t.Errorf("exit code %d, want %d", code, exitFound)
	}
}
