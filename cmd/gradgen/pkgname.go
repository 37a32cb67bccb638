package main

import (
	"errors"
	"fmt"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// packageNames finds the names of the packages that files go to, and sees to
// it that the files of one folder agree.
type packageNames struct {
	flag string           // -pkg
	of   map[string]named // by folder
}

// named is the name of a package and the source that gave it.
type named struct{ name, by string }

// find is the name of the package of source s in dir: -pkg, else the program's
// package line, else that of the folder's Go files, else $GOPACKAGE, which go
// generate sets, else the folder's name.
func (p *packageNames) find(s source, dir string) (string, error) {
	name, err := p.choose(s, dir)
	switch {
	case err != nil:
		return "", err
	case !token.IsIdentifier(name) || name == "_":
		return "", coded("package-name", s.path, fmt.Errorf("%s: %q is no name for a Go package; -pkg gives another", s.path, name))
	}
	if other, ok := p.of[dir]; ok && other.name != name {
		return "", coded("package-name", s.path, fmt.Errorf("%s is of package %s and %s of package %s, but both emit to %s", other.by, other.name, s.path, name, dir))
	}
	p.of[dir] = named{name, s.path}
	return name, nil
}

// choose is the first name that is given.
func (p *packageNames) choose(s source, dir string) (string, error) {
	if p.flag != "" {
		return p.flag, nil
	}
	if s.program.Package != "" {
		return s.program.Package, nil
	}
	if name, err := packageInFolder(dir); name != "" || err != nil {
		return name, err
	}
	if name := os.Getenv("GOPACKAGE"); name != "" {
		return name, nil
	}
	abs, err := filepath.Abs(dir)
	return packageFromFolder(filepath.Base(abs)), err
}

// packageInFolder is the package of the Go files in a folder, "" where there
// are none. Emitted files, tests, and files that this platform leaves out do
// not count.
func packageInFolder(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	found, by := "", ""
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		name, err := packageOfFile(path)
		switch {
		case err != nil:
			return "", err
		case found != "" && name != "" && name != found:
			return "", coded("package-name", path, fmt.Errorf("%s is of package %s and %s of package %s; -pkg chooses", by, found, path, name))
		case name != "":
			found, by = name, path
		}
	}
	return found, nil
}

// packageOfFile is the package of a Go file, "" for a file that does not count.
func packageOfFile(path string) (string, error) {
	if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
		return "", nil
	}
	if ok, err := build.Default.MatchFile(filepath.Dir(path), filepath.Base(path)); !ok || err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	if err != nil || emittedFrom(text) != "" {
		return "", err
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.PackageClauseOnly)
	if err != nil {
		return "", err
	}
	return file.Name.Name, nil
}

// packageFromFolder makes a package name of a folder's: its letters, digits and
// underscores from the first letter on, in lower case, or "model".
func packageFromFolder(folder string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, folder)
	name = strings.TrimLeftFunc(name, func(r rune) bool { return !unicode.IsLetter(r) })
	if !token.IsIdentifier(name) {
		return "model"
	}
	return name
}

// documented reports whether a Go file of the folder that gradgen has not emitted
// has the package's doc comment.
func documented(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return false // the folder's name is no pattern
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil || emittedFrom(text) != "" || strings.HasSuffix(path, "_test.go") {
			continue
		}
		if f, err := parser.ParseFile(token.NewFileSet(), path, text, parser.PackageClauseOnly|parser.ParseComments); err == nil && f.Doc != nil {
			return true
		}
	}
	return false
}
