package vec_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"gradgen.dev/runtime/vec"
)

func TestAddAndMean(t *testing.T) {
	sum := []float32{1, 2, 3}
	vec.Add(sum, []float32{10, 20, 30})
	if want := []float32{11, 22, 33}; !slices.Equal(sum, want) {
		t.Errorf("Add gives %v, want %v", sum, want)
	}
	x := []float32{1, 2, 3}
	vec.Mean(x, sum, 3)
	if want := []float32{4, 8, 12}; !slices.Equal(x, want) {
		t.Errorf("Mean gives %v, want %v", x, want)
	}
}

// SumSquares is the exact sum to a few roundings, at every length around the
// number of lanes.
func TestSumSquares(t *testing.T) {
	for _, n := range []int{0, 1, 7, 15, 16, 17, 31, 32, 33, 1000} {
		x := make([]float32, n)
		want := new(big.Float).SetPrec(200)
		for i := range x {
			x[i] = float32(math.Sin(float64(i)) * math.Exp(float64(i%40-20)))
			v := new(big.Float).SetPrec(200).SetFloat64(float64(x[i]))
			want.Add(want, v.Mul(v, v))
		}
		exact, _ := want.Float64()
		if got := vec.SumSquares(x); math.Abs(got-exact) > 1e-14*exact {
			t.Errorf("%d elements: %v, want %v", n, got, exact)
		}
	}
}

// What cannot be squared in float32 can be added up; what is not finite is not
// lost.
func TestSumSquaresRange(t *testing.T) {
	if got, want := vec.SumSquares([]float32{3e38, 4e38 / 2}), 9e76+4e76; math.Abs(got/want-1) > 1e-6 {
		t.Errorf("large elements: %v, want %v", got, want)
	}
	for _, bad := range []float32{float32(math.Inf(-1)), float32(math.NaN())} {
		x := make([]float32, 40)
		x[37] = bad
		if got := vec.SumSquares(x); vec.IsFinite(got) {
			t.Errorf("%v: %v", bad, got)
		}
	}
}
