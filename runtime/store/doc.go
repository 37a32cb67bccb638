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
// Files come from anywhere. Reading checks the whole header before anything
// else, holds no more than the header and the tensors asked for, reads no
// further than the file's end, and changes nothing unless all of it fits.
package store

import "errors"

// ErrDamaged is wrapped by the error of a file that is cut off, has been
// changed, or is no safetensors file.
var ErrDamaged = errors.New("damaged file")
