package main

import "slices"

// top is the sum of the n largest of values, which it sorts.
func top(values []float64, n int) float64 {
	slices.Sort(values)
	sum := 0.0
	for _, v := range values[len(values)-n:] {
		sum += v
	}
	return sum
}
