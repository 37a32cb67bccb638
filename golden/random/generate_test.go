package random

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A tensor is a value that statements may read.
type tensor struct {
	name  string
	shape string // "", "B", "k", "Bk" or "Bkl", where k and l are
	k, l  int
	on    bool // depends on x in a way that can be differentiated
}

// A generator draws one program.
type generator struct {
	*rand.Rand
	m       *model
	tensors []tensor
	shared  []instance
	names   map[string]int
	used    map[string]bool
	named   bool // with named losses
}

// An instance is a shared one, for inputs of a width.
type instance struct {
	name     string
	in, out  int
	children []string // that have a W
}

// generate is the program of a seed.
func generate(seed uint64) *model {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 11)), m: &model{}, names: map[string]int{}, used: map[string]bool{}}
	g.tensors = []tensor{{"x", "Bk", 4, 0, true}, {"z", "Bk", 3, 0, false}}
	switch g.IntN(6) {
	case 0, 1:
		g.named = true
	case 2:
		g.m.compose = true
	}
	g.declareShared()
	for range 4 + g.IntN(8) {
		g.statement()
	}
	g.finish()
	return g.m
}

// fresh is a new name.
func (g *generator) fresh(base string) string {
	g.names[base]++
	return fmt.Sprintf("%s%d", base, g.names[base])
}

// add appends a statement that binds t.
func (g *generator) add(t tensor, uses []tensor, format string, args ...any) {
	s := statement{text: fmt.Sprintf("%s = ", t.name) + fmt.Sprintf(format, args...), defs: []string{t.name}, value: true}
	for _, u := range uses {
		s.uses = append(s.uses, u.name)
		g.used[u.name] = true
		t.on = t.on || u.on
		if u.shape == t.shape && u.k == t.k && u.l == t.l {
			s.simpler = append(s.simpler, statement{text: fmt.Sprintf("%s = 1.5*%s", t.name, u.name), defs: s.defs, uses: []string{u.name}, value: true})
		}
	}
	g.m.body = append(g.m.body, s)
	g.tensors = append(g.tensors, t)
}

// raw appends a statement that binds names in its own words.
func (g *generator) raw(defs, uses []string, format string, args ...any) {
	for _, u := range uses {
		g.used[u] = true
	}
	g.m.body = append(g.m.body, statement{text: fmt.Sprintf(format, args...), defs: defs, uses: uses})
}

