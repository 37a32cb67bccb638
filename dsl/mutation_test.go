package dsl

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// validPrograms are the patterns of programs without errors.
var validPrograms = []string{
	"testdata/page/*.dnn", "testdata/spec/*.dnn", "../golden/*/model.dnn", "../examples/*/*/*.dnn",
}

// A mutant is a valid program with one slip of the pen in it.
type mutant struct {
	src   string
	lines map[int]bool // that have changed
	what  string       // the line before and after, to show
}

// A slip changes the tokens around the i-th of a program. It returns what stands for
// the bytes [from, to), and whether it applies there.
type slip struct {
	kind  string
	apply func(src string, tokens []lexer.Token, i int) (from, to int, text string, ok bool)
}

// slips are the mutations of one token.
var slips = []slip{
	{"delete", func(src string, tokens []lexer.Token, i int) (int, int, string, bool) {
		return start(tokens[i]), tokenEnd(tokens[i]), "", true
	}},
	{"duplicate", func(src string, tokens []lexer.Token, i int) (int, int, string, bool) {
		from, to := start(tokens[i]), tokenEnd(tokens[i])
		return from, to, src[from:to] + " " + src[from:to], true
	}},
	{"swap", func(src string, tokens []lexer.Token, i int) (int, int, string, bool) {
		if i+1 >= len(tokens) {
			return 0, 0, "", false
		}
		a, b := tokens[i], tokens[i+1]
		first, between, second := src[start(a):tokenEnd(a)], src[tokenEnd(a):start(b)], src[start(b):tokenEnd(b)]
		return start(a), tokenEnd(b), second + between + first, !strings.Contains(between, "//")
	}},
	{"rename", func(src string, tokens []lexer.Token, i int) (int, int, string, bool) {
		t := tokens[i]
		_, size := utf8.DecodeLastRuneInString(t.Value)
		return start(t), tokenEnd(t), t.Value + t.Value[len(t.Value)-size:], t.Type == tokenIdent
	}},
	{"extent", func(src string, tokens []lexer.Token, i int) (int, int, string, bool) {
		t := tokens[i]
		return start(t), tokenEnd(t), "1" + t.Value, t.Type == tokenNumber && inShape(tokens, i)
	}},
	{"bracket", func(src string, tokens []lexer.Token, i int) (int, int, string, bool) {
		t := tokens[i]
		return start(t), tokenEnd(t), " ", strings.Contains("()[]{}", t.Value) && t.Type != tokenString
	}},
}

func start(t lexer.Token) int { return t.Pos.Offset }

// inShape reports whether the i-th token stands in brackets directly behind a name.
func inShape(tokens []lexer.Token, i int) bool {
	for i--; i > 0 && tokens[i].Value != "["; i-- {
		if tokens[i].Type != tokenNumber && tokens[i].Type != tokenIdent && tokens[i].Value != "," {
			return false
		}
	}
	return i > 0 && tokens[i-1].Type == tokenIdent
}

// mutants are some of the mutants of a program, which depend on its text alone.
func mutants(src string, of int) []mutant {
	file := &File{Src: []byte(src)}
	file.indexLines()
	all, _ := scan(file)
	tokens := slices.DeleteFunc(all, func(t lexer.Token) bool { return t.EOF() })
	if len(tokens) == 0 {
		return nil
	}
	hash := fnv.New64a()
	hash.Write([]byte(src))
	random := rand.New(rand.NewPCG(hash.Sum64(), 11))
	var out []mutant
	for _, s := range slips {
		for range of {
			i := random.IntN(len(tokens))
			if from, to, text, ok := s.apply(src, tokens, i); ok && src[from:to] != text {
				out = append(out, newMutant(file, s.kind, from, to, text))
			}
		}
	}
	return out
}

// newMutant is a program with text in place of its bytes [from, to). Where that leaves
// a line empty, no place is on it, and the lines around it stand for it.
func newMutant(file *File, kind string, from, to int, text string) mutant {
	src := string(file.Src)
	first, last := file.lineOf(from), file.lineOf(to)
	a, b := file.lineBounds(first)
	m := mutant{src: src[:from] + text + src[to:], lines: map[int]bool{}}
	m.what = fmt.Sprintf("%s of %q in line %d: %s", kind, src[from:to], first, strings.TrimSpace(src[a:b]))
	if first == last && strings.TrimSpace(src[a:from]+text+src[to:b]) == "" {
		first, last = first-1, last+1
	}
	for line := first; line <= last; line++ {
		m.lines[line] = true
	}
	return m
}

// reportedLines are the lines of a file that a diagnostic names or underlines.
func reportedLines(f *File, diags []*Diagnostic) map[int]bool {
	lines := map[int]bool{}
	add := func(s Span) {
		if s.File != f {
			return
		}
		for line := f.lineOf(s.Start); line <= f.lineOf(max(s.Start, s.End-1)); line++ {
			lines[line] = true
		}
	}
	for _, d := range diags {
		add(d.Place())
		add(d.Span)
		for _, r := range d.Related {
			add(r.Span)
		}
	}
	return lines
}

// compileCounted is what the compiler says of a program, and how many expressions it
// evaluates for that.
func compileCounted(src string) (f *File, diags []*Diagnostic, work int) {
	f, diags = Parse("mutant.dnn", []byte(src))
	static := map[string]bool{}
	for {
		e := newElaborator(f, Options{}, static, loadImports(f, nil))
		e.run()
		work += e.spent.exprs
		if !e.again {
			return f, append(diags, SortDiagnostics(e.diags)...), work
		}
	}
}

// TestSlips makes slips of the pen in every valid program. None makes the compiler
// panic, and none makes it work much longer than the program did. Every error has a
// code, and of 50 slips that are errors at least 49 have their line among those that
// are reported. The others are of two kinds: an extent that is right where it stands,
// and does not fit a value that is computed from it much further on; and a brace that
// moves what comes after it out of its body.
func TestSlips(t *testing.T) {
	const perSlip = 6
	wrong := 0
	var missed []string
	for _, src := range programsOf(t, validPrograms...) {
		_, diags, work := compileCounted(src)
		if len(diags) > 0 {
			continue // a fragment of the page
		}
		for _, m := range mutants(src, perSlip) {
			f, diags, spent := compileCounted(m.src)
			if spent > 100*work+10_000 {
				t.Errorf("%s\nevaluates %d expressions, and the program %d", m.what, spent, work)
			}
			if len(diags) == 0 {
				continue
			}
			wrong++
			checkCodes(t, diags)
			if !meet(m.lines, reportedLines(f, diags)) {
				missed = append(missed, m.what+"\n\t"+diags[0].String())
			}
		}
	}
	if wrong < 1000 || len(missed)*50 > wrong {
		t.Errorf("of %d errors, %d are reported elsewhere:\n%s", wrong, len(missed), strings.Join(missed, "\n"))
	}
}

// meet reports whether two sets have a common element.
func meet(a, b map[int]bool) bool {
	for x := range a {
		if b[x] {
			return true
		}
	}
	return false
}

// checkCodes checks that every diagnostic has a code.
func checkCodes(t *testing.T, diags []*Diagnostic) {
	t.Helper()
	for _, d := range diags {
		if d.Number() == "" {
			t.Errorf("%s: the table has no code %q", d, d.Code)
		}
	}
}
