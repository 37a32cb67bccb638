package train

import (
	"context"
	"fmt"
	"time"

	"gradgen.dev/runtime/data"
	"gradgen.dev/runtime/store"
)

// Run trains until Epochs are done, patience has run out, or ctx is cancelled.
//
// A cancelled context is no error: the update that is under way is finished, the
// checkpoint written, and the result says Interrupted. An error of Step,
// Evaluate or of a file ends the run; the result then has the epochs that were
// done, and the checkpoint is that of the last of them.
func Run(ctx context.Context, c Config) (Result, error) {
	return start(ctx, c, isTerminal(c.Progress), time.Now)
}

// run is a run under way.
type run struct {
	Config
	now      func() time.Time
	progress progress

	batches data.Batches
	history []Epoch
	mean    mean // of the epoch under way
}

// start is Run with its view of the world.
func start(ctx context.Context, c Config, terminal bool, now func() time.Time) (Result, error) {
	none := Result{Best: -1}
	if err := c.check(); err != nil {
		return none, err
	}
	r := &run{Config: c, now: now, batches: c.batches()}
	r.progress = progress{w: c.Progress, terminal: terminal, now: now, epochs: c.Epochs, perEpoch: c.perEpoch()}
	if c.Resume {
		if err := r.resume(); err != nil {
			return none, err
		}
	}

	result, err := r.loop(ctx)
	r.progress.end()
	result.History = r.history
	result.Best = best(r.history, r.Monitor, r.Maximize)
	return result, err
}

// loop makes one update after the other.
func (r *run) loop(ctx context.Context) (result Result, err error) {
	perEpoch := r.perEpoch()
	end := uint64(r.Epochs) * perEpoch
	for {
		// Where the run is follows from the model.
		step := r.Model.Steps()
		switch {
		case r.exhausted():
			return Result{Stopped: true}, nil
		case step >= end:
			return Result{}, nil
		case ctx.Err() != nil:
			return Result{Interrupted: true}, r.save()
		}

		if err := r.update(step); err != nil {
			return Result{}, fmt.Errorf("train: epoch %d, update %d: %w", step/perEpoch+1, step+1, err)
		}
		if (step+1)%perEpoch == 0 {
			if err := r.endEpoch(int((step + 1) / perEpoch)); err != nil {
				return Result{}, err
			}
		}
	}
}

// exhausted reports whether patience has run out.
func (r *run) exhausted() bool {
	if r.Patience == 0 || len(r.history) == 0 {
		return false
	}
	return len(r.history)-1-best(r.history, r.Monitor, r.Maximize) >= r.Patience
}

// update makes the update that follows on step others.
func (r *run) update(step uint64) error {
	perEpoch := r.perEpoch()
	epoch, within := step/perEpoch, step%perEpoch
	for i := range uint64(r.Accumulate) {
		// An epoch begins with its own first batch, also after one whose last
		// batches were left out.
		indices := r.batches.At(epoch*uint64(r.batches.PerEpoch()) + within*uint64(r.Accumulate) + i)
		n, began := len(indices), r.now()
		report, err := r.Step(indices)
		if err != nil {
			return err
		}
		r.mean.add(report, n, r.now().Sub(began).Seconds())
	}
	if made := r.Model.Steps() - step; made != 1 {
		return fmt.Errorf("the model made %d updates of %d batches, want 1 (Config.Accumulate)", made, r.Accumulate)
	}
	r.progress.step(epoch, within+1, &r.mean)
	return nil
}

// endEpoch evaluates, and writes what is to be kept.
func (r *run) endEpoch(number int) error {
	e := Epoch{Number: number, Steps: r.Model.Steps(), Training: r.mean.metrics(), Samples: r.mean.Samples, Seconds: r.mean.Seconds}
	if r.Evaluate != nil {
		report, err := r.Evaluate()
		if err != nil {
			return fmt.Errorf("train: evaluation after epoch %d: %w", number, err)
		}
		e.Evaluation = metricsOf(report)
	}
	if _, ok := e.monitored(r.Monitor); !ok && (r.Patience > 0 || r.BestPath != "") {
		return fmt.Errorf("train: the report of epoch %d has no %q to monitor", number, r.Monitor)
	}
	r.history, r.mean = append(r.history, e), mean{}
	r.progress.epoch(e)

	// The best weights before the checkpoint: it may not know of an epoch whose
	// weights are lost.
	if r.BestPath != "" && best(r.history, r.Monitor, r.Maximize) == len(r.history)-1 {
		if err := store.WriteFile(r.BestPath, r.Model.Save); err != nil {
			return fmt.Errorf("train: best weights: %w", err)
		}
	}
	return r.save()
}
