package dsl_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// The points that functions of one number are evaluated at.
var points = []float64{-3.1, -1, -0.4, 0, 0.3, 1, 2.5}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func softplus(x float64) float64 { return math.Log1p(math.Exp(x)) }

func choose(c bool, a, b float64) float64 {
	if c {
		return a
	}
	return b
}

// activations is the library's functions of one number by their formulas.
var activations = map[string]func(x float64) float64{
	"identity(x)":        func(x float64) float64 { return x },
	"relu(x)":            func(x float64) float64 { return math.Max(x, 0) },
	"leaky_relu(x)":      func(x float64) float64 { return choose(x > 0, x, 0.01*x) },
	"leaky_relu(x, 0.2)": func(x float64) float64 { return choose(x > 0, x, 0.2*x) },
	"elu(x)":             func(x float64) float64 { return choose(x > 0, x, math.Exp(x)-1) },
	"elu(x, alpha: 2)":   func(x float64) float64 { return choose(x > 0, x, 2*(math.Exp(x)-1)) },
	"selu(x)": func(x float64) float64 {
		return 1.0507009873554805 * choose(x > 0, x, 1.6732632423543772*(math.Exp(x)-1))
	},
	"gelu(x)": func(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) },
	"gelu_tanh(x)": func(x float64) float64 {
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	},
	"silu(x)":          func(x float64) float64 { return x / (1 + math.Exp(-x)) },
	"mish(x)":          func(x float64) float64 { return x * math.Tanh(math.Log(1+math.Exp(x))) },
	"softplus(x)":      softplus,
	"sigmoid(x)":       sigmoid,
	"tanh(x)":          math.Tanh,
	"hardtanh(x)":      func(x float64) float64 { return math.Max(-1, math.Min(1, x)) },
	"softsign(x)":      func(x float64) float64 { return x / (1 + math.Abs(x)) },
	"clip(x, -0.5, 2)": func(x float64) float64 { return math.Max(-0.5, math.Min(2, x)) },
}

// TestActivations checks each function of one number at several points.
func TestActivations(t *testing.T) {
	for call, f := range activations {
		want := make([]float64, len(points))
		for i, x := range points {
			want[i] = f(x)
		}
		got := evalFn(t, "export fn f(x [N]) = "+call, map[string]*ir.Tensor{"x": vector(points...)})
		checkClose(t, call, got, vector(want...))
	}
}

// vector is a tensor of one axis.
func vector(x ...float64) *ir.Tensor { return &ir.Tensor{Shape: []int{len(x)}, Data: x} }

// matrix is a tensor of rows.
func matrix(rows ...[]float64) *ir.Tensor {
	t := &ir.Tensor{Shape: []int{len(rows), len(rows[0])}}
	for _, r := range rows {
		t.Data = append(t.Data, r...)
	}
	return t
}

func number(x float64) *ir.Tensor { return &ir.Tensor{Shape: []int{}, Data: []float64{x}} }

// evalFn is the first result of the exported fn f of a program.
func evalFn(t *testing.T, src string, given map[string]*ir.Tensor) *ir.Tensor {
	t.Helper()
	p := elaborated(t, "f.dnn", src)
	if p == nil {
		t.FailNow()
	}
	e := &ir.Evaluator{Dims: map[string]int{}, Values: map[string]*ir.Tensor{}}
	roots, err := rootsOf(p, e, "f", given)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	out, err := e.Eval(passes.Gradient(p.Graph, roots...)[0])
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return out
}

func checkClose(t *testing.T, what string, got, want *ir.Tensor) {
	t.Helper()
	if err := compare(got, want, 1e-12); err != nil {
		t.Errorf("%s is %v: %v", what, got.Data, err)
	}
}

