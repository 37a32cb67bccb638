package dsl

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// FuzzParse checks that no input makes Parse or Render panic, that every span lies in
// its parent's and every diagnostic in the file, and that Format keeps its promises.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/page/*.dnn", "testdata/diag/*.dnn", "testdata/format/*"} {
		files, _ := filepath.Glob(pattern)
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, diags := Parse("fuzz.dnn", src)
		checkSpans(t, file)
		checkPlaces(t, diags, len(src))
		if err := checkFormat(src); err != nil {
			t.Error(err)
		}
	})
}

// pieces cuts a program that parses into its tokens and comments.
func pieces(t *testing.T, name string) []string {
	t.Helper()
	file, _ := Parse(name, readFile(t, name))
	var texts []string
	for _, p := range newFormatter(file).pieces {
		texts = append(texts, p.text)
	}
	return texts
}

// TestWhiteSpaceMeansNothing puts other white space and other comments between the
// tokens of every program: it must parse to the same tree, and be formatted as Format
// promises.
func TestWhiteSpaceMeansNothing(t *testing.T) {
	gaps := []string{" ", " ", " ", "\n", "\n\n\n", "\r\n", "\t", "  ", " // c\n", "\n// c\n", " /* c */ ", "\n/* a\n b */\n"}
	for _, name := range programs(t) {
		file, _ := Parse(name, readFile(t, name))
		want := dump(withoutDocs(file))
		for seed := range uint64(5) {
			random := rand.New(rand.NewPCG(seed, 1))
			var b strings.Builder
			for _, text := range pieces(t, name) {
				b.WriteString(text)
				if strings.HasPrefix(text, "//") {
					b.WriteString("\n")
				}
				b.WriteString(gaps[random.IntN(len(gaps))])
			}
			src := b.String()
			got, diags := Parse(name, []byte(src))
			if len(diags) > 0 {
				t.Fatalf("%s\nin\n%s", diags[0], src)
			}
			if d := lineDiff(want, dump(withoutDocs(got))); d != "" {
				t.Fatalf("%s, seed %d: the tree changes: %s\nin\n%s", name, seed, d, src)
			}
			if err := checkFormat([]byte(src)); err != nil {
				t.Fatalf("%s, seed %d: %v\nof\n%s", name, seed, err, src)
			}
		}
	}
}

// withoutDocs removes the doc comments from a tree, which depend on white space.
func withoutDocs(file *File) []Decl {
	for _, d := range file.Decls {
		Visit(d, func(n Node) bool {
			if doc := reflect.ValueOf(n).Elem().FieldByName("Doc"); doc.IsValid() {
				doc.SetString("")
			}
			return true
		})
	}
	return file.Decls
}

// TestMutations drops, doubles and exchanges tokens of every program, and checks what
// FuzzParse checks.
func TestMutations(t *testing.T) {
	for _, name := range programs(t) {
		texts := pieces(t, name)
		for seed := range uint64(15) {
			random := rand.New(rand.NewPCG(seed, 2))
			mutant := slices.Clone(texts)
			for range 1 + random.IntN(3) {
				i, j := random.IntN(len(mutant)), random.IntN(len(mutant))
				switch random.IntN(4) {
				case 0:
					mutant = slices.Delete(mutant, i, i+1)
				case 1:
					mutant = slices.Insert(mutant, i, mutant[j])
				case 2:
					mutant[i] = mutant[j]
				case 3:
					mutant[i], mutant[j] = mutant[j], mutant[i]
				}
			}
			src := []byte(strings.Join(mutant, "\n"))
			file, diags := Parse(name, src)
			checkSpans(t, file)
			checkPlaces(t, diags, len(src))
			if err := checkFormat(src); err != nil {
				t.Errorf("%s, seed %d: %v\nof\n%s", name, seed, err, src)
			}
			if t.Failed() {
				return
			}
		}
	}
}
