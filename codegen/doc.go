// Package codegen prints a plan as a Go package.
//
// In comes an *ir.Plan, in which the steps, their order and every buffer are
// settled; out come gofmt-ed files, the same bytes for the same plan. Only
// spelling is decided here:
//
//	jen.go       statements, comments and declarations as text; the only user of jennifer
//	names.go     Go names of what the program names
//	context.go   how the operands of a procedure are spelled in its function
//	generate.go  which files there are, and what stands in each
//	types.go, api.go, files.go, predict.go   a model's types and methods
//	funcs.go     exported functions
//	naive*.go    the unsimplified loss as float64 loops, for the emitted test
//	tests.go     the emitted tests
//
// What always holds: emitted code imports gradgen.dev/runtime and the standard
// library alone, allocates nothing per step, and every paragraph of it stands
// under the formula it computes.
package codegen