// The tensors that losses and metrics are evaluated on: three rows of logits,
// labels, probabilities, and two vectors.
var (
	logits = [][]float64{{1, 2, -1}, {0.5, 0, 3}, {-2, 1, 1.5}}
	labels = []float64{1, 0, 2}
	soft   = [][]float64{{0.2, 0.8, 0}, {1, 0, 0}, {0.25, 0.25, 0.5}}
	p      = []float64{1, -2, 0.5, 3}
	y      = []float64{0.5, -1, 2.5, 3}
	signs  = []float64{1, -1, 1, -1}
)

// logSumExp is log Σ e^z.
func logSumExp(z []float64) float64 {
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(v)
	}
	return math.Log(sum)
}

// meanOver is the mean of f(0), …, f(n-1).
func meanOver(n int, f func(i int) float64) float64 {
	sum := 0.0
	for i := range n {
		sum += f(i)
	}
	return sum / float64(n)
}

// labelLoss is −log softmax(logits)[i][k].
func labelLoss(i, k int) float64 { return logSumExp(logits[i]) - logits[i][k] }

// smoothLoss is the mean of a row's label losses.
func smoothLoss(i int) float64 { return meanOver(3, func(k int) float64 { return labelLoss(i, k) }) }

// TestLosses checks each loss and metric against its formula.
func TestLosses(t *testing.T) {
	label := func(i int) int { return int(labels[i]) }
	weight := []float64{1, 2, 0.5}
	cases := map[string]float64{
		"mse(p, y)":             meanOver(4, func(i int) float64 { return (p[i] - y[i]) * (p[i] - y[i]) }),
		"rmse(p, y)":            math.Sqrt(meanOver(4, func(i int) float64 { return (p[i] - y[i]) * (p[i] - y[i]) })),
		"mae(p, y)":             meanOver(4, func(i int) float64 { return math.Abs(p[i] - y[i]) }),
		"huber(p, y)":           (0.125 + 0.5 + 1.5 + 0) / 4,
		"huber(p, y, delta: 2)": (0.125 + 0.5 + 2 + 0) / 4,
		"hinge(p, signs)":       (0 + 0 + 0.5 + 4.0) / 4,
		"l1_penalty(p)":         6.5,
		"l2_penalty(p)":         14.25,
		"r2(p, y)":              1 - (0.25+1+4+0)/4/((0.25+1+6.25+9)/4-25.0/16),

		"binary_cross_entropy(p, signs)": meanOver(4, func(i int) float64 {
			return -(signs[i]*math.Log(sigmoid(p[i])) + (1-signs[i])*math.Log(1-sigmoid(p[i])))
		}),
		"cross_entropy(z, k)": meanOver(3, func(i int) float64 { return labelLoss(i, label(i)) }),
		"cross_entropy(z, k, smoothing: 0.1)": meanOver(3, func(i int) float64 {
			return 0.9*labelLoss(i, label(i)) + 0.1*smoothLoss(i)
		}),
		"cross_entropy(z, k, weight: [1, 2, 0.5])":            (2*labelLoss(0, 1) + labelLoss(1, 0) + 0.5*labelLoss(2, 2)) / 3.5,
		"cross_entropy(z, k, ignore: 0)":                      (labelLoss(0, 1) + labelLoss(2, 2)) / 2,
		"cross_entropy(z, k, ignore: 0, weight: [1, 2, 0.5])": (2*labelLoss(0, 1) + 0.5*labelLoss(2, 2)) / 2.5,
		"cross_entropy(z, k, smoothing: 0.1, weight: [1, 2, 0.5])": func() float64 {
			sum := 0.0
			for i := range 3 {
				spread := meanOver(3, func(k int) float64 { return weight[k] * labelLoss(i, k) })
				sum += 0.9*weight[label(i)]*labelLoss(i, label(i)) + 0.1*spread
			}
			return sum / 3.5
		}(),
		"cross_entropy(z, q)": meanOver(3, func(i int) float64 {
			return soft[i][0]*labelLoss(i, 0) + soft[i][1]*labelLoss(i, 1) + soft[i][2]*labelLoss(i, 2)
		}),
		"cross_entropy(z, q, smoothing: 0.3)": meanOver(3, func(i int) float64 {
			sum := 0.0
			for k := range 3 {
				sum += (0.7*soft[i][k] + 0.1) * labelLoss(i, k)
			}
			return sum
		}),
		"nll(log_softmax(z), k)": meanOver(3, func(i int) float64 { return labelLoss(i, label(i)) }),
		"kl_divergence(log_softmax(z), q)": meanOver(9, func(i int) float64 {
			q := soft[i/3][i%3]
			if q == 0 {
				return 0
			}
			return q * (math.Log(q) + labelLoss(i/3, i%3))
		}),
		"accuracy(z, k)":          2.0 / 3,
		"accuracy(z, q)":          2.0 / 3,
		"top_k_accuracy(z, k, 1)": 2.0 / 3,
		"top_k_accuracy(z, k, 2)": 1,
	}
	given := map[string]*ir.Tensor{"p": vector(p...), "y": vector(y...), "signs": vector(signs...),
		"z": matrix(logits...), "k": vector(labels...), "q": matrix(soft...)}
	for call, want := range cases {
		src := "export fn f(p [N], y [N], signs [N], z [B, 3], k [B]int32, q [B, 3]) = " + call
		checkClose(t, call, evalFn(t, src, given), number(want))
	}
}

