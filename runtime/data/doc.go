// Package data reads data sets and cuts them into batches.
//
// [ReadIDX] reads the format of MNIST and its kin. [Batches] says which samples
// the k-th batch of a run has, as a function of seed and epoch alone, so that a
// run that is resumed sees what it would have seen. [Gather] copies the samples.
package data
