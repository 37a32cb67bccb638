package passes

import (
	"errors"
	"strings"
	"testing"

	"gradgen.dev/dsl"
)

// TestWorkLimit compiles short programs that grow without an end: derivatives
// of derivatives, and loops in loops. Each ends in an error that names the limit
// and what reaches it.
func TestWorkLimit(t *testing.T) {
	const most = 20_000
	for what, text := range map[string]string{
		"function f": `
export fn f(x []) [] {
    y = sin(x)*exp(x)*tanh(x)
    for i in 0..30 { y = grad(y, x) }
    return y
}
`,
		"function g": `
export fn g(x []) [] {
    for i in 0..40 { for j in 0..40 { x = x*x + x/(1 + x*x) } }
    return x
}
derive value, grad(x)
`,
		"model M": `
model M {
    input x [B]
    param w [] = ones
    h = x
    for i in 0..500 { h = sin(w*h) + h }
    loss mean(h)
    train sgd(lr: 0.1)
}
`,
	} {
		t.Run(what, func(t *testing.T) {
			file, syntax := dsl.Parse("m.dnn", []byte(text))
			program, meaning := dsl.Elaborate(file, dsl.Options{})
			for _, d := range append(syntax, meaning...) {
				t.Fatal(d)
			}
			_, err := compile(program, most)
			var e *Error
			if !errors.As(err, &e) || e.Code != "work-limit" || !strings.HasPrefix(e.Message, what+",") || !strings.Contains(e.Message, "limit of 20000 operations") {
				t.Errorf("got %v, want a work-limit error of %s", err, what)
			}
			if e != nil && !strings.HasPrefix(e.Pos, "m.dnn:") {
				t.Errorf("the error is at %q", e.Pos)
			}
		})
	}
}
