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
		"// t = 1/√(first.variance + 1e−5) [B,T] //",           // Apart has a t too
		"// second.centred = x ⊙ h − 0.25·Σⱼ x ⊙ h [B,T,4] //", // in the memory of another
		"// dfirst.scale = scale3·Σ t·first.centred ⊙ where(h > 0, 4·B·T·dh, 0) [4] //",
		"// t = exp(a − 1/3·Σⱼ a) [N,3] //",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %s in\n%s", want, files[0].Data)
		}
	}
}

// Where the memory of a value is called otherwise, the comment above the loop
// says so, and the local has the formula's name; the type's comment does not.
func TestPlacesOfFormulas(t *testing.T) {
	files := generateText(t, "normed.dnn", []byte(normed), codegen.Options{Package: "normed", Source: "normed.dnn"})
	text := string(files[0].Data)
	for _, want := range []string{
		"\t// t = exp(a − 1/3·Σⱼ a)  (in grad)\n",
		"\tt := math.Exp(aRow[j] - u)\n",
		"//\tt    = exp(a − 1/3·Σⱼ a)       [N,3]\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %s in\n%s", want, text)
		}
	}
}

// extremes has two values that the library calls sum, and a rate.
const extremes = `package extremes

model Net {
    input x [B, 4]
    y = softmax(dense(x, 4), axis: 1)
    output z = max(y, axis: 1)
    loss mean(logsumexp(y, axis: 1) + z)
    train sgd(lr: 0.1)
}
`

// What needs a word has it once a function; names are not stated to be
// themselves, and those of one listing are distinct.
func TestWordsOnCode(t *testing.T) {
	files := generateText(t, "extremes.dnn", []byte(extremes), codegen.Options{Package: "extremes", Source: "extremes.dnn"})
	text := string(files[0].Data)
	_, forward, _ := strings.Cut(text, ") forward(")
	forward, _, _ = strings.Cut(forward, "\n}\n")
	if n := strings.Count(forward, "NaN alone"); n != 1 {
		t.Errorf("%d comments on NaN in\n%s", n, forward)
	}
	for _, want := range []string{"// sum = Σⱼ yExp", "// sum2 = Σⱼ t"} {
		if !strings.Contains(forward, want) {
			t.Errorf("no %s in\n%s", want, forward)
		}
	}
	if strings.Contains(text, "lr = lr") || strings.Contains(text, "rate = lr") {
		t.Errorf("a name is stated to be another in\n%s", text)
	}
}
