package passes

import (
	"fmt"

	"gradgen.dev/ir"
)

// A Group says in what sense the two sides of an identity are equal.
//
// What is the same over the reals may overflow, vanish or be NaN elsewhere. Of
// these differences the simplifier makes
//
//   - those of rounding, by a few units in the last place;
//   - those of linear steps: a scalar, or what is constant along a row, may leave
//     a sum, a product or a choice, and factors may be multiplied in another
//     order, so that a partial result has another magnitude than as it is written;
//   - none of powers: see powers.go.
type Group string

const (
	Exact        Group = "exact"        // the same bits in IEEE arithmetic
	Reassociates Group = "reassociates" // the same over the reals
	Stabilises   Group = "stabilises"   // over the reals, and better in floating point
)

// An Identity is a line of the table. It is applied from left to right; its
// left side weighs more than its right, so that rewriting ends.
type Identity struct {
	ID    string
	Group Group
	Law   string
	Given string  // "y = …": a value that must be there already, under a name for the right side
	Lo    float64 // its variables are from Lo to Hi
	Hi    float64

	rule  *ir.Rule
	given *ir.Rule
}

// Identities is the table. Arithmetic itself (sums, products, what is common,
// what is linear) has a normal form instead, in normal.go and linear.go. A law
// holds of extents of 0, too: the sum of a softmax is 1 where there is a place
// to put it.
var Identities = []*Identity{
	{ID: "where-not", Group: Exact, Law: "where(not(a), b, c) = where(a, c, b)"},
	{ID: "where-same", Group: Exact, Law: "where(a, b, b) = b"},
	{ID: "where-then", Group: Exact, Law: "where(a, where(a, b, c), d) = where(a, b, d)"},
	{ID: "where-else", Group: Exact, Law: "where(a, b, where(a, c, d)) = where(a, b, d)"},

	{ID: "log-exp", Group: Reassociates, Law: "log(exp(a)) = a"},
	{ID: "exp-log", Group: Reassociates, Law: "exp(log(a)) = a", Lo: 0.01, Hi: 20},
	{ID: "sqrt-square", Group: Reassociates, Law: "sqrt(a * a) = abs(a)"},

	{ID: "log1p", Group: Stabilises, Law: "log(a + 1) = log1p(a)", Lo: -0.9, Hi: 20},
	{ID: "expm1", Group: Stabilises, Law: "exp(a) - 1 = expm1(a)"},
	{ID: "softplus", Group: Stabilises, Law: "log1p(exp(a)) = softplus(a)"},
	{ID: "sigmoid-exp", Group: Stabilises, Law: "exp(a) / (exp(a) + 1) = sigmoid(a)"},
	{ID: "log-sigmoid", Group: Stabilises, Law: "log(sigmoid(a)) = -softplus(-a)"},
	{ID: "log-1-sigmoid", Group: Stabilises, Law: "log(1 - sigmoid(a)) = -softplus(a)", Lo: -5, Hi: 5},
	{ID: "tanh-expm1", Group: Stabilises, Law: "expm1(a) / (exp(a) + 1) = tanh(0.5 * a)"},
	{ID: "softplus-abs", Group: Reassociates, Law: "max(a, 0) + softplus(-abs(a)) = softplus(a)"},
	{ID: "elu", Group: Reassociates, Law: "max(a, 0) + min(expm1(a), 0) = where(a > 0, a, expm1(a))"},
	{ID: "elu-le", Group: Exact, Law: "where(a <= 0, expm1(a), a) = where(a > 0, a, expm1(a))"},
	{ID: "elu-slope", Group: Reassociates, Law: "where(a > 0, 1, expm1(a) + 1) = where(y > 0, 1, y + 1)", Given: "y = where(a > 0, a, expm1(a))"},
	{ID: "elu-curvature", Group: Reassociates, Law: "(expm1(a) + 1) * where(a > 0, 0, b) = (y + 1) * where(y > 0, 0, b)", Given: "y = where(a > 0, a, expm1(a))"},
	{ID: "relu-gt", Group: Reassociates, Law: "where(a > 0, a, 0) = max(a, 0)"},
	{ID: "relu-ge", Group: Reassociates, Law: "where(a >= 0, a, 0) = max(a, 0)"},
	{ID: "relu-le", Group: Exact, Law: "where(a <= 0, 0, a) = max(a, 0)"},
	{ID: "relu-lt", Group: Reassociates, Law: "where(a < 0, 0, a) = max(a, 0)"},
	{ID: "relu-mask", Group: Reassociates, Law: "a * cast(a > 0, elem: E) = max(a, 0)"},
	{ID: "tanh", Group: Stabilises, Law: "(exp(a) - exp(-a)) / (exp(a) + exp(-a)) = tanh(a)"},
	{ID: "sigmoid", Group: Stabilises, Law: "1 / (exp(a) + 1) = sigmoid(-a)"},
	{ID: "logsumexp", Group: Stabilises, Law: "log(sum(exp(a), axes: A)) = logsumexp(a, axes: A)"},
	{ID: "softmax", Group: Stabilises, Law: "exp(a) / spread(sum(exp(a), axes: A), shape: S, axes: A) = exp(a - spread(logsumexp(a, axes: A), shape: S, axes: A))"},
	{ID: "softmax-sum", Group: Reassociates, Law: "spread(sum(exp(a - spread(logsumexp(a, axes: A), shape: S, axes: A)), axes: A), shape: S, axes: A) = 1"},
}

// weight is what an op counts in the measure that every identity lowers.
func weight(op string) int {
	switch op {
	case "exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "tanh", "sigmoid", "softplus", "erf", "sin", "cos", "pow":
		return 10
	case "sum", "logsumexp", "reduce_max":
		return 12
	case "div":
		return 4
	case "neg", "le", "lt", "ge": // gt says the same
		return 2
	}
	return 1
}

// measure adds up the weights of a formula. Variables weigh 1, so that a right
// side may not repeat what the left has once.
func measure(e *ir.Expr) int {
	if e.Op == "" {
		return 1
	}
	sum := weight(e.Op)
	for _, a := range e.Args {
		sum += measure(a)
	}
	return sum
}

var byOp = map[string][]*Identity{} // by the op at the top of the left side

func init() {
	seen := map[string]bool{}
	for _, id := range Identities {
		rule, err := ir.ParseRule(id.Law)
		if err != nil {
			panic("passes: identity " + id.ID + ": " + err.Error())
		}
		if l, r := measure(rule.Left), measure(rule.Right); l <= r {
			panic(fmt.Sprintf("passes: identity %s does not end: %d to %d", id.ID, l, r))
		}
		if seen[id.ID] {
			panic("passes: two identities are called " + id.ID)
		}
		seen[id.ID] = true
		if id.Lo == id.Hi {
			id.Lo, id.Hi = -20, 20
		}
		id.rule = rule
		if id.Given != "" {
			if id.given, err = ir.ParseRule(id.Given); err != nil {
				panic("passes: identity " + id.ID + ": " + err.Error())
			}
		}
		byOp[rule.Left.Op] = append(byOp[rule.Left.Op], id)
	}
}
