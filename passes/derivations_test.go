package passes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// A derivation is a line of the page on derivations: what is computed, in
// several spellings, and the most that its backward may need.
type derivation struct {
	line     string
	leaves   []string // "z [B, K]", an element type behind the shape where it is not float64
	wrt      string   // names of leaves, all of floating type where it is empty
	forward  []string // lines of the text form; the last one names the result y
	backward string   // d and the leaf's name, as an expert has it, in terms of leaves, dy and y
	saved    int      // values that the forward computes and the backward reads
	products int
	reduces  int
}

// derivations has the lines in the order of the page.
var derivations = []derivation{
	{
		line: "cross_entropy", leaves: []string{"z [B, K]", "t [B]int32"},
		forward: []string{
			`lse = logsumexp(z, axes: [1])
			 y = sum(lse - pick(z, t), axes: [0]) / size(dim: B, elem: float64)`,
			`l = z - spread(logsumexp(z, axes: [1]), shape: [B, K], axes: [1])
			 y = sum(-pick(l, t), axes: [0]) / size(dim: B, elem: float64)`,
			`e = exp(z)
			 p = e / spread(sum(e, axes: [1]), shape: [B, K], axes: [1])
			 y = -sum(log(pick(p, t)), axes: [0]) / size(dim: B, elem: float64)`,
			`e = exp(z - spread(reduce_max(z, axes: [1]), shape: [B, K], axes: [1]))
			 p = e / spread(sum(e, axes: [1]), shape: [B, K], axes: [1])
			 hot = cast(eq(spread(t, shape: [B, K], axes: [1]), iota(axis: 1, type: [B, K]int32), within: 1), elem: float64)
			 y = -sum(sum(hot * log(p), axes: [1]), axes: [0]) / size(dim: B, elem: float64)`,
			`e = exp(z)
			 p = e / spread(sum(e, axes: [1]), shape: [B, K], axes: [1])
			 hot = cast(eq(spread(t, shape: [B, K], axes: [1]), iota(axis: 1, type: [B, K]int32), within: 1), elem: float64)
			 y = -sum(log(p) * hot, axes: [0, 1]) / size(dim: B, elem: float64)`,
		},
		backward: `p = exp(z - spread(logsumexp(z, axes: [1]), shape: [B, K], axes: [1]))
			hot = cast(eq(spread(t, shape: [B, K], axes: [1]), iota(axis: 1, type: [B, K]int32), within: 1), elem: float64)
			dz = (p - hot) / spread(size(dim: B, elem: float64), shape: [B, K], axes: [0, 1])`,
		saved: 2,
	},
	{
		line: "cross_entropy with smoothing", leaves: []string{"z [B, 10]", "t [B]int32"},
		forward: []string{
			`l = z - spread(logsumexp(z, axes: [1]), shape: [B, 10], axes: [1])
			 y = -sum(0.9 * pick(l, t) + 0.1 * (sum(l, axes: [1]) / 10), axes: [0]) / size(dim: B, elem: float64)`,
			`l = z - spread(logsumexp(z, axes: [1]), shape: [B, 10], axes: [1])
			 hot = cast(eq(spread(t, shape: [B, 10], axes: [1]), iota(axis: 1, type: [B, 10]int32), within: 1), elem: float64)
			 y = -sum(sum((0.9 * hot + 0.01) * l, axes: [1]), axes: [0]) / size(dim: B, elem: float64)`,
			`e = exp(z)
			 p = e / spread(sum(e, axes: [1]), shape: [B, 10], axes: [1])
			 hot = cast(eq(spread(t, shape: [B, 10], axes: [1]), iota(axis: 1, type: [B, 10]int32), within: 1), elem: float64)
			 y = -sum(sum((hot * (1 - 0.1) + 0.1 / 10) * log(p), axes: [1]), axes: [0]) / size(dim: B, elem: float64)`,
		},
		backward: `p = exp(z - spread(logsumexp(z, axes: [1]), shape: [B, 10], axes: [1]))
			hot = cast(eq(spread(t, shape: [B, 10], axes: [1]), iota(axis: 1, type: [B, 10]int32), within: 1), elem: float64)
			dz = (p - 0.9 * hot - 0.01) / spread(size(dim: B, elem: float64), shape: [B, 10], axes: [0, 1])`,
		saved: 2,
	},
	{
		// Not on the page: the targets are probabilities themselves.
		line: "distillation", leaves: []string{"z [B, K]", "t [B, K]"}, wrt: "z",
		forward: []string{
			`q = exp(t - spread(logsumexp(t, axes: [1]), shape: [B, K], axes: [1]))
			 y = -sum(q * (z - spread(logsumexp(z, axes: [1]), shape: [B, K], axes: [1])), axes: [0, 1]) / size(dim: B, elem: float64)`,
			`e = exp(t)
			 f = exp(z)
			 q = e / spread(sum(e, axes: [1]), shape: [B, K], axes: [1])
			 p = f / spread(sum(f, axes: [1]), shape: [B, K], axes: [1])
			 y = sum(sum(q * (log(q) - log(p)), axes: [1]), axes: [0]) / size(dim: B, elem: float64)`,
		},
		backward: `p = exp(z - spread(logsumexp(z, axes: [1]), shape: [B, K], axes: [1]))
			q = exp(t - spread(logsumexp(t, axes: [1]), shape: [B, K], axes: [1]))
			dz = (p - q) / spread(size(dim: B, elem: float64), shape: [B, K], axes: [0, 1])`,
		saved: 3,
	},
	{
		line: "binary_cross_entropy", leaves: []string{"z [N]", "t [N]"}, wrt: "z",
		forward: []string{
			`y = sum(softplus(z) - z * t, axes: [0]) / size(dim: N, elem: float64)`,
			`y = sum(max(z, 0) - z * t + log1p(exp(-abs(z))), axes: [0]) / size(dim: N, elem: float64)`,
			`s = sigmoid(z)
			 y = -(sum(t * log(s) + (1 - t) * log(1 - s), axes: [0]) / size(dim: N, elem: float64))`,
			`s = 1 / (1 + exp(-z))
			 y = -sum(t * log(s) + (1 - t) * log(1 - s), axes: [0]) / size(dim: N, elem: float64)`,
			`s = exp(z) / (exp(z) + 1)
			 y = sum(-(t * log(s)) - (1 - t) * log(1 - s), axes: [0]) / size(dim: N, elem: float64)`,
		},
		backward: `dz = (sigmoid(z) - t) / spread(size(dim: N, elem: float64), shape: [N], axes: [0])`,
		saved:    1,
	},
	{
		line: "mean((p - t)^2)", leaves: []string{"p [B, 4]", "t [B, 4]"}, wrt: "p",
		forward: []string{
			`y = sum(pow(p - t, 2), axes: [0, 1]) / size(dim: 4*B, elem: float64)`,
			`e = p - t
			 y = sum(sum(e * e, axes: [1]) / 4, axes: [0]) / size(dim: B, elem: float64)`,
			`y = 1 / size(dim: 4*B, elem: float64) * sum(p * p - 2 * p * t + t * t, axes: [0, 1])`,
		},
		backward: `dp = spread(2 / size(dim: 4*B, elem: float64), shape: [B, 4], axes: [0, 1]) * (p - t)`,
		saved:    1,
	},
	{
		line: "logsumexp", leaves: []string{"z [B, K]"},
		forward: []string{
			`y = logsumexp(z, axes: [1])`,
			`y = log(sum(exp(z), axes: [1]))`,
			`m = reduce_max(z, axes: [1])
			 y = m + log(sum(exp(z - spread(m, shape: [B, K], axes: [1])), axes: [1]))`,
		},
		backward: `dz = spread(dy, shape: [B, K], axes: [1]) * exp(z - spread(y, shape: [B, K], axes: [1]))`,
		saved:    2,
	},
	{
		line: "softmax", leaves: []string{"z [B, K]"},
		forward: []string{
			`y = exp(z - spread(logsumexp(z, axes: [1]), shape: [B, K], axes: [1]))`,
			`e = exp(z)
			 y = e / spread(sum(e, axes: [1]), shape: [B, K], axes: [1])`,
			`e = exp(z - spread(reduce_max(z, axes: [1]), shape: [B, K], axes: [1]))
			 y = e / spread(sum(e, axes: [1]), shape: [B, K], axes: [1])`,
			`e = exp(z - spread(reduce_max(z, axes: [1]), shape: [B, K], axes: [1]))
			 y = e * spread(1 / sum(e, axes: [1]), shape: [B, K], axes: [1])`,
		},
		backward: `dz = y * (dy - spread(sum(dy * y, axes: [1]), shape: [B, K], axes: [1]))`,
		saved:    1, reduces: 1,
	},
	{
		line: "log_softmax", leaves: []string{"z [B, K]"},
		forward: []string{
			`y = z - spread(logsumexp(z, axes: [1]), shape: [B, K], axes: [1])`,
			`e = exp(z)
			 y = log(e / spread(sum(e, axes: [1]), shape: [B, K], axes: [1]))`,
			`s = z - spread(reduce_max(z, axes: [1]), shape: [B, K], axes: [1])
			 y = s - spread(log(sum(exp(s), axes: [1])), shape: [B, K], axes: [1])`,
		},
		backward: `dz = dy - spread(sum(dy, axes: [1]), shape: [B, K], axes: [1]) * exp(y)`,
		saved:    1, reduces: 1,
	},
	{
		line: "layer_norm", leaves: []string{"x [B, 8]", "gamma [8]", "beta [8]"},
		forward: []string{
			`c = x - spread(sum(x, axes: [1]) / 8, shape: [B, 8], axes: [1])
			 r = rsqrt(sum(c * c, axes: [1]) / 8 + 1e-05)
			 y = c * spread(r, shape: [B, 8], axes: [1]) * spread(gamma, shape: [B, 8], axes: [0]) + spread(beta, shape: [B, 8], axes: [0])`,
			`m = sum(x, axes: [1]) / 8
			 c = x - spread(m, shape: [B, 8], axes: [1])
			 sd = sqrt(sum(pow(c, 2), axes: [1]) / 8 + 1e-05)
			 y = spread(gamma, shape: [B, 8], axes: [0]) * (c / spread(sd, shape: [B, 8], axes: [1])) + spread(beta, shape: [B, 8], axes: [0])`,
			`c = x - spread(sum(x, axes: [1]) * 0.125, shape: [B, 8], axes: [1])
			 v = spread(sum(c * c, axes: [1]) * 0.125, shape: [B, 8], axes: [1])
			 y = c / sqrt(v + 1e-05) * spread(gamma, shape: [B, 8], axes: [0]) + spread(beta, shape: [B, 8], axes: [0])`,
		},
		backward: `c = x - spread(sum(x, axes: [1]) / 8, shape: [B, 8], axes: [1])
			r = spread(rsqrt(sum(c * c, axes: [1]) / 8 + 1e-05), shape: [B, 8], axes: [1])
			h = c * r
			d = dy * spread(gamma, shape: [B, 8], axes: [0])
			dx = r * (d - spread(sum(d, axes: [1]) / 8, shape: [B, 8], axes: [1]) - h * spread(sum(d * h, axes: [1]) / 8, shape: [B, 8], axes: [1]))
			dgamma = sum(dy * h, axes: [0])
			dbeta = sum(dy, axes: [0])`,
		saved: 2, reduces: 4,
	},
	{
		line: "rms_norm", leaves: []string{"x [B, N]", "gamma [N]"}, wrt: "x",
		forward: []string{
			`r = rsqrt(sum(x * x, axes: [1]) / spread(size(dim: N, elem: float64), shape: [B], axes: [0]) + 1e-05)
			 y = x * spread(r, shape: [B, N], axes: [1]) * spread(gamma, shape: [B, N], axes: [0])`,
			`s = sqrt(sum(pow(x, 2), axes: [1]) / spread(size(dim: N, elem: float64), shape: [B], axes: [0]) + 1e-05)
			 y = x / spread(s, shape: [B, N], axes: [1]) * spread(gamma, shape: [B, N], axes: [0])`,
		},
		backward: `n = spread(size(dim: N, elem: float64), shape: [B], axes: [0])
			r = spread(rsqrt(sum(x * x, axes: [1]) / n + 1e-05), shape: [B, N], axes: [1])
			h = x * r
			d = dy * spread(gamma, shape: [B, N], axes: [0])
			dx = r * (d - h * spread(sum(d * h, axes: [1]) / n, shape: [B, N], axes: [1]))`,
		saved: 2, reduces: 1,
	},
	{
		line: "batch_norm", leaves: []string{"x [B, 8]", "gamma [8]", "beta [8]"},
		forward: []string{
			`n = spread(size(dim: B, elem: float64), shape: [8], axes: [0])
			 c = x - spread(sum(x, axes: [0]) / n, shape: [B, 8], axes: [0])
			 r = rsqrt(sum(c * c, axes: [0]) / n + 1e-05)
			 y = c * spread(r * gamma, shape: [B, 8], axes: [0]) + spread(beta, shape: [B, 8], axes: [0])`,
			`n = spread(size(dim: B, elem: float64), shape: [8], axes: [0])
			 c = x - spread(sum(x, axes: [0]) / n, shape: [B, 8], axes: [0])
			 sd = sqrt(sum(pow(c, 2), axes: [0]) / n + 1e-05)
			 y = c / spread(sd, shape: [B, 8], axes: [0]) * spread(gamma, shape: [B, 8], axes: [0]) + spread(beta, shape: [B, 8], axes: [0])`,
		},
		backward: `n = spread(size(dim: B, elem: float64), shape: [8], axes: [0])
			c = x - spread(sum(x, axes: [0]) / n, shape: [B, 8], axes: [0])
			r = rsqrt(sum(c * c, axes: [0]) / n + 1e-05)
			h = c * spread(r, shape: [B, 8], axes: [0])
			dgamma = sum(dy * h, axes: [0])
			dbeta = sum(dy, axes: [0])
			dx = spread(gamma * r, shape: [B, 8], axes: [0]) * (dy - spread(dbeta / n, shape: [B, 8], axes: [0]) - h * spread(dgamma / n, shape: [B, 8], axes: [0]))`,
		saved: 2, reduces: 2,
	},
	{
		line: "var", leaves: []string{"x [B, 8]"},
		forward: []string{
			`c = x - spread(sum(x, axes: [1]) / 8, shape: [B, 8], axes: [1])
			 y = sum(c * c, axes: [1]) / 8`,
			`c = x - spread(sum(x, axes: [1]) * 0.125, shape: [B, 8], axes: [1])
			 y = 0.125 * sum(pow(c, 2), axes: [1])`,
		},
		backward: `c = x - spread(sum(x, axes: [1]) / 8, shape: [B, 8], axes: [1])
			dx = 0.25 * spread(dy, shape: [B, 8], axes: [1]) * c`,
		saved: 1,
	},
	{
		line: "std", leaves: []string{"x [B, N]"},
		forward: []string{
			`n = spread(size(dim: N, elem: float64), shape: [B], axes: [0])
			 c = x - spread(sum(x, axes: [1]) / n, shape: [B, N], axes: [1])
			 y = sqrt(sum(c * c, axes: [1]) / n)`,
			`n = spread(size(dim: N, elem: float64), shape: [B], axes: [0])
			 c = x - spread(sum(x, axes: [1]) / n, shape: [B, N], axes: [1])
			 y = pow(sum(pow(c, 2), axes: [1]) / n, 0.5)`,
		},
		backward: `n = spread(size(dim: N, elem: float64), shape: [B], axes: [0])
			c = x - spread(sum(x, axes: [1]) / n, shape: [B, N], axes: [1])
			dx = spread(dy / (n * y), shape: [B, N], axes: [1]) * c`,
		saved: 2,
	},
	{
		line: "norm", leaves: []string{"x [N]"},
		forward: []string{
			`y = sqrt(sum(x * x, axes: [0]))`,
			`y = pow(sum(pow(x, 2), axes: [0]), 0.5)`,
		},
		backward: `dx = x / spread(y, shape: [N], axes: [0])`,
		saved:    2,
	},
	{
		line: "x/norm(x)", leaves: []string{"x [B, N]"},
		forward: []string{
			`y = x / spread(sqrt(sum(x * x, axes: [1])), shape: [B, N], axes: [1])`,
			`y = x * spread(rsqrt(sum(x * x, axes: [1])), shape: [B, N], axes: [1])`,
			`y = x / spread(pow(sum(pow(x, 2), axes: [1]), 0.5), shape: [B, N], axes: [1])`,
		},
		backward: `n = spread(sqrt(sum(x * x, axes: [1])), shape: [B, N], axes: [1])
			dx = (dy - y * spread(sum(dy * y, axes: [1]), shape: [B, N], axes: [1])) / n`,
		saved: 2, reduces: 1,
	},
	{
		line: "tanh", leaves: []string{"x [N]"},
		forward: []string{
			`y = tanh(x)`,
			`y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))`,
			`y = 2 * sigmoid(2 * x) - 1`,
			`y = (1 - exp(-2 * x)) / (1 + exp(-2 * x))`,
			`y = (exp(2 * x) - 1) / (exp(2 * x) + 1)`,
		},
		backward: `dx = dy * (1 - y * y)`,
		saved:    1,
	},
	{
		line: "sigmoid", leaves: []string{"x [N]"},
		forward: []string{
			`y = sigmoid(x)`,
			`y = 1 / (1 + exp(-x))`,
			`e = exp(x)
			 y = e / (1 + e)`,
			`y = 0.5 * (1 + tanh(0.5 * x))`,
			`y = 0.5 * (tanh(x / 2) + 1)`,
		},
		backward: `dx = dy * y * (1 - y)`,
		saved:    1,
	},
	{
		line: "elu", leaves: []string{"x [N]"},
		forward: []string{
			`y = where(x > 0, x, expm1(x))`,
			`y = where(x > 0, x, exp(x) - 1)`,
			`y = where(x <= 0, exp(x) - 1, x)`,
			`y = max(x, 0) + min(exp(x) - 1, 0)`,
		},
		backward: `dx = dy * where(y > 0, 1, y + 1)`,
		saved:    1,
	},
	{
		line: "exp", leaves: []string{"x [N]"},
		forward: []string{
			`y = exp(x)`,
			`y = 1 / exp(-x)`,
			`y = expm1(x) + 1`,
			`y = pow(exp(x * 0.5), 2)`,
		},
		backward: `dx = dy * y`,
		saved:    1,
	},
	{
		line: "softplus", leaves: []string{"x [N]"},
		forward: []string{
			`y = softplus(x)`,
			`y = log(1 + exp(x))`,
			`y = log1p(exp(x))`,
			`y = max(x, 0) + log1p(exp(-abs(x)))`,
			`y = -log(sigmoid(-x))`,
			`y = -log(1 - sigmoid(x))`,
		},
		backward: `dx = dy * sigmoid(x)`,
		saved:    1,
	},
	{
		line: "silu", leaves: []string{"x [N]"},
		forward: []string{
			`y = x * sigmoid(x)`,
			`y = x / (1 + exp(-x))`,
			`y = x * exp(x) / (exp(x) + 1)`,
		},
		backward: `s = sigmoid(x)
			dx = dy * s * (1 + x * (1 - s))`,
		saved: 1,
	},
	{
		line: "gelu", leaves: []string{"x [N]"},
		forward: []string{
			`y = 0.5 * x * (1 + erf(x / sqrt(2)))`,
			`y = x * (0.5 + 0.5 * erf(x * 0.7071067811865476))`,
		},
		backward: `dx = dy * (0.5 * (1 + erf(x / sqrt(2))) + x * exp(-x * x / 2) / sqrt(6.283185307179586))`,
		saved:    1,
	},
	{
		line: "relu", leaves: []string{"x [N]"},
		forward: []string{
			`y = max(x, 0)`,
			`y = where(x > 0, x, 0)`,
			`y = max(0, x)`,
			`y = where(x <= 0, 0, x)`,
			`y = where(x < 0, 0, x)`,
			`y = where(x >= 0, x, 0)`,
			`y = where(not(x > 0), 0, x)`,
			`y = x * cast(x > 0, elem: float64)`,
		},
		backward: `dx = where(y > 0, dy, 0)`,
		saved:    1,
	},
	{
		line: "x·W + b", leaves: []string{"x [B, K]", "W [K, M]", "b [M]"},
		forward: []string{
			`y = einsum(x, W, spec: "ij,jk->ik") + spread(b, shape: [B, M], axes: [0])`,
			`y = spread(b, shape: [B, M], axes: [0]) + transpose(einsum(transpose(W, axes: [1, 0]), transpose(x, axes: [1, 0]), spec: "ab,bc->ac"), axes: [1, 0])`,
		},
		backward: `dx = einsum(dy, W, spec: "ij,kj->ik")
			dW = einsum(x, dy, spec: "ij,ik->jk")
			db = sum(dy, axes: [0])`,
		products: 2, reduces: 1,
		saved: 1,
	},
	{
		line: "x·W + b, first layer", leaves: []string{"x [B, K]", "W [K, M]", "b [M]"}, wrt: "W b",
		forward:  []string{`y = einsum(x, W, spec: "ij,jk->ik") + spread(b, shape: [B, M], axes: [0])`},
		backward: `dW = einsum(x, dy, spec: "ij,ik->jk")`,
		products: 1, reduces: 1,
		saved: 0,
	},
	{
		line: "attention", leaves: []string{"q [B, T, 4]", "k [B, T, 4]", "v [B, T, 4]"},
		forward: []string{
			`s = 0.5 * einsum(q, k, spec: "btd,bsd->bts")
			 A = exp(s - spread(logsumexp(s, axes: [2]), shape: [B, T, T], axes: [2]))
			 y = einsum(A, v, spec: "bts,bsd->btd")`,
			`s = einsum(q, k, spec: "btd,bsd->bts") / sqrt(4)
			 e = exp(s - spread(reduce_max(s, axes: [2]), shape: [B, T, T], axes: [2]))
			 A = e / spread(sum(e, axes: [2]), shape: [B, T, T], axes: [2])
			 y = einsum(A, v, spec: "bts,bsd->btd")`,
			`s = einsum(q * 0.5, transpose(k, axes: [0, 2, 1]), spec: "btd,bds->bts")
			 e = exp(s)
			 A = e / spread(sum(e, axes: [2]), shape: [B, T, T], axes: [2])
			 y = einsum(A, v, spec: "bts,bsd->btd")`,
		},
		backward: `s = 0.5 * einsum(q, k, spec: "btd,bsd->bts")
			A = exp(s - spread(logsumexp(s, axes: [2]), shape: [B, T, T], axes: [2]))
			dv = einsum(A, dy, spec: "bts,btd->bsd")
			dA = einsum(dy, v, spec: "btd,bsd->bts")
			dS = A * (dA - spread(sum(dA * A, axes: [2]), shape: [B, T, T], axes: [2]))
			dq = 0.5 * einsum(dS, k, spec: "bts,bsd->btd")
			dk = 0.5 * einsum(dS, q, spec: "bts,btd->bsd")`,
		saved: 4, products: 4, reduces: 1,
	},
	{
		line: "LSTM cell", leaves: []string{"zi [N]", "zf [N]", "zg [N]", "zo [N]", "c0 [N]"},
		forward: []string{
			`c = sigmoid(zf) * c0 + sigmoid(zi) * tanh(zg)
			 y = sigmoid(zo) * tanh(c)`,
			`c = c0 / (1 + exp(-zf)) + tanh(zg) / (1 + exp(-zi))
			 y = tanh(c) / (1 + exp(-zo))`,
		},
		backward: `i = sigmoid(zi)
			f = sigmoid(zf)
			g = tanh(zg)
			o = sigmoid(zo)
			t = tanh(f * c0 + i * g)
			dc = dy * o * (1 - t * t)
			dzi = dc * g * i * (1 - i)
			dzf = dc * c0 * f * (1 - f)
			dzg = dc * i * (1 - g * g)
			dzo = dy * t * o * (1 - o)
			dc0 = dc * f`,
		saved: 6,
	},
	{
		line: "quadratic form", leaves: []string{"x [N]", "A [N, N]", "b [N]"}, wrt: "x",
		forward: []string{
			`y = 0.5 * sum(x * einsum(A, x, spec: "ij,j->i"), axes: [0]) - sum(b * x, axes: [0])`,
			`y = einsum(x, einsum(A, x, spec: "ij,j->i"), spec: "i,i->") / 2 - einsum(b, x, spec: "i,i->")`,
		},
		backward: `dx = 0.5 * (einsum(A, x, spec: "ij,j->i") + einsum(A, x, spec: "ji,j->i")) - b`,
		saved:    2, products: 1,
	},
	{
		line: "logistic regression", leaves: []string{"w [N]", "X [M, N]", "t [M]"}, wrt: "w",
		forward: []string{
			`z = einsum(X, w, spec: "ij,j->i")
			 y = sum(softplus(z) - t * z, axes: [0]) / size(dim: M, elem: float64)`,
			`z = einsum(X, w, spec: "ij,j->i")
			 s = 1 / (1 + exp(-z))
			 y = -sum(t * log(s) + (1 - t) * log(1 - s), axes: [0]) / size(dim: M, elem: float64)`,
		},
		backward: `z = einsum(X, w, spec: "ij,j->i")
			dw = einsum(X, (sigmoid(z) - t), spec: "ji,j->i") / spread(size(dim: M, elem: float64), shape: [N], axes: [0])`,
		saved: 1, products: 1,
	},
	{
		line: "matrix factorisation", leaves: []string{"U [M, 3]", "V [N, 3]", "R [M, N]"}, wrt: "U V",
		forward: []string{
			`e = einsum(U, V, spec: "ik,jk->ij") - R
			 y = sum(e * e, axes: [0, 1])`,
			`y = sum(pow(R - einsum(U, transpose(V, axes: [1, 0]), spec: "ik,kj->ij"), 2), axes: [0, 1])`,
		},
		backward: `e = einsum(U, V, spec: "ik,jk->ij") - R
			dU = 2 * einsum(e, V, spec: "ij,jk->ik")
			dV = 2 * einsum(e, U, spec: "ij,ik->jk")`,
		saved: 1, products: 2,
	},
	{
		line: "least squares", leaves: []string{"W [K, M]", "X [N, K]", "Y [N, M]"}, wrt: "W",
		forward: []string{
			`y = sum(pow(einsum(X, W, spec: "ij,jk->ik") - Y, 2), axes: [0, 1])`,
		},
		backward: `dW = 2 * einsum(X, einsum(X, W, spec: "ij,jk->ik") - Y, spec: "ij,ik->jk")`,
		saved:    1, products: 1,
	},
	{
		line: "Rosenbrock", leaves: []string{"x [8]"},
		forward: []string{
			`a = slice(x, starts: [1], limits: [8], steps: [1])
			 b = slice(x, starts: [0], limits: [7], steps: [1])
			 y = sum(100 * pow(a - pow(b, 2), 2) + pow(1 - b, 2), axes: [0])`,
			`a = slice(x, starts: [1], limits: [8], steps: [1])
			 b = slice(x, starts: [0], limits: [7], steps: [1])
			 u = a - b * b
			 y = 100 * sum(u * u, axes: [0]) + sum((1 - b) * (1 - b), axes: [0])`,
		},
		backward: `a = slice(x, starts: [1], limits: [8], steps: [1])
			b = slice(x, starts: [0], limits: [7], steps: [1])
			u = a - b * b
			dx = place(200 * u, shape: [8], starts: [1], steps: [1]) + place(-400 * u * b - 2 * (1 - b), shape: [8], starts: [0], steps: [1])`,
		saved: 1,
	},
	{
		line: "KL of a Gaussian", leaves: []string{"mu [B, 4]", "l [B, 4]"},
		forward: []string{
			`y = sum(0.5 * sum(mu * mu + exp(l) - 1 - l, axes: [1]), axes: [0]) / size(dim: B, elem: float64)`,
			`y = -0.5 * sum(1 + l - pow(mu, 2) - exp(l), axes: [0, 1]) / size(dim: B, elem: float64)`,
			`y = sum(-0.5 * sum(1 + l - mu * mu - exp(l), axes: [1]), axes: [0]) / size(dim: B, elem: float64)`,
		},
		backward: `n = spread(size(dim: B, elem: float64), shape: [B, 4], axes: [0, 1])
			dmu = mu / n
			dl = (exp(l) - 1) / (2 * n)`,
		saved: 2,
	},
	{
		line: "weight decay beside a product", leaves: []string{"x [B, K]", "W [K, M]", "t [B, M]", "lambda []"}, wrt: "W",
		forward: []string{
			`e = einsum(x, W, spec: "ij,jk->ik") - t
			 y = 0.5 * sum(e * e, axes: [0, 1]) + lambda * sum(W * W, axes: [0, 1])`,
			`e = einsum(x, W, spec: "ij,jk->ik") - t
			 y = sum(pow(e, 2), axes: [0, 1]) / 2 + sum(spread(lambda, shape: [K, M], axes: [0, 1]) * pow(W, 2), axes: [0, 1])`,
		},
		backward: `e = einsum(x, W, spec: "ij,jk->ik") - t
			dW = einsum(x, e, spec: "ij,ik->jk") + spread(2 * lambda, shape: [K, M], axes: [0, 1]) * W`,
		saved: 1, products: 1,
	},
}

