package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// A chart is well-formed XML, and its first and last points lie in the corners
// that their values ask for; a single epoch and no epoch can be drawn too.
func TestWriteSVG(t *testing.T) {
	for _, y := range [][]float64{{2, 1}, {0.5}, {}} {
		var b strings.Builder
		if err := writeSVG(&b, []chart{{title: "loss", curves: []curve{{name: "training", colour: "blue", y: y}}}}); err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(strings.NewReader(b.String()))
		var err error
		for err == nil {
			_, err = d.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%v: %v\n%s", y, err, &b)
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("%v: a coordinate is not finite:\n%s", y, &b)
		}
		if len(y) == 2 && !strings.Contains(b.String(), `points="60.0,30.0 620.0,200.0 "`) {
			t.Errorf("the curve does not go from corner to corner:\n%s", &b)
		}
	}
}
