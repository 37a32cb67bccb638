package store_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gradgen.dev/runtime/store"
)

func put(text string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "weights")
	if err := store.WriteFile(path, put("old")); err != nil {
		t.Fatal(err)
	}

	// A write that fails half way leaves the old file, and nothing else.
	broken := errors.New("disk full")
	err := store.WriteFile(path, func(w io.Writer) error {
		_ = put(strings.Repeat("new", 100_000))(w)
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	checkFolder(t, dir, "weights", "old")

	// A write that succeeds replaces it and keeps its rights.
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.WriteFile(path, put("newer")); err != nil {
		t.Fatal(err)
	}
	checkFolder(t, dir, "weights", "newer")
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		t.Errorf("rights are %v, error %v", info.Mode(), err)
	}
	if err := store.WriteFile(filepath.Join(dir, "no", "folder"), put("")); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

// checkFolder verifies that dir has one file, with this content.
func checkFolder(t *testing.T, dir, name, content string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 || list[0].Name() != name {
		t.Fatalf("the folder has %v, error %v", list, err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != content {
		t.Errorf("the file has %q, want %q, error %v", got, content, err)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := store.WriteFile(path, put("content")); err != nil {
		t.Fatal(err)
	}
	var got []byte
	read := func(r io.Reader) (err error) { got, err = io.ReadAll(r); return err }
	if err := store.ReadFile(path, read); err != nil || string(got) != "content" {
		t.Errorf("read %q, error %v", got, err)
	}
	broken := errors.New("broken")
	if err := store.ReadFile(path, func(io.Reader) error { return broken }); !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v", err)
	}
	if err := store.ReadFile(path+".none", read); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}
