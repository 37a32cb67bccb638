package vec_test

import (
	"flag"
	"math"
	"testing"

	"gradgen.dev/runtime/vec"
)

var every = flag.Int("every", 16411, "test every n-th of all float32")

// functions are those of one float32, with their exact value in float64.
var functions = []struct {
	name  string
	f     func(float32) float32
	exact func(float64) float64
	ulp   float64
}{
	{"Exp", vec.Exp, math.Exp, 0.52},
	{"Expm1", vec.Expm1, math.Expm1, 0.51},
	{"Log", vec.Log, math.Log, 0.51},
	{"Log1p", vec.Log1p, math.Log1p, 0.51},
	{"Tanh", vec.Tanh, math.Tanh, 0.51},
	{"Sigmoid", vec.Sigmoid, vec.Sigmoid64, 0.52},
	{"Softplus", vec.Softplus, vec.Softplus64, 0.51},
	{"Erf", vec.Erf, math.Erf, 0.6},
	{"Sqrt", vec.Sqrt, math.Sqrt, 0.5},
	{"Rsqrt", vec.Rsqrt, func(x float64) float64 { return 1 / math.Sqrt(x) }, 0.51},
	{"Sin", vec.Sin, math.Sin, 0.51},
	{"Cos", vec.Cos, math.Cos, 0.51},
	{"Tan", vec.Tan, math.Tan, 0.51},
	{"Asin", vec.Asin, math.Asin, 0.51},
	{"Acos", vec.Acos, math.Acos, 0.51},
	{"Atan", vec.Atan, math.Atan, 0.51},
	{"Sinh", vec.Sinh, math.Sinh, 0.51},
	{"Cosh", vec.Cosh, math.Cosh, 0.51},
	{"Abs", vec.Abs, math.Abs, 0},
	{"Sign", vec.Sign, vec.Sign64, 0},
	{"Floor", vec.Floor, math.Floor, 0},
	{"Ceil", vec.Ceil, math.Ceil, 0},
	{"Round", vec.Round, math.RoundToEven, 0},
}

// ulps is the distance of got from want, in units of float32's last place at
// want. Where either is no number the other has to be the same.
func ulps(got float32, want float64) float64 {
	rounded := float32(want)
	switch {
	case want != want || got != got:
		if want != want && got != got {
			return 0
		}
		return math.Inf(1)
	case rounded == 0 && got == 0 && want == 0:
		if math.Signbit(want) != math.Signbit(float64(got)) {
			return math.Inf(1)
		}
		return 0
	case math.IsInf(float64(got), 0) || math.IsInf(float64(rounded), 0):
		if got == rounded {
			return 0
		}
		// Next to overflow, one may round to infinity.
		if math.Abs(want) > 0.9999999*math.MaxFloat32 && !math.IsInf(want, 0) {
			return 1
		}
		return math.Inf(1)
	}
	exponent := max(math.Ilogb(want), -126)
	if want == 0 {
		exponent = -126
	}
	return math.Abs(float64(got)-want) / math.Ldexp(1, exponent-23)
}

func TestUlps(t *testing.T) {
	next := math.Nextafter32(1, 2)
	for _, c := range []struct {
		got  float32
		want float64
		ulps float64
	}{
		{1, 1, 0}, {next, 1, 1}, {1, float64(next), 1}, {1, 1 - 0x1p-25, 0.5},
		{0, 0x1p-150, 0.5}, {0x1p-149, 0, 1}, {0, math.Copysign(0, -1), math.Inf(1)},
		{float32(math.NaN()), 1, math.Inf(1)}, {math.MaxFloat32, math.Inf(1), math.Inf(1)},
	} {
		if got := ulps(c.got, c.want); got != c.ulps {
			t.Errorf("%v is %v ulp from %v, want %v", c.got, got, c.want, c.ulps)
		}
	}
}

// TestAccuracy takes every n-th bit pattern of float32, among them NaN,
// subnormal numbers and what overflows, and the special values.
func TestAccuracy(t *testing.T) {
	for _, c := range functions {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			worst, where := 0.0, float32(0)
			check := func(x float32) {
				if u := ulps(c.f(x), c.exact(float64(x))); u > worst {
					worst, where = u, x
				}
			}
			for b := uint64(0); b < 1<<32; b += uint64(*every) {
				check(math.Float32frombits(uint32(b)))
			}
			for _, x := range []float32{0, 1, 0.5, 1.5, 2.5, math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-126,
				88.72283, 88.72284, 103.97, 103.98, 104, 16.635532, 17.5, 9.01, 9.02, 10, 3.92, 4, float32(math.Inf(1)), float32(math.NaN())} {
				for range 3 {
					check(x)
					check(-x)
					x = math.Nextafter32(x, 0)
				}
			}
			t.Logf("at most %.4f ulp, at %v", worst, where)
			if worst > c.ulp {
				t.Errorf("%s(%v) = %v is %.4f ulp from %v", c.name, where, c.f(where), worst, c.exact(float64(where)))
			}
		})
	}
}

