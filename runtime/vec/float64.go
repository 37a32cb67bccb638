package vec

import "math"

// IsFinite reports whether x is neither infinite nor NaN.
func IsFinite(x float64) bool { return x-x == 0 }

// Sigmoid64 is 1/(1 + e⁻ˣ), without overflow.
func Sigmoid64(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// Softplus64 is log(1 + eˣ), as max(x, 0) + log1p(e^−|x|).
func Softplus64(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

// Rsqrt64 is 1/√x.
func Rsqrt64(x float64) float64 { return 1 / math.Sqrt(x) }

// Sign64 is −1, 0 or 1; a zero keeps its sign, NaN is NaN.
func Sign64(x float64) float64 {
	if x > 0 {
		return 1
	}
	if x < 0 {
		return -1
	}
	return x
}

// Mod64 is x − y·⌊x/y⌋, which has the sign of y; it is NaN where y is 0 or x
// infinite.
func Mod64(x, y float64) float64 {
	r := math.Mod(x, y)
	if r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r
}

// FloorDiv64 is ⌊x/y⌋, of the rounded quotient.
func FloorDiv64(x, y float64) float64 { return math.Floor(x / y) }
