// Package ir is the intermediate representation of gradgen: a typed,
// hash-consed graph of values.
//
//	Dim       an extent: a polynomial in the run-time dimensions
//	Type      element type and shape
//	Op        a row of the op table: shape rule, reference value, derivative
//	Node      one value: an op, operands, attributes
//	Graph     where nodes are made; equal nodes are one node
//	Program   models and exported functions, each with graphs and leaves
//	Evaluator the reference interpreter in plain float64
//
// In come calls of the constructors in build.go, or the text form. What always
// holds: a node's type follows from its op and operands (Check verifies it);
// broadcasting is explicit (spread); operands are older than their users; a
// derivative that is absent is nil, not zeros. Every derivative rule's right
// side uses ops of the table only, so derivatives nest to any order.
//
// # At ties and at the edges of domains
//
//   - max(a, b), min(a, b): each of two tensors has half of the cotangent where
//     they are equal; against a constant the tensor has none there, so that
//     relu has derivative 0 at 0.
//   - reduce_max, reduce_min: equal extremes share the cotangent evenly.
//   - abs and sign: derivative 0 at 0. norm: 0 at the origin.
//   - sqrt at 0: +Inf, as 1/(2·0). rsqrt and log at 0: infinite likewise.
//   - pow(a, 0): derivative 0 by a, also at a = 0; pow(0, b): derivative 0 by b.
//   - prod: derivatives of any order are right where elements are 0; the second
//     takes memory of a's size times the length of the product.
//   - NaN: max, min, reduce_max and reduce_min give NaN where an operand is;
//     argmax and argmin count it as the extreme, the first one wins.
package ir
