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
	Replace string `name:"replace" placeholder:"CLONE" help:"Folder of a clone of gradgen that the module uses; default is the one around the current folder, else the published version that this gradgen is."`
	Kind    string `arg:"" enum:"mlp,function" help:"What to start with: mlp, a network that is trained, or function, a function with its gradient."`
	Dir     string `arg:"" optional:"" default:"." help:"The folder; default is the current one."`
}

// Help says what is written, and gives examples.
func (c *initCommand) Help() string {
	return "Written are model.dnn, main.go and, where the folder is in no module, go.mod and go.sum: all of them or none. " +
		"Nothing is overwritten. " + examples(
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
	if c.Module == "" {
		c.Module = "example.com/" + packageFromFolder(filepath.Base(dir)) // a bare name may be one of the standard library
	}
	files, err := scaffold.Program(c.Kind, c.Module)
	if err != nil {
		return err
	}
	if err := c.free(dir, files); err != nil {
		return err
	}

	// A module that is there stays as it is.
	module, err := findUp(dir, func(string) bool { return true })
	if err != nil {
		return err
	}
	next := "go generate ./... && go run ."
	if module == "" || c.Replace != "" {
		own, tidy, err := c.moduleFiles(dir)
		if err != nil {
			return err
		}
		if err := c.free(dir, own); err != nil {
			return err
		}
		files = append(files, own...)
		if tidy {
			next = "go mod tidy && " + next
		}
	}

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
	if filepath.Clean(c.Dir) != "." {
		next = "cd " + c.Dir + " && " + next
	}
	_, err = fmt.Fprintf(std.out, "\nNext: %s\n", next)
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

// moduleFiles is go.mod, and go.sum where the module uses a clone; tidy is
// whether go mod tidy has to add the checksums.
func (c *initCommand) moduleFiles(dir string) (files []scaffold.File, tidy bool, err error) {
	clone := c.Replace
	if clone == "" {
		if clone, err = findUp(".", isGradgen); err != nil {
			return nil, false, err
		}
	}
	if clone == "" {
		version := ownVersion()
		if !strings.HasPrefix(version, "v") || strings.Contains(version, "+dirty") {
			return nil, false, errors.New("this gradgen is no published version; -replace names the folder of a clone that the module can use")
		}
		return []scaffold.File{scaffold.Published(c.Module, version)}, true, nil
	}
	if clone, err = filepath.Abs(clone); err != nil {
		return nil, false, err
	}
	mod, err := os.ReadFile(filepath.Join(clone, "go.mod"))
	if err != nil {
		return nil, false, err
	}
	sum, err := os.ReadFile(filepath.Join(clone, "go.sum"))
	if err != nil {
		return nil, false, err
	}
	files, err = scaffold.Replaced(c.Module, dir, clone, mod, sum)
	return files, false, err
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
