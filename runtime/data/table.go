package data

import (
	"fmt"
	"math"
	"strings"
)

// Table is a table of columns of equal length. Its methods do not change it:
// those that fill or leave out values give another one, which shares with it
// what is the same.
type Table struct {
	Path    string // of the file, "" where it is not known
	Columns []*Column

	lines []int // of the rows in the file
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.lines) }

// Names are the names of the columns.
func (t *Table) Names() []string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return names
}

// Column is the column with a name.
func (t *Table) Column(name string) (*Column, error) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, nil
		}
	}
	return nil, t.errorf("there is no column %q, only %s", name, listNames(t.Names()))
}

// errorf is an error about the table as a whole.
func (t *Table) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", tableName(t.Path), fmt.Errorf(format, args...))
}

// columns are those with these names, or all if there are none.
func (t *Table) columns(names []string) ([]*Column, error) {
	if len(names) == 0 {
		return t.Columns, nil
	}
	var list []*Column
	for _, name := range names {
		c, err := t.Column(name)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// Float32s are the values of columns, [rows, columns], row-major; without names,
// of all columns. A bool is 0 or 1. A column that is text or lacks a value is an
// error, and so is a value that is beyond the range.
func (t *Table) Float32s(names ...string) ([]float32, error) { return floats[float32](t, names) }

// Float64s is [Table.Float32s] in float64.
func (t *Table) Float64s(names ...string) ([]float64, error) { return floats[float64](t, names) }

func floats[T Float](t *Table, names []string) ([]T, error) {
	list, err := t.columns(names)
	if err != nil {
		return nil, err
	}
	out := make([]T, t.Len()*len(list))
	for j, c := range list {
		if err := t.checkNumbers(c); err != nil {
			return nil, err
		}
		for i := range t.Len() {
			v := c.value(i)
			if math.IsInf(float64(T(v)), 0) && !math.IsInf(v, 0) {
				return nil, t.errorAtRow(i, "column %q has %v, which is beyond the range of float32; Float64s gives it", c.Name, v)
			}
			out[i*len(list)+j] = T(v)
		}
	}
	return out, nil
}

// value is a value as a number.
func (c *Column) value(row int) float64 {
	if c.Kind == KindFloat {
		return c.real[row]
	}
	return float64(c.whole[row])
}

// checkNumbers is the error of a column that is text or lacks values.
func (t *Table) checkNumbers(c *Column) error {
	if c.Kind != KindText {
		return t.checkComplete(c)
	}
	const remedy = "Int32s gives their numbers, OneHot a column for each"
	if c.odd == nil {
		return t.errorf("column %q is text of %d categories: %s", c.Name, len(c.Categories), remedy)
	}
	return contentError(t.Path, c.odd.at.Line, c.odd.at.Column, fmt.Errorf("column %q is text of %d categories, since %q is no number: %s; if it stands for a missing value, add it to CSV.Missing",
		c.Name, len(c.Categories), c.odd.text, remedy))
}

// checkComplete is the error of a column that lacks values.
func (t *Table) checkComplete(c *Column) error {
	if len(c.Missing) == 0 {
		return nil
	}
	at := c.Missing[0]
	return contentError(t.Path, at.Line, at.Column, fmt.Errorf("column %q lacks %s: fill them in (Fill, FillMean, FillText) or leave such rows out (DropMissing)", c.Name, c.listMissing()))
}

// listMissing says how many values are missing, and the lines of the first.
func (c *Column) listMissing() string {
	const most = 4
	var lines []string
	for _, p := range c.Missing[:min(len(c.Missing), most)] {
		lines = append(lines, fmt.Sprint(p.Line))
	}
	text := fmt.Sprintf("%d values, in lines %s", len(c.Missing), strings.Join(lines, ", "))
	if len(c.Missing) == 1 {
		text = "1 value, in line " + lines[0]
	}
	if len(c.Missing) > most {
		text += ", …"
	}
	return text
}

// Int32s are the values of columns, [rows, columns], row-major; without names,
// of all columns. A bool is 0 or 1, a text the index of its category. A number
// that is no int32, or a column that lacks a value, is an error.
func (t *Table) Int32s(names ...string) ([]int32, error) {
	list, err := t.columns(names)
	if err != nil {
		return nil, err
	}
	out := make([]int32, t.Len()*len(list))
	for j, c := range list {
		if err := t.checkComplete(c); err != nil {
			return nil, err
		}
		for i := range t.Len() {
			v := c.value(i)
			if v != math.Trunc(v) || v < math.MinInt32 || v > math.MaxInt32 {
				return nil, t.errorAtRow(i, "column %q has %v, which is no int32", c.Name, v)
			}
			out[i*len(list)+j] = int32(v)
		}
	}
	return out, nil
}

// errorAtRow is an error about a value whose place in its line is not known.
func (t *Table) errorAtRow(row int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", tableName(t.Path), t.lines[row], fmt.Errorf(format, args...))
}

// OneHot is a column of text as [rows, categories], row-major: 1 for the
// category of the row, 0 for the others. A column of another kind, or one that
// lacks a value, is an error.
func (t *Table) OneHot(name string) ([]float32, error) {
	c, err := t.Column(name)
	if err != nil {
		return nil, err
	}
	if c.Kind != KindText {
		return nil, t.errorf("column %q is %v and has no categories; CSV.Kinds makes it text", name, c.Kind)
	}
	if err := t.checkComplete(c); err != nil {
		return nil, err
	}
	width := len(c.Categories)
	out := make([]float32, t.Len()*width)
	for i, category := range c.whole {
		out[i*width+int(category)] = 1
	}
	return out, nil
}

// Rows is the table of the rows with these indices, in their order. It panics if
// an index is out of range.
func (t *Table) Rows(rows []int) *Table {
	out := &Table{Path: t.Path, lines: pick(t.lines, rows)}
	for _, c := range t.Columns {
		d := *c
		d.whole, d.real, d.Missing = pick(c.whole, rows), pick(c.real, rows), nil

		// Missing values where their rows are now.
		at := make(map[int]Place, len(c.Missing))
		for _, p := range c.Missing {
			at[p.Row] = p
		}
		for i, row := range rows {
			if p, ok := at[row]; ok {
				p.Row = i
				d.Missing = append(d.Missing, p)
			}
		}
		out.Columns = append(out.Columns, &d)
	}
	return out
}

// pick is the elements of list at these indices, nil of nil.
func pick[T any](list []T, at []int) []T {
	if list == nil {
		return nil
	}
	out := make([]T, len(at))
	for i, k := range at {
		out[i] = list[k]
	}
	return out
}

// String describes the table: for each column its name, kind, categories, and
// how many values are missing, with the lines of the first.
func (t *Table) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d rows\n", t.Len())
	for _, c := range t.Columns {
		fmt.Fprintf(&out, "%s: %v", c.Name, c.Kind)
		if c.Kind == KindText {
			fmt.Fprintf(&out, ", %d categories: %s", len(c.Categories), listNames(c.Categories))
		}
		if len(c.Missing) > 0 {
			fmt.Fprintf(&out, "; lacks %s", c.listMissing())
		}
		out.WriteByte('\n')
	}
	return out.String()
}
