package passes

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

var update = flag.Bool("update", false, "rewrite the expected halves of testdata")

// TestSimplifyGolden holds the text of simplified graphs against testdata: each
// file has a comment, a graph, a line `simplified` and the graph that comes out.
func TestSimplifyGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/simplify/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("testdata is missing", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before, want, _ := strings.Cut(string(text), "\n-- simplified --\n")
			g, roots, err := ir.Parse(before)
			if err != nil {
				t.Fatal(err)
			}
			got := ir.Print(g, Simplify(g, roots...)...)
			if *update {
				whole := strings.TrimRight(before, "\n") + "\n\n-- simplified --\n" + got
				if err := os.WriteFile(file, []byte(whole), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("%s: simplified\n%s\nwant\n%s", file, got, want)
			}
		})
	}
}
