package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCommand is `gradgen version`.
type versionCommand struct{}

// Help gives an example.
func (versionCommand) Help() string {
	return examples("gradgen version", "the module's version, that of Go, and the system")
}

// Run prints the module's version, and the Go that gradgen was built with.
func (versionCommand) Run(std streams) error {
	_, err := fmt.Fprintf(std.out, "gradgen %s %s %s/%s\n", ownVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// ownVersion is the version of the module that gradgen was built from.
func ownVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
