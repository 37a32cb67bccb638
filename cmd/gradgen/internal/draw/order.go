package draw

import (
	"math"
	"slices"
	"sort"
)

// sweeps is how often the layers are put in order, down and up in turn.
const sweeps = 24

// arrange orders the cells of each layer so that few hops cross, by sweeps of
// barycentres and exchanges of neighbours, and then gives them their places.
func (l *level) arrange() {
	l.number()
	best, fewest := l.orders(), l.crossings()
	for i := range sweeps {
		if i%2 == 0 {
			for r := 1; r < len(l.layers); r++ {
				l.sweep(r, r-1)
			}
		} else {
			for r := len(l.layers) - 2; r >= 0; r-- {
				l.sweep(r, r+1)
			}
		}
		l.exchange()
		if n := l.crossings(); n < fewest {
			best, fewest = l.orders(), n
		}
	}
	l.layers = best
	l.number()
	l.columns()
}

// number notes the place of each cell in its layer.
func (l *level) number() {
	for _, layer := range l.layers {
		for i, c := range layer {
			c.order = i
		}
	}
}

func (l *level) orders() [][]*cell {
	out := make([][]*cell, len(l.layers))
	for i, layer := range l.layers {
		out[i] = slices.Clone(layer)
	}
	return out
}

// between is the hops between two layers next to each other.
func (l *level) between(r, s int) []hop { return l.hops[min(r, s)] }

// position is where in the order of its layer a hop leaves or enters a cell.
func (h hop) position(upper bool) float64 {
	c := h.to
	if upper {
		c = h.from
	}
	offset := 0.0
	if c.w > 0 {
		offset = c.portX(h.net.value, upper) / c.w
	}
	return float64(c.order) + 0.9*offset
}

// sweep orders layer r by the barycentres of its neighbours in layer s. Cells
// without neighbours keep their places.
func (l *level) sweep(r, s int) {
	sum, count := map[*cell]float64{}, map[*cell]float64{}
	for _, h := range l.between(r, s) {
		c := h.to
		if r < s {
			c = h.from
		}
		sum[c] += h.position(s < r)
		count[c]++
	}
	key := func(c *cell) float64 {
		if count[c] == 0 {
			return float64(c.order)
		}
		return sum[c] / count[c]
	}
	sort.SliceStable(l.layers[r], func(i, j int) bool { return key(l.layers[r][i]) < key(l.layers[r][j]) })
	for i, c := range l.layers[r] {
		c.order = i
	}
}

// exchange exchanges neighbours in a layer where that takes crossings away.
func (l *level) exchange() {
	for r, layer := range l.layers {
		for i := 0; i+1 < len(layer); i++ {
			before := l.crossingsAt(r)
			l.swap(layer, i)
			if l.crossingsAt(r) >= before {
				l.swap(layer, i)
			}
		}
	}
}

func (l *level) swap(layer []*cell, i int) {
	layer[i], layer[i+1] = layer[i+1], layer[i]
	layer[i].order, layer[i+1].order = i, i+1
}

// crossingsAt is the crossings above and below a layer.
func (l *level) crossingsAt(r int) int {
	n := crossings(l.hops[r])
	if r > 0 {
		n += crossings(l.hops[r-1])
	}
	return n
}

func (l *level) crossings() int {
	n := 0
	for _, hops := range l.hops {
		n += crossings(hops)
	}
	return n
}

// crossings is how many pairs of hops cross; those of one net do not count.
func crossings(hops []hop) int {
	n := 0
	for i, a := range hops {
		for _, b := range hops[:i] {
			if a.net == b.net {
				continue
			}
			if (a.position(true)-b.position(true))*(a.position(false)-b.position(false)) < 0 {
				n++
			}
		}
	}
	return n
}

// columns gives cells their places from left to right: near those that they are
// joined with, in order, and apart.
func (l *level) columns() {
	for _, layer := range l.layers {
		x := 0.0
		for _, c := range layer {
			c.x = x + c.w/2
			x += c.w + columnGap
		}
	}
	for i := range sweeps {
		if i%2 == 0 {
			for r := 1; r < len(l.layers); r++ {
				l.settle(r, true, i == sweeps-2)
			}
		} else {
			for r := len(l.layers) - 2; r >= 0; r-- {
				l.settle(r, false, i == sweeps-1)
			}
		}
	}
}

// settle moves the cells of a layer to where the hops above them, or below them,
// are straight, as far as their order allows. In the end both count.
func (l *level) settle(r int, down, both bool) {
	sum, weight := map[*cell]float64{}, map[*cell]float64{}
	pull := func(c *cell, x float64, w float64) {
		sum[c] += w * x
		weight[c] += w
	}
	if r > 0 && (down || both) {
		for _, h := range l.hops[r-1] {
			pull(h.to, h.from.x+h.from.portX(h.net.value, true)-h.to.portX(h.net.value, false), h.stiffness())
		}
	}
	if r+1 < len(l.layers) && (!down || both) {
		for _, h := range l.hops[r] {
			pull(h.from, h.to.x+h.to.portX(h.net.value, false)-h.from.portX(h.net.value, true), h.stiffness())
		}
	}
	want, weights := make([]float64, len(l.layers[r])), make([]float64, len(l.layers[r]))
	for i, c := range l.layers[r] {
		want[i], weights[i] = c.x, 0.01
		if weight[c] > 0 {
			want[i], weights[i] = sum[c]/weight[c], weight[c]
		}
	}
	spread(l.layers[r], want, weights)
}

// stiffness is how much a hop resists being slanted: long edges most.
func (h hop) stiffness() float64 {
	switch {
	case h.from.net != nil && h.to.net != nil:
		return 8
	case h.from.net != nil || h.to.net != nil:
		return 2
	}
	return 1
}

// spread places cells as near as they can be to where they are wanted, in least
// squares, in their order and without overlap: isotonic regression by pooling
// of what violates the order.
func spread(layer []*cell, want, weights []float64) {
	type block struct{ sum, weight, value, n float64 }
	offset := make([]float64, len(layer)) // of each cell behind the first, closely packed
	for i := 1; i < len(layer); i++ {
		offset[i] = offset[i-1] + (layer[i-1].w+layer[i].w)/2 + gapBetween(layer[i-1], layer[i])
	}
	var blocks []block
	for i := range layer {
		b := block{sum: weights[i] * (want[i] - offset[i]), weight: weights[i], n: 1}
		b.value = b.sum / b.weight
		for len(blocks) > 0 && blocks[len(blocks)-1].value > b.value {
			last := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			b = block{sum: b.sum + last.sum, weight: b.weight + last.weight, n: b.n + last.n}
			b.value = b.sum / b.weight
		}
		blocks = append(blocks, b)
	}
	i := 0
	for _, b := range blocks {
		for range int(math.Round(b.n)) {
			layer[i].x = b.value + offset[i]
			i++
		}
	}
}

// gapBetween is the room between two cells: bends are close to each other.
func gapBetween(a, b *cell) float64 {
	if a.net != nil && b.net != nil {
		return columnGap / 2
	}
	return columnGap
}
