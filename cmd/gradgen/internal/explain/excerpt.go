package explain

import (
	"go/ast"
	"path/filepath"
	"regexp"
	"strings"

	"gradgen.dev/codegen"
)

// A chunk is a comment of an emitted function and the statements under it.
type chunk struct {
	comment string // as one line
	code    string // without the function's indentation
}

// excerpts are the chunks of each emitted function: of private methods by type
// and method, of functions by their name. Go's names are spelled after the
// program's: they are in lower case here, without underscores.
type excerpts map[string][]chunk

// newExcerpts cuts emitted files into chunks. Tests are left out.
func newExcerpts(files []codegen.File) excerpts {
	out := excerpts{}
	for _, f := range files {
		if filepath.Ext(f.Name) != ".go" || strings.HasSuffix(f.Name, "_test.go") {
			continue
		}
		lines := strings.Split(string(f.Data), "\n")
		for i := 0; i < len(lines); i++ {
			rest, ok := strings.CutPrefix(lines[i], "func ")
			if !ok {
				continue
			}
			end := i + 1
			for end < len(lines) && lines[end] != "}" {
				end++
			}
			if k := functionKey(rest); k != "" {
				out[k] = chunks(lines[i+1 : min(end, len(lines))])
			}
			i = end
		}
	}
	return out
}

// functionKey is the key of a function whose declaration goes on as rest, "" of
// an exported method, which runs procedures and is none.
func functionKey(rest string) string {
	receiver := ""
	if method, ok := strings.CutPrefix(rest, "("); ok {
		receiver, rest, _ = strings.Cut(method, ")")
		receiver = receiver[strings.LastIndexAny(receiver, " *")+1:]
	}
	name, _, _ := strings.Cut(strings.TrimSpace(rest), "(")
	if receiver != "" && ast.IsExported(name) {
		return ""
	}
	return key(receiver, name)
}

func key(receiver, name string) string {
	if receiver != "" {
		name = receiver + "." + name
	}
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}

// of is the chunks of a procedure of a model, or of a function where there is
// no model. Predictors have a type of their own.
func (e excerpts) of(model, name string) []chunk {
	if model == "" {
		return e[key("", name)]
	}
	for _, receiver := range []string{model, model + "Predictor", "Predictor"} {
		if found, ok := e[key(receiver, name)]; ok {
			return found
		}
	}
	return nil
}

// ofRoutine is the chunks of a function that the update of a loss calls.
func (e excerpts) ofRoutine(model, name, loss string) []chunk {
	for _, prefix := range []string{model, ""} {
		if found, ok := e[key("", prefix+"update"+name+loss)]; ok {
			return found
		}
	}
	return nil
}

// chunks cuts the body of a function: a chunk starts with comments at the
// function's own indentation and ends where another starts, or with a blank
// line before that indentation.
func chunks(body []string) []chunk {
	var out []chunk
	var comment, code []string
	flush := func() {
		if len(comment) > 0 {
			out = append(out, chunk{inPlace.ReplaceAllString(oneLine(strings.Join(comment, " ")), ""), strings.TrimRight(strings.Join(code, "\n"), "\n")})
		}
		comment, code = nil, nil
	}
	for i, line := range body {
		text, isComment := strings.CutPrefix(line, "\t//")
		switch {
		case isComment:
			if len(code) > 0 {
				flush()
			}
			comment = append(comment, text)
		case line == "" && (i+1 == len(body) || !strings.HasPrefix(body[i+1], "\t\t")):
			flush()
		case len(comment) > 0:
			code = append(code, strings.TrimPrefix(line, "\t"))
		}
	}
	flush()
	return out
}

// inPlace is what a comment says behind a formula of where its value lies.
var inPlace = regexp.MustCompile(` \(in \S+\)`)

// codeOf is the code under the comment that has these formulas.
func codeOf(list []chunk, formulas []string) string {
	want := oneLine(strings.Join(formulas, " "))
	for _, c := range list {
		if c.comment == want {
			return c.code
		}
	}
	return ""
}

// oneLine is text with each run of spaces as one.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
