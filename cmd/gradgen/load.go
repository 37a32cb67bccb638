package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

// settings are the flags that change what a program means.
type settings struct {
	Dim   map[string]int `name:"dim" placeholder:"B=64" help:"Make run-time dimension B the constant 64. May be repeated."`
	DType string         `name:"dtype" placeholder:"TYPE" help:"Default element type, float32 or float64, in place of the file's."`
}

// options checks the settings.
func (s settings) options() (dsl.Options, error) {
	o := dsl.Options{Dims: s.Dim, Open: os.ReadFile}
	for name, n := range s.Dim {
		if n < 0 {
			return o, fmt.Errorf("-dim %s=%d: a dimension is not negative", name, n)
		}
	}
	if s.DType != "" {
		t, ok := ir.ParseDType(s.DType)
		if !ok || !t.IsFloat() {
			return o, fmt.Errorf("-dtype %s: want float32 or float64", s.DType)
		}
		o.DType = &t
	}
	return o, nil
}

// A source is an elaborated file.
type source struct {
	path    string
	file    *dsl.File
	program *ir.Program
}

// load finds, parses and elaborates files. The errors of all files are printed
// together; then the error is errFound.
func load(std streams, args []string, s settings) ([]source, error) {
	options, err := s.options()
	if err != nil {
		return nil, err
	}
	paths, err := findSources(args)
	if err != nil {
		return nil, err
	}

	var loaded []source
	var diags []*dsl.Diagnostic
	for _, path := range paths {
		s, found, err := elaborate(std, path, options)
		if err != nil {
			return nil, err
		}
		loaded = append(loaded, s)
		diags = append(diags, found...)
	}
	if len(diags) > 0 {
		return nil, printFound(std, diags)
	}
	return loaded, nil
}

// elaborate reads one file. Its program is nil where there are diagnostics.
func elaborate(std streams, path string, options dsl.Options) (source, []*dsl.Diagnostic, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return source{}, nil, coded("file", path, err)
	}
	std.now.at("parse", path)
	file, syntax := dsl.Parse(path, text)
	std.now.at("elaborate", path)
	program, meaning := dsl.Elaborate(file, options)
	return source{path, file, program}, append(syntax, meaning...), nil
}

// loadOne is load for a single program.
func loadOne(std streams, path string, s settings) (source, error) {
	sources, err := load(std, []string{path}, s)
	if err != nil {
		return source{}, err
	}
	if len(sources) != 1 {
		return source{}, fmt.Errorf("%s: want one program, found %d", path, len(sources))
	}
	return sources[0], nil
}

// listed is names as an error lists them.
func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// sortedKeys is the keys of a map in order.
func sortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
