package codegen_test

import (
	"strings"
	"testing"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/passes"
)

// TestLongPrograms compiles programs that are much larger than their text, all
// the way: where a stage takes time quadratic in the steps, or an expression is
// as deep as the loop is long, this does not end.
func TestLongPrograms(t *testing.T) {
	for name, text := range map[string]string{
		"a chain of scalars deeper than Go parses": `
export fn f(x []) [] {
    for i in 0..100_000 { x = sin(x) }
    return x
}
`,
		"a chain of tensors": `
export fn f(x [N]) [N] {
    for i in 0..1500 { x = sin(x) }
    return x
}
derive value, vjp(x)
`,
		"a wide sum of elements, and its gradient": `
export fn f(x [3000]) [] {
    y = x[0]
    for i in 1..3000 { y = y + x[i] }
    return y
}
derive value, grad(x)
`,
		"a concat that doubles": `
export fn f(x [3]) [] {
    for i in 0..28 { x = concat(x, x) }
    return sum(x)
}
`,
		"a Jacobian of 20 steps": `
export fn f(x [1000], w [1000, 1000]) [1000] {
    for i in 0..20 { x = tanh(w @ x) }
    return x
}
derive value, jacobian(x)
`,
		"a concat over five dimensions": `
export fn f(a [A], b [B], c [C], d [D], e [E]) [] {
    x = concat(a, b, c, d, e)
    for i in 0..5 { x = sin(concat(x, a*2, b, c, d, e)) }
    return sum(x)
}
derive value, grad(a), grad(c)
`,
		"a deep network": `
model M {
    input x [B, 16]
    input y [B]int32
    h = dense(x, 32)
    for i in 0..100 { h = dense(h, 32, act: tanh) as block }
    loss cross_entropy(dense(h, 4), y)
    train adam(lr: 1e-3)
}
`,
	} {
		t.Run(name, func(t *testing.T) {
			file, syntax := dsl.Parse("long.dnn", []byte("package long\n"+text))
			program, meaning := dsl.Elaborate(file, dsl.Options{})
			for _, d := range append(syntax, meaning...) {
				t.Fatal(d)
			}
			plan, err := passes.Compile(program)
			if err != nil {
				t.Fatal(err)
			}
			files, err := codegen.Generate(plan, codegen.Options{Package: "long", Source: "long.dnn"})
			if err != nil {
				t.Fatalf("%.300s", err)
			}
			for _, f := range files {
				for _, line := range strings.Split(string(f.Data), "\n") {
					if len(line) > 20_000 {
						t.Fatalf("%s has a line of %d bytes", f.Name, len(line))
					}
				}
			}
		})
	}
}
