package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// findSources returns the .dnn files that args name, sorted and without
// repetition: a file is itself, a folder the files in it, and folder/... those
// of the tree below too. Like Go's tools, it leaves out folders below that are
// called testdata or start with a dot or an underscore.
func findSources(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		found, err := findSource(arg)
		if err != nil {
			return nil, coded("file", arg, err)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// findSource is findSources for one argument.
func findSource(arg string) ([]string, error) {
	root, tree := strings.CutSuffix(filepath.ToSlash(arg), "...")
	if tree && root != "" && !strings.HasSuffix(root, "/") {
		return nil, fmt.Errorf("%s: write folder/... for a folder and its tree", arg)
	}
	root = filepath.Clean(root)

	info, err := os.Stat(root)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir() && tree:
		return nil, fmt.Errorf("%s: %s is no folder", arg, root)
	case !info.IsDir() && filepath.Ext(root) != ".dnn":
		return nil, fmt.Errorf("%s: the name does not end in .dnn", arg)
	case !info.IsDir():
		return []string{root}, nil
	}
	files, err := walkSources(root, tree)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: no .dnn files", arg)
	}
	return files, err
}

// walkSources is the .dnn files in a folder, and below it if tree is set.
func walkSources(root string, tree bool) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (!tree || hidden(d.Name())):
			return fs.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".dnn":
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// hidden reports whether a folder is left out of a tree.
func hidden(name string) bool {
	return name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}
