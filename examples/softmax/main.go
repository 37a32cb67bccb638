// Command softmax trains the softmax regression of softmax/softmax.dnn on
// MNIST: 1000 steps on batches of 100, as TensorFlow's first tutorial did. It
// needs nothing but the emitted package and a loop.
package main

import (
	"flag"
	"fmt"
	"log"
	"time"

	"gradgen.dev/examples/internal/mnistdata"
	"gradgen.dev/examples/softmax/softmax"
	"gradgen.dev/runtime/data"
)

// size is the number of samples in a batch.
const size = 100

func main() {
	log.SetFlags(0)
	dir := flag.String("data", "", "folder of the MNIST files (default $GRADGEN_DATA, else a Go module)")
	steps := flag.Int("steps", 1000, "updates")
	seed := flag.Uint64("seed", 1, "of the order of samples")
	flag.Parse()
	if err := run(*dir, *steps, *seed); err != nil {
		log.Fatal("softmax: ", err)
	}
}

// run trains for a number of steps and prints the accuracy on the test set.
func run(dir string, steps int, seed uint64) error {
	digits, test, err := mnistdata.Load(dir)
	if err != nil {
		return err
	}
	m := softmax.New(softmax.Dims{B: size})
	batch := softmax.Batch{X: make([]float32, size*mnistdata.Pixels), Y: make([]int32, size)}

	// Each epoch goes through the samples in an order of its own.
	order := data.Batches{Samples: digits.Len(), Size: size, Seed: seed}
	start := time.Now()
	for step := range steps {
		digits.Fill(batch.X, batch.Y, order.At(uint64(step)))
		report, err := m.Step(batch)
		if err != nil {
			return err
		}
		if (step+1)%250 == 0 {
			fmt.Printf("step %4d  loss %.3f  accuracy %.3f\n", step+1, report.Loss, report.Accuracy)
		}
	}
	took := time.Since(start)

	report, err := evaluate(m, test, batch)
	if err != nil {
		return err
	}
	fmt.Printf("test accuracy %.2f %%, loss %.3f; %d steps in %v, %.0f samples per second\n",
		100*report.Accuracy, report.Loss, steps, took.Round(time.Millisecond), float64(steps*size)/took.Seconds())
	return nil
}

// evaluate is loss and accuracy over a set. It overwrites batch, and needs a
// whole number of batches.
func evaluate(m *softmax.Softmax, set *mnistdata.Set, batch softmax.Batch) (softmax.Report, error) {
	var totals softmax.Totals
	indices := make([]int, size)
	for from := 0; from < set.Len(); from += size {
		for i := range indices {
			indices[i] = from + i
		}
		set.Fill(batch.X, batch.Y, indices)
		if err := m.Evaluate(&totals, batch); err != nil {
			return softmax.Report{}, err
		}
	}
	return totals.Report(), nil
}
