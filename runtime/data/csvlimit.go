package data

import "io"

// fieldLimit passes bytes on and counts the fields of each record, so that a
// record of far too many is refused before package csv makes room for them.
type fieldLimit struct {
	r              io.Reader
	comma, comment byte // comment is 0 for none
	limits         Limits

	state  fieldState
	fields int // of the record, before the one under way
	lines  int // before the one under way
	column int // in the line, from 1
}

// fieldLimitError says where a record has too many fields.
type fieldLimitError struct {
	line, column int
	err          error
}

// Error implements error.
func (e *fieldLimitError) Error() string { return e.err.Error() }

// fieldState is where in a record the reader is.
type fieldState byte

const (
	lineStart fieldState = iota
	inRecord
	inQuotes // a quote that is doubled leaves and enters
	inComment
)

// Read implements [io.Reader].
func (f *fieldLimit) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	for _, b := range p[:n] {
		f.next(b)
		if f.fields >= f.limits.Columns {
			return 0, &fieldLimitError{f.lines + 1, f.column, atMost("Columns", f.fields+1, f.limits.Columns)}
		}
		if f.column++; b == '\n' {
			f.lines, f.column = f.lines+1, 1
		}
	}
	return n, err
}

// next takes one byte.
func (f *fieldLimit) next(b byte) {
	switch f.state {
	case inQuotes:
		if b == '"' {
			f.state = inRecord
		}
		return
	case lineStart:
		f.fields = 0
		if f.comment != 0 && b == f.comment {
			f.state = inComment
		}
	}
	switch {
	case b == '\n':
		f.state = lineStart
	case f.state == inComment:
	case b == '"':
		f.state = inQuotes
	case b == f.comma:
		f.fields++
		f.state = inRecord
	default:
		f.state = inRecord
	}
}
