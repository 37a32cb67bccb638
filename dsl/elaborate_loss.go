package dsl

import (
	"slices"

	"gradgen.dev/ir"
)

// loss adds a scalar to what training minimises.
func (e *elaborator) loss(sc *scope, s *LossStmt) {
	v := e.eval(sc, s.Value)
	if !e.lossDeclared(sc, s) || isPoison(v) {
		return
	}
	n, ok := e.tensorOf(sc, s.Value, v)
	if !ok {
		return
	}
	if !n.Type.Elem.IsFloat() {
		e.fail(sc, s.Value, "loss-type", "the loss is of type %v, and it must be floating", n.Type.Elem)
		return
	}
	if n.Type.Rank() > 0 {
		d := errorAt(s.Value, "the loss is %v, and it must be a scalar []; mean or sum over it gives one", n.Type.Shape).code("not-scalar")
		e.failWith(sc, s.Value, e.explain(sc, d, s.Value))
		return
	}
	if s.Name != nil {
		e.name(sc, n, s.Name)
		e.model.side.Losses = append(e.model.side.Losses, ir.Named{Name: s.Name.Name, Doc: s.Doc, Pos: position(s.Name.Span), Node: n})
		return
	}
	e.addLoss(sc, s, n)
}

// lossDeclared notes a loss; it reports one of two kinds in a model, and two of
// one name.
func (e *elaborator) lossDeclared(sc *scope, s *LossStmt) bool {
	m := e.model
	first := m.lossPlace
	if first == nil {
		m.lossPlace = s
	}
	if first != nil && (first.Name == nil) != (s.Name == nil) {
		d := errorAt(s, "named and unnamed losses do not mix: name them all, as in loss total = …, or none").code("loss-kinds")
		e.failWith(sc, s, d.related(first, "the first loss is here"))
		return false
	}
	if e.training && !slices.Contains(m.losses, s) {
		m.losses = append(m.losses, s)
	}
	if s.Name == nil {
		return true
	}
	if len(sc.loops) > 0 {
		e.fail(sc, s, "place", "a named loss stands outside of loops; the unnamed ones of a loop are added up")
		return false
	}
	key := goName(s.Name.Name)
	if old := m.lossNamed[key]; old != nil && old != s {
		d := errorAt(s.Name, "two losses are called %s; give one another name", s.Name.Name).code("declared-twice")
		if old.Name.Name != s.Name.Name {
			d = meetInGo(s.Name, "losses", old.Name.Name, s.Name.Name, "give one another name")
		}
		e.failWith(sc, s.Name, d.related(old.Name, "%s is here", theFirst(old.Name.Name, s.Name.Name)))
		return false
	}
	m.lossNamed[key] = s
	return true
}

// addLoss adds an unnamed loss to the ones before it.
func (e *elaborator) addLoss(sc *scope, s *LossStmt, n *ir.Node) {
	side := e.model.side
	if len(side.Losses) == 0 {
		side.Losses = []ir.Named{{Doc: s.Doc, Pos: position(s.Span), Node: n}}
	} else if sum := side.Losses[0].Node; sum.Type.Elem != n.Type.Elem {
		e.fail(sc, s.Value, "loss-type", "this loss is of type %v and the one before of %v", n.Type.Elem, sum.Type.Elem)
		return
	} else {
		side.Losses[0].Node = e.g.Map("add", sum, n)
	}
	e.name(sc, side.Losses[0].Node, &Name{Span: s.Span, Name: "loss"})
}
