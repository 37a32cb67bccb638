package train

import (
	"errors"
	"fmt"
	"io"

	"gradgen.dev/runtime/data"
)

// Model is what every emitted trainer has.
type Model interface {
	Steps() uint64              // updates made so far
	Checkpoint(io.Writer) error // the whole state
	Restore(io.Reader) error
	Save(io.Writer) error // the weights
	Load(io.Reader) error
}

// Report is what Step and Evaluate give: numbers with names, in a fixed order.
type Report interface {
	Each(func(name string, value float64))
}

// Config says what to train, and how. Model, Samples, BatchSize, Epochs and Step
// are required.
type Config struct {
	Model Model

	Samples   int    // in the training set
	BatchSize int    // samples that Step gets at a time
	Epochs    int    // of the whole run, those before a resumption included
	Seed      uint64 // of the order of the samples

	// KeepShort also trains on an epoch's last batch where it is shorter than
	// BatchSize.
	KeepShort bool

	// Accumulate is the number of batches that the model makes one update of
	// (`accumulate` in its train clause); 0 is 1. An epoch's last batches that
	// are no whole update are left out.
	Accumulate int

	// Step trains on the samples with these indices, which it may read until it
	// returns: usually it gathers a batch and calls the model's Step.
	Step func(indices []int) (Report, error)

	// Evaluate measures the model on held-out data after each epoch. Without it,
	// the means over the epoch's training batches are monitored.
	Evaluate func() (Report, error)

	// Monitor is the metric that decides which epoch is the best one, "" is
	// "loss"; the smallest value is the best, with Maximize the largest.
	Monitor  string
	Maximize bool

	// Patience is how many epochs may pass without a new best before the run
	// stops. 0 is no limit.
	Patience int

	// CheckpointPath is the file that has the whole state after each epoch and
	// after an interruption, "" is none. With Resume, a run begins from that
	// file if it is there.
	CheckpointPath string
	Resume         bool

	// BestPath is the file that has the weights of the best epoch, "" is none.
	BestPath string

	// Progress is where progress is shown, nil is nowhere: a bar on a terminal,
	// elsewhere a line per epoch.
	Progress io.Writer
}

// check reports the first thing that is wrong with c, after filling in what has
// a default.
func (c *Config) check() error {
	if c.Monitor == "" {
		c.Monitor = "loss"
	}
	if c.Accumulate == 0 {
		c.Accumulate = 1
	}
	switch {
	case c.Model == nil:
		return errors.New("train: Config.Model is missing")
	case c.Step == nil:
		return errors.New("train: Config.Step is missing")
	case c.Epochs < 0 || c.Patience < 0 || c.Accumulate < 0:
		return fmt.Errorf("train: Config has a negative number: Epochs %d, Patience %d, Accumulate %d", c.Epochs, c.Patience, c.Accumulate)
	case c.perEpoch() == 0:
		return fmt.Errorf("train: %d samples are no epoch of batches of %d, %d for an update", c.Samples, c.BatchSize, c.Accumulate)
	case c.Resume && c.CheckpointPath == "":
		return errors.New("train: Config.Resume without a CheckpointPath")
	}
	return nil
}

// batches are the batches of the run.
func (c *Config) batches() data.Batches {
	return data.Batches{Samples: c.Samples, Size: c.BatchSize, Seed: c.Seed, KeepShort: c.KeepShort}
}

// perEpoch is the number of updates of an epoch.
func (c *Config) perEpoch() uint64 {
	b := c.batches()
	return uint64(b.PerEpoch() / c.Accumulate)
}