// TestIgnoredLabels checks that a label that is ignored need not be a class.
func TestIgnoredLabels(t *testing.T) {
	src := "export fn f(z [B, 3], k [B]int32) = cross_entropy(z, k, ignore: -100)"
	got := evalFn(t, src, map[string]*ir.Tensor{"z": matrix(logits...), "k": vector(1, -100, -100)})
	checkClose(t, src, got, number(labelLoss(0, 1)))
}

// TestNormalisation checks softmax, its logarithm and layer_norm.
func TestNormalisation(t *testing.T) {
	given := map[string]*ir.Tensor{"z": matrix(logits...)}
	soft, logs, columns := matrix(logits...), matrix(logits...), matrix(logits...)
	soft.Data, logs.Data, columns.Data = make([]float64, 9), make([]float64, 9), make([]float64, 9)
	for i := range 3 {
		for k := range 3 {
			logs.Data[3*i+k] = -labelLoss(i, k)
			soft.Data[3*i+k] = math.Exp(-labelLoss(i, k))
			columns.Data[3*i+k] = math.Exp(logits[i][k] - logSumExp([]float64{logits[0][k], logits[1][k], logits[2][k]}))
		}
	}
	checkClose(t, "softmax", evalFn(t, "export fn f(z [B, 3]) = softmax(z)", given), soft)
	checkClose(t, "softmax along 0", evalFn(t, "export fn f(z [B, 3]) = softmax(z, axis: 0)", given), columns)
	checkClose(t, "log_softmax", evalFn(t, "export fn f(z [B, 3]) = log_softmax(z)", given), logs)
}

