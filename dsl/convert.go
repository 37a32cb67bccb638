package dsl

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// fail reports an error that shows only when a tree is made. The statement or
// declaration around it becomes a bad one.
func (p *parser) fail(d *Diagnostic) {
	p.failed = true
	p.report(d)
}

// decl makes the tree of a declaration.
func (p *parser) decl(n *declG) Decl {
	p.failed = false
	span := p.span(n.Tokens)
	doc := p.file.doc(span.Start)
	d := p.declTree(n, span, doc)
	if p.failed {
		return &BadDecl{Span: span, Names: declNames(d)}
	}
	return d
}

// declTree is decl without regard to errors.
func (p *parser) declTree(n *declG, span Span, doc string) Decl {
	switch {
	case n.Package != nil:
		return &PackageDecl{span, doc, p.nameOf(n.Package)}
	case n.Import != nil:
		return &ImportDecl{span, doc, p.stringOf(*n.Import)}
	case n.DType != nil:
		return &DTypeDecl{span, doc, p.name(*n.DType)}
	case n.Const != nil:
		return &ConstDecl{span, doc, p.nameOf(n.Const.Name), p.expr(n.Const.Value)}
	case n.Fn != nil:
		return p.fn(n.Fn, span, doc)
	case n.Layer != nil:
		l := n.Layer
		value, block := p.results(l.Value, l.More, l.Block)
		return &LayerDecl{span, doc, p.nameOf(l.Name), p.params(l.Params), p.typeOf(l.Result), value, block}
	case n.Model != nil:
		m := n.Model
		return &ModelDecl{span, doc, p.nameOf(m.Name), p.params(m.Params), p.block(m.Block, body)}
	}
	o := n.Optimizer
	return &OptimizerDecl{span, doc, p.nameOf(o.Name), p.params(o.Params), p.block(o.Block, body)}
}

// declNames are the names a declaration declares.
func declNames(d Decl) []*Name {
	switch d := d.(type) {
	case *ConstDecl:
		return []*Name{d.Name}
	case *FnDecl:
		return []*Name{d.Name}
	case *LayerDecl:
		return []*Name{d.Name}
	case *ModelDecl:
		return []*Name{d.Name}
	case *OptimizerDecl:
		return []*Name{d.Name}
	}
	return nil
}

// fn makes the tree of a fn, at the top level or in a model.
func (p *parser) fn(n *fnG, span Span, doc string) *FnDecl {
	value, block := p.results(n.Value, n.More, n.Block)
	f := &FnDecl{
		Span:   span,
		Doc:    doc,
		Export: n.Export,
		Name:   p.nameOf(n.Name),
		Params: p.params(n.Params),
		Result: p.typeOf(n.Result),
		Value:  value,
		Body:   block,
	}
	if g := n.Grad; g != nil {
		f.Grad = &GradClause{p.span(g.Tokens), p.nameOf(g.Cotangent), p.exprs(g.Values)}
	}
	for _, d := range n.Derive {
		f.Derive = append(f.Derive, &Derive{p.span(d.Tokens), p.nameOf(d.Form), p.names(d.Args)})
	}
	return f
}

// results makes the trees of what a fn or layer gives: one expression, or the
// block; several expressions are the block that returns them.
func (p *parser) results(value *exprG, more []*exprG, block *lexer.Token) (Expr, *Block) {
	first := p.optional(value)
	if len(more) == 0 {
		return first, p.block(block, body)
	}
	list := append([]Expr{first}, p.exprs(more)...)
	span := first.Where()
	span.End = list[len(list)-1].Where().End
	return nil, &Block{span, []Stmt{&ReturnStmt{span, list}}}
}

// params makes the trees of parameters; there may be no list at all.
func (p *parser) params(n *paramsG) []*Param {
	if n == nil {
		return nil
	}
	var params []*Param
	for _, q := range n.List {
		param := &Param{p.span(q.Tokens), p.nameOf(q.Name), p.typeOf(q.Type), p.optional(q.Default)}
		if q.Kind != nil {
			param.Type = &Type{Span: p.tokenSpan(*q.Kind), Elem: p.name(*q.Kind)}
		}
		params = append(params, param)
	}
	return params
}

// typeOf makes the tree of a type, nil where there is none.
func (p *parser) typeOf(n *typeG) *Type {
	if n == nil {
		return nil
	}
	t := &Type{Span: p.span(n.Tokens)}
	if n.Shape != nil {
		t.Shape = &Shape{Span: p.span(n.Shape.Tokens)}
		for _, d := range n.Shape.Dims {
			t.Shape.Dims = append(t.Shape.Dims, &Dim{p.span(d.Tokens), p.optional(d.Expr), d.Any || d.Spread})
		}
	}
	for _, elem := range []*lexer.Token{n.Elem, n.Bare} {
		if elem != nil {
			t.Elem = p.name(*elem)
		}
	}
	return t
}

// nameOf makes the tree of a name, nil where there is none.
func (p *parser) nameOf(n *nameG) *Name {
	if n == nil {
		return nil
	}
	return p.name(n.Token)
}

// name makes a name of a token.
func (p *parser) name(t lexer.Token) *Name { return &Name{p.tokenSpan(t), t.Value} }

// names makes the trees of names.
func (p *parser) names(list []*nameG) []*Name {
	var names []*Name
	for _, n := range list {
		names = append(names, p.nameOf(n))
	}
	return names
}

// doc is the text of the comment block directly above an offset, without the
// comment marks; empty where there is none.
func (f *File) doc(offset int) string {
	if !f.firstOnLine(offset) {
		return ""
	}

	// Go up as long as a comment has its lines to itself and no blank line follows.
	last := f.commentsBefore(offset)
	first := last
	for first > 0 {
		c := f.Comments[first-1]
		gap := string(f.Src[c.End:offset])
		if strings.TrimSpace(gap) != "" || strings.Count(gap, "\n") != 1 || !f.firstOnLine(c.Start) {
			break
		}
		first--
		offset = c.Start
	}

	var lines []string
	for _, c := range f.Comments[first:last] {
		lines = append(lines, c.lines()...)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// commentsBefore counts the comments that start before an offset.
func (f *File) commentsBefore(offset int) int {
	low, high := 0, len(f.Comments)
	for low < high {
		if mid := (low + high) / 2; f.Comments[mid].Start < offset {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// lines is the text of a comment without its marks.
func (c *Comment) lines() []string {
	if text, ok := strings.CutPrefix(c.Text, "//"); ok {
		return []string{strings.TrimRight(strings.TrimPrefix(text, " "), " \t")}
	}
	text := strings.TrimSuffix(strings.TrimPrefix(c.Text, "/*"), "*/")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimSpace(line), "* ")
	}
	return lines
}
