package vec

import "math"

// The logarithm is computed in float64, after Tang (Table-driven implementation
// of the logarithm function in IEEE floating-point arithmetic, ACM TOMS 16, 1990)
// in the form of Arm's optimized-routines:
//
//	x = 2ᵏ·z,  z from 0.836 to 1.672, in one of 32 intervals
//	log x = k·ln2 − log(1/c) + log(1 + r),  r = z/c − 1, |r| ≤ 1/64
//
// with a table of 1/c and −log(1/c), and the Taylor polynomial of the last term.
// The interval around 1 has c = 1 and the logarithm 0, so that nothing cancels
// there.
const (
	logTable = 32
	logShift = 52 - 5
	logFirst = 0x3feac00000000000 // bits of the first interval's lower end
)

// logIntervals has 1/c and −log(1/c) of each interval.
var logIntervals = [logTable]struct{ inverse, log float64 }{
	{1.1851851851851851, -0.16989903679539742}, {1.1636363636363636, -0.15154989812720088},
	{1.1428571428571428, -0.13353139262452257}, {1.1228070175438596, -0.11583181552512165},
	{1.103448275862069, -0.09844007281325251}, {1.0847457627118644, -0.0813456394539524},
	{1.0666666666666667, -0.06453852113757116}, {1.0491803278688525, -0.04800921918636066},
	{1.032258064516129, -0.03174869831458027}, {1.0158730158730158, -0.015748356968139112},
	{1, 0}, {0.9696969696969697, 0.03077165866675366},
	{0.9411764705882353, 0.060624621816434854}, {0.9142857142857143, 0.08961215868968717},
	{0.8888888888888888, 0.11778303565638351}, {0.8648648648648649, 0.14518200984449783},
	{0.8421052631578947, 0.17185025692665928}, {0.8205128205128205, 0.19782574332991992},
	{0.8, 0.2231435513142097}, {0.7804878048780488, 0.2478361639045812},
	{0.7619047619047619, 0.2719337154836418}, {0.7441860465116279, 0.2954642128938359},
	{0.7272727272727273, 0.3184537311185346}, {0.7111111111111111, 0.3409265869705932},
	{0.6956521739130435, 0.3629054936893685}, {0.6808510638297872, 0.38441169891033206},
	{0.6666666666666666, 0.40546510810816444}, {0.6530612244897959, 0.42608439531090014},
	{0.64, 0.4462871026284195}, {0.6274509803921569, 0.46608972992459924},
	{0.6153846153846154, 0.48550781578170077}, {0.6037735849056604, 0.5045560107523953},
}

// log64 is log x for a normal, positive x. The relative error is below 10⁻⁹.
func log64(x float64) float64 {
	bits := math.Float64bits(x)
	from := bits - logFirst
	interval := &logIntervals[from>>logShift%logTable]
	k := float64(int64(from) >> 52)
	r := math.Float64frombits(bits-from&^(1<<52-1))*interval.inverse - 1
	r2 := r * r
	return (k*math.Ln2 + interval.log) + (r + r2*(-1.0/2+r*(1.0/3)+r2*(-1.0/4+r*(1.0/5))))
}

// log1p64 is log(1 + x) for x > −1.
func log1p64(x float64) float64 {
	if x < 0x1p-10 && x > -0x1p-10 {
		return x + x*x*(-1.0/2+x*(1.0/3-x*(1.0/4)))
	}
	return log64(1 + x)
}

// Log is the natural logarithm.
func Log(x float32) float32 {
	if !(x > 0 && x <= math.MaxFloat32) {
		return logOutside(x)
	}
	return float32(log64(float64(x)))
}

// logOutside is the logarithm of what is no positive number.
func logOutside(x float32) float32 {
	switch {
	case x == 0:
		return float32(math.Inf(-1))
	case x < 0:
		return float32(math.NaN())
	}
	return x
}

// Log1p is log(1 + x), also for small x.
func Log1p(x float32) float32 {
	switch {
	case !(x > -1 && x <= math.MaxFloat32):
		return logOutside(1 + x)
	case x == 0:
		return x
	}
	return float32(log1p64(float64(x)))
}

// Softplus is log(1 + eˣ).
func Softplus(x float32) float32 {
	switch {
	case x > 18 || x != x:
		return x
	case x <= expLow:
		return 0
	}
	s, t := expm1Parts(float64(x))
	return float32(log1p64(s + t))
}
