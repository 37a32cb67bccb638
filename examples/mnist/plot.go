package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"gradgen.dev/runtime/store"
	"gradgen.dev/runtime/train"
)

// plot draws loss and accuracy of each epoch.
func plot(path string, history []train.Epoch) error {
	var charts []chart
	for _, name := range []string{"loss", "accuracy"} {
		c := chart{title: name, curves: []curve{{name: "training", colour: "steelblue"}, {name: "held out", colour: "darkorange"}}}
		for _, e := range history {
			training, _ := e.Training.Get(name)
			held, _ := e.Evaluation.Get(name)
			c.curves[0].y = append(c.curves[0].y, training)
			c.curves[1].y = append(c.curves[1].y, held)
		}
		charts = append(charts, c)
	}
	return store.WriteFile(path, func(w io.Writer) error { return writeSVG(w, charts) })
}

// A curve is one line of a chart: a value at the end of each epoch.
type curve struct {
	name, colour string
	y            []float64
}

// A chart is curves over the same epochs, 1, 2, ….
type chart struct {
	title  string
	curves []curve
}

// Sizes of a chart, in pixels.
const (
	plotWidth  = 640
	plotHeight = 240
	marginLeft = 60
	marginTop  = 30
	marginEnd  = 20 // right, and below the axis' labels
	labelRoom  = 20
)

// writeSVG draws charts below one another.
func writeSVG(w io.Writer, charts []chart) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		plotWidth, plotHeight*len(charts))
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	for i, c := range charts {
		fmt.Fprintf(&b, `<g transform="translate(0 %d)">`+"\n", i*plotHeight)
		c.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// draw draws title, axes and curves.
func (c chart) draw(b *strings.Builder) {
	lo, hi, epochs := c.bounds()
	left, right := float64(marginLeft), float64(plotWidth-marginEnd)
	top, bottom := float64(marginTop), float64(plotHeight-marginEnd-labelRoom)
	x := func(epoch int) float64 { return left + (right-left)*float64(epoch-1)/math.Max(float64(epochs-1), 1) }
	y := func(v float64) float64 { return bottom - (bottom-top)*(v-lo)/(hi-lo) }

	// Horizontal lines with their values.
	const lines = 4
	for i := range lines + 1 {
		v := lo + (hi-lo)*float64(i)/lines
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#ddd"/>`, left, y(v), right)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="end">%.4g</text>`+"\n", left-6, y(v)+4, v)
	}
	for _, epoch := range []int{1, epochs} {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%d</text>`+"\n", x(epoch), bottom+16, epoch)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">epoch</text>`+"\n", (left+right)/2, bottom+16)

	// Curves, and their names beside the title.
	fmt.Fprintf(b, `<text x="%.1f" y="18" font-weight="bold">%s</text>`+"\n", left, c.title)
	for i, s := range c.curves {
		fmt.Fprintf(b, `<text x="%.1f" y="18" fill="%s">%s</text>`+"\n", left+90+110*float64(i), s.colour, s.name)
		fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="1.5" points="`, s.colour)
		for k, v := range s.y {
			fmt.Fprintf(b, "%.1f,%.1f ", x(k+1), y(v))
		}
		b.WriteString(`"/>` + "\n")
	}
}

// bounds is the range of the values, never empty, and the number of epochs.
func (c chart) bounds() (lo, hi float64, epochs int) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, s := range c.curves {
		epochs = max(epochs, len(s.y))
		for _, v := range s.y {
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	switch {
	case lo > hi:
		return 0, 1, epochs
	case lo == hi:
		return lo - 0.5, hi + 0.5, epochs
	}
	return lo, hi, epochs
}
