package codegen

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/scanner"
	"go/token"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/dave/jennifer/jen"
)

// packages are what emitted code may import, by the name that statements use.
var packages = map[string]string{
	"abi":     runtimePath + "/abi",
	"blas":    runtimePath + "/blas",
	"fault":   runtimePath + "/fault",
	"par":     runtimePath + "/par",
	"rng":     runtimePath + "/rng",
	"store":   runtimePath + "/store",
	"vec":     runtimePath + "/vec",
	"bytes":   "bytes",
	"errors":  "errors",
	"fmt":     "fmt",
	"io":      "io",
	"math":    "math",
	"slices":  "slices",
	"strconv": "strconv",
	"sync":    "sync",
	"testing": "testing",
}

// wide is the column that prose in comments is wrapped at.
const wide = 76

// A body is the statements of a function, or the lines of a declaration.
type body struct {
	code       []jen.Code
	statements int      // how many there are, those of blocks included
	texts      []string // of the statements so far, those of blocks included
}

// stmt adds a Go statement, or a line of a declaration, as text.
func (b *body) stmt(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	b.code = append(b.code, raw(text))
	b.texts = append(b.texts, text)
	b.statements++
}

// dropUnused takes out the statements that declare variables which nothing else
// mentions. at has the position of each by the variable.
func (b *body) dropUnused(at map[string]int) {
	if len(at) == 0 {
		return
	}
	used := map[string]int{}
	for _, line := range strings.Split(fmt.Sprintf("%#v", jen.Block(b.code...)), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "//") {
			for _, name := range identifier.FindAllString(line, -1) {
				used[name]++
			}
		}
	}
	var drop []int
	for name, i := range at {
		if used[name] == 1 {
			drop = append(drop, i)
		}
	}
	sort.Sort(sort.Reverse(sort.IntSlice(drop)))
	for _, i := range drop {
		b.code = slices.Delete(b.code, i, i+1)
	}
}

// identifier is a name in Go text.
var identifier = regexp.MustCompile(`[\pL_][\pL\pN_]*`)

// comment adds a line comment. Prose is wrapped; a formula, which is a line
// with a sign of equality or assignment between spaces, stays on its line.
func (b *body) comment(format string, args ...any) {
	for _, line := range commentLines(fmt.Sprintf(format, args...)) {
		b.code = append(b.code, jen.Comment(line))
	}
}

// blank ends a paragraph.
func (b *body) blank() {
	if len(b.code) > 0 {
		b.code = append(b.code, jen.Empty())
	}
}

// block adds header and braces around what fill adds: a for, an if, a switch, a
// func literal, a composite literal with an element a line.
func (b *body) block(header string, fill func()) {
	b.statements++
	b.texts = append(b.texts, header)
	b.code = append(b.code, raw(header).Block(b.inside(fill)...))
}

// loop adds a loop over the numbers below count, called index; where nothing
// inside needs the index, it has no name.
func (b *body) loop(index, count string, fill func()) {
	b.statements++
	from := len(b.texts)
	inner := b.inside(fill)
	header := "for range " + count
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(index) + `\b`)
	if slices.ContainsFunc(b.texts[from:], word.MatchString) {
		header = "for " + index + " := range " + count
	}
	b.texts = append(b.texts, header)
	b.code = append(b.code, raw(header).Block(inner...))
}

// orElse continues the last block: its header is "else" or "else if …".
func (b *body) orElse(header string, fill func()) {
	b.texts = append(b.texts, header)
	b.last().Add(raw(header).Block(b.inside(fill)...))
}

// literal adds a composite literal: on one line where it is short.
func (b *body) literal(header string, elements []string) {
	if line := header + "{" + strings.Join(elements, ", ") + "}"; len([]rune(line)) <= wide {
		b.stmt("%s", line)
		return
	}
	b.block(header, func() {
		for _, e := range elements {
			b.stmt("%s,", e)
		}
	})
}

// call adds a call, on one line where it is short.
func (b *body) call(header string, args []string) {
	if line := header + "(" + strings.Join(args, ", ") + ")"; len([]rune(line)) <= wide {
		b.stmt("%s", line)
		return
	}
	b.stmt("%s(%s)", header, "\n"+strings.Join(args, ",\n")+",\n")
}

// tail puts text behind the last block's brace, such as the parenthesis that
// closes a call.
func (b *body) tail(text string) { b.last().Add(raw(text)) }

// inside is what fill adds.
func (b *body) inside(fill func()) []jen.Code {
	outer := b.code
	b.code = nil
	fill()
	inner := b.code
	b.code = outer
	return inner
}

func (b *body) last() *jen.Statement { return b.code[len(b.code)-1].(*jen.Statement) }

// raw is text with the packages in it as qualified names, so that the file
// imports what it uses.
func raw(text string) *jen.Statement {
	var s scanner.Scanner
	set := token.NewFileSet()
	at := set.AddFile("", set.Base(), len(text))
	s.Init(at, []byte(text), func(token.Position, string) {}, 0)

	// A package is a known name before a period and not behind one.
	out, done := &jen.Statement{}, 0
	before := [3]token.Token{}
	name, start := "", 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		offset := at.Offset(pos)
		if path := packages[name]; tok == token.IDENT && path != "" && token.IsExported(lit) &&
			before[2] == token.PERIOD && before[1] == token.IDENT && before[0] != token.PERIOD {
			if start > done {
				out.Op(text[done:start])
			}
			out.Qual(path, lit)
			done = offset + len(lit)
		}
		if tok == token.IDENT {
			name, start = lit, offset
		}
		before = [3]token.Token{before[1], before[2], tok}
	}
	if done < len(text) || done == 0 {
		out.Op(text[done:])
	}
	return out
}

