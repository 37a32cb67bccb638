package dsl

// region is a block or a statement that the layout is inside of.
type region struct {
	end   int  // offset in the source
	stmt  bool // a statement rather than a block
	depth int  // of open brackets in the statement
}

// breakLines decides where lines end.
func (f *formatter) breakLines() {
	regions := []*region{{end: len(f.file.Src) + 1}}
	for i, p := range f.pieces {
		for p.start >= regions[len(regions)-1].end {
			regions = regions[:len(regions)-1]
		}
		top := regions[len(regions)-1]
		if i > 0 {
			p.newline = f.breaksBefore(i, top)
		}
		switch {
		case p.head != nil:
			regions = append(regions, &region{end: p.head.Where().End, stmt: true})
		case p.block != nil && p.block.open == i:
			regions = append(regions, &region{end: f.pieces[p.block.close].end})
		case !p.comment:
			top.depth += bracket(p.text)
		}
	}
}

// breaksBefore is the number of line breaks before the i-th piece in a region.
func (f *formatter) breaksBefore(i int, in *region) int {
	p, before := f.pieces[i], f.pieces[i-1]
	kept := min(p.breaks, 2)
	if in.stmt {
		kept = min(kept, 1)
	}
	opened := f.opensBefore(i)
	switch {
	case p.block != nil && p.block.close == i:
		return f.breaksBeforeClose(p, before)
	case p.head != nil && f.inInline(i):
		return 0
	case p.head != nil && before.comment && p.breaks == 0 && (before.newline > 0 || i == 1):
		return 0 // a comment at the start of the line belongs to the statement
	case opened && p.comment && p.breaks == 0:
		return 0
	case opened:
		return 1
	case p.head != nil || before.isLineComment():
		return max(1, kept)
	case p.comment:
		return kept
	case p.block != nil || p.text == "else" && before.block != nil:
		return 0
	case kept > 0 && (in.depth > 0 || f.breaksAt(i)):
		return 1
	}
	return 0
}

// opensBefore reports whether the i-th piece comes first in a block, after the brace
// and the comments on its line.
func (f *formatter) opensBefore(i int) bool {
	for i--; i > 0 && f.pieces[i].comment && f.pieces[i].newline == 0; i-- {
	}
	b := f.pieces[i].block
	return b != nil && b.open == i && !b.inline
}

// breaksBeforeClose is breaksBefore for the closing brace of a block.
func (f *formatter) breaksBeforeClose(p, before *piece) int {
	if p.block.inline && !before.isLineComment() {
		return 0
	}
	return 1
}

// inInline reports whether the i-th piece, which starts a statement, is in a block on
// one line: only the brace and comments stand between them.
func (f *formatter) inInline(i int) bool {
	for i--; i >= 0 && f.pieces[i].comment; i-- {
	}
	return i >= 0 && f.pieces[i].block != nil && f.pieces[i].block.open == i && f.pieces[i].block.inline
}

// joints are the tokens before or after which a statement may go on on a new line,
// outside brackets.
var (
	jointsBefore = wordSet("|> + - * / % @ ^ && || == != < <= > >= then else with until derive grad")
	jointsAfter  = wordSet("|> + - * / % @ ^ && || == != < <= > >= then else with until = <- , :")
)

// breaksAt reports whether a line may break before the i-th piece.
func (f *formatter) breaksAt(i int) bool {
	return jointsBefore[f.pieces[i].text] || jointsAfter[f.pieces[i-1].text]
}

// breakLongPipes breaks statements on one line that are too wide before each of their
// stages but the first.
func (f *formatter) breakLongPipes() {
	f.layout()
	for i, p := range f.pieces {
		if p.head == nil {
			continue
		}
		stages, width := f.stages(i)
		if len(stages) < 2 || width <= maxWidth {
			continue
		}
		for _, s := range stages[1:] {
			f.pieces[s].newline = 1
		}
	}
}

// stages are the indices of the |> outside brackets in the statement that starts with
// the i-th piece, and the statement's width; none where it has several lines.
func (f *formatter) stages(i int) (stages []int, width int) {
	depth := 0
	end := f.pieces[i].head.Where().End
	columns := f.pieces[i].indent
	for j := i; j < len(f.pieces) && f.pieces[j].start < end; j++ {
		p := f.pieces[j]
		if j > i && p.newline > 0 {
			return nil, 0
		}
		if j > i {
			columns += f.space(j)
		}
		columns = columnAfter(columns, p.text)
		if !p.comment {
			depth += bracket(p.text)
		}
		if p.text == "|>" && depth == 0 {
			stages = append(stages, j)
		}
	}
	return stages, columns
}

// level is what a continuation line can be in line with: a statement or an open
// bracket of it.
type level struct {
	end     int  // offset in the source where a statement or block ends
	block   bool // a block: its statements are indented by indent
	indent  int  // of the line on which it starts
	inside  int  // the column after the bracket, 0 where a line breaks there
	bracket int  // the column of the bracket
	pipe    int  // the column of its first |>, 0 before there is one
}

// layout computes the indents of all lines, from the breaks and the padding, and
// returns the column of each piece.
func (f *formatter) layout() []int {
	columns := make([]int, len(f.pieces))
	levels := []*level{{end: len(f.file.Src) + 1, block: true, indent: -indentWidth}}
	column, line := 0, 0
	for i, p := range f.pieces {
		for p.start >= levels[len(levels)-1].end {
			levels = levels[:len(levels)-1]
		}
		top := levels[len(levels)-1]

		// Place the piece.
		switch {
		case i == 0:
		case p.newline > 0:
			line = f.lineIndent(i, top)
			p.indent, column = line, line
		default:
			column += f.space(i) + p.pad
		}
		columns[i] = column
		column = columnAfter(column, p.text)

		// Enter and leave what it opens and closes.
		levels = f.enter(levels, i, columns[i], line)
	}
	return columns
}

// lineIndent is the indent of a line that starts with the i-th piece.
func (f *formatter) lineIndent(i int, top *level) int {
	p := f.pieces[i]
	switch {
	case top.block && p.block != nil && p.block.close == i:
		return top.indent
	case top.block:
		return top.indent + indentWidth
	case p.text == "|>" && top.pipe > 0:
		return top.pipe
	case top.bracket < 0:
		return top.indent + indentWidth
	case !p.comment && bracket(p.text) < 0 && top.inside == 0:
		return top.indent
	case !p.comment && bracket(p.text) < 0:
		return top.bracket
	case top.inside == 0:
		return top.indent + indentWidth
	}
	return top.inside
}

// enter updates the levels for the i-th piece, which stands at a column of a line with
// an indent.
func (f *formatter) enter(levels []*level, i, column, line int) []*level {
	p, top := f.pieces[i], levels[len(levels)-1]
	switch {
	case p.head != nil:
		levels = append(levels, &level{end: p.head.Where().End, indent: line, bracket: -1})
	case p.block != nil && p.block.open == i && !p.block.inline:
		levels = append(levels, &level{end: f.pieces[p.block.close].end, block: true, indent: line})
	case p.comment:
	case p.text == "|>" && top.pipe == 0:
		top.pipe = column
	case bracket(p.text) > 0:
		l := &level{end: top.end, indent: line, bracket: column}
		if i+1 < len(f.pieces) && f.pieces[i+1].newline == 0 {
			l.inside = column + len(p.text)
		}
		levels = append(levels, l)
	case bracket(p.text) < 0:
		levels = levels[:len(levels)-1]
	}
	return levels
}
