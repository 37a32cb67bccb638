package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/passes"
)

// printFound prints diagnostics: as text to standard error, or as JSON to standard
// output. Its error is errFound.
func printFound(std streams, diags []*dsl.Diagnostic) error {
	diags = dsl.SortDiagnostics(diags)
	var err error
	if std.form.json {
		err = writeJSON(std.out, diags)
	} else {
		err = dsl.Render(std.err, diags)
	}
	if err != nil {
		return err
	}
	return errFound
}

// printFailure prints an error that is no program's. With -json, one that has a
// code is an object like those of programs.
func printFailure(std streams, err error) {
	var coded *codedError
	if std.form.json && errors.As(err, &coded) {
		e := jsonError{File: pathForTools(coded.path), Code: coded.number(), Name: coded.code, Message: coded.err.Error()}
		if writeLines(std.out, e) == nil {
			return
		}
	}
	fmt.Fprintf(std.err, "gradgen: %v\n", err)
}

// diagnostics is what the later stages found wrong with the program of s, as
// dsl reports its own errors. An error that is not the program's is a broken
// invariant.
func (s source) diagnostics(err error) []*dsl.Diagnostic {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*dsl.Diagnostic
		for _, e := range joined.Unwrap() {
			out = append(out, s.diagnostics(e)...)
		}
		return out
	}
	var wrong *passes.Error
	var clash *codegen.NameError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return []*dsl.Diagnostic{s.diagnostic(wrong.Pos, wrong.Code, wrong.Message)}
	case errors.As(err, &clash):
		return []*dsl.Diagnostic{s.diagnostic(clash.Pos, "go-name", clash.Text)}
	}
	panic(err.Error())
}

// diagnostic is a message with its code for a place, given as file:line:column. A place in
// the library stands in the message.
func (s source) diagnostic(pos, code, message string) *dsl.Diagnostic {
	var line, column int
	rest, here := strings.CutPrefix(pos, filepath.Base(s.path))
	if n, _ := fmt.Sscanf(rest, ":%d:%d", &line, &column); !here || n != 2 {
		return &dsl.Diagnostic{Code: code, Message: strings.TrimPrefix(pos+": "+message, ": ")}
	}
	at := offset(s.file, line, column)
	return &dsl.Diagnostic{Span: dsl.Span{File: s.file, Start: at, End: at}, Code: code, Message: message}
}

// offset is where a line and column, both from 1, are in a file.
func offset(f *dsl.File, line, column int) int {
	for i := range string(f.Src) {
		if l, c := f.Position(i); l == line && c == column {
			return i
		}
	}
	return len(f.Src)
}
