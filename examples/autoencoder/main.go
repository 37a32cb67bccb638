// Command autoencoder trains the autoencoder of ae/ae.dnn on small pictures of
// digits and draws originals, reconstructions, and the pictures on the straight
// line between two codes.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"

	"gradgen.dev/examples/autoencoder/ae"
	"gradgen.dev/examples/internal/digits"
	"gradgen.dev/examples/internal/picture"
	"gradgen.dev/runtime/data"
)

// size is the number of pictures in a batch, width that of numbers in a code.
const (
	size  = 50
	width = 8
)

func main() {
	log.SetFlags(0)
	epochs := flag.Int("epochs", 100, "passes over the training set")
	seed := flag.Uint64("seed", 1, "of the initial weights and of the order of samples")
	out := flag.String("o", "autoencoder.png", "where the picture is written")
	flag.Parse()
	if _, err := run(os.Stdout, *epochs, *seed, *out); err != nil {
		log.Fatal("autoencoder: ", err)
	}
}

// A result is the root of the mean square error of a test pixel, by the model
// and by the best constant picture, the mean of the training set.
type result struct{ model, mean float64 }

// run trains, tests, and draws, unless path is empty.
func run(w io.Writer, epochs int, seed uint64, path string) (result, error) {
	training, test, err := digits.Load()
	if err != nil {
		return result{}, err
	}
	m := ae.New(ae.Dims{B: test.Len()})
	if err := fit(w, m, training, epochs, seed); err != nil {
		return result{}, err
	}
	var totals ae.Totals
	if err := m.Evaluate(&totals, ae.Batch{X: test.Images}); err != nil {
		return result{}, err
	}
	found := result{totals.Report().RMSE, meanError(training, test)}
	fmt.Fprintf(w, "test rmse %.4f of a pixel; the mean picture has %.4f\n", found.model, found.mean)
	if path == "" {
		return found, nil
	}
	return found, draw(m.Snapshot(), test, path)
}

// fit trains from new weights on.
func fit(w io.Writer, m *ae.AE, training *digits.Set, epochs int, seed uint64) error {
	m.Init(seed)
	order := data.Batches{Samples: training.Len(), Size: size, Seed: seed}
	m.Hyper.Steps = epochs * order.PerEpoch()
	x := make([]float32, size*digits.Pixels)
	for m.Steps() < uint64(m.Hyper.Steps) {
		report, err := m.Step(ae.Batch{X: data.Gather(x, training.Images, digits.Pixels, order.At(m.Steps()))})
		if err != nil {
			return err
		}
		if n := int(m.Steps()); n%(max(m.Hyper.Steps/5, 1)) == 0 {
			fmt.Fprintf(w, "step %5d  loss %.4f\n", n, report.Loss)
		}
	}
	return nil
}

// meanError is the root of the mean square by which the pictures of test differ
// from the mean of training.
func meanError(training, test *digits.Set) float64 {
	var mean [digits.Pixels]float64
	for i, v := range training.Images {
		mean[i%digits.Pixels] += float64(v) / float64(training.Len())
	}
	sum := 0.0
	for i, v := range test.Images {
		d := float64(v) - mean[i%digits.Pixels]
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(test.Images)))
}

// draw writes a sheet: ten originals, their reconstructions, and in the third
// row the way from the first to the last in the space of codes.
func draw(weights *ae.Weights, test *digits.Set, path string) error {
	const n = 10
	first := test.Slice(0, n)
	out, err := weights.Predict(ae.Input{X: first.Images})
	if err != nil {
		return err
	}
	between := make([]float32, n*width)
	for i := range n {
		t := float32(i) / (n - 1)
		for k := range width {
			between[i*width+k] = (1-t)*out.Code[k] + t*out.Code[(n-1)*width+k]
		}
	}
	way, err := weights.Decode(ae.DecodeInput{Z: between})
	if err != nil {
		return err
	}
	sheet := picture.NewSheet(n, 3, 64)
	for row, pixels := range [][]float32{first.Images, out.Copy, way.Result} {
		for i := range n {
			sheet.Tile(i, row, pixels[i*digits.Pixels:][:digits.Pixels], digits.Side, picture.Grey)
		}
	}
	return picture.Write(path, sheet)
}
