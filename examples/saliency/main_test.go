package main

import (
	"io"
	"math"
	"path/filepath"
	"testing"

	"gradgen.dev/examples/internal/digits"
	"gradgen.dev/examples/internal/mnistdata"
	"gradgen.dev/examples/saliency/look"
)

// enlarged is small pictures of digits in the size of MNIST's, three pixels for
// one with a margin of two, so that the test needs no download.
func enlarged(small *digits.Set) *mnistdata.Set {
	const side, factor, margin = 28, 3, 2
	out := &mnistdata.Set{Images: make([]byte, small.Len()*mnistdata.Pixels), Labels: make([]byte, small.Len())}
	for n, label := range small.Labels {
		out.Labels[n] = byte(label)
		from, to := small.Images[n*digits.Pixels:], out.Images[n*mnistdata.Pixels:]
		for y := range digits.Side * factor {
			for x := range digits.Side * factor {
				to[(margin+y)*side+margin+x] = byte(255 * from[y/factor*digits.Side+x/factor])
			}
		}
	}
	return out
}

// The classifier learns small digits, and draws.
func TestRun(t *testing.T) {
	training, test, err := digits.Load()
	if err != nil {
		t.Fatal(err)
	}
	accuracy, err := run(io.Discard, enlarged(training), enlarged(test), 100, 1, filepath.Join(t.TempDir(), "sheet.png"))
	if err != nil {
		t.Fatal(err)
	}
	if accuracy < 0.8 {
		t.Errorf("accuracy %.3f", accuracy)
	}
}

// The picture is the gradient. The difference of two scores is the logarithm of
// the ratio of their probabilities, so that central differences of that have to
// agree with the difference of two pictures, pixel by pixel.
func TestGradient(t *testing.T) {
	m := look.New(look.Dims{B: 1})
	m.Init(1)
	weights := m.Snapshot()
	x := make([]float32, mnistdata.Pixels)
	for i := range x {
		x[i] = float32(i%7) / 7
	}
	predict := func(class int32) look.Output {
		out, err := weights.Predict(look.Input{X: x, Seek: []int32{class}})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	a, b := predict(3).Saliency, predict(8).Saliency
	for _, pixel := range []int{0, 100, 405, 783} {
		const h = 1.0 / 16
		ratio := func(v float32) float64 {
			old := x[pixel]
			defer func() { x[pixel] = old }()
			x[pixel] += v
			p := predict(0).Probs
			return math.Log(float64(p[3])) - math.Log(float64(p[8]))
		}
		want := (ratio(h) - ratio(-h)) / (2 * h)
		if got := float64(a[pixel] - b[pixel]); math.Abs(got-want) > 1e-4 {
			t.Errorf("pixel %d: %.6f, by differences %.6f", pixel, got, want)
		}
	}
}
