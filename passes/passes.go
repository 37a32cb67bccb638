// Package passes turns an elaborated program into a plan: what comes in is the
// model's text as a graph, what goes out is steps over buffers that only have
// to be spelled.
//
//	AsWritten  what cancels in the text is marked, to be computed as it is
//	Gradient   derivatives are expanded by the chain rule
//	Strip      pins, stops and calls, which only derivatives needed, vanish
//	Simplify   one normal form, scalars in front, the identities of the table
//	Lower      the stable formulas of softmax and its kin
//	fuse       groups: products with scales and sums, loops over one domain
//	schedule   the groups as steps, in an order in which reads see their values
//	place      in place where possible, one arena, memory shared by live range
//
// The order is forced: derivatives of simplified graphs would lose the names
// that identities see by; the cut of metrics needs means as they were written,
// so it comes before Simplify; Lower breaks the normal form, so nothing
// algebraic follows it.
package passes

import (
	"gradgen.dev/ir"
)

// An Error is a program that means something which cannot be compiled. Pos is
// file:line:column.
type Error struct {
	Pos     string
	Message string
	Code    string // name of the kind of error in the table of package dsl
}

func (e *Error) Error() string { return e.Pos + ": " + e.Message }

// Compile plans every model and exported function of prog. The error is an
// *Error where the program is at fault.
func Compile(prog *ir.Program) (*ir.Plan, error) {
	plan := &ir.Plan{Program: prog}
	for _, m := range prog.Models {
		p, err := compileModel(prog.Graph, m)
		if err != nil {
			return nil, err
		}
		plan.Models = append(plan.Models, p)
	}
	for _, f := range prog.Funcs {
		p, err := compileFunc(prog.Graph, f)
		if err != nil {
			return nil, err
		}
		plan.Funcs = append(plan.Funcs, p)
	}
	return plan, nil
}
