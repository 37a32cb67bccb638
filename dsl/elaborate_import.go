package dsl

import (
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// The limits of what a file imports, in all.
const (
	maxImports    = 1000
	maxImportSize = 64 << 20
)

// An importSet is the files that a file imports, directly and through others,
// and what went wrong in reading them.
type importSet struct {
	order  []*File                   // root first, then each file where it is first met
	direct map[*File][]*importedFile // of each file, in the order of its text
	failed map[*File]bool            // one of its imports is not known
	diags  []*Diagnostic
	broken bool // an imported file has syntax errors

	open   func(path string) ([]byte, error)
	loaded map[string]*File
	active map[string]*ImportDecl // the chain of imports that is being read
	size   int
}

// An importedFile is an import that was read.
type importedFile struct {
	decl *ImportDecl
	file *File
}

// loadImports reads and parses what a file imports. A path is relative to the
// folder of the file that imports it.
func loadImports(root *File, open func(string) ([]byte, error)) *importSet {
	s := &importSet{open: open, direct: map[*File][]*importedFile{}, failed: map[*File]bool{},
		loaded: map[string]*File{}, active: map[string]*ImportDecl{}}
	name := filepath.Clean(root.Name)
	s.loaded[name] = root
	s.active[name] = nil
	s.read(root)
	return s
}

// read loads the imports of a file.
func (s *importSet) read(f *File) {
	s.order = append(s.order, f)
	first := map[string]*ImportDecl{}
	for _, d := range f.Decls {
		d, ok := d.(*ImportDecl)
		if !ok || d.Path == nil {
			continue
		}
		name, problem := importName(f, d.Path.Value)
		if problem != "" {
			s.fail(f, errorAt(d.Path, "%s", problem).code("import"))
			continue
		}
		if old := first[name]; old != nil {
			s.diags = append(s.diags, errorAt(d, "%s is imported twice", d.Path.Value).code("import").related(old, "the first is here"))
			continue
		}
		first[name] = d
		if g := s.load(f, d, name); g != nil {
			s.direct[f] = append(s.direct[f], &importedFile{d, g})
		} else {
			s.failed[f] = true
		}
	}
}

// importName is the path of an imported file, or what is wrong with it.
func importName(f *File, path string) (name, problem string) {
	local := filepath.FromSlash(path)
	switch {
	case path == "":
		return "", "an import names a file, such as import \"blocks.dnn\""
	case filepath.IsAbs(local) || strings.HasPrefix(path, "/"):
		return "", "the path of an import is relative to the folder of its file, and " + path + " is absolute"
	case filepath.Ext(local) != ".dnn":
		return "", "an import names a .dnn file, and " + path + " does not end in .dnn"
	}
	return filepath.Join(filepath.Dir(f.Name), local), ""
}

// fail reports an import of f that cannot be read.
func (s *importSet) fail(f *File, d *Diagnostic) {
	s.failed[f] = true
	s.diags = append(s.diags, d)
}

// load is the file that d, in f, imports; nil where that cannot be read, which
// is reported.
func (s *importSet) load(f *File, d *ImportDecl, name string) *File {
	if by, cycle := s.active[name]; cycle {
		e := errorAt(d.Path, "%s imports itself", filepath.Base(name)).code("import")
		if by != nil || name != filepath.Clean(f.Name) {
			e = errorAt(d.Path, "the imports of %s lead back to it", filepath.Base(name)).code("import")
		}
		if by != nil {
			e.related(by, "it is imported here")
		}
		s.fail(f, e)
		return nil
	}
	if g := s.loaded[name]; g != nil {
		return g
	}
	switch {
	case s.open == nil:
		s.fail(f, errorAt(d.Path, "%s cannot be read: there are no files to import from here", d.Path.Value).code("import"))
		return nil
	case len(s.loaded) > maxImports:
		s.fail(f, errorAt(d.Path, "this program imports more than the limit of %d files", maxImports).code("text-limit"))
		return nil
	}
	src, err := s.open(name)
	if err != nil {
		s.fail(f, errorAt(d.Path, "cannot import %s: %s", d.Path.Value, reason(err)).code("import"))
		return nil
	}
	if s.size += len(src); s.size > maxImportSize {
		s.fail(f, errorAt(d.Path, "the imported files have more than the limit of %d MiB in all", maxImportSize>>20).code("text-limit"))
		return nil
	}
	g, diags := Parse(name, src)
	s.diags = append(s.diags, diags...)
	s.broken = s.broken || len(diags) > 0
	s.loaded[name] = g
	s.active[name] = d
	s.read(g)
	delete(s.active, name)
	return g
}

// reason is an error of opening a file without the path, which the message has.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// scopes is the declarations of every file, over the library's.
func (s *importSet) scopes(library *fileScope) map[*File]*fileScope {
	out := map[*File]*fileScope{}
	for _, f := range s.order {
		out[f] = newFileScope(f)
		out[f].std = library
		out[f].partial = s.failed[f]
	}
	for _, f := range s.order {
		for _, i := range s.direct[f] {
			out[f].addImport(i, out[i.file])
		}
	}
	return out
}

// addImport makes the declarations of a file visible. A name that another
// import brings is an error, unless the file's own declaration hides both.
func (s *fileScope) addImport(i *importedFile, from *fileScope) {
	for _, other := range s.imports {
		clashes, first := []string{}, [2]*Name{}
		for _, space := range [...]func(*fileScope) map[string]*Name{(*fileScope).functionNames, (*fileScope).optimizerNames, (*fileScope).constNames} {
			own, old, names := space(s), space(other), space(from)
			for _, name := range sortedKeys(names) {
				if old[name] == nil || own[name] != nil {
					continue
				}
				if len(clashes) == 0 {
					first = [2]*Name{old[name], names[name]}
				}
				clashes = append(clashes, name)
			}
		}
		if len(clashes) > 0 {
			s.failClash(i.decl, clashes, first)
		}
	}
	s.imports = append(s.imports, from)
}

// failClash reports the names that two imported files declare, with the places of
// the first.
func (s *fileScope) failClash(at Node, names []string, first [2]*Name) {
	slices.Sort(names)
	text := "rename one"
	if len(names) > 1 {
		text = "rename one of each"
	}
	d := errorAt(at, "two imported files declare %s: %s, or declare it in this file", joined(names, "and"), text).code("import")
	for _, name := range first {
		d.related(name, "%s is declared here", name.Name)
	}
	s.twice = append(s.twice, d)
}

// functionNames is the fns and layers of a file.
func (s *fileScope) functionNames() map[string]*Name {
	out := map[string]*Name{}
	for name, d := range s.fns {
		out[name] = d.Name
	}
	for name, d := range s.layers {
		out[name] = d.Name
	}
	return out
}

// optimizerNames is the optimizers of a file.
func (s *fileScope) optimizerNames() map[string]*Name {
	out := map[string]*Name{}
	for name, d := range s.optimizers {
		out[name] = d.Name
	}
	return out
}

// constNames is the consts of a file.
func (s *fileScope) constNames() map[string]*Name {
	out := map[string]*Name{}
	for name, c := range s.consts {
		out[name] = c.decl.Name
	}
	return out
}

// behindImport says which file that the imported ones import declares a
// function, where one does: an import does not hand on what it imports.
func (s *fileScope) behindImport(name string) string {
	var found []string
	seen := map[*fileScope]bool{}
	var visit func(*fileScope)
	visit = func(f *fileScope) {
		if seen[f] {
			return
		}
		seen[f] = true
		for _, g := range f.imports {
			if n := g.functionNames()[name]; n != nil {
				found = append(found, filepath.Base(n.File.Name))
			}
			if d := g.optimizers[name]; d != nil {
				found = append(found, filepath.Base(d.Name.File.Name))
			}
			visit(g)
		}
	}
	for _, g := range s.imports {
		visit(g)
	}
	if len(found) == 0 {
		return ""
	}
	sort.Strings(found)
	return "; it is declared in " + found[0] + ", which this file does not import"
}

// withImports is a file's declarations and those of every file it imports, each
// once.
func (s *fileScope) withImports() []*fileScope {
	var out []*fileScope
	seen := map[*fileScope]bool{}
	var visit func(*fileScope)
	visit = func(f *fileScope) {
		if seen[f] {
			return
		}
		seen[f] = true
		out = append(out, f)
		for _, g := range f.imports {
			visit(g)
		}
	}
	visit(s)
	return out
}
