package dsl

import (
	"math"
	"strings"

	"gradgen.dev/ir"
)

// clauses reads the block of a train, loops unrolled and branches chosen.
func (t *training) clauses(b *Block) bool {
	ok := true
	for _, s := range b.Stmts {
		if t.e.stopped {
			return false
		}
		ok = t.clause(s) && ok
	}
	return ok
}

func (t *training) clause(s Stmt) bool {
	switch s := s.(type) {
	case *ClipStmt:
		return t.clip(s)
	case *DecayStmt:
		return t.decay(s)
	case *FreezeStmt:
		return t.freeze(s)
	case *UseStmt:
		return t.use(s)
	case *AverageStmt:
		return t.ema(s)
	case *AccumulateStmt:
		return t.accumulate(s)
	case *CheckStmt:
		t.out.Check = true
		return true
	case *ForStmt:
		return t.loop(s)
	case *IfStmt:
		return t.branch(s)
	}
	t.e.broken = true
	return false
}

// once reports a clause that a train has at most once.
func (t *training) once(word string, s Stmt) bool {
	old := t.first[word]
	if old != nil {
		t.e.report(errorAt(s, "a train has one %s, and this is the second", word).code("train-clause").related(old, "the first is here"))
		return false
	}
	t.first[word] = s
	return true
}

// rate is a number of a clause from lo to hi; it is not known where it is a
// schedule.
func (t *training) rate(s Stmt, x Expr, word, name string, lo, hi float64) (number, bool) {
	e := t.e
	v := e.eval(t.m.scope, x)
	if isPoison(v) {
		return number{}, false
	}
	n, ok := v.(number)
	if !ok || n.logical {
		e.report(errorAt(x, "%s is %s, want a number", word, v.what()).code("train-number"))
		return n, false
	}
	n = n.settled()
	if known, ok := n.known(); ok && !(known >= lo && known <= hi) {
		e.report(errorAt(x, "%s is %s, want a number %s", word, number2text(known), interval(lo, hi)).code("train-number"))
		return n, false
	}
	return t.number(s, name, n, oneLine(s)), true
}

// interval is `from 0 to 1`, or `of at least 0`.
func interval(lo, hi float64) string {
	switch {
	case math.IsInf(hi, 1) && lo == math.SmallestNonzeroFloat64:
		return "above 0"
	case math.IsInf(hi, 1):
		return "of at least " + number2text(lo)
	}
	return "from " + number2text(lo) + " to " + number2text(hi)
}

// clip is `clip norm 1.0` or `clip value 0.5`.
func (t *training) clip(s *ClipStmt) bool {
	if !t.once("clip", s) {
		return false
	}
	n, ok := t.rate(s, s.Limit, "the limit of clip", "clip", math.SmallestNonzeroFloat64, math.Inf(1))
	if ok {
		t.out.Clip = &ir.Clip{Kind: s.Form.Name, Limit: n.scalar(t.e.g)}
	}
	return ok
}

// decay is `decay 0.1 for patterns`.
func (t *training) decay(s *DecayStmt) bool {
	of, ok := t.trained(s.For)
	if !ok {
		return false
	}
	name := "decay"
	if words := t.words(s.For); words != "" {
		name = words + "_decay"
	}
	n, ok := t.rate(s, s.Value, "decay", name, math.Inf(-1), math.Inf(1))
	if ok {
		t.decays = append(t.decays, &decayRule{n, of, oneLine(s.Value)})
	}
	return ok
}

// freeze is `freeze patterns`; they may select what the train's for does not.
func (t *training) freeze(s *FreezeStmt) bool {
	of, ok := t.selected(s.Patterns)
	for p := range of {
		t.frozen[p] = true
	}
	return ok
}

