package passes

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

// planOf compiles text, which must have one model.
func planOf(t *testing.T, text string) *ir.ModelPlan {
	t.Helper()
	plan, err := compileText(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return plan.Models[0]
}

func compileText(t *testing.T, text string) (*ir.Plan, error) {
	t.Helper()
	file, syntax := dsl.Parse("m.dnn", []byte(text))
	program, meaning := dsl.Elaborate(file, dsl.Options{})
	if len(syntax)+len(meaning) > 0 {
		t.Fatalf("%s:\n%v", text, append(syntax, meaning...)[0])
	}
	return Compile(program)
}

// TestShare: a step computes what its loss needs, reports what that determines,
// and writes what its instances write.
func TestShare(t *testing.T) {
	text, err := os.ReadFile("testdata/losses.dnn")
	if err != nil {
		t.Fatal(err)
	}
	plan := planOf(t, strings.Split(string(text), "\n---\n")[0])
	want := []struct{ loss, inputs, reports, written, empty, gradient string }{
		{"d", "[z real]", "[d margin fakes weights]", "[count noise.seen data.seen]", "B*N", "[critic.dense2.b critic.dense2.W critic.dense.b critic.dense.W]"},
		{"g", "[z]", "[g fakes weights]", "[count noise.seen]", "B", "[gen.b gen.W]"},
	}
	if len(plan.Trains) != len(want) {
		t.Fatalf("%d plans", len(plan.Trains))
	}
	for i, w := range want {
		p := plan.Trains[i]
		var inputs, reports, written, gradient []string
		for _, x := range p.Inputs {
			inputs = append(inputs, x.Name)
		}
		for _, k := range p.Reports {
			reports = append(reports, plan.Reports[k].Name)
		}
		for _, s := range p.Written {
			written = append(written, s.Path)
		}
		for _, b := range writtenBy(p.Gradient, ir.InGrad) {
			gradient = append(gradient, b.Key)
		}
		slices.Sort(gradient)
		slices.Reverse(gradient)
		got := []string{p.Loss, fmt.Sprint(inputs), fmt.Sprint(reports), fmt.Sprint(written), p.Empty.String(), fmt.Sprint(gradient)}
		if fmt.Sprint(got) != fmt.Sprint(w) {
			if strings.Join(got, " ") != strings.Trim(fmt.Sprint(w), "{}") {
				t.Errorf("loss %s has\n%v, want\n%v", p.Loss, got, w)
			}
		}
		results := 0
		for _, k := range p.Parts {
			if plan.Parts[k].Size == nil {
				results++
			}
		}
		if len(p.Forward.Results) != results {
			t.Errorf("loss %s has %d results, and %d parts that are no extents", p.Loss, len(p.Forward.Results), results)
		}
	}
}

// writtenBy is the buffers of a storage that a procedure writes.
func writtenBy(p *ir.Procedure, storage ir.Storage) []*ir.Buffer {
	var out []*ir.Buffer
	for _, step := range p.Steps {
		for _, b := range trafficOf(step).writes {
			if b.Storage == storage && !slices.Contains(out, b) {
				out = append(out, b)
			}
		}
	}
	return out
}

// TestAlike: losses that compute the same value have one place for it.
func TestAlike(t *testing.T) {
	text, err := os.ReadFile("testdata/losses.dnn")
	if err != nil {
		t.Fatal(err)
	}
	plan := planOf(t, strings.Split(string(text), "\n---\n")[0])
	named := func(p *ir.Procedure, name string) *ir.Buffer {
		for _, b := range writtenBy(p, ir.InArena) {
			if b.Name == name {
				return b
			}
		}
		t.Fatalf("%s has no %s", p.Name, name)
		return nil
	}
	for _, name := range []string{"genY", "criticDenseY"} {
		if named(plan.Trains[0].Forward, name) != named(plan.Trains[1].Forward, name) {
			t.Errorf("%s is two buffers", name)
		}
	}
}

const regression = "model M { input x [B, 3] input y [B, 2] h = dense(x, 4) p = dense(h, 2) loss mse(p, y) output p %s }"

// TestFolds: an update is part of the product that makes the gradient only
// where nothing else needs it.
func TestFolds(t *testing.T) {
	for train, want := range map[string]bool{
		"train sgd(lr: 0.1)":                              true,
		"train sgd(lr: 0.1) { freeze h.* }":               true,
		"train sgd(lr: 0.1) { decay 0.1 for **.W }":       true,
		"train sgd(lr: 0.1) { clip norm 1.0 }":            false,
		"train sgd(lr: 0.1) { clip value 1.0 }":           false,
		"train sgd(lr: 0.1) { check gradients }":          false,
		"train sgd(lr: 0.1) { accumulate 2 }":             false,
		"train sgd(lr: 0.1) { average ema(0.9) }":         false,
		"train sgd(lr: 0.1, momentum: 0.9)":               false,
		"train sgd(lr: 0.1) { use adam() for **.b }":      false,
		"train sgd(lr: 0.1) { use (lr: 0.01) for h.* }":   true,
		"train sgd(lr: 0.1) { freeze h.W freeze p.** }":   true,
		"train adam(lr: 0.1) { use sgd(lr: 1) for **.b }": false,
	} {
		plan := planOf(t, fmt.Sprintf(regression, train))
		if got := plan.Trains[0].Backward != nil; got != want {
			t.Errorf("%s: folded is %v", train, got)
		}
	}
}

// TestEvaluateServes: the forward of training serves as the inference only
// where the two are the same.
func TestEvaluateServes(t *testing.T) {
	for text, want := range map[string]bool{
		fmt.Sprintf(regression, "train sgd(lr: 0.1)"):                      false,
		fmt.Sprintf(regression, "train sgd(lr: 0.1) { average ema(0.9) }"): true,
		fmt.Sprintf(regression, "state n [] = zeros n <- n + 1"):           true,
		fmt.Sprintf(regression, "carry c [B, 3] = zeros c <- x"):           false,
		"model M { input x [B] output y = x^2 metric m = mean(y) }":        true,
		"model M { input x [B] output y = x^2 }":                           false,
		"model M { input x [B] loss a = mean(x) loss b = mean(x^2) }":      true,
	} {
		if got := planOf(t, text).Evaluate != nil; got != want {
			t.Errorf("%s: evaluate is %v", text, got)
		}
	}
}

// TestUntrained: a parameter that its loss does not reach is an error, which
// names the loss where there are several.
func TestUntrained(t *testing.T) {
	for text, want := range map[string]string{
		"model M { input x [B] param w [] = ones param v [] = ones loss mean(w*x) train sgd(lr: 1) }":                                                            "the loss does not depend on parameter v,",
		"model M { input x [B] param w [] = ones param v [] = ones loss a = mean(v*x) loss b = mean(w*x^2) train a sgd(lr: 1) for v train b sgd(lr: 1) for ** }": "the loss b does not depend on parameter v,",
		"model M { input x [B] param w [] = ones param v [] = ones output y = w*x train sgd(lr: 1) }":                                                            "no output depends on parameter v,",
		"model M { input x [B] param w [] = ones param v [] = ones loss mean(w*x) train sgd(lr: 1) { freeze v } }":                                               "",
		"model M { input x [B] param w [] = ones param v [] = ones loss a = mean(w*x) loss b = mean(v*x) train a sgd(lr: 1) for w train b sgd(lr: 1) for v }":    "",
	} {
		_, err := compileText(t, text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v, want %q", text, err, want)
		}
	}
}

// TestSharedInstance: the step of a loss runs the applications of an instance
// that the loss needs, from their inputs alone, and skips those between them. A
// metric is reported where the step runs its application, or only reads what the
// applications leave.
func TestSharedInstance(t *testing.T) {
	plan := planOf(t, `
	layer track(x [B]) { state m [] = 0  m <- 0.5*m + mean(x)  return x - m }
	layer net(x [B]) { y = track(x) as seen  return y }
	model M {
	    input a [N] input b [K]
	    param w [] = 1 param v [] = 1
	    shared t = net
	    shared idle = track
	    one = t(a) two = t(b) three = t(2*a)
	    loss d = mean((w*one - 1)^2 + (w*three)^2)
	    loss g = mean((v*two - 1)^2)
	    loss k = w*v
	    metric high = mean(one^2)
	    metric far = mean(idle(a))
	    metric level = t.seen.m
	    train d sgd(lr: 0.1) for w
	    train g sgd(lr: 0.1) for v
	    train k sgd(lr: 0.1) for w
	}`)
	want := []struct{ inputs, written, reports string }{
		{"[a]", "[t.seen.m]", "[d high level]"},
		{"[b]", "[t.seen.m]", "[g level]"},
		{"[]", "[]", "[k level]"},
	}
	for i, w := range want {
		p := plan.Trains[i]
		var inputs, written, reports []string
		for _, x := range p.Inputs {
			inputs = append(inputs, x.Name)
		}
		for _, s := range p.Written {
			written = append(written, s.Path)
		}
		for _, k := range p.Reports {
			reports = append(reports, plan.Reports[k].Name)
		}
		if got := fmt.Sprint(inputs, written, reports); got != fmt.Sprint(w.inputs, " ", w.written, " ", w.reports) {
			t.Errorf("loss %s: %s, want %v", p.Loss, got, w)
		}
	}
}
