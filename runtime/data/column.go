package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is what the values of a column are.
type Kind int

// The kinds, in the order in which they are tried.
const (
	KindInteger Kind = iota
	KindFloat
	KindBool
	KindText

	kinds = int(KindText) + 1
)

// String is the kind's name in messages.
func (k Kind) String() string {
	switch k {
	case KindInteger:
		return "integer"
	case KindFloat:
		return "float"
	case KindBool:
		return "bool"
	case KindText:
		return "text"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Place is where a value stands: its row in the table, counted from 0, and its
// line and column in the file, counted from 1, the column in bytes.
type Place struct{ Row, Line, Column int }

// Column is a column of a [Table].
type Column struct {
	Name       string
	Kind       Kind
	Missing    []Place  // of values that are not there, by rows
	Categories []string // of KindText; a value is an index of it

	whole []int64   // integers, bools as 0 and 1, texts as indices; 0 where missing
	real  []float64 // of KindFloat instead; NaN where missing
	odd   *oddValue // why the column is no float, where it is text
}

// oddValue is a value that is not of the kind of the values before it.
type oddValue struct {
	text string
	at   Place
}

// kindOf is the first kind that a text is of.
func kindOf(text string) Kind {
	for k := KindInteger; k < KindText; k++ {
		if isKind(text, k) {
			return k
		}
	}
	return KindText
}

// isKind reports whether a text is a value of a kind.
func isKind(text string, k Kind) bool {
	switch k {
	case KindInteger:
		_, err := strconv.ParseInt(text, 10, 64)
		return err == nil
	case KindFloat:
		_, err := parseFloat(text)
		return err == nil || errors.Is(err, strconv.ErrRange)
	case KindBool:
		return strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
	}
	return true
}

// parseFloat is strconv.ParseFloat for decimal numbers and Inf alone. The error of a
// number that is beyond the range wraps strconv.ErrRange.
func parseFloat(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if math.IsNaN(v) || strings.ContainsAny(text, "xX_pP") {
		return 0, strconv.ErrSyntax
	}
	return v, err
}

// csvColumn is a column being read.
type csvColumn struct {
	name     string
	cells    []string // "" where missing
	missing  []Place
	possible [kinds]bool
	odd      [kinds]*oddValue // the first value that is not of the kind
	beyond   *oddValue        // the first number that is no float64

	told     Kind // where isTold
	isTold   bool
	numeric  bool             // integer or float, to be inferred
	known    map[string]int64 // the categories of CSV.Like, nil for none
	category []string
}

// like makes c a column of the kind and categories of another table's.
func (c *csvColumn) like(other *Column) {
	switch other.Kind {
	case KindInteger:
		c.numeric = true // one more value may have a fraction
	case KindText:
		c.category, c.known = other.Categories, indices(other.Categories)
		fallthrough
	default:
		c.told, c.isTold = other.Kind, true
	}
}

// indices is the map from each of a list to its index.
func indices(list []string) map[string]int64 {
	m := make(map[string]int64, len(list))
	for i, s := range list {
		m[s] = int64(i)
	}
	return m
}

// add takes the next row's value.
func (c *csvColumn) add(text string, p Place, missing map[string]bool) error {
	if missing[text] {
		c.missing = append(c.missing, p)
		c.cells = append(c.cells, "")
		return nil
	}

	// What is told or known is checked here, where the place is.
	switch {
	case c.isTold && !isKind(text, c.told):
		return fmt.Errorf("column %q: %q is no %v", c.name, abridge(text), c.told)
	case c.numeric && !isKind(text, KindFloat):
		return fmt.Errorf("column %q: %q is no number, but the column of CSV.Like has numbers", c.name, abridge(text))
	case c.known != nil:
		if _, ok := c.known[text]; !ok {
			return fmt.Errorf("column %q: %q is none of the categories of CSV.Like, which are %s", c.name, abridge(text), listNames(c.category))
		}
	}
	for k := KindInteger; !c.isTold && k < KindText; k++ {
		if c.possible[k] && !isKind(text, k) {
			c.possible[k], c.odd[k] = false, &oddValue{abridge(strings.Clone(text)), p}
		}
	}
	if c.beyond == nil && c.numbers() && isBeyond(text) {
		c.beyond = &oddValue{abridge(strings.Clone(text)), p}
	}
	c.cells = append(c.cells, text)
	return nil
}

// numbers reports whether the values so far are numbers.
func (c *csvColumn) numbers() bool {
	return c.isTold && c.told == KindFloat || !c.isTold && c.possible[KindFloat]
}

// isBeyond reports whether a text is a number beyond the range of float64.
func isBeyond(text string) bool {
	if len(text) < 300 && !strings.ContainsAny(text, "eE") {
		return false // as nearly all are, without a look at their digits
	}
	_, err := parseFloat(text)
	return errors.Is(err, strconv.ErrRange)
}

// kind is the kind of all the values.
func (c *csvColumn) kind() Kind {
	switch {
	case c.isTold:
		return c.told
	case len(c.missing) == len(c.cells):
		return KindFloat
	}
	return Kind(slices.Index(c.possible[:], true))
}

// finish makes the column of the values read.
func (c *csvColumn) finish(in *csvReader) (*Column, error) {
	out := &Column{Name: c.name, Kind: c.kind(), Missing: c.missing}
	switch out.Kind {
	case KindFloat:
		if c.beyond != nil {
			return nil, in.errorAt(c.beyond.at.Line, c.beyond.at.Column, fmt.Errorf("column %q: %q is beyond the range of float64, ±%.2g; with CSV.Kinds the column can be text, with CSV.Missing the value missing",
				c.name, c.beyond.text, math.MaxFloat64))
		}
		out.real = make([]float64, len(c.cells))
		for i, text := range c.cells {
			out.real[i] = math.NaN()
			if text != "" {
				out.real[i], _ = parseFloat(text)
			}
		}
		return out, nil
	case KindText:
		if out.odd = c.odd[KindFloat]; out.odd == nil {
			out.odd = c.odd[KindInteger]
		}
		if out.Categories = c.category; c.known == nil {
			out.Categories = distinct(c.cells, in.FirstSeen)
		}
	}
	out.whole = c.wholeNumbers(out.Kind, indices(out.Categories))
	return out, nil
}

// wholeNumbers are the values of a column that is no float.
func (c *csvColumn) wholeNumbers(k Kind, category map[string]int64) []int64 {
	out := make([]int64, len(c.cells))
	for i, text := range c.cells {
		switch {
		case text == "":
		case k == KindInteger:
			out[i], _ = strconv.ParseInt(text, 10, 64)
		case k == KindText:
			out[i] = category[text]
		case strings.EqualFold(text, "true"):
			out[i] = 1
		}
	}
	return out
}

// distinct are the texts of cells that are not empty, each once: as they come,
// or sorted. They hold on to no more memory than they need.
func distinct(cells []string, firstSeen bool) []string {
	seen := map[string]bool{"": true}
	var out []string
	for _, text := range cells {
		if !seen[text] {
			text = strings.Clone(text)
			seen[text] = true
			out = append(out, text)
		}
	}
	if !firstSeen {
		slices.Sort(out)
	}
	return out
}
