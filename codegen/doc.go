// Package codegen prints a plan as a Go package.
//
// In comes an *ir.Plan, in which the steps, their order and every buffer are
// settled; out come gofmt-ed files, the same bytes for the same plan. Only
// spelling is decided here:
//
//	generate.go      which files there are, and what stands in each
//	jen.go           statements, comments and declarations as text; the only user of jennifer
//	names.go         Go names of what the program names, and which of them meet
//	model.go         the names of one model; group.go: its parameters and states
//	context.go       how the operands of a procedure are spelled in its function
//	methods.go       procedures as methods, and where the operands of each lie
//	method.go        a method as one function, or as several; split.go: where it is cut
//	steps.go, loop*.go, expr.go  bodies of methods
//	trainer.go       the model's type; mathematics.go: its doc comment
//	step.go          Step, Grad of each loss; update.go: Update; compose.go: Forward, Backward
//	average.go       averages of parameters; carry.go: what is kept from call to call
//	api.go           dimensions, batches, parameters
//	intake.go        what each entry reads of a batch; take.go: how that is checked
//	totals.go        reports and evaluation
//	predict.go       weights and predictors; export.go: their further entries
//	files.go         what is read and written
//	funcs*.go        exported functions
//	tests*.go        the emitted tests
//	naive*.go        the unsimplified loss as float64 loops, which they check against
//
// What always holds: emitted code imports gradgen.dev/runtime and the standard
// library alone, allocates nothing per step, and every paragraph of a
// procedure stands under the formula it computes.
package codegen
