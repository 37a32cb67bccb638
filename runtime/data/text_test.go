package data_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gradgen.dev/runtime/data"
)

// verse is the beginning of The Tragedy of Coriolanus.
const verse = `First Citizen:
Before we proceed any further, hear me speak.

All:
Speak, speak.
`

func TestVocabulary(t *testing.T) {
	v, err := data.NewVocabulary(verse + "é→é")
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n ,.:ABCFSacdefhiklmnoprstuwyz" + "é→"; v.String() != want || v.Len() != utf8.RuneCountInString(want) {
		t.Errorf("the vocabulary is %q, want %q", v, want)
	}
	if v.Symbol(5) != "A" || v.Symbol(int32(v.Len()-1)) != "→" {
		t.Errorf("symbols are %q and %q", v.Symbol(5), v.Symbol(int32(v.Len()-1)))
	}
	ids, err := v.Encode("\n é→")
	if err != nil || !slices.Equal(ids, []int32{0, 1, int32(v.Len()) - 2, int32(v.Len()) - 1}) {
		t.Errorf("encoded as %v, error %v", ids, err)
	}
	_, err = v.Encode("Speak,\nspeäk")
	checkError(t, err, `data: text: 2:4: 'ä' is not among the`)
	_, err = v.Encode("x")
	checkError(t, err, `1:1: 'x' is not among the`)
	_, err = v.Decode([]int32{0, int32(v.Len())})
	checkError(t, err, "number 1 is 32, want 0 to 31")
	_, err = v.Decode([]int32{-1})
	checkError(t, err, "number 0 is -1")

	// The symbols are all that has to be kept.
	again, err := data.NewVocabulary(v.String())
	if err != nil {
		t.Fatal(err)
	}
	a, _ := v.Encode(verse)
	if b, err := again.Encode(verse); err != nil || !slices.Equal(a, b) {
		t.Errorf("from its symbols, the vocabulary encodes as %v, error %v", b, err)
	}
	if text, err := v.Decode(a); err != nil || text != verse {
		t.Errorf("decoded as %q, error %v", text, err)
	}
}

func TestVocabularyBytes(t *testing.T) {
	_, err := data.NewVocabulary("ok\n a\xff")
	checkError(t, err, "2:3: the byte 0xff is no UTF-8; Bytes() takes any")
	if _, err := data.NewVocabulary("\ufffd"); err != nil {
		t.Errorf("the replacement character: %v", err)
	}
	v, err := data.NewVocabulary("\ufffd")
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Encode("\xff")
	checkError(t, err, "1:1")

	b := data.Bytes()
	ids, err := b.Encode("a\xff\x00")
	if err != nil || !slices.Equal(ids, []int32{'a', 255, 0}) || b.Len() != 256 {
		t.Errorf("encoded as %v, error %v", ids, err)
	}
	if text, err := b.Decode(ids); err != nil || text != "a\xff\x00" {
		t.Errorf("decoded as %q, error %v", text, err)
	}
}

func TestReadText(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, verse)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "verse.gz")
	if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := data.ReadTextFile(path); err != nil || text != verse {
		t.Errorf("read %q, error %v", text, err)
	}
	if text, err := data.ReadText(strings.NewReader(verse), data.Limits{Bytes: int64(len(verse))}); err != nil || text != verse {
		t.Errorf("read %q, error %v", text, err)
	}
	if _, err := data.ReadTextFile(path, data.Limits{Bytes: int64(len(verse)) - 1}); !errors.Is(err, data.ErrLimit) {
		t.Errorf("one byte too many: error is %v", err)
	}
}

