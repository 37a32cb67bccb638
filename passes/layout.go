package passes

import (
	mathbits "math/bits"
	"slices"
	"sort"

	"gradgen.dev/ir"
)

// layOut gives the buffers slots, and the slots places, in the order of their
// first use. A buffer goes to the first slot that is free while it lives and
// whose size it covers, or that covers its own.
func (p *placer) layOut() ir.Arena {
	l := &layout{lives: p.lives, covers: map[[2]string]bool{}}
	k := 0
	for line := range p.lines {
		// Those that appear in this timeline first, by the step at which they do.
		var now *moment
		for ; k < len(p.order); k++ {
			b := p.order[k]
			if _, here := p.lives[line][b]; !here {
				break
			}
			if now == nil {
				now = l.start(line, len(p.steps[line]))
			}
			l.add(b, now)
		}
	}
	arena := ir.Arena{Length: map[ir.DType]ir.Dim{}}
	for k, s := range l.slots {
		for _, b := range s.buffers {
			b.Slot, b.Offset = k, arena.Length[s.elem]
			arena.Buffers = append(arena.Buffers, b)
		}
		arena.Length[s.elem] = arena.Length[s.elem].Add(s.size)
	}
	return arena
}

// A layout is the slots so far.
type layout struct {
	lives  []map[*ir.Buffer]live // of each timeline
	slots  []*slot
	covers map[[2]string]bool // which sizes cover which, as far as known
}

// A slot is memory that takes buffers in turn.
type slot struct {
	elem    ir.DType
	size    ir.Dim
	key     string // of size
	buffers []*ir.Buffer
	lives   [][]live // of the buffers in each timeline, in order
}

// A moment is a step of a timeline, which moves forward.
type moment struct {
	line   int
	step   int
	busy   bitset  // slots whose buffers live at step
	starts [][]int // slots that are taken at a step, by an earlier timeline's buffer
	ends   [][]int // slots that become free behind a step
}

// start is the first moment of a timeline of so many steps.
func (l *layout) start(line, steps int) *moment {
	m := &moment{line: line, step: -1, starts: make([][]int, steps), ends: make([][]int, steps)}
	for k, s := range l.slots {
		for _, span := range s.lives[line] {
			m.starts[span.first] = append(m.starts[span.first], k)
			m.ends[span.last] = append(m.ends[span.last], k)
		}
	}
	return m
}

// forward moves m to a step.
func (m *moment) forward(step int) {
	for m.step < step {
		if m.step >= 0 {
			for _, k := range m.ends[m.step] {
				m.busy.clear(k)
			}
		}
		m.step++
		for _, k := range m.starts[m.step] {
			m.busy.set(k)
		}
	}
}

// add gives b, which appears in the timeline of m first, a slot.
func (l *layout) add(b *ir.Buffer, m *moment) {
	span := l.lives[m.line][b]
	m.forward(span.first)
	size := b.Type.Shape.Room()
	key := size.String()
	home := -1
	for k := m.busy.next(0); k < len(l.slots); k = m.busy.next(k + 1) {
		if s := l.slots[k]; s.elem == b.Type.Elem && l.comparable(s, size, key) && l.free(s, b) {
			home = k
			break
		}
	}
	if home < 0 {
		home = len(l.slots)
		l.slots = append(l.slots, &slot{elem: b.Type.Elem, size: size, key: key, lives: make([][]live, len(l.lives))})
	}
	s := l.slots[home]
	if l.covered(size, key, s.size, s.key) {
		s.size, s.key = size, key
	}
	s.buffers = append(s.buffers, b)
	for line, lives := range l.lives {
		if span, ok := lives[b]; ok {
			at := after(s.lives[line], span.first)
			s.lives[line] = slices.Insert(s.lives[line], at, span)
		}
	}
	m.busy.set(home)
	m.ends[span.last] = append(m.ends[span.last], home)
}

// comparable reports whether one of two sizes covers the other.
func (l *layout) comparable(s *slot, size ir.Dim, key string) bool {
	return l.covered(s.size, s.key, size, key) || l.covered(size, key, s.size, s.key)
}

// covered reports whether size d covers e; the keys are their text.
func (l *layout) covered(d ir.Dim, dKey string, e ir.Dim, eKey string) bool {
	if dKey == eKey {
		return true
	}
	pair := [2]string{dKey, eKey}
	covers, known := l.covers[pair]
	if !known {
		covers = d.Covers(e)
		l.covers[pair] = covers
	}
	return covers
}

// free reports whether no buffer of s is needed at the same time as b in any
// timeline.
func (l *layout) free(s *slot, b *ir.Buffer) bool {
	for line, lives := range l.lives {
		span, ok := lives[b]
		if !ok {
			continue
		}
		at := after(s.lives[line], span.first)
		if at > 0 && s.lives[line][at-1].last >= span.first || at < len(s.lives[line]) && s.lives[line][at].first <= span.last {
			return false
		}
	}
	return true
}

// after is the index of the first of the lives that starts after a step.
func after(lives []live, step int) int {
	return sort.Search(len(lives), func(i int) bool { return lives[i].first > step })
}

// A bitset is a set of small numbers.
type bitset []uint64

func (s *bitset) set(k int) {
	for k/64 >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[k/64] |= 1 << (k % 64)
}

func (s bitset) clear(k int) { s[k/64] &^= 1 << (k % 64) }

// next is the first number from k on that is not in the set.
func (s bitset) next(k int) int {
	for ; k/64 < len(s); k = (k/64 + 1) * 64 {
		if free := ^s[k/64] >> (k % 64); free != 0 {
			return k + mathbits.TrailingZeros64(free)
		}
	}
	return k
}
