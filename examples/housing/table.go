package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"slices"

	"gradgen.dev/runtime/data"
)

//go:embed housing.csv.gz
var packed []byte

// Columns of the table that have a meaning of their own; the others are numbers
// to predict from.
const (
	target = "median_house_value" // dollars
	place  = "ocean_proximity"    // text
)

// features is the numbers of a row of x: eight columns, and one for each of the
// five categories of place.
const features = 13

// samples are rows of numbers with the price of each, all standardised.
type samples struct {
	x []float32 // [rows, features]
	y []float32 // [rows]
}

// len is the number of rows.
func (s *samples) len() int { return len(s.y) }

// gather sets part, which has room, to the rows with these indices.
func (s *samples) gather(part *samples, indices []int) samples {
	return samples{
		x: data.Gather(part.x, s.x, features, indices),
		y: data.Gather(part.y, s.y, 1, indices),
	}
}

// A housing is the table, cut in three and standardised.
type housing struct {
	training, held, test samples
	price                *data.Scale // of y
}

// load reads the table. Nothing of the rows that are held out or for the test
// goes into what the training rows are prepared with: means for the values that
// are missing, means and deviations of the columns.
func load(seed uint64) (*housing, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	table, err := data.ReadCSV(unpacked)
	if err != nil {
		return nil, err
	}
	rest, test := data.Split(table.Len(), 0.2, seed)
	training, held := data.Split(len(rest), 0.1, seed+1)
	for i, k := range training {
		training[i] = rest[k]
	}
	for i, k := range held {
		held[i] = rest[k]
	}
	return prepare(table, training, held, test)
}

// prepare makes the three parts of a table.
func prepare(table *data.Table, training, held, test []int) (*housing, error) {
	numbers := slices.DeleteFunc(table.Names(), func(name string) bool { return name == target || name == place })
	table, err := fill(table, numbers, training)
	if err != nil {
		return nil, err
	}
	h := &housing{}
	parts := []*samples{&h.training, &h.held, &h.test}
	for i, rows := range [][]int{training, held, test} {
		if *parts[i], err = convert(table.Rows(rows), numbers); err != nil {
			return nil, err
		}
	}

	// The scales are those of the training rows.
	x, err := data.MeasureScale(h.training.x, features)
	if err != nil {
		return nil, err
	}
	if h.price, err = data.MeasureScale(h.training.y, 1); err != nil {
		return nil, err
	}
	for _, part := range parts {
		data.Standardise(x, part.x)
		data.Standardise(h.price, part.y)
	}
	return h, nil
}

// fill puts the mean of the training rows where a number is missing.
func fill(table *data.Table, numbers []string, training []int) (*data.Table, error) {
	known := table.Rows(training)
	for _, name := range numbers {
		mean, err := known.Mean(name)
		if err != nil {
			return nil, err
		}
		if table, err = table.Fill(name, mean); err != nil {
			return nil, err
		}
	}
	return table, nil
}

// convert is the rows as numbers, in their own units.
func convert(table *data.Table, numbers []string) (samples, error) {
	columns, err := table.Float32s(numbers...)
	if err != nil {
		return samples{}, err
	}
	where, err := table.OneHot(place)
	if err != nil {
		return samples{}, err
	}
	y, err := table.Float32s(target)
	if err != nil {
		return samples{}, err
	}
	a, b := len(numbers), len(where)/max(len(y), 1)
	if a+b != features {
		return samples{}, fmt.Errorf("%d columns of numbers and %d categories, want %d together", a, b, features)
	}
	s := samples{y: y}
	for i := range y {
		s.x = append(append(s.x, columns[i*a:][:a]...), where[i*b:][:b]...)
	}
	return s, nil
}
