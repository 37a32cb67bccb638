package passes

import (
	"strings"
	"testing"
)

// TestUnrolled: a metric is made of the single sums that it needs, and of no
// others; of too many it is an error.
func TestUnrolled(t *testing.T) {
	const model = "model M { input x [B, 3] input y [B, 20] loss mean(x) metric m = %s }"
	for _, c := range []struct {
		metric string
		parts  int // -1 where there is an error
	}{
		{"mean(sum(x, axis: 0)^2)", 3},
		{"norm(mean(x, axis: 0))", 4}, // with the size of the batch
		{"norm(x)", 1},
		{"max(sum(x, axis: 0) / (1 + sum(abs(x), axis: 0)))", 6},
		{"exp(sum(x, axis: 0))[2]", 1},
		{"sum(exp(x' @ x) * eye(3))", 3},
		{"prod(1 + max(x, axis: 0))", 3},
		{"sum(where(iota(3) < 2, exp(sum(x, axis: 0)), 0))", 2},
		{"sum(exp(y' @ y))", -1},
		{"sum(exp(sum(x, axis: 0)) @ ones([3, 2]))", -1},
	} {
		plan, err := compileText(t, strings.Replace(model, "%s", c.metric, 1))
		switch {
		case err != nil && c.parts < 0:
			if !strings.Contains(err.Error(), "metric m is no formula of sums over the data") {
				t.Errorf("%s: %v", c.metric, err)
			}
		case err != nil || c.parts < 0:
			t.Errorf("%s: %v", c.metric, err)
		default:
			m := plan.Models[0]
			if got := len(m.Parts) - 2; got != c.parts {
				t.Errorf("%s has %d parts beside those of the loss, want %d", c.metric, got, c.parts)
			}
		}
	}
}