// commentLines is prose and formulas as lines of a comment.
func commentLines(text string) []string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if isFormula(line) {
			out = append(out, "// "+line)
		} else {
			out = append(out, docLines(line)...)
		}
	}
	return out
}

// isFormula reports whether a line is a formula: a short left side and a sign of
// equality or assignment.
func isFormula(line string) bool {
	for _, sign := range []string{" = ", " ← ", " += "} {
		if left, _, ok := strings.Cut(line, sign); ok && strings.Count(left, " ") < 3 {
			return true
		}
	}
	return false
}

// docLines is a doc comment: prose is wrapped, what a tab begins is shown as
// code.
func docLines(text string) []string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, "\t") {
			out = append(out, "//"+line)
			continue
		}
		for _, l := range wrap(line, wide) {
			out = append(out, strings.TrimRight("// "+l, " "))
		}
	}
	return out
}

// wrap breaks a line of prose at spaces.
func wrap(line string, width int) []string {
	if len([]rune(line)) <= width {
		return []string{line}
	}
	var out []string
	current := ""
	for word := range strings.FieldsSeq(line) {
		if current != "" && len([]rune(current))+1+len([]rune(word)) > width {
			out, current = append(out, current), ""
		}
		if current != "" {
			current += " "
		}
		current += word
	}
	return append(out, current)
}

// A file is one emitted Go file. It is formatted once, at the end.
type file struct {
	jen *jen.File
}

// newFile returns an empty file of package pkg, compiled from source.
func newFile(pkg, source string) *file {
	f := jen.NewFile(pkg)
	f.HeaderComment("// Code generated by gradgen from " + source + "; DO NOT EDIT.")
	for name, path := range packages {
		f.ImportName(path, name)
	}
	f.NoFormat = true // once, at the end
	return &file{jen: f}
}

// packageDoc sets the package's doc comment.
func (f *file) packageDoc(doc string) {
	for _, line := range docLines(doc) {
		f.jen.PackageComment(line)
	}
}

// fn adds a function or method. Its signature is without func and braces.
func (f *file) fn(doc, signature string, fill func(b *body)) {
	f.declare(doc, "func "+signature, func(s *jen.Statement, b *body) { s.Block(b.code...) }, fill)
}

// typ adds a struct type.
func (f *file) typ(doc, name string, fill func(b *body)) {
	f.declare(doc, "type "+name+" struct", func(s *jen.Statement, b *body) { s.Block(b.code...) }, fill)
}

// decl adds a declaration on one line, such as a constant.
func (f *file) decl(doc, text string) {
	f.declare(doc, text, func(*jen.Statement, *body) {}, func(*body) {})
}

// note adds a comment that belongs to no declaration.
func (f *file) note(format string, args ...any) {
	f.jen.Line()
	for _, line := range docLines(fmt.Sprintf(format, args...)) {
		f.jen.Comment(line)
	}
	f.jen.Line()
}

func (f *file) declare(doc, header string, close func(s *jen.Statement, b *body), fill func(b *body)) {
	f.jen.Line()
	if doc != "" {
		for _, line := range docLines(doc) {
			f.jen.Comment(line)
		}
	}
	var b body
	fill(&b)
	s := raw(header)
	close(s, &b)
	f.jen.Add(s)
}

// render is the file, formatted. That what was printed is no Go is an error of
// the printer, shown with the lines it is in.
func (f *file) render() ([]byte, error) {
	var out bytes.Buffer
	if err := f.jen.Render(&out); err != nil {
		return nil, fmt.Errorf("codegen: %w", err)
	}
	src, err := format.Source(groupImports(out.Bytes()))
	var bad scanner.ErrorList
	if errors.As(err, &bad) && len(bad) > 0 {
		lines := strings.Split(string(groupImports(out.Bytes())), "\n")
		at := bad[0].Pos.Line
		err = fmt.Errorf("%w, in:\n%s", err, strings.Join(lines[max(at-6, 0):min(at+3, len(lines))], "\n"))
	}
	return src, err
}

// groupImports puts the runtime's packages behind the standard library's, with
// a line between them.
func groupImports(src []byte) []byte {
	const open, shut = "import (\n", "\n)\n"
	from := bytes.Index(src, []byte(open))
	if from < 0 {
		return src
	}
	from += len(open)
	to := from + bytes.Index(src[from:], []byte(shut))
	var standard, runtime []string
	for line := range strings.SplitSeq(string(src[from:to]), "\n") {
		switch {
		case strings.Contains(line, runtimePath):
			runtime = append(runtime, line)
		case line != "":
			standard = append(standard, line)
		}
	}
	if len(standard) > 0 && len(runtime) > 0 {
		standard = append(standard, "")
	}
	return slices.Concat(src[:from], []byte(strings.Join(append(standard, runtime...), "\n")), src[to:])
}
