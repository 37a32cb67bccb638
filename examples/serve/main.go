// Command serve is an HTTP service that classifies pictures of digits while it
// trains on. New weights take the place of the old ones between two requests.
//
//	go run ./examples/serve &
//	curl -s localhost:8080/status
//	go run ./examples/serve -ask localhost:8080
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"gradgen.dev/examples/internal/digits"
)

func main() {
	log.SetFlags(0)
	address := flag.String("listen", "localhost:8080", "where to serve")
	ask := flag.String("ask", "", "ask the service at this address to classify test pictures, and end")
	every := flag.Uint64("every", 100, "updates from one version of the weights to the next")
	seed := flag.Uint64("seed", 1, "of the initial weights, dropout, and the order of samples")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	training, test, err := digits.Load()
	switch {
	case err != nil:
	case *ask != "":
		err = askAbout(os.Stdout, "http://"+*ask, test)
	default:
		err = serve(ctx, *address, training, *every, *seed)
	}
	if err != nil {
		log.Fatal("serve: ", err)
	}
}

// serve trains and answers until ctx ends.
func serve(ctx context.Context, address string, training *digits.Set, every, seed uint64) error {
	s := newService(training, seed)
	server := &http.Server{Addr: address, Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	// Whichever fails ends the other.
	failed := make(chan error, 2)
	go func() { failed <- s.train(ctx, max(every, 1)); cancel() }()
	go func() { failed <- server.ListenAndServe(); cancel() }()
	log.Printf("serving on http://%s", address)
	<-ctx.Done()
	grace, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	err := server.Shutdown(grace)
	for range 2 {
		if e := <-failed; e != nil && !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// askAbout asks a service about twenty test pictures and prints what it says.
func askAbout(w io.Writer, url string, test *digits.Set) error {
	var q question
	for i := range 20 {
		q.Pictures = append(q.Pictures, test.Images[i*digits.Pixels:][:digits.Pixels])
	}
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	response, err := http.Post(url+"/predict", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("%s: %s", response.Status, text)
	}
	var a answer
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return err
	}
	right := 0
	for i, d := range a.Digits {
		if d == test.Labels[i] {
			right++
		}
	}
	fmt.Fprintf(w, "said %v\ntrue %v\n%d of %d right, by weights of %d updates\n", a.Digits, test.Labels[:20], right, len(a.Digits), a.Steps)
	return nil
}
