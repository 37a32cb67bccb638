package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gradgen.dev/cmd/gradgen/internal/scaffold"
)

// initCommand is `gradgen init`.
type initCommand struct {
	Module  string `name:"module" placeholder:"PATH" help:"Path of the new module; default is example.com/ and the folder's name."`
	Replace string `name:"replace" placeholder:"CLONE" help:"Folder of a clone of gradgen for the module to use; default is the one around the current folder, else the published version that this gradgen is."`
	Kind    string `arg:"" enum:"mlp,function" help:"What to start with: mlp, a network that is trained, or function, a function with its gradient."`
	Dir     string `arg:"" optional:"" default:"." help:"The folder; default is the current one."`
}

// Help says what is written, and gives examples.
func (c *initCommand) Help() string {
	return "Written are model.dnn, main.go and, where the folder is in no module or -module names a new one, go.mod and go.sum: all of them or none. " +
		"Nothing is overwritten. A module that is there stays as it is; where it does not use gradgen yet, the command that adds it is printed. " + examples(
		"gradgen init mlp moons", "a network in the new folder moons",
		"gradgen init -replace ../gradgen function fit", "a function, with gradgen from a clone",
		"go generate ./... && go run .", "what to do next, in the folder")
}

// Run writes the files and says what to do next.
func (c *initCommand) Run(std streams) error {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	fresh := c.Module != "" // a module of its own, whatever is around it
	if !fresh {
		c.Module = "example.com/" + packageFromFolder(filepath.Base(dir)) // a bare name may be one of the standard library
	}
	files, err := scaffold.Program(c.Kind, c.Module)
	if err != nil {
		return err
	}
	if err := c.free(dir, files); err != nil {
		return err
	}

	// A module that is there stays as it is, and may have to be told of gradgen.
	module, err := findUp(dir, func(string) bool { return true })
	if err != nil {
		return err
	}
	var own []scaffold.File
	var first, note string // the command before all others, and why
	switch {
	case module == "" || fresh:
		own, first, err = c.moduleFiles(dir)
	default:
		files, first, err = c.within(module, files)
		if first != "" {
			note = filepath.Join(module, "go.mod") + " does not use gradgen yet; the first command below adds it.\n"
		}
	}
	if err != nil {
		return err
	}
	if err := c.free(dir, own); err != nil {
		return err
	}
	files = append(files, own...)

	var changes []change
	for _, f := range files {
		changes = append(changes, change{path: filepath.Join(c.Dir, f.Name), new: f.Data})
	}
	if err := apply(changes); err != nil {
		return err
	}
	for _, ch := range changes {
		fmt.Fprintln(std.out, ch.path)
	}
	next := "go generate ./... && go run ."
	if first != "" {
		next = first + " && " + next
	}
	if filepath.Clean(c.Dir) != "." {
		next = "cd " + c.Dir + " && " + next
	}
	_, err = fmt.Fprintf(std.out, "\n%sNext: %s\n", note, next)
	return err
}

// free checks that none of the files is there, nor anything that would not
// compile with them.
func (c *initCommand) free(dir string, files []scaffold.File) error {
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already; nothing was written", filepath.Join(c.Dir, f.Name))
		}
	}
	name, err := packageInFolder(dir)
	if err == nil && name != "" && name != "main" {
		err = fmt.Errorf("%s has Go files of package %s, want main or none; nothing was written", c.Dir, name)
	}
	return err
}

// moduleFiles is go.mod, and go.sum where the module uses a clone; first is the
// command that adds checksums where there are none yet.
func (c *initCommand) moduleFiles(dir string) (files []scaffold.File, first string, err error) {
	clone, version, err := c.gradgen()
	if err != nil {
		return nil, "", err
	}
	if clone == "" {
		return []scaffold.File{scaffold.Published(c.Module, version)}, "go mod tidy", nil
	}
	mod, err := os.ReadFile(filepath.Join(clone, "go.mod"))
	if err != nil {
		return nil, "", err
	}
	sum, err := os.ReadFile(filepath.Join(clone, "go.sum"))
	if err != nil {
		return nil, "", err
	}
	files, err = scaffold.Replaced(c.Module, dir, clone, mod, sum)
	return files, "", err
}

// within is the files of a program in the module of a folder; first is the
// command that lets the module use gradgen, "" where it does already.
func (c *initCommand) within(module string, files []scaffold.File) (_ []scaffold.File, first string, err error) {
	mod, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return nil, "", err
	}
	if scaffold.IsGradgen(mod) {
		return scaffold.Own(files), "", nil
	}
	required, tool := scaffold.Uses(mod)
	switch {
	case required && tool:
		return files, "", nil
	case required:
		return files, "go get -tool gradgen.dev/cmd/gradgen", nil
	}
	clone, version, err := c.gradgen()
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("%s does not require gradgen.dev, and %w", filepath.Join(module, "go.mod"), err)
	case clone == "":
		return files, "go get -tool gradgen.dev/cmd/gradgen@" + version, nil
	}
	first, err = scaffold.Requirement(module, clone)
	return files, first, err
}

// gradgen is what a module can use: the absolute folder of a clone, or a
// published version.
func (c *initCommand) gradgen() (clone, version string, err error) {
	if clone = c.Replace; clone == "" {
		if clone, err = findUp(".", isGradgen); err != nil {
			return "", "", err
		}
	}
	if clone == "" {
		version = ownVersion()
		if !strings.HasPrefix(version, "v") || strings.Contains(version, "+dirty") {
			err = errors.New("this gradgen is no published version; -replace names the folder of a clone that the module can use")
		}
		return "", version, err
	}
	if clone, err = filepath.Abs(clone); err != nil {
		return "", "", err
	}
	mod, err := os.ReadFile(filepath.Join(clone, "go.mod"))
	if err == nil && !scaffold.IsGradgen(mod) {
		err = fmt.Errorf("%s: its go.mod is not that of gradgen.dev", clone)
	}
	return clone, "", err
}

// findUp is the nearest folder, from dir up, whose go.mod is wanted, "" where
// there is none.
func findUp(dir string, want func(mod string) bool) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && want(string(text)) {
			return dir, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", nil
		}
		dir = filepath.Dir(dir)
	}
}

// isGradgen reports whether a go.mod is gradgen's own.
func isGradgen(mod string) bool { return scaffold.IsGradgen([]byte(mod)) }
