package codegen_test

import (
	"strings"
	"testing"

	"gradgen.dev/codegen"
)

// TestRedraw: the emitted test of a model that divides by what it counts draws
// until its loss is finite, a few times; others draw once.
func TestRedraw(t *testing.T) {
	const model = "package q model Q { input x [B, 4] input m [B, T]bool param w [] = 1 loss %s train sgd(lr: 0.1) }"
	for _, c := range []struct {
		loss string
		want bool
	}{
		{"mean(w*x) * sum(where(m, 1, 0)) / sum(float(m))", true},
		{"mean(w*x) + mean(where(m, w, 0))", false},
	} {
		files := generateText(t, "q.dnn", []byte(strings.Replace(model, "%s", c.loss, 1)), codegen.Options{Package: "q", Source: "q.dnn", Tests: true})
		var text string
		for _, f := range files {
			if strings.HasSuffix(f.Name, "_test.go") {
				text = string(f.Data)
			}
		}
		if draws := strings.Contains(text, "qDraw(dims, draw)"); draws != c.want {
			t.Errorf("%s: it draws again: %v; want %v", c.loss, draws, c.want)
		}
		// A row that is not all of the mask's has both, whatever is drawn.
		if want := "(i/dims.T < 2 || i%dims.T < 2) && (i/dims.T+i%dims.T)%2 == 0"; !strings.Contains(text, want) {
			t.Errorf("%s: the mask is not drawn by %s", c.loss, want)
		}
	}
}
