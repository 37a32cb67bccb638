package data

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Header says whether a CSV file's first line has the names of the columns.
type Header int

// HeaderDetect takes the first line for names if none of its fields is a number,
// a bool or a sign for a missing value, and no two are the same; the first of
// several fields may be empty, as over a column of row numbers.
const (
	HeaderDetect Header = iota
	HeaderPresent
	HeaderAbsent
)

// CSV says how a file of comma-separated values (RFC 4180) is read. The zero
// value suits most files.
//
// The text is UTF-8, with or without a byte order mark, and its lines end with LF,
// CR LF, or CR alone; what is no text is an error with its place. Fields are taken
// without the spaces around them, empty lines are left out. The kind of each column
// is inferred from all of its values:
//
//	KindInteger  decimal digits with or without a sign, within 64 bits
//	KindFloat    decimal numbers with or without an exponent, and Inf
//	KindBool     true and false, in small or capital letters
//	KindText     all else; the distinct texts are the column's categories
//
// A column without values is KindFloat. A number beyond the range of float64, such
// as 1e999, in a column of numbers is an error with its place: it is neither a text
// nor an infinity.
type CSV struct {
	Comma   rune // between fields, an ASCII character; 0 is ','
	Comment rune // begins a line that is left out; 0 is none
	Header  Header
	Skip    int // lines before the table, such as a title, that are left out

	// Names are the names of the columns, in place of those of a header. Columns
	// that have no name are "c1", "c2" and so on.
	Names []string

	// Missing are the texts that stand for a missing value besides the empty
	// field; nil are NA, N/A, n/a, #N/A, <NA>, NaN, nan, null, NULL, None and ?.
	Missing []string

	// Kinds are the kinds of columns that are not to be inferred, such as
	// KindText for a number that is a name. A value of another kind is an error
	// with its place.
	Kinds map[string]Kind

	// FirstSeen numbers categories as they come in the file. Otherwise they are
	// sorted, so that the numbers do not depend on the order of the rows.
	FirstSeen bool

	// Like is a table that this one has to match, such as the training set: each
	// of its columns has to be there, with its kind and its categories. A text
	// that is none of them is an error with its place.
	Like *Table

	Limits Limits
}

// ReadCSV reads a table with the zero value of [CSV].
func ReadCSV(r io.Reader) (*Table, error) { return CSV{}.Read(r) }

// ReadCSVFile reads a file, packed with gzip or not, with the zero value of
// [CSV].
func ReadCSVFile(path string) (*Table, error) { return CSV{}.ReadFile(path) }

// Read reads a table to the end of r. Errors of the content begin with
// line:column, both counted from 1, columns in bytes.
func (c CSV) Read(r io.Reader) (*Table, error) {
	l := limitsOf([]Limits{c.Limits})
	return c.read("", l.limit(r))
}

