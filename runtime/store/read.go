package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
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
// which tensor differs; it wraps [ErrDamaged] if the file is none or cut off.
// After an error nothing in tensors has changed.
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

// ReadChecked is [Read] for a file of [WriteChecked]. A file without a checksum,
// or with another one than its content has, is damaged.
func ReadChecked(r io.Reader, tensors ...Tensor) (meta map[string]string, err error) {
	f, err := openExactly(r, tensors)
	if err != nil {
		return nil, err
	}
	want, ok := f.meta[checksumKey]
	if !ok {
		return nil, fmt.Errorf("store: %w", damaged("there is no checksum"))
	}
	delete(f.meta, checksumKey)

	// The sum was made over the header with zeros in the sum's place.
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(f.text))))
	sum.Write(setChecksum(f.text, want, unchecked))
	f.check = func() error {
		if got := fmt.Sprintf("%016x", sum.Sum64()); got != want {
			return damaged("the checksum is %s, the file says %s", got, want)
		}
		return nil
	}
	if err := f.fill(io.TeeReader(r, sum)); err != nil {
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
	if missing, unused, err = f.match(rename, tensors); err != nil {
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
	text  []byte         // of the header
	into  map[int]Tensor // where the data of an entry goes, by the entry's index
	check func() error   // called when all has been read, before anything changes
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
	h, err := parseHeader(text.Bytes())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return &file{header: h, text: text.Bytes()}, nil
}

// openExactly is open for a file that has to hold tensors and nothing else.
func openExactly(r io.Reader, tensors []Tensor) (*file, error) {
	f, err := open(r)
	if err != nil {
		return nil, err
	}
	missing, unused, err := f.match(nil, tensors)
	if err != nil {
		return nil, err
	}
	if len(missing)+len(unused) > 0 {
		return nil, mismatch(missing, unused)
	}
	return f, nil
}

// cutOff is the error of a read that failed: damaged where the file just ended.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = damaged("it is cut off")
	}
	return fmt.Errorf("store: %w", err)
}

// match finds the entry of each tensor.
func (f *file) match(rename func(string) string, tensors []Tensor) (missing, unused []string, err error) {
	wanted := map[string]Tensor{}
	for _, t := range tensors {
		if _, twice := wanted[t.Name]; twice {
			return nil, nil, fmt.Errorf("store: tensor %q is asked for twice", t.Name)
		}
		wanted[t.Name] = t
	}

	// Each entry goes to a tensor of its type and shape, or is unused.
	f.into = map[int]Tensor{}
	for i, e := range f.entries {
		name := e.name
		if rename != nil {
			name = rename(name)
		}
		t, ok := wanted[name]
		if !ok {
			unused = append(unused, e.name)
			continue
		}
		delete(wanted, name)
		want, err := t.entry()
		if err != nil {
			return nil, nil, err
		}
		if e.dtype != want.dtype || !slices.Equal(e.shape, want.shape) {
			return nil, nil, fmt.Errorf("store: %w: tensor %q is %s%v, want %s%v",
				fault.ErrMismatch, e.name, e.dtype, e.shape, want.dtype, want.shape)
		}
		f.into[i] = t
	}
	for name := range wanted {
		missing = append(missing, name)
	}
	slices.Sort(missing)
	slices.Sort(unused)
	return missing, unused, nil
}

// mismatch is the error of a file that lacks tensors or has others.
func mismatch(missing, extra []string) error {
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

// fill reads the data to the file's end and, when all of it is there, decodes
// it into the tensors.
func (f *file) fill(r io.Reader) error {
	raw := map[int][]byte{}
	for i, e := range f.entries {
		t, ok := f.into[i]
		if !ok {
			if _, err := io.CopyN(io.Discard, r, int64(e.end-e.begin)); err != nil {
				return cutOff(err)
			}
			continue
		}
		raw[i] = make([]byte, e.end-e.begin)
		if _, err := io.ReadFull(r, raw[i]); err != nil {
			return cutOff(err)
		}
		if !t.valid(raw[i]) {
			return fmt.Errorf("store: %w", damaged("tensor %q has a bool that is neither 0 nor 1", e.name))
		}
	}
	if f.check != nil {
		if err := f.check(); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	for i, t := range f.into {
		t.decode(raw[i])
	}
	return nil
}
