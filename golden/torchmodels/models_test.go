package torchmodels

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"gradgen.dev/golden/models"
)

// tolerance of losses, gradients, weights and outputs in float64.
const tolerance = 1e-9

// A trainer is an emitted model with its batches, its parameters or their
// gradient, and its reports.
type trainer[B any, P flat, R each] interface {
	Params() P
	Grad(grad P, batch B) (R, error)
	Step(batch B) (R, error)
	Save(io.Writer) error
	LoadPartial(r io.Reader, rename func(string) string) (missing, unused []string, err error)
}

type flat interface{ Flat() []float64 }

type each interface {
	Each(f func(name string, value float64))
}

// train takes the weights of a file into a model and compares what the model
// makes of the file's batches: the gradient at the first, the reports of a step
// on each, and the weights in the end. make returns a model of the kind.
func train[M trainer[B, P, R], B any, P flat, R each](t *testing.T, name string, make func() M, batch func(v vectors, step int) B) (M, vectors) {
	t.Helper()
	v, file := open(t, name)
	m := make()
	missing, _, err := m.LoadPartial(bytes.NewReader(file), only("weights"))
	if err != nil || len(missing) > 0 {
		t.Fatalf("%v, the file lacks %v", err, missing)
	}
	same(t, "file of", saved(t, m), v.of("weights"), 0)

	// The gradient, under the names that Save gives to parameters.
	other := make()
	report, err := m.Grad(other.Params(), batch(v, 0))
	if err != nil {
		t.Fatal(err)
	}
	reports(t, report, v.of("report"), 0)
	gradient := saved(t, other)
	for state := range gradient {
		if _, ok := v["gradient/"+state]; !ok {
			delete(gradient, state)
		}
	}
	same(t, "gradient of", gradient, v.of("gradient"), tolerance)

	// The steps. Grad has counted nothing.
	m = make()
	if _, _, err := m.LoadPartial(bytes.NewReader(file), only("weights")); err != nil {
		t.Fatal(err)
	}
	for step := range v["report/loss"].data {
		report, err := m.Step(batch(v, step))
		if err != nil {
			t.Fatal(err)
		}
		reports(t, report, v.of("report"), step)
	}
	same(t, "trained", saved(t, m), v.of("after"), tolerance)
	return m, v
}

// only names the tensors of a kind as the model does, and leaves out others.
func only(kind string) func(string) string {
	return func(name string) string {
		rest, ok := strings.CutPrefix(name, kind+"/")
		if !ok {
			return ""
		}
		return rest
	}
}

// saved is the tensors that a model saves.
func saved(t *testing.T, m interface{ Save(io.Writer) error }) vectors {
	t.Helper()
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		t.Fatal(err)
	}
	v, err := parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// reports compares loss and metrics of a step. A metric that the file lacks
// has no other of its kind in PyTorch.
func reports(t *testing.T, have each, want vectors, step int) {
	t.Helper()
	n := 0
	have.Each(func(name string, value float64) {
		x, ok := want[name]
		if !ok {
			return
		}
		n++
		if text := differ([]float64{value}, x.data[step:step+1], tolerance); text != "" {
			t.Errorf("%s of step %d: %s", name, step+1, text)
		}
	})
	if n != len(want) {
		t.Errorf("step %d reports %d of %v", step+1, n, sorted(want))
	}
}

