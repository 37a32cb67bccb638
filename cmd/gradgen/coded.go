package main

import (
	"fmt"

	"gradgen.dev/dsl"
)

// A codedError is an error of the command line or of files that has a code in the
// table of package dsl.
type codedError struct {
	code string // its name
	path string // of the file or folder, where it is about one
	err  error
}

// coded is an error with the name of its code, about a path.
func coded(code, path string, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code, path, err}
}

// Error is the message and the code, as diagnostics have them.
func (e *codedError) Error() string { return fmt.Sprintf("%v [%s]", e.err, e.number()) }

func (e *codedError) Unwrap() error { return e.err }

// number is the number of the code.
func (e *codedError) number() string {
	return (&dsl.Diagnostic{Code: e.code}).Number()
}
