package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the formats that package image can read
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Pictures says how pictures are read: PNG, JPEG and GIF (the first frame), and
// what else is registered with package image. They become
// [channels, Height, Width], row-major, from 0 (black) to 1. Values are those of
// the file, without a correction for gamma; what is transparent lies on black;
// the orientation that a camera may note is not looked at.
type Pictures struct {
	Height, Width int    // 0 is the size of the first picture, which the others then have to have
	Grey          bool   // one channel, 0.299·R + 0.587·G + 0.114·B (ITU-R BT.601), instead of three
	Filter        Filter // for pictures of another size
	Limits        Limits
}

// PictureSet is a folder of pictures.
type PictureSet struct {
	Shape   []int     // [pictures, channels, height, width]
	Data    []float32 // row-major
	Files   []string  // of the pictures, sorted, separated by slashes
	Labels  []int32   // of the pictures, indices of Classes; nil for a folder without classes
	Classes []string  // names of folders, sorted
}

// channels is the number of values of a pixel.
func (p Pictures) channels() int {
	if p.Grey {
		return 1
	}
	return 3
}

// Read reads one picture, to the end of r. The result is
// [channels, height, width], as shape says.
//
// The size is read first. A picture of more than Limits.Pixels is an error before it
// is decoded, and so is a PNG or JPEG that is too short for the pixels it promises.
func (p Pictures) Read(r io.Reader) (pixels []float32, shape []int, err error) {
	if p.Height < 0 || p.Width < 0 || (p.Height == 0) != (p.Width == 0) {
		return nil, nil, fmt.Errorf("data: picture: a height of %d and a width of %d, want both or none", p.Height, p.Width)
	}
	l := limitsOf([]Limits{p.Limits})
	m, width, height, err := decodePicture(l.limit(r), l)
	if err != nil {
		return nil, nil, fmt.Errorf("data: picture: %w", err)
	}
	shape = []int{p.channels(), height, width}
	if p.Height > 0 {
		shape[1], shape[2] = p.Height, p.Width
	}
	if _, err := l.elements(shape); err != nil {
		return nil, nil, fmt.Errorf("data: picture: %w", err)
	}

	pixels = planes(m, width, height, p.Grey)
	if p.Height > 0 && (p.Height != height || p.Width != width) {
		pixels = p.Filter.resize(pixels, shape[0], height, width, p.Height, p.Width)
	}
	return pixels, shape, nil
}

// decodePicture decodes a picture whose size is within limits.
func decodePicture(r io.Reader, l Limits) (m image.Image, width, height int, err error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, 0, cutOff(err, false)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(content))
	switch {
	case errors.Is(err, image.ErrFormat):
		return nil, 0, 0, fmt.Errorf("%w: not a PNG, JPEG or GIF file, nor another registered with package image", err)
	case err != nil:
		return nil, 0, 0, cutOff(err, true)
	case config.Width <= 0 || config.Height <= 0:
		return nil, 0, 0, fmt.Errorf("a picture of %d×%d pixels", config.Width, config.Height)
	}
	if err := atMost("Pixels", int64(config.Width)*int64(config.Height), int64(l.Pixels)); err != nil {
		return nil, 0, 0, err
	}
	if least := leastBytes(format, content, config.Width, config.Height); int64(len(content)) < least {
		return nil, 0, 0, fmt.Errorf("%w: %d bytes of %s are too few for %d×%d pixels, which take %d or more",
			cutOff(io.EOF, true), len(content), strings.ToUpper(format), config.Width, config.Height, least)
	}
	if m, _, err = image.Decode(bytes.NewReader(content)); err != nil {
		return nil, 0, 0, cutOff(err, true)
	}
	return m, config.Width, config.Height, nil
}

