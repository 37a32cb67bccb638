package summary

import (
	"fmt"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// planned compiles a program.
func planned(t *testing.T, text string) *ir.Plan {
	t.Helper()
	file, syntax := dsl.Parse("m.dnn", []byte(text))
	p, meaning := dsl.Elaborate(file, dsl.Options{})
	if diags := append(syntax, meaning...); len(diags) > 0 {
		t.Fatal(diags[0].Message)
	}
	plan, err := passes.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// tableOf is the summary of the first model of a program.
func tableOf(t *testing.T, text string) Table {
	t.Helper()
	plan := planned(t, text)
	return Model(plan.Program.Graph, plan.Models[0])
}

// row is the row of an instance as text: output, parameters, flops.
func (t Table) row(path string) string {
	for _, r := range t.Rows {
		if r.Path == path {
			return fmt.Sprintf("%s | %v | %v", r.Output, r.Params, r.Flops)
		}
	}
	return "none"
}

// total is the value of a total as text.
func (t Table) total(name string) string {
	for _, x := range t.Totals {
		if x.Name == name {
			return fmt.Sprintf("%v %s", x.Value, x.Unit)
		}
	}
	return "none"
}

const mlp = `
model Net {
    input x [B, 4]
    input y [B]int32
    h      = dense(x, 3, act: relu)
    logits = dense(h, 2)
    output logits
    loss   cross_entropy(logits, y)
    train  adam(lr: 0.1)
}`

// A dense layer of K inputs and N units takes 2·K·N flops a row for the product,
// N for the bias and N for an activation; it has (K+1)·N parameters.
func TestDense(t *testing.T) {
	got := tableOf(t, mlp)
	for path, want := range map[string]string{
		"h":      fmt.Sprintf("[B, 3] | %d | %d*B", (4+1)*3, 2*4*3+3+3),
		"logits": fmt.Sprintf("[B, 2] | %d | %d*B", (3+1)*2, 2*3*2+2),
	} {
		if row := got.row(path); row != want {
			t.Errorf("%s: %s, want %s", path, row, want)
		}
	}

	// The gradient has a product for each W, and one for h; x needs none.
	if f, want := got.total("products of forward"), fmt.Sprintf("%d*B flops", 2*4*3+2*3*2); f != want {
		t.Errorf("forward %s, want %s", f, want)
	}
	if f, want := got.total("products of gradient"), fmt.Sprintf("%d*B flops", 2*4*3+2*3*2+2*3*2); f != want {
		t.Errorf("gradient %s, want %s", f, want)
	}
}

// One head of attention over T places of K numbers: three products with K by K
// weights, 6·K²·T; scores, 2·K·T², and their scale, T²; softmax, T² each for
// log Σ exp, its subtraction and exp; the weighted sum, 2·K·T².
func TestAttention(t *testing.T) {
	got := tableOf(t, `
layer attention(x [B, T, K]) {
    param q [K, K] = he_normal
    param k [K, K] = he_normal
    param v [K, K] = he_normal
    score = einsum("bik,bjk->bij", x @ q, x @ k)/sqrt(K)
    return einsum("bij,bjk->bik", softmax(score), x @ v)
}
model M {
    input x [B, T, 8]
    a = attention(x)
    output a
    loss  mean(a^2)
    train sgd(lr: 0.1)
}`)
	want := fmt.Sprintf("[B, T, 8] | %d | %d*B*T*T + %d*B*T", 3*8*8, 2*8+1+3+2*8, 6*8*8)
	if row := got.row("a"); row != want {
		t.Errorf("%s, want %s", row, want)
	}
}

// The memory of a network of 23 parameters, in float32 of 4 bytes.
func TestMemory(t *testing.T) {
	got := tableOf(t, mlp)
	const params = (4+1)*3 + (3+1)*2
	for name, want := range map[string]string{
		"parameters":      fmt.Sprintf("%d elements", params),
		"optimiser state": fmt.Sprintf("%d elements", 2*params), // both moments

		// Of the forward the backward reads h, the logits and their Σ exp; dh takes
		// the place of the last.
		"saved activations":  fmt.Sprintf("%d*B bytes", 4*(3+2+1)),
		"arena of a trainer": fmt.Sprintf("%d*B float32", 3+2+max(1, 3)),

		// Adam needs the gradients whole. A predictor writes logits to the caller.
		"memory of a trainer":   fmt.Sprintf("%d*B + %d bytes", 4*8, 4*(params+params+2*params)),
		"arena of a predictor":  "3*B float32",
		"memory of a predictor": fmt.Sprintf("%d*B + %d bytes", 4*3, 4*params),
	} {
		if x := got.total(name); x != want {
			t.Errorf("%s: %s, want %s", name, x, want)
		}
	}

	// Steepest descent updates as it goes: no gradients, no state.
	plain := tableOf(t, strings.Replace(mlp, "adam(", "sgd(", 1))
	if x, want := plain.total("memory of a trainer"), fmt.Sprintf("%d*B + %d bytes", 4*8, 4*params); x != want {
		t.Errorf("sgd: %s, want %s", x, want)
	}

	// Twice the bytes for float64.
	double := tableOf(t, "dtype float64\n"+mlp)
	if x, want := double.total("memory of a predictor"), fmt.Sprintf("%d*B + %d bytes", 8*3, 8*params); x != want {
		t.Errorf("float64: %s, want %s", x, want)
	}
}

// An instance counts what is in it, and stands above it.
func TestNested(t *testing.T) {
	got := tableOf(t, `
layer block(x [B, K]) {
    u = dense(x, 5, act: tanh)
    return dense(u, K)
}
model M {
    input x [B, 4]
    h = dense(x, 4)
    for i in 0..2 { h = block(h) as block }
    loss  mean(h^2)
    train sgd(lr: 0.1)
}`)
	var order []string
	for _, r := range got.Rows {
		order = append(order, strings.Repeat(">", r.Depth)+r.Path)
	}
	want := " h block.0 >block.0.u >block.0.dense block.1 >block.1.u >block.1.dense"
	if text := strings.Join(order, " "); text != want {
		t.Errorf("rows %q, want %q", text, want)
	}
	inner, outer := 2*4*5+5+5, 2*5*4+4
	for path, want := range map[string]string{
		"block.1.u":     fmt.Sprintf("[B, 5] | %d | %d*B", 4*5+5, inner),
		"block.1.dense": fmt.Sprintf("[B, 4] | %d | %d*B", 5*4+4, outer),
		"block.1":       fmt.Sprintf("[B, 4] | %d | %d*B", 4*5+5+5*4+4, inner+outer),
	} {
		if row := got.row(path); row != want {
			t.Errorf("%s: %s, want %s", path, row, want)
		}
	}
}

// Every form of a function has the products of its own.
func TestFunc(t *testing.T) {
	plan := planned(t, "export fn form(A [N, N], x [N]) [] = sum(x*(A @ x))\n    derive value, grad(x)")
	got := Func(plan.Funcs[0])
	for name, want := range map[string]string{
		"Form products":     "2*N*N flops",
		"FormGrad products": "4*N*N flops",
	} {
		if x := got.total(name); x != want {
			t.Errorf("%s: %s, want %s", name, x, want)
		}
	}
}

// Flops go by the class of an operation: an element each that is computed or
// added up, two for each multiplication and addition of a product, none for
// views, moves and conversions.
func TestFlops(t *testing.T) {
	for formula, want := range map[string]string{
		"sum(x)":                     "4*B",
		"sum(tanh(x))":               "8*B",
		"sum(x*x + x)":               "12*B",
		"max(x)":                     "4*B",
		"sum(x[:, 1:])":              "3*B",
		"sum(concat(x, x, axis: 1))": "8*B",
		"sum(x @ W)":                 "45*B", // 2*4*5 + 5
		"sum(where(x > 0, x, 0))":    "12*B",
	} {
		plan := planned(t, "export fn f(x [B, 4], W [4, 5]) [] = "+formula)
		flops := ir.D(0)
		for _, n := range ir.Topological(plan.Funcs[0].Func.Results...) {
			flops = flops.Add(Flops(n))
		}
		if got := flops.String(); got != want {
			t.Errorf("%s: %s, want %s", formula, got, want)
		}
	}
}

// Dimensions that have a value are put in; bytes are scaled.
func TestText(t *testing.T) {
	table := tableOf(t, mlp)
	var b strings.Builder
	if err := table.Text(&b, map[string]int{"B": 100}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"model Net\n",
		"  h         [B, 3]  15          3000\n",
		"  memory of a trainer    3568 bytes = 3.5 KiB (parameters, gradients, optimiser state, arena)\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
	for n, want := range map[int]string{1023: "", 1024: " = 1.0 KiB", 1536 << 10: " = 1.5 MiB", 5 << 30: " = 5.0 GiB", 3 << 50: " = 3072.0 TiB"} {
		if got := scaled(n); got != want {
			t.Errorf("%d bytes%s, want%s", n, got, want)
		}
	}
}