// pick is a tensor of one of the shapes, the later ones more often.
func (g *generator) pick(shapes ...string) (tensor, bool) {
	var list []tensor
	for _, t := range g.tensors {
		if slices.Contains(shapes, t.shape) {
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return tensor{}, false
	}
	return list[max(g.IntN(len(list)), g.IntN(len(list)))], true
}

// like is another tensor of t's shape, or t.
func (g *generator) like(t tensor) tensor {
	var list []tensor
	for _, u := range g.tensors {
		if u.shape == t.shape && u.k == t.k && u.l == t.l {
			list = append(list, u)
		}
	}
	return list[g.IntN(len(list))]
}

// one is one of the texts.
func (g *generator) one(list ...string) string { return list[g.IntN(len(list))] }

// declareShared declares one or two instances, and applies them.
func (g *generator) declareShared() {
	n := g.IntN(3)
	if g.named {
		n = 2
	}
	for range n {
		i := instance{name: g.fresh("net"), in: 4, out: 2 + g.IntN(3), children: []string{"affine", "dense"}}
		layer := g.one("part", "part", "nest", "noisy", "streamed", "halved")
		if layer == "nest" {
			i.children = []string{"affine", "core.affine", "core.dense"}
		}
		g.raw([]string{i.name}, nil, "shared %s = %s(units: %d)", i.name, layer, i.out)
		g.shared = append(g.shared, i)
		g.add(tensor{g.fresh("v"), "Bk", i.out, 0, true}, []tensor{{name: "x"}, {name: i.name}}, "%s(x)", i.name)
	}
	for _, of := range g.shared {
		if g.IntN(3) > 0 {
			continue
		}
		copied := g.fresh("slow")
		g.raw([]string{copied}, []string{of.name}, "state %s = %s\n%s <- 0.9*%s + 0.1*%s", copied, of.name, copied, copied, of.name)
		g.add(tensor{g.fresh("v"), "Bk", of.out, 0, true}, []tensor{{name: "x"}, {name: copied}}, "%s(x)", copied)
	}
}

// statement adds one at random.
func (g *generator) statement() {
	kinds := []func(){g.elementwise, g.elementwise, g.pair, g.pair, g.reduce, g.reduce, g.view, g.view, g.spread,
		g.normal, g.derivative, g.derivative, g.product, g.reuse, g.loop, g.branch, g.numbers, g.state, g.moved, g.labelled}
	if !g.named {
		kinds = append(kinds, g.layer, g.layer, g.layer, g.param, g.rows)
	}
	kinds[g.IntN(len(kinds))]()
}

func (g *generator) elementwise() {
	t, _ := g.pick("", "B", "k", "Bk", "Bkl")
	form := g.one("tanh(%s)", "sigmoid(%s)", "soft(%s)", "bent(%s)", "sin(%s)", "softplus(%s)", "gelu(%s)", "exp(-(%s)^2)", "sqrt(1 + %s^2)",
		"atan(%s)", "cos(2*%s)", "erf(%s)", "silu(%s)", "log(1 + exp(%s))", "1/(2 + cos(%s))", "abs(%s)", "relu(%s)", "clip(%s, -1, 1)", "elu(%s)", "tanh(%s)^3")
	out := t
	out.name = g.fresh("v")
	g.add(out, []tensor{t}, form, t.name)
}

func (g *generator) pair() {
	a, _ := g.pick("", "B", "k", "Bk", "Bkl")
	b := g.like(a)
	form := g.one("%s + %s", "%s - 0.5*%s", "%s*%s", "%s/(2 + %s^2)", "max(%s, %s)", "weigh(%s, %s)", "where(%[1]s > %[2]s, %[1]s, 0.3*%[2]s)", "soft(%s)*tanh(%s)", "atan2(%s, 2 + sin(%s))")
	out := a
	out.name = g.fresh("v")
	g.add(out, []tensor{a, b}, form, a.name, b.name)
}

func (g *generator) reduce() {
	t, ok := g.pick("Bk", "Bkl", "B", "k")
	if !ok {
		return
	}
	f := g.one("sum", "mean", "max", "min", "logsumexp", "norm", "var", "mean")
	out := tensor{name: g.fresh("v")}
	axis := ""
	switch t.shape {
	case "Bk":
		switch g.IntN(3) {
		case 0:
			out.shape, axis = "B", ", axis: 1"
		case 1:
			out.shape, out.k, axis = "k", t.k, ", axis: 0"
		}
	case "Bkl":
		out.shape, out.k, axis = "Bk", t.k, ", axis: 2"
	}
	if f == "norm" && g.IntN(2) == 0 {
		g.add(out, []tensor{t}, "tanh(norm(%s + 0.1%s))", t.name, axis)
		return
	}
	g.add(out, []tensor{t}, "tanh(%s(%s%s))", f, t.name, axis)
}

func (g *generator) view() {
	t, ok := g.pick("Bk", "Bkl")
	if !ok {
		return
	}
	out := tensor{name: g.fresh("v"), shape: "Bk", k: t.k}
	if t.shape == "Bkl" {
		switch g.IntN(3) {
		case 0:
			out.k = t.k * t.l
			g.add(out, []tensor{t}, "reshape(%s, [B, %d])", t.name, out.k)
		case 1:
			g.add(out, []tensor{t}, "%s[:, :, %d]", t.name, g.IntN(t.l))
		default:
			out.shape, out.k, out.l = "Bkl", t.l, t.k
			g.add(out, []tensor{t}, "%s'", t.name)
		}
		return
	}
	u, _ := g.pick("Bk")
	switch g.IntN(8) {
	case 0:
		g.add(out, []tensor{t}, "flip(%s, axis: 1)", t.name)
	case 1:
		out.k = t.k + u.k
		if out.k <= 9 {
			g.add(out, []tensor{t, u}, "concat(%s, %s, axis: 1)", t.name, u.name)
		}
	case 2:
		if t.k > 1 {
			out.k = t.k - 1
			g.add(out, []tensor{t}, "%s[:, 1:] - %s[:, :-1]", t.name, t.name)
		}
	case 3:
		out.shape, out.k = "B", 0
		g.add(out, []tensor{t}, "%s[:, %d]", t.name, g.IntN(t.k))
	case 4:
		if t.k%2 == 0 {
			out.shape, out.k, out.l = "Bkl", 2, t.k/2
			g.add(out, []tensor{t}, "reshape(%s, [B, 2, %d])", t.name, out.l)
		}
	case 5:
		out.k = t.k + 2
		if out.k <= 9 {
			g.add(out, []tensor{t}, "pad(%s, [[0, 0], [1, 1]], value: 0.5)", t.name)
		}
	case 6:
		g.add(out, []tensor{t}, "set(%s, %d, 0.5*%s[:, 0], axis: 1)", t.name, g.IntN(t.k), t.name)
	default:
		out.shape, out.l = "Bkl", u.k
		g.add(out, []tensor{t, u}, `einsum("bi,bj->bij", %s, %s)`, t.name, u.name)
	}
}

// spread adds statements in which something is broadcast.
func (g *generator) spread() {
	t, ok := g.pick("Bk")
	if !ok {
		return
	}
	out := t
	out.name = g.fresh("v")
	if u, ok := g.pick("B"); ok && g.IntN(2) == 0 {
		g.add(out, []tensor{t, u}, "%s*%s[:, new]", t.name, u.name)
		return
	}
	if u, ok := g.pick(""); ok && g.IntN(2) == 0 {
		g.add(out, []tensor{t, u}, "%s + %s", t.name, u.name)
		return
	}
	for _, u := range g.tensors {
		if u.shape == "k" && u.k == t.k {
			g.add(out, []tensor{t, u}, "%s - %s", t.name, u.name)
			return
		}
	}
}

func (g *generator) normal() {
	t, ok := g.pick("Bk")
	if !ok || t.k < 2 {
		return
	}
	out := t
	out.name = g.fresh("v")
	g.add(out, []tensor{t}, g.one("softmax(%s)", "log_softmax(%s)/4", "dropout(%s, 0.3)", "(%[1]s - mean(%[1]s, axis: 1, keep: true))*rsqrt(var(%[1]s, axis: 1, keep: true) + 0.1)"), t.name)
}

// derivative adds a derivative by x, or stops one.
func (g *generator) derivative() {
	t, _ := g.pick("", "B", "Bk")
	if !t.on {
		out := t
		out.name, out.on = g.fresh("v"), false
		g.add(out, []tensor{t}, "stop_gradient(%s)", t.name)
		return
	}
	out := tensor{name: g.fresh("v"), shape: "Bk", k: 4}
	x := tensor{name: "x", on: true}
	switch g.IntN(3) {
	case 0:
		g.add(out, []tensor{t, x}, "tanh(grad(sum(%s), x))", t.name)
	case 1:
		g.add(out, []tensor{t, x}, "tanh(grad(sum(grad(sum(%s), x)*sin(x)), x))", t.name)
	default:
		out = t
		out.name = g.fresh("v")
		g.add(out, []tensor{t, x}, "tanh(jvp(%s, x, cos(x)))", t.name)
	}
}

func (g *generator) product() {
	t, ok := g.pick("Bkl")
	if !ok {
		return
	}
	for _, u := range g.tensors {
		if u.shape == "Bk" && u.k == t.l {
			g.add(tensor{name: g.fresh("v"), shape: "Bk", k: t.k}, []tensor{t, u}, `einsum("bij,bj->bi", %s, %s)`, t.name, u.name)
			return
		}
	}
	out := tensor{name: g.fresh("v"), shape: "Bkl", k: t.k, l: t.k}
	g.add(out, []tensor{t}, "tanh(%s @ %s')", t.name, t.name)
}

// reuse applies a shared instance again, or reads its parameters.
func (g *generator) reuse() {
	if len(g.shared) == 0 {
		return
	}
	i := g.shared[g.IntN(len(g.shared))]
	at := tensor{name: i.name}
	switch g.IntN(4) {
	case 0:
		g.add(tensor{name: g.fresh("v")}, []tensor{at}, "0.1*sum(%s.%s.W^2)", i.name, g.one(i.children...))
	case 1:
		g.add(tensor{name: g.fresh("v")}, []tensor{at}, "tanh(norm(%s))", i.name)
	case 2:
		if t, ok := g.pick(""); ok && t.on {
			g.add(tensor{name: g.fresh("v")}, []tensor{at, t}, "tanh(sum(grad(%s, %s)^2))", t.name, i.name)
		}
	default:
		for _, t := range g.tensors {
			if t.shape == "Bk" && t.k == i.in && t.name != "x" {
				g.add(tensor{name: g.fresh("v"), shape: "Bk", k: i.out}, []tensor{at, t}, "%s(%s)", i.name, t.name)
				return
			}
		}
	}
}

func (g *generator) loop() {
	t, _ := g.pick("B", "Bk")
	out := t
	out.name = g.fresh("v")
	g.add(out, []tensor{t}, "%s\nfor i in 0..%d {\n    %s = %s + 0.2*sin(%s*(i + 1))\n}", t.name, 1+g.IntN(3), out.name, out.name, out.name)
}

func (g *generator) branch() {
	t, _ := g.pick("B", "Bk", "")
	u := g.like(t)
	out := t
	out.name = g.fresh("v")
	form := "%[4]s\nif %[1]s {\n    %[2]s = 0.5*%[3]s\n} else {\n    %[2]s = tanh(%[4]s)\n}"
	g.add(out, []tensor{t, u}, form, g.one("training", "isint(y)", "!training"), out.name, t.name, u.name)
}

// numbers uses a number of the model, the step, or an extent.
func (g *generator) numbers() {
	t, _ := g.pick("B", "Bk", "")
	out := t
	out.name = g.fresh("v")
	g.add(out, []tensor{t}, g.one("alpha*%s", "%s + alpha", "%s/(1 + 0.1*step)", "%s*exp(-alpha)", "%s/(1 + extent(x, 1))"), t.name)
}

func (g *generator) state() {
	t, ok := g.pick("Bk")
	if !ok {
		return
	}
	name := g.fresh("s")
	g.raw([]string{name}, []string{t.name}, "state %s [%d] = constant(0.1)\n%s <- 0.8*%s + 0.2*tanh(mean(%s, axis: 0))", name, t.k, name, name, t.name)
	g.tensors = append(g.tensors, tensor{name, "k", t.k, 0, t.on})
}

func (g *generator) layer() {
	t, ok := g.pick("Bk")
	if !ok {
		return
	}
	out := tensor{name: g.fresh("v"), shape: "Bk", k: t.k}
	switch g.IntN(7) {
	case 0:
		g.add(out, []tensor{t}, "running(%s)", t.name)
	case 1:
		g.add(out, []tensor{t}, "memory(%s)", t.name)
	case 2:
		g.add(out, []tensor{t}, "tower(%s, %d)", t.name, 1+g.IntN(3))
	case 3:
		g.add(out, []tensor{t}, "twice(%s)", t.name)
	case 4:
		g.add(out, []tensor{t}, "layer_norm(%s)", t.name)
	case 5:
		out.k = 2
		g.add(out, []tensor{t}, "%s |> dense(3, act: %s) |> affine(2)", t.name, g.one("tanh", "relu", "gelu", "softplus"))
	default:
		out.k = 1 + g.IntN(4)
		g.add(out, []tensor{t}, "dense(%s, %d, act: tanh, init: normal(std: 0.3))", t.name, out.k)
	}
}

func (g *generator) param() {
	name := g.fresh("P")
	t := tensor{name: name}
	shape := "[]"
	if g.IntN(3) > 0 {
		t.shape, t.k = "k", 2+g.IntN(3)
		shape = fmt.Sprintf("[%d]", t.k)
	}
	first := g.one("normal(std: 0.5)", "ones", "constant(0.4)", "uniform(lo: -1, hi: 1)")
	text := fmt.Sprintf("param %s %s = %s", name, shape, first)
	if g.IntN(3) == 0 {
		text = fmt.Sprintf("param %s32 %sfloat32 = %s\n%s = float64(%s32)", name, shape, first, name, name)
	}
	g.m.body = append(g.m.body, statement{text: text, defs: []string{name}, value: true})
	g.tensors = append(g.tensors, t)
}

// rows gathers rows by the labels.
func (g *generator) rows() {
	out := tensor{name: g.fresh("v"), shape: "Bk", k: 1 + g.IntN(4)}
	g.add(out, nil, "embedding(y, 5, %d)", out.k)
}

// moved keeps something between calls, and has no parameter.
func (g *generator) moved() {
	if t, ok := g.pick("Bk"); ok {
		g.add(tensor{name: g.fresh("v"), shape: "Bk", k: t.k}, []tensor{t}, g.one("running(%s)", "memory(%s)", "memory(%s) |> running |> memory"), t.name)
	}
}

// labelled reads the labels, which are then within bounds.
func (g *generator) labelled() {
	t, ok := g.pick("Bk")
	if !ok {
		return
	}
	out := tensor{name: g.fresh("v")}
	switch g.IntN(6) {
	case 0:
		g.add(out, []tensor{t}, "0.2*cross_entropy(%s, y)", t.name)
	case 1:
		g.add(out, []tensor{t}, "0.2*cross_entropy(%s, y, smoothing: 0.1)", t.name)
	case 2:
		g.add(out, []tensor{t}, "0.2*nll(log_softmax(%s), y)", t.name)
	case 3:
		out.shape = "B"
		g.add(out, []tensor{t}, "gather(%s, y[:, new], axis: 1)[:, 0]", t.name)
	case 4:
		out.shape, out.k = "Bk", t.k
		g.add(out, []tensor{t}, "%s*one_hot(y, %d)", t.name, t.k)
	default:
		out.shape, out.k = "Bk", t.k
		g.add(out, []tensor{t}, "%s[y]", t.name)
	}
}

// finish adds outputs, losses, metrics, the train statements and exports.
func (g *generator) finish() {
	var ends []tensor // nothing reads them
	for _, t := range g.tensors[2:] {
		if !g.used[t.name] {
			ends = append(ends, t)
		}
	}
	for _, t := range ends {
		if (g.m.compose || len(g.m.outputs) < 3) && (g.m.compose || t.shape != "" && g.IntN(2) == 0) && strings.HasPrefix(t.name, "v") {
			g.m.outputs = append(g.m.outputs, t.name)
		}
	}
	term := func(t tensor) string {
		switch g.IntN(3) {
		case 0:
			return fmt.Sprintf("mean((%s - 0.3)^2)", t.name)
		case 1:
			return fmt.Sprintf("0.1*mean(tanh(%s))", t.name)
		}
		return fmt.Sprintf("mean(softplus(%s))", t.name)
	}
	switch {
	case g.m.compose:
		o := objective{}
		if g.IntN(4) > 0 {
			o.rule, o.block = g.rule(), g.block("**")
		}
		g.m.losses = []objective{o}
	case g.named:
		g.finishNamed(term)
	default:
		o := objective{rule: g.rule()}
		for _, t := range ends {
			o.terms = append(o.terms, term(t))
		}
		if len(o.terms) == 0 {
			o.terms = []string{"mean(x^2)"}
		}
		o.block = g.block("**")
		g.m.losses = []objective{o}
	}
	g.measure()
	g.export()
}

// measure adds metrics.
func (g *generator) measure() {
	if g.m.compose {
		return
	}
	for i := range g.IntN(4) {
		t, ok := g.pick("B", "Bk", "")
		if !ok {
			return
		}
		u := g.like(t)
		form := g.one("mean(abs(%[1]s))", "max(%[1]s)", "sqrt(mean(%[1]s^2))", "1 - mean(%[1]s)/(1 + mean(%[1]s^2))",
			"sum(%[1]s*%[2]s)/(1 + sum(%[2]s^2))", "max(%[1]s) - min(%[2]s)", "mean(where(%[1]s > %[2]s, 1, 0))",
			"1 - mean((%[1]s - %[2]s)^2)/(1 + mean(%[2]s^2) - mean(%[2]s)^2)", "mean(%[1]s)*max(%[2]s)")
		if t.shape == "Bk" {
			form = g.one(form, "accuracy(%[1]s, y)", "sum(mean(%[1]s, axis: 0)^2)", "max(mean(%[1]s*%[2]s, axis: 0))", "mean(max(%[1]s, axis: 1))",
				"mean((1 + max(%[1]s, axis: 0))/(1 + sum(%[2]s^2, axis: 0)))", "prod(1 + mean(%[1]s, axis: 0)^2)", "sqrt(sum((%[1]s' @ %[1]s)^2))",
				"max(sum(exp(mean(%[1]s, axis: 0)) * mean(%[2]s, axis: 0)[:, new], axis: 1))",
				"norm(sum(one_hot(argmax(%[1]s, axis: 1), extent(%[1]s, 1))*%[2]s, axis: 0)/(1 + sum(%[2]s^2, axis: 0)))")
		}
		g.m.metrics = append(g.m.metrics, statement{uses: []string{t.name, u.name}, text: fmt.Sprintf("metric q%d = ", i+1) + fmt.Sprintf(form+"%.0[2]s", t.name, u.name)})
	}
}

// export adds further entries, which apply shared instances.
func (g *generator) export() {
	for k, i := range g.shared {
		name := fmt.Sprintf("ask%d", k+1)
		switch g.IntN(4) {
		case 0:
			g.m.exports = append(g.m.exports, statement{uses: []string{i.name}, text: fmt.Sprintf("export fn %s(q [N, %d]) = tanh(%s(q))", name, i.in, i.name)})
		case 1:
			other := g.shared[0]
			g.m.exports = append(g.m.exports, statement{uses: []string{i.name, other.name}, text: fmt.Sprintf(
				"export fn %s(q [N, %d], r [N, %d], j [N]int32) {\n    a = %s(q)\n    b = %s(r)\n    return a, b - %s(q[j]), sum(a)\n}", name, i.in, i.in, i.name, other.name, other.name)})
		}
	}
}

// finishNamed makes two losses of the two instances, each of which trains one.
func (g *generator) finishNamed(term func(tensor) string) {
	for i, name := range []string{"a", "b"} {
		net := g.shared[i].name
		o := objective{name: name, rule: g.rule(), only: net + ".**", block: g.block(net + ".**")}
		for _, s := range g.m.body {
			if slices.Contains(s.uses, net) && s.value && strings.Contains(s.text, net+"(") {
				t := g.find(s.defs[0])
				o.terms = append(o.terms, term(t))
			}
		}
		if t, ok := g.pick("B", "Bk", ""); ok {
			o.terms = append(o.terms, term(t))
		}
		g.m.losses = append(g.m.losses, o)
	}
}

// find is the tensor of a name.
func (g *generator) find(name string) tensor {
	i := slices.IndexFunc(g.tensors, func(t tensor) bool { return t.name == name })
	return g.tensors[i]
}

func (g *generator) rule() string {
	return g.one("sgd(lr: 0.1)", "sgd(lr: 0.05, momentum: 0.9, nesterov: true)", "adam(lr: 1e-2)", "adamw(lr: 1e-2)", "rmsprop(lr: 1e-2)", "adagrad(lr: 0.1)",
		"lazy(lr: 0.1)", "adam(lr: cosine(step, 1e-2, warmup: 2, total: steps))")
}

// block is lines of a train block for parameters of a pattern.
func (g *generator) block(all string) []string {
	var out []string
	add := func(chance int, text string) {
		if g.IntN(chance) == 0 {
			out = append(out, text)
		}
	}
	add(4, g.one("clip norm 0.05", "clip value 0.02", "clip norm 10.0"))
	add(3, g.one("decay 0.1", "decay 0.1 for "+all))
	add(6, "use "+g.one("sgd(lr: 0.02)", "(lr: 3e-3)", "lazy()")+" for "+all)
	for _, i := range g.shared {
		if all != "**" && !strings.HasPrefix(all, i.name) {
			continue
		}
		child := i.name + "." + g.one(i.children...)
		add(5, "freeze "+g.one(child+".**", child+".W", child+".b"))
		add(5, "use "+g.one("adam(lr: 1e-2)", "(lr: 4e-3)", "lazy()", "adamw(lr: 2e-3)")+" for "+g.one(child+".**", i.name+".**", child+".W"))
		add(5, "decay 0.2 for "+g.one(child+".W", i.name+".**.W", i.name+".**"))
	}
	add(4, "average ema(0.9)")
	add(5, "accumulate 2")
	add(5, "check gradients")
	return out
}
