package picture

import (
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

func TestSheet(t *testing.T) {
	s := NewSheet(2, 1, 8)
	s.Tile(0, 0, []float32{0, 1, 1, 0}, 2, Grey)
	s.Points(1, 0, []float32{0.5, 0.5, 9, 9}, 1, color.Black)
	path := filepath.Join(t.TempDir(), "sheet.png")
	if err := Write(path, s); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}

	// The second element of the first tile is black, the point lies in the
	// upper right of the second cell, the point outside is nowhere.
	for _, at := range []struct{ x, y, want int }{{4, 4, 255}, {9, 4, 0}, {4, 9, 0}, {9, 9, 255}, {22, 5, 0}, {17, 4, 255}} {
		if r, _, _, _ := p.At(at.x, at.y).RGBA(); int(r>>8) != at.want {
			t.Errorf("pixel %d, %d is %d, want %d", at.x, at.y, r>>8, at.want)
		}
	}
}

func TestDiverging(t *testing.T) {
	for v, want := range map[float64]color.RGBA{-1: {0, 0, 255, 255}, 0: {255, 255, 255, 255}, 2: {255, 0, 0, 255}} {
		if got := Diverging(v); got != want {
			t.Errorf("%v is %v, want %v", v, got, want)
		}
	}
}
