package torchmodels

import (
	"slices"
	"testing"

	"gradgen.dev/golden/optimisers"
	"gradgen.dev/golden/rules"
)

// A stepper is an emitted model that follows the three problems; its batches
// are empty.
type stepper[B any, P flat, R each] interface {
	Params() P
	Step(batch B) (R, error)
}

// problems is the order of the problems in the file of vectors, by their names
// in reports.
var problems = []string{"rosenbrock", "quadratic", "logistic"}

// follow takes as many steps as a run of the file has and compares the points
// after each, and the losses before the last.
func follow[M stepper[B, P, R], B any, P flat, R each](t *testing.T, name string, m M) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		v, _ := open(t, "optimisers")
		points, losses := v[name+"/x"], v[name+"/loss"]
		if !slices.Equal(points.shape, []int{50, 3, 4}) || !slices.Equal(losses.shape, []int{3}) {
			t.Fatalf("the file has x %v, loss %v", points.shape, losses.shape)
		}
		copy(m.Params().Flat(), v["start"].data)
		loss := map[string]float64{}
		for step := range 50 {
			var batch B
			report, err := m.Step(batch)
			if err != nil {
				t.Fatal(err)
			}
			report.Each(func(name string, value float64) { loss[name] = value })
			for i, problem := range problems {
				have, want := m.Params().Flat()[i*4:(i+1)*4], points.at(step)[i*4:(i+1)*4]
				if text := differ(have, want, 1e-10); text != "" {
					t.Fatalf("%s, step %d: %s", problem, step+1, text)
				}
			}
		}
		for i, problem := range problems {
			if text := differ([]float64{loss[problem]}, losses.data[i:i+1], 1e-10); text != "" {
				t.Errorf("%s: last loss: %s", problem, text)
			}
		}
	})
}

// TestDescent follows stochastic gradient descent in its variants. Plain
// descent is also what a momentum of 0 must be.
func TestDescent(t *testing.T) {
	plain := optimisers.NewDescent(optimisers.DescentDims{})
	plain.Hyper.Decay = 0
	follow(t, "sgd", plain)
	follow(t, "sgd_decay", optimisers.NewDescent(optimisers.DescentDims{}))

	still := optimisers.NewMomentum(optimisers.MomentumDims{})
	still.Hyper.Momentum = 0
	follow(t, "sgd", still)
	follow(t, "sgd_momentum", optimisers.NewMomentum(optimisers.MomentumDims{}))
	damped := optimisers.NewMomentum(optimisers.MomentumDims{})
	damped.Hyper.Dampening = 0.1
	follow(t, "sgd_dampening", damped)
	follow(t, "sgd_nesterov", optimisers.NewNesterov(optimisers.NesterovDims{}))
}

// TestAdaptive follows the library's other rules.
func TestAdaptive(t *testing.T) {
	adam := optimisers.NewAdam(optimisers.AdamDims{})
	adam.Hyper.Decay = 0
	follow(t, "adam", adam)
	follow(t, "adam_decay", optimisers.NewAdam(optimisers.AdamDims{}))
	betas := optimisers.NewAdam(optimisers.AdamDims{})
	betas.Hyper = optimisers.AdamHyper{LR: 1e-2, Beta1: 0.8, Beta2: 0.99, Eps: 1e-6}
	follow(t, "adam_betas", betas)
	follow(t, "adamw", optimisers.NewAdamW(optimisers.AdamWDims{}))
	follow(t, "adagrad", optimisers.NewAdagrad(optimisers.AdagradDims{}))
	follow(t, "rmsprop", optimisers.NewRMSProp(optimisers.RMSPropDims{}))
}

// TestRules follows optimisers that are text of the program.
func TestRules(t *testing.T) {
	follow(t, "amsgrad", rules.NewAMSGrad(rules.AMSGradDims{}))
	follow(t, "adamax", rules.NewAdaMax(rules.AdaMaxDims{}))
	follow(t, "nadam", rules.NewNAdam(rules.NAdamDims{}))
	follow(t, "radam", rules.NewRAdam(rules.RAdamDims{}))
	follow(t, "rmsprop_centered", rules.NewGraves(rules.GravesDims{}))
	follow(t, "adagrad_falling", rules.NewFalling(rules.FallingDims{}))
	follow(t, "adadelta", rules.NewAdaDelta(rules.AdaDeltaDims{}))
	follow(t, "rprop", rules.NewRProp(rules.RPropDims{}))
	follow(t, "asgd", rules.NewASGD(rules.ASGDDims{}))
}
