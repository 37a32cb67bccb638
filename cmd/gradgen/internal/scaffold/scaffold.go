// Package scaffold has the files that a new program starts with: a .dnn file, a
// Go program that uses it, and a module file that finds gradgen.
package scaffold

import (
	"bytes"
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
	to, err := replacement(dir, clone)
	if err != nil {
		return nil, err
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

// Requirement is the command that lets the module in a folder use the clone of
// gradgen in another; both folders are absolute.
func Requirement(module, clone string) (string, error) {
	to, err := replacement(module, clone)
	if err != nil {
		return "", err
	}
	replace := "-replace=gradgen.dev=" + to
	if strings.ContainsAny(to, " \t\"'`") {
		replace = strconv.Quote(replace)
	}
	return "go mod edit -require=gradgen.dev@v0.0.0 " + replace + " -tool=gradgen.dev/cmd/gradgen && go mod tidy", nil
}

// replacement is the path of a clone as the go.mod in dir has it.
func replacement(dir, clone string) (string, error) {
	to, err := filepath.Rel(dir, clone)
	if err != nil {
		return "", err
	}
	to = filepath.ToSlash(to)
	if !strings.HasPrefix(to, ".") {
		to = "./" + to
	}
	return to, nil
}

// Own is the files of a program in gradgen's own module, which has no tools: it
// runs the command of the tree.
func Own(files []File) []File {
	var out []File
	for _, f := range files {
		f.Data = bytes.ReplaceAll(f.Data, []byte("go tool gradgen"), []byte("go run gradgen.dev/cmd/gradgen"))
		out = append(out, f)
	}
	return out
}

// Uses reports whether a go.mod requires gradgen, and whether its tools have the
// command.
func Uses(mod []byte) (required, tool bool) {
	block := "" // the directive of the block around the line
	for line := range strings.Lines(string(mod)) {
		text, _, _ := strings.Cut(line, "//")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
			continue
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		case words[0] == ")":
			block = ""
			continue
		case block != "":
			words = append([]string{block}, words...)
		}
		required = required || len(words) == 3 && words[0] == "require" && words[1] == "gradgen.dev"
		tool = tool || len(words) == 2 && words[0] == "tool" && words[1] == "gradgen.dev/cmd/gradgen"
	}
	return required, tool
}

// requirement matches a line of go.mod that requires a module, in a block or
// alone.
var requirement = regexp.MustCompile(`(?m)^\s*(?:require\s+)?([^\s/]+\.[^\s]+)\s+(v[0-9][^\s]*)`)

// moduleLine matches the line of go.mod that names gradgen.
var moduleLine = regexp.MustCompile(`(?m)^module\s+gradgen\.dev\s*$`)

// IsGradgen reports whether a go.mod is gradgen's own.
func IsGradgen(mod []byte) bool { return moduleLine.Match(mod) }
