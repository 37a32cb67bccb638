package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"

	"gradgen.dev/runtime/fault"
)

// maxHeader is the longest header that is read, as in the reference
// implementation.
const maxHeader = 100_000_000

// Read fills tensors from a safetensors file and returns its metadata. The
// file has to hold these tensors, with these types and shapes, and no others.
//
// The error wraps [fault.ErrMismatch] if the file is of another model, and says
// which tensor differs; it wraps [ErrDamaged] if the file is none, is cut off, or
// is not what its checksum says where it has one; it wraps [ErrVersion] if it is
// of a later version. After an error nothing in tensors has changed.
func Read(r io.Reader, tensors ...Tensor) (meta map[string]string, err error) {
	f, err := openExactly(r, tensors)
	if err != nil {
		return nil, err
	}
	if err := f.fill(r); err != nil {
		return nil, err
	}
	return f.meta, nil
}

// ReadChecked is [Read] for a file of [WriteChecked]: one without a checksum is
// damaged.
func ReadChecked(r io.Reader, tensors ...Tensor) (meta map[string]string, err error) {
	f, err := openExactly(r, tensors)
	if err != nil {
		return nil, err
	}
	if f.sum == nil {
		return nil, fmt.Errorf("store: %w", damaged("there is no checksum"))
	}
	if err := f.fill(r); err != nil {
		return nil, err
	}
	return f.meta, nil
}

// ReadPartial fills those tensors that the file has, for transfer learning.
// rename maps a name in the file to the model's (nil keeps names, "" leaves the
// tensor out). The results name what the file lacks and, as the file names them,
// what was not used, both sorted. A tensor that is there in another type or
// shape is an error that wraps [fault.ErrMismatch]; after an error nothing has
// changed.
func ReadPartial(r io.Reader, rename func(string) string, tensors ...Tensor) (missing, unused []string, err error) {
	f, err := open(r)
	if err != nil {
		return nil, nil, err
	}
	if missing, unused, err = f.matchTensors(rename, tensors); err != nil {
		return nil, nil, err
	}
	if err := f.fill(r); err != nil {
		return nil, nil, err
	}
	return missing, unused, nil
}

// file is a file whose header has been read.
type file struct {
	header
	text    []byte         // of the header
	matched map[int]string // the name asked for of each entry that is wanted, by the entry's index
	into    map[string]Tensor

	sum  hash.Hash64 // of what has been read, nil if the file has no checksum
	want string      // the sum that the file says
}

// open reads and checks the header.
func open(r io.Reader) (*file, error) {
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, cutOff(err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return nil, fmt.Errorf("store: %w", damaged("a header of %d bytes is none", n))
	}

	// A length may lie: memory grows with what is really there.
	var text bytes.Buffer
	if _, err := io.CopyN(&text, r, int64(n)); err != nil {
		return nil, cutOff(err)
	}
	return newFile(text.Bytes())
}

// newFile reads the text of a header.
func newFile(text []byte) (*file, error) {
	h, err := parseHeader(text)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	f := &file{header: h, text: text}
	if err := f.takeSeal(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return f, nil
}

// openExactly is open for a file that has to hold tensors and nothing else.
func openExactly(r io.Reader, tensors []Tensor) (*file, error) {
	f, err := open(r)
	if err != nil {
		return nil, err
	}
	missing, unused, err := f.matchTensors(nil, tensors)
	if err != nil {
		return nil, err
	}
	return f, mismatch(missing, unused)
}

// cutOff is the error of a read that failed: damaged where the file just ended.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = damaged("it is cut off")
	}
	return fmt.Errorf("store: %w", err)
}

// matchTensors finds the entry of each tensor, for fill.
func (f *file) matchTensors(rename func(string) string, tensors []Tensor) (missing, unused []string, err error) {
	wanted := make([]entry, len(tensors))
	f.into = map[string]Tensor{}
	for i, t := range tensors {
		if t, err = t.sized(f.entries); err != nil {
			return nil, nil, err
		}
		if wanted[i], err = t.entry(); err != nil {
			return nil, nil, err
		}
		f.into[t.Name] = t
	}
	return f.match(rename, wanted)
}

// match finds the file's entry of each one that is wanted, of which name, type
// and shape are given.
func (f *file) match(rename func(string) string, list []entry) (missing, unused []string, err error) {
	wanted := map[string]entry{}
	for _, e := range list {
		if _, twice := wanted[e.name]; twice {
			return nil, nil, fmt.Errorf("store: tensor %q is asked for twice", e.name)
		}
		wanted[e.name] = e
	}

	// Each entry goes to one of its type and shape, or is unused.
	f.matched = map[int]string{}
	for i, e := range f.entries {
		name := e.name
		if rename != nil {
			name = rename(name)
		}
		want, ok := wanted[name]
		if !ok {
			unused = append(unused, e.name)
			continue
		}
		delete(wanted, name)
		if e.dtype != want.dtype || !slices.Equal(e.shape, want.shape) {
			return nil, nil, fmt.Errorf("store: %w: tensor %q is %s%v, want %s%v",
				fault.ErrMismatch, e.name, e.dtype, e.shape, want.dtype, want.shape)
		}
		f.matched[i] = name
	}
	missing = slices.Sorted(maps.Keys(wanted))
	slices.Sort(unused)
	return missing, unused, nil
}

// mismatch is the error of a file that lacks tensors or has others, nil if it
// does not.
func mismatch(missing, extra []string) error {
	if len(missing)+len(extra) == 0 {
		return nil
	}
	var parts []string
	if len(missing) > 0 {
		parts = append(parts, "it lacks "+names(missing))
	}
	if len(extra) > 0 {
		parts = append(parts, "it has "+names(extra)+", which the model has not")
	}
	return fmt.Errorf("store: %w: %s", fault.ErrMismatch, strings.Join(parts, "; "))
}

// names lists the first few of a list of tensors.
func names(list []string) string {
	const most = 4
	var out []string
	for _, s := range list[:min(len(list), most)] {
		out = append(out, fmt.Sprintf("%q", s))
	}
	if more := len(list) - most; more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return strings.Join(out, ", ")
}

// fill reads the data to the file's end and, when all of it is there and right,
// decodes it into the tensors.
func (f *file) fill(r io.Reader) error {
	if f.sum != nil {
		r = io.TeeReader(r, f.sum)
	}
	raw := map[string][]byte{}
	for i, e := range f.entries {
		name, ok := f.matched[i]
		if !ok {
			if _, err := io.CopyN(io.Discard, r, int64(e.end-e.begin)); err != nil {
				return cutOff(err)
			}
			continue
		}

		// As large as the caller's tensor, whatever the file says.
		raw[name] = make([]byte, e.end-e.begin)
		if _, err := io.ReadFull(r, raw[name]); err != nil {
			return cutOff(err)
		}
		if err := e.checkBools(raw[name]); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		if err := f.into[name].checkBound(raw[name]); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	if err := f.checkSum(); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for name, content := range raw {
		f.into[name].decode(content)
	}
	return nil
}

// checkBools refuses a bool that is neither 0 nor 1.
func (e entry) checkBools(raw []byte) error {
	if e.dtype == "BOOL" && slices.ContainsFunc(raw, func(b byte) bool { return b > 1 }) {
		return damaged("tensor %q has a bool that is neither 0 nor 1", e.name)
	}
	return nil
}
