package vec

import "math"

// The exponential is computed in float64, after Tang (Table-driven implementation
// of the exponential function in IEEE floating-point arithmetic, ACM TOMS 15,
// 1989) in the form of Arm's optimized-routines:
//
//	x = (k + r)·ln2/32   k an integer, |r| ≤ 1/2
//	eˣ = 2^(k/32) · e^(r·ln2/32)
//
// with a table of 2^(i/32), i < 32, and the Taylor polynomial of the last factor.
const (
	expTable = 32
	expStep  = math.Ln2 / expTable

	// roundShift, added to |z| < 2⁵¹, rounds z to an integer, which then is in
	// the low bits of the sum.
	roundShift = 0x1.8p52

	// Beyond these eˣ is 0 or infinite in float32.
	expLow, expHigh = -104, 89
)

// The coefficients of e^(r·ln2/32) − 1.
const (
	expC1 = expStep
	expC2 = expStep * expStep / 2
	expC3 = expStep * expStep * expStep / 6
	expC4 = expStep * expStep * expStep * expStep / 24
	expC5 = expStep * expStep * expStep * expStep * expStep / 120
)

// exp2Table has the bits of 2^(i/32), less i<<47, so that adding k<<47 gives
// those of 2^(k/32) for every k with k mod 32 = i.
var exp2Table = [expTable]uint64{
	0x3ff0000000000000, 0x3fefd9b0d3158574, 0x3fefb5586cf9890f, 0x3fef9301d0125b51,
	0x3fef72b83c7d517b, 0x3fef54873168b9aa, 0x3fef387a6e756238, 0x3fef1e9df51fdee1,
	0x3fef06fe0a31b715, 0x3feef1a7373aa9cb, 0x3feedea64c123422, 0x3feece086061892d,
	0x3feebfdad5362a27, 0x3feeb42b569d4f82, 0x3feeab07dd485429, 0x3feea47eb03a5585,
	0x3feea09e667f3bcd, 0x3fee9f75e8ec5f74, 0x3feea11473eb0187, 0x3feea589994cce13,
	0x3feeace5422aa0db, 0x3feeb737b0cdc5e5, 0x3feec49182a3f090, 0x3feed503b23e255d,
	0x3feee89f995ad3ad, 0x3feeff76f2fb5e47, 0x3fef199bdd85529c, 0x3fef3720dcef9069,
	0x3fef5818dcfba487, 0x3fef7c97337b9b5f, 0x3fefa4afa2a490da, 0x3fefd0765b6e4540,
}

// reduce splits x: s is 2^(k/32), and r the rest, in units of ln2/32.
func reduce(x float64) (s, r float64) {
	z := x * (1 / expStep)
	shifted := z + roundShift
	k := math.Float64bits(shifted)
	return math.Float64frombits(exp2Table[k%expTable] + k<<47), z - (shifted - roundShift)
}

// expm1Parts gives eˣ as s + t, for |x| < 700: s is a power of 2^(1/32), 1 where x
// is small, so that eˣ − 1 = (s − 1) + t loses nothing. The relative error of
// either is below 10⁻¹³.
func expm1Parts(x float64) (s, t float64) {
	s, r := reduce(x)
	r2 := r * r
	p := expC1*r + r2*((expC2+expC3*r)+r2*(expC4+expC5*r))
	return s, s * p
}

// Exp is eˣ, within 0.52 ulp.
func Exp(x float32) float32 {
	if !(x > expLow && x < expHigh) {
		return expOutside(x)
	}
	s, r := reduce(float64(x))
	return float32(s + s*(expC1*r+r*r*(expC2+expC3*r)))
}

// expOutside is eˣ where it is 0, infinite or NaN.
func expOutside(x float32) float32 {
	switch {
	case x <= expLow:
		return 0
	case x >= expHigh:
		return float32(math.Inf(1))
	}
	return x
}

// Expm1 is eˣ − 1, also for small x.
func Expm1(x float32) float32 {
	switch {
	case x >= expHigh:
		return float32(math.Inf(1))
	case x < -18:
		return -1
	case x == 0 || x != x:
		return x
	}
	s, t := expm1Parts(float64(x))
	return float32((s - 1) + t)
}

// Tanh is the hyperbolic tangent, as e/(e + 2) with e = e²ˣ − 1.
func Tanh(x float32) float32 {
	switch {
	case x > 10:
		return 1
	case x < -10:
		return -1
	case x == 0 || x != x:
		return x
	}
	s, t := expm1Parts(2 * float64(x))
	e := (s - 1) + t
	return float32(e / (e + 2))
}

// Sigmoid is 1/(1 + e⁻ˣ).
func Sigmoid(x float32) float32 {
	if !(x > expLow && x < -expLow) {
		return sigmoidOutside(x)
	}
	s, r := reduce(-float64(x))
	return float32(1 / (1 + s + s*(expC1*r+r*r*(expC2+expC3*r))))
}

// sigmoidOutside is the sigmoid where it is 0, 1 or NaN.
func sigmoidOutside(x float32) float32 {
	switch {
	case x <= expLow:
		return 0
	case x >= -expLow:
		return 1
	}
	return x
}
