package data

import (
	"math"
	"slices"
)

// DropMissing is the table without the rows that lack a value in one of these
// columns; without names, in any column.
func (t *Table) DropMissing(names ...string) (*Table, error) {
	list, err := t.columns(names)
	if err != nil {
		return nil, err
	}
	drop := make([]bool, t.Len())
	for _, c := range list {
		for _, p := range c.Missing {
			drop[p.Row] = true
		}
	}
	var rows []int
	for i, d := range drop {
		if !d {
			rows = append(rows, i)
		}
	}
	return t.Rows(rows), nil
}

// Fill is the table with v for the values that a column of numbers or bools
// lacks. A column of integers or bools becomes one of floats if v is not of its
// kind.
func (t *Table) Fill(name string, v float64) (*Table, error) {
	c, err := t.Column(name)
	if err != nil {
		return nil, err
	}
	if c.Kind == KindText {
		return nil, t.errorf("column %q is text: FillText fills it in", name)
	}
	d := *c
	whole := v == math.Trunc(v) && math.Abs(v) <= 1<<53
	if c.Kind == KindInteger && whole || c.Kind == KindBool && (v == 0 || v == 1) {
		d.whole = filled(c.whole, c.Missing, int64(v))
	} else {
		d.Kind, d.whole = KindFloat, nil
		d.real = filled(c.floats(), c.Missing, v)
	}
	d.Missing = nil
	return t.replace(c, &d), nil
}

// FillText is the table with a category for the values that a column of text
// lacks. A category that is new comes after the others, so that their numbers
// stay.
func (t *Table) FillText(name, category string) (*Table, error) {
	c, err := t.Column(name)
	if err != nil {
		return nil, err
	}
	if c.Kind != KindText {
		return nil, t.errorf("column %q is %v: Fill and FillMean fill it in", name, c.Kind)
	}
	d := *c
	at := slices.Index(c.Categories, category)
	if at < 0 {
		at = len(c.Categories)
		d.Categories = append(slices.Clip(c.Categories), category)
	}
	d.whole, d.Missing = filled(c.whole, c.Missing, int64(at)), nil
	return t.replace(c, &d), nil
}

// FillMean is [Table.Fill] with the mean of the values that each of these
// columns has. Where the table is a part of the data, [Table.Mean] of the
// training rows is what the others are to be filled with.
func (t *Table) FillMean(names ...string) (*Table, error) {
	for _, name := range names {
		mean, err := t.Mean(name)
		if err != nil {
			return nil, err
		}
		if t, err = t.Fill(name, mean); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Mean is the mean of the values that a column of numbers or bools has. A
// column without any, or whose mean is not finite, is an error.
func (t *Table) Mean(name string) (float64, error) {
	c, err := t.Column(name)
	if err != nil {
		return 0, err
	}
	if c.Kind == KindText {
		return 0, t.errorf("column %q is text and has no mean", name)
	}
	n := t.Len() - len(c.Missing)
	if n == 0 {
		return 0, t.errorf("column %q has no value and so no mean", name)
	}

	missing, sum := c.Missing, 0.0
	for i := range t.Len() {
		if len(missing) > 0 && missing[0].Row == i {
			missing = missing[1:]
			continue
		}
		sum += c.value(i)
	}
	mean := sum / float64(n)
	if math.IsInf(mean, 0) || math.IsNaN(mean) {
		return 0, t.errorf("column %q has the mean %v", name, mean)
	}
	return mean, nil
}

// floats are the values as float64.
func (c *Column) floats() []float64 {
	if c.Kind == KindFloat {
		return c.real
	}
	out := make([]float64, len(c.whole))
	for i, v := range c.whole {
		out[i] = float64(v)
	}
	return out
}

// filled is list with v at these places.
func filled[T any](list []T, at []Place, v T) []T {
	list = slices.Clone(list)
	for _, p := range at {
		list[p.Row] = v
	}
	return list
}

// replace is the table with another column in place of one.
func (t *Table) replace(old, with *Column) *Table {
	out := *t
	out.Columns = slices.Clone(t.Columns)
	out.Columns[slices.Index(out.Columns, old)] = with
	return &out
}
