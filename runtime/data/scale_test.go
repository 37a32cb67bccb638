package data_test

import (
	"math"
	"slices"
	"testing"

	"gradgen.dev/runtime/data"
)

func TestScale(t *testing.T) {
	train := []float32{1, 10, 7, 3, 30, 7, 5, 20, 7} // 3 rows
	s, err := data.MeasureScale(train, 3)
	if err != nil {
		t.Fatal(err)
	}
	third := math.Sqrt(8.0 / 3)
	for j, want := range [][2]float64{{3, third}, {20, 10 * math.Sqrt(2.0/3)}, {7, 1}} {
		if math.Abs(s.Mean[j]-want[0]) > 1e-12 || math.Abs(s.Std[j]-want[1]) > 1e-12 {
			t.Errorf("column %d has mean %v and deviation %v, want %v", j, s.Mean[j], s.Std[j], want)
		}
	}

	test := []float64{3, 20, 8}
	data.Standardise(s, test)
	if want := []float64{0, 0, 1}; !slices.Equal(test, want) {
		t.Errorf("standardised: %v, want %v", test, want)
	}
	test = []float64{-1, 7, 0.1}
	back := slices.Clone(test)
	data.Standardise(s, back)
	data.Unstandardise(s, back)
	for i := range test {
		if math.Abs(back[i]-test[i]) > 1e-12 {
			t.Errorf("there and back: %v, want %v", back, test)
		}
	}
	if d := s.Distance(0, 2); math.Abs(d-2*third) > 1e-12 {
		t.Errorf("a distance is %v", d)
	}
	checkPanic(t, "another width", func() { data.Standardise(s, make([]float32, 4)) })
	checkPanic(t, "an empty scale", func() { data.Unstandardise(&data.Scale{}, make([]float32, 4)) })
}

// TestScaleAccuracy: a small deviation around a large mean keeps its digits.
func TestScaleAccuracy(t *testing.T) {
	var x []float64
	for i := range 1000 {
		x = append(x, 1e9+float64(i%2))
	}
	s, err := data.MeasureScale(x, 1)
	if err != nil || math.Abs(s.Std[0]-0.5) > 1e-6 {
		t.Errorf("the deviation is %v, want 0.5, error %v", s.Std, err)
	}
	s, err = data.MeasureScale([]float64{0.1, 0.1, 0.1}, 1)
	if err != nil || s.Std[0] != 1 {
		t.Errorf("of a constant, the deviation is %v, error %v", s.Std, err)
	}
	tenth := slices.Repeat([]float64{0.1}, 100_000)
	s, err = data.MeasureScale(tenth, 1)
	if err != nil || s.Std[0] != 1 || math.Abs(s.Mean[0]-0.1) > 1e-17 {
		t.Errorf("of many equal values, the mean is %v, the deviation %v, error %v", s.Mean, s.Std, err)
	}
	for _, c := range []struct {
		x       []float64
		columns int
	}{{nil, 1}, {[]float64{1, 2, 3}, 2}, {[]float64{1}, 0}, {[]float64{math.NaN(), 1}, 1}, {[]float64{math.Inf(1), 1}, 1}, {[]float64{1e300, -1e300}, 1}} {
		if _, err := data.MeasureScale(c.x, c.columns); err == nil {
			t.Errorf("the scale of %v in %d columns is no error", c.x, c.columns)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		n     int
		share float64
		test  int
	}{{10, 0.2, 2}, {10, 0, 0}, {10, 1, 10}, {0, 0.5, 0}, {7, 0.5, 4}, {1000, 0.1, 100}} {
		train, test := data.Split(c.n, c.share, 3)
		if len(test) != c.test || !slices.IsSorted(train) || !slices.IsSorted(test) {
			t.Errorf("%+v: train %v, test %v", c, train, test)
		}
		all := append(slices.Clone(train), test...)
		slices.Sort(all)
		for i, at := range all {
			if i != at {
				t.Fatalf("%+v: together they are %v", c, all)
			}
		}
		if again, _ := data.Split(c.n, c.share, 3); !slices.Equal(again, train) {
			t.Errorf("%+v: another split with the same seed", c)
		}
	}
	if a, b := first(data.Split(100, 0.5, 1)), first(data.Split(100, 0.5, 2)); slices.Equal(a, b) {
		t.Error("two seeds, one split")
	}
	checkPanic(t, "a share above 1", func() { data.Split(3, 1.1, 0) })
	checkPanic(t, "a share of NaN", func() { data.Split(3, math.NaN(), 0) })
	checkPanic(t, "a negative number", func() { data.Split(-3, 0.1, 0) })
}

func first(a, _ []int) []int { return a }

func TestSplitByLabel(t *testing.T) {
	var labels []int32
	for i := range 100 {
		labels = append(labels, map[bool]int32{true: 7, false: -1}[i < 20])
	}
	train, test := data.SplitByLabel(labels, 0.25, 9)
	rare := slices.IndexFunc(test, func(i int) bool { return i >= 20 })
	if len(train) != 75 || rare != 5 || !slices.IsSorted(train) || !slices.IsSorted(test) {
		t.Errorf("train %v, test %v", train, test)
	}
	for range 10 {
		if _, again := data.SplitByLabel(labels, 0.25, 9); !slices.Equal(test, again) {
			t.Fatalf("the test set is %v, and was %v", again, test)
		}
	}
}