// TestTwoArguments compares the functions of two float32 on special values and
// random patterns.
func TestTwoArguments(t *testing.T) {
	values := []float32{0, 1, -1, 0.5, 2, -3, 7, 1e-30, -1e30, math.MaxFloat32, math.SmallestNonzeroFloat32,
		float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), float32(math.Copysign(0, -1))}
	for b := uint32(12345); len(values) < 200; b = b*1664525 + 1013904223 {
		values = append(values, math.Float32frombits(b>>2), math.Float32frombits(0x3c000000+b>>6))
	}
	for _, x := range values {
		for _, y := range values {
			if u := ulps(vec.Pow(x, y), math.Pow(float64(x), float64(y))); u > 0.51 {
				t.Errorf("Pow(%v, %v) = %v, %v ulp off", x, y, vec.Pow(x, y), u)
			}
			if u := ulps(vec.Atan2(x, y), math.Atan2(float64(x), float64(y))); u > 0.51 {
				t.Errorf("Atan2(%v, %v) = %v, %v ulp off", x, y, vec.Atan2(x, y), u)
			}
		}
	}
}

func TestMod(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct{ x, y, mod, div float64 }{
		{7, 3, 1, 2}, {-7, 3, 2, -3}, {7, -3, -2, -3}, {-7, -3, -1, 2}, {6, 3, 0, 2}, {-6, 3, 0, -2},
		{0.75, 0.5, 0.25, 1}, {-0.25, 1, 0.75, -1}, {5, inf, 5, 0}, {-5, inf, inf, 0}, {inf, 1, math.NaN(), inf}, {1, 0, math.NaN(), inf},
	} {
		for _, got := range []float64{vec.Mod64(c.x, c.y), float64(vec.Mod(float32(c.x), float32(c.y)))} {
			if got != c.mod && !(got != got && c.mod != c.mod) {
				t.Errorf("%v mod %v = %v, want %v", c.x, c.y, got, c.mod)
			}
		}
		for _, got := range []float64{vec.FloorDiv64(c.x, c.y), float64(vec.FloorDiv(float32(c.x), float32(c.y)))} {
			if got != c.div {
				t.Errorf("⌊%v/%v⌋ = %v, want %v", c.x, c.y, got, c.div)
			}
		}
	}
	for x := int32(-20); x <= 20; x++ {
		for y := int32(-7); y <= 7; y++ {
			if y == 0 {
				continue
			}
			q, r := vec.FloorDivInt(x, y), vec.ModInt(x, y)
			if want := int32(math.Floor(float64(x) / float64(y))); q != want || q*y+r != x {
				t.Errorf("%d by %d: quotient %d, rest %d", x, y, q, r)
			}
		}
	}
}

func TestFloat64(t *testing.T) {
	for _, x := range []float64{-1000, -40, -1, -1e-9, 0, 1e-9, 1, 40, 1000} {
		if got, want := vec.Sigmoid64(x)+vec.Sigmoid64(-x), 1.0; math.Abs(got-want) > 1e-15 {
			t.Errorf("Sigmoid64(%v) + Sigmoid64(%v) = %v", x, -x, got)
		}
		if got := vec.Softplus64(x) - vec.Softplus64(-x); math.Abs(got-x) > 1e-15*math.Abs(x)+1e-15 {
			t.Errorf("Softplus64(%v) − Softplus64(%v) = %v", x, -x, got)
		}
	}
	if got, want := vec.Softplus64(-40), math.Exp(-40); math.Abs(got-want) > 1e-12*want {
		t.Errorf("Softplus64(-40) = %v, want %v", got, want)
	}
	if got, want := vec.Sigmoid64(-40), math.Exp(-40); math.Abs(got-want) > 1e-12*want {
		t.Errorf("Sigmoid64(-40) = %v, want %v", got, want)
	}
	nan, inf := math.NaN(), math.Inf(1)
	if !math.IsNaN(vec.Sigmoid64(nan)) || !math.IsNaN(vec.Softplus64(nan)) || !math.IsNaN(vec.Sign64(nan)) || !math.IsNaN(vec.Mod64(nan, 1)) {
		t.Error("NaN gives a number")
	}
	if vec.Softplus64(inf) != inf || vec.Softplus64(-inf) != 0 || vec.Sigmoid64(inf) != 1 || vec.Sigmoid64(-inf) != 0 {
		t.Error("Sigmoid64 or Softplus64 is wrong at infinity")
	}
	if vec.Rsqrt64(4) != 0.5 || vec.Rsqrt64(0) != inf {
		t.Errorf("Rsqrt64(4) = %v, Rsqrt64(0) = %v", vec.Rsqrt64(4), vec.Rsqrt64(0))
	}
	for x, want := range map[float64]bool{0: true, -math.MaxFloat64: true, inf: false, -inf: false, nan: false} {
		if vec.IsFinite(x) != want {
			t.Errorf("IsFinite(%v) = %v", x, !want)
		}
	}
	if !vec.IsNaN32(float32(nan)) || vec.IsNaN32(float32(inf)) {
		t.Error("IsNaN32 is wrong")
	}
}

var sink float32

func Benchmark(b *testing.B) {
	var x [1024]float32
	for i := range x {
		x[i] = float32(i)/256 - 2
	}
	for _, c := range functions {
		b.Run(c.name, func(b *testing.B) {
			f := c.f
			for b.Loop() {
				s := float32(0)
				for _, v := range x {
					s += f(v)
				}
				sink = s
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/elem")
		})
	}
}
