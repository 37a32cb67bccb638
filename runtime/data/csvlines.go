package data

import "io"

// lineEnds passes text on with one kind of line end, \n: an \r\n becomes one, and
// so does an \r alone, with which old Macintosh programs end a line.
type lineEnds struct {
	r        io.Reader
	carriage bool // the byte before was \r
}

// Read implements [io.Reader].
func (l *lineEnds) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := l.r.Read(p)
		kept := 0
		for _, b := range p[:n] {
			second := l.carriage && b == '\n'
			if l.carriage = b == '\r'; second {
				continue
			}
			if l.carriage {
				b = '\n'
			}
			p[kept] = b
			kept++
		}
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}