// ReadFile is [CSV.Read] for a file, packed with gzip or not. Errors of the
// content begin with file:line:column.
func (c CSV) ReadFile(path string) (*Table, error) {
	// Errors of the content have the path already.
	var t *Table
	var content error
	_, err := readFile(path, limitsOf([]Limits{c.Limits}), func(r io.Reader) (*Table, error) {
		t, content = c.read(path, r)
		return nil, content
	})
	if content != nil {
		return nil, content
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// csvReader is a table being read.
type csvReader struct {
	CSV
	limits  Limits
	path    string
	records *csv.Reader
	missing map[string]bool
	columns []*csvColumn
	lines   []int // of the rows
}

// defaultMissing stand for a missing value where CSV.Missing is nil.
var defaultMissing = []string{"NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None", "?"}

func (c CSV) read(path string, r io.Reader) (*Table, error) {
	if c.Comma == 0 {
		c.Comma = ','
	}
	if c.Comma >= 0x80 || c.Comment >= 0x80 {
		return nil, fmt.Errorf("data: CSV: the separator %q and the comment %q have to be ASCII", c.Comma, c.Comment)
	}
	in := &csvReader{CSV: c, limits: limitsOf([]Limits{c.Limits}), path: path, missing: map[string]bool{"": true}}
	signs := c.Missing
	if signs == nil {
		signs = defaultMissing
	}
	for _, s := range signs {
		in.missing[s] = true
	}

	// A byte order mark is no part of the first name.
	buffered := bufio.NewReader(&lineEnds{r: r})
	mark, _ := buffered.Peek(3)
	switch {
	case string(mark) == "\ufeff":
		_, _ = buffered.Discard(3)
	case len(mark) >= 2 && (string(mark[:2]) == "\xff\xfe" || string(mark[:2]) == "\xfe\xff"):
		return nil, in.errorAt(1, 1, errors.New("the file is UTF-16: convert it to UTF-8"))
	}
	for range c.Skip {
		if err := skipLine(buffered); err != nil {
			return nil, fmt.Errorf("%s: CSV.Skip leaves out %d lines: %w", tableName(path), c.Skip, cutOff(err, true))
		}
	}
	in.records = csv.NewReader(&fieldLimit{r: buffered, comma: byte(c.Comma), comment: byte(c.Comment), limits: in.limits, lines: c.Skip, column: 1})
	in.records.Comma, in.records.Comment = c.Comma, c.Comment
	in.records.TrimLeadingSpace = c.Comma != ' ' && c.Comma != '\t'
	in.records.ReuseRecord = true
	return in.table()
}

// skipLine reads to the end of a line, of any length.
func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// place is where field i of the record that was read last stands.
func (in *csvReader) place(i int) (line, column int) {
	line, column = in.records.FieldPos(i)
	return line + in.Skip, column
}

// table reads the records and makes the columns.
func (in *csvReader) table() (*Table, error) {
	first, err := in.records.Read()
	if errors.Is(err, io.EOF) {
		return nil, in.errorAt(1+in.Skip, 1, errors.New("the table has no line"))
	}
	if err != nil {
		return nil, in.failed(err)
	}
	if err := in.checkText(first); err != nil {
		return nil, err
	}
	if err := in.begin(first); err != nil {
		return nil, err
	}
	for {
		record, err := in.records.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, in.failed(err)
		}
		if err := in.checkText(record); err != nil {
			return nil, err
		}
		if err := in.row(record); err != nil {
			return nil, err
		}
	}

	t := &Table{Path: in.path, lines: in.lines}
	for _, b := range in.columns {
		c, err := b.finish(in)
		if err != nil {
			return nil, err
		}
		t.Columns = append(t.Columns, c)
	}
	return t, nil
}

// checkText is the error of a field that is no text, at the field's place.
func (in *csvReader) checkText(record []string) error {
	for i, field := range record {
		err := textOnly(field)
		if err == nil {
			continue
		}
		if i < len(in.columns) {
			err = fmt.Errorf("column %q: %w", in.columns[i].name, err)
		}
		line, column := in.place(i)
		return in.errorAt(line, column, err)
	}
	return nil
}

// textOnly is the error of a field that has a NUL byte or is no UTF-8.
func textOnly(field string) error {
	if strings.IndexByte(field, 0) >= 0 {
		return fmt.Errorf("%q has a NUL byte: the file is no text, or it is UTF-16 and has to be converted to UTF-8", abridge(field))
	}
	if utf8.ValidString(field) {
		return nil
	}
	at := 0
	for {
		r, size := utf8.DecodeRuneInString(field[at:])
		if r == utf8.RuneError && size == 1 {
			return fmt.Errorf("the byte %#02x in %q is no UTF-8: the file has to be converted from Latin-1, or what it is in", field[at], abridge(field))
		}
		at += size
	}
}

// begin makes a column for each field of the first line, which is the first row
// unless it is the header.
func (in *csvReader) begin(first []string) error {
	line, _ := in.place(0)
	if err := atMost("Columns", len(first), in.limits.Columns); err != nil {
		return in.errorAt(line, 1, err)
	}
	if n := len(in.Names); n > 0 && n != len(first) {
		return in.errorAt(line, 1, fmt.Errorf("the line has %d fields, but CSV.Names has %d names", len(first), n))
	}
	header := in.Header == HeaderPresent || in.Header == HeaderDetect && in.isHeader(first)
	if err := in.name(first, header); err != nil {
		return err
	}
	if err := in.prescribe(line); err != nil {
		return err
	}
	if header {
		return nil
	}
	return in.row(first)
}

// isHeader is the rule of HeaderDetect.
func (in *csvReader) isHeader(first []string) bool {
	seen := map[string]bool{}
	for i, field := range first {
		field = strings.TrimSpace(field)
		if field == "" && i == 0 && len(first) > 1 {
			continue
		}
		if in.missing[field] || seen[field] || kindOf(field) != KindText {
			return false
		}
		seen[field] = true
	}
	return true
}

// name names the columns.
func (in *csvReader) name(first []string, header bool) error {
	taken := map[string]bool{}
	for i, field := range first {
		name := ""
		switch {
		case len(in.Names) > 0:
			name = in.Names[i]
		case header:
			name = strings.Clone(strings.TrimSpace(field))
		}
		if name == "" {
			name = fmt.Sprintf("c%d", i+1)
		}
		if taken[name] {
			line, column := in.place(i)
			return in.errorAt(line, column, fmt.Errorf("two columns are named %q; CSV.Names gives others", abridge(name)))
		}
		taken[name] = true
		in.columns = append(in.columns, &csvColumn{name: name, possible: [kinds]bool{true, true, true, true}})
	}
	return nil
}

// prescribe tells the columns what Kinds and Like say about them.
func (in *csvReader) prescribe(line int) error {
	byName := map[string]*csvColumn{}
	for _, c := range in.columns {
		byName[c.name] = c
	}
	for _, name := range slices.Sorted(maps.Keys(in.Kinds)) {
		c := byName[name]
		if c == nil {
			return in.errorAt(line, 1, fmt.Errorf("there is no column %q of CSV.Kinds; the file has %s", name, in.listColumns()))
		}
		if c.told, c.isTold = in.Kinds[name], true; c.told < 0 || int(c.told) >= kinds {
			return in.errorAt(line, 1, fmt.Errorf("column %q: CSV.Kinds has the unknown %v", name, c.told))
		}
	}
	if in.Like == nil {
		return nil
	}
	for _, like := range in.Like.Columns {
		c := byName[like.Name]
		if c == nil {
			return in.errorAt(line, 1, fmt.Errorf("there is no column %q, which the table in CSV.Like has; the file has %s", like.Name, in.listColumns()))
		}
		c.like(like)
	}
	return nil
}

// row takes a line's fields.
func (in *csvReader) row(record []string) error {
	n := len(in.lines) + 1
	line, _ := in.place(0)
	if err := atMost("Rows", n, in.limits.Rows); err != nil {
		return in.errorAt(line, 1, err)
	}
	if err := atMost("Elements", int64(n)*int64(len(in.columns)), int64(in.limits.Elements)); err != nil {
		return in.errorAt(line, 1, err)
	}
	for i, c := range in.columns {
		line, column := in.place(i)
		p := Place{Row: n - 1, Line: line, Column: column}
		if err := c.add(strings.TrimSpace(record[i]), p, in.missing); err != nil {
			return in.errorAt(line, column, err)
		}
	}
	in.lines = append(in.lines, line)
	return nil
}

func (in *csvReader) listColumns() string {
	var names []string
	for _, c := range in.columns {
		names = append(names, c.name)
	}
	return listNames(names)
}

// failed is the error of a record that could not be read.
func (in *csvReader) failed(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		// Of reading, not of the content; a limit's error may have a place.
		if limit := (*fieldLimitError)(nil); errors.As(err, &limit) {
			return in.errorAt(limit.line, limit.column, limit.err)
		}
		return fmt.Errorf("%s: %w", tableName(in.path), cutOff(err, false))
	}
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		err = fmt.Errorf("the line has not the %d fields of the first; CSV.Skip leaves out lines before the table", in.records.FieldsPerRecord)
	case errors.Is(err, csv.ErrBareQuote), errors.Is(err, csv.ErrQuote):
		err = fmt.Errorf("%w: a field that has a quote in it stands in quotes and has two for it", p.Err)
	default:
		err = p.Err
	}
	return in.errorAt(p.Line+in.Skip, p.Column, err)
}

// errorAt is an error of the content at a place.
func (in *csvReader) errorAt(line, column int, err error) error {
	return contentError(in.path, line, column, err)
}

// contentError is an error at a place of a file, whose name may not be known.
func contentError(path string, line, column int, err error) error {
	if path == "" {
		return fmt.Errorf("data: CSV: %d:%d: %w", line, column, err)
	}
	return fmt.Errorf("%s:%d:%d: %w", path, line, column, err)
}

// tableName is what errors about the file as a whole begin with.
func tableName(path string) string {
	if path == "" {
		return "data: CSV"
	}
	return path
}
