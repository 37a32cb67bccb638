package random

import "slices"

// shrink makes a model smaller as long as fails says that it still fails the
// same way: it leaves out statements from the last to the first, lists'
// elements, and puts simpler statements in. It gives up after tries calls.
func shrink(m *model, fails func(*model) bool, tries int) *model {
	try := func(smaller *model) bool {
		if tries == 0 || smaller == nil {
			return false
		}
		tries--
		if !fails(smaller) {
			return false
		}
		m = smaller
		return true
	}
	for again := true; again; {
		again = false
		for i := len(m.body) - 1; i >= 0; i-- {
			if i < len(m.body) && try(m.without(i)) {
				again = true
			}
		}
		for i := range m.body {
			for _, s := range m.body[i].simpler {
				smaller := m.clone()
				smaller.body[i] = s
				if try(smaller) {
					again = true
					break
				}
			}
		}
		for _, part := range parts {
			for i := part.count(m) - 1; i >= 0; i-- {
				smaller := m.clone()
				part.drop(smaller, i)
				if try(smaller) {
					again = true
				}
			}
		}
	}
	return m
}

// A part is a list of a model whose elements can be left out one by one.
type part struct {
	count func(*model) int
	drop  func(*model, int)
}

var parts = []part{
	{func(m *model) int { return len(m.outputs) }, func(m *model, i int) { m.outputs = slices.Delete(m.outputs, i, i+1) }},
	{func(m *model) int { return len(m.metrics) }, func(m *model, i int) { m.metrics = slices.Delete(m.metrics, i, i+1) }},
	{func(m *model) int { return len(m.exports) }, func(m *model, i int) { m.exports = slices.Delete(m.exports, i, i+1) }},
	{func(m *model) int { return count(m, terms) }, func(m *model, i int) { drop(m, terms, i) }},
	{func(m *model) int { return count(m, lines) }, func(m *model, i int) { drop(m, lines, i) }},
}

// terms and lines are the lists of an objective; a loss keeps one term.
func terms(o *objective) *[]string { return &o.terms }
func lines(o *objective) *[]string { return &o.block }

func count(m *model, of func(*objective) *[]string) int {
	n := 0
	for i := range m.losses {
		n += len(*of(&m.losses[i]))
	}
	return n
}

// drop leaves out element i, counted over all losses.
func drop(m *model, of func(*objective) *[]string, i int) {
	for k := range m.losses {
		list := of(&m.losses[k])
		if i >= len(*list) {
			i -= len(*list)
			continue
		}
		*list = slices.Delete(*list, i, i+1)
		if o := &m.losses[k]; len(o.terms) == 0 && !m.compose {
			o.terms = []string{"mean(x^2)"}
		}
		return
	}
}
