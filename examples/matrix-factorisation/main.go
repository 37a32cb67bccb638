// Command matrix-factorisation learns the tastes of users and the traits of
// films from ratings, by the model of factors/factors.dnn, and recommends.
//
// The ratings are made up, so that nothing has to be downloaded and the best
// possible error is known.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"sort"

	"gradgen.dev/examples/matrix-factorisation/factors"
	"gradgen.dev/runtime/data"
)

// size is the number of ratings in a batch.
const size = 256

func main() {
	log.SetFlags(0)
	epochs := flag.Int("epochs", 30, "passes over the ratings")
	seed := flag.Uint64("seed", 1, "of the ratings, the initial weights and the order")
	flag.Parse()
	if _, err := run(os.Stdout, *epochs, *seed); err != nil {
		log.Fatal("matrix-factorisation: ", err)
	}
}

// A result is the root of the mean square error of a test rating in stars, by
// the model and by offsets of users and films alone.
type result struct{ model, offsets float64 }

// run trains, compares with the baseline, and recommends to one user.
func run(w io.Writer, epochs int, seed uint64) (result, error) {
	training, test := world(seed)
	m := factors.New(factors.Dims{B: max(len(test.stars), films)})
	if err := fit(m, training, epochs, seed); err != nil {
		return result{}, err
	}
	var totals factors.Totals
	if err := m.Evaluate(&totals, factors.Batch{User: test.users, Film: test.films, Rating: test.stars}); err != nil {
		return result{}, err
	}
	found := result{totals.Report().RMSE, baseline(training, test)}
	fmt.Fprintf(w, "%d ratings, %d held out\n", len(training.stars), len(test.stars))
	fmt.Fprintf(w, "test rmse %.3f stars; offsets alone have %.3f\n", found.model, found.offsets)
	return found, recommend(w, m.Snapshot(), training, 7)
}

// fit trains from new weights on.
func fit(m *factors.Factors, training *ratings, epochs int, seed uint64) error {
	m.Init(seed)
	order := data.Batches{Samples: len(training.stars), Size: size, Seed: seed}
	m.Hyper.Steps = epochs * order.PerEpoch()
	part := &ratings{make([]int32, size), make([]int32, size), make([]float32, size)}
	for m.Steps() < uint64(m.Hyper.Steps) {
		training.gather(part, order.At(m.Steps()))
		if _, err := m.Step(factors.Batch{User: part.users, Film: part.films, Rating: part.stars}); err != nil {
			return err
		}
	}
	return nil
}

// recommend prints the five films that a user has not seen and would like best.
func recommend(w io.Writer, weights *factors.Weights, seen *ratings, user int32) error {
	known := map[int32]bool{}
	for i, u := range seen.users {
		if u == user {
			known[seen.films[i]] = true
		}
	}
	in := factors.Input{}
	for film := range int32(films) {
		if !known[film] {
			in.User, in.Film = append(in.User, user), append(in.Film, film)
		}
	}
	out, err := weights.Predict(in)
	if err != nil {
		return err
	}
	best := make([]int, len(in.Film))
	for i := range best {
		best[i] = i
	}
	sort.SliceStable(best, func(a, b int) bool { return out.Stars[best[a]] > out.Stars[best[b]] })
	fmt.Fprintf(w, "for user %d:", user)
	for _, i := range best[:5] {
		fmt.Fprintf(w, "  film %d (%.1f)", in.Film[i], out.Stars[i])
	}
	fmt.Fprintln(w)
	return nil
}
