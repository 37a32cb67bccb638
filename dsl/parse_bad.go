package dsl

import "github.com/alecthomas/participle/v2/lexer"

// badDecl stands for the tokens [start, end) of a declaration with an error. Its
// blocks are parsed for the errors in them.
func (p *parser) badDecl(s *stream, start, end int) Decl {
	tokens := s.tokens[start:end]
	bad := &BadDecl{Span: p.span(tokens)}
	for i := 0; i+1 < len(tokens) && i < 2; i++ {
		if tokens[i].Type != tokenString && tokens[i+1].Type == tokenIdent {
			bad.Names = []*Name{p.name(tokens[i+1])}
		}
	}
	p.blocksOf(tokens, body)
	return bad
}

// badStmt stands for the tokens [start, end) of a statement with an error. Its
// blocks are parsed for the errors in them; those of a for or an if, whose names
// are visible after it, for their names too.
func (p *parser) badStmt(s *stream, start, end int, what production) Stmt {
	tokens := s.tokens[start:end]
	bad := &BadStmt{Span: p.span(tokens), Names: p.boundNames(tokens)}
	switch tokens[0].Value {
	case "input":
		bad.Dims = p.bracketed(tokens)
	case "for", "if":
		bad.Names = append(bad.Names, namesOf(p.blocksOf(tokens, what))...)
	case "train":
		p.blocksOf(tokens, clauses)
	case "export", "fn":
		p.blocksOf(tokens, what)
	case "layer", "model", "optimizer", "const", "import", "package":
		p.nested = append(p.nested, p.badDecl(s, start, end))
	default:
		p.blocksOf(afterScan(tokens), what)
	}
	return bad
}

// afterScan are the tokens from the first scan on: in other expressions, braces hold
// no statements.
func afterScan(tokens []lexer.Token) []lexer.Token {
	for i, t := range tokens {
		if t.Value == "scan" {
			return tokens[i:]
		}
	}
	return nil
}

// blocksOf parses the blocks among some tokens and returns their statements.
func (p *parser) blocksOf(tokens []lexer.Token, what production) []Stmt {
	var stmts []Stmt
	for _, t := range tokens {
		if t.Type == tokenBlock {
			stmts = append(stmts, p.block(&t, what).Stmts...)
		}
	}
	return stmts
}

// boundNames are the names that a statement which starts with some tokens seems
// to bind: the name after a keyword, or those before = or <-.
func (p *parser) boundNames(tokens []lexer.Token) []*Name {
	switch tokens[0].Value {
	case "input", "param", "state", "carry", "shared", "output", "loss", "metric":
		if len(tokens) > 1 && tokens[1].Type == tokenIdent {
			return []*Name{p.name(tokens[1])}
		}
		return nil
	}

	// The names stand before the first = or <-; what is between them does not matter.
	var names []*Name
	for _, t := range tokens {
		switch {
		case t.Value == "=" || t.Value == "<-" || t.Value == "==":
			return names
		case t.Type == tokenIdent:
			names = append(names, p.name(t))
		case t.Value != ",":
			return nil
		}
	}
	return nil
}

// bracketed are the names in the brackets that stand directly behind the first
// name among some tokens.
func (p *parser) bracketed(tokens []lexer.Token) []*Name {
	var names []*Name
	if len(tokens) < 3 || tokens[2].Value != "[" {
		return nil
	}
	for _, t := range tokens[3:] {
		if t.Value == "]" {
			return names
		}
		if t.Type == tokenIdent {
			names = append(names, p.name(t))
		}
	}
	return names
}

// namesOf are the names that statements bind for what follows them.
func namesOf(stmts []Stmt) []*Name {
	var names []*Name
	for _, s := range stmts {
		names = append(names, stmtNames(s)...)
	}
	return names
}

// stmtNames are the names that one statement binds for what follows it.
func stmtNames(s Stmt) []*Name {
	switch s := s.(type) {
	case *VarStmt:
		return []*Name{s.Name}
	case *SharedStmt:
		return []*Name{s.Name}
	case *AssignStmt:
		return s.Names
	case *OutputStmt:
		return []*Name{s.Name}
	case *ForStmt:
		return namesOf(s.Body.Stmts)
	case *IfStmt:
		names := namesOf(s.Then.Stmts)
		if s.Else != nil {
			names = append(names, namesOf(s.Else.Stmts)...)
		}
		return names
	case *BadStmt:
		return s.Names
	}
	return nil
}
