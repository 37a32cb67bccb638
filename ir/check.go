package ir

import "fmt"

// Check verifies that the graph below roots is what its builders promise:
// every node's type follows from its operands, operands come before their
// users, equal nodes are one node, nodes have no attributes that their op does
// not use, regions use no parameter of another region, and the ops are the
// table's. It is run after every pass in tests.
func Check(roots ...*Node) error {
	c := &checker{done: map[*Node]bool{}, keys: map[string]*Node{}}
	return c.graph(map[*Node]bool{}, roots)
}

type checker struct {
	done map[*Node]bool   // nodes known to be good; no parameters, whose scope counts
	keys map[string]*Node // the node of each key
}

// graph checks what roots need; scope is the parameters of the regions around.
func (c *checker) graph(scope map[*Node]bool, roots []*Node) error {
	for _, n := range Topological(roots...) {
		if c.done[n] {
			continue
		}
		if err := c.node(n, scope); err != nil {
			return fmt.Errorf("node %d, %s: %w", n.ID, n.Op.Name, err)
		}
		c.done[n] = !n.Is("arg")
	}
	return nil
}

func (c *checker) node(n *Node, scope map[*Node]bool) error {
	// The row and the operands must be sound before anything looks at them.
	if Ops[n.Op.Name] != n.Op {
		return fmt.Errorf("the op is not the table's")
	}
	if n.Op.Arity >= 0 && len(n.Args) != n.Op.Arity {
		return fmt.Errorf("it has %d operands, not %d", len(n.Args), n.Op.Arity)
	}
	for i, a := range n.Args {
		if a == nil {
			return fmt.Errorf("operand %d is absent", i)
		}
	}
	for _, a := range n.Operands() {
		if a.ID >= n.ID {
			return fmt.Errorf("operand %d comes after it", a.ID)
		}
	}
	if len(n.Body) > 0 && !n.Is("call") {
		return fmt.Errorf("it has regions")
	}
	if n.Is("arg") && !scope[n] {
		return fmt.Errorf("parameter %s of a region is used outside of it", n.Attr.Name)
	}

	// Its type, attributes and identity follow from the row and the operands.
	if t, err := n.infer(); err != nil {
		return err
	} else if !t.Equal(n.Type) {
		return fmt.Errorf("the type is %v, its operands give %v", n.Type, t)
	}
	if bare := (&Node{Op: n.Op, Args: n.Args, Attr: n.Attr.only(n.Op), Body: n.Body, Type: n.Type}); bare.key() != n.key() {
		return fmt.Errorf("it has attributes beside %v", n.Op.Fields)
	}
	if other := c.keys[n.key()]; other != nil && other != n {
		return fmt.Errorf("it equals node %d and is not that node", other.ID)
	}
	c.keys[n.key()] = n

	// Regions see their own parameters and those around them.
	for _, r := range n.Body {
		inner := map[*Node]bool{}
		for a := range scope {
			inner[a] = true
		}
		for _, a := range r.Params {
			inner[a] = true
		}
		if err := c.graph(inner, r.Results); err != nil {
			return err
		}
	}
	return nil
}
