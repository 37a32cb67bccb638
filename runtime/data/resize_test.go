package data

import (
	"math"
	"slices"
	"testing"
)

// plane is an irregular picture of height × width.
func plane(height, width int) []float32 {
	var out []float32
	for i := range height {
		for j := range width {
			out = append(out, float32((7*i*i+13*j*j*j+5*i*j)%17)/16)
		}
	}
	return out
}

// TestResizeBilinear compares with Pillow 12, mode F, Image.BILINEAR.
func TestResizeBilinear(t *testing.T) {
	for _, c := range []struct {
		height, width int
		want          []float32 // from the beginning
	}{
		{2, 3, []float32{0.411932, 0.586898, 0.483360, 0.504667, 0.390876, 0.419034}},
		{8, 10, []float32{
			0.000000, 0.446875, 0.640625, 0.159375, 0.490625, 0.796875, 0.981250, 0.718750, 0.428125, 0.187500,
			0.191406, 0.457813, 0.538086, 0.152539, 0.579492, 0.818750, 0.796680, 0.629883, 0.434961, 0.269531,
			0.453125, 0.461719, 0.396484, 0.194141, 0.674805, 0.818359, 0.584375, 0.507812, 0.433008, 0.375000}},
		{8, 3, []float32{
			0.375000, 0.632353, 0.549107, 0.384766, 0.632353, 0.513951, 0.401228, 0.624540, 0.466239,
			0.440290, 0.546415, 0.441127, 0.491908, 0.429228, 0.428571, 0.556083, 0.272978, 0.428571,
			0.514788, 0.362822, 0.408482, 0.477679, 0.444853, 0.392857}},
	} {
		got := Bilinear.resize(plane(5, 7), 1, 5, 7, c.height, c.width)
		if len(got) != c.height*c.width || !close32(got[:len(c.want)], c.want, 1e-6) {
			t.Errorf("%d×%d: made %v, want %v", c.height, c.width, got, c.want)
		}
	}
}

// close32 reports whether two lists differ by no more than a tolerance.
func close32(a, b []float32, tolerance float64) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) <= tolerance })
}

func TestResizeBox(t *testing.T) {
	// By a whole factor, means of blocks, as Pillow makes them.
	want := []float32{0.4375, 0.484375, 0.671875, 0.453125, 0.421875, 0.53125}
	if got := Box.resize(plane(4, 6), 1, 4, 6, 2, 3); !close32(got, want, 1e-6) {
		t.Errorf("made %v, want %v", got, want)
	}

	// By any factor, means of areas: two of three pixels in one half.
	if got, want := Box.resize([]float32{3, 6, 9}, 1, 1, 3, 1, 2), []float32{4, 8}; !close32(got, want, 1e-6) {
		t.Errorf("made %v, want %v", got, want)
	}

	// Enlarged, the nearest pixel.
	if got, want := Box.resize([]float32{1, 2}, 1, 1, 2, 1, 5), []float32{1, 1, 2, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("made %v, want %v", got, want)
	}
}

// TestResizeProperties: of every size, a constant stays, planes are kept apart,
// and both orders of the two passes agree.
func TestResizeProperties(t *testing.T) {
	for _, f := range []Filter{Box, Bilinear} {
		for height := 1; height < 9; height++ {
			for width := 1; width < 9; width++ {
				in := append(plane(5, 7), slices.Repeat([]float32{0.5}, 35)...)
				got := f.resize(in, 2, 5, 7, height, width)
				n := height * width
				if !close32(got[n:], slices.Repeat([]float32{0.5}, n), 1e-6) {
					t.Errorf("filter %v, %d×%d: a constant becomes %v", f, height, width, got[n:])
				}
				columns, rows := f.spans(7, width), f.spans(5, height)
				a := resizeColumns(resizeLines(in, 7, columns), 5, width, rows)
				b := resizeLines(resizeColumns(in, 5, 7, rows), 7, columns)
				if !close32(a, b, 1e-6) || !close32(a, got, 1e-6) {
					t.Errorf("filter %v, %d×%d: made %v and %v", f, height, width, a, b)
				}
			}
		}
	}
}
