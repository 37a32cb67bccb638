package vec

import "math"

// Sqrt is √x, correctly rounded.
func Sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// Rsqrt is 1/√x.
func Rsqrt(x float32) float32 { return float32(1 / math.Sqrt(float64(x))) }

// Sin is the sine of x.
func Sin(x float32) float32 { return float32(math.Sin(float64(x))) }

// Cos is the cosine of x.
func Cos(x float32) float32 { return float32(math.Cos(float64(x))) }

// Tan is the tangent of x.
func Tan(x float32) float32 { return float32(math.Tan(float64(x))) }

// Asin is the inverse sine of x.
func Asin(x float32) float32 { return float32(math.Asin(float64(x))) }

// Acos is the inverse cosine of x.
func Acos(x float32) float32 { return float32(math.Acos(float64(x))) }

// Atan is the inverse tangent of x.
func Atan(x float32) float32 { return float32(math.Atan(float64(x))) }

// Atan2 is the angle of the point (x, y), from −π to π.
func Atan2(y, x float32) float32 { return float32(math.Atan2(float64(y), float64(x))) }

// Sinh is the hyperbolic sine of x.
func Sinh(x float32) float32 { return float32(math.Sinh(float64(x))) }

// Cosh is the hyperbolic cosine of x.
func Cosh(x float32) float32 { return float32(math.Cosh(float64(x))) }

// Pow is xʸ, with the special cases of [math.Pow].
func Pow(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) }

// Abs is |x|.
func Abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// Sign is −1, 0 or 1; a zero keeps its sign, NaN is NaN.
func Sign(x float32) float32 {
	if x > 0 {
		return 1
	}
	if x < 0 {
		return -1
	}
	return x
}

// Floor is the largest integer ≤ x.
func Floor(x float32) float32 { return float32(math.Floor(float64(x))) }

// Ceil is the smallest integer ≥ x.
func Ceil(x float32) float32 { return float32(math.Ceil(float64(x))) }

// Round is the nearest integer, halves to even.
func Round(x float32) float32 { return float32(math.RoundToEven(float64(x))) }

// Mod is x − y·⌊x/y⌋, which has the sign of y; it is NaN where y is 0 or x
// infinite.
func Mod(x, y float32) float32 { return float32(Mod64(float64(x), float64(y))) }

// FloorDiv is ⌊x/y⌋, of the quotient in float64.
func FloorDiv(x, y float32) float32 { return float32(FloorDiv64(float64(x), float64(y))) }

// IsNaN32 reports whether x is not a number.
func IsNaN32(x float32) bool { return x != x }