// use is `use rule(args) for patterns`, or `use (args) for patterns` of the
// train's own rule.
func (t *training) use(s *UseStmt) bool {
	e, m := t.e, t.m
	of, ok := t.trained(s.For)
	if !ok {
		return false
	}
	base := t.uses[0].rule
	var d *OptimizerDecl
	switch {
	case s.Rule != nil:
		d, base = e.optimizerOf(m, s.Rule), nil
	case base != nil:
		d = base.decl
	}
	if d == nil {
		return false
	}
	words := t.words(s.For)
	if words == "" {
		words = "use"
	}
	given := writtenArgs(m.scope, &Call{Args: s.Args})
	rule := t.rule(s, d, given, base, words+"_", oneLine(s))
	if rule == nil {
		return false
	}
	rule.text = ruleText(d.Name, s.Args)
	t.uses = append(t.uses, useRule{rule, of})
	return true
}

// ruleText is an optimizer with its arguments, as a train writes it.
func ruleText(name *Name, args []*Arg) string {
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = oneLine(a)
	}
	return name.Name + "(" + strings.Join(texts, ", ") + ")"
}

// ema is `average ema(0.999)`.
func (t *training) ema(s *AverageStmt) bool {
	e := t.e
	name, isName := s.Rule.Func.(*Name)
	switch {
	case !t.once("average", s):
		return false
	case !isName || name.Name != "ema":
		number := "0.999"
		if args := s.Rule.Args; len(args) > 0 {
			if x, ok := args[0].Value.(*Number); ok {
				number = excerptOf(x, number)
			}
		}
		e.report(errorAt(s.Rule.Func, "average has one rule, ema(d): the moving mean d*mean + (1-d)*new, as in average ema(%s)", number).code("train-clause"))
		return false
	case len(s.Rule.Args) != 1 || s.Rule.Args[0].Name != nil:
		e.report(errorAt(s.Rule, "ema takes one number, such as ema(0.999)").code("arguments"))
		return false
	}
	n, ok := t.rate(s, s.Rule.Args[0].Value, "the factor of ema", "average", 0, 1)
	if ok {
		t.mean = &n
	}
	return ok
}

// accumulate is `accumulate 4`.
func (t *training) accumulate(s *AccumulateStmt) bool {
	e, sc := t.e, t.m.scope
	if !t.once("accumulate", s) {
		return false
	}
	n, ok := e.constInt(sc, s.Count, e.eval(sc, s.Count), "the number of micro-batches")
	switch {
	case !ok:
		return false
	case n < 1 || n > math.MaxInt32:
		e.report(errorAt(s.Count, "the number of micro-batches is %d, want at least 1", n).code("train-number"))
		return false
	}
	t.out.Accumulate = n
	return true
}

// loop unrolls a for around clauses. Its variable is a name in patterns too.
func (t *training) loop(s *ForStmt) bool {
	e, sc := t.e, t.m.scope
	lo, okLo := e.constInt(sc, s.Lo, e.eval(sc, s.Lo), "the start of a for range")
	hi, okHi := e.constInt(sc, s.Hi, e.eval(sc, s.Hi), "the end of a for range")
	if !okLo || !okHi {
		return false
	}
	name := s.Var.Name
	bound, outer := sc.vals[name], t.loops
	t.loops = map[string]int{}
	for k, v := range outer {
		t.loops[k] = v
	}
	defer func() {
		t.loops = outer
		delete(sc.vals, name)
		if bound != nil {
			sc.vals[name] = bound
		}
	}()
	ok := true
	for i := lo; i < hi; i++ {
		if e.spent.iterations++; e.spent.iterations > maxIterations {
			e.stop(sc, s, "the loops of this program have more than the limit of %d iterations in all", maxIterations)
			return false
		}
		sc.vals[name] = &binding{val: integer(i), place: s.Var.Span, verb: "bound"}
		t.loops[name] = i
		ok = t.clauses(s.Body) && ok
	}
	return ok
}

// branch takes the clauses that a compile-time condition chooses.
func (t *training) branch(s *IfStmt) bool {
	holds, ok := t.e.condition(t.m.scope, s.Cond)
	switch {
	case !ok:
		return false
	case holds:
		return t.clauses(s.Then)
	case s.Else != nil:
		return t.clauses(s.Else)
	}
	return true
}
