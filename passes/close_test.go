package passes

import (
	"strings"
	"testing"
)

// TestClosed: a metric is made of the sums that it needs, tensors of them where
// it works on tensors; what differs from batch to batch is no such tensor.
func TestClosed(t *testing.T) {
	const model = "model M { input x [B, 3] input y [B, 20] input z [B, N] param w [3] = ones loss mean(x*w) metric m = %s train sgd(lr: 0.1) }"
	for _, c := range []struct {
		metric string
		parts  string // beside those of the loss, by kind and shape
	}{
		{"mean(sum(x, axis: 0)^2)", "sum [3]"},
		{"norm(mean(x, axis: 0))", "sum [3], sum []"}, // with the size of the batch
		{"norm(x)", "sum []"},
		{"max(sum(x, axis: 0) / (1 + sum(abs(x), axis: 0)))", "sum [3], sum [3]"},
		{"sum(exp(x' @ x) * eye(3))", "sum [3, 3]"},
		{"sum(exp(y' @ y))", "sum [20, 20]"},
		{"prod(1 + max(x, axis: 0))", "max [3]"},
		{"sum(where(iota(3) < 2, exp(sum(x, axis: 0)), 0))", "sum [3]"},
		{"sum(exp(sum(x, axis: 0)) @ ones([3, 2]))", "sum [3]"},
		{"float(argmax(sum(x, axis: 0)))", "sum [3]"},
		{"sum(exp(sum(x, axis: 0)) * w)", "sum [3], last [3]"},
		{"mean(sum(x, axis: 0))", "sum []"},
		{"sum(exp(sum(x, axis: 0))) / mean(y)", "sum [3], sum [], sum []"},
		{"float(any(all(x > 0, axis: 0)))", "all [3]"},
		{"prod(mean(z, axis: 0))", "N"},
		{"prod(exp(sum(z)) * z[:, 0])", "B"},
	} {
		plan, err := compileText(t, strings.Replace(model, "%s", c.metric, 1))
		switch {
		case err != nil && len(c.parts) == 1:
			if want := "works on sums over the data of which there are " + c.parts + ", a number that differs"; !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", c.metric, err)
			}
		case err != nil || len(c.parts) == 1:
			t.Errorf("%s: %v", c.metric, err)
		default:
			var got []string
			for _, p := range plan.Models[0].Parts[2:] {
				got = append(got, p.Kind+" "+p.Node.Type.Shape.String())
			}
			if strings.Join(got, ", ") != c.parts {
				t.Errorf("%s has the parts %s beside those of the loss, want %s", c.metric, got, c.parts)
			}
		}
	}
}