// output compares an output.
func output[E int32 | float64](t *testing.T, v vectors, name string, have []E) {
	t.Helper()
	var floats []float64
	for _, x := range have {
		floats = append(floats, float64(x))
	}
	if text := differ(floats, v["output/"+name].data, tolerance); text != "" {
		t.Errorf("output %s: %s", name, text)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestClassifier(t *testing.T) {
	m, v := train(t, "classifier",
		func() *models.Classifier { return models.NewClassifier(models.ClassifierDims{B: 9}) },
		func(v vectors, i int) models.ClassifierBatch {
			return models.ClassifierBatch{X: v.at("x", i), Y: v.ints("y", i)}
		})
	out, err := m.Snapshot().Predict(models.ClassifierInput{X: v.at("x", 0)})
	check(t, err)
	output(t, v, "probs", out.Probs)
}

func TestTransformer(t *testing.T) {
	m, v := train(t, "transformer",
		func() *models.Transformer { return models.NewTransformer(models.TransformerDims{B: 3}) },
		func(v vectors, i int) models.TransformerBatch {
			return models.TransformerBatch{Ids: v.ints("ids", i), Y: v.ints("y", i)}
		})
	out, err := m.Snapshot().Predict(models.TransformerInput{Ids: v.ints("ids", 0)})
	check(t, err)
	output(t, v, "logits", out.Logits)
}

func TestAutoencoder(t *testing.T) {
	m, v := train(t, "autoencoder",
		func() *models.Autoencoder { return models.NewAutoencoder(models.AutoencoderDims{B: 7}) },
		func(v vectors, i int) models.AutoencoderBatch {
			return models.AutoencoderBatch{X: v.at("x", i), Noise: v.at("noise", i)}
		})
	out, err := m.Snapshot().Predict(models.AutoencoderInput{X: v.at("x", 0), Noise: v.at("noise", 0)})
	check(t, err)
	output(t, v, "probs", out.Probs)
}

func TestCritic(t *testing.T) {
	m, v := train(t, "critic",
		func() *models.Critic { return models.NewCritic(models.CriticDims{B: 6}) },
		func(v vectors, i int) models.CriticBatch {
			return models.CriticBatch{Real: v.at("real", i), Fake: v.at("fake", i), Part: v.at("part", i)}
		})
	out, err := m.Snapshot().Predict(models.CriticInput{Real: v.at("real", 0), Fake: v.at("fake", 0), Part: v.at("part", 0)})
	check(t, err)
	output(t, v, "score", out.Score)
	output(t, v, "slope", out.Slope)
}

func TestWave(t *testing.T) {
	m, v := train(t, "wave",
		func() *models.Wave { return models.NewWave(models.WaveDims{B: 8, E: 4}) },
		func(v vectors, i int) models.WaveBatch {
			return models.WaveBatch{T: v.at("t", i), X: v.at("x", i), X0: v.at("x0", i), U0: v.at("u0", i)}
		})
	out, err := m.Snapshot().Predict(models.WaveInput{T: v.at("t", 0), X: v.at("x", 0)})
	check(t, err)
	output(t, v, "u", out.U)
	output(t, v, "u_tt", out.UTt)
	output(t, v, "u_xx", out.UXx)
}

func TestRecommender(t *testing.T) {
	m, v := train(t, "recommender",
		func() *models.Recommender { return models.NewRecommender(models.RecommenderDims{B: 8}) },
		func(v vectors, i int) models.RecommenderBatch {
			return models.RecommenderBatch{Who: v.ints("who", i), What: v.ints("what", i), Chosen: v.ints("chosen", i), Stars: v.at("stars", i)}
		})
	out, err := m.Snapshot().Predict(models.RecommenderInput{Who: v.ints("who", 0), What: v.ints("what", 0)})
	check(t, err)
	output(t, v, "scores", out.Scores)
	output(t, v, "best", out.Best)
}

func TestRecurrent(t *testing.T) {
	m, v := train(t, "recurrent",
		func() *models.Recurrent { return models.NewRecurrent(models.RecurrentDims{B: 6}) },
		func(v vectors, i int) models.RecurrentBatch { return models.RecurrentBatch{X: v.at("x", i)} })
	out, err := m.Snapshot().Predict(models.RecurrentInput{X: v.at("x", 0)})
	check(t, err)
	output(t, v, "guess", out.Guess)
	output(t, v, "h", out.H)
}

func TestRunning(t *testing.T) {
	m, v := train(t, "running",
		func() *models.Running { return models.NewRunning(models.RunningDims{B: 7}) },
		func(v vectors, i int) models.RunningBatch {
			return models.RunningBatch{X: v.at("x", i), Y: v.at("y", i)}
		})
	out, err := m.Snapshot().Predict(models.RunningInput{X: v.at("x", 0)})
	check(t, err)
	output(t, v, "p", out.P)
}
