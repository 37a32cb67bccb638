package data

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// NPZ is an archive of NumPy arrays, as savez and savez_compressed make it: a
// zip file of NPY files.
type NPZ struct {
	Names []string // of the arrays, as they lie in the archive

	files  map[string]*zip.File
	limits Limits
	path   string    // "" where it is not known
	file   io.Closer // nil where it is the caller's
}

// NewNPZ reads the directory of an archive of size bytes. The limit on bytes
// holds for all arrays together, unpacked, and is checked against the directory
// before anything is unpacked; an array that then has more than the directory
// says is an error.
func NewNPZ(r io.ReaderAt, size int64, limits ...Limits) (*NPZ, error) {
	l := limitsOf(limits)
	if err := atMost("Bytes", size, l.Bytes); err != nil {
		return nil, fmt.Errorf("data: NPZ: %w", err)
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("data: NPZ: %w", err)
	}
	if err := atMost("Files", len(z.File), l.Files); err != nil {
		return nil, fmt.Errorf("data: NPZ: %w", err)
	}

	// The names without their ending, each once.
	archive := &NPZ{files: map[string]*zip.File{}, limits: l}
	left := uint64(l.Bytes)
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		switch {
		case !ok:
			return nil, fmt.Errorf("data: NPZ: the archive has %q, want names that end in .npy", f.Name)
		case archive.files[name] != nil:
			return nil, fmt.Errorf("data: NPZ: the archive has %q twice", f.Name)
		case f.UncompressedSize64 > left:
			return nil, fmt.Errorf("data: NPZ: what the archive unpacks to is %w, Limits.Bytes = %d", ErrLimit, l.Bytes)
		}
		left -= f.UncompressedSize64
		archive.Names = append(archive.Names, name)
		archive.files[name] = f
	}
	return archive, nil
}

// OpenNPZ opens an archive, which the caller has to close.
func OpenNPZ(path string, limits ...Limits) (*NPZ, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var z *NPZ
		if z, err = NewNPZ(f, info.Size(), limits...); err == nil {
			z.path, z.file = path, f
			return z, nil
		}
	}
	f.Close()
	return nil, fmt.Errorf("%s: %w", path, err)
}

// Close closes the file of [OpenNPZ].
func (z *NPZ) Close() error {
	if z.file == nil {
		return nil
	}
	return z.file.Close()
}

// ReadNPZArray reads the array with a name, converted to T as [ReadNPY] does.
func ReadNPZArray[T Element](z *NPZ, name string) (*Array[T], error) {
	a, err := readNPZArray[T](z, name)
	switch {
	case err != nil && z.path != "":
		return nil, fmt.Errorf("%s: data: NPZ: array %q: %w", z.path, name, err)
	case err != nil:
		return nil, fmt.Errorf("data: NPZ: array %q: %w", name, err)
	}
	return a, nil
}

func readNPZArray[T Element](z *NPZ, name string) (*Array[T], error) {
	f := z.files[name]
	if f == nil {
		return nil, fmt.Errorf("there is none; the archive has %s", listNames(z.Names))
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()

	// The checksum is compared where the file ends.
	a, err := readNPY[T](r, z.limits)
	if err != nil {
		return nil, err
	}
	switch _, err := io.ReadFull(r, make([]byte, 1)); {
	case err == nil:
		return nil, errors.New("there are bytes behind the array")
	case err != io.EOF:
		return nil, cutOff(err, false)
	}
	return a, nil
}

// NPZWriter writes an archive of NumPy arrays. The same arrays give the same
// bytes. After the last array it has to be closed.
type NPZWriter struct {
	z     *zip.Writer
	names map[string]bool
	how   uint16
}

// NewNPZWriter begins an archive, packed as savez_compressed does or not as
// savez does. Close ends it and leaves w open.
func NewNPZWriter(w io.Writer, packed bool) *NPZWriter {
	how := zip.Store
	if packed {
		how = zip.Deflate
	}
	return &NPZWriter{zip.NewWriter(w), map[string]bool{}, how}
}

// Close writes the directory of the archive.
func (w *NPZWriter) Close() error { return w.z.Close() }

// WriteNPZArray adds an array to an archive.
func WriteNPZArray[T Element](w *NPZWriter, name string, a *Array[T]) error {
	if name == "" || w.names[name] {
		return fmt.Errorf("data: NPZ: the name %q is empty or taken", name)
	}
	f, err := w.z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: w.how})
	if err != nil {
		return fmt.Errorf("data: NPZ: %w", err)
	}
	w.names[name] = true
	return WriteNPY(f, a)
}

// listNames lists the first few of a list of names, for a message.
func listNames(names []string) string {
	const most = 8
	if len(names) == 0 {
		return "nothing"
	}
	var out []string
	for _, s := range names[:min(len(names), most)] {
		out = append(out, fmt.Sprintf("%q", abridge(s)))
	}
	if more := len(names) - most; more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return strings.Join(out, ", ")
}
