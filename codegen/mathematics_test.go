package codegen_test

import (
	"strings"
	"testing"

	"gradgen.dev/codegen"
)

// normed is a program whose procedures give one name to values of different
// shapes, and whose values take each other's memory.
const normed = `package normed

model Net {
    input x [B, T, 4]
    h = relu(layer_norm(x) as first)
    y = dense(layer_norm(h * x) as second, 4)
    output y
    loss mean(y^2)
    train sgd(lr: 0.1)
    export fn apart(z [N, 5, 3]) = softmax(exp(z) - mean(exp(z), axis: 2, keep: true))
}

export fn spread(a [N, 3]) [] = sum(exp(a - mean(a, axis: 1, keep: true))^2)
    derive grad(a)

`

// The shape behind a formula is that of the value that it sets, whatever else
// has its name or its memory.
func TestShapesOfFormulas(t *testing.T) {
	files := generateText(t, "normed.dnn", []byte(normed), codegen.Options{Package: "normed", Source: "normed.dnn"})
	text := strings.Join(strings.Fields(string(files[0].Data)), " ")
	for _, want := range []string{
		"// t2 = 1/√(0.25·Σⱼ t² + 1e−5) [B,T] //",  // in the memory of t6
		"// t3 = x ⊙ h − 0.25·Σⱼ x ⊙ h [B,T,4] //", // Apart has a t3 too
		"// dfirst.scale = scale3·Σ t2·t ⊙ where(h > 0, (4*B*T)·dh, 0) [4] //",
		"// t = exp(a − 1/3·Σⱼ a) [N,3] //",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %s in\n%s", want, files[0].Data)
		}
	}
}
