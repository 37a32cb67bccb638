package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gradgen.dev/runtime/rng"
	"gradgen.dev/runtime/store"
)

// fake is a model whose one weight is a digest of all batches that it has seen,
// in their order.
type fake struct {
	weight, steps, waiting uint64
	accumulate             uint64 // batches per update
	log                    [][]int
}

func (f *fake) Steps() uint64 { return f.steps }

func (f *fake) tensors() []store.Tensor {
	return []store.Tensor{{Name: "all", Shape: []int{3}, Data: []uint64{f.weight, f.steps, f.waiting}}}
}

func (f *fake) Checkpoint(w io.Writer) error { return store.Write(w, nil, f.tensors()...) }

func (f *fake) Restore(r io.Reader) error {
	t := f.tensors()
	_, err := store.Read(r, t...)
	v := t[0].Data.([]uint64)
	f.weight, f.steps, f.waiting = v[0], v[1], v[2]
	return err
}

func (f *fake) Save(w io.Writer) error { return binary.Write(w, binary.LittleEndian, f.weight) }
func (f *fake) Load(r io.Reader) error { return binary.Read(r, binary.LittleEndian, &f.weight) }

// report is numbers in the order of their names.
type report map[string]float64

func (r report) Each(f func(name string, value float64)) {
	for _, name := range []string{"loss", "accuracy"} {
		if v, ok := r[name]; ok {
			f(name, v)
		}
	}
}

// step takes a batch in; the loss is the mean of the indices.
func (f *fake) step(indices []int) (Report, error) {
	f.log = append(f.log, slices.Clone(indices))
	sum := 0
	for _, i := range indices {
		f.weight = rng.At(f.weight, uint64(i))
		sum += i
	}
	if f.waiting++; f.waiting >= max(f.accumulate, 1) {
		f.waiting, f.steps = 0, f.steps+1
	}
	return report{"loss": float64(sum) / float64(len(indices))}, nil
}

// clock gives moments half a second apart, so that each batch takes that long.
func clock() func() time.Time {
	t := time.Unix(0, 0)
	return func() time.Time { t = t.Add(500 * time.Millisecond); return t }
}

// config trains a new fake on 10 samples in batches of 3.
func config() (*fake, Config) {
	f := &fake{}
	return f, Config{Model: f, Samples: 10, BatchSize: 3, Epochs: 4, Seed: 5, Step: f.step}
}

func run1(t *testing.T, ctx context.Context, c Config) Result {
	t.Helper()
	r, err := start(ctx, c, false, clock())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOrder compares the batches with the definition in package data's terms.
func TestOrder(t *testing.T) {
	for _, keep := range []bool{false, true} {
		f, c := config()
		c.KeepShort = keep
		r := run1(t, t.Context(), c)
		var want [][]int
		for epoch := range uint64(4) {
			p := rng.Perm(5, epoch, 10)
			want = append(want, p[0:3], p[3:6], p[6:9])
			if keep {
				want = append(want, p[9:])
			}
		}
		if !reflect.DeepEqual(f.log, want) {
			t.Errorf("batches are %v, want %v", f.log, want)
		}

		// The mean over an epoch is over its samples.
		first := r.History[0]
		sum, n := 0, 0
		for _, b := range want[:len(want)/4] {
			for _, i := range b {
				sum, n = sum+i, n+1
			}
		}
		loss, _ := first.Training.Get("loss")
		if math.Abs(loss-float64(sum)/float64(n)) > 1e-12 || first.Samples != n || first.Seconds != 0.5*float64(len(want)/4) {
			t.Errorf("the first epoch is %+v, want loss %v", first, float64(sum)/float64(n))
		}
		if len(r.History) != 4 || r.Interrupted || r.Stopped {
			t.Errorf("result is %+v", r)
		}
	}
}

// TestAccumulate: an epoch has whole updates only.
func TestAccumulate(t *testing.T) {
	f, c := config()
	f.accumulate, c.Accumulate, c.BatchSize = 2, 2, 2 // 5 batches: 2 updates
	run1(t, t.Context(), c)
	if f.steps != 8 || len(f.log) != 16 {
		t.Errorf("%d updates of %d batches", f.steps, len(f.log))
	}
	for epoch := range uint64(4) {
		if want := rng.Perm(5, epoch, 10)[:2]; !slices.Equal(f.log[4*epoch], want) {
			t.Errorf("epoch %d begins with %v, want %v", epoch, f.log[4*epoch], want)
		}
	}

	// A model that accumulates otherwise is noticed.
	f, c = config()
	f.accumulate = 2
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "made 0 updates of 1 batches") {
		t.Errorf("error is %v", err)
	}
}

// cancelAfter is config with a context that is cancelled during the n-th batch.
func cancelAfter(t *testing.T, n int) (*fake, Config, context.Context) {
	f, c := config()
	ctx, cancel := context.WithCancel(t.Context())
	c.Step = func(indices []int) (Report, error) {
		if n--; n == 0 {
			cancel()
		}
		return f.step(indices)
	}
	return f, c, ctx
}

