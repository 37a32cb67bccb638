// Package abi names the contracts between emitted code and the runtime.
//
// Each emitted package refers to the constant of the runtime it was written
// for, so that an older runtime is a compiler error that names the remedy.
// Constants are only ever added: emitted code compiles with any later runtime
// of the same major version.
package abi

// RuntimeIsAtLeastV1 is referred to by packages that need version 1 of the
// runtime. If it is undefined, run: go get gradgen.dev@latest
const RuntimeIsAtLeastV1 = true