// testDims are the extents that the rows above are evaluated at.
var testDims = map[string]int{"B": 3, "K": 4, "M": 5, "N": 6, "T": 3}

// parse makes the forward of spelling i, in a graph of its own, with y and the
// leaves by name. dy is the cotangent of y: 1 for a scalar.
func (d derivation) parse(t *testing.T, i int) (g *ir.Graph, env map[string]*ir.Node) {
	t.Helper()
	g, env = ir.NewGraph(), map[string]*ir.Node{}
	for _, leaf := range d.leaves {
		name, rest, _ := strings.Cut(leaf, " ")
		if strings.HasSuffix(rest, "]") {
			rest += "float64"
		}
		op := "input"
		if strings.Contains(" gamma beta W b U V w lambda ", " "+name+" ") {
			op = "param"
		}
		env[name] = formula(t, g, env, fmt.Sprintf("%s(name: %q, type: %s)", op, name, rest))
	}
	formulas(t, g, env, d.forward[i])
	y := env["y"]
	env["dy"] = g.Fill(1, y.Type)
	if y.Type.Rank() > 0 {
		env["dy"] = g.Leaf("input", "dy", y.Type)
	}
	return g, env
}

// formulas adds the lines `name = formula` of text to env.
func formulas(t *testing.T, g *ir.Graph, env map[string]*ir.Node, text string) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		name, right, _ := strings.Cut(strings.TrimSpace(line), " = ")
		env[name] = formula(t, g, env, right)
	}
}

