// Command housing predicts the price of houses in a district of California from
// its census, by the two models of prices/prices.dnn, and prints their errors in
// dollars.
//
// The table comes with the program. A fifth of its rows are for the test; a
// tenth of the others are held out of training and decide when the network
// stops, and which of its weights are kept.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/signal"
	"path/filepath"

	"gradgen.dev/runtime/data"
	"gradgen.dev/runtime/store"
	"gradgen.dev/runtime/train"
)

const (
	size     = 64 // rows of a batch
	patience = 8  // epochs without a new best, after which training stops
)

func main() {
	log.SetFlags(0)
	epochs := flag.Int("epochs", 40, "passes over the training rows, at most")
	seed := flag.Uint64("seed", 1, "of the parts of the table, the initial weights, dropout, and the order of rows")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if _, err := run(ctx, os.Stdout, os.Stderr, *epochs, *seed); err != nil {
		log.Fatal("housing: ", err)
	}
}

// A deviation is how far predictions are from prices, in dollars: the root of the
// mean square, and the mean of the sizes.
type deviation struct{ rms, mean float64 }

// run trains both models, tests them, and prints some predictions. It returns
// the deviations of the linear model and of the network on the test rows.
func run(ctx context.Context, w, progress io.Writer, epochs int, seed uint64) ([2]deviation, error) {
	var found [2]deviation
	h, err := load(seed)
	if err != nil {
		return found, err
	}
	fmt.Fprintf(w, "%d districts to train on, %d held out, %d for the test\n", h.training.len(), h.held.len(), h.test.len())

	rows := max(h.held.len(), h.test.len())
	steps := epochs * (h.training.len() / size)
	models := []*regressor{newLinear(rows, steps, seed), newNetwork(rows, steps, seed)}
	for i, r := range models {
		result, err := fit(ctx, r, h, epochs, seed, progress)
		if err != nil {
			return found, fmt.Errorf("%s: %w", r.name, err)
		}
		if found[i], err = h.measure(r); err != nil {
			return found, fmt.Errorf("%s: %w", r.name, err)
		}
		fmt.Fprintf(w, "%-8s test error: rms $%.0f, mean absolute $%.0f; weights of epoch %d of %d\n",
			r.name, found[i].rms, found[i].mean, result.History[result.Best].Number, len(result.History))
	}
	return found, h.show(w, models)
}

// fit trains until nothing is gained on the rows that are held out, and leaves
// the best weights in the model.
func fit(ctx context.Context, r *regressor, h *housing, epochs int, seed uint64, progress io.Writer) (train.Result, error) {
	dir, err := os.MkdirTemp("", "housing")
	if err != nil {
		return train.Result{}, err
	}
	defer os.RemoveAll(dir)
	best := filepath.Join(dir, "best.safetensors")
	batch := samples{x: make([]float32, size*features), y: make([]float32, size)}
	result, err := train.Run(ctx, train.Config{
		Model:     r.model,
		Samples:   h.training.len(),
		BatchSize: size,
		Epochs:    epochs,
		Seed:      seed,
		Step:      func(indices []int) (train.Report, error) { return r.step(h.training.gather(&batch, indices)) },
		Evaluate:  func() (train.Report, error) { return r.evaluate(h.held) },
		Patience:  patience,
		BestPath:  best,
		Progress:  progress,
	})
	switch {
	case err != nil:
		return result, err
	case result.Best < 0:
		return result, context.Canceled // interrupted in the first epoch
	}
	return result, store.ReadFile(best, r.model.Load)
}

// measure is the deviation on the test rows.
func (h *housing) measure(r *regressor) (deviation, error) {
	out, err := r.predict(h.test.x)
	if err != nil {
		return deviation{}, err
	}
	var squares, sizes float64
	for i, y := range h.test.y {
		d := h.price.Distance(0, float64(out[i]-y))
		squares += d * d
		sizes += math.Abs(d)
	}
	n := float64(len(out))
	return deviation{rms: math.Sqrt(squares / n), mean: sizes / n}, nil
}

// show prints what the models say of the first test rows.
func (h *housing) show(w io.Writer, models []*regressor) error {
	const n = 6
	columns := [][]float32{append([]float32(nil), h.test.y[:n]...)}
	fmt.Fprintf(w, "\n%10s", "price")
	for _, r := range models {
		out, err := r.predict(h.test.x[:n*features])
		if err != nil {
			return err
		}
		columns = append(columns, out)
		fmt.Fprintf(w, "%10s", r.name)
	}
	fmt.Fprintln(w)

	// Back from deviations to dollars.
	for _, c := range columns {
		data.Unstandardise(h.price, c)
	}
	for i := range n {
		for _, c := range columns {
			fmt.Fprintf(w, "%10.0f", c[i])
		}
		fmt.Fprintln(w)
	}
	return nil
}
