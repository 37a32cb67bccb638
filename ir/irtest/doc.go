// Package irtest makes inputs for tests of what works on package ir: samples of
// every row of the op table, and random graphs over the whole table with values
// for their leaves.
//
//	Samples(op, r, elem)  ways to apply one op
//	Apply(g, s, args)     the node of a sample
//	Random(seed, options) a well-typed graph, some of its nodes, an Env for them
//	Env.Evaluator()       the reference interpreter over the Env
//
// Everything is a function of the seeds. A row that is new to the table is
// sampled by its class where that says enough; otherwise Samples reports what is
// missing and the entry goes into samples.go.
package irtest
