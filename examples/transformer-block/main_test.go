package main

import (
	"slices"
	"strings"
	"testing"
)

// Some of the sentences, once, are enough to be right about most.
func TestRun(t *testing.T) {
	training, test := load()
	var out strings.Builder
	accuracy, err := run(&out, training[:1600], test[:160], 1, 1, []string{"Je ne sais pas."})
	if err != nil {
		t.Fatal(err)
	}
	if accuracy < 0.75 || !strings.Contains(out.String(), "% French: Je ne sais pas.") {
		t.Errorf("accuracy %.3f:\n%s", accuracy, &out)
	}
}

// No sentence is in both parts with its translation in the other, and both
// parts are half English, half French.
func TestLoad(t *testing.T) {
	training, test := load()
	if len(training) != 2560 || len(test) != 640 {
		t.Fatalf("%d and %d sentences", len(training), len(test))
	}
	for _, part := range [][]sentence{training, test} {
		for i, s := range part {
			if s.text == "" || int(s.label) != i%2 {
				t.Fatalf("sentence %d is %q with label %d", i, s.text, s.label)
			}
		}
	}
}

// Small letters, 0 for what is unknown, -1 behind the end, no more than fits.
func TestEncode(t *testing.T) {
	s := alphabet([]sentence{{text: "Aab"}})
	ids := make([]int32, 4)
	s.encode(ids, "bA?")
	if want := []int32{2, 1, 0, -1}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
	s.encode(ids, "bbbbbbb")
	if want := []int32{2, 2, 2, 2}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
}

// Every line names its authors, as the licence of the sentences demands.
func TestAttribution(t *testing.T) {
	for line := range strings.Lines(pairs) {
		fields := strings.Split(line, "\t")
		if len(fields) != 3 || !strings.HasPrefix(fields[2], "CC-BY 2.0 (France) Attribution: tatoeba.org #") {
			t.Fatalf("no attribution: %q", line)
		}
	}
}
