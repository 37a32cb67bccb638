package data_test

import (
	"bytes"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gradgen.dev/runtime/data"
)

// near reports whether two lists differ by no more than a tolerance.
func near(a, b []float32, tolerance float64) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x)-float64(y)) <= tolerance })
}

// picture is a file of PNG.
func picture(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// rows is a picture of pixels.
func rows[C color.Color](width int, pixels ...C) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, len(pixels)/width))
	for i, c := range pixels {
		m.Set(i%width, i/width, c)
	}
	return m
}

func TestReadPicture(t *testing.T) {
	colours := rows(2,
		color.NRGBA{255, 0, 51, 255}, color.NRGBA{0, 102, 0, 255},
		color.NRGBA{0, 0, 0, 255}, color.NRGBA{255, 255, 255, 0}) // transparent
	pixels, shape, err := data.Pictures{}.Read(bytes.NewReader(picture(t, colours)))
	want := []float32{1, 0, 0, 0, 0, 0.4, 0, 0, 0.2, 0, 0, 0}
	if err != nil || !slices.Equal(shape, []int{3, 2, 2}) || !near(pixels, want, 1e-7) {
		t.Errorf("read %v of shape %v, want %v, error %v", pixels, shape, want, err)
	}
	pixels, shape, err = data.Pictures{Grey: true}.Read(bytes.NewReader(picture(t, colours)))
	want = []float32{0.299 + 0.2*0.114, 0.4 * 0.587, 0, 0}
	if err != nil || !slices.Equal(shape, []int{1, 2, 2}) || !near(pixels, want, 1e-7) {
		t.Errorf("in grey, read %v of shape %v, want %v, error %v", pixels, shape, want, err)
	}

	// All of 16 bits.
	deep := image.NewGray16(image.Rect(0, 0, 2, 1))
	deep.SetGray16(0, 0, color.Gray16{Y: 1})
	deep.SetGray16(1, 0, color.Gray16{Y: 65535})
	pixels, _, err = data.Pictures{Grey: true}.Read(bytes.NewReader(picture(t, deep)))
	if err != nil || !near(pixels, []float32{1.0 / 65535, 1}, 1e-7) {
		t.Errorf("of 16 bits, read %v, error %v", pixels, err)
	}

	// The first frame of a GIF lies within the whole.
	palette := color.Palette{color.Black, color.White}
	frame := image.NewPaletted(image.Rect(1, 1, 2, 2), palette)
	frame.SetColorIndex(1, 1, 1)
	var out bytes.Buffer
	moving := &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: 3, Height: 2, ColorModel: palette}}
	if err := gif.EncodeAll(&out, moving); err != nil {
		t.Fatal(err)
	}
	pixels, _, err = data.Pictures{Grey: true}.Read(&out)
	if err != nil || !near(pixels, []float32{0, 0, 0, 0, 1, 0}, 1e-6) {
		t.Errorf("of a GIF, read %v, error %v", pixels, err)
	}
}

// TestCells compares with what Pillow reads of the same files.
func TestCells(t *testing.T) {
	mean := func(x []float32) float64 {
		sum := 0.0
		for _, v := range x {
			sum += float64(v)
		}
		return sum / float64(len(x))
	}
	x, shape, err := data.Pictures{}.ReadFile("testdata/cells.png")
	if err != nil || !slices.Equal(shape, []int{3, 24, 32}) {
		t.Fatalf("the shape is %v, error %v", shape, err)
	}
	if m := mean(x[:768]); math.Abs(m-0.05328329) > 1e-8 || x[3*32+5] != 3.0/255 || x[768+20*32+30] != 4.0/255 {
		t.Errorf("the mean is %v, pixels are %v and %v", m, x[3*32+5], x[768+20*32+30])
	}
	x, _, err = data.Pictures{}.ReadFile("testdata/cells.jpg")
	if m := mean(x[:768]); err != nil || math.Abs(m-0.05333435) > 1e-3 {
		t.Errorf("of the JPEG, the mean is %v, error %v", m, err)
	}
	x, _, err = data.Pictures{Height: 6, Width: 8, Filter: data.Bilinear}.ReadFile("testdata/cells.png")
	if m := mean(x[:48]); err != nil || math.Abs(m-0.054014433) > 1e-7 || math.Abs(float64(x[2*8+3])-0.020653341) > 1e-7 {
		t.Errorf("smaller, the mean is %v, a pixel is %v, error %v", m, x[2*8+3], err)
	}
	if _, _, err := (data.Pictures{}).ReadFile("testdata/six.wav"); err == nil || !strings.Contains(err.Error(), "testdata/six.wav: data: picture: image: unknown format: not a PNG, JPEG or GIF file") {
		t.Errorf("error is %v", err)
	}
}

