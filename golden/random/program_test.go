package random

import (
	"fmt"
	"slices"
	"strings"
)

// A statement is a piece of a model's body that can be left out as one, with
// everything that uses it.
type statement struct {
	text string
	defs []string // names that it binds
	uses []string // names that it reads

	// value says that the first of defs is a floating tensor that a loss may be
	// made of.
	value bool

	// simpler is other texts for it, each of which binds the same names with
	// the same shapes from fewer.
	simpler []statement
}

// A model is a random program.
type model struct {
	body    []statement
	outputs []string
	metrics []statement
	exports []statement
	losses  []objective // a model without loss has one without terms
	compose bool        // it has no loss
}

// An objective is a loss with its train statement.
type objective struct {
	name  string // "" of the unnamed
	terms []string
	rule  string
	only  string // pattern of its parameters, "" is all
	block []string
}

// library is declared in every program.
const library = `package random
dtype float64

layer affine(x [B, D], units int, act fn = tanh) {
    param W [D, units] = glorot_normal
    param b [units] = normal(std: 0.1)
    return act(x @ W + b)
}

layer running(x [B, D], keep = 0.9) {
    state m [D] = zeros
    state seen [] = ones
    m <- keep*m + (1 - keep)*mean(x, axis: 0)
    seen <- seen + 1
    if training { return x - mean(x, axis: 0) } else { return x - m/seen }
}

layer twice(x [B, D]) {
    h = affine(x, D + 1) as first
    r = affine(h, D, act: sigmoid) as second
    return x + r
}

layer memory(x [B, D]) {
    carry h [B, D] = zeros
    h <- 0.5*h + tanh(x)
    return h
}

layer tower(x [B, D], n int) {
    h = x
    for i in 0..n {
        h = h + 0.5*affine(h, D) as step
    }
    return h
}

layer part(x [B, D], units int) {
    h = running(x) |> affine(units)
    return tanh(h |> dense(units))
}

layer nest(x [B, D], units int) {
    shared core = part(units: D)
    shared kept = memory()
    h = core(x) + 0.5*core(kept(x))
    return affine(h, units)
}

layer noisy(x [B, D], units int) {
    h = affine(x, units) |> dropout(0.4)
    return tanh(dense(h, units) |> dropout(0.2))
}

layer streamed(x [B, D], units int) {
    carry last [B, units] = zeros
    h = affine(x, units) + 0.3*last
    last <- dense(h, units)
    return tanh(last - h)
}

layer halved(x [B, D], units int) {
    param g [D]float32 = uniform(lo: 0.5, hi: 1.5)
    h = float64(float32(x)*g)
    return affine(h, units) + 0.1*dense(h, units)
}

fn soft(a) = a / (1 + abs(a))

fn bent(a) = tanh(a) grad(g) = g*(1 - bent^2)

fn weigh(a, b) = a*b grad(g) = g*b, g*a

optimizer lazy(lr = 0.05, keep = 0.8) {
    state v = zeros
    state n [] = zeros
    v <- keep*v + (1 - keep)*grad
    n <- n + 1
    param <- param - lr*v/(1 - keep^step) - 0.001*lr*decay*param/n
}
`

// text is the program.
func (m *model) text() string {
	var b strings.Builder
	b.WriteString(library + "\nmodel Random(alpha = 0.3) {\n    input x [B, 4]\n    input z [B, 3]\n    input y [B]int32\n")
	line := func(format string, args ...any) {
		for l := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
			b.WriteString("    " + l + "\n")
		}
	}
	for _, s := range m.body {
		line("%s", s.text)
	}
	for _, o := range m.outputs {
		line("output %s", o)
	}
	for _, o := range m.losses {
		if m.compose {
			break
		}
		name := ""
		if o.name != "" {
			name = o.name + " = "
		}
		line("loss %s%s", name, strings.Join(o.terms, " + "))
	}
	for _, s := range m.metrics {
		line("%s", s.text)
	}
	for _, o := range m.losses {
		if o.rule == "" {
			continue
		}
		text := "train " + strings.TrimSpace(o.name+" "+o.rule)
		if o.only != "" {
			text += " for " + o.only
		}
		if len(o.block) > 0 {
			text += " {\n    " + strings.Join(o.block, "\n    ") + "\n}"
		}
		line("%s", text)
	}
	for _, s := range m.exports {
		line("%s", s.text)
	}
	b.WriteString("}\n")
	return b.String()
}

// clone is a copy whose lists can be changed.
func (m *model) clone() *model {
	out := &model{body: slices.Clone(m.body), outputs: slices.Clone(m.outputs), metrics: slices.Clone(m.metrics), exports: slices.Clone(m.exports), compose: m.compose}
	for _, o := range m.losses {
		o.terms, o.block = slices.Clone(o.terms), slices.Clone(o.block)
		out.losses = append(out.losses, o)
	}
	return out
}

// without is the model without the statement i of the body and what depends on
// it.
func (m *model) without(i int) *model {
	out := m.clone()
	gone := map[string]bool{}
	drop := func(s statement) bool { return slices.ContainsFunc(s.uses, func(n string) bool { return gone[n] }) }
	var body []statement
	for k, s := range out.body {
		if k == i || drop(s) {
			for _, d := range s.defs {
				gone[d] = true
			}
			continue
		}
		body = append(body, s)
	}
	out.body = body
	out.outputs = slices.DeleteFunc(out.outputs, func(n string) bool { return gone[n] })
	out.metrics = slices.DeleteFunc(out.metrics, drop)
	out.exports = slices.DeleteFunc(out.exports, drop)
	for k := range out.losses {
		o := &out.losses[k]
		o.terms = slices.DeleteFunc(o.terms, func(t string) bool {
			return slices.ContainsFunc(words(t), func(w string) bool { return gone[w] })
		})
		if len(o.terms) == 0 && !out.compose {
			o.terms = []string{"mean(x^2)"}
		}
	}
	return out
}

// words is the identifiers of a text.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return !(r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
}
