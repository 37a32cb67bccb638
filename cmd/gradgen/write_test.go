package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A change that cannot be made puts back the ones before it, and leaves no
// temporary files or folders.
func TestApplyIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	kept, gone := filepath.Join(dir, "kept.go"), filepath.Join(dir, "gone.go")
	writeFile(t, kept, "old kept")
	writeFile(t, gone, "old gone")
	blocked := filepath.Join(dir, "blocked.go")
	if err := os.MkdirAll(filepath.Join(blocked, "full"), 0o777); err != nil {
		t.Fatal(err)
	}

	err := apply([]change{
		{path: kept, old: []byte("old kept"), new: []byte("new kept")},
		{path: gone, old: []byte("old gone")},
		{path: filepath.Join(dir, "new", "sub", "fresh.go"), new: []byte("fresh")},
		{path: blocked, new: []byte("cannot replace a folder")},
	})
	if err == nil {
		t.Fatal("a folder was replaced by a file")
	}
	checkFile(t, kept, "old kept")
	checkFile(t, gone, "old gone")
	checkNames(t, dir, "blocked.go", "gone.go", "kept.go")
}

// Changes that can be made leave exactly their result.
func TestApply(t *testing.T) {
	dir := t.TempDir()
	kept, gone := filepath.Join(dir, "kept.go"), filepath.Join(dir, "gone.go")
	writeFile(t, kept, "old kept")
	writeFile(t, gone, "old gone")
	fresh := filepath.Join(dir, "new", "fresh.go")
	err := apply([]change{
		{path: kept, old: []byte("old kept"), new: []byte("new kept")},
		{path: gone, old: []byte("old gone")},
		{path: fresh, new: []byte("fresh")},
	})
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, kept, "new kept")
	checkFile(t, fresh, "fresh")
	checkNames(t, dir, "kept.go", "new")
	checkNames(t, filepath.Join(dir, "new"), "fresh.go")
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// checkFile checks a file's content.
func checkFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
	}
}

// checkNames checks what lies in a folder.
func checkNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if len(got) != len(want) {
		t.Fatalf("%s holds %q, want %q", dir, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s holds %q, want %q", dir, got, want)
		}
	}
}
