package main

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gradgen.dev/examples/internal/digits"
)

// Load of the test.
const (
	clients   = 8
	questions = 20 // of each client
	pictures  = 3  // of a question
)

// ask is the question about pictures of a set, from one on.
func ask(set *digits.Set, from int) question {
	var q question
	for i := range pictures {
		q.Pictures = append(q.Pictures, set.Images[(from+i)*digits.Pixels:][:digits.Pixels])
	}
	return q
}

// A said is what was answered about the pictures from one on.
type said struct {
	from   int
	answer answer
}

// TestUnderLoad asks from many goroutines while the service trains and swaps
// weights; the race detector watches when it is on. Every answer is then
// compared with that of a second service, which makes as many updates from the
// same seed and is asked by nobody else: both must agree bit for bit.
func TestUnderLoad(t *testing.T) {
	training, test, err := digits.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := newService(training, 1)
	server := httptest.NewServer(s.handler())
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	trained := make(chan error, 1)
	go func() { trained <- s.train(ctx, 5) }()

	all := load(t, s, server.URL, test)
	for s.newest.Load().steps < 400 && len(trained) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-trained; err != nil {
		t.Fatal(err)
	}
	replay(t, training, test, all)
	if right := count(t, s, test); right < test.Len()*8/10 {
		t.Errorf("%d of %d right", right, test.Len())
	}
}

// load asks from all clients at once, directly and over HTTP.
func load(t *testing.T, s *service, url string, test *digits.Set) []said {
	var wg sync.WaitGroup
	heard := make([][]said, clients)
	for c := range clients {
		wg.Go(func() {
			for k := range questions {
				from := (c*questions + k) % (test.Len() - pictures)
				a, err := s.answer(ask(test, from))
				if err != nil {
					t.Error(err)
					return
				}
				heard[c] = append(heard[c], said{from, a})
			}
			var out strings.Builder
			if err := askAbout(&out, url, test); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return slices.Concat(heard...)
}

// replay makes the updates again and compares the answers.
func replay(t *testing.T, training, test *digits.Set, all []said) {
	slices.SortFunc(all, func(a, b said) int { return cmp.Compare(a.answer.Steps, b.answer.Steps) })
	alone := newService(training, 1)
	for _, heard := range all {
		for alone.model.Steps() < heard.answer.Steps {
			if err := alone.update(); err != nil {
				t.Fatal(err)
			}
		}
		alone.publish()
		want, err := alone.answer(ask(test, heard.from))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(heard.answer, want) {
			t.Errorf("pictures from %d on: %+v, alone %+v", heard.from, heard.answer, want)
		}
	}
}

// count is how many pictures of a set the newest weights are right about.
func count(t *testing.T, s *service, set *digits.Set) int {
	right := 0
	for i, label := range set.Labels {
		a, err := s.answer(question{Pictures: [][]float32{set.Images[i*digits.Pixels:][:digits.Pixels]}})
		if err != nil {
			t.Fatal(err)
		}
		if a.Digits[0] == label {
			right++
		}
	}
	return right
}

// TestBadRequests gives errors, not answers.
func TestBadRequests(t *testing.T) {
	training, _, err := digits.Load()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newService(training, 1).handler())
	defer server.Close()
	for _, body := range []string{`{`, `{"pictures": [[1, 2]]}`, `{"pictures": [` + strings.Repeat(zeros()+",", limit) + zeros() + `]}`} {
		response, err := http.Post(server.URL+"/predict", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%.40s: %s", body, response.Status)
		}
	}
}

// zeros is an empty picture.
func zeros() string { return "[" + strings.Repeat("0,", digits.Pixels-1) + "0]" }
