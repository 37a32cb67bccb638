package main

import (
	_ "embed"
	"sort"
	"strings"

	"gradgen.dev/runtime/rng"
)

// length is the characters of a sentence that are read; the model has the same
// number, and room for symbolCount symbols.
const (
	length      = 48
	symbolCount = 64
)

//go:embed sentences.tsv
var pairs string

// A sentence is text in one of the two languages.
type sentence struct {
	text  string
	label int32 // 0 English, 1 French
}

// load is the sentences to train on and those to test with: both halves of a
// pair are in the same part.
func load() (training, test []sentence) {
	lines := strings.Split(strings.TrimSpace(pairs), "\n")
	order := make([]int, len(lines))
	rng.Shuffle(order, 1, 0)
	for i, k := range order {
		fields := strings.Split(lines[k], "\t")
		both := []sentence{{fields[0], 0}, {fields[1], 1}}
		if i < len(lines)/5 {
			test = append(test, both...)
		} else {
			training = append(training, both...)
		}
	}
	return training, test
}

// symbols numbers the most frequent characters, lower case; 0 is all others.
type symbols map[rune]int32

// alphabet is the symbols of sentences.
func alphabet(sentences []sentence) symbols {
	count := map[rune]int{}
	for _, s := range sentences {
		for _, r := range strings.ToLower(s.text) {
			count[r]++
		}
	}
	var runes []rune
	for r := range count {
		runes = append(runes, r)
	}
	sort.Slice(runes, func(a, b int) bool {
		if count[runes[a]] != count[runes[b]] {
			return count[runes[a]] > count[runes[b]]
		}
		return runes[a] < runes[b]
	})
	out := symbols{}
	for i, r := range runes[:min(len(runes), symbolCount-1)] {
		out[r] = int32(i + 1)
	}
	return out
}

// encode sets ids to the symbols of text, and to -1 behind its end.
func (s symbols) encode(ids []int32, text string) {
	i := 0
	for _, r := range strings.ToLower(text) {
		if i == len(ids) {
			return
		}
		ids[i] = s[r]
		i++
	}
	for ; i < len(ids); i++ {
		ids[i] = -1
	}
}
