// Command saliency trains the classifier of look/look.dnn on MNIST and draws
// which pixels speak for (red) and against (blue) the digit that it sees.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"

	"gradgen.dev/examples/internal/mnistdata"
	"gradgen.dev/examples/internal/picture"
	"gradgen.dev/examples/saliency/look"
	"gradgen.dev/runtime/data"
)

// size is the number of pictures in a batch.
const size = 100

func main() {
	log.SetFlags(0)
	dir := flag.String("data", "", "folder of the MNIST files (default $GRADGEN_DATA, else a Go module)")
	steps := flag.Int("steps", 1500, "updates")
	seed := flag.Uint64("seed", 1, "of the initial weights, dropout, and the order of samples")
	out := flag.String("o", "saliency.png", "where the picture is written")
	flag.Parse()
	training, test, err := mnistdata.Load(*dir)
	if err == nil {
		_, err = run(os.Stdout, training, test, *steps, *seed, *out)
	}
	if err != nil {
		log.Fatal("saliency: ", err)
	}
}

// run trains, tests, and draws unless path is empty. It returns the accuracy on
// the test set.
func run(w io.Writer, training, test *mnistdata.Set, steps int, seed uint64, path string) (float64, error) {
	m := look.New(look.Dims{B: size})
	batch := look.Batch{X: make([]float32, size*mnistdata.Pixels), Y: make([]int32, size), Seek: make([]int32, size)}
	if err := fit(m, training, batch, steps, seed); err != nil {
		return 0, err
	}
	report, err := evaluate(m, test, batch)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(w, "test accuracy %.2f %%\n", 100*report.Accuracy)
	return report.Accuracy, draw(w, m.Snapshot(), test, path)
}

// fit trains from new weights on. It overwrites batch.
func fit(m *look.Look, training *mnistdata.Set, batch look.Batch, steps int, seed uint64) error {
	m.Init(seed)
	m.Hyper.Steps = steps
	order := data.Batches{Samples: training.Len(), Size: size, Seed: seed}
	for step := range uint64(steps) {
		training.Fill(batch.X, batch.Y, order.At(step))
		if _, err := m.Step(batch); err != nil {
			return err
		}
	}
	return nil
}

// evaluate is loss and accuracy over the whole batches of a set. It overwrites
// batch.
func evaluate(m *look.Look, test *mnistdata.Set, batch look.Batch) (look.Report, error) {
	var totals look.Totals
	indices := make([]int, size)
	for from := 0; from+size <= test.Len(); from += size {
		for i := range indices {
			indices[i] = from + i
		}
		test.Fill(batch.X, batch.Y, indices)
		if err := m.Evaluate(&totals, batch); err != nil {
			return look.Report{}, err
		}
	}
	return totals.Report(), nil
}

// draw writes a sheet: one picture of each digit, what speaks for that digit,
// and what speaks for the digit that comes second. It prints how much of the
// score the most important pixels carry.
func draw(w io.Writer, weights *look.Weights, test *mnistdata.Set, path string) error {
	x, y := make([]float32, 10*mnistdata.Pixels), make([]int32, 10)
	first := make([]int, 10)
	for i := test.Len() - 1; i >= 0; i-- {
		first[test.Labels[i]] = i
	}
	test.Fill(x, y, first)
	own, err := weights.Predict(look.Input{X: x, Seek: y})
	if err != nil {
		return err
	}
	second := make([]int32, 10)
	for i := range second {
		second[i] = runnerUp(own.Probs[10*i:][:10], int(y[i]))
	}
	other, err := weights.Predict(look.Input{X: x, Seek: second})
	if err != nil {
		return err
	}
	for i := range 10 {
		fmt.Fprintf(w, "digit %d: the top tenth of the pixels has %2.0f %% of the gradient; second is %d\n",
			i, 100*concentration(own.Saliency[i*mnistdata.Pixels:][:mnistdata.Pixels]), second[i])
	}
	if path == "" {
		return nil
	}
	sheet := picture.NewSheet(10, 3, 84)
	for i := range 10 {
		part := func(values []float32) []float32 { return values[i*mnistdata.Pixels:][:mnistdata.Pixels] }
		sheet.Tile(i, 0, part(x), 28, picture.Grey)
		sheet.Tile(i, 1, scaled(part(own.Saliency)), 28, picture.Diverging)
		sheet.Tile(i, 2, scaled(part(other.Saliency)), 28, picture.Diverging)
	}
	return picture.Write(path, sheet)
}

// runnerUp is the most probable class but one.
func runnerUp(probs []float32, but int) int32 {
	best := -1
	for k, p := range probs {
		if k != but && (best < 0 || p > probs[best]) {
			best = k
		}
	}
	return int32(best)
}

// scaled is values divided by the largest of their sizes.
func scaled(values []float32) []float32 {
	top := 0.0
	for _, v := range values {
		top = max(top, math.Abs(float64(v)))
	}
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(float64(v) / max(top, 1e-30))
	}
	return out
}

// concentration is the share of the sum of the sizes that the largest tenth
// has.
func concentration(values []float32) float64 {
	sizes := make([]float64, len(values))
	sum := 0.0
	for i, v := range values {
		sizes[i] = math.Abs(float64(v))
		sum += sizes[i]
	}
	return top(sizes, len(sizes)/10) / sum
}
