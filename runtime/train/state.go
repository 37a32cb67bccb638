package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"gradgen.dev/runtime/store"
)

// state is what a run knows and its model does not, as the file beside the
// checkpoint has it.
type state struct {
	Order   order   // what the sequence of batches follows from
	History []Epoch // epochs that are done
	Steps   uint64  // updates of the model when the file was written
	Partial mean    // of the epoch that is not done
}

// order is what has to be the same in the run that is resumed.
type order struct {
	Samples, BatchSize, Accumulate int
	KeepShort                      bool
	Seed                           uint64
}

func (c *Config) order() order {
	return order{c.Samples, c.BatchSize, c.Accumulate, c.KeepShort, c.Seed}
}

// statePath is the file beside the checkpoint.
func statePath(checkpoint string) string { return checkpoint + ".run" }

// save writes state and checkpoint, in this order: a state that is ahead of its
// checkpoint can be cut back.
func (r *run) save() error {
	if r.CheckpointPath == "" {
		return nil
	}
	s := state{Order: r.order(), History: r.history, Steps: r.Model.Steps(), Partial: r.mean}
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	err = store.WriteFile(statePath(r.CheckpointPath), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := store.WriteFile(r.CheckpointPath, r.Model.Checkpoint); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	return nil
}

// resume restores the checkpoint, if there is one, and what was known then.
func (r *run) resume() error {
	if _, err := os.Stat(r.CheckpointPath); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s, err := readState(statePath(r.CheckpointPath))
	if err != nil {
		return err
	}
	if s != nil && s.Order != r.order() {
		return fmt.Errorf("train: %s is of a run over other batches: %+v, not %+v", r.CheckpointPath, s.Order, r.order())
	}
	if err := store.ReadFile(r.CheckpointPath, r.Model.Restore); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	if s == nil {
		return nil
	}

	// Forget what came after the checkpoint.
	for _, e := range s.History {
		if e.Steps <= r.Model.Steps() {
			r.history = append(r.history, e)
		}
	}
	if s.Steps == r.Model.Steps() {
		r.mean = s.Partial
	}
	return nil
}

// readState reads the file beside a checkpoint; nil if there is none.
func readState(path string) (*state, error) {
	var s *state
	err := store.ReadFile(path, func(r io.Reader) error { return json.NewDecoder(r).Decode(&s) })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("train: %w", err)
	}
	return s, nil
}
