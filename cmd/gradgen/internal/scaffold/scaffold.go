// Package scaffold has the files that a new program starts with: a .dnn file, a
// Go program that uses it, and a module file that finds gradgen.
package scaffold

import (
	"embed"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

//go:embed mlp function
var templates embed.FS

// A File is a file of a new program.
type File struct {
	Name string
	Data []byte
}

// Program is the files of a kind of program, mlp or function, for a module of
// that name.
func Program(kind, module string) ([]File, error) {
	var out []File
	for _, name := range []string{"model.dnn", "main.go"} {
		from := path.Join(kind, name)
		if name == "main.go" {
			from += ".txt" // the folder is no package
		}
		text, err := templates.ReadFile(from)
		if err != nil {
			return nil, fmt.Errorf("no kind of program is called %s", kind)
		}
		out = append(out, File{name, []byte(strings.ReplaceAll(string(text), "MODULE", path.Base(module)))})
	}
	return out, nil
}

// Published is the module file of a program that uses a published version of
// gradgen. Its checksums are go mod tidy's to add.
func Published(module, version string) File {
	return File{"go.mod", []byte(fmt.Sprintf("module %s\n\ngo 1.26.0\n\ntool gradgen.dev/cmd/gradgen\n\nrequire gradgen.dev %s\n", module, version))}
}

// Replaced is the module file of a program in dir that uses the clone of
// gradgen in a folder, and the checksums of what gradgen requires. mod and sum
// are the clone's go.mod and go.sum; both folders are absolute.
func Replaced(module, dir, clone string, mod, sum []byte) ([]File, error) {
	if !IsGradgen(mod) {
		return nil, fmt.Errorf("%s: its go.mod is not that of gradgen.dev", clone)
	}
	to, err := filepath.Rel(dir, clone)
	if err != nil {
		return nil, err
	}
	to = filepath.ToSlash(to)
	if !strings.HasPrefix(to, ".") {
		to = "./" + to
	}
	if strings.ContainsAny(to, " \t\"'`") {
		to = strconv.Quote(to)
	}

	// What gradgen requires at which version is what its clone says.
	var b strings.Builder
	fmt.Fprintf(&b, "module %s\n\ngo 1.26.0\n\ntool gradgen.dev/cmd/gradgen\n\nrequire gradgen.dev v0.0.0\n\nreplace gradgen.dev => %s\n\nrequire (\n", module, to)
	for _, m := range requirement.FindAllSubmatch(mod, -1) {
		fmt.Fprintf(&b, "\t%s %s // indirect\n", m[1], m[2])
	}
	b.WriteString(")\n")
	return []File{{"go.mod", []byte(b.String())}, {"go.sum", sum}}, nil
}

// requirement matches a line of go.mod that requires a module, in a block or
// alone.
var requirement = regexp.MustCompile(`(?m)^\s*(?:require\s+)?([^\s/]+\.[^\s]+)\s+(v[0-9][^\s]*)`)

// moduleLine matches the line of go.mod that names gradgen.
var moduleLine = regexp.MustCompile(`(?m)^module\s+gradgen\.dev\s*$`)

// IsGradgen reports whether a go.mod is gradgen's own.
func IsGradgen(mod []byte) bool { return moduleLine.Match(mod) }