// header is the beginning of a PNG of a size, without its pixels.
func header(width, height uint32) []byte {
	ihdr := []byte("IHDR\x00\x00\x00\x00\x00\x00\x00\x00\x08\x02\x00\x00\x00")
	for i := range 4 {
		ihdr[4+i], ihdr[8+i] = byte(width>>(24-8*i)), byte(height>>(24-8*i))
	}
	sum := crc32.ChecksumIEEE(ihdr)
	file := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), ihdr...)
	return append(file, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
}

func TestPictureLimits(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := data.Pictures{}.Read(bytes.NewReader(header(100_000, 100_000)))
	runtime.ReadMemStats(&after)
	if !errors.Is(err, data.ErrLimit) || !strings.Contains(err.Error(), "pixels: 10000000000 is more than the limit, Limits.Pixels = 33554432") {
		t.Errorf("error is %v", err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("a picture that is refused takes %d bytes", n)
	}
	for _, c := range []struct {
		pictures data.Pictures
		file     []byte
		want     string
	}{
		{data.Pictures{}, header(8000, 8000), "pixels: 64000000 is more than the limit"},
		{data.Pictures{}, header(4, 4), "cut off"},
		{data.Pictures{}, nil, "not a PNG"},
		{data.Pictures{Height: 4}, header(4, 4), "want both or none"},
		{data.Pictures{Height: -4, Width: -4}, header(4, 4), "want both or none"},
		{data.Pictures{Limits: data.Limits{Bytes: 8}}, header(4, 4), "Limits.Bytes = 8"},
		{data.Pictures{Height: 1 << 20, Width: 1 << 20}, picture(t, rows(1, color.White)), "Limits.Elements"},
	} {
		_, _, err := c.pictures.Read(bytes.NewReader(c.file))
		checkError(t, err, c.want)
	}
}

// TestPictureTooShort: a file that cannot have the pixels that it promises takes no
// memory for them.
func TestPictureTooShort(t *testing.T) {
	progressive := "\xff\xd8\xff\xc2\x00\x11\x08\x13\x88\x13\x88\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00" +
		"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
	for _, c := range []struct{ file, want string }{
		{string(header(5000, 5000)), "the file is cut off: unexpected EOF: 33 bytes of PNG are too few for 5000×5000 pixels, which take 72674 or more"},
		{progressive, "31 bytes of JPEG are too few for 5000×5000 pixels, which take 48828 or more"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := data.Pictures{}.Read(strings.NewReader(c.file))
		runtime.ReadMemStats(&after)
		checkError(t, err, c.want)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error is %v", err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("a picture that is refused takes %d bytes", n)
		}
	}

	// What packs best is read: one colour, in each depth and format.
	rect := image.Rect(0, 0, 1024, 512)
	two := image.NewPaletted(rect, color.Palette{color.Black, color.White})
	for _, m := range []image.Image{image.NewGray(rect), image.NewGray16(rect), image.NewNRGBA(rect), image.NewNRGBA64(rect), two, image.NewYCbCr(rect, image.YCbCrSubsampleRatio420)} {
		var best, photo bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&best, m); err != nil {
			t.Fatal(err)
		}
		if err := jpeg.Encode(&photo, m, &jpeg.Options{Quality: 1}); err != nil {
			t.Fatal(err)
		}
		for _, file := range []*bytes.Buffer{&best, &photo} {
			if _, _, err := (data.Pictures{Grey: true}).Read(file); err != nil {
				t.Errorf("%T: %v", m, err)
			}
		}
	}
}

