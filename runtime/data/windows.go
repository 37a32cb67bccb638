package data

import "fmt"

// Windows are the samples of a language model: sample k is the Length tokens
// from k·Stride on, and as targets the tokens one further on. [Batches] draws
// their order, so that it is a function of seed and epoch.
type Windows struct {
	Tokens []int32
	Length int // of a window
	Stride int // from one window to the next; 0 is Length, so that none overlap
}

// Len is the number of windows, each with all of its targets.
func (w Windows) Len() int {
	if w.Length <= 0 || len(w.Tokens) <= w.Length {
		return 0
	}
	return (len(w.Tokens)-1-w.Length)/w.stride() + 1
}

func (w Windows) stride() int {
	if w.Stride == 0 {
		return w.Length
	}
	return w.Stride
}

// Gather copies the windows with these indices to x and their targets to y, both
// [len(indices), Length], row-major, and returns the parts that they fill. It
// panics if x or y is too short or an index is out of range.
func (w Windows) Gather(x, y []int32, indices []int) (inputs, targets []int32) {
	n := w.Length
	inputs, targets = x[:n*len(indices)], y[:n*len(indices)]
	for i, k := range indices {
		if k < 0 || k >= w.Len() {
			panic(fmt.Sprintf("data: Windows: index %d of %d", k, w.Len()))
		}
		from := w.Tokens[k*w.stride():]
		copy(inputs[n*i:][:n], from)
		copy(targets[n*i:][:n], from[1:])
	}
	return inputs, targets
}

// Streams are the batches of a language model that carries its state from one
// batch to the next: the tokens are cut into Rows parts of equal length, and row
// r of batch k goes on where row r of batch k−1 ended. Tokens behind the last
// whole batch are left out.
type Streams struct {
	Tokens []int32
	Rows   int
	Length int // tokens of a row in one batch
}

// Len is the number of batches of one pass over the tokens. Before the next pass
// the model's state has to be reset.
func (s Streams) Len() int {
	if s.Rows <= 0 || s.Length <= 0 {
		return 0
	}
	return max(0, len(s.Tokens)-1) / s.Rows / s.Length
}

// At copies batch k to x and its targets to y, both [Rows, Length], row-major,
// and returns the parts that it fills. It panics if x or y is too short or k out
// of range.
func (s Streams) At(k int, x, y []int32) (inputs, targets []int32) {
	if k < 0 || k >= s.Len() {
		panic(fmt.Sprintf("data: Streams: batch %d of %d", k, s.Len()))
	}
	n := s.Length
	inputs, targets = x[:n*s.Rows], y[:n*s.Rows]
	for r := range s.Rows {
		from := s.Tokens[(r*s.Len()+k)*n:]
		copy(inputs[n*r:][:n], from)
		copy(targets[n*r:][:n], from[1:])
	}
	return inputs, targets
}
