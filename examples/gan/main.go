// Command gan trains the generative adversarial network of ring/ring.dnn to
// draw points of a ring of radius 1, and shows what it draws.
package main

import (
	"flag"
	"fmt"
	"image/color"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"gradgen.dev/examples/gan/ring"
	"gradgen.dev/examples/internal/picture"
)

const (
	size  = 64   // points in a batch
	noise = 4    // numbers behind a point
	width = 0.05 // standard deviation of the radius of real points
)

func main() {
	log.SetFlags(0)
	steps := flag.Int("steps", 4000, "updates of each network")
	seed := flag.Uint64("seed", 1, "of the initial weights and all noise")
	out := flag.String("o", "gan.png", "where the picture is written")
	flag.Parse()
	if _, err := run(os.Stdout, *steps, *seed, *out); err != nil {
		log.Fatal("gan: ", err)
	}
}

// run trains both networks, says how the points that the generator draws lie,
// and draws them unless path is empty.
func run(w io.Writer, steps int, seed uint64, path string) (shape, error) {
	r := rand.New(rand.NewPCG(seed, 2))
	m := ring.New(ring.Dims{B: size})
	m.Init(seed)
	if err := fit(w, m, r, steps); err != nil {
		return shape{}, err
	}
	z := make([]float32, 2000*noise)
	normal(r, z)
	drawn, err := m.Snapshot().Sample(ring.SampleInput{Z: z})
	if err != nil {
		return shape{}, err
	}
	found := measure(drawn.Result)
	fmt.Fprintf(w, "drawn points: radius %.3f ± %.3f (real: 1 ± %.2f), %d of 16 sectors hold their share\n",
		found.radius, found.spread, width, found.sectors)
	if path == "" {
		return found, nil
	}
	truth := make([]float32, len(drawn.Result))
	points(r, truth)
	sheet := picture.NewSheet(2, 1, 320)
	sheet.Points(0, 0, truth, 1.5, color.RGBA{70, 130, 180, 255})
	sheet.Points(1, 0, drawn.Result, 1.5, color.RGBA{255, 140, 0, 255})
	return found, picture.Write(path, sheet)
}

// fit makes updates of both networks in turn.
func fit(w io.Writer, m *ring.Ring, r *rand.Rand, steps int) error {
	batch := ring.Batch{Real: make([]float32, 2*size), Z: make([]float32, noise*size)}
	for step := range steps {
		points(r, batch.Real)
		normal(r, batch.Z)
		critic, err := m.StepD(batch)
		if err != nil {
			return err
		}
		normal(r, batch.Z)
		generator, err := m.StepG(ring.Batch{Z: batch.Z}) // needs no real point
		if err != nil {
			return err
		}
		if (step+1)%max(steps/5, 1) == 0 {
			fmt.Fprintf(w, "step %5d  critic %.3f  generator %.3f\n", step+1, critic.D, generator.G)
		}
	}
	return nil
}

// points sets xy to points near the circle of radius 1.
func points(r *rand.Rand, xy []float32) {
	for i := 0; i < len(xy); i += 2 {
		angle, radius := 2*math.Pi*r.Float64(), 1+width*r.NormFloat64()
		xy[i], xy[i+1] = float32(radius*math.Cos(angle)), float32(radius*math.Sin(angle))
	}
}

// normal sets x to independent draws from the standard normal distribution.
func normal(r *rand.Rand, x []float32) {
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
}

// A shape is how points lie: the mean of their radius, its standard deviation,
// and how many of 16 equal sectors hold at least half of a 16th of the points.
type shape struct {
	radius, spread float64
	sectors        int
}

// measure is the shape of points, pairs of coordinates.
func measure(xy []float32) shape {
	n := float64(len(xy) / 2)
	var count [16]float64
	var sum, squares float64
	for i := 0; i < len(xy); i += 2 {
		x, y := float64(xy[i]), float64(xy[i+1])
		radius := math.Hypot(x, y)
		sum, squares = sum+radius, squares+radius*radius
		count[int((math.Atan2(y, x)/(2*math.Pi)+1)*16)%16]++
	}
	mean := sum / n
	s := shape{radius: mean, spread: math.Sqrt(max(squares/n-mean*mean, 0))}
	for _, c := range count {
		if c >= n/32 {
			s.sectors++
		}
	}
	return s
}
