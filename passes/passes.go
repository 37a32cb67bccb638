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
	"fmt"

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

// mostWork bounds the operations that compiling a model or a function makes; it
// takes most of a minute. A hundred steps of Runge and Kutta with two gradients
// make a sixth of them.
const mostWork = 6_000_000

// Compile plans every model and exported function of prog. The error is an
// *Error where the program is at fault.
func Compile(prog *ir.Program) (*ir.Plan, error) { return compile(prog, mostWork) }

// compile is Compile with another bound than mostWork.
func compile(prog *ir.Program, most int) (*ir.Plan, error) {
	plan, g := &ir.Plan{Program: prog}, prog.Graph
	for _, m := range prog.Models {
		var p *ir.ModelPlan
		err := bounded(g, most, m.Pos, "model "+m.Name, func() (err error) {
			p, err = compileModel(g, m)
			return err
		})
		if err != nil {
			return nil, err
		}
		plan.Models = append(plan.Models, p)
	}
	for _, f := range prog.Funcs {
		var p *ir.FuncPlan
		err := bounded(g, most, f.Pos, "function "+f.Name, func() (err error) {
			p, err = compileFunc(g, f)
			return err
		})
		if err != nil {
			return nil, err
		}
		plan.Funcs = append(plan.Funcs, p)
	}
	return plan, nil
}

// bounded runs a compilation that may make at most so many operations; one that
// would make more is an error.
func bounded(g *ir.Graph, most int, pos, what string, run func() error) (err error) {
	g.LimitWork(most)
	defer func() {
		g.LimitWork(0)
		switch r := recover(); r {
		case nil:
		case ir.ErrWork:
			err = &Error{pos, fmt.Sprintf("%s, with its loops unrolled and its derivatives expanded, takes more than the limit of %d operations to compile", what, most), "work-limit"}
		default:
			panic(r)
		}
	}()
	return run()
}
