package dsl

import "fmt"

// point is a place in a line that can be in line with the same place of the next
// line. Points with equal keys on consecutive lines are put into one column.
type point struct {
	piece   int
	key     string
	written int // the author's column, where that is kept; otherwise 0
}

// maxPipePoints is how many |> of a line are aligned.
const maxPipePoints = 8

// align pads what stands in columns, from left to right: the types and = of
// declarations of one kind, always; a keyword's operand, = and |>, where the author
// has put them into one column; at last the comments at the ends of lines.
func (f *formatter) align() {
	f.alignPoints(f.operandPoint)
	f.alignPoints(f.typePoint)
	f.alignPoints(f.equalPoint)
	for n := 1; n <= maxPipePoints; n++ {
		f.alignPoints(func(line []int) (point, bool) { return f.pipePoint(line, n) })
	}
	f.alignComments()
}

// lines are the indices of the pieces of each line; a blank line has none.
func (f *formatter) lines() [][]int {
	var lines [][]int
	for i, p := range f.pieces {
		if p.newline > 1 {
			lines = append(lines, nil)
		}
		if p.newline > 0 || i == 0 {
			lines = append(lines, nil)
		}
		last := len(lines) - 1
		lines[last] = append(lines[last], i)
	}
	return lines
}

// alignPoints puts the points that find returns into columns.
func (f *formatter) alignPoints(find func(line []int) (point, bool)) {
	columns := f.layout()
	var run []point
	for _, line := range f.lines() {
		p, ok := point{}, false
		if len(line) > 0 {
			p, ok = find(line)
		}
		if len(run) > 0 && (!ok || p.key != run[0].key) {
			f.padRun(run, columns)
			run = nil
		}
		if ok {
			run = append(run, p)
		}
	}
	f.padRun(run, columns)
	f.layout()
}

// padRun puts the points of consecutive lines into the column of the rightmost, or
// into the author's.
func (f *formatter) padRun(run []point, columns []int) {
	if len(run) < 2 {
		return
	}
	right := run[0].written
	for _, p := range run {
		right = max(right, columns[p.piece])
	}
	for _, p := range run {
		f.pieces[p.piece].pad += right - columns[p.piece]
	}
}

// asWritten is a point of a line that is in line with others where it is so in the
// source.
func (f *formatter) asWritten(kind string, line []int, i int) point {
	column := f.writtenColumn(line, i)
	return point{i, fmt.Sprintf("%s %d", kind, column), column}
}

// writtenColumn is the column of the i-th piece in the source, moved as the line is.
func (f *formatter) writtenColumn(line []int, i int) int {
	first := f.pieces[line[0]]
	return f.pieces[i].column - first.column + first.indent
}

// operandPoint is the place after the keyword of an output, loss, metric or train.
func (f *formatter) operandPoint(line []int) (point, bool) {
	switch f.pieces[line[0]].head.(type) {
	case *OutputStmt, *LossStmt, *MetricStmt, *TrainStmt:
		if len(line) > 1 {
			return f.asWritten("operand", line, line[1]), true
		}
	}
	return point{}, false
}

// typePoint is the type of an input, param, state or carry.
func (f *formatter) typePoint(line []int) (point, bool) {
	s, ok := f.pieces[line[0]].head.(*VarStmt)
	if !ok || s.Type == nil {
		return point{}, false
	}
	return f.inLine(line, f.tokens[s.Type.Start], string(s.Kind))
}

// inLine is a point of a piece, if it is in the line and does not start it.
func (f *formatter) inLine(line []int, piece int, key string) (point, bool) {
	return point{piece: piece, key: key}, piece > line[0] && piece <= line[len(line)-1]
}

// equalPoint is the = or <- of a declaration or an assignment.
func (f *formatter) equalPoint(line []int) (point, bool) {
	head := f.pieces[line[0]].head
	switch head.(type) {
	case *VarStmt, *AssignStmt, *UpdateStmt, *SharedStmt, *OutputStmt, *LossStmt, *MetricStmt, *ConstDecl:
	default:
		return point{}, false
	}
	depth := 0
	for _, i := range line[1:] {
		p := f.pieces[i]
		if p.comment {
			continue
		}
		depth += bracket(p.text)
		if depth != 0 || p.text != "=" && p.text != "<-" {
			continue
		}
		if s, ok := head.(*VarStmt); ok {
			return point{piece: i, key: fmt.Sprint(s.Kind, s.Type != nil)}, true
		}
		return f.asWritten(p.text, line, i), true
	}
	return point{}, false
}

// pipePoint is the n-th |> of a line; the first is 0.
func (f *formatter) pipePoint(line []int, n int) (point, bool) {
	depth := 0
	for _, i := range line {
		p := f.pieces[i]
		if p.comment {
			continue
		}
		depth += bracket(p.text)
		if p.text != "|>" || depth != 0 {
			continue
		}
		if n == 0 {
			return f.asWritten("|>", line, i), i > line[0]
		}
		n--
	}
	return point{}, false
}

// alignComments puts the comments at the ends of consecutive lines into one column:
// the author's, where they are in one that is far enough to the right.
func (f *formatter) alignComments() {
	columns := f.layout()
	var run []point
	for _, line := range f.lines() {
		if last := len(line) - 1; last > 0 && f.pieces[line[last]].comment {
			run = append(run, point{piece: line[last], written: f.writtenColumn(line, line[last])})
			continue
		}
		f.padComments(run, columns)
		run = nil
	}
	f.padComments(run, columns)
}

// padComments puts the comments of consecutive lines into one column.
func (f *formatter) padComments(run []point, columns []int) {
	if len(run) == 0 {
		return
	}
	right, written := 0, run[0].written
	for _, p := range run {
		right = max(right, columns[p.piece])
		if p.written != written {
			written = -1
		}
	}
	target := written
	if written < right {
		target = right + 1
	}
	for _, p := range run {
		f.pieces[p.piece].pad += target - columns[p.piece]
	}
}
