// Command transformer-block trains the attention classifier of
// language/language.dnn to tell English from French sentences.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"gradgen.dev/examples/transformer-block/language"
	"gradgen.dev/runtime/data"
)

// size is the number of sentences in a batch.
const size = 32

func main() {
	log.SetFlags(0)
	epochs := flag.Int("epochs", 4, "passes over the sentences")
	seed := flag.Uint64("seed", 1, "of the initial weights, dropout, and the order of sentences")
	flag.Parse()
	sentences := flag.Args()
	if len(sentences) == 0 {
		sentences = []string{"Where is the library?", "Où est la bibliothèque ?", "I don't know.", "Je ne sais pas.", "Silence!"}
	}
	training, test := load()
	if _, err := run(os.Stdout, training, test, *epochs, *seed, sentences); err != nil {
		log.Fatal("transformer-block: ", err)
	}
}

// run trains, tests, and classifies sentences. It returns the accuracy on the
// test sentences.
func run(w io.Writer, training, test []sentence, epochs int, seed uint64, sentences []string) (float64, error) {
	symbols := alphabet(training)
	m := language.New(language.Dims{B: size})
	if err := fit(w, m, symbols, training, epochs, seed); err != nil {
		return 0, err
	}
	report, err := evaluate(m, symbols, test)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(w, "%d sentences, test accuracy %.2f %% of %d\n", len(training), 100*report.Accuracy, len(test))
	return report.Accuracy, classify(w, m.Snapshot(), symbols, sentences)
}

// newBatch returns the memory of a batch of n sentences.
func newBatch(n int) language.Batch {
	return language.Batch{Text: make([]int32, n*length), Label: make([]int32, n)}
}

// fit trains from new weights on.
func fit(w io.Writer, m *language.Language, symbols symbols, training []sentence, epochs int, seed uint64) error {
	m.Init(seed)
	order := data.Batches{Samples: len(training), Size: size, Seed: seed}
	m.Hyper.Steps = epochs * order.PerEpoch()
	batch := newBatch(size)
	for m.Steps() < uint64(m.Hyper.Steps) {
		for i, k := range order.At(m.Steps()) {
			symbols.encode(batch.Text[i*length:][:length], training[k].text)
			batch.Label[i] = training[k].label
		}
		report, err := m.Step(batch)
		if err != nil {
			return err
		}
		if n := int(m.Steps()); n%order.PerEpoch() == 0 {
			fmt.Fprintf(w, "epoch %d  loss %.3f  accuracy %.3f\n", n/order.PerEpoch(), report.Loss, report.Accuracy)
		}
	}
	return nil
}

// evaluate is loss and accuracy over sentences: those of whole batches, and the
// rest in a shorter one.
func evaluate(m *language.Language, symbols symbols, test []sentence) (language.Report, error) {
	var totals language.Totals
	for from := 0; from < len(test); from += size {
		part := test[from:min(from+size, len(test))]
		b := newBatch(len(part))
		for i, s := range part {
			symbols.encode(b.Text[i*length:][:length], s.text)
			b.Label[i] = s.label
		}
		if err := m.Evaluate(&totals, b); err != nil {
			return language.Report{}, err
		}
	}
	return totals.Report(), nil
}

// classify prints how probable each language is.
func classify(w io.Writer, weights *language.Weights, symbols symbols, sentences []string) error {
	text := make([]int32, len(sentences)*length)
	for i, s := range sentences {
		symbols.encode(text[i*length:][:length], s)
	}
	out, err := weights.Predict(language.Input{Text: text})
	if err != nil {
		return err
	}
	for i, s := range sentences {
		fmt.Fprintf(w, "%5.1f %% French: %s\n", 100*out.Probs[2*i+1], s)
	}
	return nil
}
