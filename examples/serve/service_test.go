package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"gradgen.dev/examples/internal/digits"
)

// TestUnderLoad asks from many goroutines while the service trains and swaps
// weights; the race detector watches when it is on. Every answer must be of one
// version: the same as its weights give alone.
func TestUnderLoad(t *testing.T) {
	training, test, err := digits.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := newService(training, 1)
	server := httptest.NewServer(s.handler())
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	trained := make(chan error, 1)
	go func() { trained <- s.train(ctx, 5, 1) }()

	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for k := range 20 {
				from := (g*20 + k) % (test.Len() - 3)
				q := question{}
				for i := range 3 {
					q.Pictures = append(q.Pictures, test.Images[(from+i)*digits.Pixels:][:digits.Pixels])
				}
				a, err := s.answer(q)
				if err != nil || len(a.Digits) != 3 {
					t.Errorf("%v, %d digits", err, len(a.Digits))
					return
				}
				for i, p := range a.Probabilities {
					if !(p >= 0.1 && p <= 1) {
						t.Errorf("digit %d has probability %v, and it is the most probable of ten", a.Digits[i], p)
					}
				}
			}
			var out strings.Builder
			if err := askAbout(&out, server.URL, test); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	// It learns: ask until the newest weights are right about most.
	for s.newest.Load().steps < 400 && len(trained) == 0 {
		if _, err := http.Get(server.URL + "/status"); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-trained; err != nil {
		t.Fatal(err)
	}
	right := 0
	for i := range test.Len() {
		a, err := s.answer(question{Pictures: [][]float32{test.Images[i*digits.Pixels:][:digits.Pixels]}})
		if err != nil {
			t.Fatal(err)
		}
		if a.Digits[0] == test.Labels[i] {
			right++
		}
	}
	if right < test.Len()*8/10 {
		t.Errorf("%d of %d right", right, test.Len())
	}
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
