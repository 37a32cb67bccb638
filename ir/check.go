package ir

import "fmt"

// Check verifies that the graph below roots is what its builders promise:
// every node's type follows from its operands, operands come before their
// users, regions use no parameter of another region, and the ops are the
// table's. It is run after every pass in tests.
func Check(roots ...*Node) error { return check(map[*Node]bool{}, roots) }

func check(scope map[*Node]bool, roots []*Node) error {
	for _, n := range Topological(roots...) {
		if err := checkNode(n, scope); err != nil {
			return fmt.Errorf("node %d, %s: %w", n.ID, n.Op.Name, err)
		}
	}
	return nil
}

func checkNode(n *Node, scope map[*Node]bool) error {
	if Ops[n.Op.Name] != n.Op {
		return fmt.Errorf("the op is not the table's")
	}
	for _, a := range n.Args {
		if a.ID >= n.ID {
			return fmt.Errorf("operand %d comes after it", a.ID)
		}
	}
	if n.Is("arg") && !scope[n] {
		return fmt.Errorf("parameter %s of a region is used outside of it", n.Attr.Name)
	}
	if t, err := n.Op.Shape(n); err != nil {
		return err
	} else if !t.Equal(n.Type) {
		return fmt.Errorf("the type is %v, its operands give %v", n.Type, t)
	}

	// Regions see their own parameters and those around them.
	for _, r := range n.Body {
		inner := map[*Node]bool{}
		for a := range scope {
			inner[a] = true
		}
		for _, a := range r.Params {
			inner[a] = true
		}
		if err := check(inner, r.Results); err != nil {
			return err
		}
	}
	return nil
}