// TestResume interrupts a run during every one of its batches and demands of the
// rest that nothing shows it.
func TestResume(t *testing.T) {
	evaluate := func(f *fake) func() (Report, error) {
		return func() (Report, error) { return report{"loss": float64(f.weight % 97), "accuracy": math.Inf(1)}, nil }
	}
	whole, c := config()
	c.Evaluate = evaluate(whole)
	want := run1(t, t.Context(), c)

	for n := 1; n < len(whole.log); n++ {
		dir := t.TempDir()
		f, c, ctx := cancelAfter(t, n)
		c.CheckpointPath, c.BestPath, c.Evaluate = filepath.Join(dir, "state"), filepath.Join(dir, "best"), evaluate(f)
		r := run1(t, ctx, c)
		if !r.Interrupted || len(f.log) != n || len(r.History) != n/3 {
			t.Fatalf("cancelled in batch %d: %d batches, result %+v", n, len(f.log), r)
		}

		f, next := config()
		next.CheckpointPath, next.BestPath, next.Evaluate, next.Resume = c.CheckpointPath, c.BestPath, evaluate(f), true
		got := run1(t, t.Context(), next)
		if f.weight != whole.weight || !reflect.DeepEqual(f.log, whole.log[n:]) {
			t.Errorf("resumed after %d batches, went on with %v, want %v", n, f.log, whole.log[n:])
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("resumed after %d batches:\n%+v\nwant\n%+v", n, got, want)
		}

		// A run that is done does nothing when it is resumed.
		f, next = config()
		next.CheckpointPath, next.Resume = c.CheckpointPath, true
		if again := run1(t, t.Context(), next); len(f.log) != 0 || !reflect.DeepEqual(again, want) {
			t.Errorf("a run that is done goes on with %v, result %+v", f.log, again)
		}
	}
}

// TestCrash puts a state beside an older checkpoint, as a crash between the two
// leaves them.
func TestCrash(t *testing.T) {
	whole, c := config()
	want := run1(t, t.Context(), c)

	path := filepath.Join(t.TempDir(), "state")
	_, c, ctx := cancelAfter(t, 3)
	c.CheckpointPath = path
	run1(t, ctx, c)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, c, ctx = cancelAfter(t, 5)
	c.CheckpointPath, c.Resume = path, true
	run1(t, ctx, c)
	if err := os.WriteFile(path, old, 0o644); err != nil {
		t.Fatal(err)
	}

	f, c := config()
	c.CheckpointPath, c.Resume = path, true
	got := run1(t, t.Context(), c)
	if f.weight != whole.weight || !reflect.DeepEqual(got, want) {
		t.Errorf("after a crash: %+v, want %+v", got, want)
	}

	// Without the state, the model alone says where the run is.
	if err := errors.Join(os.WriteFile(path, old, 0o644), os.Remove(statePath(path))); err != nil {
		t.Fatal(err)
	}
	f, c = config()
	c.CheckpointPath, c.Resume = path, true
	if run1(t, t.Context(), c); f.weight != whole.weight {
		t.Error("without the state, the run goes another way")
	}
}

func TestResumeRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	_, c := config()
	c.CheckpointPath, c.Resume = path, true
	run1(t, t.Context(), c) // there is nothing to resume: a new run
	for name, change := range map[string]func(*Config){
		"Seed":      func(c *Config) { c.Seed++ },
		"BatchSize": func(c *Config) { c.BatchSize++ },
		"Samples":   func(c *Config) { c.Samples++ },
		"KeepShort": func(c *Config) { c.KeepShort = true },
	} {
		other := c
		change(&other)
		if _, err := Run(t.Context(), other); err == nil || !strings.Contains(err.Error(), "other batches") {
			t.Errorf("another %s: error is %v", name, err)
		}
	}
	if err := os.WriteFile(path, []byte("no checkpoint"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), c); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a damaged checkpoint: error is %v", err)
	}
	if err := os.WriteFile(statePath(path), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), c); err == nil {
		t.Error("a damaged state: no error")
	}
}

