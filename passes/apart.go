package passes

import (
	"math"
	"slices"

	"gradgen.dev/ir"
)

// apart reports whether the regions are boxes of constant size that do not
// overlap.
func apart(places []*ir.Node) bool { return len(places) == 0 || apartAlong(places, 0, 0) }

// apartAlong is apart of places that the axes tried last, so many, do not
// divide. Along an axis on which all have their place in one order, only those
// that overlap need be compared further.
func apartAlong(places []*ir.Node, axis, tried int) bool {
	rank := places[0].Type.Rank()
	switch {
	case len(places) == 1:
		return true
	case tried == rank:
		return pairsApart(places)
	}
	next := (axis + 1) % rank
	runs, ok := overlapping(places, axis)
	if !ok || len(runs) == 1 {
		return apartAlong(places, next, tried+1)
	}
	return !slices.ContainsFunc(runs, func(run []*ir.Node) bool { return !apartAlong(run, next, 1) })
}

// overlapping divides places into runs, each of which ends on an axis before the
// next begins; ok is false where the order of some is not known.
func overlapping(places []*ir.Node, axis int) (runs [][]*ir.Node, ok bool) {
	type span struct {
		place      *ir.Node
		start, end int
	}
	spans := make([]span, len(places))
	zero := places[0].Attr.Limits[axis]
	for i, p := range places {
		start, known := p.Attr.Limits[axis].Sub(zero).Const()
		size, constant := p.Args[0].Type.Shape[axis].Const()
		if spans[i] = (span{p, start, start + size}); !known || !constant {
			return nil, false
		}
		if p.Attr.Steps[axis] != 1 {
			spans[i].end = math.MaxInt // between its elements others may lie
		}
	}
	slices.SortStableFunc(spans, func(a, b span) int { return a.start - b.start })
	end := spans[0].start
	for _, s := range spans {
		if len(runs) == 0 || s.start >= end {
			runs = append(runs, nil)
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], s.place)
		end = max(end, s.end)
	}
	return runs, true
}

// pairsApart is apart, pair by pair.
func pairsApart(places []*ir.Node) bool {
	for i, a := range places {
		for _, b := range places[:i] {
			if !separate(a, b) {
				return false
			}
		}
	}
	return true
}

// separate reports whether along some axis one region ends before the other.
func separate(a, b *ir.Node) bool {
	for axis := range a.Type.Rank() {
		for _, pair := range [2][2]*ir.Node{{a, b}, {b, a}} {
			first, second := pair[0], pair[1]
			if first.Attr.Steps[axis] != 1 {
				continue
			}
			end := first.Attr.Limits[axis].Add(first.Args[0].Type.Shape[axis])
			if gap, ok := second.Attr.Limits[axis].Sub(end).Const(); ok && gap >= 0 {
				return true
			}
		}
	}
	return false
}
