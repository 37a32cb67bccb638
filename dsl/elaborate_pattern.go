package dsl

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gradgen.dev/ir"
)

// A segmentRange is a part of a pattern with its numbers known.
type segmentRange struct {
	kind   SegmentKind
	text   string // of a name
	lo, hi int    // of an index or a range; hi is left out
}

// selected is the parameters of the model that patterns match, nil where there
// are no patterns. One that matches nothing is an error.
func (t *training) selected(patterns []*Pattern) (map[*ir.Param]bool, bool) {
	return t.among(patterns, func(*ir.Param) bool { return true }, "parameter of the model")
}

// trained is selected among the parameters that the train is for.
func (t *training) trained(patterns []*Pattern) (map[*ir.Param]bool, bool) {
	what := "parameter of the model"
	if t.trains != nil {
		what = "parameter that this train is for"
	}
	return t.among(patterns, func(p *ir.Param) bool { return t.trains == nil || t.trains[p] }, what)
}

// among is the parameters that patterns match and that a train may touch.
func (t *training) among(patterns []*Pattern, touches func(*ir.Param) bool, what string) (map[*ir.Param]bool, bool) {
	if len(patterns) == 0 {
		return nil, true
	}
	out, ok := map[*ir.Param]bool{}, true
	for _, q := range patterns {
		segments, known := t.segments(q)
		if !known {
			ok = false
			continue
		}
		matched := false
		for _, p := range t.m.out.Params {
			if touches(p) && matches(segments, strings.Split(p.Path, ".")) {
				out[p], matched = true, true
			}
		}
		if !matched {
			ok = false
			if t.known {
				t.failPattern(q, segments, touches, what)
			}
		}
	}
	return out, ok
}

// segments is a pattern with the numbers in its braces, and names of loops
// around the line, known.
func (t *training) segments(q *Pattern) ([]segmentRange, bool) {
	e, sc := t.e, t.m.scope
	out := make([]segmentRange, len(q.Segments))
	for i, s := range q.Segments {
		r := segmentRange{kind: s.Kind, text: s.Text}
		if k, isLoop := t.loops[s.Text]; isLoop && s.Kind == SegmentName {
			r.text = strconv.Itoa(k)
		}
		ok := true
		switch s.Kind {
		case SegmentIndex:
			r.lo, ok = e.constInt(sc, s.Lo, e.eval(sc, s.Lo), "an index in a pattern")
			r.hi = r.lo + 1
		case SegmentRange:
			var okHi bool
			r.lo, ok = e.constInt(sc, s.Lo, e.eval(sc, s.Lo), "the start of a range in a pattern")
			r.hi, okHi = e.constInt(sc, s.Hi, e.eval(sc, s.Hi), "the end of a range in a pattern")
			ok = ok && okHi
		}
		if !ok {
			return nil, false
		}
		out[i] = r
	}
	return out, true
}

// matches reports whether a pattern is a whole path.
func matches(pattern []segmentRange, path []string) bool {
	// reach[k] says that the segments so far match the first k parts.
	reach := make([]bool, len(path)+1)
	reach[0] = true
	for _, s := range pattern {
		next := make([]bool, len(path)+1)
		for k, ok := range reach {
			switch {
			case s.kind == SegmentDeep:
				next[k] = ok || k > 0 && next[k-1]
			case ok && k < len(path) && s.matches(path[k]):
				next[k+1] = true
			}
		}
		reach = next
	}
	return reach[len(path)]
}

// matches reports whether a segment other than ** is a part of a path.
func (s segmentRange) matches(part string) bool {
	switch s.kind {
	case SegmentAny:
		return true
	case SegmentName:
		return part == s.text
	}
	k, err := strconv.Atoi(part)
	return err == nil && s.lo <= k && k < s.hi
}

// String is the segment as it is written.
func (s segmentRange) String() string {
	switch s.kind {
	case SegmentAny:
		return "*"
	case SegmentDeep:
		return "**"
	case SegmentName:
		return s.text
	case SegmentIndex:
		return strconv.Itoa(s.lo)
	}
	return "{" + strconv.Itoa(s.lo) + ".." + strconv.Itoa(s.hi) + "}"
}

func patternText(segments []segmentRange) string {
	parts := make([]string, len(segments))
	for i, s := range segments {
		parts[i] = s.String()
	}
	return strings.Join(parts, ".")
}

// maxListed is how many paths a note lists.
const maxListed = 12

// failPattern reports a pattern that matches nothing; a note lists the parameters
// that it may be about.
func (t *training) failPattern(q *Pattern, segments []segmentRange, touches func(*ir.Param) bool, what string) {
	var paths []string
	for _, p := range t.m.out.Params {
		if touches(p) {
			paths = append(paths, p.Path)
		}
	}
	proposed, part := t.nearSegment(segments)
	d := errorAt(q, "the pattern %s matches no %s%s", patternText(segments), what, proposed).code("pattern")
	if len(paths) > 0 {
		d.related(t.m.decl.Name, "%s", listPaths(paths, segments, part))
	}
	t.e.report(d)
}

// listPaths lists the paths that have a name of a pattern, or a part that is near
// one; all of them where there is none.
func listPaths(paths []string, pattern []segmentRange, part string) string {
	var near []string
	for _, path := range paths {
		parts := strings.Split(path, ".")
		about := slices.Contains(parts, part)
		for _, s := range pattern {
			about = about || s.kind == SegmentName && slices.Contains(parts, s.text)
		}
		if about {
			near = append(near, path)
		}
	}
	start := "near are "
	if len(near) == 0 {
		near, start = paths, "the parameters are "
		if len(paths) == 1 {
			start = "the parameter is "
		}
	} else if len(near) == 1 {
		start = "near is "
	}
	if more := len(near) - maxListed; more > 0 {
		return start + strings.Join(near[:maxListed], ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return start + joined(near, "and")
}

// nearSegment proposes a part of a path for the first name of a pattern that no
// path has, with the end of a message that does so.
func (t *training) nearSegment(pattern []segmentRange) (proposed, part string) {
	known := map[string]bool{}
	for _, p := range t.m.out.Params {
		for _, part := range strings.Split(p.Path, ".") {
			known[part] = true
		}
	}
	for _, s := range pattern {
		if s.kind != SegmentName || known[s.text] {
			continue
		}
		for _, part := range sortedKeys(known) {
			if len(s.text) > 1 && strings.HasPrefix(part, s.text) || len(part) > 2 && strings.HasPrefix(s.text, part) {
				return question(part), part
			}
		}
		if near := nearest(s.text, sortedKeys(known)); near != "" {
			return question(near), near
		}
		break
	}
	if len(t.m.out.Params) == 0 {
		return "; it has none", ""
	}
	return "", ""
}

// words is the words of patterns, joined by _, as the names of numbers have
// them; "" where there are none. They start with a letter.
func (t *training) words(patterns []*Pattern) string {
	var words []string
	for _, q := range patterns {
		segments, _ := t.segments(q)
		for _, s := range segments {
			switch s.kind {
			case SegmentName, SegmentIndex:
				words = append(words, lowered(s.String()))
			case SegmentRange:
				words = append(words, strconv.Itoa(s.lo), strconv.Itoa(s.hi))
			}
			if len(words) > 0 && !unicode.IsLetter([]rune(words[0])[0]) {
				words = nil
			}
		}
	}
	return strings.Join(words, "_")
}

// lowered is a word with its first letter in lower case.
func lowered(word string) string {
	r, n := utf8.DecodeRuneInString(word)
	return string(unicode.ToLower(r)) + word[n:]
}
