package golden

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gradgen.dev/passes"
)

var update = flag.Bool("update", false, "write the files of every case anew")

// TestPackages compiles every program and compares the emitted files, as a set,
// with those of its folder.
func TestPackages(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			want := emit(t, name)
			if again := emit(t, name); !slices.EqualFunc(want, again, sameFile) {
				t.Fatal("two compilations of one program differ")
			}
			if *update {
				rewrite(t, name, want)
			}
			compare(t, name, want)
		})
	}
}

// TestPlacement proves for every plan that each read is of a value written
// before and that no two values that are needed at once share memory.
func TestPlacement(t *testing.T) {
	for _, name := range cases(t) {
		plan, err := Plan(".", name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := passes.CheckPlacement(plan); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := checkArenas(plan); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func cases(t *testing.T) []string {
	t.Helper()
	names, err := Cases(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 16 {
		t.Fatalf("%d cases", len(names))
	}
	return names
}

// A file is one of a case's folder.
type file struct {
	name string
	data []byte
}

func sameFile(a, b file) bool { return a.name == b.name && bytes.Equal(a.data, b.data) }

// emit compiles a case in memory: its emitted files and stages.txt.
func emit(t *testing.T, name string) []file {
	t.Helper()
	plan, err := Plan(".", name)
	check(t, err)
	emitted, err := generate(plan, name)
	check(t, err)
	var files []file
	for _, f := range emitted {
		files = append(files, file{f.Name, f.Data})
	}
	return append(files, file{"stages.txt", stagesOf(plan)})
}

// rewrite makes a case's folder hold files, beside the program.
func rewrite(t *testing.T, name string, files []file) {
	t.Helper()
	for _, old := range folder(t, name) {
		if !slices.ContainsFunc(files, func(f file) bool { return f.name == old }) {
			check(t, os.Remove(filepath.Join(name, old)))
		}
	}
	for _, f := range files {
		check(t, os.WriteFile(filepath.Join(name, f.name), f.data, 0o644))
	}
}

// compare reports every file that a case's folder has too much, lacks, or has
// with other bytes.
func compare(t *testing.T, name string, files []file) {
	t.Helper()
	for _, old := range folder(t, name) {
		if !slices.ContainsFunc(files, func(f file) bool { return f.name == old }) {
			t.Errorf("%s/%s is not emitted", name, old)
		}
	}
	for _, f := range files {
		have, err := os.ReadFile(filepath.Join(name, f.name))
		switch {
		case err != nil:
			t.Errorf("%s is missing: %v", f.name, err)
		case !bytes.Equal(have, f.data):
			t.Errorf("%s/%s differs from what is emitted; go test ./golden -update rewrites it", name, f.name)
		}
	}
}

// folder is the files of a case but its programs.
func folder(t *testing.T, name string) []string {
	t.Helper()
	entries, err := os.ReadDir(name)
	check(t, err)
	var names []string
	for _, e := range entries {
		if !e.IsDir() && filepath.Ext(e.Name()) != ".dnn" {
			names = append(names, e.Name())
		}
	}
	return names
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
