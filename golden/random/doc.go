// Package random tests the compiler on programs drawn at random: models with
// layers, shared instances, copies, states, carries, derivatives, several
// losses and whole train blocks.
//
// Each program is compiled, and the driver of [gradgen.dev/golden/drive] runs
// what is emitted against the reference interpreter. A program that fails is
// made smaller, statement by statement, as long as it fails in the same stage;
// the test prints what is left, with its seed.
//
//	go test ./golden/random -programs 100 -seed 7
package random
