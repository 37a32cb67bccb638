// Command heat solves the heat equation on a rod with the physics-informed
// network of pinn/pinn.dnn, compares with the exact solution, and draws both.
//
// The rod is cold at both ends and starts as sin πx, so that the exact solution
// is exp(-απ²t)·sin πx.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"gradgen.dev/examples/heat/pinn"
	"gradgen.dev/examples/internal/picture"
)

const (
	inside = 128 // points of a batch where the equation must hold
	edge   = 48  // points of a batch where the temperature is known
	grid   = 64  // points in each direction of the comparison
)

func main() {
	log.SetFlags(0)
	steps := flag.Int("steps", 4000, "updates")
	seed := flag.Uint64("seed", 1, "of the initial weights and of the points")
	out := flag.String("o", "heat.png", "where the picture is written")
	flag.Parse()
	if _, err := run(os.Stdout, *steps, *seed, *out); err != nil {
		log.Fatal("heat: ", err)
	}
}

// exact is the temperature at time t and place x.
func exact(alpha, t, x float64) float64 {
	return math.Exp(-alpha*math.Pi*math.Pi*t) * math.Sin(math.Pi*x)
}

// run trains, compares with the exact solution, and draws unless path is empty.
// It returns the relative error.
func run(w io.Writer, steps int, seed uint64, path string) (float64, error) {
	m := pinn.New(pinn.Dims{N: inside, M: edge})
	if err := fit(w, m, steps, seed); err != nil {
		return 0, err
	}
	return compare(w, m, path)
}

// fit trains from new weights on, with new points in each step.
func fit(w io.Writer, m *pinn.Pinn, steps int, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 3))
	m.Init(seed)
	m.Hyper.Steps = steps
	batch := pinn.Batch{
		T: make([]float32, inside), X: make([]float32, inside),
		EdgeT: make([]float32, edge), EdgeX: make([]float32, edge), EdgeU: make([]float32, edge),
	}
	for step := range steps {
		scatter(r, batch, m.Hyper.Alpha)
		report, err := m.Step(batch)
		if err != nil {
			return err
		}
		if (step+1)%max(steps/5, 1) == 0 {
			fmt.Fprintf(w, "step %5d  loss %.2e  equation %.4f\n", step+1, report.Loss, report.Equation)
		}
	}
	return nil
}

// scatter draws the points of a batch: a third of the edge's at the start, the
// others at the ends.
func scatter(r *rand.Rand, b pinn.Batch, alpha float64) {
	for i := range b.T {
		b.T[i], b.X[i] = r.Float32(), r.Float32()
	}
	for i := range b.EdgeT {
		t, x := r.Float32(), r.Float32()
		if i%3 == 0 {
			t = 0
		} else {
			x = float32(i%3 - 1)
		}
		b.EdgeT[i], b.EdgeX[i], b.EdgeU[i] = t, x, float32(exact(alpha, float64(t), float64(x)))
	}
}

// compare prints the error on a grid, and draws the network's solution, the
// exact one, and twenty times their difference. The relative error, which it
// returns, is that of the Euclidean norm.
func compare(w io.Writer, m *pinn.Pinn, path string) (float64, error) {
	in := pinn.Input{T: make([]float32, grid*grid), X: make([]float32, grid*grid)}
	want := make([]float32, grid*grid)
	for i := range want {
		t, x := float64(i/grid)/(grid-1), float64(i%grid)/(grid-1)
		in.T[i], in.X[i], want[i] = float32(t), float32(x), float32(exact(m.Hyper.Alpha, t, x))
	}
	out, err := m.Snapshot().Predict(in)
	if err != nil {
		return 0, err
	}
	diff := make([]float32, len(want))
	var squares, sum, worst float64
	for i, u := range out.U {
		d := float64(u - want[i])
		diff[i] = float32(20 * d)
		squares, sum, worst = squares+d*d, sum+float64(want[i])*float64(want[i]), max(worst, math.Abs(d))
	}
	relative := math.Sqrt(squares / sum)
	fmt.Fprintf(w, "relative error %.4f, largest %.4f\n", relative, worst)
	if path == "" {
		return relative, nil
	}
	sheet := picture.NewSheet(3, 1, 4*grid)
	for i, values := range [][]float32{out.U, want, diff} {
		sheet.Tile(i, 0, values, grid, picture.Diverging)
	}
	return relative, picture.Write(path, sheet)
}