func formula(t *testing.T, g *ir.Graph, env map[string]*ir.Node, text string) *ir.Node {
	t.Helper()
	n, err := g.Formula(text, env, ir.Type{Elem: ir.Float64})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// targets are the names of the leaves that the derivative is taken by.
func (d derivation) targets() []string {
	if d.wrt != "" {
		return strings.Fields(d.wrt)
	}
	var out []string
	for _, leaf := range d.leaves {
		if strings.HasSuffix(leaf, "]") {
			name, _, _ := strings.Cut(leaf, " ")
			out = append(out, name)
		}
	}
	return out
}

// cost is what a backward needs.
type cost struct {
	saved                   []*ir.Node
	products, reduces, maps int
}

// backwardCost counts, among what derivatives need, what the forward y has not
// computed. A saved value is what y computes, or one of the leaves counted,
// and the backward reads. Views of it are the value; what depends on extents
// alone is free, and so is an elementwise function of other saved values: to
// keep it or to compute it again is the planner's choice.
func backwardCost(y *ir.Node, derivatives []*ir.Node, counted map[*ir.Node]bool) (c cost) {
	forward, free := map[*ir.Node]bool{}, map[*ir.Node]bool{}
	for _, n := range ir.Topological(y) {
		forward[n] = true
	}
	saved := map[*ir.Node]bool{}
	for _, n := range ir.Topological(derivatives...) {
		free[n] = n.Op.Class == ir.Leaf && !counted[n]
		if len(n.Args) > 0 {
			free[n] = true
			for _, a := range n.Args {
				free[n] = free[n] && free[a] && a.Op.Class != ir.Product && a.Op.Class != ir.Reduce
			}
		}
		if forward[n] {
			continue
		}
		for _, a := range n.Args {
			if a = viewed(a); forward[a] && !free[a] {
				saved[a] = true
			}
		}
		switch n.Op.Class {
		case ir.Product:
			c.products++
		case ir.Reduce:
			c.reduces++
		case ir.Map:
			c.maps++
		}
	}
	for n := range saved {
		delete(saved, n)
		if !elementwise(n, saved, free) {
			saved[n] = true
			c.saved = append(c.saved, n)
		}
	}
	return c
}

// viewed is what a view is of.
func viewed(n *ir.Node) *ir.Node {
	for n.Op.Class == ir.View {
		n = n.Args[0]
	}
	return n
}

// elementwise reports whether n is an elementwise function of what is saved.
func elementwise(n *ir.Node, saved, free map[*ir.Node]bool) bool {
	switch n = viewed(n); {
	case saved[n] || free[n]:
		return true
	case n.Op.Class != ir.Map:
		return false
	}
	for _, a := range n.Args {
		if !elementwise(a, saved, free) {
			return false
		}
	}
	return true
}

// TestDerivations checks of each line that every spelling has the derivative
// that the page gives, at no more than the cost that the page gives.
func TestDerivations(t *testing.T) {
	for _, d := range derivations {
		for i := range d.forward {
			t.Run(fmt.Sprintf("%s/%d", d.line, i), func(t *testing.T) { checkDerivation(t, d, i) })
		}
	}
}

func checkDerivation(t *testing.T, d derivation, i int) {
	g, env := d.parse(t, i)
	y, names := env["y"], d.targets()
	var wrt []*ir.Node
	for _, name := range names {
		wrt = append(wrt, env[name])
	}
	raw := append([]*ir.Node{y}, reverse(g, y, env["dy"], wrt...)...)
	simple := Simplify(g, raw...)

	// Values: as before Simplify, and as the page has them.
	e := randomEvaluator(1, testDims, simple...)
	formulas(t, g, env, d.backward)
	for k := range raw {
		compareValues(t, e, raw[k], simple[k])
	}
	for k, name := range names {
		if want := env["d"+name]; want != nil {
			compareValues(t, e, want, simple[k+1])
		}
	}

	// Costs: no more than the page has.
	counted := map[*ir.Node]bool{}
	for _, x := range wrt {
		counted[x] = x.Is("input")
	}
	c := backwardCost(simple[0], simple[1:], counted)
	if len(c.saved) > d.saved || c.products > d.products || c.reduces > d.reduces {
		t.Errorf("%s\nsaved %d, products %d, reductions %d; the page has %d, %d, %d\n%s", d.forward[i],
			len(c.saved), c.products, c.reduces, d.saved, d.products, d.reduces, ir.Print(g, simple...))
	}
	if testing.Verbose() {
		for _, n := range c.saved {
			t.Logf("saved: %s", ir.Print(g, n))
		}
		t.Logf("%d elementwise\n%s", c.maps, ir.Print(g, simple...))
	}
}

// randomEvaluator has values for every leaf that nodes need: floats from the
// standard normal distribution, integers from 0 to 3.
func randomEvaluator(seed uint64, dims map[string]int, nodes ...*ir.Node) *ir.Evaluator {
	rng := rand.New(rand.NewPCG(seed, 0))
	e := &ir.Evaluator{Dims: dims, Values: map[string]*ir.Tensor{}, Seed: seed}
	for _, n := range ir.Topological(nodes...) {
		if n.Op.Class != ir.Leaf || n.Attr.Name == "" {
			continue
		}
		shape, err := n.Type.Shape.Eval(dims)
		if err != nil {
			panic(err)
		}
		v := ir.NewTensor(shape...)
		for i := range v.Data {
			switch {
			case n.Type.Elem.IsFloat():
				v.Data[i] = rng.NormFloat64()
			case n.Type.Elem == ir.Bool:
				v.Data[i] = float64(rng.IntN(2))
			default:
				v.Data[i] = float64(rng.IntN(4))
			}
		}
		e.Values[n.Op.Name+" "+n.Attr.Name] = v
	}
	return e
}

// compareValues fails where got's value is not want's, up to reassociation.
func compareValues(t *testing.T, e *ir.Evaluator, want, got *ir.Node) {
	t.Helper()
	w, err := e.Eval(want)
	if err != nil {
		t.Fatal(err)
	}
	v, err := e.Eval(got)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(w.Shape) != fmt.Sprint(v.Shape) {
		t.Fatalf("shape is %v, want %v", v.Shape, w.Shape)
	}
	for i := range w.Data {
		if !near(w.Data[i], v.Data[i], 1e-9) {
			t.Errorf("element %d of %v is %v, want %v", i, w.Shape, v.Data[i], w.Data[i])
			return
		}
	}
}

func near(a, b, tol float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tol*(1+math.Abs(a)+math.Abs(b))
}
