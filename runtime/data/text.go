package data

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// ReadText reads a whole text.
func ReadText(r io.Reader, limits ...Limits) (string, error) {
	l := limitsOf(limits)
	return readText(l.limit(r))
}

// ReadTextFile reads a whole file, packed with gzip or not.
func ReadTextFile(path string, limits ...Limits) (string, error) {
	return readFile(path, limitsOf(limits), readText)
}

func readText(r io.Reader) (string, error) {
	var text strings.Builder
	if _, err := io.Copy(&text, r); err != nil {
		return "", fmt.Errorf("data: text: %w", cutOff(err, false))
	}
	return text.String(), nil
}

// Vocabulary numbers the characters of texts: 0 to Len−1, in the order of their
// code points or bytes, so that the numbers follow from the set of characters
// alone. A vocabulary is not changed and may be used by any number of
// goroutines.
type Vocabulary struct {
	symbols []string // sorted
	ascii   [utf8.RuneSelf]int32
	index   map[rune]int32 // of runes beyond ASCII; bytes are no runes here
	bytes   bool
}

// NewVocabulary is the vocabulary of the characters (code points) of a text. A
// text that is not UTF-8 is an error with its place. The vocabulary of
// [Vocabulary.String] is the same one, so that this string is all that has to be
// kept with a model.
func NewVocabulary(text string) (*Vocabulary, error) {
	v := &Vocabulary{index: map[rune]int32{}}
	seen := map[rune]bool{}
	for at, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[at:], string(utf8.RuneError)) {
			return nil, textError(text, at, "the byte %#02x is no UTF-8; Bytes() takes any", text[at])
		}
		seen[r] = true
	}

	var runes []rune
	for r := range seen {
		runes = append(runes, r)
	}
	slices.Sort(runes)
	for i := range v.ascii {
		v.ascii[i] = -1
	}
	for i, r := range runes {
		v.symbols = append(v.symbols, string(r))
		if r < utf8.RuneSelf {
			v.ascii[r] = int32(i)
		} else {
			v.index[r] = int32(i)
		}
	}
	return v, nil
}

// textError is an error at a place of a text: line and column from 1, the column
// in bytes.
func textError(text string, at int, format string, args ...any) error {
	before := text[:at]
	line := 1 + strings.Count(before, "\n")
	column := at - strings.LastIndexByte(before, '\n')
	return fmt.Errorf("data: text: %d:%d: %w", line, column, fmt.Errorf(format, args...))
}

// Bytes is the vocabulary of all 256 bytes: a byte's number is the byte. It takes
// every text, and every sequence of its numbers has one.
func Bytes() *Vocabulary {
	v := &Vocabulary{bytes: true}
	for b := range 256 {
		v.symbols = append(v.symbols, string([]byte{byte(b)}))
	}
	return v
}

// Len is the number of symbols.
func (v *Vocabulary) Len() int { return len(v.symbols) }

// Symbol is the text of a number. It panics if there is none.
func (v *Vocabulary) Symbol(id int32) string { return v.symbols[id] }

// String is all symbols in the order of their numbers.
func (v *Vocabulary) String() string { return strings.Join(v.symbols, "") }

// Encode is the numbers of a text's symbols. A character that is not in the
// vocabulary is an error with its place.
func (v *Vocabulary) Encode(text string) ([]int32, error) {
	if v.bytes {
		ids := make([]int32, len(text))
		for i := range ids {
			ids[i] = int32(text[i])
		}
		return ids, nil
	}

	ids := make([]int32, 0, utf8.RuneCountInString(text))
	for at, r := range text {
		id, ok := v.number(r)
		if !ok || r == utf8.RuneError && !strings.HasPrefix(text[at:], string(utf8.RuneError)) {
			return nil, textError(text, at, "%q is not among the %d characters of the vocabulary; make it of all the text that is used", r, v.Len())
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// number is the number of a character.
func (v *Vocabulary) number(r rune) (int32, bool) {
	if r < utf8.RuneSelf {
		return v.ascii[r], v.ascii[r] >= 0
	}
	id, ok := v.index[r]
	return id, ok
}

// Decode is the text of numbers. A number that the vocabulary has not is an
// error.
func (v *Vocabulary) Decode(ids []int32) (string, error) {
	var text strings.Builder
	for i, id := range ids {
		if id < 0 || int(id) >= v.Len() {
			return "", fmt.Errorf("data: text: number %d is %d, want 0 to %d", i, id, v.Len()-1)
		}
		text.WriteString(v.symbols[id])
	}
	return text.String(), nil
}