func TestWindows(t *testing.T) {
	tokens := []int32{0, 1, 2, 3, 4, 5, 6, 7, 8}
	for _, c := range []struct{ n, length, stride, want int }{
		{9, 4, 0, 2}, {8, 4, 0, 1}, {4, 4, 0, 0}, {5, 4, 0, 1}, {0, 4, 0, 0}, {9, 0, 0, 0}, {9, 4, 1, 5}, {9, 1, 3, 3}, {9, 8, 8, 1},
	} {
		w := data.Windows{Tokens: tokens[:c.n], Length: c.length, Stride: c.stride}
		if w.Len() != c.want {
			t.Errorf("%+v: %d windows", c, w.Len())
		}
	}
	w := data.Windows{Tokens: tokens, Length: 3, Stride: 2}
	x, y := w.Gather(make([]int32, 10), make([]int32, 10), []int{2, 0})
	if !slices.Equal(x, []int32{4, 5, 6, 0, 1, 2}) || !slices.Equal(y, []int32{5, 6, 7, 1, 2, 3}) {
		t.Errorf("gathered %v and %v", x, y)
	}
	for _, k := range []int{-1, 3} {
		checkPanic(t, "an index out of range", func() { w.Gather(x, y, []int{k}) })
	}
	checkPanic(t, "too little room", func() { w.Gather(make([]int32, 2), y, []int{0}) })
}

func TestStreams(t *testing.T) {
	s := data.Streams{Tokens: []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, Rows: 2, Length: 3}
	if s.Len() != 2 {
		t.Fatalf("%d batches", s.Len())
	}
	x, y := make([]int32, 6), make([]int32, 6)
	for k, want := range [][]int32{{0, 1, 2, 6, 7, 8}, {3, 4, 5, 9, 10, 11}} {
		s.At(k, x, y)
		if !slices.Equal(x, want) {
			t.Errorf("batch %d is %v, want %v", k, x, want)
		}
		for i := range y {
			if y[i] != x[i]+1 {
				t.Errorf("batch %d has targets %v", k, y)
			}
		}
	}
	checkPanic(t, "a batch out of range", func() { s.At(2, x, y) })

	// The last target is the last token.
	if s.Tokens = s.Tokens[:13]; s.Len() != 2 {
		t.Errorf("of 13 tokens, %d batches", s.Len())
	}
	s.At(1, x, y)
	if s.Tokens = s.Tokens[:12]; s.Len() != 1 || y[5] != 12 {
		t.Errorf("of 12 tokens, %d batches", s.Len())
	}
	for _, none := range []data.Streams{{}, {Rows: 1}, {Length: 1}, {Rows: 1, Length: 1}} {
		if none.Len() != 0 {
			t.Errorf("%+v has %d batches", none, none.Len())
		}
	}
}

// checkPanic verifies that f panics.
func checkPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s does not panic", what)
		}
	}()
	f()
}

// FuzzReadTextFile: a file that is not packed is read as it is, and one that is
// packed stops at the limit.
func FuzzReadTextFile(f *testing.F) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(make([]byte, 1<<12)); err != nil {
		f.Fatal(err)
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(packed.Bytes())
	f.Add(packed.Bytes()[:20])
	f.Add([]byte(verse))
	path := filepath.Join(f.TempDir(), "text")
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		const limit = 1 << 10
		text, err := data.ReadTextFile(path, data.Limits{Bytes: limit})
		isPacked := bytes.HasPrefix(file, []byte("\x1f\x8b"))
		switch {
		case len(text) > limit:
			t.Errorf("%d bytes were read, the limit is %d", len(text), limit)
		case isPacked:
		case err == nil && text != string(file), err != nil && len(file) <= limit:
			t.Errorf("of %q was read %q, error %v", file, text, err)
		}
	})
}

func FuzzVocabulary(f *testing.F) {
	f.Add(verse)
	f.Add("é→\ufffd\x00")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := data.NewVocabulary(text)
		if err != nil {
			if utf8.ValidString(text) {
				t.Errorf("%q: %v", text, err)
			}
			v = data.Bytes()
		}
		ids, err := v.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Decode(ids); err != nil || got != text {
			t.Errorf("%q becomes %q, error %v", text, got, err)
		}
	})
}