// leastBytes is a number of bytes that every file of a format with so many pixels
// has, given the file's beginning; 0 where none is known.
func leastBytes(format string, content []byte, width, height int) int64 {
	pixels := int64(width) * int64(height)
	switch format {
	case "png":
		// Two bits of deflate (RFC 1951) are a copy of at most 258 bytes. IHDR, which
		// is first, has the bits of a channel and the type of colour.
		channels := []int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
		return pixels * int64(content[24]) * channels[content[25]] / 8 / (258 * 8 / 2)
	case "jpeg":
		// A block of 8×8 pixels takes a Huffman code of one bit or more for its mean.
		return pixels / 64 / 8
	}
	return 0
}

// ReadFile reads the picture in a file.
func (p Pictures) ReadFile(name string) (pixels []float32, shape []int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if pixels, shape, err = p.Read(f); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return pixels, shape, nil
}

// ReadFolder reads a folder of pictures, or one with a folder of pictures for
// each class. Pictures are the files that end in .png, .jpg, .jpeg or .gif, in
// small or capital letters; other files, and names that begin with a dot, are
// passed over. A picture that cannot be read is an error that names it.
func (p Pictures) ReadFolder(dir string) (*PictureSet, error) {
	set, err := p.ReadFS(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return set, nil
}

// ReadFS is [Pictures.ReadFolder] for the root of a file system, such as an
// embedded one.
func (p Pictures) ReadFS(fsys fs.FS) (*PictureSet, error) {
	l := limitsOf([]Limits{p.Limits})
	set, err := listPictures(fsys, l)
	if err != nil {
		return nil, err
	}
	for _, name := range set.Files {
		pixels, shape, err := p.readFrom(fsys, name)
		if err != nil {
			return nil, err
		}

		// The first picture may decide on the size.
		if set.Shape == nil {
			set.Shape = append([]int{len(set.Files)}, shape...)
			if _, err := l.elements(set.Shape); err != nil {
				return nil, fmt.Errorf("data: pictures: %w", err)
			}
		}
		if !slices.Equal(shape, set.Shape[1:]) {
			return nil, fmt.Errorf("%s: data: picture: %d×%d pixels, where %s has %d×%d; Pictures.Height and Width make them equal",
				name, shape[2], shape[1], set.Files[0], set.Shape[3], set.Shape[2])
		}
		set.Data = append(set.Data, pixels...)
	}
	return set, nil
}

// readFrom reads a picture of a file system.
func (p Pictures) readFrom(fsys fs.FS, name string) ([]float32, []int, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	pixels, shape, err := p.Read(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return pixels, shape, nil
}

// listPictures finds the files and their classes.
func listPictures(fsys fs.FS, l Limits) (*PictureSet, error) {
	files, folders, err := listFolder(fsys, ".")
	if err != nil {
		return nil, err
	}
	set := &PictureSet{Files: files}
	if len(files) > 0 && len(folders) > 0 {
		return nil, fmt.Errorf("data: pictures: %s lies beside the folder %s: want pictures alone, or a folder for each class", files[0], folders[0])
	}

	for _, folder := range folders {
		files, _, err := listFolder(fsys, folder)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			continue // no class
		}
		for range files {
			set.Labels = append(set.Labels, int32(len(set.Classes)))
		}
		set.Files = append(set.Files, files...)
		set.Classes = append(set.Classes, folder)
	}
	if len(set.Files) == 0 {
		return nil, errors.New("data: pictures: there is none: want files that end in .png, .jpg, .jpeg or .gif, or a folder of them for each class")
	}
	if err := atMost("Files", len(set.Files), l.Files); err != nil {
		return nil, fmt.Errorf("data: pictures: %w", err)
	}
	return set, nil
}

// listFolder lists the pictures and the folders of a folder, both sorted.
func listFolder(fsys fs.FS, folder string) (files, folders []string, err error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		isFolder := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := fs.Stat(fsys, name)
			if err != nil {
				return nil, nil, err
			}
			isFolder = info.IsDir()
		}
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case isFolder:
			folders = append(folders, name)
		case slices.Contains([]string{".png", ".jpg", ".jpeg", ".gif"}, strings.ToLower(path.Ext(name))):
			files = append(files, name)
		}
	}
	return files, folders, nil
}
