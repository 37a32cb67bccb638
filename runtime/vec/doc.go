// Package vec has the scalar mathematics that emitted loops call.
//
// For float32 there is every function of the language, each within 2 ulp of the
// exact value over the whole range (tested against math in float64); NaN gives
// NaN, and infinities, signed zeros and subnormal numbers are as in math. The
// ones that a network spends its time in (Exp, Log, Expm1, Log1p, Tanh, Sigmoid,
// Softplus, Erf) have their own implementation: range reduction and a short
// polynomial in float64, rounded once at the end. The others go through math.
//
// For float64 the package has what math lacks. Beside the scalars there are the
// few loops over parameters that every training step may need: Add, Mean,
// SumSquares.
package vec
