// Package picture draws what examples show: sheets of small images, maps of a
// function of two variables, and points of the plane.
package picture

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"gradgen.dev/runtime/store"
)

// Write writes a picture as PNG, whole or not at all.
func Write(path string, p image.Image) error {
	return store.WriteFile(path, func(w io.Writer) error { return png.Encode(w, p) })
}

// Grey is v from 0 (white) to 1 (black).
func Grey(v float64) color.Color { return color.Gray{Y: uint8(255 - 255*clamp(v))} }

// Diverging is v from -1 (blue) by way of 0 (white) to 1 (red).
func Diverging(v float64) color.Color {
	fade := uint8(255 - 255*clamp(math.Abs(v)))
	if v < 0 {
		return color.RGBA{fade, fade, 255, 255}
	}
	return color.RGBA{255, fade, fade, 255}
}

func clamp(v float64) float64 { return min(max(v, 0), 1) }

// A Sheet is a grid of cells that are drawn separately.
type Sheet struct {
	*image.RGBA
	cell, gap int
}

// NewSheet returns a white sheet for cells of cell by cell pixels.
func NewSheet(columns, rows, cell int) *Sheet {
	const gap = 4
	p := image.NewRGBA(image.Rect(0, 0, columns*(cell+gap)+gap, rows*(cell+gap)+gap))
	for i := range p.Pix {
		p.Pix[i] = 255
	}
	return &Sheet{p, cell, gap}
}

// Tile draws values, rows of width, as one cell, coloured by ink.
func (s *Sheet) Tile(column, row int, values []float32, width int, ink func(float64) color.Color) {
	height := len(values) / width
	left, top := s.gap+column*(s.cell+s.gap), s.gap+row*(s.cell+s.gap)
	for y := range s.cell {
		for x := range s.cell {
			v := values[y*height/s.cell*width+x*width/s.cell]
			s.Set(left+x, top+y, ink(float64(v)))
		}
	}
}

// Points draws points of the square from -reach to reach as one cell; xy is
// pairs of coordinates.
func (s *Sheet) Points(column, row int, xy []float32, reach float64, ink color.Color) {
	left, top := s.gap+column*(s.cell+s.gap), s.gap+row*(s.cell+s.gap)
	at := func(v float32) int { return int((float64(v)/reach + 1) / 2 * float64(s.cell)) }
	for i := 0; i+1 < len(xy); i += 2 {
		x, y := at(xy[i]), s.cell-1-at(xy[i+1])
		for _, d := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
			if px, py := x+d[0], y+d[1]; px >= 0 && py >= 0 && px < s.cell && py < s.cell {
				s.Set(left+px, top+py, ink)
			}
		}
	}
}
