// Package torch holds PyTorch's operators as .dnn text, and its tests hold them
// against PyTorch's own values.
//
// Each operator is a fn of testdata/ops/*.dnn, called torch_ and its name in PyTorch with
// underscores for dots, whose parameters are PyTorch's. A sample of the test
// suite of PyTorch, inputs with outputs, cotangents and gradients in float64, is
// a call of that fn with the sample's shapes and settings. The tests compile the
// calls of all samples to Go, run what was emitted, and compare.
//
// excerpt.jsonl has small samples of the operators that pass. The whole set is
// read from the file that the environment variable TORCH_VECTORS names; README.md
// lists what comes of it, operator by operator.
package torch
