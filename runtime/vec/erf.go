package vec

// The error function is x·P(x²) for |x| < 1, and 1 − e^Q(x) up to 4, from where on
// it is 1 in float32. P approximates erf(√t)/√t on [0, 1], Q log erfc on [1, 4];
// both are interpolations at Chebyshev's nodes, computed with 200 bits, with errors
// of 3.4e-11 and 1.7e-8.
const (
	erfP0 = 1.1283791670615435
	erfP1 = -0.3761263846802871
	erfP2 = 0.11283782495236845
	erfP3 = -0.026865430727670243
	erfP4 = 0.005221031807858023
	erfP5 = -0.0008484080405535107
	erfP6 = 0.00011265959025606609
	erfP7 = -9.667044571486996e-06

	erfQ0 = 0.00032013804967769883
	erfQ1 = -1.130233434841994
	erfQ2 = -0.631826051559163
	erfQ3 = -0.11008008294882024
	erfQ4 = 0.026421136005663898
	erfQ5 = -0.004759596293266265
	erfQ6 = 0.0005968056256607798
	erfQ7 = -4.605804268918978e-05
	erfQ8 = 1.6371514145936436e-06
)

// Erf is the error function.
func Erf(x float32) float32 {
	v := float64(x)
	t := v * v
	if t < 1 {
		t2 := t * t
		p := (erfP0 + erfP1*t) + t2*(erfP2+erfP3*t) + t2*t2*((erfP4+erfP5*t)+t2*(erfP6+erfP7*t))
		return float32(v * p)
	}
	switch {
	case x >= 4:
		return 1
	case x <= -4:
		return -1
	case x < 0:
		return -erfTail(-v)
	}
	return erfTail(v)
}

// erfTail is erf for 1 ≤ x < 4, and NaN for NaN.
func erfTail(x float64) float32 {
	x2 := x * x
	x4 := x2 * x2
	q := (erfQ0 + erfQ1*x) + x2*(erfQ2+erfQ3*x) + x4*((erfQ4+erfQ5*x)+x2*(erfQ6+erfQ7*x)+x4*erfQ8)
	s, r := reduce(q)
	return float32(1 - (s + s*(expC1*r+r*r*(expC2+expC3*r))))
}
