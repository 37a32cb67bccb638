package main

import (
	"math"
	"math/rand/v2"

	"gradgen.dev/runtime/data"
)

// Sizes of the world; the model has the same.
const (
	users = 600
	films = 400
	taste = 5 // numbers that a taste truly has
)

// ratings is who gave how many stars to what.
type ratings struct {
	users, films []int32
	stars        []float32
}

// add appends a rating.
func (r *ratings) add(user, film int, stars float64) {
	r.users, r.films, r.stars = append(r.users, int32(user)), append(r.films, int32(film)), append(r.stars, float32(stars))
}

// gather sets part to the ratings with these indices.
func (r *ratings) gather(part *ratings, indices []int) {
	part.users = data.Gather(part.users[:cap(part.users)], r.users, 1, indices)
	part.films = data.Gather(part.films[:cap(part.films)], r.films, 1, indices)
	part.stars = data.Gather(part.stars[:cap(part.stars)], r.stars, 1, indices)
}

// world is made-up ratings: users have tastes, films have traits, and a user
// sees 60 films and gives whole stars, with some noise. A tenth is held out.
func world(seed uint64) (training, test *ratings) {
	r := rand.New(rand.NewPCG(seed, 1))
	normal := func(n int, std float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = std * r.NormFloat64()
		}
		return out
	}
	tastes, traits := normal(users*taste, 0.6), normal(films*taste, 0.6)
	mood, quality := normal(users, 0.4), normal(films, 0.5)
	training, test = &ratings{}, &ratings{}
	for user := range users {
		for _, film := range r.Perm(films)[:60] {
			stars := 3.4 + mood[user] + quality[film] + 0.3*r.NormFloat64()
			for k := range taste {
				stars += tastes[user*taste+k] * traits[film*taste+k]
			}
			stars = min(max(math.Round(stars), 1), 5)
			if r.IntN(10) == 0 {
				test.add(user, film, stars)
			} else {
				training.add(user, film, stars)
			}
		}
	}
	return training, test
}

// baseline is the root of the mean square error on test of the mean of all
// training ratings plus an offset of the user and one of the film.
func baseline(training, test *ratings) float64 {
	mean := 0.0
	for _, s := range training.stars {
		mean += float64(s) / float64(len(training.stars))
	}

	// The offsets are fitted in turn, each to what the other leaves.
	ofUser, ofFilm := make([]float64, users), make([]float64, films)
	for range 20 {
		average(ofUser, training.users, func(i int) float64 { return float64(training.stars[i]) - mean - ofFilm[training.films[i]] })
		average(ofFilm, training.films, func(i int) float64 { return float64(training.stars[i]) - mean - ofUser[training.users[i]] })
	}
	sum := 0.0
	for i, s := range test.stars {
		d := float64(s) - mean - ofUser[test.users[i]] - ofFilm[test.films[i]]
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(test.stars)))
}

// average sets each offset to the mean of what is left of its ratings.
func average(offset []float64, owner []int32, left func(i int) float64) {
	count := make([]float64, len(offset))
	clear(offset)
	for i, o := range owner {
		offset[o] += left(i)
		count[o]++
	}
	for i, n := range count {
		offset[i] /= max(n, 1)
	}
}
