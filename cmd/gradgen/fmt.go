package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/rogpeppe/go-internal/diff"

	"gradgen.dev/dsl"
)

// fmtCommand is `gradgen fmt`.
type fmtCommand struct {
	reporting
	List  bool     `name:"l" help:"List the files whose layout differs."`
	Diff  bool     `name:"d" help:"Print what would change, and exit with 1 if anything would."`
	Write bool     `name:"w" help:"Rewrite the files."`
	Files []string `arg:"" optional:"" help:"Programs, folders, and trees of folders (./...); standard input where there are none."`
}

// Help gives examples.
func (c *fmtCommand) Help() string {
	return "Without flags the new text goes to standard output. " + examples(
		"gradgen fmt -w ./...", "rewrite all programs below this folder",
		"gradgen fmt -l ./...", "list those whose layout differs",
		"gradgen fmt -d model.dnn", "what would change; the exit code is 1 if anything would",
		"gradgen fmt < model.dnn", "standard input to standard output, for editors")
}

// Run formats files, or standard input to standard output. Files are written
// only if all of them parse.
func (c *fmtCommand) Run(std streams) error {
	if len(c.Files) == 0 && c.Write {
		return fmt.Errorf("fmt -w: standard input cannot be rewritten; name files")
	}
	layouts, err := c.read(std)
	if err != nil {
		return err
	}

	// Rewriting goes first, so that a list names what was rewritten.
	if c.Write {
		if err := apply(rewrites(layouts)); err != nil {
			return err
		}
	}
	differs := false
	for _, l := range layouts {
		if err := c.print(std.out, l); err != nil {
			return err
		}
		differs = differs || l.differs()
	}
	if c.Diff && differs {
		return errFound
	}
	return nil
}

// layout is a file and its canonical form.
type layout struct {
	path     string
	old, new []byte
}

func (l layout) differs() bool { return !bytes.Equal(l.old, l.new) }

// read formats all files; the error is errFound where some do not parse.
func (c *fmtCommand) read(std streams) ([]layout, error) {
	files, err := c.texts(std.in)
	if err != nil {
		return nil, err
	}
	var diags []*dsl.Diagnostic
	for i, f := range files {
		std.now.at("format", f.path)
		text, found := dsl.Format(f.path, f.old)
		files[i].new = text
		diags = append(diags, found...)
	}
	if len(diags) > 0 {
		return nil, printFound(std, diags)
	}
	return files, nil
}

// texts reads the files, or standard input.
func (c *fmtCommand) texts(in io.Reader) ([]layout, error) {
	if len(c.Files) == 0 {
		text, err := io.ReadAll(in)
		return []layout{{path: "<standard input>", old: text}}, err
	}
	paths, err := findSources(c.Files)
	if err != nil {
		return nil, err
	}
	var files []layout
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, coded("file", path, err)
		}
		files = append(files, layout{path: path, old: text})
	}
	return files, nil
}

// print prints of one file what the flags ask for; without flags, its new text.
func (c *fmtCommand) print(w io.Writer, l layout) (err error) {
	if !c.List && !c.Diff && !c.Write {
		_, err = w.Write(l.new)
	}
	if c.List && l.differs() {
		_, err = fmt.Fprintln(w, l.path)
	}
	if c.Diff && l.differs() {
		_, err = w.Write(diff.Diff(l.path+".orig", l.old, l.path, l.new))
	}
	return err
}

// rewrites is the changes that write the layouts.
func rewrites(layouts []layout) []change {
	var changes []change
	for _, l := range layouts {
		if l.differs() {
			changes = append(changes, change(l))
		}
	}
	return changes
}
