package dsl

import "strings"

// suggest is the candidate that a misspelt name is nearest to, empty where none is
// near: more than a third of its characters would have to change. Of equally near
// ones it is the first.
func suggest(name string, candidates []string) string {
	best, least := "", (len([]rune(name))+2)/3+1
	for _, c := range candidates {
		if d := editDistance(name, c); d < least && c != name {
			best, least = c, d
		}
	}
	return best
}

// didYouMean is the end of a message that proposes the nearest candidate, empty
// where none is near.
func didYouMean(name string, candidates []string) string { return question(suggest(name, candidates)) }

// question is the end of a message that proposes a name, empty for none.
func question(name string) string {
	if name == "" {
		return ""
	}
	return "; did you mean " + name + "?"
}

// editDistance counts the insertions, deletions, replacements and exchanges of
// neighbours that lead from a to b, case aside (optimal string alignment; Wagner
// and Fischer 1974, with transpositions after Damerau 1964).
func editDistance(a, b string) int {
	s, t := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	var before, row, next []int
	for j := range len(t) + 1 {
		row = append(row, j)
	}
	before, next = make([]int, len(row)), make([]int, len(row))

	// row[j] is the distance from s[:i] to t[:j].
	for i := range s {
		next[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(t)]
}

// orList joins words as `a, b or c`.
func orList(words []string) string { return joined(words, "or") }

// joined joins words with a conjunction before the last.
func joined(words []string, conjunction string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
