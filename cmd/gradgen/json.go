package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"gradgen.dev/dsl"
)

// jsonFlag is -json: errors, and what a command finds out, are JSON. It takes effect when the command
// line has been parsed.
type jsonFlag bool

// AfterApply hands the flag over to the streams that commands write to.
func (j jsonFlag) AfterApply(std streams) error {
	std.form.json = bool(j)
	return nil
}

// reporting is the flag of commands that report errors in programs.
type reporting struct {
	JSON jsonFlag `name:"json" help:"Write errors, and nothing else, as JSON: to standard output, one object a line."`
}

// writing is the flag of commands that print what they find out about programs.
type writing struct {
	JSON jsonFlag `name:"json" help:"Write the result, or the errors, to standard output as JSON, one object a line."`
}

// form is how errors are written.
type form struct {
	json bool // else as text
}

// A jsonError is one error as -json writes it. Lines and columns count from 1 and
// columns count characters, as in the text form; an end is the place behind the last
// character. Range is what is underlined, at the place of the caret.
type jsonError struct {
	File    string      `json:"file,omitempty"`
	At      *jsonPlace  `json:"at,omitempty"`
	Range   *jsonRange  `json:"range,omitempty"`
	Code    string      `json:"code,omitempty"`
	Name    string      `json:"name,omitempty"`
	Message string      `json:"message"`
	Related []jsonError `json:"related,omitempty"` // without code and name
}

type jsonPlace struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

type jsonRange struct {
	Start jsonPlace `json:"start"`
	End   jsonPlace `json:"end"`
}

// writeJSON writes diagnostics, one a line.
func writeJSON(w io.Writer, diags []*dsl.Diagnostic) error {
	library := dsl.LibraryFiles()
	var list []jsonError
	for _, d := range diags {
		e := jsonOf(library, d.Span, d.Message)
		e.Code, e.Name = d.Number(), d.Code
		if at := d.Place(); at.IsValid() {
			place := placeOf(at.File, at.Start)
			e.At = &place
		}
		for _, r := range d.Related {
			e.Related = append(e.Related, jsonOf(library, r.Span, r.Message))
		}
		list = append(list, e)
	}
	return writeLines(w, list...)
}

// writeLines writes each value as one line.
func writeLines[T any](w io.Writer, list ...T) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for _, e := range list {
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// jsonOf is a message for a place.
func jsonOf(library map[string][]byte, s dsl.Span, message string) jsonError {
	e := jsonError{Message: message}
	if !s.IsValid() {
		return e
	}
	e.File = s.File.Name
	if text, ok := library[filepath.Base(e.File)]; !ok || !bytes.Equal(text, s.File.Src) {
		e.File = pathForTools(e.File)
	}
	e.Range = &jsonRange{placeOf(s.File, s.Start), placeOf(s.File, s.End)}
	return e
}

func placeOf(f *dsl.File, offset int) jsonPlace {
	line, column := f.Position(offset)
	return jsonPlace{line, column}
}

// pathForTools is a path as -json writes it, with slashes. go generate runs gradgen
// in the folder of each package, while what reads its output knows the module: then
// a relative path becomes relative to the module's root. Otherwise it stays relative
// to the working directory.
func pathForTools(path string) string {
	if os.Getenv("GOFILE") == "" || os.Getenv("GOPACKAGE") == "" || filepath.IsAbs(path) {
		return filepath.ToSlash(path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && info.Mode().IsRegular() {
			if rel, err := filepath.Rel(dir, abs); err == nil {
				return filepath.ToSlash(rel)
			}
		}
		if dir == filepath.Dir(dir) {
			return filepath.ToSlash(path)
		}
	}
}