func TestReadFolder(t *testing.T) {
	white, black := picture(t, rows(2, color.White, color.White)), picture(t, rows(2, color.Black, color.Black))
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, rows(2, color.White, color.White), nil); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, file := range map[string][]byte{
		"white/b.JPG": photo.Bytes(), "white/a.png": white, "black/z.png": black, "white/notes.txt": nil,
		"empty/.png": nil, ".hidden/a.png": nil, "README": nil,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	set, err := data.Pictures{Grey: true}.ReadFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(set.Shape, []int{3, 1, 1, 2}) || !near(set.Data, []float32{0, 0, 1, 1, 1, 1}, 0.01) ||
		!slices.Equal(set.Files, []string{"black/z.png", "white/a.png", "white/b.JPG"}) ||
		!slices.Equal(set.Labels, []int32{0, 1, 1}) || !slices.Equal(set.Classes, []string{"black", "white"}) {
		t.Errorf("read %+v", set)
	}

	flat, err := data.Pictures{Height: 1, Width: 1}.ReadFolder(filepath.Join(dir, "white"))
	if err != nil || !slices.Equal(flat.Shape, []int{2, 3, 1, 1}) || flat.Labels != nil || flat.Classes != nil {
		t.Errorf("read %+v, error %v", flat, err)
	}

	// A folder that is a link is a class too.
	if err := os.Symlink("white", filepath.Join(dir, "alias")); err == nil {
		set, err := data.Pictures{}.ReadFolder(dir)
		if err != nil || !slices.Equal(set.Classes, []string{"alias", "black", "white"}) {
			t.Errorf("read %+v, error %v", set, err)
		}
	}
}

func TestReadFolderErrors(t *testing.T) {
	small, large := picture(t, rows(1, color.White)), picture(t, rows(2, color.White, color.White))
	file := func(content []byte) *fstest.MapFile { return &fstest.MapFile{Data: content} }
	for _, c := range []struct {
		pictures data.Pictures
		fs       fstest.MapFS
		want     string
	}{
		{data.Pictures{}, fstest.MapFS{}, "there is none: want files that end in .png"},
		{data.Pictures{}, fstest.MapFS{"a.png": file(small), "b/c.png": file(small)}, "a.png lies beside the folder b"},
		{data.Pictures{}, fstest.MapFS{"a.png": file(small), "b.png": file(large)}, "b.png: data: picture: 2×1 pixels, where a.png has 1×1; Pictures.Height and Width make them equal"},
		{data.Pictures{}, fstest.MapFS{"c/a.png": file(small[:40])}, "c/a.png: data: picture: the file is cut off"},
		{data.Pictures{Limits: data.Limits{Files: 1}}, fstest.MapFS{"a.png": file(small), "b.png": file(small)}, "files: 2 is more than the limit"},
		{data.Pictures{Limits: data.Limits{Elements: 5}}, fstest.MapFS{"a.png": file(small), "b.png": file(small)}, "Limits.Elements = 5"},
	} {
		_, err := c.pictures.ReadFS(c.fs)
		checkError(t, err, c.want)
	}
	if _, err := (data.Pictures{}).ReadFolder("testdata/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func FuzzReadPicture(f *testing.F) {
	seedFiles(f, ".png")
	seedFiles(f, ".jpg")
	f.Add(header(1<<31-1, 1<<31-1))
	f.Fuzz(func(t *testing.T, file []byte) {
		p := data.Pictures{Height: 5, Width: 3, Filter: data.Bilinear, Limits: data.Limits{Pixels: 1 << 16}}
		pixels, shape, err := p.Read(bytes.NewReader(file))
		if err == nil && (len(pixels) != 45 || !slices.Equal(shape, []int{3, 5, 3})) {
			t.Errorf("%d elements of shape %v", len(pixels), shape)
		}
		for _, v := range pixels {
			if !(v >= 0 && v <= 1.0001) {
				t.Errorf("a pixel is %v", v)
			}
		}
	})
}
