package data

import (
	"image"
	"image/draw"
	"math"
)

// planes is a picture as [channels, height, width].
func planes(m image.Image, width, height int, grey bool) []float32 {
	at := pixels(m, width, height)
	n := width * height
	if grey {
		out := make([]float32, n)
		for i := range out {
			r, g, b := at(i)
			out[i] = float32(0.299*r) + float32(0.587*g) + float32(0.114*b) // rounded, on every machine
		}
		return out
	}
	out := make([]float32, 3*n)
	for i := range n {
		out[i], out[n+i], out[2*n+i] = at(i)
	}
	return out
}

// pixels is a function that gives the i-th pixel of a picture, 0 to 1, with the
// 16 bits of a channel where the picture has so many.
func pixels(m image.Image, width, height int) func(i int) (r, g, b float32) {
	origin := m.Bounds().Min
	switch m.(type) {
	case *image.Gray16, *image.RGBA64, *image.NRGBA64:
		return func(i int) (r, g, b float32) {
			R, G, B, _ := m.At(origin.X+i%width, origin.Y+i/width).RGBA()
			return float32(R) / 0xffff, float32(G) / 0xffff, float32(B) / 0xffff
		}
	}

	// The first frame of a GIF may be smaller than the whole: a frame's place is
	// counted from the picture's corner.
	if _, ok := m.(*image.Paletted); ok {
		origin = image.Point{}
	}
	flat := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(flat, flat.Rect, m, origin, draw.Src)
	return func(i int) (r, g, b float32) {
		p := flat.Pix[4*i : 4*i+3 : 4*i+3]
		return float32(p[0]) / 255, float32(p[1]) / 255, float32(p[2]) / 255
	}
}

// Filter says how the pixels of a picture of another size are made.
type Filter int

const (
	// Box makes each pixel the mean of the area that it covers. Enlarging, it
	// repeats the nearest.
	Box Filter = iota

	// Bilinear weighs the pixels around with a triangle, which is as wide as two
	// pixels of the result where the picture is made smaller, and as two of the
	// picture's own where it is enlarged.
	Bilinear
)

// span is what one pixel of a line is made of: the pixels from first on, with
// weights whose sum is 1.
type span struct {
	first   int
	weights []float32
}

// spans are the spans of a line of to pixels that is made of one of from.
func (f Filter) spans(from, to int) []span {
	scale := float64(from) / float64(to)
	wide := max(scale, 1) // of the filter's unit, in pixels of the picture
	reach := wide / 2
	if f == Bilinear {
		reach = wide
	}

	// Pixel k covers k to k+1, its centre is k + 1/2.
	out := make([]span, to)
	for i := range out {
		centre := (float64(i) + 0.5) * scale
		first := max(0, int(math.Floor(centre-reach)))
		last := min(from-1, int(math.Ceil(centre+reach)))
		weights, sum := make([]float64, 0, last-first+1), 0.0
		for k := first; k <= last; k++ {
			w := f.weight(float64(k), centre, wide)
			weights, sum = append(weights, w), sum+w
		}
		out[i] = span{first, make([]float32, len(weights))}
		for k, w := range weights {
			out[i].weights[k] = float32(w / sum)
		}
	}
	return out
}

// weight is that of pixel k in a result around centre.
func (f Filter) weight(k, centre, wide float64) float64 {
	if f == Bilinear {
		return max(0, 1-math.Abs(k+0.5-centre)/wide)
	}

	// The part of the pixel within the box; enlarged, all of the nearest one.
	if wide == 1 {
		if math.Floor(centre) == k {
			return 1
		}
		return 0
	}
	return max(0, min(k+1, centre+wide/2)-max(k, centre-wide/2))
}

// resize makes [channels, height, width] of a picture of another size: along the
// lines and across them, first in the direction that leaves less. Products are
// rounded, so that no machine fuses them with the sums and makes other pictures.
func (f Filter) resize(in []float32, channels, fromHeight, fromWidth, height, width int) []float32 {
	columns, rows := f.spans(fromWidth, width), f.spans(fromHeight, height)
	if fromHeight*width <= fromWidth*height {
		return resizeColumns(resizeLines(in, fromWidth, columns), fromHeight, width, rows)
	}
	return resizeLines(resizeColumns(in, fromHeight, fromWidth, rows), fromWidth, columns)
}

// resizeLines makes each line of width pixels one of as many as there are spans.
func resizeLines(in []float32, width int, spans []span) []float32 {
	out := make([]float32, 0, len(in)/width*len(spans))
	for ; len(in) > 0; in = in[width:] {
		for _, s := range spans {
			sum := float32(0)
			for k, w := range s.weights {
				sum += float32(w * in[s.first+k])
			}
			out = append(out, sum)
		}
	}
	return out
}

// resizeColumns makes of each plane [height, width] one of as many lines as
// there are spans.
func resizeColumns(in []float32, height, width int, spans []span) []float32 {
	out := make([]float32, len(in)/height*len(spans))
	to := out
	for ; len(in) > 0; in = in[height*width:] {
		for _, s := range spans {
			for k, w := range s.weights {
				for j, v := range in[(s.first+k)*width:][:width] {
					to[j] += float32(w * v)
				}
			}
			to = to[width:]
		}
	}
	return out
}
