package dsl

// walkStmts calls f for every statement of a block, those in its loops and
// branches included, in the order of the text.
func walkStmts(b *Block, f func(Stmt)) {
	if b == nil {
		return
	}
	for _, s := range b.Stmts {
		f(s)
		switch s := s.(type) {
		case *ForStmt:
			walkStmts(s.Body, f)
		case *IfStmt:
			walkStmts(s.Then, f)
			walkStmts(s.Else, f)
		}
	}
}

// stmtExprs is the expressions that stand directly in a statement, in order.
func stmtExprs(s Stmt) []Expr {
	switch s := s.(type) {
	case *VarStmt:
		return present(s.Init)
	case *SharedStmt:
		return present(s.Value)
	case *AssignStmt:
		return present(s.Value)
	case *UpdateStmt:
		return present(s.Value)
	case *ForStmt:
		return present(s.Lo, s.Hi)
	case *IfStmt:
		return present(s.Cond)
	case *AssertStmt:
		return present(s.Cond)
	case *ReturnStmt:
		return s.Values
	case *EmitStmt:
		var out []Expr
		for _, v := range s.Values {
			out = append(out, present(v.Value, v.Along)...)
		}
		return out
	case *OutputStmt:
		return present(s.Value)
	case *LossStmt:
		return present(s.Value)
	case *MetricStmt:
		return present(s.Value)
	}
	return nil
}

// present is the expressions that are written.
func present(xs ...Expr) []Expr {
	var out []Expr
	for _, x := range xs {
		if x != nil {
			out = append(out, x)
		}
	}
	return out
}

// operandsOf is the expressions directly below one, in order of evaluation. The
// body of a scan is not among them.
func operandsOf(x Expr) []Expr {
	switch x := x.(type) {
	case *List:
		return x.Elems
	case *Unary:
		return present(x.X)
	case *Binary:
		return present(x.X, x.Y)
	case *Pipe:
		return append(present(x.X), operandsOf(x.Stage)...)
	case *Cond:
		return present(x.Cond, x.Then, x.Else)
	case *Call:
		var out []Expr
		for _, a := range x.Args {
			out = append(out, present(a.Value)...)
		}
		return out
	case *Index:
		out := present(x.X)
		for _, item := range x.Items {
			out = append(out, present(item.At, item.Lo, item.Hi)...)
		}
		return out
	case *Field:
		return present(x.X)
	case *Transpose:
		return present(x.X)
	case *Scan:
		out := present(x.Lo, x.Hi)
		for _, c := range x.With {
			out = append(out, present(c.Init)...)
		}
		return append(out, present(x.Until)...)
	}
	return nil
}

// walkExpr calls f for an expression and all below it, operands first; the
// bodies of scans are left out.
func walkExpr(x Expr, f func(Expr)) {
	if x == nil {
		return
	}
	for _, o := range operandsOf(x) {
		walkExpr(o, f)
	}
	f(x)
	if p, ok := x.(*Pipe); ok {
		f(p.Stage)
	}
}

// walkBody calls f for every expression of a body, scans included, in the order
// of the text.
func walkBody(value Expr, b *Block, f func(Expr)) {
	var visit func(x Expr)
	blocks := func(b *Block) {
		walkStmts(b, func(s Stmt) {
			for _, x := range stmtExprs(s) {
				visit(x)
			}
		})
	}
	visit = func(x Expr) {
		walkExpr(x, func(x Expr) {
			f(x)
			if s, ok := x.(*Scan); ok {
				blocks(s.Body)
			}
		})
	}
	if value != nil {
		visit(value)
	}
	blocks(b)
}
