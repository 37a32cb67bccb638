// Command rosenbrock minimises the Rosenbrock function, compiled from
// objective/objective.dnn, with gonum/optimize: the emitted gradient and
// Hessian are assigned to the problem as they are. It needs no data.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"gradgen.dev/examples/rosenbrock/objective"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// problem is the function with its derivatives.
var problem = optimize.Problem{
	Func: objective.Rosenbrock,
	Grad: objective.RosenbrockGrad,
	Hess: func(h *mat.SymDense, x []float64) {
		objective.RosenbrockHessian(h.RawSymmetric().Data, x)
	},
}

// run finds the minimum at N = 2, then compares two methods at N = 5.
func run(w io.Writer) error {
	fmt.Fprintln(w, "N = 2, from the classical start (-1.2, 1):")
	if err := minimise(w, "Newton", &optimize.Newton{}, []float64{-1.2, 1}); err != nil {
		return err
	}

	start := []float64{-1.2, 1, -1.2, 1, 2}
	fmt.Fprintf(w, "\nN = 5, from %v, where the least curvature is %.3g:\n", start, leastCurvature(start))
	if err := minimise(w, "Newton", &optimize.Newton{}, start); err != nil {
		return err
	}
	if err := minimise(w, "BFGS", &optimize.BFGS{}, start); err != nil {
		return err
	}
	fmt.Fprint(w, why)
	return nil
}

const why = `
From N = 4 on there are two minima: the global one at x = (1, …, 1), and a local
one near (-1, 1, …, 1). Both ends above have a gradient of zero and positive
curvature everywhere, so both methods are right to stop. The start lies on the
side of the local minimum. Newton's method knows the curvature from its first
step on and stays in the valley it starts in. BFGS starts from the identity in
place of the Hessian: its first steps follow the gradient, x[0] passes zero, and
the valley behind leads to the global minimum.
`

// minimise runs one method and prints where it ends, what it took, and whether
// x[0] changed its sign on the way.
func minimise(w io.Writer, name string, method optimize.Method, start []float64) error {
	path := &crossing{}
	r, err := optimize.Minimize(problem, start, &optimize.Settings{Recorder: path}, method)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(w, "  %-6s  f = %.2e at x = %.3f, least curvature %.2g\n", name, r.F, r.X, leastCurvature(r.X))
	fmt.Fprintf(w, "          %d iterations, %d gradients, %d Hessians; %v\n",
		r.MajorIterations, r.GradEvaluations, r.HessEvaluations, path)
	return nil
}

// leastCurvature is the smallest eigenvalue of the Hessian at x.
func leastCurvature(x []float64) float64 {
	h := mat.NewSymDense(len(x), nil)
	problem.Hess(h, x)
	var e mat.EigenSym
	if !e.Factorize(h, false) {
		panic("rosenbrock: the eigenvalues of a symmetric matrix did not converge")
	}
	return e.Values(nil)[0]
}

// crossing is an optimize.Recorder that notes in which iteration x[0] becomes
// positive.
type crossing struct{ iteration int }

// Init implements optimize.Recorder.
func (c *crossing) Init() error { return nil }

// Record implements optimize.Recorder.
func (c *crossing) Record(at *optimize.Location, op optimize.Operation, stats *optimize.Stats) error {
	if op == optimize.MajorIteration && c.iteration == 0 && at.X[0] > 0 {
		c.iteration = stats.MajorIterations
	}
	return nil
}

// String says in which iteration, if any.
func (c *crossing) String() string {
	if c.iteration == 0 {
		return "x[0] stays negative"
	}
	return fmt.Sprintf("x[0] passes zero in iteration %d", c.iteration)
}
