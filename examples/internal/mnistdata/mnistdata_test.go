package mnistdata

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Fill scales pixels to [0, 1] and keeps each label with its image.
func TestFill(t *testing.T) {
	set := &Set{Images: make([]byte, 2*Pixels), Labels: []byte{7, 3}}
	set.Images[Pixels] = 255
	x, y := make([]float32, 2*Pixels), make([]int32, 2)
	set.Fill(x, y, []int{1, 0})
	if x[0] != 1 || x[Pixels] != 0 || y[0] != 3 || y[1] != 7 {
		t.Errorf("x[0] = %v, x[%d] = %v, y = %v", x[0], Pixels, x[Pixels], y)
	}
}

// Where files are missing or are others, the error says which are wanted, where
// to put them, and which example needs none.
func TestLoadWithoutData(t *testing.T) {
	empty, other := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(other, files[0].name), []byte("other"), 0o666); err != nil {
		t.Fatal(err)
	}
	for dir, reason := range map[string]string{empty: files[0].name + ".gz", other: "not that of MNIST"} {
		_, _, err := Load(dir)
		if err == nil {
			t.Fatalf("%s was read", dir)
		}
		for _, want := range []string{reason, files[0].name, files[3].name, "-data DIR", "$GRADGEN_DATA", "examples/rosenbrock"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error has no %q: %v", want, err)
			}
		}
	}
}

// $GRADGEN_DATA is the folder where none is named.
func TestLoadFromEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GRADGEN_DATA", dir)
	_, _, err := Load("")
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v, want one about %s", err, dir)
	}
}
