package golden

import (
	"bytes"
	"os"
	"testing"
)

// registryFile lists what the driver calls.
const registryFile = "drive/registry_test.go"

// TestRegistry holds the driver's registry against the functions of the
// packages.
func TestRegistry(t *testing.T) {
	want, err := Registry(".", cases(t))
	check(t, err)
	if *update {
		check(t, os.WriteFile(registryFile, want, 0o644))
	}
	if have, err := os.ReadFile(registryFile); err != nil || !bytes.Equal(have, want) {
		t.Errorf("%s is not up to date: go test ./golden -update", registryFile)
	}
}
