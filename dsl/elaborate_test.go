package dsl

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// diagnose is the errors of a program, those of its syntax first.
func diagnose(name string, src []byte) []*Diagnostic {
	f, diags := Parse(name, src)
	_, more := Elaborate(f, Options{})
	return append(diags, more...)
}

// TestMeaningDiagnostics checks the errors that Elaborate reports.
func TestMeaningDiagnostics(t *testing.T) {
	checkDiagnostics(t, "testdata/diag/meaning*.dnn", diagnose)
}

// programsOf is the programs of the files that match the patterns.
func programsOf(t testing.TB, patterns ...string) []string {
	t.Helper()
	var out []string
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", pattern, err)
		}
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, chunks(string(src))...)
		}
	}
	return out
}

// everyProgram is the patterns of all programs of the tests.
var everyProgram = []string{"testdata/page/*.dnn", "testdata/diag/*.dnn", "testdata/spec/*.dnn"}

// checkElaborates elaborates any text at all: that must end, without a panic,
// with either a program whose graph is sound or diagnostics in the file.
func checkElaborates(t *testing.T, src string) {
	t.Helper()
	f, diags := Parse("fuzz.dnn", []byte(src))
	p, more := Elaborate(f, Options{})
	if p == nil && len(diags)+len(more) == 0 {
		t.Errorf("neither a program nor a diagnostic")
	}
	if p != nil {
		if err := ir.Check(rootsOf(p)...); err != nil {
			t.Error(err)
		}
	}
	for _, d := range more {
		if s := d.Place(); s.File != f || s.Start < 0 || s.Start > len(src) {
			t.Errorf("%q is not in the file", d.Message)
		}
	}
	if err := Render(io.Discard, more); err != nil {
		t.Error(err)
	}
}

// rootsOf is every value that a program is made for.
func rootsOf(p *ir.Program) []*ir.Node {
	var roots []*ir.Node
	for _, m := range p.Models {
		for _, side := range []*ir.Side{m.Train, m.Infer} {
			for _, list := range [][]ir.Named{side.Outputs, side.Losses, side.Metrics} {
				for _, o := range list {
					roots = append(roots, o.Node)
				}
			}
			for _, w := range side.Writes {
				roots = append(roots, w.Value)
			}
		}
		for _, q := range m.Params {
			roots = append(roots, q.Node, q.Init)
		}
		for _, train := range m.Trains {
			for _, u := range train.Updates {
				roots = append(roots, u.Next)
				for _, w := range u.States {
					roots = append(roots, w.Value, w.State.Init)
				}
				if u.Average != nil {
					roots = append(roots, u.Average.Value)
				}
			}
		}
		for _, s := range append(append([]*ir.State{}, m.States...), m.Carries...) {
			roots = append(roots, s.Node, s.Init)
		}
		for _, x := range m.Exports {
			for _, r := range x.Results {
				roots = append(roots, r.Node)
			}
			for _, w := range x.Writes {
				roots = append(roots, w.Value)
			}
		}
	}
	for _, f := range p.Funcs {
		roots = append(roots, f.Results...)
	}
	return roots
}

// TestElaborateMutations elaborates the programs of the tests with some of their tokens
// taken out, doubled or exchanged for others.
func TestElaborateMutations(t *testing.T) {
	count := 8
	if n, err := strconv.Atoi(os.Getenv("MUTATIONS")); err == nil {
		count = n
	}
	programs := programsOf(t, everyProgram...)
	var tokens [][]string
	for _, src := range programs {
		f, _ := Parse("m.dnn", []byte(src))
		var parts []string
		for _, p := range newFormatter(f).pieces {
			if !strings.HasPrefix(p.text, "//") {
				parts = append(parts, p.text)
			}
		}
		tokens = append(tokens, parts)
	}
	for i := range programs {
		if strings.Contains(programs[i], "limit of") || len(tokens[i]) == 0 {
			continue
		}
		random := rand.New(rand.NewPCG(uint64(i), 7))
		for range count {
			src := mutated(random, tokens, i)
			checkElaborates(t, src)
			if t.Failed() {
				t.Fatalf("in\n%s", src)
			}
		}
	}
}

// mutated is program i with one to three of its tokens changed.
func mutated(random *rand.Rand, tokens [][]string, i int) string {
	parts := append([]string{}, tokens[i]...)
	for range 1 + random.IntN(3) {
		k := random.IntN(len(parts))
		other := tokens[i]
		if random.IntN(4) == 0 {
			for other = nil; len(other) == 0; {
				other = tokens[random.IntN(len(tokens))]
			}
		}
		switch random.IntN(4) {
		case 0:
			parts = append(parts[:k:k], parts[k+1:]...)
			if len(parts) == 0 {
				return ""
			}
		case 1:
			parts = append(parts[:k:k], append([]string{parts[k]}, parts[k:]...)...)
		default:
			parts[k] = other[random.IntN(len(other))]
		}
	}
	return strings.Join(parts, " ")
}

// FuzzElaborate is checkElaborates of any text.
func FuzzElaborate(f *testing.F) {
	for _, src := range programsOf(f, everyProgram...) {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) { checkElaborates(t, src) })
}