// TestLayers checks the layers that own parameters.
func TestLayers(t *testing.T) {
	src := `model M {
	    input x [B, 2]
	    input ids [N]int32
	    output d = dense(x, 2, act: tanh)
	    output n = layer_norm(x)
	    output e = embedding(ids, 3, 2)
	    loss sum(d)
	}`
	m := elaborated(t, "m.dnn", src).Models[0]
	given := map[string]*ir.Tensor{
		"x": matrix([]float64{1, 3}, []float64{-1, 0}), "ids": vector(2, 0),
		"d.W": matrix([]float64{1, 2}, []float64{0, -1}), "d.b": vector(0.5, 0),
		"n.scale": vector(2, 1), "n.shift": vector(0, 1), "e.W": matrix([]float64{1, 2}, []float64{3, 4}, []float64{5, 6}),
	}
	e := &ir.Evaluator{Dims: map[string]int{}, Values: map[string]*ir.Tensor{}}
	if err := setModel(e, m, given); err != nil {
		t.Fatal(err)
	}
	r0, r1 := 1/math.Sqrt(1+1e-5), 0.5/math.Sqrt(0.25+1e-5)
	want := map[string]*ir.Tensor{
		"d": matrix([]float64{math.Tanh(1.5), math.Tanh(-1)}, []float64{math.Tanh(-0.5), math.Tanh(-2)}),
		"n": matrix([]float64{-2 * r0, r0 + 1}, []float64{-2 * r1, r1 + 1}),
		"e": matrix([]float64{5, 6}, []float64{1, 2}),
	}
	for _, o := range m.Train.Outputs {
		got, err := e.Eval(o.Node)
		if err != nil {
			t.Fatal(err)
		}
		checkClose(t, o.Name, got, want[o.Name])
	}
}

// TestBatchNorm checks batch_norm in training and in inference, and what its
// running moments become.
func TestBatchNorm(t *testing.T) {
	m := elaborated(t, "m.dnn", "model M { input x [B, 2] output c = batch_norm(x) loss sum(c) }").Models[0]
	given := map[string]*ir.Tensor{
		"x": matrix([]float64{1, 3}, []float64{-1, 0}), "c.scale": vector(2, 1), "c.shift": vector(0, 1),
		"c.mean": vector(0.5, 0), "c.var": vector(4, 1),
	}
	e := &ir.Evaluator{Dims: map[string]int{}, Values: map[string]*ir.Tensor{}}
	if err := setModel(e, m, given); err != nil {
		t.Fatal(err)
	}
	r := func(v float64) float64 { return 1 / math.Sqrt(v+1e-5) }
	check := func(what string, n *ir.Node, want *ir.Tensor) {
		got, err := e.Eval(n)
		if err != nil {
			t.Fatal(err)
		}
		checkClose(t, what, got, want)
	}
	check("training", m.Train.Outputs[0].Node, matrix([]float64{2 * r(1), 1.5*r(2.25) + 1}, []float64{-2 * r(1), -1.5*r(2.25) + 1}))
	check("inference", m.Infer.Outputs[0].Node, matrix([]float64{r(4), 3*r(1) + 1}, []float64{-3 * r(4), 1}))
	next := map[string]*ir.Tensor{"c.mean": vector(0.45, 0.15), "c.var": vector(3.8, 1.35)}
	for _, w := range m.Train.Writes {
		check(w.State.Path, w.Value, next[w.State.Path])
		delete(next, w.State.Path)
	}
	if len(next) > 0 {
		t.Errorf("no write of %v", next)
	}
}

// TestDropout checks that dropped elements are 0, the others scaled, and that
// about as many are dropped as the rate says.
func TestDropout(t *testing.T) {
	src := "model M { input x [B] output d = dropout(x, 0.25) loss sum(d) }"
	m := elaborated(t, "m.dnn", src).Models[0]
	x := ir.NewTensor(4000)
	for i := range x.Data {
		x.Data[i] = 3
	}
	e := &ir.Evaluator{Dims: map[string]int{"B": 4000}, Values: map[string]*ir.Tensor{"input x": x}, Seed: 5}
	d, err := e.Eval(m.Train.Outputs[0].Node)
	if err != nil {
		t.Fatal(err)
	}
	dropped := 0
	for _, v := range d.Data {
		switch v {
		case 0:
			dropped++
		case 4:
		default:
			t.Fatalf("an element is %v", v)
		}
	}
	if dropped < 900 || dropped > 1100 {
		t.Errorf("%d of 4000 are dropped at rate 0.25", dropped)
	}
}

