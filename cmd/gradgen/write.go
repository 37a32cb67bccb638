package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
)

// A change makes one file what it should be.
type change struct {
	path     string
	old, new []byte // nil where there is no file
}

// verb is what the change does, as lists of stale files say it.
func (c change) verb() string {
	switch {
	case c.old == nil:
		return "missing"
	case c.new == nil:
		return "no longer emitted"
	}
	return "out of date"
}

// diff is the change as a unified diff.
func (c change) diff() []byte {
	from, to := c.path, c.path
	if c.old == nil {
		from = os.DevNull
	}
	if c.new == nil {
		to = os.DevNull
	}
	return diff.Diff(from, c.old, to, c.new)
}

// apply makes all changes or none: new files lie complete beside their places
// before the first takes its name, and an error puts the old ones back.
func apply(changes []change) (err error) {
	var undo []func()
	defer func() {
		for i := len(undo) - 1; err != nil && i >= 0; i-- {
			undo[i]()
		}
	}()

	// What can fail for want of room or rights comes first.
	staged := make([]string, len(changes))
	for i, c := range changes {
		remove, err := makeDir(filepath.Dir(c.path))
		undo = append(undo, remove)
		if err != nil {
			return err
		}
		if staged[i], err = stage(c); err != nil {
			return fmt.Errorf("%s cannot be written, and nothing is: %w", c.path, cause(err))
		}
		undo = append(undo, func() { os.Remove(staged[i]) })
	}

	// Old files step aside, new ones take their names.
	aside := make([]string, len(changes))
	for i, c := range changes {
		if c.old != nil {
			aside[i] = staged[i] + ".old"
			if err := os.Rename(c.path, aside[i]); err != nil {
				return err
			}
			undo = append(undo, func() { os.Rename(aside[i], c.path) })
		}
		if c.new != nil {
			if err := os.Rename(staged[i], c.path); err != nil {
				return err
			}
			undo = append(undo, func() { os.Remove(c.path) })
		}
	}

	// Nothing can fail any more that would matter.
	for i := range changes {
		os.Remove(staged[i])
		os.Remove(aside[i])
	}
	return nil
}

// cause is what is wrong with a file, without the file's name.
func cause(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// makeDir makes a folder and those above it; remove takes away what was made.
func makeDir(dir string) (remove func(), err error) {
	var made []string
	for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, d)
	}
	remove = func() {
		for _, d := range made {
			os.Remove(d)
		}
	}
	return remove, os.MkdirAll(dir, 0o777)
}

// stage writes the new content of a change to a file beside its place, with the
// access rights of the file that it replaces, and returns its name. A removal
// has an empty file: its name is the change's own.
func stage(c change) (name string, err error) {
	mode := fs.FileMode(0o666)
	if info, err := os.Stat(c.path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := createBeside(c.path, mode)
	if err != nil {
		return "", err
	}
	_, err = f.Write(c.new)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
	}
	return f.Name(), err
}

// createBeside makes a new file in the folder of path. Its name starts with a
// dot, so that Go's tools do not see it if a crash leaves it there.
func createBeside(path string, mode fs.FileMode) (*os.File, error) {
	const tries = 1000
	dir, base := filepath.Split(path)
	for i := range tries {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", base, i))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, fmt.Errorf("%s: %d temporary files are left beside it", path, tries)
}
