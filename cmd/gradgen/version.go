package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCommand is `gradgen version`.
type versionCommand struct{}

// Run prints the module's version, and the Go that gradgen was built with.
func (versionCommand) Run(std streams) error {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintf(std.out, "gradgen %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
