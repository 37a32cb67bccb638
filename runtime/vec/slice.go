package vec

// A float is what parameters and gradients are made of.
type float interface {
	~float32 | ~float64
}

// Add adds x to sum, element by element. The two are equally long.
func Add[T float](sum, x []T) {
	x = x[:len(sum)]
	for i := range sum {
		sum[i] += x[i]
	}
}

// Mean sets x to (sum + x)/n, element by element: to the mean of n slices, of
// which x is the last and sum has the others added up. The two are equally long.
func Mean[T float](x, sum []T, n int) {
	sum = sum[:len(x)]
	for i := range x {
		x[i] = (sum[i] + x[i]) / T(n)
	}
}

// lanes is how many sums a reduction adds up side by side; the element i goes to
// the lane i mod lanes.
const lanes = 16

// SumSquares is Σ x[i]², added up in float64: in 16 lanes, which then are added
// pairwise, so that the result depends on nothing but the elements and their
// order. Squares of float32 do not overflow; where one is infinite or NaN the
// sum is not finite.
func SumSquares[T float](x []T) float64 {
	var sums [lanes]float64
	for len(x) >= lanes {
		for i, v := range x[:lanes] {
			sums[i] += float64(v) * float64(v)
		}
		x = x[lanes:]
	}
	for i, v := range x {
		sums[i] += float64(v) * float64(v)
	}
	for half := lanes / 2; half > 0; half /= 2 {
		for i := range half {
			sums[i] += sums[i+half]
		}
	}
	return sums[0]
}
