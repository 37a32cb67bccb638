package rng_test

import (
	"math"
	"slices"
	"testing"

	"gradgen.dev/runtime/rng"
)

// TestGolden has published values (SplitMix64 of seeds 0 and 1234567, FNV-1a) and
// values of the definitions in the package's comment, which may never change:
// other implementations agree with them.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"At(0, 0)", rng.At(0, 0), 0xe220a8397b1dcdaf},
		{"At(0, 1)", rng.At(0, 1), 0x6e789e6aa1b965f4},
		{"At(0, 2)", rng.At(0, 2), 0x06c45d188009454f},
		{"At(1234567, 0)", rng.At(1234567, 0), 6457827717110365317},
		{"At(1234567, 1)", rng.At(1234567, 1), 3203168211198807973},
		{"Hash of nothing", rng.Hash(""), 0xcbf29ce484222325},
		{"Hash of a", rng.Hash("a"), 0xaf63dc4c8601ec8c},
		{"Hash of foobar", rng.Hash("foobar"), 0x85944171f73967e8},
		{"Key(0, 0, 0)", rng.Key(0, 0, 0), 0x33fe8bd4f9c57863},
		{"Key(42, Hash(W), 7)", rng.Key(42, rng.Hash("W"), 7), 0xa601509d2abb34ee},
	} {
		if c.got != c.want {
			t.Errorf("%s is %#x, want %#x", c.name, c.got, c.want)
		}
	}
	if got, want := rng.Uniform32(42, 3), float32(0.34419065713882446); got != want {
		t.Errorf("Uniform32(42, 3) is %v, want %v", got, want)
	}
	if got, want := rng.Uniform64(42, 3), 0.34419071652363753; got != want {
		t.Errorf("Uniform64(42, 3) is %v, want %v", got, want)
	}
	if got, want := rng.Normal64(42, 3), 0.219586379190761; math.Abs(got-want) > 1e-15 {
		t.Errorf("Normal64(42, 3) is %v, want %v", got, want)
	}
	if got, want := rng.Normal32(42, 3), float32(rng.Normal64(42, 3)); got != want {
		t.Errorf("Normal32(42, 3) is %v, want %v", got, want)
	}
	if got, want := rng.Perm(42, 1, 10), []int{0, 9, 1, 2, 5, 8, 7, 3, 6, 4}; !slices.Equal(got, want) {
		t.Errorf("Perm(42, 1, 10) is %v, want %v", got, want)
	}
}

// draws are the first n numbers of f's stream of key.
func draws(n int, key uint64, f func(key, i uint64) float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = f(key, uint64(i))
	}
	return x
}

// checkMoments compares mean and variance with those of the distribution, at
// five standard errors; fourth is the fourth central moment.
func checkMoments(t *testing.T, name string, x []float64, mean, variance, fourth float64) {
	t.Helper()
	n := float64(len(x))
	var m, v float64
	for _, d := range x {
		m += d / n
		v += (d - mean) * (d - mean) / n
	}
	if math.Abs(m-mean) > 5*math.Sqrt(variance/n) {
		t.Errorf("%s: the mean is %v, want %v", name, m, mean)
	}
	if math.Abs(v-variance) > 5*math.Sqrt((fourth-variance*variance)/n) {
		t.Errorf("%s: the variance is %v, want %v", name, v, variance)
	}
}

// checkDistribution is the test of Kolmogorov and Smirnov, at a level of 10⁻⁵.
func checkDistribution(t *testing.T, name string, x []float64, cdf func(float64) float64) {
	t.Helper()
	slices.Sort(x)
	n, d := float64(len(x)), 0.0
	for i, v := range x {
		p := cdf(v)
		d = max(d, p-float64(i)/n, float64(i+1)/n-p)
	}
	if critical := math.Sqrt(-math.Log(1e-5/2) / 2 / n); d > critical {
		t.Errorf("%s: the distribution is off by %v, critical is %v", name, d, critical)
	}
}

