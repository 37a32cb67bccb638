package dsl

import (
	"fmt"
	"strings"
)

// FunctionTable is the functions that programs can call, as a Markdown table:
// the library's, file by file, with their signatures and the first sentence of
// their documentation, then what is built in. Declarations documented as part
// of another, which are there for the library's own text, are left out.
func FunctionTable() string {
	var b strings.Builder
	b.WriteString("| function | what |\n| --- | --- |\n")
	row := func(signature, doc string) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", signature, strings.ReplaceAll(doc, "|", `\|`))
	}
	for _, f := range libraryFiles() {
		fmt.Fprintf(&b, "| **%s** | |\n", f.Name)
		for _, d := range f.Decls {
			if signature, doc := described(d); doc != "" && !strings.HasPrefix(doc, partOf) {
				row(signature, firstSentence(doc))
			}
		}
	}
	for _, group := range primitiveGroups() {
		fmt.Fprintf(&b, "| **%s** | |\n", group.title)
		for _, p := range group.list {
			row(p.signature, p.doc)
		}
	}
	return b.String()
}

// partOf starts the documentation of a declaration that serves another of the
// library's.
const partOf = "Part of "

// described is the signature of a function, layer or optimizer as it is written,
// and its documentation; "" of another declaration.
func described(d Decl) (signature, doc string) {
	switch d := d.(type) {
	case *FnDecl:
		return signatureOf(d.Name, d.Params), d.Doc
	case *LayerDecl:
		return signatureOf(d.Name, d.Params), d.Doc
	case *OptimizerDecl:
		return signatureOf(d.Name, d.Params), d.Doc
	}
	return "", ""
}

// signatureOf is a name and its parameters as they are written.
func signatureOf(name *Name, params []*Param) string {
	texts := make([]string, len(params))
	for i, p := range params {
		texts[i] = oneLine(p)
	}
	return name.Name + "(" + strings.Join(texts, ", ") + ")"
}

// firstSentence is the first sentence of a documentation on one line. A full stop
// ends it where nothing or a capital follows, but for that of "et al.".
func firstSentence(doc string) string {
	first, _, _ := strings.Cut(doc, "\n\n")
	words := strings.Fields(first)
	for i, w := range words[:max(len(words)-1, 0)] {
		next := words[i+1]
		if strings.HasSuffix(w, ".") && w != "al." && next[:1] != strings.ToLower(next[:1]) {
			return strings.Join(words[:i+1], " ")
		}
	}
	return strings.Join(words, " ")
}
