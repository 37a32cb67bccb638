package passes

import (
	"fmt"

	"gradgen.dev/ir"
)

// A Group says in what sense the two sides of an identity are equal.
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
	Lo    float64 // its variables are from Lo to Hi
	Hi    float64

	rule *ir.Rule
}

// Identities is the table. Arithmetic itself (sums, products, what is common,
// what is linear) has a normal form instead, in normal.go and linear.go.
var Identities = []*Identity{
	{ID: "not-not", Group: Exact, Law: "not(not(a)) = a"},
	{ID: "where-not", Group: Exact, Law: "where(not(a), b, c) = where(a, c, b)"},
	{ID: "where-same", Group: Exact, Law: "where(a, b, b) = b"},
	{ID: "where-then", Group: Exact, Law: "where(a, where(a, b, c), d) = where(a, b, d)"},
	{ID: "where-else", Group: Exact, Law: "where(a, b, where(a, c, d)) = where(a, b, d)"},
	{ID: "abs-abs", Group: Exact, Law: "abs(abs(a)) = abs(a)"},
	{ID: "abs-neg", Group: Exact, Law: "abs(-a) = abs(a)"},
	{ID: "cos-neg", Group: Exact, Law: "cos(-a) = cos(a)"},
	{ID: "max-same", Group: Exact, Law: "max(a, a) = a"},
	{ID: "min-same", Group: Exact, Law: "min(a, a) = a"},

	{ID: "log-exp", Group: Reassociates, Law: "log(exp(a)) = a"},
	{ID: "exp-log", Group: Reassociates, Law: "exp(log(a)) = a", Lo: 0.01, Hi: 20},
	{ID: "sqrt-square", Group: Reassociates, Law: "sqrt(a * a) = abs(a)"},

	{ID: "log1p", Group: Stabilises, Law: "log(a + 1) = log1p(a)", Lo: -0.9, Hi: 20},
	{ID: "expm1", Group: Stabilises, Law: "exp(a) - 1 = expm1(a)"},
	{ID: "softplus", Group: Stabilises, Law: "log1p(exp(a)) = softplus(a)"},
	{ID: "sigmoid", Group: Stabilises, Law: "1 / (exp(-a) + 1) = sigmoid(a)"},
	{ID: "sigmoid-exp", Group: Stabilises, Law: "exp(a) / (exp(a) + 1) = sigmoid(a)"},
	{ID: "log-sigmoid", Group: Stabilises, Law: "log(sigmoid(a)) = -softplus(-a)"},
	{ID: "log-1-sigmoid", Group: Stabilises, Law: "log(1 - sigmoid(a)) = -softplus(a)", Lo: -5, Hi: 5},
	{ID: "tanh", Group: Stabilises, Law: "(exp(a) - exp(-a)) / (exp(a) + exp(-a)) = tanh(a)"},
	{ID: "logsumexp", Group: Stabilises, Law: "log(sum(exp(a), axes: A)) = logsumexp(a, axes: A)"},
	{ID: "softmax", Group: Stabilises, Law: "exp(a) / spread(sum(exp(a), axes: A), shape: S, axes: A) = exp(a - spread(logsumexp(a, axes: A), shape: S, axes: A))"},
	{ID: "logsumexp-shift", Group: Stabilises, Law: "logsumexp(a - spread(b, shape: S, axes: A), axes: A) = logsumexp(a, axes: A) - b"},
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
	case "neg":
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
		byOp[rule.Left.Op] = append(byOp[rule.Left.Op], id)
	}
}

// apply is the first identity that fits n.
func (s *simplifier) apply(n *ir.Node) *ir.Node {
	for _, id := range byOp[n.Op.Name] {
		m := ir.NewMatch()
		if !m.Node(id.rule.Left, n) {
			continue
		}
		if out := s.right(id, m, n.Type); out != nil {
			return out
		}
	}
	return nil
}

// right is the right side of an identity under a match, nil where it is no
// value of type t.
func (s *simplifier) right(id *Identity, m *ir.Match, t ir.Type) *ir.Node {
	out, err := m.Build(s.g, id.rule.Right, t)
	if err != nil || !out.Type.Equal(t) {
		return nil
	}
	s.fired(id)
	return s.settle(out)
}

// settle simplifies what a rule has built, down to what it matched.
func (s *simplifier) settle(n *ir.Node) *ir.Node {
	if _, ok := s.done[n]; ok || len(n.Args) == 0 {
		return n
	}
	return s.node(n)
}

// pairs applies the identities of products to the factors of a term: a law
// for x/y fits a power of x above and one of y below, wherever they stand.
func (s *simplifier) pairs(u term, t ir.Type) term {
	if !t.Elem.IsFloat() {
		return u
	}
	for _, id := range byOp["div"] {
		for _, below := range u.factors {
			if below.power >= 0 {
				continue
			}
			if v, ok := s.pair(id, u, below, t); ok {
				return s.pairs(v, t)
			}
		}
	}
	return u
}

func (s *simplifier) pair(id *Identity, u term, below factor, t ir.Type) (term, bool) {
	left := id.rule.Left
	m := ir.NewMatch()
	if !m.Node(left.Args[1], below.atom) {
		return u, false
	}
	if left.Args[0].IsNum {
		return s.paired(id, u, below.atom, nil, m, t)
	}
	for _, above := range u.factors {
		if above.power > 0 && m.Node(left.Args[0], above.atom) {
			return s.paired(id, u, below.atom, above.atom, m, t)
		}
	}
	return u, false
}

// paired is u with above/below replaced by the right side.
func (s *simplifier) paired(id *Identity, u term, below, above *ir.Node, m *ir.Match, t ir.Type) (term, bool) {
	right := s.right(id, m, t)
	if right == nil {
		return u, false
	}
	change := term{coef: 1, factors: []factor{{below, 1}}}
	if above != nil {
		change.factors = append(change.factors, factor{above, -1})
	}
	return u.times(change.merged()).times(s.product(right)), true
}
