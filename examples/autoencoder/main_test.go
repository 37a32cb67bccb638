package main

import (
	"io"
	"path/filepath"
	"testing"
)

// A tenth of the default run halves the error of the mean picture, nearly.
func TestRun(t *testing.T) {
	found, err := run(io.Discard, 15, 1, filepath.Join(t.TempDir(), "sheet.png"))
	if err != nil {
		t.Fatal(err)
	}
	if found.mean < 0.2 || found.model > 0.65*found.mean {
		t.Errorf("root mean square error %.4f; the mean picture has %.4f", found.model, found.mean)
	}
}
