package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"gradgen.dev/examples/internal/digits"
	"gradgen.dev/examples/serve/digit"
	"gradgen.dev/runtime/data"
)

// size is the number of pictures in a batch of training, limit that of a
// request.
const (
	size  = 50
	limit = 64
)

// A version is weights with the number of updates that made them.
type version struct {
	weights *digit.Weights
	steps   uint64
}

// A service predicts while it trains. The trainer belongs to the goroutine that
// trains; requests read the newest version, each with a predictor of its own.
type service struct {
	model      *digit.Digit
	training   *digits.Set
	order      data.Batches
	batch      digit.Batch // its memory is reused
	newest     atomic.Pointer[version]
	predictors sync.Pool // of *predictor
}

// A predictor is an emitted predictor with the memory of its output.
type predictor struct {
	*digit.Predictor
	out digit.Output
}

// newService returns a service with new weights.
func newService(training *digits.Set, seed uint64) *service {
	s := &service{
		model:    digit.New(digit.Dims{B: size}),
		training: training,
		order:    data.Batches{Samples: training.Len(), Size: size, Seed: seed},
		batch:    digit.Batch{X: make([]float32, size*digits.Pixels), Y: make([]int32, size)},
	}
	s.model.Init(seed)
	s.publish()
	s.predictors.New = func() any {
		return &predictor{Predictor: digit.NewPredictor(s.newest.Load().weights, digit.Dims{B: limit})}
	}
	return s
}

// publish makes the weights of the trainer those that requests read.
func (s *service) publish() { s.newest.Store(&version{s.model.Snapshot(), s.model.Steps()}) }

// train makes updates until ctx ends, and publishes every few of them.
func (s *service) train(ctx context.Context, every uint64) error {
	for ctx.Err() == nil {
		if err := s.update(); err != nil {
			return err
		}
		if s.model.Steps()%every == 0 {
			s.publish()
		}
	}
	return nil
}

// update makes one update.
func (s *service) update() error {
	indices := s.order.At(s.model.Steps())
	data.Gather(s.batch.X, s.training.Images, digits.Pixels, indices)
	data.Gather(s.batch.Y, s.training.Labels, 1, indices)
	_, err := s.model.Step(s.batch)
	return err
}

// A question is pictures, 64 numbers from 0 to 1 each.
type question struct {
	Pictures [][]float32 `json:"pictures"`
}

// An answer is a digit and its probability for each picture, and the number of
// updates behind the weights that said so.
type answer struct {
	Digits        []int32   `json:"digits"`
	Probabilities []float32 `json:"probabilities"`
	Steps         uint64    `json:"steps"`
}

// handler serves POST /predict and GET /status.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /predict", s.predict)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]uint64{"steps": s.newest.Load().steps})
	})
	return mux
}

// predict serves POST /predict.
func (s *service) predict(w http.ResponseWriter, r *http.Request) {
	var q question
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a, err := s.answer(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, a)
}

// reply writes v as JSON.
func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // an error is the client's who has gone
}

// answer predicts. It is safe for concurrent use.
func (s *service) answer(q question) (answer, error) {
	in := digit.Input{X: make([]float32, 0, len(q.Pictures)*digits.Pixels)}
	for i, p := range q.Pictures {
		if len(p) != digits.Pixels {
			return answer{}, fmt.Errorf("picture %d has %d numbers, want %d", i, len(p), digits.Pixels)
		}
		in.X = append(in.X, p...)
	}
	p := s.predictors.Get().(*predictor)
	defer s.predictors.Put(p)
	v := s.newest.Load()
	p.Use(v.weights)
	if err := p.Predict(&p.out, in); err != nil {
		return answer{}, err // more pictures than limit
	}

	// The output is reused, so the answer takes copies.
	a := answer{Steps: v.steps}
	for i, d := range p.out.Digit {
		a.Digits = append(a.Digits, d)
		a.Probabilities = append(a.Probabilities, p.out.Probs[10*i+int(d)])
	}
	return a, nil
}