// TestInitialisers checks the mean, the variance and the bounds of each.
func TestInitialisers(t *testing.T) {
	const in, out = 60, 90
	uniform := func(variance float64) [3]float64 { return [3]float64{0, variance, math.Sqrt(3 * variance)} }
	normal := func(variance float64) [3]float64 { return [3]float64{0, variance, 7 * math.Sqrt(variance)} }
	cases := map[string][3]float64{ // mean, variance, largest distance from the mean
		"zeros":                     {0, 0, 0},
		"ones":                      {1, 0, 0},
		"constant(2.5)":             {2.5, 0, 0},
		"uniform":                   {0.5, 1.0 / 12, 0.5},
		"uniform(lo: -1, hi: 3)":    {1, 16.0 / 12, 2},
		"normal":                    normal(1),
		"normal(mean: 2, std: 0.5)": {2, 0.25, 4},
		"glorot_uniform":            uniform(2.0 / (in + out)),
		"glorot_normal":             normal(2.0 / (in + out)),
		"he_uniform":                uniform(2.0 / in),
		"he_normal":                 normal(2.0 / in),
		"lecun_uniform":             uniform(1.0 / in),
		"lecun_normal":              normal(1.0 / in),
	}
	for rule, want := range cases {
		src := fmt.Sprintf("model M { param W [%d, %d] = %s loss sum(W) }", in, out, rule)
		w, err := (&ir.Evaluator{Seed: 3}).Eval(elaborated(t, "m.dnn", src).Models[0].Params[0].Init)
		if err != nil {
			t.Fatal(err)
		}
		mean := meanOver(len(w.Data), func(i int) float64 { return w.Data[i] })
		variance := meanOver(len(w.Data), func(i int) float64 { return (w.Data[i] - mean) * (w.Data[i] - mean) })
		if math.Abs(mean-want[0]) > 0.05*math.Sqrt(want[1]) || math.Abs(variance-want[1]) > 0.06*want[1] {
			t.Errorf("%s has mean %v and variance %v, want %v and %v", rule, mean, variance, want[0], want[1])
		}
		for _, v := range w.Data {
			if math.Abs(v-want[0]) > want[2] {
				t.Errorf("%s draws %v, further than %v from %v", rule, v, want[2], want[0])
				break
			}
		}
	}
}

// TestFans checks fan_in and fan_out of matrices and of kernels.
func TestFans(t *testing.T) {
	src := "export fn f(x []) = x + [fan_in([2, 3]), fan_out([2, 3]), fan_in([4, 5, 6, 7]), fan_out([4, 5, 6, 7]), fan_in([9]), fan_out([])]"
	got := evalFn(t, src, map[string]*ir.Tensor{"x": number(0)})
	checkClose(t, "fans", got, vector(2, 3, 5*6*7, 4*6*7, 9, 1))
}

