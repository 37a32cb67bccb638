package dsl

// Visit calls f for a node and, where f returns true, for what is in it, in the order
// of the text. Nodes that are absent are not visited.
func Visit(n Node, f func(Node) bool) {
	if !f(n) {
		return
	}
	for _, child := range children(n) {
		Visit(child, f)
	}
}

// nodeList collects the children of a node, without the absent ones.
type nodeList []Node

// expr adds an expression.
func (l *nodeList) expr(list ...Expr) {
	for _, x := range list {
		if x != nil {
			*l = append(*l, x)
		}
	}
}

// addNodes adds nodes of one type.
func addNodes[N any, P interface {
	*N
	Node
}](l *nodeList, list ...P) {
	for _, n := range list {
		if n != nil {
			*l = append(*l, n)
		}
	}
}

// children are the nodes directly in a node, in the order of the text.
func children(n Node) []Node {
	var l nodeList
	switch n := n.(type) {
	case Decl:
		l.inDecl(n)
	case Expr:
		l.inExpr(n)
	case Stmt:
		l.inStmt(n)
	case *Block:
		for _, s := range n.Stmts {
			l = append(l, s)
		}
	default:
		l.inPart(n)
	}
	return l
}

// inPart adds what is in a part of a declaration, statement or expression.
func (l *nodeList) inPart(n Node) {
	switch n := n.(type) {
	case *GradClause:
		addNodes(l, n.Cotangent)
		l.expr(n.Values...)
	case *Derive:
		addNodes(l, n.Form)
		addNodes(l, n.Args...)
	case *Param:
		addNodes(l, n.Name)
		addNodes(l, n.Type)
		l.expr(n.Default)
	case *Type:
		addNodes(l, n.Shape)
		addNodes(l, n.Elem)
	case *Shape:
		addNodes(l, n.Dims...)
	case *Dim:
		l.expr(n.Expr)
	case *Emitted:
		l.expr(n.Value, n.Along)
	case *Pattern:
		addNodes(l, n.Segments...)
	case *Segment:
		l.expr(n.Lo, n.Hi)
	case *Arg:
		addNodes(l, n.Name)
		l.expr(n.Value)
	case *IndexItem:
		l.expr(n.At, n.Lo, n.Hi)
	case *Carried:
		addNodes(l, n.Name)
		l.expr(n.Init)
	}
}

// inDecl adds what is in a declaration.
func (l *nodeList) inDecl(d Decl) {
	switch d := d.(type) {
	case *PackageDecl:
		addNodes(l, d.Name)
	case *ImportDecl:
		addNodes(l, d.Path)
	case *DTypeDecl:
		addNodes(l, d.Elem)
	case *ConstDecl:
		addNodes(l, d.Name)
		l.expr(d.Value)
	case *FnDecl:
		l.inSignature(d.Name, d.Params, d.Result)
		l.expr(d.Value)
		addNodes(l, d.Body)
		addNodes(l, d.Grad)
		addNodes(l, d.Derive...)
	case *LayerDecl:
		l.inSignature(d.Name, d.Params, d.Result)
		l.expr(d.Value)
		addNodes(l, d.Body)
	case *ModelDecl:
		l.inSignature(d.Name, d.Params, nil)
		addNodes(l, d.Body)
	case *OptimizerDecl:
		l.inSignature(d.Name, d.Params, nil)
		addNodes(l, d.Body)
	case *BadDecl:
		addNodes(l, d.Names...)
	}
}

// inSignature adds the head of a declaration.
func (l *nodeList) inSignature(name *Name, params []*Param, result *Type) {
	addNodes(l, name)
	addNodes(l, params...)
	addNodes(l, result)
}

// inStmt adds what is in a statement of a body.
func (l *nodeList) inStmt(s Stmt) {
	switch s := s.(type) {
	case *VarStmt:
		addNodes(l, s.Name)
		addNodes(l, s.Type)
		l.expr(s.Init)
	case *SharedStmt:
		l.inBinding(s.Name, s.Value)
	case *AssignStmt:
		addNodes(l, s.Names...)
		l.expr(s.Value)
	case *UpdateStmt:
		l.inBinding(s.Target, s.Value)
	case *ForStmt:
		addNodes(l, s.Var)
		l.expr(s.Lo, s.Hi)
		addNodes(l, s.Body)
	case *IfStmt:
		l.expr(s.Cond)
		addNodes(l, s.Then, s.Else)
	case *AssertStmt:
		l.expr(s.Cond)
		addNodes(l, s.Message)
	case *ReturnStmt:
		l.expr(s.Values...)
	case *EmitStmt:
		addNodes(l, s.Values...)
	case *OutputStmt:
		l.inBinding(s.Name, s.Value)
	case *LossStmt:
		l.inBinding(s.Name, s.Value)
	case *MetricStmt:
		l.inBinding(s.Name, s.Value)
	case *BadStmt:
		addNodes(l, s.Names...)
	default:
		l.inTraining(s)
	}
}

// inBinding adds a name and its value.
func (l *nodeList) inBinding(name *Name, value Expr) {
	addNodes(l, name)
	l.expr(value)
}

// inTraining adds what is in a train statement or a statement of its block.
func (l *nodeList) inTraining(s Stmt) {
	switch s := s.(type) {
	case *TrainStmt:
		addNodes(l, s.Loss)
		addNodes(l, s.Rule)
		addNodes(l, s.For...)
		addNodes(l, s.Body)
	case *ClipStmt:
		l.inBinding(s.Form, s.Limit)
	case *DecayStmt:
		l.expr(s.Value)
		addNodes(l, s.For...)
	case *FreezeStmt:
		addNodes(l, s.Patterns...)
	case *UseStmt:
		addNodes(l, s.Rule)
		addNodes(l, s.Args...)
		addNodes(l, s.For...)
	case *AverageStmt:
		addNodes(l, s.Rule)
	case *AccumulateStmt:
		l.expr(s.Count)
	case *CheckStmt:
		addNodes(l, s.What)
	}
}

// inExpr adds what is in an expression.
func (l *nodeList) inExpr(x Expr) {
	switch x := x.(type) {
	case *List:
		l.expr(x.Elems...)
	case *Unary:
		l.expr(x.X)
	case *Binary:
		l.expr(x.X, x.Y)
	case *Pipe:
		l.expr(x.X, x.Stage)
	case *Cond:
		l.expr(x.Cond, x.Then, x.Else)
	case *Call:
		l.expr(x.Func)
		addNodes(l, x.Args...)
		addNodes(l, x.As)
	case *Index:
		l.expr(x.X)
		addNodes(l, x.Items...)
	case *Field:
		l.expr(x.X)
		addNodes(l, x.Name)
	case *Transpose:
		l.expr(x.X)
	case *Scan:
		addNodes(l, x.Var)
		l.expr(x.Lo, x.Hi)
		addNodes(l, x.With...)
		l.expr(x.Until)
		addNodes(l, x.Body)
	}
}
