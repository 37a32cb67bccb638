package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// metadataKey is the header's key that is no tensor.
const metadataKey = "__metadata__"

// entry is a tensor's line in the header. Its data is at begin to end, counted
// in bytes from the end of the header.
type entry struct {
	name       string
	dtype      string
	shape      []int
	begin, end int
}

// size is the number of bytes that dtype and shape need; ok is false where that
// is not known, negative, or beyond an int.
func (e entry) size() (n int, ok bool) {
	width, known := widths[e.dtype]
	total, overflow := uint64(width), uint64(0)
	for _, d := range e.shape {
		if d < 0 {
			return 0, false
		}
		var hi uint64
		hi, total = bits.Mul64(total, uint64(d))
		overflow |= hi
	}
	return int(total), known && overflow == 0 && total <= math.MaxInt
}

// layout gives each entry its place, one after the other.
func layout(entries []entry) error {
	at := 0
	for i := range entries {
		size, _ := entries[i].size()
		if size > math.MaxInt-at {
			return fmt.Errorf("store: the tensors are too large for one file")
		}
		entries[i].begin, entries[i].end = at, at+size
		at += size
	}
	return nil
}

// formatHeader is the header's text, padded to a multiple of 8 bytes.
func formatHeader(meta map[string]string, entries []entry) ([]byte, error) {
	seen := map[string]bool{metadataKey: true}
	var items []string

	// Metadata first, sorted.
	if len(meta) > 0 {
		var pairs []string
		for _, k := range slices.Sorted(maps.Keys(meta)) {
			if !utf8.ValidString(k) || !utf8.ValidString(meta[k]) {
				return nil, fmt.Errorf("store: metadata %q is not UTF-8", k)
			}
			pairs = append(pairs, quote(k)+":"+quote(meta[k]))
		}
		items = append(items, quote(metadataKey)+":{"+strings.Join(pairs, ",")+"}")
	}

	// Then the tensors as they lie in the file.
	for _, e := range entries {
		if seen[e.name] || !utf8.ValidString(e.name) {
			return nil, fmt.Errorf("store: tensor %q: the name is taken or not UTF-8", e.name)
		}
		seen[e.name] = true
		items = append(items, fmt.Sprintf(`%s:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`,
			quote(e.name), e.dtype, list(e.shape), e.begin, e.end))
	}

	text := []byte("{" + strings.Join(items, ",") + "}")
	return append(text, bytes.Repeat([]byte{' '}, (8-len(text)%8)%8)...), nil
}

// quote is s as a JSON string.
func quote(s string) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("store: a string has no JSON form: " + err.Error())
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// list is shape as a JSON array.
func list(shape []int) string {
	var parts []string
	for _, d := range shape {
		parts = append(parts, strconv.Itoa(d))
	}
	return "[" + strings.Join(parts, ",") + "]"
}
