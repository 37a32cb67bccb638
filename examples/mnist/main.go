// Command mnist trains the multilayer perceptron of mlp/mlp.dnn on MNIST and
// prints its accuracy on the test set.
//
// The last 5000 images of the training set are held out: after each epoch the
// model is evaluated on them, and the weights of the best epoch are kept for
// the test. An interrupt ends the run with a checkpoint; -resume goes on from
// there, to the same weights bit for bit.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"gradgen.dev/examples/internal/mnistdata"
	"gradgen.dev/examples/mnist/mlp"
	"gradgen.dev/runtime/store"
	"gradgen.dev/runtime/train"
)

const (
	size    = 128  // samples in a batch
	heldOut = 5000 // images of the training set that are not trained on
)

// settings are the flags.
type settings struct {
	data   string
	out    string
	epochs int
	seed   uint64
	resume bool
	plot   string
}

func main() {
	log.SetFlags(0)
	var s settings
	flag.StringVar(&s.data, "data", "", "folder of the MNIST files (default $GRADGEN_DATA, else a Go module)")
	flag.StringVar(&s.out, "out", ".", "folder for mnist.checkpoint and mnist.safetensors")
	flag.IntVar(&s.epochs, "epochs", 10, "passes over the training set")
	flag.Uint64Var(&s.seed, "seed", 1, "of the initial weights, of dropout and of the order of samples")
	flag.BoolVar(&s.resume, "resume", false, "go on from the checkpoint, if there is one")
	flag.StringVar(&s.plot, "plot", "", "draw loss and accuracy to this SVG file")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s); err != nil {
		log.Fatal("mnist: ", err)
	}
}

// run trains, and tests the weights of the best epoch.
func run(ctx context.Context, s settings) error {
	digits, test, err := mnistdata.Load(s.data)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	t := newTrainer(digits, s)
	result, err := train.Run(ctx, t.config(s))
	if err != nil {
		return err
	}
	if s.plot != "" {
		if err := plot(s.plot, result.History); err != nil {
			return err
		}
	}
	if result.Interrupted {
		fmt.Printf("interrupted after %d updates; -resume goes on from there\n", t.model.Steps())
		return nil
	}

	// The best weights are in a file, the last ones in the model.
	if err := store.ReadFile(t.best, t.model.Load); err != nil {
		return err
	}
	report, err := t.evaluate(test)
	if err != nil {
		return err
	}
	printResult(report, result)
	return nil
}

// printResult prints how good the model is and how long that took.
func printResult(report mlp.Report, result train.Result) {
	samples, seconds := 0, 0.0
	for _, e := range result.History {
		samples, seconds = samples+e.Samples, seconds+e.Seconds
	}
	took := time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond)
	fmt.Printf("test accuracy %.2f %%, loss %.4f, with the weights of epoch %d of %d\n",
		100*report.Accuracy, report.Loss, result.History[result.Best].Number, len(result.History))
	fmt.Printf("trained in %v, %.0f samples per second\n", took, float64(samples)/seconds)
}

// A trainer is a model with its data and the memory of its batches.
type trainer struct {
	model            *mlp.MLP
	batch            mlp.Batch
	training, held   *mnistdata.Set
	steps            int // of the whole run
	checkpoint, best string
}

// newTrainer returns a trainer with new weights.
func newTrainer(digits *mnistdata.Set, s settings) *trainer {
	n := digits.Len() - heldOut
	t := &trainer{
		model:      mlp.New(mlp.Dims{B: size}),
		batch:      mlp.Batch{X: make([]float32, size*mnistdata.Pixels), Y: make([]int32, size)},
		training:   digits.Slice(0, n),
		held:       digits.Slice(n, digits.Len()),
		steps:      s.epochs * (n / size),
		checkpoint: filepath.Join(s.out, "mnist.checkpoint"),
		best:       filepath.Join(s.out, "mnist.safetensors"),
	}
	t.model.Init(s.seed)
	return t
}

// config is the run.
func (t *trainer) config(s settings) train.Config {
	return train.Config{
		Model:     t.model,
		Samples:   t.training.Len(),
		BatchSize: size,
		Epochs:    s.epochs,
		Seed:      s.seed,

		Step:     t.step,
		Evaluate: func() (train.Report, error) { return t.evaluate(t.held) },
		Monitor:  "accuracy",
		Maximize: true,

		CheckpointPath: t.checkpoint,
		Resume:         s.resume,
		BestPath:       t.best,
		Progress:       os.Stderr,
	}
}

// step trains on one batch.
func (t *trainer) step(indices []int) (train.Report, error) {
	t.model.Hyper.Steps = t.steps // a checkpoint may come from a run of another length
	return t.model.Step(t.fill(t.training, indices))
}

// evaluate is loss and accuracy over a set.
func (t *trainer) evaluate(set *mnistdata.Set) (mlp.Report, error) {
	var totals mlp.Totals
	indices := make([]int, 0, size)
	for i := range set.Len() {
		indices = append(indices, i)
		if len(indices) < size && i < set.Len()-1 {
			continue
		}
		if err := t.model.Evaluate(&totals, t.fill(set, indices)); err != nil {
			return mlp.Report{}, err
		}
		indices = indices[:0]
	}
	return totals.Report(), nil
}

// fill is the batch of the images with these indices. It shares the memory of
// all batches.
func (t *trainer) fill(set *mnistdata.Set, indices []int) mlp.Batch {
	n := len(indices)
	b := mlp.Batch{X: t.batch.X[:n*mnistdata.Pixels], Y: t.batch.Y[:n]}
	set.Fill(b.X, b.Y, indices)
	return b
}
