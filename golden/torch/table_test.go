package torch

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// A row is what came of one operator.
type row struct {
	op            string
	samples, pass int
	note          string
}

// missing begins the reason why an operator is no fn.
const missing = "not expressed: "

// tableFile has the table between two marks.
const tableFile = "README.md"

const (
	tableBegin = "<!-- begin: table -->\n"
	tableEnd   = "<!-- end: table -->"
)

// reasons reads reasons.txt.
func reasons(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("reasons.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		op, reason, ok := strings.Cut(lines.Text(), ": ")
		if !ok || out[op] != "" {
			t.Errorf("reasons.txt: %q is no reason, or the second one", lines.Text())
		}
		out[op] = reason
	}
	return out
}

// tabulate counts what was found by operators, sorted by their names.
func tabulate(list []*sample, found map[*sample]string, why map[string]string) []row {
	rows := map[string]*row{}
	for _, s := range list {
		r := rows[s.op]
		if r == nil {
			r = &row{op: s.op, note: why[s.op]}
			rows[s.op] = r
		}
		r.samples++
		if text, ok := found[s]; ok && text == "" {
			r.pass++
		}
	}
	var out []row
	for _, r := range rows {
		out = append(out, *r)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].op < out[j].op })
	return out
}

// print is the table as Markdown, with its sums in front.
func print(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n| operator | samples | pass | why not all, or what is left out |\n| --- | --- | --- | --- |\n", sums(rows))
	for _, r := range rows {
		fmt.Fprintf(&b, "| `%s` | %d | %d | %s |\n", r.op, r.samples, r.pass, r.note)
	}
	return b.String()
}

// sums is the sentence before the table.
func sums(rows []row) string {
	expressed, pass, samples, passing := 0, 0, 0, 0
	for _, r := range rows {
		samples += r.samples
		passing += r.pass
		if !strings.HasPrefix(r.note, missing) {
			expressed++
		}
		if r.pass == r.samples {
			pass++
		}
	}
	return fmt.Sprintf("Of %d operators %d are expressed, and %d pass all of their samples; of %d samples %d pass.", len(rows), expressed, pass, samples, passing)
}

// rowLine is a row as it is printed.
var rowLine = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (\\d+) \\| (\\d+) \\| (.*) \\|$")

// table is README.md with its table.
func table(t *testing.T) (before, between, after string, rows []row) {
	t.Helper()
	text, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	between, after, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatalf("%s has no table", tableFile)
	}
	for _, m := range rowLine.FindAllStringSubmatch(between, -1) {
		samples, _ := strconv.Atoi(m[2])
		pass, _ := strconv.Atoi(m[3])
		rows = append(rows, row{m[1], samples, pass, strings.TrimSpace(m[4])})
	}
	return before, between, after, rows
}

// TestTable holds the table of README.md against the operators, the reasons and
// the excerpt, as far as that goes without the whole set of samples.
func TestTable(t *testing.T) {
	lib, why := operators(t), reasons(t)
	_, between, _, rows := table(t)
	if strings.TrimSpace(between) != strings.TrimSpace(print(rows)) {
		t.Errorf("%s: the sums are not those of the rows", tableFile)
	}
	seen := map[string]bool{}
	expressed := map[string]bool{}
	for _, r := range rows {
		seen[r.op] = true
		fns := lib.variants(r.op)
		for _, name := range fns {
			expressed[name] = true
		}
		switch {
		case r.note != why[r.op]:
			t.Errorf("%s: the table has %q, reasons.txt %q", r.op, r.note, why[r.op])
		case r.pass < r.samples && r.note == "":
			t.Errorf("%s: %d of %d samples pass, and reasons.txt does not say why", r.op, r.pass, r.samples)
		case strings.HasPrefix(r.note, missing) != (len(fns) == 0):
			t.Errorf("%s: the table has %q, and it has the fns %q", r.op, r.note, fns)
		}
	}
	for _, op := range sortedKeys(why) {
		if !seen[op] {
			t.Errorf("reasons.txt: %s is no operator of the table", op)
		}
	}
	for _, name := range lib.names() {
		if !expressed[name] {
			t.Errorf("%s is no operator of the table", name)
		}
	}
	for _, s := range load(t, excerptFile) {
		if i := slices.IndexFunc(rows, func(r row) bool { return r.op == s.op }); i < 0 || rows[i].pass == 0 {
			t.Errorf("%s is in the excerpt and passes nothing in the table", s.op)
		}
	}
}

// variants is the fns of an operator: one, or one for each number of tensors.
func (lib *library) variants(op string) []string {
	var out []string
	name := fnName(op)
	for _, f := range lib.names() {
		if rest, ok := strings.CutPrefix(f, name); ok && (rest == "" || counted.MatchString(rest)) {
			out = append(out, f)
		}
	}
	return out
}

// counted is how the name of a fn of several tensors ends.
var counted = regexp.MustCompile(`^_\d$`)

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
