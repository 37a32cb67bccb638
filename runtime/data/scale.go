package data

import (
	"fmt"
	"math"
)

// Scale is the linear map that gives each column of a data set mean 0 and
// standard deviation 1. It is made of the training rows ([MeasureScale]) and
// applied to all, so that nothing of the test set is known in training; its
// inverse gives predictions back their unit. Its fields are what has to be kept
// with a model.
type Scale struct {
	Mean []float64 // of each column
	Std  []float64 // standard deviation of each column, 1 where it is constant
}

// MeasureScale is the scale of x, [rows, columns], row-major: mean and standard
// deviation with divisor rows, in two passes. It is an error if x has no row, is
// not of that width, or if a value is infinite or NaN.
func MeasureScale[T Float](x []T, columns int) (*Scale, error) {
	if columns <= 0 || len(x) == 0 || len(x)%columns != 0 {
		return nil, fmt.Errorf("data: scale: %d elements are no rows of %d", len(x), columns)
	}
	n := float64(len(x) / columns)
	s := &Scale{make([]float64, columns), make([]float64, columns)}
	for i, v := range x {
		s.Mean[i%columns] += float64(v) / n
	}

	// Squares of the distances from the mean, and their correction and the mean's
	// for the rounding of the mean (Chan, Golub, LeVeque: Algorithms for computing the sample
	// variance, 1983, equation 1.7).
	rest := make([]float64, columns)
	for i, v := range x {
		d := float64(v) - s.Mean[i%columns]
		rest[i%columns] += d
		s.Std[i%columns] += float64(d * d) // rounded, on every machine
	}
	for j, sum := range s.Std {
		s.Mean[j] += rest[j] / n
		std := math.Sqrt(max(0, sum-float64(rest[j]*rest[j])/n) / n)
		if math.IsNaN(std) || math.IsInf(std, 0) {
			return nil, fmt.Errorf("data: scale: column %d has a value that is not finite, or too large to square", j)
		}

		// What is left of a constant by rounding is no deviation.
		if std <= 1e-15*math.Abs(s.Mean[j]) {
			std = 1
		}
		s.Std[j] = std
	}
	return s, nil
}

// Standardise makes (x − mean) / std of each x, [rows, columns], in place. It
// panics if x is not of the scale's width.
func Standardise[T Float](s *Scale, x []T) {
	width := s.width("Standardise", len(x))
	for i, v := range x {
		x[i] = T((float64(v) - s.Mean[i%width]) / s.Std[i%width])
	}
}

// Unstandardise is the inverse of [Standardise]: it makes x·std + mean of each
// x, such as predictions that are to be shown in the unit of the target.
func Unstandardise[T Float](s *Scale, x []T) {
	width := s.width("Unstandardise", len(x))
	for i, v := range x {
		x[i] = T(float64(float64(v)*s.Std[i%width]) + s.Mean[i%width])
	}
}

// Distance is a difference between two standardised values of a column in the
// column's unit: d·std. A root mean square error or a mean absolute error of
// standardised targets is such a difference, a mean square error one after its
// root.
func (s *Scale) Distance(column int, d float64) float64 { return d * s.Std[column] }

// width is the number of columns.
func (s *Scale) width(call string, n int) int {
	width := len(s.Mean)
	if width == 0 || len(s.Std) != width || n%width != 0 {
		panic(fmt.Sprintf("data: %s: %d elements are no rows of the scale's %d and %d columns", call, n, width, len(s.Std)))
	}
	return width
}
