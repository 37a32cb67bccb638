package dsl

import (
	"gradgen.dev/ir"
)

// A value is what an expression means during elaboration: number, truth,
// text, list, tuple, tensor, *function or poison.
type value interface {
	what() string // the kind of value, as messages name it
}

// poison is the value of what is wrong and reported already; it silences
// whatever depends on it.
type poison struct{}

// truth is a bool known at compile time.
type truth bool

// text is a string.
type text string

// list is what brackets hold: a shape, axes, or a tensor literal.
type list []value

// tuple is several results of one call.
type tuple []value

// tensor is a value of the graph.
type tensor struct{ node *ir.Node }

// A function is what stands where a function is expected: a declaration or a
// builtin with the arguments it is given beside its first ones.
type function struct {
	name    string
	fn      *FnDecl
	layer   *LayerDecl
	builtin *builtin
	inst    *instance // a call applies this instance of the layer, nil where it makes one
	bad     bool      // its declaration has a syntax error
	bound   []*argument
	written string // the expression that it was given by
}

func (poison) what() string    { return "nothing" }
func (truth) what() string     { return "a bool" }
func (text) what() string      { return "a string" }
func (list) what() string      { return "a list" }
func (tuple) what() string     { return "several values" }
func (tensor) what() string    { return "a tensor" }
func (*function) what() string { return "a function" }
func (n number) what() string {
	if n.logical {
		return "a bool"
	}
	return "a number"
}

// params is the parameters a declared function is written with.
func (f *function) params() []*Param {
	switch {
	case f.fn != nil:
		return f.fn.Params
	case f.layer != nil:
		return f.layer.Params
	}
	return nil
}

// decl is the declaration of the function, nil of a builtin.
func (f *function) decl() Node {
	switch {
	case f.fn != nil:
		return f.fn
	case f.layer != nil:
		return f.layer
	}
	return nil
}

// kindName says whether the function is an instance, a layer or a fn.
func (f *function) kindName() string {
	switch {
	case f.inst != nil:
		return "instance"
	case f.layer != nil:
		return "layer"
	}
	return "fn"
}

// isPoison reports whether one of the values is poison.
func isPoison(values ...value) bool {
	for _, v := range values {
		if _, ok := v.(poison); ok || v == nil {
			return true
		}
	}
	return false
}

// hasTensor reports whether v is a tensor or a list with one in it.
func hasTensor(v value) bool {
	switch v := v.(type) {
	case tensor:
		return true
	case list:
		for _, x := range v {
			if hasTensor(x) {
				return true
			}
		}
	}
	return false
}
