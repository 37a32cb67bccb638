package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// header is what a file says about itself. The entries are in the order of
// their data, which has neither gaps nor overlaps.
type header struct {
	meta    map[string]string
	entries []entry
}

// damaged is an error that wraps ErrDamaged.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// parseHeader reads the header's text and checks all that can be checked
// without knowing what the file is for.
func parseHeader(text []byte) (header, error) {
	h := header{meta: map[string]string{}}
	dec := json.NewDecoder(bytes.NewReader(text))
	err := object(dec, "the header", func(key string) error {
		if key == metadataKey {
			return h.parseMetadata(dec)
		}
		return h.parseEntry(dec, key)
	})
	if err != nil {
		return header{}, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return header{}, damaged("there is text behind the header's object")
	}
	return h, h.checkLayout()
}

// object reads a JSON object and calls member behind each key, to read its
// value. Unlike package json it does not accept a key twice.
func object(dec *json.Decoder, what string, member func(key string) error) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return damaged("%s is no JSON object", what)
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return damaged("%s: %v", what, err)
		}
		key, ok := t.(string)
		if !ok || seen[key] {
			return damaged("%s has %q twice", what, key)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return damaged("%s: %v", what, err)
	}
	return nil
}

func (h *header) parseMetadata(dec *json.Decoder) error {
	return object(dec, metadataKey, func(key string) error {
		t, err := dec.Token()
		s, ok := t.(string)
		if err != nil || !ok {
			return damaged("metadata %q is no string", key)
		}
		h.meta[key] = s
		return nil
	})
}

func (h *header) parseEntry(dec *json.Decoder, name string) error {
	e := entry{name: name}
	var offsets []int
	what := fmt.Sprintf("tensor %q", name)
	err := object(dec, what, func(key string) error {
		var err error
		switch key {
		case "dtype":
			err = dec.Decode(&e.dtype)
		case "shape":
			err = dec.Decode(&e.shape)
		case "data_offsets":
			err = dec.Decode(&offsets)
		default:
			err = fmt.Errorf("unknown key %q", key)
		}
		if err != nil {
			return damaged("%s: %v", what, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if e.dtype == "" || e.shape == nil || len(offsets) != 2 {
		return damaged("%s lacks its dtype, shape or data_offsets", what)
	}
	e.begin, e.end = offsets[0], offsets[1]
	h.entries = append(h.entries, e)
	return nil
}

// checkLayout sorts the entries as their data lies and checks that it is
// without gaps and as long as the shapes need.
func (h *header) checkLayout() error {
	slices.SortFunc(h.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	at := 0
	for _, e := range h.entries {
		if e.begin != at || e.end < e.begin {
			return damaged("tensor %q lies at %d to %d, the one before it ends at %d", e.name, e.begin, e.end, at)
		}
		size, ok := e.size()
		if _, known := widths[e.dtype]; known && (!ok || size != e.end-e.begin) {
			return damaged("tensor %q is %s%v, but has %d bytes", e.name, e.dtype, e.shape, e.end-e.begin)
		}
		at = e.end
	}
	return nil
}