func TestDistributions(t *testing.T) {
	const n = 100_000
	uniform := func(x float64) float64 { return x }
	normal := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	for _, key := range []uint64{0, 1, 2, rng.Key(0, 0, 1), rng.Key(1, rng.Hash("dropout"), 0)} {
		u32 := draws(n, key, func(k, i uint64) float64 { return float64(rng.Uniform32(k, i)) })
		u64 := draws(n, key, rng.Uniform64)
		g := draws(n, key, rng.Normal64)
		checkMoments(t, "Uniform32", u32, 0.5, 1.0/12, 1.0/80)
		checkMoments(t, "Uniform64", u64, 0.5, 1.0/12, 1.0/80)
		checkMoments(t, "Normal64", g, 0, 1, 3)
		checkDistribution(t, "Uniform32", u32, uniform)
		checkDistribution(t, "Uniform64", u64, uniform)
		checkDistribution(t, "Normal64", g, normal)
		if u32[0] < 0 || u32[n-1] >= 1 || u64[0] < 0 || u64[n-1] >= 1 {
			t.Errorf("a uniform number is outside of [0, 1)")
		}
	}
}

// checkUncorrelated demands a correlation below five standard errors.
func checkUncorrelated(t *testing.T, name string, n int, x, y func(i uint64) float64) {
	t.Helper()
	sum := 0.0
	for i := range uint64(n) {
		sum += (x(i) - 0.5) * (y(i) - 0.5) * 12
	}
	if r := sum / float64(n); math.Abs(r) > 5/math.Sqrt(float64(n)) {
		t.Errorf("%s: the correlation is %v", name, r)
	}
}

// TestIndependence looks at what lies side by side: numbers of a stream, calls,
// sites and seeds.
func TestIndependence(t *testing.T) {
	const n = 100_000
	stream := func(key uint64, lag uint64) func(uint64) float64 {
		return func(i uint64) float64 { return rng.Uniform64(key, i+lag) }
	}
	key := rng.Key(1, 2, 3)
	for lag := uint64(1); lag < 5; lag++ {
		checkUncorrelated(t, "a stream and itself", n, stream(key, 0), stream(key, lag))
		checkUncorrelated(t, "calls", n, stream(key, 0), stream(rng.Key(1, 2, 3+lag), 0))
		checkUncorrelated(t, "sites", n, stream(key, 0), stream(rng.Key(1, 2+lag, 3), 0))
		checkUncorrelated(t, "seeds", n, stream(key, 0), stream(rng.Key(1+lag, 2, 3), 0))
	}
	first := func(site uint64) func(uint64) float64 {
		return func(i uint64) float64 { return rng.Uniform64(rng.Key(1, site, i), 0) }
	}
	checkUncorrelated(t, "first numbers of calls", n, first(7), first(8))
}

// TestPerm checks that orders are permutations, and that all 24 orders of four
// samples are equally frequent.
func TestPerm(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 100, 1000} {
		p := rng.Perm(5, 6, n)
		again := make([]int, n)
		rng.Shuffle(again, 5, 6)
		if !slices.Equal(p, again) {
			t.Errorf("Shuffle of %d gives %v, Perm %v", n, again, p)
		}
		slices.Sort(p)
		for i, v := range p {
			if v != i {
				t.Fatalf("Perm of %d has no %d", n, i)
			}
		}
	}
	if slices.Equal(rng.Perm(1, 0, 50), rng.Perm(1, 1, 50)) || slices.Equal(rng.Perm(1, 0, 50), rng.Perm(2, 0, 50)) {
		t.Error("epochs or seeds have the same order")
	}

	const n = 24_000
	count := map[[4]int]float64{}
	for e := range uint64(n) {
		count[[4]int(rng.Perm(9, e, 4))]++
	}
	chi2 := 0.0
	for _, c := range count {
		chi2 += (c - n/24) * (c - n/24) / (n / 24)
	}
	if len(count) != 24 || chi2 > 60 { // 23 degrees of freedom: 60 is beyond 4·10⁻⁵
		t.Errorf("%d orders of four, χ² is %v", len(count), chi2)
	}
}

func TestAllocations(t *testing.T) {
	p := make([]int, 100)
	if n := testing.AllocsPerRun(10, func() { rng.Shuffle(p, 1, 2) }); n != 0 {
		t.Errorf("Shuffle: %v allocations", n)
	}
}

func BenchmarkUniform32(b *testing.B) {
	s := float32(0)
	for i := range uint64(b.N) {
		s += rng.Uniform32(1, i)
	}
	sink = float64(s)
}

func BenchmarkNormal64(b *testing.B) {
	s := 0.0
	for i := range uint64(b.N) {
		s += rng.Normal64(1, i)
	}
	sink = s
}

var sink float64
