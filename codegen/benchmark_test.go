package codegen_test

import (
	"fmt"
	"testing"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/passes"
)

// BenchmarkCompile is how long the whole compiler takes for programs that are
// unrolled. Each kind comes in several lengths, so that its growth shows.
func BenchmarkCompile(b *testing.B) {
	for _, p := range []struct {
		name    string
		program string
		lengths []int
	}{
		{"RK4", rk4Program, []int{25, 50, 100, 200}},
		{"MLP", mlpProgram, []int{12, 24, 48, 96}},
		{"LSTM", lstmProgram, []int{16, 32, 64}},
		{"Attention", attentionProgram, []int{3, 6, 12, 24}},
	} {
		for _, n := range p.lengths {
			text := []byte(fmt.Sprintf(p.program, n))
			b.Run(fmt.Sprintf("%s/%d", p.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					compileText(b, text)
				}
			})
		}
	}
}

// compileText runs all stages on a program that is right.
func compileText(b *testing.B, text []byte) {
	file, syntax := dsl.Parse("bench.dnn", text)
	program, meaning := dsl.Elaborate(file, dsl.Options{})
	for _, d := range append(syntax, meaning...) {
		b.Fatal(d)
	}
	plan, err := passes.Compile(program)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := codegen.Generate(plan, codegen.Options{Package: "bench", Source: "bench.dnn", Tests: true}); err != nil {
		b.Fatal(err)
	}
}

// rk4Program integrates a damped pendulum in steps of Runge and Kutta.
const rk4Program = `package bench

fn field(x, k) = stack(x[1], -k[0]*sin(x[0]) - k[1]*x[1])

export fn end(x0 [2], k [2]) [] {
    x = x0
    for i in 0..%d {
        k1 = field(x, k)
        k2 = field(x + 0.05*k1, k)
        k3 = field(x + 0.05*k2, k)
        k4 = field(x + 0.1*k3, k)
        x = x + 0.1/6*(k1 + 2*k2 + 2*k3 + k4)
    }
    return sum(x^2)
}
derive value, grad(x0), grad(k)
`

// mlpProgram is a deep residual network.
const mlpProgram = `package bench

model Deep {
    input x [B, 16]
    input y [B]int32
    h = dense(x, 32)
    for i in 0..%d {
        h = h + dense(h, 32, act: tanh) as block
    }
    logits = dense(h, 4)
    output probs = softmax(logits)
    loss cross_entropy(logits, y)
    metric accuracy(logits, y)
    train adam(lr: 1e-3)
}
`

// lstmProgram is a recurrent network with its steps in a for.
const lstmProgram = `package bench

const steps = %d

model Recurrent {
    input x [B, steps, 8]
    input y [B, 1]
    param Wx [8, 64]  = glorot_uniform
    param Wh [16, 64] = glorot_uniform
    param b  [64]     = zeros
    h = zeros([B, 16])
    c = zeros([B, 16])
    for t in 0..steps {
        i, f, g, o = split(x[:, t] @ Wx + h @ Wh + b, 4, axis: -1)
        c = sigmoid(f + 1)*c + sigmoid(i)*tanh(g)
        h = sigmoid(o)*tanh(c)
    }
    p = dense(h, 1)
    output p
    loss mse(p, y)
    train adam(lr: 1e-3)
}
`

// attentionProgram is a decoder of transformer blocks.
const attentionProgram = `package bench

layer attention(x [B, T, D], heads int) {
    param Wqkv [D, 3*D] = normal(std: 0.02)
    param Wo   [D, D]   = normal(std: 0.02)
    q, k, v = unstack(reshape(x @ Wqkv, [B, T, 3, heads, D/heads]), axis: 2)
    s = einsum("bthd,bshd->bhts", q, k) / sqrt(D/heads)
    s = where(tril(ones([T, T])) == 1, s, -inf)
    return reshape(einsum("bhts,bshd->bthd", softmax(s), v), [B, T, D]) @ Wo
}

layer block(x [B, T, D]) {
    x = x + (layer_norm(x) |> attention(4) |> dropout(0.1))
    h = layer_norm(x) |> dense(4*D, act: gelu) |> dense(D)
    return x + dropout(h, 0.1)
}

model Decoder {
    input ids  [B, T]int32
    input next [B, T]int32
    h = embedding(ids, 64, 32)
    for i in 0..%d {
        h = block(h)
    }
    logits = layer_norm(h) |> dense(64)
    output logits
    loss cross_entropy(logits, next)
    train adamw(lr: 3e-4) {
        clip norm 1.0
        decay 0.1 for **.W
    }
}
`
