package dsl

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// section matches a part of reference.md that is printed from the sources.
var section = regexp.MustCompile(`(?s)(<!-- begin: (\w+) -->\n).*?(<!-- end: (\w+) -->)`)

// The parts of reference.md between markers are what the sources print.
func TestReference(t *testing.T) {
	const path = "reference.md"
	printed := map[string]string{
		"grammar":   "```\n" + grammarText(t) + "```\n",
		"functions": FunctionTable(),
		"ops":       ir.OpTable(),
		"codes":     CodeTable(),
		"missing":   "`" + strings.Join(sortedKeys(notYet), " ") + "`.\n",
	}
	text := string(readFile(t, path))
	seen := 0
	want := section.ReplaceAllStringFunc(text, func(part string) string {
		m := section.FindStringSubmatch(part)
		of, ok := printed[m[2]]
		if !ok || m[2] != m[4] {
			t.Fatalf("%s has a section %s that ends as %s", path, m[2], m[4])
		}
		seen++
		return m[1] + of + m[3]
	})
	if seen != len(printed) {
		t.Fatalf("%s has %d sections, want %d", path, seen, len(printed))
	}
	if want == text {
		return
	}
	if !*update {
		t.Fatalf("%s is stale: go test ./dsl -run Reference -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
		t.Fatal(err)
	}
}

// grammarText is the grammar as the comment of grammar.go has it.
func grammarText(t *testing.T) string {
	var b strings.Builder
	for line := range strings.Lines(string(readFile(t, "grammar.go"))) {
		if rule, ok := strings.CutPrefix(line, "//\t"); ok {
			b.WriteString(rule)
		} else if b.Len() > 0 && line == "//\n" {
			b.WriteString("\n")
		}
		if strings.HasPrefix(line, "// Chain also") {
			break
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// TestFirstSentence: a full stop ends a sentence before a capital.
func TestFirstSentence(t *testing.T) {
	for doc, want := range map[string]string{
		"One. Two.":                   "One.",
		"By Klambauer et al. 2017":    "By Klambauer et al. 2017",
		"By Li et al. In time. So.":   "By Li et al. In time.",
		"One,\ntwo\n\nthree":          "One, two",
		"x (Ba 2016). eps is inside.": "x (Ba 2016). eps is inside.",
		"":                            "",
	} {
		if got := firstSentence(doc); got != want {
			t.Errorf("of %q it is %q, want %q", doc, got, want)
		}
	}
}