// TestOptimizers follows trajectories that PyTorch's optimisers took on the
// chained Rosenbrock function, step by step.
func TestOptimizers(t *testing.T) {
	src, err := os.ReadFile("testdata/torch/optimizers.json")
	if err != nil {
		t.Fatal(err)
	}
	var runs []struct {
		Train   string
		X, Grad [][]float64
	}
	if err := json.Unmarshal(src, &runs); err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		m := elaborated(t, "m.dnn", "dtype float64 model M { param w [4] = zeros loss sum(w) train "+run.Train+" }").Models[0]
		u := m.Updates()[0]
		states := map[string]*ir.Tensor{}
		for step, g := range run.Grad {
			given := map[string]*ir.Tensor{"w": vector(run.X[step]...), "grad w": vector(g...), "step": number(float64(step + 1))}
			for path, v := range states {
				given[path] = v
			}
			e := &ir.Evaluator{Values: map[string]*ir.Tensor{}}
			if err := setModel(e, m, given); err != nil {
				t.Fatal(err)
			}
			next, err := e.Eval(u.Next)
			if err != nil {
				t.Fatal(err)
			}
			if err := compare(next, vector(run.X[step+1]...), 1e-12); err != nil {
				t.Errorf("%s, step %d: %v", run.Train, step+1, err)
			}
			for _, w := range u.States {
				if states[w.State.Path], err = e.Eval(w.Value); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestSchedules checks each schedule at a few steps.
func TestSchedules(t *testing.T) {
	half := func(x float64) float64 { return 0.5 * (1 + math.Cos(math.Pi*x)) }
	cases := map[string][]float64{ // at steps 1, 5, 10, 20, 30
		"constant_lr(step, 2)":                                {2, 2, 2, 2, 2},
		"step_decay(step, 2, every: 5)":                       {2, 2, 0.2, 0.002, 0.00002},
		"step_decay(step, 2, 5, factor: 0.5)":                 {2, 2, 1, 0.25, 0.0625},
		"exponential(step, 2, 0.5)":                           {2, 2 * math.Pow(0.5, 4), 2 * math.Pow(0.5, 9), 2 * math.Pow(0.5, 19), 2 * math.Pow(0.5, 29)},
		"cosine(step, 2, warmup: 10, total: 20)":              {0.2, 1, 2, 0, 0},
		"cosine(step, 2, total: 20)":                          {2 * half(0.05), 2 * half(0.25), 1, 0, 0},
		"cosine(step, 2, warmup: 10, total: steps, end: 0.5)": {0.2, 1, 2, 0.5 + 1.5*half(1.0/3), 0.5 + 1.5*half(2.0/3)},
		"linear(step, 2, warmup: 10, total: 20)":              {0.2, 1, 2, 0, 0},
		"linear(step, 2, total: 40)":                          {1.95, 1.75, 1.5, 1, 0.5},
	}
	for call, want := range cases {
		m := elaborated(t, "m.dnn", "dtype float64 model M { input x [] loss x * "+call+" }").Models[0]
		for i, step := range []float64{1, 5, 10, 20, 30} {
			e := &ir.Evaluator{Values: map[string]*ir.Tensor{"input x": number(1), "step step": number(step), "steps steps": number(40)}}
			got, err := e.Eval(m.Train.Loss(""))
			if err != nil {
				t.Fatal(err)
			}
			checkClose(t, fmt.Sprintf("%s at %v", call, step), got, number(want[i]))
		}
	}
}

// TestLibraryIsTested checks that every declaration of the library is called in
// a test of this package or in a program of testdata/spec.
func TestLibraryIsTested(t *testing.T) {
	text := ""
	for _, pattern := range []string{"library_test.go", "testdata/spec/statements.dnn", "testdata/spec/signatures.dnn",
		"testdata/spec/expressions.dnn", "testdata/spec/training.dnn", "testdata/spec/derivatives.dnn", "testdata/torch/optimizers.json"} {
		src, err := os.ReadFile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		text += string(src)
	}
	for _, name := range libraryNames(t) {
		if !strings.Contains(text, name+"(") && !strings.Contains(text, `"`+name+`"`) {
			t.Errorf("%s of the library is in no test", name)
		}
	}
}

// libraryNames is the names that the library declares for its users: those with
// a doc comment that does not describe a part of another.
func libraryNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for file, src := range dsl.LibraryFiles() {
		f, diags := dsl.Parse(file, src)
		if len(diags) > 0 {
			t.Fatal(diags[0])
		}
		for _, d := range f.Decls {
			name, doc := "", ""
			switch d := d.(type) {
			case *dsl.FnDecl:
				name, doc = d.Name.Name, d.Doc
			case *dsl.LayerDecl:
				name, doc = d.Name.Name, d.Doc
			case *dsl.OptimizerDecl:
				name, doc = d.Name.Name, d.Doc
			}
			if doc == "" {
				t.Errorf("%s: %s has no doc comment", file, name)
			}
			if !strings.HasPrefix(doc, "Part of ") {
				names = append(names, name)
			}
		}
	}
	sort.Strings(names)
	return names
}
