// Package store reads and writes weights and checkpoints as safetensors files:
//
//	8 bytes   the length n of the header, little endian
//	n bytes   a JSON object: each tensor's name, dtype, shape and byte range,
//	          and the strings of "__metadata__"; padded with spaces to 8
//	the rest  the elements, little endian, without gaps
//
// The format is https://github.com/huggingface/safetensors. The same tensors
// give the same bytes: wider elements come first, so that each is aligned, then
// the order is the caller's; metadata is sorted.
//
// [WriteChecked] adds a seal to the metadata, which leaves the file readable by
// all programs that read the format: the version of what is in the file, so that
// a runtime that is too old says so ([ErrVersion]), and a checksum over header
// and elements, so that a single bit that has changed is an error ([ErrDamaged]).
// Every reader verifies a seal that is there, [ReadChecked] demands one.
// [WriteFile] puts a file in place whole or not at all.
//
// Files come from anywhere. Reading checks the whole header before anything
// else, holds no more than the header and the tensors asked for, reads no
// further than the file's end, and changes nothing unless all of it fits.
//
// [Parse] is for a file that is in memory already, embedded in a program or
// mapped: tensors are views of it and nothing is copied. Emitted code gives it a
// list such as
//
//	views := []store.View{
//		{Name: "dense.W", Shape: []int{20, 24}, Into: &w.params.DenseW},
//		{Name: "dense.b", Shape: []int{24}, Into: &w.params.DenseB},
//	}
//	meta, err := store.Parse(file, views...)
//
// of the names and shapes that it gives to [Read], over parameters that need no
// memory of their own yet. Weights made so are only read.
package store

import "errors"

// ErrDamaged is wrapped by the error of a file that is cut off, has been
// changed, or is no safetensors file.
var ErrDamaged = errors.New("damaged file")