// TestBest: early stopping and best weights, minimising and maximising, also
// where the run is resumed after every epoch.
func TestBest(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values   []float64 // of the metric after each epoch
		maximize bool
		patience int
		epochs   int // that are made
		best     int
	}{
		{[]float64{5, 4, 3, 2}, false, 0, 4, 3},
		{[]float64{5, 4, 3, 2}, true, 0, 4, 0},
		{[]float64{5, 3, 3, 4}, false, 2, 4, 1},
		{[]float64{5, 3, 4, 3, 2, 1}, false, 2, 4, 1},
		{[]float64{1, 2, 1, 1, 3}, true, 3, 5, 4},
		{[]float64{nan, 2, nan, nan, nan}, false, 2, 4, 1},
		{[]float64{nan, nan, nan}, false, 2, 2, -1},
	} {
		for _, resumed := range []bool{false, true} {
			dir := t.TempDir()
			var weights []uint64
			var r Result
			for epochs := len(c.values); ; {
				f, cfg := config()
				cfg.Monitor, cfg.Maximize, cfg.Patience, cfg.Epochs = "accuracy", c.maximize, c.patience, epochs
				cfg.CheckpointPath, cfg.Resume, cfg.BestPath = filepath.Join(dir, "state"), true, filepath.Join(dir, "best")
				ctx, cancel := context.WithCancel(t.Context())
				cfg.Evaluate = func() (Report, error) {
					if resumed {
						cancel()
					}
					weights = append(weights, f.weight)
					return report{"loss": 1, "accuracy": c.values[len(weights)-1]}, nil
				}
				r = run1(t, ctx, cfg)
				cancel()
				if !r.Interrupted {
					break
				}
			}
			if len(r.History) != c.epochs || r.Best != c.best || r.Stopped != (c.epochs < len(c.values) || c.patience > 0 && c.epochs-1-c.best >= c.patience) {
				t.Errorf("%+v, resumed %v: %d epochs, best %d, stopped %v", c, resumed, len(r.History), r.Best, r.Stopped)
			}
			var saved fake
			err := store.ReadFile(filepath.Join(dir, "best"), saved.Load)
			if c.best < 0 {
				if !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%+v: there are best weights, error %v", c, err)
				}
			} else if err != nil || saved.weight != weights[c.best] {
				t.Errorf("%+v, resumed %v: the best weights are not of epoch %d, error %v", c, resumed, c.best, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	f, c := config()
	c.Step = func(indices []int) (Report, error) {
		if f.steps == 4 {
			return nil, broken
		}
		return f.step(indices)
	}
	r, err := Run(t.Context(), c)
	if !errors.Is(err, broken) || err.Error() != "train: epoch 2, update 5: broken" || len(r.History) != 1 {
		t.Errorf("Step: error is %v, result %+v", err, r)
	}

	_, c = config()
	c.Evaluate = func() (Report, error) { return nil, broken }
	if _, err := Run(t.Context(), c); !errors.Is(err, broken) {
		t.Errorf("Evaluate: error is %v", err)
	}

	for want, change := range map[string]func(*Config){
		"Model is missing":                func(c *Config) { c.Model = nil },
		"Step is missing":                 func(c *Config) { c.Step = nil },
		"negative":                        func(c *Config) { c.Epochs = -1 },
		"10 samples are no epoch":         func(c *Config) { c.BatchSize = 11 },
		"batches of 3, 4 for an":          func(c *Config) { c.Accumulate = 4 },
		"without a CheckpointPath":        func(c *Config) { c.Resume = true },
		`has no "f1" to monitor`:          func(c *Config) { c.Monitor, c.Patience = "f1", 1 },
		filepath.Join("a", "b.run.0.tmp"): func(c *Config) { c.CheckpointPath = filepath.Join(t.TempDir(), "a", "b") },
		"best weights: open ":             func(c *Config) { c.BestPath = filepath.Join(t.TempDir(), "a", "b") },
	} {
		_, c := config()
		change(&c)
		if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
}

func TestProgress(t *testing.T) {
	show := func(terminal bool) string {
		f, c := config()
		var out bytes.Buffer
		c.Epochs, c.Progress = 2, &out
		c.Evaluate = func() (Report, error) {
			return report{"loss": 1.0 / float64(f.steps), "accuracy": 0.5}, nil
		}
		if _, err := start(t.Context(), c, terminal, clock()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	const lines = `epoch 1/2  step 3  loss 4.444  |  held out:  loss 0.3333  accuracy 0.5  6 samples/s  1.5 s
epoch 2/2  step 6  loss 4.333  |  held out:  loss 0.1667  accuracy 0.5  6 samples/s  1.5 s
`
	if got := show(false); got != lines {
		t.Errorf("shown is\n%s\nwant\n%s", got, lines)
	}

	// On a terminal the bar comes before, and each line covers what it replaces.
	bars := []string{
		"epoch 1/2 [========>               ] 1/3  loss 5  6 samples/s",
		"epoch 1/2 [================>       ] 2/3  loss 4  6 samples/s",
		"epoch 1/2 [========================] 3/3  loss 4.444  6 samples/s",
	}
	got := strings.Split(strings.Split(show(true), "\n")[0], "\r")
	for i, bar := range bars {
		if got[i] != bar {
			t.Errorf("bar %d is\n%q\nwant\n%q", i, got[i], bar)
		}
	}
	if last := strings.TrimRight(got[3], " "); last+"\n" != strings.SplitAfter(lines, "\n")[0] {
		t.Errorf("the line of the epoch is %q", last)
	}
}

// TestDraw: a shorter line covers a longer one.
func TestDraw(t *testing.T) {
	var out bytes.Buffer
	p := progress{w: &out}
	p.draw("long line")
	p.draw("short")
	p.end()
	p.end()
	if got := fmt.Sprintf("%q", out.String()); got != `"long line\rshort    \n"` {
		t.Errorf("drawn is %s", got)
	}
}

func TestIsTerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) || isTerminal(&bytes.Buffer{}) || isTerminal(nil) {
		t.Error("a file, a buffer or nothing is a terminal")
	}
}
