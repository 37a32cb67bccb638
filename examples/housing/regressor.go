package main

import (
	"gradgen.dev/examples/housing/prices"
	"gradgen.dev/runtime/train"
)

// A regressor is one of the two models, seen alike.
type regressor struct {
	name     string
	model    train.Model
	step     func(samples) (train.Report, error)
	evaluate func(samples) (train.Report, error)
	predict  func(x []float32) ([]float32, error)
}

// newLinear returns the linear model, for at most rows samples at a time, and a
// run of a number of updates.
func newLinear(rows, steps int, seed uint64) *regressor {
	m := prices.NewLinear(prices.LinearDims{B: rows})
	m.Init(seed)
	m.Hyper.Steps = steps
	return &regressor{
		name:  "linear",
		model: m,
		step:  func(s samples) (train.Report, error) { return m.Step(prices.LinearBatch{X: s.x, Y: s.y}) },
		evaluate: func(s samples) (train.Report, error) {
			var totals prices.LinearTotals
			err := m.Evaluate(&totals, prices.LinearBatch{X: s.x, Y: s.y})
			return totals.Report(), err
		},
		predict: func(x []float32) ([]float32, error) {
			out, err := m.Snapshot().Predict(prices.LinearInput{X: x})
			return out.Price, err
		},
	}
}

// newNetwork is newLinear for the multilayer perceptron.
func newNetwork(rows, steps int, seed uint64) *regressor {
	m := prices.NewNetwork(prices.NetworkDims{B: rows})
	m.Init(seed)
	m.Hyper.Steps = steps
	return &regressor{
		name:  "network",
		model: m,
		step:  func(s samples) (train.Report, error) { return m.Step(prices.NetworkBatch{X: s.x, Y: s.y}) },
		evaluate: func(s samples) (train.Report, error) {
			var totals prices.NetworkTotals
			err := m.Evaluate(&totals, prices.NetworkBatch{X: s.x, Y: s.y})
			return totals.Report(), err
		},
		predict: func(x []float32) ([]float32, error) {
			out, err := m.Snapshot().Predict(prices.NetworkInput{X: x})
			return out.Price, err
		},
	}
}
