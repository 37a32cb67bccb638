package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/dsl"
)

// libraryTable is the functions, layers and optimisers of the standard library
// that have a documentation, as Markdown: file by file, in the order of the text.
func libraryTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| function | what |\n| --- | --- |\n")
	sources := dsl.LibraryFiles()
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		file, diags := dsl.Parse("dsl/std/"+name, sources[name])
		if len(diags) > 0 {
			t.Fatal(diags[0])
		}
		for _, d := range file.Decls {
			if signature, doc := describe(d); doc != "" {
				fmt.Fprintf(&b, "| `%s` | %s |\n", signature, strings.ReplaceAll(summary(doc), "|", `\|`))
			}
		}
	}
	return b.String()
}

// describe is the signature of a declaration as it is written, and its
// documentation, "" for what is no function.
func describe(d dsl.Decl) (signature, doc string) {
	switch d := d.(type) {
	case *dsl.FnDecl:
		return signatureOf(d.Name, d.Params), d.Doc
	case *dsl.LayerDecl:
		return signatureOf(d.Name, d.Params), d.Doc
	case *dsl.OptimizerDecl:
		return signatureOf(d.Name, d.Params), d.Doc
	}
	return "", ""
}

// signatureOf is the text of a name and its parameters.
func signatureOf(name *dsl.Name, params []*dsl.Param) string {
	texts := make([]string, len(params))
	for i, p := range params {
		texts[i] = p.Text()
	}
	return name.Name + "(" + strings.Join(texts, ", ") + ")"
}

// summary is a documentation's first paragraph in one line.
func summary(doc string) string {
	first, _, _ := strings.Cut(doc, "\n\n")
	return strings.Join(strings.Fields(first), " ")
}
